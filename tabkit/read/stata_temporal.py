"""Stata's dates and times: numbers counted from 1960 into Arrow dates, timestamps and years.

A weekly, monthly, quarterly or half-yearly date becomes the first day of its period (design,
section 3). Source: Stata, ``help datetime``: weeks are counted within the year, 52 of them, the
last one of 8 or 9 days.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

_FORMAT: Final = re.compile(r"%-?(?:t([A-Za-z])|d)")
_EPOCH_DAYS: Final = -3653  # 1960-01-01 as a day of 1970
_DAY_MS: Final = 86_400_000
_FIRST_DAY: Final = -719_162  # 0001-01-01
_LAST_DAY: Final = 2_932_896  # 9999-12-31
_WEEKS: Final = 52
_LAST_YEAR: Final = 9999
_FAR: Final = 1e15  # beyond every date; keeps the arithmetic within int64


def unit_of(display_format: str) -> str:
    """Return the letter of what a date counts, ``c d w m q h y``, or empty for a number.

    ``%tC`` (leap seconds), ``%tb`` (business days) and ``%tg`` stay numbers: they cannot be read
    without a table that is not in the file.
    """
    match = _FORMAT.match(display_format)
    letter = (match[1] or "d") if match else ""
    return letter if letter in {*"cdwmqhy"} else ""


def category_of(unit: str) -> str:
    """Return ``time``, ``date`` or empty."""
    return {"": "", "c": "time"}.get(unit, "date")


def type_of(unit: str) -> pa.DataType:
    """Return the Arrow type of dates that count ``unit``."""
    return {"c": pa.timestamp("ms"), "y": pa.string()}.get(unit, pa.date32())


@dataclasses.dataclass(frozen=True, slots=True)
class Dates:
    """A column of dates, and what of its numbers it could not hold.

    Attributes:
        column: Type by `type_of`, null where missing or out of range.
        outside: Numbers that are not missing and beyond the years 1 to 9999.
        fractions: Numbers that are not whole; they were rounded down, milliseconds to the nearest.
    """

    column: pa.Array
    outside: int
    fractions: int


def decode_dates(
    numbers: npt.NDArray[np.generic], missing: npt.NDArray[np.bool_] | None, unit: str
) -> Dates:
    """Return stored numbers as dates.

    Args:
        numbers: As stored, of any numeric type.
        missing: Which are missing; None for none.
        unit: What they count.
    """
    given = np.ones(len(numbers), bool) if missing is None else ~missing
    exact = numbers.astype(np.float64)
    with np.errstate(invalid="ignore"):
        near = np.abs(exact) < _FAR
        exact = np.where(near, exact, 0)
        whole = np.floor(exact + 0.5 if unit == "c" else exact)
        fractions = int(np.count_nonzero(given & (whole != exact)))
    column, inside = _FROM[unit](whole.astype(np.int64))
    inside &= near
    valid = pa.array(given & inside)
    return Dates(
        pc.if_else(valid, column, pa.scalar(None, column.type)),
        int(np.count_nonzero(given & ~inside)),
        fractions,
    )


def date_texts(numbers: Sequence[int], unit: str) -> list[str | None]:
    """Return how dates are written, None for those out of range."""
    column = decode_dates(np.array(numbers, np.int64), None, unit).column.cast(pa.string())
    return [None if text is None else text.removesuffix(".000") for text in column.to_pylist()]


_Result = tuple[pa.Array, "npt.NDArray[np.bool_]"]


def _moments(counts: npt.NDArray[np.int64]) -> _Result:
    moments = counts + _EPOCH_DAYS * _DAY_MS
    inside = (moments >= _FIRST_DAY * _DAY_MS) & (moments < (_LAST_DAY + 1) * _DAY_MS)
    return pa.array(np.where(inside, moments, 0).view("M8[ms]")), inside


def _days(counts: npt.NDArray[np.int64]) -> _Result:
    days = counts + _EPOCH_DAYS
    inside = (days >= _FIRST_DAY) & (days <= _LAST_DAY)
    return pa.array(np.where(inside, days, 0).astype(np.int32)).cast(pa.date32()), inside


def _weeks(counts: npt.NDArray[np.int64]) -> _Result:
    years, weeks = np.divmod(np.clip(counts, -(10**6), 10**6), _WEEKS)
    first_days = (years - 10).astype("M8[Y]").astype("M8[D]").astype(np.int64)
    return _days(np.where(np.abs(counts) < 10**6, first_days + 7 * weeks - _EPOCH_DAYS, 10**9))


def _months(counts: npt.NDArray[np.int64], months: int) -> _Result:
    near = np.clip(counts, -(10**6), 10**6)
    first_days = (near * months - 120).astype("M8[M]").astype("M8[D]").astype(np.int64)
    return _days(np.where(near == counts, first_days - _EPOCH_DAYS, 10**9))


def _years(counts: npt.NDArray[np.int64]) -> _Result:
    inside = (counts >= 0) & (counts <= _LAST_YEAR)
    text = pc.utf8_lpad(pa.array(np.where(inside, counts, 0)).cast(pa.string()), 4, "0")
    return text, inside


_FROM: Final = {
    "c": _moments,
    "d": _days,
    "w": _weeks,
    "m": lambda counts: _months(counts, 1),
    "q": lambda counts: _months(counts, 3),
    "h": lambda counts: _months(counts, 6),
    "y": _years,
}
