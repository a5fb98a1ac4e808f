"""Metadata as JSON: the law of the round trip, and what is refused."""

from __future__ import annotations

import dataclasses
import datetime
import json
import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.metadata import (
    FileFacts,
    encode,
    facts_from_json,
    facts_to_json,
    variable_from_json,
    variable_to_json,
)
from tabkit.model import Category, MissingRange, Origin, Table, Variable
from tests.write.metadata_strategies import full_tables, variables


@given(variables("x"), st.booleans())
def test_a_variable_comes_back(variable: Variable, full: bool) -> None:
    """Through the bytes of a file, with the types of its codes."""
    data = json.loads(encode(variable_to_json(variable, full=full)))
    back = variable_from_json(data)
    assert back == variable
    assert [type(c.value) for c in back.categories] == [type(c.value) for c in variable.categories]


@given(full_tables())
def test_facts_come_back(table: Table) -> None:
    """Label, notes, response sets, attributes, origin."""
    facts = FileFacts(table.label, table.notes, table.response_sets, table.attributes, table.origin)
    assert facts_from_json(json.loads(encode(facts_to_json(table)))) == facts


def test_no_attribute_is_forgotten() -> None:
    """A field added to the model without a place in the JSON shows here."""
    assert set(variable_to_json(Variable("x"), full=True)) == {
        field.name for field in dataclasses.fields(Variable)
    }
    table = Table(pa.table({}), (), origin=Origin(file_name="a.sav"))
    facts = facts_to_json(table, full=True)
    assert set(facts) == {field.name for field in dataclasses.fields(FileFacts)}
    assert facts["origin"] == {"file_name": "a.sav"}


def test_every_fact_of_the_origin_comes_back() -> None:
    """Texts, numbers and moments."""
    moment = datetime.datetime(2024, 2, 29, 1, 2, 3, tzinfo=datetime.UTC)
    names = [field.name for field in dataclasses.fields(Origin)]
    given = dict.fromkeys(names, "é") | {"size": 7, "created": moment, "modified": moment}
    table = Table(pa.table({}), (), origin=Origin(**given))  # type: ignore[arg-type]
    assert facts_from_json(json.loads(encode(facts_to_json(table)))).origin == table.origin


def test_only_what_is_set_is_written() -> None:
    """A file of ten thousand variables does not repeat ten thousand times that nothing is known."""
    assert variable_to_json(Variable("x")) == {"name": "x"}
    infinite = Variable("x", missing_ranges=(MissingRange(-math.inf, -1.0),))
    assert variable_to_json(infinite)["missing_ranges"] == [{"low": None, "high": -1.0}]


def test_lone_surrogates_survive() -> None:
    """Text that is no Unicode is kept as JSON escapes; the bytes are valid UTF-8."""
    variable = Variable("x", label="\ud800", categories=(Category(math.inf, "é"),))
    data = encode(variable_to_json(variable))
    assert variable_from_json(json.loads(data.decode())) == variable


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        {"name": 1},
        {"name": "x", "label": None},
        {"name": "x", "kind": "odd"},
        {"name": "x", "kind": []},
        {"name": "x", "decimals": "2"},
        {"name": "x", "weight": 1},
        {"name": "x", "categories": {}},
        {"name": "x", "categories": [{"value": True, "label": "a"}]},
        {"name": "x", "categories": [{"label": "a"}]},
        {"name": "x", "missing_values": [{"float": "x"}]},
        {"name": "x", "missing_ranges": [1]},
        {"name": "x", "missing_ranges": [{"low": "a"}]},
        {"name": "x", "attributes": [["a"]]},
        {},
    ],
)
def test_wrong_types_are_refused(data: object) -> None:
    """What a file claims is checked: one kind of error for all."""
    with pytest.raises(ValueError, match=r"."):
        variable_from_json(data)


def test_unknown_keys_are_ignored() -> None:
    """A later version may say more."""
    assert variable_from_json({"name": "x", "mood": "good"}) == Variable("x")
