"""Text of a codebook: XML escapes, and numbers as the archival table prints them."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final

from tabkit import _native

if _native.AVAILABLE:
    from tabkit._native import core

if TYPE_CHECKING:
    from tabkit.model import Value

#: U+FFFD stands for what XML 1.0 cannot hold: control characters and lone surrogates.
#: Source: XML 1.0 (5th edition), section 2.2, production Char.
_ILLEGAL: Final = "\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff"
_IN_TEXT: Final = re.compile(f"[&<>\r{_ILLEGAL}]")
_IN_ATTRIBUTE: Final = re.compile(f'[&<>"\t\n\r{_ILLEGAL}]')
_ESCAPES: Final = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
    "\t": "&#9;",
    "\n": "&#10;",
    "\r": "&#13;",
}
_WHOLE_END: Final = 1e16  # whole numbers below it print without a point


def escape(text: str) -> str:
    """Return ``text`` for the content of an element; what XML cannot hold becomes U+FFFD."""
    return _IN_TEXT.sub(_replace, text) if _IN_TEXT.search(text) else text


def quote(text: str) -> str:
    """Return ``text`` for an attribute in double quotes; tabs and line ends survive."""
    return _IN_ATTRIBUTE.sub(_replace, text) if _IN_ATTRIBUTE.search(text) else text


def _replace(match: re.Match[str]) -> str:
    return _ESCAPES.get(match.group(), "\ufffd")


def value_text(value: Value) -> str:
    """Return a value as the archival table prints it, unescaped.

    Whole doubles have no point; plain notation for 1e-5 <= abs(x) < 1e16, else ``d.ddde+NN``;
    ``NaN``, ``Inf``, ``-Inf``. Source: design, section 3.
    """
    if not isinstance(value, float):
        return str(value)
    size = abs(value)
    if size < _WHOLE_END and value.is_integer():
        return str(int(value)) if value or math.copysign(1, value) > 0 else "-0"
    if not math.isfinite(value):
        return "NaN" if value != value else "Inf" if value > 0 else "-Inf"  # noqa: PLR0124
    if 1e-5 <= size < 1e-4:  # noqa: PLR2004 - where repr has an exponent already
        return format(Decimal(repr(value)), "f")
    return repr(value)


def interleaved(parts: tuple[str, ...], values: tuple[Value, ...]) -> str:
    """Return parts with the text of a value between each two of them, unescaped."""
    if _native.AVAILABLE:
        return core.interleaved(parts, values)
    shown = map(value_text, values)
    return parts[0] + "".join([text + part for text, part in zip(shown, parts[1:], strict=True)])


def dataverse_value(value: Value) -> str:
    """Return a category's value as Dataverse stores it, unescaped: never an exponent.

    The digits are the shortest; a code of more than 15 digits may have another last one there.
    Source: IQSS/dataverse, SAVFileReader, whose DecimalFormat has 340 fraction digits.
    """
    if not isinstance(value, float):
        return str(value)
    if not math.isfinite(value):
        return value_text(value).replace("Inf", "∞")
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def java_double(value: float) -> str:
    """Return a number as Java's Double.toString: ``2.0``, ``1.0E7``, ``NaN``, ``Infinity``.

    Source: Java SE API, Double.toString: plain from 1e-3 to 1e7, else one digit, point, digits, E.
    """
    value = float(value)
    if not math.isfinite(value):
        return value_text(value).replace("Inf", "Infinity")
    if value == 0 or 1e-3 <= abs(value) < 1e7:  # noqa: PLR2004
        return repr(value)
    sign, digits, exponent = Decimal(repr(value)).as_tuple()
    if len(digits) == 1:  # two digits where one would do: 4.9E-324
        sign, digits, exponent = Decimal(f"{value:.1e}").as_tuple()
    text = "".join(map(str, digits))
    point = len(text) - 1 + int(exponent)
    return f"{'-' if sign else ''}{text[0]}.{text[1:].rstrip('0') or '0'}E{point}"
