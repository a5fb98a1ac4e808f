"""Reading one ``var`` element of any version of DDI Codebook."""

from __future__ import annotations

import math
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from tabkit.ddi.codebook import CodebookVariable, Location
from tabkit.ddi.events import text_of
from tabkit.ddi.parse_text import children_of, clean, count_of, first, read_notes
from tabkit.ddi.variables import SUM_STATS
from tabkit.model import (
    Category,
    Finding,
    Interval,
    Kind,
    Measure,
    MissingRange,
    SummaryStats,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from lxml import etree

    from tabkit.ddi.events import Section
    from tabkit.ddi.parse_text import Children, Notes
    from tabkit.model import Value

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,18}")
_REAL: Final = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,4})?")
_TAG: Final = re.compile(r"\.[a-z_]")
_LONGEST: Final = 400  # characters of a number
_SPECIAL: Final[Mapping[str, float]] = MappingProxyType(
    {"NaN": math.nan, "Inf": math.inf, "-Inf": -math.inf}
    | {"Infinity": math.inf, "-Infinity": -math.inf}
)
_MEASURES: Final[Mapping[str, Measure]] = MappingProxyType(
    {"nominal": Measure.NOMINAL, "ordinal": Measure.ORDINAL}
    | dict.fromkeys(("interval", "ratio", "percent"), Measure.SCALE)
)
_INTERVALS: Final[Mapping[str, Interval]] = MappingProxyType({i.value: i for i in Interval})
#: Children of ``var`` that are read into fields; the others are kept as texts.
_FIELDS: Final = frozenset(
    {"location", "labl", "qstn", "invalrng", "sumStat", "catgry", "varFormat", "notes"}
)


class _Entry(NamedTuple):
    """One ``catgry``: a category, or an observed value without a label."""

    value: Value
    label: str | None
    missing: bool
    frequency: float | None

    @property
    def is_tag(self) -> bool:
        return self.missing and isinstance(self.value, str) and bool(_TAG.fullmatch(self.value))

    @property
    def is_category(self) -> bool:
        """A missing value without a label is kept as a category, unless it is a tag."""
        return self.label is not None or (self.missing and not self.is_tag)


def variable_of(section: Section, findings: list[Finding]) -> CodebookVariable:
    """Read a ``var``.

    Args:
        section: Of a codebook.
        findings: Receives what could not be understood.
    """
    node, children = section.node, children_of(section.node, section.prefix)
    notes = read_notes(children.get("notes", ()))
    kind = _kind(children)
    entries = [_entry(each, section.prefix, kind) for each in children.get("catgry", ())]
    categories = (Category(e.value, e.label or "", e.missing) for e in entries if e.is_category)
    location = _location(children)
    variable = _variable(section, children, notes, location, tuple(categories), findings)
    return CodebookVariable(
        node.get("ID", ""),
        variable,
        file_ids=_file_ids(node, children),
        location=location,
        stats=_stats(children.get("sumStat", ())),
        frequencies=tuple(e.frequency for e in entries if e.is_category),
        others=tuple((e.value, e.frequency) for e in entries if not (e.is_category or e.missing)),
        tagged=tuple((str(e.value), e.frequency) for e in entries if e.is_tag and e.label is None),
        unf=notes.unf,
        weight_ids=tuple((node.get("wgt-var") or "").split()),
        texts=_texts(children, section.prefix),
        notes=notes.others,
        line=section.line,
    )


def _variable(
    section: Section,
    children: Children,
    notes: Notes,
    location: Location,
    categories: tuple[Category, ...],
    findings: list[Finding],
) -> Variable:
    node, properties = section.node, notes.properties
    kind, form = _kind(children), _format(children)
    name = str(node.get("name", node.get("ID", "")))
    values, ranges = _missing(children.get("invalrng", ()), kind, name, findings)
    return Variable(
        name,
        label=clean(_label(children.get("labl", ()), "variable")),
        kind=kind,
        interval=_INTERVALS.get(node.get("intrvl", "")),
        measure=_MEASURES.get(node.get("nature", ""), Measure.UNKNOWN),
        display_format=form.get("formatname", ""),
        format_category=form.get("category", ""),
        decimals=count_of(node.get("dcml")),
        width=location.width,
        display_width=count_of(properties.get("display width")),
        alignment=properties.get("alignment", ""),
        storage=properties.get("storage", ""),
        categories=categories,
        missing_values=values,
        missing_ranges=ranges,
        weight=node.get("wgt") == "wgt",
        role=properties.get("role", ""),
        question=_question(children.get("qstn", ()), section.prefix),
        attributes=notes.attributes,
    )


_MOST_ATTRIBUTES: Final = 100  # the schema has seven; lxml's time is quadratic in their number


def _format(children: Children) -> Mapping[str, str]:
    """Return the attributes of ``varFormat``."""
    node = first(children.get("varFormat"))
    if node is None or len(node.attrib) > _MOST_ATTRIBUTES:
        return {}
    return {str(name): str(text) for name, text in node.attrib.items()}


def _kind(children: Children) -> Kind:
    return Kind.CHARACTER if _format(children).get("type") == "character" else Kind.NUMERIC


def _value(text: str, kind: Kind) -> Value:
    """Return a number where a numeric variable's text is one, else the text."""
    bare = text.strip()
    if kind != Kind.NUMERIC:
        return text
    if _INTEGER.fullmatch(bare):
        return int(bare)
    number = number_of(bare)
    return bare if number is None else number


def number_of(text: str | None) -> float | None:
    """Return a number, None where the text is none; ``NaN``, ``Inf`` and ``Infinity`` are some."""
    bare = (text or "").strip()
    if bare in _SPECIAL:
        return _SPECIAL[bare]
    return float(bare) if len(bare) <= _LONGEST and _REAL.fullmatch(bare) else None


def _label(nodes: Sequence[etree._Element], level: str) -> etree._Element | None:
    """Return the label of that level; the first where none says its level."""
    return next((each for each in nodes if each.get("level") == level), first(nodes))


def _location(children: Children) -> Location:
    node = first(children.get("location"))
    if node is None:
        return Location()
    return Location(*(count_of(node.get(n)) for n in ("StartPos", "EndPos", "width", "RecSegNo")))


def _file_ids(node: etree._Element, children: Children) -> tuple[str, ...]:
    found = str(node.get("files") or "").split()
    found += [str(each.get("fileid") or "") for each in children.get("location", ())]
    return tuple(dict.fromkeys(filter(None, found)))


def _question(nodes: Sequence[etree._Element], prefix: str) -> str:
    node = first(nodes)
    if node is None:
        return ""
    return clean(node.find(f"{prefix}qstnLit")) if len(node) else clean(node)


def _texts(children: Children, prefix: str) -> tuple[tuple[str, str], ...]:
    """Return every text that no field takes, in document order of its kind."""
    found = [
        (name, clean(node))
        for name, nodes in children.items()
        if name not in _FIELDS
        for node in nodes
    ]
    for question in children.get("qstn", ()):
        for name, nodes in children_of(question, prefix).items():
            found += [(name, clean(node)) for node in nodes if name != "qstnLit"]
    return tuple((name, text) for name, text in found if text.strip())


def _stats(nodes: Iterable[etree._Element]) -> SummaryStats:
    """Return the unweighted statistics; the mode may be a text, ``.`` means none."""
    found: dict[str, Any] = {}
    for node in nodes:
        field = SUM_STATS.get(node.get("type", ""))
        if field is None or node.get("wgtd") == "wgtd":
            continue
        text = text_of(node)
        number = number_of(text)
        if field in {"valid", "invalid"}:
            found[field] = count_of(text)
        elif field == "mode" and number is None:
            found[field] = text if text.strip() not in {"", "."} else None
        else:
            found[field] = number
    return SummaryStats(**found)


def _entry(node: etree._Element, prefix: str, kind: Kind) -> _Entry:
    children = children_of(node, prefix)
    label = _label(children.get("labl", ()), "category")
    return _Entry(
        _value(clean(first(children.get("catValu"))), kind),
        None if label is None else clean(label),
        node.get("missing") == "Y",
        _frequency(children.get("catStat", ())),
    )


def _frequency(nodes: Iterable[etree._Element]) -> float | None:
    for node in nodes:
        if node.get("type", "freq") == "freq" and node.get("wgtd") != "wgtd":
            text = text_of(node)
            number = count_of(text)
            return number_of(text) if number is None else number
    return None


def _missing(
    nodes: Iterable[etree._Element], kind: Kind, name: str, findings: list[Finding]
) -> tuple[tuple[Value, ...], tuple[MissingRange, ...]]:
    """Return the discrete missing values and the ranges; an end that is not stated is infinite."""
    values: list[Value] = []
    ranges: list[MissingRange] = []
    for node in (child for each in nodes for child in each):
        if str(node.tag).endswith("item") and node.get("VALUE") is not None:
            values.append(_value(str(node.get("VALUE")), kind))
        elif str(node.tag).endswith("range"):
            ends = _ends(node)
            if ends is None:
                text = " ".join(f"{key!s}={end!r}" for key, end in node.attrib.items())
                findings.append(
                    Finding(f"missing range not understood: {text[:200]}", "warning", name)
                )
            else:
                ranges.append(ends)
    return tuple(values), tuple(ranges)


def _ends(node: etree._Element) -> MissingRange | None:
    """Return a range with both ends inclusive: an exclusive end is the double next to it."""
    lows: list[float] = [-math.inf]
    highs: list[float] = [math.inf]
    for attribute, ends, beyond in (
        ("min", lows, None),
        ("minExclusive", lows, math.inf),
        ("max", highs, None),
        ("maxExclusive", highs, -math.inf),
    ):
        text = node.get(attribute)
        number = number_of(text)
        if number is not None:
            ends.append(number if beyond is None else math.nextafter(number, beyond))
        elif text is not None:
            return None
    return MissingRange(max(lows), min(highs))
