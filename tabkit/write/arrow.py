"""Parquet and Arrow files: plain columns for every reader, and all metadata in the schema.

* The schema's metadata key ``tabkit`` holds the facts of the file, each field's the variable, both
  as JSON (`tabkit.metadata`).
* The letters of tagged missings stand in companion columns after the variables: dictionary columns
  of ``.a``-``.z`` and ``._``, null where a case has none, named ``income.tag`` for variable
  ``income`` and marked as such in their metadata. `tabkit.read.arrow` folds them back.

Findings and digests belong to the reading of one file and are left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabkit.errors import OutputError
from tabkit.metadata import METADATA_VERSION, encode, facts_to_json, variable_to_json
from tabkit.model import TAG_LETTERS

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

    from tabkit.loss import Ledger
    from tabkit.model import Table

METADATA_KEY: Final = b"tabkit"
TAGS: Final = tuple(f".{letter}" for letter in TAG_LETTERS[1:])
_GROUP_CELLS: Final = 16_000_000  # cells of a row group: big enough to compress, small to read
_GROUP_ROWS: Final = (1_024, 1_048_576)
_BATCH_ROWS: Final = 65_536


def write_parquet(table: Table, path: Path) -> Ledger:
    """Write ``table`` as Parquet, compressed by zstd; nothing is lost.

    Raises:
        OutputError: A column is of a type that Parquet does not have.
    """
    whole = with_metadata(table)
    rows = group_rows(whole.num_columns)
    try:
        pq.write_table(whole, path, row_group_size=rows, compression="zstd")
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid) as error:
        raise OutputError(f"Parquet cannot hold this table: {_line(error)}", path) from error
    return ()


def write_arrow(table: Table, path: Path) -> Ledger:
    """Write ``table`` as an Arrow IPC file (Feather 2), compressed by lz4; nothing is lost."""
    whole = with_metadata(table)
    options = pa.ipc.IpcWriteOptions(compression="lz4")
    with pa.ipc.new_file(path, whole.schema, options=options) as writer:
        writer.write_table(whole, max_chunksize=_BATCH_ROWS)
    return ()


def group_rows(columns: int) -> int:
    """Return the rows of a row group of so many columns: readers hold a group in memory."""
    fewest, most = _GROUP_ROWS
    return max(fewest, min(most, _GROUP_CELLS // max(columns, 1)))


def with_metadata(table: Table) -> pa.Table:
    """Return the data with all metadata in the schema and tags as companion columns, no copy."""
    fields, columns, names = [], list(table.data.columns), set(table.data.column_names)
    for field, variable in zip(table.data.schema, table.variables, strict=True):
        fields.append(_marked(field, variable_to_json(variable)))
    for name, tags in table.missing_tags.items():
        column = pa.chunked_array([_tag_column(chunk) for chunk in tags.chunks], _TAG_TYPE)
        companion = _free_name(f"{name}.tag", names)
        fields.append(_marked(pa.field(companion, _TAG_TYPE), {"tag_of": name}))
        columns.append(column)
        names.add(companion)
    facts = {"version": METADATA_VERSION, **facts_to_json(table)}
    schema = pa.schema(fields, {METADATA_KEY: encode(facts)})
    return pa.Table.from_arrays(columns, schema=schema)


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
