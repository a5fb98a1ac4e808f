"""Verify: data and codebook agree, or what differs is named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given

import tabkit
from tabkit.model import Table, Variable
from tabkit.write.tab import write_tab
from tests.strategies import tables

if TYPE_CHECKING:
    from pathlib import Path


@given(table=tables(min_cases=1))
def test_what_was_written_is_verified(
    table: Table, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Table and codebook of any table agree, in the archival form and in Parquet."""
    folder = tmp_path_factory.mktemp("verify")
    tabkit.write_codebook(tabkit.describe(table), folder / "t.xml", file_name="t.tab")
    write_tab(table, folder / "t.tab")
    tabkit.convert(_parquet(table, folder), folder / "t.arrow", force=True)
    names = [variable.name for variable in table.variables]
    if all(name.isprintable() and name.strip() == name for name in names):  # XML folds the rest
        assert tabkit.verify(folder / "t.tab", folder / "t.xml") == []
        assert tabkit.verify(folder / "t.arrow", folder / "t.xml") == []


def _parquet(table: Table, folder: Path) -> Path:
    from tabkit.write.arrow import write_parquet

    write_parquet(table, folder / "t.parquet")
    return folder / "t.parquet"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A table of two variables with its codebook."""
    data = pa.table({"a": [1.0, 2.0, None], "b": ["x", "", "z"]})
    table = Table(data, (Variable("a"), Variable("b", kind=tabkit.Kind.CHARACTER)))
    write_tab(table, tmp_path / "t.tab")
    tabkit.write_codebook(tabkit.describe(table), tmp_path / "t.xml", file_name="t.tab")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("2\t", "3\t", "variable a: its UNF is"),
        ('"x"', '"y"', "variable b: its UNF is"),
        ('\t"z"\n', '\t"z"\n4\t"w"\n', "4 cases, the codebook says 3"),
        ("a\tb", "b\ta", "another order"),
        ("a\tb", "a\tc", "only in the codebook: b"),
    ],
)
def test_a_difference_is_named(package: Path, old: str, new: str, said: str) -> None:
    """One changed cell, row or name is found and said."""
    path = package / "t.tab"
    path.write_text(path.read_text().replace(old, new, 1))
    found = tabkit.verify(path, package / "t.xml")
    assert any(said in f"variable {each.variable}: {each.text}" for each in found), found
