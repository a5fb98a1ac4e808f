"""Stata's dates as the text that Dataverse writes, quirks included (profile ``dataverse``).

Source: IQSS/dataverse b485249231fe, DTAFileReader.java and NewDTAFileReader.java,
``decodeDateTimeData``. Known quirks: a date stored in a byte stays a number, the fourth quarter
begins in November, ``%-td`` and ``%tC`` are no dates, days before 1582-10-15 are Julian.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

_DATES: Final = frozenset(("%td", "%tw", "%tq", "%tm", "%th", "%ty", "%d", "%w", "%q", "%m", "%tb"))
_EPOCH_DAYS: Final = -3653
_DAY_MS: Final = 86_400_000
_GREGORIAN: Final = -141_427  # 1582-10-15 as a day of 1970
_GREGORIAN_YEAR: Final = 1582
_LAST_DAY: Final = 2_932_896  # 9999-12-31
_FIRST_MONTHS: Final = {"q": (1, 4, 7, 11), "h": (1, 7), "m": tuple(range(1, 13))}


def category_of(display_format: str) -> str:
    """Return ``time``, ``date`` or empty, for any display format."""
    key = display_format[: 3 if display_format.startswith("%t") else 2]
    return "time" if key == "%tc" else ("date" if key in _DATES else "")


def pattern_of(display_format: str, storage: str) -> str:
    """Return the Java pattern that is kept with a date, empty for none."""
    unit = _unit(display_format)
    if storage == "byte" or storage.startswith("str") or unit not in _TEXTS:
        return ""
    return {"c": "yyyy-MM-dd HH:mm:ss.SSS", "y": "yyyy"}.get(unit, "yyyy-MM-dd")


def date_column(
    numbers: npt.NDArray[np.generic],
    missing: npt.NDArray[np.bool_] | None,
    display_format: str,
) -> pa.StringArray:
    """Return stored numbers as text, null where missing.

    Args:
        numbers: As stored, native byte order.
        missing: Which are missing; None for none.
        display_format: One that `category_of` knows.
    """
    unit = _unit(display_format)
    if numbers.dtype.itemsize == 1 or unit not in _TEXTS:
        texts, places = _distinct(numbers, _plain)
    elif unit in "cd":
        return _calendar(_rounded(numbers), missing, unit)
    elif unit == "y":
        texts, places = _distinct(numbers, _plain)
    else:
        texts, places = _distinct(_rounded(numbers), _TEXTS[unit])
    return texts.take(pa.array(places, mask=missing))


def _unit(display_format: str) -> str:
    """Return the letter after ``%t`` or ``%``."""
    return display_format.removeprefix("%").removeprefix("t")[:1]


def _distinct(
    numbers: npt.NDArray[np.generic], spell: Callable[[int | float], str]
) -> tuple[pa.StringArray, npt.NDArray[np.int64]]:
    found, places = np.unique(numbers, return_inverse=True)
    return pa.array([spell(number) for number in found.tolist()], pa.string()), places


def _rounded(numbers: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    """Round as Java's Math.round: half up, NaN to 0, ends at the ends of a long."""
    if numbers.dtype.kind == "i":
        return numbers.astype(np.int64)
    exact = np.nan_to_num(numbers.astype(np.float64), nan=0.0)
    end = 2.0**62
    return np.floor(np.clip(exact, -end, end) + 0.5).astype(np.int64)


def _calendar(
    counts: npt.NDArray[np.int64], missing: npt.NDArray[np.bool_] | None, unit: str
) -> pa.StringArray:
    """Spell days and milliseconds; Arrow does it for the years 1582 to 9999."""
    per_day = _DAY_MS if unit == "c" else 1
    moments = counts + _EPOCH_DAYS * per_day
    plain = (moments >= _GREGORIAN * per_day) & (moments < (_LAST_DAY + 1) * per_day)
    near = np.where(plain, moments, 0)
    kind = pa.timestamp("ms") if unit == "c" else pa.date32()
    column = pa.array(near if unit == "c" else near.astype(np.int32)).cast(kind).cast(pa.string())
    given = np.ones(len(counts), bool) if missing is None else ~missing
    rare = given & ~plain
    if rare.any():
        texts, places = _distinct(moments[rare], lambda moment: _moment(int(moment), per_day))
        all_places = np.arange(len(counts)) + len(texts)
        all_places[rare] = places
        column = pa.concat_arrays([texts, column]).take(pa.array(all_places, mask=~given))
    elif missing is not None:
        column = column.take(pa.array(np.arange(len(counts)), mask=missing))
    return column


def _moment(moment: int, per_day: int) -> str:
    days, rest = divmod(moment, per_day)
    day = "-".join((f"{(date := _civil(days))[0]:04d}", f"{date[1]:02d}", f"{date[2]:02d}"))
    if per_day == 1:
        return day
    seconds, thousandths = divmod(rest, 1000)
    clock = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{day} {clock}.{thousandths:03d}"


def _civil(days: int) -> tuple[int, int, int]:
    """Return year of its era, month and day; the calendar is Julian before 1582-10-15."""
    shifted = days + 719_468 + (0 if days >= _GREGORIAN else 2)  # days since 0000-03-01
    if days >= _GREGORIAN:
        era, day = divmod(shifted, 146_097)
        year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
        day -= 365 * year + year // 4 - year // 100
        year += 400 * era
    else:
        era, day = divmod(shifted, 1461)
        year = min(day // 365, 3)
        day -= 365 * year
        year += 4 * era
    month = (5 * day + 2) // 153
    date = day - (153 * month + 2) // 5 + 1
    year, month = (year, month + 3) if month < 10 else (year + 1, month - 9)  # noqa: PLR2004
    return (year if year > 0 else 1 - year), month, date


def _first_of_year(year: int) -> int:
    """Return 1 January as a day of 1970."""
    before = year - 1
    if year > _GREGORIAN_YEAR:
        return 365 * before + before // 4 - before // 100 + before // 400 - 719_162
    return 365 * before + before // 4 - 719_164


def _week(count: int) -> str:
    years, week = divmod(count, 52)
    return _moment(_first_of_year(1960 + years) + 7 * week, 1)


def _part(count: int, unit: str) -> str:
    """Spell the first day of a month, quarter or half year; the year has no leading zeros."""
    months = _FIRST_MONTHS[unit]
    years, part = divmod(count, len(months))
    return f"{1960 + years}-{months[part]:02d}-01"


def _plain(number: float) -> str:
    """Spell a number as Java's DecimalFormat does, without an exponent."""
    if isinstance(number, int):
        return str(number)
    if not np.isfinite(number):
        return "NaN" if np.isnan(number) else ("∞" if number > 0 else "-∞")
    text = format(Decimal(repr(number)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


_TEXTS: Final[dict[str, Callable[..., str]]] = {
    "c": _moment,
    "d": _moment,
    "w": _week,
    "m": lambda count: _part(count, "m"),
    "q": lambda count: _part(count, "q"),
    "h": lambda count: _part(count, "h"),
    "y": _plain,
}
