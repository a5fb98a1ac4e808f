"""Arrow arrays go in, arguments of the compiled kernels come out, without copying."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from tabkit._native import core

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabkit._native.core import Array, Decoded
    from tabkit.profiles import TabLayout

#: By Arrow's number of a type, whose look-up costs less than that of the type.
#: Source: Arrow C data interface, "Data type description".
_FORMATS: Final = {kind.id: text for kind, text in {
    pa.float64(): "g", pa.float32(): "f", pa.bool_(): "b", pa.string(): "u",
    pa.large_string(): "U", pa.int8(): "c", pa.int16(): "s", pa.int32(): "i", pa.int64(): "l",
    pa.uint8(): "C", pa.uint16(): "S", pa.uint32(): "I", pa.uint64(): "L", pa.date32(): "tdD",
}.items()}  # fmt: skip
#: Formats of integers and floats.
NUMBERS: Final = frozenset("gfcsilCSIL")
MOST_DIGITS: Final = 16  # of a number in a UNF; a header may say more
_UNITS: Final = {"s": "s", "ms": "m", "us": "u", "ns": "n"}


def format_of(kind: pa.DataType) -> str:
    """Return the format of a type that the kernels know, else an empty text."""
    if (found := _FORMATS.get(kind.id)) is not None:
        return found
    if pa.types.is_timestamp(kind):
        return f"ts{_UNITS[kind.unit]}:{kind.tz or ''}"
    if pa.types.is_duration(kind):
        return f"tD{_UNITS[kind.unit]}"
    if pa.types.is_time(kind):
        return f"tt{_UNITS[kind.unit]}"
    return ""


def described(array: pa.Array) -> Array | None:
    """Return an array as the kernels take it; None where they do not know its type."""
    kind = format_of(array.type)
    if not kind:
        return None
    validity, values, *data = array.buffers()
    return kind, len(array), array.offset, validity, values, data[0] if data else None


def normalize(array: pa.Array, digits: int, characters: int) -> bytes | None:
    """Return the bytes that a UNF hashes; None where the type is not known.

    The header's digits may be more than 16, which count as 16.
    """
    given = described(array)
    return None if given is None else core.normalize(given, min(digits, MOST_DIGITS), characters)


def style_of(kind: pa.DataType, layout: TabLayout, *, bare: bool) -> str:
    """Return how cells of a type are printed in an archival table."""
    if pa.types.is_float64(kind):
        return layout.numbers.value
    if pa.types.is_float32(kind):
        return (layout.singles or layout.numbers).value
    return "bare" if bare else "quoted"


def tab_lines(columns: Sequence[tuple[pa.Array, str]], rows: int, escaped: str) -> bytes:
    """Return the lines of an archival table; each array comes with its style.

    Raises:
        ValueError: A type is not known, or arrays differ in length.
    """
    given = []
    for array, style in columns:
        column = described(array)
        if column is None:
            msg = f"no cells are printed of the type {array.type}"
            raise ValueError(msg)
        given.append((column, style))
    return core.tab_lines(given, rows, escaped)


def decoded_array(column: Decoded, kind: pa.DataType, count: int) -> pa.Array:
    """Return a column of `core.decode_cases` as an Arrow array of its own type, without copying."""
    missing, validity, values, data, _, _ = column
    buffers = [None if validity is None else pa.py_buffer(validity), pa.py_buffer(values)]
    if data is not None:
        buffers.append(pa.py_buffer(data))
    return pa.Array.from_buffers(kind, count, buffers, missing)
