"""Text of a codebook: numbers look as in the archival table, and XML can hold every string."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import etree

from tabkit import _native
from tabkit.ddi.text import dataverse_value, escape, interleaved, java_double, quote, value_text
from tabkit.model import Variable
from tabkit.profiles import NumberText, TabLayout
from tabkit.write.cells import cells


def cell(value: float, numbers: NumberText) -> str:
    """Return a number as the archival table prints it in that layout."""
    column = pa.array([value], pa.float64(), from_pandas=False)
    return str(cells(column, Variable("x"), TabLayout(numbers))[0].as_py())


@given(st.floats())
@example(1e-5)
@example(9.9e-5)
@example(9999999999999998.0)
@example(1e16)
@example(-0.0)
@example(5e-324)
def test_values_look_as_in_the_table(value: float) -> None:
    """Category values print as the data prints them; statistics of Dataverse as Java does."""
    assert value_text(value) == cell(value, NumberText.SHORTEST)
    assert java_double(value) == cell(value, NumberText.JAVA)


@pytest.mark.skipif(not _native.AVAILABLE, reason="the kernels are not built")
@given(st.lists(st.floats() | st.integers() | st.text()).map(tuple))
@example((1e-5, 9.9e-5, 9999999999999998.0, 1e16, -0.0, 5e-324, 2**70, -1, True, ".a"))
def test_compiled_and_plain_texts_are_alike(values: tuple[float | str, ...]) -> None:
    parts = ("<", *(f"é{place}" for place, _ in enumerate(values)))
    wanted = "<" + "".join(f"{value_text(each)}é{place}" for place, each in enumerate(values))
    assert interleaved(parts, values) == wanted
    _native.AVAILABLE = False
    try:
        assert interleaved(parts, values) == wanted
    finally:
        _native.AVAILABLE = True


@given(st.integers(-(10**15), 10**15), st.integers(0, 30))
def test_values_of_dataverse(digits: int, places: int) -> None:
    """Codes of up to 15 digits look as DecimalFormat prints them, never with an exponent."""
    value = digits / 10**places
    assert dataverse_value(value) == cell(value, NumberText.DECIMAL)


@pytest.mark.parametrize(
    ("value", "text"), [(2, "2"), (".a", ".a"), (2.50, "2.5"), (1e100, "1e+100")]
)
def test_values(value: float | str, text: str) -> None:
    assert value_text(value) == text


@given(
    st.text(max_size=20) | st.text("\0\x0b\x1f\ud800\udfff\ufffe\uffff\r\n\t&<>\"']", max_size=9)
)
def test_every_text_survives_xml(text: str) -> None:
    """What XML 1.0 can hold comes back as it was, the rest as U+FFFD."""
    legal = "".join(c if c in "\t\n\r" or _legal(ord(c)) else "\ufffd" for c in text)
    node = etree.fromstring(f'<a b="{quote(text)}">{escape(text)}</a>'.encode())
    assert (node.text or "") == legal
    assert node.get("b") == legal


def _legal(code: int) -> bool:
    return 0x20 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000
