"""What haven makes of a variable: ``labelled`` vectors with what a file says of their values.

A wide survey repeats a few scales and formats: what variables of one scale become is worked out
once, and each has its label and its values besides.

Source: haven 2.5.1, DfReader.cpp (createVariable, output).
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from tabkit.alike import by_identity
from tabkit.loss import Loss
from tabkit.model import Category
from tabkit.write.rdata_clock import (
    SPSS,
    Moment,
    Vendor,
    haven_moment,
    haven_numbers,
    moment_attributes,
    moment_of,
    r_number,
)
from tabkit.write.rdata_columns import Integers, Numbers, Strings, Values
from tabkit.write.rdata_values import (
    DOUBLE,
    TEXT,
    Vector,
    doubles,
    integers,
    named,
    tagged_number,
    texts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tabkit.model import MissingRange, Value, Variable

_USUAL_WIDTH: Final = 8  # haven keeps other display widths only
LONG: Final = "integer64"  # the storage type of what was one in R
_UNCLASSED: Final = "vctrs_vctr"
_BARE_NUMBER: Final = re.compile(r"(?<=[0-9A-Za-z])\.$")


@dataclasses.dataclass(frozen=True, slots=True)
class Recipe:
    """What variables become that differ in name and label only.

    Attributes:
        attributes: Of the vector, besides the label.
        make: Takes all attributes.
        lost: What is known at once not to be carried, and how much of it.
    """

    attributes: Mapping[str, Vector]
    make: Callable[[Mapping[str, Vector]], Values]
    lost: tuple[tuple[str, int | None], ...]


def haven_column(
    variable: Variable, kind: pa.DataType, vendor: Vendor | None
) -> tuple[Values, tuple[Loss, ...]]:
    """Plan one column; ``vendor`` is the package it is from, None for none."""
    recipe = _recipe(
        variable.categories,
        variable.missing_values,
        variable.missing_ranges,
        variable.display_format,
        variable.display_width,
        variable.bare,
        variable.storage == LONG,
        kind,
        vendor,
    )
    label, lost = variable.label, recipe.lost
    if vendor is not None and label.endswith(" "):
        label = label.rstrip(" ")
        lost = (("blanks at the end of the variable label", None), *lost)
    attributes = {"label": texts([label]), **recipe.attributes} if label else recipe.attributes
    return recipe.make(attributes), tuple(Loss(what, variable.name, count) for what, count in lost)


@by_identity(3)
def _recipe(
    categories: tuple[Category, ...],
    missing_values: tuple[Value, ...],
    missing_ranges: tuple[MissingRange, ...],
    shown: str,
    width: int | None,
    bare: bool,
    is_long: bool,
    kind: pa.DataType,
    vendor: Vendor | None,
) -> Recipe:
    moment = moment_of(kind) if vendor is None else haven_moment(shown, kind, vendor)
    spell = functools.partial(_code, kind=kind, moment=moment, vendor=vendor or SPSS)
    missing, undefined = _missing(missing_values, missing_ranges, kind, spell)
    labels, unlabelled = _labels(categories, kind, spell)
    attributes = dict(missing)
    if moment is not Moment.NONE:
        attributes |= moment_attributes(moment, kind)
    elif missing or labels:
        mode = "character" if pa.types.is_string(kind) else "double"
        attributes["class"] = _class(mode, is_spss=bool(missing))
    attributes |= {**_shown(shown, width, vendor), **labels}
    lost = [
        (what, count)
        for what, count in (
            ("definition of missing values", undefined),
            ("value labels of codes that are no such value", unlabelled),
        )
        if count
    ]
    make: Callable[[Mapping[str, Vector]], Values]
    if vendor is None and moment is Moment.NONE and is_whole(kind) and not (labels or missing):
        logical = bool(pa.types.is_boolean(kind))
        make = functools.partial(Integers, logical=logical, long=is_long)
    else:
        make = _maker(shown, kind, moment, vendor, bare=bare)
    return Recipe(attributes, make, tuple(lost))


def _maker(
    shown: str, kind: pa.DataType, moment: Moment, vendor: Vendor | None, *, bare: bool
) -> Callable[[Mapping[str, Vector]], Values]:
    is_year = bare and vendor is not None  # texts that Stata stores as numbers
    if pa.types.is_string(kind) and not is_year:
        return functools.partial(Strings, convert=None if vendor in {None, SPSS} else _empty)
    if moment is Moment.DATE and pa.types.is_date32(kind):  # R counts as Arrow does
        return Numbers
    if vendor is not None and (moment is not Moment.NONE or not _is_number(kind)):
        convert = functools.partial(haven_numbers, shown=shown, moment=moment, vendor=vendor)
        return functools.partial(Numbers, convert=convert)
    return Numbers


@functools.lru_cache(maxsize=4)
def _class(mode: str, *, is_spss: bool) -> Vector:
    spss = ("haven_labelled_spss",) if is_spss else ()
    return texts([*spss, "haven_labelled", _UNCLASSED, mode])


def _shown(shown: str, width: int | None, vendor: Vendor | None) -> dict[str, Vector]:
    """Return the display format and width; SAS's without its point, as ReadStat has it."""
    found = {}
    if vendor is not None and shown:
        found[vendor.attribute] = texts([_BARE_NUMBER.sub("", shown)])
    if vendor is SPSS and width is not None and width != _USUAL_WIDTH:
        found["display_width"] = integers([width])
    return found


def _labels(
    categories: tuple[Category, ...],
    kind: pa.DataType,
    spell: Callable[[Category | Value], bytes | None],
) -> tuple[dict[str, Vector], int]:
    """Return the labelled values with their names, and how many are lost."""
    known = [(each.label, packed) for each in categories if (packed := spell(each)) is not None]
    lost = len(categories) - len(known)
    if not known:
        return {}, lost
    mode = TEXT if pa.types.is_string(kind) else DOUBLE
    values = Vector(mode, len(known), b"".join(packed for _, packed in known))
    return {"labels": named(values, [label for label, _ in known])}, lost


def _missing(
    values: tuple[Value, ...],
    spans: tuple[MissingRange, ...],
    kind: pa.DataType,
    spell: Callable[[Category | Value], bytes | None],
) -> tuple[dict[str, Vector], int]:
    """Return what is defined as missing, and how many definitions are lost."""
    found = {}
    mode = TEXT if pa.types.is_string(kind) else DOUBLE
    known = [packed for value in values if (packed := spell(value)) is not None]
    if known:
        found["na_values"] = Vector(mode, len(known), b"".join(known))
    if spans and mode == DOUBLE:
        ends = [spell(spans[0].low), spell(spans[0].high)]
        found["na_range"] = Vector(DOUBLE, 2, b"".join(each or b"" for each in ends))
    return found, len(values) - len(known) + max(0, len(spans) - 1)


def _code(
    value: Category | Value, *, kind: pa.DataType, moment: Moment, vendor: Vendor
) -> bytes | None:
    """Return the value of a label or of a missing value as an element of its vector."""
    given = value.value if isinstance(value, Category) else value
    if pa.types.is_string(kind):
        return texts([str(given)]).data
    if isinstance(value, Category) and value.missing and str(given).startswith("."):
        return tagged_number(str(given)[1:] or " ")
    number = r_number(given, kind, moment, vendor)
    return None if number is None else doubles([number]).data


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or is_whole(kind))


def is_whole(kind: pa.DataType) -> bool:
    """Whether it is a type of integers or booleans."""
    return bool(pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _empty(column: pa.Array) -> pa.Array:
    return column.fill_null("")
