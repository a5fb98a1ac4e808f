"""The accumulator of each column, by what its Arrow type holds.

All that is computed depends on the cases alone, not on how they were cut into blocks.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import pyarrow as pa

from tabkit.describe.columns import is_moment, is_text
from tabkit.describe.moment_column import MomentColumn
from tabkit.describe.number_column import NumberColumn
from tabkit.describe.text_column import TextColumn
from tabkit.model import Kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabkit.describe.settle import Hasher
    from tabkit.describe.stats import Tally
    from tabkit.describe.store import ColumnStore
    from tabkit.model import Variable, VariableDescription
    from tabkit.profiles import Profile, TabLayout


#: Distinct valid values of a finished column and their counts; None where it has too many texts.
Distinct: TypeAlias = "Tally | tuple[tuple[str, int], ...] | None"
Observer: TypeAlias = "Callable[[Variable, VariableDescription, Distinct], None]"


class Column(Protocol):
    """What every accumulator does."""

    distinct: Distinct

    def append(self, array: pa.Array, tags: pa.Int8Array | None) -> None:
        """Add cases, of the type `columns.plain` gives, and their missing tags if any."""

    def finish(self) -> tuple[Variable, VariableDescription]:
        """Return the settled variable and what was computed of it; the column is used up."""


def column_for(
    kind: pa.DataType,
    variable: Variable,
    profile: Profile,
    layout: TabLayout,
    hasher: Hasher,
    store: ColumnStore,
) -> Column:
    """Return the accumulator of a column of an Arrow type; hasher and store are still empty."""
    if is_text(kind):
        if variable.bare and variable.kind is Kind.NUMERIC:
            return NumberColumn(variable, profile, layout, hasher, store)
        return TextColumn(variable, profile, layout, hasher)
    if is_moment(kind):
        return MomentColumn(variable, profile, hasher, store)
    return NumberColumn(
        variable, profile, layout, hasher, store, is_single=pa.types.is_float32(kind)
    )
