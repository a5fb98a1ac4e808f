"""Delimited text: ``.csv``, ``.tsv``, ``.tab`` and ``.txt`` with names in the first row.

A text file says nothing of itself: encoding, delimiter, quotes and types are found out, and every
such finding is reported. Nothing of the file is left out silently.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from tabkit.errors import FormatError, UsageError
from tabkit.model import Block, Finding, Origin, TableStream
from tabkit.read.bounds import check_variables
from tabkit.read.delimited_columns import columns_of, schema_of, variable_of
from tabkit.read.delimited_java import JavaTypeObserver
from tabkit.read.delimited_names import HINT, check_names, name_columns
from tabkit.read.delimited_rows import (
    CHUNK_BYTES,
    NOTED_ROWS,
    Chunk,
    Rows,
    Store,
    even_blocks,
    read_chunks,
)
from tabkit.read.delimited_start import Start, start, start_plainly
from tabkit.read.delimited_text import JAVA_UTF8, Encoding, Text, UndecodableError, encodings
from tabkit.read.delimited_types import ColumnType, Form, TypeObserver

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tabkit.options import ReadOptions

_PIECE_BYTES: Final = 1 << 20
_MEDIA_TYPES: Final = {"csv": "text/csv", "tsv": "text/tab-separated-values"}
_LISTED: Final = 200  # findings on variables that are told one by one


def open_csv(path: Path, options: ReadOptions) -> TableStream:
    """Open comma-separated text, whatever its delimiter really is.

    Raises:
        FormatError: There is no row of names, or the profile cannot read such rows.
        UsageError: An option does not fit.
    """
    return _open(path, options, "csv", ",")


def open_tsv(path: Path, options: ReadOptions) -> TableStream:
    """Open tab-separated text; see `open_csv`."""
    return _open(path, options, "tsv", "\t")


def _open(path: Path, options: ReadOptions, name: str, home: str) -> TableStream:
    if path.stat().st_size == 0:
        raise FormatError("the file is empty", path)
    options = _checked(options, home)
    failed: UndecodableError | None = None
    tried = ""
    for encoding in _encodings(path, options):
        try:
            return _read(path, encoding, options, name, home)
        except UndecodableError as error:
            failed, tried = error, encoding.name
    offset = failed.offset if failed else 0
    raise FormatError(
        f"the text is not {tried}",
        path,
        f"byte {offset:,}",
        "leave --encoding out, or name the right one",
    )


def _checked(options: ReadOptions, home: str) -> ReadOptions:
    delimiter = options.delimiter
    if delimiter is not None:
        delimiter = {"\\t": "\t", "tab": "\t"}.get(delimiter, delimiter)
        if len(delimiter) != 1 or not delimiter.isascii() or delimiter in "\r\n\0":
            msg = f"a delimiter is one ASCII character, not {options.delimiter!r}"
            raise UsageError(msg)
    quote = options.quote
    if quote and (
        len(quote) != 1 or not quote.isascii() or quote in "\r\n\0" or quote == (delimiter or home)
    ):
        msg = f"a quote is one ASCII character other than the delimiter, not {quote!r}"
        raise UsageError(msg)
    return dataclasses.replace(options, delimiter=delimiter)


def _encodings(path: Path, options: ReadOptions) -> Iterator[Encoding]:
    if options.profile.sniff:
        yield from encodings(path, options.encoding)
    elif options.encoding is None:
        yield JAVA_UTF8
    else:
        for encoding in encodings(path, options.encoding):
            yield dataclasses.replace(encoding, errors="replace")


def _read(
    path: Path, encoding: Encoding, options: ReadOptions, name: str, home: str
) -> TableStream:
    text = Text(path, encoding, verbatim=not options.profile.sniff)
    pieces = text.pieces(_PIECE_BYTES)
    if options.profile.sniff:
        begun = start(pieces, options, home, path, CHUNK_BYTES)
    else:
        begun = start_plainly(options, home)
    store = Store.empty(options.block_cells)
    try:
        table = _pass(begun, pieces, options, path, store)
    except BaseException:
        store.close()
        raise
    schema = schema_of(table.names, table.types)
    return TableStream(
        schema,
        tuple(
            variable_of(name, column, label=name if options.profile.names_as_labels else "")
            for name, column in zip(table.names, table.types, strict=True)
        ),
        _Blocks(store, schema, table.types, options.rows_of(len(table.names))),
        origin=Origin(format=name, media_type=_MEDIA_TYPES[name], encoding=encoding.name),
        cases=table.rows.cases,
        notes=table.notes,
        findings=[*text.findings(), *begun.findings, *table.findings],
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Table:
    """What is known of a table once all rows were seen."""

    names: list[str]
    types: list[ColumnType]
    rows: Rows
    findings: list[Finding]
    notes: tuple[str, ...] = ()


def _pass(
    begun: Start, pieces: Iterator[bytes], options: ReadOptions, path: Path, store: Store
) -> _Table:
    """Read all rows once: even them out, observe their types, put them by."""
    ragged, trimmed = options.profile.ragged_rows, begun.dialect.trimmed
    chunks = read_chunks(begun.head, pieces, begun.dialect, path, begun.first_line, options.limits)
    named, first = _named(chunks, path, skip_blank=trimmed)
    check_variables(int(named.cells.counts[first]), options.limits, path)
    header = named.row(first)
    if not ragged:
        check_names(header, path, trimmed=trimmed)
    rows, observer = Rows(len(header), len(header)), _observer(options, len(header))
    for chunk in itertools.chain([named], chunks):
        start_row = first + 1 if chunk is named else 0
        kept = rows.add(chunk, start_row, drop_blank=trimmed or (ragged and not begun.single))
        if not ragged:
            _refuse(rows, chunk, path, strict=trimmed)
        check_variables(rows.width, options.limits, path)
        rows.check_padding(path)
        for cells, text, ends in even_blocks(chunk.cells, kept, rows.width, options.block_cells):
            observer.observe(cells, text, ends, rows.width)
            store.append(cells, rows.width)
    store.finish()
    if isinstance(observer, TypeObserver):
        return _concluded(header, rows, observer, options.text_columns)
    return _Table(header, observer.types(), rows, [])


def _named(chunks: Iterator[Chunk], path: Path, *, skip_blank: bool) -> tuple[Chunk, int]:
    """Return the chunk whose row names the variables, and that row."""
    for chunk in chunks:
        row = int(chunk.cells.blank.argmin()) if skip_blank else 0
        if not (skip_blank and chunk.cells.blank[row]):
            return chunk, row
    raise FormatError("there is no row of names", path)


def _observer(options: ReadOptions, width: int) -> TypeObserver | JavaTypeObserver:
    if options.profile.numbers_as_printed:
        return JavaTypeObserver.of_width(width)
    return TypeObserver()


def _refuse(rows: Rows, chunk: Chunk, path: Path, *, strict: bool) -> None:
    """Refuse what commons-csv or Dataverse refuses.

    Raises:
        FormatError: A row has more or fewer cells than there are names, or (``strict``, as TDF)
            text follows a closing quote, or a quote is not closed; or a cell holds a CR, which
            Dataverse puts into its table as it is and then cannot read back.
    """
    if rows.first_ragged:
        line, cells = rows.first_ragged
        raise FormatError(
            f"a row has {cells:,} cells where the header has {rows.names:,} names",
            path,
            f"line {line:,}",
            HINT,
        )
    if chunk.has_carriage_return():
        reason = "a cell has a carriage return, on which Dataverse's own ingest fails"
        raise FormatError(reason, path, f"near line {chunk.first_line:,}", HINT)
    if strict and (rows.trailing or chunk.cells.unclosed):
        what = "has no end" if chunk.cells.unclosed else "is followed by text"
        raise FormatError(f"a quoted cell {what}", path, f"near line {chunk.first_line:,}", HINT)


def _concluded(
    header: list[str], rows: Rows, observer: TypeObserver, text_columns: frozenset[str]
) -> _Table:
    observer.widen(rows.width)
    types = observer.types()
    findings = []
    if rows.shortest == rows.longest == len(header) + 1 and observer.has_values(rows.width - 1):
        header, rows.long = ["", *header], 0
        text = "the header has one name less than the rows have cells: taken as row names first"
        findings.append(Finding(text, "warning"))
    width, notes, surplus = _without_surplus(header, rows, observer)
    names, renamed = name_columns(header, width)
    if text_columns:
        types = [
            ColumnType(Form.TEXT) if text_columns & {name, "*"} else each
            for name, each in zip(names, types, strict=False)
        ]
    findings += renamed
    findings += surplus
    findings += rows.findings(long_told=bool(surplus))
    findings += _type_findings(names, types[:width])
    return _Table(names, types[:width], rows, findings, notes)


def _without_surplus(
    header: list[str], rows: Rows, observer: TypeObserver
) -> tuple[int, tuple[str, ...], list[Finding]]:
    """Decide what becomes of cells beyond the header's names.

    A delimiter too many makes empty cells: they are left out. A few long rows among sound ones
    make no variables: what they hold goes to the notes of the file. Otherwise columns are added.
    """
    names = len(header)
    if rows.width == names:
        return names, (), []
    since = f"{rows.long:,}, from line {rows.first_long:,} on"
    if not any(observer.has_values(at) for at in range(names, rows.width)):
        text = f"rows that end in further delimiters: {since}; the empty cells are left out"
        return names, (), [Finding(text)]
    if rows.long > NOTED_ROWS or 2 * rows.long > rows.cases:
        return rows.width, (), []
    import json

    notes = tuple(
        f"line {line:,}: cells beyond the header's {names:,} names: {json.dumps(cells)[1:-1]}"
        for line, cells in rows.surplus
        if any(cells)
    )
    text = f"long rows: {since}; their cells beyond the header's names are kept as notes"
    return names, notes, [Finding(text, "warning")]


def _type_findings(names: Sequence[str], types: Sequence[ColumnType]) -> list[Finding]:
    found = [
        Finding(text, severity, name)
        for name, column in zip(names, types, strict=True)
        for text, severity in column.notes
    ]
    if len(found) > _LISTED:
        more = Finding(f"and {len(found) - _LISTED:,} more findings on variables", "warning")
        return [*found[:_LISTED], more]
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class _Blocks:
    """The cells put by, given back as columns."""

    store: Store
    schema: pa.Schema
    types: list[ColumnType]
    height: int

    def __iter__(self) -> Iterator[Block]:
        try:
            for cells, width in self.store:
                for at in range(0, len(cells), self.height * width):
                    columns = columns_of(cells.slice(at, self.height * width), width, self.types)
                    yield Block(pa.RecordBatch.from_arrays(columns, schema=self.schema))
        finally:
            self.close()

    def close(self) -> None:
        self.store.close()
