"""What each variable becomes in R, in four styles.

* ``haven``: what haven makes of the same file: ``labelled`` vectors with ``label``, ``labels``,
  ``na_values``, ``na_range`` and the display format, tagged missings as ``tagged_na``
  (`rdata_haven`).
* ``factor``: labelled variables are factors, the others plain, with their label.
* ``plain``: vectors without labels; dates and times keep their class.
* ``repository``: what Dataverse makes of its own archival table (`rdata_repository`).
"""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.errors import UsageError
from tabkit.loss import Loss
from tabkit.model import Measure
from tabkit.read.arrow_columns import is_plain, plan_column
from tabkit.write.rdata_clock import Moment, moment_attributes, moment_of, vendor_of
from tabkit.write.rdata_columns import Integers, Numbers, Strings, Values, inexact
from tabkit.write.rdata_factor import Factor
from tabkit.write.rdata_haven import LONG, haven_column, is_whole
from tabkit.write.rdata_values import Vector, texts

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabkit.model import Origin, Variable

STYLES: Final = ("haven", "factor", "plain", "repository")


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """One column's way to R.

    Attributes:
        values: Packs its arrays.
        ready: Applied to each array before, whatever the style.
        losses: What is known at once not to be carried.
        rounding: The part of ``ready`` that may round numbers, and counts them.
    """

    values: Values
    ready: Callable[[pa.Array], pa.Array] | None = None
    losses: tuple[Loss, ...] = ()
    rounding: Rounding | None = None


class Rounding:
    """Makes doubles of numbers that have more digits, and counts those that are rounded."""

    def __init__(self) -> None:
        self._count = 0

    def __call__(self, column: pa.Array) -> pa.Array:
        """Return doubles."""
        found = pc.cast(column, pa.float64(), safe=False)
        if pa.types.is_integer(column.type):
            self._count += inexact(column)
        else:
            back = pc.cast(found, column.type, safe=False)
            self._count += pc.sum(pc.not_equal(back, column)).as_py() or 0
        return found

    def losses(self, name: str) -> list[Loss]:
        """Tell how many were rounded."""
        return [Loss("numbers are rounded to doubles", name, self._count)] if self._count else []


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
    rounding = ready if isinstance(ready, Rounding) else None
    if not keep_missing and (variable.missing_values or variable.missing_ranges):
        ready = _chained(ready, functools.partial(_without_missing, variable=variable))
        variable = dataclasses.replace(variable, missing_values=(), missing_ranges=())
    if style == "haven" and not _is_factor(variable, kind, origin):
        if variable.display_width is None and origin.format == "por":
            # A portable file has no other; haven takes the width that is printed.
            variable = dataclasses.replace(variable, display_width=variable.width)
        values, losses = haven_column(variable, kind, vendor_of(variable, origin))
    elif style == "repository":
        from tabkit.write.rdata_repository import repository  # with all that describes tables

        return Planned(repository(variable, kind), ready, (), rounding)
    else:
        values, losses = _plain(variable, kind, style)
    return Planned(values, ready, losses, rounding)


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


def _plain(variable: Variable, kind: pa.DataType, style: str) -> tuple[Values, tuple[Loss, ...]]:
    attributes = {} if style == "plain" else _label(variable)
    losses: tuple[Loss, ...] = ()
    if style == "plain" and variable.label:
        losses = (Loss("variable label", variable.name),)
    moment = moment_of(kind)
    count = len(variable.categories)
    if count and style != "plain" and moment is Moment.NONE:
        levels = [each.label for each in variable.categories]
        own = pa.types.is_string(kind) and levels == [each.value for each in variable.categories]
        ordered = variable.measure is Measure.ORDINAL
        return Factor(variable.categories, attributes, ordered=ordered, in_order=own), losses
    if count:
        losses = (*losses, Loss("value labels", variable.name, count))
    if moment is not Moment.NONE:
        return Numbers(attributes | moment_attributes(moment, kind), tagged=False), losses
    if pa.types.is_string(kind):
        return Strings(attributes), losses
    if is_whole(kind):
        is_long = variable.storage == LONG
        logical = bool(pa.types.is_boolean(kind))
        return Integers(attributes, logical=logical, long=is_long), losses
    return Numbers(attributes, tagged=False), losses


def _label(variable: Variable) -> dict[str, Vector]:
    return {"label": texts([variable.label])} if variable.label else {}


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
    if _is_plain(kind):
        return None, kind
    if pa.types.is_unsigned_integer(kind) or pa.types.is_decimal(kind):
        if pa.types.is_integer(kind) and kind.bit_width < 64:  # noqa: PLR2004
            return lambda column: pc.cast(column, pa.int64()), pa.int64()
        return Rounding(), pa.float64()
    plan = plan_column(0, pa.field(variable.name, kind), variable.name, lambda: iter(()))
    return plan.convert, plan.field.type


_is_plain = functools.lru_cache(maxsize=64)(is_plain)  # a wide table has few types
