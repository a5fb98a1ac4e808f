"""Tokens of delimited text: bytes of whole rows go in, a flat array of cells comes out.

Two tokenisers give the same cells: a vectorised one for text whose quotes stand where RFC 4180
wants them, and a row by row one for all other text, which also knows what a stray quote is.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Iterator

Bytes: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.uint8]]"
Integers: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.int64]]"
Flags: TypeAlias = "np.ndarray[tuple[int], np.dtype[np.bool_]]"

_LF, _CR = 10, 13
#: What Java's Character.isWhitespace accepts: surrounding blanks that profile dataverse removes.
JAVA_BLANKS: Final = (
    " \t\n\x0b\f\r\x1c\x1d\x1e\x1f\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006"
    "\u2008\u2009\u200a\u2028\u2029\u205f\u3000"
)
_NON_ASCII_BLANKS: Final = (b"\xe2\x80", b"\xe2\x81\x9f", b"\xe3\x80\x80", b"\xe1\x9a\x80")
_BLANK_BYTE: Final = np.isin(np.arange(256), [ord(c) for c in " \t\x0b\f\x1c\x1d\x1e\x1f"])


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


def tokenize(source: bytes, dialect: Dialect, *, final: bool, force: bool = False) -> Cells:
    """Split the whole rows at the start of ``source`` into cells.

    Args:
        source: UTF-8 that begins at a row's start.
        dialect: Delimiter and quotes.
        final: Nothing follows; the last row may lack its line end.
        force: Do not wait for the end of a quoted cell any longer: take its quote as text.

    Returns:
        The cells; ``used`` is 0 where ``source`` does not hold one whole row.
    """
    whole = source + b"\n" if final and source and source[-1] not in b"\r\n" else source
    cells = None if force else _fast(whole, dialect, final=final)
    if cells is None or (final and not cells.used):
        return _slow(source, dialect, final=final, force=force)
    return dataclasses.replace(cells, used=min(cells.used, len(source)))


def _fast(source: bytes, dialect: Dialect, *, final: bool) -> Cells | None:
    """Tokenise well-formed text; None where a quote (or a blank to trim) is out of place.

    With every quote in place, a character is inside quotes exactly if an odd number of quotes
    stands before it.
    """
    text = np.frombuffer(source, np.uint8)
    padded = np.concatenate([text, np.zeros(1, np.uint8)])
    delimiter, quote = ord(dialect.delimiter), ord(dialect.quote or "\0")
    mask = (text == delimiter) | (text == _LF) | (text == _CR)
    if dialect.quote:
        mask |= text == quote
    marks = np.flatnonzero(mask)
    kinds = text[marks]
    is_quote = (kinds == quote) if dialect.quote else np.zeros(len(kinds), np.bool_)
    dropped = ~is_quote  # delimiters, line ends and the CR before an LF; and most quotes
    if is_quote.any():
        if dialect.escape and (dialect.escape + dialect.quote).encode() in source:
            return None
        doubled = _doubled(padded, marks[is_quote], delimiter, quote)
        if doubled is None:
            return None
        dropped &= (np.cumsum(is_quote, dtype=np.uint8) & 1) == 0
        dropped[is_quote] = ~doubled
    before_lf = kinds == _CR
    before_lf[before_lf] = padded[marks[before_lf] + 1] == _LF
    structural = dropped & ~is_quote & ~before_lf
    line_ends = structural & (kinds != delimiter)
    if not final and source.endswith(b"\r"):
        line_ends[-1] = False  # its LF may follow
    last = len(marks) - int(line_ends[::-1].argmax()) if line_ends.any() else 0
    marks, dropped, structural = marks[:last], dropped[:last], structural[:last]
    if dialect.trimmed:
        edges = marks[structural | is_quote[:last]]
        if _has_blanks(source, padded, edges, delimiter):
            return None
    closed = _close_up(source[: int(marks[-1]) + 1 if last else 0], dialect, marks[~dropped])
    return _assemble(closed, marks, dropped, structural, line_ends[:last], before_lf[:last])


#: Bytes that UTF-8 never has shield those that stand within quotes while the others are deleted.
_SHIELD: Final = 0xF8


def _close_up(source: bytes, dialect: Dialect, kept: Integers) -> Bytes:
    """Delete delimiters, line ends and quotes but those at ``kept``."""
    special = (dialect.delimiter + "\n\r" + dialect.quote).encode()
    if not len(kept):
        return np.frombuffer(source.translate(None, special), np.uint8)
    shielding = np.arange(256, dtype=np.uint8)
    shielding[list(special)] = np.arange(_SHIELD, _SHIELD + len(special))
    shielded = bytearray(source)
    text = np.frombuffer(shielded, np.uint8)
    text[kept] = shielding[text[kept]]
    baring = np.arange(256, dtype=np.uint8)
    baring[_SHIELD : _SHIELD + len(special)] = list(special)
    return np.frombuffer(shielded.translate(baring.tobytes(), special), np.uint8)


def _doubled(padded: Bytes, quotes: Integers, delimiter: int, quote: int) -> Flags | None:
    """Tell which quotes are the kept half of a doubled one; None where one is out of place."""
    opens, closes = quotes[0::2], quotes[1::2]
    before = np.where(opens == 0, _LF, padded[opens - 1])
    after = np.where(closes + 2 == len(padded), _LF, padded[closes + 1])
    for beside in (before, after):
        fits = (beside == delimiter) | (beside == _LF) | (beside == _CR) | (beside == quote)
        if not fits.all():
            return None
    doubled = np.zeros(len(quotes), np.bool_)
    doubled[0::2] = before == quote
    return doubled


def _has_blanks(source: bytes, padded: Bytes, marks: Integers, delimiter: int) -> bool:
    """Tell whether a blank may stand beside one of ``marks`` or at the start."""
    if any(blank in source for blank in _NON_ASCII_BLANKS):
        return True
    blank = _BLANK_BYTE.copy()
    blank[delimiter] = False
    return bool(
        blank[padded[0]]
        or blank[padded[marks[marks > 0] - 1]].any()
        or blank[padded[marks + 1]].any()
    )


def _assemble(
    closed: Bytes,
    marks: Integers,
    dropped: Flags,
    structural: Flags,
    line_ends: Flags,
    before_lf: Flags,
) -> Cells:
    """Find the ends of cells and rows in the text that was closed up over its dropped marks."""
    positions = marks[structural]
    dropped_before = structural[dropped].nonzero()[0]  # a mark's index among the dropped
    at_line_end = line_ends[structural].nonzero()[0]
    row_ends = positions[at_line_end]
    row_starts = np.concatenate([np.zeros(min(1, len(row_ends)), np.int64), row_ends[:-1] + 1])
    used = int(row_ends[-1]) + 1 if len(row_ends) else 0
    if before_lf.any():
        row_ends = row_ends - before_lf[np.maximum(line_ends.nonzero()[0] - 1, 0)]
    return Cells(
        closed,
        positions - dropped_before,
        np.diff(at_line_end, prepend=-1),
        row_ends == row_starts,
        row_ends,
        used,
    )


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


def _slow(source: bytes, dialect: Dialect, *, final: bool, force: bool) -> Cells:
    if not final:  # a character may be cut at the end, but no line end is
        source = source[: max(source.rfind(b"\n"), source.rfind(b"\r")) + 1]
    text = source.decode()
    rows = _Rows()
    for line in _lines(text, final=final):
        if line.start() < rows.used:
            continue  # within a quoted cell of several lines
        if dialect.quote and dialect.quote in line[1]:
            wait = not final and not (force and not rows.used)
            if not _quoted_row(text, line.start(), dialect, rows, wait=wait):
                break
        else:
            _plain_row(line, dialect, rows)
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
