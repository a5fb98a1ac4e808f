"""Compiled tokens of delimited text: the same cells as the plain tokenisers give."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read.delimited_cells import Cells, Dialect
from tabkit.read.delimited_lexer import lex
from tabkit.read.delimited_tokens import tokenize

core = pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")

DIALECTS = [
    Dialect(","), Dialect(";", "'"), Dialect("\t", ""), Dialect(",", escape="\\"),
    Dialect(",", strays=False), Dialect(",", escape="\\", strays=False),
]  # fmt: skip
texts = st.text("ab,;\t\"'\\\n\r é日", max_size=60) | st.lists(
    st.sampled_from(['"a"', '"a\nb"', '""', '"', "a", ",", "\n", "\r\n", '"x"y', "long text " * 3, '"""']),
    max_size=20,
).map("".join)  # fmt: skip


def compiled(source: bytes, dialect: Dialect, *, final: bool, force: bool = False) -> Cells:
    text, ends, counts, blank, row_ends, *rest = core.tokenize(
        source, dialect.delimiter, dialect.quote, dialect.escape, dialect.strays, final, force
    )
    return Cells(
        np.frombuffer(text, np.uint8),
        np.frombuffer(ends, np.int64),
        np.frombuffer(counts, np.int64),
        np.frombuffer(blank, np.bool_),
        np.frombuffer(row_ends, np.int64),
        *rest,
    )


def as_lists(cells: Cells) -> list[object]:
    """Return everything found; positions of strays only where there are any."""
    found = [
        each.tolist()
        for each in (cells.text, cells.ends, cells.counts, cells.blank, cells.row_ends)
    ]
    return [*found, cells.used, cells.trailing, cells.strays, cells.stray_at, cells.unclosed]


@given(texts, st.sampled_from(DIALECTS), st.booleans(), st.booleans())
def test_row_by_row(text: str, dialect: Dialect, final: bool, force: bool) -> None:
    source = text.encode()
    wanted = lex(source, dialect, final=final, force=force)
    assert as_lists(compiled(source, dialect, final=final, force=force)) == as_lists(wanted)


@given(texts, st.sampled_from(DIALECTS))
def test_as_the_vectorised(text: str, dialect: Dialect) -> None:
    source = text.encode()
    wanted = tokenize(source, dialect, final=True)
    assert as_lists(compiled(source, dialect, final=True)) == as_lists(wanted)


@given(texts, st.sampled_from(DIALECTS), st.data())
def test_cut_anywhere(text: str, dialect: Dialect, data: st.DataObject) -> None:
    """Rows that are whole before a cut are those of the whole text."""
    source = text.encode()
    cut = data.draw(st.integers(0, len(source)))
    first = compiled(source[:cut], dialect, final=False)
    rest = compiled(source[first.used :], dialect, final=True)
    whole = compiled(source, dialect, final=True)
    assert first.counts.tolist() + rest.counts.tolist() == whole.counts.tolist()
    assert first.text.tobytes() + rest.text.tobytes() == whole.text.tobytes()


cells = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20), min_size=1
)


@given(
    st.lists(cells, min_size=1), st.sampled_from([",", ";", "\t"]), st.sampled_from(["\n", "\r\n"])
)
def test_what_python_writes_is_read(rows: list[list[str]], delimiter: str, line_end: str) -> None:
    file = io.StringIO()
    writer = csv.writer(file, delimiter=delimiter, lineterminator=line_end, quoting=csv.QUOTE_ALL)
    writer.writerows(rows)
    found = compiled(file.getvalue().encode(), Dialect(delimiter), final=True)
    ends = [0, *found.ends.tolist()]
    text = found.text.tobytes()
    read = [text[a:b].decode() for a, b in zip(ends, ends[1:], strict=False)]
    assert read == [cell for row in rows for cell in row]
    assert found.counts.tolist() == [len(row) for row in rows]
