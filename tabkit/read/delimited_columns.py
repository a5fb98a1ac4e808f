"""Columns of a table made from a flat block of text cells, once their types are known."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.model import Interval, Kind, Variable
from tabkit.read.delimited_java import DATE_PATTERN, print_numbers
from tabkit.read.delimited_types import ColumnType, Form, clean_number

if TYPE_CHECKING:
    from collections.abc import Sequence

_ARROW: Final = {
    Form.TEXT: pa.string(),
    Form.INTEGER: pa.int64(),
    Form.REAL: pa.float64(),
    Form.DATE: pa.date32(),
    Form.TIME: pa.timestamp("us"),
    Form.PRINTED_INTEGER: pa.string(),
    Form.PRINTED_REAL: pa.string(),
    Form.PRINTED_DATE: pa.string(),
}
_NUMERIC: Final = (Form.INTEGER, Form.REAL, Form.PRINTED_INTEGER, Form.PRINTED_REAL)
_CONTINUOUS: Final = (Form.REAL, Form.PRINTED_REAL)
_CATEGORY: Final = {Form.DATE: "date", Form.TIME: "time"}
_BARE: Final = (Form.PRINTED_INTEGER, Form.PRINTED_REAL, Form.PRINTED_DATE)


def schema_of(names: Sequence[str], types: Sequence[ColumnType]) -> pa.Schema:
    """Return the Arrow schema of columns of these types."""
    return pa.schema(
        [pa.field(name, _ARROW[each.form]) for name, each in zip(names, types, strict=True)]
    )


def variable_of(name: str, column: ColumnType, *, label: str) -> Variable:
    """Return what a text file says of a variable: its name, and its type by its cells."""
    category = _CATEGORY.get(column.form, "")
    if column.form is Form.PRINTED_DATE:
        category = "date" if column.pattern == DATE_PATTERN else "time"
    return Variable(
        name,
        label=label,
        kind=Kind.NUMERIC if column.form in _NUMERIC else Kind.CHARACTER,
        interval=Interval.CONTINUOUS if column.form in _CONTINUOUS else Interval.DISCRETE,
        display_format=column.pattern,
        format_category=category,
        bare=column.form in _BARE,
    )


def columns_of(cells: pa.StringArray, width: int, types: Sequence[ColumnType]) -> list[pa.Array]:
    """Turn whole rows into one column a type.

    Args:
        cells: Row by row; null where a short row has no such cell.
        width: Cells of a row; columns beyond (of later, longer rows) are null.
        types: One a column, at least ``width``.
    """
    height = len(cells) // width
    columns: list[pa.Array] = [None] * len(types)
    alike: dict[tuple[Form, bool], list[int]] = collections.defaultdict(list)
    for at, column in enumerate(types[:width]):
        alike[column.form, column.odd].append(at)
    for (form, odd), members in alike.items():
        rows = np.arange(height, dtype=np.int64) * width
        flat = cells.take(pa.array((np.array(members)[:, None] + rows).ravel()))
        converted = _converted(flat, form, odd=odd)
        for place, at in enumerate(members):
            columns[at] = converted.slice(place * height, height)
    for at in range(width, len(types)):
        columns[at] = pa.nulls(height, _ARROW[types[at].form])
    return columns


def _converted(cells: pa.StringArray, form: Form, *, odd: bool) -> pa.Array:
    if form is Form.TEXT:
        return cells
    filled = _null_if_empty(cells)
    if form in (Form.PRINTED_INTEGER, Form.PRINTED_REAL):
        return print_numbers(filled, integer=form is Form.PRINTED_INTEGER) if odd else filled
    if form is Form.PRINTED_DATE:
        return pc.ascii_trim(filled, characters='"')
    if odd:
        filled = clean_number(filled)
        words = pc.is_in(pc.ascii_lower(filled), pa.array(["na", "null"]))
        filled = pc.if_else(words, pa.scalar(None, pa.string()), filled)
    return filled.cast(_ARROW[form])


def _null_if_empty(cells: pa.StringArray) -> pa.StringArray:
    filled = pc.greater(pc.binary_length(cells), 0).fill_null(False)
    if pc.all(filled).as_py():
        return cells
    return pc.if_else(filled, cells, pa.scalar(None, pa.string()))
