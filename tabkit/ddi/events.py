"""Safe reading of a codebook's XML: a file goes in, its sections come out one by one.

Nothing is fetched, no entity is expanded, no DTD is loaded; the parser's own limits (depth, size of
a text) stay on. Memory is bounded by the largest section: a study description or one variable.
Where a violation of a schema must have its true line, the file is fed line by line; that is slow.
"""

from __future__ import annotations

import dataclasses
import re
from itertools import chain
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from tabkit.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

VIOLATIONS_LISTED: Final = 1000  # of a schema; then reading ends
_PIECE: Final = 1 << 16  # bytes fed at once of a document without line ends
_SEARCHED: Final = 4 << 20  # bytes within which a codeBook element must begin
_ASCII: Final = re.compile(rb"""<\?xml[^>]*encoding\s*=\s*["'](us-)?ascii["']""", re.IGNORECASE)
_OPTIONS: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "dtd_validation": False,
    "huge_tree": False,
    "remove_comments": True,
    "remove_pis": True,
}  # not collect_ids=False: with it lxml 6.1 tries to load an external DTD


@dataclasses.dataclass(frozen=True, slots=True)
class Section:
    """A finished child of ``codeBook`` or ``dataDscr``, or at last ``codeBook`` itself.

    Attributes:
        name: Without namespace; empty where the element is of a foreign one.
        node: The whole element; it is emptied when the next section is asked for.
        line: Of its start tag, from 1.
        prefix: ``{namespace}`` of the section's elements, or empty.
        book: The ``codeBook`` element; its attributes are there.
    """

    name: str
    node: etree._Element
    line: int
    prefix: str
    book: etree._Element


def sections(
    path: Path,
    *,
    schema: etree.XMLSchema | None = None,
    violations: list[tuple[int, str]] | None = None,
    by_line: bool = False,
) -> Iterator[Section]:
    """Yield the sections of every codebook in a file, in document order.

    Args:
        path: The file; the codebook may be wrapped in another document (OAI-PMH).
        schema: Validates the document while it is read.
        violations: Receives (line, message) for each violation of ``schema``, the first
            `VIOLATIONS_LISTED`.
        by_line: Lines of violations are true; otherwise they are not and reading is faster.

    Raises:
        FormatError: Not well-formed XML, wrongly encoded, with entities of its own, or without
            a ``codeBook`` element.
        OSError: The file cannot be read.
    """
    book: etree._Element | None = None
    unknown, node = True, None
    noted: list[tuple[int, str]] = [] if violations is None else violations
    for node, position in _finished(path, schema, noted, by_line=by_line):
        if book is None:
            book = _book_of(node)
            if book is None and unknown and position > _SEARCHED:
                break
            unknown = unknown and book is None
        if book is None:
            continue
        if node is book or _holds_sections(node.getparent(), book):
            yield _section(node, book)
            _forget(node)
            book = None if node is book else book
    if unknown:
        raise _not_a_codebook(node, path)


def parse_whole(path: Path) -> etree._Element:
    """Return the root of a whole document; only for one that `sections` has read without error."""
    with path.open("rb") as file:
        return etree.parse(file, etree.XMLParser(**_OPTIONS)).getroot()


def text_of(node: etree._Element | None) -> str:
    """Return the whole text of an element; empty for None. Unknown entities stay ``&name;``."""
    if node is None:
        return ""
    return "".join(map(str, node.itertext())) if len(node) else node.text or ""


def _finished(
    path: Path,
    schema: etree.XMLSchema | None,
    violations: list[tuple[int, str]],
    *,
    by_line: bool,
) -> Iterator[tuple[Any, int]]:
    """Yield every finished element and the number of bytes read so far."""
    parser = etree.XMLPullParser(events=("end",), schema=schema, **_OPTIONS)
    line, seen, position, first = 1, 0, 0, True
    node: Any = None
    with path.open("rb") as file:
        for piece in chain(_pieces(file, path, by_line=by_line), (b"",)):
            position += len(piece)
            _advance(parser, piece, path, schema)
            for _, node in parser.read_events():
                if first:
                    _refuse_entities(node, path)
                    first = False
                yield node, position
            if schema is not None and len(parser.feed_error_log) > seen:
                seen = _note_violations(parser, violations, line, seen)
                if len(violations) >= VIOLATIONS_LISTED:
                    return
            line += piece.endswith(b"\n")
    if schema is not None and (node is None or node.getparent() is not None):
        # The end did not come, which lxml does not tell where it validates: the error is asked for.
        for _ in _finished(path, None, [], by_line=False):
            pass


def _advance(
    parser: etree.XMLPullParser, piece: bytes, path: Path, schema: etree.XMLSchema | None
) -> None:
    """Feed one piece; the empty one ends the document."""
    try:
        if piece:
            parser.feed(piece)
        else:
            parser.close()
    except etree.XMLSyntaxError as error:
        only_invalid = schema is not None and len(parser.feed_error_log) and not _fatal(parser)
        if piece or not only_invalid:
            raise _malformed(parser, error, path) from None


def _pieces(file: BinaryIO, path: Path, *, by_line: bool) -> Iterator[bytes]:
    """Yield a file's lines, long ones cut, or pieces; a text declared ASCII must be ASCII."""
    read = file.readline if by_line else file.read
    piece = read(_PIECE)
    is_ascii, position = _ASCII.match(piece) is not None, 0
    while piece:
        if is_ascii and not piece.isascii():
            at = position + next(i for i, byte in enumerate(piece) if byte > 127)  # noqa: PLR2004
            raise FormatError("declares ASCII and holds other characters", path, f"byte {at:,}")
        position += len(piece)
        yield piece
        piece = read(_PIECE)


def _fatal(parser: etree.XMLPullParser) -> list[etree._LogEntry]:
    """Return what the XML parser itself found wrong, leaving out the schema."""
    return [
        entry
        for entry in parser.feed_error_log
        if entry.domain != etree.ErrorDomains.SCHEMASV and entry.level > etree.ErrorLevels.WARNING
    ]


def _malformed(parser: etree.XMLPullParser, error: etree.XMLSyntaxError, path: Path) -> FormatError:
    entries = _fatal(parser)
    message = entries[0].message if entries else str(error.msg)
    line = entries[0].line if entries else error.lineno
    if "entity amplification" in message:
        message = "its entities expand to far more than the file holds"
    reason = f"is not well-formed XML: {message.partition(', line ')[0].strip()}"
    return FormatError(reason, path, f"line {line}" if line else "")


def _refuse_entities(node: etree._Element, path: Path) -> None:
    dtd: Any = node.getroottree().docinfo.internalDTD
    if dtd is not None and any(True for _ in dtd.iterentities()):
        raise FormatError(
            "declares entities of its own", path, hint="write their text out and try again"
        )


def _note_violations(
    parser: etree.XMLPullParser, violations: list[tuple[int, str]], line: int, seen: int
) -> int:
    """Add what the schema found after the first ``seen`` entries; return how many there are."""
    log: list[Any] = [entry for entry in parser.feed_error_log]  # noqa: C416 - lxml's stubs
    violations.extend(
        (line, entry.message) for entry in log[seen:] if entry.domain == etree.ErrorDomains.SCHEMASV
    )
    return len(log)


def _local(node: etree._Element) -> str:
    return str(node.tag).rpartition("}")[2]


def _book_of(node: etree._Element) -> etree._Element | None:
    """Return the codebook that ``node`` is, or is a child or grandchild of."""
    each: etree._Element | None = node
    for _ in range(3):  # a codebook, its child, or a variable of a dataDscr that comes first
        if each is None or _local(each) == "codeBook":
            return each
        each = each.getparent()
    return None


def _holds_sections(parent: etree._Element | None, book: etree._Element) -> bool:
    if parent is book or parent is None:
        return parent is book
    return parent.getparent() is book and _local(parent) == "dataDscr"


def _section(node: etree._Element, book: etree._Element) -> Section:
    """Describe a section; some codebooks have theirs in no namespace at all."""
    name = _local(node)
    prefix = str(node.tag)[: -len(name)]
    known = prefix in {"", str(book.tag)[: -len("codeBook")]}
    return Section(name if known else "", node, _line(node), prefix, book)


def _line(node: Any) -> int:
    return int(node.sourceline or 0)


def _forget(node: Any) -> None:
    """Free an element that was dealt with, and its elder brothers."""
    node.clear(keep_tail=False)
    parent = node.getparent()
    while parent is not None and node.getprevious() is not None:
        del parent[0]


def _not_a_codebook(node: Any, path: Path) -> FormatError:
    root = node.getroottree().getroot()
    hint = "tabkit reads DDI Codebook 1.2 to 2.6"
    if "ddi:instance" in str(root.tag) or "ddi:group" in str(root.tag):
        hint = f"it is DDI Lifecycle; {hint}"
    return FormatError(f"is not a DDI codebook: its root element is {_local(root)}", path, "", hint)
