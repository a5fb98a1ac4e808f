"""Summary statistics of a variable, from its distinct values and their counts.

Definitions, with n the number of cases that have a valid value:

* mean: the sum over n, and the mean of what is left over added; exact for integers;
* median: the middle value, or the middle of the two middle values;
* standard deviation: the root of ``(sum(d * d) - sum(d) ** 2 / n) / (n - 1)`` over the deviations
  d from the mean; 0 where n is 1;
* minimum and maximum; NaN for all of these where n is 0;
* mode: the smallest of the most frequent values.

Infinities count as IEEE 754 has it: the mean of 1 and ``inf`` is ``inf``, its deviation NaN.
Source: Apache commons-math 2.2, Mean, Variance and Percentile, for the formulas.
"""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tabkit import _native
from tabkit.model import SummaryStats

if _native.AVAILABLE:
    from tabkit._native import core

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Numbers = npt.NDArray[Any]
    Doubles = npt.NDArray[np.float64]

_BINS: Final = 1 << 20  # integers within a span so wide are counted unsorted
_CHUNK: Final = 1 << 20
_ONE: Final = (1).to_bytes(8, sys.byteorder)
_KERNEL: Final = {"d": "g", "l": "l"}  # NumPy's type and Arrow's
_EXTREME: Final = 400  # binary exponent from where on squares may leave the range of doubles


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """Distinct values in ascending order and their counts.

    Values are int64, uint64 or doubles, none NaN or -0.0.
    """

    values: Numbers
    counts: npt.NDArray[np.int64]

    @property
    def cases(self) -> int:
        """How many cases were counted."""
        return int(self.counts.sum())

    def only(self, chosen: npt.NDArray[np.bool_]) -> Tally:
        """Return the part of which ``chosen`` is true."""
        if chosen.all():
            return self
        values = self.values[chosen]
        return Tally(values, self.counts[chosen] if self.counts.strides[0] else _ones(len(values)))

    def at(self, places: Sequence[int]) -> Tally:
        """Return the part at some places, in ascending order; faster than `only` for a few."""
        chosen = np.array(places, np.intp)
        return Tally(self.values.take(chosen), self.counts.take(chosen))


def tally(values: Numbers) -> Tally:
    """Count distinct values; ``values`` may be sorted in place, -0.0 counts as 0.0."""
    if not len(values):
        return Tally(values, np.empty(0, np.int64))
    if values.dtype.kind != "f":
        low = int(values.min())
        span = int(values.max()) - low + 1
        if span <= min(_BINS, max(256, 4 * len(values))):
            return _counted_unsorted(values, low, span)
    values.sort()
    distinct, counts = _counted_sorted(values)
    if values.dtype.kind == "f":
        distinct = distinct.astype(np.float64, copy=False)
        distinct += 0.0  # turns -0.0 into 0.0
    elif values.dtype != np.uint64:
        distinct = distinct.astype(np.int64)
    return Tally(distinct, counts)


def _counted_sorted(values: Numbers) -> tuple[Numbers, npt.NDArray[np.int64]]:
    """Return distinct values and counts, in the memory of ``values`` and 9 bytes a value more.

    Long columns of measurements, of which each occurs once, take no more than a byte.
    """
    is_last = np.empty(len(values), np.bool_)
    is_last[-1] = True
    np.not_equal(values[1:], values[:-1], out=is_last[:-1])
    if is_last.all():
        return values, _ones(len(values))
    counts = is_last.nonzero()[0]  # where the last of each stands, at first
    count = len(counts)
    for start in range(0, count, _CHUNK):  # none stands before its place among the distinct ones
        stop = min(start + _CHUNK, count)
        values[start:stop] = values[counts[start:stop]]
    for stop in range(count, 1, -_CHUNK):
        start = max(1, stop - _CHUNK)
        counts[start:stop] -= counts[start - 1 : stop - 1]
    counts[0] += 1
    distinct = values[:count]
    return distinct.copy() if 2 * count < len(values) else distinct, counts


def _ones(count: int) -> npt.NDArray[np.int64]:
    """Return ones that take no memory."""
    return np.ndarray((count,), np.int64, _ONE, strides=(0,))


def joined(first: Tally, second: Tally) -> Tally:
    """Return the tally of all cases of two; integers of ``first`` are exact as doubles.

    Memory is that of the result beside ``second``, which may be long.
    """
    if not len(first.values):
        return second
    if not len(second.values):
        return first
    places = np.searchsorted(second.values, first.values)
    is_known = second.values[np.minimum(places, len(second.values) - 1)] == first.values
    counts = second.counts.copy()
    counts[places[is_known]] += first.counts[is_known]
    places, new = places[~is_known], first.only(~is_known)
    return Tally(
        np.insert(second.values, places, new.values), np.insert(counts, places, new.counts)
    )


def moments_in_order(values: Numbers) -> tuple[float, float]:
    """Return mean and standard deviation as commons-math does, adding case after case.

    A mean near 0, as standardised values have, is a rest of rounding that depends on the order.

    Args:
        values: The valid values as they follow in the file; at least one.
    """
    cases = len(values)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = _running_sum(values) / cases
        mean += _running_sum(values, mean) / cases
        if cases == 1:
            return mean, 0.0
        left = _running_sum(values, mean)
        squares = _running_sum(values, mean, squared=True)
        variance = float((np.float64(squares) - np.float64(left) * left / cases) / (cases - 1))
    return mean, math.sqrt(variance) if variance >= 0 else math.nan


def _running_sum(values: Numbers, centre: float = 0.0, *, squared: bool = False) -> float:
    """Add up from the first value to the last, without pairing."""
    total = 0.0
    for start in range(0, len(values), _CHUNK):
        terms = values[start : start + _CHUNK].astype(np.float64)
        terms -= centre
        if squared:
            terms *= terms
        terms[0] += total
        total = float(np.add.accumulate(terms)[-1])
    return total


def summarize(
    counted: Tally,
    total: int,
    *,
    in_order: tuple[float, float] | None = None,
    mode_type: type[float] | None = None,
) -> SummaryStats:
    """Compute the statistics.

    Args:
        counted: The valid values.
        total: All cases; those without a valid value are invalid.
        mode_type: What the mode is given as; None for no mode.
        in_order: Of `moments_in_order`; follow Apache commons-math by the letter, where its
            formulas overflow and where an infinity beside the median makes it NaN.
    """
    found = None if in_order is not None else _summary(counted)
    if found is not None:
        mean, median, stdev, low, high, place, cases = found
        mode = None if mode_type is None else mode_type(counted.values[place])
        return SummaryStats(mean, median, mode, cases, total - cases, low, high, stdev)
    cases = counted.cases
    common = None if mode_type is None else mode_of(counted)
    mode = None if mode_type is None or common is None else mode_type(common)
    if not cases:
        nan = math.nan
        return SummaryStats(nan, nan, mode, 0, total, nan, nan, nan)
    if in_order is not None:
        mean, stdev = in_order
    elif counted.values.dtype.kind == "f":
        mean, stdev = _float_moments(counted, cases)
    else:
        mean, stdev = _integer_moments(counted, cases)
    return SummaryStats(
        mean=mean,
        median=_median(counted, cases, by_the_letter=in_order is not None),
        mode=mode,
        valid=cases,
        invalid=total - cases,
        minimum=_float_if_exact(counted.values[0].item()),
        maximum=_float_if_exact(counted.values[-1].item()),
        stdev=stdev,
    )


def _summary(counted: Tally) -> tuple[float, float, float, float, float, int, int] | None:
    """Return what the compiled kernel makes of a tally, None where it is left to the twins."""
    values, counts = counted.values, counted.counts
    kind = _KERNEL.get(values.dtype.char)
    if kind is None or not _native.AVAILABLE or not len(values):
        return None
    count = len(values)
    once = not counts.strides[0]
    given = None if once else ("l", count, 0, None, counts.data, None)
    return core.summary((kind, count, 0, None, values.data, None), given)


def mode_of(counted: Tally) -> float | None:
    """Return the smallest of the most frequent values, None of nothing."""
    if not len(counted.values):
        return None
    value: float = counted.values[int(np.argmax(counted.counts))].item()
    return value


def _counted_unsorted(values: Numbers, low: int, span: int) -> Tally:
    kind = values.dtype
    bins = np.zeros(span, np.int64)
    for start in range(0, len(values), _CHUNK):
        # The difference may wrap around a narrow type, and back in the unsigned one.
        offsets = (values[start : start + _CHUNK] - kind.type(low)).astype(f"u{kind.itemsize}")
        bins += np.bincount(offsets.astype(np.intp), minlength=span)
    found = np.flatnonzero(bins)
    wide = np.uint64 if kind == np.uint64 else np.int64
    return Tally(found.astype(wide) + wide(low), bins[found])


def _float_moments(counted: Tally, cases: int) -> tuple[float, float]:
    values, counts = counted.values, counted.counts
    largest = float(np.abs(values[[0, -1]]).max())
    if math.isinf(largest):
        with np.errstate(invalid="ignore"):
            return float(values[[0, -1]][np.isinf(values[[0, -1]])].sum()), math.nan
    exponent = math.frexp(largest)[1]
    if abs(exponent) > _EXTREME:
        values = np.ldexp(values, -exponent)
    else:
        exponent = 0
    with np.errstate(over="ignore", invalid="ignore"):
        mean = _weighted_sums(values, counts, 0.0)[0] / cases
        mean += _weighted_sums(values, counts, mean)[0] / cases
        stdev = _stdev(*_weighted_sums(values, counts, mean), cases)
    return _scaled(mean, exponent), _scaled(stdev, exponent)


def _weighted_sums(
    values: Doubles, counts: npt.NDArray[np.int64], centre: float
) -> tuple[float, float]:
    """Return the sums over all cases of the distances from ``centre`` and of their squares."""
    total = squares = 0.0
    for start in range(0, len(values), _CHUNK):
        distances = values[start : start + _CHUNK] - centre
        terms = distances * counts[start : start + _CHUNK]
        total += float(terms.sum())
        terms *= distances
        squares += float(terms.sum())
    return total, squares


def _scaled(value: float, exponent: int) -> float:
    try:
        return math.ldexp(value, exponent)
    except OverflowError:
        return math.copysign(math.inf, value)


def _integer_moments(counted: Tally, cases: int) -> tuple[float, float]:
    values, counts = counted.values, counted.counts
    total = _exact_sum(values, counts)
    centre = (2 * total + cases) // (2 * cases)  # the integer next to the mean
    if values.dtype == np.uint64 or int(values[-1]) - int(values[0]) >= 2**63:
        deviations = values.astype(np.float64) - float(centre)
    else:
        deviations = (values - centre).astype(np.float64)
    left = float(total - centre * cases)
    squares = float((deviations * deviations * counts.astype(np.float64)).sum())
    return total / cases, _stdev(left, squares, cases)


def _exact_sum(values: Numbers, counts: npt.NDArray[np.int64]) -> int:
    """Return the sum of integers; halves of 32 bits times fewer than 2**31 cases fit 64 bits."""
    high, low = values >> 32, values & 0xFFFFFFFF
    return (int((high.astype(np.int64) * counts).sum()) << 32) + int(
        (low.astype(np.int64) * counts).sum()
    )


def _stdev(left: float, squares: float, cases: int) -> float:
    """Return the deviation, given the sums of deviations from about the mean and their squares."""
    if cases == 1:
        return 0.0
    variance = (squares - left * left / cases) / (cases - 1)
    return math.sqrt(max(variance, 0.0))  # NaN stays NaN


def _median(counted: Tally, cases: int, *, by_the_letter: bool) -> float:
    ends = np.cumsum(counted.counts)

    def value_at(place: int) -> float:
        value: float = counted.values[int(np.searchsorted(ends, place, side="right"))].item()
        return value

    lower = value_at((cases - 1) // 2)
    if cases % 2 and not (by_the_letter and cases > 1):
        return _float_if_exact(lower)
    upper = value_at((cases + 1) // 2)
    if isinstance(lower, int) and isinstance(upper, int):
        return _float_if_exact(lower) if cases % 2 else (lower + upper) / 2
    median = lower + (0.0 if cases % 2 else 0.5) * (upper - lower)
    if math.isfinite(median) or by_the_letter:
        return median
    return lower / 2 + upper / 2


def _float_if_exact(value: float) -> float:
    """Return a number as float, an integer that no double holds as it is."""
    return float(value) if float(value) == value else value
