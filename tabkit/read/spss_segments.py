"""Columns of a system file: its records go in, the segments of very long strings joined come out.

Source: GNU PSPP developer's guide, "System File Format" (very long strings).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from tabkit.model import Finding
from tabkit.read.spss_extensions import PADDING, parse_pairs
from tabkit.read.spss_records import ELEMENT_BYTES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabkit.read.spss_records import Records, VariableRecord

_LONG_WIDTHS: Final = 14
_SEGMENT_BYTES, _SEGMENT_STEP, _LONGEST = 255, 252, 32_767


class Column(NamedTuple):
    """A variable as stored: one record, or the records of a very long string's segments.

    Attributes:
        record: The one that has the variable's name, label and format.
        short_name: The stored name without padding.
        width: Bytes of a string, 0 for a number.
        pieces: Its (first byte, bytes) pairs in a case; the last pieces of a very long string hold
            what is left of the width.
    """

    record: VariableRecord
    short_name: bytes
    width: int
    pieces: tuple[tuple[int, int], ...]


def column_of(record: VariableRecord) -> Column:
    """Return the column of one record."""
    pieces = ((record.element * ELEMENT_BYTES, record.width or ELEMENT_BYTES),)
    return Column(record, record.name.rstrip(PADDING), record.width, pieces)


def long_column(records: Sequence[VariableRecord], width: int) -> Column:
    """Return the column of a very long string, of its segments."""
    left = width
    pieces: list[tuple[int, int]] = []
    for record in records:
        size = min(left, record.width)
        if size:
            pieces.append((record.element * ELEMENT_BYTES, size))
        left -= size
    return Column(records[0], records[0].name.rstrip(PADDING), width, tuple(pieces))


def join_segments(records: Records, findings: list[Finding]) -> list[Column]:
    """Put the segments of very long strings together, as record 7/14 has them."""
    widths = _long_widths(records)
    columns: list[Column] = []
    queue = records.variables
    place = 0
    while place < len(queue):
        column = column_of(queue[place])
        place += 1
        if (width := widths.get(column.short_name)) is not None:
            count = -(-width // _SEGMENT_STEP)
            parts = queue[place - 1 : place - 1 + count]
            if _are_segments(parts, width, count):
                column = long_column(parts, width)
                place += count - 1
            else:
                name = column.record.name.decode("latin-1").strip()
                text = f"a string of {width:,} bytes is promised and its parts are not there"
                findings.append(Finding(text, "warning", name))
        columns.append(column)
    return columns


def _long_widths(records: Records) -> dict[bytes, int]:
    """Return the bytes of very long strings by short name, as far as they make sense."""
    stored = records.extension(_LONG_WIDTHS)
    return {
        name: width
        for name, digits in (parse_pairs(stored.data) if stored else {}).items()
        if digits.isdigit()
        and len(digits) < 10  # noqa: PLR2004
        and _SEGMENT_BYTES < (width := int(digits)) <= _LONGEST
    }


def _are_segments(parts: Sequence[VariableRecord], width: int, count: int) -> bool:
    """Whether records have the widths that the parts of a very long string have."""
    last = width - (count - 1) * _SEGMENT_STEP
    return (
        len(parts) == count
        and all(part.width == _SEGMENT_BYTES for part in parts[:-1])
        and -(-parts[-1].width // 8) == -(-last // 8)
    )
