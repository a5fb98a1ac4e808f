"""Files of Arrow data that other programs wrote."""

from __future__ import annotations

import contextlib
import datetime
import decimal
import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.errors import FormatError
from tabkit.model import Category, Interval, Kind, Measure, Table
from tabkit.options import ReadOptions
from tabkit.read import read, read_all
from tabkit.read.arrow import open_arrow, open_parquet
from tabkit.read.arrow_columns import unique_names

if TYPE_CHECKING:
    from pathlib import Path

    from tabkit.formats import Reader

Decimal = decimal.Decimal


def foreign(tmp_path: Path, columns: pa.Table, *, parquet: bool = True) -> Table:
    path = tmp_path / "t"
    if parquet:
        pq.write_table(columns, path)
        return read_all(open_parquet(path, ReadOptions()))
    with pa.ipc.new_file(path, columns.schema) as writer:
        writer.write_table(columns, max_chunksize=1)
    return read_all(open_arrow(path, ReadOptions()))


@pytest.mark.parametrize("parquet", [True, False], ids=["parquet", "arrow"])
@pytest.mark.parametrize(
    ("column", "kind", "cells", "finding"),
    [
        (pa.array([True, None]), pa.bool_(), [True, None], ""),
        (pa.array([1, None], pa.uint16()), pa.int64(), [1, None], ""),
        (pa.array([2**63 - 1, None], pa.uint64()), pa.int64(), [2**63 - 1, None], ""),
        (pa.array([2**64 - 2048, 1], pa.uint64()), pa.float64(), [2.0**64 - 2048, 1.0], "doubles"),
        (pa.array([2**64 - 1, 1], pa.uint64()), pa.string(), [f"{2**64 - 1}", "1"], "no digit"),
        (pa.array([1.5, None], pa.float16()), pa.float32(), [1.5, None], ""),
        (pa.array(["a", None], pa.large_string()), pa.string(), ["a", None], ""),
        (pa.array(["a", None], pa.string_view()), pa.string(), ["a", None], ""),
        (pa.array([b"a", None]), pa.string(), ["a", None], "UTF-8"),
        (pa.array([b"\xff\x01", None]), pa.string(), ["ff01", None], "hexadecimal"),
        (pa.array([b"ab", None], pa.binary(2)), pa.string(), ["ab", None], "UTF-8"),
        (pa.nulls(2), pa.int64(), [None, None], "no type"),
        (pa.array([0, None], pa.date64()), pa.date32(), [datetime.date(1970, 1, 1), None], ""),
        (pa.array([Decimal("1.10"), None]), pa.float64(), [1.1, None], ""),
        (pa.array([Decimal("1.10")], pa.decimal128(38, 18)), pa.float64(), [1.1], ""),
        (
            pa.array([Decimal("12345678901234567.25"), None]),
            pa.string(), ["12345678901234567.25", None], "decimals",
        ),
        (pa.array([[1, None], None]), pa.string(), ["[1, null]", None], "JSON"),
        (pa.array([{"é": b"\xff"}, None]), pa.string(), ['{"é": "/w=="}', None], "JSON"),
        (pa.array([5, 5]).dictionary_encode(), pa.int64(), [5, 5], ""),
    ],
)  # fmt: skip
def test_types_of_others(
    tmp_path: Path, column: pa.Array, kind: pa.DataType, cells: list[object], finding: str,
    parquet: bool,
) -> None:  # fmt: skip
    """Every Arrow type becomes one of the model's, and what changes is told."""
    table = foreign(tmp_path, pa.table({"x": column}), parquet=parquet)
    assert table.data.schema.field("x").type == kind
    assert table.data["x"].to_pylist() == cells
    assert [finding in each.text for each in table.findings] == ([True] if finding else [])
    assert all(each.variable == "x" for each in table.findings)


def test_nested_columns_are_flattened_when_asked(tmp_path: Path) -> None:
    """A case without the struct has none of its fields; lists of any length stay JSON."""
    inner = pa.struct({"x": pa.int64(), "s": pa.struct({"y": pa.string()})})
    rows = [{"x": 1, "s": {"y": "a"}}, None, {"x": 3, "s": None}]
    data = pa.table(
        {
            "a": pa.array(rows, inner),
            "a.x": [7, 8, 9],
            "p": pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float64(), 2)),
            "l": [[{"z": 1}], [], None],
        }
    )
    with pa.ipc.new_file(tmp_path / "t.arrow", data.schema) as writer:
        writer.write_table(data, max_chunksize=2)
    assert read(tmp_path / "t.arrow", flatten=True).data.to_pydict() == {
        "a.x": [1, None, 3],
        "a.s.y": ["a", None, None],
        "a.x_2": [7, 8, 9],
        "p.1": [1.0, None, 3.0],
        "p.2": [2.0, None, 4.0],
        "l": ['[{"z": 1}]', "[]", None],
    }
    told = read(tmp_path / "t.arrow").findings[0]
    assert told.variable == "a"
    assert told.text.endswith("became JSON text; --flatten makes a column of each field")


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_time_zones_are_kept(tmp_path: Path, unit: str) -> None:
    """The moment is the same, and its zone is in the type and the storage."""
    zone = datetime.timezone(datetime.timedelta(hours=2))
    moment = datetime.datetime(2024, 7, 1, 12, tzinfo=zone)
    column = pa.array([moment, None], pa.timestamp(unit, "Europe/Zurich"))
    table = foreign(tmp_path, pa.table({"t": column}))
    assert table.data["t"].to_pylist() == [moment, None]
    assert table.data.schema.field("t").type.tz == "Europe/Zurich"
    assert "tz=Europe/Zurich" in table.variables[0].storage


def test_kinds_follow_the_types(tmp_path: Path) -> None:
    """Dates and times are character variables with their category."""
    moment = datetime.datetime(2024, 1, 1)
    table = foreign(
        tmp_path,
        pa.table({"n": [1], "s": ["a"], "d": [moment.date()], "t": [moment], "c": [moment.time()]}),
    )
    assert [(v.kind, v.format_category, v.interval) for v in table.variables] == [
        (Kind.NUMERIC, "", None),
        (Kind.CHARACTER, "", Interval.DISCRETE),
        (Kind.CHARACTER, "date", Interval.DISCRETE),
        (Kind.CHARACTER, "time", Interval.DISCRETE),
        (Kind.CHARACTER, "time", Interval.DISCRETE),
    ]
    assert table.variables[3].storage == "timestamp[us]"


@pytest.mark.parametrize("parquet", [True, False], ids=["parquet", "arrow"])
@pytest.mark.parametrize("ordered", [True, False])
def test_dictionaries_are_categories(tmp_path: Path, parquet: bool, ordered: bool) -> None:
    """Levels in their order, also those that no case has."""
    levels = pa.DictionaryArray.from_arrays(
        pa.array([1, None, 0], pa.int8()), ["low", "high", "never"], ordered=ordered
    )
    table = foreign(tmp_path, pa.table({"x": levels}), parquet=parquet)
    assert table.data["x"].to_pylist() == ["high", None, "low"]
    (variable,) = table.variables
    assert variable.categories == tuple(Category(t, t) for t in ("low", "high", "never"))
    assert variable.measure is (Measure.ORDINAL if ordered else Measure.NOMINAL)
    assert table.data.schema.field("x").type == pa.string()


def test_a_long_dictionary_is_only_storage(tmp_path: Path) -> None:
    """Ten thousand and one different texts are no categories."""
    texts = pa.array([str(i) for i in range(10_001)]).dictionary_encode()
    table = foreign(tmp_path, pa.table({"x": texts}))
    assert table.variables[0].categories == ()
    assert table.data["x"][10_000].as_py() == "10000"


def test_names_are_made_unique(tmp_path: Path) -> None:
    """Parquet allows equal and empty names."""
    twice = pa.table([[1], [2], [3], [4], ["a"]], names=["x", "x", "x_2", "", "x"])
    table = foreign(tmp_path, twice, parquet=False)
    assert table.data.column_names == ["x", "x_3", "x_2", "V4", "x_4"]
    assert [table.data[i][0].as_py() for i in range(5)] == [1, 2, 3, 4, "a"]
    assert len(table.findings) == 3


@given(st.lists(st.sampled_from(["a", "a_2", "a_3", "b", ""])))
def test_unique_names_are_unique(names: list[str]) -> None:
    """And the first of each keeps its name."""
    unique = unique_names(names)
    assert len(set(unique)) == len(names)
    assert all(unique[names.index(name)] == name for name in names)


def test_titles_and_metadata_of_others(tmp_path: Path) -> None:
    """A description is a label; short texts of the schema are attributes."""
    field = pa.field("x", pa.int8(), metadata={"Description": "Income"})
    metadata = {"author": "me", "pandas": "{}", "long": "x" * 5000}
    schema = pa.schema([field], metadata=metadata)
    table = foreign(tmp_path, pa.Table.from_arrays([pa.array([1], pa.int8())], schema=schema))
    assert table.variables[0].label == "Income"
    assert table.attributes == (("author", "me"),)
    assert [each.text for each in table.findings] == ["metadata 'long' of 5,000 bytes are left out"]


@pytest.mark.parametrize(
    "wrong", [b"", b"[]", b"{", b'{"label":1}', b"[" * 100_000, b"\xff", b'{"kind":"odd"}']
)
def test_broken_metadata_of_ours_are_findings(tmp_path: Path, wrong: bytes) -> None:
    """The data are read all the same."""
    field = pa.field("x", pa.int8(), metadata={"tabkit": wrong})
    schema = pa.schema([field], metadata={"tabkit": wrong})
    table = foreign(tmp_path, pa.Table.from_arrays([pa.array([1], pa.int8())], schema=schema))
    assert table.data["x"].to_pylist() == [1]
    if wrong != b'{"kind":"odd"}':
        assert [each.severity for each in table.findings] == ["warning", "warning"]


def test_wrong_utf8_is_mended_and_told(tmp_path: Path) -> None:
    """One byte does not cost a file."""
    offsets = pa.py_buffer(b"\0\0\0\0\1\0\0\0\2\0\0\0")
    column = pa.Array.from_buffers(pa.string(), 2, [None, offsets, pa.py_buffer(b"a\xff")])
    for parquet in (True, False):
        table = foreign(tmp_path, pa.table({"x": column}), parquet=parquet)
        assert table.data["x"].to_pylist() == ["a", "\ufffd"]
        (finding,) = table.findings
        assert finding.text.startswith("1 cases hold text that is not UTF-8")


def test_dates_beyond_the_calendar_are_missing(tmp_path: Path) -> None:
    """No other tool could print them; the finding counts them."""
    column = pa.array([0, 2**40, None, -(2**40)], pa.int64()).cast(pa.timestamp("s"))
    table = foreign(tmp_path, pa.table({"x": column}), parquet=False)
    assert table.data["x"].is_null().to_pylist() == [False, True, True, True]
    assert table.findings[0].text == "2 cases hold a date beyond the years 1 to 9999: missing"


def test_dictionaries_may_differ_from_batch_to_batch(tmp_path: Path) -> None:
    """Levels are collected over the file; every case keeps its own."""
    chunks = [pa.array(texts).dictionary_encode() for texts in (["a", "b"], ["c", "a"], ["b"])]
    columns = pa.table({"x": pa.chunked_array(chunks)})
    pq.write_table(columns, tmp_path / "t", row_group_size=2)
    with pa.ipc.new_stream(tmp_path / "u", columns.schema) as writer:
        writer.write_table(columns)
    for stream in (
        open_parquet(tmp_path / "t", ReadOptions(block_rows=3)),
        open_arrow(tmp_path / "u", ReadOptions(block_rows=3)),
    ):
        assert [each.label for each in stream.variables[0].categories] == ["a", "b", "c"]
        assert read_all(stream).data["x"].to_pylist() == ["a", "b", "c", "a", "b"]


@pytest.mark.filterwarnings("ignore:Feather V1:DeprecationWarning")
def test_feather_1(tmp_path: Path) -> None:
    """Read in a child process, for damaged ones crash pyarrow."""
    path = tmp_path / "t.feather"
    pyarrow.feather.write_feather(pa.table({"x": [1.5, 2.5], "s": ["a", None]}), path, version=1)
    table = read(path)
    assert table.data.to_pydict() == {"x": [1.5, 2.5], "s": ["a", None]}
    assert table.origin.format_version == "Feather 1"
    content = bytearray(path.read_bytes())
    content[-30:-20] = b"\xff" * 10
    path.write_bytes(content)
    with pytest.raises(FormatError, match=r"^t\.feather: the file is damaged"):
        read(path)


def test_streams_are_read(tmp_path: Path) -> None:
    """The IPC format without a footer."""
    columns = pa.table({"x": [1, 2, 3]})
    with pa.ipc.new_stream(tmp_path / "t.arrow", columns.schema) as writer:
        writer.write_table(columns, max_chunksize=2)
    assert read_all(open_arrow(tmp_path / "t.arrow", ReadOptions())).data.equals(columns)


def test_small_batches_are_joined_and_long_ones_cut(tmp_path: Path) -> None:
    """Blocks have the asked number of cases but the last."""
    columns = pa.table({"x": list(range(10))})
    with pa.ipc.new_file(tmp_path / "t", columns.schema) as writer:
        writer.write_table(columns.slice(0, 1))
        writer.write_table(columns.slice(1))
    for rows in (1, 3, 4, 10, 99):
        stream = open_arrow(tmp_path / "t", ReadOptions(block_rows=rows))
        blocks = [block.data.num_rows for block in stream.blocks]
        assert sum(blocks) == 10
        assert set(blocks[:-1]) <= {rows}


@pytest.mark.parametrize("content", [b"PAR1", b"PAR1" + b"\0" * 40 + b"PAR1", b"nothing", b""])
def test_no_parquet(tmp_path: Path, content: bytes) -> None:
    """One line that names the file."""
    (tmp_path / "t.parquet").write_bytes(content)
    with pytest.raises(FormatError, match=r"^t\.parquet: "):
        read_all(open_parquet(tmp_path / "t.parquet", ReadOptions()))
    with pytest.raises(FormatError, match=r"^t\.parquet: "):
        read_all(open_arrow(tmp_path / "t.parquet", ReadOptions()))


def test_damage_never_ends_in_a_traceback(tmp_path: Path) -> None:
    """Every tenth byte changed, and every tenth length: read, or refused in one line."""
    columns = pa.table(
        {"x": ["a", "b", None] * 9, "y": pa.array(list("abc") * 9).dictionary_encode()}
    )
    pq.write_table(columns, tmp_path / "t")
    damaged(tmp_path, open_parquet)
    with pa.ipc.new_file(tmp_path / "t", columns.schema) as writer:
        writer.write_table(columns)
    damaged(tmp_path, open_arrow)


def damaged(tmp_path: Path, opener: Reader) -> None:
    whole = (tmp_path / "t").read_bytes()
    for place in range(0, len(whole), 10):
        flipped = bytearray(whole)
        flipped[place] ^= 0x41
        for content in (whole[:place], bytes(flipped)):
            (tmp_path / "bad").write_bytes(content)
            with contextlib.suppress(FormatError):
                read_all(opener(tmp_path / "bad", ReadOptions()))


def test_the_corpus(corpus: Path) -> None:
    """Rows, columns and names that every other reader agrees on."""
    lines = (corpus / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    for expected in map(json.loads, lines):
        if not expected["file"].startswith("parquet/"):
            continue
        if not expected["readers_ok"]:
            with pytest.raises(FormatError):
                read(corpus / expected["file"])
            continue
        table = read(corpus / expected["file"])
        facts = expected["readers"]["pyarrow"]
        assert (table.cases, table.data.num_columns) == (facts["rows"], facts["columns"])
        assert table.data.column_names == facts["names"]
        missing = [column["n_missing"] for column in facts["cols"]]
        if expected["file"] != "parquet/int96_from_spark.parquet":  # the others overflow
            assert [column.null_count for column in table.data.columns] == missing
