"""Columns as Stata stores them: types with their ranges, dates as counts, missing values by letter.

Source: Stata, ``help dta``, ``help data types``, ``help datetime``, ``help missing``.
"""

from __future__ import annotations

import dataclasses
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.loss import Loss
from tabkit.model import TAG_LETTERS
from tabkit.read.stata_temporal import type_of, unit_of
from tabkit.write.metadata_loss import count_true
from tabkit.write.stat_columns import (
    STATA_CLOCK,
    declared_width,
    inexact,
    is_duration,
    is_text,
    longest,
    losses,
    numbers,
    replace_texts,
)
from tabkit.write.stat_formats import format_losses, stata_number_format, stata_text_format

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tabkit.model import Variable

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Bytes = npt.NDArray[np.uint8]

LONG_STRING: Final = "strL"
_SHORT_STRING: Final = 2_045
_YEAR: Final = re.compile(r"[0-9]{4}")
_WEEKS: Final = 52
_MONTHS: Final = {"m": 1, "q": 3, "h": 6}


@dataclasses.dataclass(frozen=True, slots=True)
class StataType:
    """A numeric type: its code in the file, NumPy type, range, and how missing values lie."""

    code: int
    dtype: str
    low: float
    high: float
    missing: float
    step: float


#: From the narrowest; missing values of floats are given as bit patterns.
TYPES: Final[Mapping[str, StataType]] = MappingProxyType(
    {
        "byte": StataType(65_530, "<i1", -127, 100, 101, 1),
        "int": StataType(65_529, "<i2", -32_767, 32_740, 32_741, 1),
        "long": StataType(65_528, "<i4", -2_147_483_647, 2_147_483_620, 2_147_483_621, 1),
        "float": StataType(
            65_527, "<f4", -(2.0**126) * (2 - 2.0**-23), 2.0**126 * (2 - 2.0**-23), 0x7F00_0000,
            0x800,
        ),
        "double": StataType(
            65_526, "<f8", -(2.0**1023) * (2 - 2.0**-52), 2.0**1023 * (1 - 2.0**-53),
            0x7FE0_0000_0000_0000, 0x100_0000_0000,
        ),
    }
)  # fmt: skip
_INTEGERS: Final = ("byte", "int", "long")
_BITS: Final = {"float": "<u4", "double": "<u8"}
_BY_ARROW: Final[Mapping[pa.DataType, str]] = MappingProxyType(
    {
        pa.bool_(): "byte", pa.int8(): "byte", pa.int16(): "int", pa.int32(): "long",
        pa.int64(): "long", pa.float32(): "float", pa.float64(): "double", pa.date32(): "long",
    }
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class StataColumn:
    """A variable as Stata stores it.

    Attributes:
        name: Legal and unique.
        variable: As the table has it.
        kind: Type of the plain Arrow column.
        storage: ``byte`` to ``double``, ``str`` or ``strL``.
        width: Bytes of a string.
        unit: What a date counts: ``c d w m q h y``, else empty.
        shown: The display format.
    """

    name: str
    variable: Variable
    kind: pa.DataType
    storage: str
    width: int
    unit: str
    shown: str

    @property
    def cell_bytes(self) -> int:
        """Bytes of a cell."""
        if self.storage == LONG_STRING:
            return 8
        return self.width or np.dtype(TYPES[self.storage].dtype).itemsize


def plan_column(
    variable: Variable, name: str, column: pa.ChunkedArray
) -> tuple[StataColumn, pa.ChunkedArray, list[Loss]]:
    """Plan a column of a plain table; return also its data as they fit, and what does not."""
    unit, found = _unit(variable, column)
    if is_text(column.type) and not unit:
        return _plan_text(variable, name, column)
    storage, lost = _storage(variable, column, unit)
    if not unit:
        shown = stata_number_format(variable, column.type)
    elif unit_of(variable.display_format) == unit and not is_duration(column.type):
        shown = variable.display_format
    else:
        shown = "%tcHH:MM:SS" if is_duration(column.type) else f"%t{unit}"
    found += lost + format_losses(variable, shown, column.type)
    if variable.storage in TYPES and variable.storage != storage:
        found.append(Loss(f"the storage type {variable.storage} became {storage}", variable.name))
    return StataColumn(name, variable, column.type, storage, 0, unit, shown), column, found


def _plan_text(
    variable: Variable, name: str, column: pa.ChunkedArray
) -> tuple[StataColumn, pa.ChunkedArray, list[Loss]]:
    old = variable.name
    found = losses("empty strings became missing", old, count_true(pc.equal(column, "")))
    column, count = replace_texts(column, "\0", "\ufffd")
    found += losses("strings with NUL characters: replaced", old, count)
    width = max(1, declared_width(variable.storage, "str"), longest(column))
    long = width > _SHORT_STRING or variable.storage == LONG_STRING
    storage = LONG_STRING if long else "str"
    told = LONG_STRING if long else f"str{width}"
    if variable.storage.startswith("str") and variable.storage != told:
        found.append(Loss(f"the storage type {variable.storage} became {told}", old))
    shown = stata_text_format(variable, 9 if long else width)
    found += format_losses(variable, shown, column.type)
    width = 0 if long else width
    return StataColumn(name, variable, column.type, storage, width, "", shown), column, found


def _unit(variable: Variable, column: pa.ChunkedArray) -> tuple[str, list[Loss]]:
    """Return what the numbers of a date count: as its format says, where every value allows it."""
    kind = column.type
    if is_text(kind):
        years = unit_of(variable.display_format) == "y" and _are_years(column)
        return ("y" if years else ""), []
    if is_duration(kind):
        return "c", [Loss("durations became times of day from 1 January 1960", variable.name)]
    if pa.types.is_timestamp(kind):
        return "c", []
    if not pa.types.is_date(kind):
        return "", []
    unit = unit_of(variable.display_format)
    if unit in ("", "d", "c", "y") or type_of(unit) != kind:
        return "d", []
    return (unit if _are_periods(column, unit) else "d"), []


def _are_years(column: pa.ChunkedArray) -> bool:
    texts = pc.unique(column).drop_null().to_pylist()
    return all(_YEAR.fullmatch(text) for text in texts)


def _are_periods(column: pa.ChunkedArray, unit: str) -> bool:
    """Whether all dates are first days of a week, month, quarter or half-year of Stata."""
    days = pc.unique(column).drop_null().cast(pa.int32()).to_numpy().astype(np.int64)
    return bool((_first_days(_periods(days, unit), unit) == days).all())


def _periods(days: npt.NDArray[np.int64], unit: str) -> npt.NDArray[np.int64]:
    """Return days since 1970 as weeks, months, quarters or half-years since 1960."""
    dates = days.astype("M8[D]")
    months: npt.NDArray[np.int64] = dates.astype("M8[M]").astype(np.int64) + 120
    if unit == "w":
        years = dates.astype("M8[Y]")
        week = np.minimum((dates - years.astype("M8[D]")).astype(np.int64) // 7, _WEEKS - 1)
        weeks: npt.NDArray[np.int64] = (years.astype(np.int64) + 10) * _WEEKS + week
        return weeks
    return months // _MONTHS[unit]


def _first_days(periods: npt.NDArray[np.int64], unit: str) -> npt.NDArray[np.int64]:
    weeks = np.zeros(len(periods), np.int64)
    months = periods * _MONTHS.get(unit, 0) - 120
    if unit == "w":
        years, weeks = np.divmod(periods, _WEEKS)
        months = (years - 10) * 12
    days: npt.NDArray[np.int64] = months.astype("M8[M]").astype("M8[D]").astype(np.int64)
    return days + 7 * weeks


def counts(column: pa.Array, unit: str) -> tuple[Floats, Flags]:
    """Return a column that is no text as the numbers Stata has for it, and which cases have one."""
    if unit in ("", "c", "d"):
        return numbers(column, STATA_CLOCK)
    valid = column.is_valid().to_numpy(zero_copy_only=False)
    if unit == "y":
        years = column.fill_null("0").cast(pa.int32()).to_numpy(zero_copy_only=False)
        return years.astype(np.float64), valid
    days = column.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    return _periods(days, unit).astype(np.float64), valid


def _storage(variable: Variable, column: pa.ChunkedArray, unit: str) -> tuple[str, list[Loss]]:
    """Return the narrowest of the wanted type and those after it that holds every value."""
    name, found = variable.name, []
    wanted = _BY_ARROW.get(column.type, "double")
    if unit and variable.storage in TYPES:
        wanted = variable.storage
    elif unit:
        wanted = "double" if unit == "c" else "long"
    if pa.types.is_boolean(column.type):
        found.append(Loss("true and false became 1 and 0", name))
    if pa.types.is_floating(column.type):
        nan = count_true(pc.is_nan(column))
        found += losses("not-a-number became missing", name, nan)
    ladder = list(TYPES)[list(TYPES).index(wanted) :]
    if wanted in _INTEGERS:
        ladder.remove("float")  # too few digits for what a long cannot hold
    for storage in ladder:
        if all(_holds(TYPES[storage], *counts(chunk, unit)) for chunk in column.chunks):
            break
    outside = sum(_outside(TYPES[storage], *counts(chunk, unit)) for chunk in column.chunks)
    found += losses("numbers beyond Stata's range became missing", name, outside)
    if storage == "double":
        what = "fractions of a second" if unit else "integers of more than 53 bits"
        count = 0 if unit == "y" else inexact(column, STATA_CLOCK)
        found += losses(f"{what} were rounded", name, count)
    return storage, found


def _outside(kind: StataType, values: Floats, valid: Flags) -> int:
    return int(np.count_nonzero(valid & ((values < kind.low) | (values > kind.high))))


def _holds(kind: StataType, values: Floats, valid: Flags) -> bool:
    if _outside(kind, values, valid):
        return False
    if kind.dtype == "<f8":
        return True
    with np.errstate(invalid="ignore", over="ignore"):
        stored = np.where(valid, values, 0).astype(kind.dtype).astype(np.float64)
    return bool((stored == np.where(valid, values, 0)).all())


def cells(
    column: pa.Array, plan: StataColumn, tags: npt.NDArray[np.int8] | None
) -> npt.NDArray[np.generic]:
    """Return numbers as stored; a tagged missing by its letter, any other as ``.``."""
    kind = TYPES[plan.storage]
    values, valid = counts(column, plan.unit)
    valid &= (values >= kind.low) & (values <= kind.high)
    letters = np.zeros(len(values), np.int64) if tags is None else tags.astype(np.int64)
    letters[letters == len(TAG_LETTERS) - 1] = 0  # `._` is of SAS alone
    codes = int(kind.missing) + letters * int(kind.step)
    stored = np.where(valid, values, 0).astype(kind.dtype)
    bits = stored.view(_BITS.get(plan.storage, kind.dtype))
    return np.where(valid, bits, codes.astype(bits.dtype)).astype(bits.dtype)
