"""Dates and times of any file as R has them, and as haven gives them for the same file.

haven takes a number for a date only where it knows the format; what it leaves alone (SPSS's MOYR,
Stata's months and weeks, most of SAS's many formats) stays the number that the package stores.

Source: haven 2.5.1, haven_types.cpp (numType, adjustDatetimeToR).
"""

from __future__ import annotations

import dataclasses
import enum
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from tabkit.read.sas_formats import Temporal, parse_format
from tabkit.read.stata_temporal import unit_of
from tabkit.write.rdata_values import texts
from tabkit.write.stat_columns import SAS_CLOCK, SPSS_CLOCK, STATA_CLOCK, Clock, numbers, raw_number

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tabkit.model import Origin, Value, Variable
    from tabkit.write.rdata_values import Vector

    Floats = npt.NDArray[np.float64]

_DAY: Final = 86_400
_CLASSES: Final = {
    "date": ("Date",),
    "datetime": ("POSIXct", "POSIXt"),
    "time": ("hms", "difftime"),
}


class Moment(enum.Enum):
    """What R's number counts: nothing, days, seconds since 1970, or seconds."""

    NONE = "none"
    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"


@dataclasses.dataclass(frozen=True, slots=True)
class Vendor:
    """A statistics package, as haven reads its files.

    Attributes:
        attribute: Where haven keeps the display format.
        clock: How the package counts.
    """

    attribute: str
    clock: Clock


SPSS: Final = Vendor("format.spss", SPSS_CLOCK)
STATA: Final = Vendor("format.stata", STATA_CLOCK)
SAS: Final = Vendor("format.sas", SAS_CLOCK)
_VENDORS: Final[Mapping[str, Vendor]] = MappingProxyType(
    {"sav": SPSS, "zsav": SPSS, "por": SPSS, "dta": STATA, "sas7bdat": SAS, "xpt": SAS}
)
_OFFSET: Final = re.compile(r"([+-])(\d\d):(\d\d)")
_SPSS_FORMAT: Final = re.compile(r"[A-Z]+\d+(\.\d+)?")
_KINDS: Final[Mapping[Vendor, tuple[tuple[re.Pattern[str], Moment], ...]]] = MappingProxyType(
    {
        SPSS: (
            (re.compile("DATETIME"), Moment.DATETIME),
            (re.compile("[AEJS]?DATE"), Moment.DATE),
            (re.compile("D?TIME"), Moment.TIME),
        ),
        STATA: (
            (re.compile("%-?t[cC]"), Moment.DATETIME),
            (re.compile("%-?(td|d)"), Moment.DATE),
        ),
        SAS: (
            (re.compile("DATETIME|(IS|E|B)8601DT"), Moment.DATETIME),
            (re.compile("(IS|E|B)8601DA|WEEKDATE|MMDDYY|DDMMYY|YYMMDD|DATE"), Moment.DATE),
            (re.compile("TIME|HHMM|(IS|E|B)8601TM"), Moment.TIME),
        ),
    }
)
_OF_TEMPORAL: Final = MappingProxyType(
    {Temporal.DATE: Moment.DATE, Temporal.DATETIME: Moment.DATETIME, Temporal.TIME: Moment.TIME}
)


def vendor_of(variable: Variable, origin: Origin) -> Vendor | None:
    """Return the package that a variable is from: the file's, else the one its format is of."""
    known = _VENDORS.get(origin.format)
    shown = variable.display_format
    if known is not None or not shown or origin.format in {"rdata", "rds"}:
        return known
    if shown.startswith("%"):
        return STATA
    if "." in shown[-1:]:
        return SAS
    return SPSS if _SPSS_FORMAT.fullmatch(shown) else None


def moment_of(kind: pa.DataType) -> Moment:
    """Return what an Arrow type counts."""
    if pa.types.is_date(kind):
        return Moment.DATE
    if pa.types.is_timestamp(kind):
        return Moment.DATETIME
    return Moment.TIME if pa.types.is_temporal(kind) else Moment.NONE


def moment_attributes(moment: Moment, kind: pa.DataType) -> dict[str, Vector]:
    """Return what makes numbers dates, date-times or times."""
    found = {"class": texts(_CLASSES[moment.value])}
    if moment is Moment.DATETIME:
        zone = kind.tz if pa.types.is_timestamp(kind) else None
        found["tzone"] = texts([_zone_name(zone or "UTC")])
    if moment is Moment.TIME:
        found["units"] = texts(["secs"])
    return found


def _zone_name(zone: str) -> str:
    """Return a zone as R knows it: an offset has no name there, and would be taken for UTC.

    Source: ``?timezones`` of R; IANA's names count west of Greenwich, as POSIX does.
    """
    offset = _OFFSET.fullmatch(zone)
    if offset is None:
        return zone
    sign, hours, minutes = offset.groups()
    west = "+" if sign == "-" else "-"
    if minutes == "00" and int(hours) <= (14 if sign == "+" else 12):
        return f"Etc/GMT{west}{int(hours)}" if int(hours) else "UTC"
    return f"<{sign}{hours}{minutes}>{west}{hours}:{minutes}"


def haven_moment(shown: str, kind: pa.DataType, vendor: Vendor) -> Moment:
    """Return what haven takes a variable for, by its display format alone.

    SAS's DATEAMPM is a date-time, which haven 2.5.1 takes for a date by its first letters.
    """
    if pa.types.is_string(kind):
        return Moment.NONE
    found = next((m for test, m in _KINDS[vendor] if test.match(shown)), Moment.NONE)
    if vendor is SAS and found is not Moment.NONE:
        meant = parse_format(shown).temporal
        return found if meant is None else _OF_TEMPORAL[meant]
    return found


def haven_numbers(column: pa.Array, shown: str, moment: Moment, vendor: Vendor) -> pa.DoubleArray:
    """Return a column as the numbers that haven gives; ``shown`` is its display format."""
    unit = unit_of(shown) if vendor is STATA else ""
    if unit in {*"wmqhy"} and moment is Moment.NONE:
        values = _stata_counts(column, unit)
    else:
        values = numbers(column, vendor.clock)[0]
    missing = np.asarray(column.is_null(), bool)  # NaN is a number here
    return pa.array(to_r(values, moment, vendor), mask=missing, from_pandas=False)


def to_r(values: Floats, moment: Moment, vendor: Vendor) -> Floats:
    """Turn a package's numbers into R's, rounding as haven does."""
    if moment is Moment.DATETIME:
        seconds = values / vendor.clock.second if vendor.clock.second > 1 else values
        return seconds - vendor.clock.epoch * _DAY
    if moment is Moment.DATE:
        days = values / vendor.clock.day if vendor.clock.day > 1 else values
        return days - vendor.clock.epoch
    return values


def r_number(value: Value, kind: pa.DataType, moment: Moment, vendor: Vendor) -> float | None:
    """Return a code of a variable (a labelled or a missing value) in R's numbers; None without."""
    raw = raw_number(value, kind, vendor.clock)
    if raw is None or moment is Moment.NONE:
        return raw
    return float(to_r(np.array([raw]), moment, vendor)[0])


def _stata_counts(column: pa.Array, unit: str) -> Floats:
    """Return the weeks, months, quarters, half-years since 1960 or the year of a column."""
    if not pa.types.is_date(column.type):
        years = column.cast(pa.int64()).fill_null(0)
        return np.asarray(years.to_numpy(zero_copy_only=False), np.float64)
    days = column.cast(pa.int32()).fill_null(0).to_numpy(zero_copy_only=False).astype("M8[D]")
    if unit == "w":
        year = days.astype("M8[Y]")
        weeks = np.minimum((days - year.astype("M8[D]")).astype(np.int64) // 7, 51)
        return np.asarray((year.astype(np.int64) + 10) * 52 + weeks, np.float64)
    months = days.astype("M8[M]").astype(np.int64) + 120
    return np.asarray(months // {"m": 1, "q": 3, "h": 6, "y": 12}[unit], np.float64)
