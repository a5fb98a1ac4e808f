"""Compiled tokens of delimited text: the same cells as the plain tokenisers give."""

from __future__ import annotations

import csv
import dataclasses
import io
import itertools
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read.delimited_cells import Cells, Dialect
from tabkit.read.delimited_lexer import lex
from tabkit.read.delimited_tokens import tokenize

if TYPE_CHECKING:
    from collections.abc import Callable

core = pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")

DIALECTS = [
    Dialect(","), Dialect(";", "'"), Dialect("\t", ""), Dialect(",", escape="\\"),
    Dialect(",", strays=False), Dialect(",", escape="\\", strays=False),
]  # fmt: skip
PIECES = ['"a"', '"a\nb"', '""', '"', "a", ",", "\n", "\r\n", '"x"y', "long text " * 3, '"""']
texts = st.text("ab,;\t\"'\\\n\r é日", max_size=60)
texts |= st.lists(st.sampled_from(PIECES), max_size=20).map("".join)


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


def rows_of(
    tokenizer: Callable[..., Cells], source: bytes, dialect: Dialect
) -> tuple[list[object], list[object]]:
    """Return all rows (text, cell ends, whether blank, end) and what was odd."""
    rows, odd, used = [], [], 0
    while used < len(source):
        found = tokenizer(source[used:], dialect, final=True)
        start = cell = 0
        places = zip(found.counts.tolist(), found.blank, found.row_ends.tolist(), strict=True)
        for count, blank, row_end in places:
            ends = found.ends[cell : cell + count]
            text = found.text[start : ends[-1]].tobytes()
            rows.append((text, (ends - start).tolist(), bool(blank), used + row_end))
            start, cell = int(ends[-1]), cell + count
        odd += ["trailing"] * found.trailing + ["stray"] * found.strays + ["open"] * found.unclosed
        if found.strays and "first" not in odd:
            odd += ["first", used + found.stray_at]
        assert found.used
        used += found.used
    return rows, sorted(map(str, odd))


@given(texts, st.sampled_from(DIALECTS))
def test_all_rows(text: str, dialect: Dialect) -> None:
    source = text.encode()
    assert rows_of(compiled, source, dialect) == rows_of(tokenize, source, dialect)


@given(texts, st.sampled_from(DIALECTS), st.booleans(), st.booleans())
def test_one_call(text: str, dialect: Dialect, final: bool, force: bool) -> None:
    """Where the text goes on, and where a quoted cell has gone on for too long."""
    source = text.encode()
    wanted = lex(source, dialect, final=final, force=force)
    found = compiled(source, dialect, final=final, force=force)
    for field in dataclasses.fields(Cells):
        one, other = getattr(found, field.name), getattr(wanted, field.name)
        assert np.array_equal(one, other), field.name


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
    read = [text[a:b].decode() for a, b in itertools.pairwise(ends)]
    assert read == [cell for row in rows for cell in row]
    assert found.counts.tolist() == [len(row) for row in rows]
