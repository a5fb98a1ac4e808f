"""Text of an SPSS portable file: lines go in, one long text in ASCII order comes out.

A portable file is text in lines of 80 characters, shorter ones to be filled with blanks. It begins
with 200 bytes for people, a table of 256 bytes that tells the file's character set, and SPSSPORT.

Source: GNU PSPP developer's guide, "Portable File Format".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, Final

from tabkit.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LINE: Final = 80
_CHUNK: Final = 1 << 20
_HEAD: Final = 1024  # bytes in which a line must end, if there are lines
_TABLE: Final = slice(200, 456)
_MARK: Final = b"SPSSPORT"
_MARK_END: Final = 1024  # how far the mark may have slipped in a header of lost blanks
_UNKNOWN: Final = 0xFF  # stands for bytes that the file's table does not explain
_PLAIN_LINES: Final = 5  # those before the mark, which Dataverse's reader passes over
_JAVA_LINE_ENDS: Final = re.compile("[\x85\u2028\u2029]")

#: Characters 64 to 188 of the portable set, those before and after have no place in ASCII.
_FIRST: Final = 64
_PORTABLE: Final = (
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .<(+|&[]!$*);^-/|,%_>?`:#@'=\""
    + b"\0" * 6
    + b"~"
    + b"\0" * 21
    + b"{}\\"
)


class PortableText:
    """The text after SPSSPORT, read from front to back in bounded memory.

    Args:
        file: Open for reading bytes, at its beginning.
        path: Its name, for errors.
        as_java: Take bytes beyond ASCII as a reader in Java does that decodes lines as UTF-8.

    Raises:
        FormatError: It is no portable file.

    Attributes:
        buffer: A part of the text.
        position: Where in ``buffer`` reading goes on.
        is_ascii: Whether the file is in ASCII order, so that it could be left as it is.
    """

    def __init__(self, file: BinaryIO, path: Path, *, as_java: bool = False) -> None:
        self._chunks = _joined(file, as_java=as_java)
        self._path, self._done = path, 0
        self._table: bytes | None = None
        self.buffer, self.position, self.is_ascii = b"", 0, True
        head = self._peek(_MARK_END)
        start = head.find(_MARK, 0, _MARK_END)
        if start < 0:
            self._table, self.is_ascii = _translation(head[_TABLE]), False
            self.buffer = head.translate(self._table)
            start = self.buffer.find(_MARK, 0, _MARK_END)
        if start < 0:
            raise FormatError("this is not an SPSS portable file", path, "byte 0")
        self.position = start + len(_MARK)

    @property
    def where(self) -> str:
        """The place, for errors."""
        return f"character {self._done + self.position:,} of the text"

    def ensure(self, count: int) -> int:
        """Have at least ``count`` characters ahead in the buffer; return how many there are."""
        if len(self.buffer) - self.position < count:
            self._peek(count)
        return len(self.buffer) - self.position

    def take(self, count: int) -> bytes:
        """Return the next characters.

        Raises:
            FormatError: The file ends before.
        """
        if self.ensure(count) < count:
            raise FormatError("the file ends in its dictionary", self._path, self.where, _AGAIN)
        start = self.position
        self.position += count
        return self.buffer[start : self.position]

    def until(self, stop: bytes, longest: int) -> bytes:
        """Return what comes before ``stop`` and go on after it.

        Raises:
            FormatError: It does not come within ``longest`` characters.
        """
        self.ensure(longest + 1)
        end = self.buffer.find(stop, self.position, self.position + longest + 1)
        if end < 0:
            reason = f"a field without its {stop.decode()!r}"
            raise FormatError(reason, self._path, self.where, _AGAIN)
        start, self.position = self.position, end + len(stop)
        return self.buffer[start:end]

    def _peek(self, count: int) -> bytes:
        parts = [self.buffer[self.position :]]
        self._done += self.position
        self.position, held = 0, len(parts[0])
        for chunk in self._chunks:
            parts.append(chunk if self._table is None else chunk.translate(self._table))
            held += len(chunk)
            if held >= count:
                break
        self.buffer = b"".join(parts)
        return self.buffer


_AGAIN: Final = "it is damaged or truncated: transfer it again"


def has_other_bytes(path: Path) -> bool:
    """Whether the file has bytes beyond ASCII after its header."""
    with path.open("rb") as file:
        return any(not chunk.isascii() for chunk in _after_table(file))


def is_utf8(path: Path) -> bool:
    """Whether the bytes beyond ASCII are UTF-8, but for characters that were cut to fit."""
    sound = broken = 0
    with path.open("rb") as file:
        for chunk in _after_table(file):
            if not chunk.isascii():
                text = chunk.decode("utf-8", "replace")
                wrong = text.count("\ufffd")
                sound += len(text) - len(text.encode("ascii", "ignore")) - wrong
                broken += wrong
    return sound > broken


def _after_table(file: BinaryIO) -> Iterator[bytes]:
    """Yield the text after the table of characters."""
    skip = _TABLE.stop
    for chunk in _joined(file, as_java=False):
        yield chunk[skip:]
        skip = 0


def _joined(file: BinaryIO, *, as_java: bool) -> Iterator[bytes]:
    """Yield the text without its line ends, lines filled with blanks."""
    head = file.read(_HEAD)
    stop = b"\n" if b"\n" in head else b"\r"
    if stop not in head:
        yield head
        yield from iter(lambda: file.read(_CHUNK), b"")
        return
    rest, plain = head, _PLAIN_LINES if as_java else 0
    while chunk := file.read(_CHUNK):
        *lines, rest = (rest + chunk).split(stop)
        yield _fill(lines, plain if as_java else len(lines))
        plain = max(plain - len(lines), 0)
    lines = rest.split(stop)
    lines = lines if lines[-1] else lines[:-1]
    yield _fill(lines, plain if as_java else len(lines))


def _fill(lines: list[bytes], plain: int) -> bytes:
    """Return lines as one, those after the first ``plain`` as Dataverse's reader has them."""
    filled = [line.rstrip(b"\r").ljust(LINE) for line in lines]
    for place, line in enumerate(filled[plain:], plain):
        if not line.isascii():
            filled[place] = _through_java(line)
    return b"".join(filled)


def _through_java(line: bytes) -> bytes:
    """Return a line as Dataverse's reader writes it to its own file, without line ends.

    A broken sequence becomes U+FFFD, which has three bytes; some characters end a line in Java.

    Source: IQSS/dataverse b485249231fe, PORFileReader.decodeHeader.
    """
    return _JAVA_LINE_ENDS.sub("", line.decode("utf-8", "replace")).encode()


def _translation(table: bytes) -> bytes:
    """Return a table for `bytes.translate` into ASCII order.

    Asked only where SPSSPORT does not stand there in ASCII: writers in that order leave out some
    characters that they use.
    """
    codes = table[_FIRST : _FIRST + len(_PORTABLE)]
    translated = bytearray([_UNKNOWN] * 256)
    pairs = list(zip(_PORTABLE, codes, strict=False))
    for character, code in reversed(pairs):
        if character and code != codes[0]:  # an unused place holds the file's digit 0
            translated[code] = character
    if codes:
        translated[codes[0]] = _PORTABLE[0]
    return bytes(translated)
