"""The types of an archival table's columns, told by how their cells are written.

Text is quoted, numbers and dates are not; each type has a shape that no other has, but that every
whole number is a number.
"""

from __future__ import annotations

from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_TIME: Final = r"[0-9]{2,}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_SHAPES: Final[tuple[tuple[str, pa.DataType], ...]] = (
    (r'\A"', pa.string()),
    (r"\A([0-9]{1,18}|-[1-9][0-9]{0,17})\z", pa.int64()),
    (r"\A(-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?|NaN|-?Inf)\z", pa.float64()),
    (rf"\A{_DAY}\z", pa.date32()),
    (rf"\A{_DAY} {_TIME}\z", pa.timestamp("us")),
    (rf"\A{_DAY} {_TIME}Z\z", pa.timestamp("us", "UTC")),
    (rf"\A-?{_TIME}\z", pa.duration("us")),
)
_NUMBERS: Final = {pa.int64(), pa.float64()}
BARE: Final = pa.large_string()  # text of which not every cell is quoted


def type_of(cells: pa.Array, before: pa.DataType | None = None) -> pa.DataType | None:
    """Return the type that cells have, and all before them.

    Args:
        cells: Text without nulls; empty cells are missing.
        before: What this function returned for the cells before these.

    Returns:
        `BARE` for text without quotes or for cells that no other type fits; None where nothing
        was filled in so far.
    """
    filled = cells.filter(pc.not_equal(cells, ""))
    if before == BARE or not len(filled):
        return before
    likely = sorted(_SHAPES, key=lambda each: each[1] != before)
    found = next((kind for shape, kind in likely if _all_look(filled, shape, kind)), BARE)
    if before is None or found == before:
        return found
    return pa.float64() if {found, before} == _NUMBERS else BARE


def _all_look(cells: pa.Array, shape: str, kind: pa.DataType) -> bool:
    if not pc.all(pc.match_substring_regex(cells, shape), min_count=0).as_py():
        return False
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        try:  # a day that the calendar does not have is text
            pc.utf8_rtrim(cells, "Z").cast(pa.timestamp("us"))
        except pa.ArrowInvalid:
            return False
    return True
