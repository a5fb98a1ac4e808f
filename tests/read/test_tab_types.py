"""Types by the look of cells: the same for one block and for many."""

from __future__ import annotations

import functools

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read.tab_types import BARE, type_of

CELLS = ["", "1", "-2", "1.5", "NaN", "2020-02-29", "2021-02-29", "2020-01-01 10:00:00",
         "2020-01-01 10:00:00Z", "10:00:00", '"a"', '""', "a"]  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["", ""], None),
        (["1", "", "-2"], pa.int64()),
        (["1", "1.5", "NaN", "-Inf"], pa.float64()),
        (["2020-02-29", ""], pa.date32()),
        (["2021-02-29"], BARE),
        (["2020-01-01 10:00:00.5"], pa.timestamp("us")),
        (["2020-01-01 10:00:00Z"], pa.timestamp("us", "UTC")),
        (["-100:00:00"], pa.duration("us")),
        (['"a"', '""'], pa.string()),
        (['"a"', "a"], BARE),
        (["2020", "2020-02-29"], BARE),
    ],
)
def test_shapes(cells: list[str], kind: pa.DataType | None) -> None:
    """A type is what every filled cell looks like."""
    assert type_of(pa.array(cells, pa.string())) == kind


@given(st.lists(st.sampled_from(CELLS), max_size=6), st.integers(0, 6))
def test_blocks_do_not_matter(cells: list[str], cut: int) -> None:
    """Whole numbers in one block and dates in the next are text, as in one block."""
    parts = [pa.array(each, pa.string()) for each in (cells[:cut], cells[cut:])]
    whole = type_of(pa.array(cells, pa.string()))
    assert functools.reduce(lambda before, part: type_of(part, before), parts, None) == whole
    singly = [pa.array([each], pa.large_string()) for each in cells]
    assert functools.reduce(lambda before, part: type_of(part, before), singly, None) == whole
