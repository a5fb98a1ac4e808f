"""The fields of an archival table as they stand: bytes go in, text columns come out, untyped.

Lines end with LF and fields with TAB, whatever a field holds; only columns that are asked for are
copied out of a block, and no more than a block is in memory.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import pyarrow as pa

from tabkit.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy.typing as npt

_BLOCK: Final = 1 << 23  # bytes read at once; a longer line is read whole
_TAB, _LF, _CR = 9, 10, 13


def header_of(path: Path) -> list[str]:
    """Return the names in the first line of an archival table.

    Raises:
        FormatError: The line is not UTF-8.
    """
    with path.open("rb") as file:
        line = file.readline()
    try:
        return line.rstrip(b"\r\n").decode("utf-8-sig").split("\t") if line else []
    except UnicodeDecodeError as error:
        raise FormatError("not UTF-8", path, "line 1") from error


def field_blocks(
    path: Path, columns: Sequence[int], width: int, *, header: bool = True
) -> Iterator[list[pa.LargeStringArray]]:
    """Yield some columns of consecutive lines, as text without nulls.

    Args:
        path: The archival table.
        columns: Places of the columns wanted, from 0.
        width: Number of fields in every line.
        header: The first line holds names and is passed over.

    Raises:
        FormatError: A line has another number of fields, or a wanted field is not UTF-8.
    """
    with path.open("rb") as file:
        line = 1
        if header:
            file.readline()
            line = 2
        while data := _whole_lines(file):
            buffer = np.frombuffer(data, np.uint8)
            ends = _field_ends(buffer, width, path, line)
            yield [_column(buffer, ends, column, path, line) for column in columns]
            line += len(ends)


def _whole_lines(file: BinaryIO) -> bytes:
    data = file.read(_BLOCK)
    if data and not data.endswith(b"\n"):
        data += file.readline()
    if data and not data.endswith(b"\n"):
        data += b"\n"  # the last line of the file
    return data


def _field_ends(
    buffer: npt.NDArray[np.uint8], width: int, path: Path, line: int
) -> npt.NDArray[np.int64]:
    """Return where each field ends, a row a line."""
    ends = np.flatnonzero((buffer == _TAB) | (buffer == _LF))
    is_last = buffer[ends] == _LF
    found = np.diff(np.flatnonzero(is_last), prepend=-1)
    wrong = np.flatnonzero(found != width)
    if len(wrong):
        reason = f"{width:,} columns expected, {found[wrong[0]]:,} found"
        raise FormatError(reason, path, f"line {line + int(wrong[0]):,}")
    return ends.reshape(-1, width)


def _column(
    buffer: npt.NDArray[np.uint8],
    ends: npt.NDArray[np.int64],
    column: int,
    path: Path,
    line: int,
) -> pa.LargeStringArray:
    """Copy one column's bytes together."""
    last = ends[:, column]
    first = ends[:, column - 1] + 1 if column else np.concatenate([[0], ends[:-1, -1] + 1])
    if column == ends.shape[1] - 1:
        last = last - ((last > first) & (buffer[last - 1] == _CR))  # a file from Windows
    sizes = last - first
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    places: npt.NDArray[Any] = np.repeat(first - offsets[:-1], sizes)
    places += np.arange(offsets[-1])
    text = pa.LargeStringArray.from_buffers(
        len(last), pa.py_buffer(offsets), pa.py_buffer(buffer[places])
    )
    try:
        text.validate(full=True)
    except pa.ArrowInvalid as error:
        lines = f"lines {line:,} to {line + len(last) - 1:,}"
        raise FormatError(f"column {column + 1} is not UTF-8", path, lines) from error
    return text
