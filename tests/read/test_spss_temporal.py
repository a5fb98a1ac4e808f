"""SPSS dates and times: the numbers of the format's documents and of calendars."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.profiles import DATAVERSE, TABKIT
from tabkit.read.spss_temporal import (
    DATE_CODES,
    DATETIME_CODES,
    DURATION_CODES,
    FORMAT_NAMES,
    TemporalFaults,
    column_type,
    decimal_text,
    format_category,
    format_name,
    java_pattern,
    temporal_column,
    temporal_faults,
    temporal_seconds,
    temporal_text,
)

DATE, TIME, DATETIME, DTIME, WKDAY, MONTH, MTIME, YMDHMS = 20, 21, 22, 25, 26, 27, 40, 41
ORIGIN = datetime.datetime(1582, 10, 14)
NAN = float("nan")


def seconds(*values: float) -> np.ndarray:
    return np.array(values, np.float64)


def spss(moment: datetime.datetime) -> float:
    return (moment - ORIGIN).total_seconds()


@given(st.datetimes(datetime.datetime(1583, 1, 1), datetime.datetime(9999, 12, 31)))
def test_every_day_and_second_is_that_of_the_calendar(moment: datetime.datetime) -> None:
    """Proleptic Gregorian, to the second, in columns and in texts."""
    moment = moment.replace(microsecond=0)
    value = seconds(spss(moment))
    assert temporal_column(value, DATETIME, 0, TABKIT).to_pylist() == [moment]
    assert temporal_column(value, DATE, 0, TABKIT).to_pylist() == [moment.date()]
    texts = temporal_column(value, DATETIME, 0, DATAVERSE).to_pylist()
    assert texts == [moment.isoformat(sep=" ")]
    assert temporal_column(value, DATE, 0, DATAVERSE).to_pylist() == [moment.date().isoformat()]
    assert temporal_text(float(value[0]), DATETIME) == moment.isoformat(sep=" ")


@pytest.mark.parametrize("code", sorted(DATE_CODES | DATETIME_CODES | DURATION_CODES))
@given(value=st.integers(-40_000_000_000, 200_000_000_000), quarter=st.integers(0, 3))
def test_shown_text_reads_back(code: int, value: int, quarter: int) -> None:
    """`temporal_seconds` is the inverse of `temporal_text`."""
    number = float(value - value % 86_400) if code in DATE_CODES else value + quarter / 4
    text = temporal_text(number, code)
    assert text is not None
    assert temporal_seconds(text) == number


@pytest.mark.parametrize("text", ["", "12", "x", "2001-01", "2001-01-01T10:00:00", "1:2:3"])
def test_other_texts_are_no_dates(text: str) -> None:
    assert temporal_seconds(text) is None


def test_types_by_format() -> None:
    """Dates are days, date-times microseconds, times durations; other formats stay numbers."""
    assert {column_type(code, TABKIT) for code in DATE_CODES} == {pa.date32()}
    assert {column_type(code, TABKIT) for code in DATETIME_CODES} == {pa.timestamp("us")}
    assert {column_type(code, TABKIT) for code in DURATION_CODES} == {pa.duration("us")}
    assert column_type(WKDAY, TABKIT) == column_type(5, TABKIT) == pa.float64()
    assert column_type(WKDAY, DATAVERSE) == column_type(DTIME, DATAVERSE) == pa.string()
    assert column_type(5, DATAVERSE) == pa.float64()


def test_what_a_type_cannot_hold_is_counted() -> None:
    """Out of range becomes null; a date's time of day and finer fractions are told."""
    values = seconds(NAN, 86_400.0, 86_401.0, 1e20, float("inf"), -1e15)
    days = temporal_column(values, DATE, 0, TABKIT)
    assert days.to_pylist() == [None, *[datetime.date(1582, 10, 15)] * 2, None, None, None]
    assert temporal_faults(values, DATE, TABKIT) == TemporalFaults(out_of_range=3, time_of_day=1)
    times = seconds(1e-7, 0.25, 1e13, -1.5)
    assert temporal_column(times, TIME, 0, TABKIT).cast(pa.int64()).to_pylist() == [
        0, 250_000, None, -1_500_000,
    ]  # fmt: skip
    faults = temporal_faults(times, TIME, TABKIT)
    assert faults == TemporalFaults(out_of_range=1, finer=1)
    assert [each.variable for each in (faults + faults).findings("t")] == ["t", "t"]
    assert "(cases: 2)" in faults.__add__(faults).findings("t")[0].text


def test_fractions_stay_exact_to_the_microsecond() -> None:
    """13 billion seconds and a third: the double's own microseconds, not those of a product."""
    value = 13_000_000_000.333334
    (moment,) = temporal_column(seconds(value), DATETIME, 0, TABKIT).to_pylist()
    assert moment == ORIGIN + datetime.timedelta(seconds=13_000_000_000, microseconds=333_334)
    assert temporal_faults(seconds(value), DATETIME, TABKIT) == TemporalFaults()


@pytest.mark.parametrize(
    ("code", "value", "decimals", "text"),
    [
        (DATE, 86_400.0, 0, "1582-10-15"),
        (DATE, 0.0, 0, "1582-10-04"),  # Java: Julian before 1582-10-15
        (DATE, -86_400.0 * 366, 0, "1581-10-03"),
        (DATETIME, 12_219_379_200.25, 2, "1970-01-01 00:00:00.25"),
        (DATETIME, 12_219_379_200.25, 1, "1970-01-01 00:00:00.2"),
        (DATETIME, 12_219_379_200.25, 0, "1970-01-01 00:00:00"),
        (DATETIME, 12_219_379_200.0, 2, "1970-01-01 00:00:00"),
        (TIME, 90_000.5, 2, "01:00:00.50"),  # days are lost, digits are filled up
        (TIME, -1.0, 0, "23:59:59"),
        (DTIME, 273_906.75, 2, "003 04:05:06.75"),
        (DTIME, 0.0, 0, "365 00:00:00"),
        (MTIME, 61.0, 0, "00:01:01"),
        (YMDHMS, 12_219_379_261.0, 0, "1970-01-01 00:01:01"),
        (WKDAY, 1.0, 0, "Sun"),
        (WKDAY, 8.0, 0, "8"),
        (MONTH, 12.0, 0, "Dec"),
        (MONTH, 1.5, 0, "1.5"),
    ],
)
def test_texts_of_dataverse(code: int, value: float, decimals: int, text: str) -> None:
    """Source: IQSS/dataverse, SAVFileReader.decodeRecordTypeDataCompressed."""
    column = temporal_column(seconds(value, NAN), code, decimals, DATAVERSE)
    assert column.to_pylist() == [text, None]


def test_julian_calendar_runs_into_the_gregorian() -> None:
    """java.util.GregorianCalendar: 1582-10-04 is followed by 1582-10-15; leap years before."""
    days = temporal_column(seconds(*(86_400.0 * day for day in range(-1, 3))), DATE, 0, DATAVERSE)
    assert days.to_pylist() == ["1582-10-03", "1582-10-04", "1582-10-15", "1582-10-16"]
    leap = temporal_column(seconds(86_400.0 * -30_168), DATE, 0, DATAVERSE)
    assert leap.to_pylist() == ["1500-02-29"]


def test_names_and_categories_of_formats() -> None:
    """Every format has a name; dates, times and currencies have a category and a pattern."""
    assert format_name(5, 8, 2) == "F8.2"
    assert format_name(5, 8, 0) == "F8.0"
    assert format_name(1, 20, 0) == "A20"
    assert format_name(22, 23, 2) == "DATETIME23.2"
    assert format_name(20, 11, 0) == "DATE11"
    assert format_name(99, 8, 2) == ""
    assert format_category(39) == "date"
    assert format_category(41) == "time"
    assert format_category(4) == "currency"
    assert format_category(26) == ""
    assert len(FORMAT_NAMES) == 37
    assert java_pattern(20) == "yyyy-MM-dd"
    assert java_pattern(25) == java_pattern(5) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (-0.0, "-0"), (1e20, "1" + "0" * 20), (1e-7, "0.0000001"), (0.1, "0.1"),
     (1 / 3, "0.3333333333333333"), (NAN, "NaN"), (float("inf"), "∞")],
)  # fmt: skip
def test_numbers_print_without_an_exponent(value: float, text: str) -> None:
    assert decimal_text(value) == text
