"""SAS data sets made byte by byte, and real ones with their catalogues."""

from __future__ import annotations

import contextlib
import datetime
import json
import math
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabkit.errors import FormatError, UsageError
from tabkit.model import TAG_LETTERS, Category, Table
from tabkit.options import ReadOptions
from tabkit.read import read_all
from tabkit.read.sas import open_sas7bdat
from tabkit.read.sas_header import read_header
from tabkit.read.sas_pages import plan_readings, survey_pages
from tests.read.sas_files import Sas7bdat, Var

LAYOUTS = [(order, wide, packed) for order in "<>" for wide in (False, True) for packed in (0, 1)]
VARIABLES = (Var("NUMBER"), Var("WORD", 9, label="A word"), Var("SHORT", length=4))


def table(file: Sas7bdat | bytes, **options: Any) -> Table:
    """Write the file, read it, and see that the columns are valid Arrow."""
    data = file if isinstance(file, bytes) else file.to_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.sas7bdat"
        path.write_bytes(data)
        found = read_all(open_sas7bdat(path, ReadOptions(**options)))
    found.data.validate(full=True)
    return found


def rows_of(count: int) -> list[tuple[float, str, str | float]]:
    """Cases that differ, with blanks and tagged missing values among them."""
    return [
        (i / 3, "" if i % 4 == 0 else f"w{i}", "C" if i % 5 == 0 else i * 0.5) for i in range(count)
    ]


@pytest.mark.parametrize(("order", "wide", "packed"), LAYOUTS)
def test_every_layout(order: str, wide: bool, packed: int) -> None:
    rows = rows_of(500)
    file = Sas7bdat(VARIABLES, rows, order, wide, bool(packed), label="A label")
    found = table(file)
    assert found.label == "A label"
    assert found.attributes == (("data set", "SAMPLE"),)
    assert found.origin.format_version == "9.0401M6"
    assert found.origin.encoding == "utf-8"
    east = datetime.timezone(datetime.timedelta(hours=-1))
    assert found.origin.created == datetime.datetime(1960, 1, 2, 0, 0, 0, 500_000, east)
    assert found.origin.modified == datetime.datetime(1960, 1, 3)
    assert found.variables[1].label == "A word"
    assert [variable.storage for variable in found.variables] == ["num8", "char9", "num4"]
    assert found.data.column("NUMBER").to_pylist() == [row[0] for row in rows]
    assert found.data.column("WORD").to_pylist() == [row[1] or None for row in rows]
    short = [None if isinstance(row[2], str) else row[2] for row in rows]
    assert found.data.column("SHORT").to_pylist() == short
    assert found.missing_tags["SHORT"].to_pylist() == [3 if x is None else 0 for x in short]


@pytest.mark.parametrize(("order", "wide", "packed"), LAYOUTS)
def test_blocks_do_not_matter(order: str, wide: bool, packed: int, tmp_path: Path) -> None:
    """A large file is read window by window, without starting over at its beginning."""
    path = tmp_path / "made.sas7bdat"
    rows = rows_of(2000)
    path.write_bytes(Sas7bdat(VARIABLES, rows, order, wide, bool(packed)).to_bytes())
    header = read_header(path)
    readings = plan_readings(survey_pages(path, header, header.page_count), len(rows), 500)
    assert len(readings) > 2
    assert all(reading.pages is not None for reading in readings)
    whole = read_all(open_sas7bdat(path, ReadOptions()))
    for cells in (3, 100, 1500):
        parts = read_all(open_sas7bdat(path, ReadOptions(block_cells=cells, block_rows=70)))
        assert parts.data.equals(whole.data)
        assert parts.missing_tags["SHORT"].to_pylist() == whole.missing_tags["SHORT"].to_pylist()


numbers = st.floats(allow_nan=False) | st.sampled_from(
    [letter.upper() for letter in TAG_LETTERS[1:]]
)
words = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=3)


@settings(max_examples=25)
@given(st.lists(st.tuples(numbers, words), min_size=1, max_size=20), st.sampled_from(LAYOUTS))
def test_values_come_back(
    rows: list[tuple[float | str, str]], layout: tuple[str, bool, int]
) -> None:
    found = table(Sas7bdat([Var("N"), Var("T", 12)], rows, *layout[:2], bool(layout[2])))
    wanted = [None if isinstance(number, str) else number for number, _ in rows]
    assert found.data.column("N").to_pylist() == wanted
    assert found.data.column("T").to_pylist() == [word.rstrip(" ") or None for _, word in rows]
    if None in wanted:
        tags = [TAG_LETTERS.index(n.lower()) if isinstance(n, str) else 0 for n, _ in rows]
        assert found.missing_tags["N"].to_pylist() == tags


def test_dates_are_typed_by_their_format() -> None:
    variables = [
        Var("D", shown="DATE"),
        Var("M", shown="DATETIME"),
        Var("T", shown="TIME"),
        Var("Y", shown="YEAR"),
    ]
    found = table(
        Sas7bdat(
            variables, [(-1.0, 86400.25, 3661.0, 0.0), (".", "A", "B", "_"), (1e9, 0.0, 0.0, 1.0)]
        )
    )
    kinds = ["date32[day]", "timestamp[us]", "duration[us]", "double"]
    assert [str(field.type) for field in found.data.schema] == kinds
    moment = datetime.datetime(1960, 1, 2, 0, 0, 0, 250_000)
    span = datetime.timedelta(hours=1, minutes=1, seconds=1)
    first = {"D": datetime.date(1959, 12, 31), "M": moment, "T": span, "Y": 0.0}
    assert found.data.to_pylist()[0] == first
    assert found.data.to_pylist()[1] == dict.fromkeys("DMTY")
    assert [found.missing_tags[name].to_pylist()[1] for name in "MTY"] == [1, 2, 27]
    assert [finding.variable for finding in found.findings] == ["D"]


def test_text_that_the_declared_encoding_does_not_have() -> None:
    """One wrong byte costs one character, not the file."""
    rows: list[tuple[bytes]] = [("né".encode(),), ("né".encode("cp1252"),)]
    found = table(Sas7bdat([Var("WÖRT", 6, label="ü")], rows))
    assert found.data.column("WÖRT").to_pylist() == ["né", "n\ufffd"]
    assert found.variables[0].label == "ü"
    assert [finding.severity for finding in found.findings] == ["warning"]
    assert "(cases: 1)" in found.findings[0].text
    for code, codec in ((62, "cp1252"), (20, "utf-8"), (138, "cp932"), (250, "utf-8")):
        text = "ｱ" if codec == "cp932" else "né"
        file = Sas7bdat([Var("T", 6)], [(text,)], encoding=code, codec=codec)
        with contextlib.suppress(FormatError):  # ReadStat knows no encoding 250
            assert table(file).data.column("T").to_pylist() == [text]
    file = Sas7bdat([Var("T", 6)], [("né".encode("cp437"),)])
    assert table(file, encoding="cp437").data.column("T").to_pylist() == ["né"]
    with pytest.raises(UsageError, match="no encoding"):
        table(file, encoding="klingon")


def test_a_truncated_file_gives_the_cases_of_its_whole_pages() -> None:
    whole = Sas7bdat(VARIABLES, rows_of(2000)).to_bytes()
    found = table(whole[: 1024 + 4096 * 5 + 7])
    complete = table(whole)
    assert 0 < found.cases < 2000
    assert found.data.equals(complete.data.slice(0, found.cases))
    assert [finding.severity for finding in found.findings] == ["warning"]
    assert f"it holds 5 of its 12 pages, and {found.cases:,} of its 2,000" in found.findings[0].text
    with pytest.raises(FormatError, match="truncated"):
        table(whole[: 1024 + 4096 * 1 - 7])
    with pytest.raises(FormatError, match="truncated"):
        table(whole[:250])


def test_sizes_that_cannot_be_are_refused() -> None:
    whole = Sas7bdat(VARIABLES, rows_of(50)).to_bytes()

    def with_number(at: int, value: int) -> bytes:
        return whole[:at] + struct.pack("<I", value) + whole[at + 4 :]

    for data in (
        with_number(196, 1 << 30),
        with_number(200, 1 << 30),
        with_number(204, 0),
        bytes(4096),
    ):
        with pytest.raises(FormatError):
            table(data)
    rows_at = whole.index(b"\xf7\xf7\xf7\xf7") + 24
    with pytest.raises(FormatError, match="more than the file has bytes"):
        table(with_number(rows_at, 2_000_000_000))
    with pytest.raises(FormatError, match="cannot be read"):
        table(with_number(rows_at, 60))


def test_no_cases_and_no_variables() -> None:
    empty = table(Sas7bdat(VARIABLES, []))
    assert (empty.cases, len(empty.variables)) == (0, 3)


def test_damage_never_ends_in_a_traceback() -> None:
    whole = Sas7bdat(VARIABLES, rows_of(100), compressed=True).to_bytes()
    rng = np.random.default_rng(3)
    places = np.flatnonzero(np.frombuffer(whole, np.uint8))
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.choice(places, 2):
            data[at] ^= 1 << int(rng.integers(8))
        with contextlib.suppress(FormatError):
            table(bytes(data))


# ------------------------------------------------------------------------- real files and labels


def expected(corpus: Path) -> list[dict[str, Any]]:
    lines = (corpus / "expected.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [each for each in found if each["file"].endswith(".sas7bdat")]


def test_real_files_are_read_or_refused(corpus: Path) -> None:
    for each in expected(corpus):
        theirs = each["readers"]["pyreadstat"]
        if not theirs["ok"]:
            with pytest.raises(FormatError):
                open_sas7bdat(corpus / each["file"], ReadOptions())
            continue
        found = read_all(open_sas7bdat(corpus / each["file"], ReadOptions(block_cells=200)))
        assert found.cases == theirs["rows"], each["file"]
        assert found.data.column_names == theirs["names"], each["file"]
        assert found.label == (theirs["file_label"] or "")
        for variable, column in zip(found.variables, theirs["cols"], strict=False):
            nulls = found.data.column(variable.name).null_count
            assert nulls == column["n_missing"] or column["storage"] == "string", variable.name
            assert variable.label == (column["label"] or "")


def test_real_values_are_those_of_pandas(corpus: Path) -> None:
    """An independent reader; ReadStat alone knows of deleted cases."""
    for each in expected(corpus):
        theirs = each["readers"]["pandas"]
        if not theirs["ok"] or "deleted" in each["file"]:
            continue
        found = read_all(open_sas7bdat(corpus / each["file"], ReadOptions())).data
        frame = pd.read_sas(corpus / each["file"], encoding="infer")
        for name in found.column_names:
            column, values = found.column(name), frame[name]
            if str(column.type) == "double":
                ours = column.to_numpy(zero_copy_only=False)
                if values.dtype == float:
                    np.testing.assert_array_equal(ours, values.to_numpy(), f"{each['file']} {name}")
            elif str(column.type) == "date32[day]":
                days = [None if pd.isna(value) else value.date() for value in values]
                assert column.to_pylist() == days
            elif str(column.type) == "string":
                words = [None if not isinstance(v, str) or not v else v for v in values]
                assert column.to_pylist() == words, (each["file"], name)


def test_labels_of_a_catalogue(corpus: Path, tmp_path: Path) -> None:
    folder = corpus / "sas7bdat"
    data, catalog = tmp_path / "survey.sas7bdat", folder / "hadley_formats.sas7bcat"
    shutil.copy(folder / "hadley.sas7bdat", data)

    def labels(**options: Any) -> tuple[dict[str, tuple[Category, ...]], list[str]]:
        with open_sas7bdat(data, ReadOptions(**options)) as stream:
            by_name = {each.name: each.categories for each in stream.variables if each.categories}
            return by_name, [finding.text for finding in stream.findings]

    wanted = {
        "workshop": (Category(1.0, "R"), Category(2.0, "SAS")),
        "gender": (Category("f", "Female"), Category("m", "Male")),
    }
    none, told = labels()
    assert none == {}
    assert "workshop (WORKSHOP.), gender ($GENDER.)" in told[0]
    assert labels(catalog=catalog) == (
        wanted,
        ["value labels were taken from hadley_formats.sas7bcat"],
    )
    shutil.copy(catalog, tmp_path / "formats.sas7bcat")
    found, told = labels()
    assert found == wanted
    assert told == ["value labels were taken from formats.sas7bcat beside the file"]
    (tmp_path / "survey.sas7bcat").write_bytes(b"not a catalogue")
    found, told = labels()
    assert found == wanted
    assert told[0].startswith("value labels were not read: survey.sas7bcat")
    with pytest.raises(FormatError, match=r"survey\.sas7bcat"):
        labels(catalog=tmp_path / "survey.sas7bcat")
    with pytest.raises(FormatError, match="neither a SAS catalogue nor a table of formats"):
        labels(catalog=data)


def test_labels_of_a_table_of_formats(tmp_path: Path) -> None:
    """What PROC FORMAT CNTLOUT= makes is as good as a catalogue."""
    columns = [Var("FMTNAME", 8), Var("START", 16), Var("LABEL", 16), Var("TYPE", 1)]
    rows = [("AGREE", "1", "Yes", "N"), ("AGREE", ".A", "Refused", "N"), ("AGREE", ".", "?", "N")]
    formats = tmp_path / "formats.sas7bdat"
    formats.write_bytes(Sas7bdat(columns, rows).to_bytes())
    found = table(Sas7bdat([Var("Q", shown="AGREE")], [(1.0,)]), catalog=formats)
    missing = [Category(".a", "Refused", missing=True), Category(".", "?", missing=True)]
    assert found.variables[0].categories == (Category(1.0, "Yes"), *missing)


def test_system_missing_is_not_a_number() -> None:
    found = table(Sas7bdat([Var("X")], [(".",), (math.inf,), (-0.0,)]))
    assert found.data.column("X").to_pylist() == [None, math.inf, 0.0]
    assert math.copysign(1, found.data.column("X")[2].as_py()) == -1
    assert not found.missing_tags
