"""Columns as Dataverse's own R script makes them of an archival table.

For files that it does not give to haven: text is ``AsIs`` and empty text missing, labelled values
are factors, ordered from three levels on, and values without a label become missing; a variable's
label is its comment.

Source: IQSS/dataverse b485249231fe, dataverse_r_functions.R (read.dataverseTabData,
createDataFrameLabels).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.describe.readback import read_doubles, read_longs
from tabkit.model import Interval, Kind
from tabkit.write.rdata_clock import Moment, moment_attributes, moment_of
from tabkit.write.rdata_columns import Integers, Numbers, Strings, Values
from tabkit.write.rdata_factor import Factor
from tabkit.write.rdata_values import texts

if TYPE_CHECKING:
    from tabkit.model import Variable

_DATE: Final = "yyyy-MM-dd"
_ORDERED_FROM: Final = 3


def repository(variable: Variable, kind: pa.DataType) -> Values:
    """Plan one column."""
    comment = {"comment": texts([variable.label or variable.name])}
    if variable.categories and not pa.types.is_boolean(kind):
        is_code = variable.kind is Kind.NUMERIC and variable.interval is not Interval.CONTINUOUS
        ordered = is_code and len(variable.categories) >= _ORDERED_FROM
        return Factor(variable.categories, comment, ordered=ordered, closed=True)
    if pa.types.is_string(kind) and variable.kind is Kind.NUMERIC:  # numbers as printed
        whole = variable.interval is Interval.DISCRETE
        return Integers(comment, _longs, long=None) if whole else Numbers(comment, _doubles)
    if pa.types.is_string(kind):
        if variable.display_format == _DATE:
            dated = moment_attributes(Moment.DATE, pa.date32())
            return Numbers(comment | dated, _dates)
        return Strings(comment | {"class": texts(["AsIs"])}, _without_empty)
    moment = moment_of(kind)
    if moment is not Moment.NONE:
        return Numbers(comment | moment_attributes(moment, kind), tagged=False)
    if pa.types.is_floating(kind):
        return Numbers(comment, tagged=False)
    return Integers(comment, logical=bool(pa.types.is_boolean(kind)), long=None)


def _without_empty(column: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, column.type), column)


def _longs(column: pa.Array) -> pa.Array:
    return read_longs(column.cast(pa.large_string()))


def _doubles(column: pa.Array) -> pa.Array:
    return read_doubles(column.cast(pa.large_string()))


def _dates(column: pa.Array) -> pa.Array:
    """Return texts as dates; what is none becomes missing, as ``as.Date`` has it."""
    found = pc.match_substring_regex(column, r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")
    texts_only = pc.if_else(found, column, pa.scalar(None, column.type))
    return pc.strptime(texts_only, "%Y-%m-%d", "s", error_is_null=True).cast(pa.date32())
