"""The archival table: layout by golden text, and the law that it keeps every value."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tabkit.model import Block, Kind, Table, Variable
from tabkit.read import stream_of
from tabkit.read.tab import read_tab
from tabkit.write.tab import tab_appender, write_tab
from tests.strategies import tables


def survey() -> Table:
    """Three cases that need every escape and every type once."""
    data = pa.table(
        {
            "id": pa.array([1, 2, None], pa.int8()),
            "say": ['a "b"', "tab\there", ""],
            "x": [0.5, None, -2.0],
            "day": [datetime.date(2024, 2, 29), None, datetime.date(1582, 10, 15)],
            "at": [datetime.datetime(2024, 2, 29, 1, 2, 3, 450000), None, None],
            "took": [datetime.timedelta(hours=30, seconds=1), None, datetime.timedelta(0)],
            "ok": [True, False, None],
        }
    )
    return Table(data, tuple(Variable(name) for name in data.column_names))


def test_layout(tmp_path: Path) -> None:
    """Design section 3, character by character."""
    write_tab(survey(), tmp_path / "survey.tab")
    assert (tmp_path / "survey.tab").read_text(encoding="utf-8") == (
        "id\tsay\tx\tday\tat\ttook\tok\n"
        '1\t"a \\"b\\""\t0.5\t2024-02-29\t2024-02-29 01:02:03.45\t30:00:01\t1\n'
        '2\t"tab\\there"\t\t\t\t\t0\n'
        '\t""\t-2\t1582-10-15\t\t00:00:00\t\n'
    )


def test_no_header(tmp_path: Path) -> None:
    """``noVarHeader`` leaves out the first line and nothing else."""
    write_tab(survey(), tmp_path / "with.tab")
    write_tab(survey(), tmp_path / "without.tab", header=False)
    lines = (tmp_path / "with.tab").read_bytes().split(b"\n", 1)
    assert (tmp_path / "without.tab").read_bytes() == lines[1]


@given(tables())
def test_reading_back_gives_the_same_table(table: Table) -> None:
    """An archival table and the variables' types are the whole of the data."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t.tab"
        write_tab(table, path)
        back = read_tab(path, table.variables, table.data.schema)
    # NaN differs from itself, so compare what prints.
    for name in table.data.column_names:
        assert str(back.data.column(name).to_pylist()) == str(table.data.column(name).to_pylist())


@given(tables(), st.integers(1, 4))
def test_blocks_do_not_show(table: Table, rows: int) -> None:
    """However the cases are cut into blocks, the bytes are the same."""
    whole, cut = (_bytes_of(table, each) for each in (1000, rows))
    assert whole == cut


def _bytes_of(table: Table, rows: int) -> bytes:
    with tempfile.TemporaryFile() as file:
        append = tab_appender(file, table.variables)
        for block in stream_of(table, rows).blocks:
            append(block)
        file.seek(0)
        return file.read()


def test_a_wide_table_of_no_cases_has_its_header(tmp_path: Path) -> None:
    """Zero cases: one line."""
    names = [f"v{i}" for i in range(5000)]
    data = pa.table({name: pa.array([], pa.float64()) for name in names})
    table = Table(data, tuple(Variable(name) for name in names))
    write_tab(table, tmp_path / "t.tab")
    assert (tmp_path / "t.tab").read_text() == "\t".join(names) + "\n"


def test_sliced_batches_write_their_own_rows(tmp_path: Path) -> None:
    """A block that is a slice of a larger batch must not bring its neighbours along."""
    batch = pa.RecordBatch.from_pydict({"x": ["a", "b", "c", "d"]}).slice(1, 2)
    with (tmp_path / "t").open("wb") as file:
        append = tab_appender(file, (Variable("x", kind=Kind.CHARACTER),), header=False)
        append(Block(batch))
    assert (tmp_path / "t").read_text() == '"b"\n"c"\n'
