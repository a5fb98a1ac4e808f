"""Portable files made for the purpose, by pyreadstat, by SPSS and by PSPP."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import gzip
import json
import math
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabkit.errors import FormatError, UsageError
from tabkit.model import Category, Interval, Kind, MissingRange, Table
from tabkit.options import ReadOptions
from tabkit.profiles import DATAVERSE
from tabkit.read import read_all
from tabkit.read.por import open_por
from tabkit.read.spss_temporal import decimal_text
from tests.read.por_files import ORDER, SYSMIS, Por, number, string

F8 = (5, 8, 2)
EBCDIC = ORDER.encode("cp037").decode("latin-1")
NUMBERS = (("A", 0, F8, b""), ("B", 0, F8, b""))
MIXED = (("A", 0, F8, b""), ("S", 9, (1, 9, 0), b""), ("T", 40, (1, 40, 0), b""), ("B", 0, F8, b""))


def table(file: Por | bytes, **options: Any) -> Table:
    """Write the file, read it, and see that the columns are valid Arrow."""
    data = file if isinstance(file, bytes) else file.to_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.por"
        path.write_bytes(data)
        found = read_all(open_por(path, ReadOptions(**options)))
    found.data.validate(full=True)
    return found


def warnings_of(found: Table) -> list[str]:
    return [finding.text for finding in found.findings if finding.severity == "warning"]


def labelled(names: list[str], pairs: list[tuple[float | str, str]]) -> bytes:
    """A record of value labels."""
    parts = [b"D", number(float(len(names))).encode(), *map(string, names)]
    parts.append(number(float(len(pairs))).encode())
    for value, label in pairs:
        parts += [
            string(value) if isinstance(value, str) else number(value).encode(),
            string(label),
        ]
    return b"".join(parts)


def test_all_metadata() -> None:
    missing = b"8" + number(9.0).encode() + b"9" + number(-1.0).encode() + b"C" + string("Age ")
    high = b"A" + number(90.0).encode()
    span = b"B" + number(-3.0).encode() + number(-2.5).encode()
    variables = [
        ("AGE", 0, (5, 3, 0), missing),
        ("W", 0, (5, 8, 2), high),
        ("SEX", 1, (1, 1, 0), b"8" + string("x")),
        ("PAY", 0, (4, 9, 2), span),
    ]
    records = labelled(["AGE", "W"], [(9.0, "unknown "), (1.0, "one")])
    records += labelled(["SEX"], [("f", "female"), ("x", "no answer")])
    records += (
        labelled(["AGE"], [(1.0, "1 year")]) + b"E" + b"2/" + string("line 1") + string("two")
    )
    found = table(Por(variables, [(1.0, 2.0, "f", 1.5)], records, weight="W"))
    age, weight, sex, pay = found.variables
    assert (age.label, age.kind, age.display_format) == ("Age", Kind.NUMERIC, "F3.0")
    assert age.missing_values == (9.0,)
    assert age.missing_ranges == (MissingRange(-math.inf, -1.0),)
    assert age.categories == (Category(9.0, "unknown", missing=True), Category(1.0, "1 year"))
    assert weight.categories == (Category(9.0, "unknown"), Category(1.0, "one"))
    assert [each.weight for each in found.variables] == [False, True, False, False]
    assert weight.missing_ranges == (MissingRange(90.0, math.inf),)
    assert (sex.kind, sex.storage, sex.width, sex.display_format) == (Kind.CHARACTER, "A1", 1, "A1")
    assert sex.categories == (Category("f", "female"), Category("x", "no answer", missing=True))
    assert (pay.format_category, pay.decimals) == ("currency", 2)
    assert pay.missing_ranges == (MissingRange(-3.0, -2.5),)
    assert found.notes == ("line 1\ntwo",)
    assert found.attributes == (("subproduct", "a test"),)
    assert found.origin.product == "SPSS 29"
    assert found.origin.created == datetime.datetime(2024, 2, 29, 23, 59, 59)
    assert (found.origin.format, found.origin.format_version) == ("por", "A")
    assert found.data.to_pylist() == [{"AGE": 1.0, "W": 2.0, "SEX": "f", "PAY": 1.5}]
    assert not found.findings


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n", ""])
@pytest.mark.parametrize("order", [ORDER, EBCDIC], ids=["ascii", "ebcdic"])
def test_line_ends_and_character_sets(end: str, order: str) -> None:
    rows = [
        (float(i), "a/*.{}~\\", "Zz " * (i % 4), SYSMIS if i % 3 else i / 30) for i in range(200)
    ]
    found = table(Por(MIXED, rows, end=end, order=order))
    assert found.data.column("A").to_pylist() == [row[0] for row in rows]
    assert found.data.column("S").to_pylist() == ["a/*.{}~\\"] * 200
    assert found.data.column("T").to_pylist() == [row[2].rstrip(" ") for row in rows]
    wanted = [None if math.isnan(row[3]) else row[3] for row in rows]
    assert found.data.column("B").to_pylist() == wanted
    assert not found.findings


def test_lines_without_their_blanks() -> None:
    """Blanks at the end of a line may be lost on the way."""
    rows = [("x" + " " * 30, "y" + " " * 100)] * 20
    file = Por((("S", 40, (1, 40, 0), b""), ("T", 120, (1, 120, 0), b"")), rows)
    whole = file.to_bytes()
    cut = b"\r\n".join(line.rstrip(b" ") for line in whole.split(b"\r\n"))
    assert len(cut) < len(whole)
    assert table(cut).data.equals(table(whole).data)
    assert table(whole).data.column("S").to_pylist() == ["x"] * 20


cells = st.integers(-(10**9), 10**9).map(float) | st.just(SYSMIS)
strings = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=9)


@settings(max_examples=40)
@given(st.lists(st.tuples(cells, strings, strings, cells), max_size=30), st.integers(1, 9))
def test_values_come_back_in_any_blocks(rows: list[tuple[Any, ...]], block: int) -> None:
    found = table(Por(MIXED, rows), block_rows=block)
    for place, name in enumerate("ASTB"):
        wanted = [row[place] for row in rows]
        wanted = [
            w.rstrip(" ") if isinstance(w, str) else None if math.isnan(w) else w for w in wanted
        ]
        assert found.data.column(name).to_pylist() == wanted
    assert not found.findings


@settings(max_examples=25)
@given(st.lists(st.floats(-1e15, 1e15), min_size=1, max_size=20), st.data())
def test_what_pyreadstat_writes_is_read_back(values: list[float], data: st.DataObject) -> None:
    words = data.draw(st.lists(strings, min_size=len(values), max_size=len(values)))
    frame = pd.DataFrame({"N": values, "T": pd.Series(words, dtype=object)})
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.por"
        pyreadstat.write_por(frame, str(path))
        found = read_all(open_por(path, ReadOptions()))
        theirs, _ = pyreadstat.read_por(str(path), output_format="dict")
    assert found.data.column("T").to_pylist() == [word.rstrip(" ") for word in words]
    assert found.data.column("N").to_pylist() == pytest.approx(theirs["N"], rel=1e-14, abs=1e-300)


def test_dates_and_times() -> None:
    shown = {
        "D": 23,
        "E": 120,
        "M": 104,
        "T": 103,
        "W": 26,
        "X": 22,
    }  # as SPSS and as PSPP number them
    variables = [(name, 0, (code, 20, 0), b"") for name, code in shown.items()]
    day = (datetime.date(2018, 12, 2) - datetime.date(1582, 10, 14)).days * 86_400.0
    variables[0] = ("D", 0, (23, 10, 0), b"8" + number(day).encode())
    records = labelled(["D"], [(day, "a Sunday")])
    rows = [(day, day, day + 5.0, 36_610.0, 2.0, day), (SYSMIS,) * 6]
    found = table(Por(variables, rows, records))
    types = [str(field.type) for field in found.data.schema]
    assert types == [
        "date32[day]",
        "date32[day]",
        "timestamp[us]",
        "duration[us]",
        "double",
        "timestamp[us]",
    ]
    first = found.data.to_pylist()[0]
    sunday = datetime.date(2018, 12, 2)
    assert (first["D"], first["E"]) == (sunday, sunday)
    assert first["M"] == datetime.datetime(2018, 12, 2, 0, 0, 5)
    assert first["T"] == datetime.timedelta(seconds=36_610)
    assert found.data.to_pylist()[1] == dict.fromkeys(shown)
    names = [variable.display_format for variable in found.variables]
    assert names == ["ADATE10", "EDATE20", "DATETIME20", "TIME20", "WKDAY20", "DATETIME20"]
    assert found.variables[0].missing_values == ("2018-12-02",)
    assert found.variables[0].categories == (Category("2018-12-02", "a Sunday", missing=True),)
    late = table(Por([("D", 0, (20, 11, 0), b"")], [(day + 1.0,)]))
    assert late.data.column("D").to_pylist() == [sunday]
    assert len(warnings_of(late)) == 1


def test_text_beyond_ascii() -> None:
    """UTF-8 where the file is that, though lines cut characters in two; else windows-1252."""
    rows = [(string_of,) for string_of in ("né", "内蒙古", "ｱ" * 30, "plain")] * 9
    variables = [("S", 90, (1, 90, 0), b"C" + string("naïve"))]
    found = table(Por(variables, [(row[0].encode(),) for row in rows]))
    assert found.data.column("S").to_pylist() == [row[0] for row in rows]
    assert (found.variables[0].label, found.origin.encoding) == ("naïve", "utf-8")
    latin = Por([("S", 9, (1, 9, 0), b"")], [("é\u2013".encode("cp1252"),), (b"\x81",)])
    found = table(latin)
    assert found.data.column("S").to_pylist() == ["é\u2013", "\ufffd"]
    assert found.origin.encoding == "cp1252"
    assert "(cases: 1)" in warnings_of(found)[0]
    assert table(latin, encoding="cp437").data.column("S").to_pylist() == ["Θû", "ü"][:2]
    with pytest.raises(UsageError):
        table(latin, encoding="klingon")


def test_cases_before_damage_are_kept() -> None:
    rows = [(float(i), f"s{i}", "t", 1.0) for i in range(50)]
    whole = Por(MIXED, rows, end="").to_bytes()
    cut = table(whole[:-60])
    assert 40 < cut.cases < 50
    assert warnings_of(cut) == [
        f"the data are broken in case {cut.cases + 1}: {cut.cases} cases were read"
    ]
    at = whole.index(b"3/s20")
    wrong = table(whole[: at - 2] + b"?" + whole[at - 1 :], block_rows=7)
    assert warnings_of(wrong) == ["the data are broken in case 21: 20 cases were read"]
    assert wrong.data.column("S").to_pylist() == [row[1] for row in rows[:20]]
    endless = table(Por(MIXED, rows, tail=b""))
    assert endless.cases == 50
    assert warnings_of(endless) == ["the file has no end mark after its 50 cases"]
    with pytest.raises(FormatError, match="case 1"):
        table(Por(NUMBERS, [], tail=b"?/Z").to_bytes())


def test_no_cases_and_no_variables() -> None:
    assert table(Por(MIXED, [])).cases == 0
    assert table(Por((), [])).data.num_columns == 0


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (b"SPSSPORT", b"SPSSPURT", "not an SPSS portable file"),
        (b"42/5B/", b"4Z/5B/", "should be a number"),
        (b"42/5B/", b"43/5B/", "3 variables are promised, 2 described"),
        (b"42/5B/", b"Q2/5B/", "unknown kind 'Q'"),
        (b"1/A", b"T/A", "unknown kind|should be|without its"),
    ],
)
def test_a_damaged_dictionary_is_refused(old: bytes, new: bytes, what: str) -> None:
    whole = Por(NUMBERS, [(1.0, 2.0)], end="").to_bytes()
    assert old in whole
    with pytest.raises(FormatError, match=what) as caught:
        table(whole.replace(old, new, 1))
    assert "\n" not in str(caught.value)


def test_labels_of_nobody_are_told() -> None:
    found = table(Por(NUMBERS, [(1.0, 2.0)], labelled(["A", "NOBODY"], [(1.0, "x")])))
    assert warnings_of(found) == ["value labels of NOBODY, which is no variable, are left out"]
    with pytest.raises(FormatError, match="not described"):
        table(Por(NUMBERS, [(1.0, 2.0)], labelled(["NOBODY"], [(1.0, "x")])))


def test_double_names_are_told() -> None:
    found = table(Por((*NUMBERS, ("A", 0, F8, b"")), [(1.0, 2.0, 3.0)]))
    assert found.data.to_pylist() == [{"A": 1.0, "B": 2.0, "A_2": 3.0}]
    assert len(warnings_of(found)) == 1


def test_damage_never_ends_in_a_traceback() -> None:
    records = labelled(["A"], [(1.0, "one")])
    whole = Por(MIXED, [(float(i), "s", "t", 0.5) for i in range(30)], records).to_bytes()
    for at in range(456, len(whole), 7):
        for data in (whole[:at], whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :]):
            with contextlib.suppress(FormatError):
                table(data)


# ------------------------------------------------------------------------------ profile dataverse


def test_as_dataverse_has_it() -> None:
    variables = [
        ("N", 0, F8, b"C" + string("a label ") + b"8" + number(9.0).encode()),
        ("S", 5, (1, 5, 0), b""),
        ("T", 0, (103, 8, 2), b""),
        ("W", 0, (26, 8, 0), b""),
    ]
    records = labelled(["N"], [(1.0, "old"), (2.0, "two")]) + labelled(["N"], [(1.0, "one ")])
    rows = [(1.0, 'a" ', 90_000.5, 2.0), (SYSMIS, "", SYSMIS, SYSMIS)]
    found = table(Por(variables, rows, records), profile=DATAVERSE)
    assert found.data.to_pylist() == [
        {"N": 1.0, "S": 'a" ', "T": "01:00:00.50", "W": "Mon"},
        {"N": None, "S": "", "T": None, "W": None},
    ]
    plain, text, time, day = found.variables
    assert (plain.label, plain.missing_values, plain.interval) == ("a label ", (), None)
    assert plain.categories == (Category(1.0, "one "),)
    assert (text.kind, text.interval, text.bare) == (Kind.CHARACTER, Interval.DISCRETE, False)
    assert (time.format_category, time.display_format, time.bare) == ("time", "HH:mm:ss", True)
    assert (day.format_category, day.kind, day.bare) == ("", Kind.CHARACTER, True)
    assert found.notes == ()


def test_dataverse_has_a_sign_for_every_other_byte() -> None:
    """UTF-8 in one line costs a sign a byte; what breaks the cases is not followed."""
    variables = [("S", 9, (1, 9, 0), b"")]
    found = table(Por(variables, [("内蒙古".encode(),)] * 3), profile=DATAVERSE)
    assert found.data.column("S").to_pylist() == ["\ufffd" * 9] * 3
    ebcdic = "ASCII SPSS PORT FILE".encode("cp037")  # as SPSS itself begins its files
    found = table(Por(variables, [("é".encode(),)] * 9, splash=ebcdic), profile=DATAVERSE)
    assert found.data.column("S").to_pylist() == ["\ufffd" * 2] * 9
    assert table(Por(variables, [("é".encode(),)], splash=ebcdic)).origin.encoding == "utf-8"
    latin = Por(variables, [("né".encode("cp1252"),)] * 3)
    assert table(latin, profile=DATAVERSE).data.column("S").to_pylist() == ["né"] * 3


def oracle_files(oracle: Path) -> list[dict[str, Any]]:
    lines = (oracle / "dataverse" / "ingest.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    return [each for each in found if each["file"].startswith("por/") and each["ingested"]]


def test_dataverse_cell_by_cell(corpus: Path, oracle: Path) -> None:
    files = oracle_files(oracle)
    assert files
    for each in files:
        found = read_all(
            open_por(corpus / each["file"], ReadOptions(profile=DATAVERSE, block_rows=99))
        )
        body = gzip.decompress((oracle / "dataverse" / f"{each['file']}.tab.gz").read_bytes())
        header, *lines = body.decode().splitlines()
        assert found.data.column_names == header.split("\t")
        rows = [line.split("\t") for line in lines]
        for place, (variable, theirs) in enumerate(
            zip(found.variables, each["variables"], strict=True)
        ):
            assert (variable.label or None) == theirs["label"]
            assert variable.kind.value == theirs["type"].lower()
            values = [category.value for category in variable.categories]
            labels = [
                (category["value"], category["label"]) for category in theirs.get("categories", [])
            ]
            assert [
                (value if isinstance(value, str) else decimal_text(value), category.label)
                for value, category in zip(values, variable.categories, strict=True)
            ] == labels
            column = found.data.column(variable.name).to_pylist()
            quoted = variable.kind is Kind.CHARACTER and not variable.bare
            shown = [
                "" if value is None
                else decimal_text(value) if isinstance(value, float)
                else '"' + value.replace('"', '\\"') + '"' if quoted else value
                for value in column
            ]  # fmt: skip
            assert shown == [row[place] for row in rows], (each["file"], variable.name)


def test_real_files_are_those_of_pyreadstat(corpus: Path) -> None:
    for path in sorted((corpus / "por").glob("*.por")):
        if path.name.startswith("bad_"):
            continue
        theirs, meta = pyreadstat.read_por(
            str(path), output_format="dict", disable_datetime_conversion=True
        )
        ours = read_all(open_por(path, ReadOptions(block_rows=37)))
        for variable in ours.variables:
            column = ours.data.column(variable.name).to_pylist()
            values = theirs[variable.name]
            assert (meta.column_names_to_labels[variable.name] or "") == variable.label
            assert meta.original_variable_types[variable.name] == variable.display_format
            labels = {category.value: category.label for category in variable.categories}
            assert meta.variable_value_labels.get(variable.name, {}) == labels
            if not variable.format_category:
                pairs = [p for p in zip(values, column, strict=True) if "\ufffd" not in str(p[0])]
                assert [value for value, _ in pairs] == [value for _, value in pairs]


def test_damaged_real_files(corpus: Path) -> None:
    """R's foreign reads as many cases of the flipped file."""
    found = read_all(open_por(corpus / "por" / "bad_flip.por", ReadOptions()))
    assert found.cases == 8
    assert warnings_of(found) == ["the data are broken in case 9: 8 cases were read"]
    with pytest.raises(FormatError, match="not an SPSS portable file"):
        open_por(corpus / "por" / "bad_header_only.por", ReadOptions())


def test_the_stream_can_be_closed_early() -> None:
    file = Por(NUMBERS, [(1.0, 2.0)] * 100)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.por"
        path.write_bytes(file.to_bytes())
        stream = open_por(path, ReadOptions(block_rows=10))
        with stream:
            assert next(iter(stream.blocks)).data.num_rows == 10
        assert dataclasses.replace(stream).cases is None


def test_a_character_set_that_dataverse_cannot_read_is_read_right() -> None:
    found = table(Por(MIXED, [(1.0, "ab", "c", 2.0)], order=EBCDIC), profile=DATAVERSE)
    assert found.data.to_pylist() == [{"A": 1.0, "S": "ab", "T": "c", "B": 2.0}]
