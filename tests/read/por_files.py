"""SPSS portable files made for tests, as PSPP's developer guide says they are."""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRST"
ORDER = (
    "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .<(+|&[]!$*);^-/|,%_>?`:#@'=\""
    "000000~000000000000000000000{}\\"
)
SYSMIS = math.nan


def base30(number: int) -> str:
    """A whole number in base 30."""
    text, rest = "", abs(number)
    while rest or not text:
        rest, digit = divmod(rest, 30)
        text = DIGITS[digit] + text
    return "-" * (number < 0) + text


def number(value: float) -> str:
    """A number field: exact for fractions of a power of 30."""
    if math.isnan(value):
        return "*."
    power = 0
    while value * 30**power != int(value * 30**power):
        power += 1
    digits = base30(int(value * 30**power))
    sign, digits = ("-", digits[1:]) if value < 0 else ("", digits)
    digits = digits.rjust(power + 1, "0")
    return sign + (f"{digits[:-power]}.{digits[-power:]}" if power else digits) + "/"


def string(text: str | bytes) -> bytes:
    """A string field."""
    data = text.encode() if isinstance(text, str) else text
    return f"{base30(len(data))}/".encode() + data


@dataclasses.dataclass(frozen=True)
class Por:
    """A portable file.

    ``variables`` are (name, width, (code, width, decimals), further records); ``records`` come
    before the data.
    """

    variables: Sequence[tuple[str, int, tuple[int, int, int], bytes]]
    rows: Sequence[Sequence[float | str | bytes]]
    records: bytes = b""
    end: str = "\r\n"
    order: str = ORDER
    tail: bytes = b"Z"
    weight: str = ""
    splash: bytes = b"ASCII SPSS PORT FILE"

    def text(self) -> bytes:
        """The text after SPSSPORT."""
        parts = [b"A", string("20240229"), string("235959"), b"1", string("SPSS 29"), b"3"]
        parts += [string("a test"), b"4", base30(len(self.variables)).encode() + b"/5B/"]
        if self.weight:
            parts += [b"6", string(self.weight)]
        for name, width, shown, more in self.variables:
            formats = "".join(base30(part) + "/" for part in (*shown, *shown))
            parts += [b"7", f"{base30(width)}/".encode(), string(name), formats.encode(), more]
        cells = [
            number(cell).encode() if isinstance(cell, float) else string(cell)
            for row in self.rows
            for cell in row
        ]
        return b"".join((*parts, self.records, b"F", *cells, self.tail))

    def to_bytes(self) -> bytes:
        """The whole file, in lines of 80 characters."""
        codes = self.order.encode("latin-1")
        table = codes[:1] * 64 + codes.ljust(192, codes[:1])
        text = b"SPSSPORT" + self.text()
        if self.order != ORDER:
            text = text.translate(bytes.maketrans(ORDER.encode(), codes))
        text = self.splash.ljust(40) * 5 + table + text
        text += b"Z" * (-len(text) % 80 if self.tail else 0)
        lines = [text[at : at + 80] for at in range(0, len(text), 80)]
        return b"".join(line + self.end.encode() for line in lines)
