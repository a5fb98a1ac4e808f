"""Types of text columns as Dataverse infers them: profile ``dataverse``.

Unlike ours its result depends on the order of rows: a column is numeric up to its first cell that
is no number; that cell decides whether it may be a date or a time, and all later ones must agree.
Source: IQSS/dataverse b485249231fe, CSVFileReader; java.text.SimpleDateFormat of OpenJDK 21.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.read.delimited_types import ColumnType, Form, cell_classes

if TYPE_CHECKING:
    from tabkit.read.delimited_cells import Bytes, Flags, Integers

_DIGIT, _MINUS, _FRACTION, _OTHER = 1, 2, 4, 8  # what bytes a cell has
_TABLE: Final = np.full(256, _OTHER, np.uint8)
_TABLE[[ord(c) for c in "0123456789"]] = _DIGIT
_TABLE[ord("-")] = _MINUS
_TABLE[[ord(c) for c in ".eE"]] = _FRACTION

_INTEGER: Final = r"\A(?:[+-]?[0-9]+|null)\z"
#: Source: Java SE API, Double.valueOf(String).
_NUMBER: Final = (
    r"\A[\x00-\x20]*[+-]?(?:NaN|Infinity|(?:"
    r"(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?"
    r"|0[xX](?:[0-9a-fA-F]+\.?|[0-9a-fA-F]*\.[0-9a-fA-F]+)[pP][+-]?[0-9]+"
    r")[fFdD]?)[\x00-\x20]*\z"
)
#: Words that Dataverse takes as numbers, in any case, and what it prints for them.
_WORDS: Final = ("na", "nan", "inf", "+inf", "-inf", "null")
_WORD_PATTERN: Final = r"\A(?i:na|nan|[+-]?inf|null)\z"

DATE_PATTERN: Final = "yyyy-MM-dd"
TIME_PATTERNS: Final = ("yyyy-MM-dd HH:mm:ss z", "yyyy-MM-dd HH:mm:ss")
_UNDECIDED, _TEXT = "undecided", ""


@dataclasses.dataclass(slots=True)
class JavaTypeObserver:
    """What Dataverse would have concluded after the rows seen so far, by column."""

    numeric: Flags
    integer: Flags
    odd: Flags
    patterns: list[str]

    @classmethod
    def of_width(cls, width: int) -> JavaTypeObserver:
        """Begin with columns of which nothing is known."""
        yes = np.ones(width, np.bool_)
        return cls(yes, yes.copy(), ~yes, [_UNDECIDED] * width)

    def observe(self, cells: pa.StringArray, text: Bytes, ends: Integers, width: int) -> None:
        """Look at whole rows; the arguments are those of `TypeObserver.observe`."""
        lengths = np.diff(ends, prepend=0)
        classes = cell_classes(_TABLE, text, ends, lengths)
        height = len(ends) // width
        first = np.where(self.numeric, height, 0)  # the first row to be tested as a date
        rest = np.flatnonzero((classes > _DIGIT) & np.tile(self.numeric, height))
        if len(rest):
            number, whole, word = _number_tests(cells.take(pa.array(rest)), classes[rest])
            self.integer[rest[~whole] % width] = False
            self.odd[rest[word] % width] = True
            np.minimum.at(first, rest[~number] % width, rest[~number] // width)
        self.numeric &= first == height
        for column in np.flatnonzero(first < height).tolist():
            if self.patterns[column] != _TEXT:
                rows = np.arange(first[column], height) * width + column
                self._observe_dates(column, cells.take(pa.array(rows)))

    def _observe_dates(self, column: int, strings: pa.StringArray) -> None:
        filled = [text for text in pc.unique(strings).to_pylist() if text]
        if self.patterns[column] == _UNDECIDED and filled:
            self.patterns[column] = _pattern_of(filled[0])  # unique keeps the order
        accepts = _ACCEPTS.get(self.patterns[column])
        if accepts is not None and not all(map(accepts, filled)):
            self.patterns[column] = _TEXT

    def types(self) -> list[ColumnType]:
        """Return the type of each column, now that all rows were seen."""
        return [self._type(column) for column in range(len(self.patterns))]

    def _type(self, column: int) -> ColumnType:
        if self.numeric[column]:
            form = Form.PRINTED_INTEGER if self.integer[column] else Form.PRINTED_REAL
            return ColumnType(form, odd=bool(self.odd[column]))
        pattern = self.patterns[column]
        if pattern == _TEXT:
            return ColumnType(Form.TEXT)
        return ColumnType(Form.PRINTED_DATE, pattern=pattern)


def _number_tests(strings: pa.StringArray, classes: Bytes) -> tuple[Flags, Flags, Flags]:
    """Tell which cells are numbers, which of them integers, and which are words for numbers."""
    plain = (classes & _OTHER) == 0
    number, whole, word = plain.copy(), plain & ((classes & _FRACTION) == 0), ~plain
    try:
        strings.filter(pa.array(plain)).cast(pa.float64())
    except pa.ArrowInvalid:  # not all of these are numbers
        plain = np.zeros(len(plain), np.bool_)
    others = ~plain
    if others.any():
        rest = strings.filter(pa.array(others))
        word[others] = _matches(rest, _WORD_PATTERN)
        whole[others] = _matches(rest, _INTEGER)
        number[others] = word[others] | _matches(rest, _NUMBER)
    return number, whole, word


def print_numbers(strings: pa.StringArray, *, integer: bool) -> pa.StringArray:
    """Replace Dataverse's words for numbers by what it prints; ``NA`` becomes null."""
    lower = pc.ascii_lower(strings)
    printed = pa.array([None, "NaN", "Inf", "Inf", "-Inf", "0" if integer else "0.0"])
    at = pc.index_in(lower, pa.array(_WORDS))
    return pc.if_else(pc.is_valid(at), printed.take(at), strings)


def _pattern_of(text: str) -> str:
    """Return the pattern that the first cell which is no number decides on."""
    patterns = (*TIME_PATTERNS, DATE_PATTERN)
    return next((pattern for pattern in patterns if _ACCEPTS[pattern](text)), _TEXT)


# A lenient SimpleDateFormat takes any whole numbers, blanks before them, and rolls over.
_LENIENT: Final = r"[ \t]*-?\d+-[ \t]*-?\d+-[ \t]*-?\d+ [ \t]*-?\d+:[ \t]*-?\d+:[ \t]*-?\d+"
_TIME: Final = re.compile(_LENIENT)
_ZONE_NAMES: Final = (
    "UTC|UT|PST|PDT|MST|MDT|CST|CDT|EST|EDT|HST|HDT|AKST|AKDT|AST|ADT|NST|NDT|SST|ChST|"
    "BRT|BRST|ART|CLT|CLST|COT|PET|VET|BOT|UYT|PYT|GFT|WET|WEST|BST|IST|CET|CEST|MET|MEST|"
    "EET|EEST|MSK|MSD|SAMT|TRT|CAT|EAT|WAT|WAST|SAST|GST|AZT|AMT|PKT|NPT|BDT|ICT|WIB|WITA|WIT|"
    "HKT|SGT|MYT|PHT|JST|KST|AWST|ACST|ACDT|AEST|AEDT|NZST|NZDT|YEKT|OMST|NOVT|KRAT|IRKT|YAKT|"
    "VLAT|MAGT|PETT|Coordinated Universal Time|Greenwich Mean Time|Japan Standard Time|"
    "India Standard Time|China Standard Time|Korean? Standard Time|Moscow Standard Time|"
    "British Summer Time|Irish Standard Time|Alaska (?:Standard|Daylight) Time|"
    "Hawaii(?:-Aleutian)? Standard Time|(?:Eastern|Central|Western) European(?: Standard| Summer)? "
    "Time|(?:Eastern|Central|Mountain|Pacific|Atlantic) (?:Standard|Daylight) Time|"
    "Newfoundland (?:Standard|Daylight) Time|New Zealand (?:Standard|Daylight) Time|"
    "Australian (?:Eastern|Central|Western) (?:Standard|Daylight) Time"
)
_ZONED: Final = re.compile(
    rf"{_LENIENT} [ \t]*(?:[+-](?:[01][0-9]|2[0-3])[0-5][0-9]"
    rf"|(?i:GMT)(?:[+-](?:[01]?[0-9]|2[0-3]):[0-5][0-9])?|(?i:{_ZONE_NAMES}))"
)
_DATE: Final = re.compile(r"[ \t]*(\d+)-[ \t]*(\d+)-[ \t]*(\d+)")
_MONTH_DAYS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_LAST_YEAR: Final = 292_278_994
_REFORM: Final = ((1582, 10, 4), (1582, 10, 15))  # the days between never were


def _is_date(text: str) -> bool:
    """Tell whether a strict ``yyyy-MM-dd`` parser accepts the beginning of ``text``."""
    found = _DATE.match(text)
    if not found:
        return False
    year, month, day = (int(number[:12]) for number in found.groups())
    if not (1 <= year <= _LAST_YEAR and 1 <= month <= len(_MONTH_DAYS) and day >= 1):
        return False
    century_is_leap = year < _REFORM[0][0] or year % 400 == 0
    leap = year % 4 == 0 and (year % 100 != 0 or century_is_leap)
    last = _MONTH_DAYS[month - 1] + (leap and month == 2)  # noqa: PLR2004 - February
    return day <= last and not _REFORM[0] < (year, month, day) < _REFORM[1]


_ACCEPTS: Final = {
    TIME_PATTERNS[0]: lambda text: _ZONED.fullmatch(text) is not None,
    TIME_PATTERNS[1]: lambda text: _TIME.fullmatch(text) is not None,
    DATE_PATTERN: _is_date,
}


def _matches(strings: pa.StringArray, pattern: str) -> Flags:
    found: Flags = pc.match_substring_regex(strings, pattern).to_numpy(zero_copy_only=False)
    return found.astype(np.bool_)
