"""Numbers in memory or in a temporary file: what comes back, and what is described, is the same."""

from __future__ import annotations

import gc
import math
import tempfile
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe import Describer
from tabkit.describe import store as store_module
from tabkit.describe.store import Budget, ColumnStore
from tabkit.errors import OutputError
from tabkit.model import Block, Table, Variable
from tabkit.profiles import DATAVERSE, TABKIT, Profile
from tabkit.read import stream_of
from tests.strategies import tables

if TYPE_CHECKING:
    from pathlib import Path

KINDS = ("i1", "i2", "i4", "i8", "u1", "u4", "u8", "f4", "f8")


@st.composite
def columns(draw: st.DrawFn) -> list[np.ndarray[Any, np.dtype[Any]]]:
    """Blocks of one type, narrow and wide ones in turn."""
    kind = np.dtype(draw(st.sampled_from(KINDS)))
    small = st.integers(0, 9)
    if kind.kind == "f":
        wide: st.SearchStrategy[float] = st.floats(allow_nan=False, width=8 * kind.itemsize)
    else:
        wide = st.integers(int(np.iinfo(kind).min), int(np.iinfo(kind).max))
    blocks = st.lists(st.lists(small, max_size=5) | st.lists(wide, max_size=5), max_size=6)
    return [np.array(block, kind) for block in draw(blocks)]


@given(st.lists(columns(), min_size=1, max_size=3), st.sampled_from([0, 7, 20, 60, math.inf]))
def test_what_comes_back_is_what_went_in(
    table: list[list[np.ndarray[Any, np.dtype[Any]]]], memory: float
) -> None:
    """In order, in the type that memory alone gives, the sign of zero included."""
    budget = Budget(memory)
    stores = [budget.store() for _ in table]
    for turn in range(6):
        for store, blocks in zip(stores, table, strict=True):
            for block in blocks[turn : turn + 1]:
                store.append(block)
    for store, blocks in zip(stores, table, strict=True):
        kept = ColumnStore()
        for block in blocks:
            kept.append(block)
        found, wanted = store.concatenated(), kept.concatenated()
        assert found.dtype == wanted.dtype
        assert found.tobytes() == wanted.tobytes()
        assert not len(store.concatenated())
    assert budget._held == 0


def described(table: Table, profile: Profile, memory: float) -> str:
    """Describe a table, block by block and each in two parts."""
    describer = Describer(table.data.schema, table.variables, profile, table.origin, memory=memory)
    for block in stream_of(table).blocks:
        middle = block.data.num_rows // 2
        for start, size in ((0, middle), (middle, None)):
            tags = {name: tags.slice(start, size) for name, tags in block.missing_tags.items()}
            describer.append(Block(block.data.slice(start, size), tags))
            describer._work()  # not gathered
    return repr(describer.finish())


@given(tables(), st.sampled_from([TABKIT, DATAVERSE]))
def test_memory_does_not_matter(table: Table, profile: Profile) -> None:
    """Nothing in memory, or everything: the same description to the last digit."""
    assert described(table, profile, 0) == described(table, profile, math.inf)


def test_memory_stays_under_the_budget() -> None:
    """All columns together, after every block; each is read back whole."""
    budget = Budget(100_000)
    stores = [budget.store() for _ in range(5)]
    rng = np.random.default_rng(1)
    for _ in range(20):
        for store in stores:
            store.append(rng.random(1000))
            assert budget._held <= 100_000
    assert [len(store.concatenated()) for store in stores] == [20_000] * 5


def test_a_type_wider_than_the_file_is_read_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "_CHUNK", 7)
    store = Budget(0).store()
    store.append(np.arange(100))
    store.append(np.arange(1000, 1100))
    store.append(np.array([0.5]) * 2)
    assert store.concatenated().tolist() == [*range(100), *range(1000, 1100), 1.0]


def test_nothing_is_left_of_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no name while it is used, and an abandoned description closes it."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    schema = pa.schema([("v", pa.float64())])
    describer = Describer(schema, (Variable("v"),), memory=0)
    describer.append(Block(pa.record_batch([pa.array([1.5, 2.5])], schema=schema)))
    describer._work()
    assert not list(tmp_path.iterdir())
    del describer  # a file left open would be a warning
    gc.collect()


def test_a_folder_that_takes_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line that says what to do."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "absent"))
    store = Budget(0).store()
    with pytest.raises(OutputError, match=r"temporary file of 8 bytes cannot be made.*TMPDIR"):
        store.append(np.array([0.5]))
