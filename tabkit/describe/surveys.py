"""What the numbers of a block are like, and the same numbers in the narrowest type.

Compiled where the kernels are built; `store.narrowed` and NumPy are the twins.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from tabkit import _native
from tabkit.describe.columns import values_and_missing
from tabkit.describe.store import is_negative_zero, narrowed

if _native.AVAILABLE:
    from tabkit._native import arrays, core

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    Numbers = npt.NDArray[Any]

_NARROW: Final = ((2**7, "c", np.int8), (2**15, "s", np.int16), (2**31, "i", np.int32))
_OWN: Final = {"l": np.int64, "L": np.uint64, "f": np.float32, "g": np.float64}


class Survey(NamedTuple):
    """What the numbers of an array are like.

    Attributes:
        numbers: How many are there and not NaN.
        negative_zeros: How many of them are -0.0.
        has_fraction: Whether a finite one is not whole.
        low: The least, None where there is none.
        high: The greatest.
    """

    numbers: int
    negative_zeros: int
    has_fraction: bool
    low: float | None
    high: float | None


def survey(array: pa.Array) -> tuple[Survey, Numbers]:
    """Return what integers or floats are like, and those that are there and not NaN, narrowed.

    Args:
        array: Null is missing.
    """
    if not _native.AVAILABLE:
        return _survey_plainly(array)
    given = arrays.described(array)
    assert given is not None, array.type
    numbers, _, zeros, has_fraction, low, high = core.survey(given)
    found = Survey(numbers, zeros, has_fraction, low, high)
    target, kind = _target(given[0], found)
    return found, np.frombuffer(core.narrow(given, target), kind)


def _target(own: str, found: Survey) -> tuple[str, npt.DTypeLike]:
    """Return the narrowest format that holds all numbers, and the sign of a zero."""
    if own == "L":  # NumPy has no integer for it and a signed one together
        return own, np.uint64
    if found.low is not None and found.high is not None:
        is_whole = not found.has_fraction and not found.negative_zeros
        for end, target, kind in _NARROW:
            if is_whole and -end <= found.low and found.high < end:
                return target, kind
    elif own not in _OWN:
        return "c", np.int8
    return (own, _OWN[own]) if own in _OWN else ("l", np.int64)


def _survey_plainly(array: pa.Array) -> tuple[Survey, Numbers]:
    values, missing = values_and_missing(array)
    present = values if missing is None else values[~missing]
    if values.dtype.kind != "f":
        low, high = (present.min().item(), present.max().item()) if len(present) else (None, None)
        return Survey(len(present), 0, False, low, high), _narrow(present)
    present = present[~np.isnan(present)]
    low, high = (present.min().item(), present.max().item()) if len(present) else (None, None)
    with np.errstate(invalid="ignore"):
        fractions = (present != np.rint(present)) & np.isfinite(present)
    zeros = int(np.count_nonzero(is_negative_zero(present)))
    return Survey(len(present), zeros, bool(fractions.any()), low, high), _narrow(present)


def _narrow(present: Numbers) -> Numbers:
    return narrowed(present) if len(present) else present
