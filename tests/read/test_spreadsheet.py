"""Spreadsheets: what was put into workbooks of every kind comes out, and bad ones are refused."""

from __future__ import annotations

import datetime as dt
import importlib.util
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tabkit
from tabkit.errors import FormatError, UsageError
from tabkit.read.spreadsheet import sheet_names
from tabkit.read.spreadsheet_cells import ColumnFacts
from tabkit.read.spreadsheet_layout import cell_text, column_letters, find_layout
from tabkit.read.spreadsheet_zip import _NO_RESULT, kind_of

MAKE = Path(__file__).parents[1] / "data" / "make" / "workbooks.py"
_SPEC = importlib.util.spec_from_file_location("workbooks", MAKE)
workbooks = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(workbooks)

TYPES = (
    pa.int64(),
    pa.string(),
    pa.string(),
    pa.float64(),
    pa.date32(),
    pa.time64("us"),
    pa.duration("us"),
    pa.timestamp("us"),
    pa.bool_(),
    pa.int64(),
)


def expected() -> pa.Table:
    columns = [
        [None if value is workbooks.ERROR else value for value in column]
        for column in zip(*(row for row in workbooks.ROWS), strict=True)
    ]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, TYPES, strict=True)]
    return pa.table(dict(zip(workbooks.NAMES, arrays, strict=True)))


def texts(table: tabkit.Table) -> list[str]:
    return [f"{each.variable}: {each.text}" for each in table.findings]


@pytest.mark.parametrize("suffix", workbooks.WRITERS)
def test_what_was_put_in_comes_out(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"people.{suffix}"
    workbooks.WRITERS[suffix](path)
    table = tabkit.read(path)
    assert table.data.equals(expected())
    assert table.origin.format == suffix
    assert ("sheet", "People") in table.attributes


@pytest.mark.parametrize(
    ("write", "options"),
    [(workbooks.write_strict, {}), (workbooks.write_xlsx, {"since_1904": True})],
)
def test_strict_and_1904(tmp_path: Path, write: Any, options: Any) -> None:
    path = tmp_path / "people.xlsx"
    write(path, **options)
    assert tabkit.read(path).data.equals(expected())


@pytest.mark.parametrize("suffix", ["xlsx", "ods"])
def test_errors_are_missing_and_counted(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"people.{suffix}"
    workbooks.WRITERS[suffix](path)
    assert "failed: cells with an error, taken as missing: 2" in texts(tabkit.read(path))


def test_formulas_that_nobody_calculated_are_counted(tmp_path: Path) -> None:
    """Programs that do not calculate, as openpyxl, store no result: the values are nowhere."""
    import openpyxl

    book = openpyxl.Workbook()
    book.active.append(["a", "total", "text"])
    for row in range(2, 6):
        book.active.append([row, f"=A{row} * 2", "x"])
    path = tmp_path / "sums.xlsx"
    book.save(path)
    assert texts(tabkit.read(path)) == ["total: formulas without a stored result, missing: 4"]


def test_formulas_with_a_result_are_not_counted(tmp_path: Path) -> None:
    import xlsxwriter

    path = tmp_path / "sums.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ("a", "total", "text"))
        for row in (1, 2):
            sheet.write(row, 0, row)
            sheet.write_formula(row, 1, f"=A{row} * 2", None, row * 2)
            sheet.write_formula(row, 2, '="x"', None, "x")
    table = tabkit.read(path)
    assert table.data["total"].to_pylist() == [2, 4]
    assert not texts(table)


@pytest.mark.parametrize(
    ("cell", "lost"),
    [
        ('<c r="A2"><f>1+1</f><v/></c>', 1),
        ('<x:c r="A2" s="1"><x:f>1+1</x:f><x:v> </x:v></x:c>', 1),
        ('<c r="A2"><f t="shared" si="0"/></c>', 1),
        ('<c r="A2"><f>1+1</f><v>2</v></c>', 0),
        ('<c r="A2" t="str"><f>""</f><v></v></c>', 0),
    ],
)
def test_which_formulas_have_no_result(cell: str, lost: int) -> None:
    assert len(_NO_RESULT.findall(cell.encode())) == lost


def test_the_leap_day_that_was_none(corpus: Path) -> None:
    """Days of 1900 count from 1 January, and day 60 is 29 February: Lotus 1-2-3's error."""
    table = tabkit.read(corpus / "xlsx" / "dates-leap-year-1900-xlsx.xlsx").data.to_pydict()
    for moment, text, sound in zip(*table.values(), strict=True):
        assert (str(moment) == text) == sound


def test_a_wrong_suffix_does_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "people.xls"
    workbooks.write_xlsx(path)
    assert tabkit.read(path).data.equals(expected())


def test_sheets_by_name_and_number(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    workbooks.write_xlsx(path)
    assert sheet_names(path) == ["People", "Other"]
    for sheet in ("Other", "3", 3):
        assert tabkit.read(path, sheet=sheet).data.to_pydict() == {"a": [1], "b": ["x"]}
    with pytest.raises(
        UsageError, match=r"people\.xlsx: no sheet 'Nix'; there are 'People', 'Empty'"
    ):
        tabkit.read(path, sheet="Nix")
    with pytest.raises(FormatError, match="the sheet is empty, sheet 'Empty'"):
        tabkit.read(path, sheet="Empty")


def test_no_row_of_names(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    workbooks.write_xlsx(path)
    table = tabkit.read(path, sheet="Other", header_row=0)
    assert table.data.to_pydict() == {"V1": ["a", "1"], "V2": ["b", "x"]}
    with pytest.raises(FormatError, match="row 9 is named as header, but the sheet ends at row 2"):
        tabkit.read(path, sheet="Other", header_row=9)


def write(path: Path, rows: list[list[Any]], merge: str = "") -> Path:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"default_date_format": "yyyy-mm-dd"}) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(rows):
            for column, value in enumerate(row):
                if value is not None:
                    sheet.write(at, column, value)
        if merge:
            sheet.merge_range(merge, "x")
    return path


def test_titles_empty_columns_and_rows(tmp_path: Path) -> None:
    rows = [
        [None, "Results of 2020"],
        [],
        [None, "id", None, "id", None, "y"],
        [None, 1, None, 2, None, 3],
        [],
        [None, 4, None, 5, 6, None],
        [],
    ]
    table = tabkit.read(write(tmp_path / "t.xlsx", rows))
    assert table.data.to_pydict() == {
        "id": [1, None, 4],
        "id_2": [2, None, 5],
        "V3": [None, None, 6],
        "y": [3, None, None],
    }
    assert table.notes == ("row 1: Results of 2020",)
    told = texts(table)
    assert ": names are in row 3; the rows above it are kept as notes" in told
    assert ": empty rows among the others, kept as cases: 1" in told
    assert ": columns without a name and a value, left out: C" in told


def test_mixed_columns_are_text_and_told(tmp_path: Path) -> None:
    day = dt.date(2020, 1, 2)
    rows = [["m", "n", "d"], [1, 1, day], ["x", "NA", day], [2.5, 3, 1], [None, 0.1, None]]
    table = tabkit.read(write(tmp_path / "t.xlsx", rows, "A8:A9"))
    assert table.data.column("m").to_pylist()[:4] == ["1", "x", "2.5", None]
    assert table.data.column("n").to_pylist()[:4] == [1.0, None, 3.0, 0.1]
    assert table.data.column("d").to_pylist()[:3] == ["2020-01-02", "2020-01-02", "1"]
    told = texts(table)
    assert "m: a mixture, kept as text: 2 numbers, 2 texts" in told
    assert "d: a mixture, kept as text: 2 dates, 1 number" in told
    assert "n: cells NA or null, taken as missing: 1" in told
    assert any("merged cells: 1 ranges" in text for text in told)


def test_a_late_text_decides_too(tmp_path: Path) -> None:
    """Types are by all the values: row 5,001 makes the column text, in both blocks."""
    rows = [["a"], *[[number] for number in range(5_000)], ["late"]]
    table = tabkit.read(write(tmp_path / "t.xlsx", rows))
    assert table.data.column("a").to_pylist() == [*map(str, range(5_000)), "late"]


CELLS = st.one_of(
    st.just(""),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**53), 2**53).map(float),
    st.dates(),
    st.datetimes(),
    st.times(),
    st.timedeltas(dt.timedelta(), dt.timedelta(days=900)),
    st.text(),
)


@given(st.lists(CELLS), st.lists(CELLS))
def test_blocks_do_not_matter_and_nothing_is_lost(one: list[Any], other: list[Any]) -> None:
    whole, parts = ColumnFacts(), ColumnFacts()
    whole.observe(one + other)
    parts.observe(one)
    parts.observe(other)
    settled = whole.settle()
    assert parts.settle() == settled
    column = settled.convert(one + other)
    words = whole.words + whole.errors if not pa.types.is_string(settled.kind) else 0
    assert column.null_count == [*one, *other].count("") + words


@given(st.integers(0, 18_277))
def test_column_letters(place: int) -> None:
    from openpyxl.utils import get_column_letter

    assert column_letters(place) == get_column_letter(place + 1)


@pytest.mark.parametrize(
    ("rows", "header"),
    [
        ([["a", "b"], [1.0, 2.0]], 1),
        ([["Title", ""], ["", ""], ["a", "b"], [1.0, 2.0]], 3),
        ([["Title", "", ""], ["land", 2019.0, 2020.0], ["x", 1.0, 2.0]], 2),
        ([["", "b", "c"], [1.0, 2.0, 3.0]], 1),
        ([["a", "b"], ["x", "y"]], 1),
        ([[2019.0, 2020.0], [1.0, 2.0]], 1),
        ([["", "group", ""], ["a", "b", "c"], ["x", 1.0, 2.0]], 2),
    ],
)
def test_the_row_of_names_is_found(rows: list[list[Any]], header: int) -> None:
    assert find_layout(rows, None).header == header


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (3.0, "3"),
        (1e16, "1e+16"),
        (0.1, "0.1"),
        (True, "TRUE"),
        (dt.timedelta(hours=30, seconds=1.5), "30:00:01.5"),
        (-dt.timedelta(minutes=1), "-00:01:00"),
        (dt.datetime(2020, 1, 2, 3), "2020-01-02 03:00:00"),
    ],
)
def test_cells_as_text(cell: Any, text: str) -> None:
    assert cell_text(cell) == text


# ---------------------------------------------------------------------------------- refusals


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b" " * (40 << 20))
    with pytest.raises(FormatError, match="to more than 250 times its size, part"):
        kind_of(path)


def test_a_stray_cell_ends_in_one_line(tmp_path: Path) -> None:
    """The library asks for 512 GiB here and ends its process."""
    path = tmp_path / "sparse.xlsx"
    rows: list[list[Any]] = [["a"], [1]]
    write(path, rows)
    with zipfile.ZipFile(path) as source:
        parts = {name: source.read(name) for name in source.namelist()}
    sheet = "xl/worksheets/sheet1.xml"
    parts[sheet] = parts[sheet].replace(
        b"</sheetData>", b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row></sheetData>'
    )
    with zipfile.ZipFile(path, "w") as target:
        for name, part in parts.items():
            target.writestr(name, part)
    command = [sys.executable, "-m", "tabkit", "describe", str(path)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 3
    assert run.stderr.count("\n") == 1
    assert "takes more memory than 4 GiB" in run.stderr


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("t.xlsx", b"id,name\n1,x\n", "--from csv"),
        ("t.xls", b"<html>", "not a spreadsheet"),
        ("t.xlsx", b"PK\x03\x04" + b"x" * 90, "the zip file is damaged"),
        ("t.xls", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "damaged"),
    ],
)
def test_no_spreadsheet(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(FormatError, match=reason):
        tabkit.read(path)


def test_every_cut_is_a_table_or_one_line(tmp_path: Path) -> None:
    path = tmp_path / "people.xls"
    workbooks.write_xls(path)
    whole = path.read_bytes()
    for size in range(100, len(whole), len(whole) // 7):
        path.write_bytes(whole[:size])
        with pytest.raises(FormatError):
            tabkit.read(path)


# --------------------------------------------------------------------------------- dataverse


def test_dataverse_reads_stored_values(tmp_path: Path) -> None:
    """Source: reference, section 1.9: serial numbers, cleaned names, all numbers continuous."""
    day = dt.date(2021, 3, 31)
    path = write(tmp_path / "t.xlsx", [["my id_x", "when", None], [1, day, "a"], [2, None, None]])
    table = tabkit.read(path, profile="dataverse")
    assert table.data.to_pydict() == {"myidx": [1.0, 2.0], "when": [44286.0, None], "C": ["a", ""]}
    assert [each.label for each in table.variables] == ["myidx", "when", "C"]
    assert [each.interval.value for each in table.variables] == ["contin", "contin", "discrete"]


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([["a"]], "there is only one row"),
        ([["a", "a"], [1, 2]], "occurs twice"),
        ([["a"], ["x\ty"]], "a tab or a line end"),
        ([["a"], *[[1]] * 20, [1, 2]], "a row has cells beyond the 1 columns"),
    ],
)
def test_dataverse_refuses(tmp_path: Path, rows: list[list[Any]], reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        tabkit.read(write(tmp_path / "t.xlsx", rows), profile="dataverse")


# ------------------------------------------------------------------------------ command line


def test_all_sheets(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    workbooks.write_xlsx(path)
    folder = tmp_path / "out"
    command = [sys.executable, "-m", "tabkit", "ingest", str(path), "-o", str(folder)]
    run = subprocess.run([*command, "--all-sheets"], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert sorted((each.name for each in folder.iterdir()), key=str.casefold) == [
        "people-Other-ddi.xml",
        "people-Other.RData",
        "people-Other.tab",
        "people-People-ddi.xml",
        "people-People.RData",
        "people-People.tab",
        "people.xlsx",
    ]
    assert (folder / "people-Other.tab").read_text(encoding="utf-8") == 'a\tb\n1\t"x"\n'


def test_the_corpus(corpus: Path) -> None:
    """What calamine, readxl and openpyxl agreed on for the first sheets of real files."""
    shapes = {
        "datasets.xlsx": (32, 11),
        "iris-google-doc.xlsx": (150, 5),
        "bad_dimensions.xlsx": (3, 3),
        "nonstandard-xml-ns-prefix.xlsx": (2, 2),
        "vietnamese-utf8.xlsx": (6, 1),
        "sst_continue.xls": (135, 1),
        "table-with-two-sheets.ods": (2, 2),
        "number_rows_repeated.ods": (7, 2),
        "deaths.xlsx": (14, 6),
    }
    for name, shape in shapes.items():
        assert tabkit.read(corpus / "xlsx" / name).data.shape == shape, name
