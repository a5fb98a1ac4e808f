"""One text column: blocks go in, its settled variable, counts and UNF come out."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.describe.frequencies import TagCounter, category_text
from tabkit.describe.readback import read_texts
from tabkit.describe.settle import DatedUnf, PlainUnf, settled_interval
from tabkit.describe.texts import DISTINCT_TEXTS
from tabkit.frozen import changed
from tabkit.model import OTHERS_LISTED, SummaryStats, VariableDescription

if TYPE_CHECKING:
    from tabkit.describe.accumulate import Distinct
    from tabkit.describe.settle import Hasher
    from tabkit.model import Value, Variable
    from tabkit.profiles import Profile, TabLayout


class TextColumn:
    """Text; also dates and times that a profile with ``dates_as_text`` keeps as text."""

    def __init__(
        self, variable: Variable, profile: Profile, layout: TabLayout, hasher: Hasher
    ) -> None:
        self._variable, self._profile = variable, profile
        self._escaped = "" if variable.bare else layout.escaped
        is_dated = variable.bare and profile.dates_as_text and bool(variable.format_category)
        self._unf = DatedUnf(variable, layout, hasher) if is_dated else PlainUnf(hasher)
        values = {category_text(category.value) for category in variable.categories}
        values.update(value for value in variable.missing_values if isinstance(value, str))
        self._known = pa.array(sorted(values), pa.large_string())
        self._known_counts = np.zeros(len(values), np.int64)
        self._distinct: Counter[str] | None = Counter() if profile.character_counts else None
        self._tags = TagCounter()
        self._cases = self._nulls = 0
        self.distinct: Distinct = None

    def append(self, array: pa.Array, tags: pa.Int8Array | None) -> None:
        """Add cases."""
        self._cases += len(array)
        self._nulls += array.null_count
        self._tags.add(tags, array)
        if self._profile.nan_is_missing:
            array = read_texts(array, self._escaped)
        self._unf.update(array)
        if len(self._known):
            places = pc.index_in(array, self._known, skip_nulls=True).drop_null().to_numpy()
            self._known_counts += np.bincount(places, minlength=len(self._known))
        if self._distinct is not None:
            self._count_distinct(array)

    def finish(self) -> tuple[Variable, VariableDescription]:
        """Return the settled variable and what was computed of it."""
        variable, unf = self._unf.finish(self._variable)
        variable = changed(
            variable, interval=settled_interval(variable, self._profile, has_fraction=False)
        )
        known = dict(zip(self._known.to_pylist(), self._known_counts.tolist(), strict=True))
        tags = self._tags.counts()
        declared = {value for value in variable.missing_values if isinstance(value, str)}
        user_missing = sum(known[value] for value in declared)
        missing = declared if self._profile.user_missing_invalid else set()
        valid = self._cases - self._nulls - sum(known[value] for value in missing)
        if self._distinct is not None:
            pairs = self._distinct.items()
            self.distinct = tuple(sorted(pair for pair in pairs if pair[0] not in missing))
        labelled = {category_text(each.value) for each in variable.categories} - missing
        described = VariableDescription(
            stats=self._statistics(valid, missing),
            frequencies=tuple(known[category_text(each.value)] for each in variable.categories),
            unf=unf,
            others=self._others(labelled | missing) if variable.categories else (),
            other_cases=(
                valid - sum(known[value] for value in labelled) if variable.categories else 0
            ),
            system_missing=self._nulls - sum(tags.values()),
            user_missing=user_missing,
            tagged=tuple(tags.items()),
        )
        return variable, described

    def _count_distinct(self, array: pa.LargeStringArray) -> None:
        pairs = pc.value_counts(array.drop_null())
        if self._distinct is None or len(pairs) > DISTINCT_TEXTS:
            self._distinct = None
            return
        texts, counts = pairs.flatten()
        for text, count in zip(texts.to_pylist(), counts.to_pylist(), strict=True):
            self._distinct[text] += count
        if len(self._distinct) > DISTINCT_TEXTS:
            self._distinct = None

    def _statistics(self, valid: int, missing: set[str]) -> SummaryStats:
        if not self._profile.character_counts:
            return SummaryStats()
        mode = None
        if self._profile.mode_computed and self._distinct:
            found = ((count, text) for text, count in self._distinct.items() if text not in missing)
            mode = min(((-count, text) for count, text in found), default=(0, None))[1]
        return SummaryStats(mode=mode, valid=valid, invalid=self._cases - valid)

    def _others(self, known: set[str]) -> tuple[tuple[Value, int], ...]:
        distinct = self._distinct or Counter()
        rest = sorted(text for text in distinct if text not in known)
        return tuple((text, distinct[text]) for text in rest[:OTHERS_LISTED])
