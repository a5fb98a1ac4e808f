"""Hypothesis strategies: variables and tables with all metadata that a source can state."""

from __future__ import annotations

import dataclasses
import datetime
import math

import pyarrow as pa
from hypothesis import strategies as st

from tabkit.model import (
    TAG_LETTERS,
    Category,
    Interval,
    Measure,
    MissingRange,
    Origin,
    ResponseSet,
    Table,
    Value,
    Variable,
)
from tests.strategies import tables

texts = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.floats(allow_nan=False) | st.integers(-(2**40), 2**40)
values: st.SearchStrategy[Value] = numbers | texts
pairs = st.lists(st.tuples(texts, texts), max_size=2).map(tuple)
counts = st.none() | st.integers(0, 300)
moments = st.none() | st.datetimes(datetime.datetime(1970, 1, 1))
ranges = st.builds(
    MissingRange,
    st.floats(allow_nan=False, max_value=5) | st.just(-math.inf),
    st.floats(allow_nan=False, min_value=5) | st.just(math.inf),
)
categories = st.lists(st.builds(Category, values, texts, st.booleans()), max_size=3).map(tuple)


def variables(name: str) -> st.SearchStrategy[Variable]:
    """Variables of one name with any metadata."""
    return st.builds(
        Variable,
        name=st.just(name),
        label=texts,
        interval=st.none() | st.sampled_from(Interval),
        measure=st.sampled_from(Measure),
        display_format=texts,
        format_category=st.sampled_from(("", "date", "time", "currency", "other")),
        decimals=counts,
        width=counts,
        display_width=counts,
        alignment=st.sampled_from(("", "left", "right", "center")),
        storage=texts,
        categories=categories,
        missing_values=st.lists(values, max_size=3).map(tuple),
        missing_ranges=st.lists(ranges, max_size=2).map(tuple),
        weight=st.booleans(),
        role=texts,
        question=texts,
        attributes=pairs,
        bare=st.booleans(),
    )


@st.composite
def full_tables(draw: st.DrawFn) -> Table:
    """Tables of `tests.strategies.tables` with tags and everything that can be said of them."""
    table = draw(tables(min_cases=1))
    described = tuple(
        dataclasses.replace(draw(variables(each.name)), kind=each.kind) for each in table.variables
    )
    tagged = draw(st.sets(st.sampled_from([each.name for each in described])))
    tags = {
        name: pa.chunked_array([draw(tag_columns(table.cases))], pa.int8())
        for name in sorted(tagged)
    }
    sets = st.builds(
        ResponseSet,
        texts,
        texts,
        st.lists(st.sampled_from([each.name for each in described]), max_size=3).map(tuple),
        st.none() | texts,
    )
    return dataclasses.replace(
        table,
        variables=described,
        missing_tags=tags,
        label=draw(texts),
        notes=tuple(draw(st.lists(texts, max_size=2))),
        attributes=draw(pairs),
        response_sets=tuple(draw(st.lists(sets, max_size=2))),
        origin=Origin(created=draw(moments), modified=draw(moments)),
    )


@st.composite
def tag_columns(draw: st.DrawFn, cases: int) -> pa.Array:
    """Indices of tags, 0 for none."""
    letters = st.integers(0, len(TAG_LETTERS) - 1)
    return pa.array(draw(st.lists(letters, min_size=cases, max_size=cases)), pa.int8())
