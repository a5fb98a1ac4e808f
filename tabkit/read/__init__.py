"""Readers: a file goes in, a `TableStream` comes out. One module a family of formats."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from tabkit.errors import FormatError, VariableNotFoundError
from tabkit.formats import FileFormat, find_format, identify
from tabkit.model import Block, Table, TableStream
from tabkit.options import ReadChoices, ReadOptions, read_options
from tabkit.read.bounds import check_bounds
from tabkit.read.mojibake import watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa


def open_table(
    path: Path | str,
    *,
    format: str | None = None,  # noqa: A002 - the word of the field
    **choices: Unpack[ReadChoices],
) -> TableStream:
    """Open a file as a stream of blocks, with all its metadata known at once.

    Args:
        path: The file.
        format: A name of ``tabkit formats``; None finds it by the first bytes and the suffix.
        **choices: The fields of `ReadOptions`, each with the default it has there: ``profile``
            (or its name), ``encoding``, ``catalog``, ``delimiter``, ``quote``, ``sheet``,
            ``header_row``, ``object``, ``codebook``, ``untrusted``, ``limits`` and others.

    Raises:
        FormatError: The file is not what its format promises.
        LimitError: It asks for more than the limits allow.
        UnknownFormatError: No reader accepts the file.
        OSError: It cannot be opened.
    """
    options = read_options(**choices)
    return open_with(Path(path), options, find_format(format) if format else None)


def open_with(
    path: Path, options: ReadOptions, file_format: FileFormat | None = None, name: str | None = None
) -> TableStream:
    """Open ``path`` with options made elsewhere; ``name`` is the file's own name, for a copy."""
    if path.is_dir():
        raise FormatError("this is a folder, not a file", path)
    if options.untrusted:
        return _open_guarded(path, options, file_format, name)
    if options.codebook is not None:
        from tabkit.read.described import open_described

        stream = open_described(path, options, file_format, name or path.name)
    else:
        stream = (file_format or identify(path, name)).open(path, options)
    check_bounds(stream, options.limits, name or path)
    origin = dataclasses.replace(
        stream.origin, file_name=name or path.name, size=path.stat().st_size
    )
    return watched(
        dataclasses.replace(stream, origin=origin, profile=options.profile, memory=options.memory)
    )


def _open_guarded(
    path: Path, options: ReadOptions, file_format: FileFormat | None, name: str | None
) -> TableStream:
    from tabkit.guard import guarded_stream

    inside = dataclasses.replace(options, untrusted=False)
    arguments = (path, inside, file_format, name)
    stream = guarded_stream(open_with, name or path, options.limits, *arguments)
    return dataclasses.replace(stream, profile=options.profile)


def read(
    path: Path | str,
    *,
    format: str | None = None,  # noqa: A002 - as above
    **choices: Unpack[ReadChoices],
) -> Table:
    """Read a whole file; arguments and errors are those of `open_table`."""
    return read_all(open_table(path, format=format, **choices))


def read_all(stream: TableStream) -> Table:
    """Collect a stream into a table, and close it."""
    import pyarrow as pa

    with stream:
        blocks = list(stream.blocks)
    return Table(
        pa.Table.from_batches([block.data for block in blocks], schema=stream.schema),
        stream.variables,
        {
            variable.name: joined
            for variable in stream.variables
            if (joined := joined_tags(blocks, variable.name)) is not None
        },
        origin=stream.origin,
        notes=stream.notes,
        label=stream.label,
        response_sets=stream.response_sets,
        attributes=stream.attributes,
        findings=tuple(stream.findings),
        profile=stream.profile,
    )


def stream_of(table: Table, rows: int | None = None) -> TableStream:
    """Give a table as a stream of blocks of at most ``rows`` cases; None sizes them by cells."""
    rows = rows or ReadOptions().rows_of(table.data.num_columns)
    return TableStream(
        table.data.schema,
        table.variables,
        _blocks_of(table, rows),
        origin=table.origin,
        cases=table.cases,
        label=table.label,
        notes=table.notes,
        response_sets=table.response_sets,
        attributes=table.attributes,
        findings=list(table.findings),
        profile=table.profile,
    )


def select_stream(stream: TableStream, names: Sequence[str]) -> TableStream:
    """Keep the named variables only, in the given order.

    Raises:
        VariableNotFoundError: A name is not in the stream.
    """
    by_name = {variable.name: variable for variable in stream.variables}
    for name in names:
        if name not in by_name:
            stream.close()
            raise VariableNotFoundError(name, list(by_name))
    wanted = list(dict.fromkeys(names))
    return dataclasses.replace(
        stream,
        schema=_select_schema(stream.schema, wanted),
        variables=tuple(by_name[name] for name in wanted),
        blocks=_select_blocks(stream, wanted),
        response_sets=tuple(s for s in stream.response_sets if set(s.variables) <= set(wanted)),
    )


def _select_schema(schema: pa.Schema, names: Sequence[str]) -> pa.Schema:
    import pyarrow as pa

    return pa.schema([schema.field(name) for name in names], schema.metadata)


def _select_blocks(stream: TableStream, names: Sequence[str]) -> Iterator[Block]:
    with stream:
        for block in stream.blocks:
            tags = {name: each for name, each in block.missing_tags.items() if name in names}
            yield Block(block.data.select(names), tags)


def _blocks_of(table: Table, rows: int) -> Iterator[Block]:
    done = 0
    for batch in table.data.to_batches(max_chunksize=rows):
        tags = {
            name: column.slice(done, batch.num_rows).combine_chunks()
            for name, column in table.missing_tags.items()
        }
        yield Block(batch, tags)
        done += batch.num_rows


def joined_tags(blocks: Sequence[Block], name: str) -> pa.ChunkedArray | None:
    """Return the tags of one variable over several blocks, None where no block has any."""
    import numpy as np
    import pyarrow as pa

    if not any(name in block.missing_tags for block in blocks):
        return None
    return pa.chunked_array(
        [
            block.missing_tags.get(name, pa.array(np.zeros(block.data.num_rows, np.int8)))
            for block in blocks
        ],
        pa.int8(),
    )
