"""Tokens of delimited text: the same as Python's csv module and commons-csv give."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read.delimited_cells import Cells, Dialect
from tabkit.read.delimited_lexer import JAVA_BLANKS, lex
from tabkit.read.delimited_tokens import tokenize

EXCEL = Dialect(",", strays=False)
TDF = Dialect("\t", trimmed=True, strays=False)
texts = st.text(st.sampled_from('ab12,,,\t""\n\n\r é\u3000'), max_size=24)


def rows_of(cells: Cells) -> list[list[str]]:
    """Give the cells as Python lists, a row each."""
    text, ends = cells.text.tobytes(), [0, *cells.ends.tolist()]
    flat = [text[start:end].decode() for start, end in itertools.pairwise(ends)]
    rows, at = [], 0
    for count in cells.counts.tolist():
        rows.append(flat[at : at + count])
        at += count
    return rows


def tokenize_all(text: str, dialect: Dialect, *cuts: int) -> list[list[str]]:
    """Tokenise a text that arrives in pieces, cut at ``cuts``."""
    source, rows, buffer = text.encode(), [], b""
    bounds = sorted({0, *(min(cut, len(source)) for cut in cuts), len(source)})
    for start, end in itertools.pairwise(bounds):
        buffer += source[start:end]
        cells = tokenize(buffer, dialect, final=False)
        rows += rows_of(cells)
        buffer = buffer[cells.used :]
    while buffer:
        cells = tokenize(buffer, dialect, final=True)
        assert cells.used
        rows += rows_of(cells)
        buffer = buffer[cells.used :]
    return rows


@given(texts)
def test_as_the_csv_module(text: str) -> None:
    """Python's lenient csv reader and commons-csv's EXCEL format agree, so must we."""
    expected = [row or [""] for row in csv.reader(io.StringIO(text, newline=""))]
    assert tokenize_all(text, EXCEL) == expected


@given(texts, st.lists(st.integers(0, 30), max_size=4))
def test_pieces_do_not_matter(text: str, cuts: list[int]) -> None:
    """Rows are the same however the text is cut, even within a character or a CRLF."""
    for dialect in (EXCEL, TDF):
        assert tokenize_all(text, dialect, *cuts) == tokenize_all(text, dialect)


@given(texts, st.sampled_from([EXCEL, TDF, Dialect(","), Dialect("\t"), Dialect("a", "b")]))
def test_both_tokenisers_agree(text: str, dialect: Dialect) -> None:
    """The vectorised tokeniser is an optimisation: where it answers, row by row gives the same."""
    quick = tokenize(text.encode(), dialect, final=True)
    slow = lex(text.encode(), dialect, final=True, force=False)
    rows = len(quick.counts)
    assert rows_of(quick) == rows_of(slow)[:rows]
    assert quick.blank.tolist() == slow.blank.tolist()[:rows]
    assert quick.row_ends.tolist() == slow.row_ends.tolist()[:rows]
    if rows == len(slow.counts):
        assert quick.used == slow.used == len(text.encode())


@given(
    st.lists(st.lists(st.text("ab,;\t\"' \r\né", max_size=5), min_size=2, max_size=4), max_size=5),
    st.sampled_from(",;\t|"),
    st.sampled_from("\"'"),
    st.sampled_from(["\n", "\r\n", "\r"]),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
)
def test_what_csv_writes_reads_back(
    rows: list[list[str]], delimiter: str, quote: str, end: str, quoting: int
) -> None:
    """Any table of strings survives, in every dialect."""
    if quoting == csv.QUOTE_MINIMAL:  # with another end csv leaves a lone CR or LF unquoted
        end = "\r\n"
    file = io.StringIO(newline="")
    csv.writer(
        file, delimiter=delimiter, quotechar=quote, lineterminator=end, quoting=quoting
    ).writerows(rows)
    assert tokenize_all(file.getvalue(), Dialect(delimiter, quote)) == rows


def commons_csv(text: str) -> list[list[str]] | None:
    """Tokenise as commons-csv's TDF, one character after the other; None where it throws.

    Source: Apache commons-csv 1.14, Lexer.nextToken, written anew from its description.
    """
    rows: list[list[str]] = []
    row: list[str] = []
    at = 0
    while at < len(text) or row:
        if not row and text[at] in "\r\n":
            at += 1
            continue
        while at < len(text) and text[at] in JAVA_BLANKS and text[at] not in "\t\r\n":
            at += 1
        cell, at = (_encapsulated if text[at : at + 1] == '"' else _simple)(text, at)
        if cell is None:
            return None
        row.append(cell)
        if text[at : at + 1] != "\t":
            rows.append(row)
            row = []
        at += 2 if text[at : at + 2] == "\r\n" else 1
    return rows


def _simple(text: str, at: int) -> tuple[str, int]:
    start = at
    while at < len(text) and text[at] not in "\t\r\n":
        at += 1
    return text[start:at].rstrip(JAVA_BLANKS), at


def _encapsulated(text: str, at: int) -> tuple[str | None, int]:
    cell = ""
    at += 1
    while text[at : at + 1] != '"' or text[at : at + 2] == '""':
        if at >= len(text):
            return None, at
        cell += text[at]
        at += 2 if text[at] == '"' else 1
    rest, end = _simple(text, at + 1)
    return (None if rest.strip(JAVA_BLANKS) else cell), end


@given(st.text(st.sampled_from('ab1\t\t"" \n\r\u3000\u00a0\x1f'), max_size=20))
def test_as_commons_csv_tdf(text: str) -> None:
    """Blanks around cells go, quoted ones stay; empty lines do not count."""
    expected = commons_csv(text)
    cells = lex(text.encode(), TDF, final=True, force=False)
    if expected is None:
        assert cells.trailing or cells.unclosed
        return
    kept = [
        row for row, blank in zip(rows_of(cells), cells.blank.tolist(), strict=True) if not blank
    ]
    assert kept == expected


@pytest.mark.parametrize(
    ("text", "rows", "strays"),
    [
        ('a,"b\n1,2\n3,"x, y"\n', [["a", '"b'], ["1", "2"], ["3", "x, y"]], 1),
        ('a,b\n1,"2', [["a", "b"], ["1", '"2']], 1),
        ('a,b\n1,"two\nlines"\n', [["a", "b"], ["1", "two\nlines"]], 0),
        ('a,b\n1,"two\nlines"!\n', [["a", "b"], ["1", '"two'], ['lines"!']], 1),
        ('a,b\n1,"x"y\n', [["a", "b"], ["1", "xy"]], 0),
        ('a,b\n1,5" pipe\n', [["a", "b"], ["1", '5" pipe']], 0),
    ],
)
def test_stray_quotes(text: str, rows: list[list[str]], strays: int) -> None:
    """A quote without a proper end swallows no line; all characters stay."""
    cells = lex(text.encode(), Dialect(","), final=True, force=False)
    assert rows_of(cells) == rows
    assert cells.strays == strays


def test_escaped_quotes() -> None:
    r"""R's write.table escapes quotes with a backslash; other backslashes are text."""
    dialect = dataclasses.replace(Dialect(","), escape="\\")
    text = 'a,"say \\"hi, you\\"",b\\c\n'
    assert tokenize_all(text, dialect) == [["a", 'say "hi, you"', "b\\c"]]


def test_force_takes_one_row_only() -> None:
    """A quote that is open for too long becomes text; the rows behind it wait their turn."""
    cells = tokenize(b'1,"x\n2,y\n3,z\n', Dialect(","), final=False, force=True)
    assert rows_of(cells) == [["1", '"x']]
    assert (cells.used, cells.strays, cells.stray_at) == (5, 1, 2)


def test_waiting_for_the_end_of_a_quoted_cell() -> None:
    """Nothing is decided while the rest may still come."""
    assert not tokenize(b'1,"x\n2,y\n', Dialect(","), final=False).used
    assert not tokenize(b"1,2", Dialect(","), final=False).used
    assert not tokenize(b"1,2\r", Dialect(","), final=False).used
    assert tokenize(b"1,2\r\n", Dialect(","), final=False).used == 5
