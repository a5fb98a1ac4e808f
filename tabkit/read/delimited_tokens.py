"""Tokens of delimited text: bytes of whole rows go in, a flat array of cells comes out.

Two tokenisers give the same cells: the vectorised one here for text whose quotes stand where
RFC 4180 wants them, and that of `delimited_lexer` for all other text.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import numpy as np

from tabkit.read.delimited_cells import Cells, Dialect
from tabkit.read.delimited_lexer import lex

if TYPE_CHECKING:
    from tabkit.read.delimited_cells import Bytes, Flags, Integers

_LF, _CR = 10, 13
_NON_ASCII_BLANKS: Final = (b"\xe2\x80", b"\xe2\x81\x9f", b"\xe3\x80\x80", b"\xe1\x9a\x80")
_BLANK_BYTE: Final = np.isin(np.arange(256), [ord(c) for c in " \t\x0b\f\x1c\x1d\x1e\x1f"])


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
        return lex(source, dialect, final=final, force=force)
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
        edges = marks[structural | is_quote[:last] | before_lf[:last]]
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
