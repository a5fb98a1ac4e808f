"""R's files (.RData, .rda, .rds): a stream of cases goes in, a data frame comes out, without R.

One object, a tibble as haven makes it; XDR in version 3 or 2 of R's format, gzip. Cases are packed
and compressed as they come, in bounded memory.

Source: R Internals, 1.8 "Serialization Formats"; R's own readers are the judge (tests/write).
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
from typing import TYPE_CHECKING, Final

from tabkit.errors import OutputError, UsageError
from tabkit.write import rdata_values as r
from tabkit.write.rdata_losses import frame_losses
from tabkit.write.rdata_names import legal_names, object_name
from tabkit.write.rdata_plan import check_style, plan_variable
from tabkit.write.rdata_store import Assembler, ColumnStore, Spool

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tabkit.loss import Ledger
    from tabkit.model import Block, Table, TableStream
    from tabkit.write.rdata_plan import Planned

NAMES: Final = ("keep", "make.names")
_MOST_ROWS: Final = 2**31 - 1
_THREADS: Final = 2  # the source is decoded meanwhile
_TASKS: Final = 8  # of a block: few enough to cost nothing, enough to share


@dataclasses.dataclass(frozen=True, slots=True)
class RChoices:
    """A user's choices for a file of R.

    Attributes:
        object_name: Of the data frame; None takes the file's. A ``.rds`` has none.
        r_style: See `tabkit.write.rdata_plan`; None leaves it to the profile.
        r_names: ``keep`` leaves variables their names, ``make.names`` makes them as R's does.
        r_version: 3, or 2 for R before 3.5.

    Raises:
        UsageError: A choice that there is not.
    """

    object_name: str | None = None
    r_style: str | None = None
    r_names: str = "keep"
    r_version: int = 3

    def __post_init__(self) -> None:
        if self.r_style is not None:
            check_style(self.r_style)
        r.check_version(self.r_version)
        if self.r_names not in NAMES:
            msg = f"R names are one of {', '.join(NAMES)}, not {self.r_names!r}"
            raise UsageError(msg)


def write_rdata(table: Table, path: Path) -> Ledger:
    """Write a whole table as one data frame in an R workspace; see `write_rdata_stream`."""
    from tabkit.read import stream_of

    return write_rdata_stream(stream_of(table), path)


def write_rds(table: Table, path: Path) -> Ledger:
    """Write a whole table as an R object; see `write_rds_stream`."""
    from tabkit.read import stream_of

    return write_rds_stream(stream_of(table), path)


def write_rdata_stream(
    stream: TableStream,
    path: Path,
    *,
    object_name: str | None = None,
    r_style: str | None = None,
    r_names: str = "keep",
    r_version: int = 3,
) -> Ledger:
    """Write a stream as one data frame in an R workspace (.RData, .rda), for R's ``load``.

    Args:
        stream: Read to its end.
        path: Written from its beginning.
        object_name: Of the data frame; None takes it from the source's name.
        r_style: ``haven``, ``factor``, ``plain`` or ``repository``; None leaves it to the
            profile, whose choice is ``haven`` as a rule.
        r_names: ``keep`` or ``make.names``.
        r_version: 3, or 2 for R before 3.5.

    Returns:
        What the data frame does not carry.

    Raises:
        OutputError: There are more cases than a data frame holds.
        UsageError: A choice that there is not.
    """
    choices = RChoices(object_name, r_style, r_names, r_version)
    return _written(stream, path, choices, named=True)


def write_rds_stream(
    stream: TableStream,
    path: Path,
    *,
    r_style: str | None = None,
    r_names: str = "keep",
    r_version: int = 3,
) -> Ledger:
    """Write a stream as one R object without a name (.rds), for R's ``readRDS``.

    The rest is as for `write_rdata_stream`.
    """
    choices = RChoices(None, r_style, r_names, r_version)
    return _written(stream, path, choices, named=False)


def _written(stream: TableStream, path: Path, choices: RChoices, *, named: bool) -> Ledger:
    with FrameWriter(stream, choices, named=named) as frame:
        for block in stream.blocks:
            frame.append(block)
        frame.finish(path)
        return frame.losses()


class FrameWriter:
    """Takes the cases of a stream, block by block, and writes them as a data frame at the end.

    Args:
        stream: What the cases are; its blocks are left alone.
        choices: A user's.
        named: A workspace with a named object; False for an object alone.
    """

    def __init__(self, stream: TableStream, choices: RChoices, *, named: bool = True) -> None:
        self._stream, self._choices = stream, choices
        self._style = style_of(stream, choices.r_style)
        default = stream.profile.r_object(stream.origin) or object_name(stream.origin.file_name)
        self._object = (choices.object_name or default) if named else None
        self._planned = planned_columns(stream, self._style)
        self._spool = Spool()
        count = len(self._planned)
        self._stores = [ColumnStore(each.values, self._spool, count) for each in self._planned]
        self._rows = 0
        self._pool = concurrent.futures.ThreadPoolExecutor(_THREADS, "rdata")
        self._working: list[concurrent.futures.Future[None]] = []

    def __enter__(self) -> FrameWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)
        self._spool.close()

    def append(self, block: Block) -> None:
        """Take the cases of one block; the work on it goes on after the call."""
        self._settle()
        self._rows += block.data.num_rows
        if self._rows > _MOST_ROWS:
            msg = f"a data frame of R holds {_MOST_ROWS:,} cases at most"
            raise OutputError(msg, self._stream.origin.file_name, hint="convert a part of it")
        tasks = min(_TASKS, len(self._stores))
        self._working = [
            self._pool.submit(self._append_some, block, place, tasks) for place in range(tasks)
        ]

    def finish(self, path: Path) -> None:
        """Write the file."""
        self._settle()
        for store in self._stores:
            change = store.values.settle()
            if change is not None:
                store.rewrite(change)
        with path.open("wb") as file:
            out, symbols = Assembler(file), r.Symbols()
            out.write(symbols.opening(self._choices.r_version, self._object))
            self._write_frame(out, symbols)
            out.write(r.closing(self._object))
            out.finish()

    def losses(self) -> Ledger:
        """Return what the file does not carry, after `finish`."""
        return frame_losses(self._stream, self._style, self._planned, self._names())

    def _names(self) -> list[str]:
        """Return what the columns are named in R."""
        given = [variable.name for variable in self._stream.variables]
        legal = self._style == "repository" or self._choices.r_names != "keep"
        return legal_names(given) if legal else given

    def _append_some(self, block: Block, first: int, step: int) -> None:
        for place in range(first, len(self._stores), step):
            column = block.data.column(place)
            ready = self._planned[place].ready
            tags = block.missing_tags.get(self._stream.variables[place].name)
            self._stores[place].append(column if ready is None else ready(column), tags)

    def _settle(self) -> None:
        """Wait for the work on the block before: a column takes its values in order."""
        working, self._working = self._working, []
        for each in working:
            each.result()

    def _write_frame(self, out: Assembler, symbols: r.Symbols) -> None:
        attributes = frame_attributes(self._stream, self._style, self._names(), self._rows)
        out.write(r.head(r.LIST, len(self._stores), attributes))
        for store in self._stores:
            of_column = store.values.attributes
            out.write(r.head(store.values.kind, self._rows, of_column))
            store.write(out)
            out.write(symbols.attributes(of_column))
        out.write(symbols.attributes(attributes))


def _lines(note: str, source: str) -> list[str]:
    """Return the lines of a document of SPSS, as haven has them; a note of Stata is whole."""
    return [note] if source == "dta" else [line for line in note.split("\n") if line]


def style_of(stream: TableStream, given: str | None) -> str:
    """Return the style that was chosen, else the profile's."""
    return given or stream.profile.r_style(stream.origin)


def planned_columns(stream: TableStream, style: str) -> list[Planned]:
    """Return each variable's way to R."""
    return [
        plan_variable(
            variable,
            kind,
            stream.origin,
            style,
            keep_missing=stream.profile.r_keeps_missing,
        )
        for variable, kind in zip(stream.variables, stream.schema.types, strict=True)
    ]


def frame_attributes(
    stream: TableStream, style: str, names: Sequence[str], rows: int
) -> Mapping[str, r.Vector]:
    """Return what makes a list of columns the data frame, in R's own order."""
    found = {"names": r.texts(names)}
    found["row.names"] = r.integers([r.NA_INTEGER, -rows] if rows else [])  # .set_row_names
    kinds = ("tbl_df", "tbl", "data.frame") if style == "haven" else ("data.frame",)
    found["class"] = r.texts(kinds)
    if stream.label:
        found["label"] = r.texts([stream.label])
    notes = [line for text in stream.notes for line in _lines(text, stream.origin.format)]
    if notes:
        found["notes"] = r.texts(notes)
    return found
