"""JSON: a whole table with its metadata, and what was computed of a table.

JSON has neither NaN nor infinities. In the data they are the strings ``"NaN"``, ``"Infinity"`` and
``"-Infinity"`` among numbers; in statistics what is not a number is null, since it was computed of
nothing. The layouts are stated by ``schemas/table.schema.json`` and ``description.schema.json``.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.metadata import METADATA_VERSION, encode, facts_to_json, value_to_json, variable_to_json
from tabkit.model import TAG_LETTERS
from tabkit.profiles import TabLayout
from tabkit.write.cells import cells

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tabkit.loss import Ledger
    from tabkit.metadata import Json
    from tabkit.model import Description, Table, Variable, VariableDescription

_LAYOUT: Final = TabLayout()
_ESCAPED: Final = r'[\x00-\x1f"\\]'
# ``-0`` alone is an integer to many parsers, and loses its sign.
_SPECIAL: Final = (
    ("NaN", '"NaN"'),
    ("Inf", '"Infinity"'),
    ("-Inf", '"-Infinity"'),
    ("-0", "-0.0"),
)
_CHUNK: Final = 65_536
_TAGS: Final = [None, *(f".{letter}" for letter in TAG_LETTERS[1:])]


def write_json(table: Table, path: Path) -> Ledger:
    """Write ``table`` as one JSON object: facts of the file, variables, and a list a column.

    Missing is null, with its tag in ``missing_tags``; numbers are the shortest that read back the
    same; dates and times look as in an archival table; booleans are true and false.

    Returns:
        Nothing is lost.
    """
    with path.open("wb") as file:
        head = {"tabkit": METADATA_VERSION, "file": facts_to_json(table), "cases": table.cases}
        file.write(encode(head)[:-1] + b',"variables":[')
        _write_list(file, (_typed(table, variable) for variable in table.variables))
        file.write(b'],"data":{')
        for number, variable in enumerate(table.variables):
            _write_column(file, number, variable.name, table.data.column(number), variable)
        file.write(b'},"missing_tags":{')
        for number, (name, tags) in enumerate(table.missing_tags.items()):
            letters = pa.array(_TAGS, pa.string())
            named = pa.chunked_array([letters.take(chunk) for chunk in tags.chunks], pa.string())
            _write_column(file, number, name, named, None)
        file.write(b"}}\n")
    return ()


def description_json(description: Description) -> Json:
    """Return facts, variables and results as JSON values (``tabkit describe --json``).

    Every attribute is present; see ``schemas/description.schema.json``.
    """
    table = description.table
    facts = facts_to_json(table, full=True)
    facts["findings"] = [
        {"text": each.text, "severity": each.severity, "variable": each.variable}
        for each in table.findings
    ]
    pairs = zip(table.variables, description.variables, strict=True)
    return {
        "tabkit": METADATA_VERSION,
        "file": facts,
        "cases": description.cases,
        "unf": description.unf,
        "variables": [_described(variable, results) for variable, results in pairs],
    }


def _described(variable: Variable, results: VariableDescription) -> Json:
    data = variable_to_json(variable, full=True)
    counted = zip(variable.categories, results.frequencies, strict=True)
    data["categories"] = [
        {
            "value": value_to_json(category.value),
            "label": category.label,
            "missing": category.missing,
            "frequency": frequency,
        }
        for category, frequency in counted
    ]
    stats = results.stats
    names = ("mean", "median", "mode", "valid", "invalid", "minimum", "maximum", "stdev")
    data["statistics"] = {name: _statistic(getattr(stats, name)) for name in names}
    data["others"] = [
        {"value": value_to_json(value), "frequency": count} for value, count in results.others
    ]
    data["tagged"] = [{"tag": tag, "frequency": count} for tag, count in results.tagged]
    for name in ("other_cases", "system_missing", "user_missing", "unf"):
        data[name] = getattr(results, name)
    return data


def _statistic(value: float | str | None) -> float | str | None:
    if not isinstance(value, float) or math.isfinite(value):
        return value
    if math.isnan(value):
        return None
    return "Infinity" if value > 0 else "-Infinity"


def _typed(table: Table, variable: Variable) -> Json:
    kind = table.data.schema.field(variable.name).type
    return {**variable_to_json(variable), "type": str(kind)}


def _write_list(file: BinaryIO, items: Iterator[Any]) -> None:
    for number, item in enumerate(items):
        file.write((b",\n" if number else b"\n") + encode(item))


def _write_column(
    file: BinaryIO, number: int, name: str, column: pa.ChunkedArray, variable: Variable | None
) -> None:
    file.write((b",\n" if number else b"\n") + encode(name) + b":[")
    start = 0
    while start < len(column):
        for chunk in column.slice(start, _CHUNK).chunks:
            texts = _json_cells(chunk, variable).fill_null("null").to_pylist()
            file.write(("," if start else "").encode() + ",".join(texts).encode())
            start += len(chunk)
    file.write(b"]")


def _json_cells(column: pa.Array, variable: Variable | None) -> pa.Array:
    """Return the JSON text of every case, null where it is missing."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _json_cells(column.cast(kind.value_type), variable)
    if pa.types.is_boolean(kind):
        return pc.if_else(column, "true", "false")
    if variable is None or pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return _strings(column)
    texts = cells(column, variable, _LAYOUT)
    if pa.types.is_integer(kind):
        return texts
    if not pa.types.is_floating(kind):
        return pc.binary_join_element_wise('"', texts, '"', "")
    for special, string in _SPECIAL:
        texts = pc.if_else(pc.equal(texts, special), string, texts)
    return texts


def _strings(column: pa.Array) -> pa.Array:
    quoted = pc.binary_join_element_wise('"', column.cast(pa.string()), '"', "")
    escaped = pc.match_substring_regex(column, _ESCAPED).fill_null(False)
    if not pc.any(escaped).as_py():
        return quoted
    # Rare enough to be spelled one by one.
    spelled = [json.dumps(text, ensure_ascii=False) for text in column.filter(escaped).to_pylist()]
    return pc.replace_with_mask(quoted, escaped, pa.array(spelled, pa.string()))
