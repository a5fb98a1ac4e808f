"""Variables of a system file with all that the dictionary says of them.

Source: GNU PSPP developer's guide, "System File Format".
"""

from __future__ import annotations

import dataclasses
import math
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, NamedTuple

from tabkit.model import Category, Finding, Kind, Measure, MissingRange, Variable
from tabkit.read.spss_dictionary import (
    displays,
    labels_of_columns,
    long_missing,
    long_names_of,
    make_unique,
    special_numbers,
    stored_names,
    variable_attributes,
)
from tabkit.read.spss_extensions import ROLE_ATTRIBUTE, ROLES
from tabkit.read.spss_temporal import (
    CODE_A,
    CODE_F,
    FORMAT_NAMES,
    TEMPORAL_CODES,
    format_category,
    format_name,
    temporal_text,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tabkit.model import Value
    from tabkit.read.spss_dictionary import Display, Texts
    from tabkit.read.spss_records import Labels, Records, VariableRecord
    from tabkit.read.spss_segments import Column

_MEASURES: Final[Mapping[int | None, Measure]] = MappingProxyType(
    {1: Measure.NOMINAL, 2: Measure.ORDINAL, 3: Measure.SCALE}
)
_ALIGNMENTS: Final[Mapping[int | None, str]] = MappingProxyType(
    {0: "left", 1: "right", 2: "center"}
)
_STRING_CODES: Final = (1, 2)
_QUESTIONS: Final = frozenset({"question", "questiontext", "question_text", "questionlit"})
_RANGE, _RANGE_AND_VALUE = -2, -3


@dataclasses.dataclass(frozen=True, slots=True)
class Missing:
    """User-missing values of a variable, as the numbers or texts stored."""

    values: tuple[Value, ...] = ()
    ranges: tuple[MissingRange, ...] = ()

    def holds(self, value: Value) -> bool:
        """Whether ``value`` is user-missing."""
        if value in self.values:
            return True
        if not self.ranges or isinstance(value, str):
            return False
        return any(span.low <= value <= span.high for span in self.ranges)


def build_variables(
    records: Records, columns: Sequence[Column], texts: Texts, findings: list[Finding]
) -> tuple[Variable, ...]:
    """Return the variables in column order.

    Missing values and categories of dates and times (see `spss_temporal.TEMPORAL_CODES`) are
    given as the text the archival table shows (``YYYY-MM-DD``…), which can be compared with the
    column; missing ranges stay SPSS seconds. Numbers beyond a date's range stay numbers.
    """
    long_names = long_names_of(records)
    names = make_unique(stored_names(columns, long_names, texts, findings), findings)
    labels = labels_of_columns(records, columns, long_names, findings)
    more_missing = long_missing(records, columns, long_names)
    meanings = _Meanings(records, texts)
    attributes = variable_attributes(records, names, texts, findings)
    shown = displays(records, columns, findings)
    weight = weight_column(records, columns, findings)
    variables = []
    for place, (column, name) in enumerate(zip(columns, names, strict=True)):
        meant = meanings.of(column, labels.get(place, ()), more_missing.get(place, ()), name)
        owned = attributes.get(name, ())
        variables.append(
            _variable(column, name, texts, shown[place], owned, meant, weight=place == weight)
        )
    return tuple(variables)


def print_format(column: Column) -> tuple[int, int, int]:
    """Return code, width and decimals of the print format, of F8.2 or A where it does not fit."""
    record = column.record
    code, width, decimals = record.print_code, record.print_width, record.decimals
    if column.width:
        if code not in _STRING_CODES or len(column.pieces) > 1:
            return CODE_A, column.width, 0
        return code, width, 0
    if code not in FORMAT_NAMES or code in _STRING_CODES:
        return CODE_F, 8, 2
    return code, width, decimals


def weight_column(
    records: Records, columns: Sequence[Column], findings: list[Finding]
) -> int | None:
    """Return the index of the weight variable, None where there is none."""
    weight = records.header.weight
    if not weight:
        return None
    for place, column in enumerate(columns):
        if column.record.element == weight - 1 and not column.width:
            return place
    findings.append(Finding(f"the weight variable, element {weight:,}, is not there", "warning"))
    return None


def missing_of(
    column: Column, records: Records, texts: Texts, name: str, more: Sequence[bytes]
) -> Missing:
    """Return the user-missing values of a column; ``more`` are those of a long string."""
    record = column.record
    if column.width:
        return Missing(tuple(texts.text(value, name) for value in (*record.missing, *more)))
    numbers = [number_of(value, records) for value in record.missing]
    if record.missing_kind not in (_RANGE, _RANGE_AND_VALUE):
        return Missing(tuple(numbers))
    _, highest, lowest = special_numbers(records)
    low = -math.inf if numbers[0] <= lowest else numbers[0]
    high = math.inf if numbers[1] >= highest else numbers[1]
    return Missing(tuple(numbers[2:]), (MissingRange(low, high),))


def number_of(stored: bytes, records: Records) -> float:
    """Return a stored number."""
    return float(struct.unpack(records.header.order + "d", stored)[0])


class _Meaning(NamedTuple):
    """What the values of a variable mean: fields of `Variable` that follow each other."""

    categories: tuple[Category, ...]
    missing_values: tuple[Value, ...]
    missing_ranges: tuple[MissingRange, ...]


def _variable(
    column: Column, name: str, texts: Texts, shown: Display, attributes: Sequence[tuple[str, str]],
    meant: _Meaning, *, weight: bool,
) -> Variable:  # fmt: skip
    """Return a variable of all that is known of it."""
    code, width, decimals = print_format(column)
    size = column.width
    is_text = bool(size) or code in TEMPORAL_CODES
    role = question = ""
    if attributes:
        roles = [ROLES[text] for key, text in attributes if key == ROLE_ATTRIBUTE and text in ROLES]
        questions = [text for key, text in attributes if key.lower() in _QUESTIONS]
        role, question = "".join(roles[:1]), "".join(questions[:1])
        attributes = [(key, text) for key, text in attributes if key != ROLE_ATTRIBUTE]
    # By place: names cost as much as all the rest of making a variable.
    return Variable(
        name,
        texts.text(column.record.label, name) if column.record.label else "",
        Kind.CHARACTER if is_text else Kind.NUMERIC,
        None,  # interval
        _MEASURES.get(shown.measure, Measure.UNKNOWN),
        format_name(code, width, decimals),
        "" if size else format_category(code),
        None if is_text else decimals,
        size or width,
        shown.width,
        _ALIGNMENTS.get(shown.alignment, ""),
        f"A{size}" if size else "double",
        *meant,
        weight,
        role,
        question,
        tuple(attributes),
    )


class _Meanings:
    """Says what values mean, once for all variables that share labels and missing values."""

    def __init__(self, records: Records, texts: Texts) -> None:
        self._records, self._texts = records, texts
        self._made: dict[tuple[object, ...], _Meaning] = {}

    def of(
        self, column: Column, sets: Sequence[Labels], more: Sequence[bytes], name: str
    ) -> _Meaning:
        """Return what the values of a column mean.

        Args:
            column: It.
            sets: Its labels; a later one of the same value replaces an earlier one, at its place.
            more: The user-missing values of a long string.
            name: The variable's name.
        """
        record = column.record
        code = record.print_code if record.print_code in TEMPORAL_CODES else None
        is_text = column.width > 0
        key = (is_text, code, record.missing_kind, record.missing, *map(id, sets), *more)
        found = self._made.get(key)
        if found is None:
            found = self._make(column, sets, more, name)
            if name not in self._texts.faulty:  # else each such variable is to be told of
                self._made[key] = found
        return found

    def _make(
        self, column: Column, sets: Sequence[Labels], more: Sequence[bytes], name: str
    ) -> _Meaning:
        missing = missing_of(column, self._records, self._texts, name, more)
        record = column.record
        categories: list[Category] = []
        taken: set[Value] = set()
        for stored, label in {stored: label for each in sets for stored, label in each}.items():
            value: Value
            value = (
                self._texts.text(stored, name) if column.width else number_of(stored, self._records)
            )
            shown = _shown(value, record)
            shown = value if shown in taken else shown  # seconds of one day would fall together
            taken.add(shown)
            categories.append(Category(shown, self._texts.text(label, name), missing.holds(value)))
        shown_missing = tuple([_shown(value, record) for value in missing.values])
        return _Meaning(tuple(categories), shown_missing, missing.ranges)


def _shown(value: Value, record: VariableRecord) -> Value:
    """Return the text of a date or time, other values as they are."""
    if isinstance(value, str) or record.print_code not in TEMPORAL_CODES:
        return value
    return temporal_text(value, record.print_code) or value
