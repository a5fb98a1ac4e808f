"""Bytes of a file, taken in order and never beyond its end."""

from __future__ import annotations

import dataclasses
import os
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from tabkit.errors import FormatError

if TYPE_CHECKING:
    from pathlib import Path

_UNSIGNED: Final = {1: "B", 2: "H", 4: "I", 8: "Q"}


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """A file being read; ``order`` is ``<`` or ``>`` as `struct` has it."""

    path: Path
    file: BinaryIO
    size: int
    order: str = "<"

    @property
    def at(self) -> int:
        """The next byte's number, from 0."""
        return self.file.tell()

    @property
    def left(self) -> int:
        """Bytes up to the end."""
        return self.size - self.file.tell()

    def seek(self, offset: int) -> None:
        """Go to a byte."""
        self.file.seek(offset)

    def take(self, count: int, what: str) -> bytes:
        """Return the next ``count`` bytes.

        Raises:
            FormatError: The file ends before; nothing is allocated then.
        """
        if count > self.left:
            raise self.broken(f"the file ends within its {what}", "get a whole copy of it")
        return self.file.read(count)

    def number(self, count: int, what: str) -> int:
        """Return the next unsigned number of 1, 2, 4 or 8 bytes."""
        return int(struct.unpack(self.order + _UNSIGNED[count], self.take(count, what))[0])

    def fields(self, count: int, width: int, what: str) -> tuple[bytes, ...]:
        """Return ``count`` texts of ``width`` bytes, each up to its first NUL."""
        raw = self.take(count * width, what)
        return tuple(
            raw[start : start + width].partition(b"\0")[0]
            for start in range(0, count * width, width)
        )

    def looking_at(self, expected: bytes, offset: int) -> bool:
        """Whether ``expected`` stands at ``offset``; goes behind it when it does."""
        if not 0 <= offset <= self.size - len(expected):
            return False
        before = self.at
        self.seek(offset)
        found = self.file.read(len(expected)) == expected
        if not found:
            self.seek(before)
        return found

    def broken(self, reason: str, hint: str = "") -> FormatError:
        """Return the error to raise, with the place."""
        return FormatError(reason, self.path, f"byte {self.at:,}", hint)


def source_of(path: Path, file: BinaryIO) -> Source:
    """Return the opened file as a source."""
    return Source(path, file, os.fstat(file.fileno()).st_size)
