"""A short column of numbers: all its cases go in at once, its description comes out.

A table of very many columns has few cases in each, and what Python does for a column is most of
its cost. `number_column` is the twin that takes any number of cases and follows every profile.
"""

from __future__ import annotations

import array
import math
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from tabkit import _native
from tabkit.alike import by_identity
from tabkit.describe.settle import settled_interval
from tabkit.describe.stats import Tally
from tabkit.describe.unf import fingerprint
from tabkit.frozen import changed
from tabkit.model import OTHERS_LISTED, SummaryStats, VariableDescription

if _native.AVAILABLE:
    from tabkit._native import arrays, core

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from tabkit.model import Category, MissingRange, Value, Variable
    from tabkit.profiles import Profile

_EXACT: Final = 2**53
_KINDS: Final = {"l": np.int64, "g": np.float64}


class Short(NamedTuple):
    """A finished column.

    Attributes:
        variable: Settled.
        described: What was computed of it.
        distinct: Its distinct valid values, None where they were not asked for.
    """

    variable: Variable
    described: VariableDescription
    distinct: Tally | None


def is_plain(profile: Profile) -> bool:
    """Whether a profile takes the numbers of an Arrow column as they are."""
    return not (profile.nan_is_missing or profile.commons_math or profile.float_frequencies
                or profile.float_format) and profile.mode_computed  # fmt: skip


def describe_short(
    column: pa.Array,
    variable: Variable,
    profile: Profile,
    *,
    digits: int,
    characters: int,
    keep: bool,
) -> Short | None:
    """Describe a column of numbers that comes in one piece.

    Args:
        column: Of a type that `columns.plain` gives; short, as it is gone through several times.
        variable: Numeric or not.
        profile: One that `is_plain`.
        digits: Significant digits of a number in the UNF.
        characters: For the header of the UNF only.
        keep: Whether the distinct values are wanted.

    Returns:
        None where it takes the general way: no numbers, no compiled kernels, integers or codes
        that are not exact as doubles, or statistics that the kernel leaves to NumPy.
    """
    if not _native.AVAILABLE or (given := arrays.described(column)) is None:
        return None
    if given[0] not in arrays.NUMBERS:
        return None
    meant = _meaning(variable.categories, variable.missing_values, variable.missing_ranges)
    if meant is None:
        return None
    found = core.outline(given, *meant, profile.user_missing_invalid, OTHERS_LISTED, keep)
    if found is None:
        return None
    has_fraction, (stats, frequencies, others, other_cases, nulls, missing, distinct) = found
    unf = ""
    if len(column):
        normal = core.normalize(given, min(digits, arrays.MOST_DIGITS), characters)
        unf = fingerprint(normal, digits, characters)
    interval = settled_interval(variable, profile, has_fraction=has_fraction)
    if interval is not variable.interval:
        variable = changed(variable, interval=interval)
    described = VariableDescription(
        SummaryStats(*stats), frequencies, unf, others, other_cases, nulls, missing
    )
    return Short(variable, described, None if distinct is None else _tally(*distinct))


def _tally(kind: str, values: bytes, counts: bytes) -> Tally:
    return Tally(np.frombuffer(values, _KINDS[kind]), np.frombuffer(counts, np.int64))


@by_identity(3)
def _meaning(
    categories: tuple[Category, ...],
    missing_values: tuple[Value, ...],
    missing_ranges: tuple[MissingRange, ...],
) -> tuple[array.array[float], array.array[float], array.array[float]] | None:
    """Return codes, missing values and spans as doubles, None where one would not be exact."""
    ends = [end for span in missing_ranges for end in (span.low, span.high)]
    numbers = [category.value for category in categories]
    if not all(map(_is_exact, (*numbers, *missing_values, *ends))):
        return None
    return _doubles(numbers), _doubles(missing_values), _doubles(ends)


def _is_exact(value: Value) -> bool:
    return not isinstance(value, int) or abs(value) <= _EXACT


def _doubles(values: Iterable[Value]) -> array.array[float]:
    """Return doubles; text, as a tag of missing numbers, equals none."""
    return array.array("d", [math.nan if isinstance(each, str) else each for each in values])
