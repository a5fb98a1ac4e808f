"""Descriptions to write codebooks of: one small survey, and a Hypothesis strategy for any."""

from __future__ import annotations

import datetime
import math

import pyarrow as pa
from hypothesis import strategies as st

from tabkit.model import (
    Category,
    Description,
    Interval,
    Kind,
    Measure,
    MissingRange,
    Origin,
    ResponseSet,
    SummaryStats,
    Table,
    Variable,
    VariableDescription,
)

UNF = "UNF:6:UwKaRjzqtYrzyOMMDNgUCQ=="

#: Any text that Python holds, controls, markup and lone surrogates among it.
texts = st.text(max_size=12) | st.text(
    "&<>\"'\r\n\t \0\x1b\ud800\ufffe]\u0085\u2028é😀", max_size=8
)
names = st.text(st.characters(codec="utf-8"), max_size=8)
numbers = st.floats(allow_nan=False) | st.integers(-(10**6), 10**6).map(float)
counts = st.integers(0, 10**9)


def survey() -> Description:
    """Ten cases of five variables that have between them every kind of metadata."""
    variables = (
        Variable(
            "sex",
            "Sex of respondent",
            interval=Interval.DISCRETE,
            measure=Measure.NOMINAL,
            display_format="F8.0",
            decimals=0,
            width=8,
            display_width=10,
            alignment="right",
            storage="double",
            categories=(Category(1.0, "Male"), Category(2.0, "Female"), Category(9.0, "Refused")),
            missing_values=(9.0, -1.5),
            missing_ranges=(MissingRange(-math.inf, -90.0), MissingRange(97.5, 99.0)),
            role="input",
            question="Are you a man or a woman?\nDon't read out",
            attributes=(("Source[1]", "Q1 & <Q2>"),),
        ),
        Variable(
            "Größe <cm>",
            "Height, measured at home",
            interval=Interval.CONTINUOUS,
            measure=Measure.SCALE,
            categories=(Category(0.1, ""), Category(1e20, "too tall")),
        ),
        Variable("weight", interval=Interval.CONTINUOUS, weight=True),
        Variable(
            "name",
            kind=Kind.CHARACTER,
            interval=Interval.DISCRETE,
            storage="A8",
            categories=(Category("x", "Ex"),),
            missing_values=("NA",),
        ),
        Variable(
            "day",
            kind=Kind.CHARACTER,
            interval=Interval.DISCRETE,
            display_format="DATE11",
            format_category="date",
        ),
    )
    described = (
        VariableDescription(
            SummaryStats(1.4, 1.0, 1.0, 8, 2, 1.0, 3.0, 0.5),
            (4, 3, 1),
            UNF,
            others=((3.0, 1),),
            other_cases=1,
            system_missing=1,
            user_missing=1,
            tagged=((".a", 1),),
        ),
        VariableDescription(
            SummaryStats(math.nan, 2.5, 0.1, 10, 0, -math.inf, 1e20, 0.00002),
            (1, 0),
            UNF,
            others=((2.5, 9),),
            other_cases=9,
        ),
        VariableDescription(SummaryStats(valid=10, invalid=0), (), UNF),
        VariableDescription(SummaryStats(mode="<x>", valid=10, invalid=0), (10,), UNF),
        VariableDescription(SummaryStats(valid=0, invalid=10), (), ""),
    )
    data = pa.table({v.name: pa.array([], pa.float64()) for v in variables})
    table = Table(
        data,
        variables,
        origin=Origin(
            file_name="survey.sav",
            media_type="application/x-spss-sav",
            format="sav",
            format_version="$FL2",
            encoding="UTF-8",
            size=1234,
            md5="d41d8cd98f00b204e9800998ecf8427e",
            sha256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            created=datetime.datetime(2024, 2, 29, 12, 30),
            product="IBM SPSS STATISTICS 27",
        ),
        label="A survey of 5 & more",
        notes=("First document\nin two lines", "UNF:6:not a fingerprint"),
        attributes=(("Study", "S-1"),),
        response_sets=(
            ResponseSet("$news", "Newspapers read", ("sex", "name"), "1"),
            ResponseSet("$more", "", ("day", "gone")),
        ),
    )
    return Description(table, described, UNF, 10)


@st.composite
def variables(draw: st.DrawFn, name: str) -> Variable:
    """A variable with any metadata."""
    kind = draw(st.sampled_from(Kind))
    numeric = kind == Kind.NUMERIC
    values = numbers | st.sampled_from([".a", ".z", "._"]) if numeric else texts
    ends = st.tuples(numbers, numbers).map(sorted)
    return Variable(
        name,
        draw(texts),
        kind,
        draw(st.none() | st.sampled_from(Interval)),
        draw(st.sampled_from(Measure)),
        display_format=draw(texts),
        format_category=draw(st.sampled_from(["", "date", "time", "currency", "other"])),
        decimals=draw(st.none() | st.integers(0, 40)),
        width=draw(st.none() | st.integers(0, 32767)),
        display_width=draw(st.none() | st.integers(0, 255)),
        alignment=draw(st.sampled_from(["", "left", "right", "center"])),
        storage=draw(texts),
        categories=tuple(
            Category(value, draw(texts), draw(st.booleans()) or (numeric and value in _TAGS))
            for value in draw(st.lists(values, max_size=3, unique=True))
        ),
        missing_values=tuple(draw(st.lists(numbers if numeric else texts, max_size=2))),
        missing_ranges=tuple(
            MissingRange(*each) for each in draw(st.lists(ends, max_size=2 * numeric))
        ),
        weight=draw(st.booleans()),
        role=draw(texts),
        question=draw(texts),
        attributes=tuple(draw(st.lists(st.tuples(texts, texts), max_size=2))),
    )


_TAGS = (".a", ".z", "._")


@st.composite
def stats(draw: st.DrawFn) -> SummaryStats:
    """Any statistics, NaN and infinities among them."""
    real = st.none() | st.floats()
    return SummaryStats(
        draw(real),
        draw(real),
        draw(real | texts),
        draw(st.none() | counts),
        draw(st.none() | counts),
        draw(real),
        draw(real),
        draw(real),
    )


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    """Descriptions of 0 to 3 variables."""
    found = draw(st.lists(names, max_size=3, unique=True))
    members = tuple(draw(variables(name)) for name in found)
    described = []
    for variable in members:
        others = draw(st.lists(st.tuples(numbers, counts), max_size=2))
        described.append(
            VariableDescription(
                draw(stats()),
                tuple(draw(counts) for _ in variable.categories),
                draw(st.sampled_from(["", UNF])),
                others=tuple(others),
                other_cases=sum(n for _, n in others) + draw(st.sampled_from([0, 1])),
                tagged=tuple(draw(st.lists(st.tuples(st.just(".b"), counts), max_size=1))),
            )
        )
    sets = st.builds(
        ResponseSet,
        texts,
        texts,
        st.lists(st.sampled_from([*found, "gone"]), max_size=3).map(tuple),
        st.none() | texts,
    )
    origin = st.builds(
        Origin,
        file_name=texts,
        media_type=texts,
        format=st.sampled_from(["", "sav", "dta", "sas7bdat", "csv"]),
        encoding=texts,
        size=st.none() | counts,
        sha256=st.sampled_from(["", "ab" * 32]),
        created=st.none() | st.datetimes(),
        product=texts,
    )
    table = Table(
        pa.table({name: pa.array([], pa.float64()) for name in found}),
        members,
        origin=draw(origin),
        label=draw(texts),
        notes=tuple(draw(st.lists(texts, max_size=2))),
        attributes=tuple(draw(st.lists(st.tuples(texts, texts), max_size=2))),
        response_sets=tuple(draw(st.lists(sets, max_size=2))),
    )
    return Description(table, tuple(described), draw(st.sampled_from(["", UNF])), draw(counts))
