"""Stata data files: what Stata's help describes, other readers and other writers agree with."""

from __future__ import annotations

import datetime
import math
import sys
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.errors import UsageError
from tabkit.model import TAG_LETTERS, Category, Kind
from tabkit.options import ReadOptions
from tabkit.read import read_all
from tabkit.read.stata import open_dta
from tests.read.stata_files import NEW, OLD, Column, File, cells, opened

if TYPE_CHECKING:
    from pathlib import Path

MISSING = {
    "byte": [101 + k for k in range(27)],
    "int": [32741 + k for k in range(27)],
    "long": [2147483621 + k for k in range(27)],
    "float": [2.0**127 * (1 + k / 4096) for k in range(27)],
    "double": [2.0**1023 * (1 + k / 4096) for k in range(27)],
}
NUMBERS = {
    "byte": st.integers(-127, 100),
    "int": st.integers(-32767, 32740),
    "long": st.integers(-(2**31) + 1, 2147483620),
    "float": st.floats(-(2.0**126), 2.0**126, width=32),
    "double": st.floats(-1e307, 1e307),
}
TEXT = st.text("abc é\u017e", max_size=9)


@st.composite
def files(draw: st.DrawFn) -> tuple[File, list[list[object]]]:
    """A file of any version, and the values that its cells stand for."""
    version = draw(st.sampled_from(OLD + NEW))
    order = "<" if version == 102 else draw(st.sampled_from("<>"))
    coding = "utf-8" if version >= 118 else "windows-1252"
    storages = [*NUMBERS, "str20"] + (["strL"] if version >= 117 else [])
    count = draw(st.integers(0, 4))
    columns, expected = [], []
    for at in range(draw(st.integers(1, 4))):
        storage = draw(st.sampled_from(storages))
        if storage in NUMBERS:
            values = draw(st.lists(NUMBERS[storage], min_size=count, max_size=count))
            stored: list[float | bytes] = list(values)
        else:
            texts = draw(st.lists(TEXT, min_size=count, max_size=count))
            stored = (
                [text.encode(coding) for text in texts]
                if coding == "utf-8"
                else [text.replace("\u017e", "z").encode(coding) for text in texts]
            )
            values = [raw.decode(coding) or None for raw in stored]
        columns.append(Column(f"v{at}".encode(), storage, stored))
        expected.append(values)
    return File(version, columns, order), expected


@given(files())
def test_every_version_and_byte_order_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, made: tuple[File, list[list[object]]]
) -> None:
    """What a file of the published layout holds is what is read."""
    file, expected = made
    table = opened(tmp_path_factory.getbasetemp(), file.to_bytes())
    assert [cells(table, name) for name in table.data.column_names] == expected
    assert table.cases == len(expected[0])
    assert table.origin.format_version == str(file.version)
    assert not [each for each in table.findings if each.severity == "warning"]


@pytest.mark.parametrize("version", [113, 115, 117, 118, 119, 121])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("storage", list(NUMBERS))
def test_27_missing_codes(tmp_path: Path, version: int, order: str, storage: str) -> None:
    """Stata, help missing: ``.`` and ``.a`` to ``.z`` follow the largest number."""
    values = [*MISSING[storage], 7]
    table = opened(tmp_path, File(version, [Column(b"x", storage, values)], order).to_bytes())
    assert cells(table, "x") == [None] * 27 + [7]
    tags = table.missing_tags["x"].to_pylist()
    assert "".join(TAG_LETTERS[tag] for tag in tags) == " abcdefghijklmnopqrstuvwxyz "


@pytest.mark.parametrize(
    ("version", "storage", "missing", "largest"),
    [
        (105, "byte", 127, 126),
        (108, "int", 32767, 32766),
        (110, "long", 2147483647, 2147483646),
        (111, "float", 2.0**127, float(np.nextafter(np.float32(2**127), np.float32(0)))),
        (111, "double", 2.0**1023, np.nextafter(2.0**1023, 0)),
        (105, "double", 2.0**333, np.nextafter(2.0**333, 0)),
        (108, "double", 2.0**1023, 2.0**333),
    ],
)
def test_one_missing_code_before_stata_8(
    tmp_path: Path, version: int, storage: str, missing: float, largest: float
) -> None:
    """Stata, help dta_105 to dta_111: each type has a single missing value, its largest."""
    table = opened(tmp_path, File(version, [Column(b"x", storage, [missing, largest])]).to_bytes())
    assert cells(table, "x") == [None, largest]
    assert not table.missing_tags


def test_infinities_and_nan_are_numbers(tmp_path: Path) -> None:
    """Not one of the missing codes: kept, as Dataverse keeps them."""
    values = [math.inf, -math.inf, math.nan, float(np.nextafter(2.0**1023, math.inf))]
    table = opened(tmp_path, File(118, [Column(b"x", "double", values)]).to_bytes())
    assert table.data.column("x").null_count == 0
    assert str(cells(table, "x")) == str(values)


@pytest.mark.parametrize("version", [v for v in OLD + NEW if v >= 107])
def test_value_labels(tmp_path: Path, version: int) -> None:
    """Labels of missing codes are categories of that missing; shared sets go to each variable."""
    entries = [(2, b"two"), (-1, b"minus"), (2147483622, b"lost"), (0, b"")]
    columns = [
        Column(b"x", "byte", [2], label_name=b"set", label=b"The x"),
        Column(b"y", "double", [2.5], label_name=b"set"),
        Column(b"z", "int", [1]),
    ]
    table = opened(tmp_path, File(version, columns, labels=[(b"set", entries)]).to_bytes())
    lost = Category(".a", "lost", missing=True) if version >= 112 else Category(2147483622, "lost")
    expected = (Category(2, "two"), Category(-1, "minus"), lost, Category(0, ""))
    assert [each.categories for each in table.variables] == [expected, expected, ()]
    assert [each.label for each in table.variables] == ["The x", "", ""]


def test_short_value_labels(tmp_path: Path) -> None:
    """Up to version 106: labels of 8 bytes, without a NUL when they are so long."""
    columns = [Column(b"x", "int", [2], label_name=b"set")]
    labels = [(b"set", [(2, b"eightlet"), (-3, b"no")])]
    for version, order in ((103, ">"), (104, "<"), (105, ">"), (106, "<")):
        table = opened(tmp_path, File(version, columns, order, labels=labels).to_bytes())
        assert table.variables[0].categories == (Category(2, "eightlet"), Category(-3, "no"))


def test_value_labels_that_are_elsewhere_keep_their_name(tmp_path: Path) -> None:
    """Stata: labels may be attached before they are defined."""
    table = opened(tmp_path, File(118, [Column(b"x", "int", [2], label_name=b"set")]).to_bytes())
    assert table.variables[0].attributes == (("label values", "set"),)


def test_value_labels_of_dates_and_numbers_may_be_shared(tmp_path: Path) -> None:
    columns = [
        Column(b"x", "int", [2], label_name=b"set"),
        Column(b"d", "int", [2], b"%td", b"set"),
        Column(b"y", "int", [2], b"%ty", b"set"),
    ]
    labels = [(b"set", [(2, b"two"), (30000, b"far")])]
    table = opened(tmp_path, File(118, columns, labels=labels).to_bytes())
    values = [[each.value for each in variable.categories] for variable in table.variables]
    assert values == [[2, 30000], ["1960-01-03", "2042-02-19"], ["0002", "30000"]]


def test_duplicate_codes_and_sets_are_told(tmp_path: Path) -> None:
    columns = [Column(b"x", "int", [2], label_name=b"set")]
    labels = [(b"set", [(1, b"a"), (1, b"b")])]
    table = opened(tmp_path, File(118, columns, labels=labels).to_bytes())
    assert table.variables[0].categories == (Category(1, "b"),)
    assert "defined twice" in table.findings[0].text


@pytest.mark.parametrize("version", [v for v in OLD + NEW if v >= 105])
@pytest.mark.parametrize("order", ["<", ">"])
def test_all_that_a_file_says(tmp_path: Path, version: int, order: str) -> None:
    """Notes, characteristics, sort order, time and unused value labels survive."""
    made = File(
        version,
        [Column(b"x", "int", [1]), Column(b"y", "str8", [b"a"])],
        order,
        label=b"A file",
        timestamp=b" 4 Aug 2024 17:02",
        labels=[(b"idle", [(1, b"one"), (2, b"two")])],
        characteristics=[
            (b"_dta", b"note2", b"second"),
            (b"_dta", b"note0", b"2"),
            (b"_dta", b"note1", b"first"),
            (b"_dta", b"iis", b"x"),
            (b"x", b"note1", b"of x"),
            (b"x", b"note0", b"1"),
            (b"gone", b"what", b"ever"),
        ],
        sorted_by=[1, 0],
    )
    table = opened(tmp_path, made.to_bytes())
    assert table.label == "A file"
    assert table.notes == ("first", "second")
    assert table.attributes == (
        ("iis", "x"),
        ("gone[what]", "ever"),
        ("sortlist", "y x"),
        ("label define idle", '1 `"one"\' 2 `"two"\''),
    )
    assert table.variables[0].attributes == (("note1", "of x"),)
    assert table.origin.created == datetime.datetime(2024, 8, 4, 17, 2)
    assert [each.severity for each in table.findings] == ["info"]


def test_formats_and_storage(tmp_path: Path) -> None:
    columns = [
        Column(b"a", "double", [1.5], b"%12.2fc"),
        Column(b"b", "double", [1.5], b"%-9.0g"),
        Column(b"c", "str12", [b"x"], b"%-12s"),
        Column(b"d", "strL", [b"x"], b"%9s"),
        Column(b"e", "float", [1.5], b"%9,1f"),
        Column(b"f", "double", [1.5], b"%tC"),
    ]
    found = opened(tmp_path, File(118, columns).to_bytes()).variables
    assert [(v.storage, v.width, v.decimals, v.alignment) for v in found] == [
        ("double", 12, 2, ""),
        ("double", 9, None, "left"),
        ("str12", 12, None, "left"),
        ("strL", None, None, ""),
        ("float", 9, 1, ""),
        ("double", None, None, ""),
    ]
    assert [v.kind for v in found] == [
        *[Kind.NUMERIC] * 2,
        *[Kind.CHARACTER] * 2,
        *[Kind.NUMERIC] * 2,
    ]
    assert [v.display_format for v in found] == [c.display_format.decode() for c in columns]


@pytest.mark.parametrize("version", [117, 118, 119])
@pytest.mark.parametrize("order", ["<", ">"])
def test_long_strings(tmp_path: Path, version: int, order: str) -> None:
    """A text may be referred to again; a reference to none is reported."""
    texts = [b"one", b"", b"x" * 5000, b"one"]
    raw = bytearray(File(version, [Column(b"s", "strL", texts)], order).to_bytes())
    start = raw.index(b"<data>") + 6
    raw[start + 24 : start + 32] = raw[start : start + 8]
    table = opened(tmp_path, bytes(raw))
    assert cells(table, "s") == ["one", None, "x" * 5000, "one"]
    assert not table.findings
    raw[start + 16 : start + 24] = b"\1" * 8
    table = opened(tmp_path, bytes(raw))
    assert cells(table, "s") == ["one", None, None, "one"]
    assert "1 long strings are not in the file" in table.findings[0].text


def test_binary_long_strings_keep_every_byte(tmp_path: Path) -> None:
    raw = File(118, [Column(b"s", "strL", [b"a\0\xff b"])]).to_bytes()
    table = opened(tmp_path, raw.replace(b"\x82\x06\0\0\0a", b"\x81\x06\0\0\0a"))
    assert cells(table, "s") == ["a\0\u00ff b\0"]
    assert "not valid utf-8" in table.findings[0].text


def test_blocks_do_not_change_a_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Cutting the cases elsewhere gives the same table; long strings bound a block, too."""
    columns = [
        Column(b"x", "byte", [k % 103 for k in range(500)]),
        Column(b"s", "strL", [b"y" * (k % 40) for k in range(500)]),
        Column(b"d", "double", [float(k) for k in range(500)], b"%td"),
    ]
    path = tmp_path / "x.dta"
    path.write_bytes(File(118, columns).to_bytes())
    whole = read_all(open_dta(path, ReadOptions()))
    parts = read_all(open_dta(path, ReadOptions(block_rows=7)))
    monkeypatch.setattr(sys.modules["tabkit.read.stata_cases"], "_TEXT_BYTES", 100)
    with open_dta(path, ReadOptions()) as stream:
        blocks = list(stream.blocks)
    assert len(blocks) > 50
    assert whole.data.equals(parts.data)
    assert whole.data.equals(pa.Table.from_batches([block.data for block in blocks]))
    assert whole.missing_tags["x"].to_pylist() == parts.missing_tags["x"].to_pylist()


def test_an_unread_stream_holds_no_file(tmp_path: Path) -> None:
    path = tmp_path / "x.dta"
    path.write_bytes(File(118, [Column(b"x", "byte", [1])]).to_bytes())
    stream = open_dta(path, ReadOptions())
    path.unlink()
    stream.close()
    stream.close()


def test_alias_variables_have_no_values(tmp_path: Path) -> None:
    """Stata 18, help dta_120: an alias takes no space in the data."""
    columns = [Column(b"x", "byte", [1, 2]), Column(b"y", "alias", [0, 0])]
    table = opened(tmp_path, File(120, columns).to_bytes())
    assert cells(table, "x") == [1, 2]
    assert cells(table, "y") == [None, None]
    assert [each.variable for each in table.findings] == ["y"]


def test_names_become_unique(tmp_path: Path) -> None:
    columns = [Column(name, "byte", [1]) for name in (b"a", b"a", b"", b"a_2")]
    table = opened(tmp_path, File(118, columns).to_bytes())
    assert (
        table.data.column_names == ["a_3", "a_4", "v3", "a_2"]
        or len(set(table.data.column_names)) == 4
    )
    assert len(table.findings) >= 2


def test_text_of_no_declared_code(tmp_path: Path) -> None:
    """Before Stata 14: windows-1252 unless all of it is UTF-8; the user may say better."""
    western = File(115, [Column(b"s", "str8", [b"d\xfcrr", b"\x80\x81"], label=b"\xe4")]).to_bytes()
    table = opened(tmp_path, western)
    assert (cells(table, "s"), table.variables[0].label) == (["dürr", "€\x81"], "ä")
    assert not table.findings
    utf8 = File(117, [Column(b"s", "str8", ["dürr".encode()], label=b"caf\xc3")]).to_bytes()
    table = opened(tmp_path, utf8)
    assert cells(table, "s") == ["dürr"]
    assert "UTF-8" in table.findings[0].text
    cyrillic = File(115, [Column(b"s", "str8", ["Мир".encode("cp1251")])]).to_bytes()
    assert cells(opened(tmp_path, cyrillic, encoding="cp1251"), "s") == ["Мир"]
    chinese = File(115, [Column(b"s", "str8", ["高雄".encode("gb18030"), b"\xff"])]).to_bytes()
    table = opened(tmp_path, chinese, encoding="gb18030")
    assert cells(table, "s") == ["高雄", "\ufffd"]
    assert "1 strings are not valid gb18030" in table.findings[0].text
    with pytest.raises(UsageError, match="no encoding"):
        opened(tmp_path, western, encoding="utf-16")


def test_text_that_turns_utf8_late(tmp_path: Path) -> None:
    """The first 10,000 cases do not decide for text that comes later."""
    late = [b"a"] * 10_001 + ["é".encode(), b"\xe9"]
    table = opened(tmp_path, File(115, [Column(b"s", "str2", late)]).to_bytes())
    assert cells(table, "s")[-2:] == ["é", "é"]
    assert "1 strings are not valid utf-8" in table.findings[0].text


def test_invalid_utf8_is_read_as_western_and_told(tmp_path: Path) -> None:
    columns = [Column(b"s", "str8", [b"d\xfcrr", "dürr".encode(), b""], label=b"\xe4")]
    table = opened(tmp_path, File(118, columns).to_bytes())
    assert cells(table, "s") == ["dürr", "dürr", None]
    assert table.variables[0].label == "ä"
    assert [each.text[:27] for each in table.findings] == [
        "1 names or labels are not v",
        "1 strings are not valid utf",
    ]
