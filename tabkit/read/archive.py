"""Open an archival table as a stream: only the columns asked for, block by block.

Its codebook gives labels, declared missing values and which columns are text. Without one the
cells tell: text is quoted, numbers and dates are not.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.errors import FormatError, VariableNotFoundError
from tabkit.model import Block, Kind, Origin, TableStream, Variable
from tabkit.options import ReadOptions
from tabkit.read.fields import field_blocks, header_of
from tabkit.read.tab import typed_column
from tabkit.read.tab_types import BARE, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

_ESCAPES: Final = {"\\t": "\t", "\\n": "\n", "\\r": "\r"}


@dataclasses.dataclass(frozen=True, slots=True)
class Archive:
    """An archival table on disk.

    Attributes:
        path: The file.
        variables: What is known of its columns, in their order.
    """

    path: Path
    variables: tuple[Variable, ...]

    @property
    def names(self) -> list[str]:
        """Names in column order."""
        return [variable.name for variable in self.variables]


def open_archive(path: Path, variables: Sequence[Variable] | None = None) -> Archive:
    """Look at an archival table's header.

    Args:
        path: The file.
        variables: From its codebook; None knows the names only.

    Raises:
        FormatError: It has no header, or the codebook has other variables.
    """
    names = [_unescaped(name) for name in header_of(path)]
    if not names:
        raise FormatError("the file is empty", path)
    if len(set(names)) != len(names):
        raise FormatError("two columns have the same name", path, "line 1")
    if variables is None:
        return Archive(path, tuple(Variable(name) for name in names))
    wanted = [variable.name for variable in variables]
    if wanted != names:
        pairs = zip([*names, "nothing"], [*wanted, "nothing"], strict=False)
        ours, theirs = next(pair for pair in pairs if pair[0] != pair[1])
        reason = f"the codebook describes {theirs} where the table has {ours}"
        raise FormatError(reason, path, "line 1")
    return Archive(path, tuple(variables))


def raw_stream(archive: Archive, names: Sequence[str]) -> TableStream:
    """Stream columns as their cells stand in the file, to be written as they are."""
    chosen = _places(archive, names)
    variables = [
        dataclasses.replace(archive.variables[at], kind=Kind.CHARACTER, bare=True) for at in chosen
    ]
    schema = pa.schema([(name, pa.large_string()) for name in names])
    return _stream(archive, variables, schema, _raw_blocks(archive, chosen, schema))


def typed_stream(archive: Archive, names: Sequence[str]) -> TableStream:
    """Stream columns with their types, found in a first reading of these columns."""
    chosen = _places(archive, names)
    kinds = column_types(archive, names)
    schema = pa.schema([(name, kinds[name]) for name in names])
    raw = pa.schema([(name, pa.large_string()) for name in names])
    variables = []
    for at, name in zip(chosen, names, strict=True):
        is_number = pa.types.is_integer(kinds[name]) or pa.types.is_floating(kinds[name])
        kind = Kind.NUMERIC if is_number else Kind.CHARACTER
        is_bare = kinds[name] == BARE
        variables.append(dataclasses.replace(archive.variables[at], kind=kind, bare=is_bare))

    def blocks() -> Iterator[Block]:
        for block in _raw_blocks(archive, chosen, raw):
            columns = [
                typed_cells(column, field, archive.path)
                for column, field in zip(block.data.columns, schema, strict=True)
            ]
            yield Block(pa.RecordBatch.from_arrays(columns, schema=schema))

    return _stream(archive, variables, schema, blocks())


def column_types(archive: Archive, names: Sequence[str]) -> dict[str, pa.DataType]:
    """Return the narrowest type of each column that all its cells have.

    Text is ``string`` where it is quoted and ``large_string`` where it stands bare.
    """
    chosen = _places(archive, names)
    kinds: list[pa.DataType | None] = [None] * len(names)
    for columns in field_blocks(archive.path, chosen, len(archive.variables)):
        kinds = [type_of(*each) for each in zip(columns, kinds, strict=True)]
    return {
        name: _empty_type(archive.variables[place]) if kind is None else kind
        for place, name, kind in zip(chosen, names, kinds, strict=True)
    }


def _empty_type(variable: Variable) -> pa.DataType:
    is_text = variable.kind is Kind.CHARACTER and not variable.format_category
    return pa.string() if is_text else pa.float64()


def typed_cells(column: pa.Array, field: pa.Field, path: Path) -> pa.Array:
    """Return a column's cells in its type; an empty field is missing.

    Raises:
        FormatError: A cell is not of the type.
    """
    if field.type == BARE:
        return pc.if_else(pc.equal(column, ""), None, column)
    found = typed_column(pa.chunked_array([column.cast(pa.string())]), field, path)
    return found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found


def _places(archive: Archive, names: Sequence[str]) -> list[int]:
    places = {name: at for at, name in enumerate(archive.names)}
    for name in names:
        if name not in places:
            raise VariableNotFoundError(name, list(places))
    return [places[name] for name in names]


def _raw_blocks(archive: Archive, chosen: Sequence[int], schema: pa.Schema) -> Iterator[Block]:
    rows = ReadOptions().rows_of(len(chosen))
    for columns in field_blocks(archive.path, chosen, len(archive.variables)):
        batch = pa.RecordBatch.from_arrays(columns, schema=schema)
        for start in range(0, batch.num_rows, rows):
            yield Block(batch.slice(start, rows))


def _stream(
    archive: Archive, variables: Sequence[Variable], schema: pa.Schema, blocks: Any
) -> TableStream:
    origin = Origin(
        archive.path.name,
        "text/tab-separated-values",
        "tab",
        encoding="UTF-8",
        size=archive.path.stat().st_size,
    )
    return TableStream(schema, tuple(variables), blocks, origin=origin)


def _unescaped(name: str) -> str:
    return re.sub(r"\\[tnr]", lambda match: _ESCAPES[match[0]], name)
