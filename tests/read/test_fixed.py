"""Fixed-width data: what was printed into columns comes out, however lines are damaged."""

from __future__ import annotations

import gzip
import importlib.util
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import tabkit
from tabkit.errors import FormatError
from tabkit.model import Kind, Variable
from tabkit.options import ReadOptions
from tabkit.read import read_all
from tabkit.read.dictionary import Dictionary, Entry
from tabkit.read.fixed import open_fixed

MAKE = Path(__file__).parents[1] / "data" / "make" / "extracts.py"
_SPEC = importlib.util.spec_from_file_location("extracts", MAKE)
extracts = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(extracts)

NAMES = [each[0] for each in extracts.LAYOUT]


def expected() -> dict[str, list[Any]]:
    return {
        name: list(values)
        for name, values in zip(NAMES, zip(*extracts.CASES, strict=True), strict=True)
    }


def pair(folder: Path, data: bytes, charset: str = "", name: str = "census.dat") -> tabkit.Table:
    (folder / name).write_bytes(data)
    (folder / "census.xml").write_text(extracts.ipums_codebook(charset), encoding="utf-8")
    return tabkit.read(folder / name, codebook=folder / "census.xml")


def lines(encoding: str, end: str = "\n") -> bytes:
    return "".join(extracts.line(case) + end for case in extracts.CASES).encode(encoding)


def told(table: tabkit.Table) -> list[str]:
    return [f"{each.variable}: {each.text}" for each in table.findings]


def test_an_extract_as_it_is_shipped(tmp_path: Path) -> None:
    extracts.write_ipums(tmp_path)
    table = tabkit.read(tmp_path / "census.dat.gz", codebook=tmp_path / "census.xml")
    assert table.data.to_pydict() == expected()
    sex = table.variables[3]
    assert (sex.label, sex.missing_values) == ("Sex", (9,))
    assert [each.label for each in sex.categories] == ["Male", "Female", "Missing/blank"]
    assert told(table) == [
        "SEX: values that no code names: 1 case (3)",
        "AGE: values that no code names: 2 cases (34, 101)",
    ]


@pytest.mark.parametrize("encoding", ["latin-1", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_bytes_of_one_byte_encodings(tmp_path: Path, encoding: str, end: str) -> None:
    assert pair(tmp_path, lines(encoding, end)).data.to_pydict() == expected()


def test_characters_of_utf8(tmp_path: Path) -> None:
    """Lines alike in characters: columns are characters, and that is told."""
    table = pair(tmp_path, lines("utf-8"))
    assert table.data.to_pydict() == expected()
    assert ": columns are characters of utf-8" in told(table)


def test_bytes_of_utf8(tmp_path: Path) -> None:
    """Lines alike in bytes: columns are bytes, as SAS and Stata print them."""
    text = [extracts.line(case).encode() for case in extracts.CASES]
    table = pair(tmp_path, b"".join(line[:45].ljust(45) + b"\n" for line in text))
    assert table.data.to_pydict() == expected()


def test_ragged_lines(tmp_path: Path) -> None:
    """Trailing blanks cut, an empty line, no last line end, Ctrl-Z, a byte order mark."""
    text = b"\n".join(line.rstrip() for line in lines("ascii" if False else "latin-1").splitlines())
    table = pair(tmp_path, text.replace(b"\n", b"\n\n", 1) + b"\x1a")
    assert table.data.to_pydict() == expected()
    assert ": empty lines, left out: 1" in told(table)
    assert any(each.startswith(": lines shorter than the 45 columns") for each in told(table))


def test_no_numbers_are_missing_and_told(tmp_path: Path) -> None:
    table = pair(tmp_path, lines("latin-1").replace(b"2021", b" x1 ", 1))
    assert table.data.column("YEAR").to_pylist() == [2020, 2020, None, 2021, 2022]
    assert "YEAR: values that are no numbers, taken as missing: 1 ('x1')" in told(table)


def test_a_written_point_counts(tmp_path: Path) -> None:
    table = pair(tmp_path, lines("latin-1").replace(b"0000012345", b"   1234.5 ", 1))
    assert table.data.column("PERWT").to_pylist()[:2] == [1234.5, 98.7]


def test_damage_is_one_line(tmp_path: Path) -> None:
    whole = gzip.compress(lines("latin-1"))
    with pytest.raises(FormatError, match="the gzip file is damaged"):
        pair(tmp_path, whole[:-9], name="census.dat.gz")
    with pytest.raises(FormatError, match="there is no line in it"):
        pair(tmp_path, b"\n\n")


ENTRIES = (
    Entry(Variable("a"), Kind.NUMERIC, 1, 6),
    Entry(Variable("b"), Kind.NUMERIC, 7, 9, implied=3),
    Entry(Variable("c", kind=Kind.CHARACTER), Kind.CHARACTER, 1, 5, record=2),
)


@given(
    st.lists(
        st.tuples(
            st.none() | st.integers(-99_999, 999_999),
            st.none() | st.integers(-99_999_999, 999_999_999),
            st.none() | st.text("abcdefgh", min_size=1, max_size=5),
        ),
        min_size=1,
    ),
    st.integers(1, 7),
    st.sampled_from(["0", ""]),
)
def test_what_was_printed_comes_out(cases: list[Any], rows: int, fill: str) -> None:
    """Also of cases of two lines, and whatever the size of a block."""
    text = "".join(
        ("" if a is None else f"{a:{fill}6}").rjust(6)
        + ("" if b is None else f"{b:{fill}9}").rjust(9)
        + f"\n{c or '':5}\n"
        for a, b, c in cases
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.dat")
        path.write_text(text)
        options = ReadOptions(block_rows=rows)
        table = read_all(open_fixed(path, options, Dictionary(path, ENTRIES)))
    assert table.data.to_pydict() == {
        "a": [a for a, _, _ in cases],
        "b": [None if b is None else float(f"{b}e-3") for _, b, _ in cases],
        "c": [c for _, _, c in cases],
    }


def test_half_a_case_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "t.dat"
    path.write_text("     1        1\n")
    with pytest.raises(FormatError, match="1 lines are no whole number of cases of 2 lines"):
        open_fixed(path, ReadOptions(), Dictionary(path, ENTRIES))
