"""Where the table lies on a sheet: which row names the variables, which columns it has."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Cell: TypeAlias = (
    "str | float | int | bool | datetime.date | datetime.time | datetime.datetime "
    "| datetime.timedelta"
)

HEAD_ROWS: Final = 200  # rows looked at to find the row of names
_FULL: Final = 0.8  # share of the widest row's cells that a row of names has, if texts alone
_HALF: Final = 0.5


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """Where names and cases are.

    Attributes:
        header: Number of the row of names, from 1; 0 for none.
        names: Its cells, from the sheet's first column on.
        above: Texts of the rows above it, (row number, cells that are filled).
    """

    header: int
    names: tuple[str, ...] = ()
    above: tuple[tuple[int, tuple[str, ...]], ...] = ()


def find_layout(head: Sequence[Sequence[Cell]], header_row: int | None) -> Layout:
    """Find the row of names among the first rows of a sheet.

    Args:
        head: The first rows, an empty cell as ``""``; at least up to ``header_row``.
        header_row: The row that a user names, from 1; 0 for none; None to find it.
    """
    if header_row == 0:
        return Layout(0)
    number = header_row or _find(head)
    row = head[number - 1] if number <= len(head) else ()
    above = tuple(
        (place, tuple(cell_text(cell) for cell in cells if cell != ""))
        for place, cells in enumerate(head[: number - 1], 1)
        if any(cell != "" for cell in cells)
    )
    return Layout(number, tuple(cell_text(cell) for cell in row), above)


def _find(head: Sequence[Sequence[Cell]]) -> int:
    """Choose the first filled row, unless it looks like a title above a wider table.

    Then it is the first row of texts alone that other values follow (years and other numbers may
    be names, so it is no rule), else the first row that is nearly as wide as the widest.
    """
    filled = [sum(cell != "" for cell in row) for row in head]
    rows = [place for place, count in enumerate(filled) if count]
    if not rows:
        return 1
    widest = max(filled)
    if filled[rows[0]] >= widest:
        return rows[0] + 1
    for place, following in itertools.pairwise(rows):
        if (
            filled[place] >= _HALF * widest
            and all(isinstance(cell, str) for cell in head[place])
            and not all(isinstance(cell, str) for cell in head[following])
        ):
            return place + 1
    return next(place for place in rows if filled[place] >= _FULL * widest) + 1


def cell_text(cell: Cell) -> str:
    """Return a cell as text: numbers in their shortest form, dates as ISO 8601."""
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        whole = cell.is_integer() and abs(cell) < 1e16  # noqa: PLR2004 - as the archival table
        return str(int(cell)) if whole else repr(cell)
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, datetime.timedelta):
        return _duration_text(cell)
    return cell.isoformat() if isinstance(cell, datetime.date | datetime.time) else str(cell)


def _duration_text(cell: datetime.timedelta) -> str:
    sign, size = ("-", -cell) if cell < datetime.timedelta() else ("", cell)
    minutes, seconds = divmod(size.days * 86_400 + size.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    fraction = f".{size.microseconds:06}".rstrip("0") if size.microseconds else ""
    return f"{sign}{hours:02}:{minutes:02}:{seconds:02}{fraction}"


def column_letters(place: int) -> str:
    """Return the letters of a sheet's column, from 0: ``A``, …, ``Z``, ``AA``."""
    letters = ""
    place += 1
    while place:
        place, rest = divmod(place - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters
