"""Short columns are described as long ones are, whatever their numbers and codes."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tabkit import _native
from tabkit.describe import Describer
from tabkit.describe.accumulate import column_for
from tabkit.describe.short import Short, describe_short, is_plain
from tabkit.describe.store import ColumnStore
from tabkit.describe.unf import UnfHasher
from tabkit.model import Block, Category, MissingRange, Origin, Variable
from tabkit.profiles import DATAVERSE, TABKIT, Profile

KINDS = (
    *(pa.float64(), pa.float32(), pa.int8(), pa.int16(), pa.int64()),
    *(pa.uint8(), pa.uint32(), pa.uint64()),
)
LOOSE = dataclasses.replace(TABKIT, name="loose", user_missing_invalid=False)
needs_kernels = pytest.mark.skipif(not _native.AVAILABLE, reason="the kernels are not built")


@st.composite
def columns(draw: st.DrawFn) -> pa.Array:
    kind = draw(st.sampled_from(KINDS))
    if pa.types.is_floating(kind):
        cells: st.SearchStrategy[float] = st.floats(width=kind.bit_width) | st.integers(-9, 9).map(
            float
        )
    else:
        info = np.iinfo(kind.to_pandas_dtype())
        cells = st.integers(int(info.min), int(info.max)) | st.integers(0, 9)
    values = draw(st.lists(st.none() | cells, max_size=20))
    return pa.array(values, kind, from_pandas=False)


CODES = st.integers(-9, 9) | st.integers(-9, 9).map(float) | st.floats() | st.sampled_from([".a"])
SPANS = st.builds(MissingRange, st.floats() | st.integers(-9, 9), st.floats() | st.integers(-9, 9))


@st.composite
def variables(draw: st.DrawFn) -> Variable:
    return Variable(
        "v",
        categories=tuple(Category(code, "x") for code in draw(st.lists(CODES, max_size=5))),
        missing_values=tuple(draw(st.lists(CODES, max_size=3))),
        missing_ranges=tuple(draw(st.lists(SPANS, max_size=2))),
    )


def _short(column: pa.Array, variable: Variable, profile: Profile = TABKIT) -> Short | None:
    return describe_short(column, variable, profile, digits=7, characters=128, keep=True)


def _told(short: Short) -> str:
    """Show all of it, types and signs included."""
    assert short.distinct is not None
    values, counts = short.distinct.values, short.distinct.counts
    return repr((short.variable, short.described, values.tolist(), counts.tolist()))


@needs_kernels
@given(columns(), variables(), st.sampled_from([TABKIT, LOOSE]))
@example(pa.array([-0.0, 1.0, math.nan, None], from_pandas=False), Variable("v"), TABKIT)
@example(pa.array([], pa.float32()), Variable("v", categories=(Category(1, "x"),)), TABKIT)
def test_as_the_general_way(column: pa.Array, variable: Variable, profile: Profile) -> None:
    short = _short(column, variable, profile)
    layout = profile.tab_layout(Origin())
    general = column_for(column.type, variable, profile, layout, UnfHasher(), ColumnStore())
    general.append(column, None)
    made = general.finish()
    if short is not None:
        assert _told(short) == _told(Short(*made, general.distinct))


@needs_kernels
def test_plain_columns_take_the_short_way() -> None:
    """Else the test above would say nothing."""
    coded = Variable("v", categories=(Category(1.0, "x"), Category(".a", "tag")))
    assert _short(pa.array([1.0, None, 2.5]), coded) is not None
    assert _short(pa.array([1, 2**40]), Variable("v")) is not None
    assert _short(pa.array([None, None], pa.float64()), Variable("v")) is not None
    assert is_plain(TABKIT)
    assert not is_plain(DATAVERSE)


@needs_kernels
@pytest.mark.parametrize(
    ("column", "variable"),
    [
        (pa.array([2**53 + 1]), Variable("v")),
        (pa.array([-(2**63)]), Variable("v")),
        (pa.array([2**64 - 1], pa.uint64()), Variable("v")),
        (pa.array([1.0]), Variable("v", categories=(Category(2**53 + 1, "x"),))),
        (pa.array([math.inf]), Variable("v")),
        (pa.array([1e200, -1e200]), Variable("v")),
        (pa.array(["1"], pa.large_string()), Variable("v")),
        (pa.array([0], pa.date32()), Variable("v")),
    ],
    ids=str,
)
def test_what_is_not_exact_is_left_to_the_general_way(column: pa.Array, variable: Variable) -> None:
    assert _short(column, variable) is None


def test_one_describer_takes_both_ways() -> None:
    """Cut in blocks, all at once, or so long that it is no short column: always the same."""
    values = [float(at % 7) for at in range(20_000)]
    batch = pa.record_batch({"v": values, "w": [each / 2 for each in values]})
    variables = (Variable("v", categories=(Category(3.0, "three"),)), Variable("w"))
    found = []
    for rows, step in ((8_000, 8_000), (8_000, 999), (8_000, 1)):
        describer = Describer(batch.schema, variables)
        for start in range(0, rows, step):
            describer.append(Block(batch.slice(start, min(step, rows - start))))
        found.append(repr(describer.finish()))
    assert len(set(found)) == 1
    describer = Describer(batch.schema, variables)
    for start in range(0, 20_000, 5_000):
        describer.append(Block(batch.slice(start, 5_000)))
    _, described, _, cases = describer.finish()
    assert cases == 20_000
    assert described[0].stats.valid == 20_000
