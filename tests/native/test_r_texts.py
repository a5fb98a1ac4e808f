"""The kernels of R's texts against their plain twins."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read import r_texts

core = pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")

UTF8, LATIN1, BYTES, ASCII = 0x8009, 0x4009, 0x2009, 0x40009
texts = st.lists(
    st.tuples(
        st.sampled_from((UTF8, LATIN1, BYTES, ASCII, 9)),
        st.none()
        | st.binary(max_size=12)
        | st.text(max_size=9).map(lambda t: t.encode("utf-8", "replace")),
    ),
    max_size=30,
)


def stored(found: list[tuple[int, bytes | None]], order: str) -> bytes:
    return b"".join(
        struct.pack(f"{order}Ii", flags, -1 if raw is None else len(raw)) + (raw or b"")
        for flags, raw in found
    )


@given(texts, st.booleans(), st.booleans(), st.integers(0, 5), st.integers(1, 9))
def test_the_same_texts(
    found: list[tuple[int, bytes | None]], big: bool, utf8: bool, before: int, stride: int
) -> None:
    """Places, validity, offsets, bytes and marks are the same."""
    data = b"?" * before + stored(found, ">" if big else "<") + b"rest"
    skipped = r_texts._skip_texts(data, before, len(found), stride, big)
    assert core.skip_texts(data, before, len(found), stride, big) == skipped
    ours = core.read_texts(data, before, len(found), big, utf8)
    twin = r_texts._read_texts(data, before, len(found), big, utf8)
    assert ours[0] == twin[0]
    assert ours[2:] == twin[2:]
    if ours[0]:
        bits = (len(found) + 7) // 8
        assert ours[1][:bits] == twin[1][:bits]


@given(texts, st.integers(0, 400), st.integers(0, 40), st.integers(0, 500))
def test_the_same_refusals(
    found: list[tuple[int, bytes | None]], cut: int, count: int, start: int
) -> None:
    """Whatever is asked of whatever bytes: both read the same or both refuse."""
    data = stored(found, ">")[:cut]
    results = []
    for function in (core.skip_texts, r_texts._skip_texts):
        try:
            results.append(function(data, start, count, 4, True))
        except ValueError:
            results.append(None)
    assert results[0] == results[1]


@pytest.mark.parametrize("arguments", [(-1, 1, 1), (0, -1, 1), (0, 1, 0)])
def test_wrong_arguments(arguments: tuple[int, int, int]) -> None:
    """Negative numbers are refused, not read."""
    with pytest.raises(ValueError, match=r"negative|stride"):
        core.skip_texts(b"\0" * 64, *arguments, True)
