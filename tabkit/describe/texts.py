r"""Normalised bytes of text for UNF 6: Arrow strings go in, the bytes to hash come out.

Text is cut after N UTF-16 code units, a half left of a pair becoming ``?``; text of blanks and
control characters only becomes empty, or its first N - 1 units where it is longer than N. Then
comes ``\n\0``; missing is three NULs.

Source: IQSS/UNF 6.0, RoundString.Genround and Java's String.format; the blank rule and the unit of
N are not in the written standard.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.describe.columns import plain
from tabkit.describe.numbers import END, MISSING

if TYPE_CHECKING:
    import numpy.typing as npt

CHARACTERS: Final = 128  # UTF-16 code units kept of a string
DISTINCT_TEXTS: Final = 10_000  # more distinct texts are not told apart: no mode, no others

_BLANKS: Final = "".join(map(chr, range(33)))  # what Java's String.trim takes away
_ASTRAL: Final = 0xF0  # first byte of a character that takes two UTF-16 units
_JOINT: Final = pa.scalar(END.decode(), pa.large_string())
_GAP: Final = pa.scalar(MISSING.decode(), pa.large_string())
_EMPTY: Final = pa.scalar("", pa.large_string())


def normalize_texts(array: pa.Array, characters: int = CHARACTERS) -> bytes:
    """Return the concatenated normalised bytes of every case.

    Args:
        array: Strings of any Arrow type, ``len(array)`` cases; null is missing.
        characters: UTF-16 code units kept, at least 1.
    """
    array = plain(array)
    if not len(array):
        return b""
    joined = pc.binary_join_element_wise(_cut(array, characters), _EMPTY, _JOINT)
    return text_bytes(pc.fill_null(joined, _GAP)).tobytes()


def normalize_text(text: str, characters: int = CHARACTERS) -> bytes:
    """Return the normalised bytes of one text; it may hold lone surrogates."""
    units = text.encode("utf-16-le", "surrogatepass")
    if not text.strip(_BLANKS):
        kept = 0 if len(units) <= 2 * characters else characters - 1
        units = units[: 2 * kept]
    whole = units[: 2 * characters].decode("utf-16-le", "surrogatepass")
    return whole.encode("utf-8", "replace") + END


def text_bytes(array: pa.LargeStringArray) -> memoryview:
    """Return the bytes of all texts, one after the other, without copying."""
    _, offsets, data = array.buffers()
    if data is None:
        return memoryview(b"")
    bounds = np.frombuffer(offsets, np.int64, len(array) + 1, array.offset * 8)
    return memoryview(data)[int(bounds[0]) : int(bounds[-1])]


def _cut(array: pa.LargeStringArray, characters: int) -> pa.LargeStringArray:
    """Cut what is too long and empty what is blank; nothing to do in most columns."""
    lengths = pc.fill_null(pc.binary_length(array), 0)
    is_long = pc.greater(lengths, characters)  # in bytes, which are at least as many as units
    trimmed = pc.fill_null(pc.binary_length(pc.ascii_trim(array, characters=_BLANKS)), 1)
    is_blank = pc.and_not(pc.equal(trimmed, 0), is_long)
    if pc.any(is_blank).as_py():
        array = pc.if_else(is_blank, _EMPTY, array)
    if not pc.any(is_long).as_py():
        return array
    return pc.replace_with_mask(array, is_long, _shortened(array.filter(is_long), characters))


def _shortened(array: pa.LargeStringArray, characters: int) -> pa.LargeStringArray:
    """Cut long texts; only those with characters of two units, or blank, go one by one."""
    cut = pc.utf8_slice_codeunits(array, 0, characters)  # counts characters, whatever its name
    trimmed = pc.binary_length(pc.ascii_trim(array, characters=_BLANKS))
    is_odd = (trimmed.to_numpy() == 0) | _has_astral(cut)
    if not is_odd.any():
        return cut
    odd = pa.array(is_odd)
    exact = [
        normalize_text(text, characters)[: -len(END)].decode()
        for text in array.filter(odd).to_pylist()
    ]
    return pc.replace_with_mask(cut, odd, pa.array(exact, pa.large_string()))


def _has_astral(array: pa.LargeStringArray) -> npt.NDArray[np.bool_]:
    """Tell which texts have a character that takes two UTF-16 units."""
    places = np.flatnonzero(np.frombuffer(text_bytes(array), np.uint8) >= _ASTRAL)
    ends = np.cumsum(pc.binary_length(array).to_numpy())
    found = np.zeros(len(array), np.bool_)
    found[np.searchsorted(ends, places, side="right")] = True
    return found
