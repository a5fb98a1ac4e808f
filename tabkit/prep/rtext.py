"""R's view of text: what its functions make of names, cells and numbers.

Source: R 4.2, make.names, make.unique, type.convert, as.character and signif, observed by running
them; `tests/prep/test_rtext.py` compares with real R where it is installed.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_RESERVED: Final = frozenset(
    ("if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE", "NULL",
     "Inf", "NaN", "NA", "NA_integer_", "NA_real_", "NA_character_", "NA_complex_", "in")
)  # fmt: skip
_DECIMAL: Final = re.compile(r"([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?)(\d*))?", re.ASCII)
_HEXADECIMAL: Final = re.compile(r"[+-]?0[xX][0-9a-fA-F]+(?:\.[0-9a-fA-F]*)?(?:[pP][+-]?\d+)?")
_SPECIAL: Final = {"nan": math.nan, "inf": math.inf, "infinity": math.inf}
_SPACE: Final = " \t\n\v\f\r"
_FIXED_WHOLE: Final = 15  # from 1e15 on, "%.15g" has an exponent
_MOST_ZEROS: Final = 5  # trailing zeros of a whole number that R still prints without exponent


def make_names(names: Sequence[str]) -> list[str]:
    """Return syntactic, unique names; those that need no change keep theirs."""
    made = [_syntactic(name) for name in names]
    order = sorted(range(len(made)), key=lambda at: made[at] != names[at])
    taken = set(made)
    seen: set[str] = set()
    tried: dict[str, int] = {}
    for at in order:
        name = made[at]
        if name in seen:
            number = tried.get(name, 1)
            while f"{name}.{number}" in taken:
                number += 1
            tried[name] = number + 1
            made[at] = f"{name}.{number}"
            taken.add(made[at])
        seen.add(made[at])
    return made


def _syntactic(name: str) -> str:
    if not (name[:1].isalpha() or (name[:1] == "." and not name[1:2].isdigit())):
        name = f"X{name}"
    name = "".join(c if c.isalpha() or c.isdecimal() or c in "._" else "." for c in name)
    return f"{name}." if name in _RESERVED else name


def number_of(text: str) -> float | None:
    """Return the double that R reads from a cell, None where it reads none."""
    text = text.strip(_SPACE)
    if match := _DECIMAL.fullmatch(text):
        sign, digits, exponent_sign, exponent = match.groups()
        return float(f"{sign}{digits}e{exponent_sign or ''}{exponent or 0}")
    bare = text[1:] if text[:1] in ("+", "-") else text
    special = None if text.startswith("NA") else _SPECIAL.get(bare.lower())
    if special is not None:
        return -special if text.startswith("-") else special
    if _HEXADECIMAL.fullmatch(text):
        try:
            return float.fromhex(text)
        except OverflowError:
            return -math.inf if text.startswith("-") else math.inf
    return None


def text_of(value: float) -> str:
    """Return a double as ``as.character`` has it: 15 digits, the shorter of two notations."""
    text = f"{value:.15g}"
    if "." in text and "e" not in text:
        if not text.lstrip("-").startswith("0.00"):
            return text
        digits = text.lstrip("-")[2:].lstrip("0")
        zeros = len(text.lstrip("-")) - 2 - len(digits)
        most = 3 if len(digits) > 1 else 2
        return text if zeros <= most else _scientific(value, len(digits))
    if "e" in text:
        return _long_whole(value, text)
    if not math.isfinite(value):
        return {math.inf: "Inf", -math.inf: "-Inf"}.get(value, "NaN")
    digits = text.lstrip("-").rstrip("0")
    zeros = len(text.lstrip("-")) - len(digits)
    if not digits:
        return "0"
    most = _MOST_ZEROS if len(digits) > 1 else _MOST_ZEROS - 1
    return text if zeros <= most else _scientific(value, len(digits))


def _scientific(value: float, digits: int) -> str:
    return f"{value:.{digits - 1}e}"


def _long_whole(value: float, text: str) -> str:
    """Return a number of 16 digits or more without exponent where that is not longer."""
    exponent = int(text.partition("e")[2])
    if exponent < _FIXED_WHOLE or exponent + 1 > len(text.lstrip("-")):
        return text
    return f"{value:.0f}"


def signif(value: float, digits: int) -> float:
    """Round to significant digits as ``signif`` does, by way of a product."""
    if not value or not math.isfinite(value):
        return value
    exponent = digits - 1 - math.floor(math.log10(abs(value)))
    if abs(exponent) > 300:  # noqa: PLR2004 - the power would leave the range of doubles
        return float(f"{value:.{digits}g}")
    power = 10.0 ** abs(exponent)
    return round(value * power) / power if exponent > 0 else round(value / power) * power
