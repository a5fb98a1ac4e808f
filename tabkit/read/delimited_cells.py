"""Dialects of delimited text, and the flat arrays of cells that tokenisers give."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np

Bytes: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.uint8]]"
Integers: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.int64]]"
Flags: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.bool_]]"


@dataclasses.dataclass(frozen=True, slots=True)
class Dialect:
    r"""How cells are set apart.

    Attributes:
        delimiter: One ASCII character.
        quote: One ASCII character, empty for none.
        escape: Stands before a quote within quotes, empty where quotes are doubled only.
        trimmed: Blanks around cells are removed, as commons-csv does for TDF.
        strays: A quote that opens a cell of several lines and has no proper end is text;
            False takes everything up to the next quote, as commons-csv does.
    """

    delimiter: str
    quote: str = '"'
    escape: str = ""
    trimmed: bool = False
    strays: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Cells:
    """Consecutive rows.

    Attributes:
        text: UTF-8 of all cells, one after the other.
        ends: Where each cell ends in ``text``; the next one begins there.
        counts: Cells of each row; their sum is the length of ``ends``.
        blank: Rows that are an empty line.
        row_ends: Where each row ends in the source bytes, its line end excluded.
        used: Bytes of the source that were tokenised.
        trailing: Cells with text behind their closing quote.
        strays: Quotes without an end that were taken as text.
        stray_at: Where the first of them stands in the source bytes, or -1.
        unclosed: The last cell has no closing quote (end of file).
    """

    text: Bytes
    ends: Integers
    counts: Integers
    blank: Flags
    row_ends: Integers
    used: int
    trailing: int = 0
    strays: int = 0
    stray_at: int = -1
    unclosed: bool = False
