"""Arrow arrays in few forms: every type that describing meets is brought to one of these.

Integers and floats (booleans are 0 and 1, decimals doubles), large strings, dates (``date32``),
date-times (``timestamp``), and times and durations (``duration``).
"""

from __future__ import annotations

import datetime
import math
import numbers
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import numpy.typing as npt


# Arrow's numbers of types: those that are in one of the forms already, texts, dates and times.
_PLAIN: Final = frozenset(
    kind.id
    for kind in (
        *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
        *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
        *(pa.float32(), pa.float64(), pa.large_string()),
    )
)
_TEXTS: Final = frozenset(kind.id for kind in (pa.string(), pa.large_string(), pa.string_view()))
_MOMENTS: Final = frozenset(
    kind.id
    for kind in (
        *(pa.date32(), pa.date64(), pa.time32("s"), pa.time64("us")),
        *(pa.timestamp("s"), pa.duration("s")),
    )
)


def as_chunks(values: Any) -> list[pa.Array]:
    """Return values of any kind that `column_unf` takes as Arrow arrays.

    Raises:
        TypeError: They are of no type that a column can have, or of several that do not mix.
    """
    if isinstance(values, pa.ChunkedArray):
        return list(values.chunks)
    if isinstance(values, pa.Array):
        return [values]
    if isinstance(values, str | bytes) or not hasattr(values, "__iter__"):
        msg = f"a column is wanted, not {type(values).__name__}"
        raise TypeError(msg)
    if hasattr(values, "dtype") and values.dtype != np.dtype(object):
        return _from_array(values)
    return [_from_cells(list(values))]


def _from_array(values: Any) -> list[pa.Array]:
    """Convert an array-like; pandas' NaN is its missing, numpy's is a number."""
    if getattr(values, "ndim", 1) != 1:
        msg = f"a column has one dimension, not {values.ndim}"
        raise TypeError(msg)
    try:
        if hasattr(values, "__arrow_c_stream__"):
            return list(pa.chunked_array(values).chunks)
        found = pa.array(values)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError) as error:
        msg = f"a column of type {values.dtype} cannot be fingerprinted"
        raise TypeError(msg) from error
    return list(found.chunks) if isinstance(found, pa.ChunkedArray) else [found]


def _from_cells(cells: list[object]) -> pa.Array:
    """Convert Python objects: all numbers, all text, or all dates and times of one kind."""
    present = [cell for cell in cells if cell is not None]
    if all(isinstance(cell, numbers.Real | Decimal | np.bool_) for cell in present):
        return pa.array([_double(cell) for cell in cells], pa.float64(), from_pandas=False)
    if all(isinstance(cell, str) for cell in present):
        texts = [_whole(cell) if isinstance(cell, str) else None for cell in cells]
        return pa.array(texts, pa.large_string())
    kinds = {_moment_kind(cell) for cell in present}
    if len(kinds) == 1 and "" not in kinds:
        return pa.array(cells)
    names = ", ".join(sorted({type(cell).__name__ for cell in present}))
    msg = f"a column of {names} values cannot be fingerprinted"
    raise TypeError(msg)


def _double(cell: Any) -> float | None:
    """Return a number as a double, whatever its size, as Java's ``doubleValue`` does."""
    try:
        return None if cell is None else float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf


def _moment_kind(cell: object) -> str:
    """Name the kinds of dates and times, which do not mix; empty for anything else."""
    if isinstance(cell, datetime.datetime):
        return "naive" if cell.tzinfo is None else "zoned"
    kinds = (datetime.date, datetime.time, datetime.timedelta)
    return next((kind.__name__ for kind in kinds if isinstance(cell, kind)), "")


def _whole(text: str) -> str:
    """Return text as Java would encode it: surrogates in pairs joined, lone ones ``?``."""
    if text.isascii():
        return text
    units = text.encode("utf-16-le", "surrogatepass")
    return units.decode("utf-16-le", "surrogatepass").encode("utf-8", "replace").decode()


def plain(array: pa.Array) -> pa.Array:
    """Return ``array`` in one of the forms above, as long as before.

    Raises:
        TypeError: A list, struct, binary or other type that is no column of a statistics package.
    """
    kind = array.type
    if kind.id in _PLAIN:
        return array
    if pa.types.is_dictionary(kind):
        return plain(array.dictionary_decode())
    target = _target(kind)
    if target is None:
        msg = f"a column of type {kind} cannot be described or fingerprinted"
        raise TypeError(msg)
    if pa.types.is_decimal(kind):
        # By way of the text, as the direct cast is not always to the nearest double.
        array = array.cast(pa.string())
    if pa.types.is_time(kind):
        array = array.cast(pa.int32() if kind.bit_width == 32 else pa.int64()).cast(pa.int64())  # noqa: PLR2004
    return array if array.type == target else array.cast(target)


def _target(kind: pa.DataType) -> pa.DataType | None:
    types = pa.types
    if kind.id in _TEXTS:
        return pa.large_string()
    if types.is_boolean(kind):
        return pa.uint8()
    if types.is_floating(kind) or types.is_decimal(kind) or types.is_null(kind):
        return pa.float64()
    if types.is_time(kind):
        return pa.duration(kind.unit)
    if types.is_date64(kind):
        return pa.date32()
    return kind if is_moment(kind) else None


def is_text(kind: pa.DataType) -> bool:
    """Whether a type holds text, be it in a dictionary."""
    return kind.id in _TEXTS or (pa.types.is_dictionary(kind) and is_text(kind.value_type))


def is_moment(kind: pa.DataType) -> bool:
    """Whether a type holds dates, times, date-times or durations."""
    return kind.id in _MOMENTS or (pa.types.is_dictionary(kind) and is_moment(kind.value_type))


def values_and_missing(
    array: pa.Array,
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Return the values of a plain array without copying, and where they are missing.

    Dates and times are counts of their unit. A value that is missing has no meaning; None stands
    for an array in which none is.
    """
    width = "f8" if pa.types.is_float64(array.type) else _dtype(array.type)
    buffer = array.buffers()[1]
    if buffer is None:
        values = np.zeros(len(array), width)
    else:
        values = np.frombuffer(buffer, width, len(array), array.offset * np.dtype(width).itemsize)
    if not array.null_count:
        return values, None
    return values, pc.is_null(array).to_numpy(zero_copy_only=False)


def _dtype(kind: pa.DataType) -> str:
    if pa.types.is_floating(kind):
        return f"f{kind.bit_width // 8}"
    sign = "u" if pa.types.is_unsigned_integer(kind) else "i"
    return f"{sign}{kind.bit_width // 8}"
