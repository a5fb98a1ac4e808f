"""Nested columns of Arrow data as a column a field: ``--flatten``."""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

MOST_ITEMS: Final = 100  # of a list of fixed size that become columns


def flat_schema(schema: pa.Schema) -> pa.Schema:
    """Return the schema of flattened data; metadata of the file are kept."""
    return flat(pa.RecordBatch.from_pylist([], schema=schema)).schema


def flat(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Give each field of a struct, and each item of a list of fixed size, a column of its own.

    They are named ``address.city`` and ``point.1``. A case without the struct has none of its
    fields. Lists of any length stay as they are.
    """
    while any(map(_is_deep, batch.schema.types)):
        fields, columns = [], []
        for field, column in zip(batch.schema, batch.columns, strict=True):
            for name, kind, part, metadata in _parts(field, column):
                fields.append(pa.field(name, kind, metadata=metadata))
                columns.append(part)
        schema = pa.schema(fields, batch.schema.metadata)
        batch = pa.RecordBatch.from_arrays(columns, schema=schema)
    return batch


def _is_deep(kind: pa.DataType) -> bool:
    if pa.types.is_fixed_size_list(kind):
        return bool(0 < kind.list_size <= MOST_ITEMS)
    return bool(pa.types.is_struct(kind)) and kind.num_fields > 0


def _parts(
    field: pa.Field, column: pa.Array
) -> list[tuple[str, pa.DataType, pa.Array, dict[bytes, bytes] | None]]:
    kind = field.type
    if not _is_deep(kind):
        return [(field.name, kind, column, field.metadata)]
    if pa.types.is_struct(kind):
        return [
            (f"{field.name}.{child.name}", child.type, part, child.metadata)
            for child, part in zip(kind, column.flatten(), strict=True)
        ]
    items = (pc.list_element(column, at) for at in range(kind.list_size))
    return [(f"{field.name}.{at}", kind.value_type, part, None) for at, part in enumerate(items, 1)]
