"""Columns of an R file while cases come in: packed, compressed and kept until all are there.

An R file has its columns one after the other, a source its cases. So each column's pieces are
compressed as they come (`tabkit.gzipped`), kept, beyond a budget in a temporary file without a
name, and put together at the end: nothing is decoded or compressed twice.
"""

from __future__ import annotations

import dataclasses
import threading
from typing import TYPE_CHECKING, BinaryIO, Final

from tabkit.gzipped import BLOCK_BYTES, Member, Piece, deflate, inflate
from tabkit.spool import SpillFile
from tabkit.write.rdata_values import DOUBLE, INTEGER, LOGICAL

if TYPE_CHECKING:
    from collections.abc import Callable

    import pyarrow as pa

    from tabkit.write.rdata_columns import Values

MEMORY: Final = 32 << 20  # bytes of compressed pieces kept in memory
_HELD: Final = 64 << 20  # bytes of all columns that wait to be compressed
_PIECE: Final = (1 << 12, 1 << 18)  # bytes that make a piece: a block's column is one by itself


@dataclasses.dataclass(frozen=True, slots=True)
class Kept:
    """A piece in a `Spool`: itself or where it begins in the file, and the fields of `Piece`."""

    place: bytes | int
    length: int
    crc: int
    size: int


class Spool:
    """Pieces of all columns, in memory or in a temporary file; several threads may add.

    Args:
        memory: Bytes kept in memory; more go to the folder that ``TMPDIR`` names.
    """

    def __init__(self, memory: int = MEMORY) -> None:
        self._file, self._room, self._lock = SpillFile(), memory, threading.Lock()

    def add(self, piece: Piece) -> Kept:
        """Keep a piece.

        Raises:
            OutputError: There is no room for it.
        """
        length = len(piece.data)
        with self._lock:
            fits = length <= self._room
            self._room -= length if fits else 0
        place = piece.data if fits else self._file.write(memoryview(piece.data))
        return Kept(place, length, piece.crc, piece.size)

    def read(self, kept: Kept) -> bytes:
        """Return the compressed bytes of a piece."""
        if isinstance(kept.place, bytes):
            return kept.place
        data = bytearray(kept.length)
        self._file.read_into(kept.place, memoryview(data))
        return bytes(data)

    def close(self) -> None:
        """Delete what is kept in the file."""
        self._file.close()


class ColumnStore:
    """One column: how its values are packed, and those that came so far.

    Args:
        values: Packs the arrays of this column.
        spool: Shared with the other columns.
        columns: How many columns there are.
    """

    def __init__(self, values: Values, spool: Spool, columns: int) -> None:
        least, most = _PIECE
        self.values = values
        self._spool, self._limit = spool, max(least, min(most, _HELD // max(columns, 1)))
        self._held: list[bytes] = []
        self._size = 0
        self._kept: list[Kept] = []

    def append(self, column: pa.Array, tags: pa.Int8Array | None) -> None:
        """Add the values of a block."""
        change = self.values.admit(column, tags)
        if change is not None:
            self.rewrite(change)
        packed = self.values.packed(column, tags)
        self._held.append(packed)
        self._size += len(packed)
        if self._size >= self._limit:
            self._press()

    def rewrite(self, change: Callable[[bytes], bytes]) -> None:
        """Change all that was packed so far."""
        pieces, self._kept = self._kept, []
        for kept in pieces:
            data = change(inflate(self._spool.read(kept), kept.size))
            self._kept.append(self._spool.add(deflate(data, _word(self.values.kind))))
        self._held = [change(data) for data in self._held]
        self._size = sum(map(len, self._held))

    def write(self, out: Assembler) -> None:
        """Append all values to the file."""
        for kept in self._kept:
            out.add(self._spool.read(kept), kept.crc, kept.size)
        for data in self._held:
            out.write(data)

    def _press(self) -> None:
        piece = deflate(b"".join(self._held), _word(self.values.kind))
        self._kept.append(self._spool.add(piece))
        self._held, self._size = [], 0


class Assembler:
    """The compressed file: bytes that come by themselves and pieces that are ready, in order.

    Args:
        file: Written from where it stands.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._member, self._held = Member(file), bytearray()

    def write(self, data: bytes) -> None:
        """Append bytes."""
        self._held += data
        if len(self._held) >= BLOCK_BYTES:
            self._press()

    def add(self, data: bytes, crc: int, size: int) -> None:
        """Append a compressed piece."""
        self._press()
        self._member.add(data, crc, size)

    def finish(self) -> None:
        """Write what ends the file."""
        self._press()
        self._member.finish()

    def _press(self) -> None:
        if self._held:
            piece = deflate(self._held)
            self._member.add(piece.data, piece.crc, piece.size)
            self._held = bytearray()


def _word(kind: int) -> int:
    """Return the bytes of a number in a vector of this type; 1 for texts."""
    return {DOUBLE: 8, INTEGER: 4, LOGICAL: 4}.get(kind, 1)
