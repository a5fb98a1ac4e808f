"""R's dates, times and spans: doubles counted from 1970 into Arrow's types.

Source: R 4.2, ``help(Date)``, ``help(DateTimeClasses)``, ``help(difftime)``.
"""

from __future__ import annotations

import re
import zoneinfo
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.read.r_numbers import as_doubles
from tabkit.read.r_objects import NULL, elements_of, numbers_of, text_list

if TYPE_CHECKING:
    from collections import Counter

    import numpy.typing as npt

    from tabkit.read.r_objects import RObject

#: A fixed offset as POSIX names it: the name is east of Greenwich, the number behind it west.
_OFFSET: Final = re.compile(r"<([+-]\d\d)(\d\d)>[+-]\d\d:\d\d")
FAR: Final = "a date beyond the years 1 to 9999: missing"
FRACTIONS: Final = "a date with a part of a day, which was left out"
_FIRST_DAY, _LAST_DAY = -719_162, 2_932_896
_DAY: Final = 86_400
_MICROS: Final = 1_000_000
_LONGEST: Final = 9.2e12  # seconds that fit in 64 bits as microseconds
SECONDS: Final = {"secs": 1, "mins": 60, "hours": 3600, "days": _DAY, "weeks": 7 * _DAY}
_MOST_OF_A_FIELD: Final = 1e6
_FIELDS: Final = ("year", "mon", "mday", "hour", "min", "sec")


def dates(cells: npt.NDArray[Any], faults: Counter[str]) -> pa.Array:
    """Return days as dates; NA, NaN and infinite ones are null."""
    numbers = as_doubles(cells)
    given = ~np.isnan(numbers)
    inside = given & (numbers >= _FIRST_DAY) & (numbers < _LAST_DAY + 1)
    days = np.floor(np.where(inside, numbers, 0))
    faults[FAR] += int(np.count_nonzero(given & ~inside))
    faults[FRACTIONS] += int(np.count_nonzero(inside & (days != numbers)))
    return pa.array(days.astype(np.int32), mask=~inside).view(pa.date32())


def moments(cells: npt.NDArray[Any], zone: str | None, faults: Counter[str]) -> pa.Array:
    """Return seconds as date-times to the microsecond, of a zone or of none."""
    numbers = as_doubles(cells)
    given = ~np.isnan(numbers)
    inside = given & (numbers >= _FIRST_DAY * _DAY) & (numbers < (_LAST_DAY + 1) * _DAY)
    faults[FAR] += int(np.count_nonzero(given & ~inside))
    micros = _micros(np.where(inside, numbers, 0))
    return pa.array(micros, mask=~inside).view(pa.timestamp("us", zone))


def spans(cells: npt.NDArray[Any], unit: str, faults: Counter[str]) -> pa.Array:
    """Return numbers of seconds, hours and so on as spans."""
    numbers = as_doubles(cells) * SECONDS.get(unit, 1)
    given = ~np.isnan(numbers)
    inside = given & (np.abs(numbers) < _LONGEST)
    faults["a span beyond 290,000 years: missing"] += int(np.count_nonzero(given & ~inside))
    return pa.array(_micros(np.where(inside, numbers, 0)), mask=~inside).view(pa.duration("us"))


def _micros(seconds: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Whole seconds apart, since a product could not hold both ends of a double's digits."""
    whole = np.floor(seconds)
    fraction = np.rint((seconds - whole) * _MICROS)
    return whole.astype(np.int64) * _MICROS + fraction.astype(np.int64)


def zone_of(column: RObject) -> str | None:
    """Return the time zone of a POSIXct or POSIXlt; None where it says none or an unknown one."""
    names = text_list(column.attributes.get("tzone"))
    name = (names[0] if names else None) or ""
    if name in {"GMT", "Etc/UTC", "Etc/GMT"}:
        return "UTC"
    offset = _OFFSET.fullmatch(name)
    if offset is not None:
        return f"{offset[1]}:{offset[2]}"
    try:
        return zoneinfo.ZoneInfo(name).key if name else None
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        return None


def broken_down(column: RObject, cases: int, zone: str | None) -> pa.Array:
    """Return the date-times of a POSIXlt, whose fields are vectors of their own.

    Shorter fields are repeated, as R 4.3 and later may store them.
    """
    names = text_list(column.attributes.get("names"))
    fields = dict(zip(names, elements_of(column), strict=False))
    parts = []
    for name in _FIELDS:
        found = as_doubles(np.array(numbers_of(fields.get(name, NULL)), np.float64))
        parts.append(np.resize(found, cases) if len(found) else np.full(cases, np.nan))
    year, month, day, hour, minute, second = parts
    given = np.abs(year + 900) < 9000  # noqa: PLR2004 - later and earlier ones are none anyway
    for each in parts:
        given &= np.abs(each) < _MOST_OF_A_FIELD
    year, month, day, hour, minute, second = (np.where(given, each, 0) for each in parts)
    months = ((year - 70) * 12 + month).astype(np.int64).astype("M8[M]")
    days = months.astype("M8[D]").astype(np.int64) + day.astype(np.int64) - 1
    given &= (days >= _FIRST_DAY) & (days <= _LAST_DAY)
    micros = days * (_DAY * _MICROS) + _micros(hour * 3600 + minute * 60 + second)
    naive = pa.array(np.where(given, micros, 0), mask=~given).view(pa.timestamp("us"))
    if zone is None:
        return naive
    return pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="earliest")
