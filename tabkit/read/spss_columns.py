"""Elements of cases become Arrow columns: numbers, dates and times, texts.

Source: GNU PSPP developer's guide, "System File Format" (very long strings).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from tabkit import _native
from tabkit.model import Finding
from tabkit.read.spss_cases import BLANKS, WORD
from tabkit.read.spss_temporal import (
    TemporalFaults,
    column_type,
    is_character,
    temporal_column,
    temporal_faults,
)
from tabkit.read.spss_text import UTF8

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from tabkit.profiles import Profile
    from tabkit.read.spss_cases import Elements
    from tabkit.read.spss_text import Decoder

    Bytes = npt.NDArray[np.uint8]
    Offsets = npt.NDArray[np.int32]
    #: Gives the text of one distinct stored value and whether it could be decoded whole.
    TextOf = Callable[[bytes], tuple[str, bool]]
    #: Makes a string column and counts the cells that have undecodable bytes.
    TextMaker = Callable[[Bytes, Decoder], tuple[pa.StringArray, int]]

BLANK: Final = 0x20
ASCII_END: Final = 0x80
#: Bits in which a byte of text differs from padding: blanks and NULs, or blanks alone.
BLANKS_AND_NULS, BLANKS_ONLY = 0xDF, 0xFF
_EVERY_BYTE: Final = 0x0101_0101_0101_0101


@dataclasses.dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How a column is taken from a case.

    Attributes:
        name: The variable's name.
        segments: Of a string its (first element, bytes) pairs; of a number its element and 0.
        code: The print format's number.
        decimals: The print format's decimals.
    """

    name: str
    segments: tuple[tuple[int, int], ...]
    code: int
    decimals: int

    @property
    def width(self) -> int:
        """Bytes of a string, 0 for a number."""
        return sum(width for _, width in self.segments)

    def arrow_type(self, profile: Profile) -> pa.DataType:
        """Return the type of the Arrow column."""
        return pa.string() if self.width else column_type(self.code, profile)


class ColumnStore:
    """One block in the making: cases are put in, Arrow arrays come out.

    Args:
        plans: One a column.
        rows: Cases of a block at most.
        order: ``<`` or ``>``: the file's byte order.
    """

    def __init__(self, plans: Sequence[ColumnPlan], rows: int, order: str) -> None:
        self.rows, self.filled = rows, 0
        self._order = order
        self._elements = [plan.segments[0][0] for plan in plans if not plan.width]
        self._numbers = np.empty((len(self._elements), rows), np.float64)
        texts = [plan for plan in plans if plan.width]
        self._texts = [np.full((rows, -(-plan.width // WORD) * WORD), BLANK, np.uint8)
                       for plan in texts]  # fmt: skip
        self._segments = [plan.segments for plan in texts]

    def put(self, cases: Elements) -> int:
        """Add cases (rows by elements) as far as there is room; return how many."""
        start, end = self.filled, min(self.filled + len(cases), self.rows)
        cases = cases[: end - start]
        numbers = cases.view(f"{self._order}f8")
        if self._elements:
            self._numbers[:, start:end] = numbers.T[self._elements]
        data = cases.view(np.uint8).reshape(len(cases), -1)
        for text, segments in zip(self._texts, self._segments, strict=True):
            at = 0
            for element, width in segments:
                first = element * WORD
                text[start:end, at : at + width] = data[:, first : first + width]
                at += width
        self.filled = end
        return end - start

    def numbers(self, index: int) -> npt.NDArray[np.float64]:
        """Return the values of the index-th numeric column."""
        values: npt.NDArray[np.float64] = self._numbers[index, : self.filled]
        return values

    def text(self, index: int) -> Bytes:
        """Return the bytes of the index-th string column, cases by whole words."""
        return self._texts[index][: self.filled]


class ColumnBuilder:
    """Makes Arrow columns of filled stores, and counts what it could not keep.

    Args:
        plans: One a column.
        missing: The number that stands for system-missing.
        profile: Asked for ``dates_as_text``.
        decoder: Of texts.
        make_texts: Makes a string column, as `text_column` does.
    """

    def __init__(
        self, plans: Sequence[ColumnPlan], missing: float, profile: Profile, decoder: Decoder,
        make_texts: TextMaker,
    ) -> None:  # fmt: skip
        self._plans, self._missing, self._profile = plans, missing, profile
        self._decoder, self._make_texts = decoder, make_texts
        self._faults: dict[str, TemporalFaults] = {}
        self._replaced: dict[str, int] = {}

    def columns(self, store: ColumnStore) -> list[pa.Array]:
        """Return the block's columns."""
        made, numeric, textual = [], 0, 0
        for plan in self._plans:
            if plan.width:
                column, replaced = self._make_texts(store.text(textual), self._decoder)
                self._replaced[plan.name] = self._replaced.get(plan.name, 0) + replaced
                textual += 1
            else:
                column = self._number_column(store.numbers(numeric), plan)
                numeric += 1
            made.append(column)
        return made

    def findings(self) -> list[Finding]:
        """Tell, after the last block, what was replaced or lost, variable by variable."""
        found = [each for name, faults in self._faults.items() for each in faults.findings(name)]
        text = "bytes that are no text in the file's encoding are replaced by U+FFFD"
        return found + [
            Finding(f"{text} (cases: {count:,})", "warning", name)
            for name, count in self._replaced.items()
            if count
        ]

    def _number_column(self, values: npt.NDArray[np.float64], plan: ColumnPlan) -> pa.Array:
        missing = values == self._missing
        if not is_character(plan.code, self._profile):
            return pa.array(values, mask=missing) if missing.any() else pa.array(values)
        seconds = np.where(missing, np.nan, values)
        faults = temporal_faults(seconds, plan.code, self._profile)
        self._faults[plan.name] = self._faults.get(plan.name, TemporalFaults()) + faults
        return temporal_column(seconds, plan.code, plan.decimals, self._profile)


def text_column(cells: Bytes, decoder: Decoder) -> tuple[pa.StringArray, int]:
    """Return fixed-width texts without their padding, and how many have undecodable bytes.

    Args:
        cells: Cases by bytes, whole words of eight.
        decoder: Of the file.
    """
    offsets, data = trim_cells(cells, BLANKS_AND_NULS)
    if not len(data) or data.max() < ASCII_END:
        return binary_array(pa.string(), offsets, data), 0
    stored = binary_array(pa.binary(), offsets, data)
    if decoder.codec == UTF8:
        try:
            return stored.cast(pa.string()), 0
        except pa.ArrowInvalid:  # not valid UTF-8: find the cells
            pass
    return decode_column(stored, decoder.decode)


def trim_cells(cells: Bytes, bits: int) -> tuple[Offsets, Bytes]:
    """Return Arrow offsets and data of cells without the padding at their end.

    Args:
        cells: Cases by bytes, whole words of eight.
        bits: `BLANKS_AND_NULS` or `BLANKS_ONLY`.
    """
    if _native.AVAILABLE:
        from tabkit._native import core

        count, width = cells.shape
        padding = b" " if bits == BLANKS_ONLY else b" \0"
        plan = ("u", ((0, width),), "none", 0.0, padding)
        ((_, _, starts, text, _, _),) = core.decode_cases(cells.data, width, count, False, [plan])
        return np.frombuffer(starts, np.int32), np.frombuffer(text or b"", np.uint8)
    lengths = text_lengths(cells, bits)
    offsets = np.zeros(len(cells) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    cells = cells[:, : lengths.max(initial=0)]
    return offsets, cells[np.arange(cells.shape[1]) < lengths[:, None]]


def text_lengths(cells: Bytes, bits: int) -> npt.NDArray[np.int64]:
    """Return the bytes of each cell up to its padding: first by words, then by bytes."""
    words = cells.view(np.uint64)
    used = (words ^ np.uint64(BLANKS)) & np.uint64(bits * _EVERY_BYTE) != 0
    reached = np.flatnonzero(used.any(axis=0))
    if not len(reached):
        return np.zeros(len(cells), np.int64)
    used = used[:, : reached[-1] + 1]
    last = used.shape[1] - 1 - used[:, ::-1].argmax(axis=1)
    cases = np.arange(len(cells))
    tails = words[cases, last].view(np.uint8).reshape(-1, WORD)
    ends = WORD - ((tails[:, ::-1] ^ BLANK) & bits != 0).argmax(axis=1)
    return np.where(used[cases, last], last * WORD + ends, 0)


def decode_column(stored: pa.BinaryArray, text_of: TextOf) -> tuple[pa.StringArray, int]:
    """Decode each distinct value once; return the texts and the cases that were not whole."""
    encoded = stored.dictionary_encode()
    decoded = [text_of(value) for value in encoded.dictionary.to_pylist()]
    texts = pa.array([text for text, _ in decoded], pa.string())
    faulty = np.array([not whole for _, whole in decoded], np.bool_)
    indices = encoded.indices
    count = int(faulty[indices.to_numpy()].sum()) if faulty.any() else 0
    return texts.take(indices), count


def binary_array(kind: pa.DataType, offsets: Offsets, data: Bytes) -> pa.Array:
    """Return an Arrow string or binary array over these buffers, not copied."""
    buffers = [None, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(kind, len(offsets) - 1, buffers)
