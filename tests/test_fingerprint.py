"""The ``unf`` command with parameters of its own, and what it says is hashed, in both profiles."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe import describe
from tabkit.describe.hashed import hashed_arrays
from tabkit.describe.unf import column_unf, combine_unfs, normalized
from tabkit.model import Kind, Origin, Table, Variable
from tabkit.profiles import DATAVERSE, TABKIT, Profile
from tests.strategies import tables

if TYPE_CHECKING:
    from pathlib import Path

NUMBERS = ["1.23456789", "2.5", "", "-0.125"]
TEXTS = ["abcdefgh", "ab", "", "abcdefXX"]


def tabkit(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    """Run the command and check its exit code."""
    command = [sys.executable, "-m", "tabkit", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """A CSV file of a number and a text."""
    path = tmp_path / "f.csv"
    rows = [f"{n},{t}" for n, t in zip(NUMBERS, TEXTS, strict=True)]
    path.write_text("\n".join(["n,t", *rows, ""]), encoding="utf-8")
    return path


def unf_of(data: bytes, header: str) -> str:
    """Hash by the standard: 128 bits of SHA-256, in base64."""
    return f"UNF:6:{header}" + base64.b64encode(hashlib.sha256(data).digest()[:16]).decode()


@pytest.mark.parametrize("profile", ["tabkit", "dataverse"])
def test_numbers_are_hashed_as_numbers(survey: Path, profile: str) -> None:
    """UNF 6, part I: nine digits, under a header that says so, whatever the profile keeps."""
    done = tabkit("unf", survey, "--profile", profile, "--digits", 9, "--json")
    (facts,) = json.loads(done.stdout)
    data = b"+1.23456789e+\n\0+2.5e+\n\0\0\0\0-1.25e-1\n\0"
    assert facts["variables"]["n"] == unf_of(data, "N9:")
    assert facts["unf"] == combine_unfs(facts["variables"].values())
    assert "file UNF made of variable UNFs with N9\n" in done.stderr


@pytest.mark.parametrize("profile", ["tabkit", "dataverse"])
def test_texts_are_cut(survey: Path, profile: str) -> None:
    """Six characters leave ``abcdef`` of both; both parameters are named."""
    choices = ("--profile", profile, "--characters", 6, "--digits", 9)
    done = tabkit("unf", survey, *choices)
    shown = dict(reversed(line.rsplit("\t", 1)) for line in done.stdout.splitlines()[1:])
    hashed = tabkit("unf", survey, *choices, "--explain").stdout.splitlines()[4:]
    assert [line.split("\t")[-1] for line in hashed][::3] == [r"b'abcdef\n\x00'"] * 2
    assert shown["t"].startswith("UNF:6:X6,N9:")
    assert "with X6,N9\n" in done.stderr


def test_defaults_are_not_mentioned(survey: Path) -> None:
    assert tabkit("unf", survey).stderr == ""
    assert "N9" not in tabkit("unf", survey, "--digits", 9).stdout.splitlines()[0]


@pytest.mark.parametrize("profile", ["tabkit", "dataverse"])
def test_explained_bytes_make_the_fingerprint(survey: Path, profile: str) -> None:
    """Hashing what is shown gives what is printed."""
    choices = ("--profile", profile, "--digits", 3)
    lines = tabkit("unf", survey, *choices, "--explain").stdout.splitlines()
    shown = [line.split("\t")[-1] for line in lines if line.startswith("n\t")]
    assert shown == [r"b'+1.23e+\n\x00'", r"b'+2.5e+\n\x00'", r"b'\x00\x00\x00'",
                     r"b'-1.25e-1\n\x00'"]  # fmt: skip
    (facts,) = json.loads(tabkit("unf", survey, *choices, "--json").stdout)
    data = b"+1.23e+\n\0+2.5e+\n\0\0\0\0-1.25e-1\n\0"
    assert facts["variables"]["n"] == unf_of(data, "N3:")


def test_files_are_compared_by_their_bytes(survey: Path, tmp_path: Path) -> None:
    """Values written otherwise but hashed alike do not differ; the first that does is shown."""
    other = tmp_path / "g.csv"
    text = survey.read_text(encoding="utf-8").replace("2.5,ab", "2.50,aX")
    other.write_text(text + "7,z\n", encoding="utf-8")
    shown = tabkit("unf", survey, other, "--explain", "--profile", "dataverse").stdout
    assert "n: 1 cases differ, first case 5:\n" in shown
    assert "no such case\n" in shown
    assert "t: 2 cases differ, first case 2:\n" in shown
    assert shown.endswith("0 variables are hashed from the same bytes\n")
    assert tabkit("unf", survey, survey, "--explain").stdout.startswith("2 variables")


@pytest.mark.parametrize("choice", [("--digits", 1), ("--digits", 17), ("--characters", 0)])
def test_parameters_have_bounds(survey: Path, choice: tuple[str, int]) -> None:
    assert "--digits is 2 to 16" in tabkit("unf", survey, *choice, code=2).stderr


@given(
    tables(min_cases=1),
    st.sampled_from([TABKIT, DATAVERSE]),
    st.integers(2, 16),
    st.integers(1, 200),
)
def test_hashed_arrays_make_the_fingerprint(
    table: Table, profile: Profile, digits: int, characters: int
) -> None:
    """What is kept is what was hashed, case by case, under any parameters."""
    description = describe(table, profile, digits=digits, characters=characters)
    for variable, described in zip(table.variables, description.variables, strict=True):
        arrays = hashed_arrays(table, variable.name, profile)
        assert sum(map(len, arrays)) == table.cases
        column = pa.chunked_array(arrays)
        assert column_unf(column, digits=digits, characters=characters) == described.unf
        cases = list(normalized(column, digits=digits, characters=characters))
        assert len(cases) == table.cases
        assert described.unf.endswith(unf_of(b"".join(cases), "")[len("UNF:6:") :])


def bare(values: list[str | None], **facts: str) -> Table:
    """A table of one variable whose text an archival table prints bare, as from an SPSS file."""
    kind = Kind.CHARACTER if facts else Kind.NUMERIC
    variable = Variable("v", kind=kind, bare=True, **facts)
    data = pa.table({"v": pa.array(values, pa.large_string())})
    return Table(data, (variable,), origin=Origin(format="sav"))


def test_dates_are_shown_under_the_settled_pattern() -> None:
    """One fraction makes the pattern longer, for the cases before it, too."""
    values = ["2001-02-03 04:05:06", None, "2001-02-03 04:05:06.5"]
    table = bare(values, display_format="yyyy-MM-dd HH:mm:ss", format_category="time")
    arrays = hashed_arrays(table, "v", DATAVERSE)
    unf = describe(table, DATAVERSE).variables[0].unf
    assert column_unf(pa.chunked_array(arrays)) == unf
    assert pa.chunked_array(arrays).to_pylist()[0] == values[0]
    short = bare(values[:2], display_format="yyyy-MM-dd HH:mm:ss", format_category="time")
    assert hashed_arrays(short, "v", DATAVERSE)[0].to_pylist()[0].startswith("2001-02-03T04:05:06")


def test_printed_numbers_are_read_back() -> None:
    """Text that no Java parser reads is missing; a discrete variable has no -0."""
    arrays = hashed_arrays(bare(["1.5", "Inf", "x", None]), "v", DATAVERSE)
    assert pa.chunked_array(arrays).to_pylist() == [1.5, float("inf"), None, None]


def test_a_table_without_cases_has_nothing_to_show() -> None:
    assert hashed_arrays(bare([]), "v", DATAVERSE) == []
