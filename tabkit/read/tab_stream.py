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
from pyarrow import csv

from tabkit.errors import FormatError
from tabkit.model import Block, Origin, TableStream, Variable
from tabkit.read.delimited_names import name_columns
from tabkit.read.kinds import typed_variable
from tabkit.read.tab import typed_column
from tabkit.read.tab_types import BARE, type_of

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
    return typed_variable(Variable(field.name), field.type)


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
    is_text = [bool(text_columns & {name, "*"}) for name in source.names]
    kinds: list[pa.DataType | None] = [BARE if each else None for each in is_text]
    cases = 0
    for batch in source.batches():
        cases += batch.num_rows
        kinds = [type_of(*each) for each in zip(batch.columns, kinds, strict=True)]
    settled = (pa.int64() if kind is None else kind for kind in kinds)
    return [pa.string() if kind == BARE else kind for kind in settled], cases


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
