"""Types of text columns: ours do not depend on the order of rows, Dataverse's do."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read.delimited_columns import columns_of
from tabkit.read.delimited_java import JavaTypeObserver
from tabkit.read.delimited_types import ColumnType, Form, TypeObserver, valid_dates

CELLS = (
    "", "", "1", "-3", "007", "+5", " 7", "4.5", ".5", "5.", "1e5", "NaN", "inf", "-Inf", "NA",
    "null", "NULL", "Infinity", "abc", "2012-02-29", "2013-02-29", "2012-01-01 10:11:12", "2012",
    "2012-01-01T10:11:12.5", "1d", "0x1p3", "+", "-", ".", "e", "12345678901234567890", "1e999",
    "é", "2012-01-01abc", "2013-14-08 25:61:99", "2013-04-08 13:14:23 EST", "--1", "1-2",
    "2012-01-01 24:00:00", "\u0661", "9007199254740993", "0.1234567890123456789",
    "100000000000000000000",
)  # fmt: skip
columns = st.lists(st.sampled_from(CELLS), max_size=6)


def observe(
    observer: TypeObserver | JavaTypeObserver, rows: list[list[str]], width: int
) -> pa.StringArray:
    """Show rows of cells to an observer."""
    flat = [cell for row in rows for cell in row]
    ends = np.cumsum([len(cell.encode()) for cell in flat], dtype=np.int64)
    text = np.frombuffer("".join(flat).encode(), np.uint8)
    cells = pa.array(flat, pa.string())
    observer.observe(cells, text, ends, width)
    return cells


def type_of(column: list[str]) -> ColumnType:
    """Infer the type of one column."""
    observer = TypeObserver()
    observer.widen(1)
    if column:
        observe(observer, [[cell] for cell in column], 1)
    return observer.types()[0]


def values_of(column: list[str]) -> list[object]:
    """Infer the type of a column and convert it."""
    found = type_of(column)
    values: list[object] = columns_of(pa.array(column, pa.string()), 1, [found])[0].to_pylist()
    return values


@pytest.mark.parametrize(
    ("column", "values"),
    [
        (["1", "-3", "+5", " 7 ", "007"], [1, -3, 5, 7, 7]),
        (["1", "", "NA", "null", "NULL"], [1, None, None, None, None]),
        (["9223372036854775807", "-9223372036854775808"], [2**63 - 1, -(2**63)]),
        (["100000000000000000000", "1"], [1e20, 1.0]),
        (["12345678901234567890", "1"], ["12345678901234567890", "1"]),
        (["1" + "0" * 20, "9007199254740993"], ["1" + "0" * 20, "9007199254740993"]),
        ([".5", "5.", "1e5", "-2.5E-3", "+.5"], [0.5, 5.0, 1e5, -0.0025, 0.5]),
        (["Inf", "+inf", "-INF", "Infinity"], [np.inf, np.inf, -np.inf, np.inf]),
        (["", ""], [None, None]),
        (["TRUE", "FALSE", ""], ["TRUE", "FALSE", ""]),
        (["2012-02-29", ""], [datetime.date(2012, 2, 29), None]),
        (["2012-02-29", "NA"], ["2012-02-29", "NA"]),
        (["2013-02-29"], ["2013-02-29"]),
        (["1900-02-29"], ["1900-02-29"]),
        (["0000-01-01"], ["0000-01-01"]),
        (["2012-1-1"], ["2012-1-1"]),
        (["2012-01-01", "2012"], ["2012-01-01", "2012"]),
        (["2012-01-01", "2012-01-01 10:11:12"], ["2012-01-01", "2012-01-01 10:11:12"]),
        (["2012-01-01 24:00:00"], ["2012-01-01 24:00:00"]),
        (["2012-01-01 10:11:12.1234567"], ["2012-01-01 10:11:12.1234567"]),
        (["2012-01-01 10:11:12Z"], ["2012-01-01 10:11:12Z"]),
        (
            ["2012-01-01 10:11:12.5", "2012-01-01T23:59:59", ""],
            [
                datetime.datetime(2012, 1, 1, 10, 11, 12, 500000),
                datetime.datetime(2012, 1, 1, 23, 59, 59),
                None,
            ],
        ),
        (["1e999", "1"], ["1e999", "1"]),
        (["1e-999", "1"], ["1e-999", "1"]),
        (["0e-999", "1"], [0.0, 1.0]),
        (["9" * 500, "1"], ["9" * 500, "1"]),
        (["0x10", "1"], ["0x10", "1"]),
        (["1d", "2f"], ["1d", "2f"]),
        (["1,5", "2"], ["1,5", "2"]),
        ([" ", "1"], [" ", "1"]),
        (["\u0661", "1"], ["\u0661", "1"]),
    ],
)  # fmt: skip
def test_values(column: list[str], values: list[object]) -> None:
    """What cells become; nothing that a type would not hold is forced into it."""
    assert values_of(column) == values


def test_nan_is_a_number() -> None:
    """NaN makes a column of doubles and is not missing."""
    values = values_of(["NaN", "nan", "", "1"])
    assert np.isnan(values[0]) and np.isnan(values[1])  # noqa: PT018
    assert values[2:] == [None, 1.0]


@pytest.mark.parametrize(
    ("column", "note"),
    [
        (["007", "7", "00"], "leading zeros, which are not kept in the table: 2"),
        (["NA", "1", "null"], "cells NA or null, taken as missing: 2"),
        (["9007199254740993", "0.5"], "more digits than a double keeps: 1"),
        (["0.1234567890123456789", "0.5"], "more digits than a double keeps: 1"),
        (["12345678901234567890"], "beyond 64 bits, kept as text"),
    ],
)
def test_what_a_type_cannot_keep_is_told(column: list[str], note: str) -> None:
    """Each loss has its finding."""
    assert any(note in text for text, _ in type_of(column).notes)


@pytest.mark.parametrize("column", [["9007199254740993", "1"], ["0.12345678901234567", "1.50"]])
def test_what_is_kept_needs_no_note(column: list[str]) -> None:
    """64-bit integers are exact, and 17 digits make a double."""
    assert type_of(column).notes == ()


@given(columns, st.randoms(use_true_random=False))
def test_order_does_not_matter(column: list[str], random: object) -> None:
    """A column's type is a property of the set of its cells."""
    shuffled = list(column)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert type_of(shuffled) == type_of(column)


@given(st.lists(st.tuples(*[st.sampled_from(CELLS)] * 3), max_size=6), st.integers(0, 6))
def test_columns_and_blocks_do_not_matter(rows: list[tuple[str, ...]], cut: int) -> None:
    """Columns are inferred alone, and blocks add up."""
    whole, parts = TypeObserver(), TypeObserver()
    for observer in (whole, parts):
        observer.widen(3)
    observe(whole, [list(row) for row in rows], 3)
    for part in (rows[:cut], rows[cut:]):
        observe(parts, [list(row) for row in part], 3)
    alone = [type_of(list(column)) for column in zip(*rows, strict=True)] if rows else whole.types()
    assert whole.types() == parts.types() == alone


@given(columns)
def test_every_type_converts(column: list[str]) -> None:
    """What was inferred can be converted; text keeps its cells."""
    for kind in ("ours", "java"):
        observer = TypeObserver() if kind == "ours" else JavaTypeObserver.of_width(1)
        cells = observe(observer, [[cell] for cell in column], 1)
        for found in observer.types():
            array = columns_of(cells, 1, [found])[0]
            array.validate(full=True)
            if found.form is Form.TEXT:
                assert array.to_pylist() == column


# What CSVFileReader does cell by cell, in its words. Source: IQSS/dataverse b485249231fe.
_JAVA_DOUBLE = re.compile(
    r"[\x00-\x20]*[+-]?(NaN|Infinity|((\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
    r"|0[xX](\w+\.?|\w*\.\w+)[pP][+-]?\d+)[fFdD]?)[\x00-\x20]*",
    re.ASCII,
)
_JAVA_WORDS = {"nan", "na", "inf", "+inf", "-inf", "null"}
_TIMES = (re.compile(r"\d+-\d+-\d+ \d+:\d+:\d+ EST"), re.compile(r"\d+-\d+-\d+ \d+:\d+:\d+"))


def dataverse_type(column: list[str]) -> tuple[str, str]:
    """Infer one column as Dataverse does; return what it says of it."""
    numeric = integer = time = date = True
    pattern = None
    for cell in column:
        integer &= cell in {"", "null"} or bool(re.fullmatch(r"[+-]?\d+", cell, re.ASCII))
        if not cell:
            continue
        if numeric and (cell.lower() in _JAVA_WORDS or _JAVA_DOUBLE.fullmatch(cell)):
            continue
        numeric = False
        if time:
            tried = _TIMES if pattern is None else (pattern,)
            pattern = next((each for each in tried if each.fullmatch(cell)), None)
            time, date = pattern is not None, date and pattern is None
        if date:
            date = re.match(r"(2012|2013)-\d\d-\d\d", cell) is not None and cell[:10] not in {
                "2013-02-29",
                "2013-14-08",
            }
    if numeric:
        return "numeric", "discrete" if integer else "contin"
    if date:
        return "character", "yyyy-MM-dd"
    if time and pattern:
        return "character", "yyyy-MM-dd HH:mm:ss" + (" z" if pattern is _TIMES[0] else "")
    return "character", ""


@given(columns, st.integers(0, 6))
def test_as_dataverse(column: list[str], cut: int) -> None:
    """The vectorised inference gives what the cell by cell one does."""
    observer = JavaTypeObserver.of_width(1)
    for part in (column[:cut], column[cut:]):
        observe(observer, [[cell] for cell in part], 1)
    found = observer.types()[0]
    forms = {
        Form.PRINTED_INTEGER: ("numeric", "discrete"),
        Form.PRINTED_REAL: ("numeric", "contin"),
        Form.PRINTED_DATE: ("character", found.pattern),
        Form.TEXT: ("character", ""),
    }
    assert forms[found.form] == dataverse_type(column)


@pytest.mark.parametrize(
    ("column", "pattern"),
    [
        (["2012", "2012-01-01"], "yyyy-MM-dd"),
        (["2012-01-01", "2012-01-01 10:11:12"], "yyyy-MM-dd"),
        (["2012-01-01 10:11:12", "2012-01-01"], ""),
        (["2013-14-08 25:61:99"], "yyyy-MM-dd HH:mm:ss"),
        (["2013-04-08 13:14:23 -0500", "2013-04-08 13:14:23 UTC"], "yyyy-MM-dd HH:mm:ss z"),
        (["2013-04-08 13:14:23 GMT+02:00"], "yyyy-MM-dd HH:mm:ss z"),
        (["2013-04-08 13:14:23 Z"], "yyyy-MM-dd"),
        (["2013-04-08 13:14:23 Europe/Berlin"], "yyyy-MM-dd"),
        (["2012-1-1", "12-01-01"], "yyyy-MM-dd"),
        (["2012-13-01"], ""),
        (["1582-10-10"], ""),
        (["1500-02-29"], "yyyy-MM-dd"),
        (["1900-02-29"], ""),
        (["2000-02-29"], "yyyy-MM-dd"),
    ],
)
def test_dates_of_dataverse(column: list[str], pattern: str) -> None:
    """Java's SimpleDateFormat: lenient for times, strict but forgetful for dates."""
    observer = JavaTypeObserver.of_width(1)
    observe(observer, [[cell] for cell in column], 1)
    assert observer.types()[0].pattern == pattern


def test_numbers_as_dataverse_prints_them() -> None:
    """Words become Dataverse's; all other numbers keep their digits."""
    column = ["007", "+5", " 2", "1d", "NA", "", "nan", "INF", "+Inf", "-inf", "null"]
    cells = pa.array(column)
    printed = ["007", "+5", " 2", "1d", None, None, "NaN", "Inf", "Inf", "-Inf"]
    for form, null in ((Form.PRINTED_REAL, "0.0"), (Form.PRINTED_INTEGER, "0")):
        found = ColumnType(form, odd=True)
        assert columns_of(cells, 1, [found])[0].to_pylist() == [*printed, null]


@given(st.integers(-5, 10050), st.integers(0, 14), st.integers(0, 33))
def test_valid_dates(year: int, month: int, day: int) -> None:
    """The vectorised calendar is Python's."""
    text = f"{year:04d}-{month:02d}-{day:02d}"[:10].ljust(10)
    try:
        expected = bool(datetime.date.fromisoformat(text))
    except ValueError:
        expected = False
    got = valid_dates(np.frombuffer(text.encode(), np.uint8), np.zeros(1, np.int64))
    assert got.tolist() == [expected]
