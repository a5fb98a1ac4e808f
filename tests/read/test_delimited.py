"""Delimited text as a whole: files in, tables out, every oddity told."""

from __future__ import annotations

import csv
import dataclasses
import datetime
import gzip
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe import describe
from tabkit.errors import FormatError, LimitError, UsageError
from tabkit.limits import LIMITS
from tabkit.model import Interval, Kind, Table
from tabkit.options import ReadOptions
from tabkit.profiles import DATAVERSE, TABKIT, Profile
from tabkit.read import delimited, delimited_rows, read, read_all, stream_of
from tabkit.write.tab import tab_appender

if TYPE_CHECKING:
    from pathlib import Path


def table_of(folder: Path, content: bytes | str, name: str = "t.csv", **options: Any) -> Table:
    """Write a file and read it."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read(path, **options)


def findings_of(table: Table) -> str:
    """Give all findings as one text."""
    return "\n".join(f"{each.severity} {each.variable}: {each.text}" for each in table.findings)


def test_a_plain_file(tmp_path: Path) -> None:
    """Names, types, kinds and intervals of a small table."""
    table = table_of(
        tmp_path, "id,name,weight,born,seen\n1,Ann,61.5,1999-12-31,2012-01-01 10:11:12\n2,,,,\n"
    )
    assert table.data.to_pydict() == {
        "id": [1, 2],
        "name": ["Ann", ""],
        "weight": [61.5, None],
        "born": [datetime.date(1999, 12, 31), None],
        "seen": [datetime.datetime(2012, 1, 1, 10, 11, 12), None],
    }
    assert [(v.kind, v.interval, v.format_category, v.label, v.bare) for v in table.variables] == [
        (Kind.NUMERIC, Interval.DISCRETE, "", "", False),
        (Kind.CHARACTER, Interval.DISCRETE, "", "", False),
        (Kind.NUMERIC, Interval.CONTINUOUS, "", "", False),
        (Kind.CHARACTER, Interval.DISCRETE, "date", "", False),
        (Kind.CHARACTER, Interval.DISCRETE, "time", "", False),
    ]
    assert (table.origin.format, table.origin.media_type) == ("csv", "text/csv")
    assert table.origin.encoding == "UTF-8"
    assert findings_of(table) == "info : delimiter ',' detected from 3 of 3 rows"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_line_ends(tmp_path: Path, end: str) -> None:
    """Unix, Windows and old Macintosh, with and without one at the end."""
    for text in (f"a,b{end}1,2{end}", f"a,b{end}1,2"):
        assert table_of(tmp_path, text).data.to_pydict() == {"a": [1], "b": [2]}


@pytest.mark.parametrize(
    ("content", "columns", "finding"),
    [
        ("\n \n\na,b\n1,2\n", {"a": [1], "b": [2]}, "blank lines before the header passed over: 3"),
        ("a,b\n1,2\n\n\n3,4\n", {"a": [1, 3], "b": [2, 4]}, "blank lines passed over: 2"),
        ("a,b\n1,2\n\n3\n", {"a": [1, 3], "b": [2, None]}, "short rows: 1, from line 4 on"),
        ("a,b\n1,x\n3\n", {"a": [1, 3], "b": ["x", None]}, "the cells they lack are missing"),
        ("a,b\n1,2,3\n4,5,6\n7,8\n", {"a": [1, 4, 7], "b": [2, 5, 8], "V3": [3, 6, None]},
         "long rows: 2, from line 2 on; the header has no names from column 3 on"),
        ("a,b\n1,2,3\n4,5\n", {"a": [1, 4], "b": [2, 5]}, "kept as notes"),
        ("a,b\n1,2,\n3,4,,\n", {"a": [1, 3], "b": [2, 4]}, "the empty cells are left out"),
        ("id,,id,id_2, \n1,2,3,4,5\n", {"id": [1], "V2": [2], "id_3": [3], "id_2": [4], "V5": [5]},
         "columns without a name (2) became V2, V5"),
        ("id,id\n1,2\n", {"id": [1], "id_2": [2]}, "'id' occurs again: column 2 became 'id_2'"),
        ('"a","b"\n"1",1,"x"\n"2",2,"y"\n', {"V1": [1, 2], "a": [1, 2], "b": ["x", "y"]},
         "one name less than the rows have cells"),
        ("sep=;\na;b\n1;2,5\n", {"a": [1], "b": ["2,5"]}, "delimiter ';' as the line 'sep=' says"),
        ("a;b\n1;2\n", {"a": [1], "b": [2]}, "delimiter ';' detected from 2 of 2 rows"),
        ("'a','b'\n'1','x, y'\n'2','it''s'\n", {"a": [1, 2], "b": ["x, y", "it's"]}, "apostrophes"),
        ("a,b\r\n1,2\r\n\x1a", {"a": [1], "b": [2]}, "Ctrl-Z"),
        (b"a,b\n1\0,2\n", {"a": [1], "b": [2]}, "NUL characters left out: 1"),
        ("\ufeffa,b\n1,2\n", {"a": [1], "b": [2]}, "detected by its byte order mark"),
        ("a,b\n1,é\n".encode("cp1252"), {"a": [1], "b": ["é"]}, "encoding windows-1252 detected"),
        ('a,b,c\n1,"x,2\n3,y,4\n5,"z, z",6\n',
         {"a": [1, 3, 5], "b": ['"x', "y", "z, z"], "c": [2, 4, 6]},
         "quotes without an end, taken as text: 1, from line 2 on"),
        ('a,b\n1,"x"y\n', {"a": [1], "b": ["xy"]}, "text behind their closing quote: 1"),
        ('a,b\n1,"say \\"hi\\", you"\n', {"a": [1], "b": ['say "hi", you']}, "backslash"),
        ("a,b\n007,NA\n008,1\n", {"a": [7, 8], "b": [None, 1]}, "a: numbers with leading zeros"),
    ],
)  # fmt: skip
def test_oddities(
    tmp_path: Path, content: bytes | str, columns: dict[str, list[object]], finding: str
) -> None:
    """Each oddity has one treatment, which is told."""
    table = table_of(tmp_path, content)
    assert table.data.to_pydict() == columns
    assert finding in findings_of(table)


def test_cells_of_a_long_row_are_noted(tmp_path: Path) -> None:
    """A long row among sound ones keeps its further cells in the notes of the file."""
    table = table_of(tmp_path, 'a,b\n1,2,x,"y\nz"\n4,5\n')
    assert table.notes == ('line 2: cells beyond the header\'s 2 names: "x", "y\\nz"',)


def test_one_column(tmp_path: Path) -> None:
    """In a single column an empty line is an empty cell, as Dataverse has it."""
    assert table_of(tmp_path, "x\n1\n\n3\n").data.to_pydict() == {"x": [1, None, 3]}
    assert table_of(tmp_path, "x\n1\n\n3\n", profile=DATAVERSE).data.to_pydict() == {
        "x": ["1", None, "3"]
    }


def test_header_only(tmp_path: Path) -> None:
    """Names without cases are a table without cases."""
    for text in ("a,b\n", "a,b"):
        table = table_of(tmp_path, text)
        assert (table.cases, table.data.column_names) == (0, ["a", "b"])


@pytest.mark.parametrize("content", ["", "\n \r\n\t\n", "\ufeff"])
def test_nothing_to_read(tmp_path: Path, content: str) -> None:
    """A file without a row of names is refused."""
    with pytest.raises(FormatError, match=r"empty|blank"):
        table_of(tmp_path, content)


def test_user_choices(tmp_path: Path) -> None:
    """Delimiter, quote and encoding are overridable, and wrong ones are refused."""
    assert table_of(tmp_path, "a b\n1 2\n", delimiter=" ").data.to_pydict() == {"a": [1], "b": [2]}
    assert table_of(tmp_path, "a\tb\n1\t2\n", delimiter="\\t").data.to_pydict() == {
        "a": [1],
        "b": [2],
    }
    assert table_of(tmp_path, 'a,b\n"1",2\n', quote="").data.to_pydict() == {"a": ['"1"'], "b": [2]}
    assert table_of(tmp_path, "a,b\n1,é\n".encode("cp850"), encoding="cp850").data.to_pydict() == {
        "a": [1],
        "b": ["é"],
    }
    for options in (
        {"delimiter": "::"},
        {"delimiter": "é"},
        {"quote": "ab"},
        {"quote": ","},
        {"encoding": "?"},
    ):
        with pytest.raises(UsageError):
            table_of(tmp_path, "a,b\n", **options)
    with pytest.raises(FormatError, match="the text is not utf-8, byte 6"):
        table_of(tmp_path, "a,b\n1,é\n".encode("cp850"), encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", "a,b\n1\n", "a row has 1 cells where the header has 2 names, line 2"),
        ("t.csv", "a,b\n1,2\n\n", "a row has 1 cells where the header has 2 names, line 3"),
        (
            "t.csv",
            'a,b\n"1\n2",3\n4,5,6\n',
            "a row has 3 cells where the header has 2 names, line 4",
        ),
        ("t.csv", "a,\n1,2\n", "a name in the header row is empty, column 2"),
        ("t.csv", "\na,b\n1,2\n", "a name in the header row is empty, column 1"),
        ("t.csv", "a,a\n1,2\n", "the name 'a' occurs twice"),
        ("t.csv", 'a,b\n1,"x\r\ny"\n', "a cell has a carriage return"),
        ("t.tsv", "a\t \n1\t2\n", "a name in the header row is empty, column 2"),
        ("t.tsv", 'a\tb\n"1"x\t2\n', "a quoted cell is followed by text"),
        ("t.tsv", 'a\tb\n1\t"2\n', "a quoted cell has no end"),
    ],
)
def test_what_dataverse_refuses(tmp_path: Path, name: str, content: str, message: str) -> None:
    """Profile dataverse refuses it too, in one line that tells the way out."""
    with pytest.raises(FormatError) as caught:
        table_of(tmp_path, content, name, profile=DATAVERSE)
    assert message in str(caught.value)
    assert "--profile tabkit" in str(caught.value)
    table_of(tmp_path, content, name)


def test_dataverse_tsv(tmp_path: Path) -> None:
    """TDF: blanks around cells go, blank lines do not count; labels are the names."""
    table = table_of(tmp_path, '\na\t b \n\n "x " \t y \n', "t.tsv", profile=DATAVERSE)
    assert table.data.to_pydict() == {"a": ["x "], "b": ["y"]}
    assert [v.label for v in table.variables] == ["a", "b"]
    assert table.origin.format == "tsv"


def test_dataverse_text_is_utf_8(tmp_path: Path) -> None:
    """Other bytes become U+FFFD, and a byte order mark is part of the first name."""
    table = table_of(tmp_path, b"\xef\xbb\xbfa\n\xe9\n", profile=DATAVERSE)
    assert table.data.to_pydict() == {"\ufeffa": ["\ufffd"]}
    assert "malformed sequences of UTF-8 that became U+FFFD: 1" in findings_of(table)


def test_a_quote_without_end_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not take the rest of the file into memory."""
    few = dataclasses.replace(LIMITS, cell=1 << 10)
    monkeypatch.setattr(delimited_rows, "CHUNK_BYTES", 1 << 9)
    monkeypatch.setattr(delimited, "_PIECE_BYTES", 1 << 8)
    content = "a,b\n" + "1,2\n" * 50 + '1,"2\n' + "3,4\n" * 5000
    table = table_of(tmp_path, content, limits=few)
    assert table.cases == 5051
    assert "quotes without an end, taken as text: 1, from line 52 on" in findings_of(table)
    with pytest.raises(LimitError, match=r"a quoted cell has no end within .*line 52"):
        table_of(tmp_path, content, profile=DATAVERSE, limits=few)


def test_an_endless_row_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file without line ends is no table."""
    few = dataclasses.replace(LIMITS, cell=1 << 10, row=1 << 12)
    monkeypatch.setattr(delimited_rows, "CHUNK_BYTES", 1 << 9)
    with pytest.raises(LimitError, match="a row is longer than 4 KiB, line 1; --limit row=8KiB"):
        table_of(tmp_path, "x" * 100_000, limits=few)
    assert (
        table_of(tmp_path, "x" * 100_000, limits=dataclasses.replace(few, row=1 << 18)).cases == 0
    )


def test_a_table_of_padding_is_refused(tmp_path: Path) -> None:
    """200,000 names over ten thousand single cells would be mostly nothing."""
    with pytest.raises(FormatError, match="this is no table"):
        table_of(tmp_path, "a" + "," * 199_999 + "\n" + "1\n" * 10_000)


def test_spilled_cells_leave_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cells beyond the memory's share go to a file without a name."""
    monkeypatch.setattr(delimited_rows, "_MEMORY_BYTES", 1 << 10)
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,x\n" * 10_000)
    stream = delimited.open_csv(path, ReadOptions())
    assert list((tmp_path / "tmp").iterdir()) == []
    assert read_all(stream).cases == stream.cases == 10_000
    stream.close()
    stream.close()
    delimited.open_csv(path, ReadOptions())  # dropped unread: no warning, no file


rows_of_cells = st.lists(
    st.lists(
        st.sampled_from(["1", "-2", "3.5", "", "NA", "x", "a,b", 'q"q', "two\nlines", "é"]),
        min_size=1,
        max_size=4,
    ),
    max_size=12,
)  # fmt: skip


@given(rows_of_cells, st.integers(1, 5), st.sampled_from([(7, 3), (1, 1), (64, 16)]))
def test_blocks_do_not_matter(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[list[str]],
    block_rows: int,
    sizes: tuple[int, int],
) -> None:
    """However the file is cut on reading and the table on giving, it is the same table."""
    file = io.StringIO(newline="")
    csv.writer(file, lineterminator="\n").writerows([["n0", "n1", "n2"], *rows])
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_text(file.getvalue())
    whole = read(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited_rows, "CHUNK_BYTES", sizes[0])
        patch.setattr(delimited, "_PIECE_BYTES", sizes[1])
        stream = delimited.open_csv(path, ReadOptions(block_rows=block_rows, block_cells=10))
        blocks = [block.data for block in stream.blocks]
    assert all(0 < block.num_rows <= block_rows for block in blocks)
    assert stream.schema == whole.data.schema
    assert stream.variables == whole.variables
    parts = [block.to_pydict() for block in blocks]
    for name, column in whole.data.to_pydict().items():
        assert [value for part in parts for value in part[name]] == column


plain_columns = st.sampled_from(
    [
        st.integers(-(2**63), 2**63 - 1).map(str),
        st.integers(0, 999).map("{:05d}".format) | st.just("NA"),
        st.floats(allow_nan=False, allow_infinity=False).map(repr) | st.just("na"),
        st.text("abc ,;'\"\n\té€", max_size=8),
        st.dates(datetime.date(1600, 1, 1)).map(str),
        st.datetimes(datetime.datetime(1600, 1, 1)).map("{:%Y-%m-%d %H:%M:%S}".format),
        st.sampled_from(["TRUE", "FALSE"]),
    ]
)


@given(plain_columns.flatmap(lambda cells: st.lists(cells | st.just(""), min_size=1, max_size=9)))
def test_profiles_agree_where_no_quirk_is_touched(
    tmp_path_factory: pytest.TempPathFactory, column: list[str]
) -> None:
    """A column has one fingerprint, whoever reads it."""
    file = io.StringIO(newline="")
    rows = [["number", "cell"], *([str(at), cell] for at, cell in enumerate(column))]
    csv.writer(file, lineterminator="\n").writerows(rows)
    path = tmp_path_factory.mktemp("t") / "t.csv"
    path.write_bytes(file.getvalue().encode())
    unfs = [
        [each.unf for each in describe(read(path, profile=profile)).variables]
        for profile in (TABKIT, DATAVERSE)
    ]
    assert unfs[0] == unfs[1]


@given(
    st.binary(max_size=60) | st.text("ab1,;\t\"'\n\r\0é", max_size=40).map(str.encode),
    st.sampled_from([TABKIT, DATAVERSE]),
    st.sampled_from(["t.csv", "t.tsv"]),
)
def test_any_bytes_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, profile: Profile, name: str
) -> None:
    """Nothing but a table or a one-line refusal comes of any file."""
    error = ""
    try:
        table_of(tmp_path_factory.mktemp("t"), content, name, profile=profile).data.validate(
            full=True
        )
    except FormatError as refusal:
        error = str(refusal)
    assert len(error.splitlines()) <= 1


def test_other_readers_agree(corpus: Path) -> None:
    """Rows and columns are those of the readers' consensus."""
    for line in (corpus / "expected.jsonl").read_text(encoding="utf-8").splitlines():
        expected = json.loads(line)
        shape = expected.get("consensus") or {}
        if not expected["file"].startswith("csv/") or not shape:
            continue
        table = read(corpus / expected["file"])
        assert table.cases == shape["rows"], expected["file"]
        assert len(table.variables) == shape["columns"], expected["file"]


def dataverse_answers(oracle: Path) -> list[dict[str, Any]]:
    """Give what Dataverse made of each text file."""
    lines = (oracle / "dataverse" / "ingest.jsonl").read_text(encoding="utf-8").splitlines()
    return [each for each in map(json.loads, lines) if each["file"].startswith("csv/")]


def test_as_dataverse_ingests(corpus: Path, oracle: Path) -> None:
    """Names, types, formats and every byte of the archival table are Dataverse's."""
    for answer in dataverse_answers(oracle):
        if not answer["ingested"]:
            continue
        table = read(corpus / answer["file"], profile=DATAVERSE)
        assert [
            (v.name, v.label, v.kind.value, v.display_format, v.format_category)
            for v in table.variables
        ] == [
            (v["name"], v["label"], v["type"].lower(), v["format"] or "", v["formatCategory"] or "")
            for v in answer["variables"]
        ], answer["file"]
        assert [v.interval is Interval.DISCRETE for v in table.variables] == [
            v["interval"] == "DISCRETE" for v in answer["variables"]
        ]
        file = io.BytesIO()
        append = tab_appender(file, table.variables, DATAVERSE.tab_layout(table.origin))
        for block in stream_of(table).blocks:
            append(block)
        packed = oracle / "dataverse" / f"{answer['file']}.tab.gz"
        assert file.getvalue() == gzip.decompress(packed.read_bytes()), answer["file"]


def test_dataverse_refusals(corpus: Path, oracle: Path) -> None:
    """What Dataverse cannot ingest is refused in its profile, and read in ours."""
    for answer in dataverse_answers(oracle):
        if not answer["ingested"]:
            with pytest.raises(FormatError):
                read(corpus / answer["file"], profile=DATAVERSE)
            assert read(corpus / answer["file"]).variables
