"""The three wire forms of R's serialization: XDR (big-endian), native (little-endian), ASCII.

Every length is checked against the bytes that are left before anything is made of it.
Source: R 4.2, src/main/serialize.c, InInteger, InReal, InString, InWord.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Any, Final, Protocol

import numpy as np

from tabkit.read.r_objects import NA_INTEGER, NA_REAL, DamagedError
from tabkit.read.r_texts import Encodings, Texts, texts_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

_KINDS: Final = {
    "logical": "i4", "integer": "i4", "double": "f8", "complex": "c16", "raw": "u1",
}  # fmt: skip
_ESCAPE: Final = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_LETTERS: Final = {
    b"n": b"\n", b"t": b"\t", b"v": b"\v", b"b": b"\b", b"r": b"\r", b"f": b"\f", b"a": b"\a",
}  # fmt: skip
_EARLY: Final = "the data end early"


class Source(Protocol):
    """Where the parser takes its values from, one after the other."""

    at: int

    def integer(self) -> int:
        """Return the next integer."""
        ...

    def raw(self, count: int) -> bytes:
        """Return the next string of so many bytes."""
        ...

    def numbers(self, kind: str, count: int) -> npt.NDArray[Any]:
        """Return the next ``count`` values of a vector of that kind."""
        ...

    def texts(self, count: int, encodings: Encodings) -> Texts:
        """Return the next ``count`` texts, each with its head."""
        ...


class BinarySource:
    """Memory in which all is fixed-width; vectors are views of it."""

    __slots__ = ("_data", "_integer", "_order", "_size", "at")

    def __init__(self, data: Any, at: int, *, is_big_endian: bool) -> None:
        self._data, self._size, self.at = data, len(data), at
        self._order = ">" if is_big_endian else "<"
        self._integer = struct.Struct(self._order + "i")

    def integer(self) -> int:
        """Return the next integer."""
        at = self.at
        if self._size - at < 4:  # noqa: PLR2004 - its width
            raise DamagedError(_EARLY, at)
        self.at = at + 4
        return int(self._integer.unpack_from(self._data, at)[0])

    def raw(self, count: int) -> bytes:
        """Return the next bytes."""
        at = self._advance(count)
        return bytes(self._data[at : at + count])

    def numbers(self, kind: str, count: int) -> npt.NDArray[Any]:
        """Return a view of the next values."""
        dtype = np.dtype(self._order + _KINDS[kind])
        at = self._advance(count * dtype.itemsize)
        return np.frombuffer(self._data, dtype, count, at)

    def texts(self, count: int, encodings: Encodings) -> Texts:
        """Return the next texts, where they lie."""
        big = self._order == ">"
        try:
            found, self.at = texts_at(self._data, self.at, count, encodings, is_big_endian=big)
        except ValueError as error:
            raise DamagedError(str(error), self.at) from error
        return found

    def _advance(self, count: int) -> int:
        at = self.at
        if count < 0 or count > self._size - at:
            raise DamagedError(_EARLY, at)
        self.at = at + count
        return at


class AsciiSource:
    """Words with white space between them; what they say is kept in memory."""

    __slots__ = ("_data", "_words", "at")

    def __init__(self, data: Any, at: int) -> None:
        self._data, self.at = data, at
        self._words = self._all_words()

    def _all_words(self) -> Iterator[bytes]:
        size, data = len(self._data), self._data
        while self.at < size:
            end = data.find(b"\n", self.at)
            end = size if end < 0 else end
            line, self.at = bytes(data[self.at : end]), end + 1
            yield from line.split()
        raise DamagedError(_EARLY, size)

    def integer(self) -> int:
        """Return the next integer."""
        word = next(self._words)
        try:
            return _integer(word)
        except ValueError:
            raise DamagedError(f"{word[:20]!r} is no integer", self.at) from None

    def raw(self, count: int) -> bytes:
        """Return the next string without its escapes."""
        if not count:
            return b""
        word = next(self._words)
        if b"\\" in word:
            word = _ESCAPE.sub(_unescaped, word)
        if len(word) != count:
            raise DamagedError(f"a string of {count:,} bytes has {len(word):,}", self.at)
        return word

    def numbers(self, kind: str, count: int) -> npt.NDArray[Any]:
        """Return the next values."""
        self._check(count, 4 if kind == "complex" else 2)
        words = self._words
        try:
            if kind == "complex":
                parts = np.array([_double(next(words)) for _ in range(2 * count)], np.float64)
                return parts.view(np.complex128)
            if kind == "double":
                return np.array([_double(next(words)) for _ in range(count)], np.float64)
            if kind == "raw":
                return np.array([int(next(words), 16) for _ in range(count)], np.uint8)
            return np.array([_integer(next(words)) for _ in range(count)], np.int32)
        except (ValueError, OverflowError) as error:
            raise DamagedError(f"{str(error)[:60]}", self.at) from None

    def texts(self, count: int, encodings: Encodings) -> Texts:
        """Return the next texts, in the form of XDR."""
        self._check(count, 4)
        parts = []
        for _ in range(count):
            flags, length = self.integer(), self.integer()
            parts.append(struct.pack(">Ii", flags & 0xFFFFFFFF, length))
            parts.append(self.raw(max(length, 0)))
        try:
            return texts_at(b"".join(parts), 0, count, encodings, is_big_endian=True)[0]
        except (ValueError, struct.error) as error:
            raise DamagedError(str(error), self.at) from error

    def _check(self, count: int, least: int) -> None:
        """Each value takes at least so many bytes."""
        if count < 0 or count > (len(self._data) - self.at) // least + 1:
            raise DamagedError(_EARLY, self.at)


def _integer(word: bytes) -> int:
    number = NA_INTEGER if word == b"NA" else int(word)
    if not -(2**31) <= number < 2**31:
        msg = f"{number} has more than 32 bits"
        raise ValueError(msg)
    return number


def _double(word: bytes) -> float:
    """Return a number as R prints it; ``ascii = NA`` prints it in base 16."""
    if word == b"NA":
        return NA_REAL
    try:
        return float(word)
    except ValueError:
        return float.fromhex(word.decode("latin-1"))


def _unescaped(match: re.Match[bytes]) -> bytes:
    found = match[1]
    return bytes([int(found, 8) & 0xFF]) if found.isdigit() else _LETTERS.get(found, found)
