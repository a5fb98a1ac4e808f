"""Elements of cases become Arrow columns: numbers, dates and times, texts.

Source: GNU PSPP developer's guide, "System File Format" (very long strings).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

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

if _native.AVAILABLE:
    from tabkit._native import arrays, core

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from tabkit._native.core import Decoded
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


class ColumnPlan(NamedTuple):
    """How a column is taken from a case.

    Attributes:
        name: The variable's name.
        pieces: The (first byte, bytes) pairs of the column in a case, one of a number.
        width: Bytes of a string, 0 for a number.
        code: The print format's number.
        decimals: The print format's decimals.
    """

    name: str
    pieces: tuple[tuple[int, int], ...]
    width: int
    code: int
    decimals: int

    def arrow_type(self, profile: Profile) -> pa.DataType:
        """Return the type of the Arrow column."""
        return pa.string() if self.width else column_type(self.code, profile)


class CaseStore:
    """The cases of one block in the making.

    Args:
        rows: Cases of a block at most.
        elements: 8-byte elements of a case.
    """

    def __init__(self, rows: int, elements: int) -> None:
        self.rows, self.filled = rows, 0
        self._cases = np.empty((rows, elements), np.uint64)

    def put(self, cases: Elements) -> int:
        """Add cases (rows by elements) as far as there is room; return how many."""
        start, end = self.filled, min(self.filled + len(cases), self.rows)
        self._cases[start:end] = cases[: end - start]
        self.filled = end
        return end - start

    @property
    def cases(self) -> Elements:
        """The cases put in so far, rows by elements."""
        return self._cases[: self.filled]


class ColumnBuilder:
    """Makes Arrow columns of cases, and counts what it could not keep.

    Args:
        plans: One a column.
        order: ``<`` or ``>``: the file's byte order.
        missing: The number that stands for system-missing.
        profile: Asked for ``dates_as_text``.
        decoder: Of texts.
        make_texts: Makes a string column, as `text_column` does.
    """

    def __init__(
        self, plans: Sequence[ColumnPlan], order: str, missing: float, profile: Profile,
        decoder: Decoder, make_texts: TextMaker,
    ) -> None:  # fmt: skip
        self._plans, self._order, self._missing = plans, order, missing
        self._profile, self._decoder, self._make_texts = profile, decoder, make_texts
        self._faults: dict[str, TemporalFaults] = {}
        self._replaced: dict[str, int] = {}
        self._taken = [_native.AVAILABLE and self._is_taken(plan) for plan in plans]
        self._kernel_plans = [
            ("u", plan.pieces, "none", 0.0, b" \0")
            if plan.width
            else ("g", plan.pieces, "equal", missing, b"")
            for plan, is_taken in zip(plans, self._taken, strict=True)
            if is_taken
        ]

    def columns(self, cases: Elements) -> list[pa.Array]:
        """Return the columns of a block, compiled where the kernels are built.

        Args:
            cases: Rows by elements, rows one after the other in memory.
        """
        decoded = iter(self._decoded(cases) if self._kernel_plans else ())
        numbers = cases.view(f"{self._order}f8")
        made = []
        for plan, is_taken in zip(self._plans, self._taken, strict=True):
            if is_taken and plan.width:
                made.append(self._decoded_text(next(decoded), plan, len(cases)))
            elif is_taken:
                made.append(_array(next(decoded), pa.float64(), len(cases)))
            elif plan.width:
                texts = self._make_texts(gather_text(cases, plan), self._decoder)
                made.append(self._counted(texts, plan))
            else:
                values = numbers[:, plan.pieces[0][0] // WORD].astype(np.float64)
                made.append(self._number_column(values, plan))
        return made

    def _is_taken(self, plan: ColumnPlan) -> bool:
        """Whether the kernel decodes a column: numbers that are numbers, and plain texts."""
        if plan.width:
            return self._make_texts is text_column
        return not is_character(plan.code, self._profile)

    def _decoded(self, cases: Elements) -> list[Decoded]:
        data, width = cases.data.cast("B"), cases.shape[1] * WORD
        is_big = self._order == ">"
        return core.decode_cases(data, width, len(cases), is_big, self._kernel_plans)

    def _decoded_text(self, column: Decoded, plan: ColumnPlan, count: int) -> pa.StringArray:
        is_text = column[5] == "ascii" or (
            column[5] == UTF8 and (self._decoder.guessed or self._decoder.codec == UTF8)
        )
        array = _array(column, pa.string() if is_text else pa.binary(), count)
        if is_text:
            return array
        return self._counted(decode_column(array, self._decoder.decode), plan)

    def _counted(self, texts: tuple[pa.StringArray, int], plan: ColumnPlan) -> pa.StringArray:
        self._replaced[plan.name] = self._replaced.get(plan.name, 0) + texts[1]
        return texts[0]

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


def _array(column: Decoded, kind: pa.DataType, count: int) -> pa.Array:
    return arrays.decoded_array(column, kind, count)


def gather_text(cases: Elements, plan: ColumnPlan) -> Bytes:
    """Return the bytes of a string column, cases by whole words, its segments joined."""
    data = cases.view(np.uint8).reshape(len(cases), -1)
    cells = np.full((len(cases), -(-plan.width // WORD) * WORD), BLANK, np.uint8)
    at = 0
    for first, width in plan.pieces:
        cells[:, at : at + width] = data[:, first : first + width]
        at += width
    return cells


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
