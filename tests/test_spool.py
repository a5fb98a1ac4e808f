"""A spool gives back column by column, from memory or from its file, what went in by blocks."""

from __future__ import annotations

import tempfile
import threading

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit import spool as spool_module
from tabkit.errors import OutputError
from tabkit.model import Block, Table, TableStream, Variable
from tabkit.read import stream_of
from tabkit.spool import ColumnSpool, spooled
from tests.strategies import tables


def _tagged(table: Table) -> Table:
    """Give the first variable a tag where it is null, ``.a`` and so on in turn."""
    name = table.data.column_names[0]
    null = table.data.column(0).is_null().to_numpy()
    tags = np.where(null, np.arange(len(null)) % 26 + 1, 0).astype(np.int8)
    return Table(table.data, table.variables, {name: pa.chunked_array([pa.array(tags)])})


@given(tables(max_cases=30), st.sampled_from([0, 60, 1 << 20]), st.integers(1, 9))
def test_columns_are_those_of_the_table(table: Table, memory: int, rows: int) -> None:
    """Values, types and tags, whatever is held and however the blocks were cut; twice over."""
    table = _tagged(table)
    with ColumnSpool(table.data.schema, memory) as spool:
        for block in stream_of(table, rows).blocks:
            spool.append(block)
        assert spool.cases == table.cases
        for _ in range(2):
            for index, name in enumerate(table.data.column_names):
                arrays, tags = list(spool.column(index)), list(spool.tags(index))
                assert [len(each) for each in arrays] == [len(each) for each in tags]
                kind = table.data.schema.types[index]
                assert _equal(pa.chunked_array(arrays, kind), table.data.column(index))
                wanted = table.missing_tags.get(name)
                if wanted is not None and table.cases:
                    assert spool.has_tags(name)
                    assert pa.chunked_array(tags, pa.int8()).equals(wanted)


@given(tables(max_cases=30), st.sampled_from([0, 60, 1 << 20]), st.integers(1, 9))
def test_cases_come_back(table: Table, memory: int, rows: int) -> None:
    table = _tagged(table)
    with ColumnSpool(table.data.schema, memory) as spool:
        for block in stream_of(table, 4).blocks:
            spool.append(block)
        parts = list(spool.tables(rows))
    assert [part.num_rows for part, _ in parts[:-1]] == [rows] * (len(parts) - 1)
    if table.cases:
        again = pa.concat_tables([part for part, _ in parts])
        for column, wanted in zip(again.columns, table.data.columns, strict=True):
            assert _equal(column, wanted)
        for name, tags in table.missing_tags.items():
            assert [each for _, found in parts for each in found[name].to_pylist()] == (
                tags.to_pylist()
            )


def test_pieces_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """A column is read back a piece at a time, many blocks to a piece."""
    monkeypatch.setattr(spool_module, "PIECE_BYTES", 8000)
    table = Table(pa.table({"n": np.arange(100_000.0)}), (Variable("n"),))
    with ColumnSpool(table.data.schema, 300_000) as spool:
        for block in stream_of(table, 100).blocks:
            spool.append(block)
        sizes = [array.nbytes for array in spool.column(0)]
        assert max(sizes) <= 8800
        assert len(sizes) < 400  # not one for each of the 1,000 blocks
        assert np.array_equal(np.concatenate(list(spool.column(0))), np.arange(100_000.0))


def test_dictionaries_survive() -> None:
    blocks = [pa.array(["a", "b"]).dictionary_encode(), pa.array(["c"]).dictionary_encode()]
    schema = pa.schema([("t", blocks[0].type)])
    with ColumnSpool(schema, 0) as spool:
        for array in blocks:
            spool.append(Block(pa.RecordBatch.from_arrays([array], schema=schema)))
        found = [text for array in spool.column(0) for text in array.to_pylist()]
    assert found == ["a", "b", "c"]


def test_threads_read_together() -> None:
    table = Table(
        pa.table({f"v{i}": np.arange(50_000.0) + i for i in range(8)}),
        tuple(Variable(f"v{i}") for i in range(8)),
    )
    wrong: list[int] = []
    with ColumnSpool(table.data.schema, 0) as spool:
        for block in stream_of(table, 10_000).blocks:
            spool.append(block)

        def check(index: int) -> None:
            for _ in range(20):
                found = np.concatenate(list(spool.column(index)))
                if not np.array_equal(found, np.arange(50_000.0) + index):
                    wrong.append(index)

        threads = [threading.Thread(target=check, args=(index,)) for index in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not wrong


def test_a_full_disk_is_one_clear_error(
    monkeypatch: pytest.MonkeyPatch, table_of_numbers: Table
) -> None:
    def full(*_: object) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool_module.os, "pwrite", full)
    monkeypatch.setattr(tempfile, "tempdir", None)
    spool = ColumnSpool(table_of_numbers.data.schema, 0)
    with pytest.raises(OutputError, match="no space left on device; set TMPDIR"):
        for block in stream_of(table_of_numbers).blocks:
            spool.append(block)
    spool.close()


def test_a_stream_that_fails_leaves_nothing_open(table_of_numbers: Table) -> None:
    stream = stream_of(table_of_numbers)
    closed: list[bool] = []

    def blocks() -> object:
        try:
            yield from stream.blocks
            msg = "the file broke"
            raise OSError(msg)
        finally:
            closed.append(True)

    broken = TableStream(stream.schema, stream.variables, blocks())  # type: ignore[arg-type]
    with pytest.raises(OSError, match="the file broke"):
        spooled(broken)
    assert closed == [True]


@pytest.fixture
def table_of_numbers() -> Table:
    return Table(pa.table({"n": np.arange(1000.0)}), (Variable("n"),))


def _equal(found: pa.ChunkedArray, wanted: pa.ChunkedArray) -> bool:
    """Compare bit by bit where NaN would not equal itself."""
    if found.type != wanted.type or len(found) != len(wanted):
        return False
    return repr(found.to_pylist()) == repr(wanted.to_pylist())
