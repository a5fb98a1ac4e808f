"""Arguments that do not fit together: a ValueError, never a read outside the buffers."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

core = pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")

FORMATS = [*"gfcsilCSILbuU", "tdD", "tss:", "tsn:UTC", "tDm", "tts", "ttu", "x", "", "t", "td"]
SIZES = st.integers(-2, 40) | st.sampled_from([2**31, 2**62, 2**63 - 1])
BUFFERS = st.none() | st.binary(max_size=64) | st.lists(
    st.integers(-1, 12), max_size=9
).map(lambda offsets: b"".join(o.to_bytes(4, "little", signed=True) for o in offsets))  # fmt: skip


@given(st.sampled_from(FORMATS), SIZES, SIZES, BUFFERS, BUFFERS, BUFFERS)
def test_arrays_of_any_shape(
    kind: str, length: int, offset: int, validity: Any, values: Any, data: Any
) -> None:
    """What is no array is refused; what is one is taken as far as it goes."""
    array = (kind, length, offset, validity, values, data)
    for call in (
        lambda: core.normalize(array, 7, 128),
        lambda: core.tab_lines([(array, "quoted")], max(length, 0), "\\"),
        lambda: core.xdr_doubles(array),
        lambda: core.xdr_integers(array),
        lambda: core.xdr_texts(array)[0],
        lambda: core.narrow(array, "l"),
        lambda: core.count_values(array, -3, 5)[0],
        lambda: bytes(core.survey(array)[0]),
    ):
        try:
            result = call()
        except (ValueError, MemoryError):
            continue
        assert isinstance(result, bytes)
        assert 0 <= length <= 8 * 64


@given(
    st.binary(max_size=64),
    SIZES,
    SIZES,
    st.lists(st.tuples(SIZES, SIZES), max_size=3),
    st.sampled_from(FORMATS),
)
def test_cases_of_any_shape(
    data: bytes, width: int, count: int, pieces: list[tuple[int, int]], kind: str
) -> None:
    for rule in ("none", "equal", "above", "codes", "empty", "x"):
        plan = (kind, tuple(pieces), rule, 3.0, b" ")
        try:
            columns = core.decode_cases(data, width, count, False, [plan])
        except (ValueError, MemoryError):
            continue
        assert len(columns) == 1
        assert width * count <= len(data)


@pytest.mark.parametrize(
    "call",
    [
        lambda: core.normalize(("g", 1, 0, None, bytes(8), None), 0, 128),
        lambda: core.normalize(("g", 1, 0, None, bytes(8), None), 17, 128),
        lambda: core.normalize(("u", 0, 0, None, None, None), 7, 0),
        lambda: core.tab_lines([], -1, ""),
        lambda: core.tab_lines([(("g", 1, 0, None, bytes(8), None), "shortest")], 2, ""),
        lambda: core.tab_lines([], 1, "x"),
        lambda: core.tab_lines([(("g", 1, 0, None, bytes(8), None), "roman")], 1, ""),
        lambda: core.tokenize(b"", "é", "", "", True, True, False),
        lambda: core.narrow(("g", 1, 0, None, bytes(8), None), "f"),
        lambda: core.count_values(("g", 1, 0, None, bytes(8), None), 0, 1),
        lambda: core.xdr_integers(("l", 1, 0, None, bytes(8), None)),
        lambda: core.expand(b"", bytes(2047)),
        lambda: core.decode_cases(b"", 0, 0, False, []),
    ],
)  # fmt: skip
def test_refused(call: Any) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        call()


def test_wrong_kinds_of_objects() -> None:
    with pytest.raises(TypeError):
        core.normalize(pa.array([1]), 7, 128)
    with pytest.raises(TypeError):
        core.normalize(("g", 1, 0, None, "text", None), 7, 128)
