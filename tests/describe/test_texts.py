"""The vectorised normal form of text is that of each text by itself."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe.texts import normalize_text, normalize_texts

blanks = st.text(" \t\n\0\x1f", max_size=12)
long = st.builds(
    lambda part, times, end: part * times + end,
    st.text("ab é日\U0001f600", min_size=1, max_size=4),
    st.integers(1, 80),
    st.text(max_size=3),
)


@given(st.lists(st.none() | st.text() | blanks | long), st.integers(1, 130))
def test_every_text(values: list[str | None], characters: int) -> None:
    wanted = b"".join(b"\0\0\0" if v is None else normalize_text(v, characters) for v in values)
    for kind in (pa.string(), pa.large_string(), pa.string_view()):
        assert normalize_texts(pa.array(values, kind), characters) == wanted
    assert normalize_texts(pa.array(["x", *values], pa.string())[1:], characters) == wanted
    assert normalize_texts(pa.array(values).cast(pa.string()).dictionary_encode(), characters) == (
        wanted
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("abc", "abc"),
        ("abcdef", "abcd"),
        ("ab\U0001f600d", "ab\U0001f600"),  # two UTF-16 units
        ("abc\U0001f600", "abc?"),  # a pair cut in half
        ("    ", ""),
        ("     ", "   "),  # blank and too long: one unit less than kept
        ("    x", "    "),  # not blank, so cut like others
        ("\xa0", "\xa0"),  # no blank in Java's eyes
        ("\ud800", "?"),
        ("e\u0301", "e\u0301"),  # not normalised
    ],
)
def test_four_units_kept(text: str, wanted: str) -> None:
    assert normalize_text(text, 4) == wanted.encode() + b"\n\0"
