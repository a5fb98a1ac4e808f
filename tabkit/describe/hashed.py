"""What is hashed of a variable: the very arrays its UNF is made of, to be looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabkit.describe.accumulate import column_for
from tabkit.describe.columns import plain
from tabkit.describe.store import ColumnStore
from tabkit.profiles import find_profile
from tabkit.read import stream_of

if TYPE_CHECKING:
    import pyarrow as pa

    from tabkit.model import Table
    from tabkit.profiles import Profile


def hashed_arrays(table: Table, name: str, profile: Profile | str | None = None) -> list[pa.Array]:
    """Return one variable's cases as the profile reads them back and hashes them.

    Numbers kept as printed text are numbers again, dates in text are spelled as the UNF has them
    under the pattern that the values settled, and what the profile takes for missing is null.

    Args:
        table: Variables as the reader gave them.
        name: Of a column.
        profile: None is the profile that the table was read for.

    Returns:
        Arrow arrays with all cases in their order; memory is that of one column.
    """
    chosen = table.profile if profile is None else find_profile(profile)
    layout = chosen.tab_layout(table.origin)
    place = table.data.column_names.index(name)
    kept: list[pa.Array] = []
    kind = table.data.schema.types[place]
    column = column_for(kind, table.variables[place], chosen, layout, _Keeper(kept), ColumnStore())
    for block in stream_of(table.select([name])).blocks:
        column.append(plain(block.data.column(0)), block.missing_tags.get(name))
    column.finish()
    return kept


class _Keeper:
    """Takes the place of a hasher and keeps what it is given.

    Args:
        kept: Filled with the arrays of the copy that is asked for its UNF.
    """

    def __init__(self, kept: list[pa.Array]) -> None:
        self._kept = kept
        self._arrays: list[pa.Array] = []

    def update(self, array: pa.Array) -> None:
        self._arrays.append(array)

    def copy(self) -> _Keeper:
        twin = _Keeper(self._kept)
        twin._arrays = list(self._arrays)
        return twin

    @property
    def cases(self) -> int:
        return sum(map(len, self._arrays))

    def unf(self) -> str:
        self._kept[:] = self._arrays
        return ""
