"""What stands before and after the data of a Stata file, as it is stored: no text is decoded here.

Every count and length is checked against the bytes that are left before it is used.
Source: Stata, ``help dta``.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError
from tabkit.model import Finding
from tabkit.read.bounds import check_variables
from tabkit.read.stata_labels import LabelSet, read_label_sets
from tabkit.read.stata_layout import LAYOUTS, Layout, storage_of, width_of
from tabkit.read.stata_sections import (
    Map,
    data_end,
    enter,
    find_value_labels,
    read_map,
    section_text,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabkit.limits import Limits
    from tabkit.read.stata_bytes import Source

_MAGIC: Final = b"<stata_dta>"
_ORDERS: Final = {b"MSF": ">", b"LSF": "<"}
_NO_DTA: Final = "this is not a Stata data file"
_ABSURD: Final = 16  # times the cases that there is room for


@dataclasses.dataclass(frozen=True, slots=True)
class Dictionary:
    """A file's own description of itself; texts are bytes up to their first NUL.

    Attributes:
        layout: Of the file's version.
        order: ``<`` or ``>``.
        file_label: The label of the file.
        timestamp: ``dd Mon yyyy hh:mm`` or empty.
        storages: ``byte``, ``str18``, ``strL``… by variable.
        names: By variable.
        sorted_by: Numbers of variables, from 0.
        display_formats: By variable.
        label_names: Name of the value labels, empty for none, by variable.
        labels: By variable.
        characteristics: Variable's name or ``_dta``, name, text.
        data_start: The first byte of the first case.
        cases: Cases that are really there.
        label_sets: Value labels, in file order.
        strls_start: The first byte of the long strings, 0 for none.
        findings: What was not sound.
    """

    layout: Layout
    order: str
    file_label: bytes
    timestamp: bytes
    storages: tuple[str, ...]
    names: tuple[bytes, ...]
    sorted_by: tuple[int, ...]
    display_formats: tuple[bytes, ...]
    label_names: tuple[bytes, ...]
    labels: tuple[bytes, ...]
    characteristics: tuple[tuple[bytes, bytes, bytes], ...] = ()
    data_start: int = 0
    cases: int = 0
    label_sets: tuple[LabelSet, ...] = ()
    strls_start: int = 0
    findings: tuple[Finding, ...] = ()

    @property
    def case_width(self) -> int:
        """Bytes of a case."""
        return sum(map(width_of, self.storages))


@dataclasses.dataclass(frozen=True, slots=True)
class _Head:
    """The header: what is promised."""

    layout: Layout
    order: str
    variables: int
    cases: int
    label: bytes
    timestamp: bytes


def read_dictionary(source: Source, limits: Limits) -> Dictionary:
    """Read all but the data and the long strings.

    Raises:
        FormatError: This is not a Stata file, or it is broken before its data.
        LimitError: Its header promises more variables than the limits allow.
    """
    if source.looking_at(_MAGIC, 0):
        return _read_sections(source, limits)
    return _read_records(source, limits)


def _read_records(source: Source, limits: Limits) -> Dictionary:
    """Versions 102 to 115: one fixed record after the other."""
    head = _record_head(source)
    check_variables(head.variables, limits, source.path)
    source = dataclasses.replace(source, order=head.order)
    found = _descriptors(source, head, lambda _: None)
    findings: list[Finding] = []
    characteristics = tuple(_expansion_fields(source, head.layout))
    start = source.at
    cases = _cases_held(source, head.cases, found.case_width, source.left, findings)
    source.seek(start + cases * found.case_width)
    sets: tuple[LabelSet, ...] = ()
    if cases == head.cases or not found.case_width:
        sets = read_label_sets(source, head.layout, findings)
    return dataclasses.replace(
        found,
        characteristics=characteristics,
        data_start=start,
        cases=cases,
        label_sets=sets,
        findings=tuple(findings),
    )


def _record_head(source: Source) -> _Head:
    hint = "Stata writes .dta files whose first byte is 102 to 115, or that begin <stata_dta>"
    if source.size < 4:  # noqa: PLR2004 - version, order, file type, unused
        raise FormatError(_NO_DTA, source.path, hint=hint)
    version, order, file_type, _ = source.take(4, "header")
    layout = LAYOUTS.get(version)
    orders = {1: ">", 2: "<"} if version > 102 else {0: "<", 1: ">", 2: "<"}  # noqa: PLR2004
    if layout is None or layout.has_sections or order not in orders or file_type != 1:
        raise FormatError(_NO_DTA, source.path, hint=hint)
    source = dataclasses.replace(source, order=orders[order])
    variables = source.number(layout.variables, "header")
    cases = source.number(layout.cases, "header")
    label = source.take(layout.file_label, "header").partition(b"\0")[0]
    timestamp = source.take(layout.timestamp, "header").partition(b"\0")[0]
    return _Head(layout, source.order, variables, cases, label, timestamp)


def _read_sections(source: Source, limits: Limits) -> Dictionary:
    """Versions 117 to 121: named sections, and a map that tells where they are."""
    head = _section_head(source)
    check_variables(head.variables, limits, source.path)
    source = dataclasses.replace(source, order=head.order)
    places = read_map(source)
    found = _descriptors(source, head, lambda name: enter(source, name, places))
    findings: list[Finding] = []
    enter(source, "characteristics", places)
    characteristics = tuple(_characteristics(source, head.layout))
    enter(source, "data", places)
    start, width = source.at, found.case_width
    if places.of("data") + len(b"<data>") != start:
        text = "the map of the file's sections is wrong; they were found by their names"
        findings.append(Finding(text, "warning"))
    cases = _section_cases(source, head.cases, width, places, findings)
    sets: tuple[LabelSet, ...] = ()
    end = data_end(source, start + cases * width, places)
    if end:
        has_strls = "strL" in found.storages
        if find_value_labels(source, places, head.layout, walk=has_strls):
            sets = read_label_sets(source, head.layout, findings)
        else:
            findings.append(Finding("the value labels are not where they should be", "warning"))
    return dataclasses.replace(
        found,
        characteristics=characteristics,
        data_start=start,
        cases=cases,
        label_sets=sets,
        strls_start=end,
        findings=tuple(findings),
    )


def _section_head(source: Source) -> _Head:
    source.seek(len(_MAGIC))
    places = Map()
    enter(source, "header", places)
    release = section_text(source, "release", places)
    layout = LAYOUTS.get(int(release)) if release.isdigit() else None
    if layout is None or not layout.has_sections:
        raise FormatError(
            f"this is a Stata file of version {release[:9].decode('ascii', 'replace')}",
            source.path,
            hint="tabkit reads 102 to 121; in Stata, saveold writes an older one",
        )
    order = _ORDERS.get(section_text(source, "byteorder", places))
    if order is None:
        raise source.broken("the byte order is neither MSF nor LSF")
    source = dataclasses.replace(source, order=order)
    enter(source, "K", places)
    variables = source.number(layout.variables, "header")
    enter(source, "N", places)
    cases = source.number(layout.cases, "header")
    enter(source, "label", places)
    label = source.take(source.number(layout.file_label, "header"), "file label")
    enter(source, "timestamp", places)
    timestamp = source.take(source.number(layout.timestamp, "header"), "time stamp")
    return _Head(layout, order, variables, cases, label.partition(b"\0")[0], timestamp)


def _descriptors(source: Source, head: _Head, begin: Callable[[str], None]) -> Dictionary:
    """Read the lists that have one entry a variable."""
    layout, count = head.layout, head.variables
    code_bytes = 2 if layout.has_sections else 1
    least = code_bytes + 2 * layout.name + layout.sort + layout.display_format + layout.label
    if count * least > source.left:
        reason = f"the header promises {count:,} variables, more than the file has room for"
        raise source.broken(reason, "get a whole copy of it")
    begin("variable_types")
    codes = [source.number(code_bytes, "variable types") for _ in range(count)]
    storages = tuple(storage_of(layout, code) for code in codes)
    if "" in storages:
        at = storages.index("")
        raise source.broken(f"variable {at + 1} has the type code {codes[at]}, which is unknown")
    begin("varnames")
    names = source.fields(count, layout.name, "variable names")
    begin("sortlist")
    sorted_by = tuple(source.number(layout.sort, "sort list") for _ in range(count + 1))
    begin("formats")
    display_formats = source.fields(count, layout.display_format, "display formats")
    begin("value_label_names")
    label_names = source.fields(count, layout.name, "names of value labels")
    begin("variable_labels")
    labels = source.fields(count, layout.label, "variable labels")
    return Dictionary(
        layout,
        head.order,
        head.label,
        head.timestamp,
        storages,
        names,
        _sort_order(sorted_by),
        display_formats,
        label_names,
        labels,
    )


def _sort_order(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """Return the variables before the terminating 0, numbered from 0."""
    ended = numbers[: numbers.index(0)] if 0 in numbers else ()
    return tuple(number - 1 for number in ended if number < len(numbers))


def _expansion_fields(source: Source, layout: Layout) -> list[tuple[bytes, bytes, bytes]]:
    if not layout.expansion:
        return []
    found: list[tuple[bytes, bytes, bytes]] = []
    characteristic = 1
    while True:
        kind = source.number(1, "characteristics")
        text = source.take(source.number(layout.expansion, "characteristics"), "characteristics")
        if kind == 0 and not text:
            return found
        if kind == characteristic:
            found.append(_characteristic(text, layout.name))


def _characteristics(source: Source, layout: Layout) -> list[tuple[bytes, bytes, bytes]]:
    found: list[tuple[bytes, bytes, bytes]] = []
    while source.looking_at(b"<ch>", source.at):
        text = source.take(source.number(4, "characteristics"), "characteristics")
        found.append(_characteristic(text, layout.name))
        source.looking_at(b"</ch>", source.at)
    return found


def _characteristic(raw: bytes, width: int) -> tuple[bytes, bytes, bytes]:
    variable, name, text = raw[:width], raw[width : 2 * width], raw[2 * width :]
    return variable.partition(b"\0")[0], name.partition(b"\0")[0], text.partition(b"\0")[0]


def _cases_held(
    source: Source, promised: int, width: int, room: int, findings: list[Finding]
) -> int:
    """Return how many whole cases are there, of those promised."""
    if not width:
        if promised:
            text = f"the file has {promised:,} cases but stores no data for them"
            findings.append(Finding(text, "warning"))
        return 0
    held = room // width
    if promised <= held:
        return promised
    if promised > _ABSURD * max(held, 1):
        reason = f"the header promises {promised:,} cases, the file has room for {held:,}"
        raise source.broken(reason, "get a whole copy of it")
    text = (
        f"the file is cut short: {held:,} of {promised:,} cases are there, "
        "and what follows the data (value labels, long strings) is lost"
    )
    findings.append(Finding(text, "warning"))
    return held


def _section_cases(
    source: Source, promised: int, width: int, places: Map, findings: list[Finding]
) -> int:
    """Return the cases of a data section; its closing tag and the map outweigh the header."""
    start = source.at
    if width and not data_end(source, start + promised * width, places):
        mapped = places.strls - len(b"</data>")
        if mapped >= start and data_end(source, mapped, Map()):
            cases, rest = divmod(mapped - start, width)
            if rest:
                raise source.broken("the data section does not hold whole cases")
            text = f"the header promises {promised:,} cases, the data section holds {cases:,}"
            findings.append(Finding(text, "warning"))
            return cases
        if start + promised * width <= source.size - len(b"</data>"):
            source.seek(start + promised * width)
            raise source.broken("the data section does not end where the header says")
    source.seek(start)
    return _cases_held(source, promised, width, source.left, findings)
