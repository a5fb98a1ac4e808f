"""Arrow columns as the statistics packages store them: numbers with a clock, texts in bytes.

Whatever type a column has, it becomes one of the model's first (`plain_table`), and then either
doubles with a mask or bytes of a fixed width. What does not fit is counted for the ledger.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.errors import OutputError
from tabkit.loss import Loss
from tabkit.read.arrow_columns import is_plain, plan_column
from tabkit.read.spss_temporal import temporal_seconds
from tabkit.write.metadata_loss import count_true
from tabkit.write.stat_names import cut_bytes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

    from tabkit.model import Table, Value

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]
    Bytes = npt.NDArray[np.uint8]

_DAY: Final = 86_400
_PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_BLOCK_BYTES: Final = 1 << 26  # bytes of the cases that are made at once
_BLOCK_ROWS: Final = 65_536
_WIDTH_DIGITS: Final = 6


@dataclasses.dataclass(frozen=True, slots=True)
class Clock:
    """How a package counts time.

    Attributes:
        epoch: Days from its first day to 1970-01-01.
        day: What it adds for a day in a date.
        second: What it adds for a second in a date-time or duration.
    """

    epoch: int
    day: int
    second: int


SPSS_CLOCK: Final = Clock(141_428, _DAY, 1)  # seconds since 1582-10-14
SAS_CLOCK: Final = Clock(3_653, 1, 1)  # days or seconds since 1960-01-01
STATA_CLOCK: Final = Clock(3_653, 1, 1_000)  # days or milliseconds since 1960-01-01


def losses(what: str, variable: str, count: int) -> list[Loss]:
    """Return one loss, or none where nothing is concerned."""
    return [Loss(what, variable, count)] if count else []


def plain_table(table: Table) -> tuple[Table, list[Loss]]:
    """Return the table with columns of the model's types only, zones left out; and what changed."""
    columns, found = [], []
    for name, column in zip(table.data.column_names, table.data.columns, strict=True):
        plain = column
        if not is_plain(column.type):
            values = functools.partial(iter, column.chunks)
            plan = plan_column(0, pa.field(name, column.type), name, values)
            chunks = [plan.convert(chunk) for chunk in column.chunks]
            plain = pa.chunked_array(chunks, plan.field.type)
            found += [Loss(each.text, name) for each in plan.findings]
        if pa.types.is_timestamp(plain.type) and plain.type.tz:
            found.append(Loss(f"the time zone {plain.type.tz}: times are given in UTC", name))
            plain = plain.cast(pa.timestamp(plain.type.unit, "UTC"))
            plain = plain.cast(pa.timestamp(plain.type.unit))
        columns.append(plain)
    data = pa.table(columns, names=table.data.column_names)
    return dataclasses.replace(table, data=data), found


def is_text(kind: pa.DataType) -> bool:
    """Whether a plain column is stored as bytes."""
    return bool(pa.types.is_string(kind))


def is_duration(kind: pa.DataType) -> bool:
    """Whether a plain column holds durations or times of a day."""
    return bool(pa.types.is_duration(kind) or pa.types.is_time(kind))


def require_variables(table: Table, path: Path) -> None:
    """Refuse a table that no statistics package can hold.

    Raises:
        OutputError: It has no variables.
    """
    if not table.variables:
        raise OutputError("a file of a statistics package needs at least one variable", path)


def batches_of(
    table: Table, rows: int
) -> Iterator[tuple[pa.RecordBatch, dict[str, npt.NDArray[np.int8]]]]:
    """Yield the cases in batches of exactly ``rows``, the last one shorter, with their tags."""
    for start in range(0, table.cases, rows):
        tags = {
            name: column.slice(start, rows).to_numpy()
            for name, column in table.missing_tags.items()
        }
        for batch in table.data.slice(start, rows).combine_chunks().to_batches():
            yield batch, tags


def rows_of(case_bytes: int) -> int:
    """Return how many cases are made at once, a multiple of eight."""
    return max(8, min(_BLOCK_ROWS, _BLOCK_BYTES // max(case_bytes, 1)) // 8 * 8)


def numbers(column: pa.Array, clock: Clock) -> tuple[Floats, Flags]:
    """Return a plain column that is not text as a package counts, and which cases have a number.

    Not-a-number counts as none.
    """
    kind, valid = column.type, column.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_floating(kind):
        values = column.cast(pa.float64()).fill_null(np.nan).to_numpy(zero_copy_only=False)
        return values, valid & ~np.isnan(values)
    if pa.types.is_boolean(kind):
        column = column.cast(pa.int8())
    if pa.types.is_date(kind) or pa.types.is_time32(kind):
        column = column.cast(pa.int32())
    counts = column.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False)
    if pa.types.is_date(kind):
        return (counts + clock.epoch).astype(np.float64) * clock.day, valid
    if pa.types.is_temporal(kind):
        whole, parts = np.divmod(counts, _PER_SECOND[kind.unit])
        if pa.types.is_timestamp(kind):
            whole += clock.epoch * _DAY
        return _joined(whole, parts, _PER_SECOND[kind.unit], clock), valid
    return counts.astype(np.float64), valid


def _joined(whole: npt.NDArray[np.int64], parts: npt.NDArray[np.int64], unit: int, clock: Clock
) -> Floats:  # fmt: skip
    """Return whole seconds and parts of a second as one number of the clock, rounded once."""
    if unit % clock.second == 0:
        unit //= clock.second
        whole = whole * clock.second + parts // unit
        parts = parts % unit
    else:
        whole, parts = whole * clock.second + parts * (clock.second // unit), parts * 0
    joined: Floats = whole.astype(np.float64) + parts / unit
    return joined


def inexact(column: pa.ChunkedArray, clock: Clock) -> int:
    """Return how many values of a plain column that is not text are no longer the same as doubles.

    Those are integers beyond 53 bits, and fractions of a second too fine for a date so far off.
    """
    if pa.types.is_floating(column.type) or pa.types.is_date(column.type):
        return 0
    count = 0
    for chunk in column.chunks:
        values, valid = numbers(chunk, clock)
        stored = chunk.cast(pa.int64()).fill_null(0) if not _is_small(chunk.type) else None
        if stored is None:
            continue
        back = _back(values, chunk.type, clock)
        given = stored.to_numpy(zero_copy_only=False)
        count += int(np.count_nonzero(valid & (back != given)))
    return count


def negative_zeros(column: pa.ChunkedArray) -> int:
    """Return how many numbers of a column of floats are -0."""
    zeros = (chunk.filter(pc.equal(chunk, 0.0)) for chunk in column.chunks)
    return sum(int(np.signbit(each.to_numpy(zero_copy_only=False)).sum()) for each in zeros)


def _is_small(kind: pa.DataType) -> bool:
    return bool(pa.types.is_boolean(kind) or kind.bit_width < 64)  # noqa: PLR2004


def _back(values: Floats, kind: pa.DataType, clock: Clock) -> npt.NDArray[np.int64]:
    """Return doubles as the 64-bit counts that a reader takes them for."""
    if not pa.types.is_temporal(kind):
        within = np.abs(values) < 2.0**63
        return np.where(within, values, 0).astype(np.int64)
    origin = clock.epoch * _DAY * clock.second if pa.types.is_timestamp(kind) else 0
    since = values - origin
    whole = np.floor(since)
    unit = _PER_SECOND[kind.unit]
    if unit < clock.second:
        return (whole // (clock.second // unit)).astype(np.int64)
    finer = unit // clock.second
    parts = np.rint((since - whole) * finer).astype(np.int64)
    return whole.astype(np.int64) * finer + parts


def raw_number(value: Value, kind: pa.DataType, clock: Clock) -> float | None:
    """Return a code of a column that is not text as the package stores it; None where it cannot.

    A code of a date or time is text as an archival table shows it, or SPSS's own number.
    """
    if not pa.types.is_temporal(kind):
        return None if isinstance(value, str) or math.isnan(value) else float(value)
    seconds = temporal_seconds(value) if isinstance(value, str) else value
    if seconds is None or math.isnan(seconds):
        return None
    if clock == SPSS_CLOCK:
        return float(seconds)
    if pa.types.is_date(kind):
        days = seconds / _DAY - SPSS_CLOCK.epoch + clock.epoch
        return days * clock.day
    if pa.types.is_timestamp(kind):
        seconds -= (SPSS_CLOCK.epoch - clock.epoch) * _DAY
    return float(seconds) * clock.second


def declared_width(storage: str, prefix: str) -> int:
    """Return the width in a storage type such as ``A20``, ``str18`` or ``char8``; 0 for another."""
    digits = storage.removeprefix(prefix)
    known = storage.startswith(prefix) and digits.isdecimal() and len(digits) < _WIDTH_DIGITS
    return int(digits) if known else 0


def longest(column: pa.ChunkedArray) -> int:
    """Return the bytes of the longest text."""
    return pc.max(pc.binary_length(column)).as_py() or 0


def cut_texts(column: pa.ChunkedArray, limit: int) -> tuple[pa.ChunkedArray, int]:
    """Cut texts to at most ``limit`` bytes, between characters; tell how many were longer."""
    if longest(column) <= limit:
        return column, 0
    chunks, count = [], 0
    for chunk in column.chunks:
        long = pc.fill_null(pc.greater(pc.binary_length(chunk), limit), False)
        cut = [cut_bytes(text, limit) for text in chunk.filter(long).to_pylist()]
        chunks.append(pc.replace_with_mask(chunk, long, pa.array(cut, pa.string())))
        count += len(cut)
    return pa.chunked_array(chunks, pa.string()), count


def replace_texts(column: pa.ChunkedArray, old: str, new: str) -> tuple[pa.ChunkedArray, int]:
    """Replace characters that a format cannot hold; tell in how many cases."""
    count = count_true(pc.match_substring(column, old))
    return (pc.replace_substring(column, old, new), count) if count else (column, 0)


def text_matrix(column: pa.StringArray, width: int, padding: int) -> Bytes:
    """Return texts of at most ``width`` bytes as cases by bytes; null is padding alone."""
    column = column.fill_null("")
    _, offsets, data = column.buffers()
    ends = np.frombuffer(offsets, np.int32)[column.offset : column.offset + len(column) + 1]
    matrix = np.full((len(column), width), padding, np.uint8)
    if data is not None and len(column):
        used = np.arange(width) < np.diff(ends)[:, None]
        matrix[used] = np.frombuffer(data, np.uint8)[ends[0] : ends[-1]]
    return matrix
