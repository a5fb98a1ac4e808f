"""JSON outputs: valid by their schemas, nothing lost, and JSON for every parser."""

from __future__ import annotations

import dataclasses
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from tabkit.metadata import facts_from_json, variable_from_json
from tabkit.model import (
    TAG_LETTERS,
    Category,
    Description,
    Finding,
    SummaryStats,
    Table,
    Variable,
    VariableDescription,
)
from tabkit.write.json import description_json, write_json
from tests.write.metadata_strategies import full_tables, values

SCHEMAS = Path(__file__).resolve().parents[2] / "schemas"


def schema(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SCHEMAS / name).read_text(encoding="utf-8"))
    return loaded


BOTH = [schema("description.schema.json"), schema("table.schema.json")]
REGISTRY = Registry().with_resources([(each["$id"], Resource.from_contents(each)) for each in BOTH])
DESCRIPTION, TABLE = (Draft202012Validator(each, registry=REGISTRY) for each in BOTH)


def no_constant(text: str) -> None:
    """Python alone reads NaN and Infinity."""
    msg = f"{text} is not JSON"
    raise ValueError(msg)


def written(table: Table) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.json"
        assert write_json(table, path) == ()
        loaded: dict[str, Any] = json.loads(path.read_bytes(), parse_constant=no_constant)
        return loaded


def test_schemas_are_schemas() -> None:
    """By their own standard."""
    for each in BOTH:
        Draft202012Validator.check_schema(each)


@given(full_tables())
def test_a_table_is_whole(table: Table) -> None:
    """Valid by its schema; metadata, values and tags come back."""
    data = written(table)
    TABLE.validate(data)
    assert tuple(map(variable_from_json, data["variables"])) == table.variables
    facts = facts_from_json(data["file"])
    for field in ("label", "notes", "response_sets", "attributes"):
        assert getattr(facts, field) == getattr(table, field)
    assert list(data["data"]) == table.data.column_names
    for name, column in data["data"].items():
        assert_cells(column, table.data[name])
    letters = [None, *(f".{letter}" for letter in TAG_LETTERS[1:])]
    assert data["missing_tags"] == {
        name: [letters[index] for index in tags.to_pylist()]
        for name, tags in table.missing_tags.items()
    }


def assert_cells(cells: list[Any], column: pa.ChunkedArray) -> None:
    assert [cell is None for cell in cells] == column.is_null().to_pylist()
    if pa.types.is_floating(column.type):
        numbers = [None if cell is None else float(cell) for cell in cells]
        back = pa.array(numbers, pa.float64(), from_pandas=False).cast(column.type)
        assert repr(back.to_pylist()) == repr(column.to_pylist())
    elif not pa.types.is_temporal(column.type):
        assert cells == column.to_pylist()


def test_layout() -> None:
    """A line a variable and a line a column."""
    table = Table(
        pa.table({"x": [1.0, None, math.inf], 'a"b': ["\t", "é", None], "d": [True, False, None]}),
        (Variable("x", "Income"), Variable('a"b'), Variable("d")),
        {"x": pa.chunked_array([[0, 1, 0]], pa.int8())},
    )
    with tempfile.TemporaryDirectory() as folder:
        write_json(table, Path(folder) / "t")
        text = (Path(folder) / "t").read_text(encoding="utf-8")
    assert text == (
        '{"tabkit":1,"file":{},"cases":3,"variables":[\n'
        '{"name":"x","label":"Income","type":"double"},\n'
        '{"name":"a\\"b","type":"string"},\n'
        '{"name":"d","type":"bool"}],"data":{\n'
        '"x":[1,null,"Infinity"],\n'
        '"a\\"b":["\\t","é",null],\n'
        '"d":[true,false,null]},"missing_tags":{\n'
        '"x":[null,".a",null]}}\n'
    )


def test_long_columns_are_written_in_pieces() -> None:
    """Seams do not show, however the column is cut."""
    numbers = list(range(70_000))
    column = pa.chunked_array([numbers[:10], numbers[10:66_000], numbers[66_000:]], pa.int32())
    table = Table(pa.table({"x": column}), (Variable("x"),))
    assert written(table)["data"]["x"] == numbers


doubles = st.none() | st.floats()
counts = st.integers(0, 9)
stats = st.builds(
    SummaryStats,
    *(doubles, doubles, st.none() | values, st.none() | counts, st.none() | counts),
    *(doubles, doubles, doubles),
)


@st.composite
def descriptions(draw: st.DrawFn) -> Description:
    table = draw(full_tables())
    results = tuple(
        VariableDescription(
            draw(stats),
            tuple(draw(counts) for _ in variable.categories),
            draw(st.sampled_from(["", "UNF:6:abc=="])),
            tuple(draw(st.lists(st.tuples(values, counts), max_size=2))),
            *(draw(counts), draw(counts), draw(counts)),
            tuple(draw(st.lists(st.tuples(st.just(".a"), counts), max_size=1))),
        )
        for variable in table.variables
    )
    findings = (Finding("odd", "warning", "x"),)
    table = dataclasses.replace(table, findings=findings)
    return Description(table, results, "UNF:6:x==", table.cases)


@given(descriptions())
def test_a_description_is_valid_by_its_schema(description: Description) -> None:
    """Whatever the source states and whatever was computed; JSON without NaN."""
    data = json.loads(json.dumps(description_json(description), allow_nan=False))
    DESCRIPTION.validate(data)
    assert tuple(map(variable_from_json, data["variables"])) == description.table.variables
    assert data["cases"] == description.cases


def test_not_a_number_is_null() -> None:
    """Statistics of nothing."""
    statistics = SummaryStats(math.nan, mode=None, valid=0, maximum=math.inf, minimum=-math.inf)
    result = VariableDescription(statistics, (3,), "")
    table = Table(pa.table({"x": [1.0]}), (Variable("x", categories=(Category(1.0, "a"),)),))
    data = description_json(Description(table, (result,), "", 1))
    assert data["variables"][0]["statistics"] == {
        "mean": None,
        "median": None,
        "mode": None,
        "valid": 0,
        "invalid": None,
        "minimum": "-Infinity",
        "maximum": "Infinity",
        "stdev": None,
    }
    assert data["variables"][0]["categories"] == [
        {"value": 1.0, "label": "a", "missing": False, "frequency": 3}
    ]


@pytest.mark.parametrize("wrong", [{"cases": -1}, {"unf": "x"}, {"tabkit": 2}, {"more": 1}])
def test_the_schema_refuses_what_is_wrong(wrong: dict[str, object]) -> None:
    """It says something."""
    table = Table(pa.table({"x": [1.0]}), (Variable("x"),))
    result = VariableDescription(SummaryStats(), (), "")
    good = description_json(Description(table, (result,), "", 1))
    DESCRIPTION.validate(good)
    assert not DESCRIPTION.is_valid({**good, **wrong})
    variable = {**good["variables"][0], "extra": 1}
    assert not DESCRIPTION.is_valid({**good, "variables": [variable]})
