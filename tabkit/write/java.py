"""The digits that Java's DecimalFormat gives a double: nearly, but not always, the shortest.

Up to JDK 25 ``java.text.DecimalFormat`` takes its digits from ``FloatingDecimal``, whose answer has
for about 3 in 1,000 random doubles one digit more than needed, or another last digit
(JDK-4511638, JDK-8362448). Dataverse prints SPSS numbers that way, so its tables hold such digits.
Below 2**53 a double whose shortest decimal has at most 15 digits prints the same in both.

Source: the algorithm published with OpenJDK 21, jdk.internal.math.FloatingDecimal.
"""

from __future__ import annotations

import math
import struct
from decimal import Decimal
from typing import Final

_FRACTION_BITS: Final = 52
_FRACTION_MASK: Final = (1 << _FRACTION_BITS) - 1
_INT: Final = 32
_LONG: Final = 64
_SMALL_EXPONENTS: Final = range(-21, 63)
# Digits of a power of two that a double of that size cannot tell apart.
_INSIGNIFICANT: Final = tuple(
    int(digit, 36) for digit in "0000111222333344455566667778889999aaabbbccccdddeeeffffggghhhiiij"
)


def decimal_format_digits(value: float) -> Decimal:
    """Return the decimal that DecimalFormat prints for a finite double."""
    if value == 0:
        return Decimal(repr(float(value)))
    sign, exponent, fraction, bits = _parts(value)
    digits, point = _positive_digits(exponent, fraction, bits)
    return Decimal((sign, tuple(digits), point - len(digits)))


def _parts(value: float) -> tuple[int, int, int, int]:
    """Return sign, binary exponent, 53-bit fraction with its top bit set, significant bits."""
    raw = struct.unpack("<Q", struct.pack("<d", value))[0]
    exponent, fraction = raw >> _FRACTION_BITS & 0x7FF, raw & _FRACTION_MASK
    if exponent:
        return raw >> 63, exponent - 1023, fraction | 1 << _FRACTION_BITS, _FRACTION_BITS + 1
    shift = _FRACTION_BITS + 1 - fraction.bit_length()
    return raw >> 63, -1022 - shift, fraction << shift, _FRACTION_BITS + 1 - shift


def _positive_digits(exponent: int, fraction: int, bits: int) -> tuple[list[int], int]:
    """Return digits and the place of the point: 0.DIGITS * 10**place."""
    tail = (fraction & -fraction).bit_length() - 1
    width = _FRACTION_BITS + 1 - tail
    tiny = max(0, width - exponent - 1)
    if tiny == 0 and exponent in _SMALL_EXPONENTS and width < _LONG:
        return _whole_digits(exponent, fraction, bits)
    return _long_division(exponent, fraction >> tail, bits, width, tiny)


def _whole_digits(exponent: int, fraction: int, bits: int) -> tuple[list[int], int]:
    power = exponent - bits - 1
    dropped = _INSIGNIFICANT[power] if 1 < power < len(_INSIGNIFICANT) else 0
    shift = exponent - _FRACTION_BITS
    whole = fraction << shift if shift >= 0 else fraction >> -shift
    if dropped:
        unit = 10**dropped
        whole, rest = divmod(whole, unit)
        whole += rest >= unit >> 1
    digits = [int(digit) for digit in str(whole)]
    return digits, len(digits) + dropped


def _long_division(
    exponent: int, fraction: int, bits: int, width: int, tiny: int
) -> tuple[list[int], int]:
    """Develop digits of b/s until the rest is below m, half the last place of the double."""
    place = _estimate(exponent, fraction << (_FRACTION_BITS + 1 - width))
    five_b, five_s = max(0, -place), max(0, place)
    two_b, two_s = five_b + tiny + exponent, five_s + tiny
    two_m = two_b - bits
    two_b -= width - 1
    common = min(two_b, two_s)
    two_b, two_s, two_m = two_b - common, two_s - common, two_m - common
    if width == 1:
        two_m -= 1  # below a power of two the next double is half as far away
    if two_m < 0:
        two_b, two_s, two_m = two_b - two_m, two_s - two_m, 0
    needed = max(_bits_needed(width + two_b, five_b), _bits_needed(two_s + 1, five_s + 1))
    bits = next((bits for bits in (_INT, _LONG) if needed < bits), 0)
    b, s, m = fraction * 5**five_b << two_b, 5**five_s << two_s, 5**five_b << two_m
    return _develop(b, s, m, place, bits)


def _develop(b: int, s: int, m: int, place: int, bits: int) -> tuple[list[int], int]:
    """Develop digits in integers of 32 or 64 bits, which may run over, or of any size (0)."""
    tens = s * 10

    def step() -> tuple[int, bool, bool]:
        nonlocal b, m
        digit, rest = divmod(b, s)
        b, m = rest * 10, _signed(m * 10, bits)
        if m <= 0:
            return digit, True, True
        return digit, b < m, _signed(b + m, bits) > tens if bits else b + m >= tens

    digits: list[int] = []
    digit, low, high = step()
    if digit == 0 and not high:
        place -= 1
    else:
        digits.append(digit)
    if place < -3 or place >= 8:  # noqa: PLR2004 - the exponent form wants a second digit
        low = high = False
    while not (low or high):
        digit, low, high = step()
        digits.append(digit)
    rest = _signed((b << 1) - tens, bits)
    if high and (not low or rest > 0 or (rest == 0 and digits[-1] & 1)):
        return _round_up(digits, place + 1)
    return digits, place + 1


def _signed(number: int, bits: int) -> int:
    """Return what is left of a number in a signed integer of so many bits; 0 holds any."""
    half = 1 << bits >> 1
    return (number + half) % (half << 1) - half if bits else number


def _round_up(digits: list[int], point: int) -> tuple[list[int], int]:
    last = len(digits) - 1
    while last >= 0 and digits[last] == 9:  # noqa: PLR2004
        digits[last] = 0
        last -= 1
    if last < 0:
        return [1, *digits[1:]], point + 1
    digits[last] += 1
    return digits, point


def _estimate(exponent: int, fraction: int) -> int:
    """Guess floor(log10), at most one too high."""
    mantissa = 1 + (fraction & _FRACTION_MASK) / (1 << _FRACTION_BITS)
    return math.floor((mantissa - 1.5) * 0.289529654 + 0.176091259 + exponent * 0.301029995663981)


def _bits_needed(bits: int, fives: int) -> int:
    """Bits of a number times a power of five, by the table that Java uses up to 5**26."""
    table = (5**fives).bit_length() if fives <= 26 else fives * 3  # noqa: PLR2004
    return bits + (table if fives else 0)
