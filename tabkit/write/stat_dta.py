"""Stata data files: a table goes in, a file of version 118 (Stata 14) and its ledger come out.

Tables of more than 32,767 variables get version 119. Text is UTF-8.
Source: Stata, ``help dta``, ``help dta_119``.
"""

from __future__ import annotations

import dataclasses
import datetime
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
import pyarrow as pa

from tabkit.loss import Loss
from tabkit.write.metadata_loss import metadata_losses
from tabkit.write.stat_columns import (
    batches_of,
    losses,
    plain_table,
    require_variables,
    rows_of,
    text_matrix,
)
from tabkit.write.stat_dta_columns import LONG_STRING, TYPES, cells, plan_column
from tabkit.write.stat_dta_strl import LongStrings, long_strings
from tabkit.write.stat_dta_texts import characteristics, label_sets, sort_order, value_labels
from tabkit.write.stat_names import STATA_NAMES, legal_names, name_losses
from tabkit.write.stat_sav_records import MONTHS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

    from tabkit.loss import Ledger
    from tabkit.model import Table
    from tabkit.write.stat_dta_columns import StataColumn

_MANY: Final = 32_767
_LABEL: Final = 80  # characters
_NAME_BYTES, _FORMAT_BYTES, _LABEL_BYTES = 129, 57, 321
_LONG_STRING_CODE: Final = 32_768
_UNDERSCORE: Final = 27  # of ``._`` in missing_tags
_CARRIED: Final = frozenset(
    {
        "variable label", "value labels", "display format", "storage type", "alignment",
        "question text", "attributes", "file label", "notes", "attributes of the file",
    }
)  # fmt: skip
_SECTIONS: Final = (
    "stata_dta", "map", "variable_types", "varnames", "sortlist", "formats", "value_label_names",
    "variable_labels", "characteristics", "data", "strls", "value_labels", "/stata_dta",
)  # fmt: skip


def write_dta(table: Table, path: Path) -> Ledger:
    """Write ``table`` as a Stata data file.

    Types stay as narrow as they are; tagged missings keep their letters; strings of more than
    2,045 bytes become ``strL``; attributes become characteristics.

    Returns:
        What Stata cannot hold: definitions of missing values, labels of strings, empty strings…
    """
    require_variables(table, path)
    plain, found = plain_table(table)
    old = table.data.column_names
    names = legal_names(old, STATA_NAMES)
    found += name_losses(old, names)
    columns, data = [], []
    for place, variable in enumerate(table.variables):
        column, fitting, lost = plan_column(variable, names[place], plain.data.column(place))
        columns.append(column)
        data.append(fitting)
        found += lost
    plain = _with_data(plain, data)
    found += metadata_losses(table, _CARRIED) + _tag_losses(plain)
    with path.open("wb") as file:
        found += _write(file, plain, columns)
    return tuple(found)


def _with_data(table: Table, columns: Sequence[pa.ChunkedArray]) -> Table:
    data = pa.table(list(columns), names=table.data.column_names)
    return dataclasses.replace(table, data=data)


def _tag_losses(table: Table) -> list[Loss]:
    found = []
    for name, tags in table.missing_tags.items():
        letters = tags.to_numpy()
        given = letters != 0
        if pa.types.is_string(table.data[name].type):
            found += losses("tagged missings became plain missings", name, int(given.sum()))
            continue
        what = "missings tagged ._ became plain missings"
        found += losses(what, name, int((letters == _UNDERSCORE).sum()))
    return found


def _write(file: BinaryIO, table: Table, columns: Sequence[StataColumn]) -> list[Loss]:
    """Write section after section, then the map of where they begin."""
    sets, found = label_sets(table, columns)
    chars, lost = characteristics(table, columns)
    found += lost
    label, lost = _cut(table.label, "")
    found += lost
    labels = []
    for column in columns:
        text, lost = _cut(column.variable.label, column.variable.name)
        labels.append(text)
        found += lost
    strings = long_strings(table, columns, wide=len(columns) > _MANY)
    places = _head(file, table, len(columns), label)
    for name, content in {
        "variable_types": _packed("H", [_code(column) for column in columns]),
        "varnames": _fields([column.name for column in columns], _NAME_BYTES),
        "sortlist": _sort_list(table, columns),
        "formats": _fields([column.shown for column in columns], _FORMAT_BYTES),
        "value_label_names": _fields([sets.name_of(column) for column in columns], _NAME_BYTES),
        "variable_labels": _fields(labels, _LABEL_BYTES),
        "characteristics": chars,
    }.items():
        places[name] = _section(file, name, content)
    places["data"] = _write_cases(file, table, columns, strings)
    places["strls"] = file.tell()
    file.write(b"<strls>")
    for piece in strings.pieces():
        file.write(piece)
    file.write(b"</strls>")
    places["value_labels"] = _section(file, "value_labels", value_labels(sets))
    places["/stata_dta"] = file.tell()
    file.write(b"</stata_dta>")
    offsets = [*(places[name] for name in _SECTIONS), file.tell()]
    file.seek(places["map"] + len("<map>"))
    file.write(_packed("Q", offsets))
    return found


def _head(file: BinaryIO, table: Table, width: int, label: str) -> dict[str, int]:
    when = table.origin.created or datetime.datetime.now()  # noqa: DTZ005 - Stata states local time
    stamp = f"{when.day:2d} {MONTHS[when.month - 1]} {when.year:04d} {when:%H:%M}".encode()
    release, count = (b"119", "<I") if width > _MANY else (b"118", "<H")
    text = label.encode()
    file.write(
        b"<stata_dta><header><release>%b</release><byteorder>LSF</byteorder>" % release
        + b"<K>%b</K>" % struct.pack(count, width)
        + b"<N>%b</N>" % struct.pack("<Q", table.cases)
        + b"<label>%b%b</label>" % (struct.pack("<H", len(text)), text)
        + b"<timestamp>%b%b</timestamp></header>" % (bytes([len(stamp)]), stamp)
    )
    places = {"stata_dta": 0}
    places["map"] = _section(file, "map", bytes(8 * (len(_SECTIONS) + 1)))
    return places


def _section(file: BinaryIO, name: str, content: bytes) -> int:
    start = file.tell()
    file.write(f"<{name}>".encode() + content + f"</{name}>".encode())
    return start


def _write_cases(
    file: BinaryIO, table: Table, columns: Sequence[StataColumn], strings: LongStrings
) -> int:
    start = file.tell()
    file.write(b"<data>")
    width = sum(column.cell_bytes for column in columns)
    done = 0
    for batch, tags in batches_of(table, rows_of(width)):
        cases = np.empty((batch.num_rows, width), np.uint8)
        at = 0
        for place, column in enumerate(columns):
            end = at + column.cell_bytes
            cases[:, at:end] = _cell_bytes(batch, place, column, tags, strings, done)
            at = end
        file.write(cases.tobytes())
        done += batch.num_rows
    file.write(b"</data>")
    return start


def _cell_bytes(
    batch: pa.RecordBatch, place: int, column: StataColumn,
    tags: Mapping[str, npt.NDArray[np.int8]], strings: LongStrings, done: int,
) -> npt.NDArray[np.uint8]:  # fmt: skip
    data = batch.column(place)
    if column.storage == LONG_STRING:
        return strings.references(place, done, batch.num_rows)
    if column.storage == "str":
        return text_matrix(data, column.width, 0)
    stored = cells(data, column, tags.get(column.variable.name))
    return stored.view(np.uint8).reshape(batch.num_rows, column.cell_bytes)


def _code(column: StataColumn) -> int:
    if column.storage == LONG_STRING:
        return _LONG_STRING_CODE
    return column.width or TYPES[column.storage].code


def _sort_list(table: Table, columns: Sequence[StataColumn]) -> bytes:
    order = sort_order(table)
    layout = "I" if len(columns) > _MANY else "H"
    return _packed(layout, [*order, *[0] * (len(columns) + 1 - len(order))])


def _packed(layout: str, numbers: Sequence[int]) -> bytes:
    return struct.pack(f"<{len(numbers)}{layout}", *numbers)


def _fields(texts: Sequence[str], size: int) -> bytes:
    return b"".join(text.encode().ljust(size, b"\0") for text in texts)


def _cut(text: str, variable: str) -> tuple[str, list[Loss]]:
    cut = text[:_LABEL].replace("\0", "")
    what = "the variable label" if variable else "the file label"
    return cut, [] if cut == text else [Loss(f"{what} became {cut!r}", variable)]
