"""Digits of Java's DecimalFormat, against what OpenJDK 17 printed (JDK 8 to 25 share the code)."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.write.java import decimal_format_digits

PRINTED = [
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.0000000000000p-24", "0.000000059604644775390625"),
    ("0x1.ebd925f09b540p+62", "8860350114474295300"),
    ("-0x1.673d5a4202291p+59", "-808935796023314560"),
    ("0x1.e2fcf678349bdp+62", "8700740754137871400"),
    ("-0x1.4d505d294a109p+61", "-3002224905585562100"),
    ("-0x1.1a2b3ffca5b2ep+60", "-1270775956064906750"),
    ("-0x1.db6209ff51c14p+60", "-2140934544245396480"),
]


@pytest.mark.parametrize(("bits", "text"), PRINTED)
def test_as_java_printed(bits: str, text: str) -> None:
    """Doubles whose shortest decimal is another one."""
    assert format(decimal_format_digits(float.fromhex(bits)).normalize(), "f") == text


@given(st.integers(-(10**15) + 1, 10**15 - 1), st.integers(-12, 0))
def test_fifteen_digits_print_as_they_are(digits: int, exponent: int) -> None:
    """Where 15 digits suffice both algorithms agree."""
    value = float(f"{digits}e{exponent}")
    assert decimal_format_digits(value) == Decimal(repr(value))


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_reads_back(value: float) -> None:
    """Never the shortest for sure, but always enough."""
    assert float(decimal_format_digits(value)) == value
