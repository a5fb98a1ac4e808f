"""Metadata in Arrow schemas: what tabkit wrote comes back, of others what is text is kept.

What a file claims is checked; a part that cannot be understood becomes a finding, never an error.
"""

from __future__ import annotations

import base64
import binascii
import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from tabkit.metadata import FileFacts, facts_from_json, variable_from_json
from tabkit.model import TAG_LETTERS, Finding, Variable
from tabkit.read.arrow_columns import ColumnPlan, is_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA_KEY: Final = b"tabkit"
_PARQUET_KEY: Final = b"ARROW:schema"
_R_KEY: Final = b"r"  # R attributes in R's own serialization
_IGNORED: Final = frozenset({METADATA_KEY, _PARQUET_KEY, b"pandas"})
_TEXT_LIMIT: Final = 4_000  # bytes of foreign metadata that are worth keeping as an attribute
_TAGS: Final = {f".{letter}": index for index, letter in enumerate(TAG_LETTERS) if index}


def file_facts(metadata: Mapping[bytes, bytes], findings: list[Finding]) -> FileFacts:
    """Return the facts of the file from the schema's metadata."""
    if METADATA_KEY in metadata:
        try:
            return facts_from_json(_json(metadata[METADATA_KEY]))
        except ValueError as error:
            text = f"tabkit's metadata of the file cannot be read: {error}"
            findings.append(Finding(text, "warning"))
    kept = []
    for key, value in metadata.items():
        name = key.decode("utf-8", "replace")
        if key in _IGNORED:
            continue
        if len(value) > _TEXT_LIMIT or key == _R_KEY:
            text = f"metadata {name!r} of {len(value):,} bytes are left out"
            findings.append(Finding(text))
        else:
            kept.append((name, value.decode("utf-8", "replace")))
    return FileFacts(attributes=tuple(kept))


def own_variable(field: pa.Field, name: str, findings: list[Finding]) -> Variable | None:
    """Return the variable that tabkit wrote into the field, under its present name."""
    data = (field.metadata or {}).get(METADATA_KEY)
    if data is None:
        return None
    try:
        known = _json(data)
        if "tag_of" in known:
            return None
        return dataclasses.replace(variable_from_json({"name": name, **known}), name=name)
    except ValueError as error:
        text = f"tabkit's metadata of the column cannot be read: {error}"
        findings.append(Finding(text, "warning", name))
        return None


def own_plan(
    place: int, field: pa.Field, written: pa.DataType, variable: Variable | None
) -> ColumnPlan | None:
    """Plan a column that tabkit wrote: its type comes back; None where it needs a conversion."""
    kind = field.type
    if variable is None:
        return None
    if pa.types.is_nested(kind) or is_bytes(kind) or isinstance(kind, pa.BaseExtensionType):
        return None
    # Parquet has no seconds and no date64: such a column was written in the next finer unit.
    if not (pa.types.is_temporal(kind) and pa.types.is_temporal(written)):
        written = kind
    return ColumnPlan(
        place,
        pa.field(variable.name, written),
        lambda array: array if array.type == written else array.cast(written),
        variable,
    )


def tag_places(schema: pa.Schema) -> dict[str, int]:
    """Return by variable the place of the companion column with its tags."""
    places = {}
    for place, field in enumerate(schema):
        data = (field.metadata or {}).get(METADATA_KEY)
        if data is None or not _holds_text(field.type):
            continue
        try:
            name = _json(data).get("tag_of")
        except ValueError:
            continue
        if isinstance(name, str) and name != field.name and schema.names.count(name) == 1:
            places[name] = place
    return places


def tag_indices(column: pa.Array) -> pa.Array:
    """Return a companion column as indices into `tabkit.model.TAG_LETTERS`.

    Raises:
        pa.ArrowInvalid: It holds text that is no tag.
    """
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    known = column.dictionary.to_pylist()
    if not set(known) <= _TAGS.keys():
        wrong = next(each for each in known if each not in _TAGS)
        msg = f"{wrong!r} is no missing tag; there are .a to .z and ._"
        raise pa.ArrowInvalid(msg)
    letters = pa.array([_TAGS[each] for each in known], pa.int8())
    return letters.take(column.indices).fill_null(0)


def written_schema(metadata: Mapping[bytes, bytes], schema: pa.Schema) -> pa.Schema:
    """Return the schema as the writer of a Parquet file had it, else ``schema``."""
    try:
        found = pa.ipc.read_schema(pa.py_buffer(base64.b64decode(metadata[_PARQUET_KEY])))
    except (KeyError, binascii.Error, pa.ArrowException, OSError):
        return schema
    return found if found.names == schema.names else schema


def _holds_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind.value_type if pa.types.is_dictionary(kind) else kind))


def _json(data: bytes) -> dict[str, Any]:
    try:
        known = json.loads(data)
    except RecursionError:
        known = None
    if not isinstance(known, dict):
        msg = "it is not a JSON object"
        raise ValueError(msg)
    return known
