"""Delimiter and quote found from the first rows."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read.delimited_sniff import sniff


@pytest.mark.parametrize(
    ("text", "home", "delimiter"),
    [
        ("a,b\n1,2\n", ",", ","),
        ("a;b\n1;2\n", ",", ";"),
        ("a\tb\n1\t2\n", ",", "\t"),
        ("a|b\n1|2\n", ",", "|"),
        ("user:id\nroot:0\nme:1\n", ",", ":"),
        ("a^b\n1^2\n", ",", "^"),
        ("a,b\n1,2\n", "\t", ","),
        ("a;b;c\n1,5;2,5;3,5\n1,7;2,8;3,0\n", ",", ";"),
        ("Name, Vorname;Alter\nMeier, Hans;33\nAdler, Eva;41\n", ",", ";"),
        ("time\n10:20:30\n11:20:30\n", ",", ","),
        ("day,time\n1,10:20:30\n2,11:20:30\n", ",", ","),
        ("comment\nwell; yes\nno\n", ",", ","),
        ("x\n1\n2\n", "\t", "\t"),
        ('a,b\n"1;2;3",4\n"5;6;7",8\n', ",", ","),
        ("A title of some words\n\na;b;c\n1;2;3\n4;5;6\n7;8;9\n1;2;3\n", ",", ";"),
        ("a,b,c\n1,2,3\n4,5\n6,7,8\n", ",", ","),
        ("2012-01-01 10:11:12,a\n2012-01-01 10:11:12,b\n", ",", ","),
    ],
)
def test_delimiter(text: str, home: str, delimiter: str) -> None:
    """What splits the rows alike, the header too; the suffix decides when nothing does."""
    assert sniff(text.encode(), final=True, home=home).dialect.delimiter == delimiter


@pytest.mark.parametrize(
    ("text", "quote"),
    [
        ("'a','b'\n'1','x, y'\n'2','it''s'\n", "'"),
        ("'a','b'\n'1','x'\n'2','y'\n", "'"),
        ("id,name\n1,'tis\n2,O'Neil\n3,'quoted'\n", '"'),
        ("id,name\n1,\"x''s\"\n", '"'),
        ("a,b\n1,2\n", '"'),
    ],
)
def test_quote(text: str, quote: str) -> None:
    """Apostrophes quote only where hardly anything else explains them."""
    assert sniff(text.encode(), final=True, home=",").dialect.quote == quote


@pytest.mark.parametrize(
    ("text", "escape"),
    [
        ('a,b\n1,"say \\"hi\\", you"\n', "\\"),
        ('a,b\n1,"C:\\"\n2,"D:\\"\n', ""),
        ('a,b\n1,"x"\n', ""),
    ],
)
def test_escape(text: str, escape: str) -> None:
    """A backslash escapes quotes only where that makes sense of the rows."""
    assert sniff(text.encode(), final=True, home=",").dialect.escape == escape


def test_choices_are_respected() -> None:
    """What the user names is not looked for."""
    found = sniff(b"a;b,c\n1;2,3\n", final=True, home=",", delimiter=";", quote="")
    assert (found.dialect.delimiter, found.dialect.quote) == (";", "")
    assert not found.detected


def test_a_cut_last_row_does_not_count() -> None:
    """The sample of a long file ends within a row."""
    found = sniff(b"a;b;c\n" + b"1;2;3\n" * 30 + b"1;", final=False, home=",")
    assert (found.rows, found.tried, found.columns) == (30, 30, 3)


words = st.text("abcxyz .-'\"", max_size=6)
values = st.integers(-99, 9999).map(str) | words


@given(
    st.integers(2, 5).flatmap(
        lambda width: st.lists(
            st.lists(values, min_size=width, max_size=width), min_size=3, max_size=8
        )
    ),
    st.sampled_from(",;\t|"),
)
def test_what_csv_writes_is_recognised(rows: list[list[str]], delimiter: str) -> None:
    """Tables without another delimiter in their cells are split as they were written."""
    header = [f"name{number}" for number in range(len(rows[0]))]
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows([header, *rows])
    found = sniff(file.getvalue().encode(), final=True, home=",")
    assert found.dialect.delimiter == delimiter
    assert found.columns == len(header)
