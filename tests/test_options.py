"""Options: the keywords of Python's calls and the options of the command line are the fields."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from tabkit.options import ReadChoices, ReadOptions, read_options
from tabkit.profiles import DATAVERSE


def test_choices_are_the_fields() -> None:
    """What `open_table` takes is what a reader is given, in the same order."""
    names = [field.name for field in dataclasses.fields(ReadOptions)]
    assert list(ReadChoices.__annotations__) == names
    assert not ReadChoices.__required_keys__


def test_forms_that_people_write() -> None:
    """Names, paths as text and lists become what readers take."""
    options = read_options(profile="dataverse", codebook="x.xml", sheet=2, text_columns=["a"])
    assert options == ReadOptions(
        profile=DATAVERSE, codebook=Path("x.xml"), sheet="2", text_columns=frozenset({"a"})
    )


@given(st.integers(0, 2_000_000))
def test_blocks_are_bounded_in_cells_and_cases(columns: int) -> None:
    """Of many cases they have fewer cells, of few cases more, but never many times as many."""
    options = ReadOptions()
    rows = options.rows_of(columns)
    cells = rows * max(columns, 1)
    assert 1 <= rows <= options.block_rows
    assert cells <= 3 * options.block_cells or rows == 1
    if rows > 2048:
        assert cells <= 0.4 * options.block_cells
    if columns and 256 * columns <= options.block_cells:
        assert rows >= 256


def test_a_block_of_a_few_hundred_cases_is_one_however_many_columns() -> None:
    assert ReadOptions().rows_of(20_000) >= 200
    assert ReadOptions().rows_of(41_723) >= 100
