"""How many cases have each category: distinct values and counts go in, counts come out."""

from __future__ import annotations

import bisect
import dataclasses
import itertools
import math
import operator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow.compute as pc

from tabkit.model import OTHERS_LISTED, TAG_LETTERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from tabkit.describe.stats import Tally
    from tabkit.model import Category, MissingRange, Value, Variable

_VALUE: Final = operator.attrgetter("value")
_FEW: Final = 256  # distinct values that are sorted without NumPy
_DOUBLES_END: Final = 2**1024


class TagCounter:
    """Counts the missing tags of one column."""

    def __init__(self) -> None:
        self._counts: npt.NDArray[np.int64] | None = None

    def add(self, tags: pa.Int8Array | None, array: pa.Array) -> None:
        """Count the tags of the cases that are null in ``array``."""
        if tags is not None:
            chosen = pc.fill_null(tags, 0).filter(pc.is_null(array))
            counts = np.bincount(chosen.to_numpy(), minlength=len(TAG_LETTERS))
            self._counts = counts if self._counts is None else self._counts + counts

    def counts(self) -> dict[str, int]:
        """Return the tags that occur in order of letter, ``{".a": 3}``."""
        if self._counts is None:
            return {}
        pairs = zip(TAG_LETTERS, self._counts.tolist(), strict=True)
        return {f".{letter}": count for letter, count in pairs if count and letter != " "}


def category_text(value: Value) -> str:
    """Return a category's value as the text a column may hold: whole numbers without a point."""
    if isinstance(value, str):
        return value
    return str(int(value)) if isinstance(value, int) or value.is_integer() else repr(value)


@dataclasses.dataclass(frozen=True, slots=True)
class Breakdown:
    """What the numbers of a variable are by its categories and missing values.

    Attributes:
        frequencies: How many cases equal each category, numbers by value and text as a tag.
        user_missing: Cases whose number is declared missing.
        valid: The numbers without those, where these are invalid; else all.
        others: Valid numbers without a category and their counts, in order of value, at most
            `OTHERS_LISTED`; none where the variable has no categories.
        other_cases: How many cases have such numbers in all.
    """

    frequencies: tuple[int, ...]
    user_missing: int
    valid: Tally
    others: tuple[tuple[float, int], ...]
    other_cases: int


def break_down(
    variable: Variable, counted: Tally, tags: Mapping[str, int], *, missing_is_invalid: bool
) -> Breakdown:
    """Sort the numbers of a variable by its categories and missing values.

    Numbers are compared by value, exactly, integers with floats too.

    Args:
        variable: Its ``categories``, ``missing_values`` and ``missing_ranges`` are asked.
        counted: All numbers.
        tags: How often each missing tag occurs.
        missing_is_invalid: Whether user-missing numbers are invalid.
    """
    do = _of_few if len(counted.values) <= _FEW else _of_many
    return do(variable, counted, tags, missing_is_invalid)


def _of_few(
    variable: Variable, counted: Tally, tags: Mapping[str, int], missing_is_invalid: bool
) -> Breakdown:
    """Do it in plain Python, which compares numbers of all kinds exactly; NumPy starts slower."""
    values = counted.values.tolist()
    known: dict[Any, int] = dict(zip(values, counted.counts.tolist(), strict=True))
    codes = list(map(_VALUE, variable.categories))
    frequencies = tuple(map(known.get, codes, itertools.repeat(0)))
    if tags:
        frequencies = tuple(map(operator.add, frequencies, _tagged(codes, tags)))
    missing = {value for value in variable.missing_values if value in known}
    for span in variable.missing_ranges:
        if span.low <= span.high:  # no end is NaN
            first = bisect.bisect_left(values, span.low)
            missing.update(values[first : bisect.bisect_right(values, span.high)])
    user_missing = sum([known[value] for value in missing])
    valid = counted
    if missing and missing_is_invalid:
        valid = counted.at([at for at, value in enumerate(values) if value not in missing])
        for value in missing:
            del known[value]
    others: list[tuple[float, int]] = []
    if codes and not (labelled := set(codes)).issuperset(known):
        others = [pair for pair in known.items() if pair[0] not in labelled]
    return Breakdown(
        frequencies,
        user_missing,
        valid,
        tuple(others[:OTHERS_LISTED]),
        sum([count for _, count in others]),
    )


def _of_many(
    variable: Variable, counted: Tally, tags: Mapping[str, int], missing_is_invalid: bool
) -> Breakdown:
    """Do it with NumPy, which takes no object for each of the numbers."""
    values, counts = counted.values, counted.counts
    codes = [category.value for category in variable.categories]
    places = _places_of(values, codes)
    found = [0 if place is None else int(counts[place]) for place in places]
    missing = np.zeros(len(values), np.bool_)
    missing[[at for at in _places_of(values, variable.missing_values) if at is not None]] = True
    for span in variable.missing_ranges:
        first, end = _ends_of(values, span)
        missing[first:end] = True
    invalid = missing if missing_is_invalid else np.zeros(len(values), np.bool_)
    is_other = ~invalid
    is_other[[place for place in places if place is not None]] = False
    rest = counted.only(is_other if codes else np.zeros(len(values), np.bool_))
    return Breakdown(
        tuple(map(operator.add, found, _tagged(codes, tags))),
        int(counts[missing].sum()),
        counted.only(~invalid),
        tuple(
            zip(
                rest.values[:OTHERS_LISTED].tolist(),
                rest.counts[:OTHERS_LISTED].tolist(),
                strict=True,
            )
        ),
        rest.cases,
    )


def _ends_of(values: npt.NDArray[Any], span: MissingRange) -> tuple[int, int]:
    """Return where a span begins and ends among ascending numbers.

    Python compares integers and doubles exactly, NumPy after making doubles of both.
    """
    if not span.low <= span.high:  # an end is NaN
        return 0, 0
    key = operator.methodcaller("item")
    return (
        bisect.bisect_left(values, span.low, key=key),
        bisect.bisect_right(values, span.high, key=key),
    )


def _tagged(codes: Sequence[Value], tags: Mapping[str, int]) -> list[int]:
    return [tags.get(code, 0) if isinstance(code, str) else 0 for code in codes]


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


def _places_of(values: npt.NDArray[Any], wanted: Sequence[Value]) -> list[int | None]:
    """Return where each wanted number stands in ascending ones, None where it does not."""
    keys = [_as_one_of(values.dtype, value) for value in wanted]
    asked = [index for index, key in enumerate(keys) if key is not None]
    sought = np.array([keys[index] for index in asked], values.dtype)
    places = np.searchsorted(values, sought)
    is_found = values[np.minimum(places, len(values) - 1)] == sought
    result: list[int | None] = [None] * len(wanted)
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
