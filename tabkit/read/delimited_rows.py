"""Rows of a delimited file, read once: tokenised, evened out, their types observed, and put by.

Types are known only when every row was seen; until then the cells wait as text, in memory while
they are few, else in a temporary file without a name that vanishes with its last user.
"""

from __future__ import annotations

import dataclasses
import tempfile
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from tabkit.errors import FormatError
from tabkit.limits import Limits, refuse
from tabkit.model import Finding
from tabkit.read.delimited_tokens import tokenize

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tabkit.read.delimited_cells import Bytes, Cells, Dialect, Flags, Integers

CHUNK_BYTES: Final = 1 << 22
NOTED_ROWS: Final = 1000  # long rows whose further cells are kept as notes
_MEMORY_BYTES: Final = 1 << 26  # of cells waiting
_PAD_CELLS, _PAD_FACTOR = 50_000_000, 20  # a table may not consist of padding
_JOINED_BYTES: Final = 1 << 25  # of cells joined into one block
_SCHEMA: Final = pa.schema([pa.field("cells", pa.string())])


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Whole rows: their cells, and the source bytes they came from, for line numbers."""

    source: bytes
    cells: Cells
    first_line: int

    def line(self, row: int) -> int:
        """Return the number of the line that a row begins in, from 1."""
        before = int(self.cells.row_ends[row - 1]) if row else 0
        return self.first_line + count_lines(self.source[:before]) + (row > 0)

    def row(self, row: int) -> list[str]:
        """Return the cells of a row."""
        first = int(self.cells.counts[:row].sum())
        ends = self.cells.ends[first : first + int(self.cells.counts[row])].tolist()
        starts = [int(self.cells.ends[first - 1]) if first else 0, *ends]
        return [
            self.cells.text[start:end].tobytes().decode()
            for start, end in zip(starts, ends, strict=False)
        ]

    def has_carriage_return(self) -> bool:
        """Tell whether a cell holds a CR (one that does not end a row)."""
        return bool((self.cells.text == ord("\r")).any())


def count_lines(source: bytes) -> int:
    """Count line ends: LF, CR and CRLF."""
    ends = int(np.count_nonzero(np.frombuffer(source, np.uint8) == ord("\n")))
    if b"\r" in source:
        ends += source.count(b"\r") - source.count(b"\r\n")
    return ends


def read_chunks(
    head: bytes,
    pieces: Iterator[bytes],
    dialect: Dialect,
    path: Path,
    first_line: int,
    limits: Limits,
) -> Iterator[Chunk]:
    """Tokenise a text chunk by chunk.

    Args:
        head: UTF-8 that was read already.
        pieces: The UTF-8 that follows.
        dialect: Delimiter and quotes.
        path: For messages.
        first_line: Number of the line that ``head`` begins with.
        limits: ``cell`` and ``row``; a quote that is open for longer than a cell was none.

    Raises:
        LimitError: A row or a quoted cell is longer.
    """
    buffer, ended, line, window = head, False, first_line, CHUNK_BYTES
    while buffer or not ended:
        if not ended and len(buffer) < window:
            buffer, ended = _extend(buffer, pieces, window)
        part, final = buffer[:window], ended and len(buffer) <= window
        cells = tokenize(part, dialect, final=final)
        if not cells.used and window > limits.cell:
            cells = _insist(part, dialect, path, f"line {line:,}", limits, final=final)
        if cells.used:
            yield Chunk(part, cells, line)
            line += count_lines(part[: cells.used])
            buffer = buffer[cells.used :]
        window = CHUNK_BYTES if cells.used else 2 * window


def _extend(buffer: bytes, pieces: Iterator[bytes], size: int) -> tuple[bytes, bool]:
    """Read on until there are ``size`` bytes; tell whether the end was reached."""
    parts = [buffer]
    size -= len(buffer)
    for piece in pieces:
        parts.append(piece)
        size -= len(piece)
        if size <= 0:
            return b"".join(parts), False
    return b"".join(parts), True


def _insist(
    source: bytes, dialect: Dialect, path: Path, where: str, limits: Limits, *, final: bool
) -> Cells:
    """Tokenise the row at the start although its end is not in sight."""
    cells = tokenize(source, dialect, final=final, force=dialect.strays)
    if not cells.used and not dialect.strays and dialect.quote.encode() in source:
        what, more = (
            "a quoted cell has no end within",
            "--profile tabkit takes a stray quote as text",
        )
        raise refuse(path, what, limits, "cell", where, more)
    if not cells.used and len(source) >= limits.row:
        raise refuse(path, "this is no table, or a row is longer than", limits, "row", where)
    return cells


@dataclasses.dataclass(slots=True)
class Store:
    """Cells put by, block after block, and given back in the same order.

    Small blocks are joined: what comes after costs by the block.
    """

    file: tempfile.SpooledTemporaryFile[bytes]
    writer: pa.RecordBatchStreamWriter
    most_cells: int
    widths: list[int] = dataclasses.field(default_factory=list)
    waiting: list[pa.StringArray] = dataclasses.field(default_factory=list)
    waiting_width: int = 0

    @classmethod
    def empty(cls, most_cells: int) -> Store:
        """Make a store without cells; blocks of up to ``most_cells`` are joined."""
        file = tempfile.SpooledTemporaryFile(_MEMORY_BYTES, prefix="tabkit-")  # noqa: SIM115
        return cls(file, pa.ipc.new_stream(pa.PythonFile(file, "w"), _SCHEMA), most_cells)

    def append(self, cells: pa.StringArray, width: int) -> None:
        """Put whole rows of ``width`` cells by."""
        together = [*self.waiting, cells]
        if (
            width != self.waiting_width
            or sum(map(len, together)) > self.most_cells
            or sum(each.nbytes for each in together) > _JOINED_BYTES
        ):
            self._flush()
        self.waiting.append(cells)
        self.waiting_width = width

    def _flush(self) -> None:
        if self.waiting:
            joined = pa.concat_arrays(self.waiting)
            self.writer.write_batch(pa.record_batch([joined], schema=_SCHEMA))
            self.widths.append(self.waiting_width)
            self.waiting = []

    def finish(self) -> None:
        """End the writing."""
        self._flush()
        self.writer.close()

    def __iter__(self) -> Iterator[tuple[pa.StringArray, int]]:
        """Yield the blocks of cells with the width of their rows."""
        self.file.seek(0)
        with pa.ipc.open_stream(pa.PythonFile(self.file, "r")) as reader:
            for width in self.widths:
                yield reader.read_next_batch().column(0), width

    def close(self) -> None:
        """Let the file vanish; safe to call twice."""
        self.file.close()

    def __del__(self) -> None:
        """Close the file of a stream that was dropped unread."""
        self.file.close()


@dataclasses.dataclass(slots=True)
class Rows:
    """What became of the rows so far.

    Attributes:
        width: Columns; grows with the longest row.
        cases: Rows that were put by.
        present: Their cells.
        blank: Empty lines left out.
        shortest: Cells of the shortest row, None without rows.
        longest: Cells of the longest row.
        short: Rows with fewer cells than the header has names.
        long: Rows with more.
        first_short: Line of the first short row.
        first_long: Line of the first long row.
        first_ragged: Line and cells of the first row that is short or long.
        trailing: Cells with text behind their closing quote.
        strays: Quotes without an end, taken as text.
        first_stray: Line of the first of them.
        surplus: What long rows hold beyond the header's names, by line; no more of them than a
            codebook can note.
    """

    names: int
    width: int
    cases: int = 0
    present: int = 0
    blank: int = 0
    shortest: int | None = None
    longest: int = 0
    short: int = 0
    long: int = 0
    first_short: int = 0
    first_long: int = 0
    first_ragged: tuple[int, int] | None = None
    trailing: int = 0
    strays: int = 0
    first_stray: int = 0
    surplus: list[tuple[int, list[str]]] = dataclasses.field(default_factory=list)

    def add(self, chunk: Chunk, start: int, *, drop_blank: bool) -> Flags:
        """Count the rows of a chunk from ``start`` on; return which of all its rows are cases."""
        counts = chunk.cells.counts
        self.trailing += chunk.cells.trailing
        self.strays += chunk.cells.strays
        if chunk.cells.strays and not self.first_stray:
            before = chunk.source[: chunk.cells.stray_at]
            self.first_stray = chunk.first_line + count_lines(before)
        kept = ~chunk.cells.blank if drop_blank else np.ones(len(counts), np.bool_)
        self.blank += int((~kept[start:]).sum())
        kept[:start] = False
        if not kept.any():
            return kept
        shortest, longest = int(counts[kept].min()), int(counts[kept].max())
        self.shortest = shortest if self.shortest is None else min(self.shortest, shortest)
        self.longest = max(self.longest, longest)
        if shortest != longest or longest != self.names:
            ragged = int((kept & (counts != self.names)).argmax())
            self.first_ragged = self.first_ragged or (chunk.line(ragged), int(counts[ragged]))
        if shortest < self.names:
            short = kept & (counts < self.names)
            self.first_short = self.first_short or chunk.line(int(short.argmax()))
            self.short += int(short.sum())
        if longest > self.names:
            long = kept & (counts > self.names)
            self.first_long = self.first_long or chunk.line(int(long.argmax()))
            self.long += int(long.sum())
            for row in np.flatnonzero(long)[: NOTED_ROWS + 1 - len(self.surplus)].tolist():
                self.surplus.append((chunk.line(row), chunk.row(row)[self.names :]))
        self.width = max(self.width, longest)
        self.cases += int(kept.sum())
        self.present += int(counts[kept].sum())
        return kept

    def findings(self, *, long_told: bool) -> list[Finding]:
        """Tell what was not sound, and how it was treated; ``long_told``: long rows are told."""
        lacking = f"line {self.first_short:,} on; the cells they lack are missing"
        beyond = f"the header has no names from column {self.names + 1:,} on"
        warnings = (
            (self.short, f"short rows: {self.short:,}, from {lacking}"),
            (
                self.long and not long_told,
                f"long rows: {self.long:,}, from line {self.first_long:,} on; {beyond}",
            ),
            (self.trailing, f"cells with text behind their closing quote: {self.trailing:,}"),
            (
                self.strays,
                f"quotes without an end, taken as text: {self.strays:,}, "
                f"from line {self.first_stray:,} on",
            ),
        )
        found = [Finding(text, "warning") for count, text in warnings if count]
        if self.blank:
            found.append(Finding(f"blank lines passed over: {self.blank:,}"))
        return found

    def check_padding(self, path: Path) -> None:
        """Raise FormatError where the table would consist of padding."""
        padding = self.cases * self.width - self.present
        if padding > max(_PAD_CELLS, _PAD_FACTOR * self.present):
            raise FormatError(
                f"the header has {self.names:,} names but rows have {self.shortest:,} to "
                f"{self.longest:,} cells: this is no table",
                path,
                hint="name the delimiter with --delimiter",
            )


def even_blocks(
    cells: Cells, kept: Flags, width: int, most_cells: int
) -> Iterator[tuple[pa.StringArray, Bytes, Integers]]:
    """Even the kept rows out to ``width`` cells; a cell that a row lacks is null.

    Yields:
        The cells of some rows, their text and where each ends in it (see `Cells`).
    """
    counts = cells.counts[kept]
    if not len(counts):
        return
    firsts = (np.cumsum(cells.counts) - cells.counts)[kept]
    if kept.all() and (counts == width).all() and len(cells.ends) <= most_cells:
        yield _strings(cells.text, cells.ends, None), cells.text, cells.ends
        return
    height = max(1, most_cells // width)
    for at in range(0, len(counts), height):
        few = counts[at : at + height]
        index = firsts[at : at + height, None] + np.minimum(np.arange(width), few[:, None] - 1)
        begin = int(cells.ends[index[0, 0] - 1]) if index[0, 0] else 0
        ends = cells.ends[index].ravel() - begin
        text = cells.text[begin : begin + int(ends[-1])]
        present = None
        if not (few == width).all():
            present = (np.arange(width) < few[:, None]).ravel()
        yield _strings(text, ends, present), text, ends


def _strings(text: Bytes, ends: Integers, present: Flags | None) -> pa.StringArray:
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    validity = None
    if present is not None:
        validity = pa.py_buffer(np.packbits(present, bitorder="little"))
    buffers = [validity, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(text))]
    return pa.Array.from_buffers(pa.string(), len(ends), buffers)
