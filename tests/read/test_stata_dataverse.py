"""Profile ``dataverse``: what Dataverse's own readers make of Stata files."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from tabkit.model import Category, Interval, Table
from tabkit.profiles import DATAVERSE
from tabkit.read import read
from tabkit.write.cells import cells as cell_text
from tests.conftest import SHARED
from tests.read.stata_files import Column, File, cells, opened

if TYPE_CHECKING:
    from pathlib import Path

INGEST = SHARED / "oracle" / "dataverse" / "ingest.jsonl"


def ingested() -> list[dict[str, Any]]:
    if not INGEST.exists():
        return []
    every = map(json.loads, INGEST.read_text(encoding="utf-8").splitlines())
    return [each for each in every if each["file"].startswith("dta/") and each.get("variables")]


def lines(table: Table) -> list[str]:
    """The lines of the archival table, without its header."""
    layout = DATAVERSE.tab_layout(table.origin)
    columns = []
    for variable, column in zip(table.variables, table.data.columns, strict=True):
        whole = pa.concat_arrays(column.chunks) if column.chunks else pa.array([], column.type)
        columns.append(cell_text(whole, variable, layout).to_pylist())
    return ["\t".join(cell or "" for cell in row) for row in zip(*columns, strict=True)]


@pytest.mark.parametrize("expected", ingested(), ids=lambda each: each["file"])
def test_as_dataverse_ingests(shared: Path, expected: dict[str, Any]) -> None:
    """Each cell of the tab file, each variable's type, interval, label, pattern and categories."""
    table = read(shared / "corpus" / expected["file"], profile="dataverse")
    tab = gzip.decompress((INGEST.parent / f"{expected['file']}.tab.gz").read_bytes()).decode()
    header, *wanted = tab.split("\n")[:-1]
    assert header.split("\t") == table.data.column_names
    assert lines(table) == wanted
    for ours, theirs in zip(table.variables, expected["variables"], strict=True):
        assert ours.kind.name == theirs["type"]
        assert ours.interval is not None
        assert ours.interval.name == theirs["interval"]
        assert ours.label == (theirs["label"] or "")
        assert ours.format_category == (theirs["formatCategory"] or "")
        assert ours.display_format == (theirs["format"] or "").replace("float", "")
        categories = [(str(each.value), each.label) for each in ours.categories]
        assert categories == [
            (each["value"], each["label"] or "") for each in theirs.get("categories", ())
        ]


def test_missing_codes_count_from_111_on(tmp_path: Path) -> None:
    """DTAFileReader.init; Stata itself has had them since version 113."""
    column = [Column(b"x", "byte", [100, 101, 127])]
    for version, expected in ((110, [100, 101, None]), (111, [100, None, None])):
        table = opened(tmp_path, File(version, column).to_bytes(), profile=DATAVERSE)
        assert cells(table, "x") == expected
        assert not table.missing_tags
    early = [Column(b"x", "double", [2.0**333, 2.0**1023])]
    table = opened(tmp_path, File(105, early).to_bytes(), profile=DATAVERSE)
    assert cells(table, "x") == [2.0**333, None]


def test_text_is_ascii_from_117_on(tmp_path: Path) -> None:
    """DataReader.readString and readUtfString; NewDTAFileReader.readGSO."""
    word = "dé".encode()
    columns = [
        Column(b"s", "str8", [word, b""], label=word),
        Column(b"l", "strL", [word, b""]),
        Column("né".encode(), "byte", [1, 2], label_name=b"set"),
    ]
    made = File(118, columns, label=word, labels=[(b"set", [(1, word)])])
    table = opened(tmp_path, made.to_bytes(), profile=DATAVERSE)
    assert cells(table, "s") == ["d\ufffd\ufffd", None]
    assert cells(table, "l") == ["d\ufffd\ufffd", ""]
    assert [each.name for each in table.variables] == ["s", "l", "n\ufffd\ufffd"]
    assert table.variables[0].label == "dé"
    assert table.variables[2].categories == (Category(1, "dé"),)
    assert (table.label, table.notes, table.attributes) == ("", (), ())
    old = opened(
        tmp_path, File(115, [Column(b"s", "str8", [b"\x80"])]).to_bytes(), profile=DATAVERSE
    )
    assert cells(old, "s") == ["\x80"]


def test_binary_long_strings_are_decoded_as_java_does(tmp_path: Path) -> None:
    """A cut-off surrogate is one U+FFFD; OpenJDK 17, String(byte[], UTF_8)."""
    raw = File(118, [Column(b"s", "strL", [b"a\xed\xa0b\xff"])]).to_bytes()
    table = opened(tmp_path, raw.replace(b"\x82\x06\0\0\0a", b"\x81\x06\0\0\0a"), profile=DATAVERSE)
    assert cells(table, "s") == ["a\ufffdb\ufffd\0"]


def test_names_that_would_be_one_stay_two(tmp_path: Path) -> None:
    """Where Dataverse's names are not unique, the file's own are kept."""
    columns = [Column(name.encode(), "byte", [1]) for name in ("é", "è")]
    table = opened(tmp_path, File(118, columns).to_bytes(), profile=DATAVERSE)
    assert table.data.column_names == ["é", "è"]
    assert len(table.findings) == 3


def test_no_more_sets_of_labels_than_variables(tmp_path: Path) -> None:
    """DTAFileReader.parseValueLabelsReleasel108 stops at the number of variables."""
    columns = [Column(b"x", "byte", [1], label_name=b"two")]
    labels = [(b"one", [(1, b"a")]), (b"two", [(2147483622, b"b")])]
    old = opened(tmp_path, File(115, columns, labels=labels).to_bytes(), profile=DATAVERSE)
    assert old.variables[0].categories == ()
    new = opened(tmp_path, File(118, columns, labels=labels).to_bytes(), profile=DATAVERSE)
    assert new.variables[0].categories == (Category(2147483622, "b"),)


def test_the_storage_type_decides_the_interval(tmp_path: Path) -> None:
    columns = [
        Column(b"a", "long", [1], b"%9.0g", b"set"),
        Column(b"b", "float", [1]),
        Column(b"c", "int", [1], b"%td", b"set"),
    ]
    made = File(118, columns, labels=[(b"set", [(1, b"one")])])
    found = opened(tmp_path, made.to_bytes(), profile=DATAVERSE).variables
    assert [each.interval for each in found] == [
        Interval.DISCRETE,
        Interval.CONTINUOUS,
        Interval.DISCRETE,
    ]
    assert [each.categories for each in found] == [
        (Category(1, "one"),),
        (),
        (Category("1", "one"),),
    ]
