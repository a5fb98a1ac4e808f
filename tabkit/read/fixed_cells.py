"""Lines of a fixed-width file as a matrix of characters, and its columns as Arrow arrays."""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.model import Finding, Kind, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tabkit.read.dictionary import Entry

#: Cases by columns, bytes or code points.
Matrix: TypeAlias = "np.ndarray[tuple[int, ...], np.dtype[Any]]"

_SPACE, _ZERO = 32, 48
_EXACT_DIGITS: Final = 15  # of an integer that a double holds
_MOST_DIGITS: Final = 18  # of a 64-bit integer
_NUMBER: Final = r"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\z"
_EXAMPLES: Final = 5


@dataclasses.dataclass(frozen=True, slots=True)
class Lines:
    """Consecutive lines: the characters of all, where each begins and how long it is."""

    characters: Matrix
    starts: Matrix
    sizes: Matrix

    def matrix(self, width: int) -> Matrix:
        """Return the first ``width`` characters of each line, blanks where it ends before."""
        if not len(self.starts):
            return np.empty((0, width), self.characters.dtype)
        step = np.diff(self.starts)
        if self.sizes.min() >= width and (not len(step) or (step == step[0]).all()):
            stride = int(step[0]) if len(step) else int(self.sizes[0])
            size = self.characters.itemsize
            return np.lib.stride_tricks.as_strided(
                self.characters[self.starts[0] :],
                (len(self.starts), width),
                (stride * size, size),
                writeable=False,
            )
        places = self.starts[:, None] + np.arange(width)
        inside = np.arange(width) < self.sizes[:, None]
        last = len(self.characters) - 1
        found: Matrix = np.where(inside, self.characters[np.minimum(places, last)], _SPACE)
        return found.astype(self.characters.dtype, copy=False)

    def filled(self, width: int) -> Matrix:
        """Return the matrix of the lines that are not empty."""
        chosen = self.sizes > 0
        if chosen.all():
            return self.matrix(width)
        return Lines(self.characters, self.starts[chosen], self.sizes[chosen]).matrix(width)


def lines_of(piece: bytes, encoding: str = "") -> Lines:
    """Cut whole lines, ended by LF or CR LF; with an encoding into its characters, else bytes."""
    if encoding:
        text = piece.decode(encoding, "replace")
        characters: Matrix = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    else:
        characters = np.frombuffer(piece, np.uint8)
    ends = np.flatnonzero(characters == ord("\n"))
    if not len(ends) or ends[-1] != len(characters) - 1:
        ends = np.append(ends, len(characters))
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - starts
    some = np.flatnonzero(sizes > 0)
    sizes[some] -= characters[ends[some] - 1] == ord("\r")
    return Lines(characters, starts, sizes)


@dataclasses.dataclass(frozen=True, slots=True)
class FixedColumn:
    """One variable of a fixed-width file.

    Attributes:
        variable: As the codebook has it.
        kind: Its Arrow type.
        start: First character, from 0.
        width: Its characters.
        record: Which line of a case, from 1.
        implied: Digits after a point that is not written.
        misfits: Texts that are no numbers, counted.
    """

    variable: Variable
    kind: pa.DataType
    start: int
    width: int
    record: int
    implied: int
    misfits: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    @classmethod
    def of(cls, entry: Entry, pointed: Matrix) -> FixedColumn:
        """Make the column of an entry; ``pointed`` tells where a point or an E occurs at all."""
        assert entry.start is not None
        assert entry.width is not None
        start, width = entry.start - 1, entry.width
        kind = pa.string()
        if entry.kind != Kind.CHARACTER:
            real = entry.implied or width > _MOST_DIGITS or pointed[start : start + width].any()
            kind = pa.float64() if real else pa.int64()
        return cls(entry.variable, kind, start, width, entry.record, entry.implied)

    def read(self, lines: Matrix, encoding: str) -> pa.Array:
        """Return the column of lines, a row a case; blank is missing."""
        cells = lines[:, self.start : self.start + self.width]
        if pa.types.is_string(self.kind):
            return _texts(cells, encoding)
        if self.width <= _EXACT_DIGITS:
            numbers = _digits(cells)
            if numbers is not None:
                values, blank = numbers
                if self.implied:
                    values = values / 10.0**self.implied
                return pa.array(values, self.kind, mask=blank)
        return self._slowly(_texts(cells, encoding))

    def _slowly(self, texts: pa.Array) -> pa.Array:
        """Read numbers with signs, points and exponents; others are missing and counted."""
        trimmed = pc.utf8_trim_whitespace(texts)
        fits = pc.match_substring_regex(trimmed, _NUMBER)
        wrong = trimmed.filter(pc.fill_null(pc.invert(fits), False))
        self.misfits.update(text for text in wrong.to_pylist() if text)
        bare = pc.replace_substring_regex(pc.if_else(fits, trimmed, None), r"^\+", "")
        if not self.implied:
            return bare.cast(self.kind)
        pointed = pc.match_substring_regex(bare, r"[.eE]")
        whole = pc.if_else(pointed, None, bare).cast(pa.float64())
        written = pc.if_else(pointed, bare, None).cast(pa.float64())
        return pc.if_else(pointed, written, pc.divide(whole, 10.0**self.implied))

    def findings(self) -> Iterator[Finding]:
        """Yield what did not fit, once all cases were read."""
        total = sum(self.misfits.values())
        if total:
            shown = ", ".join(repr(text) for text, _ in self.misfits.most_common(_EXAMPLES))
            text = f"values that are no numbers, taken as missing: {total:,} ({shown})"
            yield Finding(text, "warning", self.variable.name)


def _digits(cells: Matrix) -> tuple[Matrix, Matrix] | None:
    """Read cells of digits after blanks only, at once; None where one is anything else.

    Returns:
        The numbers, and which cells are blank.
    """
    cells = np.ascontiguousarray(cells)
    digits = cells - _ZERO  # wraps below 0: unsigned
    is_digit = digits <= 9  # noqa: PLR2004
    if not (is_digit | (cells == _SPACE)).all():
        return None
    if (is_digit[:, :-1] & ~is_digit[:, 1:]).any():  # a blank after a digit
        return None
    values = np.zeros(len(cells), np.int64)
    for place in range(cells.shape[1]):
        values = values * 10 + np.where(is_digit[:, place], digits[:, place], 0)
    blank: Matrix = np.logical_not(is_digit.any(axis=1))
    return values, blank


def _texts(cells: Matrix, encoding: str) -> pa.Array:
    """Return cells as text without the blanks around; blank is missing."""
    cells = np.ascontiguousarray(cells)
    height, width = cells.shape
    if cells.dtype == np.uint32:
        texts = pa.array(cells.view(f"U{width}").ravel().tolist(), pa.string())
    elif not (cells & 128).any():
        offsets = np.arange(height + 1, dtype=np.int32) * width
        texts = pa.StringArray.from_buffers(height, pa.py_buffer(offsets), pa.py_buffer(cells))
    else:
        rows = cells.view(f"S{width}").ravel().tolist()
        texts = pa.array([row.decode(encoding, "replace") for row in rows], pa.string())
    trimmed = pc.utf8_rtrim(texts, characters=" \0")
    return pc.if_else(pc.equal(pc.utf8_ltrim(trimmed, characters=" "), ""), None, trimmed)
