"""Tokens of delimited text, row by row: any text, and what becomes of a stray quote."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from tabkit.read.delimited_cells import Cells, Dialect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tabkit.read.delimited_cells import Integers

#: What Java's Character.isWhitespace accepts: surrounding blanks that profile dataverse removes.
JAVA_BLANKS: Final = (
    " \t\n\x0b\f\r\x1c\x1d\x1e\x1f\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
)


_ENOUGH: Final = 1 << 22  # characters that are tokenised at once


@dataclasses.dataclass(slots=True)
class _Rows:
    """What the row by row tokeniser has found so far; positions count characters."""

    cells: list[str] = dataclasses.field(default_factory=list)
    counts: list[int] = dataclasses.field(default_factory=list)
    blank: list[bool] = dataclasses.field(default_factory=list)
    ends: list[int] = dataclasses.field(default_factory=list)
    used: int = 0
    trailing: int = 0
    strays: int = 0
    stray_at: int = -1
    unclosed: bool = False


def lex(source: bytes, dialect: Dialect, *, final: bool, force: bool) -> Cells:
    """Tokenise whole rows at the start of ``source``, one if ``force`` is set; see `tokenize`."""
    if not final:  # a character may be cut at the end, but no line end is
        source = source[: max(source.rfind(b"\n"), source.rfind(b"\r")) + 1]
    text = source.decode()
    rows = _Rows()
    for line in _lines(text, final=final):
        if line.start() < rows.used:
            continue  # within a quoted cell of several lines
        if dialect.quote and dialect.quote in line[1]:
            wait = not (final or force)
            if not _quoted_row(text, line.start(), dialect, rows, wait=wait):
                break
        else:
            _plain_row(line, dialect, rows)
        if force or rows.used > _ENOUGH:
            break
    return _cells_of(text, rows)


_LINE: Final = re.compile(r"([^\r\n]*)(\r\n|\r|\n)")
_LAST_LINE: Final = re.compile(r"([^\r\n]+)()\Z")


def _lines(text: str, *, final: bool) -> Iterator[re.Match[str]]:
    """Give the lines of ``text`` that are whole: group 1 the line, group 2 its end."""
    done = 0
    for line in _LINE.finditer(text):
        if line.end() == len(text) and line[2] == "\r" and not final:
            return  # its LF may follow
        yield line
        done = line.end()
    last = _LAST_LINE.match(text, done) if final else None
    if last:
        yield last


def _plain_row(line: re.Match[str], dialect: Dialect, rows: _Rows) -> None:
    cells = line[1].split(dialect.delimiter)
    rows.cells += [cell.strip(JAVA_BLANKS) for cell in cells] if dialect.trimmed else cells
    rows.counts.append(len(cells))
    rows.blank.append(not line[1])
    rows.ends.append(line.end(1))
    rows.used = line.end()


def _quoted_row(text: str, start: int, dialect: Dialect, rows: _Rows, *, wait: bool) -> bool:
    """Add the row at ``start``; False where its quoted cell does not end and ``wait`` is set."""
    patterns = _patterns(dialect)
    found = _Rows(strays=rows.strays, stray_at=rows.stray_at, trailing=rows.trailing)
    at = start
    while True:
        cell, at = _cell(text, at, patterns, dialect, found, wait=wait)
        if cell is None:
            return False
        found.cells.append(cell)
        if at >= len(text) or text[at] != dialect.delimiter:
            break
        at += 1
    end = _LINE_END.match(text, at)
    if wait and (end is None or (end[0] == "\r" and end.end() == len(text))):
        return False
    rows.cells += found.cells
    rows.counts.append(len(found.cells))
    rows.blank.append(False)
    rows.ends.append(at)
    rows.used = end.end() if end else at
    rows.trailing, rows.strays = found.trailing, found.strays
    rows.stray_at, rows.unclosed = found.stray_at, found.unclosed
    return True


_LINE_END: Final = re.compile(r"\r\n|\r|\n")


@dataclasses.dataclass(frozen=True, slots=True)
class _Patterns:
    quoted: re.Pattern[str]
    plain: re.Pattern[str]
    blanks: re.Pattern[str]


_CACHE: Final[dict[Dialect, _Patterns]] = {}


def _patterns(dialect: Dialect) -> _Patterns:
    if dialect not in _CACHE:
        quote, delimiter = re.escape(dialect.quote), re.escape(dialect.delimiter)
        escaped = f"|{re.escape(dialect.escape)}{quote}" if dialect.escape else ""
        ordinary = f"[^{quote}{re.escape(dialect.escape)}]"
        lone = f"|{re.escape(dialect.escape)}(?!{quote})" if dialect.escape else ""
        blanks = "".join(c for c in JAVA_BLANKS if c not in {dialect.delimiter, "\r", "\n"})
        _CACHE[dialect] = _Patterns(
            re.compile(f"{quote}((?:{ordinary}++|{quote}{quote}{escaped}{lone})*+){quote}"),
            re.compile(f"[^{delimiter}\\r\\n]*"),
            re.compile(f"[{blanks}]*" if dialect.trimmed else ""),
        )
    return _CACHE[dialect]


def _cell(
    text: str, at: int, patterns: _Patterns, dialect: Dialect, rows: _Rows, *, wait: bool
) -> tuple[str | None, int]:
    """Return the cell at ``at`` and where it ends; no cell where one must wait for its end."""
    if dialect.trimmed:
        at += len(_match(patterns.blanks, text, at))
    if text[at : at + 1] != dialect.quote:
        plain = _match(patterns.plain, text, at)
        return plain.rstrip(JAVA_BLANKS) if dialect.trimmed else plain, at + len(plain)
    quoted = patterns.quoted.match(text, at)
    if quoted is None:
        return _unclosed(text, at, patterns, dialect, rows, wait=wait)
    if quoted.end() == len(text) and wait:
        return None, at
    rest = _match(patterns.plain, text, quoted.end())
    if rest and dialect.strays and _LINE_END.search(quoted[1]):
        return _stray(text, at, patterns, rows)
    end = quoted.end() + len(rest)
    if dialect.trimmed and not rest.strip(JAVA_BLANKS):
        rest = ""
    rows.trailing += bool(rest)
    inner = quoted[1].replace(dialect.quote * 2, dialect.quote)
    if dialect.escape:
        inner = inner.replace(dialect.escape + dialect.quote, dialect.quote)
    return inner + rest, end


def _match(pattern: re.Pattern[str], text: str, at: int) -> str:
    """Return what a pattern that may be empty matches at ``at``."""
    found = pattern.match(text, at)
    return found[0] if found else ""


def _unclosed(
    text: str, at: int, patterns: _Patterns, dialect: Dialect, rows: _Rows, *, wait: bool
) -> tuple[str | None, int]:
    if wait:
        return None, at
    if dialect.strays:
        return _stray(text, at, patterns, rows)
    rows.unclosed = True
    return text[at + 1 :].replace(dialect.quote * 2, dialect.quote), len(text)


def _stray(text: str, at: int, patterns: _Patterns, rows: _Rows) -> tuple[str, int]:
    plain = _match(patterns.plain, text, at)
    if not rows.strays:
        rows.stray_at = at
    rows.strays += 1
    return plain, at + len(plain)


def _cells_of(text: str, rows: _Rows) -> Cells:
    array = pa.array(rows.cells, pa.large_string())
    ends = np.zeros(0, np.int64)
    if len(array):
        ends = np.frombuffer(array.buffers()[1], np.int64)[1 : len(array) + 1]
    size = int(ends[-1]) if len(ends) else 0
    return Cells(
        np.frombuffer(array.buffers()[2], np.uint8)[:size] if size else np.zeros(0, np.uint8),
        ends,
        np.array(rows.counts, np.int64),
        np.array(rows.blank, np.bool_),
        _byte_positions(text, rows.ends),
        used=len(text[: rows.used].encode()),
        trailing=rows.trailing,
        strays=rows.strays,
        stray_at=len(text[: rows.stray_at].encode()) if rows.strays else -1,
        unclosed=rows.unclosed,
    )


def _byte_positions(text: str, positions: list[int]) -> Integers:
    if text.isascii():
        return np.array(positions, np.int64)
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    sizes = 1 + np.searchsorted([0x80, 0x800, 0x10000], points, side="right")
    return np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])[positions]
