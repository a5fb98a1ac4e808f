"""SPSS formats, and SPSS dates and times: seconds since 1582-10-14 into Arrow columns or text.

Shared by the readers of system files (.sav) and of portable files (.por), which number their
formats alike. The calendar is proleptic Gregorian; in profiles with ``dates_as_text`` it is Java's,
Julian before 1582-10-15.

Source: GNU PSPP developer's guide, "System File Format" (formats); IQSS/dataverse b485249231fe,
SAVFileReader.decodeRecordTypeDataCompressed and SPSSConstants (texts of profile dataverse).
"""

from __future__ import annotations

import dataclasses
import datetime
import re
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.model import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from tabkit.profiles import Profile

    Floats = npt.NDArray[np.float64]
    Integers = npt.NDArray[np.int64]
    Flags = npt.NDArray[np.bool_]
    Counted = npt.NDArray[np.float64] | npt.NDArray[np.int64] | npt.NDArray[np.int32]

FORMAT_NAMES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "A", 2: "AHEX", 3: "COMMA", 4: "DOLLAR", 5: "F", 6: "IB", 7: "PIBHEX", 8: "P", 9: "PIB",
        10: "PK", 11: "RB", 12: "RBHEX", 15: "Z", 16: "N", 17: "E", 20: "DATE", 21: "TIME",
        22: "DATETIME", 23: "ADATE", 24: "JDATE", 25: "DTIME", 26: "WKDAY", 27: "MONTH",
        28: "MOYR", 29: "QYR", 30: "WKYR", 31: "PCT", 32: "DOT", 33: "CCA", 34: "CCB", 35: "CCC",
        36: "CCD", 37: "CCE", 38: "EDATE", 39: "SDATE", 40: "MTIME", 41: "YMDHMS",
    }
)  # fmt: skip
CODE_A, CODE_F, CODE_DTIME, CODE_WKDAY, CODE_MONTH = 1, 5, 25, 26, 27
DATE_CODES: Final = frozenset({20, 23, 24, 28, 29, 30, 38, 39})
DATETIME_CODES: Final = frozenset({22, 41})
DURATION_CODES: Final = frozenset({21, 25, 40})
CURRENCY_CODES: Final = frozenset({4, 33, 34, 35, 36, 37})
TEMPORAL_CODES: Final = DATE_CODES | DATETIME_CODES | DURATION_CODES

_NAMES: Final[Mapping[int, tuple[str, ...]]] = MappingProxyType(
    {
        CODE_WKDAY: ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"),
        CODE_MONTH: (
            "Jan", "Feb", "Mar", "Apr", "May", "Jun",
            "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ),
    }
)  # fmt: skip
_DAY: Final = 86_400
_MICRO: Final = 1_000_000
_ORIGIN: Final = datetime.date(1582, 10, 14)
_ORIGIN_DAYS: Final = (_ORIGIN - datetime.date(1970, 1, 1)).days
_ORIGIN_JDN: Final = 2_299_160  # Julian day number of the origin
_CYCLE: Final = 146_097  # days of 400 Gregorian years
_FIRST_SECOND: Final = (datetime.date.min - _ORIGIN).days * _DAY
_LAST_SECOND: Final = ((datetime.date.max - _ORIGIN).days + 1) * _DAY  # not included
_DURATION_LIMIT: Final = 9.2e12  # seconds; microseconds of it fit 64 bits


@dataclasses.dataclass(frozen=True, slots=True)
class TemporalFaults:
    """Cases of a temporal column that its Arrow type cannot hold as they are.

    Attributes:
        out_of_range: Outside the years 1 to 9999, infinite, or too long a duration: became null.
        time_of_day: A date that has a time of day besides: only the date is kept.
        finer: Seconds with a fraction finer than a microsecond: rounded.
    """

    out_of_range: int = 0
    time_of_day: int = 0
    finer: int = 0

    def __add__(self, other: TemporalFaults) -> TemporalFaults:
        return TemporalFaults(
            self.out_of_range + other.out_of_range,
            self.time_of_day + other.time_of_day,
            self.finer + other.finer,
        )

    def findings(self, name: str) -> list[Finding]:
        """Return one warning for each kind of fault that occurred in variable ``name``."""
        texts = (
            (self.out_of_range, "dates and times beyond what the type holds became missing"),
            (self.time_of_day, "dates with a time of day lost it"),
            (self.finer, "times finer than a microsecond are rounded"),
        )
        return [
            Finding(f"{text} (cases: {count:,})", "warning", name) for count, text in texts if count
        ]


def format_name(code: int, width: int, decimals: int) -> str:
    """Return a format as SPSS writes it: ``F8.2``, ``A20``, ``DATE11``, ``DATETIME20.2``.

    Source: decimals are told for F always and for others when there are any, as ReadStat has it.
    """
    name = FORMAT_NAMES.get(code, "")
    if not name or not width:
        return name
    return f"{name}{width}.{decimals}" if decimals or code == CODE_F else f"{name}{width}"


def format_category(code: int) -> str:
    """Return ``date``, ``time`` (date-times too), ``currency``, or nothing for other formats."""
    if code in DATE_CODES:
        return "date"
    if code in DATETIME_CODES or code in DURATION_CODES:
        return "time"
    return "currency" if code in CURRENCY_CODES else ""


def is_character(code: int, profile: Profile) -> bool:
    """Whether numbers shown in this format make a character variable of dates, times or names."""
    return code in TEMPORAL_CODES or (profile.dates_as_text and code in _NAMES)


def java_pattern(code: int) -> str:
    """Return the pattern Dataverse stores for a format, without ``.S``; empty where it has none."""
    if code in DATE_CODES:
        return "yyyy-MM-dd"
    if code in DATETIME_CODES:
        return "yyyy-MM-dd HH:mm:ss"
    return "HH:mm:ss" if code in DURATION_CODES and code != CODE_DTIME else ""


def column_type(code: int, profile: Profile) -> pa.DataType:
    """Return the Arrow type of a numeric variable that is shown in this format."""
    if not is_character(code, profile):
        return pa.float64()
    if profile.dates_as_text:
        return pa.string()
    if code in DATE_CODES:
        return pa.date32()
    return pa.timestamp("us") if code in DATETIME_CODES else pa.duration("us")


def temporal_column(seconds: Floats, code: int, decimals: int, profile: Profile) -> pa.Array:
    """Convert seconds (NaN = missing) into a column of type `column_type`.

    Args:
        seconds: Since 1582-10-14 for dates and date-times, else a duration; for WKDAY and MONTH
            the number of the day (1 = Sunday) or month.
        code: The print format's number.
        decimals: The print format's decimals: digits of a second shown in the texts of profiles
            with ``dates_as_text``; elsewhere the values alone decide.
        profile: Asked for ``dates_as_text``.

    Values that the type cannot hold become null; `temporal_faults` counts them.
    """
    missing = np.isnan(seconds)
    if not is_character(code, profile):
        return _array(seconds, pa.float64(), missing)
    missing |= _out_of_range(seconds, code, profile)
    known = np.where(missing, 0.0, seconds)
    if profile.dates_as_text:
        return _dataverse_texts(known, missing, code, decimals)
    whole = np.floor(known)
    micros = whole.astype(np.int64) * _MICRO
    micros += np.rint((known - whole) * _MICRO).astype(np.int64)
    if code in DURATION_CODES:
        return _array(micros, pa.duration("us"), missing)
    if code in DATETIME_CODES:
        micros += _ORIGIN_DAYS * _DAY * _MICRO
        return _array(micros, pa.timestamp("us"), missing)
    days = whole.astype(np.int64) // _DAY + _ORIGIN_DAYS
    return _array(days.astype(np.int32), pa.date32(), missing)


def _array(values: Counted, kind: pa.DataType, missing: Flags) -> pa.Array:
    """Make an array of the memory as it is; `pa.array` would load pandas first, if there is one."""
    validity = np.packbits(~missing, bitorder="little")
    buffers = [pa.py_buffer(validity), pa.py_buffer(np.ascontiguousarray(values))]
    return pa.Array.from_buffers(kind, len(values), buffers, int(np.count_nonzero(missing)))


def temporal_faults(seconds: Floats, code: int, profile: Profile) -> TemporalFaults:
    """Count what `temporal_column` cannot keep of the same ``seconds``."""
    if not is_character(code, profile):
        return TemporalFaults()
    out = _out_of_range(seconds, code, profile)
    known = seconds[~(out | np.isnan(seconds))]
    if code in DATE_CODES:
        return TemporalFaults(int(out.sum()), time_of_day=int(np.count_nonzero(known % _DAY)))
    if profile.dates_as_text:
        return TemporalFaults(int(out.sum()))
    whole = np.floor(known)
    kept = whole + np.rint((known - whole) * _MICRO) / _MICRO
    return TemporalFaults(int(out.sum()), finer=int(np.count_nonzero(kept != known)))


def temporal_text(seconds: float, code: int) -> str | None:
    """Return the text of one value as an archival table shows it, None where it has none.

    ``YYYY-MM-DD``, ``YYYY-MM-DD HH:MM:SS[.fff]``, ``[-]HH:MM:SS[.fff]`` (hours may pass 24).
    Missing values and labelled values of temporal variables are given in this form. A date with a
    time of day shows it, and what no text tells exactly has none, so that no two codes (7 and 8
    seconds, say) become one.
    """
    low, high = _limits(code)
    if not low <= seconds < high:
        return None
    micros = int(seconds // 1) * _MICRO + round(seconds % 1 * _MICRO)
    if code in DURATION_CODES:
        text = ("-" if micros < 0 else "") + _clock(abs(micros), hours=None)
    else:
        days, rest = divmod(micros, _DAY * _MICRO)
        text = (_ORIGIN + datetime.timedelta(days=days)).isoformat()
        if rest or code not in DATE_CODES:
            text += f" {_clock(rest, hours=24)}"
    return text if temporal_seconds(text) == seconds else None


def temporal_seconds(text: str) -> float | None:
    """Return the SPSS seconds of a text made by `temporal_text`, None for any other text."""
    found = _SHOWN.fullmatch(text)
    if not text or found is None:
        return None
    day, sign, hours, minutes, seconds = found.groups()
    total = Decimal(0)
    if day:
        total += (datetime.date.fromisoformat(day) - _ORIGIN).days * _DAY
    if hours:
        total += int(hours) * 3600 + int(minutes) * 60 + Decimal(seconds)
    return float(-total if sign else total)


_SHOWN: Final = re.compile(
    r"(?:(\d{4}-\d\d-\d\d)(?: |$))?(?:(-?)(\d{2,}):(\d\d):(\d\d(?:\.\d+)?))?"
)


def decimal_text(value: float) -> str:
    """Return a number as Dataverse prints it: plain notation, shortest digits, no ``.0``.

    Source: java.text.DecimalFormat without grouping, with up to 340 fraction digits.
    """
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else "∞" if value > 0 else "-∞"
    text = format(Decimal(repr(float(value))), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _limits(code: int) -> tuple[float, float]:
    if code in DURATION_CODES:
        return -_DURATION_LIMIT, _DURATION_LIMIT
    return _FIRST_SECOND, _LAST_SECOND


def _out_of_range(seconds: Floats, code: int, profile: Profile) -> Flags:
    """Flag numbers without a place in the column's type; names of days keep any number as text."""
    if code in _NAMES:
        return np.zeros(seconds.shape, np.bool_)
    low, high = _limits(code)
    if profile.dates_as_text:
        low, high = -_ORIGIN_JDN * _DAY, _DURATION_LIMIT
    with np.errstate(invalid="ignore"):
        flags: Flags = (seconds < low) | (seconds >= high)
    return flags


def _clock(micros: int, hours: int | None) -> str:
    """Return ``HH:MM:SS[.fff]``; hours beyond ``hours`` are dropped, None keeps them."""
    seconds, fraction = divmod(micros, _MICRO)
    hour = seconds // 3600
    text = f"{hour % hours if hours else hour:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return f"{text}.{fraction:06d}".rstrip("0") if fraction else text


def _dataverse_texts(values: Floats, missing: Flags, code: int, decimals: int) -> pa.StringArray:
    """Return dates, times and names as Dataverse's readers of SPSS files print them."""
    if code in _NAMES:
        names = _NAMES[code]
        return _texts(values, missing, lambda value: _name_of(value, names))
    whole = np.trunc(values).astype(np.int64)  # Dataverse takes the digits before the point
    if code in DATE_CODES:
        return _java_dates(np.floor(values).astype(np.int64) // _DAY, missing)
    if code == CODE_DTIME:
        days = _texts(whole // _DAY - 1, missing, _day_of_year)
    elif code in DATETIME_CODES:
        days = _java_dates(whole // _DAY, missing)
    else:
        days = None
    times = _texts(whole % _DAY, missing, lambda second: _clock(int(second) * _MICRO, hours=24))
    if decimals > 0 and (values != whole).any():
        uneven = np.where(values == whole, 0.0, values)
        digits = _texts(uneven, missing, lambda value: _fraction_digits(value, decimals))
        times = pc.binary_join_element_wise(times, digits, "")
    return times if days is None else pc.binary_join_element_wise(days, times, " ")


def _texts(keys: Floats | Integers, missing: Flags, text: Callable[[float], str]) -> pa.StringArray:
    """Return ``text(key)`` of every key, computed once for each distinct one."""
    distinct, places = np.unique(keys, return_inverse=True)
    texts = pa.array([text(key) for key in distinct.tolist()], pa.string())
    return texts.take(pa.array(places, mask=missing))


def _name_of(value: float, names: tuple[str, ...]) -> str:
    """Return the name of day or month ``value``; Dataverse has no answer for other numbers."""
    index = int(value) - 1 if np.isfinite(value) and value == int(value) else -1
    return names[index] if 0 <= index < len(names) else decimal_text(value)


def _fraction_digits(value: float, decimals: int) -> str:
    """Return ``.`` and the first digits after the point as printed, nothing for a whole number."""
    _, point, digits = decimal_text(value).partition(".")
    return point + digits[:decimals].ljust(decimals, "0") if point else ""


def _java_dates(days: Integers, missing: Flags) -> pa.StringArray:
    """Return ``yyyy-MM-dd`` of days after the origin; numpy knows the usual ones."""
    distinct, places = np.unique(days, return_inverse=True)
    texts = np.datetime_as_string((distinct + _ORIGIN_DAYS).astype("M8[D]")).tolist()
    for unusual in np.flatnonzero((distinct <= 0) | (distinct * _DAY >= _LAST_SECOND)):
        texts[unusual] = _java_date(int(distinct[unusual]))
    return pa.array(texts, pa.string()).take(pa.array(places, mask=missing))


def _java_date(days: int) -> str:
    """Return ``yyyy-MM-dd`` of a day after the origin, Julian up to the origin itself.

    Source: java.util.GregorianCalendar; a year before 1 is shown as the year of its era.
    """
    year, month, day = _civil(days + _ORIGIN_JDN, gregorian=days > 0)
    return f"{year if year > 0 else 1 - year:04d}-{month:02d}-{day:02d}"


def _day_of_year(days: float) -> str:
    """Return the day of the year, three digits, of a day after 1970-01-01."""
    day = datetime.date(1970, 1, 1) + datetime.timedelta(days=int(days) % _CYCLE)
    return f"{day.timetuple().tm_yday:03d}"


def _civil(jdn: int, *, gregorian: bool) -> tuple[int, int, int]:
    """Return year, month, day of a Julian day number >= 0, in the Gregorian or Julian calendar.

    Source: E. G. Richards, "Calendars", in: Explanatory Supplement to the Astronomical Almanac,
    3rd edition, section 15.11.3.
    """
    f = jdn + 1401
    if gregorian:
        f += (4 * jdn + 274_277) // 146_097 * 3 // 4 - 38
    e = 4 * f + 3
    h = 5 * (e % 1461 // 4) + 2
    day, month = h % 153 // 5 + 1, (h // 153 + 2) % 12 + 1
    return e // 1461 - 4716 + (14 - month) // 12, month, day
