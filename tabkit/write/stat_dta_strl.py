"""Stata's long strings (``strL``): stored apart, each text of a variable once.

Source: Stata, ``help dta``, section "strls".
"""

from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from tabkit.write.stat_dta_columns import LONG_STRING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from tabkit.model import Table
    from tabkit.write.stat_dta_columns import StataColumn

_TEXT: Final = 130  # a GSO of text, with a NUL at its end
_VARIABLE_BITS: Final = 16
_WIDE_VARIABLE_BITS: Final = 24  # version 119


@dataclasses.dataclass(frozen=True, slots=True)
class LongString:
    """A column of long strings.

    Attributes:
        texts: The different ones.
        cases: For each text the first case that has it, from 1.
        owners: For each case the number of the case that its text belongs to, 0 for none.
    """

    texts: pa.StringArray
    cases: npt.NDArray[np.uint64]
    owners: npt.NDArray[np.uint64]


@dataclasses.dataclass(frozen=True, slots=True)
class LongStrings:
    """All columns of long strings, by place; ``bits`` of a reference number the variable."""

    columns: Mapping[int, LongString]
    bits: int

    def references(self, place: int, start: int, count: int) -> npt.NDArray[np.uint8]:
        """Return the cells of a column: variable and case that hold the text, 0 and 0 for none."""
        owners = self.columns[place].owners[start : start + count]
        packed = np.where(owners > 0, owners << np.uint64(self.bits) | np.uint64(place + 1), 0)
        return packed.astype("<u8").view(np.uint8).reshape(count, 8)

    def pieces(self) -> Iterator[bytes]:
        """Yield every text with its variable and case, in order of case and variable."""
        places = [np.full(len(s.texts), place) for place, s in self.columns.items()]
        if not places:
            return
        numbers = [np.arange(len(each.texts)) for each in self.columns.values()]
        cases = np.concatenate([each.cases for each in self.columns.values()])
        owners, indices = np.concatenate(places), np.concatenate(numbers)
        for at in np.lexsort((owners, cases)).tolist():
            place = int(owners[at])
            text = self.columns[place].texts[int(indices[at])].as_py().encode() + b"\0"
            head = struct.pack("<IQBI", place + 1, int(cases[at]), _TEXT, len(text))
            yield b"GSO" + head + text


def long_strings(table: Table, columns: Sequence[StataColumn], *, wide: bool) -> LongStrings:
    """Return the long strings of a table that is written with these columns.

    Args:
        table: Plain.
        columns: One a column.
        wide: Of a file of version 119, where more bits number the variable.
    """
    found = {
        place: _long_string(table.data.column(place))
        for place, column in enumerate(columns)
        if column.storage == LONG_STRING
    }
    return LongStrings(found, _WIDE_VARIABLE_BITS if wide else _VARIABLE_BITS)


def _long_string(column: pa.ChunkedArray) -> LongString:
    encoded = column.dictionary_encode().combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], encoded.type)
    codes = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False)
    texts = encoded.dictionary
    blank = {number for number, text in enumerate(texts.to_pylist()) if not text}
    codes = np.where(np.isin(codes, list(blank)), -1, codes) if blank else codes
    used, first = np.unique(codes, return_index=True)
    first, used = first[used >= 0], used[used >= 0]
    cases = np.zeros(len(texts) + 1, np.uint64)  # the last for "none", where -1 points
    cases[used] = first + 1
    return LongString(texts.take(pa.array(used)), cases[used], cases[codes])
