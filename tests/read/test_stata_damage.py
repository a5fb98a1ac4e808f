"""Stata data files that are cut, changed or hostile: read, or refused in one line."""

from __future__ import annotations

import contextlib
import dataclasses
import struct
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.errors import FormatError
from tabkit.model import Category
from tests.read.stata_files import Column, File, cells, opened

if TYPE_CHECKING:
    from pathlib import Path


def test_a_cut_file_gives_its_whole_cases(tmp_path: Path) -> None:
    raw = File(
        115, [Column(b"x", "int", range(100)), Column(b"s", "str3", [b"ab"] * 100)]
    ).to_bytes()
    table = opened(tmp_path, raw[:-252])
    assert cells(table, "x") == list(range(49))
    assert "cut short: 49 of 100 cases" in table.findings[0].text
    new = File(118, [Column(b"x", "int", range(100))]).to_bytes()
    table = opened(tmp_path, new[: new.index(b"<data>") + 6 + 121])
    assert cells(table, "x") == list(range(60))


def test_a_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    raw = bytearray(File(115, [Column(b"x", "int", [1])]).to_bytes())
    raw[6:10] = b"\xff\xff\xff\x7f"
    with pytest.raises(FormatError, match="promises 2,147,483,647 cases, the file has room for 1"):
        opened(tmp_path, bytes(raw))
    raw[4:6] = b"\xff\xff"
    with pytest.raises(FormatError, match="promises 65,535 variables"):
        opened(tmp_path, bytes(raw))


def test_the_data_section_outweighs_a_wrong_header(tmp_path: Path) -> None:
    raw = bytearray(File(118, [Column(b"x", "int", [1, 2, 3])]).to_bytes())
    at = raw.index(b"<N>") + 3
    for promised in (1, 2, 4, 10**12):
        raw[at : at + 8] = promised.to_bytes(8, "little")
        table = opened(tmp_path, bytes(raw))
        assert cells(table, "x") == [1, 2, 3]
        assert "the data section holds 3" in table.findings[0].text


def test_sections_are_found_without_the_map(tmp_path: Path) -> None:
    columns = [Column(b"x", "int", [1], label_name=b"set"), Column(b"s", "strL", [b"long"])]
    raw = bytearray(File(118, columns, labels=[(b"set", [(1, b"one")])]).to_bytes())
    at = raw.index(b"<map>") + 5
    raw[at : at + 112] = bytes(112)
    table = opened(tmp_path, bytes(raw))
    assert cells(table, "s") == ["long"]
    assert table.variables[0].categories == (Category(1, "one"),)
    assert "map" in table.findings[0].text


def test_broken_value_labels_do_not_lose_the_data(tmp_path: Path) -> None:
    columns = [
        Column(b"x", "int", [1], label_name=b"one"),
        Column(b"y", "int", [1], label_name=b"b"),
    ]
    labels = [(b"one", [(1, b"one")]), (b"b", [(1, b"eins"), (2, b"zwei")])]
    raw = File(115, columns, labels=labels).to_bytes()
    table = opened(tmp_path, raw[:-3])
    assert cells(table, "x") == [1]
    assert [len(each.categories) for each in table.variables] == [1, 0]
    assert "value labels are broken after set 1" in table.findings[0].text


def test_labels_that_share_their_text_are_refused(tmp_path: Path) -> None:
    """Else a small file could fill the memory: n labels of n bytes each in 9 n bytes."""
    entries = [(k, b"a" * 9) for k in range(5)]
    raw = bytearray(File(115, [Column(b"x", "int", [1])], labels=[(b"one", entries)]).to_bytes())
    at = raw.index(b"a" * 9) - 40
    raw[at : at + 20] = struct.pack("<5I", 0, 1, 2, 3, 4)
    start = raw.index(b"a" * 9)
    raw[start : start + 49] = b"a" * 49
    table = opened(tmp_path, bytes(raw))
    assert "overlap" in table.findings[0].text


@pytest.mark.parametrize("offset", [1 << 31, 7])
def test_labels_beyond_their_text_are_refused(tmp_path: Path, offset: int) -> None:
    raw = bytearray(
        File(115, [Column(b"x", "int", [1])], labels=[(b"one", [(1, b"abc"), (2, b"")])]).to_bytes()
    )
    at = raw.index(b"abc") - 16
    raw[at : at + 4] = offset.to_bytes(4, "little")
    table = opened(tmp_path, bytes(raw))
    assert cells(table, "x") == [1]
    assert [each.severity for each in table.findings] == ["warning"]


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"r", "not a Stata data file"),
        (b"<html><body>not found</body></html>", "not a Stata data file"),
        (b"\x73\x03\x01\x00" + bytes(200), "not a Stata data file"),
        (b"<stata_dta><header><release>116</release>", "version 116"),
        (b"<stata_dta><header><release>118</release><byteorder>XXX", "byte order"),
        (b"<stata_dta>nothing", "<header> is missing"),
        (b"\x73\x02\x01\x00\x01\x00", "ends within its header"),
    ],
)
def test_what_is_no_stata_file_is_refused(tmp_path: Path, raw: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message) as caught:
        opened(tmp_path, raw)
    assert "\n" not in str(caught.value)


def test_an_unknown_type_is_refused(tmp_path: Path) -> None:
    raw = bytearray(File(118, [Column(b"x", "int", [1])]).to_bytes())
    at = raw.index(b"<variable_types>") + 16
    raw[at : at + 2] = b"\xff\xff"
    with pytest.raises(FormatError, match="type code 65535"):
        opened(tmp_path, bytes(raw))


@given(st.data())
def test_no_damage_breaks_the_reader(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    """A damaged file is read, or refused in one line."""
    made = File(
        data.draw(st.sampled_from((105, 115, 117, 119))),
        [
            Column(b"x", "int", [1, 2], b"%td", b"set", b"label"),
            Column(b"s", "str4", [b"a", b"b"]),
        ],
        labels=[(b"set", [(1, b"one")])],
        characteristics=[(b"_dta", b"note1", b"text")],
    )
    if made.version >= 117:
        long = Column(b"l", "strL", [b"long", b"text"])
        made = dataclasses.replace(made, columns=[*made.columns, long])
    raw = bytearray(made.to_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    raw = raw[: data.draw(st.integers(len(raw) // 2, len(raw)))]
    with contextlib.suppress(FormatError):
        table = opened(tmp_path_factory.getbasetemp(), bytes(raw))
        assert table.cases <= len(raw)
