"""Cases of a SAS transport file: bytes go in, numbers, texts and tags come out.

Numbers are IBM System/360 doubles, shortened to 2 to 8 bytes: a sign bit, a power of 16 and 56
bits of fraction. A number whose first byte is a period, an underscore or a capital letter and whose
others are zero is missing.

Source: SAS Institute, TS-140.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.model import TAG_LETTERS
from tabkit.read.sas_columns import Column, text_column

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabkit.read.spss_text import Decoder

    Bytes = npt.NDArray[np.uint8]

_WORD: Final = 8
_FRACTION_BITS: Final = 56
_FRACTION: Final = np.uint64((1 << _FRACTION_BITS) - 1)
_BIAS: Final = 64  # of the power of 16
_NOT_MISSING: Final = -1


def _missing_codes() -> npt.NDArray[np.int8]:
    """Return by first byte 0 for system-missing, the tag's index, or `_NOT_MISSING`."""
    codes = np.full(256, _NOT_MISSING, np.int8)
    codes[ord(".")] = 0
    for index, letter in enumerate(TAG_LETTERS):
        if index:
            codes[ord(letter.upper())] = index
    return codes


_CODES: Final = _missing_codes()


@dataclasses.dataclass(frozen=True, slots=True)
class CaseLayout:
    """Where things are in a case.

    Attributes:
        row_length: Bytes of a case.
        fields: Of each variable its position, its bytes and whether it is text.
    """

    row_length: int
    fields: tuple[tuple[int, int, bool], ...]


def decode_cases(data: bytes, layout: CaseLayout, decoder: Decoder) -> list[Column]:
    """Decode whole cases, a column a variable."""
    cases = np.frombuffer(data, np.uint8).reshape(-1, layout.row_length)
    columns = []
    for at, width, is_text in layout.fields:
        cells = cases[:, at : at + width]
        if is_text:
            columns.append(_texts(cells, decoder))
        else:
            columns.append(number_column(cells))
    return columns


def _texts(cells: Bytes, decoder: Decoder) -> Column:
    data = pa.py_buffer(np.ascontiguousarray(cells))
    kind = pa.binary(cells.shape[1])
    stored = pa.Array.from_buffers(kind, len(cells), [None, data]).cast(pa.binary())
    if cells.size and cells.max() >= 0x80:  # noqa: PLR2004 - beyond ASCII
        return text_column(stored, decoder)
    return Column(pc.ascii_rtrim(stored.cast(pa.string()), " \0"))


def number_column(cells: Bytes) -> Column:
    """Decode numbers, cases by 2 to 8 bytes; more than 53 bits are rounded to the nearest."""
    words = np.zeros((len(cells), _WORD), np.uint8)
    words[:, : cells.shape[1]] = cells
    bits = words.view(">u8")[:, 0].astype(np.uint64)
    fraction = bits & _FRACTION
    codes = np.where(fraction == 0, _CODES[words[:, 0]], _NOT_MISSING)
    power = (words[:, 0] & 0x7F).astype(np.int32)
    values = np.ldexp(fraction.astype(np.float64), 4 * (power - _BIAS) - _FRACTION_BITS)
    np.negative(values, out=values, where=words[:, 0] >= 0x80)  # noqa: PLR2004 - the sign bit
    missing = codes != _NOT_MISSING
    tags = pa.array(np.where(missing, codes, 0).astype(np.int8)) if (codes > 0).any() else None
    return Column(pa.array(values, mask=missing) if missing.any() else pa.array(values), tags)
