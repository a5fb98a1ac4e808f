"""Dates and times look as Python prints them in ISO 8601, less the zeros at the end."""

from __future__ import annotations

import datetime

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe.moments import moment_text, normalize_moments
from tabkit.describe.unf import normalized

spans = st.timedeltas(datetime.timedelta(days=-900), datetime.timedelta(days=900))


def trimmed(text: str) -> str:
    return text.rstrip("0").rstrip(".") if "." in text else text


def texts(array: pa.Array) -> list[str]:
    return [piece[:-2].decode() for piece in normalized(array)]


@given(st.lists(st.dates()))
def test_dates(values: list[datetime.date]) -> None:
    assert texts(pa.array(values, pa.date32())) == [value.isoformat() for value in values]


@given(st.lists(st.datetimes()))
def test_date_times(values: list[datetime.datetime]) -> None:
    wanted = [trimmed(value.isoformat(timespec="microseconds")) for value in values]
    assert texts(pa.array(values, pa.timestamp("us"))) == wanted


@given(st.lists(spans))
def test_durations(values: list[datetime.timedelta]) -> None:
    wanted = []
    for value in values:
        size = abs(value)
        hours, rest = divmod(size, datetime.timedelta(hours=1))
        minutes, rest = divmod(rest, datetime.timedelta(minutes=1))
        text = f"{hours:02}:{minutes:02}:{rest.seconds:02}.{rest.microseconds:06}"
        wanted.append(("-" if value < datetime.timedelta() else "") + trimmed(text))
    assert texts(pa.array(values, pa.duration("us"))) == wanted


@given(st.sampled_from(["s", "ms", "us", "ns"]), st.lists(st.integers(-(2**63), 2**63 - 1)))
def test_any_count_of_any_unit(unit: str, values: list[int]) -> None:
    """Years of any size, hours of any number: as the exact path has it, value by value."""
    for kind in (pa.timestamp(unit), pa.duration(unit), pa.timestamp(unit, "UTC")):
        array = pa.array(values, pa.int64()).view(kind)
        assert texts(array) == [moment_text(value, kind) for value in values]


@pytest.mark.parametrize(
    ("days", "text"),
    [
        (0, "1970-01-01"),
        (-719_162, "0001-01-01"),
        (-719_163, "0000-12-31"),
        (-719_529, "-0001-12-31"),
        (2_932_897, "10000-01-01"),
    ],
)
def test_years_out_of_the_ordinary(days: int, text: str) -> None:
    assert moment_text(days, pa.date32()) == text
    array = pa.array([None, days, 0], pa.int32()).cast(pa.date32())
    assert normalize_moments(array) == f"\0\0\0{text}\n\0001970-01-01\n\0".encode()


def test_shown_in_a_table() -> None:
    assert moment_text(90_000_500, pa.timestamp("ms"), " ") == "1970-01-02 01:00:00.5"
