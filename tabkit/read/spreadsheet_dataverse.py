"""``.xlsx`` as Dataverse reads it: profile ``dataverse``.

Only stored values count, whatever a cell's format: dates are serial numbers, booleans 0 and 1, text
within a cell (``inlineStr``) is lost. The sheet is parsed twice as a stream, first for its types.
Source: IQSS/dataverse b485249231fe, XLSXFileReader.
"""

from __future__ import annotations

import dataclasses
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
from lxml import etree

from tabkit.errors import FormatError
from tabkit.model import Block, Interval, Kind, Origin, TableStream, Variable
from tabkit.read.delimited_names import HINT, check_names
from tabkit.read.spreadsheet_zip import sheet_parts

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tabkit.options import ReadOptions

_SHEET: Final = "rId1"
_REMOVED: Final = re.compile(r"[ _\t\n\r]")
_REFERENCE: Final = re.compile(r"([A-Z]{1,2})[0-9]+")
#: Source: Java SE API, Double.valueOf(String), without hexadecimals.
_NUMBER: Final = re.compile(
    r"[\x00-\x20]*([+-]?(?:NaN|Infinity|(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?))"
    r"[fFdD]?[\x00-\x20]*"
)
_WORDS: Final[dict[str, float | None]] = {
    ".": None,
    "na": None,
    "nan": float("nan"),
    "inf": float("inf"),
    "+inf": float("inf"),
    "-inf": float("-inf"),
    "null": 0.0,
}
_XML: Final[dict[str, Any]] = {
    "resolve_entities": False,
    "no_network": True,
    "load_dtd": False,
    "huge_tree": False,
}


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """The parts of a workbook that are read."""

    path: Path
    part: str
    strings: list[str]


def open_as_stored(path: Path, options: ReadOptions, media_type: str) -> TableStream:
    """Open the sheet that Dataverse reads, as it reads it.

    Raises:
        FormatError: Dataverse refuses such a sheet, or the file is damaged.
    """
    source = _source(path, options.sheet)
    rows = _rows(source)
    names = [_REMOVED.sub("", name) for name in next(rows)]
    check_names(names, path, trimmed=False)
    numeric, cases = [True] * len(names), 0
    for row in rows:
        cases += 1
        for at, cell in enumerate(row):
            if numeric[at] and cell and not _is_number(cell):
                numeric[at] = False
    if not cases:
        hint = f"Dataverse refuses it; {HINT}"
        raise FormatError("there is only one row, which names the columns", path, "", hint)
    fields = zip(names, numeric, strict=True)
    schema = pa.schema([pa.field(n, pa.float64() if yes else pa.string()) for n, yes in fields])
    return TableStream(
        schema,
        tuple(_variable(name, yes) for name, yes in zip(names, numeric, strict=True)),
        _blocks(source, schema, options.rows_of(len(names))),
        origin=Origin(format="xlsx", media_type=media_type),
        cases=cases,
    )


def _variable(name: str, numeric: bool) -> Variable:
    kind = Kind.NUMERIC if numeric else Kind.CHARACTER
    interval = Interval.CONTINUOUS if numeric else Interval.DISCRETE
    return Variable(name, label=name, kind=kind, interval=interval)


def _source(path: Path, wanted: str | None) -> _Source:
    with zipfile.ZipFile(path) as archive:
        sheets = enumerate(sheet_parts(archive), 1)
        chosen = (
            part
            for number, (name, identifier, part) in sheets
            if (identifier == _SHEET if wanted is None else wanted in (name, str(number)))
        )
        part = next(chosen, "")
        if part not in archive.namelist():
            reason = f"there is no sheet {wanted or f'{_SHEET}, which Dataverse reads'}"
            raise FormatError(reason, path, "", HINT)
        own = next((n for n in archive.namelist() if n.lower() == "xl/sharedstrings.xml"), None)
    return _Source(path, part, list(_texts(path, own)) if own else [])


def _elements(path: Path, part: str, name: str) -> Iterator[etree._Element]:
    """Yield the elements of that name, whatever their namespace, and forget them."""
    try:
        with zipfile.ZipFile(path) as archive, archive.open(part) as file:
            for _, node in etree.iterparse(file, events=("end",), tag=f"{{*}}{name}", **_XML):
                yield node
                node.clear()
                while node.getprevious() is not None:
                    del node.getparent()[0]
    except (etree.XMLSyntaxError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        first = " ".join(str(error).split())[:200]
        raise FormatError(f"the workbook is damaged: {first}", path, f"part {part}") from error


def _texts(path: Path, part: str) -> Iterator[str]:
    for node in _elements(path, part, "si"):
        yield "".join(each.text or "" for each in node.iter("{*}t"))


def _rows(source: _Source) -> Iterator[list[str]]:
    """Yield the cells of each row, as many as the first row spans.

    Raises:
        FormatError: There is no row, or one that Dataverse cannot read.
    """
    width = 0
    for number, node in enumerate(_elements(source.path, source.part, "row"), 1):
        if not width:
            width = _width(node, source.path)
        cells = [""] * width
        for cell in node.iter("{*}c"):
            at = _place(cell, source.path)
            if at >= width:
                reason = f"a row has cells beyond the {width:,} columns of the first"
                raise FormatError(reason, source.path, f"row {number:,}", HINT)
            cells[at] = _value(cell, source)
        if number == 1:
            cells = [cell or _letters(at) for at, cell in enumerate(cells)]
        elif any("\t" in cell or "\n" in cell for cell in cells):
            reason = "a cell has a tab or a line end, on which Dataverse's own ingest fails"
            raise FormatError(reason, source.path, f"row {number:,}", HINT)
        yield cells
    if not width:
        raise FormatError("there are no rows", source.path, f"part {source.part}")


def _width(row: etree._Element, path: Path) -> int:
    last = str(row.get("spans", "")).partition(":")[2]
    if not last.isdecimal() or not int(last):
        reason = "the first row does not say its width (spans), which Dataverse needs"
        raise FormatError(reason, path, "row 1", HINT)
    return min(int(last), 702)


def _place(cell: etree._Element, path: Path) -> int:
    reference = str(cell.get("r", ""))
    match = _REFERENCE.fullmatch(reference)
    if match is None:
        reason = f"Dataverse does not read cells such as {reference[:20]!r}"
        raise FormatError(reason, path, "", HINT)
    place = 0
    for letter in match[1]:
        place = place * 26 + ord(letter) - ord("A") + 1
    return place - 1


def _letters(at: int) -> str:
    first, second = divmod(at, 26)
    return (chr(ord("A") + first - 1) if first else "") + chr(ord("A") + second)


def _value(cell: etree._Element, source: _Source) -> str:
    node = cell.find("{*}v")
    text = (node.text or "") if node is not None else ""
    if cell.get("t") != "s":
        return text
    if not text.isdecimal() or int(text) >= len(source.strings):
        raise FormatError(f"there is no shared text {text[:20]!r}", source.path)
    return source.strings[int(text)]


def _is_number(text: str) -> bool:
    return text.lower() in _WORDS or _NUMBER.fullmatch(text) is not None


def _number(text: str) -> float | None:
    word = text.lower()
    if not text or word in _WORDS:
        return _WORDS.get(word)
    match = _NUMBER.fullmatch(text)
    return float(match[1]) if match else None


def _blocks(source: _Source, schema: pa.Schema, height: int) -> Iterator[Block]:
    rows = _rows(source)
    next(rows)
    waiting: list[list[str]] = []
    for row in rows:
        waiting.append(row)
        if len(waiting) == height:
            yield _block(waiting, schema)
            waiting = []
    if waiting:
        yield _block(waiting, schema)


def _block(rows: list[list[str]], schema: pa.Schema) -> Block:
    columns = [
        pa.array(map(_number, cells) if pa.types.is_float64(field.type) else cells, field.type)
        for cells, field in zip(zip(*rows, strict=True), schema, strict=True)
    ]
    return Block(pa.RecordBatch.from_arrays(columns, schema=schema))
