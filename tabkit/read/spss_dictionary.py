"""The dictionary of a system file, decoded: records go in, variables and file facts come out.

Source: GNU PSPP developer's guide, "System File Format".
"""

from __future__ import annotations

import datetime
import itertools
import re
import struct
import sys
from typing import TYPE_CHECKING, Final, NamedTuple

from tabkit.model import Finding, ResponseSet
from tabkit.read.spss_extensions import (
    parse_attributes,
    parse_long_labels,
    parse_long_missing,
    parse_pairs,
    parse_response_sets,
    parse_variable_attributes,
    parse_variable_sets,
)
from tabkit.read.spss_text import Decoder, choose_decoder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tabkit.read.spss_records import Header, Labels, Records
    from tabkit.read.spss_segments import Column

MACHINE, FLOATS, VARIABLE_SETS, SETS, PRODUCT, DISPLAY, LONG_NAMES = 3, 4, 5, 7, 10, 11, 13
CASES, FILE_ATTRIBUTES, ATTRIBUTES, MORE_SETS, ENCODING, LONG_LABELS, LONG_MISSING = (
    16, 17, 18, 19, 20, 21, 22,
)  # fmt: skip
_KNOWN_UNUSED: Final = frozenset({6, 8, 9, 12, 15, 24})  # Trends dates, Data Entry, view settings
_CENTURY: Final = 69  # two-digit years up to here are in the 21st century
_MONTHS: Final = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
_CREATED: Final = re.compile(r"([ \d]\d) (\w{3}) (\d\d)([ \d]\d):(\d\d):(\d\d)")


class Display(NamedTuple):
    """How a variable is shown, as stored (record 7/11); None where not told."""

    measure: int | None = None
    width: int | None = None
    alignment: int | None = None


class Texts:
    """Decodes the dictionary's texts and keeps in mind whose bytes could not be decoded."""

    def __init__(self, decoder: Decoder) -> None:
        self.decoder = decoder
        self.faulty: dict[str, None] = {}

    def text(self, data: bytes, owner: str = "") -> str:
        """Return the text without trailing padding and NULs; ``owner`` is a variable's name."""
        text, whole = self.decoder.decode(data)
        if not whole:
            self.faulty[owner] = None
        return text.replace("\0", "").rstrip(" ")

    def findings(self) -> list[Finding]:
        """Return a warning for each variable (or the file) whose texts have replaced bytes."""
        text = "a name or label holds bytes that are no text in the file's encoding: replaced"
        return [Finding(text, "warning", owner) for owner in self.faulty]


def decoder_of(records: Records, override: str | None, findings: list[Finding]) -> Decoder:
    """Choose the decoder of a file from its records, or take the user's encoding."""
    declared, machine = records.extension(ENCODING), records.extension(MACHINE)
    name = declared.data.decode("latin-1").strip("\0 ") if declared else ""
    page = None
    if machine is not None and len(machine.data) == 32:  # noqa: PLR2004 - eight integers
        page = struct.unpack(records.header.order + "8i", machine.data)[7]
    return choose_decoder(override, name, page, findings)


def special_numbers(records: Records) -> tuple[float, float, float]:
    """Return the numbers for system-missing, highest and lowest (record 7/4, or the usual)."""
    found = records.extension(FLOATS)
    if found is not None and found.size == 8 and found.count == 3:  # noqa: PLR2004
        missing, highest, lowest = struct.unpack(records.header.order + "3d", found.data)
        return missing, highest, lowest
    greatest = sys.float_info.max
    return -greatest, greatest, struct.unpack("<d", b"\xfe\xff\xff\xff\xff\xff\xef\xff")[0]


def promised_cases(records: Records) -> int | None:
    """Return the number of cases that the header, else record 7/16, promises; None for unknown."""
    if records.header.cases > 0:
        return records.header.cases
    found = records.extension(CASES)
    if found is not None and len(found.data) == 16:  # noqa: PLR2004 - two 64-bit integers
        cases = int(struct.unpack(records.header.order + "qq", found.data)[1])
        return cases if cases > 0 else None
    return None


def long_names_of(records: Records) -> dict[bytes, bytes]:
    """Return long names by short names (record 7/13)."""
    stored = records.extension(LONG_NAMES)
    return parse_pairs(stored.data) if stored else {}


def stored_names(
    columns: Sequence[Column], long_names: Mapping[bytes, bytes], texts: Texts,
    findings: list[Finding],
) -> list[str]:  # fmt: skip
    """Return the variables' names: long ones where there are, none empty."""
    names: list[str] = []
    for number, column in enumerate(columns, 1):
        short = column.short_name
        name = texts.text(long_names.get(short, short), short.decode("latin-1"))
        if not name:
            name = f"VAR{number:05d}"
            findings.append(Finding(f"a variable without a name is named {name}", "warning", name))
        names.append(name)
    return names


def make_unique(names: Sequence[str], findings: list[Finding]) -> list[str]:
    """Rename every name that came before: ``x``, ``x_2``, ``x_3``."""
    taken = set(names)
    if len(taken) == len(names):
        return list(names)
    seen: set[str] = set()
    numbers: dict[str, int] = {}
    unique = []
    for name in names:
        new = name
        while new in seen or (new != name and new in taken):
            numbers[name] = numbers.get(name, 1) + 1
            new = f"{name}_{numbers[name]}"
        if new != name:
            findings.append(Finding(f"a second variable {name} is named {new}", "warning", new))
        seen.add(new)
        unique.append(new)
    return unique


def displays(records: Records, columns: Sequence[Column], findings: list[Finding]) -> list[Display]:
    """Return measure, display width and alignment of each column (record 7/11)."""
    found = records.extension(DISPLAY)
    count = len(records.variables)
    if found is None:
        return [Display()] * len(columns)
    if found.size != 4 or found.count not in (2 * count, 3 * count):  # noqa: PLR2004
        findings.append(
            Finding("the record of measurement levels does not fit: left out", "warning")
        )
        return [Display()] * len(columns)
    numbers = struct.unpack(f"{records.header.order}{found.count}i", found.data)
    step = found.count // count
    widths = numbers[1::3] if step == 3 else [None] * count  # noqa: PLR2004
    shown = map(Display, numbers[::step], widths, numbers[step - 1 :: step])
    by_element = {
        record.element: each for record, each in zip(records.variables, shown, strict=True)
    }
    return [by_element[column.record.element] for column in columns]


def labels_of_columns(
    records: Records,
    columns: Sequence[Column],
    long_names: Mapping[bytes, bytes],
    findings: list[Finding],
) -> dict[int, list[Labels]]:
    """Return value labels by column index: of records 3 and 4, and 7/21 for long strings."""
    places = {column.record.element + 1: place for place, column in enumerate(columns)}
    found: dict[int, list[Labels]] = {}
    strays = 0
    for labels, elements in records.label_sets:
        for element in dict.fromkeys(elements):
            if element in places:
                found.setdefault(places[element], []).append(labels)
            else:
                strays += 1
    if strays:
        text = f"value labels belong to {strays:,} elements that are no variables: left out"
        findings.append(Finding(text, "warning"))
    stored = records.extension(LONG_LABELS)
    if stored is not None:
        names = _names_of_records(columns, long_names)
        known: dict[Labels, Labels] = {}
        for name, pairs in parse_long_labels(stored.data, records.header.order):
            if name in names and columns[names[name]].width:
                found[names[name]] = [known.setdefault(tuple(pairs), tuple(pairs))]
    return found


def long_missing(
    records: Records, columns: Sequence[Column], long_names: Mapping[bytes, bytes]
) -> dict[int, list[bytes]]:
    """Return missing values of long strings by column index (record 7/22)."""
    found = records.extension(LONG_MISSING)
    if found is None:
        return {}
    names = _names_of_records(columns, long_names)
    parsed = parse_long_missing(found.data, records.header.order)
    return {names[name]: values for name, values in parsed if name in names}


def _names_of_records(
    columns: Sequence[Column], long_names: Mapping[bytes, bytes]
) -> dict[bytes, int]:
    """Return column indices by stored long and short names, for records that use either."""
    places = {column.short_name: place for place, column in enumerate(columns)}
    return places | {
        long_names[short]: place for short, place in places.items() if short in long_names
    }


def variable_attributes(
    records: Records, names: Sequence[str], texts: Texts, findings: list[Finding]
) -> dict[str, list[tuple[str, str]]]:
    """Return custom attributes by variable name (record 7/18)."""
    found = records.extension(ATTRIBUTES)
    if found is None:
        return {}
    parsed = parse_variable_attributes(texts.text(found.data))
    known = {name.casefold(): name for name in names}
    kept = {known[n.casefold()]: each for n, each in parsed.items() if n.casefold() in known}
    strays = [name for name in parsed if name.casefold() not in known]
    if strays:
        text = f"attributes of {strays[0]}, which is no variable, are left out (of {len(strays):,})"
        findings.append(Finding(text, "warning"))
    return kept


def file_attributes(records: Records, texts: Texts) -> tuple[tuple[str, str], ...]:
    """Return custom attributes of the file, variable sets and product notes (7/17, 5, 10)."""
    found = records.extension(FILE_ATTRIBUTES)
    attributes = parse_attributes(texts.text(found.data))[0] if found else []
    sets = records.extension(VARIABLE_SETS)
    for name, members in parse_variable_sets(texts.text(sets.data)) if sets else []:
        attributes.append((f"VariableSet {name}", members))
    product = records.extension(PRODUCT)
    if product is not None and (text := texts.text(product.data).strip()):
        attributes.append(("ProductInfo", text))
    return tuple(attributes)


def response_sets(
    records: Records, columns: Sequence[Column], names: Sequence[str], texts: Texts
) -> tuple[tuple[ResponseSet, ...], list[Finding]]:
    """Return multiple-response sets (records 7/7 and 7/19), each once, and what did not fit."""
    stored = [each for each in map(records.extension, (SETS, MORE_SETS)) if each is not None]
    if not stored:
        return (), []
    by_short = {
        column.short_name.lower(): name for column, name in zip(columns, names, strict=True)
    }
    found: dict[str, ResponseSet] = {}
    findings = []
    for each in itertools.chain(*[parse_response_sets(record.data) for record in stored]):
        name = texts.text(each.name)
        members = [by_short.get(short.lower(), "") for short in each.variables]
        if "" in members:
            findings.append(Finding(f"response set {name} names an unknown variable: left out"))
        counted = None if each.counted is None else texts.text(each.counted)
        found[name] = ResponseSet(
            name, texts.text(each.label), tuple(filter(None, members)), counted
        )
    return tuple(found.values()), findings


def document(records: Records, texts: Texts) -> tuple[str, ...]:
    """Return the document of the file as one text, or nothing."""
    text = "\n".join(texts.text(line) for line in records.document).rstrip()
    return (text,) if text else ()


def created(header: Header) -> datetime.datetime | None:
    """Return when the file was made, None where the header does not tell."""
    found = _CREATED.fullmatch(header.created.decode("latin-1"))
    if found is None or found[2].title() not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[group]) for group in (1, 3, 4, 5, 6))
    year += 2000 if year <= _CENTURY else 1900
    month = _MONTHS.index(found[2].title()) + 1
    try:
        return datetime.datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - no zone
    except ValueError:
        return None


def wrong_case_size(records: Records) -> list[Finding]:
    """Tell of a header that promises another width of a case than the variables have."""
    promised = records.header.case_size
    if promised in (-1, 0, records.elements):
        return []
    text = f"the header promises cases of {promised:,} elements, the variables have"
    return [Finding(f"{text} {records.elements:,}: those are read")]


def unknown_extensions(records: Records) -> list[Finding]:
    """Tell of records 7 that nobody documents and that are left out."""
    known = _KNOWN_UNUSED | set(range(MACHINE, LONG_MISSING + 1))
    subtypes = sorted({each.subtype for each in records.extensions} - known)
    return [Finding(f"record 7, subtype {number}, is not known: left out") for number in subtypes]
