"""Plain data and what describes them: applied, and told where they do not agree."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tabkit
from tabkit.errors import FormatError
from tabkit.model import Category, Kind, Measure, MissingRange
from tabkit.read.dictionary import load_dictionary
from tabkit.read.dictionary_values import categories_of, missing_of

MAKE = Path(__file__).parents[1] / "data" / "make" / "extracts.py"
_SPEC = importlib.util.spec_from_file_location("extracts", MAKE)
extracts = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(extracts)


def told(table: tabkit.Table) -> list[str]:
    return [f"{each.variable}: {each.text}" for each in table.findings]


def test_a_table_and_codebook_of_dataverse(tmp_path: Path) -> None:
    extracts.write_dataverse(tmp_path)
    table = tabkit.read(tmp_path / "survey.tab", codebook=tmp_path / "survey-ddi.xml")
    assert table.data.column("code").to_pylist() == ["01", "02", "07"]
    assert table.data.column("said").to_pylist() == ['a "b"\tc', "", "back\\slash"]
    answer = table.variables[1]
    assert answer.categories == (Category(1, "Yes"), Category(-9, "Refused", missing=True))
    assert answer.missing_values == (-9,)
    assert [each.label for each in table.variables] == ["Number", "Answer", "Code", "Said", "Day"]
    assert told(table) == []


def test_a_redcap_export(tmp_path: Path) -> None:
    extracts.write_redcap(tmp_path)
    table = tabkit.read(tmp_path / "clinic.csv", codebook=tmp_path / "clinic-dictionary.csv")
    by_name = {each.name: each for each in table.variables}
    assert by_name["sex"].categories[2] == Category(3, "Other, or none")
    assert by_name["pets___2"].label == "Pets: Dog"
    assert by_name["smokes"].categories == (Category(1, "Yes"), Category(0, "No"))
    assert table.data.column("phone").to_pylist() == ["0041", "0049", ""]
    assert table.data.column("weight").to_pylist() == [70.5, None, None]
    assert ": variables without an entry in the codebook (1): clinic_complete" in told(table)
    assert "weight: values that are no numbers, taken as missing: 1 case ('heavy')" in told(table)
    assert "sex: values that no code names: 1 case (7)" in told(table)


def dictionary(tmp_path: Path, text: str, data: str = "A,b\n1,2\n") -> tabkit.Table:
    (tmp_path / "d.csv").write_text(text, encoding="utf-8")
    (tmp_path / "t.csv").write_text(data, encoding="utf-8")
    return tabkit.read(tmp_path / "t.csv", codebook=tmp_path / "d.csv")


def test_a_row_a_code(tmp_path: Path) -> None:
    table = dictionary(
        tmp_path, "variable,label,type,value,value label\na,Title,numeric,1,Yes\n,,,2,No\nb,B,,,\n"
    )
    assert table.variables[0].name == "A"
    assert table.variables[0].label == "Title"
    assert table.variables[0].categories == (Category(1, "Yes"), Category(2, "No"))


def test_variable_value_label(tmp_path: Path) -> None:
    table = dictionary(tmp_path, "variable,value,label\nA,1,Yes\nA,2,No\n")
    assert table.variables[0].label == ""
    assert table.variables[0].categories == (Category(1, "Yes"), Category(2, "No"))
    assert ": variables without an entry in the codebook (1): b" in told(table)


def test_missing_measure_question_and_text(tmp_path: Path) -> None:
    table = dictionary(
        tmp_path,
        "Name;Description;Type;Missing values;Measurement level;Question;Units\n"
        "A;a;string;;nominal;Who?;\nb;b;integer;-9 | 90 to 99;scale;;kg\nc;gone;;;;;\n",
        "A,b\n007,95\n08,-9\n",
    )
    one, other = table.variables
    assert table.data.column("A").to_pylist() == ["007", "08"]
    assert (one.kind, one.measure, one.question) == (Kind.CHARACTER, Measure.NOMINAL, "Who?")
    assert (other.missing_values, other.missing_ranges) == ((-9,), (MissingRange(90, 99),))
    assert other.attributes == (("unit", "kg"),)
    assert ": variables of the codebook that are not in the data (1): c" in told(table)


def test_a_dictionary_in_a_workbook(tmp_path: Path) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(tmp_path / "d.xlsx")) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate([["Variable", "Label", "Values"], ["A", "x", "1=Yes\n2=No"]]):
            sheet.write_row(at, 0, row)
    (tmp_path / "t.csv").write_text("A\n1\n")
    table = tabkit.read(tmp_path / "t.csv", codebook=tmp_path / "d.xlsx")
    assert table.variables[0].categories == (Category(1, "Yes"), Category(2, "No"))


@pytest.mark.parametrize(
    "text",
    [
        "1, Yes | 2, No, never",
        "1=Yes; 2=No, never",
        "1 = Yes\n2 = No, never",
        '1="Yes" | 2="No, never"',
        "1: Yes\r\n2: No, never",
        '{"1": "Yes", "2": "No, never"}',
        '[{"value": 1, "label": "Yes"}, {"value": 2, "label": "No, never"}]',
        "1 - Yes|2 - No, never",
        "1=Yes, 2=No, never",
    ],
)
def test_codes_as_people_write_them(text: str) -> None:
    assert categories_of(text, None) == ((Category(1, "Yes"), Category(2, "No, never")), "")


def test_codes_that_are_texts_or_nonsense() -> None:
    assert categories_of("01=a; 2=b", Kind.CHARACTER)[0][0] == Category("01", "a")
    assert categories_of("-9=a; 2.5=b", None)[0] == (Category(-9, "a"), Category(2.5, "b"))
    assert categories_of("see annex", None) == ((Category("see", "annex"),), "")
    assert categories_of("1=a; ???", None) == ((Category(1, "a"),), "???")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("-9", ((-9,), (), ())),
        ("-9; -8", ((-9, -8), (), ())),
        ("-9,-8", ((-9, -8), (), ())),
        ("lo thru -1", ((), (MissingRange(float("-inf"), -1),), ())),
        ("-99 to -90; 7", ((7,), (MissingRange(-99, -90),), ())),
        ("-9 = Refused", ((-9,), (), (Category(-9, "Refused", missing=True),))),
        ("", ((), (), ())),
    ],
)
def test_missing_as_people_write_it(text: str, found: Any) -> None:
    assert missing_of(text, Kind.NUMERIC) == found


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a,b\n1,2\n", "no column of this dictionary is headed name or variable, but a, b"),
        ("name,label\nX,x\n", "no variable of the data is in the codebook; it describes X"),
        ("<codeBook/>", "describes no variable"),
        ("<html/>", "not a DDI codebook|no codeBook"),
    ],
)
def test_no_dictionary(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(FormatError, match=reason):
        dictionary(tmp_path, text)


def test_positions_in_a_table(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("name,start,end,type\na,1,2,numeric\nb,3,5,string\n")
    (tmp_path / "t.txt").write_text("12abc\n 3x\n")
    assert load_dictionary(tmp_path / "d.csv", "t").has_places
    table = tabkit.read(tmp_path / "t.txt", codebook=tmp_path / "d.csv")
    assert table.data.to_pydict() == {"a": [12, 3], "b": ["abc", "x"]}


def test_a_labelled_file_keeps_labels_in_spss(tmp_path: Path) -> None:
    """The command line from end to end: fixed width to .sav and to a package."""
    extracts.write_ipums(tmp_path)
    base = [sys.executable, "-m", "tabkit"]
    data, book = str(tmp_path / "census.dat.gz"), str(tmp_path / "census.xml")
    target = tmp_path / "census.sav"
    run = subprocess.run([*base, "convert", data, str(target), "--codebook", book], check=False)
    assert run.returncode == 0
    back = tabkit.read(target)
    assert back.variables[3].categories[0] == Category(1.0, "Male")
    assert back.variables[3].missing_values == (9.0,)
    folder = tmp_path / "out"
    command = [*base, "ingest", data, "-o", str(folder), "--codebook", book, "--json"]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert json.loads(run.stdout)["format"] == "fixed"
    names = {"census.dat.gz", "census.tab", "census.RData", "census-ddi.xml"}
    assert {each.name for each in folder.iterdir()} == names


def test_hierarchical_extracts_are_refused(tmp_path: Path) -> None:
    extracts.write_ipums(tmp_path)
    book = tmp_path / "census.xml"
    text = book.read_text(encoding="utf-8")
    book.write_text(text.replace('"rectangular"', '"hierarchical"'), encoding="utf-8")
    with pytest.raises(FormatError, match="its data are hierarchical"):
        tabkit.read(tmp_path / "census.dat.gz", codebook=book)
