"""Numbers of SPSS portable files: texts in base 30 go in, doubles come out.

``-1A.F``, ``2T+3`` (times 30 to the third), ``*`` for the system-missing value.

Source: GNU PSPP developer's guide, "Portable File Structure".
"""

from __future__ import annotations

import decimal
import math
import re
from typing import TYPE_CHECKING, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

BASE: Final = 30
MISSING: Final = b"*"
_NUMBER: Final = re.compile(rb" *([+-]?)([0-9A-T]*)(?:\.([0-9A-T]*))?(?:([+-])([0-9A-T]{1,3}))? *")
_WHOLE: Final = re.compile(rb"-?[0-9A-T]+")
_LARGEST_POWER: Final = 400  # of 30; doubles end at 30 to the 208th
_LONGEST: Final = 100
_REMEMBERED: Final = 1 << 20
_JAVA: Final = decimal.Context(prec=15, rounding=decimal.ROUND_HALF_UP)


def parse_number(token: bytes) -> float | None:
    """Return the double nearest to a number's text, NaN for the missing value, None for no number.

    The quotient of two integers is rounded once, to the nearest.
    """
    parts = _split(token)
    if parts is None:
        return math.nan if token.strip() == MISSING else None
    digits, power = parts
    try:
        return float(digits * BASE**power) if power >= 0 else digits / BASE**-power
    except OverflowError:
        return None


def parse_number_like_java(token: bytes) -> float | None:
    """Return a number as Dataverse reads it: all but plain integers with 15 decimal digits.

    What stands before the sign of the missing value is passed over.

    Source: IQSS/dataverse b485249231fe, PORFileReader.base30Tobase10Conversion.
    """
    if token.endswith(MISSING):
        return math.nan
    parts = _split(token)
    if parts is None or _WHOLE.fullmatch(token):
        return parse_number(token)
    digits, power = parts
    number = _JAVA.plus(decimal.Decimal(digits))
    scale = decimal.Decimal(BASE ** abs(power))
    value = float(_JAVA.multiply(number, scale) if power >= 0 else _JAVA.divide(number, scale))
    return value if math.isfinite(value) else None


def _split(token: bytes) -> tuple[int, int] | None:
    """Return digits and power of a number (digits times 30 to the power), None for others."""
    found = _NUMBER.fullmatch(token) if len(token) <= _LONGEST else None
    if found is None:
        return None
    sign, whole, fraction, power_sign, power = found.groups(b"")
    if not whole and not fraction:
        return None
    exponent = int(power_sign + power, BASE) if power else 0
    if exponent < -_LARGEST_POWER:
        return 0, 0
    if exponent > _LARGEST_POWER:
        return None
    return int(sign + whole + fraction, BASE), exponent - len(fraction)


def numbers_of(
    tokens: Sequence[bytes], known: dict[bytes, float], parse: Callable[[bytes], float | None]
) -> tuple[npt.NDArray[np.float64], int]:
    """Return the numbers up to the first text that is none, and how many they are.

    Args:
        tokens: Texts, length n.
        known: Numbers of texts met before; grows.
        parse: `parse_number` or `parse_number_like_java`.
    """
    if len(known) > _REMEMBERED:
        known.clear()
    bad = set()
    for token in set(tokens).difference(known):
        value = parse(token)
        if value is None:
            bad.add(token)
        else:
            known[token] = value
    count = len(tokens)
    if bad:
        count = next(place for place, token in enumerate(tokens) if token in bad)
    return np.fromiter(map(known.__getitem__, tokens[:count]), np.float64, count), count
