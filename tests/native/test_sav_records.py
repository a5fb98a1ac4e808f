"""Runs of records of a system file's dictionary: the kernels and their plain twin agree."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit import _native
from tabkit.errors import FormatError
from tabkit.read import spss_records
from tabkit.read.spss_records import VariableRecord, read_records
from tests.read.sav_files import Sav, Var

core = pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")

CORPUS = Path("../shared/corpus")
MOST = 200_000  # bytes

words = st.binary(min_size=8, max_size=8)
variables = st.builds(
    Var,
    name=st.binary(min_size=1, max_size=8),
    width=st.sampled_from([0, 0, 1, 8, 9, 255]),
    label=st.none() | st.binary(max_size=20),
    kind=st.sampled_from([0, 1, 2, 3, -2, -3]),
    missing=st.tuples(words, words, words),
).map(lambda each: Var(*(*vars(each).values(),)[:-1], each.missing[: abs(each.kind)]))
scales = st.lists(
    st.tuples(st.lists(st.tuples(words, st.binary(max_size=255)), max_size=3),
              st.lists(st.integers(-1, 9), max_size=3)),
    max_size=5,
)  # fmt: skip


def outcome(data: bytes, window: int, *, compiled: bool) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_native, "AVAILABLE", compiled)
        patch.setattr(spss_records, "_READ_BYTES", window)
        try:
            return repr(read_records(io.BytesIO(data), len(data), Path("a.sav")))
        except FormatError as error:
            return str(error)


@given(
    st.lists(variables, min_size=1, max_size=6),
    scales,
    st.sampled_from("<>"),
    st.integers(1, 700),
    st.lists(st.tuples(st.integers(0, 5000), st.integers(0, 255)), max_size=3),
    st.integers(0, 5000),
)
def test_any_dictionary(
    columns: list[Var], labels: list[tuple[list[tuple[bytes, bytes]], list[int]]], order: str,
    window: int, damage: list[tuple[int, int]], end: int,
) -> None:  # fmt: skip
    """Sound, damaged or cut, and wherever the reading of the file was cut."""
    sound = Sav(columns, order=order, labels=labels).to_bytes()
    hurt = bytearray(sound)
    for at, byte in damage:
        hurt[at % len(hurt)] = byte
    for data in (sound, bytes(hurt), sound[: end % len(sound)]):
        assert outcome(data, window, compiled=True) == outcome(data, window, compiled=False)


@pytest.mark.skipif(not CORPUS.exists(), reason="../shared is not here")
@pytest.mark.parametrize("window", [64, 1 << 18])
def test_real_files(window: int) -> None:
    """Whole, and cut at some places."""
    for path in sorted((CORPUS / "sav").iterdir()):
        data = path.read_bytes() if path.stat().st_size <= MOST else b""
        for end in {len(data), len(data) // 2, 500, 1000}:
            found = outcome(data[:end], window, compiled=True)
            assert found == outcome(data[:end], window, compiled=False), (path, end)


def test_what_comes_out() -> None:
    """Continuations are counted and not returned; the run ends before what is another record."""
    file = Sav([Var(b"A", 9, b"the a"), Var(b"B", 0, None, (20, 11, 3), 1, (b"12345678",))])
    data = file.dictionary()
    found, at, element = core.sav_variables(data, 176, False, 4)
    assert [VariableRecord(*each) for each in found] == [
        VariableRecord(4, 9, b"A       ", b"the a", 0, (), 5, 8, 2),
        VariableRecord(6, 0, b"B       ", None, 1, (b"12345678",), 20, 11, 3),
    ]
    assert (at, element) == (len(data) - 8, 7)
    assert core.sav_variables(data, 176, True, 4) == ([], 176, 4)


def test_labels_that_repeat_are_one_object() -> None:
    """And others are not."""
    yes, no = [(1.0, b"yes")], [(1.0, b"no")]
    data = Sav([Var(b"A")], labels=[(yes, [1]), (yes, [2, 3]), (no, [4])]).dictionary()
    (first, second, third), at = core.sav_label_sets(data, 176 + 32, False)
    assert first[0] is second[0] is not third[0]
    assert [first[1], second[1], third[1]] == [(1,), (2, 3), (4,)]
    assert at == len(data) - 8


@given(st.binary(max_size=80), st.sampled_from([-1, 0, 3, 80, 81, 2**62]), st.booleans())
def test_any_bytes(data: bytes, at: int, big: bool) -> None:
    """A place beyond the bytes is refused."""
    if not 0 <= at <= len(data):
        with pytest.raises(ValueError, match="beyond"):
            core.sav_variables(data, at, big, 0)
        with pytest.raises(ValueError, match="beyond"):
            core.sav_label_sets(data, at, big)
        return
    assert at <= core.sav_variables(data, at, big, 0)[1] <= len(data)
    assert at <= core.sav_label_sets(data, at, big)[1] <= len(data)
