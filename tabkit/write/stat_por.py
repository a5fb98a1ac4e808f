"""SPSS portable files (.por): a table goes in, text in base 30 and its loss ledger come out.

A portable file is ASCII: names have eight upper-case characters, strings 255.
Source: GNU PSPP developer's guide, "Portable File Format". `tabkit.read.por` reads it.
"""

from __future__ import annotations

import datetime
import math
import sys
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.loss import Loss
from tabkit.write.metadata_loss import count_true, metadata_losses, tag_losses
from tabkit.write.stat_columns import (
    SPSS_CLOCK,
    batches_of,
    losses,
    negative_zeros,
    numbers,
    plain_table,
    require_variables,
    rows_of,
)
from tabkit.write.stat_names import POR_NAMES, plain_ascii
from tabkit.write.stat_sav_texts import document_lines
from tabkit.write.stat_spss import SpssLimits, plan_spss

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tabkit.loss import Ledger
    from tabkit.model import Table
    from tabkit.write.stat_spss import SpssColumn

LIMITS: Final = SpssLimits(POR_NAMES, text=255, label=255, value_label=120, is_ascii=True)
_CARRIED: Final = frozenset(
    {
        "variable label", "value labels", "definition of missing values", "display format",
        "use as weight", "notes", "storage type", "attributes of the file",
    }
)  # fmt: skip
_LINE: Final = 80
_SPLASH: Final = b"ASCII SPSS PORT FILE".ljust(40) * 5
#: Characters of the portable set from number 64 on; ``0`` where ASCII has none.
_PORTABLE: Final = (
    b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz .<(+|&[]!$*);^-/|,%_>?`:#@'=\""
    b"000000~000000000000000000000{}\\"
)
_TABLE: Final = (b"0" * 64 + _PORTABLE).ljust(256, b"0")
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRST"
_BASE: Final = 30
_COUNTS: Final = (5, 9, 12)  # digits: 30 to the 11th is beyond 53 bits, so 12 are always enough
_PLAIN: Final = 20  # characters of a number that is written without an exponent
_SMALL: Final = 2**53
_LARGEST: Final = sys.float_info.max
_ABOUT: Final = {"author": "2", "subproduct": "3"}


def write_por(table: Table, path: Path) -> Ledger:
    """Write ``table`` as an SPSS portable file; every number is exact.

    Returns:
        What the format cannot hold: long names, measure, text that is not ASCII…
    """
    require_variables(table, path)
    plain, found = plain_table(table)
    plain, columns, lost = plan_spss(plain, LIMITS)
    found += lost + metadata_losses(table, _CARRIED) + tag_losses(table)
    more = sum(name not in _ABOUT for name, _ in table.attributes)
    found += losses("attributes of the file", "", more)
    for name, column in zip(plain.data.column_names, plain.data.columns, strict=True):
        found += _number_losses(name, column)
    with path.open("wb") as file:
        lines = _Lines(file)
        lines.write((_SPLASH + _TABLE + b"SPSSPORT").decode())
        head, lost = _dictionary(plain, columns)
        lines.write(head)
        for batch, _ in batches_of(plain, rows_of(8 * len(columns))):
            lines.write(_cases(batch, columns))
        lines.finish()
    return (*found, *lost)


def _number_losses(name: str, column: pa.ChunkedArray) -> list[Loss]:
    if not pa.types.is_floating(column.type):
        return []
    infinite = count_true(pc.is_inf(column))
    found = losses("infinite numbers became the largest there are", name, infinite)
    return found + losses("negative zeros became 0", name, negative_zeros(column))


class _Lines:
    """Writes text in lines of 80 characters, the last one filled with ``Z``."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._rest = file, ""

    def write(self, text: str) -> None:
        text = self._rest + text
        end = len(text) // _LINE * _LINE
        lines = (text[start : start + _LINE] for start in range(0, end, _LINE))
        self._file.write("".join(line + "\r\n" for line in lines).encode("ascii"))
        self._rest = text[end:]

    def finish(self) -> None:
        self.write("Z" * (_LINE - len(self._rest)))


def _dictionary(table: Table, columns: Sequence[SpssColumn]) -> tuple[str, list[Loss]]:
    when = table.origin.created or datetime.datetime.now()  # noqa: DTZ005 - as SPSS has it
    lines, found = document_lines([plain_ascii(note) for note in table.notes])
    if any(not note.isascii() for note in table.notes):
        found.append(Loss("notes with characters that are not ASCII: replaced"))
    parts = ["A", _text(f"{when:%Y%m%d}"), _text(f"{when:%H%M%S}"), "1", _text("tabkit")]
    for name, text in table.attributes:
        if name in _ABOUT:
            parts += [_ABOUT[name], _text(plain_ascii(text)[:255])]
    parts += ["4", _whole(len(columns)), "5", _whole(_COUNTS[-1])]
    weights = [c.name for c in columns if c.variable.weight and not c.width]
    if weights:
        parts += ["6", _text(weights[0])]
    parts += [record for column in columns for record in _variable(column)]
    parts += _label_sets(columns)
    if lines:
        parts += ["E", _whole(len(lines)), *(_text(line.decode()) for line in lines)]
    return "".join([*parts, "F"]), found


def _variable(column: SpssColumn) -> Iterator[str]:
    yield "7" + _whole(column.width) + _text(column.name)
    code, width, decimals = column.shown
    yield (_whole(code) + _whole(width) + _whole(decimals)) * 2
    if column.span is not None:
        low, high = column.span.low, column.span.high
        if high == math.inf:
            yield "A" + _value(max(low, -_LARGEST))
        elif low == -math.inf:
            yield "9" + _value(high)
        else:
            yield "B" + _value(low) + _value(high)
    for value in column.missing:
        yield "8" + _value(value)
    if column.label:
        yield "C" + _text(column.label)


def _label_sets(columns: Sequence[SpssColumn]) -> Iterator[str]:
    """Yield records ``D``: value labels, equal sets of numbers once."""
    sets: dict[tuple[object, ...], list[SpssColumn]] = {}
    for column in columns:
        if column.labels:
            sets.setdefault((column.width, column.labels), []).append(column)
    for owners in sets.values():
        labels = owners[0].labels
        yield "D" + _whole(len(owners)) + "".join(_text(owner.name) for owner in owners)
        yield _whole(len(labels))
        yield from (_value(value) + _text(label) for value, label in labels)


def _cases(batch: pa.RecordBatch, columns: Sequence[SpssColumn]) -> str:
    cells = []
    for column, data in zip(columns, batch.columns, strict=True):
        if column.width:
            cells.append([_text(text or " ") for text in data.to_pylist()])
        else:
            cells.append(_number_cells(data))
    return "".join(["".join(case) for case in zip(*cells, strict=True)])


def _number_cells(data: pa.Array) -> list[str]:
    """Spell each different number once."""
    values, valid = numbers(data, SPSS_CLOCK)
    known = np.clip(np.where(valid, values, 0), -_LARGEST, _LARGEST)
    bits, places = np.unique(known.view(np.int64), return_inverse=True)
    texts = [spell_number(value) + "/" for value in bits.view(np.float64).tolist()]
    return [
        texts[place] if is_known else "*."
        for place, is_known in zip(places.tolist(), valid.tolist(), strict=True)
    ]


def spell_number(value: float) -> str:
    """Return a finite number in base 30, exact or with as many digits as make the double unique."""
    sign = "-" if math.copysign(1, value) < 0 else ""
    size = abs(value)
    if size < _SMALL and size == int(size):
        return sign + _spell_whole(int(size))
    digits, power = _mantissa(size)
    if power >= 0 and len(digits) + power <= _PLAIN:
        return sign + digits + "0" * power
    point = len(digits) + power
    if power < 0 < point:
        return f"{sign}{digits[:point]}.{digits[point:]}"
    if power < 0 and point > -_PLAIN // 4:
        return f"{sign}0.{'0' * -point}{digits}"
    return f"{sign}{digits}{'-' if power < 0 else '+'}{_spell_whole(abs(power))}"


def _mantissa(size: float) -> tuple[str, int]:
    """Return the first digits of a positive number, and the power of 30 they are times of.

    Few digits where they are enough, as for most decimals that people write.
    """
    for count in _COUNTS:
        number, power = _rounded(size, count)
        if count == _COUNTS[-1] or _value_of(number, power) == size:
            break
    digits = _spell_whole(number)
    short = digits.rstrip("0")
    return short, power + len(digits) - len(short)


def _rounded(size: float, count: int) -> tuple[int, int]:
    """Return a number of at least ``count`` digits, and its power of 30, nearest to ``size``."""
    top, bottom = size.as_integer_ratio()
    power = math.floor(math.log(size, _BASE)) - (count - 1)
    while True:
        above, below = (top, bottom * _BASE**power) if power > 0 else (top * _BASE**-power, bottom)
        number = (2 * above + below) // (2 * below)
        if number >= _BASE ** (count - 1):
            return number, power
        power -= 1  # the logarithm was off by one


def _value_of(number: int, power: int) -> float:
    """Return the double that a reader makes, rounded once."""
    try:
        return float(number * _BASE**power) if power >= 0 else number / _BASE**-power
    except OverflowError:
        return math.inf


def _spell_whole(number: int) -> str:
    digits = ""
    while True:
        number, digit = divmod(number, _BASE)
        digits = _DIGITS[digit] + digits
        if not number:
            return digits


def _whole(number: int) -> str:
    return _spell_whole(number) + "/"


def _value(value: float | str) -> str:
    return _text(value) if isinstance(value, str) else spell_number(value) + "/"


def _text(text: str) -> str:
    return _whole(len(text)) + text
