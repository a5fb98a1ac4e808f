"""The archival table: tab-delimited UTF-8 text, one line a case."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.loss import Ledger, Loss
from tabkit.model import TAG_LETTERS, Block, Table
from tabkit.profiles import TabLayout
from tabkit.write.cells import cells

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tabkit.model import Variable

_TEXT_LIMIT: Final = 1 << 29  # bytes of strings joined at once; Arrow's string arrays end at 2 GiB


def write_tab(
    table: Table, path: Path, *, header: bool = True
) -> Ledger:
    r"""Write ``table`` as an archival table.

    UTF-8, LF; missing is an empty field; strings are quoted and their backslash, quote, tab and
    line ends escaped, so that every line has exactly one field a variable.

    Args:
        table: Any table.
        path: Written from its beginning.
        header: The first line names the variables; False is the API's ``noVarHeader``.

    Returns:
        What the text does not carry: it belongs into the codebook.

    Source: design, section 3.
    """
    from tabkit.read import stream_of

    with path.open("wb") as file:
        layout = table.profile.tab_layout(table.origin)
        append = tab_appender(file, table.variables, layout, header=header)
        for block in stream_of(table).blocks:
            append(block)
    return tab_losses(table.variables)


def tab_appender(
    file: BinaryIO,
    variables: Sequence[Variable],
    layout: TabLayout = TabLayout(),
    *,
    header: bool = True,
) -> Callable[[Block], None]:
    """Write the header line to ``file`` and return a function that appends a block's lines."""
    if header:
        file.write(("\t".join(_header_cell(v.name) for v in variables) + "\n").encode())

    def append(block: Block) -> None:
        for part in _parts(block.data):
            columns = [
                cells(column, variable, layout)
                for column, variable in zip(part.columns, variables, strict=True)
            ]
            file.write(_lines(columns, part.num_rows))

    return append


def tab_losses(variables: Sequence[Variable]) -> Ledger:
    """Tell what an archival table leaves to its codebook."""
    losses = []
    for variable in variables:
        if variable.label:
            losses.append(Loss("variable label", variable.name))
        if variable.categories:
            losses.append(Loss("value labels", variable.name, len(variable.categories)))
        if variable.missing_values or variable.missing_ranges:
            losses.append(Loss("definition of missing values", variable.name))
    return tuple(losses)


def tag_losses(tagged: dict[str, int]) -> Ledger:
    """Tell how many tagged missings became empty fields, by variable."""
    what = f"tagged missings (.{TAG_LETTERS[1]}-.{TAG_LETTERS[26]}) became plain missings"
    return tuple(Loss(what, name, count) for name, count in tagged.items() if count)


def _lines(columns: list[pa.Array], rows: int) -> bytes | memoryview:
    if not columns:
        return b"\n" * rows
    replace = {"null_handling": "replace", "null_replacement": ""}
    columns[-1] = pc.binary_join_element_wise(columns[-1], "", "\n", **replace)
    whole = pc.binary_join_element_wise(*columns, "\t", **replace) if columns[1:] else columns[0]
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


def _parts(batch: pa.RecordBatch) -> list[pa.RecordBatch]:
    """Cut a batch whose text might not fit in one string array."""
    if batch.num_rows < 2 or batch.nbytes < _TEXT_LIMIT:  # noqa: PLR2004
        return [batch]
    half = batch.num_rows // 2
    return [*_parts(batch.slice(0, half)), *_parts(batch.slice(half))]


def _header_cell(name: str) -> str:
    return name.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
