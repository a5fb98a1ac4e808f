"""Compiled moments, narrow copies and counts of numbers: as numpy has them."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit import _native
from tabkit.describe import stats

core = pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")
arrays = pytest.importorskip("tabkit._native.arrays")

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
NARROW = {"c": np.int8, "s": np.int16, "i": np.int32, "l": np.int64}
FLOATS = (
    st.floats()
    | st.integers(-300, 300).map(float)
    | st.sampled_from([-0.0, 2.0**52 - 0.5, 2.0**63])
)


@st.composite
def numbers(draw: st.DrawFn) -> pa.Array:
    """Arrays of any number type with nulls, sliced."""
    kind = np.dtype(draw(st.sampled_from([*INTEGERS, "float32", "float64"])))
    if kind.kind == "f":
        cells: Any = st.floats(width=32) if kind.itemsize == 4 else FLOATS
    else:
        limits = np.iinfo(kind)
        cells = st.integers(int(limits.min), int(limits.max))
        cells |= st.integers(max(int(limits.min), -300), min(int(limits.max), 300))
    values = draw(st.lists(st.none() | cells, max_size=40))
    array = pa.array(values, pa.from_numpy_dtype(kind), from_pandas=False)
    return array.slice(draw(st.integers(0, len(array))))


def present(array: pa.Array) -> np.ndarray:
    values = array.drop_null().to_numpy()
    return values[~np.isnan(values)] if values.dtype.kind == "f" else values


@given(numbers())
def test_survey(array: pa.Array) -> None:
    count, nans, negative_zeros, has_fraction, low, high = core.survey(arrays.described(array))
    values = present(array)
    assert count == len(values)
    assert nans == len(array) - array.null_count - count
    finite = values[np.isfinite(values)]
    assert has_fraction == bool((finite != np.trunc(finite)).any())
    assert negative_zeros == sum(v == 0 and math.copysign(1, v) < 0 for v in values.tolist())
    assert (low, high) == ((values.min(), values.max()) if count else (None, None))


@given(numbers(), st.sampled_from(list(NARROW)))
def test_narrow(array: pa.Array, target: str) -> None:
    """All numbers that are there, or a refusal where one does not fit."""
    values = present(array)
    limits = np.iinfo(NARROW[target])
    fits = all(
        math.isfinite(v) and int(v) == v and limits.min <= v <= limits.max for v in values.tolist()
    )
    if fits:
        narrowed = core.narrow(arrays.described(array), target)
        assert narrowed == values.astype(NARROW[target]).tobytes()
    else:
        with pytest.raises(ValueError, match="fit"):
            core.narrow(arrays.described(array), target)


@given(numbers())
def test_copy_of_its_own_type(array: pa.Array) -> None:
    kind = arrays.format_of(array.type)
    if kind in "gflL":
        assert core.narrow(arrays.described(array), kind) == present(array).tobytes()


@given(
    st.lists(st.none() | st.integers(-9, 9)),
    st.sampled_from(INTEGERS),
    st.integers(-9, 3),
    st.integers(0, 12),
)
def test_count_values(cells: list[int | None], kind: str, low: int, span: int) -> None:
    cells = [None if cell is None else abs(cell) if kind[0] == "u" else cell for cell in cells]
    array = pa.array(cells, kind)
    counts, outside = core.count_values(arrays.described(array), low, span)
    assert np.frombuffer(counts, np.int64).tolist() == [cells.count(low + at) for at in range(span)]
    assert outside == sum(cell is not None and not low <= cell < low + span for cell in cells)


def test_counts_at_the_ends_of_64_bits() -> None:
    array = pa.array([2**63 - 1, -(2**63), 0], pa.int64())
    counts, outside = core.count_values(arrays.described(array), -(2**63), 2)
    assert (np.frombuffer(counts, np.int64).tolist(), outside) == ([1, 0], 2)


@given(
    st.lists(st.floats(-1e6, 1e6) | st.floats(allow_nan=False) | st.integers(-9, 9).map(float)),
    st.integers(1, 40),
    st.sampled_from(["f8", "i8"]),
)
def test_summaries_are_those_of_the_twin_to_the_bit(
    drawn: list[float], times: int, kind: str
) -> None:
    """Sums go in NumPy's order at every length, with counts and without."""
    rng = np.random.default_rng(len(drawn))
    cells = np.concatenate([drawn, rng.normal(0, 1e3, times * len(drawn))])
    if kind == "i8":
        cells = cells[np.abs(cells) < 2.0**62].astype(kind)
    values, counts = np.unique(cells + 0.0 if kind == "f8" else cells, return_counts=True)
    for repeats in (
        counts,
        counts * rng.integers(1, 500, len(counts)),
        np.broadcast_to(1, counts.shape),
    ):
        counted = stats.Tally(values, repeats)
        compiled = stats.summarize(counted, counted.cases)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_native, "AVAILABLE", False)
            assert repr(compiled) == repr(stats.summarize(counted, counted.cases))
