"""Dates and times of Stata: by its own help, and as Dataverse writes them."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.model import Category, Kind
from tabkit.profiles import DATAVERSE
from tabkit.read import stata_dataverse
from tabkit.read.stata_temporal import decode_dates, unit_of
from tests.read.stata_files import Column, File, cells, opened

if TYPE_CHECKING:
    from pathlib import Path

DAY = datetime.date
EPOCH = DAY(1960, 1, 1)


@pytest.mark.parametrize(
    ("display_format", "unit"),
    [
        ("%td", "d"), ("%tdD_m_Y", "d"), ("%-tdCCYY.NN.DD", "d"), ("%d", "d"), ("%-dD_m_Y", "d"),
        ("%tc", "c"), ("%tcHH:MM", "c"), ("%tw", "w"), ("%tm", "m"), ("%tq", "q"), ("%th", "h"),
        ("%ty", "y"), ("%tC", ""), ("%tbsp500", ""), ("%tg", ""), ("%9.0g", ""), ("%12s", ""),
        ("", ""), ("%", ""), ("%t", ""),
    ],
)  # fmt: skip
def test_display_formats_tell_what_is_counted(display_format: str, unit: str) -> None:
    assert unit_of(display_format) == unit


@pytest.mark.parametrize(
    ("unit", "number", "expected"),
    [
        ("d", 0, EPOCH),
        ("d", -1, DAY(1959, 12, 31)),
        ("d", 20000, DAY(2014, 10, 4)),
        ("w", 0, EPOCH),
        ("w", 51, DAY(1960, 12, 23)),
        ("w", 52, DAY(1961, 1, 1)),
        ("w", -1, DAY(1959, 12, 24)),
        ("m", -1, DAY(1959, 12, 1)),
        ("m", 617, DAY(2011, 6, 1)),
        ("q", 3, DAY(1960, 10, 1)),
        ("q", -1, DAY(1959, 10, 1)),
        ("h", 1, DAY(1960, 7, 1)),
        ("h", -1, DAY(1959, 7, 1)),
        ("y", 1960, "1960"),
        ("y", 2, "0002"),
        ("c", 0, datetime.datetime(1960, 1, 1)),
        ("c", -0.4, datetime.datetime(1960, 1, 1)),
        ("c", 1.5e12, datetime.datetime(2007, 7, 14, 2, 40)),
    ],
)
def test_dates_by_hand(unit: str, number: float, expected: object) -> None:
    """Stata, help datetime: all count from the beginning of 1960, years from 0."""
    assert decode_dates(np.array([number]), None, unit).column.to_pylist() == [expected]


@given(st.dates(DAY(1, 1, 1), DAY(9999, 12, 31)))
def test_every_day_there_is(day: datetime.date) -> None:
    count = np.array([(day - EPOCH).days], np.int32)
    assert decode_dates(count, None, "d").column.to_pylist() == [day]


@given(st.sampled_from("cdwmqhy"), st.lists(st.floats() | st.integers(-(2**31), 2**31)))
def test_what_is_no_date_becomes_missing_and_is_counted(unit: str, numbers: list[float]) -> None:
    found = decode_dates(np.array(numbers, np.float64), None, unit)
    assert found.column.null_count == found.outside
    assert len(found.column) == len(numbers)


def test_dates_in_a_file(tmp_path: Path) -> None:
    """A fraction of a day, a day beyond the calendar and a missing one are told apart."""
    columns = [
        Column(b"d", "double", [0, 1.75, 1e9, 2.0**1023 * (1 + 1 / 4096)], b"%td", b"set"),
        Column(b"c", "double", [0, 1, 2, 3], b"%tcHH:MM"),
        Column(b"y", "int", [1999, 0, 32741, -5], b"%ty", b"set"),
    ]
    labels = [(b"set", [(1, b"one"), (2147483623, b"lost")])]
    table = opened(tmp_path, File(118, columns, labels=labels).to_bytes())
    assert table.data.schema.types == [pa.date32(), pa.timestamp("ms"), pa.string()]
    assert cells(table, "d") == [EPOCH, DAY(1960, 1, 2), None, None]
    assert cells(table, "y") == ["1999", "0000", None, None]
    assert table.missing_tags["d"].to_pylist() == [0, 0, 0, 1]
    assert [v.kind for v in table.variables] == [Kind.CHARACTER] * 3
    assert [v.format_category for v in table.variables] == ["date", "time", "date"]
    lost = Category(".b", "lost", missing=True)
    assert table.variables[0].categories == (Category("1960-01-02", "one"), lost)
    assert table.variables[2].categories == (Category("0001", "one"), lost)
    assert {(each.variable, each.text[:9]) for each in table.findings} == {
        ("d", "1 dates a"),
        ("y", "1 dates a"),
    }


# ------------------------------------------------------------------------- profile dataverse


@pytest.mark.parametrize(
    ("display_format", "number", "text"),
    [
        ("%td", -141_428 + 3653, "1582-10-04"),
        ("%td", -141_427 + 3653, "1582-10-15"),
        ("%d", 2_932_897 + 3653, "10000-01-01"),
        ("%td", -719_164 + 3653, "0001-01-01"),
        ("%td", (DAY(1000, 1, 6) - EPOCH).days, "1000-01-01"),
        ("%tcCCYY", (DAY(1500, 3, 11) - EPOCH).days * 86_400_000.0, "1500-03-01 00:00:00.000"),
        ("%td", -719_165 + 3653, "0001-12-31"),
        ("%tc", 0.5, "1960-01-01 00:00:00.001"),
        ("%tw", -601, "1948-06-10"),
        ("%tm", -1, "1959-12-01"),
        ("%tm", -23160, "30-01-01"),
        ("%tq", -1, "1959-11-01"),
        ("%tq", 2, "1960-07-01"),
        ("%th", -1, "1959-07-01"),
        ("%ty", 2010.5, "2010.5"),
        ("%tbx", 1e20, "100000000000000000000"),
    ],
)
def test_dataverse_text(display_format: str, number: float, text: str) -> None:
    """IQSS/dataverse, decodeDateTimeData: the calendar is Java's, the fourth quarter is not."""
    found = stata_dataverse.date_column(np.array([number]), None, display_format)
    assert found.to_pylist() == [text]


@given(st.lists(st.integers(-(2**31), 2**31 - 1), min_size=1), st.sampled_from("cdwmqhy"))
def test_dataverse_text_is_the_same_one_by_one(numbers: list[int], unit: str) -> None:
    """Dates that Arrow spells and those spelt here stand in their own cases."""
    missing = np.array([number % 3 == 0 for number in numbers])
    whole = stata_dataverse.date_column(np.array(numbers, np.int32), missing, f"%t{unit}")
    single = [
        None
        if gone
        else stata_dataverse.date_column(np.array([n], np.int32), None, f"%t{unit}")[0].as_py()
        for n, gone in zip(numbers, missing.tolist(), strict=True)
    ]
    assert whole.to_pylist() == single


@given(st.integers(-1_000_000, 2_000_000))
def test_dataverse_calendar_follows_day_by_day(day: int) -> None:
    """Each day is another text than the day before, and the months have the days they have."""
    texts = stata_dataverse.date_column(np.array([day, day + 1]), None, "%td").to_pylist()
    first, second = ([int(part) for part in text.split("-")] for text in texts)
    assert second[2] == first[2] + 1 or second[2] == 1 or texts[1] == "1582-10-15"


def test_dates_of_profile_dataverse(tmp_path: Path) -> None:
    """Formats it does not know stay numbers; a byte is not decoded; a pattern goes with a date."""
    columns = [
        Column(b"a", "int", [3, 32741], b"%tq"),
        Column(b"b", "byte", [3, 101], b"%tq"),
        Column(b"c", "int", [3, 4], b"%-td"),
        Column(b"d", "double", [1, 2], b"%tC"),
        Column(b"e", "float", [1.5, 2], b"%tbx"),
        Column(b"f", "double", [0, 2.0**1023], b"%tcHH"),
    ]
    table = opened(tmp_path, File(118, columns).to_bytes(), profile=DATAVERSE)
    assert [cells(table, name) for name in table.data.column_names] == [
        ["1960-11-01", None],
        ["3", None],
        [3, 4],
        [1.0, 2.0],
        ["1.5", "2"],
        ["1960-01-01 00:00:00.000", None],
    ]
    found = [
        (v.kind.name[:3], v.format_category, v.display_format, v.bare) for v in table.variables
    ]
    assert found == [
        ("CHA", "date", "yyyy-MM-dd", True),
        ("CHA", "date", "", True),
        ("NUM", "", "", False),
        ("NUM", "", "", False),
        ("CHA", "date", "", True),
        ("CHA", "time", "yyyy-MM-dd HH:mm:ss.SSS", True),
    ]
