"""How many cases have each category: distinct values and counts go in, counts come out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.compute as pc

from tabkit.model import OTHERS_LISTED, TAG_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from tabkit.describe.stats import Tally
    from tabkit.model import Category, Value, Variable

    Flags = npt.NDArray[np.bool_]

_FEW: Final = 256  # distinct values that are looked up without NumPy
_DOUBLES_END: Final = 2**1024


class TagCounter:
    """Counts the missing tags of one column."""

    def __init__(self) -> None:
        self._counts = np.zeros(len(TAG_LETTERS), np.int64)

    def add(self, tags: pa.Int8Array | None, array: pa.Array) -> None:
        """Count the tags of the cases that are null in ``array``."""
        if tags is not None:
            chosen = pc.fill_null(tags, 0).filter(pc.is_null(array))
            self._counts += np.bincount(chosen.to_numpy(), minlength=len(TAG_LETTERS))

    def counts(self) -> dict[str, int]:
        """Return the tags that occur in order of letter, ``{".a": 3}``."""
        pairs = zip(TAG_LETTERS, self._counts.tolist(), strict=True)
        return {f".{letter}": count for letter, count in pairs if count and letter != " "}


def category_text(value: Value) -> str:
    """Return a category's value as the text a column may hold: whole numbers without a point."""
    if isinstance(value, str):
        return value
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)


def number_frequencies(
    categories: Sequence[Category], counted: Tally, tags: Mapping[str, int]
) -> tuple[int, ...]:
    """Count the cases equal to each category, numbers by value and text as a missing tag."""
    values = [category.value for category in categories]
    places = places_of(counted.values, values)
    return tuple(
        (tags.get(value, 0) if isinstance(value, str) else 0)
        if place is None
        else int(counted.counts[place])
        for value, place in zip(values, places, strict=True)
    )


def single_frequencies(
    categories: Sequence[Category], counted: Tally, negative_zeros: int
) -> tuple[int, ...]:
    """Count as Dataverse does: all numbers in single precision, -0 other than 0.

    Args:
        categories: Text is no number and counts nothing.
        counted: All values; zeros of both signs are one.
        negative_zeros: How many of the zeros are negative.

    Source: IQSS/dataverse b485249231fe, IngestServiceBean.produceFrequencies.
    """
    with np.errstate(over="ignore"):
        keys = counted.values.astype(np.float32)
    ends = np.concatenate([[0], np.cumsum(counted.counts)])
    return tuple(
        0
        if isinstance(category.value, str)
        else _single_count(keys, ends, category.value, negative_zeros)
        for category in categories
    )


def missing_mask(variable: Variable, values: npt.NDArray[Any]) -> Flags:
    """Tell which of some distinct numbers in ascending order are user-missing."""
    mask = np.zeros(len(values), np.bool_)
    for place in places_of(values, variable.missing_values):
        if place is not None:
            mask[place] = True
    for span in variable.missing_ranges:
        mask |= (values >= span.low) & (values <= span.high)
    return mask


def others_of(
    categories: Sequence[Category], valid: Tally
) -> tuple[tuple[tuple[float, int], ...], int]:
    """Return the valid numbers without a category with their counts, and how many cases."""
    if not categories:
        return (), 0
    is_other = np.ones(len(valid.values), np.bool_)
    for place in places_of(valid.values, [category.value for category in categories]):
        if place is not None:
            is_other[place] = False
    rest = valid.only(is_other)
    listed = zip(
        rest.values[:OTHERS_LISTED].tolist(), rest.counts[:OTHERS_LISTED].tolist(), strict=True
    )
    return tuple(listed), rest.cases


def places_of(values: npt.NDArray[Any], wanted: Sequence[Value]) -> list[int | None]:
    """Return where each wanted number stands in ascending ones, None where it does not.

    Numbers are compared by value, exactly, integers with floats too; text stands nowhere.
    """
    result: list[int | None] = [None] * len(wanted)
    if not wanted:
        return result
    if len(values) <= _FEW:  # Python compares numbers of all kinds exactly, too
        index = dict(zip(values.tolist(), range(len(values)), strict=True))
        return [index.get(value) for value in wanted]
    keys = [_as_one_of(values.dtype, value) for value in wanted]
    asked = [index for index, key in enumerate(keys) if key is not None]
    sought = np.array([keys[index] for index in asked], values.dtype)
    places = np.searchsorted(values, sought)
    if len(values):
        is_found = values[np.minimum(places, len(values) - 1)] == sought
        for index, place, found in zip(asked, places.tolist(), is_found.tolist(), strict=True):
            result[index] = place if found else None
    return result


def _as_one_of(kind: np.dtype[Any], value: Value) -> float | None:
    """Return the number in the kind of others if that holds it exactly."""
    if isinstance(value, str) or not math.isfinite(value):
        return value if kind.kind == "f" and not isinstance(value, str) else None
    if kind.kind == "f":
        return float(value) if abs(value) < _DOUBLES_END and float(value) == value else None
    whole = int(value)
    bounds = np.iinfo(kind)
    return whole if whole == value and bounds.min <= whole <= bounds.max else None


def _single_count(
    keys: npt.NDArray[np.float32],
    ends: npt.NDArray[np.int64],
    value: float,
    negative_zeros: int,
) -> int:
    with np.errstate(over="ignore"):
        key = np.float32(value)
    first, last = np.searchsorted(keys, key, "left"), np.searchsorted(keys, key, "right")
    cases = int(ends[last] - ends[first])
    if key == 0:
        return negative_zeros if np.signbit(key) else cases - negative_zeros
    return cases
