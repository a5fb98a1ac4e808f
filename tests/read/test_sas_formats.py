"""What SAS formats mean, and dates and times as SAS counts them."""

from __future__ import annotations

import datetime
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.model import Finding, Kind
from tabkit.read.sas_columns import temporal_column
from tabkit.read.sas_formats import (
    SasFormat,
    SasVariable,
    Temporal,
    column_type,
    make_variable,
    name_apart,
    parse_format,
)

EPOCH = datetime.datetime(1960, 1, 1)


@pytest.mark.parametrize(
    ("text", "parts", "shown"),
    [
        ("", ("", None, None), ""),
        ("BEST12", ("BEST", 12, None), "BEST12."),
        ("8.2", ("", 8, 2), "8.2"),
        ("datetime20.3", ("DATETIME", 20, 3), "DATETIME20.3"),
        ("E8601DA10.", ("E8601DA", 10, None), "E8601DA10."),
        ("$7", ("$", 7, None), "$7."),
        ("$GENDER.", ("$GENDER", None, None), "$GENDER."),
        ("F8.0", ("F", 8, None), "F8."),
        ("Z" * 6000 + "1" * 6000, ("Z" * 6000 + "1" * 5991, 111111111, None), None),
    ],
)
def test_parts_of_a_format(text: str, parts: tuple[object, ...], shown: str | None) -> None:
    found = parse_format(text)
    assert (found.name, found.width, found.decimals) == parts
    assert shown is None or str(found) == shown


@pytest.mark.parametrize(
    ("names", "kind"),
    [
        (
            "DATE DDMMYY DDMMYYD MMDDYYS YYMMDDN YYMMDD MONYY YYMON YYMM YYMMC MMYYS YYQ YYQR YYQRP"
            " JULIAN WORDDATE WORDDATX WEEKDATE WEEKDATX WEEKV E8601DA B8601DA IS8601DA NLDATE"
            " EURDFDD DEUDFMY",
            Temporal.DATE,
        ),
        (
            "DATETIME DATEAMPM MDYAMPM E8601DT B8601DT E8601DZ DTDATE DTMONYY NLDATM NLDATMAP"
            " EURDFDT",
            Temporal.DATETIME,
        ),
        (
            "TIME TIMEAMPM HHMM MMSS TOD E8601TM B8601TM E8601LZ IS8601TM NLTIME NLTIMAP",
            Temporal.TIME,
        ),
        (
            "YEAR QTR QTRR MONTH MONNAME DAY DOWNAME WEEKDAY JULDAY DTYEAR HOUR BEST F COMMA $"
            " $CHAR AGEDATE DATES TIMES",
            None,
        ),
    ],
)
def test_families(names: str, kind: Temporal | None) -> None:
    """Formats that show a part only are numbers, as for pyreadstat and haven."""
    for name in names.split():
        assert parse_format(f"{name}12.").temporal is kind, name


def test_user_defined_formats_are_told_from_those_of_sas() -> None:
    own = ["WORKSHOP", "$GENDER", "AGEGRP", "$A", "DATES"]
    of_sas = ["", "$", "BEST", "COMMA", "DOLLAR", "$CHAR", "DATE", "YEAR", "S370FIB", "NLMNY"]
    assert all(parse_format(name).is_user_defined for name in own)
    assert not any(parse_format(name).is_user_defined for name in of_sas)


def test_a_variable_says_what_its_source_says() -> None:
    day = make_variable(SasVariable("d", "Day", SasFormat("DATE", 9), "ANYDTDTE40.", 8, False))
    assert (day.kind, day.format_category, day.display_format) == (Kind.CHARACTER, "date", "DATE9.")
    assert (day.width, day.storage, day.label) == (9, "num8", "Day")
    assert day.attributes == (("informat", "ANYDTDTE40."),)
    cost = make_variable(SasVariable("c", "", SasFormat("DOLLAR", 8, 2), "", 4, False))
    assert (cost.kind, cost.format_category, cost.decimals) == (Kind.NUMERIC, "currency", 2)
    assert cost.storage == "num4"
    text = make_variable(SasVariable("t", "", SasFormat("DATE", 9), "", 12, True))
    assert (text.kind, text.format_category, text.width) == (Kind.CHARACTER, "", 12)
    assert column_type(SasFormat("DATE"), is_text=True) == pa.string()


@given(st.dates())
def test_a_date_is_a_number_of_days(day: datetime.date) -> None:
    days = float((day - EPOCH.date()).days)
    column, faults = temporal_column(np.array([days, math.nan]), Temporal.DATE)
    assert column.to_pylist() == [day, None]
    assert faults.findings("x") == []


@given(st.datetimes(datetime.datetime(1900, 1, 1), datetime.datetime(2100, 1, 1)))
def test_a_date_time_is_a_number_of_seconds(moment: datetime.datetime) -> None:
    """Within two centuries a double of seconds is finer than a microsecond."""
    seconds = (moment - EPOCH) / datetime.timedelta(seconds=1)
    column, faults = temporal_column(np.array([seconds]), Temporal.DATETIME)
    assert column.to_pylist() == [moment]
    assert faults.findings("x") == []


@given(st.timedeltas(datetime.timedelta(days=-999), datetime.timedelta(days=999)))
def test_a_time_is_a_duration(span: datetime.timedelta) -> None:
    column, _ = temporal_column(np.array([span.total_seconds()]), Temporal.TIME)
    assert column.to_pylist() == [span]


def test_what_a_temporal_type_cannot_hold_is_told() -> None:
    days = np.array([0.5, -0.25, 1e7, -1e7, np.inf])
    column, faults = temporal_column(days, Temporal.DATE)
    dates = [datetime.date(1960, 1, 1), datetime.date(1959, 12, 31), None, None, None]
    assert column.to_pylist() == dates
    assert (faults.out_of_range, faults.time_of_day, faults.finer) == (3, 2, 0)
    _, faults = temporal_column(np.array([1.5, 0.1234567, 1e13]), Temporal.TIME)
    assert (faults.out_of_range, faults.time_of_day, faults.finer) == (1, 0, 1)
    assert {finding.variable for finding in faults.findings("t")} == {"t"}


def test_every_variable_gets_a_name_of_its_own() -> None:
    plain = SasVariable("A", "", SasFormat(), "", 8, False)
    names = ["A", "B", "A", "", "A_2", "A", ""]
    columns = [SasVariable(name, "", plain.shown, "", 8, False) for name in names]
    findings: list[Finding] = []
    found = [variable.name for variable in name_apart(columns, findings)]
    assert len(set(found)) == len(found)
    assert found[:2] == ["A", "B"]
    assert found[4] == "A_2"
    assert len(findings) == 4
