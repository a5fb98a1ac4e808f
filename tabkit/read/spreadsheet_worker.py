"""The worker that unpacks a sheet: run as a program, it writes one line of JSON and Arrow data.

calamine holds a whole sheet, allots what a file asks for and ends the process where that is more
than there is; so it runs in a process of its own, under limits (`tabkit.read.spreadsheet`).
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import json
import re
import resource
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import pyarrow as pa
import python_calamine as calamine

from tabkit.errors import FormatError, TabkitError, UsageError
from tabkit.model import Finding
from tabkit.read.delimited_names import name_columns
from tabkit.read.spreadsheet_cells import ColumnFacts, ColumnType
from tabkit.read.spreadsheet_layout import HEAD_ROWS, column_letters, find_layout
from tabkit.read.spreadsheet_zip import lost_cells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tabkit.read.spreadsheet_layout import Cell, Layout

_CHUNK_ROWS: Final = 4_096
_LISTED: Final = 200
_MEMORY_WORDS: Final = ("MemError", "failed to map", "annot allocate")  # of zlib, the loader
_ISO_DURATION: Final = re.compile(r"PT(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9}(?:\.\d+)?)S)?")


@dataclasses.dataclass(frozen=True, slots=True)
class _Sheet:
    """A chosen sheet and the remarks on the choice."""

    sheet: Any
    name: str
    findings: list[Finding]
    iso_durations: bool

    @property
    def left(self) -> int:
        """The sheet's column, from 0, that rows begin with; calamine cuts empty ones before it."""
        return int(self.sheet.start[1]) if self.sheet.start else 0

    def chunks(self, first: int, rows: int) -> Iterator[list[list[Cell]]]:
        """Yield rows from row ``first`` (from 1) on, so many at a time."""
        remaining = itertools.islice(self.sheet.iter_rows(), first - 1, None)
        while chunk := list(itertools.islice(remaining, rows)):
            yield [list(map(_with_duration, row)) for row in chunk] if self.iso_durations else chunk


def _with_duration(cell: Cell) -> Cell:
    """Read an OpenDocument duration of a day and more, which calamine leaves as text."""
    match = _ISO_DURATION.fullmatch(cell) if type(cell) is str and cell[:2] == "PT" else None
    if match is None:
        return cell
    hours, minutes, seconds = (float(part or 0) for part in match.groups())
    return datetime.timedelta(hours=hours, minutes=minutes, seconds=seconds)


@dataclasses.dataclass(frozen=True, slots=True)
class _Table:
    """What is known of the sheet's table once all cells were seen."""

    places: list[int]
    names: list[str]
    types: list[ColumnType]
    cases: int
    first: int
    notes: list[str]
    findings: list[Finding]


def serve(path: Path, kind: str, options: dict[str, Any], out: BinaryIO) -> None:
    """Read the sheet that ``options`` name and write what was found, then its blocks.

    Raises:
        TabkitError: It cannot be read.
    """
    book = _open(path, kind)
    if options["list"]:
        _tell(out, {"sheets": list_sheets(book)})
        return
    chosen = _choose(book, options["sheet"], path, iso_durations=kind == "ods")
    table = _observe(chosen, options["header_row"], path)
    findings = [*chosen.findings, *table.findings, *_merged(chosen)]
    if kind == "xlsx":
        findings += _lost(path, chosen, table)
    fields = zip(table.names, table.types, strict=True)
    schema = pa.schema([pa.field(name, each.kind) for name, each in fields])
    variables = [each.variable(n) for n, each in zip(table.names, table.types, strict=True)]
    _tell(
        out,
        {
            "sheet": chosen.name,
            "cases": table.cases,
            "notes": table.notes,
            "findings": [dataclasses.astuple(each) for each in findings],
            "variables": [
                (each.name, each.kind, each.interval, each.format_category) for each in variables
            ],
        },
    )
    with pa.ipc.new_stream(out, schema) as writer:
        rows = max(1, min(options["rows"], options["cells"] // max(len(schema), 1)))
        for batch in _batches(chosen, table, schema, rows):
            writer.write_batch(batch)


def _tell(out: BinaryIO, answer: dict[str, Any]) -> None:
    out.write(json.dumps(answer).encode() + b"\n")
    out.flush()


def _open(path: Path, kind: str) -> Any:
    """Open a workbook by its content: a file is not always what its suffix says."""
    try:
        if path.suffix.lower() in {f".{kind}", ".xlsm" if kind == "xlsx" else ""}:
            return calamine.CalamineWorkbook.from_path(str(path))
        with path.open("rb") as file:
            return calamine.CalamineWorkbook.from_filelike(file)
    except calamine.PasswordError as error:
        hint = "save it without a password"
        raise FormatError("the workbook is protected by a password", path, "", hint) from error
    except calamine.CalamineError as error:
        raise FormatError(f"the workbook is damaged: {_line(error)}", path) from error


def _worksheets(book: Any) -> list[tuple[str, bool]]:
    """Return names of the sheets that may hold a table, and whether they are seen."""
    return [
        (each.name, each.visible == calamine.SheetVisibleEnum.Visible)
        for each in book.sheets_metadata
        if each.typ == calamine.SheetTypeEnum.WorkSheet
    ]


def list_sheets(book: Any) -> list[str]:
    """Return the names of the sheets that hold anything."""
    return [name for name, _ in _worksheets(book) if book.get_sheet_by_name(name).height]


def _choose(book: Any, wanted: str | None, path: Path, *, iso_durations: bool) -> _Sheet:
    """Return the wanted sheet, else the first that is seen and not empty."""
    known = _worksheets(book)
    if wanted is not None:
        name = _named(wanted, [name for name, _ in known], path)
        return _Sheet(_load(book, name, path), name, [], iso_durations)
    by_sight = sorted(known, key=lambda each: not each[1])
    for name, _ in by_sight:
        sheet = _load(book, name, path)
        if sheet.height:
            text = f"sheet {name!r} of {len(known):,} was read: --sheet names another"
            findings = [Finding(text)] if len(known) > 1 else []
            return _Sheet(sheet, name, findings, iso_durations)
    if not known:
        raise FormatError("the workbook has no worksheet", path)
    raise FormatError("every sheet is empty", path)


def _named(wanted: str, names: Sequence[str], path: Path) -> str:
    """Find a sheet by its name, else by its number from 1.

    Raises:
        UsageError: There is none.
    """
    if wanted in names:
        return wanted
    if wanted.isdecimal() and 1 <= int(wanted) <= len(names):
        return names[int(wanted) - 1]
    msg = f"{path.name}: no sheet {wanted!r}; there are {', '.join(map(repr, names[:20]))}"
    raise UsageError(msg)


def _load(book: Any, name: str, path: Path) -> Any:
    try:
        return book.get_sheet_by_name(name)
    except calamine.CalamineError as error:
        raise FormatError(
            f"the sheet is damaged: {_line(error)}", path, f"sheet {name!r}"
        ) from error


def _observe(chosen: _Sheet, header_row: int | None, path: Path) -> _Table:
    """Look at every cell once: names, types, which columns and rows there are."""
    if not chosen.sheet.height:
        raise FormatError("the sheet is empty", path, f"sheet {chosen.name!r}")
    head = next(chosen.chunks(1, max(HEAD_ROWS, header_row or 0)), [])
    if header_row and header_row > len(head):
        reason = f"row {header_row:,} is named as header, but the sheet ends at row {len(head):,}"
        raise FormatError(reason, path)
    layout = find_layout(head, header_row)
    first = layout.header + 1
    if not layout.header:  # leading empty rows are no cases
        first += next((at for at, row in enumerate(head) if any(c != "" for c in row)), 0)
    columns: list[ColumnFacts] = []
    seen = cases = blank = 0
    for chunk in chosen.chunks(first, _CHUNK_ROWS):
        cells = list(zip(*chunk, strict=True))
        columns += [ColumnFacts() for _ in range(len(cells) - len(columns))]
        for facts, column in zip(columns, cells, strict=False):
            facts.observe(column)
        for row in chunk:
            seen += 1
            if row.count("") == len(row):
                blank += 1
            else:
                cases, inner = seen, blank
    return _settle(chosen.left, layout, columns, cases, inner if cases else 0, first)


def _settle(
    left: int, layout: Layout, columns: list[ColumnFacts], cases: int, blank: int, first: int
) -> _Table:
    width = max(len(columns), len(layout.names))
    columns += [ColumnFacts() for _ in range(width - len(columns))]
    header = [*layout.names, *[""] * (width - len(layout.names))]
    places = [
        at for at in range(width) if header[at].strip() or +columns[at].types or columns[at].words
    ]
    if layout.header:
        names, findings = name_columns([header[at] for at in places], len(places))
    else:
        names, findings = name_columns([], len(places))
    types = [columns[at].settle() for at in places]
    findings += [
        Finding(text, severity, name)
        for name, each in zip(names, types, strict=True)
        for text, severity in each.notes
    ][:_LISTED]
    notes = [f"row {number}: " + "\t".join(texts) for number, texts in layout.above]
    if layout.above:
        text = f"names are in row {layout.header:,}; the rows above it are kept as notes"
        findings.append(Finding(text))
    if blank:
        findings.append(Finding(f"empty rows among the others, kept as cases: {blank:,}"))
    inner = [at for at in range(places[0], places[-1]) if at not in set(places)] if places else []
    if inner:
        letters = ", ".join(column_letters(left + at) for at in inner[:20])
        findings.append(Finding(f"columns without a name and a value, left out: {letters}"))
    return _Table(places, names, types, cases, first, notes, findings)


def _merged(chosen: _Sheet) -> list[Finding]:
    try:
        ranges = chosen.sheet.merged_cell_ranges or []
    except (calamine.CalamineError, TypeError):
        return []
    if not ranges:
        return []
    text = f"merged cells: {len(ranges):,} ranges; the value stands in the first cell of each"
    return [Finding(text)]


def _lost(path: Path, chosen: _Sheet, table: _Table) -> list[Finding]:
    letters = (column_letters(chosen.left + at) for at in table.places)
    names = dict(zip(letters, table.names, strict=True))
    texts = ("cells with an error, taken as missing", "formulas without a stored result, missing")
    return [
        Finding(f"{text}: {count:,}", "warning", names.get(at, ""))
        for text, counts in zip(texts, lost_cells(path, chosen.name), strict=True)
        for at, count in sorted(counts.items(), key=lambda each: (len(each[0]), each[0]))
    ][:_LISTED]


def _batches(
    chosen: _Sheet, table: _Table, schema: pa.Schema, rows: int
) -> Iterator[pa.RecordBatch]:
    left = table.cases
    for chunk in chosen.chunks(table.first, rows):
        if left <= 0:
            return
        cells = list(zip(*chunk[:left], strict=True))
        height = min(len(chunk), left)
        columns = [
            each.convert(cells[at]) if at < len(cells) else pa.nulls(height, each.kind)
            for at, each in zip(table.places, table.types, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
        left -= height


def _line(error: BaseException) -> str:
    return " ".join(str(error).split())[:200]


def main() -> None:
    """Serve one request: path, kind, options as JSON, limits of memory (bytes) and CPU (s)."""
    path, kind, options, memory, seconds = sys.argv[1:6]
    for limit, value in ((resource.RLIMIT_AS, int(memory)), (resource.RLIMIT_CPU, int(seconds))):
        most = resource.getrlimit(limit)[1]
        least = value if most == resource.RLIM_INFINITY else min(value, most)
        resource.setrlimit(limit, (least, most))
    out = sys.stdout.buffer
    try:
        serve(Path(path), kind, json.loads(options), out)
    except TabkitError as error:
        _tell(out, {"error": type(error).__name__, "arguments": [str(a) for a in error.args]})
    except MemoryError:
        _tell(out, {"error": "MemoryError", "arguments": []})
    except BaseException as error:  # Rust's panics are no Exception
        if any(words in str(error) for words in _MEMORY_WORDS):
            _tell(out, {"error": "MemoryError", "arguments": []})
            return
        reason = f"the workbook is damaged: {_line(error)}"
        _tell(out, {"error": "FormatError", "arguments": [reason, path]})


if __name__ == "__main__":
    main()
