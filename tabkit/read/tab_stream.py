r"""Archival tables as a source: ``.tab`` as tabkit and Dataverse write it.

In such a table strings are in double quotes, with ``\\ \" \t \n \r`` escaped, and nothing else is:
so a number is a number and an empty field is missing, while ``""`` is an empty string. A ``.tab``
that does not look like this is tab-separated text (`tabkit.read.delimited`).
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv

from tabkit.errors import FormatError
from tabkit.model import Block, Interval, Kind, Origin, TableStream, Variable
from tabkit.read.delimited_names import name_columns
from tabkit.read.tab import typed_column

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tabkit.options import ReadOptions

_SAMPLE: Final = 1 << 16  # bytes looked at to tell what a .tab is
_BLOCK_BYTES: Final = 1 << 24
_BARE: Final = rb"-?[0-9][0-9:.eE+-]*(?: [0-9:.]+Z?)?|-?\.[0-9]+|NaN|-?Inf|"
_QUOTED: Final = rb'"(?:[^"\\]|\\["\\tnr])*"'
_FIELD: Final = re.compile(rb"(?:" + _QUOTED + rb"|" + _BARE + rb")")
_MEDIA_TYPE: Final = "text/tab-separated-values"

_TIME: Final = r"[0-9]{2,}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?"
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
#: What all filled fields of a column look like, and its type then; the first that holds.
_SHAPES: Final[tuple[tuple[str, pa.DataType], ...]] = (
    (r'\A"', pa.string()),
    (r"\A([0-9]{1,18}|-[1-9][0-9]{0,17})\z", pa.int64()),
    (r"\A(-?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?|NaN|-?Inf)\z", pa.float64()),
    (rf"\A{_DAY}\z", pa.date32()),
    (rf"\A{_DAY} {_TIME}\z", pa.timestamp("us")),
    (rf"\A{_DAY} {_TIME}Z\z", pa.timestamp("us", "UTC")),
    (rf"\A-?{_TIME}\z", pa.duration("us")),
)


def open_tab(path: Path, options: ReadOptions) -> TableStream:
    """Open an archival table with a line of names, else tab-separated text.

    Raises:
        FormatError: A line has another number of fields than the first.
    """
    plain = options.encoding or options.delimiter or options.quote is not None
    if plain or not options.profile.sniff or not is_archival(path):
        from tabkit.read.delimited import open_tsv

        return open_tsv(path, options)
    with path.open("rb") as file:
        header = file.readline()
    cells = header.decode("utf-8-sig").rstrip("\r\n").split("\t")
    names, findings = name_columns(cells, len(cells))
    source = _Source(path, len(header), names)
    kinds, cases = _look(source, options.text_columns)
    schema = pa.schema(list(zip(names, kinds, strict=True)))
    return TableStream(
        schema,
        tuple(map(_variable, schema)),
        _Blocks(source, schema, options.rows_of(len(names))),
        origin=Origin(format="tab", media_type=_MEDIA_TYPE, encoding="utf-8"),
        cases=cases,
        findings=findings,
    )


def is_archival(path: Path) -> bool:
    """Tell whether a file looks like an archival table with strings in it."""
    with path.open("rb") as file:
        sample = file.read(_SAMPLE)
        whole = not file.read(1)
    lines = sample.split(b"\n")
    lines = lines[: None if whole and lines[-1] else -1]
    if len(lines) < 2 or b'"' in lines[0]:  # noqa: PLR2004 - names and a case
        return False
    width = lines[0].count(b"\t") + 1
    rows = [line.split(b"\t") for line in lines[1:]]
    return (
        all(len(row) == width for row in rows)
        and any(field[:1] == b'"' for row in rows for field in row)
        and all(_FIELD.fullmatch(field) for row in rows for field in row)
    )


def _variable(field: pa.Field) -> Variable:
    kind = field.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    category = ""
    if pa.types.is_temporal(kind):
        category = "date" if pa.types.is_date(kind) else "time"
    return Variable(
        field.name,
        kind=Kind.NUMERIC if numeric else Kind.CHARACTER,
        interval=None if numeric else Interval.DISCRETE,
        format_category=category,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """The lines after the names, split into fields and not read any further."""

    path: Path
    header: int
    names: list[str]

    def batches(self) -> Iterator[pa.RecordBatch]:
        if self.path.stat().st_size <= self.header:
            return
        positions = [str(index) for index in range(len(self.names))]
        try:
            with csv.open_csv(
                self.path,
                csv.ReadOptions(column_names=positions, skip_rows=1, block_size=_BLOCK_BYTES),
                csv.ParseOptions(delimiter="\t", quote_char=False, ignore_empty_lines=False),
                csv.ConvertOptions(
                    column_types=dict.fromkeys(positions, pa.string()), strings_can_be_null=False
                ),
            ) as reader:
                yield from reader
        except pa.ArrowInvalid as error:
            reason = str(error).split("\n", maxsplit=1)[0]
            raise FormatError(reason, self.path) from error


def _look(source: _Source, text_columns: frozenset[str]) -> tuple[list[pa.DataType], int]:
    """Return the types of the columns by all their fields, and the number of cases."""
    shapes = [[] if text_columns & {name, "*"} else list(_SHAPES) for name in source.names]
    seen = [False] * len(source.names)
    cases = 0
    for batch in source.batches():
        cases += batch.num_rows
        for at, column in enumerate(batch.columns):
            filled = column.filter(pc.not_equal(column, ""))
            seen[at] |= len(filled) > 0
            while shapes[at] and not _all_look(filled, *shapes[at][0]):
                del shapes[at][0]
    kinds = [
        pa.string() if not left else left[0][1] if filled else pa.int64()
        for left, filled in zip(shapes, seen, strict=True)
    ]
    return kinds, cases


def _all_look(fields: pa.Array, shape: str, kind: pa.DataType) -> bool:
    if not pc.all(pc.match_substring_regex(fields, shape), min_count=0).as_py():
        return False
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        try:  # a day that the calendar does not have is text
            pc.utf8_rtrim(fields, "Z").cast(pa.timestamp("us"))
        except pa.ArrowInvalid:
            return False
    return True


@dataclasses.dataclass(frozen=True, slots=True)
class _Blocks:
    """The fields in their types."""

    source: _Source
    schema: pa.Schema
    height: int

    def __iter__(self) -> Iterator[Block]:
        for batch in self.source.batches():
            columns = [
                typed_column(pa.chunked_array([column]), field, self.source.path).combine_chunks()
                for column, field in zip(batch.columns, self.schema, strict=True)
            ]
            whole = pa.RecordBatch.from_arrays(columns, schema=self.schema)
            for start in range(0, whole.num_rows, self.height):
                yield Block(whole.slice(start, self.height))

    def close(self) -> None:
        """Nothing stays open between blocks but what the iteration itself closes."""
