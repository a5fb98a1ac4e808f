"""Text of a delimited file: whatever its encoding, as UTF-8 in pieces, strictly checked.

The encodings worth trying come one by one: the first is tried while the file is read, so that a
UTF-8 file is read once; only a file that turns out otherwise is looked through as a whole.
"""

from __future__ import annotations

import codecs
import dataclasses
import re
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError, UsageError
from tabkit.model import Finding
from tabkit.read.delimited_charset import FALLBACK, guess_charset
from tabkit.read.java_utf8 import REPLACE_AS_JAVA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_PIECE: Final = 1 << 20
_SAMPLE: Final = 1 << 16  # bytes of lines with non-ASCII characters, enough to guess a charset
_CONTROL_SHARE: Final = 0.1  # text has fewer control characters than that
_FEW_CONTROLS: Final = 8  # in a small file they do not tell
_NUL_SHARE: Final = 0.4  # of every second byte; UTF-16 with ASCII digits and delimiters has more

_MARKS: Final = (
    (codecs.BOM_UTF8, "UTF-8"),
    (codecs.BOM_UTF32_LE, "UTF-32LE"),
    (codecs.BOM_UTF32_BE, "UTF-32BE"),
    (codecs.BOM_UTF16_LE, "UTF-16LE"),
    (codecs.BOM_UTF16_BE, "UTF-16BE"),
)


class UndecodableError(Exception):
    """The file is not in the encoding that is being tried; ``offset`` counts bytes."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


@dataclasses.dataclass(frozen=True, slots=True)
class Encoding:
    """One way to decode a file.

    Attributes:
        name: As Python and `Origin.encoding` have it.
        skip: Bytes of a byte order mark.
        errors: ``strict``, or how undecodable bytes become text.
        finding: What to tell the user of it, if anything.
    """

    name: str
    skip: int = 0
    errors: str = "strict"
    finding: Finding | None = None


def _repair(error: UnicodeError) -> tuple[str, int]:
    """Take one undecodable byte as windows-1252, its five holes as control characters."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    byte = error.object[error.start : error.start + 1]
    try:
        return byte.decode(FALLBACK), error.start + 1
    except UnicodeDecodeError:
        return byte.decode("latin-1"), error.start + 1


codecs.register_error("tabkit-repair", _repair)

#: What Dataverse reads: UTF-8 whatever comes, a byte order mark included.
JAVA_UTF8: Final = Encoding("UTF-8", errors=REPLACE_AS_JAVA)


def encodings(path: Path, chosen: str | None) -> Iterator[Encoding]:
    """Yield the encodings to try for a file, most likely first; the last one always fits.

    Args:
        path: The file.
        chosen: The user's choice; it is then the only one.

    Raises:
        FormatError: The file is not text.
        UsageError: There is no encoding of that name.
    """
    with path.open("rb") as file:
        head = file.read(_PIECE)
    if chosen is not None:
        yield _chosen(head, chosen)
        return
    mark, name = next((each for each in _MARKS if head.startswith(each[0])), (b"", _wide(head)))
    sign = "its byte order mark" if mark else "its NUL bytes"
    if not name and head.isascii():
        name, sign = _escaped(head), "its escape sequences"
    if name:
        yield Encoding(name, len(mark), finding=Finding(f"encoding {name} detected by {sign}"))
        text = f"encoding {name} detected by {sign}; bytes that are not became U+FFFD"
        yield Encoding(name, len(mark), "replace", Finding(text, "warning"))
        return
    _check_text(head, path)
    yield Encoding("UTF-8")
    yield _legacy(path)


def _chosen(head: bytes, name: str) -> Encoding:
    try:
        codec = codecs.lookup(name).name
        "".encode(codec)
    except (LookupError, TypeError) as error:
        msg = f"no text encoding named {name!r}"
        raise UsageError(msg) from error
    for mark, marked in _MARKS:
        same = codecs.lookup(marked).name
        if head.startswith(mark) and codec in {same, same.removesuffix("-le").removesuffix("-be")}:
            return Encoding(marked, len(mark))
    return Encoding(name)


def _escaped(head: bytes) -> str:
    """Recognise the seven-bit encodings of e-mail, whose Japanese or Korean looks like ASCII."""
    return next((name for sign, name in _ESCAPES if sign in head), "")


def _wide(head: bytes) -> str:
    """Recognise UTF-16 without a mark: nearly every second byte of Latin text is NUL."""
    pairs = len(head) // 2
    if not pairs:
        return ""
    even, odd = head[0::2].count(0) / pairs, head[1::2].count(0) / pairs
    if max(even, odd) < _NUL_SHARE or min(even, odd) > max(even, odd) / 10:
        return ""
    return "UTF-16LE" if odd > even else "UTF-16BE"


#: Source: RFC 1468 (ISO-2022-JP) and RFC 1557 (ISO-2022-KR), what turns to two bytes a character.
_ESCAPES: Final = (
    (b"\x1b$)C", "ISO-2022-KR"), (b"\x1b$B", "ISO-2022-JP"), (b"\x1b$@", "ISO-2022-JP"),
)  # fmt: skip
_CONTROLS: Final = bytes(c for c in range(32) if c not in b"\t\n\r\f\x1a\x1b")


def _check_text(head: bytes, path: Path) -> None:
    controls = len(head) - len(head.translate(None, _CONTROLS))
    if controls > max(_FEW_CONTROLS, len(head) * _CONTROL_SHARE):
        raise FormatError(
            f"this is not text: {controls:,} of the first {len(head):,} bytes are control codes",
            path,
            hint="name its true format with --from",
        )


_BROKEN: Final = re.compile("[\udc80-\udcff]")
_VALID: Final = re.compile("[^\x00-\x7f\udc80-\udcff]")


def _legacy(path: Path) -> Encoding:
    """Look through a file that is not UTF-8: is it a broken one, or in another charset?"""
    valid, broken, first, done, sample = 0, 0, -1, 0, b""
    decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
    with path.open("rb") as file:
        while True:
            piece = file.read(_PIECE)
            text = decoder.decode(piece, not piece)
            found = _BROKEN.search(text)
            if found and first < 0:
                first = done + len(text[: found.start()].encode())
            broken += len(_BROKEN.findall(text))
            valid += len(_VALID.findall(text))
            if not piece:
                break
            sample = (sample + _foreign_lines(piece, whole=not done))[:_SAMPLE]
            done += len(piece)
    if valid >= broken:
        text = f"bytes that are not UTF-8, read as {FALLBACK}: {broken:,}, from byte {first:,} on"
        return Encoding("UTF-8", errors="tabkit-repair", finding=Finding(text, "warning"))
    name = guess_charset(sample)
    if not _fits(path, name):
        name = FALLBACK
    text = f"encoding {name} detected from the letters; if they look wrong, name it with --encoding"
    return Encoding(name, errors="tabkit-repair", finding=Finding(text))


def _foreign_lines(piece: bytes, *, whole: bool) -> bytes:
    """Return the lines with non-ASCII bytes; a line cut by the piece's ends does not count."""
    start = 0 if whole else piece.find(b"\n") + 1
    end = len(piece) if whole and len(piece) < _PIECE else piece.rfind(b"\n") + 1
    lines = piece[start:end].splitlines(keepends=True)
    return b"".join(line for line in lines if not line.isascii())


def _fits(path: Path, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        with path.open("rb") as file:
            while piece := file.read(_PIECE):
                decoder.decode(piece)
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


@dataclasses.dataclass(slots=True)
class Text:
    """A file as pieces of UTF-8; the counts grow while it is read.

    Attributes:
        path: The file.
        encoding: How it is decoded.
        verbatim: NUL characters and Ctrl-Z at the end stay; else they are left out, as no
            output could carry them.
        nul: NUL characters left out.
        end_marks: Ctrl-Z characters left out (the end of a text file for DOS).
        replaced: Malformed sequences that became U+FFFD.
    """

    path: Path
    encoding: Encoding
    verbatim: bool = False
    nul: int = 0
    end_marks: int = 0
    replaced: int = 0

    def findings(self) -> list[Finding]:
        """Tell how the text was decoded, once it was read."""
        said = [self.encoding.finding] if self.encoding.finding else []
        if self.replaced and not said:
            name = self.encoding.name
            what = f"malformed sequences of {name} that became U+FFFD: {self.replaced:,}"
            said.append(Finding(what, "warning"))
        if self.nul:
            said.append(Finding(f"NUL characters left out: {self.nul:,}", "warning"))
        if self.end_marks:
            said.append(Finding("the mark Ctrl-Z at the end was left out"))
        return said

    def pieces(self, size: int) -> Iterator[bytes]:
        """Yield UTF-8; a piece may end within a character.

        Raises:
            UndecodableError: The encoding is strict and does not fit.
        """
        held = b""
        for piece in self._decoded(size):
            if self.verbatim:
                yield piece
                continue
            whole = held + piece
            text = whole.rstrip(b"\x1a")
            held = whole[len(text) :]
            if b"\0" in text:
                self.nul += text.count(0)
                text = text.replace(b"\0", b"")
            yield text
        self.end_marks = len(held)

    def _decoded(self, size: int) -> Iterator[bytes]:
        checked = self.encoding.name == "UTF-8" and self.encoding.errors == "strict"
        decoder = codecs.getincrementaldecoder(self.encoding.name)(self.encoding.errors)
        with self.path.open("rb") as file:
            done = file.seek(self.encoding.skip)
            while piece := file.read(size):
                text = self._decode(decoder, piece, done, checked=checked)
                self._count(piece, text)
                yield text
                done += len(piece)
            text = self._decode(decoder, b"", done, checked=checked)
            self._count(b"", text)
            yield text

    def _decode(
        self, decoder: codecs.IncrementalDecoder, piece: bytes, done: int, *, checked: bool
    ) -> bytes:
        """Decode a piece; UTF-8 is only checked. An empty piece is the end."""
        pending = len(decoder.getstate()[0])
        if checked and not pending and piece.isascii() and piece:
            return piece
        try:
            text = decoder.decode(piece, not piece)
        except UnicodeDecodeError as error:
            raise UndecodableError(done - pending + error.start) from error
        return piece if checked else text.encode()

    def _count(self, source: bytes, text: bytes) -> None:
        if self.encoding.errors in {REPLACE_AS_JAVA, "replace"}:
            mark = "\ufffd".encode()
            self.replaced += text.count(mark) - source.count(mark)
