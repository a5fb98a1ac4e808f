"""R's values as bytes: small vectors with attributes, and the parts that large ones are made of.

Source: R Internals, 1.1 "SEXPs" and 1.8 "Serialization Formats"; R's serialize.c.
"""

from __future__ import annotations

import dataclasses
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tabkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

LOGICAL, INTEGER, DOUBLE, TEXT, LIST = 10, 13, 14, 16, 19  # types of vectors
_SYMBOL, _PAIR, _CHARACTERS = 1, 2, 9
_OBJECT, _ATTRIBUTES, _TAG = 1 << 8, 1 << 9, 1 << 10
_ASCII, _UTF8 = 1 << 18, 1 << 15  # what a text is in
_NIL: Final = struct.pack(">i", 0xFE)
_REFERENCE: Final = 0xFF
_NA_TEXT: Final = struct.pack(">ii", _CHARACTERS, -1)
_ONE: Final = struct.Struct(">i")
_TWO: Final = struct.Struct(">ii")
_NAMED: Final = _ONE.pack(_PAIR | _TAG)
_MOST_PACKED: Final = 1024  # vectors that are kept packed
NA_INTEGER: Final = -(2**31)
NA_BITS: Final = 0x7FF00000000007A2
_TAG_SHIFT: Final = 32  # haven keeps the letter of a tagged missing in a byte of the NaN
#: Version of the format: R's versions that write and read it. Source: R Internals, 1.8.
_VERSIONS: Final = MappingProxyType({2: (0x00020300, 0x00020300), 3: (0x00030500, 0x00030500)})


@dataclasses.dataclass(frozen=True, slots=True)
class Vector:
    """A vector of R.

    Attributes:
        kind: One of the types above.
        count: Its length.
        data: What follows the length, XDR.
        attributes: By name; ``class`` makes it an object.
    """

    kind: int
    count: int
    data: bytes
    attributes: Mapping[str, Vector] = dataclasses.field(default_factory=dict)


def texts(values: Iterable[str | None]) -> Vector:
    """Return a character vector; None is NA, and a text ends at its first NUL."""
    parts = [_NA_TEXT if value is None else characters(value) for value in values]
    return Vector(TEXT, len(parts), b"".join(parts))


def doubles(values: Sequence[float]) -> Vector:
    """Return a numeric vector; NaN stays NaN."""
    return Vector(DOUBLE, len(values), struct.pack(f">{len(values)}d", *values))


def integers(values: Sequence[int]) -> Vector:
    """Return an integer vector; `NA_INTEGER` is NA."""
    return Vector(INTEGER, len(values), struct.pack(f">{len(values)}i", *values))


def named(vector: Vector, names: Iterable[str | None]) -> Vector:
    """Return the vector with names."""
    attributes = {**vector.attributes, "names": texts(names)}
    return Vector(vector.kind, vector.count, vector.data, attributes)


def tagged_bits(letter: str) -> int:
    """Return the bits of haven's ``tagged_na(letter)``."""
    return NA_BITS | ord(letter) << _TAG_SHIFT


def tagged_number(letter: str) -> bytes:
    """Return a tagged missing number, XDR; a plain one for a blank."""
    return struct.pack(">Q", tagged_bits(letter) if letter.strip() else NA_BITS)


def characters(text: str) -> bytes:
    """Return one text, as it stands in a vector or a symbol."""
    if "\0" in text:
        text = text.partition("\0")[0]
    data = text.encode("utf-8", "replace")
    flags = _CHARACTERS | (_ASCII if data.isascii() else _UTF8)
    return _TWO.pack(flags, len(data)) + data


def head(kind: int, count: int, attributes: Collection[str] = ()) -> bytes:
    """Return what stands before the data of a vector."""
    if attributes:
        kind |= _ATTRIBUTES | (_OBJECT if "class" in attributes else 0)
    return _TWO.pack(kind, count)


class Symbols:
    """Writes symbols, each in full once, then by its number, and vectors with attributes.

    The vectors with attributes that many columns share (labels) are packed once.
    """

    def __init__(self) -> None:
        self._known: dict[str, bytes] = {}
        self._packed: dict[int, tuple[Vector, bytes]] = {}

    def symbol(self, name: str) -> bytes:
        """Return a symbol."""
        known = self._known.get(name)
        if known is not None:
            return known
        self._known[name] = _ONE.pack((len(self._known) + 1) << 8 | _REFERENCE)
        return _ONE.pack(_SYMBOL) + characters(name)

    def attributes(self, values: Mapping[str, Vector]) -> bytes:
        """Return what follows the data of a vector that has attributes; nothing without."""
        if not values:
            return b""
        symbols, parts = self._known, list[bytes]()
        for name, value in values.items():
            parts += (_NAMED, symbols.get(name) or self.symbol(name), self.vector(value))
        parts.append(_NIL)
        return b"".join(parts)

    def vector(self, vector: Vector) -> bytes:
        """Return a whole vector."""
        if not vector.attributes:
            return _TWO.pack(vector.kind, vector.count) + vector.data
        known = self._packed.get(id(vector))
        if known is not None:
            return known[1]
        symbols = len(self._known)
        start = head(vector.kind, vector.count, vector.attributes)
        packed = start + vector.data + self.attributes(vector.attributes)
        if symbols == len(self._known):  # else it has some in full, as it will not again
            if len(self._packed) >= _MOST_PACKED:
                self._packed.clear()
            self._packed[id(vector)] = vector, packed  # which keeps the identity its own
        return packed

    def opening(self, version: int, name: str | None) -> bytes:
        """Return what stands before the value of a file: .RData with the object's name, .rds."""
        start = f"RDX{version}\n".encode() if name is not None else b""
        written, read = _VERSIONS[version]
        start += b"X\n" + struct.pack(">iii", version, written, read)
        if version > 2:  # noqa: PLR2004 - since then it tells what R's own texts were in
            start += _ONE.pack(5) + b"UTF-8"
        if name is not None:
            start += _NAMED + self.symbol(name)
        return start


def closing(name: str | None) -> bytes:
    """Return what stands behind the value of a file."""
    return b"" if name is None else _NIL


def check_version(version: int) -> None:
    """Raise UsageError for a version of the format that is not written."""
    if version not in _VERSIONS:
        msg = f"R's files are written in version 2 or 3, not {version}"
        raise UsageError(msg)
