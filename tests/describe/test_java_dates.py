"""Text dates are parsed and printed as java.text.SimpleDateFormat would."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe.java_dates import unf_date, unf_dates
from tabkit.describe.unf import column_unf

if TYPE_CHECKING:
    from pathlib import Path

PATTERNS = (
    "yyyy",
    "yyyy-MM-dd",
    "yyyy-MM-dd HH:mm:ss",
    "yyyy-MM-dd HH:mm:ss.S",
    "yyyy-MM-dd HH:mm:ss.SSS",
    "yyyy-MM-dd HH:mm:ss z",
    "HH:mm:ss",
    "HH:mm:ss.S",
)


def test_vectors_of_the_reference(oracle: Path) -> None:
    """Those in patterns that Dataverse's tables have."""
    lines = (oracle / "unf" / "vectors.jsonl").read_text(encoding="utf-8").splitlines()
    tried = 0
    for vector in map(json.loads, lines):
        if vector["kind"] != "date" or vector["unf"].startswith("!"):
            continue
        patterns = vector["params"]["formats"]
        if any(letter in "".join(patterns) for letter in "ETah") or "MMM" in patterns[0]:
            continue
        pairs = zip(vector["values"], patterns * len(vector["values"]), strict=False)
        assert column_unf([unf_date(*pair) for pair in pairs]) == vector["unf"], vector["id"]
        tried += 1
    assert tried > 15


@pytest.mark.parametrize(
    ("text", "pattern", "wanted"),
    [
        ("2014-02-30", "yyyy-MM-dd", "2014-03-02"),
        ("14-01-13", "yyyy-MM-dd", "0014-01-13"),
        ("1582-10-10", "yyyy-MM-dd", "1582-10-20"),
        ("1500-02-29", "yyyy-MM-dd", "1500-02-29"),  # a leap year in the Julian calendar
        ("1900-02-29", "yyyy-MM-dd", "1900-03-01"),
        ("0000-12-31", "yyyy-MM-dd", "0001-12-31"),  # 1 BC; the era is not printed
        ("12345-06-07", "yyyy-MM-dd", "12345-06-07"),
        ("2012-01-05T10:00", "yyyy-MM-dd", "2012-01-05"),
        ("2012/01/05", "yyyy-MM-dd", "2012/01/05"),
        ("58", "yyyy-MM-dd", "58"),
        ("2", "yyyy", "0002"),
        ("2016-12-31 23:59:60", "yyyy-MM-dd HH:mm:ss", "2017-01-01T00:00:00"),
        ("2016-12-31 -1:00:00", "yyyy-MM-dd HH:mm:ss", "2016-12-30T23:00:00"),
        ("13:14:23", "HH:mm:ss", "13:14:23"),
        ("25:00:00", "HH:mm:ss", "01:00:00"),
        ("13:14:23.25", "HH:mm:ss.S", "13:14:23.025"),
        ("13:14:23", "HH:mm:ss.S", "13:14:23"),
        ("2013-04-08 13:14:24.000", "yyyy-MM-dd HH:mm:ss.SSS", "2013-04-08T13:14:24"),
        ("2013-04-08 13:14:20.000", "yyyy-MM-dd HH:mm:ss.SSS", "2013-04-08T13:14:20"),
        ("2013-04-08 13:14:24.250", "yyyy-MM-dd HH:mm:ss.SSS", "2013-04-08T13:14:24.25"),
        ("2013-04-08 13:14:24.1234", "yyyy-MM-dd HH:mm:ss.S", "2013-04-08T13:14:25.234"),
        ("2013-04-08 13:14:24", "yyyy-MM-dd HH:mm:ss.S", "2013-04-08 13:14:24"),
        ("2013-04-08 13:14:23 -0500", "yyyy-MM-dd HH:mm:ss z", "2013-04-08T18:14:23Z"),
        ("2013-04-08 13:14:23 EDT", "yyyy-MM-dd HH:mm:ss z", "2013-04-08T17:14:23Z"),
        ("2013-04-08 13:14:23 gmt+2:00", "yyyy-MM-dd HH:mm:ss z", "2013-04-08T11:14:23Z"),
        ("2013-04-08 13:14:23 +2500", "yyyy-MM-dd HH:mm:ss z", "2013-04-08 13:14:23 +2500"),
        ("junk", "yyyy-MM-dd HH:mm:ss", "junk"),
    ],
)
def test_examples(text: str, pattern: str, wanted: str) -> None:
    """Checked with the JDK, most of them; unreadable text stays as it is."""
    assert unf_date(text, pattern) == wanted
    array = pa.array([None, text], pa.large_string())
    assert unf_dates(array, pattern).to_pylist() == [None, wanted]


numbers = st.integers(0, 70).map(str) | st.integers(0, 99).map("{:02}".format)
years = st.integers(0, 12_000).map("{:04}".format) | st.just("1582")


@st.composite
def printed(draw: st.DrawFn) -> str:
    """Text that looks like a date and time, more or less."""
    date = f"{draw(years)}-{draw(numbers)}-{draw(numbers)}"
    time = f"{draw(numbers)}:{draw(numbers)}:{draw(numbers)}"
    fraction = draw(st.sampled_from(["", ".", ".5", ".25", ".250", ".000", " UTC", " +0130"]))
    return draw(st.sampled_from([date, time, f"{date} {time}", date[:4]])) + fraction


@given(st.lists(st.none() | printed() | st.text(max_size=5)), st.sampled_from(PATTERNS))
def test_whole_columns(values: list[str | None], pattern: str) -> None:
    """A column at once is each cell by itself."""
    wanted = [None if value is None else unf_date(value, pattern) for value in values]
    assert unf_dates(pa.array(values, pa.large_string()), pattern).to_pylist() == wanted


def test_unknown_pattern() -> None:
    with pytest.raises(ValueError, match="'ddMMMyyyy' is not supported"):
        unf_date("13JAN2014", "ddMMMyyyy")
