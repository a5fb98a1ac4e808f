"""Comma-separated text: RFC 4180 in UTF-8 with a header line, LF line ends."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.loss import Ledger, Loss
from tabkit.profiles import TabLayout
from tabkit.write.cells import cells
from tabkit.write.metadata_loss import count_tags, counted_tag_losses, metadata_losses
from tabkit.write.tab import joined_lines, parts

if TYPE_CHECKING:
    from pathlib import Path

    from tabkit.model import Block, Table, TableStream, Variable

_LAYOUT: Final = TabLayout()
_SPECIAL: Final = '[,"\r\n]'


def write_csv(table: Table, path: Path) -> Ledger:
    """Write a whole table as comma-separated text; see `write_csv_stream`."""
    from tabkit.read import stream_of

    return write_csv_stream(stream_of(table), path)


def write_csv_stream(stream: TableStream, path: Path, *, header: bool = True) -> Ledger:
    """Write a stream as comma-separated text, in bounded memory.

    Missing is an empty field and the empty string ``""``; quotes stand only where they are needed.
    Numbers are the shortest that read back the same, dates ``YYYY-MM-DD``, date-times
    ``YYYY-MM-DD HH:MM:SS[.fff]``, booleans 1 and 0: the values look as in an archival table.

    Args:
        stream: Read to its end.
        path: Written from its beginning.
        header: The first line names the variables.

    Returns:
        All metadata but names, and how many missing values look like empty lines.
    """
    names = pa.array(stream.schema.names, pa.string())
    tagged: dict[str, int] = {}
    empty = 0
    strings: dict[str, int] = {}
    with path.open("wb") as file:
        if header:
            file.write((",".join(_quoted(names).to_pylist()) + "\n").encode())
        for block in stream.blocks:
            count_tags(block, tagged)
            _count_missing_strings(block, strings)
            empty += block.data.column(0).null_count if len(names) == 1 else 0
            for part in parts(block.data):
                file.write(_lines(part, stream.variables))
    losses = [*metadata_losses(stream), *counted_tag_losses(tagged)]
    what = "missing strings became empty strings, as CSV readers have them"
    losses += [Loss(what, name, count) for name, count in strings.items() if count]
    if empty:
        what = "missing values are empty lines, which many programs skip"
        losses.append(Loss(what, stream.variables[0].name, empty))
    return tuple(losses)


def _count_missing_strings(block: Block, counts: dict[str, int]) -> None:
    for name, column in zip(block.data.schema.names, block.data.columns, strict=True):
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            counts[name] = counts.get(name, 0) + column.null_count


def _lines(batch: pa.RecordBatch, variables: tuple[Variable, ...]) -> bytes | memoryview:
    columns = [
        _cells(column, variable) for column, variable in zip(batch.columns, variables, strict=True)
    ]
    return joined_lines(columns, ",", batch.num_rows)


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
