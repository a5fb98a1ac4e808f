"""The values of a numeric column, kept narrow until the column is described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[Any]

_NARROW: Final = (np.int8, np.int16, np.int32)


class ColumnStore:
    """Values of one column, block by block; none is missing or NaN.

    The one place that knows where they are: a column too large for memory can go to a typed
    file of its own from here.
    """

    def __init__(self) -> None:
        self._blocks: list[Numbers] = []

    def append(self, values: Numbers) -> None:
        """Add values of one NumPy type, the same in every call; they are copied."""
        if len(values):
            self._blocks.append(narrowed(values))

    def concatenated(self) -> Numbers:
        """Return all values, in a type that holds every one exactly; the store is empty then."""
        blocks, self._blocks = self._blocks, []
        if not blocks:
            return np.empty(0, np.int8)
        return np.concatenate(blocks)


def narrowed(values: Numbers) -> Numbers:
    """Return a copy in the smallest type that holds all values, and the sign of a zero."""
    low, high = values.min(), values.max()
    if values.dtype.kind == "f":
        if not (low >= -(2**31) and high < 2**31):
            return values.copy()
        integers = values.astype(np.int32)
        if not np.array_equal(integers, values) or has_negative_zero(values):
            return values.copy()
        values = integers
    elif values.dtype == np.uint64:
        return values.copy()  # NumPy has no integer for it and a signed one together
    for narrow in _NARROW:
        if np.iinfo(narrow).min <= low and high <= np.iinfo(narrow).max:
            return values.astype(narrow)
    return values.copy()


def has_negative_zero(values: Numbers) -> bool:
    """Whether -0.0 is among floats."""
    return bool(is_negative_zero(values).any())


def is_negative_zero(values: Numbers) -> npt.NDArray[np.bool_]:
    """Tell where floats are -0.0."""
    bits = values.view(f"i{values.dtype.itemsize}")
    found: npt.NDArray[np.bool_] = bits == np.iinfo(bits.dtype).min
    return found
