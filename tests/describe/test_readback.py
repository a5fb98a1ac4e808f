"""Cells are read as Dataverse reads its own table: Java's parsers, and unescaping."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe.readback import read_doubles, read_longs, read_texts

DOUBLES = {
    "1": 1.0, "+5": 5.0, "-.5": -0.5, "5.": 5.0, "1e5": 1e5, "1E+5": 1e5, "1d": 1.0, "2F": 2.0,
    " 2 ": 2.0, "0x1p3": 8.0, "-0X.8P1": -1.0, "1e400": math.inf, "0x1p9999": math.inf,
    "inf": math.inf, "+INF": math.inf, "-Inf": -math.inf, "007": 7.0,
    "Infinity": None, "NaN": None, "1_0": None, "\u0663": None, "e5": None, "1e": None, "": None,
    "0x8": None, "1,5": None, "∞": None, "--1": None,
}  # fmt: skip
LONGS = {
    "5": 5, "+5": 5, "-5": -5, "007": 7, "-0": 0, "\u0663": 3,
    "9223372036854775807": 2**63 - 1, "-9223372036854775808": -(2**63),
    "9223372036854775808": None, "1.0": None, " 1": None, "1e5": None, "": None, "-": None,
    "0x10": None, "Inf": None,
}  # fmt: skip


def column(values: list[str | None]) -> pa.LargeStringArray:
    return pa.array(values, pa.large_string())


def test_doubles() -> None:
    """Alone and together with cells that only Java reads."""
    assert read_doubles(column(list(DOUBLES))).to_pylist() == list(DOUBLES.values())
    for text, value in DOUBLES.items():
        assert read_doubles(column([None, text])).to_pylist() == [None, value], text
    assert math.copysign(1, read_doubles(column(["-0.0"]))[0].as_py()) == -1


def test_longs() -> None:
    assert read_longs(column(list(LONGS))).to_pylist() == list(LONGS.values())
    for text, value in LONGS.items():
        assert read_longs(column([None, text])).to_pylist() == [None, value], text


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_printed_doubles_come_back(values: list[float | None]) -> None:
    array = column([None if value is None else repr(value) for value in values])
    assert read_doubles(array).to_pylist() == values


@pytest.mark.parametrize(
    ("text", "back"),
    [
        ("C:\\temp\\new", "C:\temp\new"),
        ("\\\\x", "\\x"),
        ('say \\"so\\"', 'say \\"so\\"'),  # the quote's own escape pairs with the backslash
        ('a "b"\t', 'a "b"\t'),
        ("\\casdf", "\\casdf"),
        ("\\", "\\"),
        ("\\r", "\r"),
    ],
)
def test_backslashes_that_were_not_escaped(text: str, back: str) -> None:
    assert read_texts(column([text, None, "x"]), '"\t\n').to_pylist() == [back, None, "x"]


@given(st.lists(st.text('\\"\t\n\rtnr')))
def test_escaped_backslashes_come_back(values: list[str]) -> None:
    assert read_texts(column(list(values)), '\\"\t\n\r').to_pylist() == values
