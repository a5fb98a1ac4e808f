"""Statistics are what their definitions say, computed exactly; at 64 bits, too."""

from __future__ import annotations

import fractions
import math
import statistics
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe import stats
from tabkit.describe.stats import joined, mode_of, moments_in_order, summarize, tally
from tabkit.describe.store import ColumnStore

if TYPE_CHECKING:
    from tabkit.model import SummaryStats

INTEGERS = st.sampled_from(["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])


def stats_of(values: Any, *, commons_math: bool = False) -> SummaryStats:
    numbers = np.array(values)
    in_order = moments_in_order(numbers) if commons_math else None
    return summarize(tally(numbers), len(numbers) + 2, in_order=in_order)


def close(ours: float | None, exact: float) -> bool:
    return ours is not None and math.isclose(ours, exact, rel_tol=1e-12, abs_tol=1e-300)


@given(INTEGERS, st.data())
def test_integers(kind: str, data: st.DataObject) -> None:
    """Against exact fractions, up to the ends of each type."""
    bounds = np.iinfo(kind)
    numbers = st.integers(int(bounds.min), int(bounds.max)) | st.integers(0, 3)
    values = data.draw(st.lists(numbers, min_size=1))
    stats = stats_of(np.array(values, kind))
    assert stats.mean == float(fractions.Fraction(sum(values), len(values)))
    assert (stats.valid, stats.invalid) == (len(values), 2)
    assert (stats.minimum, stats.maximum) == (min(values), max(values))
    middle = statistics.median(map(fractions.Fraction, values))
    assert close(stats.median, float(middle))
    mean = fractions.Fraction(sum(values), len(values))
    squares = sum((value - mean) ** 2 for value in values)
    stdev = math.sqrt(squares / (len(values) - 1)) if len(values) > 1 else 0.0
    assert stats.stdev == pytest.approx(stdev, rel=1e-9)
    counts = {value: values.count(value) for value in values}
    most = max(counts.values())
    assert mode_of(tally(np.array(values, kind))) == min(
        value for value, count in counts.items() if count == most
    )


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1))
def test_doubles(values: list[float]) -> None:
    """Against exact fractions, whatever the exponents."""
    stats = stats_of(values)
    exact = [fractions.Fraction(value) for value in values]
    mean = sum(exact) / len(exact)
    scale = max(map(abs, exact)) or fractions.Fraction(1)
    assert abs(fractions.Fraction(stats.mean or 0) - mean) <= scale * fractions.Fraction(1, 10**14)
    if len(values) > 1:
        variance = sum(((value - mean) / scale) ** 2 for value in exact) / (len(values) - 1)
        ours = fractions.Fraction(stats.stdev) / scale if math.isfinite(stats.stdev or 0) else None
        if ours is not None:
            assert float(ours) == pytest.approx(math.sqrt(variance), rel=1e-9, abs=1e-13)
    else:
        assert stats.stdev == 0.0
    assert (stats.minimum, stats.maximum) == (min(values), max(values))
    middle = statistics.median(exact)
    assert abs(fractions.Fraction(stats.median or 0) - middle) <= scale / 10**14


def test_nothing() -> None:
    stats = stats_of(np.empty(0))
    numbers = (stats.mean, stats.median, stats.minimum, stats.maximum, stats.stdev)
    assert all(number is not None and math.isnan(number) for number in numbers)
    assert (stats.mode, stats.valid, stats.invalid) == (None, 0, 2)


def test_sums_that_overflow() -> None:
    """Means and deviations of the largest doubles, and of the smallest."""
    assert stats_of([1e308, 1.5e308]).mean == 1.25e308
    assert close(stats_of([1e308, 1.5e308]).stdev, 0.5e308 / math.sqrt(2))
    assert close(stats_of([1e-200, 3e-200]).stdev, 2e-200 / math.sqrt(2))
    assert math.isnan(stats_of([1e308, 1.5e308], commons_math=True).mean or 0)
    assert stats_of([-1.5e308, 1.5e308]).median == 0


def test_infinities() -> None:
    """As IEEE 754 has it; by the letter of commons-math they spoil more."""
    inf = math.inf
    assert stats_of([1.5, inf]).mean == inf
    assert math.isnan(stats_of([-inf, inf]).mean or 0)
    assert math.isnan(stats_of([1.5, inf]).stdev or 0)
    assert stats_of([1.0, 2.0, inf]).median == 2
    assert stats_of([inf, inf]).median == inf
    letter = stats_of([1.5, inf], commons_math=True)
    assert math.isnan(letter.mean or 0)
    assert (letter.median, letter.maximum) == (inf, inf)
    assert math.isnan(letter.stdev or 0)
    assert math.isnan(stats_of([1.0, 2.0, inf], commons_math=True).median or 0)


def test_commons_math_adds_in_the_order_of_the_file() -> None:
    """Means of standardised values are what rounding left; from SumStatCalculator on Java 17."""
    values = [1e9 + 0.1, -1e9, 0.3, -0.4]
    stats = stats_of(values, commons_math=True)
    assert (stats.mean, stats.stdev) == (8.940696710757479e-09, 816496580.9685509)
    assert stats_of(values[::-1], commons_math=True).mean == 0
    assert stats_of([0.1] * 10, commons_math=True).stdev == 0


def test_large_integers_close_together() -> None:
    """Deviations are taken before doubles lose the last digits; ends are exact."""
    stats = stats_of(np.array([2**62 + 1, 2**62 + 2, 2**62 + 3]))
    assert stats.stdev == 1
    assert (stats.minimum, stats.median, stats.maximum) == (2**62 + 1, 2**62 + 2, 2**62 + 3)


@given(st.lists(st.floats(allow_nan=False) | st.integers(-300, 300).map(float)), st.data())
def test_stores_hold_every_value(values: list[float], data: st.DataObject) -> None:
    """Whatever the blocks, what comes out is what went in, the sign of zero included."""
    store = ColumnStore()
    rest = values
    while rest:
        size = data.draw(st.integers(1, len(rest)))
        store.append(np.array(rest[:size]))
        rest = rest[size:]
    out = store.concatenated()
    assert out.tolist() == values
    assert np.signbit(out).tolist() == np.signbit(np.array(values)).tolist()


@given(
    st.lists(st.integers(-9, 30), min_size=1),
    st.lists(st.integers(-(2**40), 2**40) | st.integers(-9, 30), min_size=1)
    | st.lists(st.floats(allow_nan=False) | st.integers(-9, 30).map(float), min_size=1),
)
def test_tallies_joined(first: list[int], second: list[float]) -> None:
    """The tally of two parts is that of the whole."""
    whole = sorted([*first, *second])
    counted = joined(tally(np.array(first)), tally(np.array(second)))
    assert counted.values.tolist() == sorted(set(whole))
    assert counted.counts.tolist() == [whole.count(value) for value in sorted(set(whole))]


@given(INTEGERS, st.data())
def test_tallies(kind: str, data: st.DataObject) -> None:
    """Sorted or counted in bins: distinct values in order, with their counts."""
    bounds = np.iinfo(kind)
    values = data.draw(
        st.lists(st.integers(int(bounds.min), int(bounds.max)))
        | st.lists(st.integers(0, 9), min_size=3)
    )
    counted = tally(np.array(values, kind))
    assert counted.values.tolist() == sorted(set(values))
    assert counted.counts.tolist() == [values.count(value) for value in sorted(set(values))]


@given(
    st.lists(st.floats(allow_nan=False) | st.integers(-3, 9).map(float), min_size=1, max_size=40),
    st.integers(1, 5),
)
def test_tallies_by_chunks(values: list[float], chunk: int) -> None:
    """Sorted numbers become distinct ones in place, however few are moved at once."""
    before, stats._CHUNK = stats._CHUNK, chunk
    try:
        counted = tally(np.array(values))
    finally:
        stats._CHUNK = before
    assert repr(counted.values.tolist()) == repr([each + 0.0 for each in sorted(set(values))])
    assert counted.counts.tolist() == [values.count(value) for value in sorted(set(values))]
    some = counted.only(np.arange(len(counted.values)) % 2 == 0)
    assert some.values.tolist() == counted.values.tolist()[::2]
    assert some.counts.tolist() == counted.counts.tolist()[::2]
