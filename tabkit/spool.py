"""A table that is read once, block by block, and then asked for column by column.

Some outputs want a whole column before the next one begins (R's data frames), or two looks at each
column (a width before the cases). Blocks go in; what passes the memory goes to a temporary file
without a name, in the folder that ``TMPDIR`` names, and comes back a piece of a column at a time.

    with spooled(stream) as spool:                 # or ColumnSpool(stream.schema, memory), append
        for index, name in enumerate(stream.schema.names):
            for array in spool.column(index):      # Arrow arrays of the schema's type, in order
                ...
            if spool.has_tags(name):
                for tags in spool.tags(index):     # int8 arrays, cut as the column's arrays are
                    ...
"""

from __future__ import annotations

import os
import threading
import weakref
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
import pyarrow as pa

from tabkit.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import TracebackType

    from tabkit.model import Block, TableStream

    Piece = tuple[int, int]  # first byte in the file, bytes

PIECE_BYTES: Final = 4 << 20  # of a column, read back at once
SHARE: Final = 4  # a quarter of the memory of a run is for cases that wait; blocks on their way
#   through it, the description's numbers, and the libraries have the rest


class SpillFile:
    """A temporary file without a name: bytes go in at its end, and are read from anywhere.

    Threads may read at the same time. The file is made at the first write and is gone when closed,
    collected, or when the process ends in whatever way.
    """

    def __init__(self) -> None:
        self._file: BinaryIO | None = None
        self._end = 0
        self._writing = threading.Lock()

    def write(self, data: memoryview | pa.Buffer) -> int:
        """Append bytes and return where they begin.

        Raises:
            OutputError: There is no room for them.
        """
        import tempfile

        view = memoryview(data).cast("B")
        with self._writing:
            start = self._end
            try:
                if self._file is None:
                    self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115
                    weakref.finalize(self, self._file.close)
                done = 0
                while done < len(view):
                    done += os.pwrite(self._file.fileno(), view[done:], start + done)
            except OSError as error:
                msg = f"a temporary file of {start + len(view):,} bytes cannot be made"
                why = (error.strerror or str(error)).lower()
                raise OutputError(msg, tempfile.gettempdir(), why, "set TMPDIR") from error
            self._end += len(view)
        return start

    def read_into(self, start: int, target: memoryview) -> None:
        """Fill ``target`` with what was written from ``start`` on.

        Raises:
            OutputError: The file has been cut.
        """
        import tempfile

        view, done = target.cast("B"), 0
        while done < len(view):
            found = 0
            if self._file is not None:
                found = os.preadv(self._file.fileno(), [view[done:]], start + done)
            if not found:
                msg = "the temporary file has become shorter"
                raise OutputError(msg, tempfile.gettempdir())
            done += found

    def close(self) -> None:
        """Give the room back; safe to call twice."""
        if self._file is not None:
            self._file.close()
            self._file = None


class ColumnSpool:
    """Takes blocks, gives columns; both in order of the cases.

    Append from one thread; when all is in, threads may read at the same time, as often as wanted.

    Args:
        schema: Of every block.
        memory: Bytes of blocks that are held before they go to the file. Reading back takes
            `PIECE_BYTES` for each column that is being read (more only where a single held
            part of one column is larger).
    """

    def __init__(self, schema: pa.Schema, memory: int) -> None:
        self.schema, self.cases = schema, 0
        self._memory, self._held, self._size = memory, 0, 0
        self._blocks: list[Block] = []
        self._file = SpillFile()
        self._pieces: list[list[Piece]] = [[] for _ in schema]
        self._rows: list[list[int]] = [[] for _ in schema]
        self._tags: dict[str, dict[int, Piece]] = {}
        self._tagged: set[str] = set()

    def append(self, block: Block) -> None:
        """Add the cases of a block.

        Raises:
            OutputError: The temporary file has no room.
        """
        self.cases += block.data.num_rows
        self._tagged.update(block.missing_tags)
        self._blocks.append(block)
        size = block.data.nbytes + sum(tags.nbytes for tags in block.missing_tags.values())
        self._held += size
        self._size += size
        if self._held > self._memory:
            self._spill()

    def has_tags(self, name: str) -> bool:
        """Whether any case of a variable may have a missing tag."""
        return name in self._tagged

    def column(self, index: int) -> Iterator[pa.Array]:
        """Yield the cases of one column: arrays of the schema's type, none empty."""
        for place in self._pieces[index]:
            yield from self._read(place)
        for block in self._blocks:
            if block.data.num_rows:
                yield block.data.column(index)

    def tags(self, index: int) -> Iterator[pa.Int8Array]:
        """Yield the missing tags of one column, an array for each that `column` yields."""
        name = self.schema.names[index]
        places = self._tags.get(name, {})
        for number, rows in enumerate(self._rows[index]):
            if number in places:
                yield from self._read(places[number])
            else:
                yield _no_tags(rows)
        for block in self._blocks:
            if block.data.num_rows:
                yield block.missing_tags.get(name, _no_tags(block.data.num_rows))

    def tables(self, rows: int) -> Iterator[tuple[pa.Table, dict[str, pa.ChunkedArray]]]:
        """Yield the cases once more, ``rows`` at a time, with the tags of tagged variables.

        Texts stay in the pieces in which they lie, so that no column outgrows its type.
        """
        columns = [_Cursor(self.column(index)) for index in range(len(self.schema))]
        tags = {
            name: _Cursor(self.tags(index))
            for index, name in enumerate(self.schema.names)
            if name in self._tagged
        }
        for start in range(0, self.cases, rows):
            count = min(rows, self.cases - start)
            taken = [
                pa.chunked_array(column.take(count), kind)
                for column, kind in zip(columns, self.schema.types, strict=True)
            ]
            yield (
                pa.Table.from_arrays(taken, schema=self.schema),
                {name: pa.chunked_array(each.take(count)) for name, each in tags.items()},
            )

    def rows_within(self, size: int) -> int:
        """Return how many cases take about ``size`` bytes, at least 1."""
        return max(1, size * self.cases // max(self._size, 1))

    def close(self) -> None:
        """Forget everything; safe to call twice."""
        self._blocks.clear()
        self._file.close()

    def __enter__(self) -> ColumnSpool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _spill(self) -> None:
        """Move what is held to the file, a column after the other, in pieces of bounded size."""
        blocks, self._blocks, self._held = self._blocks, [], 0
        for index, field in enumerate(self.schema):
            name = field.name
            is_tagged = any(name in block.missing_tags for block in blocks)
            waiting: list[Block] = []
            size = 0
            for block in blocks:
                waiting.append(block)
                size += block.data.column(index).nbytes
                if size >= PIECE_BYTES:
                    self._write(waiting, index, field, is_tagged=is_tagged)
                    waiting, size = [], 0
            self._write(waiting, index, field, is_tagged=is_tagged)

    def _write(self, blocks: list[Block], index: int, field: pa.Field, *, is_tagged: bool) -> None:
        arrays = [block.data.column(index) for block in blocks if block.data.num_rows]
        if not arrays:
            return
        if is_tagged:
            tags = [
                block.missing_tags.get(field.name, _no_tags(block.data.num_rows))
                for block in blocks
                if block.data.num_rows
            ]
            number = len(self._pieces[index])
            self._tags.setdefault(field.name, {})[number] = self._store(tags, _TAG_FIELD)
        self._pieces[index].append(self._store(arrays, field))
        self._rows[index].append(sum(map(len, arrays)))

    def _store(self, arrays: list[pa.Array], field: pa.Field) -> Piece:
        """Write one column as a stream of Arrow's own format, which knows every type."""
        array = arrays[0] if len(arrays) == 1 else pa.concat_arrays(arrays)
        schema = pa.schema([pa.field("column", field.type)])
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as writer:
            writer.write_batch(pa.RecordBatch.from_arrays([array], schema=schema))
        data = sink.getvalue()
        return self._file.write(data), data.size

    def _read(self, place: Piece) -> Iterator[pa.Array]:
        start, size = place
        data = pa.allocate_buffer(size)
        self._file.read_into(start, memoryview(data))
        with pa.ipc.open_stream(data) as reader:
            for batch in reader:
                yield batch.column(0)


class _Cursor:
    """Takes so many cases at a time from arrays that are cut otherwise."""

    def __init__(self, arrays: Iterator[pa.Array]) -> None:
        self._arrays = arrays
        self._rest: pa.Array | None = None

    def take(self, count: int) -> list[pa.Array]:
        parts: list[pa.Array] = []
        while count:
            array = self._rest if self._rest is not None else next(self._arrays)
            parts.append(array.slice(0, count))
            self._rest = array.slice(count) if len(array) > count else None
            count -= len(parts[-1])
        return parts


def spooled(stream: TableStream) -> ColumnSpool:
    """Read a stream to its end and give its columns; close what is returned after use.

    Args:
        stream: It is closed. A quarter of its ``memory`` may be held.

    Raises:
        FormatError: The stream's file breaks its format's rules.
        OutputError: The temporary file has no room.
    """
    spool = ColumnSpool(stream.schema, stream.memory // SHARE)
    try:
        with stream:
            for block in stream.blocks:
                spool.append(block)
    except BaseException:
        spool.close()
        raise
    return spool


_TAG_FIELD: Final = pa.field("tags", pa.int8())


def _no_tags(rows: int) -> pa.Int8Array:
    return pa.array(np.zeros(rows, np.int8))
