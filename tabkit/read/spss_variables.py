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
    from tabkit.read.spss_dictionary import Column, Display, Texts
    from tabkit.read.spss_records import LabelSet, Records, VariableRecord

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
    names = make_unique(stored_names(columns, texts, records, findings), findings)
    labels = labels_of_columns(records, columns, findings)
    more_missing = long_missing(records, columns)
    categories = _Categories(records, texts)
    attributes = variable_attributes(records, names, texts, findings)
    shown = displays(records, columns, findings)
    weight = weight_column(records, columns, findings)
    variables = []
    declared: dict[tuple[object, ...], Missing] = {}  # of numbers, by what is stored
    for place, (column, name) in enumerate(zip(columns, names, strict=True)):
        stored = (column.record.missing_kind, column.record.missing)
        missing = None if column.width else declared.get(stored)
        if missing is None:
            missing = missing_of(column, records, texts, name, more_missing.get(place, ()))
            if not column.width:
                declared[stored] = missing
        meant = _Meaning(
            categories.of(column, labels.get(place, ()), missing, name),
            _shown_values(missing.values, column.record),
            missing.ranges,
            place == weight,
        )
        owned = attributes.get(name, [])
        variables.append(_variable(column, name, texts, shown[place], owned, meant))
    return tuple(variables)


def print_format(column: Column) -> tuple[int, int, int]:
    """Return code, width and decimals of the print format, of F8.2 or A where it does not fit."""
    record = column.record
    code, width, decimals = record.print_code, record.print_width, record.decimals
    if column.width:
        if code not in _STRING_CODES or len(column.records) > 1:
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
    column: Column, records: Records, texts: Texts, name: str, more: Sequence[bytes] = ()
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
    """What the values of a variable mean."""

    categories: tuple[Category, ...]
    missing_values: tuple[Value, ...]
    missing_ranges: tuple[MissingRange, ...]
    weight: bool


def _variable(
    column: Column,
    name: str,
    texts: Texts,
    shown: Display,
    attributes: list[tuple[str, str]],
    meant: _Meaning,
) -> Variable:
    """Return a variable of all that is known of it."""
    code, width, decimals = print_format(column)
    is_text = bool(column.width) or code in TEMPORAL_CODES
    roles = [ROLES[text] for key, text in attributes if key == ROLE_ATTRIBUTE and text in ROLES]
    questions = [text for key, text in attributes if key.lower() in _QUESTIONS]
    return Variable(
        name,
        label=texts.text(column.record.label or b"", name),
        kind=Kind.CHARACTER if is_text else Kind.NUMERIC,
        measure=_MEASURES.get(shown.measure, Measure.UNKNOWN),
        display_format=format_name(code, width, decimals),
        format_category="" if column.width else format_category(code),
        decimals=None if is_text else decimals,
        width=column.width or width,
        display_width=shown.width,
        alignment=_ALIGNMENTS.get(shown.alignment, ""),
        storage=f"A{column.width}" if column.width else "double",
        categories=meant.categories,
        missing_values=meant.missing_values,
        missing_ranges=meant.missing_ranges,
        weight=meant.weight,
        role=roles[0] if roles else "",
        question=questions[0] if questions else "",
        attributes=tuple((key, text) for key, text in attributes if key != ROLE_ATTRIBUTE),
    )


class _Categories:
    """Makes categories, once for all variables that share their labels and missing values.

    Sets of labels that say the same count as shared: a survey repeats a scale for each question.
    """

    def __init__(self, records: Records, texts: Texts) -> None:
        self._records, self._texts = records, texts
        self._made: dict[tuple[object, ...], tuple[Category, ...]] = {}
        self._alike: dict[tuple[object, ...], tuple[Category, ...]] = {}

    def of(
        self, column: Column, sets: tuple[LabelSet, ...], missing: Missing, name: str
    ) -> tuple[Category, ...]:
        """Return a column's categories.

        A later label of the same value replaces an earlier one, at its place.
        """
        code = column.record.print_code if column.record.print_code in TEMPORAL_CODES else None
        use = (bool(column.width), code, missing)
        key = (*map(id, sets), *use)
        if key in self._made:
            return self._made[key]
        content = (*(each.labels for each in sets), *use)
        found = self._alike.get(content)
        if found is None:
            found = self._make(column, sets, missing, name)
        if name not in self._texts.faulty:  # else each such variable is to be told of
            self._made[key] = self._alike[content] = found
        return found

    def _make(
        self, column: Column, sets: tuple[LabelSet, ...], missing: Missing, name: str
    ) -> tuple[Category, ...]:
        labels = {stored: label for each in sets for stored, label in each.labels}
        categories: list[Category] = []
        taken: set[Value] = set()
        for stored, label in labels.items():
            value: Value
            value = (
                self._texts.text(stored, name) if column.width else number_of(stored, self._records)
            )
            shown = _shown(value, column.record)
            shown = value if shown in taken else shown  # seconds of one day would fall together
            taken.add(shown)
            categories.append(Category(shown, self._texts.text(label, name), missing.holds(value)))
        return tuple(categories)


def _shown_values(values: tuple[Value, ...], record: VariableRecord) -> tuple[Value, ...]:
    """Return missing values as they are shown, the very same tuple where they are themselves."""
    if record.print_code not in TEMPORAL_CODES:
        return values
    return tuple(_shown(value, record) for value in values)


def _shown(value: Value, record: VariableRecord) -> Value:
    """Return the text of a date or time, other values as they are."""
    if isinstance(value, str) or record.print_code not in TEMPORAL_CODES:
        return value
    return temporal_text(value, record.print_code) or value
