"""One numeric column: blocks go in, its settled variable, statistics, counts and UNF come out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from tabkit.describe.columns import is_text, values_and_missing
from tabkit.describe.frequencies import TagCounter, break_down, single_frequencies
from tabkit.describe.readback import read_doubles, read_longs
from tabkit.describe.settle import TwinHasher, settled_interval
from tabkit.describe.stats import Tally, moments_in_order, summarize, tally
from tabkit.describe.store import is_negative_zero
from tabkit.describe.surveys import survey
from tabkit.frozen import changed
from tabkit.model import Interval, VariableDescription
from tabkit.profiles import NumberText

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabkit.describe.accumulate import Distinct
    from tabkit.describe.settle import Hasher
    from tabkit.describe.store import ColumnStore
    from tabkit.model import SummaryStats, Variable
    from tabkit.profiles import Profile, TabLayout

    Numbers = npt.NDArray[Any]
    Flags = npt.NDArray[np.bool_]

_LONG_END: Final = 2.0**63  # Java's longs end below it
_FLOATS: Final = (pa.float64().id, pa.float32().id)


class NumberColumn:
    """Numbers, in Arrow or as the text that a profile with ``numbers_as_printed`` keeps.

    Where ``nan_is_missing``, numbers are what Dataverse reads back from its own table: NaN and
    printed infinities are missing, and a discrete variable has Java longs, without -0 and
    nothing from 2**63 on. If only the values tell whether it is discrete, both ways are followed.
    """

    def __init__(
        self,
        variable: Variable,
        profile: Profile,
        layout: TabLayout,
        hasher: Hasher,
        store: ColumnStore,
        *,
        is_single: bool = False,
    ) -> None:
        self._variable, self._profile, self._is_single = variable, profile, is_single
        self._read_back = profile.nan_is_missing
        self._finite_only = self._read_back and layout.numbers is not NumberText.SHORTEST
        self._longs = self._read_back and layout.numbers is NumberText.DECIMAL
        self._unf = TwinHasher(hasher)
        self._store = store
        self._tags = TagCounter()
        self._cases = self._nulls = self._negative_zeros = 0
        self._has_fraction = False
        self._type: type[float] = int
        self.distinct: Distinct = None

    def append(self, array: pa.Array, tags: pa.Int8Array | None) -> None:
        """Add cases."""
        is_printed = is_text(array.type)
        if is_printed:
            is_long = self._variable.interval is Interval.DISCRETE
            array = read_longs(array) if is_long else read_doubles(array)
        self._cases += len(array)
        self._nulls += array.null_count
        self._tags.add(tags, array)
        if not self._read_back and not self._profile.commons_math:
            self._append_plainly(array)
            return
        values, missing = values_and_missing(array)
        if values.dtype.kind != "f":
            self._unf.update(array)
        else:
            self._type = float
            missing = self._append_floats(array, values, missing, is_printed=is_printed)
        present = values if missing is None else values[~missing]
        self._store.append(present)

    def finish(self) -> tuple[Variable, VariableDescription]:
        """Return the settled variable and what was computed of it."""
        interval = settled_interval(self._variable, self._profile, has_fraction=self._has_fraction)
        is_long = self._longs and interval is Interval.DISCRETE
        in_order = None
        if self._profile.commons_math:
            values = self._store.concatenated()
            in_order = self._moments_in_order(values, is_long=is_long)
            counted = tally(values)
        else:
            counted = self._store.tally()
        tags = self._tags.counts()
        invalid = self._profile.user_missing_invalid
        parts = break_down(self._variable, counted, tags, missing_is_invalid=invalid)
        valid = parts.valid
        if is_long and valid.values.dtype.kind == "f":
            valid = valid.only(np.abs(valid.values) < _LONG_END)
        self.distinct = valid
        frequencies = parts.frequencies
        if self._profile.float_frequencies:
            categories = self._variable.categories
            frequencies = single_frequencies(categories, counted, self._negative_zeros)
        described = VariableDescription(
            stats=self._statistics(valid, in_order),
            frequencies=frequencies,
            unf=self._unf.unf(second=is_long),
            others=tuple([(self._type(value), count) for value, count in parts.others]),
            other_cases=parts.other_cases,
            system_missing=self._nulls - sum(tags.values()),
            user_missing=parts.user_missing,
            tagged=tuple(tags.items()),
        )
        return self._settled(interval), described

    def _append_plainly(self, array: pa.Array) -> None:
        """Hash numbers as they are; keep, or only count, those that are no NaN."""
        self._unf.update(array)
        found, numbers = survey(array)
        if array.type.id in _FLOATS:
            self._type = float
        self._has_fraction |= found.has_fraction
        self._negative_zeros += found.negative_zeros
        self._store.count(numbers)

    def _append_floats(
        self, array: pa.Array, values: Numbers, missing: Flags | None, *, is_printed: bool
    ) -> Flags | None:
        """Hash floats; return where there is no number to count."""
        odd = np.isnan(values)
        if self._read_back and self._finite_only and not is_printed:
            odd = ~np.isfinite(values)
        if missing is not None:
            odd |= missing
        no_number = odd if odd.any() else None
        if self._read_back and no_number is not None:
            array = pa.array(values, mask=no_number, from_pandas=False)
        self._unf.update(array, self._as_longs(values, no_number))
        present = values if no_number is None else values[~no_number]
        self._negative_zeros += int(np.count_nonzero(is_negative_zero(present)))
        if not self._has_fraction:
            with np.errstate(invalid="ignore"):
                self._has_fraction = bool(
                    np.any((present != np.rint(present)) & np.isfinite(present))
                )
        return no_number

    def _as_longs(self, values: Numbers, missing: Flags | None) -> pa.Array | None:
        """Return the numbers as a discrete variable has them, None where they are the same."""
        if not self._longs or self._has_fraction or self._variable.interval is Interval.CONTINUOUS:
            return None
        with np.errstate(invalid="ignore"):
            too_large = np.abs(values) >= _LONG_END
        if missing is not None:
            too_large &= ~missing
        if not too_large.any() and not is_negative_zero(values).any():
            return None
        if missing is not None:
            too_large |= missing
        return pa.array(values + 0.0, mask=too_large, from_pandas=False)

    def _moments_in_order(self, values: Numbers, *, is_long: bool) -> tuple[float, float]:
        """Return what a profile that follows commons-math needs before values are sorted."""
        if is_long and values.dtype.kind == "f":
            values = values[np.abs(values) < _LONG_END]
        return moments_in_order(values) if len(values) else (math.nan, math.nan)

    def _statistics(self, valid: Tally, in_order: tuple[float, float] | None) -> SummaryStats:
        kind = self._type if self._profile.mode_computed else None
        return summarize(valid, self._cases, in_order=in_order, mode_type=kind)

    def _settled(self, interval: Interval) -> Variable:
        variable = self._variable
        if interval is not variable.interval:
            variable = changed(variable, interval=interval)
        if self._profile.float_format and self._is_single and self._nulls < self._cases:
            return changed(variable, display_format="float")
        return variable
