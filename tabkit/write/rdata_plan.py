"""What each variable becomes in R, in four styles.

* ``haven``: what haven makes of the same file: ``labelled`` vectors with ``label``, ``labels``,
  ``na_values``, ``na_range`` and the display format, tagged missings as ``tagged_na``.
* ``factor``: labelled variables are factors, the others plain, with their label.
* ``plain``: vectors without labels; dates and times keep their class.
* ``repository``: what Dataverse makes of its own archival table (`rdata_repository`).

Source: haven 2.5.1, DfReader.cpp (createVariable, output).
"""

from __future__ import annotations

import dataclasses
import functools
import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.alike import by_identity
from tabkit.errors import UsageError
from tabkit.loss import Loss
from tabkit.model import Category, Measure
from tabkit.read.arrow_columns import is_plain, plan_column
from tabkit.write.rdata_clock import (
    SPSS,
    Moment,
    Vendor,
    haven_moment,
    haven_numbers,
    moment_attributes,
    moment_of,
    r_number,
    vendor_of,
)
from tabkit.write.rdata_columns import Integers, Numbers, Strings, Values
from tabkit.write.rdata_factor import Factor
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
    from collections.abc import Callable

    from tabkit.model import Origin, Value, Variable

STYLES: Final = ("haven", "factor", "plain", "repository")
_USUAL_WIDTH: Final = 8  # haven keeps other display widths only
_UNCLASSED: Final = "vctrs_vctr"
_BARE_NUMBER: Final = re.compile(r"(?<=[0-9A-Za-z])\.$")


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """One column's way to R.

    Attributes:
        values: Packs its arrays.
        ready: Applied to each array before, whatever the style.
        losses: What is known at once not to be carried.
    """

    values: Values
    ready: Callable[[pa.Array], pa.Array] | None = None
    losses: tuple[Loss, ...] = ()


def plan_variable(
    variable: Variable, kind: pa.DataType, origin: Origin, style: str, *, keep_missing: bool
) -> Planned:
    """Plan one column.

    Args:
        variable: What is said of it.
        kind: Its Arrow type.
        origin: The file it is from: decides what haven would make of it.
        style: One of `STYLES`.
        keep_missing: User-missing values stay values, as by haven's ``user_na = TRUE``.
    """
    ready, kind = _model_type(variable, kind)
    if not keep_missing and (variable.missing_values or variable.missing_ranges):
        ready = _chained(ready, functools.partial(_without_missing, variable=variable))
        variable = dataclasses.replace(variable, missing_values=(), missing_ranges=())
    if style == "haven" and not _is_factor(variable, kind, origin):
        if variable.display_width is None and origin.format == "por":
            # A portable file has no other; haven takes the width that is printed.
            variable = dataclasses.replace(variable, display_width=variable.width)
        values, losses = _haven(variable, kind, vendor_of(variable, origin))
    elif style == "repository":
        from tabkit.write.rdata_repository import repository  # with all that describes tables

        values, losses = repository(variable, kind), []
    else:
        values, losses = _plain(variable, kind, style)
    return Planned(values, ready, tuple(losses))


def check_style(style: str) -> None:
    """Raise UsageError for a style that is not known."""
    if style not in STYLES:
        msg = f"no R style named {style!r}; there are {', '.join(STYLES)}"
        raise UsageError(msg)


def _is_factor(variable: Variable, kind: pa.DataType, origin: Origin) -> bool:
    """Whether texts that are their own labels come from a factor of R or an Arrow dictionary."""
    return bool(
        pa.types.is_string(kind)
        and variable.categories
        and vendor_of(variable, origin) is None
        and all(each.value == each.label for each in variable.categories)
    )


def _haven(
    variable: Variable, kind: pa.DataType, vendor: Vendor | None
) -> tuple[Values, list[Loss]]:
    losses: list[Loss] = []
    moment = moment_of(kind) if vendor is None else haven_moment(variable, kind, vendor)
    clock = vendor or SPSS
    spell = functools.partial(_code, kind=kind, moment=moment, vendor=clock)
    attributes = _label(variable)
    if vendor is not None and variable.label.endswith(" "):
        attributes = _label(dataclasses.replace(variable, label=variable.label.rstrip(" ")))
        losses.append(Loss("blanks at the end of the variable label", variable.name))
    missing = _missing(variable, kind, spell, losses)
    labels = _labels(variable, kind, moment, clock, losses)
    attributes |= missing
    if moment is not Moment.NONE:
        attributes |= moment_attributes(moment, kind)
    elif missing or labels:
        mode = "character" if pa.types.is_string(kind) else "double"
        attributes["class"] = _class(mode, is_spss=bool(missing))
    attributes |= _shown(variable, vendor)
    attributes |= labels
    if pa.types.is_string(kind) and not _is_year(variable, kind, vendor):
        fill = None if vendor in (None, SPSS) else _empty
        return Strings(attributes, fill), losses
    if moment is Moment.DATE and pa.types.is_date32(kind):  # R counts as Arrow does
        return Numbers(attributes), losses
    if vendor is not None and (moment is not Moment.NONE or not _is_number(kind)):
        convert = functools.partial(haven_numbers, variable=variable, moment=moment, vendor=vendor)
        return Numbers(attributes, convert), losses
    if vendor is None and not (labels or missing) and _is_whole(kind):
        return Integers(attributes, logical=bool(pa.types.is_boolean(kind))), losses
    return Numbers(attributes), losses


def _plain(variable: Variable, kind: pa.DataType, style: str) -> tuple[Values, list[Loss]]:
    attributes = {} if style == "plain" else _label(variable)
    losses = (
        [] if style != "plain" or not variable.label else [Loss("variable label", variable.name)]
    )
    moment = moment_of(kind)
    count = len(variable.categories)
    if count and style != "plain" and moment is Moment.NONE:
        levels = [each.label for each in variable.categories]
        own = pa.types.is_string(kind) and levels == [each.value for each in variable.categories]
        ordered = variable.measure is Measure.ORDINAL
        return Factor(variable.categories, attributes, ordered=ordered, in_order=own), losses
    if count:
        losses.append(Loss("value labels", variable.name, count))
    if moment is not Moment.NONE:
        return Numbers(attributes | moment_attributes(moment, kind), tagged=False), losses
    if pa.types.is_string(kind):
        return Strings(attributes), losses
    if _is_whole(kind):
        return Integers(attributes, logical=bool(pa.types.is_boolean(kind))), losses
    return Numbers(attributes, tagged=False), losses


def _label(variable: Variable) -> dict[str, Vector]:
    return {"label": texts([variable.label])} if variable.label else {}


@functools.lru_cache(maxsize=4)
def _class(mode: str, *, is_spss: bool) -> Vector:
    spss = ("haven_labelled_spss",) if is_spss else ()
    return texts([*spss, "haven_labelled", _UNCLASSED, mode])


def _shown(variable: Variable, vendor: Vendor | None) -> dict[str, Vector]:
    """Return the display format and width; SAS's without its point, as ReadStat has it."""
    found = {}
    shown = variable.display_format
    if vendor is not None and shown:
        found[vendor.attribute] = texts([_BARE_NUMBER.sub("", shown)])
    width = variable.display_width
    if vendor is SPSS and width is not None and width != _USUAL_WIDTH:
        found["display_width"] = integers([width])
    return found


def _labels(
    variable: Variable, kind: pa.DataType, moment: Moment, vendor: Vendor, losses: list[Loss]
) -> dict[str, Vector]:
    if not variable.categories:
        return {}
    labels, lost = _label_vector(variable.categories, kind, moment, vendor)
    if lost:
        text = "value labels of codes that are no such value"
        losses.append(Loss(text, variable.name, lost))
    return {} if labels is None else {"labels": labels}


@by_identity
def _label_vector(
    categories: tuple[Category, ...], kind: pa.DataType, moment: Moment, vendor: Vendor
) -> tuple[Vector | None, int]:
    """Return the values and their names, None where there is none, and how many are lost."""
    known = [(each, _code(each, kind=kind, moment=moment, vendor=vendor)) for each in categories]
    data = [packed for _, packed in known if packed is not None]
    if not data:
        return None, len(known)
    mode = TEXT if pa.types.is_string(kind) else DOUBLE
    names = [each.label for each, packed in known if packed is not None]
    return named(Vector(mode, len(data), b"".join(data)), names), len(known) - len(data)


def _missing(
    variable: Variable,
    kind: pa.DataType,
    spell: Callable[[Category | Value], bytes | None],
    losses: list[Loss],
) -> dict[str, Vector]:
    found = {}
    mode = TEXT if pa.types.is_string(kind) else DOUBLE
    known = [packed for value in variable.missing_values if (packed := spell(value)) is not None]
    lost = len(variable.missing_values) - len(known) + max(0, len(variable.missing_ranges) - 1)
    if known:
        found["na_values"] = Vector(mode, len(known), b"".join(known))
    if variable.missing_ranges and mode == DOUBLE:
        span = variable.missing_ranges[0]
        ends = [spell(span.low), spell(span.high)]
        found["na_range"] = Vector(DOUBLE, 2, b"".join(each or b"" for each in ends))
    if lost:
        losses.append(Loss("definition of missing values", variable.name, lost))
    return found


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
    return bool(pa.types.is_floating(kind) or _is_whole(kind))


def _is_whole(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_boolean(kind))


def _is_year(variable: Variable, kind: pa.DataType, vendor: Vendor | None) -> bool:
    """Whether texts are years that Stata stores as numbers."""
    return bool(vendor is not None and variable.bare and pa.types.is_string(kind))


def _empty(column: pa.Array) -> pa.Array:
    return column.fill_null("")


def _without_missing(column: pa.Array, variable: Variable) -> pa.Array:
    """Return the column with its user-missing values missing."""
    gone = np.zeros(len(column), bool)
    shown = column
    if pa.types.is_temporal(column.type):
        return column  # its codes are texts of dates, which haven does not know either
    for value in variable.missing_values:
        same = pc.equal(shown, pa.scalar(value, column.type)).fill_null(False)
        gone |= same.to_numpy(zero_copy_only=False)
    for span in variable.missing_ranges:
        inside = pc.and_(pc.greater_equal(shown, span.low), pc.less_equal(shown, span.high))
        gone |= inside.fill_null(False).to_numpy(zero_copy_only=False)
    return pc.if_else(pa.array(~gone), column, pa.scalar(None, column.type))


def _chained(
    first: Callable[[pa.Array], pa.Array] | None, then: Callable[[pa.Array], pa.Array]
) -> Callable[[pa.Array], pa.Array]:
    return then if first is None else lambda column: then(first(column))


def _model_type(
    variable: Variable, kind: pa.DataType
) -> tuple[Callable[[pa.Array], pa.Array] | None, pa.DataType]:
    """Return how a type that the model does not have becomes one, and which."""
    if is_plain(kind):
        return None, kind
    if pa.types.is_unsigned_integer(kind) or pa.types.is_decimal(kind):
        fits = pa.types.is_integer(kind) and kind.bit_width < 64  # noqa: PLR2004
        target = pa.int64() if fits else pa.float64()
        return lambda column: pc.cast(column, target, safe=False), target
    plan = plan_column(0, pa.field(variable.name, kind), variable.name, lambda: iter(()))
    return plan.convert, plan.field.type
