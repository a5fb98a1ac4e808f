"""System files made byte by byte: what the format's documents say must come out."""

from __future__ import annotations

import dataclasses
import datetime
import struct
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabkit.errors import FormatError
from tabkit.options import ReadOptions
from tabkit.read import open_table, read, spss_cases
from tabkit.read.spss import open_sav
from tests.read.sav_files import (
    SYSMIS,
    Sav,
    Var,
    table,
    warnings,
)

ORDERS = ("<", ">")
COMPRESSIONS = (0, 1, 2)
UTF8 = (20, 1, b"UTF-8")


numbers = st.one_of(st.none(), st.integers(-200, 300).map(float), st.floats(allow_nan=False))
cells = st.tuples(numbers, st.text("ab é ", max_size=9), numbers)


@given(
    st.lists(cells, max_size=40),
    st.sampled_from(ORDERS),
    st.sampled_from(COMPRESSIONS),
    st.integers(1, 5),
    st.sampled_from((8, 24, 1 << 18)),
)
def test_cases_come_out_as_they_went_in(
    cases: list[tuple[float | None, str, float | None]], order: str, compression: int, rows: int,
    chunk: int,
) -> None:  # fmt: skip
    """Byte order, storage form, block size and chunk size change nothing."""
    stored = [
        (a if a not in (SYSMIS,) else None, b.encode(), c if c not in (SYSMIS,) else None)
        for a, b, c in cases
    ]
    file = Sav(
        [Var(b"A"), Var(b"TEXT", 20), Var(b"B")], stored, order, compression, extensions=[UTF8]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spss_cases, "CHUNK_BYTES", chunk)
        found = table(file, block_rows=rows)
    assert found.data.to_pydict() == {
        "A": [a for a, _, _ in stored],
        "TEXT": [b.rstrip(" ") for _, b, _ in cases],
        "B": [c for _, _, c in stored],
    }
    assert all(batch.num_rows <= rows for batch in found.data.to_batches())
    assert not warnings(found)


@given(st.integers(0, 400), st.sampled_from(COMPRESSIONS))
@settings(max_examples=150)
def test_a_file_cut_anywhere_gives_whole_cases_or_one_line(cut: int, compression: int) -> None:
    """Whole cases before the cut with a warning; within the dictionary a FormatError."""
    cases = [(float(i), b"text %d" % i, i + 0.5) for i in range(9)]
    file = Sav([Var(b"A"), Var(b"TEXT", 12), Var(b"B")], cases, compression=compression)
    data = file.to_bytes()
    kept = data[: max(0, len(data) - cut)]
    if len(kept) < len(file.dictionary()):
        with pytest.raises(FormatError) as error:
            table(kept)
        assert "\n" not in str(error.value)
        return
    found = table(kept)
    rows = [(a, t.encode(), b) for a, t, b in zip(*found.data.to_pydict().values(), strict=True)]
    assert rows == [tuple(case) for case in cases[: len(rows)]]
    if len(rows) < len(cases):
        assert any(f"holds {len(rows)}" in text for text in warnings(found))
    if not cut:
        assert not warnings(found)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(before: bytes, after: bytes) -> None:
    """Garbage after a good header, or after a good dictionary, never raises anything else."""
    good = Sav([Var(b"A"), Var(b"T", 9)], extensions=[UTF8])
    header = good.to_bytes()[:176]
    for data in (header + before, good.dictionary()[:-8] + before + after, before):
        try:
            table(data)
        except FormatError:
            continue


def test_parts_that_are_not_there_stay_apart() -> None:
    """Record 7/14 promises a very long string whose parts are missing: told, not fatal."""
    found = table(
        Sav([Var(b"L", 255), Var(b"N")], [(b"x", 1.0)], extensions=[(14, 1, b"L=00600\0\t")])
    )
    assert found.data.to_pydict() == {"L": ["x"], "N": [1.0]}
    assert any("600 bytes" in text for text in warnings(found))


@pytest.mark.parametrize("promised", [-1, 0])
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_an_unknown_number_of_cases_reads_all(promised: int, compression: int) -> None:
    """-1 says that nobody counted, and 0 was never filled in."""
    file = Sav([Var(b"A")], [(1.0,), (None,), (2.5,)], "<", compression, promised)
    found = table(file)
    assert found.data.to_pydict() == {"A": [1.0, None, 2.5]}
    assert bool(warnings(found)) == (promised == 0)


def test_the_64_bit_number_of_cases_counts_where_the_header_has_none() -> None:
    """Record 7/16."""
    file = Sav([Var(b"A")], [(1.0,), (2.0,)], promised=-1)
    more = dataclasses.replace(file, extensions=[(16, 8, struct.pack("<qq", 1, 2))])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.sav"
        path.write_bytes(more.to_bytes())
        with open_table(path) as stream:
            assert stream.cases == 2


def test_wrong_promises_are_told() -> None:
    """More or fewer cases than promised, another width of a case: read what is there."""
    file = Sav([Var(b"A")], [(1.0,), (2.0,), (3.0,)])
    fewer = table(dataclasses.replace(file, promised=2**31 - 1))
    assert fewer.cases == 3
    assert any("2,147,483,647 cases and holds 3" in text for text in warnings(fewer))
    more = table(dataclasses.replace(file, promised=2))
    assert more.cases == 2
    assert any("holds more" in text for text in warnings(more))
    wide = table(dataclasses.replace(file, case_size=2**31 - 1))
    assert wide.cases == 3
    assert any("cases of 2,147,483,647 elements" in each.text for each in wide.findings)


def test_no_cases() -> None:
    """A dictionary alone is a table without cases."""
    found = table(Sav([Var(b"A"), Var(b"D", 0, None, (20, 11, 0)), Var(b"S", 3)]))
    assert found.data.schema.types == [pa.float64(), pa.date32(), pa.string()]
    assert found.cases == 0
    assert not warnings(found)


def test_padding_of_blanks_and_nuls_is_no_data() -> None:
    """Leading blanks stay; an all-blank string is the empty string, not missing."""
    cases = [(b"  a b",), (b"a\0\0",), (b"",), (b"\0" * 10,), (b"a\0b",)]
    found = table(Sav([Var(b"A", 10)], cases))
    assert found.data.column(0).to_pylist() == ["  a b", "a", "", "", "a\0b"]


def test_dates_beyond_their_type_are_told() -> None:
    """They become null with a count, and a missing value out of range stays a number."""
    day = Var(b"D", 0, None, (20, 11, 0), 1, (1e20,))
    found = table(Sav([day], [(1e20,), (86_400.5,)]))
    assert found.data.column(0).to_pylist() == [None, datetime.date(1582, 10, 15)]
    assert found.variables[0].missing_values == (1e20,)
    assert len(warnings(found)) == 2


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda d: b"\x1c\0\0\0\0\0\0\0ENCRYPTEDSAV" + d, "encrypted"),
        (lambda d: b"PK" + d, "does not begin with"),
        (lambda d: d[:64] + b"\7\0\0\0" + d[68:], "layout code"),
        (lambda d: d[:72] + b"\7\0\0\0" + d[76:], "compression 7"),
        (lambda d: d[:176] + b"\7\7\0\0" + d[180:], "no record of type 1799"),
        (lambda d: d[:180] + b"\0\1\0\0" + d[184:], "256 bytes wide"),
        (lambda d: d[:184] + b"\2\0\0\0" + d[188:], "indicator"),
        (lambda d: d[:180] + b"\x20\0\0\0" + d[184:], "has 1 elements"),
        (lambda d: d[:100], "fewer than an SPSS header"),
        (lambda d: d[:190], "beyond the end"),
        (lambda d: d[:176] + struct.pack("<ii", 999, 0), "names no variable"),
        (lambda d: d[:-8] + struct.pack("<ii", 3, 2**30), "promises 1,073,741,824 items"),
        (lambda d: d[:-8] + struct.pack("<ii", 6, -1), "promises -1 items"),
        (lambda d: d[:-8] + struct.pack("<iiii", 7, 4, 2**31 - 1, 2**31 - 1), "beyond the end"),
        (lambda d: d[:-8] + struct.pack("<iiii", 7, 4, -8, 3), "items of -8 bytes"),
        (lambda d: d[:-8] + struct.pack("<iii", 3, 0, 7), "not 4"),
    ],
)
def test_refusals_say_what_is_wrong(change: object, message: str) -> None:
    """One line, exit code 3, before anything large is read."""
    data = Sav([Var(b"A")]).to_bytes()
    with pytest.raises(FormatError, match=message) as error:
        table(change(data))  # type: ignore[operator]
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 3


def test_damaged_zlib_data_give_the_cases_before() -> None:
    """A broken trailer is told and the blocks are read; a broken block ends the data."""
    cases = [(float(i),) for i in range(100)]
    file = Sav([Var(b"A")], cases, compression=2)
    data, start = bytearray(file.to_bytes()), len(file.dictionary())
    trailer = struct.unpack_from("<q", data, start + 8)[0]
    no_trailer = table(bytes(data[:trailer]))
    assert no_trailer.data.column(0).to_pylist() == [case[0] for case in cases]
    assert len(warnings(no_trailer)) == 1
    assert "table of compressed blocks" in warnings(no_trailer)[0]
    data[start + 24 + 60] ^= 0xFF
    broken = table(bytes(data))
    assert 30 < broken.cases < 100
    assert broken.data.column(0).to_pylist()[:30] == [float(i) for i in range(30)]
    assert any("damaged before byte" in text for text in warnings(broken))


def test_closing_early_releases_the_file(tmp_path: Path) -> None:
    """A stream that is not read to its end leaves no file open (a warning would be an error)."""
    path = tmp_path / "a.sav"
    path.write_bytes(Sav([Var(b"A")], [(1.0,), (2.0,)]).to_bytes())
    stream = open_sav(path, ReadOptions(block_rows=1))
    next(iter(stream.blocks))
    stream.close()
    stream.close()
    open_sav(path, ReadOptions()).close()
    path.unlink()
    with pytest.raises(OSError):  # noqa: PT011 - whatever the system says of a missing file
        read(path)
