"""The beginning of a text file: what is to be passed over, and in which dialect it goes on."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError
from tabkit.model import Finding
from tabkit.read.delimited_cells import Dialect
from tabkit.read.delimited_rows import count_lines
from tabkit.read.delimited_sniff import sniff

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tabkit.options import ReadOptions

_BLANK_LINES: Final = re.compile(rb"(?:[ \t]*(?:\r\n|\r|\n))+")
#: Excel's own way to tell the delimiter, in a line before the header.
_SEPARATOR_LINE: Final = re.compile(
    rb'"?sep=([\x01-\x09\x0b\x0c\x0e-\x7f])"?(?:\r\n|\r|\n)', re.IGNORECASE
)
_NAMES: Final = {"\t": "TAB", " ": "blank"}


@dataclasses.dataclass(frozen=True, slots=True)
class Start:
    """A text whose dialect is known.

    Attributes:
        head: UTF-8 read so far, from the header row on.
        first_line: Number of the line that ``head`` begins with.
        dialect: Delimiter and quotes.
        single: Rows of the sample have one cell only.
        findings: What was detected and passed over.
    """

    head: bytes
    first_line: int
    dialect: Dialect
    single: bool
    findings: tuple[Finding, ...] = ()


def start_plainly(options: ReadOptions, home: str) -> Start:
    """Begin as Dataverse does: the suffix tells the dialect (commons-csv's EXCEL and TDF)."""
    dialect = Dialect(
        options.delimiter or home,
        '"' if options.quote is None else options.quote,
        trimmed=home == "\t",
        strays=False,
    )
    return Start(b"", 1, dialect, single=True)


def start(
    pieces: Iterator[bytes], options: ReadOptions, home: str, path: Path, least: int
) -> Start:
    """Pass over blank lines and find out the dialect.

    Args:
        pieces: The text in UTF-8; as many are taken as needed.
        options: The user's choices.
        home: The delimiter that the file's suffix suggests.
        path: For messages.
        least: Bytes to sniff from.

    Raises:
        FormatError: All lines are blank.
    """
    head, final, skipped = _first_bytes(pieces, least)
    if not head:
        raise FormatError("there is no row of names: all lines are blank", path)
    findings = []
    if skipped:
        findings.append(Finding(f"blank lines before the header passed over: {skipped:,}"))
    delimiter, told = options.delimiter, _SEPARATOR_LINE.match(head)
    if told and delimiter is None:
        delimiter, head, skipped = told[1].decode(), head[told.end() :], skipped + 1
        findings.append(Finding(f"delimiter {_spell(delimiter)} as the line 'sep=' says"))
    found = sniff(head, final=final, home=home, delimiter=delimiter, quote=options.quote)
    dialect = found.dialect
    if found.detected:
        name = _spell(dialect.delimiter)
        findings.append(
            Finding(f"delimiter {name} detected from {found.rows:,} of {found.tried:,} rows")
        )
    if dialect.quote == "'" and options.quote is None:
        findings.append(Finding("cells are quoted with apostrophes"))
    if dialect.escape:
        findings.append(Finding("quotes within cells are escaped with a backslash"))
    single = found.columns == 1
    return Start(head, skipped + 1, dialect, single, tuple(findings))


def _first_bytes(pieces: Iterator[bytes], least: int) -> tuple[bytes, bool, int]:
    """Return text from its first line that is not blank, whether it is all, and lines before."""
    head, skipped = b"", 0
    for piece in pieces:
        head += piece
        blank = _BLANK_LINES.match(head)
        if blank:
            end = blank.end() - (blank.end() == len(head) and head.endswith(b"\r"))
            skipped += count_lines(head[:end])  # a CR at the end may be half of a line end
            head = head[end:]
        if len(head) >= least:
            return head, False, skipped
    return (head if head.strip() else b""), True, skipped


def _spell(delimiter: str) -> str:
    return _NAMES.get(delimiter, repr(delimiter))
