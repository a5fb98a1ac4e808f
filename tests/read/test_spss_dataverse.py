"""What Dataverse's reader does otherwise: against its own answers and its source's rules."""

from __future__ import annotations

import gzip
import json
from typing import TYPE_CHECKING, Any

import pytest

from tabkit.model import Category, Interval, Kind, Table, Variable
from tabkit.options import ReadOptions
from tabkit.profiles import DATAVERSE
from tabkit.read import read, read_all
from tabkit.read.spss import open_sav
from tabkit.read.spss_temporal import decimal_text
from tests.read.sav_files import Sav, Var

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"})
SPSS_25 = b"@(#) IBM SPSS STATISTICS 64-bit Macintosh 25.0.0.0"
UTF8 = (20, 1, b"UTF-8")


def table(file: Sav, folder: Path) -> Table:
    path = folder / "made.sav"
    path.write_bytes(file.to_bytes())
    found = read_all(open_sav(path, ReadOptions(profile=DATAVERSE)))
    found.data.validate(full=True)
    return found


def cell_texts(variable: Variable, column: pa.ChunkedArray) -> list[str]:
    """The cells as an archival table of Dataverse has them."""
    values = column.to_pylist()
    if variable.kind is Kind.NUMERIC:
        return ["" if value is None else decimal_text(value) for value in values]
    if variable.bare:
        return [value or "" for value in values]
    return [f'"{value.translate(ESCAPES)}"' for value in values]


def facts(variable: Variable) -> tuple[object, ...]:
    shown = tuple(
        (c.value if isinstance(c.value, str) else decimal_text(c.value), c.label)
        for c in variable.categories
    )
    return (
        variable.name, variable.label, variable.kind.value, variable.display_format,
        variable.format_category, shown,
    )  # fmt: skip


def expected_facts(variable: dict[str, Any]) -> tuple[object, ...]:
    shown = tuple((c["value"], c["label"] or "") for c in variable.get("categories", []))
    return (
        variable["name"], variable["label"] or "", variable["type"].lower(),
        variable["format"] or "", variable["formatCategory"] or "", shown,
    )  # fmt: skip


def test_files_of_the_corpus_come_out_as_dataverse_has_them(corpus: Path, oracle: Path) -> None:
    """Every cell, name, label, kind, category and pattern of each .sav that it ingested."""
    compared = 0
    answers = (oracle / "dataverse" / "ingest.jsonl").read_text(encoding="utf-8").splitlines()
    for expected in map(json.loads, answers):
        if not expected["file"].startswith("sav/") or not expected.get("ingested"):
            continue
        found = read(corpus / expected["file"], profile=DATAVERSE)
        tab = gzip.decompress((oracle / "dataverse" / f"{expected['file']}.tab.gz").read_bytes())
        columns = [cell_texts(v, found.data.column(v.name)) for v in found.variables]
        lines = [found.data.column_names, *map(list, zip(*columns, strict=True))]
        ours = "".join("\t".join(line) + "\n" for line in lines)
        assert ours == tab.decode(), expected["file"]
        for variable, other in zip(found.variables, expected["variables"], strict=True):
            assert facts(variable) == expected_facts(other), expected["file"]
        compared += 1
    assert compared > 15


@pytest.mark.parametrize("compression", [0, 1])
def test_strings_are_decoded_eight_bytes_at_a_time(compression: int, tmp_path: Path) -> None:
    """A character across two words is lost; compressed, eight blanks inside a text are one."""
    cases = [("abcdefgé".encode(),), (b"a" * 8 + b" " * 16 + b"z",), ("é\u3000 ".encode(),), (b"",)]
    found = table(Sav([Var(b"A", 40)], cases, "<", compression, extensions=[UTF8]), tmp_path)
    middle = "  " if compression else " " * 16
    assert found.data.column(0).to_pylist() == [
        "abcdefg\ufffd\ufffd", "a" * 8 + middle + "z", "é", " ",
    ]  # fmt: skip
    assert [each.variable for each in found.findings] == ["A"]


def test_texts_with_every_control_character_are_decoded_too(tmp_path: Path) -> None:
    """Where no byte is left to keep words apart, cells are decoded one by one."""
    every = bytes(range(256)) * 2
    cases = [(every[i : i + 32],) for i in range(0, 512, 32)]
    found = table(Sav([Var(b"A", 32)], cases, "<", 1), tmp_path)
    texts = [
        text.decode("latin-1").rstrip("\t\n\v\f\r\x1c\x1d\x1e\x1f ") or " " for (text,) in cases
    ]
    assert found.data.column(0).to_pylist() == texts


@pytest.mark.parametrize(
    ("product", "label"),
    [
        (SPSS_25, "é"), (b"@(#) SPSS DATA FILE MS Windows Release 16.0.1", "é"),
        (b"@(#) SPSS DATA FILE MS Windows Release 15.0", "Ã©"), (b"@(#) SPSS DATA FILE", "Ã©"),
    ],
)  # fmt: skip
def test_labels_are_utf8_from_release_16_on(product: bytes, label: str, tmp_path: Path) -> None:
    """Whatever record 7/20 declares, which is for the data; value labels and short names alike."""
    file = Sav(
        [Var(b"A\xc3\xa9", 0, "é".encode())],
        [(1.0,)],
        labels=[([(1.0, "é  ".encode())], [1])],
        product=product,
        extensions=[UTF8],
    )
    (variable,) = table(file, tmp_path).variables
    assert (variable.name, variable.label) == (f"A{label}", label)
    assert variable.categories == (Category(1.0, label),)


def test_parts_of_long_strings_are_found_by_their_names(tmp_path: Path) -> None:
    """Five letters and a number that counts up follow a string of 255; the width is not asked."""
    text = (b"x" * 255, b"y" * 255, b"z")
    parts = [Var(b"LONGV", 255), Var(b"LONGV0", 255), Var(b"LONGV1", 96)]
    joined = table(Sav([*parts, Var(b"N")], [(*text, 1.0)]), tmp_path)
    assert joined.data.to_pydict() == {"LONGV": ["x" * 255 + "y" * 255 + "z"], "N": [1.0]}
    others = [Var(b"VL256", 255), Var(b"VL256001", 4)]
    apart = table(Sav(others, [(b"x", b"y")], extensions=[(14, 1, b"VL256=00256\0\t")]), tmp_path)
    assert apart.data.to_pydict() == {"VL256": ["x"], "VL256001": ["y"]}


def test_metadata_that_dataverse_keeps(tmp_path: Path) -> None:
    """Names and labels as stored, categories without missing flags, date patterns, no more."""
    file = Sav(
        [
            Var(b"N", 0, b"x" * 300 + b" ", (5, 8, 2), 1, (9.0,)),
            Var(b"D", 0, b"when  ", (20, 11, 0)), Var(b"T", 0, None, (22, 23, 2)),
            Var(b"W", 0, None, (26, 3, 0)), Var(b"S", 3),
        ],
        [(9.0, 86_400.0, 12_219_379_200.5, 2.0, b"a"), (None, None, None, None, b"")],
        labels=[
            ([(9.0, b"first")], [1]), ([(9.0, b"last "), (1.0, b"one"), (9.0, b"again")], [1]),
            ([(86_400.0, b"day")], [2]),
        ],
        document=[b"text"],
        label=b"label",
    )  # fmt: skip
    found = table(file, tmp_path)
    number, day, moment, weekday, text = found.variables
    assert number.label == "x" * 255
    assert number.categories == (Category(9.0, "again"), Category(1.0, "one"))
    assert (number.missing_values, number.interval) == ((), None)
    assert (day.label, day.display_format, day.bare) == ("when  ", "yyyy-MM-dd", True)
    assert day.categories == (Category("86400", "day"),)
    assert (moment.display_format, moment.format_category) == ("yyyy-MM-dd HH:mm:ss", "time")
    assert (weekday.display_format, weekday.format_category, weekday.bare) == ("", "", True)
    assert (text.bare, text.interval, text.kind) == (False, Interval.DISCRETE, Kind.CHARACTER)
    assert (found.label, found.notes, found.attributes) == ("", (), ())
    assert found.data.to_pylist() == [
        {"N": 9.0, "D": "1582-10-15", "T": "1970-01-01 00:00:00.50", "W": "Mon", "S": "a"},
        {"N": None, "D": None, "T": None, "W": None, "S": " "},
    ]


def test_long_names_are_ascii_to_dataverse(tmp_path: Path) -> None:
    """Other bytes of a long name are lost; names that fall together so are read right."""
    extension = (13, 1, "A=größe\tB=Łódź\tC=Łódż".encode())
    file = Sav([Var(b"A"), Var(b"B"), Var(b"C")], [(1.0, 2.0, 3.0)], extensions=[extension, UTF8])
    names = table(file, tmp_path).data.column_names
    assert names == ["gr\ufffd\ufffd\ufffd\ufffde", "Łódź", "Łódż"]
