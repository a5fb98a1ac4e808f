"""Comma-separated text: RFC 4180 in UTF-8 with a header line, LF line ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.loss import Ledger, Loss
from tabkit.profiles import TabLayout
from tabkit.write.cells import cells
from tabkit.write.metadata_loss import metadata_losses, tag_losses

if TYPE_CHECKING:
    from pathlib import Path

    from tabkit.model import Table, Variable

_LAYOUT: Final = TabLayout()
_SPECIAL: Final = '[,"\r\n]'
_TEXT_LIMIT: Final = 1 << 28  # bytes of a batch; the text of it must fit in one string array
_REPLACE: Final = {"null_handling": "replace", "null_replacement": ""}


def write_csv(table: Table, path: Path) -> Ledger:
    """Write ``table`` as comma-separated text.

    Missing is an empty field and the empty string ``""``; quotes stand only where they are needed.
    Numbers are the shortest that read back the same, dates ``YYYY-MM-DD``, date-times
    ``YYYY-MM-DD HH:MM:SS[.fff]``, booleans 1 and 0: the values look as in an archival table.

    Returns:
        All metadata but names, and how many missing values look like empty lines.
    """
    from tabkit.read import stream_of

    names = pa.array(table.data.column_names, pa.string())
    with path.open("wb") as file:
        file.write((",".join(_quoted(names).to_pylist()) + "\n").encode())
        for block in stream_of(table).blocks:
            for part in _parts(block.data):
                file.write(_lines(part, table.variables))
    return (*metadata_losses(table), *tag_losses(table), *_empty_lines(table))


def _lines(batch: pa.RecordBatch, variables: tuple[Variable, ...]) -> bytes:
    columns = [
        _cells(column, variable) for column, variable in zip(batch.columns, variables, strict=True)
    ]
    if not columns:
        return b"\n" * int(batch.num_rows)
    columns[-1] = pc.binary_join_element_wise(columns[-1], "", "\n", **_REPLACE)
    lines = pc.binary_join_element_wise(*columns, ",", **_REPLACE) if columns[1:] else columns[0]
    text: str = "".join(lines.to_pylist())
    return text.encode()


def _cells(column: pa.Array, variable: Variable) -> pa.Array:
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _quoted(column.cast(pa.string()))
    return cells(column, variable, _LAYOUT)  # numbers and dates never need quotes


def _quoted(text: pa.Array) -> pa.Array:
    """Put quotes around the empty string and text with a comma, quote or line end."""
    needed = pc.or_(pc.equal(text, ""), pc.match_substring_regex(text, _SPECIAL))
    if not pc.any(needed).as_py():
        return text
    doubled = pc.replace_substring(text, '"', '""')
    return pc.if_else(needed, pc.binary_join_element_wise('"', doubled, '"', ""), text)


def _parts(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    if batch.num_rows < 2 or batch.nbytes < _TEXT_LIMIT:  # noqa: PLR2004
        return [batch]
    half = batch.num_rows // 2
    return [*_parts(batch.slice(0, half)), *_parts(batch.slice(half))]


def _empty_lines(table: Table) -> list[Loss]:
    """In a table of one variable a missing value is an empty line."""
    if table.data.num_columns != 1 or not table.data.column(0).null_count:
        return []
    what = "missing values are empty lines, which many programs skip"
    return [Loss(what, table.variables[0].name, table.data.column(0).null_count)]
