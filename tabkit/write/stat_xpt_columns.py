"""Columns as SAS transport files store them: IBM System/360 doubles, texts filled with blanks.

Source: SAS Institute, TS-140 (numbers, missing values).
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.loss import Loss
from tabkit.model import TAG_LETTERS
from tabkit.read.sas_formats import SasFormat, parse_format
from tabkit.write.metadata_loss import count_true
from tabkit.write.stat_columns import (
    SAS_CLOCK,
    cut_texts,
    declared_width,
    inexact,
    is_text,
    longest,
    losses,
    negative_zeros,
    numbers,
)
from tabkit.write.stat_formats import format_losses, sas_format

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabkit.model import Variable

    Bytes = npt.NDArray[np.uint8]

TEXT_LIMIT: Final = 32_767
_WORD: Final = 8
_SHORTEST_NUMBER: Final = 3
_LARGEST: Final = 16.0**63  # not included
_SMALLEST: Final = 16.0**-65
_FRACTION_BITS: Final = 56
_BIAS: Final = 64
_FIRST_BYTES: Final = np.frombuffer(b"." + TAG_LETTERS[1:].upper().encode(), np.uint8)


@dataclasses.dataclass(frozen=True, slots=True)
class SasColumn:
    """A variable as a transport file stores it.

    Attributes:
        name: Legal and unique.
        variable: As the table has it.
        is_text: Character or number.
        width: Bytes of a cell.
        shown: Its format.
        informat: The format to read it by.
    """

    name: str
    variable: Variable
    is_text: bool
    width: int
    shown: SasFormat
    informat: SasFormat


def plan_column(
    variable: Variable, name: str, column: pa.ChunkedArray, *, limit: int = TEXT_LIMIT
) -> tuple[SasColumn, pa.ChunkedArray, list[Loss]]:
    """Plan a column of a plain table; return also its data as they fit, and what does not."""
    shown = sas_format(variable, column.type)
    found = format_losses(variable, str(shown), column.type)
    informat = parse_format(dict(variable.attributes).get("informat", ""))
    if is_text(column.type):
        column, width, lost = _fit_texts(variable, column, limit)
    else:
        width, lost = _fit_numbers(variable, column)
    stored = f"{'char' if is_text(column.type) else 'num'}{width}"
    if variable.storage.startswith(("char", "num")) and variable.storage != stored:
        found.append(Loss(f"the storage type {variable.storage} became {stored}", variable.name))
    plan = SasColumn(name, variable, is_text(column.type), width, shown, informat)
    return plan, column, found + lost


def _fit_texts(
    variable: Variable, column: pa.ChunkedArray, limit: int
) -> tuple[pa.ChunkedArray, int, list[Loss]]:
    name = variable.name
    found = losses("empty strings became missing", name, count_true(pc.equal(column, "")))
    ends = count_true(pc.match_substring_regex(column, r"[ \x00]\z"))
    found += losses("blanks at the end of strings are not kept", name, ends)
    column, count = cut_texts(column, limit)
    found += losses(f"strings of more than {limit:,} bytes were cut", name, count)
    wanted = declared_width(variable.storage, "char")
    return column, min(limit, max(1, wanted, longest(column))), found


def _fit_numbers(variable: Variable, column: pa.ChunkedArray) -> tuple[int, list[Loss]]:
    name, kind = variable.name, column.type
    found: list[Loss] = []
    if pa.types.is_boolean(kind):
        found.append(Loss("true and false became 1 and 0", name))
    if pa.types.is_floating(kind):
        nan = count_true(pc.is_nan(column))
        size = pc.abs(column)
        large = count_true(pc.greater_equal(size, _LARGEST))
        small = count_true(pc.and_(pc.less(size, _SMALLEST), pc.greater(size, 0.0)))
        found += losses("negative zeros became 0", name, negative_zeros(column))
        found += losses("not-a-number became missing", name, nan)
        found += losses("numbers of 7.2e75 and more became missing", name, large)
        found += losses("numbers below 5.4e-79 became 0", name, small)
    what = "fractions of a second" if pa.types.is_temporal(kind) else "integers of over 53 bits"
    found += losses(f"{what} were rounded", name, inexact(column, SAS_CLOCK))
    wanted = min(max(declared_width(variable.storage, "num") or _WORD, _SHORTEST_NUMBER), _WORD)
    if any(ibm_words(chunk, None)[:, wanted:].any() for chunk in column.chunks):
        wanted = _WORD
    return wanted, found


def ibm_words(column: pa.Array, tags: npt.NDArray[np.int8] | None) -> Bytes:
    """Return numbers as cases by 8 bytes: a sign, a power of 16 and 56 bits of fraction.

    A missing value is its letter, or a point, and zeros. Every double of SAS's range is exact.
    """
    values, valid = numbers(column, SAS_CLOCK)
    size = np.where(valid, np.abs(values), 0)
    valid &= size < _LARGEST
    size = np.where((size < _LARGEST) & (size >= _SMALLEST), size, 0)
    fraction, power = np.frexp(size)
    sixteens = -(-power // 4)
    bits = np.ldexp(fraction, _FRACTION_BITS + power - 4 * sixteens).astype(np.uint64)
    exponents = np.where(size > 0, sixteens + _BIAS, 0).astype(np.uint64)
    # A zero has no sign: readers take 0x80 and zeros for a missing value.
    signs = (np.where(valid, values, 0) < 0).astype(np.uint64)
    signs[size == 0] = 0
    words = signs << np.uint64(63) | exponents << np.uint64(_FRACTION_BITS) | bits
    stored: Bytes = words.astype(">u8").view(np.uint8).reshape(-1, _WORD)
    letters = np.zeros(len(values), np.int8) if tags is None else tags
    stored[~valid] = 0
    stored[~valid, 0] = _FIRST_BYTES[letters[~valid]]
    return stored
