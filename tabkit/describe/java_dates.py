"""Dates as Dataverse fingerprints them: text and a Java pattern go in, UNF text comes out.

The reference parses every cell with ``SimpleDateFormat``, leniently: numbers out of range roll
over, what follows the last part is ignored, the digits of ``S`` are milliseconds however few,
and the calendar is Julian before 1582-10-15. It prints the moment with the parts the pattern has
(in UTC with ``Z`` where the pattern has a zone) and hashes what it cannot parse as it is.

Source: IQSS/UNF 6.0, UNFUtil.calculateUNF and UnfDateFormatter; java.text.SimpleDateFormat,
java.util.GregorianCalendar.computeTime.
"""

from __future__ import annotations

import dataclasses
import re
from functools import lru_cache
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.describe.java_zones import ZONES

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELD: Final = re.compile(r"([a-zA-Z])\1*")
_FIELDS: Final = "yMdHmsSzZ"
_NUMBER: Final = r"[ \t]*(-?\d+)"
_ZONE: Final = (
    r"[ \t]*([+-]\d{4}|(?i:GMT)[+-]\d{1,2}:\d{2}"
    rf"|(?i:{'|'.join(sorted(ZONES, key=len, reverse=True))}))"
)

_DAY: Final = 86_400_000  # milliseconds
_CUTOVER: Final = -141_427  # days from 1970 to 1582-10-15, the first Gregorian day
_CUTOVER_YEAR: Final = 1582

_CANONICAL_DATE: Final = (
    r"(158[3-9]|159\d|1[6-9]\d\d|[2-9]\d{3})-"
    r"((0[1-9]|1[0-2])-(0[1-9]|1\d|2[0-8])|(0[13-9]|1[0-2])-(29|30)|(0[13578]|1[02])-31)"
)
_CANONICAL_TIME: Final = r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d"
#: By pattern: text that parsing and printing would return but for ``T`` and fraction zeros.
_CANONICAL: Final[Mapping[str, str]] = MappingProxyType(
    {
        "yyyy": r"^[1-9]\d{3}$",
        "yyyy-MM-dd": f"^{_CANONICAL_DATE}$",
        "yyyy-MM-dd HH:mm:ss": f"^{_CANONICAL_DATE} {_CANONICAL_TIME}$",
        "yyyy-MM-dd HH:mm:ss.S": rf"^{_CANONICAL_DATE} {_CANONICAL_TIME}\.\d{{3}}$",
        "yyyy-MM-dd HH:mm:ss.SSS": rf"^{_CANONICAL_DATE} {_CANONICAL_TIME}\.\d{{3}}$",
        "HH:mm:ss": f"^{_CANONICAL_TIME}$",
        "HH:mm:ss.S": rf"^{_CANONICAL_TIME}\.\d{{3}}$",
    }
)


def unf_dates(array: pa.LargeStringArray, pattern: str) -> pa.LargeStringArray:
    """Return what the reference hashes of each case of a date or time column.

    Args:
        array: The cells' text; null is missing.
        pattern: As `Variable.display_format` has it; letters y, M, d, H, m, s, S, z and Z.
    """
    regex = _CANONICAL.get(pattern)
    if regex is None:
        return _one_by_one(array, pattern)
    odd = pc.invert(pc.fill_null(pc.match_substring_regex(array, regex), True))
    result = pc.replace_substring(array, " ", "T")
    if "S" in pattern:
        result = pc.replace_substring_regex(result, r"\.?0*$", "")
        # Zeros before the point are not the fraction's, and a point goes with the last of them.
        whole = pc.equal(pc.binary_length(result), pc.binary_length(array))
        result = pc.if_else(whole, pc.replace_substring(array, " ", "T"), result)
    if pc.any(odd).as_py():
        exact = _one_by_one(array.filter(odd), pattern)
        result = pc.replace_with_mask(result, odd, exact)
    return result


def unf_date(text: str, pattern: str) -> str:
    """Return what the reference hashes of one cell."""
    reader = _reader(pattern)
    match = reader.regex.match(text)
    found = reader.fields
    parts = dict(zip(found, match.groups(), strict=True)) if match else {}
    offset = _offset(parts[reader.zone]) if match and reader.zone else 0
    if match is None or offset is None:
        return text
    numbers = {letter: int(part) for letter, part in parts.items() if letter != reader.zone}
    days = _days(numbers.get("y", 1970), numbers.get("M", 1), numbers.get("d", 1), 0)
    time = (
        (numbers.get("H", 0) * 60 + numbers.get("m", 0)) * 60 + numbers.get("s", 0)
    ) * 1000 + numbers.get("S", 0)
    carried, time = divmod(time, _DAY)
    if carried:
        days = _days(numbers.get("y", 1970), numbers.get("M", 1), numbers.get("d", 1), carried)
    moved, time = divmod(time - offset * 60_000, _DAY)
    return _printed(days + moved, time, reader)


@dataclasses.dataclass(frozen=True, slots=True)
class _Reader:
    """A compiled pattern: a regex, the letters of its groups, and the letter of a zone, if any."""

    regex: re.Pattern[str]
    fields: str
    zone: str


@lru_cache(maxsize=64)
def _reader(pattern: str) -> _Reader:
    """Compile a pattern.

    Raises:
        ValueError: It has a letter that no pattern of Dataverse's tables has.
    """
    regex, fields, end = "", "", 0
    for match in _FIELD.finditer(pattern):
        letter = match[1]
        if letter not in _FIELDS or letter in fields or (letter == "M" and len(match[0]) > 2):  # noqa: PLR2004
            msg = f"a date pattern {pattern!r} is not supported"
            raise ValueError(msg)
        regex += re.escape(pattern[end : match.start()]) + (_ZONE if letter in "zZ" else _NUMBER)
        fields, end = fields + letter, match.end()
    zone = next((letter for letter in fields if letter in "zZ"), "")
    return _Reader(re.compile(regex + re.escape(pattern[end:])), fields, zone)


def _one_by_one(array: pa.LargeStringArray, pattern: str) -> pa.LargeStringArray:
    encoded = array.dictionary_encode()
    texts = [unf_date(text, pattern) for text in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.large_string()).take(encoded.indices)


def _offset(zone: str) -> int | None:
    """Return minutes east of Greenwich, None for what Java's parser would not take."""
    signed = re.fullmatch(r"(?i:GMT)?([+-])(\d{1,2}):?(\d{2})", zone)
    if signed is None:
        return ZONES.get(zone.upper())
    hours, minutes = int(signed[2]), int(signed[3])
    if hours > 23 or minutes > 59:  # noqa: PLR2004
        return None
    return (hours * 60 + minutes) * (-1 if signed[1] == "-" else 1)


def _days(year: int, month: int, day: int, more: int) -> int:
    """Return days since 1970 of a lenient date; ``more`` days come from the time of day."""
    gregorian = _first_of_month(year, month, is_julian=False) + day - 1 + more
    julian = _first_of_month(year, month, is_julian=True) + day - 1 + more
    if year < _CUTOVER_YEAR:
        return julian
    return gregorian if gregorian >= _CUTOVER else julian


def _first_of_month(year: int, month: int, *, is_julian: bool) -> int:
    # Years begin in March here, so that the leap day is the last of its year.
    months = year * 12 + month - 3
    year, month = divmod(months, 12)
    days = 365 * year + year // 4 + (153 * month + 2) // 5
    return days - 719_470 if is_julian else days - year // 100 + year // 400 - 719_468


def _date(days: int) -> tuple[int, int, int]:
    """Return year, month and day of days since 1970, Julian before the cutover."""
    if days >= _CUTOVER:
        count = days + 719_468
        cycle, day = divmod(count, 146_097)
        year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
        day -= 365 * year + year // 4 - year // 100
        year += 400 * cycle
    else:
        cycle, day = divmod(days + 719_470, 1461)
        year = (day - day // 1460) // 365
        day -= 365 * year
        year += 4 * cycle
    month = (5 * day + 2) // 153
    return year + (month >= 10), (month + 2) % 12 + 1, day - (153 * month + 2) // 5 + 1  # noqa: PLR2004


def _printed(days: int, time: int, reader: _Reader) -> str:
    year, month, day = _date(days)
    seconds, milliseconds = divmod(time, 1000)
    hour, minute, second = seconds // 3600, seconds // 60 % 60, seconds % 60
    fields, text = reader.fields, ""
    if "y" in fields:
        text = f"{year if year > 0 else 1 - year:04}"  # the era is not printed
        if "M" not in fields:
            return text
        text += f"-{month:02}"
        if "d" not in fields:
            return text
        text += f"-{day:02}"
    if "H" in fields:
        text += f"{'T' if text else ''}{hour:02}"
        for letter, part in (("m", f":{minute:02}"), ("s", f":{second:02}"), ("S", "")):
            if letter not in fields:
                break
            text += part or f".{milliseconds:03}"
    if reader.zone:
        return text + ("Z" if "H" in fields else "")
    # The reference looks for zeros at the end of the text wherever the pattern has an S.
    return text.rstrip("0").removesuffix(".") if "S" in fields else text
