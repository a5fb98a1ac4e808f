"""Stata files: the law of the ledger, and what other readers find in them."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabkit.errors import FormatError
from tabkit.loss import Loss
from tabkit.model import TAG_LETTERS, Category, Kind, Table, Variable
from tabkit.read import read
from tabkit.read.stata import open_dta
from tabkit.write.stat import write_dta
from tests.write import stat_laws as laws
from tests.write.metadata_strategies import full_tables

if TYPE_CHECKING:
    from pathlib import Path


@settings(max_examples=30)
@given(full_tables())
def test_what_the_ledger_does_not_name_comes_back(table: Table) -> None:
    """Names, labels, values, tags, categories, attributes, notes."""
    trip = laws.travel(table, write_dta, open_dta)
    laws.check_names(trip)
    laws.check_labels(trip)
    laws.check_data(trip, blank_is_missing=True)
    laws.check_tags(trip)
    laws.check_categories(trip)
    laws.check_attributes(trip)
    if "notes" not in trip.told(""):
        assert trip.back.notes == table.notes


def simple(column: pa.Array | pa.ChunkedArray, **stated: object) -> Table:
    return Table(pa.table({"x": column}), (Variable("x", **stated),))  # type: ignore[arg-type]


def written(table: Table, folder: Path) -> tuple[tuple[Loss, ...], Table]:
    ledger = write_dta(table, folder / "t.dta")
    return ledger, read(folder / "t.dta")


@pytest.mark.parametrize(
    ("column", "storage"),
    [
        (pa.array([-127, 100, None], pa.int8()), "byte"),
        (pa.array([-128, 5], pa.int8()), "int"),
        (pa.array([101], pa.int8()), "int"),
        (pa.array([32_740], pa.int16()), "int"),
        (pa.array([32_741], pa.int16()), "long"),
        (pa.array([2_147_483_620], pa.int32()), "long"),
        (pa.array([2_147_483_621], pa.int32()), "double"),
        (pa.array([5], pa.int64()), "long"),
        (pa.array([2**53], pa.int64()), "double"),
        (pa.array([1.5, math.inf][:1], pa.float32()), "float"),
        (pa.array([1.7e38], pa.float32()), "float"),
        (pa.array([1.8e38], pa.float32()), "double"),
        (pa.array([8.9e307]), "double"),
        (pa.array([True, None]), "byte"),
        (pa.array([""]), "str1"),
        (pa.array(["é" * 1022, "x"]), "str2044"),
        (pa.array(["x" * 2045]), "str2045"),
        (pa.array(["x" * 2046, None, "y"]), "strL"),
        (pa.array([datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]), "long"),
    ],
)  # fmt: skip
def test_types_stay_as_narrow_as_they_can(column: pa.Array, storage: str, tmp_path: Path) -> None:
    """Stata's ranges end before those of the same number of bits."""
    _, back = written(simple(column), tmp_path)
    assert back.variables[0].storage == storage
    found = laws.cells(back.data["x"], blank_is_missing=True)
    assert found == laws.cells(pa.chunked_array([column]), blank_is_missing=True)
    frame = pd.read_stata(tmp_path / "t.dta", convert_dates=False)
    assert len(frame) == len(column)


def test_tags_keep_their_letters(tmp_path: Path) -> None:
    """In every numeric type; ``._`` is of SAS alone."""
    letters = list(range(len(TAG_LETTERS)))
    tags = pa.chunked_array([letters], pa.int8())
    kinds = {"b": pa.int8(), "i": pa.int16(), "l": pa.int32(), "f": pa.float32(), "d": pa.float64()}
    data = pa.table({name: pa.nulls(len(letters), kind) for name, kind in kinds.items()})
    table = Table(data, tuple(map(Variable, kinds)), dict.fromkeys(kinds, tags))
    ledger, back = written(table, tmp_path)
    assert ledger == tuple(
        Loss("missings tagged ._ became plain missings", name, 1) for name in kinds
    )
    for name, kind in kinds.items():
        assert back.missing_tags[name].to_pylist() == [*letters[:-1], 0]
        assert back.data.schema.field(name).type == kind
    frame, facts = pyreadstat.read_dta(tmp_path / "t.dta", user_missing=True)
    assert facts.missing_user_values["d"] == sorted(TAG_LETTERS[1:-1])
    assert frame["d"].tolist()[1:4] == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("display_format", "first"),
    [("%td", (1960, 2, 29)), ("%tw", (1959, 12, 24)), ("%tm", (2024, 2, 1)),
     ("%tq", (2024, 10, 1)), ("%th", (1955, 7, 1)), ("%tdD_m_Y", (2024, 2, 29))],
)  # fmt: skip
def test_dates_keep_their_unit(
    display_format: str, first: tuple[int, int, int], tmp_path: Path
) -> None:
    """First days of periods become counts of periods, and back."""
    days = pa.array([datetime.date(*first), None, datetime.date(1960, 1, 1)])
    table = simple(days, display_format=display_format, storage="int", kind=Kind.CHARACTER)
    ledger, back = written(table, tmp_path)
    assert ledger == ()
    assert back.variables[0].display_format == display_format
    assert back.variables[0].storage == "int"
    assert back.data["x"].to_pylist() == days.to_pylist()


def test_a_day_within_a_period_stays_a_day(tmp_path: Path) -> None:
    """Rather than losing the day, the format changes."""
    table = simple(pa.array([datetime.date(2024, 2, 2)]), display_format="%tm")
    ledger, back = written(table, tmp_path)
    assert ledger == (Loss("the display format %tm became %td", "x"),)
    assert back.data["x"].to_pylist() == [datetime.date(2024, 2, 2)]


def test_years_and_moments(tmp_path: Path) -> None:
    """Years are counts, moments milliseconds; pandas reads the same."""
    moment = datetime.datetime(2024, 2, 29, 1, 2, 3, 450_000)
    data = pa.table({"y": ["2024", None], "t": [moment, None]})
    stated = (
        Variable("y", display_format="%ty", kind=Kind.CHARACTER, bare=True),
        Variable("t", display_format="%tc", kind=Kind.CHARACTER),
    )
    ledger, back = written(Table(data, stated), tmp_path)
    assert ledger == ()
    assert back.data["y"].to_pylist() == ["2024", None]
    assert back.data["t"].to_pylist() == [moment, None]
    assert pd.read_stata(tmp_path / "t.dta")["t"][0] == moment


def test_long_strings(tmp_path: Path) -> None:
    """Each text once, in two variables, beside missing and empty ones."""
    long = "é" * 2000
    data = pa.table({"a": [long, "x", None, long, ""], "b": ["y", long, long, "", "z" * 3000]})
    table = Table(data, (Variable("a"), Variable("b")))
    ledger, back = written(table, tmp_path)
    assert ledger == (
        Loss("empty strings became missing", "a", 1),
        Loss("empty strings became missing", "b", 1),
    )
    for name in ("a", "b"):
        wanted = [cell or None for cell in data[name].to_pylist()]
        assert back.data[name].to_pylist() == wanted
        assert pd.read_stata(tmp_path / "t.dta")[name].tolist() == [cell or "" for cell in wanted]
    assert (tmp_path / "t.dta").stat().st_size < 4 * 4000 + 3000 + 4000


@given(st.lists(st.none() | st.sampled_from(["", "a", "b" * 2050, "c" * 3000]), max_size=8))
def test_references_of_long_strings(texts: list[str | None]) -> None:
    """Whatever the order of first occurrences."""
    both = pa.table({"a": pa.array(texts, pa.string()), "b": pa.array(texts[::-1], pa.string())})
    stated = (Variable("a", storage="strL"), Variable("b", storage="strL"))
    trip = laws.travel(Table(both, stated), write_dta, open_dta)
    for name in ("a", "b"):
        assert trip.back.data[name].to_pylist() == [t or None for t in both[name].to_pylist()]


def test_value_labels(tmp_path: Path) -> None:
    """Whole numbers and tags have labels; equal sets are stored once; dates by their text."""
    labels = (Category(1.0, "one"), Category(-5.0, ""), Category(".z", "none", missing=True))
    data = pa.table({"a": [1.0], "b": [1.5], "s": ["x"], "d": [datetime.date(2000, 1, 1)]})
    variables = (
        Variable("a", categories=labels),
        Variable("b", categories=(*labels, Category(1.5, "between"), Category(1, "again"))),
        Variable("s", categories=(Category("x", "ex"),), kind=Kind.CHARACTER),
        Variable("d", categories=(Category("2000-01-01", "then"),), kind=Kind.CHARACTER),
    )
    ledger, back = written(Table(data, variables), tmp_path)
    what = "labels of codes that are no whole numbers of Stata's, or are there twice"
    assert ledger == (Loss(what, "b", 2), Loss("labels of strings", "s", 1))
    assert back.variables[0].categories == labels
    assert back.variables[1].categories == labels
    assert back.variables[3].categories == (Category("2000-01-01", "then"),)
    _, facts = pyreadstat.read_dta(tmp_path / "t.dta")
    assert set(facts.variable_to_label.values()) == {"a", "d"}


def test_texts_of_the_file(tmp_path: Path) -> None:
    """Notes, characteristics, labels in characters, the sort order."""
    label = "ü" * 80
    table = Table(
        pa.table({"x": [1.0], "y": [2.0]}),
        (Variable("x", label, attributes=(("note1", "n"), ("src", "y" * 9000))), Variable("y")),
        label=label + "!",
        notes=("first", "second"),
        attributes=(("_lang_c", "de"), ("sortlist", "y x"), ("label define l", '1 `"one"\'')),
    )
    ledger, back = written(table, tmp_path)
    assert ledger == (Loss(f"the file label became {label!r}"),)
    assert back.label == label
    assert back.variables[0] == table.variables[0] or back.variables[0].label == label
    assert back.variables[0].attributes == table.variables[0].attributes
    assert back.notes == table.notes
    assert set(back.attributes) == set(table.attributes)


def test_names(tmp_path: Path) -> None:
    """Reserved words and other characters give way; case makes a difference."""
    names = ["a", "A", "a.b", "a b", "int", "str5", "1x", "x" * 33, "ü"]
    table = Table(pa.table({name: [1.0] for name in names}), tuple(map(Variable, names)))
    _, back = written(table, tmp_path)
    wanted = ["a", "A", "a_b", "a_b_2", "int_", "str5_", "_1x", "x" * 32, "ü"]
    assert back.data.column_names == wanted
    assert list(pd.read_stata(tmp_path / "t.dta").columns) == wanted


def test_numbers_beyond_the_range_are_told(tmp_path: Path) -> None:
    """Where Stata's missing values begin."""
    ledger, back = written(simple(pa.array([math.inf, -math.inf, 9e307, math.nan])), tmp_path)
    assert ledger == (
        Loss("not-a-number became missing", "x", 1),
        Loss("numbers beyond Stata's range became missing", "x", 3),
    )
    assert back.data["x"].null_count == 4


def test_many_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 119 has wider numbers of variables, also in references of long strings."""
    monkeypatch.setattr("tabkit.write.stat_dta._MANY", 2)
    data = pa.table({"a": [1.0], "b": ["x" * 3000], "c": ["y"]})
    variables = (Variable("a"), Variable("b"), Variable("c", storage="strL"))
    ledger, back = written(Table(data, variables, attributes=(("sortlist", "c a"),)), tmp_path)
    assert ledger == ()
    assert back.origin.format_version == "119"
    assert back.data.equals(data)
    assert back.attributes == (("sortlist", "c a"),)
    assert pd.read_stata(tmp_path / "t.dta")["b"].tolist() == ["x" * 3000]


def test_blocks_do_not_show(tmp_path: Path) -> None:
    """More cases than one block has, in chunks of any size."""
    rng = np.random.default_rng(3)
    numbers = rng.normal(size=70_003)
    texts = pa.array(rng.choice(["abc", "d", "e"], len(numbers)))
    data = pa.table({"x": pa.chunked_array([numbers[:9], numbers[9:]]), "s": texts})
    assert (
        write_dta(Table(data, (Variable("x"), Variable("s", storage="strL"))), tmp_path / "t.dta")
        == ()
    )
    assert read(tmp_path / "t.dta").data.equals(data)


def test_real_files_come_back(corpus: Path, tmp_path: Path) -> None:
    """DTA -> DTA: data, tags and every field of every variable."""
    seen = 0
    for path in sorted(corpus.glob("dta/*")):
        try:
            table = read(path)
        except FormatError:
            continue
        ledger, back = written(table, tmp_path)
        if path.name in {"statacar.dta", "stata_int_validranges_117.dta"}:
            continue  # an infinite number; names that Stata reserves
        assert ledger == (), path
        assert back.data.equals(table.data), path
        assert {n: t.to_pylist() for n, t in back.missing_tags.items()} == {
            n: t.to_pylist() for n, t in table.missing_tags.items()
        }
        assert back.variables == table.variables, path
        assert (back.label, back.notes) == (table.label, table.notes)
        assert set(back.attributes) == set(table.attributes)
        seen += 1
    assert seen > 35
