r"""Read an archival table back: its text and a codebook's variables give the table again.

The inverse of `tabkit.write.tab` in the default profile: every fingerprint is kept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from tabkit.errors import FormatError
from tabkit.model import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tabkit.model import Variable

_UNESCAPED: Final = (('\\"', '"'), ("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r"))
_SECONDS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def read_tab(
    path: Path,
    variables: Sequence[Variable],
    schema: pa.Schema,
    *,
    bare: Sequence[bool] | None = None,
) -> Table:
    """Read a table written by `tabkit.write.tab.write_tab` with its header line.

    Args:
        path: The archival table.
        variables: From the codebook, in column order.
        schema: Arrow types of the columns; names as the variables'.
        bare: Which string columns print without quotes: dates read as text.

    Raises:
        FormatError: A line has another number of fields, or a cell is not of its column's type.
    """
    names = [variable.name for variable in variables]
    if not names:
        return Table(pa.table({}), ())
    texts = _fields(path, names)
    columns = [
        _nulled(texts.column(i))
        if bare is not None and bare[i]
        else typed_column(texts.column(i), schema.field(i), path)
        for i in range(len(names))
    ]
    return Table(pa.table(columns, schema=schema), tuple(variables))


def _fields(path: Path, names: Sequence[str]) -> pa.Table:
    """Split lines and fields; nothing is quoted away, since strings escape both."""
    with path.open("rb") as file:
        header = file.readline()
    if header.count(b"\t") + 1 != len(names):
        found = header.count(b"\t") + 1
        raise FormatError(f"{len(names)} columns expected, {found} found", path, "line 1")
    positions = [str(index) for index in range(len(names))]
    try:
        return csv.read_csv(
            path,
            csv.ReadOptions(column_names=positions, skip_rows=1, block_size=1 << 26),
            csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
            csv.ConvertOptions(
                column_types=dict.fromkeys(positions, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid as error:
        if path.stat().st_size == len(header):
            return pa.table({name: pa.array([], pa.string()) for name in positions})
        raise FormatError(str(error).split("\n", maxsplit=1)[0], path) from error


def _nulled(text: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.if_else(pc.equal(text, ""), None, text)


def typed_column(text: pa.ChunkedArray, field: pa.Field, path: Path) -> pa.ChunkedArray:
    """Return the cells of one column in the type of ``field``; an empty field is missing.

    Raises:
        FormatError: A cell is not of the type.
    """
    kind = field.type
    text = _nulled(text)
    try:
        if pa.types.is_string(kind) or pa.types.is_large_string(kind):
            quoted = pc.starts_with(text, '"')
            if not pc.all(quoted, min_count=0).as_py():  # a bare one stays as it is
                bare = pc.if_else(quoted, None, text)
                inner = _unescape(pc.utf8_slice_codeunits(pc.if_else(quoted, text, None), 1, -1))
                return pc.coalesce(inner, bare).cast(kind)
            return _unescape(pc.utf8_slice_codeunits(text, 1, -1)).cast(kind)
        if pa.types.is_boolean(kind):
            return pc.equal(text, "1")
        if pa.types.is_duration(kind):
            return pa.chunked_array([pa.array(map(_ticks(kind), text.to_pylist()), kind)])
        if pa.types.is_timestamp(kind) and kind.tz:
            text = pc.utf8_rtrim(text, "Z")
            return (
                text.cast(pa.timestamp(kind.unit)).cast(pa.timestamp(kind.unit, "UTC")).cast(kind)
            )
        return text.cast(kind)
    except (pa.ArrowInvalid, ValueError) as error:
        raise FormatError(str(error), path, f"variable {field.name}") from error


def _unescape(text: pa.ChunkedArray) -> pa.ChunkedArray:
    """Undo the escapes; a doubled backslash is set aside so that it opens no other escape."""
    if not pc.any(pc.match_substring(text, "\\")).as_py():
        return text
    pieces = pc.split_pattern(text, "\\\\")
    flat = pc.list_flatten(pieces)
    for escaped, character in _UNESCAPED:
        flat = pc.replace_substring(flat, escaped, character)
    chunks, start = [], 0
    flat = pa.concat_arrays(flat.chunks) if isinstance(flat, pa.ChunkedArray) else flat
    for chunk in pieces.chunks:
        lengths = pc.list_value_length(chunk).fill_null(0)
        offsets = pa.concat_arrays([pa.array([0], pa.int32()), pc.cumulative_sum(lengths)])
        size = offsets[-1].as_py()
        lists = pa.ListArray.from_arrays(
            offsets.cast(pa.int32()), flat.slice(start, size), mask=chunk.is_null()
        )
        chunks.append(pc.binary_join(lists, "\\"))
        start += size
    return pa.chunked_array(chunks, pa.string())


def _ticks(kind: pa.DurationType) -> Callable[[str | None], int | None]:
    unit = _SECONDS[kind.unit]

    def ticks(text: str | None) -> int | None:
        if text is None:
            return None
        hours, minutes, seconds = text.lstrip("-").split(":")
        whole, _, fraction = seconds.partition(".")
        part = int(fraction.ljust(len(str(unit)) - 1, "0")) if fraction else 0
        size = (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * unit + part
        return -size if text.startswith("-") else size

    return ticks
