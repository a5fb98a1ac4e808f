"""The archival table: tab-delimited UTF-8 text, one line a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit import _native
from tabkit.profiles import TabLayout
from tabkit.write.cells import cells
from tabkit.write.metadata_loss import count_tags, counted_tag_losses, metadata_losses

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tabkit.loss import Ledger
    from tabkit.model import Block, Table, TableStream, Variable

DEFAULT_LAYOUT: Final = TabLayout()
_TEXT_LIMIT: Final = 1 << 29  # bytes of strings joined at once; Arrow's string arrays end at 2 GiB


def write_tab(table: Table, path: Path, *, header: bool = True) -> Ledger:
    """Write a whole table as an archival table; see `write_tab_stream`."""
    from tabkit.read import stream_of

    return write_tab_stream(stream_of(table), path, header=header)


def write_tab_stream(stream: TableStream, path: Path, *, header: bool = True) -> Ledger:
    r"""Write a stream as an archival table, in bounded memory; the stream's profile decides shapes.

    UTF-8, LF; missing is an empty field; strings are quoted and their backslash, quote, tab and
    line ends escaped, so that every line has exactly one field a variable.

    Args:
        stream: Read to its end.
        path: Written from its beginning.
        header: The first line names the variables; False is the API's ``noVarHeader``.

    Returns:
        What the text does not carry: it belongs into the codebook.

    Source: design, section 3.
    """
    tagged: dict[str, int] = {}
    with path.open("wb") as file:
        layout = stream.profile.tab_layout(stream.origin)
        append = tab_appender(file, stream.variables, layout, header=header)
        for block in stream.blocks:
            append(block)
            count_tags(block, tagged)
    return (*metadata_losses(stream), *counted_tag_losses(tagged))


def tab_appender(
    file: BinaryIO,
    variables: Sequence[Variable],
    layout: TabLayout = DEFAULT_LAYOUT,
    *,
    header: bool = True,
) -> Callable[[Block], None]:
    """Write the header line to ``file`` and return a function that appends a block's lines."""
    if header:
        file.write(("\t".join(_header_cell(v.name) for v in variables) + "\n").encode())

    def append(block: Block) -> None:
        for part in parts(block.data):
            if part.num_rows == 1 and part.nbytes >= _TEXT_LIMIT:
                _write_cells(file, part, variables, layout)
            else:
                file.write(_lines(part, variables, layout))

    return append


def _write_cells(
    file: BinaryIO, case: pa.RecordBatch, variables: Sequence[Variable], layout: TabLayout
) -> None:
    """Write one huge case cell by cell: texts that its columns share are never held twice."""
    for index, variable in enumerate(variables):
        file.write(b"\t" if index else b"")
        cell = _lines(case.select([index]), [variable], layout)
        file.write(memoryview(cell)[:-1])
    file.write(b"\n")


def _lines(
    part: pa.RecordBatch, variables: Sequence[Variable], layout: TabLayout
) -> bytes | memoryview:
    """Return the lines of cases, compiled where the kernels are built."""
    pairs = list(zip(part.columns, variables, strict=True))
    if not _native.AVAILABLE:
        return joined_lines([cells(*pair, layout) for pair in pairs], "\t", part.num_rows)
    from tabkit._native import arrays

    # A type that the kernel does not know comes as its text.
    styled = [
        (column, arrays.style_of(column.type, layout, bare=variable.bare))
        if arrays.format_of(column.type)
        else (cells(column, variable, layout), "bare")
        for column, variable in pairs
    ]
    return arrays.tab_lines(styled, part.num_rows, layout.escaped)


def joined_lines(columns: list[pa.Array], delimiter: str, rows: int) -> bytes | memoryview:
    """Join the cells of each case to a line; null is an empty field."""
    if not columns:
        return b"\n" * rows
    replace = {"null_handling": "replace", "null_replacement": ""}
    columns[-1] = pc.binary_join_element_wise(columns[-1], "", "\n", **replace)
    whole = columns[0]
    if len(columns) > 1:
        whole = pc.binary_join_element_wise(*columns, delimiter, **replace)
    if isinstance(whole, pa.ChunkedArray):
        whole = pa.concat_arrays(whole.chunks)
    # The lines lie one after the other in the array's buffer: no copy is needed.
    offsets, text = whole.buffers()[1:]
    width = 8 if pa.types.is_large_string(whole.type) else 4
    first, last = (
        int.from_bytes(offsets[at * width : (at + 1) * width], "little")
        for at in (whole.offset, whole.offset + rows)
    )
    return memoryview(text)[first:last] if text is not None else b""


def parts(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Cut a batch whose text might not fit in one string array."""
    # The whole buffers are told faster than what a batch uses of them.
    is_small = batch.get_total_buffer_size() < _TEXT_LIMIT or batch.nbytes < _TEXT_LIMIT
    if batch.num_rows < 2 or is_small:  # noqa: PLR2004
        return [batch]
    half = batch.num_rows // 2
    return [*parts(batch.slice(0, half)), *parts(batch.slice(half))]


def _header_cell(name: str) -> str:
    return name.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
