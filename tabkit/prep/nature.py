"""What kind of variable numbers look like, as the repository's script guesses it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

BARS: Final = 13  # so many distinct values and more are drawn as a curve
_LOW, _HIGH, _WHOLE = 15, 85, 100  # percentages reach below the first and above the second


def guessed_nature(values: npt.NDArray[Any]) -> str:
    """Return ``ordinal`` for whole numbers, ``percent`` or ``ratio`` for others.

    Percentages lie all within 0 and 1, or within 0 and 100 with some below 15 and above 85.
    """
    if not len(values) or not bool((values != np.rint(values)).any()):
        return "ordinal"
    low, high = values.min(), values.max()
    if low >= 0 and (high <= 1 or (high <= _WHOLE and low < _LOW and high > _HIGH)):
        return "percent"
    return "ratio"
