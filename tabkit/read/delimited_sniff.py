"""Delimiter and quote of a text file, by what splits a sample into rows of one length."""

from __future__ import annotations

import collections
import dataclasses
import re
from typing import Final

from tabkit.read.delimited_cells import Cells, Dialect
from tabkit.read.delimited_tokens import tokenize

#: In the order of preference where two split equally well.
DELIMITERS: Final = (",", ";", "\t", "|", ":", "^")
_SAMPLE_BYTES: Final = 1 << 17
_SAMPLE_ROWS: Final = 1000
_LEAST_ROWS: Final = 10  # rows of a sample, however long they are
_RARE: Final = (":", "^")  # rather found in times and texts
_HEADER_WEIGHT, _TYPED_WEIGHT, _SPACED_WEIGHT = 0.5, 0.4, 0.4
_HOME_WEIGHT, _RARE_WEIGHT = 0.1, 0.3


@dataclasses.dataclass(frozen=True, slots=True)
class Sniffed:
    """A dialect, how many rows of those tried speak for it, and how many cells they have."""

    dialect: Dialect
    rows: int
    tried: int
    columns: int
    detected: bool


def sniff(
    head: bytes, *, final: bool, home: str, delimiter: str | None = None, quote: str | None = None
) -> Sniffed:
    """Find the dialect of a text from its first rows.

    Args:
        head: UTF-8 from the first row that is not blank.
        final: ``head`` is the whole file.
        home: The delimiter that the file's suffix suggests; taken when nothing speaks against it.
        delimiter: The user's choice.
        quote: The user's choice, "" for none.
    """
    sample, whole = _sample(head, final=final)
    quotes = [quote] if quote is not None else ['"', "'"]
    tried = [
        _try(sample, Dialect(each, mark), whole=whole, home=home)
        for each in ([delimiter] if delimiter else DELIMITERS)
        for mark in quotes
        if mark != each and (mark != "'" or quote is not None or b"'" in sample)
    ]
    best = max(tried, key=lambda each: each.score)  # the first of equals
    dialect = best.dialect
    if delimiter is None and best.columns == 1:
        dialect = dataclasses.replace(dialect, delimiter=home)
    if quote is None:
        dialect = dataclasses.replace(dialect, quote=_quote(sample, dialect, best.rows))
    dialect = dataclasses.replace(dialect, escape=_escape(sample, dialect))
    detected = delimiter is None and best.columns > 1
    return Sniffed(dialect, best.rows, best.tried, best.columns, detected)


@dataclasses.dataclass(frozen=True, slots=True)
class _Trial:
    dialect: Dialect
    columns: int
    rows: int
    tried: int
    score: float


def _sample(head: bytes, *, final: bool) -> tuple[bytes, bool]:
    """Cut a sample at a line end; tell whether it is the whole file."""
    ends = re.finditer(rb"\r\n|\r|\n", head)
    cut = 0
    for rows, end in enumerate(ends, 1):
        cut = end.end()
        if rows >= _SAMPLE_ROWS or (cut > _SAMPLE_BYTES and rows >= _LEAST_ROWS):
            return head[:cut], False
    return (head, True) if final else (head[:cut] or head, False)


def _try(sample: bytes, dialect: Dialect, *, whole: bool, home: str) -> _Trial:
    """Split the sample; what splits most rows alike, the header too, and into values, is best."""
    cells = tokenize(sample, dialect, final=True)
    counts = cells.counts[~cells.blank]
    if not whole and len(counts) > 2:  # noqa: PLR2004 - the last row may be cut
        counts = counts[:-1]
    common = collections.Counter(count for count in counts.tolist() if count > 1)
    columns, rows = max(common.items(), key=lambda item: (item[1], item[0]), default=(1, 0))
    share, named = rows / len(counts), bool(counts[0] == columns)
    at_home = dialect.delimiter == home
    if columns == 1 or not (named or at_home or _splits_apart(dialect, columns, share)):
        return _Trial(dialect, 1, len(counts), len(counts), 0.0)
    typed, spaced = _cell_shares(cells, columns)
    score = share * (1 + _TYPED_WEIGHT * typed - _SPACED_WEIGHT * spaced)
    score += _HEADER_WEIGHT * named + _HOME_WEIGHT * share * at_home
    score -= _RARE_WEIGHT * (dialect.delimiter in _RARE) + 0.01 * (dialect.quote == "'")
    score -= share * (cells.trailing + cells.strays) / len(counts)
    return _Trial(dialect, columns, rows, len(counts), score)


def _splits_apart(dialect: Dialect, columns: int, share: float) -> bool:
    """Tell whether a delimiter is plausible that the header (a title, say) does not have."""
    return columns > 2 and share > 0.6 and dialect.delimiter not in _RARE  # noqa: PLR2004


_TYPED: Final = re.compile(
    rb"\s*(?:[+-]?(?:\d+[.,]?\d*|[.,]\d+)(?:[eE][+-]?\d+)?%?"
    rb"|\d{1,4}[-/.]\d\d?[-/.]\d{1,4}(?:[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?|)\s*"
)


def _cell_shares(cells: Cells, columns: int) -> tuple[float, float]:
    """Return what share of cells is typed, and what share begins with a blank.

    Typed cells are numbers, dates or empty; looked at are rows of the common length. A blank
    behind a delimiter is rather the comma of a sentence.
    """
    text, ends = cells.text.tobytes(), cells.ends.tolist()
    typed, spaced, total, at = 0, 0, 0, 0
    for count in cells.counts.tolist()[: _SAMPLE_ROWS // 5]:
        if count == columns:
            for cell in range(at, at + min(count, 100)):
                start = ends[cell - 1] if cell else 0
                typed += _TYPED.fullmatch(text, start, ends[cell]) is not None
                spaced += text.startswith(b" ", start, ends[cell])
                total += 1
        at += count
    return typed / max(total, 1), spaced / max(total, 1)


def _quote(sample: bytes, dialect: Dialect, rows: int) -> str:
    """Return the apostrophe where cells do stand between apostrophes, else the quotation mark.

    Texts have apostrophes, so either each row has such a cell, or rows are of one length only
    when apostrophes quote (``dialect`` says so then); and hardly a cell begins with one by chance.
    """
    opened, closed = _enclosed(sample, dialect.delimiter, "'")
    enough = 2 if dialect.quote == "'" else max(2, 0.9 * rows)
    if closed < enough or closed < 0.9 * opened or _enclosed(sample, dialect.delimiter, '"')[1]:
        return '"'
    return "'"


def _enclosed(sample: bytes, delimiter: str, quote: str) -> tuple[int, int]:
    """Count the cells that begin with ``quote``, and those that also end with it."""
    mark, edge = re.escape(quote).encode(), rb"[\r\n" + re.escape(delimiter).encode() + rb"]"
    cell = rb"(?:\A|(?<=" + edge + rb"))" + mark
    inner = rb"(?:[^" + mark + rb"]|" + mark + mark + rb")*+"
    closed = cell + inner + mark + rb"(?:\Z|(?=" + edge + rb"))"
    return len(re.findall(cell, sample)), len(re.findall(closed, sample))


def _escape(sample: bytes, dialect: Dialect) -> str:
    r"""Return a backslash where ``\"`` stands for a quote within quotes, as R writes it."""
    if not dialect.quote or b"\\" + dialect.quote.encode() not in sample:
        return ""
    plain = tokenize(sample, dialect, final=True)
    escaped = tokenize(sample, dataclasses.replace(dialect, escape="\\"), final=True)
    faults = [each.trailing + each.strays for each in (plain, escaped)]
    return "\\" if faults[1] < faults[0] else ""
