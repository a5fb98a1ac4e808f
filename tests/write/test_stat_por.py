"""Portable files of SPSS: the law of the ledger, exact numbers, and what other readers find."""

from __future__ import annotations

import datetime
import math
import shutil
import subprocess
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyreadstat
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tabkit.errors import FormatError
from tabkit.loss import Loss
from tabkit.model import Category, Kind, MissingRange, Table, Variable
from tabkit.read import read
from tabkit.read.por import open_por
from tabkit.read.por_numbers import parse_number
from tabkit.write.stat import write_por
from tabkit.write.stat_por import spell_number
from tests.write import stat_laws as laws
from tests.write.metadata_strategies import full_tables

if TYPE_CHECKING:
    from pathlib import Path


@settings(max_examples=30)
@given(full_tables())
def test_what_the_ledger_does_not_name_comes_back(table: Table) -> None:
    """Names, labels, values, categories, missing values."""
    trip = laws.travel(table, write_por, open_por)
    laws.check_names(trip)
    laws.check_labels(trip)
    laws.check_data(trip, blank_is_missing=False)
    laws.check_categories(trip)
    laws.check_missing(trip)


@given(st.floats(allow_nan=False, allow_infinity=False))
@example(5e-324)
@example(1.7976931348623157e308)
@example(30.0**11)
@example(30.0**-11)
def test_numbers_in_base_30_are_exact(value: float) -> None:
    """The nearest double of the text is the number; the text stays short."""
    text = spell_number(value)
    assert parse_number(text.encode()) == value
    assert len(text) <= 22


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (29.0, "T"), (30.0, "10"), (-2.5, "-2.F"), (0.2, "0.6"), (float(30**25), "1+P")],
)
def test_numbers_as_people_would_write_them(value: float, text: str) -> None:
    """Digits are 0 to 9 and A to T."""
    assert spell_number(value) == text


def survey() -> Table:
    """What a portable file has a place for."""
    data = pa.table(
        {
            "AGE": pa.array([1.0, 2.5, None, 1e300, 1e-300]),
            "S": ["a", "", "said \"'/\\{}~^", "x" * 90, "b"],
            "D": pa.array([datetime.date(2024, 2, 29), *[None] * 4]),
        }
    )
    variables = (
        Variable(
            "AGE", "Age in years", display_format="F8.2", decimals=2, width=8, storage="double",
            weight=True, categories=(Category(99.0, "refused", missing=True), Category(1.0, "one")),
            missing_values=(99.0,), missing_ranges=(MissingRange(-math.inf, -1.0),),
        ),
        Variable(
            "S", "text", Kind.CHARACTER, display_format="A90", width=90, storage="A90",
            categories=(Category("a", "an a"), Category("b", "a b")),
        ),
        Variable(
            "D", "", Kind.CHARACTER, display_format="EDATE10", format_category="date", width=10,
            storage="double",
        ),
    )  # fmt: skip
    return Table(data, variables, notes=("line one\nline two",), attributes=(("author", "me"),))


def test_a_full_file_is_kept_whole() -> None:
    """Nothing in the ledger, and every field of every variable equal."""
    trip = laws.travel(survey(), write_por, open_por)
    assert trip.ledger == ()
    assert trip.back.variables == survey().variables
    assert trip.back.data.equals(survey().data)
    assert trip.back.notes == survey().notes
    assert trip.back.attributes == survey().attributes
    assert trip.back.findings == ()


def test_readstat_finds_the_same(tmp_path: Path) -> None:
    """pyreadstat: values, labels, notes, to the last bit."""
    write_por(survey(), tmp_path / "t.por")
    frame, facts = pyreadstat.read_por(tmp_path / "t.por")
    assert frame["S"].tolist() == survey().data["S"].to_pylist()
    assert frame["AGE"].tolist()[:2] == [1.0, 2.5]
    assert facts.column_names_to_labels["AGE"] == "Age in years"
    assert facts.variable_value_labels["AGE"] == {99.0: "refused", 1.0: "one"}
    assert facts.notes == ["line one", "line two"]


def test_pspp_finds_the_same(tmp_path: Path) -> None:
    """PSPP's own parser accepts the file without a warning."""
    program = shutil.which("pspp-convert")
    if program is None:
        pytest.skip("PSPP is not installed")
    write_por(survey(), tmp_path / "t.por")
    command = [program, tmp_path / "t.por", tmp_path / "t.sav"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    back = read(tmp_path / "t.sav")
    wanted = [1.0, 2.5, None, pytest.approx(1e300), pytest.approx(1e-300, abs=1e-305)]
    assert back.data["AGE"].to_pylist() == wanted
    assert back.data["D"].to_pylist() == survey().data["D"].to_pylist()
    assert back.variables[0].categories == tuple(
        sorted(survey().variables[0].categories, key=lambda each: each.value)
    )


def test_lines_have_eighty_characters(tmp_path: Path) -> None:
    """And end in CR LF; the last is filled."""
    write_por(survey(), tmp_path / "t.por")
    lines = (tmp_path / "t.por").read_bytes().split(b"\r\n")
    assert lines[-1] == b""
    assert {len(line) for line in lines[:-1]} == {80}
    assert lines[-2].endswith(b"Z")


def test_losses(tmp_path: Path) -> None:
    """Text becomes ASCII, names eight characters; each in the ledger's words."""
    columns = {"naïve_name": ["é", "日", "a\tb"], "x": [math.inf, -0.0, math.nan]}
    table = Table(pa.table(columns), (Variable("naïve_name", "Ä"), Variable("x")), label="L")
    assert write_por(table, tmp_path / "t.por") == (
        Loss("the name became NAIVE_NA", "naïve_name"),
        Loss("the name became X", "x"),
        Loss("strings with characters that are not printable ASCII: replaced", "naïve_name", 3),
        Loss("the variable label became 'A'", "naïve_name"),
        Loss("not-a-number became system-missing", "x", 1),
        Loss("file label"),
        Loss("infinite numbers became the largest there are", "x", 1),
        Loss("negative zeros became 0", "x", 1),
    )
    assert read(tmp_path / "t.por").data["NAIVE_NA"].to_pylist() == ["e", "?", "a b"]


def test_blocks_do_not_show(tmp_path: Path) -> None:
    """More cases than one block has."""
    rng = np.random.default_rng(3)
    numbers = np.round(rng.normal(size=70_001), 3) + 0.0
    data = pa.table({"X": numbers, "S": rng.choice(["", "ab"], len(numbers))})
    assert write_por(Table(data, (Variable("X"), Variable("S"))), tmp_path / "t.por") == ()
    assert read(tmp_path / "t.por").data.equals(data)


def test_real_files_come_back(corpus: Path, tmp_path: Path) -> None:
    """POR -> POR: data and every field of every variable, where the text is ASCII."""
    seen = 0
    for path in sorted(corpus.glob("por/*")):
        try:
            table = read(path)
        except FormatError:
            continue
        if write_por(table, tmp_path / "t.por"):
            continue
        back = read(tmp_path / "t.por")
        assert back.data.equals(table.data), path
        assert back.variables == table.variables, path
        assert back.notes == table.notes
        seen += 1
    assert seen > 5
