"""Types of a sheet's columns, by all their cells, and the columns as Arrow arrays."""

from __future__ import annotations

import collections
import dataclasses
import datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from tabkit.model import Interval, Variable
from tabkit.read.kinds import typed_variable
from tabkit.read.spreadsheet_layout import cell_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabkit.read.spreadsheet_layout import Cell

#: Texts that stand for a missing value in a column of anything but text, as in `delimited_types`.
WORDS: Final = frozenset({"NA", "Na", "na", "NULL", "Null", "null"})
ERRORS: Final = frozenset(
    {"#N/A", "#DIV/0!", "#REF!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#GETTING_DATA", "#SPILL!"}
    | {f"Err:{number}" for number in range(501, 540)}  # of LibreOffice
)
_EXACT: Final = 2**53  # beyond, a sheet's numbers are no longer whole to the unit
_SPOKEN: Final = {
    str: "texts",
    float: "numbers",
    int: "numbers",
    bool: "booleans",
    datetime.date: "dates",
    datetime.datetime: "date-times",
    datetime.time: "times",
    datetime.timedelta: "durations",
}
_BY_TYPES: Final[tuple[tuple[frozenset[type], pa.DataType], ...]] = (
    (frozenset({bool}), pa.bool_()),
    (frozenset({datetime.date}), pa.date32()),
    (frozenset({datetime.date, datetime.datetime}), pa.timestamp("us")),
    (frozenset({datetime.time}), pa.time64("us")),
    (frozenset({datetime.time, datetime.timedelta}), pa.duration("us")),
    (frozenset({str}), pa.string()),
)


@dataclasses.dataclass(slots=True)
class ColumnFacts:
    """What was seen of a column so far.

    Attributes:
        types: How many filled cells are of each Python type.
        words: Texts that may stand for missing: `WORDS`.
        errors: Texts that are the names of errors: `ERRORS`.
        whole: Every number is whole and exact.
    """

    types: collections.Counter[type] = dataclasses.field(default_factory=collections.Counter)
    words: int = 0
    errors: int = 0
    whole: bool = True

    def observe(self, cells: Sequence[Cell]) -> None:
        """Look at further cells, an empty one as ``""``."""
        types = collections.Counter(map(type, cells))
        if str in types:
            types[str] -= cells.count("")
            if types[str]:
                self._observe_texts(cells)
        self.types.update(types)
        if self.whole and float in types:
            numbers = [cell for cell in cells if type(cell) is float]
            self.whole = (
                all(map(float.is_integer, numbers)) and max(map(abs, numbers), default=0) <= _EXACT
            )

    def _observe_texts(self, cells: Sequence[Cell]) -> None:
        texts = collections.Counter(cell for cell in cells if type(cell) is str)
        self.words += sum(texts[word] for word in WORDS & texts.keys())
        self.errors += sum(texts[word] for word in ERRORS & texts.keys())

    def settle(self) -> ColumnType:
        """Return the type of the column, now that all cells were seen."""
        types = +self.types
        texts = types.pop(str, 0)
        stand_ins = self.words + self.errors
        if texts and (not types or texts > stand_ins):
            types[str] = texts
            kind = pa.string()
        else:
            kind = self._kind(frozenset(types))
        if pa.types.is_string(kind):
            return ColumnType(kind, (_mixture(types),) if len(_spoken(types)) > 1 else ())
        notes = []
        if self.words:
            notes.append((f"cells NA or null, taken as missing: {self.words:,}", "info"))
        if self.errors:
            notes.append((f"cells with an error, taken as missing: {self.errors:,}", "warning"))
        return ColumnType(kind, tuple(notes), stand_ins > 0)

    def _kind(self, types: frozenset[type]) -> pa.DataType:
        if types <= {int, float}:  # an empty column is numeric, as in a text file
            return pa.int64() if self.whole else pa.float64()
        return next((kind for accepted, kind in _BY_TYPES if types <= accepted), pa.string())


def _spoken(types: collections.Counter[type]) -> collections.Counter[str]:
    counts: collections.Counter[str] = collections.Counter()
    for each, count in types.items():
        counts[_SPOKEN.get(each, each.__name__)] += count
    return counts


def _mixture(types: collections.Counter[type]) -> tuple[str, str]:
    counts = _spoken(types).most_common()
    listed = ", ".join(f"{count:,} {word if count > 1 else word[:-1]}" for word, count in counts)
    return f"a mixture, kept as text: {listed}", "warning"


@dataclasses.dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of a column.

    Attributes:
        kind: Its Arrow type.
        notes: What a user should know, (text, severity) pairs.
        stand_ins: Some texts stand for missing.
    """

    kind: pa.DataType
    notes: tuple[tuple[str, str], ...] = ()
    stand_ins: bool = False

    def convert(self, cells: Sequence[Cell]) -> pa.Array:
        """Return cells as an array of ``kind``, empty ones and stand-ins for missing as null."""
        kind = self.kind
        if pa.types.is_string(kind):
            values: list[Any] = [None if cell == "" else cell_text(cell) for cell in cells]
        elif pa.types.is_timestamp(kind):
            values = [_moment(cell) for cell in cells]
        elif pa.types.is_duration(kind):
            values = [_span(cell) for cell in cells]
        elif pa.types.is_int64(kind):
            values = [None if type(cell) is str else int(cell) for cell in cells]  # type: ignore[arg-type]
        elif pa.types.is_float64(kind) and "" not in cells and not self.stand_ins:
            return pa.array(np.array(cells, np.float64))
        else:
            values = [None if type(cell) is str else cell for cell in cells]
        return pa.array(values, kind)

    def variable(self, name: str) -> Variable:
        """Return what a sheet says of a variable: its name, and its type by its cells."""
        is_whole = not pa.types.is_float64(self.kind)
        interval = Interval.DISCRETE if is_whole else Interval.CONTINUOUS
        return dataclasses.replace(typed_variable(Variable(name), self.kind), interval=interval)


def _moment(cell: Cell) -> datetime.datetime | None:
    if isinstance(cell, datetime.datetime):
        return cell
    if isinstance(cell, datetime.date):
        return datetime.datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001 - sheets have no zone
    return None


def _span(cell: Cell) -> datetime.timedelta | None:
    if isinstance(cell, datetime.timedelta):
        return cell
    if isinstance(cell, datetime.time):
        return datetime.timedelta(
            hours=cell.hour,
            minutes=cell.minute,
            seconds=cell.second,
            microseconds=cell.microsecond,
        )
    return None
