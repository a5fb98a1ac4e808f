"""The ``var`` and ``varGrp`` elements of a codebook: descriptions go in, pieces of XML come out.

Element order is the schema's, the same in 2.5 and 2.6.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import operator
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tabkit.alike import by_identity
from tabkit.ddi.text import dataverse_value, escape, interleaved, java_double, quote, value_text
from tabkit.model import Interval, Kind, Measure, SummaryStats, Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tabkit.model import (
        Category,
        MissingRange,
        ResponseSet,
        Value,
        VariableDescription,
    )

UNF_SUBJECT: Final = "Universal Numeric Fingerprint"

#: ``sumStat/@type`` and the statistic, in the order in which Dataverse stores them.
SUM_STATS: Final = MappingProxyType(
    {
        "mean": "mean",
        "medn": "median",
        "mode": "mode",
        "vald": "valid",
        "invd": "invalid",
        "min": "minimum",
        "max": "maximum",
        "stdev": "stdev",
    }
)
#: A scale in SPSS' sense is an interval or a ratio scale; the weaker claim is made.
NATURES: Final = MappingProxyType(
    {Measure.NOMINAL: "nominal", Measure.ORDINAL: "ordinal", Measure.SCALE: "interval"}
)
#: Facts of a variable that DDI has no place for: note subject and field.
PROPERTIES: Final = MappingProxyType(
    {
        "role": "role",
        "storage": "storage",
        "display width": "display_width",
        "alignment": "alignment",
    }
)
_SUM_STATS: Final = tuple(f'\n      <sumStat type="{kind}">' for kind in SUM_STATS)
_STATS_OF: Final = operator.attrgetter(*SUM_STATS.values())
_ALL_STATS: Final = (  # where none is None
    _SUM_STATS[0],
    *(f"</sumStat>{start}" for start in _SUM_STATS[1:]),
    "</sumStat>",
)
_MODE: Final = list(SUM_STATS.values()).index("mode")
#: Fields of which a table's variables have few combinations.
_SHARED: Final = (
    *("kind", "interval", "measure", "display_format", "format_category"),
    *("decimals", "width", "weight", *PROPERTIES.values()),
)
_SHARED_OF: Final = operator.attrgetter(*_SHARED)
_FORMAT_CATEGORIES: Final = frozenset({"date", "time", "currency", "other"})


@dataclasses.dataclass(frozen=True, slots=True)
class VarStyle:
    """How the variables of one codebook are written.

    Attributes:
        file_id: ID of the ``fileDscr``.
        weights: IDs of the weight variables, separated by blanks.
        schema: ``varFormat`` attributes that name the package of the display formats, or empty.
        language: An ``xml:lang`` attribute with a blank before it, or empty.
        repository: Only what the repository's fragment has.
        keep_missing: ``missing="Y"``, ``invalrng`` and categories without a label are written.
        mode_computed: False writes ``.`` for the mode.
    """

    file_id: str
    weights: str = ""
    schema: str = ""
    language: str = ""
    repository: bool = False
    keep_missing: bool = True
    mode_computed: bool = True


def group_pieces(
    response_sets: Sequence[ResponseSet], ids: Mapping[str, str], style: VarStyle
) -> Iterator[str]:
    """Yield a ``varGrp`` for each multiple-response set.

    Args:
        response_sets: Of the table.
        ids: ``var/@ID`` by variable name; names that are not in it are left out.
        style: How to write.
    """
    for number, each in enumerate(response_sets, 1):
        members = " ".join(ids[name] for name in each.variables if name in ids)
        var = f' var="{members}"' if members else ""
        kind = "" if style.repository else f' type="multipleResp" name="{quote(each.name)}"'
        label = each.label or (each.name if style.repository else "")
        yield f'\n    <varGrp ID="VG{number}"{kind}{var}>'
        if label:
            yield f"<labl{style.language}>{escape(label)}</labl>"
        if each.counted is not None and not style.repository:
            yield (
                '<notes type="tabkit:counted" subject="Counted value">'
                f"{escape(each.counted)}</notes>"
            )
        yield "</varGrp>"


def variable_piece(
    identifier: str, variable: Variable, described: VariableDescription, style: VarStyle
) -> str:
    """Return one ``var`` element with a line end before it."""
    head, tail = _frame(style, _SHARED_OF(variable))
    parts = [f'\n    <var ID="{identifier}" name="{quote(variable.name)}"{head}']
    if variable.label:
        parts.append(
            f'\n      <labl{style.language} level="variable">{escape(variable.label)}</labl>'
        )
    if variable.question:
        parts.append(
            f"\n      <qstn><qstnLit{style.language}>{escape(variable.question)}</qstnLit></qstn>"
        )
    if style.keep_missing and (variable.missing_values or variable.missing_ranges):
        ranges = _missing_items(variable.missing_values) + _ranges(variable.missing_ranges)
        parts.append(f"\n      <invalrng>{ranges}</invalrng>")
    parts.append(_statistics(described.stats, style))
    parts.append(_categories(variable, described, style))
    parts.append(tail)
    if variable.attributes and not style.repository:
        parts.extend(
            note("variable", "tabkit:attribute", name, text) for name, text in variable.attributes
        )
    if described.unf:
        parts.append(note("variable", "VDC:UNF", UNF_SUBJECT, described.unf))
    parts.append("\n    </var>")
    return "".join(parts)


@by_identity(1)
def _frame(style: VarStyle, shared: tuple[object, ...]) -> tuple[str, str]:
    """Return what many variables share: from the name to the label, and format and properties."""
    facts: dict[str, Any] = dict(zip(_SHARED, shared, strict=True))
    variable = Variable("", **facts)
    width = "" if variable.width is None or style.repository else f' width="{variable.width}"'
    location = f'>\n      <location{width} fileid="{style.file_id}"/>'
    return (
        _attributes(variable, style) + location,
        _format(variable, style) + "".join(_properties(variable, style)),
    )


def _attributes(variable: Variable, style: VarStyle) -> str:
    text = "" if style.repository else f' files="{style.file_id}"'
    if variable.decimals is not None:
        text += f' dcml="{variable.decimals}"'
    if variable.interval is not None:
        text += f' intrvl="{variable.interval.value}"'
    if variable.measure in NATURES and not (style.repository and variable.measure != "ordinal"):
        text += f' nature="{NATURES[variable.measure]}"'
    if variable.weight:
        text += ' wgt="wgt"'
    elif style.weights:
        text += f' wgt-var="{style.weights}"'
    return text


@by_identity()
def _missing_items(values: tuple[Value, ...]) -> str:
    return "".join(f'<item{_units(each)} VALUE="{quote(value_text(each))}"/>' for each in values)


@by_identity()
def _ranges(spans: tuple[MissingRange, ...]) -> str:
    return "".join(map(_range, spans))


def _range(span: MissingRange) -> str:
    """Return a ``range``; an end that is infinite is left out."""
    low = "" if span.low == -math.inf else f' min="{value_text(span.low)}"'
    high = "" if span.high == math.inf else f' max="{value_text(span.high)}"'
    return f"<range{_units(span.low) or _units(span.high)}{low}{high}/>"


def _units(value: Value) -> str:
    """Return the ``UNITS`` attribute of a number with a fraction; INT is the schema's default."""
    is_real = isinstance(value, float) and math.isfinite(value) and value != int(value)
    return ' UNITS="REAL"' if is_real else ""


def _statistics(stats: SummaryStats, style: VarStyle) -> str:
    values = _STATS_OF(stats)
    if style.mode_computed and None not in values and not isinstance(stats.mode, str):
        return interleaved(_ALL_STATS, values)
    text: Callable[..., str] = value_text if style.mode_computed else java_double
    shown = [
        None if value is None else escape(value) if isinstance(value, str) else text(value)
        for value in values
    ]
    if not style.mode_computed and (stats.mode is not None or stats.valid is not None):
        shown[_MODE] = "."
    return "".join(
        [
            f"{start}{each}</sumStat>"
            for start, each in zip(_SUM_STATS, shown, strict=True)
            if each is not None
        ]
    )


def _categories(variable: Variable, described: VariableDescription, style: VarStyle) -> str:
    """Return a ``catgry`` for each labelled value, then for the observed values without a label."""
    declared = (variable.missing_values, variable.missing_ranges)
    parts = _category_parts(variable.categories, *declared, style)
    text = interleaved(parts, described.frequencies)
    if style.keep_missing and (described.others or described.tagged):
        text += "".join(_unlabelled(variable, described))
    return text


_MISSING: Final = ' missing="Y"'


@by_identity()
def _category_parts(
    categories: tuple[Category, ...],
    missing_values: tuple[Value, ...],
    missing_ranges: tuple[MissingRange, ...],
    style: VarStyle,
) -> tuple[str, ...]:
    """Return what stands before, between and behind the frequencies."""
    text = value_text if style.keep_missing else dataverse_value
    open_label = f'<labl{style.language} level="category">'
    declared = Variable("", missing_values=missing_values, missing_ranges=missing_ranges)
    found = [""]
    for category in categories:
        missing = style.keep_missing and (
            category.missing or declared.is_user_missing(category.value)
        )
        has_label = category.label or style.keep_missing
        label = f"{open_label}{escape(category.label)}</labl>" if has_label else ""
        found[-1] += (
            f"\n      <catgry{_MISSING if missing else ''}>"
            f"<catValu>{escape(text(category.value))}</catValu>{label}"
            '<catStat type="freq">'
        )
        found.append("</catStat></catgry>")
    return tuple(found)


def _unlabelled(variable: Variable, described: VariableDescription) -> Iterator[str]:
    """Yield what completes the frequencies: other values (if all are known) and other tags.

    A continuum is told by its statistics: the values between its labels are not listed.
    """
    complete = sum(count for _, count in described.others) == described.other_cases
    others = described.others if complete and variable.interval != Interval.CONTINUOUS else ()
    labelled = {category.value for category in variable.categories if category.missing}
    tags = [(tag, count) for tag, count in described.tagged if tag not in labelled]
    for missing, values in (("", others), (_MISSING, tags)):
        for value, count in values:
            yield (
                f"\n      <catgry{missing}><catValu>{escape(value_text(value))}</catValu>"
                f'<catStat type="freq">{count}</catStat></catgry>'
            )


def _format(variable: Variable, style: VarStyle) -> str:
    kind = "character" if variable.kind == Kind.CHARACTER else "numeric"
    text = f'\n      <varFormat type="{kind}"'
    if variable.display_format:
        text += f' formatname="{quote(variable.display_format)}"{style.schema}'
    if variable.format_category in _FORMAT_CATEGORIES:
        text += f' category="{variable.format_category}"'
    return f"{text}/>"


def _properties(variable: Variable, style: VarStyle) -> Iterator[str]:
    """Yield the notes of the properties."""
    for subject, field in PROPERTIES.items() if not style.repository else ():
        value = getattr(variable, field)
        if value is not None and value != "":
            yield note("variable", "tabkit:property", subject, str(value))


def note(level: str, kind: str, subject: str, text: str) -> str:
    """Return a ``notes`` element with a line end before it."""
    return f"{_note_start(level, kind, subject)}{escape(text)}</notes>"


@functools.lru_cache(maxsize=256)
def _note_start(level: str, kind: str, subject: str) -> str:
    indent = "      " if level == "variable" else "    "
    return f'\n{indent}<notes subject="{quote(subject)}" level="{level}" type="{kind}">'
