"""Parquet and Arrow: the law that a table comes back whole, and what others see of it."""

from __future__ import annotations

import dataclasses
import tempfile
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given

from tabkit.errors import OutputError
from tabkit.loss import Ledger
from tabkit.model import TAG_LETTERS, Category, MissingRange, Table, TableStream, Variable
from tabkit.options import ReadOptions
from tabkit.read import read_all, stream_of
from tabkit.read.arrow import open_arrow, open_parquet
from tabkit.write.arrow import (
    group_rows,
    write_arrow,
    write_arrow_stream,
    write_parquet,
    write_parquet_stream,
)
from tests.write.metadata_strategies import full_tables

Pair = tuple[Callable[[Table, Path], Ledger], Callable[[Path, ReadOptions], TableStream]]
PAIRS: tuple[Pair, ...] = ((write_parquet, open_parquet), (write_arrow, open_arrow))


def there_and_back(table: Table, pair: Pair, options: ReadOptions | None = None) -> Table:
    write, open_ = pair
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "t"
        assert write(table, path) == ()
        return read_all(open_(path, options or ReadOptions()))


def assert_same(back: Table, table: Table) -> None:
    assert back.data.schema.equals(table.data.schema)
    for name in table.data.column_names:
        assert_same_column(back.data[name], table.data[name])
    assert back.missing_tags.keys() == table.missing_tags.keys()
    for name, tags in table.missing_tags.items():
        assert back.missing_tags[name].to_pylist() == tags.to_pylist()
    for field in ("variables", "notes", "label", "response_sets", "attributes"):
        assert getattr(back, field) == getattr(table, field)
    assert back.findings == ()


def assert_same_column(one: pa.ChunkedArray, other: pa.ChunkedArray) -> None:
    """Bit by bit: -0 is not 0, NaN is NaN."""
    assert repr(one.to_pylist()) == repr(other.to_pylist())


@pytest.mark.parametrize("pair", PAIRS, ids=["parquet", "arrow"])
@given(table=full_tables())
def test_a_table_comes_back(pair: Pair, table: Table) -> None:
    """Table -> file -> table is the identity, tags and all metadata included."""
    assert_same(there_and_back(table, pair), table)


@pytest.mark.parametrize("pair", PAIRS, ids=["parquet", "arrow"])
@given(table=full_tables())
def test_blocks_do_not_matter(pair: Pair, table: Table) -> None:
    """A stream of small blocks is the same table."""
    assert_same(there_and_back(table, pair, ReadOptions(block_rows=2)), table)


@pytest.mark.parametrize("pair", PAIRS, ids=["parquet", "arrow"])
@pytest.mark.parametrize(
    "kind",
    [
        *(pa.timestamp(unit, tz) for unit in ("s", "ms", "us", "ns") for tz in (None, "UTC")),
        *(pa.duration(unit) for unit in ("s", "ms", "us", "ns")),
        *(pa.time32(unit) for unit in ("s", "ms")),
        *(pa.time64(unit) for unit in ("us", "ns")),
        pa.uint8(), pa.int16(), pa.int32(), pa.null(),
        pa.dictionary(pa.int32(), pa.string()), pa.large_string(),
    ],
    ids=str,
)  # fmt: skip
def test_types_come_back(pair: Pair, kind: pa.DataType) -> None:
    """Also those that Parquet itself does not have."""
    cells = pa.nulls(2, kind) if pa.types.is_null(kind) else pa.array([1, None]).cast(pa.int64())
    if pa.types.is_dictionary(kind) or pa.types.is_large_string(kind):
        cells = pa.array(["a", None])
    narrow = pa.int32() if kind in (pa.time32("s"), pa.time32("ms")) else cells.type
    table = Table(pa.table({"x": cells.cast(narrow).cast(kind)}), (Variable("x"),))
    back = there_and_back(table, pair)
    assert back.data.schema.field("x").type == kind
    assert back.data["x"].to_pylist() == table.data["x"].to_pylist()


def survey() -> Table:
    """Two variables with everything that plain columns cannot say."""
    data = pa.table({"income": [1.0, None, None], "income.tag": ["a", "b", None]})
    variables = (
        Variable(
            "income",
            "Net income",
            categories=(Category(-1.0, "Refused"), Category(".a", "Unknown", missing=True)),
            missing_ranges=(MissingRange(float("-inf"), -1.0),),
        ),
        Variable("income.tag"),
    )
    tags = pa.chunked_array([[0, 1, len(TAG_LETTERS) - 1]], pa.int8())
    return Table(data, variables, {"income": tags})


def test_others_see_plain_columns(tmp_path: Path) -> None:
    """Pandas gets the variables as they are and the tags as text, named apart from a variable."""
    write_parquet(survey(), tmp_path / "t.parquet")
    frame = pd.read_parquet(tmp_path / "t.parquet")
    assert list(frame.columns) == ["income", "income.tag", "income.tag_"]
    assert frame["income"].tolist()[0] == 1.0
    assert frame["income.tag_"].tolist()[1:] == [".a", "._"]
    write_arrow(survey(), tmp_path / "t.arrow")
    assert pd.read_feather(tmp_path / "t.arrow").shape == (3, 3)


def test_metadata_are_readable_json(tmp_path: Path) -> None:
    """Anybody can find them under one key."""
    write_parquet(survey(), tmp_path / "t.parquet")
    field = pq.read_schema(tmp_path / "t.parquet").field("income")
    assert field.metadata[b"tabkit"] == (
        b'{"name":"income","label":"Net income","kind":"numeric","measure":"unknown",'
        b'"categories":[{"value":-1.0,"label":"Refused"},'
        b'{"value":".a","label":"Unknown","missing":true}],'
        b'"missing_ranges":[{"low":null,"high":-1.0}]}'
    ).replace(b'"kind":"numeric","measure":"unknown",', b"")


@pytest.mark.parametrize(
    ("columns", "rows"), [(0, 1 << 20), (5, 1 << 20), (10**4, 1600), (10**6, 1024)]
)
def test_row_groups_bound_the_memory_of_readers(columns: int, rows: int) -> None:
    """A wide table has short row groups."""
    assert group_rows(columns) == rows


def test_a_type_parquet_lacks_is_an_output_error(tmp_path: Path) -> None:
    """In one line, naming the file."""
    union = pa.UnionArray.from_sparse(pa.array([0], pa.int8()), [pa.array([1])])
    table = Table(pa.table({"x": union}), (Variable("x"),))
    with pytest.raises(OutputError, match=r"t\.parquet: Parquet cannot hold this table"):
        write_parquet(table, tmp_path / "t.parquet")


def test_the_column_rules_when_another_program_renamed_it(tmp_path: Path) -> None:
    """Metadata that travelled along keep describing the column under its new name."""
    write_parquet(survey(), tmp_path / "t.parquet")
    other = pq.read_table(tmp_path / "t.parquet").rename_columns(["pay", "b", "c"])
    pq.write_table(other, tmp_path / "u.parquet")
    back = read_all(open_parquet(tmp_path / "u.parquet", ReadOptions()))
    assert [each.name for each in back.variables] == ["pay", "b", "c"]
    assert back.variables[0] == dataclasses.replace(survey().variables[0], name="pay")
    assert back.data["c"].to_pylist() == [None, ".a", "._"]


@pytest.mark.parametrize(("write", "open_file"), PAIRS)
def test_a_stream_in_little_memory_gives_the_same(
    tmp_path: Path, write: Callable[[Table, Path], Ledger], open_file: Callable[..., TableStream]
) -> None:
    """Cases that went through the spool's file, tags of a late case included."""
    table = survey()
    many = dataclasses.replace(
        table,
        data=pa.concat_tables([table.data] * 40),
        missing_tags={
            name: pa.chunked_array(tags.chunks * 40) for name, tags in table.missing_tags.items()
        },
    )
    write(many, tmp_path / "whole")
    writer = write_parquet_stream if write is write_parquet else write_arrow_stream
    writer(dataclasses.replace(stream_of(many, 7), memory=1), tmp_path / "stream")
    whole = read_all(open_file(tmp_path / "whole", ReadOptions()))
    found = read_all(open_file(tmp_path / "stream", ReadOptions()))
    assert found.data.equals(whole.data)
    assert found.variables == whole.variables
    assert {n: t.to_pylist() for n, t in found.missing_tags.items()} == {
        n: t.to_pylist() for n, t in whole.missing_tags.items()
    }
