"""Arrow arrays as the data of R's vectors: compiled where the kernels are built, else plain."""

from __future__ import annotations

import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit import _native
from tabkit.model import TAG_LETTERS
from tabkit.write.rdata_values import NA_BITS, NA_INTEGER, characters, tagged_bits

if _native.AVAILABLE:
    from tabkit._native import arrays, core

if TYPE_CHECKING:
    import numpy.typing as npt

_NA_TEXT: Final = struct.pack(">ii", 9, -1)
TICKS: Final = MappingProxyType({"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9})
_NA_LONG: Final = -(2**63)
_NAN_BITS: Final = 0x7FF8000000000000
_TAG_BITS: Final = np.array(
    [NA_BITS, *(tagged_bits(letter) for letter in TAG_LETTERS[1:])], np.uint64
)


def pack_doubles(column: pa.Array, tags: pa.Int8Array | None) -> bytes:
    """Return numbers as doubles: null is NA, or the tagged NA of its letter; NaN is NaN."""
    packed = _doubles(column)
    if tags is None:
        return packed
    letters = tags.fill_null(0).to_numpy(zero_copy_only=False)
    places = np.flatnonzero(letters)
    if not len(places):
        return packed
    words = np.frombuffer(bytearray(packed), ">u8")
    words[places] = _TAG_BITS[letters[places]]
    return words.tobytes()


def pack_integers(column: pa.Array) -> bytes | None:
    """Return integers or booleans as integers of 32 bits; None where R has no such integer."""
    kind = column.type
    if not pa.types.is_boolean(kind) and kind.bit_width > 32:  # noqa: PLR2004
        try:
            column = column.cast(pa.int32())
        except pa.ArrowInvalid:
            return None
    if _native.AVAILABLE:
        try:
            return core.xdr_integers(arrays.described(column))  # type: ignore[arg-type]
        except ValueError:  # one of them is the number that R has for NA
            return None
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    numbers = column.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False)
    if bool((numbers[valid] == NA_INTEGER).any()):
        return None
    return np.where(valid, numbers, NA_INTEGER).astype(">i4").tobytes()


def pack_long_integers(column: pa.Array) -> tuple[bytes, int]:
    """Return integers of 64 bits as package bit64 keeps them, and how many are its NA, -2**63."""
    numbers = column.cast(pa.int64()).fill_null(_NA_LONG).to_numpy(zero_copy_only=False)
    return numbers.astype(">i8").tobytes(), least_count(column)


def least_count(column: pa.Array) -> int:
    """Return how many integers of 64 bits are -2**63, which package bit64 has for NA."""
    return int(pc.sum(pc.equal(column.cast(pa.int64()), _NA_LONG)).as_py() or 0)


def pack_texts(column: pa.Array) -> tuple[bytes, int]:
    """Return texts, and how many were cut at a NUL, which R has not."""
    if _native.AVAILABLE:
        return core.xdr_texts(arrays.described(column))  # type: ignore[arg-type]
    given = column.to_pylist()
    packed = b"".join(_NA_TEXT if text is None else characters(text) for text in given)
    return packed, sum("\0" in text for text in given if text)


def widened(packed: bytes) -> bytes:
    """Return packed integers as packed doubles."""
    numbers: npt.NDArray[Any] = np.frombuffer(packed, ">i4")
    words = numbers.astype(np.float64).view(np.uint64)
    words[numbers == NA_INTEGER] = NA_BITS
    return bytes(words.astype(">u8").tobytes())


def lengthened(packed: bytes) -> bytes:
    """Return packed integers as packed integers of 64 bits."""
    numbers: npt.NDArray[Any] = np.frombuffer(packed, ">i4")
    longs = numbers.astype(np.int64)
    longs[numbers == NA_INTEGER] = _NA_LONG
    return bytes(longs.astype(">i8").tobytes())


def lengthened_doubles(packed: bytes) -> bytes:
    """Return packed doubles, all of them whole or NA, as packed integers of 64 bits."""
    numbers = np.frombuffer(packed, ">f8").astype(np.float64)
    missing = np.isnan(numbers)
    longs = np.where(missing, 0, numbers).astype(np.int64)
    longs[missing] = _NA_LONG
    return bytes(longs.astype(">i8").tobytes())


def _doubles(column: pa.Array) -> bytes:
    if _native.AVAILABLE:
        return core.xdr_doubles(arrays.described(column))  # type: ignore[arg-type]
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    kind, ticks = column.type, 1
    if pa.types.is_boolean(kind) or pa.types.is_temporal(kind):
        ticks = TICKS[kind.unit] if hasattr(kind, "unit") and not pa.types.is_date(kind) else 1
        column = column.cast(pa.int32() if kind.bit_width <= 32 else pa.int64())  # noqa: PLR2004
    numbers = pc.cast(column, pa.float64(), safe=False).fill_null(0)
    words = (numbers.to_numpy(zero_copy_only=False) / ticks).view(np.uint64)
    words[np.isnan(words.view(np.float64))] = _NAN_BITS
    words[~valid] = NA_BITS
    return bytes(words.astype(">u8").tobytes())
