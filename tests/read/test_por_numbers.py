"""Numbers in base 30: exact to the last bit, or as Dataverse has them."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read.por_numbers import numbers_of, parse_number, parse_number_like_java
from tests.read.por_files import DIGITS, base30

digits = st.text(DIGITS, max_size=14)


@pytest.mark.parametrize(
    ("token", "value"),
    [
        (b"0", 0.0), (b"T", 29.0), (b"-10", -30.0), (b"28.O", 68.8), (b".F", 0.5), (b"1+2", 900.0),
        (b"F-1", 0.5), (b"  12", 32.0), (b"1.", 1.0), (b"+3", 3.0), (b"-.1", -1 / 30),
        (b"1-TT", 0.0),
    ],
)  # fmt: skip
def test_the_grammar(token: bytes, value: float) -> None:
    assert parse_number(token) == value


@pytest.mark.parametrize(
    "token",
    [b"", b".", b"-", b"U", b"1_0", b"a", b"1/", b"1.2.3", b"1+", b"1+TTT", b"5+TT", b"1" * 200],
)
def test_what_is_no_number(token: bytes) -> None:
    assert parse_number(token) is None
    assert parse_number_like_java(token) is None


def test_system_missing() -> None:
    assert math.isnan(parse_number(b"*") or 0)
    assert math.isnan(parse_number(b" *") or 0)


@given(st.sampled_from(["", "-"]), digits, digits, st.integers(-60, 60) | st.none())
def test_the_nearest_double(sign: str, whole: str, fraction: str, power: int | None) -> None:
    """A number's text has one value, and its nearest double is what we give."""
    token = f"{sign}{whole}.{fraction}"
    if power is not None:
        token += ("-" if power < 0 else "+") + base30(abs(power))
    if not whole + fraction:
        assert parse_number(token.encode()) is None
        return
    exact = Fraction(int(whole + fraction, 30)) * Fraction(30) ** ((power or 0) - len(fraction))
    assert parse_number(token.encode()) == float(-exact if sign else exact)


@given(st.text(DIGITS, min_size=1, max_size=6), st.text(DIGITS, min_size=1, max_size=4))
def test_fifteen_digits_half_up(whole: str, fraction: str) -> None:
    """With few enough digits there is one rounding, of the quotient."""
    exact = Fraction(int(whole + fraction, 30), 30 ** len(fraction))
    power = 0
    if exact:
        while exact * Fraction(10) ** power < 10**14:
            power += 1
        while exact * Fraction(10) ** power >= 10**15:
            power -= 1
    rounded = math.floor(exact * Fraction(10) ** power + Fraction(1, 2))
    wanted = float(Fraction(rounded) / Fraction(10) ** power)
    assert parse_number_like_java(f"{whole}.{fraction}".encode()) == wanted
    assert parse_number_like_java(f"-{whole}.{fraction}".encode()) == -wanted


def test_java_keeps_all_digits_of_whole_numbers_only() -> None:
    assert parse_number_like_java(base30(2**53 - 1).encode()) == 2**53 - 1
    assert parse_number_like_java(base30(2**53 - 1).encode() + b".0") == 9007199254741000.0
    assert math.isnan(parse_number_like_java(b"junk*") or 0)


def test_numbers_up_to_the_first_that_is_none() -> None:
    known: dict[bytes, float] = {}
    values, count = numbers_of([b"1", b"2", b"?", b"3"], known, parse_number)
    assert (values.tolist(), count) == ([1.0, 2.0], 2)
    values, count = numbers_of([], known, parse_number)
    assert (len(values), count) == (0, 0)
