"""SAS transport files: the law of the ledger, and what other readers find in them."""

from __future__ import annotations

import datetime
import math
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabkit.errors import FormatError
from tabkit.loss import Loss
from tabkit.model import TAG_LETTERS, Kind, Table, Variable
from tabkit.read import read
from tabkit.read.sas import open_xpt
from tabkit.write.stat import write_xpt
from tests.write import stat_laws as laws
from tests.write.metadata_strategies import full_tables


@settings(max_examples=40)
@given(st.sampled_from([None, 5, 8]), full_tables())
def test_what_the_ledger_does_not_name_comes_back(version: int | None, table: Table) -> None:
    """Names, labels, values and tags."""
    trip = laws.travel(table, lambda t, path: write_xpt(t, path, version=version), open_xpt)
    laws.check_names(trip)
    laws.check_labels(trip)
    laws.check_data(trip, blank_is_missing=True)
    laws.check_tags(trip)


@given(st.lists(st.floats(width=64) | st.integers(-(2**53), 2**53).map(float), max_size=30))
def test_every_double_of_its_range_is_exact(values: list[float]) -> None:
    """An IBM double has 53 bits at least; what is beyond its powers of 16 is told."""
    table = Table(pa.table({"X": pa.array(values, pa.float64())}), (Variable("X"),))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.xpt"
        told = {loss.what: loss.count for loss in write_xpt(table, path)}
        frame, _ = pyreadstat.read_xport(path)
        back = read(path).data["X"].to_pylist()
    size = np.abs(np.array(values, float))
    large, small = size >= 16.0**63, (size > 0) & (size < 16.0**-65)
    assert told.get("numbers of 7.2e75 and more became missing", 0) == large.sum()
    assert told.get("numbers below 5.4e-79 became 0", 0) == small.sum()
    gone = large | np.isnan(size)
    wanted = np.where(gone, np.nan, np.where(small, 0, values)) + 0.0
    assert np.array_equal(np.array(back, float), wanted, equal_nan=True)
    assert np.array_equal(frame["X"].to_numpy(float), wanted, equal_nan=True)


@pytest.mark.parametrize("version", [5, 8])
def test_tags_keep_their_letters(version: int, tmp_path: Path) -> None:
    """``.A`` to ``.Z`` and ``._``."""
    letters = list(range(len(TAG_LETTERS)))
    tags = {"X": pa.chunked_array([letters], pa.int8())}
    table = Table(pa.table({"X": pa.nulls(len(letters), pa.float64())}), (Variable("X"),), tags)
    assert write_xpt(table, tmp_path / "t.xpt", version=version) == ()
    assert read(tmp_path / "t.xpt").missing_tags["X"].to_pylist() == letters
    if version == 5:  # pandas reads no other
        assert pd.read_sas(tmp_path / "t.xpt")["X"].isna().all()


def test_version_5_where_it_holds_all(tmp_path: Path) -> None:
    """As the FDA wants it; version 8 where a name, label, string or format is longer."""
    data = pa.table({"X": [1.0], "S": ["abc"]})
    plain = (Variable("X", "L" * 40), Variable("S"))
    write_xpt(Table(data, plain), tmp_path / "t.xpt")
    assert read(tmp_path / "t.xpt").origin.format_version == "5"
    for longer in (
        Table(data, (Variable("X", "L" * 41), Variable("S"))),
        Table(pa.table({"lower": [1.0]}), (Variable("lower"),)),
        Table(pa.table({"S": ["x" * 201]}), (Variable("S"),)),
        Table(pa.table({"X": [1.0]}), (Variable("X", display_format="LONGFORMAT8."),)),
        Table(pa.table({"S": ["x", ""]}), (Variable("S"),)),
    ):
        write_xpt(longer, tmp_path / "t.xpt")
        back = read(tmp_path / "t.xpt")
        assert back.origin.format_version == "8"
        assert back.cases == longer.cases
        assert back.variables[0].label == longer.variables[0].label
        assert back.variables[0].display_format == longer.variables[0].display_format


def test_version_5_tells_what_it_cuts(tmp_path: Path) -> None:
    """Eight characters of a name, forty of a label, two hundred of a string."""
    table = Table(
        pa.table({"long_name": ["x" * 300]}), (Variable("long_name", "L" * 50),), label="é" * 30
    )
    assert write_xpt(table, tmp_path / "t.xpt", version=5) == (
        Loss("strings of more than 200 bytes were cut", "long_name", 1),
        Loss("the name became LONG_NAM", "long_name"),
        Loss(f"the variable label became {'L' * 40!r}", "long_name"),
        Loss(f"the file label became {'é' * 20!r}"),
        Loss("the encoding: a transport file does not tell that its text is UTF-8"),
    )
    frame, facts = pyreadstat.read_xport(tmp_path / "t.xpt")
    assert frame["LONG_NAM"].tolist() == ["x" * 200]
    assert facts.column_labels == ["L" * 40]


@pytest.mark.parametrize("version", [5, 8])
def test_dates_and_times(version: int, tmp_path: Path) -> None:
    """With the formats that tell what they are; other readers agree."""
    moment = datetime.datetime(2024, 2, 29, 1, 2, 3, 500_000)
    data = pa.table({"D": [moment.date()], "T": [moment], "U": [datetime.timedelta(hours=30)]})
    variables = tuple(Variable(name, kind=Kind.CHARACTER) for name in data.column_names)
    assert write_xpt(Table(data, variables), tmp_path / "t.xpt", version=version) == ()
    back = read(tmp_path / "t.xpt")
    assert back.data.to_pylist() == data.to_pylist()
    formats = [each.display_format for each in back.variables]
    assert formats == ["DATE9.", "DATETIME20.", "TIME8."]
    frame, _ = pyreadstat.read_xport(tmp_path / "t.xpt")
    assert frame["D"].tolist() == [moment.date()]
    assert frame["T"].tolist() == [moment]


def test_formats_of_other_packages(tmp_path: Path) -> None:
    """Decimals, commas and kinds of dates are carried over; SAS's own stay."""
    day = datetime.date(2024, 1, 1)
    cases = {
        "F8.2": (1.0, "F8.2"), "%9.3f": (1.0, "9.3"), "COMMA10.2": (1.0, "COMMA10.2"),
        "%12.0fc": (1.0, "COMMA12."), "%9.0g": (1.0, "BEST9."), "SEXFMT.": (1.0, "SEXFMT."),
        "DATE11": (day, "DATE9."), "EDATE10": (day, "DDMMYY10."), "YYMMDD10.": (day, "YYMMDD10."),
        "%td": (day, "DATE9."), "": (1.0, ""), "$GENDER8.": ("m", "$GENDER8."), "A8": ("m", ""),
    }  # fmt: skip
    columns = {f"V{n}": [value] for n, (value, _) in enumerate(cases.values())}
    variables = [Variable(f"V{n}", display_format=text) for n, text in enumerate(cases)]
    write_xpt(Table(pa.table(columns), tuple(variables)), tmp_path / "t.xpt")
    found = [each.display_format for each in read(tmp_path / "t.xpt").variables]
    assert found == [wanted for _, wanted in cases.values()]


def test_blank_cases_at_the_end(tmp_path: Path) -> None:
    """Version 8 counts the cases; version 5 cannot tell them from filling."""
    table = Table(pa.table({"S": ["x", "", None]}), (Variable("S"),))
    write_xpt(table, tmp_path / "t.xpt")
    assert read(tmp_path / "t.xpt").cases == 3
    ledger = write_xpt(table, tmp_path / "t.xpt", version=5)
    assert Loss("blank cases at the end look like filling", "", 2) in ledger


def test_blocks_do_not_show(tmp_path: Path) -> None:
    """More cases than one block has; widths of numbers that a source had."""
    rng = np.random.default_rng(3)
    data = pa.table(
        {"X": rng.normal(size=100_003), "N": rng.integers(0, 99, 100_003).astype(float)}
    )
    table = Table(data, (Variable("X", storage="num8"), Variable("N", storage="num3")))
    assert write_xpt(table, tmp_path / "t.xpt") == ()
    back = read(tmp_path / "t.xpt")
    assert back.data.equals(data)
    assert [each.storage for each in back.variables] == ["num8", "num3"]


def test_real_files_come_back(corpus: Path, tmp_path: Path) -> None:
    """XPT and SAS7BDAT -> XPT: data, tags, labels and formats."""
    seen = 0
    for path in sorted([*corpus.glob("xpt/*"), *corpus.glob("sas7bdat/*.sas7bdat")]):
        try:
            table = read(path)
        except FormatError:
            continue
        ledger = write_xpt(table, tmp_path / "t.xpt")
        back = read(tmp_path / "t.xpt")
        renamed = any("name became" in loss.what for loss in ledger)
        assert back.data.columns == table.data.columns, path
        assert {n: t.to_pylist() for n, t in back.missing_tags.items()} == {
            n: t.to_pylist() for n, t in table.missing_tags.items()
        }
        for old, new in zip(table.variables, back.variables, strict=True):
            assert new.name == old.name or renamed
            assert new.label == old.label
            assert new.display_format == old.display_format
            assert new.attributes == old.attributes
        assert back.label == table.label
        seen += 1
    assert seen > 25


def test_infinite_numbers_are_told(tmp_path: Path) -> None:
    """And not-a-number."""
    table = Table(pa.table({"X": [math.inf, math.nan, -1e80]}), (Variable("X"),))
    assert write_xpt(table, tmp_path / "t.xpt") == (
        Loss("not-a-number became missing", "X", 1),
        Loss("numbers of 7.2e75 and more became missing", "X", 2),
    )
    assert read(tmp_path / "t.xpt").data["X"].null_count == 3
