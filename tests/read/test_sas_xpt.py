"""Transport files made byte by byte, by pyreadstat, and by SAS."""

from __future__ import annotations

import contextlib
import datetime
import json
import string
import tempfile
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabkit.errors import FormatError, UsageError
from tabkit.model import TAG_LETTERS, Category, Table
from tabkit.options import ReadOptions
from tabkit.read import read_all
from tabkit.read.sas import open_xpt
from tabkit.read.sas_xpt_cases import number_column
from tests.read.sas_files import Member, Var, ibm, transport

VERSIONS = (5, 8)


def table(data: bytes, **options: object) -> Table:
    """Write the file, read it, and see that the columns are valid Arrow."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.xpt"
        path.write_bytes(data)
        found = read_all(open_xpt(path, ReadOptions(**options)))  # type: ignore[arg-type]
    found.data.validate(full=True)
    return found


def warnings_of(found: Table) -> list[str]:
    return [finding.text for finding in found.findings if finding.severity == "warning"]


@pytest.mark.parametrize("version", VERSIONS)
def test_metadata(version: int) -> None:
    name = "VISIT" if version == 5 else "a_name_longer_than_eight"
    variables = [
        Var(name, label="Day of visit", shown="DATE|9"),
        Var("T", 4),
        Var("C", shown="DOLLAR|8.2"),
    ]
    found = table(
        transport(Member("SURVEY", variables, [(0.0, "ab", 1.5)], "A label"), version=version)
    )
    assert [variable.name for variable in found.variables] == [name, "T", "C"]
    assert found.label == "A label"
    assert found.attributes == (("data set", "SURVEY"),)
    assert found.origin.format_version == str(version)
    assert found.origin.created == datetime.datetime(2014, 6, 3, 9, 5, 16)
    assert found.origin.product == "SAS 9.4 Linux"
    day, text, cost = found.variables
    assert (day.label, day.display_format, day.format_category) == (
        "Day of visit",
        "DATE9.",
        "date",
    )
    assert (text.storage, text.width) == ("char4", 4)
    assert (cost.display_format, cost.decimals) == ("DOLLAR8.2", 2)
    first = {name: datetime.date(1960, 1, 1), "T": "ab", "C": 1.5}
    assert found.data.to_pylist() == [first]
    assert not found.findings


@pytest.mark.parametrize("version", VERSIONS)
def test_missing_values_keep_their_tag(version: int) -> None:
    letters = [letter.upper() for letter in TAG_LETTERS[1:]]
    rows = [(1.0, ""), (".", "x"), *((letter, "") for letter in letters)]
    found = table(transport(Member("M", [Var("X", length=3), Var("T", 2)], rows), version=version))
    assert found.data.column("X").to_pylist() == [1.0, *[None] * 28]
    assert found.missing_tags["X"].to_pylist() == [0, 0, *range(1, 28)]
    assert found.data.column("T").to_pylist() == [None, "x", *[None] * 27]
    assert set(found.missing_tags) == {"X"}


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=20))
def test_numbers_are_exact(values: list[float]) -> None:
    """A double within System/360's range comes back as it was: 56 bits hold its 53."""
    values = [value for value in values if value == 0 or 1e-70 < abs(value) < 1e70]
    cells = np.frombuffer(b"".join(map(ibm, values)), np.uint8).reshape(-1, 8)
    assert number_column(cells).values.to_pylist() == values


@given(st.binary(min_size=8, max_size=8), st.integers(2, 8))
def test_any_bits_give_the_nearest_double(data: bytes, width: int) -> None:
    """Sign, power of 16 and fraction mean what TS-140 says; the nearest double is given."""
    column = number_column(np.frombuffer(data[:width], np.uint8).reshape(1, width))
    data = data[:width].ljust(8, b"\0")
    if not any(data[1:]) and data[:1].decode("latin-1") in string.ascii_uppercase + "._":
        assert column.values.to_pylist() == [None]
        return
    exact = Fraction(int.from_bytes(data[1:], "big"), 2**56) * Fraction(16) ** (
        (data[0] & 127) - 64
    )
    assert column.values.to_pylist() == [float(-exact if data[0] & 128 else exact)]


cells = st.floats(-1e60, 1e60).filter(lambda x: x == 0 or abs(x) > 1e-60)
texts = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=5)


@settings(max_examples=25)
@given(st.sampled_from(VERSIONS), st.data(), st.integers(1, 30))
def test_what_pyreadstat_writes_is_read_back(version: int, data: st.DataObject, rows: int) -> None:
    numbers = data.draw(st.lists(cells, min_size=rows, max_size=rows))
    words = data.draw(st.lists(texts, min_size=rows, max_size=rows))
    frame = pd.DataFrame({"NUMBER": numbers, "WORD": pd.Series(words, dtype=object)})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.xpt"
        labels = {"NUMBER": "A number", "WORD": "A word"}
        pyreadstat.write_xport(frame, str(path), "Label", labels, file_format_version=version)
        found = read_all(open_xpt(path, ReadOptions(block_rows=7)))
    assert found.data.column("NUMBER").to_pylist() == numbers
    words = [word.rstrip(" \0") or None for word in words]
    assert found.data.column("WORD").to_pylist() == words
    assert [variable.label for variable in found.variables] == ["A number", "A word"]
    assert not warnings_of(found)


def test_long_names_and_labels_of_version_8(tmp_path: Path) -> None:
    name, label = "a_name_of_thirty_two_characters_", "long " * 40
    frame = pd.DataFrame({name: [1.5], "b": [2.0]})
    path = tmp_path / "long.xpt"
    pyreadstat.write_xport(frame, str(path), column_labels={name: label}, file_format_version=8)
    with open_xpt(path, ReadOptions()) as stream:
        assert [variable.name for variable in stream.variables] == [name, "b"]
        assert stream.variables[0].label == label.strip()


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 9, 16])
@pytest.mark.parametrize("width", [1, 7, 8, 10, 79, 80, 81])
def test_filling_is_no_case(count: int, width: int) -> None:
    rows = [(chr(ord("a") + row),) for row in range(count)]
    assert table(transport(Member("M", [Var("T", width)], rows))).cases == count


def test_blank_rows_beyond_the_filling_are_cases() -> None:
    rows = [("a" * 50,), *[("",)] * 5]
    found = table(transport(Member("M", [Var("T", 50)], rows)))
    assert found.cases == 6 - 1  # the last one fits into the filling, as SAS itself takes it
    assert "1 blank rows" in found.findings[0].text
    promised = transport(Member("M", [Var("T", 50)], rows, cases="6"), version=8)
    assert table(promised).cases == 6
    assert not table(promised).findings
    wrong = transport(Member("M", [Var("T", 50)], rows, cases="600"), version=8)
    assert warnings_of(table(wrong)) == ["the file promises 600 cases and holds 5"]


def test_other_data_sets_are_named_and_formats_used() -> None:
    widths = {"FMTNAME": 8, "START": 16, "END": 16, "LABEL": 9, "TYPE": 1, "HLO": 3}
    rows = [
        ("YESNO", "1", "1", "Yes", "N", ""),
        ("YESNO", "2", "2", "No", "N", ""),
        ("YESNO", ".A", ".A", "Refused", "N", ""),
        ("YESNO", "5", "9", "Many", "N", ""),
        ("YESNO", "**OTHER**", "**OTHER**", "?", "N", "O"),
        ("SEX", "f", "f", "Female", "C", ""),
        ("IN", "1", "1", "informat", "I", ""),
    ]
    formats = Member("FORMATS", [Var(name, width) for name, width in widths.items()], rows)
    variables = [Var("Q", shown="YESNO|"), Var("S", 1, shown="$SEX|"), Var("R", shown="RATE|")]
    first = Member("DATA", variables, [(1.0, "f", 1.0), ("A", "", 2.0)])
    found = table(transport(formats, first, Member("MORE", [Var("X")], [(1.0,)])))
    assert found.attributes == (("data set", "DATA"),)
    yes, no, refused = Category(1.0, "Yes"), Category(2.0, "No"), Category(".a", "Refused", True)
    assert found.variables[0].categories == (yes, no, refused)
    assert found.variables[1].categories == (Category("f", "Female"),)
    assert warnings_of(found) == [
        "data set DATA was read; the file also holds MORE, not read",
        "2 labels of ranges, or of all other values, have no place in a table",
    ]
    told = [finding.text for finding in found.findings if finding.severity == "info"]
    assert told[0] == "value labels were taken from data set FORMATS in the file"
    assert "R (RATE.)" in told[1]


def test_bytes_beyond_ascii() -> None:
    """Valid UTF-8 is taken for that, other bytes for windows-1252; nothing is lost silently."""
    rows = [("né".encode(),), ("né".encode("cp1252"),), (b"\x81",)]
    data = transport(Member("M", [Var("T", 4)], rows))
    found = table(data)
    assert found.data.column("T").to_pylist() == ["né", "né", "\ufffd"]
    assert warnings_of(found)[0].endswith("(cases: 1)")
    assert table(data, encoding="cp437").data.column("T").to_pylist()[1] == "nΘ"
    with pytest.raises(UsageError, match="no encoding"):
        table(data, encoding="klingon")


def test_double_and_blank_names_are_told() -> None:
    found = table(transport(Member("M", [Var("A"), Var("A"), Var("")], [(1.0, 2.0, 3.0)])))
    assert found.data.column_names == ["A", "A_2", "VAR3"]
    assert len(warnings_of(found)) == 2


def test_a_cut_file_gives_its_whole_cases() -> None:
    whole = transport(Member("M", [Var("X"), Var("T", 100)], [(float(i), "t") for i in range(9)]))
    found = table(whole[: 1040 + 4 * 108 + 50])
    assert found.data.column("X").to_pylist() == [0.0, 1.0, 2.0, 3.0]
    assert warnings_of(found) == ["the file ends in the middle of case 5: 4 cases were read"]


@pytest.mark.parametrize("size", [0, 79, 80, 200, 240, 300, 400, 559, 640, 700, 780])
def test_a_file_that_ends_in_its_description_is_refused(size: int) -> None:
    whole = transport(Member("M", [Var("X"), Var("T", 100)], [(1.0, "t")]))
    with pytest.raises(FormatError) as caught:
        table(whole[:size])
    assert "\n" not in str(caught.value)


def test_damage_is_refused_in_one_line(corpus: Path) -> None:
    rng = np.random.default_rng(7)
    for name in ("sc.xpt", "sas_v8.xpt", "testEmpty.xpt"):
        whole = (corpus / "xpt" / name).read_bytes()[:4000]
        for _ in range(100):
            data = bytearray(whole)
            for at in rng.integers(0, len(data), 3):
                data[at] ^= 1 << int(rng.integers(8))
            with contextlib.suppress(FormatError):
                table(bytes(data))
    with pytest.raises(FormatError, match="XPORT engine"):
        table(b"**COMPRESSED** **COMPRESSED** **COMPRESSED**".ljust(400))


def facts(corpus: Path) -> list[tuple[str, dict[str, dict[str, object]]]]:
    lines = (corpus / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [(each["file"], each["readers"]) for each in found if each["file"].startswith("xpt/")]


def test_real_files_are_read_as_by_r(corpus: Path) -> None:
    """R's foreign knows where a data set ends, unlike ReadStat and pandas."""
    compared = 0
    for name, readers in facts(corpus):
        theirs = readers.get("foreign", {})
        if not theirs.get("ok"):
            continue
        members = theirs.get("members") or [theirs]
        with open_xpt(corpus / name, ReadOptions()) as stream:
            assert stream.cases == members[0]["rows"], name  # type: ignore[index]
            wanted = [each["name"] for each in members[0]["cols"]]  # type: ignore[index]
            assert stream.schema.names == wanted, name
        compared += 1
    assert compared > 5


def test_real_values_are_those_of_pyreadstat(corpus: Path) -> None:
    several = {"sasxport_datetime.xpt", "testEmpty.xpt", "bad_flip.xpt"}
    for path in sorted((corpus / "xpt").glob("*.xpt")):
        if path.name in several:
            continue
        data, _ = pyreadstat.read_xport(
            str(path), output_format="dict", disable_datetime_conversion=True, encoding="cp1252"
        )
        ours = read_all(open_xpt(path, ReadOptions(block_rows=100, encoding="cp1252"))).data
        for name, values in data.items():
            column = ours.column(name)
            if str(column.type) in {"double", "string"}:
                wanted = [None if value in ("", None) else value for value in values]
                assert column.to_pylist() == wanted, (path.name, name)
