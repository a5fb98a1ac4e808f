"""Dictionaries of system files made byte by byte: names, labels, encodings, odd records."""

from __future__ import annotations

import datetime
import math
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.errors import UsageError
from tabkit.model import Category, Kind, Measure, MissingRange, ResponseSet
from tabkit.read import spss_records
from tests.read.sav_files import (
    HIGHEST,
    LOWEST,
    SYSMIS,
    Sav,
    Var,
    counted,
    extension_numbers,
    table,
    variable,
    warnings,
)
from tests.read.test_spss import COMPRESSIONS, ORDERS, UTF8


@given(st.integers(1, 900), st.lists(st.integers(0, 2), max_size=9), st.sampled_from(ORDERS))
def test_labels_that_repeat(window: int, scales: list[int], order: str) -> None:
    """Each variable has its own set of labels, wherever the reading of the file was cut."""
    sets = [
        [(1.0, b"yes"), (2.0, b"n" * 120)],
        [(1.0, b"yes"), (2.0, b"n" * 119), (3.0, b"")],
        [(1.0, b"yes"), (2.0, b"n" * 255)],
    ]
    names = [f"V{place}" for place in range(len(scales) + 1)]
    labels = [(sets[scale], [place + 1]) for place, scale in enumerate(scales)]
    file = Sav([Var(name.encode()) for name in names], order=order, labels=labels)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(spss_records, "_READ_BYTES", window)
        found = table(file).variables
    assert [[(each.value, each.label) for each in one.categories] for one in found] == [
        *([(value, label.decode()) for value, label in sets[scale]] for scale in scales),
        [],
    ]


@pytest.mark.parametrize("shared", [True, False])
def test_bytes_that_are_no_label_are_told_of_each_variable(shared: bool) -> None:
    """Whether two variables share one set of labels or have sets alike."""
    labels = [(1.0, b"ab\xff")]
    sets = [(labels, [1, 2])] if shared else [(labels, [1]), (labels, [2])]
    found = table(Sav([Var(b"A"), Var(b"B")], labels=sets, extensions=[UTF8]))
    assert [each.variable for each in found.findings if each.severity == "warning"] == ["A", "B"]


@pytest.mark.parametrize("order", ORDERS)
def test_everything_the_dictionary_says(order: str) -> None:
    """Labels, missing values, display, roles, attributes, weight, sets, document, dates."""
    machine = extension_numbers(order, "8i", 1, 0, 0, -1, 1, 1, 2, 65001)
    floats = extension_numbers(order, "3d", SYSMIS, HIGHEST, LOWEST)
    shown = extension_numbers(order, "9i", 3, 12, 0, 1, 20, 2, 2, 8, 1)
    file = Sav(
        [
            Var(b"V1", 0, "Wie groß?".encode(), (5, 8, 2), -3, (LOWEST, 0.0, 99.0)),
            Var(b"V2", 5, None, (1, 5, 0), 1, (b"x",)),
            Var(b"V3", 0, b"", (20, 11, 0), 2, (0.0, -86_400.0)),
        ],
        [(1.5, b"abc", 86_400.0)],
        order,
        weight=1,
        labels=[
            ([(99.0, b"refused"), (1.5, b"a lot"), (99.0, b"Refused!")], [1]),
            ([(b"x", b"none"), (b"abc", b"first")], [2]),
            ([(86_400.0, b"the first day")], [3]),
        ],
        document=[b"First line", b"  second"],
        extensions=[
            (3, 4, machine), (4, 8, floats), (11, 4, shown), UTF8,
            (13, 1, "V1=Größe\tV2=Name\tV3=Tag".encode()),
            (18, 1, "Größe:$@Role('1'\n)Question('How (tall)/big?'\n'2nd'\n)/".encode()
                    + b"Tag:x('y'\n)"),
            (17, 1, b"Study('ABC'\n)Wave('1'\n'2'\n)"),
            (5, 1, b"Set 1= V1 V3\n"),
            (7, 1, b"$a=C 5 a lab v1 v3\n$b=D1 1 0  v1 v2\n"),
            (19, 1, b"$c=E 11 1 1 3 ein v1 v2\n"),
        ],
        label=b"The file",
    )  # fmt: skip
    found = table(file)
    size, name, day = found.variables
    assert (size.name, size.label, size.kind) == ("Größe", "Wie groß?", Kind.NUMERIC)
    assert (size.display_format, size.decimals, size.width) == ("F8.2", 2, 8)
    assert (size.measure, size.display_width, size.alignment) == (Measure.SCALE, 12, "left")
    assert size.weight
    assert (size.role, size.question, size.storage) == ("target", "How (tall)/big?", "double")
    assert size.attributes == (("Question", "How (tall)/big?"), ("Question[2]", "2nd"))
    assert size.missing_values == (99.0,)
    assert size.missing_ranges == (MissingRange(-math.inf, 0.0),)
    assert size.categories == (Category(99.0, "Refused!", missing=True), Category(1.5, "a lot"))
    assert (name.kind, name.storage, name.measure) == (Kind.CHARACTER, "A5", Measure.NOMINAL)
    assert (name.missing_values, name.alignment, name.weight) == (("x",), "center", False)
    assert name.categories == (Category("x", "none", missing=True), Category("abc", "first"))
    assert (day.kind, day.format_category, day.display_format) == (
        Kind.CHARACTER, "date", "DATE11",
    )  # fmt: skip
    assert day.missing_values == ("1582-10-14", "1582-10-13")
    assert day.categories == (Category("1582-10-15", "the first day"),)
    assert (day.attributes, day.role, day.decimals) == ((("x", "y"),), "", None)
    assert found.data.to_pylist() == [
        {"Größe": 1.5, "Name": "abc", "Tag": datetime.date(1582, 10, 15)}
    ]
    assert (found.label, found.notes) == ("The file", ("First line\n  second",))
    assert found.attributes == (
        ("Study", "ABC"), ("Wave", "1"), ("Wave[2]", "2"), ("VariableSet Set 1", "V1 V3"),
    )  # fmt: skip
    assert found.response_sets == (
        ResponseSet("$a", "a lab", ("Größe", "Tag")),
        ResponseSet("$b", "", ("Größe", "Name"), "1"),
        ResponseSet("$c", "ein", ("Größe", "Name"), "1"),
    )
    assert found.origin.created == datetime.datetime(2004, 2, 29, 12, 34, 56)
    assert (found.origin.format, found.origin.format_version) == ("sav", "$FL2")
    assert (found.origin.encoding, found.origin.product) == ("utf-8", "SPSS DATA FILE test")


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_very_long_strings_and_their_labels(order: str, compression: int) -> None:
    """Parts of 255 bytes are joined to the width of record 7/14; 7/21 and 7/22 belong to them."""
    width = 600
    text = "".join(chr(0x4E00 + i) for i in range(190)).encode() + b" end"  # 574 bytes
    labels = counted(order, b"LongText") + extension_numbers(order, "ii", width, 1)
    labels += counted(order, b"a long value") + counted(order, b"its label")
    missing = counted(order, b"LONG") + b"\1" + extension_numbers(order, "i", 8) + b"a long v"
    parts = [Var(b"LONG", 255), Var(b"LONG0", 255), Var(b"LONG1", width - 2 * 252)]
    stored = text.ljust(765)
    file = Sav(
        [*parts, Var(b"N")],
        [(stored[:255], stored[255:510], stored[510:600], 1.0), (b"", b"", b"", 2.0)],
        order,
        compression,
        extensions=[
            UTF8, (13, 1, b"LONG=LongText"), (14, 1, b"LONG=%05d\0\t" % width),
            (21, 1, labels), (22, 1, missing),
        ],
    )  # fmt: skip
    found = table(file)
    assert found.data.to_pydict() == {"LongText": [text.decode(), ""], "N": [1.0, 2.0]}
    long = found.variables[0]
    assert (long.width, long.storage, long.display_format) == (600, "A600", "A600")
    assert long.categories == (Category("a long value", "its label"),)
    assert long.missing_values == ("a long v",)
    assert not warnings(found)


def test_names_are_unique_and_never_empty() -> None:
    """A second variable of one name is renamed, a nameless one is numbered; both are told."""
    file = Sav(
        [Var(b"A"), Var(b"B"), Var(b"C"), Var(b"")],
        [(1.0, 2.0, 3.0, 4.0)],
        extensions=[(13, 1, b"A=x\tB=x\tC=x_2")],
    )
    found = table(file)
    assert found.data.column_names == ["x", "x_3", "x_2", "VAR00004"]
    assert sum("is named" in text for text in warnings(found)) == 2


def test_encodings() -> None:
    """Declared ones are believed, undeclared text is UTF-8 or else windows-1252, users override."""

    def text(stored: bytes, extensions: list[tuple[int, int, bytes]], **options: str) -> str:
        file = Sav([Var(b"A", 8, stored)], [(stored,)], extensions=extensions)
        found = table(file, **options)
        assert found.variables[0].label == found.data.column(0)[0].as_py()
        return found.variables[0].label

    def page(number: int) -> tuple[int, int, bytes]:
        return (3, 4, struct.pack("<8i", 1, 0, 0, -1, 1, 1, 2, number))

    assert text("Łódź".encode("cp1250"), [page(1250)]) == "Łódź"
    assert text("Łódź".encode("iso8859-2"), [page(28592)]) == "Łódź"
    assert text("żółw".encode("cp1250"), [page(1252), (20, 1, b"windows-1250")]) == "żółw"
    assert text("東京".encode("cp932"), [page(932)]) == "東京"
    assert text("中文".encode("gbk"), [(20, 1, b"x-windows-936")]) == "中文"
    assert text("é".encode(), [page(2)]) == "é"
    assert text("é".encode("cp1252"), [page(3)]) == "é"
    assert text("é".encode("cp1252"), []) == "é"
    assert text("é".encode("cp1252"), [(20, 1, b"no-such-thing")]) == "é"
    assert text("ж".encode("koi8-r"), [UTF8], encoding="koi8-r") == "ж"
    assert text(b"a\xffb", [UTF8]) == "a\ufffdb"
    with pytest.raises(UsageError, match="no encoding is named 'klingon'"):
        text(b"a", [], encoding="klingon")


def test_undecodable_bytes_are_replaced_and_counted() -> None:
    """Nothing of it is silent, and valid text beside it is untouched."""
    cases = [(b"good",), (b"b\xffd",), ("größe".encode(),), (b"\xc3",), (b"b\xffd",)]
    found = table(Sav([Var(b"A", 10)], cases, extensions=[UTF8]))
    assert found.data.column(0).to_pylist() == ["good", "b\ufffdd", "größe", "\ufffd", "b\ufffdd"]
    assert [(each.variable, each.severity) for each in found.findings] == [("A", "warning")]
    assert "(cases: 3)" in found.findings[0].text


def test_labels_of_seconds_of_one_day_do_not_fall_together() -> None:
    """Two labelled values of a date variable on one day: the second keeps its number."""
    labels = [([(7.0, b"refused"), (8.0, b"unknown")], [1])]
    day = Sav([Var(b"D", 0, None, (20, 11, 0))], labels=labels)
    assert [each.value for each in variable(day, "D").categories] == [
        "1582-10-14 00:00:07",
        "1582-10-14 00:00:08",
    ]


def test_a_record_that_does_not_fit_is_left_out_and_told() -> None:
    """Labels of no variable, a weight that is none, levels for other variables, unknown records."""
    file = Sav(
        [Var(b"A"), Var(b"S", 12)],
        [(1.0, b"x")],
        weight=2,
        labels=[([(1.0, b"one")], [1, 3, 77])],
        extensions=[
            (11, 4, struct.pack("<2i", 1, 1)), (77, 1, b"?"), (18, 1, b"nobody:x('y'\n)"),
            (7, 1, b"$a=C 1 x nobody a\n$b=broken\n"), (20, 1, b"UTF-8"),
        ],
    )  # fmt: skip
    found = table(file)
    texts = "\n".join(each.text for each in found.findings)
    for part in ("2 elements that are no variables", "weight variable", "measurement levels",
                 "subtype 77", "attributes of nobody", "set $a"):  # fmt: skip
        assert part in texts
    assert found.variables[0].categories == (Category(1.0, "one"),)
    assert found.response_sets == (ResponseSet("$a", "x", ("A",)),)


def test_labels_of_long_strings_are_for_strings() -> None:
    """Record 7/21 or 7/22 that names a number is passed over."""
    labels = counted("<", b"A") + struct.pack("<ii", 3, 1) + counted("<", b"abc") * 2
    missing = counted("<", b"A") + b"\1" + struct.pack("<i", 3) + b"abc"
    found = table(Sav([Var(b"A")], [(1.0,)], extensions=[(21, 1, labels), (22, 1, missing)]))
    assert (found.variables[0].categories, found.variables[0].missing_values) == ((), ())


def test_many_variables_of_one_name_and_one_set_of_labels() -> None:
    """Renaming and labelling take no more than time in proportion."""
    count = 3000
    pairs = [(float(i), b"label") for i in range(count)]
    owners = list(range(1, count + 1))
    file = Sav([Var(b"X")] * count, labels=[(pairs, owners)], promised=-1)
    found = table(file)
    assert found.data.column_names[:3] == ["X", "X_2", "X_3"]
    assert {len(each.categories) for each in found.variables} == {count}
