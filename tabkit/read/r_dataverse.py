"""What Dataverse makes of the columns of an R data frame: text as R's write.table prints it.

Source: IQSS/dataverse b485249231fe, rdata/RDATAFileReader.java and scripts/write.table.R.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.model import Category, Interval, Kind, Variable
from tabkit.read.r_altrep import number_text
from tabkit.read.r_objects import classes_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabkit.read.r_columns import Plan

_DIGITS: Final = 15  # significant digits of R's as.character
_DATE: Final = "yyyy-MM-dd"
_TIME: Final = "yyyy-MM-dd HH:mm:ss.SSS z"
_KNOWN: Final = frozenset(("factor", "ordered", "Date", "POSIXct", "POSIXlt", "POSIXt", "numeric",
                           "integer", "logical", "character"))  # fmt: skip


def as_dataverse_has_it(plan: Plan) -> Plan:
    """Return a column with the values and the metadata that Dataverse has.

    The label is the name; labels and declared missing values of haven are not known there. A
    class that its script does not know (``haven_labelled``, ``difftime``) makes character text.
    """
    name, kind, source = plan.variable.name, plan.kind, plan.source
    classes = classes_of(source)
    text = Variable(name, name, Kind.CHARACTER, Interval.DISCRETE)
    if pa.types.is_date(kind):
        variable = dataclasses.replace(
            text, display_format=_DATE, format_category="date", bare=True
        )
        return _changed(plan, variable, pa.string(), lambda column: column.cast(pa.string()))
    if pa.types.is_timestamp(kind):
        variable = dataclasses.replace(
            text, display_format=_TIME, format_category="time", bare=True
        )
        return _changed(plan, variable, pa.string(), _moment_texts)
    if classes and classes[0] not in _KNOWN and not pa.types.is_string(kind):
        return _changed(plan, text, pa.string(), _number_texts)
    if pa.types.is_string(kind):
        categories = plan.variable.categories if "factor" in classes else ()
        variable = dataclasses.replace(text, categories=categories, measure=plan.variable.measure)
        return _changed(plan, variable, pa.string(), _doubled_quotes)
    numeric = dataclasses.replace(text, kind=Kind.NUMERIC)
    if pa.types.is_boolean(kind):
        categories = (Category(0, "FALSE"), Category(1, "TRUE"))
        variable = dataclasses.replace(numeric, categories=categories, format_category="Boolean")
        return _changed(plan, variable, pa.int8(), lambda column: column.cast(pa.int8()))
    if pa.types.is_floating(kind):
        variable = dataclasses.replace(numeric, interval=Interval.CONTINUOUS)
        return _changed(plan, variable, kind, _rounded)
    return _changed(plan, numeric, kind, lambda column: column)


def _changed(
    plan: Plan, variable: Variable, kind: pa.DataType, change: Callable[[pa.Array], pa.Array]
) -> Plan:
    def cells(start: int, stop: int) -> tuple[pa.Array, None]:
        return change(plan.cells(start, stop)[0]), None  # a tagged NA is an NA

    return dataclasses.replace(plan, variable=variable, kind=kind, cells=cells)


def _rounded(column: pa.Array) -> pa.Array:
    """Return doubles as they read back from 15 digits."""
    values = column.fill_null(0).to_numpy(zero_copy_only=False)
    rounded = np.array([float(f"{each:.{_DIGITS}g}") for each in values.tolist()], np.float64)
    missing = column.is_null().to_numpy(zero_copy_only=False)
    return pa.array(rounded, mask=missing, from_pandas=False)


def _number_texts(column: pa.Array) -> pa.Array:
    if pa.types.is_duration(column.type):
        column = pc.divide(column.cast(pa.int64()).cast(pa.float64()), 1e6)
    texts = (None if v is None else number_text(float(v)) for v in column.to_pylist())
    return pa.array(texts, pa.string())


def _moment_texts(column: pa.Array) -> pa.Array:
    """Return ``2013-03-19 12:57:00.250 UTC``, without a fraction of zeros, in the column's zone."""
    zone = column.type.tz or "UTC"
    local = pc.local_timestamp(column) if column.type.tz else column
    cut = pc.floor_temporal(local, unit="millisecond").cast(pa.timestamp("ms"))
    texts = pc.replace_substring(pc.strftime(cut, "%Y-%m-%d %H:%M:%S"), ".000", "")
    return pc.binary_join_element_wise(texts, zone, " ")


def _doubled_quotes(column: pa.Array) -> pa.Array:
    """R's write.table doubles a quote, and Dataverse escapes both: they stay two."""
    return pc.replace_substring(column, '"', '""')
