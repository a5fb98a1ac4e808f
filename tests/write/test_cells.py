"""Cell text: what the design and Java's documentation say a number looks like."""

from __future__ import annotations

import math

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.model import Variable
from tabkit.profiles import NumberText, TabLayout
from tabkit.write.cells import cells

SHORTEST, JAVA, DECIMAL = (TabLayout(each) for each in NumberText)


def text(value: object, kind: pa.DataType, layout: TabLayout = SHORTEST) -> str | None:
    column = pa.array([value, value], kind, from_pandas=False)
    one, two = cells(column, Variable("x"), layout).to_pylist()
    assert one == two
    return one


@pytest.mark.parametrize(
    ("value", "shortest", "java", "decimal"),
    [
        (0.0, "0", "0.0", "0"),
        (-0.0, "-0", "-0.0", "-0"),
        (2.0, "2", "2.0", "2"),
        (-17.0, "-17", "-17.0", "-17"),
        (0.1, "0.1", "0.1", "0.1"),
        (1 / 3, "0.3333333333333333", "0.3333333333333333", "0.3333333333333333"),
        (0.001, "0.001", "0.001", "0.001"),
        (0.0001, "0.0001", "1.0E-4", "0.0001"),
        (1.5e-5, "0.000015", "1.5E-5", "0.000015"),
        (1e-7, "1e-07", "1.0E-7", "0.0000001"),
        (9999999.0, "9999999", "9999999.0", "9999999"),
        (1e7, "10000000", "1.0E7", "10000000"),
        (123456789.123, "123456789.123", "1.23456789123E8", "123456789.123"),
        (12345678901.5, "12345678901.5", "1.23456789015E10", "12345678901.5"),
        (1e15, "1000000000000000", "1.0E15", "1000000000000000"),
        (1234567890123456.5, "1234567890123456.5", "1.2345678901234565E15", "1234567890123456.5"),
        (1e16, "1e+16", "1.0E16", "10000000000000000"),
        (2e23, "2e+23", "2.0E23", "199999999999999980000000"),
        (1e100, "1e+100", "1.0E100", "1" + "0" * 100),
        (1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157E308", None),
        (5e-324, "5e-324", None, None),
        (math.nan, "NaN", "NaN", "NaN"),
        (math.inf, "Inf", "Infinity", "∞"),
        (-math.inf, "-Inf", "-Infinity", "-∞"),
    ],
)  # fmt: skip
def test_double(value: float, shortest: str, java: str | None, decimal: str | None) -> None:
    """Design section 3; Java SE API on Double.toString; DecimalFormat without exponent."""
    assert text(value, pa.float64()) == shortest
    if java is not None:
        assert text(value, pa.float64(), JAVA) == java
    if decimal is not None:
        assert text(value, pa.float64(), DECIMAL) == decimal


def test_float32_prints_its_own_digits() -> None:
    """3.58 in single precision is 3.58, not 3.5799999237060547."""
    assert text(3.58, pa.float32()) == "3.58"
    assert text(3.58, pa.float32(), JAVA) == "3.58"
    assert text(1e10, pa.float32(), JAVA) == "1.0E10"
    old_stata = TabLayout(NumberText.DECIMAL, singles=NumberText.JAVA)
    assert text(3.0, pa.float32(), old_stata) == "3.0"
    assert text(3.0, pa.float64(), old_stata) == "3"
    assert text(16777216.0, pa.float32(), JAVA) == "1.6777216E7"


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_layout_reads_back_as_the_same_double(value: float) -> None:
    """The text of a number is enough to have the number again."""
    for layout in (SHORTEST, JAVA, DECIMAL):
        printed = text(value, pa.float64(), layout)
        assert printed is not None
        back = float(printed)
        assert back == value
        assert math.copysign(1, back) == math.copysign(1, value)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_single_precision_reads_back(value: float) -> None:
    """Shortest digits of single precision name the same single."""
    for layout in (SHORTEST, JAVA):
        printed = text(value, pa.float32(), layout)
        assert printed is not None
        assert pa.scalar(float(printed), pa.float32()).as_py() == value


def test_missing_and_empty_differ() -> None:
    """Missing is an empty field, an empty string is two quotes."""
    column = pa.array(["", None, 'a "b"\t\\\n\r'])
    assert cells(column, Variable("x"), SHORTEST).to_pylist() == [
        '""',
        None,
        r'"a \"b\"\t\\\n\r"',
    ]


def test_escapes_follow_the_layout() -> None:
    """Portable files: only quotes are escaped (TDFR is not used there)."""
    column = pa.array(['a"\\\t'])
    layout = TabLayout(NumberText.DECIMAL, '"')
    assert cells(column, Variable("x"), layout).to_pylist() == ['"a\\"\\\t"']


def test_bare_text_is_not_quoted() -> None:
    """Dates that a profile gives as text print as they are."""
    assert cells(pa.array(["2020-01-31"]), Variable("x", bare=True), JAVA).to_pylist() == [
        "2020-01-31"
    ]
