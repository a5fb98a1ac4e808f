"""Types of text columns, inferred while the rows go by: profile ``tabkit``.

Each cell is of a few kinds (whole number, date, …); a column remembers which kinds it has seen, so
neither the order of rows nor the cutting into blocks matters. All cells of a block are looked at
together, column by column only in the result.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from tabkit.read.delimited_cells import Bytes, Flags, Integers


class Form(enum.Enum):
    """What the column of a table holds, and how it is made from text."""

    TEXT = "text"
    INTEGER = "integer"
    REAL = "real"
    DATE = "date"
    TIME = "time"
    PRINTED_INTEGER = "printed integer"  # numbers as printed in the source
    PRINTED_REAL = "printed real"
    PRINTED_DATE = "printed date"


@dataclasses.dataclass(frozen=True, slots=True)
class ColumnType:
    """The type of one column.

    Attributes:
        form: What it holds.
        odd: Some cells need cleaning before Arrow can convert them (blanks, ``+``, ``NA``).
        pattern: The display format of printed dates.
        notes: What to tell the user of it: (text, severity) pairs.
    """

    form: Form
    odd: bool = False
    pattern: str = ""
    notes: tuple[tuple[str, str], ...] = ()


# What bytes a cell has; those of a number are tested by pattern, any OTHER byte makes it text.
_DIGIT, _MINUS, _POINT, _EXPONENT, _PLUS, _BLANK, _WORD, _OTHER = (1 << i for i in range(8))
_NOT_NUMBER: Final = 0xFF ^ (_DIGIT | _MINUS | _POINT | _EXPONENT)
_TABLE: Final = np.full(256, _OTHER, np.uint8)
_TABLE[: ord(" ") + 1] = _BLANK
_TABLE[[ord(c) for c in "NAnaULulIiFftTyY:"]] = _WORD
_TABLE[[ord(c) for c in "0123456789"]] = _DIGIT
_TABLE[[ord("-"), ord("."), ord("+")]] = _MINUS, _POINT, _PLUS
_TABLE[[ord("e"), ord("E")]] = _EXPONENT


class _Kind(enum.IntFlag):
    """What cells a column has seen."""

    EMPTY = 1
    INTEGER = 2
    WIDE = 4  # an integer beyond 64 bits
    REAL = 8  # decimals, NaN, infinities
    WORD = 16  # NA or null
    DATE = 32
    TIME = 64
    TEXT = 128
    ODD = 256  # needs cleaning


_FAMILIES: Final = _Kind.INTEGER | _Kind.WIDE | _Kind.REAL | _Kind.WORD | _Kind.DATE | _Kind.TIME
_NUMBERS: Final = _Kind.INTEGER | _Kind.WIDE | _Kind.REAL | _Kind.WORD

_DECIMAL: Final = r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
_PLAIN_NUMBER: Final = rf"\A-?{_DECIMAL}\z"
_ODD_NUMBER: Final = rf"\A[\x00-\x20]*[+-]?{_DECIMAL}[\x00-\x20]*\z"
_LONG_NUMBER: Final = r"\A[+-]?[0.]*[1-9](?:\.?[0-9]){16,}\.?[1-9]"  # 18 digits or more
_TIMESTAMP: Final = r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?\z"
_BLANKS: Final = "".join(map(chr, range(33)))
_DATE_SIZE: Final = 10
_EXACT_DIGITS: Final = 15  # decimal digits that any double keeps
_MOST_DIGITS: Final = 400  # a longer number is beyond any double


@dataclasses.dataclass(slots=True)
class TypeObserver:
    """The kinds of cells that each column has seen so far.

    Attributes:
        seen: `_Kind` flags by column.
        zeros: Numbers with leading zeros, by column.
        words: Cells ``NA`` and ``null``, by column.
        rounded: Numbers that a double holds only rounded, by column.
    """

    seen: Integers = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    zeros: Integers = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    words: Integers = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))
    rounded: Integers = dataclasses.field(default_factory=lambda: np.zeros(0, np.int64))

    def observe(self, cells: pa.StringArray, text: Bytes, ends: Integers, width: int) -> None:
        """Look at whole rows of ``width`` cells, row by row one after the other.

        Args:
            cells: The same cells as Arrow has them.
            text: UTF-8 of all cells; cell i ends at ``ends[i]`` where the next one begins.
            ends: Positions in ``text``; their number is a multiple of ``width``.
            width: Number of columns, never less than before.
        """
        self.widen(width)
        lengths = np.diff(ends, prepend=0)
        classes = cell_classes(_TABLE, text, ends, lengths)
        of_column = np.bitwise_or.reduce(classes.reshape(-1, width), axis=0)
        empty = (lengths == 0).reshape(-1, width).any(axis=0)
        digits = (classes == _DIGIT).reshape(-1, width).any(axis=0)
        self.seen |= empty * _Kind.EMPTY | digits * _Kind.INTEGER
        self.seen |= ((of_column & _OTHER) > 0) * _Kind.TEXT
        open_ = np.tile((self.seen & _Kind.TEXT) == 0, len(ends) // width) & (lengths > 0)
        self._count_zeros(text, ends, np.flatnonzero(open_ & (lengths > 1)), lengths, width)
        rest = np.flatnonzero(open_ & ((classes != _DIGIT) | (lengths > _EXACT_DIGITS)))
        if len(rest):
            self._look_closer(_Some.of(cells, ends - lengths, classes, rest), text, rest % width)

    def widen(self, width: int) -> None:
        """Have at least ``width`` columns, the new ones without a cell so far."""
        more = width - len(self.seen)
        if more > 0:  # earlier rows had no such column
            self.seen = np.concatenate([self.seen, np.zeros(more, np.int64)])
            self.zeros, self.words, self.rounded = (
                np.concatenate([each, np.zeros(more, np.int64)])
                for each in (self.zeros, self.words, self.rounded)
            )

    def _count_zeros(
        self, text: Bytes, ends: Integers, long: Integers, lengths: Integers, width: int
    ) -> None:
        starts = ends[long] - lengths[long]
        zero = text[starts] == ord("0")
        zero[zero] = _TABLE[text[starts[zero] + 1]] == _DIGIT
        self.zeros += np.bincount(long[zero] % width, minlength=width)

    def _look_closer(self, some: _Some, text: Bytes, columns: Integers) -> None:
        """Sort cells that are neither empty nor digits only; ``columns`` tells where they are."""
        dated = (some.classes == (_DIGIT | _MINUS)) & (some.sizes == _DATE_SIZE)
        dated[dated] = text[some.starts[dated] + 4] == ord("-")
        plain = ((some.classes & _NOT_NUMBER) == 0) & ~dated
        kinds = np.full(len(columns), int(_Kind.TEXT), np.int64)
        lossy = np.zeros(len(columns), np.bool_)
        kinds[dated] = _date_kinds(text, some.starts[dated])
        kinds[plain], lossy[plain] = _plain_kinds(some.only(plain))
        others = ~plain & ~dated
        if others.any():
            kinds[others], lossy[others] = _odd_kinds(some.only(others), text)
        np.bitwise_or.at(self.seen, columns, kinds)
        words = (kinds & _Kind.WORD) > 0
        self.words += np.bincount(columns[words], minlength=len(self.words))
        self.rounded += np.bincount(columns[lossy], minlength=len(self.rounded))

    def has_values(self, column: int) -> bool:
        """Tell whether a cell of the column is not empty."""
        return bool(self.seen[column] & ~_Kind.EMPTY)

    def types(self) -> list[ColumnType]:
        """Return the type of each column, now that all rows were seen."""
        seen = (self.seen, self.zeros, self.words, self.rounded)
        return [_settle(*each) for each in zip(*(part.tolist() for part in seen), strict=True)]


@dataclasses.dataclass(frozen=True, slots=True)
class _Some:
    """Some cells: their text, its sizes and beginnings, and the union of its bytes' flags."""

    strings: pa.StringArray
    sizes: Integers
    starts: Integers
    classes: Bytes

    @classmethod
    def of(cls, cells: pa.StringArray, starts: Integers, classes: Bytes, at: Integers) -> _Some:
        """Choose the cells ``at``."""
        strings = cells.take(pa.array(at))
        sizes = pc.binary_length(strings).to_numpy(zero_copy_only=False)
        return cls(strings, sizes, starts[at], classes[at])

    def only(self, chosen: Flags) -> _Some:
        """Choose among them."""
        if chosen.all():
            return self
        strings = self.strings.filter(pa.array(chosen))
        return _Some(strings, self.sizes[chosen], self.starts[chosen], self.classes[chosen])


def _date_kinds(text: Bytes, starts: Integers) -> Integers:
    return np.where(valid_dates(text, starts), int(_Kind.DATE), int(_Kind.TEXT))


def _plain_kinds(some: _Some) -> tuple[Integers, Flags]:
    """Sort cells of digits, minus, point and exponent; tell which numbers a double rounds."""
    try:
        values = some.strings.cast(pa.float64())
    except pa.ArrowInvalid:  # not all are numbers
        numbers = _matches(some.strings, _PLAIN_NUMBER)
        kinds = np.full(len(numbers), int(_Kind.TEXT), np.int64)
        lossy = np.zeros(len(numbers), np.bool_)
        found = some.only(numbers)
        kinds[numbers], lossy[numbers] = _number_kinds(found, found.strings.cast(pa.float64()))
        return kinds, lossy
    return _number_kinds(some, values)


def _odd_kinds(some: _Some, text: Bytes) -> tuple[Integers, Flags]:
    """Sort cells that may be words for numbers, date-times or numbers to be cleaned."""
    kinds = np.full(len(some.sizes), int(_Kind.TEXT), np.int64)
    lossy = np.zeros(len(some.sizes), np.bool_)
    lower = pc.ascii_lower(some.strings)
    kinds[_is_in(lower, ["na", "null"])] = _Kind.WORD | _Kind.ODD
    real = _is_in(lower, ["nan", "inf", "+inf", "-inf"])
    real |= _is_in(some.strings, ["Infinity", "+Infinity", "-Infinity"])
    kinds[real] = _Kind.REAL | _Kind.ODD
    stamps = np.flatnonzero(_matches(some.strings, _TIMESTAMP))
    valid = valid_dates(text, some.starts[stamps])
    valid &= _valid_times(text, some.starts[stamps] + _DATE_SIZE + 1)
    kinds[stamps[valid]] = _Kind.TIME
    numbers = (kinds == _Kind.TEXT) & _matches(some.strings, _ODD_NUMBER)
    if numbers.any():
        found = some.only(numbers)
        cleaned = clean_number(found.strings)
        sizes = pc.binary_length(cleaned).to_numpy(zero_copy_only=False)
        found = dataclasses.replace(found, strings=cleaned, sizes=sizes)
        sorted_, lossy[numbers] = _number_kinds(found, cleaned.cast(pa.float64()))
        kinds[numbers] = sorted_ | _Kind.ODD
    return kinds, lossy


def _number_kinds(some: _Some, numbers: pa.DoubleArray) -> tuple[Integers, Flags]:
    """Sort numbers; one that no double comes near to (1e999, 1e-999) is text."""
    values = numbers.to_numpy()
    held = np.isfinite(values) & (some.sizes < _MOST_DIGITS)
    vanished = held & (values == 0)
    if vanished.any():
        vanished[vanished] = _matches(some.only(vanished).strings, r"\A[-0.]*[1-9]")
        held &= ~vanished
    whole = held & ((some.classes & (_POINT | _EXPONENT)) == 0)
    kinds = np.where(held, int(_Kind.REAL), int(_Kind.TEXT))
    kinds[whole] = _Kind.INTEGER
    lossy = np.zeros(len(kinds), np.bool_)
    long = held & (some.sizes > _EXACT_DIGITS)
    if long.any():
        lossy[long], wide = _rounded(some.only(long), whole[long])
        kinds[np.flatnonzero(long)[wide]] = _Kind.WIDE
    return kinds, lossy


def _rounded(some: _Some, whole: Flags) -> tuple[Flags, Flags]:
    """Tell which long numbers a double rounds, and which integers are beyond 64 bits."""
    lossy = ~whole & _matches(some.strings, _LONG_NUMBER)
    wide = np.zeros(len(whole), np.bool_)
    integers = np.flatnonzero(whole)
    for at, text in zip(integers, some.only(whole).strings.to_pylist(), strict=True):
        value = int(text)
        lossy[at] = int(float(value)) != value
        wide[at] = not -(2**63) <= value < 2**63
    return lossy, wide


@functools.lru_cache(maxsize=1024)  # wide tables have many columns alike
def _settle(kinds: int, zeros: int, words: int, rounded: int) -> ColumnType:
    seen = _Kind(kinds)
    families = seen & _FAMILIES
    if seen & _Kind.TEXT:
        return ColumnType(Form.TEXT)
    if families in (_Kind.DATE, _Kind.TIME):
        return ColumnType(Form.DATE if families == _Kind.DATE else Form.TIME)
    if families & ~_NUMBERS:
        return ColumnType(Form.TEXT)
    real = bool(families & (_Kind.REAL | _Kind.WIDE))
    if seen & _Kind.WIDE and not seen & _Kind.REAL and rounded:
        note = "integers beyond 64 bits, kept as text so that no digit is lost"
        return ColumnType(Form.TEXT, notes=((note, "warning"),))
    notes = []
    if zeros:
        notes.append(
            (f"numbers with leading zeros, which are not kept in the table: {zeros:,}", "warning")
        )
    if words:
        notes.append((f"cells NA or null, taken as missing: {words:,}", "info"))
    if rounded and real:
        notes.append((f"numbers with more digits than a double keeps: {rounded:,}", "warning"))
    return ColumnType(
        Form.REAL if real else Form.INTEGER, odd=bool(seen & _Kind.ODD), notes=tuple(notes)
    )


def cell_classes(table: Bytes, text: Bytes, ends: Integers, lengths: Integers) -> Bytes:
    """Return by cell the union of ``table``'s flags of its bytes, 0 for an empty cell."""
    filled = lengths > 0
    classes = np.zeros(len(ends), np.uint8)
    if filled.any():
        starts = (ends - lengths)[filled]
        flags = np.frombuffer(text.tobytes().translate(table.tobytes()), np.uint8)
        classes[filled] = np.bitwise_or.reduceat(flags, starts)
    return classes


def clean_number(strings: pa.StringArray) -> pa.StringArray:
    """Remove surrounding blanks and a leading plus sign."""
    trimmed = pc.ascii_trim(strings, characters=_BLANKS)
    return pc.if_else(pc.starts_with(trimmed, "+"), pc.utf8_slice_codeunits(trimmed, 1), trimmed)


_MONTH_DAYS: Final = np.array([0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def valid_dates(text: Bytes, starts: Integers) -> Flags:
    """Tell where ``yyyy-mm-dd`` stands at ``starts`` (10 bytes there), a day of the calendar."""
    year, months, days = (_number(text, starts + at, size) for at, size in ((0, 4), (5, 2), (8, 2)))
    shaped = (text[starts + 4] == ord("-")) & (text[starts + 7] == ord("-"))
    valid = shaped & (year >= 1) & (months >= 1) & (months <= 12) & (days >= 1)  # noqa: PLR2004
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _MONTH_DAYS[np.where(valid, months, 0)]
    result: Flags = valid & (days <= last) & ~((months == 2) & (days == 29) & ~leap)  # noqa: PLR2004
    return result


def _valid_times(text: Bytes, starts: Integers) -> Flags:
    hours, minutes, seconds = (_number(text, starts + at, 2) for at in (0, 3, 6))
    inside: Flags = (hours < 24) & (minutes < 60) & (seconds < 60)  # noqa: PLR2004
    return inside & (np.minimum(np.minimum(hours, minutes), seconds) >= 0)


def _number(text: Bytes, starts: Integers, size: int) -> Integers:
    """Return the numbers of ``size`` digits at ``starts``, -1 where other bytes stand there."""
    value = np.zeros(len(starts), np.int64)
    bad = np.zeros(len(starts), np.bool_)
    for at in range(size):
        digit = text[starts + at].astype(np.int64) - ord("0")
        bad |= (digit < 0) | (digit > 9)  # noqa: PLR2004
        value = value * 10 + digit
    return np.where(bad, -1, value)


def _matches(strings: pa.StringArray, pattern: str) -> Flags:
    found: Flags = pc.match_substring_regex(strings, pattern).to_numpy(zero_copy_only=False)
    return found.astype(np.bool_)


def _is_in(strings: pa.StringArray, words: list[str]) -> Flags:
    found: Flags = pc.is_in(strings, pa.array(words)).to_numpy(zero_copy_only=False)
    return found.astype(np.bool_)
