"""Hypothesis strategies: tables of every kind that readers give."""

from __future__ import annotations

import datetime

import pyarrow as pa
from hypothesis import strategies as st

from tabkit.model import Interval, Kind, Table, Variable

names = st.text(
    st.characters(codec="utf-8", exclude_characters="\t\n\r\0"), min_size=1, max_size=12
)
strings = st.text(st.characters(codec="utf-8"), max_size=12) | st.text('\\"\t\n\rtnr ', max_size=12)
doubles = st.floats(allow_nan=True) | st.integers(-(10**6), 10**6).map(float)
dates = st.dates(datetime.date(1, 1, 1), datetime.date(9999, 12, 31))
moments = st.datetimes(datetime.datetime(1, 1, 1), datetime.datetime(9999, 12, 31))
spans = st.timedeltas(datetime.timedelta(days=-900), datetime.timedelta(days=900))

COLUMNS = (
    (pa.float64(), doubles),
    (pa.float32(), st.floats(width=32)),
    (pa.int8(), st.integers(-128, 127)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.bool_(), st.booleans()),
    (pa.string(), strings),
    (pa.date32(), dates),
    (pa.timestamp("us"), moments),
    (pa.duration("us"), spans),
)


@st.composite
def tables(draw: st.DrawFn, min_cases: int = 0, max_cases: int = 8) -> Table:
    """Tables of 1 to 5 variables of any type, with nulls."""
    found = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    cases = draw(st.integers(min_cases, max_cases))
    arrays, variables = [], []
    for name in found:
        kind, values = draw(st.sampled_from(COLUMNS))
        cells = draw(st.lists(st.none() | values, min_size=cases, max_size=cases))
        arrays.append(pa.array(cells, kind, from_pandas=False))
        numeric = (
            pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
        )
        variables.append(
            Variable(
                name,
                kind=Kind.NUMERIC if numeric else Kind.CHARACTER,
                interval=None if numeric else Interval.DISCRETE,
                format_category=_category(kind),
            )
        )
    return Table(pa.table(arrays, names=found), tuple(variables))


def _category(kind: pa.DataType) -> str:
    if pa.types.is_date(kind):
        return "date"
    return "time" if pa.types.is_timestamp(kind) or pa.types.is_duration(kind) else ""
