"""What describing says of small tables whose facts can be counted by eye, and its laws."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe import Describer, describe
from tabkit.describe.texts import DISTINCT_TEXTS
from tabkit.describe.unf import column_unf, combine_unfs
from tabkit.model import (
    OTHERS_LISTED,
    Block,
    Category,
    Finding,
    Interval,
    Kind,
    Measure,
    MissingRange,
    Origin,
    Table,
    TableStream,
    Variable,
    VariableDescription,
)
from tabkit.profiles import DATAVERSE, TABKIT, Profile
from tests.strategies import tables

if TYPE_CHECKING:
    from collections.abc import Iterator

SAV, POR, DTA, CSV = (Origin(format=name) for name in ("sav", "por", "dta", "csv"))


def one(
    values: Any,
    kind: pa.DataType | None = None,
    *,
    variable: Variable = Variable("v"),  # noqa: B008 - frozen
    profile: Profile = TABKIT,
    origin: Origin = Origin(),  # noqa: B008 - frozen
    tags: list[int] | None = None,
) -> tuple[Variable, VariableDescription]:
    """Describe a table of one variable."""
    array = pa.array(values, kind, from_pandas=False)
    missing_tags = {} if tags is None else {"v": pa.chunked_array([pa.array(tags, pa.int8())])}
    table = Table(pa.table({"v": array}), (variable,), missing_tags, origin=origin)
    description = describe(table, profile)
    return description.table.variables[0], description.variables[0]


def same(first: Any, second: Any) -> bool:
    """Equal, NaN equal to NaN and 1 other than 1.0."""
    return repr(first) == repr(second)


# ------------------------------------------------------------------------------------------ laws


@given(tables(), st.data(), st.sampled_from([TABKIT, DATAVERSE]))
def test_blocks_do_not_matter(table: Table, data: st.DataObject, profile: Profile) -> None:
    """A stream of blocks, however cut, is described as the whole table is."""
    whole = describe(table, profile)
    cuts = data.draw(st.lists(st.integers(0, table.cases), max_size=4).map(sorted))
    bounds = itertools.pairwise([0, *cuts, table.cases])
    blocks = [
        Block(batch)
        for start, end in bounds
        for batch in table.data.slice(start, end - start).combine_chunks().to_batches()
    ]
    streamed = describe(TableStream(table.data.schema, table.variables, iter(blocks)), profile)
    assert same(streamed.variables, whole.variables)
    assert streamed.table.variables == whole.table.variables
    assert (streamed.unf, streamed.cases) == (whole.unf, whole.cases)
    describer = Describer(table.data.schema, table.variables, profile)
    for block in blocks:
        describer.append(block)
        describer._work()  # not gathered either
    assert same(describer.finish()[1], whole.variables)


@given(tables(min_cases=1), st.randoms(use_true_random=False))
def test_column_order_does_not_matter(table: Table, rng: Any) -> None:
    """UNF 6, part IIa: a data frame is an unordered set of variables."""
    names = list(table.data.column_names)
    rng.shuffle(names)
    assert describe(table.select(names)).unf == describe(table).unf


@given(tables(min_cases=1))
def test_fingerprints_are_the_columns_own(table: Table) -> None:
    description = describe(table)
    unfs = [column_unf(column) for column in table.data.columns]
    assert [each.unf for each in description.variables] == unfs
    assert description.unf == combine_unfs(unfs)


@given(tables())
def test_every_case_is_counted_once(table: Table) -> None:
    for described, column in zip(describe(table).variables, table.data.columns, strict=True):
        stats = described.stats
        assert (stats.valid or 0) + (stats.invalid or 0) == table.cases
        assert described.system_missing == column.null_count


# --------------------------------------------------------------------------------------- numbers


def test_user_missing_values_are_invalid_and_counted() -> None:
    variable = Variable(
        "v",
        categories=(Category(1.0, "yes"), Category(9.0, "refused", missing=True), Category(7, "?")),
        missing_values=(9.0,),
        missing_ranges=(MissingRange(-math.inf, -1),),
    )
    settled, described = one([1.0, 1.0, 2.0, 9.0, -5.0, None], variable=variable)
    stats = described.stats
    assert (stats.valid, stats.invalid, stats.mode, stats.maximum) == (3, 3, 1, 2)
    assert stats.mean == pytest.approx(4 / 3)
    assert described.frequencies == (2, 1, 0)
    assert (described.others, described.other_cases) == (((2.0, 1),), 1)
    assert (described.system_missing, described.user_missing) == (1, 2)
    assert described.unf == column_unf([1.0, 1.0, 2.0, 9.0, -5.0, None])
    assert settled.interval is Interval.DISCRETE
    _, followed = one([1.0, 1.0, 2.0, 9.0, -5.0, None], variable=variable, profile=DATAVERSE)
    assert (followed.stats.valid, followed.stats.maximum, followed.stats.mode) == (5, 9, None)
    assert followed.user_missing == 2


def test_tags() -> None:
    """Tags are missing in the fingerprint, and counted by letter and as categories."""
    variable = Variable("v", categories=(Category(1, "one"), Category(".b", "lost", missing=True)))
    _, described = one(
        [1, None, None, None, None, 3], pa.int8(), variable=variable, tags=[0, 2, 2, 27, 0, 0]
    )
    assert described.tagged == ((".b", 2), ("._", 1))
    assert described.frequencies == (1, 2)
    assert (described.system_missing, described.stats.invalid) == (1, 4)
    assert described.others == ((3, 1),)
    assert described.unf == column_unf([1, None, None, None, None, 3])


def test_tags_of_some_blocks_only() -> None:
    schema = pa.schema([("a", pa.float64()), ("v", pa.float64())])
    batch = pa.record_batch([[1.0, 2.0], [None, 1.0]], schema=schema)
    tags = {"v": pa.array([1, 0], pa.int8())}
    blocks = [Block(batch), Block(batch, tags), Block(batch)]
    description = describe(TableStream(schema, (Variable("a"), Variable("v")), iter(blocks)))
    assert description.variables[1].tagged == ((".a", 1),)
    assert description.variables[1].system_missing == 2


def test_nan_is_a_number_only_in_the_fingerprint() -> None:
    _, described = one([1.0, math.nan, None], pa.float64())
    assert (described.stats.mean, described.stats.valid, described.stats.invalid) == (1, 1, 2)
    assert described.system_missing == 1
    assert described.unf == column_unf(pa.array([1.0, math.nan, None], from_pandas=False))
    _, followed = one([1.0, math.nan, None], pa.float64(), profile=DATAVERSE, origin=SAV)
    assert followed.unf == column_unf([1.0, None, None])


def test_no_valid_value() -> None:
    _, described = one([None, None], pa.int16())
    assert described.stats.mode is None
    assert (described.stats.valid, described.stats.invalid) == (0, 2)
    assert math.isnan(described.stats.mean or 0)


def test_types_of_values_are_the_columns() -> None:
    """Whole numbers of a float column stay floats, however they are kept meanwhile."""
    labelled = Variable("v", categories=(Category(0, "none"),))
    assert repr(one([1.0, 1.0], pa.float64(), variable=labelled)[1].others) == "((1.0, 2),)"
    assert repr(one([1, 1], pa.int64(), variable=labelled)[1].others) == "((1, 2),)"
    assert repr(one([1.0], pa.float64())[1].stats.mode) == "1.0"
    stats = one([2**63 - 1, 2**63 - 1, -(2**63)], pa.int64())[1].stats
    assert (stats.minimum, stats.maximum, stats.mode) == (-(2**63), 2**63 - 1, 2**63 - 1)
    assert one([2**64 - 1, 1], pa.uint64())[1].stats.maximum == 2**64 - 1


def test_categories_are_compared_exactly() -> None:
    """Integers beyond 2**53 with doubles, single floats with their widened values."""
    categories = (Category(2.0**53, "a"), Category(2**53 + 1, "b"), Category(0.5, "c"))
    labelled = Variable("v", categories=(*categories, Category(math.inf, "d")))
    assert one([2**53 + 1, 2**53], pa.int64(), variable=labelled)[1].frequencies == (1, 1, 0, 0)
    assert one([2.0**53, 0.5], pa.float64(), variable=labelled)[1].frequencies == (1, 0, 1, 0)
    assert one([0.5, math.inf], pa.float32(), variable=labelled)[1].frequencies == (0, 0, 1, 1)


def test_booleans_and_dictionaries() -> None:
    _, described = one([True, False, True, None], pa.bool_())
    assert (described.stats.mean, described.stats.mode) == (pytest.approx(2 / 3), 1)
    coded = pa.array(["b", "a", "b"]).dictionary_encode()
    table = Table(pa.table({"v": coded}), (Variable("v", kind=Kind.CHARACTER),))
    assert describe(table).variables[0].stats.mode == "b"


@pytest.mark.parametrize(
    ("values", "measure", "interval"),
    [
        ([1.0, 2.0], Measure.UNKNOWN, Interval.DISCRETE),
        ([1.0, 2.5], Measure.UNKNOWN, Interval.CONTINUOUS),
        ([1.0, math.inf, math.nan], Measure.UNKNOWN, Interval.DISCRETE),
        ([1.0], Measure.SCALE, Interval.CONTINUOUS),
        ([1.5], Measure.NOMINAL, Interval.DISCRETE),
        ([1.5], Measure.ORDINAL, Interval.DISCRETE),
    ],
)
def test_interval(values: list[float], measure: Measure, interval: Interval) -> None:
    """The measure decides, else fractions do; what the reader knows is believed."""
    assert one(values, pa.float64(), variable=Variable("v", measure=measure))[0].interval == (
        interval
    )
    for known in Interval:
        variable = Variable("v", measure=measure, interval=known)
        assert one(values, pa.float64(), variable=variable)[0].interval is known


def test_many_values_without_a_category() -> None:
    """The smallest are listed, all are counted."""
    labelled = Variable("v", categories=(Category(0, "none"),))
    _, described = one(range(2 * OTHERS_LISTED), pa.int32(), variable=labelled)
    assert described.others == tuple((value, 1) for value in range(1, OTHERS_LISTED + 1))
    assert described.other_cases == 2 * OTHERS_LISTED - 1


# ------------------------------------------------------------------------------------------ text


def test_text() -> None:
    variable = Variable(
        "v",
        kind=Kind.CHARACTER,
        categories=(Category("x", "known"), Category("NA", "refused", missing=True)),
        missing_values=("NA", "-"),
    )
    settled, described = one(["b", "a", "x", "NA", "NA", None, "-"], variable=variable)
    stats = described.stats
    assert (stats.mode, stats.valid, stats.invalid, stats.mean) == ("a", 3, 4, None)
    assert described.frequencies == (1, 2)
    assert (described.others, described.other_cases) == ((("a", 1), ("b", 1)), 2)
    assert (described.system_missing, described.user_missing) == (1, 3)
    assert settled.interval is Interval.DISCRETE


def test_more_distinct_text_than_is_told_apart() -> None:
    """No mode and no list then; categories are counted all the same."""
    variable = Variable("v", kind=Kind.CHARACTER, categories=(Category("7", "seven"),))
    values = [str(number) for number in range(DISTINCT_TEXTS + 1)]
    _, described = one([*values, "7"], variable=variable)
    assert (described.stats.mode, described.others) == (None, ())
    assert described.frequencies == (2,)
    assert described.other_cases == DISTINCT_TEXTS
    _, described = one([*values[1:], "7"], variable=variable)
    assert described.stats.mode == "7"


def test_dates() -> None:
    """Dates are character variables; categories and missing values are what a table shows."""
    variable = Variable(
        "v",
        kind=Kind.CHARACTER,
        categories=(Category("2020-01-02", "start"), Category(".a", "lost", missing=True)),
        missing_values=("9999-12-31",),
    )
    days = [datetime.date(2020, 1, 2)] * 2 + [datetime.date(9999, 12, 31), None]
    _, described = one([*days, datetime.date(1, 1, 1)], variable=variable, tags=[0, 0, 0, 1, 0])
    stats = described.stats
    assert (stats.mode, stats.valid, stats.invalid) == ("2020-01-02", 3, 2)
    assert described.frequencies == (2, 1)
    assert described.others == (("0001-01-01", 1),)
    assert (described.user_missing, described.system_missing) == (1, 0)


@pytest.mark.parametrize(
    ("value", "seconds", "text"),
    [
        (datetime.date(1582, 10, 15), 86_400, "1582-10-15"),
        (datetime.datetime(2020, 1, 2, 3, 4, 5, 500_000), 13797313445.5, "2020-01-02 03:04:05.5"),
        (datetime.timedelta(hours=30), 108_000, "30:00:00"),
    ],
)
def test_missing_ranges_of_dates_are_spss_seconds(value: Any, seconds: float, text: str) -> None:
    variable = Variable("v", missing_ranges=(MissingRange(seconds, seconds),))
    assert one([value, None], variable=variable)[1].user_missing == 1
    assert one([value, None])[1].stats.mode == text
    variable = Variable("v", missing_values=(text,))
    assert one([value, None], variable=variable)[1].user_missing == 1


# ------------------------------------------------------------------- what Dataverse does otherwise


def test_numbers_that_are_discrete_after_all() -> None:
    """Java longs: no -0 and nothing from 2**63 on; a fraction at the end undoes it."""
    values = [3.0, -0.0, 2.0**63, None]
    settled, described = one(values, pa.float64(), profile=DATAVERSE, origin=SAV)
    assert settled.interval is Interval.DISCRETE
    assert described.unf == column_unf([3.0, 0.0, None, None])
    assert (described.stats.valid, described.stats.invalid, described.stats.maximum) == (2, 2, 3)
    settled, described = one([*values, 0.5], pa.float64(), profile=DATAVERSE, origin=SAV)
    assert settled.interval is Interval.CONTINUOUS
    assert described.unf == column_unf([*values, 0.5])
    assert described.stats.valid == 4
    _, kept = one(values, pa.float64())
    assert kept.unf == column_unf(values)


@pytest.mark.parametrize(("origin", "valid"), [(SAV, 1), (DTA, 1), (Origin(format="xpt"), 2)])
def test_printed_infinities_are_missing(origin: Origin, valid: int) -> None:
    """``∞`` and ``Infinity`` do not come back from a table, ``Inf`` does."""
    _, described = one([1.0, math.inf], pa.float64(), profile=DATAVERSE, origin=origin)
    assert described.stats.valid == valid
    assert described.unf == column_unf([1.0, None if valid == 1 else math.inf])


def test_frequencies_in_single_precision() -> None:
    variable = Variable(
        "v", categories=tuple(Category(value, "") for value in (2.0**24, 0.0, -0.0, "x", 1e39))
    )
    values = [2.0**24, 2.0**24 + 1, 0.0, -0.0, -0.0, 2e39, None]
    _, described = one(values, pa.float64(), variable=variable, profile=DATAVERSE, origin=SAV)
    assert described.frequencies == (2, 1, 2, 0, 1)


def printed(name: str = "v", **options: Any) -> Variable:
    return Variable(name, bare=True, **options)


def test_numbers_as_printed() -> None:
    """CSV numbers are read as Java reads them, by interval."""
    whole = printed(interval=Interval.DISCRETE)
    _, described = one(["007", "+5", None, "1e30"], variable=whole, profile=DATAVERSE, origin=CSV)
    assert described.unf == column_unf([7, 5, None, None])
    assert (described.stats.mean, described.stats.invalid) == (6, 2)
    real = printed(interval=Interval.CONTINUOUS)
    _, described = one(["0x1p3", "-Inf", "NaN", "1d"], variable=real, profile=DATAVERSE, origin=CSV)
    assert described.unf == column_unf([8, -math.inf, None, 1])
    assert (described.stats.valid, described.stats.minimum) == (3, -math.inf)


def test_text_comes_back_changed() -> None:
    """Backslashes that the table did not escape; SPSS' tables do."""
    text = Variable("v", kind=Kind.CHARACTER)
    for origin, wanted in ((CSV, "C:\temp"), (POR, "C:\temp"), (SAV, "C:\\temp")):
        _, described = one(["C:\\temp"], variable=text, profile=DATAVERSE, origin=origin)
        assert described.unf == column_unf([wanted])
        assert described.stats.valid is None


MOMENT = "yyyy-MM-dd HH:mm:ss"


@pytest.mark.parametrize(
    ("origin", "pattern", "values", "settled", "hashed"),
    [
        (SAV, MOMENT, ["2020-01-02 03:04:05.25"], ".S", ["2020-01-02T03:04:05.025"]),
        (
            SAV,
            MOMENT,
            ["2020-01-02 03:04:05.25", "2020-01-02 03:04:05"],
            "",
            ["2020-01-02T03:04:05", "2020-01-02T03:04:05"],
        ),
        (
            SAV,
            MOMENT,
            ["2020-01-02 03:04:05", "2020-01-02 03:04:05.25", None],
            ".S",
            ["2020-01-02 03:04:05", "2020-01-02T03:04:05.025", None],
        ),
        (SAV, "HH:mm:ss", ["03:04:05.5", "03:04:05"], ".S", ["03:04:05.005", "03:04:05"]),
        (POR, "HH:mm:ss", ["03:04:05.5", "03:04:05"], "", ["03:04:05", "03:04:05"]),
        (SAV, "yyyy-MM-dd", ["2020-01-02"], "", ["2020-01-02"]),
        (CSV, MOMENT, ["2020-01-02 03:04:65"], "", ["2020-01-02T03:05:05"]),
    ],
)
def test_patterns_settled_by_values(
    origin: Origin, pattern: str, values: list[str], settled: str, hashed: list[str]
) -> None:
    """The last date-time decides, any time in a .sav; block by block it is the same."""
    category = "date" if pattern == "yyyy-MM-dd" else "time"
    dated = printed(kind=Kind.CHARACTER, display_format=pattern, format_category=category)
    variable, described = one(values, variable=dated, profile=DATAVERSE, origin=origin)
    assert (variable.display_format, variable.format_category) == (pattern + settled, category)
    assert described.unf == column_unf(hashed)
    describer = Describer(pa.schema([("v", pa.string())]), (dated,), DATAVERSE, origin)
    for value in values:
        describer.append(Block(pa.record_batch({"v": pa.array([value], pa.string())})))
        describer._work()
    assert describer.finish()[:2] == ((variable,), (described,))


def test_dates_without_a_value() -> None:
    """SPSS' readers know a date by its values, Stata's by its format."""
    dated = printed(kind=Kind.CHARACTER, display_format="yyyy-MM-dd", format_category="date")
    for origin, category in ((SAV, ""), (DTA, "date")):
        variable, described = one(
            [None], pa.string(), variable=dated, profile=DATAVERSE, origin=origin
        )
        assert (variable.display_format, variable.format_category) == ("", category)
        assert described.unf == column_unf([None])


def test_single_floats_are_named() -> None:
    for values, name in (([1.5], "float"), ([None], "%9.0g")):
        variable = Variable("v", display_format="%9.0g", interval=Interval.CONTINUOUS)
        settled, _ = one(values, pa.float32(), variable=variable, profile=DATAVERSE, origin=DTA)
        assert settled.display_format == name
        assert one(values, pa.float32(), variable=variable)[0].display_format == "%9.0g"


# ---------------------------------------------------------------------------------------- tables


@pytest.mark.parametrize("profile", [TABKIT, DATAVERSE])
def test_no_cases(profile: Profile) -> None:
    """The standard gives no fingerprint to nothing."""
    schema = {"a": pa.float64(), "b": pa.string(), "c": pa.date32()}
    data = pa.schema(schema.items()).empty_table()
    description = describe(Table(data, tuple(map(Variable, schema))), profile)
    assert (description.cases, description.unf) == (0, "")
    assert [each.unf for each in description.variables] == ["", "", ""]
    assert description.variables[0].stats.valid == 0
    assert describe(Table(pa.table({}), ())).unf == ""


def test_a_table_keeps_its_data_and_a_stream_its_facts() -> None:
    data = pa.table({"v": [1, 2, 3]})
    table = Table(data, (Variable("v"),), label="L")
    assert describe(table, "dataverse").table.data is data
    closed = []
    findings: list[Finding] = []

    def blocks() -> Iterator[Block]:
        try:
            findings.append(Finding("noticed late"))
            yield from map(Block, data.to_batches())
        finally:
            closed.append(True)

    stream = TableStream(
        data.schema, table.variables, blocks(), SAV, label="L", notes=("n",), findings=findings,
        attributes=(("a", "b"),),
    )  # fmt: skip
    description = describe(stream)
    assert closed == [True]
    assert description.cases == 3
    assert same(description.variables, describe(table).variables)
    settled = dataclasses.replace(table.variables[0], interval=Interval.DISCRETE)
    assert description.table == Table(
        data.schema.empty_table(), (settled,), origin=SAV, label="L", notes=("n",),
        attributes=(("a", "b"),), findings=tuple(findings),
    )  # fmt: skip


def test_many_blocks_of_a_long_table() -> None:
    """Past the size at which blocks are worked on."""
    data = pa.table({"n": pa.array(range(50_000)), "t": [str(i % 7) for i in range(50_000)]})
    table = Table(data, (Variable("n"), Variable("t", kind=Kind.CHARACTER)))
    blocks = (Block(batch) for batch in data.to_batches(max_chunksize=700))
    streamed = describe(TableStream(data.schema, table.variables, blocks))
    assert same(streamed.variables, describe(table).variables)
    assert streamed.variables[1].stats.mode == "0"
