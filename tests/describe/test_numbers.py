"""The vectorised normal form of numbers is the reference's, digit by digit, at ties most of all."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe.numbers import MISSING, normalize_number, normalize_numbers


def one_by_one(values: list[float | None], digits: int = 7) -> bytes:
    """Go the reference's way for every value."""
    return b"".join(
        MISSING if value is None else normalize_number(value, digits) for value in values
    )


@st.composite
def near_ties(draw: st.DrawFn) -> float:
    """Doubles at, or a few units in the last place from, a tie between two N-digit decimals."""
    digits = draw(st.integers(2, 12))
    whole = draw(st.integers(10 ** (digits - 1), 10**digits - 1))
    value = float(f"{whole}5e{draw(st.integers(-330, 300))}")
    for _ in range(draw(st.integers(0, 3))):
        value = math.nextafter(value, draw(st.sampled_from([0.0, math.inf])))
    return draw(st.sampled_from([value, -value]))


@given(st.lists(st.none() | st.floats() | near_ties(), max_size=40), st.integers(2, 16))
def test_any_double(values: list[float | None], digits: int) -> None:
    array = pa.array(values, pa.float64(), from_pandas=False)
    assert normalize_numbers(array, digits) == one_by_one(values, digits)


@given(st.integers(2, 12), st.data())
def test_ties(digits: int, data: st.DataObject) -> None:
    """Decimals one digit longer than what is kept, ending in 5, and their neighbours."""
    whole = data.draw(st.lists(st.integers(10 ** (digits - 1), 10**digits - 1), min_size=1))
    power = data.draw(st.integers(-320, 295))
    exact = [float(f"{number}5e{power}") for number in whole]
    values = [math.nextafter(value, way) for value in exact for way in (0, value, math.inf)]
    assert normalize_numbers(pa.array(values), digits) == one_by_one(values, digits)


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_integers_become_doubles_first(values: list[int | None]) -> None:
    wanted = one_by_one([None if value is None else float(value) for value in values])
    assert normalize_numbers(pa.array(values, pa.int64())) == wanted


@given(st.lists(st.none() | st.integers(-40_000, 40_000)))
def test_small_integers_in_every_type(values: list[int | None]) -> None:
    """Small integers are looked up; a fraction or a negative zero among them ends that."""
    wanted = one_by_one([None if value is None else float(value) for value in values])
    for kind in (pa.int32(), pa.int64(), pa.float32(), pa.float64()):
        assert normalize_numbers(pa.array(values, kind)) == wanted
    spoiled = [*values, -0.0, 0.5]
    assert normalize_numbers(pa.array(spoiled, pa.float64())) == one_by_one(spoiled)


@given(st.lists(st.floats(width=32)))
def test_single_floats_are_widened(values: list[float]) -> None:
    array = pa.array(values, pa.float32(), from_pandas=False)
    assert normalize_numbers(array) == one_by_one(values)


def test_long_columns() -> None:
    """Chunks end where nobody sees; random bits reach every exponent."""
    bits = np.random.default_rng(1).integers(0, 2**63, 20_000, dtype=np.int64).view(np.float64)
    values = np.concatenate([bits, -bits])
    assert normalize_numbers(pa.array(values, from_pandas=False)) == one_by_one(values.tolist())


def test_slices_and_gaps() -> None:
    """An array that begins in the middle of its buffer; one that is missing throughout."""
    array = pa.array([9.5, 1.5, None, 2.0, 9.5])[1:4]
    assert normalize_numbers(array) == b"+1.5e+\n\0\0\0\0+2.e+\n\0"
    assert normalize_numbers(pa.nulls(3, pa.int16())) == MISSING * 3
    assert normalize_numbers(pa.array([], pa.int8())) == b""


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (76.344315, "+7.634432e+1"),  # printf of the binary value says 7.634431
        (349.53054999999995, "+3.495306e+2"),  # rounded twice, to 16 digits first
        (1.2345675, "+1.234568e+"),
        (1.0000005, "+1.e+"),
        (9.9999995, "+1.e+1"),
        (0.99999995, "+1.e+"),
        (5e-324, "+4.9e-324"),  # Java 21 prints two digits
        (1e-323, "+9.9e-324"),
        (2.2250738585072014e-308, "+2.225074e-308"),
        (1.7976931348623157e308, "+1.797693e+308"),
        (1e22, "+1.e+22"),
        (-300.0, "-3.e+2"),
        (0.00073, "+7.3e-4"),
        (math.nan, "+nan"),
        (-math.inf, "-inf"),
    ],
)
def test_examples(value: float, text: str) -> None:
    assert normalize_number(value) == text.encode() + b"\n\0"
    assert normalize_numbers(pa.array([value], from_pandas=False)) == text.encode() + b"\n\0"
