"""Archival tables read back: types by quotes, and every fingerprint kept."""

from __future__ import annotations

import datetime as dt
import tempfile
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tabkit
from tabkit.model import Table, Variable
from tabkit.read.tab_stream import is_archival
from tabkit.write.tab import write_tab

COLUMNS = {
    "text": (pa.string(), st.text(st.characters(codec="utf-8", exclude_characters="\0"))),
    "whole": (pa.int64(), st.integers(-(10**17), 10**17)),
    "real": (pa.float64(), st.floats(width=64)),
    "day": (pa.date32(), st.dates()),
    "moment": (pa.timestamp("us"), st.datetimes()),
    "zoned": (pa.timestamp("us", "UTC"), st.datetimes(timezones=st.just(dt.UTC))),
    "clock": (pa.time64("us"), st.times()),
    "span": (
        pa.duration("us"),
        st.timedeltas(dt.timedelta(-90), dt.timedelta(90)),
    ),
}


@st.composite
def tables(draw: st.DrawFn) -> pa.Table:
    rows = draw(st.integers(1, 6))
    columns = {
        name: pa.array(draw(st.lists(st.none() | values, min_size=rows, max_size=rows)), kind)
        for name, (kind, values) in COLUMNS.items()
    }
    return pa.table(columns | {"quoted": pa.array(["x"] * rows)})


@given(tables())
def test_every_fingerprint_is_kept(data: pa.Table) -> None:
    table = Table(data, tuple(Variable(name) for name in data.column_names))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "t.tab")
        write_tab(table, path)
        back = tabkit.read(path)
    assert back.origin.format == "tab"
    one, other = tabkit.describe(table), tabkit.describe(back)
    for name, mine, theirs in zip(data.column_names, one.variables, other.variables, strict=True):
        if data.column(name).null_count < len(data):  # an empty column has lost its type
            assert mine.unf == theirs.unf, name
    if data.column("text").null_count < len(data):
        assert back.data.column("text").equals(data.column("text"))


@pytest.mark.parametrize(
    ("content", "archival"),
    [
        (b'a\tb\n1\t"x"\n', True),
        (b'a\tb\n1\t"x\\ty"\n2020-01-01\t""\n', True),
        (b'"a"\t"b"\n1\t"x"\n', False),
        (b'a\tb\n1\t"x ""y"" z"\n', False),
        (b"a\tb\n1\tx\n", False),
        (b"a\tb\n1\t2\n", False),
        (b'a\tb\n1\t"x"\t3\n', False),
        (b"a\tb\n", False),
    ],
)
def test_what_looks_archival(tmp_path: Path, content: bytes, archival: bool) -> None:
    path = tmp_path / "t.tab"
    path.write_bytes(content)
    assert is_archival(path) == archival


def test_types_are_by_all_fields(tmp_path: Path) -> None:
    path = tmp_path / "t.tab"
    path.write_text('s\tn\td\te\n"x"\t1\t2020-02-29\t\n""\t2.5\t2020-02-30\t\n\t\t\t\n')
    table = tabkit.read(path)
    assert table.data.to_pydict() == {
        "s": ["x", "", None],
        "n": [1.0, 2.5, None],
        "d": ["2020-02-29", "2020-02-30", None],
        "e": [None, None, None],
    }


def test_dataverse_reads_tab_separated_text(tmp_path: Path) -> None:
    path = tmp_path / "t.tab"
    path.write_text('a\tb\n1\t"x"\n')
    assert tabkit.read(path, profile="dataverse").origin.format == "tsv"
