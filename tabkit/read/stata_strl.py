"""Long strings (strL): an index of where each lies, and the texts that a block refers to.

The data hold a reference, variable and case of the first cell with that text; the texts follow
the data, one record each: ``GSO``, variable, case, type, length, bytes.
Source: Stata, ``help dta``, section strLs.
"""

from __future__ import annotations

import array
import dataclasses
import struct
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    import numpy.typing as npt

    from tabkit.read.stata_bytes import Source
    from tabkit.read.stata_layout import Layout

_MARK: Final = b"GSO"
_TEXT: Final = 130  # ends with a NUL; 129 is binary and may hold any byte


@dataclasses.dataclass(frozen=True, slots=True)
class LongStrings:
    """Where long strings lie; arrays of one length, in order of ``keys``.

    Attributes:
        keys: uint64, ``variable << offset_bits | case``, both from 1, ascending.
        offsets: int64, first byte in the file.
        lengths: int64, bytes without a closing NUL.
        binary: bool, whether the record is declared binary.
    """

    keys: npt.NDArray[np.uint64]
    offsets: npt.NDArray[np.int64]
    lengths: npt.NDArray[np.int64]
    binary: npt.NDArray[np.bool_]


def skip_long_strings(source: Source, layout: Layout) -> None:
    """Go behind the last record."""
    for _ in _records(source, layout):
        pass


def index_long_strings(source: Source, layout: Layout) -> LongStrings:
    """Return where the records lie that begin here; one that is cut off is left out."""
    keys, places = array.array("Q"), array.array("q")
    lengths, kinds = array.array("q"), array.array("B")
    bits = layout.offset_bits
    for variable, case, kind, length, offset in _records(source, layout):
        keys.append((variable << bits | case) & 0xFFFF_FFFF_FFFF_FFFF)
        places.append(offset)
        lengths.append(length - (kind == _TEXT and length > 0))
        kinds.append(kind)
    order = np.argsort(np.asarray(keys, np.uint64), kind="stable")
    return LongStrings(
        np.asarray(keys, np.uint64)[order],
        np.asarray(places, np.int64)[order],
        np.asarray(lengths, np.int64)[order],
        (np.asarray(kinds, np.uint8) != _TEXT)[order],
    )


def _records(source: Source, layout: Layout) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield variable, case, type, length and the offset of the text of every whole record."""
    head = struct.Struct(source.order + ("3sIIBI" if layout.offset_bits == 32 else "3sIQBI"))  # noqa: PLR2004
    file, size, width = source.file, source.size, head.size
    at = source.at
    while size - at >= width:
        mark, variable, case, kind, length = head.unpack(file.read(width))
        if mark != _MARK or at + width + length > size:
            break
        yield variable, case, kind, length, at + width
        at += width + length
        file.seek(at)
    file.seek(at)


def keys_of(
    references: npt.NDArray[np.uint64], layout: Layout, order: str
) -> npt.NDArray[np.uint64]:
    """Return the keys of references as they stand in the data, read as 8-byte numbers."""
    if order == ">":
        return references
    case_bits = np.uint64(layout.offset_bits)
    variable_bits = np.uint64(64 - layout.offset_bits)
    variable = references & np.uint64((1 << int(variable_bits)) - 1)
    return (variable << case_bits) | (references >> variable_bits)


def find(strings: LongStrings, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the place of each key in the index, -1 for the blank and -2 for one not there."""
    if not len(strings.keys):
        return np.where(keys == 0, -1, -2)
    places = np.minimum(np.searchsorted(strings.keys, keys), len(strings.keys) - 1)
    places = np.where(strings.keys[places] == keys, places, -2)
    return np.where(keys == 0, -1, places)


def read_texts(file: BinaryIO, strings: LongStrings, places: npt.NDArray[np.int64]) -> list[bytes]:
    """Return the bytes at each place of the index."""
    found = []
    for offset, length in zip(
        strings.offsets[places].tolist(), strings.lengths[places].tolist(), strict=True
    ):
        file.seek(offset)
        found.append(file.read(length))
    return found
