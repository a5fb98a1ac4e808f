"""Variables of an SPSS portable file: its records go in, variables with their meaning come out."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Final

from tabkit.model import Category, Finding, Interval, Kind, MissingRange, Variable
from tabkit.read.por_numbers import parse_number, parse_number_like_java
from tabkit.read.spss_dictionary import make_unique
from tabkit.read.spss_temporal import (
    CODE_A,
    CODE_F,
    FORMAT_NAMES,
    TEMPORAL_CODES,
    decimal_text,
    format_category,
    format_name,
    is_character,
    java_pattern,
    temporal_text,
)
from tabkit.read.spss_variables import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tabkit.model import Value
    from tabkit.profiles import Profile
    from tabkit.read.por_dictionary import PorDictionary, VariableRecord
    from tabkit.read.spss_dictionary import Texts

_TEXT_CODES: Final = (1, 2)
_LABEL_UNITS: Final = 255


def print_format(record: VariableRecord) -> tuple[int, int, int]:
    """Return code, width and decimals of the print format, of F8.2 or A where it does not fit."""
    code, width, decimals = record.shown
    if record.width:
        return (code if code in _TEXT_CODES else CODE_A), width or record.width, 0
    if code not in FORMAT_NAMES or code in _TEXT_CODES:
        return CODE_F, 8, 2
    return code, width, decimals


def build_variables(
    dictionary: PorDictionary, texts: Texts, findings: list[Finding]
) -> tuple[Variable, ...]:
    """Return the variables in order.

    Missing values and categories of dates and times are given as the text the archival table shows
    (``YYYY-MM-DD``…), which can be compared with the column; missing ranges stay SPSS seconds.
    """
    records = dictionary.variables
    names = _names(records, texts, findings)
    sets = _sets_of_variables(dictionary)
    made: dict[object, tuple[Category, ...]] = {}  # many variables share their labels
    variables = []
    for record, name in zip(records, names, strict=True):
        bare = _describe(record, name, texts)
        labels = sets.get(record.name, ())
        key = (*map(id, labels), record.width > 0, print_format(record)[0], *_missing_key(record))
        if key not in made:
            made[key] = _categories(record, labels, name, texts)
        variables.append(dataclasses.replace(bare, categories=made[key]))
    unknown = set(sets).difference(record.name for record in records)
    findings += [
        Finding(
            f"value labels of {texts.text(name)}, which is no variable, are left out", "warning"
        )
        for name in sorted(unknown)
    ]
    places = [place for place, record in enumerate(records) if record.name == dictionary.weight]
    if places and not records[places[0]].width:
        place = places[0]
        variables[place] = dataclasses.replace(variables[place], weight=True)
    elif dictionary.weight:
        text = f"the weight variable {texts.text(dictionary.weight)} is not there"
        findings.append(Finding(text, "warning"))
    return tuple(variables)


def build_plain_variables(
    dictionary: PorDictionary, texts: Texts, profile: Profile, findings: list[Finding]
) -> tuple[Variable, ...]:
    """Return the variables as Dataverse has them: names, labels, categories and date patterns.

    Source: IQSS/dataverse b485249231fe, PORFileReader.
    """
    names = _names(dictionary.variables, texts, findings)
    variables = []
    labels = _last_labels(dictionary)
    for record, name in zip(dictionary.variables, names, strict=True):
        code, _, _ = print_format(record)
        dated = not record.width and is_character(code, profile)
        pattern = java_pattern(code) if dated else ""
        is_text = dated or record.width > 0
        variables.append(
            Variable(
                name,
                label=_raw(record.label or b"", texts)[:_LABEL_UNITS],
                kind=Kind.CHARACTER if is_text else Kind.NUMERIC,
                interval=Interval.DISCRETE if is_text else None,
                display_format=pattern,
                format_category=format_category(code) if pattern else "",
                categories=_plain_categories(labels.get(record.name, {}), record, texts),
                bare=dated,
            )
        )
    return tuple(variables)


def _names(records: Sequence[VariableRecord], texts: Texts, findings: list[Finding]) -> list[str]:
    names = [texts.text(record.name) or f"VAR{n}" for n, record in enumerate(records, 1)]
    return make_unique(names, findings)


def _raw(data: bytes, texts: Texts) -> str:
    """Return a text with its blanks."""
    return texts.decoder.decode(data)[0].replace("\0", "")


def _describe(record: VariableRecord, name: str, texts: Texts) -> Variable:
    code, width, decimals = print_format(record)
    is_text = record.width > 0 or code in TEMPORAL_CODES
    missing = _missing(record, name, texts)
    return Variable(
        name,
        label=texts.text(record.label or b"", name),
        kind=Kind.CHARACTER if is_text else Kind.NUMERIC,
        display_format=format_name(code, width, decimals),
        format_category="" if record.width else format_category(code),
        decimals=None if is_text else decimals,
        width=record.width or width,
        storage=f"A{record.width}" if record.width else "double",
        missing_values=tuple(_shown(value, record) for value in missing.values),
        missing_ranges=missing.ranges,
    )


def _missing(record: VariableRecord, name: str, texts: Texts) -> Missing:
    value_of = _value_reader(record, name, texts)
    return Missing(
        tuple(map(value_of, record.missing)),
        tuple(_span(low, high) for low, high in record.spans),
    )


def _missing_key(record: VariableRecord) -> tuple[tuple[object, ...], ...]:
    return tuple(record.missing), tuple(record.spans)


def _sets_of_variables(dictionary: PorDictionary) -> dict[bytes, list[dict[bytes, bytes]]]:
    """Return the sets of value labels of each variable, in order."""
    found: dict[bytes, list[dict[bytes, bytes]]] = {}
    for each in dictionary.label_sets:
        for name in each.names:
            found.setdefault(name, []).append(each.labels)
    return found


def _categories(
    record: VariableRecord, sets: Sequence[dict[bytes, bytes]], name: str, texts: Texts
) -> tuple[Category, ...]:
    """Return categories; a later label of the same value replaces an earlier one, at its place."""
    value_of, missing = _value_reader(record, name, texts), _missing(record, name, texts)
    labels = {stored: label for each in sets for stored, label in each.items()}
    categories: dict[Value, Category] = {}
    for stored, label in labels.items():
        value = value_of(stored)
        shown = _shown(value, record)
        key = value if shown in categories else shown  # times of one day would fall together
        categories[key] = Category(key, texts.text(label, name), missing.holds(value))
    return tuple(categories.values())


def _value_reader(record: VariableRecord, name: str, texts: Texts) -> Callable[[bytes], Value]:
    if record.width:
        return lambda stored: texts.text(stored, name)
    return _number


def _number(stored: bytes) -> float:
    value = parse_number(stored)
    return math.nan if value is None else value


def _span(low: bytes, high: bytes) -> MissingRange:
    return MissingRange(_number(low) if low else -math.inf, _number(high) if high else math.inf)


def _shown(value: Value, record: VariableRecord) -> Value:
    """Return the text of a date or time, other values as they are."""
    code = print_format(record)[0]
    if isinstance(value, str) or code not in TEMPORAL_CODES:
        return value
    return temporal_text(value, code) or value


def _last_labels(dictionary: PorDictionary) -> dict[bytes, dict[bytes, bytes]]:
    """Return the value labels that each variable has in the end for Dataverse.

    A later set replaces an earlier one, and a set is known by the first variable it names.
    """
    tables: dict[bytes, dict[bytes, bytes]] = {}
    keys: dict[bytes, bytes] = {}
    for each in dictionary.label_sets:
        tables[each.names[0]] = each.labels
        keys.update(dict.fromkeys(each.names, each.names[0]))
    return {name: tables[key] for name, key in keys.items()}


def _plain_categories(
    labels: dict[bytes, bytes], record: VariableRecord, texts: Texts
) -> tuple[Category, ...]:
    """Return categories; of a date or time the value is the number's text, which no case has."""
    code = print_format(record)[0]
    found: dict[Value, str] = {}
    for stored, label in labels.items():
        value: Value
        if record.width:
            value = _raw(stored, texts)
        else:
            value = parse_number_like_java(stored) or 0.0
            value = decimal_text(value) if code in TEMPORAL_CODES else value
        found[value] = _raw(label, texts)
    return tuple(Category(value, label) for value, label in found.items())
