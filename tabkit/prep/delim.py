r"""An archival table as R's ``read.delim`` reads it: cells of each column, counted.

The defaults of ``read.delim`` do not know the table's backslashes: a quote after one ends the
quoted part, so that ``"it's \"q\""`` becomes ``it's \q\``. A cell with an odd number of quotes
swallows the cells and lines that follow up to the next quote.

Source: R 4.2, scan.c (scanchar, fillBuffer, scanFrame) and read.table.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.read.fields import field_blocks, header_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_TEXT_BYTES: Final = 1 << 28  # of the columns gathered in one reading of the file
_MARKS: Final = re.compile('["\t\n]')
_QUOTED: Final = re.compile('((?:[^"]|"")*)"?')
_LOOKED_AT: Final = 5  # lines that tell read.table the number of columns


def delim_columns(path: Path) -> tuple[list[str], Iterator[list[tuple[str, int]]]]:
    """Return the header's cells and, column by column, distinct cells in order with counts."""
    names = [_joined(name).strip() for name in header_of(path)]
    if _runs_on(path, len(names)):
        return names, _counted_exactly(path, len(names))
    return names, _counted(path, len(names))


def _counted(path: Path, width: int) -> Iterator[list[tuple[str, int]]]:
    """Count group after group of columns, so that a group's text fits in memory."""
    column_bytes = path.stat().st_size // max(width, 1) + 1
    size = max(1, _TEXT_BYTES // column_bytes)
    for first in range(0, width, size):
        group = range(first, min(first + size, width))
        blocks = list(field_blocks(path, group, width))
        for at in range(len(group)):
            yield _distinct(pa.chunked_array([b[at] for b in blocks], pa.large_string()), width)


def _distinct(cells: pa.ChunkedArray, width: int) -> list[tuple[str, int]]:
    texts, counts = pc.value_counts(cells).flatten()
    found: dict[str, int] = {}
    for text, count in zip(texts.to_pylist(), counts.to_pylist(), strict=True):
        cell = _cell(text)
        found[cell] = found.get(cell, 0) + count
    if width == 1:
        found.pop("", None)  # a blank line is skipped
    return list(found.items())


def _cell(text: str) -> str:
    inner = text[1:-1]
    if len(text) > 1 and text[0] == text[-1] == '"' and '"' not in inner:
        text = inner
    elif '"' in text:
        text = _joined(text)
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _joined(text: str) -> str:
    """Take quotes away where they open and close a part; two within a part are one."""
    parts = text.split('"')
    pieces = [parts[0]]
    for at, part in enumerate(parts[1:], 1):
        is_quoted = at % 2 == 1
        if is_quoted and not parts[at - 1] and at > 1:
            pieces.append('"')
        pieces.append(part)
    return "".join(pieces)


def _runs_on(path: Path, width: int) -> bool:
    """Whether a cell has an odd number of quotes, or ends a line without being quoted."""
    for block in field_blocks(path, range(width), width):
        for column in block:
            if pc.any(pc.match_substring(column, '"')).as_py():
                quotes = pc.count_substring(column, '"').to_numpy()
                if (quotes % 2).any():
                    return True
            if pc.any(pc.match_substring_regex(column, '^[^"]*\r|"[^"]*\r[^"]*$')).as_py():
                odd = column.filter(pc.match_substring(column, "\r")).to_pylist()
                if any("\r" in "".join(text.split('"')[::2]) for text in odd):
                    return True
    return False


def _counted_exactly(path: Path, width: int) -> Iterator[list[tuple[str, int]]]:
    """Read as ``read.table`` and ``scan`` do, for a table with a quote left open.

    Five lines are looked at and given back twice: once to count the columns and once to be read.
    A quote left open at the end of the first copy makes the count eat what was to be read.
    """
    text = path.read_text(encoding="utf-8-sig")
    start, looked_at = 0, 0
    while start < len(text) and looked_at < _LOOKED_AT:
        start, looked_at = _scanned(text, start)[1], looked_at + 1
    text, place = text[:start] + text, 0
    for _ in range(looked_at):
        place = _scanned(text, place)[1]
    place = _scanned(text, place)[1]  # what should be the header
    rows = []
    while place < len(text):
        line, place = _scanned(text, place)
        rows += [line[at : at + width] for at in range(0, len(line), width) if line != [""]]
    for column in range(width):
        found: dict[str, int] = {}
        for row in rows:
            cell = row[column] if column < len(row) else ""
            found[cell] = found.get(cell, 0) + 1
        yield list(found.items())


def _scanned(text: str, place: int) -> tuple[list[str], int]:
    """Return the cells of a line and where the next begins; a quote opens anywhere."""
    cells = [""]
    while mark := _MARKS.search(text, place):
        cells[-1] += text[place : mark.start()]
        place = mark.end()
        if mark[0] == "\n":
            return cells, place
        if mark[0] == "\t":
            cells.append("")
        else:
            quoted = _QUOTED.match(text, place)
            cells[-1] += quoted[1].replace('""', '"')  # type: ignore[index]
            place = quoted.end()  # type: ignore[union-attr]
    cells[-1] += text[place:]
    return cells, len(text)
