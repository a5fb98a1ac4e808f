r"""Normalised bytes and text of dates, date-times, times and durations, from Arrow's counts.

A date is ``YYYY-MM-DD``, a date-time ``YYYY-MM-DDThh:mm:ss`` and a time or duration ``hh:mm:ss``,
a fraction of a second without its trailing zeros behind. A zone-aware date-time is given in UTC
with ``Z``. A year beyond 9999 has all its digits, one before 1 a sign (``-0044``, astronomical);
hours may pass 24 and a sign comes first. The calendar is proleptic Gregorian.

Source: Dataverse developer guide, "UNF Version 6", part Ib; the reference knows milliseconds only.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from tabkit.describe.columns import plain, values_and_missing
from tabkit.describe.numbers import END, MISSING

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Integers = npt.NDArray[np.int64]
    Words = npt.NDArray[np.uint32]

_CHUNK: Final = 8192
_CELL: Final = 4
_FILL: Final = b"\xff"
_DAY: Final = 86_400
_TICKS: Final = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}
_GROUPS: Final = {"s": 0, "ms": 1, "us": 2, "ns": 3}  # of three digits, after the point
_EPOCH_TO_MARCH: Final = 719_468  # days from 0000-03-01 to 1970-01-01
_CYCLE: Final = 146_097  # days of 400 years


def normalize_moments(array: pa.Array) -> bytes:
    """Return the concatenated normalised bytes of every case; null is missing.

    Args:
        array: Dates, times, date-times or durations of any Arrow type.
    """
    array = plain(array)
    values, missing = values_and_missing(array)
    pieces = []
    for start in range(0, len(values), _CHUNK):
        chunk = values[start : start + _CHUNK].astype(np.int64)
        gaps = None if missing is None else missing[start : start + _CHUNK]
        if gaps is not None:
            chunk[gaps] = 0
        rows = _rows(chunk, array.type)
        if gaps is not None:
            rows[gaps] = _row(MISSING, rows.shape[1])
        cells = rows.view(np.uint8).reshape(-1)
        pieces.append(np.compress(cells != _FILL[0], cells).tobytes())
    return b"".join(pieces)


def moment_text(value: int, kind: pa.DataType, separator: str = "T") -> str:
    """Return the text of one value.

    Args:
        value: Count of the type's unit.
        kind: ``date32``, ``timestamp`` or ``duration``.
        separator: Stands between date and time; a blank in an archival table.
    """
    if pa.types.is_date32(kind):
        return _date_text(value)
    ticks = _TICKS[kind.unit]
    if pa.types.is_duration(kind):
        return ("-" if value < 0 else "") + _time_text(abs(value), ticks)
    days, time = divmod(value, _DAY * ticks)
    zone = "Z" if kind.tz else ""
    return f"{_date_text(days)}{separator}{_time_text(time, ticks)}{zone}"


def _date_text(days: int) -> str:
    # Years begin in March here, so that the leap day is the last of its year.
    cycle, day = divmod(days + _EPOCH_TO_MARCH, _CYCLE)
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    day -= 365 * year + year // 4 - year // 100
    month = (5 * day + 2) // 153
    day -= (153 * month + 2) // 5
    number = 400 * cycle + year + (month >= 10)  # noqa: PLR2004 - January and February
    written = f"{number:04}" if number >= 0 else f"-{-number:04}"
    return f"{written}-{(month + 2) % 12 + 1:02}-{day + 1:02}"


def _time_text(time: int, ticks: int) -> str:
    seconds, fraction = divmod(time, ticks)
    text = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}"
    if fraction:
        text += "." + f"{fraction:0{len(str(ticks)) - 1}}".rstrip("0")
    return text


def _rows(values: Integers, kind: pa.DataType) -> Words:
    """Lay out every value in cells of `_CELL` bytes, `_FILL` where there is nothing."""
    if pa.types.is_date32(kind):
        cells, unusual = _date_cells(values)
        end = END
    elif pa.types.is_duration(kind):
        size = np.abs(values)
        hours = size // (3600 * _TICKS[kind.unit])
        unusual = (hours > 99) | (size < 0)  # noqa: PLR2004 - two digits; or the least integer
        cells = [_two("", "-")[np.where(unusual, 0, hours) + 100 * (values < 0)]]
        cells += _time_cells(size, kind.unit)
        end = END
    else:
        days, time = np.divmod(values, _DAY * _TICKS[kind.unit])
        cells, unusual = _date_cells(days)
        cells.append(_two("T")[time // (3600 * _TICKS[kind.unit])])
        cells += _time_cells(time, kind.unit)
        end = b"Z" + END if kind.tz else END
    places = np.flatnonzero(unusual).tolist()
    texts = [moment_text(int(values[place]), kind).encode() + END for place in places]
    width = max([len(cells) + 1, *(-(-len(text) // _CELL) for text in texts)])
    rows = np.empty((len(values), width), np.uint32)
    for column, cell in enumerate(cells):
        rows[:, column] = cell
    rows[:, len(cells) :] = _row(end, width - len(cells))
    for place, text in zip(places, texts, strict=True):
        rows[place] = _row(text, width)
    return rows


def _date_cells(days: Integers) -> tuple[list[Words], npt.NDArray[np.bool_]]:
    """Return the cells of year, month and day, and where the year has not four digits."""
    months = days.astype("M8[D]").astype("M8[M]")
    number = months.astype(np.int64)
    day = days - months.astype("M8[D]").astype(np.int64)
    year = number // 12 + 1970
    unusual = (year < 0) | (year > 9999)  # noqa: PLR2004
    year[unusual] = 0
    return [_four()[year], _two("-")[number % 12 + 1], _two("-")[day + 1]], unusual


def _time_cells(time: Integers, unit: str) -> list[Words]:
    """Return the cells of minutes, seconds and fraction of non-negative times."""
    seconds, fraction = np.divmod(time, _TICKS[unit])
    minutes = seconds // 60
    cells: list[Any] = []
    is_last = np.ones(len(time), np.bool_)
    for group in range(_GROUPS[unit], 0, -1):
        rest = fraction // 1000
        part = fraction - rest * 1000
        cells.insert(0, _three("." if group == 1 else "")[part + 1000 * is_last])
        is_last &= part == 0
        fraction = rest
    return [_two(":")[minutes % 60], _two(":")[seconds - minutes * 60], *cells]


@lru_cache(maxsize=1)
def _four() -> Words:
    return _cells(f"{number:04}" for number in range(10_000))


@lru_cache(maxsize=8)
def _two(*prefixes: str) -> Words:
    return _cells(f"{prefix}{number:02}" for prefix in prefixes for number in range(100))


@lru_cache(maxsize=2)
def _three(point: str) -> Words:
    """Return the cells of three digits, then the same without the zeros at the end."""
    full = [f"{point}{number:03}" for number in range(1000)]
    return _cells([*full, *(text.rstrip("0").rstrip(".") for text in full)])


def _cells(texts: Iterable[str]) -> Words:
    return np.frombuffer(b"".join(text.encode().ljust(_CELL, _FILL) for text in texts), np.uint32)


def _row(text: bytes, width: int) -> Words:
    return np.frombuffer(text.ljust(width * _CELL, _FILL), np.uint32)
