"""Cases of a system file: columns go in, bytecode comes out, in zlib blocks for .zsav.

Source: GNU PSPP developer's guide, "System File Format" (data record, ZLIB compressed data).
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

from tabkit.write.stat_columns import SPSS_CLOCK, numbers, text_matrix
from tabkit.write.stat_spss import SYSTEM_MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

    from tabkit.write.stat_spss import SpssColumn

    Elements = npt.NDArray[np.uint64]
    Flags = npt.NDArray[np.bool_]

SEGMENT_BYTES, SEGMENT_STEP = 255, 252
BIAS: Final = 100
_BLANK: Final = 0x20
_BLANKS: Final = np.uint64(0x2020_2020_2020_2020)
_LITERAL, _ALL_BLANK, _MISSING = 253, 254, 255
_LOWEST, _HIGHEST = 1 - BIAS, 251 - BIAS
_ZLIB_BLOCK: Final = 0x3F_F000


def segment_widths(width: int) -> tuple[int, ...]:
    """Return the widths of the variables that hold a string of ``width`` bytes; (0,) a number."""
    if width <= SEGMENT_BYTES:
        return (width,)
    count = -(-width // SEGMENT_STEP)
    return (*(SEGMENT_BYTES,) * (count - 1), width - (count - 1) * SEGMENT_STEP)


def element_count(width: int) -> int:
    """Return the 8-byte elements that a string of ``width`` bytes, or a number, takes in a case."""
    return sum(max(1, -(-each // 8)) for each in segment_widths(width))


def elements_of(batch: pa.RecordBatch, columns: Sequence[SpssColumn]) -> Elements:
    """Return cases by elements, little-endian."""
    sizes = [element_count(column.width) for column in columns]
    cases = np.empty((batch.num_rows, sum(sizes)), np.uint64)
    start = 0
    for column, data, size in zip(columns, batch.columns, sizes, strict=True):
        if column.width:
            cases[:, start : start + size] = _text_elements(data, column.width)
        else:
            values, valid = numbers(data, SPSS_CLOCK)
            cases[:, start] = np.where(valid, values, SYSTEM_MISSING).astype("<f8").view(np.uint64)
        start += size
    return cases


def _text_elements(data: pa.Array, width: int) -> Elements:
    """Lay a string out: segments of 255 bytes, each filled up with blanks to whole elements."""
    text = text_matrix(data, width, _BLANK)
    parts, start = [], 0
    for size in segment_widths(width):
        part = text[:, start : start + min(size, SEGMENT_BYTES)]
        padded = max(1, -(-size // 8)) * 8
        parts.append(np.pad(part, ((0, 0), (0, padded - part.shape[1])), constant_values=_BLANK))
        start += part.shape[1]
    whole = parts[0] if len(parts) == 1 else np.hstack(parts)
    return np.ascontiguousarray(whole).view(np.uint64)


def number_elements(columns: Sequence[SpssColumn]) -> Flags:
    """Tell which elements of a case are numbers."""
    flags = [[not column.width] * element_count(column.width) for column in columns]
    return np.array([each for some in flags for each in some], np.bool_)


def bytecode(cases: Elements, is_number: Flags) -> bytes:
    """Compress cases; their number is a multiple of eight but in the last block.

    Eight codes of one byte are followed by the elements of those that say so.
    """
    codes = np.full(cases.shape, _LITERAL, np.uint8)
    texts = cases[:, ~is_number]
    codes[:, ~is_number] = np.where(texts == _BLANKS, _ALL_BLANK, _LITERAL)
    values = cases[:, is_number].view("<f8")
    with np.errstate(invalid="ignore"):
        small = (values >= _LOWEST) & (values <= _HIGHEST) & (values == np.floor(values))
    small &= ~((values == 0) & np.signbit(values))
    short = np.where(small, values + BIAS, _LITERAL).astype(np.uint8)
    codes[:, is_number] = np.where(values == SYSTEM_MISSING, _MISSING, short)
    flat = codes.ravel()
    flat = np.concatenate([flat, np.zeros(-len(flat) % 8, np.uint8)])
    literals = flat.reshape(-1, 8) == _LITERAL
    places = np.arange(len(literals)) + np.cumsum(literals.sum(axis=1)) - literals.sum(axis=1)
    out = np.empty(len(literals) + int(literals.sum()), np.uint64)
    is_code = np.zeros(len(out), np.bool_)
    is_code[places] = True
    out[places] = flat.view(np.uint64)
    out[~is_code] = cases.ravel()[codes.ravel() == _LITERAL]
    return out.tobytes()


@dataclasses.dataclass(slots=True)
class ZlibBlocks:
    """Writes bytecode in zlib blocks after the dictionary, and their directory at the end."""

    file: BinaryIO
    start: int
    waiting: bytearray = dataclasses.field(default_factory=bytearray)
    sizes: list[tuple[int, int]] = dataclasses.field(default_factory=list)

    def begin(self) -> None:
        """Leave room for the header of the data, whose offsets are known in the end."""
        self.file.write(bytes(24))

    def write(self, data: bytes) -> None:
        """Take bytecode; write a block whenever there is a whole one."""
        self.waiting += data
        while len(self.waiting) >= _ZLIB_BLOCK:
            self._flush()

    def finish(self) -> None:
        """Write the rest, the directory and the header."""
        if self.waiting:
            self._flush()
        trailer = self.file.tell()
        self.file.write(struct.pack("<qqii", -BIAS, 0, _ZLIB_BLOCK, len(self.sizes)))
        plain, packed = self.start, self.start + 24
        for size, packed_size in self.sizes:
            self.file.write(struct.pack("<qqii", plain, packed, size, packed_size))
            plain, packed = plain + size, packed + packed_size
        length = self.file.tell() - trailer
        self.file.seek(self.start)
        self.file.write(struct.pack("<qqq", self.start, trailer, length))

    def _flush(self) -> None:
        block = bytes(self.waiting[:_ZLIB_BLOCK])
        del self.waiting[:_ZLIB_BLOCK]
        packed = zlib.compress(block)
        self.file.write(packed)
        self.sizes.append((len(block), len(packed)))
