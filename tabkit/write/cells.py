"""Cell text of the archival table: one Arrow column goes in, one string column comes out.

Null stays null: the row writer makes it an empty field.
Source: design, section 3; for the layouts of Dataverse see `tabkit.profiles`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.describe.moments import moment_text
from tabkit.profiles import NumberText, TabLayout
from tabkit.write.java import decimal_format_digits

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tabkit.model import Variable

_ESCAPES: Final = (("\\", "\\\\"), ('"', '\\"'), ("\t", "\\t"), ("\n", "\\n"), ("\r", "\\r"))
_INT64_END: Final = 2.0**63
_DAY_BITS: Final = 32  # of a date; a date-time has 64


def cells(column: pa.Array, variable: Variable, layout: TabLayout) -> pa.Array:
    """Return the text of every case of one variable.

    Args:
        column: Any Arrow type that a reader gives, length n.
        variable: ``bare`` text is not quoted.
        layout: Number shape and escapes.

    Returns:
        A string array of length n, null where the case is missing.
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        return cells(column.cast(kind.value_type), variable, layout)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        return column if variable.bare else _quoted(column, layout.escaped)
    if pa.types.is_boolean(kind):
        return column.cast(pa.int8()).cast(pa.string())
    if pa.types.is_floating(kind):
        single = column.type == pa.float32()
        return _float_cells(column, (layout.singles if single else None) or layout.numbers)
    if pa.types.is_date(kind):
        days = column.cast(pa.date32())
        return _far_moments(days.cast(pa.string()), days)
    if pa.types.is_timestamp(kind):
        return _timestamp_cells(column)
    if pa.types.is_duration(kind) or pa.types.is_time(kind):
        return duration_text(column)
    return column.cast(pa.string())


def escape(column: pa.Array, characters: str) -> pa.Array:
    r"""Replace each of ``characters`` by a backslash escape; backslash goes first."""
    for character, escaped in _ESCAPES:
        if character in characters and pc.any(pc.match_substring(column, character)).as_py():
            column = pc.replace_substring(column, character, escaped)
    return column


def _quoted(column: pa.Array, characters: str) -> pa.Array:
    return pc.binary_join_element_wise('"', escape(column, characters), '"', "")


def _float_cells(column: pa.Array, numbers: NumberText) -> pa.Array:
    values = column.cast(pa.float64()).fill_null(0).to_numpy(zero_copy_only=False)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    size = np.abs(values)
    with np.errstate(invalid="ignore"):
        whole = (values == np.trunc(values)) & (size < _WHOLE_END[numbers])
        whole &= ~((values == 0) & np.signbit(values))
        plain = ~whole & (size >= _PLAIN[numbers][0]) & (size < _PLAIN[numbers][1])
    if whole.all():
        return _whole_cells(values, valid, numbers)
    text = pc.cast(column, pa.string())
    if whole.any():
        integers = _whole_cells(np.where(whole, values, 0), valid, numbers)
        text = pc.if_else(pa.array(whole & valid), integers, text)
    if numbers is NumberText.DECIMAL:
        long = pc.fill_null(pc.greater(pc.utf8_length(text), _SURELY_SHORTEST), False)
        plain &= ~long.to_numpy(zero_copy_only=False)
    rare = ~whole & ~plain & valid
    if not rare.any():
        return text
    digits, spell = _RARE[numbers]
    # Single cells spelled out in Python: what Arrow's own number text does not cover.
    spelled = [
        spell(digits(value) if np.isfinite(value) else float(value))
        for value in column.filter(pa.array(rare)).to_numpy()
    ]
    return pc.replace_with_mask(text, pa.array(rare), pa.array(spelled, pa.string()))


def _whole_cells(values: np.ndarray, valid: np.ndarray, numbers: NumberText) -> pa.Array:
    mask = None if valid.all() else ~valid
    text = pa.array(values.astype(np.int64), mask=mask).cast(pa.string())
    return pc.binary_join_element_wise(text, ".0", "") if numbers is NumberText.JAVA else text


def shortest(value: np.floating | float) -> Decimal:
    """Return the shortest decimal that reads back as a finite ``value`` of its precision."""
    if isinstance(value, np.float32):
        return Decimal(np.format_float_scientific(value, unique=True, trim="-"))
    return Decimal(repr(float(value)))


def _java_digits(value: np.floating | float) -> Decimal:
    """Return the shortest decimal of two digits at least: 4.9E-324, where one would do.

    Source: Java SE 21 API, Double.toString.
    """
    found = shortest(value)
    return found if len(found.normalize().as_tuple().digits) > 1 else Decimal(f"{float(value):.1e}")


def _split(number: Decimal) -> tuple[str, str, int]:
    """Return sign, significant digits and the exponent of the first digit."""
    sign, digits, exponent = number.as_tuple()
    text = "".join(map(str, digits)).lstrip("0") or "0"
    point = len(text) - 1 + int(exponent) if text != "0" else 0
    return "-" if sign else "", text.rstrip("0") or "0", point


def _spell_shortest(number: Decimal | float) -> str:
    if isinstance(number, float):
        return _special(number, "Inf")
    sign, digits, point = _split(number)
    if digits == "0":
        return f"{sign}0"
    if -5 <= point < 16:  # noqa: PLR2004 - design section 3
        return format(number.normalize(), "f")
    mantissa = digits[0] + ("." + digits[1:] if len(digits) > 1 else "")
    return f"{sign}{mantissa}e{'-' if point < 0 else '+'}{abs(point):02d}"


def _spell_java(number: Decimal | float) -> str:
    """As Java's Double.toString and Float.toString.

    Source: Java SE API, Double.toString: plain from 1e-3 to 1e7, else one digit, point, digits, E.
    """
    if isinstance(number, float):
        return _special(number, "Infinity")
    sign, digits, point = _split(number)
    if digits == "0":
        return f"{sign}0.0"
    if -3 <= point < 7:  # noqa: PLR2004
        text = format(number.normalize(), "f")
        return text if "." in text else f"{text}.0"
    return f"{sign}{digits[0]}.{digits[1:] or '0'}E{point}"


def _spell_decimal(number: Decimal | float) -> str:
    """As Java's DecimalFormat with 340 fraction digits and no grouping: never an exponent."""
    if isinstance(number, float):
        return _special(number, "∞")
    if not number:
        return "-0" if number.is_signed() else "0"
    return format(number.normalize(), "f")


def _special(number: float, infinity: str) -> str:
    if np.isnan(number):
        return "NaN"
    return infinity if number > 0 else f"-{infinity}"


_RARE: Final[
    Mapping[NumberText, tuple[Callable[[float], Decimal], Callable[[Decimal | float], str]]]
] = {
    NumberText.SHORTEST: (shortest, _spell_shortest),
    NumberText.JAVA: (_java_digits, _spell_java),
    NumberText.DECIMAL: (decimal_format_digits, _spell_decimal),
}
# A point and 15 digits: as many as a double has for sure, so Java's digits are the shortest.
_SURELY_SHORTEST: Final = 16
# Whole numbers below these print as integers (Java: with ".0" added).
_WHOLE_END: Final = {
    NumberText.SHORTEST: 1e16,
    NumberText.JAVA: 1e7,
    NumberText.DECIMAL: 2.0**53,
}
# Fractions within these bounds are printed by Arrow just as each layout wants them.
_PLAIN: Final = {
    NumberText.SHORTEST: (1e-5, 1e9),
    NumberText.JAVA: (1e-3, 1e7),
    NumberText.DECIMAL: (1e-5, 1e9),
}


def _timestamp_cells(column: pa.Array) -> pa.Array:
    zone = "Z" if column.type.tz else ""
    naive = column.cast(pa.timestamp(column.type.unit, "UTC") if zone else column.type)
    naive = naive.cast(pa.timestamp(column.type.unit))
    text = _far_moments(_cut_fraction(naive.cast(pa.string())), naive)
    return pc.binary_join_element_wise(text, zone, "") if zone else text


def _far_moments(text: pa.Array, column: pa.Array) -> pa.Array:
    """Spell the years that Arrow says to be out of range, those beyond 32,767."""
    far = pc.fill_null(pc.starts_with(text, "<"), False)
    if not pc.any(far).as_py():
        return text
    counts = column.view(pa.int32() if column.type.bit_width == _DAY_BITS else pa.int64())
    spelled = [moment_text(count, column.type, " ") for count in counts.filter(far).to_pylist()]
    return pc.replace_with_mask(text, far, pa.array(spelled, pa.string()))


def _cut_fraction(text: pa.Array) -> pa.Array:
    """Remove the trailing zeros of a fraction of seconds, and its point when nothing is left."""
    dotted = pc.match_substring(text, ".")
    if not pc.any(dotted).as_py():
        return text
    return pc.if_else(dotted, pc.utf8_rtrim(pc.utf8_rtrim(text, "0"), "."), text)


_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def duration_text(column: pa.Array) -> pa.Array:
    """Return ``[-]HH:MM:SS[.fff]``; hours may pass 24."""
    if pa.types.is_time(column.type):
        return _cut_fraction(column.cast(pa.string()))
    unit = _UNITS[column.type.unit]
    ticks = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    size = np.abs(ticks).view(np.uint64)  # the least integer has its size only so
    seconds, fraction = np.divmod(size, unit)
    digits = len(str(unit)) - 1
    text = [
        f"{'-' if t < 0 else ''}{s // 3600:02d}:{s // 60 % 60:02d}:{s % 60:02d}"
        + (f".{f:0{digits}d}".rstrip("0") if f else "")
        for t, s, f in zip(ticks.tolist(), seconds.tolist(), fraction.tolist(), strict=True)
    ]
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    return pa.array(text, pa.string(), mask=~valid)
