"""Kernel density of a variable, from its distinct values and their counts, as R computes it.

R's ``density(x, n = 50)``: Gaussian kernel, bandwidth ``bw.nrd0``, three bandwidths beyond both
ends. Values are shared linearly among 512 equidistant points, these are convolved with the kernel
by a Fourier transform, and the curve is read off between the points.

Source: R 4.2, density.default, bw.nrd0, quantile (type 7) and BinDist; from 4.4 on R shifts the
points slightly unless ``old.coords = TRUE``.
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Doubles = npt.NDArray[np.float64]

POINTS: Final = 50
_GRID: Final = 512
_CUT: Final = 3.0  # bandwidths beyond the smallest and the largest value
_MARGIN: Final = 4.0  # bandwidths beyond those, so that nothing wraps around the transform


@dataclasses.dataclass(frozen=True, slots=True)
class Density:
    """A curve: ``y[i]`` at ``x[i]``, `POINTS` of each."""

    x: Doubles
    y: Doubles


def density(values: npt.NDArray[Any], counts: npt.NDArray[np.int64]) -> Density | None:
    """Estimate the density of values.

    Args:
        values: Distinct values in ascending order, at least two finite ones; infinities take
            their share of the mass and have no place in the curve.
        counts: How often each occurs.

    Returns:
        None where doubles cannot hold the curve, so that R stops with an error: a grid wider than
        the largest double, or finer than the smallest.
    """
    numbers = values.astype(np.float64)
    is_finite = np.isfinite(numbers)
    numbers, weights = numbers[is_finite], counts[is_finite].astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        bandwidth = bandwidth_nrd0(numbers, weights)
        start, end = numbers[0] - _CUT * bandwidth, numbers[-1] + _CUT * bandwidth
        low, high = start - _MARGIN * bandwidth, end + _MARGIN * bandwidth
        if not (np.isfinite(2 * (high - low)) and (high - low) / (_GRID - 1) > 0):
            return None
        mass = _shared(numbers, weights / weights.sum(), low, high)
        mass *= weights.sum() / counts.sum()
        curve = _smoothed(mass, high - low, bandwidth)
        x = np.linspace(start, end, POINTS)
        y = _between(x, np.linspace(low, high, _GRID), curve)
    return Density(x, y) if np.isfinite(y).all() else None


def bandwidth_nrd0(values: Doubles, counts: Doubles) -> float:
    """Return Silverman's rule of thumb: 0.9 times the smaller spread times n^(-1/5)."""
    cases = counts.sum()
    exact = values.astype(np.longdouble)  # R sums so; mean and variance themselves are doubles
    mean = float((exact * counts).sum() / cases)
    variance = float((counts * (exact - mean) ** 2).sum() / (cases - 1))
    deviation = math.sqrt(variance)
    ends = np.cumsum(counts)
    spread = _quantile(values, ends, 0.75) - _quantile(values, ends, 0.25)
    narrow = min(deviation, spread / 1.34) or deviation or abs(float(values[0])) or 1.0
    return float(0.9 * narrow * cases**-0.2)


def _quantile(values: Doubles, ends: Doubles, share: float) -> float:
    """Return R's default quantile (type 7)."""
    place = (ends[-1] - 1) * share
    below = np.floor(place + 4 * np.finfo(np.float64).eps)
    lower, upper = values[np.searchsorted(ends, [below, below + 1], side="right").clip(
        max=len(values) - 1
    )]  # fmt: skip
    part = place - below
    is_whole = abs(part) < 4 * np.finfo(np.float64).eps
    return float(lower if is_whole else lower + part * (upper - lower))


def _shared(values: Doubles, weights: Doubles, low: float, high: float) -> Doubles:
    """Share each weight between the two grid points around its value (R's BinDist)."""
    places = (values - low) / ((high - low) / (_GRID - 1))
    whole = np.floor(places).astype(np.int64)
    part = places - whole
    mass = np.zeros(2 * _GRID)
    mass += np.bincount(whole, weights * (1 - part), minlength=2 * _GRID)
    mass += np.bincount(whole + 1, weights * part, minlength=2 * _GRID)
    return mass


def _smoothed(mass: Doubles, width: float, bandwidth: float) -> Doubles:
    """Convolve with the Gaussian kernel; both are periodic over twice the grid."""
    distances = np.linspace(0, 2 * width, 2 * _GRID)
    distances[_GRID + 1 :] = -distances[_GRID - 1 : 0 : -1]
    kernel = np.exp(-0.5 * (distances / bandwidth) ** 2) / (bandwidth * np.sqrt(2 * np.pi))
    product = np.fft.fft(mass) * np.conj(np.fft.fft(kernel))
    return np.maximum(np.fft.ifft(product).real[:_GRID], 0.0)


def _between(x: Doubles, grid: Doubles, curve: Doubles) -> Doubles:
    """Read a curve off between its points (R's approx), whose slope alone may be no double."""
    points, which = np.unique(grid, return_inverse=True)  # doubles near 1e15 are coarse
    heights = np.bincount(which, curve) / np.bincount(which)
    left = np.clip(np.searchsorted(points, x, side="right") - 1, 0, len(points) - 2)
    part = (x - points[left]) / (points[left + 1] - points[left])
    return heights[left] + (heights[left + 1] - heights[left]) * part
