"""Texts of R's serialization: found by one walk, decoded block by block where they lie.

Each has a head of flags and length, then its bytes. The flags say what it is in: ASCII, UTF-8,
Latin-1, bytes, or "native": the encoding of the session that wrote it, which version 3 names.
Source: R Internals, section 1.8; R, ``help(Encoding)``.
"""

from __future__ import annotations

import codecs
import collections
import dataclasses
import enum
import struct
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from tabkit import _native

if TYPE_CHECKING:
    import numpy.typing as npt

STRIDE: Final = 4096  # texts from one noted place to the next
_TYPE, _HAS_ATTRIBUTES, _CHARSXP = 0xFF, 0x200, 9
_IS_BYTES, _IS_LATIN1, _IS_UTF8 = 1 << 13, 1 << 14, 1 << 15
_HEAD: Final = 8
_GUESS: Final = "windows-1252"

_Read: TypeAlias = "tuple[int, bytes | None, bytes, bytes, bytes | None]"


class Mark(enum.IntEnum):
    """What a text is beyond ASCII and UTF-8."""

    PLAIN = 0
    LATIN1 = 1
    BYTES = 2
    NATIVE = 3
    WRONG_UTF8 = 4


@dataclasses.dataclass(frozen=True, slots=True)
class Encodings:
    """How texts are decoded, and what was met.

    Attributes:
        native: The encoding of texts without a mark; empty where nothing says, then UTF-8 where
            the bytes are UTF-8, else Windows-1252.
        met: Counts of texts by what was done to them.
    """

    native: str = ""
    met: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    @property
    def native_is_utf8(self) -> bool:
        """Whether texts without a mark are UTF-8 if they can be."""
        return self.native in {"", "utf-8"}


def codec_name(name: str) -> str:
    """Return Python's name of an encoding, empty for none that it knows, and for ASCII."""
    try:
        found = codecs.lookup(name).name
    except (LookupError, ValueError):
        return ""
    return "" if found == "ascii" else found


@dataclasses.dataclass(frozen=True, slots=True)
class Texts:
    """``count`` texts that lie in ``data``; ``places`` tells where every `STRIDE`-th begins."""

    data: Any
    count: int
    places: npt.NDArray[np.int64]
    is_big_endian: bool
    encodings: Encodings

    def __len__(self) -> int:
        return self.count

    def array(self, start: int, stop: int) -> pa.Array:
        """Return the texts from ``start`` to ``stop``, null where they are NA."""
        stop = min(stop, self.count)
        if stop <= start:
            return pa.array([], pa.string())
        at = int(self.places[start // STRIDE])
        if start % STRIDE:
            at = skip_texts(self.data, at, start % STRIDE, STRIDE, self.is_big_endian)[1]
        count, order = stop - start, self.is_big_endian
        missing, validity, offsets, data, marks = read_texts(
            self.data, at, count, order, self.encodings.native_is_utf8
        )
        buffers = [None if validity is None else pa.py_buffer(validity), pa.py_buffer(offsets)]
        buffers.append(pa.py_buffer(data))
        if marks is None:
            return pa.Array.from_buffers(pa.string(), count, buffers, missing)
        raw = pa.Array.from_buffers(pa.binary(), count, buffers, missing)
        decoded = [
            None if each is None else _decoded(each, mark, self.encodings)
            for each, mark in zip(raw.to_pylist(), marks, strict=True)
        ]
        return pa.array(decoded, pa.string())

    def part(self, start: int, stop: int) -> Texts:
        """Return the texts from ``start`` to ``stop`` as texts of their own."""
        return texts_of(self.array(start, stop).to_pylist())

    def to_list(self) -> list[str | None]:
        """Return all texts."""
        return self.array(0, self.count).to_pylist()  # type: ignore[no-any-return]


def texts_at(
    data: Any, start: int, count: int, encodings: Encodings, *, is_big_endian: bool
) -> tuple[Texts, int]:
    """Find the texts that begin at ``start``; return them and where they end.

    Raises:
        ValueError: They do not lie there.
    """
    places, end = skip_texts(data, start, count, STRIDE, is_big_endian)
    return Texts(data, count, np.frombuffer(places, np.int64), is_big_endian, encodings), end


def texts_of(strings: list[str | None]) -> Texts:
    """Return texts made here."""
    data = b"".join(
        struct.pack(">Ii", _CHARSXP, -1)
        if each is None
        else struct.pack(">Ii", _CHARSXP | _IS_UTF8, len(each.encode())) + each.encode()
        for each in strings
    )
    return texts_at(data, 0, len(strings), Encodings(), is_big_endian=True)[0]


def decode_text(raw: bytes, flags: int, encodings: Encodings) -> str:
    """Return a single text by the flags of its head."""
    mark = _mark(raw, flags, native_is_utf8=encodings.native_is_utf8)
    return _decoded(raw, mark, encodings)


def _decoded(raw: bytes, mark: int, encodings: Encodings) -> str:
    if mark == Mark.PLAIN:
        return raw.decode("utf-8")
    if mark == Mark.LATIN1:  # R itself reads this mark as Windows-1252 (sysutils.c, LATIN1)
        return _or_latin1(raw, "windows-1252")
    if mark == Mark.BYTES:
        encodings.met["marked as bytes: those beyond ASCII are spelled \\xNN"] += 1
        return "".join(chr(byte) if byte < 0x80 else f"\\x{byte:02x}" for byte in raw)  # noqa: PLR2004
    if mark == Mark.WRONG_UTF8:
        encodings.met["marked as UTF-8 with wrong bytes, which became U+FFFD"] += 1
        return raw.decode("utf-8", "replace")
    if encodings.native_is_utf8:
        encodings.met[f"of no known encoding, read as {_GUESS} (--encoding overrides)"] += 1
        return _or_latin1(raw, _GUESS)
    text = raw.decode(encodings.native, "replace")
    if "\ufffd" in text:
        encodings.met[f"with bytes that are not {encodings.native}, which became U+FFFD"] += 1
    return text


def _or_latin1(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError:
        return raw.decode("latin-1")


def _skip_texts(
    data: Any, start: int, count: int, stride: int, big_endian: bool
) -> tuple[bytes, int]:
    """Do what `tabkit._native.core.skip_texts` does."""
    if start > len(data) or count > (len(data) - start) // _HEAD:
        raise ValueError("the texts end early")
    places = []
    for number in range(count):
        if number % stride == 0:
            places.append(start)
        start, _, _ = _next(data, start, big_endian)
    return struct.pack(f"={len(places)}q", *places), start


def _read_texts(data: Any, start: int, count: int, big_endian: bool, native_is_utf8: bool) -> _Read:
    """Do what `tabkit._native.core.read_texts` does."""
    found: list[bytes | None] = []
    marks = bytearray()
    for _ in range(count):
        start, flags, raw = _next(data, start, big_endian)
        found.append(raw)
        marks.append(0 if raw is None else _mark(raw, flags, native_is_utf8=native_is_utf8))
    array = pa.array(found, pa.binary())
    _, offsets, values = array.buffers()
    missing = array.null_count
    given = np.array([each is not None for each in found], bool)
    bits = np.packbits(given, bitorder="little").tobytes()
    return (
        missing,
        bits if missing else None,
        offsets.to_pybytes()[: 4 * (count + 1)],
        values.to_pybytes() if values else b"",
        bytes(marks) if any(marks) else None,
    )


def _next(data: Any, at: int, big_endian: bool) -> tuple[int, int, bytes | None]:
    if len(data) - at < _HEAD:
        raise ValueError("the texts end early")
    flags, length = struct.unpack_from(">Ii" if big_endian else "<Ii", data, at)
    if flags & _TYPE != _CHARSXP or flags & _HAS_ATTRIBUTES:
        raise ValueError("there is something else where a text should be")
    at += _HEAD
    if length == -1:
        return at, flags, None
    if length < 0 or length > len(data) - at:
        raise ValueError("the texts end early")
    return at + length, flags, bytes(data[at : at + length])


def _mark(raw: bytes, flags: int, *, native_is_utf8: bool) -> int:
    if raw.isascii():
        return Mark.PLAIN
    if flags & _IS_LATIN1:
        return Mark.LATIN1
    if flags & _IS_BYTES:
        return Mark.BYTES
    if flags & _IS_UTF8:
        return Mark.PLAIN if _is_utf8(raw) else Mark.WRONG_UTF8
    return Mark.PLAIN if native_is_utf8 and _is_utf8(raw) else Mark.NATIVE


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


if _native.AVAILABLE:
    from tabkit._native.core import read_texts, skip_texts
else:
    skip_texts, read_texts = _skip_texts, _read_texts
