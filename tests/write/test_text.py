"""Comma-separated text: layout by golden text, and that other readers get the values back."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pyarrow as pa
from hypothesis import given

from tabkit.loss import Loss
from tabkit.model import Category, Measure, Table, Variable
from tabkit.write.text import write_csv
from tests.strategies import tables
from tests.write.metadata_strategies import full_tables
from tests.write.test_tab import survey


def written(table: Table) -> str:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.csv"
        write_csv(table, path)
        return path.read_bytes().decode()


def test_layout() -> None:
    """RFC 4180, character by character; missing is nothing, the empty string is quoted."""
    assert written(survey()) == (
        "id,say,x,day,at,took,ok\n"
        '1,"a ""b""",0.5,2024-02-29,2024-02-29 01:02:03.45,30:00:01,1\n'
        "2,tab\there,,,,,0\n"
        ',"",-2,1582-10-15,,00:00:00,\n'
    )


def test_quotes_only_where_needed() -> None:
    """Comma, quote and line ends; header names likewise."""
    cells = ["a,b", 'a"b', "a\nb", "a\rb", " a ", "a;b", None, ""]
    text = written(Table(pa.table({"x,y": cells, "z": [1] * 8}), (Variable("x,y"), Variable("z"))))
    assert text == (
        '"x,y",z\n"a,b",1\n"a""b",1\n"a\nb",1\n"a\rb",1\n a ,1\na;b,1\n,1\n"",1\n'
    )  # fmt: skip


@given(tables(min_cases=1))
def test_pythons_reader_gets_every_field(table: Table) -> None:
    """As many rows and fields as there are cases and variables; strings as they are."""
    rows = list(csv.reader(io.StringIO(written(table), newline="")))
    names = table.data.column_names
    assert rows[0] == names
    if len(names) == 1:  # an empty line is no row for Python
        return
    assert [len(row) for row in rows] == [len(names)] * (table.cases + 1)
    for place, column in enumerate(table.data.columns):
        found = [row[place] for row in rows[1:]]
        if pa.types.is_string(column.type):
            assert found == [cell or "" for cell in column.to_pylist()]
        elif pa.types.is_floating(column.type):
            numbers = [float(cell) if cell else None for cell in found]
            back = pa.array(numbers, pa.float64(), from_pandas=False).cast(column.type)
            assert repr(back.to_pylist()) == repr(column.to_pylist())


@given(full_tables())
def test_the_ledger_names_all_metadata(table: Table) -> None:
    """Only names and values are in the file."""
    with tempfile.TemporaryDirectory() as folder:
        losses = set(write_csv(table, Path(folder) / "t"))
    for variable in table.variables:
        if variable.label:
            assert Loss("variable label", variable.name) in losses
        if variable.categories:
            assert Loss("value labels", variable.name, len(variable.categories)) in losses
        if variable.measure is not Measure.UNKNOWN:
            assert Loss("level of measurement", variable.name) in losses
    if table.notes:
        assert Loss("notes", "", len(table.notes)) in losses
    tagged = {name for name, tags in table.missing_tags.items() if any(tags.to_pylist())}
    what = "tagged missings became plain missings"
    assert {loss.variable for loss in losses if loss.what == what} == tagged


def test_one_variable_with_missing_values() -> None:
    """Many programs skip empty lines: that must not be silent."""
    table = Table(pa.table({"x": [1.0, None, 3.0]}), (Variable("x"),))
    with tempfile.TemporaryDirectory() as folder:
        ledger = write_csv(table, Path(folder) / "t")
        assert (Path(folder) / "t").read_text() == "x\n1\n\n3\n"
    assert ledger == (Loss("missing values are empty lines, which many programs skip", "x", 1),)


def test_dictionaries_and_large_strings() -> None:
    """They are text as any other."""
    column = pa.array(["a,b", None, ""])
    for other in (column.dictionary_encode(), column.cast(pa.large_string())):
        table = Table(pa.table({"x": other, "y": column}), (Variable("x"), Variable("y")))
        assert written(table) == 'x,y\n"a,b","a,b"\n,\n"",""\n'


def test_no_variables_and_no_cases() -> None:
    """An empty table is its header."""
    assert written(Table(pa.table({"x": pa.array([], pa.int8())}), (Variable("x"),))) == "x\n"
    assert written(Table(pa.table({}), ())) == "\n"


def test_categories_are_counted() -> None:
    """With how many there were."""
    variable = Variable("x", categories=(Category(1, "a"), Category(2, "b")))
    with tempfile.TemporaryDirectory() as folder:
        ledger = write_csv(Table(pa.table({"x": [1]}), (variable,)), Path(folder) / "t")
    assert ledger == (Loss("value labels", "x", 2),)
