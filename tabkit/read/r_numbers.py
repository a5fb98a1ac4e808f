"""R's numbers as Arrow's: NA against NaN, the letters of haven's tagged NAs, 64-bit integers.

NA is a NaN whose lower word is 1954; haven keeps the letter of a tagged NA in the lowest byte of
its upper word. Source: R 4.2, src/main/arithmetic.c, R_ValueOfNA; haven, src/tagged_na.c.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from tabkit.model import TAG_LETTERS

if TYPE_CHECKING:
    import numpy.typing as npt

NA_INTEGER: Final = -(2**31)
_NA_WORD: Final = 1954
_INT64_NA: Final = -(2**63)
_LOST: Final = 0x7FF8000000000000  # a NaN: the integer was written as text and is lost
#: By the byte that haven keeps: the index of the letter, 0 for none.
_TAGS: Final = np.array(
    [max(TAG_LETTERS.find(chr(byte).lower()), 0) if byte else 0 for byte in range(256)], np.int8
)


def is_na(value: float) -> bool:
    """Whether a NaN is R's NA."""
    return value != value and struct.unpack("<II", struct.pack("<d", value))[0] == _NA_WORD  # noqa: PLR0124


def tag_of(value: float) -> str:
    """Return the letter of a tagged NA, empty where a number has none."""
    if not is_na(value):
        return ""
    letter = TAG_LETTERS[_TAGS[struct.pack("<d", value)[4]]]
    return letter.strip()


def doubles(cells: npt.NDArray[Any]) -> tuple[pa.Array, pa.Array | None]:
    """Return doubles, NA as null, and the tags of those that have one."""
    native = cells.astype("<f8")
    nan = np.isnan(native)
    if not nan.any():
        return pa.array(native), None
    words = native.view("<u4")
    missing = nan & (words[0::2] == _NA_WORD)
    tags = np.where(missing, _TAGS[words[1::2] & 0xFF], 0).astype(np.int8)
    column = pa.array(native, mask=missing, from_pandas=False)
    return column, pa.array(tags) if tags.any() else None


def integers(cells: npt.NDArray[Any]) -> pa.Array:
    """Return 32-bit integers, NA as null."""
    native = cells.astype("<i4")
    missing = native == NA_INTEGER
    return pa.array(native, mask=missing) if missing.any() else pa.array(native)


def logicals(cells: npt.NDArray[Any]) -> pa.Array:
    """Return booleans, NA as null."""
    missing = cells == NA_INTEGER
    return pa.array(cells != 0, mask=missing)


def long_integers(cells: npt.NDArray[Any]) -> pa.Array:
    """Return what package bit64 keeps in the bytes of doubles."""
    native = cells.astype("<f8").view("<i8")
    return pa.array(native, mask=(native == _INT64_NA) | (native == _LOST))


def as_doubles(cells: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Return integers or doubles as doubles, NA as a NaN that arithmetic may touch."""
    numbers = cells.astype(np.float64)
    missing = cells == NA_INTEGER if cells.dtype.kind == "i" else np.isnan(numbers)
    return np.where(missing, np.nan, numbers)
