"""One column of dates, times or durations: blocks go in, its variable, counts and UNF come out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from tabkit.describe.columns import values_and_missing
from tabkit.describe.frequencies import TagCounter
from tabkit.describe.moments import moment_text
from tabkit.describe.settle import TwinHasher, settled_interval
from tabkit.describe.stats import Tally, mode_of
from tabkit.describe.store import narrowed
from tabkit.describe.texts import DISTINCT_TEXTS
from tabkit.frozen import changed
from tabkit.model import OTHERS_LISTED, Kind, SummaryStats, VariableDescription

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from tabkit.describe.accumulate import Distinct
    from tabkit.describe.settle import Hasher
    from tabkit.describe.store import ColumnStore
    from tabkit.model import Value, Variable
    from tabkit.profiles import Profile

_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_DAY: Final = 86_400
_SPSS_EPOCH: Final = -141_428  # days from 1970 to 1582-10-14, where SPSS' seconds begin


class MomentColumn:
    """Dates and times of Arrow's types; character variables in DDI.

    Categories and missing values are given as text, as an archival table shows them
    (``YYYY-MM-DD HH:MM:SS``); missing ranges in SPSS' seconds, as only SPSS has any.
    """

    def __init__(
        self, variable: Variable, profile: Profile, hasher: Hasher, store: ColumnStore
    ) -> None:
        self._variable, self._profile = variable, profile
        self._kind: pa.DataType = pa.date32()
        self._unf = TwinHasher(hasher)
        self._store = store
        self._tags = TagCounter()
        self._cases = self._nulls = 0
        self.distinct: Distinct = None

    def append(self, array: pa.Array, tags: pa.Int8Array | None) -> None:
        """Add cases."""
        self._kind = array.type
        self._cases += len(array)
        self._nulls += array.null_count
        self._tags.add(tags, array)
        self._unf.update(array)
        values, missing = values_and_missing(array)
        present = values if missing is None else values[~missing]
        if len(present):
            self._store.count(narrowed(present))

    def finish(self) -> tuple[Variable, VariableDescription]:
        """Return the settled variable and what was computed of it."""
        character = changed(self._variable, kind=Kind.CHARACTER)
        interval = settled_interval(character, self._profile, has_fraction=False)
        variable = changed(self._variable, interval=interval)
        counted = self._store.tally()
        is_missing = self._missing_mask(counted)
        valid = counted.only(~is_missing) if self._profile.user_missing_invalid else counted
        if len(valid.values) <= DISTINCT_TEXTS:
            self.distinct = tuple((str(text), count) for text, count in self._pairs(valid))
        tags = self._tags.counts()
        known = dict(self._pairs(counted)) if variable.categories else {}
        labelled = {self._cell_text(category.value) for category in variable.categories}
        others = [pair for pair in self._pairs(valid) if pair[0] not in labelled] if known else []
        described = VariableDescription(
            stats=self._statistics(valid),
            frequencies=tuple(
                known.get(self._cell_text(each.value), tags.get(str(each.value), 0))
                for each in variable.categories
            ),
            unf=self._unf.unf(),
            others=tuple(others[:OTHERS_LISTED]),
            other_cases=sum(count for _, count in others),
            system_missing=self._nulls - sum(tags.values()),
            user_missing=int(counted.counts[is_missing].sum()),
            tagged=tuple(tags.items()),
        )
        return variable, described

    def _cell_text(self, value: Value) -> Value:
        """Return how a code shows among the cells: a column of dates has no time of day."""
        is_dated = isinstance(value, str) and pa.types.is_date32(self._kind)
        return str(value)[: len("YYYY-MM-DD")] if is_dated else value

    def _missing_mask(self, counted: Tally) -> npt.NDArray[np.bool_]:
        mask = np.zeros(len(counted.values), np.bool_)
        if self._variable.missing_values:
            declared = {self._cell_text(value) for value in self._variable.missing_values}
            missing = (text in declared for text, _ in self._pairs(counted))
            mask |= np.fromiter(missing, np.bool_, len(mask))
        for span in self._variable.missing_ranges:
            seconds = self._spss_seconds(counted.values)
            mask |= (seconds >= span.low) & (seconds <= span.high)
        return mask

    def _spss_seconds(self, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        if pa.types.is_date32(self._kind):
            return (values.astype(np.float64) - _SPSS_EPOCH) * _DAY
        seconds = values / _UNITS[self._kind.unit]
        if pa.types.is_timestamp(self._kind):
            seconds -= _SPSS_EPOCH * _DAY
        return np.asarray(seconds, np.float64)

    def _statistics(self, valid: Tally) -> SummaryStats:
        if not self._profile.character_counts:
            return SummaryStats()
        mode = mode_of(valid) if self._profile.mode_computed else None
        return SummaryStats(
            mode=None if mode is None else self._text(int(mode)),
            valid=valid.cases,
            invalid=self._cases - valid.cases,
        )

    def _pairs(self, counted: Tally) -> Iterator[tuple[Value, int]]:
        for value, count in zip(counted.values.tolist(), counted.counts.tolist(), strict=True):
            yield self._text(value), count

    def _text(self, value: int) -> str:
        return moment_text(value, self._kind, separator=" ")
