"""What R's attributes say of a variable: labels, missing values, formats of the source.

Known are those of haven and labelled, of sjlabelled (no class), of foreign (``variable.labels``,
``value.labels``) and of Dataverse's own files (``comment``).
Source: haven 2.5, R/labelled.R and R/labelled_spss.R; foreign, ``help(read.spss)``.
"""

from __future__ import annotations

import dataclasses
import math
import re
from typing import TYPE_CHECKING, Any, Final

from tabkit.model import Category, Finding, MissingRange, Variable
from tabkit.read.r_numbers import is_na, tag_of
from tabkit.read.r_objects import ATOMIC, NA_INTEGER, numbers_of, text_list, text_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tabkit.model import Value
    from tabkit.read.r_objects import RObject

FORMATS: Final = ("format.spss", "format.stata", "format.sas")
_SHOWN: Final = re.compile(r"%?[-~]?([A-Za-z$]*)0?(\d+)(?:[.,](\d+))?")
_KNOWN: Final = frozenset(
    ("names", "class", "levels", "labels", "label", "display_width", "na_values", "na_range",
     "tzone", "units", "dim", "dimnames", "comment", "value.labels", "tsp", "balanced", "package",
     "row.names", "spec", "problems", ".internal.selfref", "contrasts", *FORMATS)
)  # fmt: skip
#: Classes that add no meaning to the values beyond what the attributes say.
_PLAIN: Final = frozenset(
    ("AsIs", "labelled", "haven_labelled", "labelled_spss", "haven_labelled_spss", "vctrs_vctr",
     "double", "integer", "character", "logical", "numeric", "factor", "ordered", "Date", "IDate",
     "POSIXct", "POSIXlt", "POSIXt", "difftime", "hms", "ITime", "integer64", "nanotime",
     "matrix", "array", "ts", "table", "noquote", "glue", "spec_tbl_df")
)  # fmt: skip


def described(
    name: str, column: RObject, frame_labels: Mapping[str, str], findings: list[Finding]
) -> Variable:
    """Return a variable with all that its attributes say, but for kind and storage.

    Args:
        name: Its name.
        column: Its object.
        frame_labels: Labels that the frame holds for its variables.
        findings: Gets what was not understood.
    """
    given = column.attributes
    label = text_of(given.get("label")) or frame_labels.get(name, "")
    display_format = next((text for each in FORMATS if (text := text_of(given.get(each)))), "")
    shown = _SHOWN.match(display_format)
    ranges = numbers_of(given.get("na_range"))
    display_width = numbers_of(given.get("display_width"))
    variable = Variable(
        name,
        label or text_of(given.get("comment")),
        display_format=display_format,
        width=int(shown[2]) if shown else None,
        decimals=_decimals(shown) if column.kind != "character" else None,
        display_width=int(display_width[0]) if _is_whole(display_width) else None,
        missing_values=_missing_values(column),
        missing_ranges=_ranges(ranges),
        attributes=_others(column),
    )
    return dataclasses.replace(variable, categories=_categories(column, variable, findings))


def unknown_classes(column: RObject) -> list[str]:
    """Return classes that may give the values a meaning that is not known here."""
    classes = text_list(column.attributes.get("class"))
    return [each for each in classes if each and each not in _PLAIN]


def labels_of_frame(frame: RObject, names: list[str]) -> dict[str, str]:
    """Return variable labels that foreign and Dataverse keep with the frame."""
    found = frame.attributes.get("variable.labels")
    if found is not None:
        keys = text_list(found.attributes.get("names")) or names
        return {
            key: text for key, text in zip(keys, text_list(found), strict=False) if key and text
        }
    by_place = text_list(frame.attributes.get("var.labels"))
    return {name: text for name, text in zip(names, by_place, strict=False) if text}


def texts_of_frame(frame: RObject) -> tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return label, notes and other single texts of a frame."""
    given = frame.attributes
    label = text_of(given.get("label")) or text_of(given.get("datalabel"))
    notes = tuple(each for each in text_list(given.get("notes")) if each)
    ours = {"label", "datalabel", "notes", "variable.labels", "var.labels"}
    return label, notes, tuple(pair for pair in _others(frame) if pair[0] not in ours)


def _decimals(shown: re.Match[str] | None) -> int | None:
    """Return the decimals that a format fixes; Stata's ``g`` chooses them itself."""
    if shown is None or shown.string.startswith("%"):
        fixed = shown is not None and shown.string.endswith(("f", "e"))
        return int(shown[3]) if shown and fixed and shown[3] else None
    return int(shown[3] or 0)


def _is_whole(numbers: list[float]) -> bool:
    return bool(numbers) and math.isfinite(numbers[0])


def _values(column: RObject, found: RObject) -> list[Value | None]:
    """Return the values of a vector in the type of the column; tagged ones as ``.a``, NA as ``.``.

    None stands for what cannot be a value of it.
    """
    if found.kind == "character":
        texts = text_list(found)
        if column.kind == "character":
            return ["." if each is None else each for each in texts]
        return [_number(each, column.kind) for each in texts]
    if column.kind == "character":
        return [None] * len(found)
    return [_coded(each, column.kind) for each in numbers_of(found)]


def _coded(value: float, kind: str) -> Value | None:
    if is_na(value):
        return f".{tag_of(value)}"
    if math.isnan(value):
        return None
    return int(value) if kind in {"integer", "logical"} and value == value // 1 else value


def _number(text: str | None, kind: str) -> Value | None:
    try:
        return _coded(float(text), kind) if text is not None else "."
    except ValueError:
        return None


def _categories(
    column: RObject, variable: Variable, findings: list[Finding]
) -> tuple[Category, ...]:
    found = column.attributes.get("labels") or column.attributes.get("value.labels")
    if found is None or found.kind not in ATOMIC or "levels" in column.attributes:
        return ()
    names = text_list(found.attributes.get("names"))
    categories, lost = [], 0
    for value, label in zip(_values(column, found), names, strict=False):
        if value is None:
            lost += 1
            continue
        absent = isinstance(value, str) and column.kind != "character"
        missing = absent or variable.is_user_missing(value)
        categories.append(Category(value, label or "", missing))
    if lost or len(names) < len(found):
        text = f"{max(lost, len(found) - len(names)):,} value labels do not fit the values"
        findings.append(Finding(f"{text} and were left out", "warning", variable.name))
    return tuple(categories)


def _missing_values(column: RObject) -> tuple[Value, ...]:
    found = column.attributes.get("na_values")
    if found is None or found.kind not in ATOMIC:
        return ()
    values = _values(column, found)
    if column.kind == "character":
        return tuple(each for each in values if each is not None)
    return tuple(each for each in values if each is not None and not isinstance(each, str))


def _ranges(numbers: list[float]) -> tuple[MissingRange, ...]:
    if len(numbers) != 2 or not numbers[0] <= numbers[1]:  # noqa: PLR2004 - low and high
        return ()
    return (MissingRange(*numbers),)


def _others(found: RObject) -> tuple[tuple[str, str], ...]:
    """Return attributes of one value that nothing else keeps."""
    pairs = []
    for name, value in found.attributes.items():
        if name in _KNOWN or value.kind not in ATOMIC or len(value) != 1:
            continue
        text = text_of(value) if value.kind == "character" else _plain(value)
        if text:
            pairs.append((name, text))
    return tuple(pairs)


def _plain(found: RObject) -> str:
    value: Any = found.values[0:1][0]
    if found.kind in {"integer", "logical"} and value == NA_INTEGER:
        return ""
    return "" if found.kind == "double" and is_na(float(value)) else f"{value}"
