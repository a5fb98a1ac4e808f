"""Parquet and Arrow files: plain columns for every reader, and all metadata in the schema.

* The schema's metadata key ``tabkit`` holds the facts of the file, each field's the variable, both
  as JSON (`tabkit.metadata`).
* The letters of tagged missings stand in companion columns after the variables: dictionary columns
  of ``.a``-``.z`` and ``._``, null where a case has none, named ``income.tag`` for variable
  ``income`` and marked as such in their metadata. `tabkit.read.arrow` folds them back.

Findings and digests belong to the reading of one file and are left out.
"""

from __future__ import annotations

import dataclasses
import sys
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabkit.errors import OutputError
from tabkit.metadata import METADATA_VERSION, encode, facts_to_json, variable_to_json
from tabkit.model import TAG_LETTERS
from tabkit.spool import spooled

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence
    from pathlib import Path

    from tabkit.loss import Ledger
    from tabkit.model import Table, TableStream

METADATA_KEY: Final = b"tabkit"
TAGS: Final = tuple(f".{letter}" for letter in TAG_LETTERS[1:])
_GROUP_CELLS: Final = 16_000_000  # cells of a row group: big enough to compress, small to read
_GROUP_ROWS: Final = (1_024, 1_048_576)
_BATCH_ROWS: Final = 65_536
_GROUP_SHARE: Final = 8  # of the memory of a run; a group is there plain and compressed


def write_parquet(table: Table, path: Path) -> Ledger:
    """Write a whole table as Parquet; see `write_parquet_stream`."""
    return write_parquet_stream(_stream_in_memory(table), path)


def write_arrow(table: Table, path: Path) -> Ledger:
    """Write a whole table as an Arrow IPC file; see `write_arrow_stream`."""
    return write_arrow_stream(_stream_in_memory(table), path)


def write_parquet_stream(stream: TableStream, path: Path, *, header: bool = True) -> Ledger:  # noqa: ARG001 - names are always there
    """Write a stream as Parquet, compressed by zstd, in bounded memory; nothing is lost.

    The schema must name the variables with tagged missings, which only the last case tells, so
    cases wait in a spool.

    Raises:
        OutputError: A column is of a type that Parquet does not have.
    """
    with spooled(stream) as spool:
        schema = tagged_schema(
            stream, [name for name in stream.schema.names if spool.has_tags(name)]
        )
        rows = min(group_rows(len(schema)), spool.rows_within(stream.memory // _GROUP_SHARE))
        try:
            with pq.ParquetWriter(path, schema, compression="zstd") as writer:
                for data, tags in spool.tables(rows):
                    writer.write_table(_with_tags(data, tags, schema), row_group_size=rows)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
            raise OutputError(f"Parquet cannot hold this table: {_line(error)}", path) from error
    return ()


def write_arrow_stream(stream: TableStream, path: Path, *, header: bool = True) -> Ledger:  # noqa: ARG001 - names are always there
    """Write a stream as an Arrow IPC file (Feather 2), compressed by lz4; nothing is lost.

    In bounded memory; cases wait in a spool as they do for Parquet.
    """
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with spooled(stream) as spool:
        schema = tagged_schema(
            stream, [name for name in stream.schema.names if spool.has_tags(name)]
        )
        rows = min(_BATCH_ROWS, spool.rows_within(stream.memory // _GROUP_SHARE))
        with pa.ipc.new_file(path, schema, options=options) as writer:
            for data, tags in spool.tables(rows):
                writer.write_table(_with_tags(data, tags, schema).combine_chunks(), rows)
    return ()


def group_rows(columns: int) -> int:
    """Return the rows of a row group of so many columns: readers hold a group in memory."""
    fewest, most = _GROUP_ROWS
    return max(fewest, min(most, _GROUP_CELLS // max(columns, 1)))


def tagged_schema(stream: TableStream, tagged: Sequence[str]) -> pa.Schema:
    """Return the schema with all metadata, and companion columns for the variables ``tagged``."""
    fields, names = [], set(stream.schema.names)
    for field, variable in zip(stream.schema, stream.variables, strict=True):
        fields.append(_marked(field, variable_to_json(variable)))
    for name in tagged:
        companion = _free_name(f"{name}.tag", names)
        fields.append(_marked(pa.field(companion, _TAG_TYPE), {"tag_of": name}))
        names.add(companion)
    facts = {"version": METADATA_VERSION, **facts_to_json(stream)}
    return pa.schema(fields, {METADATA_KEY: encode(facts)})


def _with_tags(data: pa.Table, tags: Mapping[str, pa.ChunkedArray], schema: pa.Schema) -> pa.Table:
    """Return cases in the schema of `tagged_schema`; ``tags`` are in its order."""
    companions = [
        pa.chunked_array([_tag_column(chunk) for chunk in each.chunks], _TAG_TYPE)
        for each in tags.values()
    ]
    return pa.Table.from_arrays([*data.columns, *companions], schema=schema)


def _stream_in_memory(table: Table) -> TableStream:
    """Give a table as a stream; what is in memory already needs no temporary file."""
    from tabkit.read import stream_of

    return dataclasses.replace(stream_of(table), memory=sys.maxsize)


_TAG_TYPE: Final = pa.dictionary(pa.int8(), pa.string())


def _tag_column(tags: pa.Array) -> pa.DictionaryArray:
    indices = pc.subtract(tags, pa.scalar(1, pa.int8()))
    untagged = pc.less(indices, pa.scalar(0, pa.int8()))
    indices = pc.if_else(untagged, pa.scalar(None, pa.int8()), indices)
    return pa.DictionaryArray.from_arrays(indices, pa.array(TAGS))


def _marked(field: pa.Field, data: dict[str, Any]) -> pa.Field:
    kept = {key: value for key, value in (field.metadata or {}).items() if key != METADATA_KEY}
    return field.with_metadata({**kept, METADATA_KEY: encode(data)})


def _free_name(name: str, taken: Container[str]) -> str:
    while name in taken:
        name += "_"
    return name


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
