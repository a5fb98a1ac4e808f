"""SAS transport files, version 5 and 8: a table goes in, a library of one data set comes out.

Source: SAS Institute, TS-140, "Record Layout of a SAS Version 5 or 6 Data Set in SAS Transport
(XPORT) Format", and "Record Layout of a SAS Version 8 or 9 Data Set in SAS Transport Format".
"""

from __future__ import annotations

import dataclasses
import datetime
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.errors import OutputError
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
from tabkit.write.stat_names import (
    SAS_5_NAMES,
    SAS_NAMES,
    cut_bytes,
    is_legal,
    legal_names,
    name_losses,
)
from tabkit.write.stat_sav_records import MONTHS
from tabkit.write.stat_xpt_columns import ibm_words, plan_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tabkit.loss import Ledger
    from tabkit.model import Table
    from tabkit.write.stat_xpt_columns import SasColumn

_RECORD: Final = 80
_MOST: Final = 99_999  # variables, in five digits
_LABEL_5, _LABEL_8 = 40, 256
_TEXT_5: Final = 200
_SHORT: Final = 8
_NAME: Final = "data set"
_BLANK: Final = 0x20
_CARRIED: Final = frozenset(
    {"variable label", "display format", "storage type", "file label", "attributes",
     "attributes of the file"}
)  # fmt: skip


def write_xpt(table: Table, path: Path, *, version: int | None = None) -> Ledger:
    """Write ``table`` as a SAS transport file.

    Tagged missings are kept; dates and times are SAS's own.

    Args:
        table: Any table.
        path: Written from its beginning.
        version: 5 (as the FDA wants it) or 8; None takes 5 where the table fits without loss.

    Returns:
        What the format cannot hold: value labels, definitions of missing values, long names…

    Raises:
        OutputError: There are no variables or more than 99,999.
    """
    require_variables(table, path)
    if len(table.variables) > _MOST:
        raise OutputError(f"a transport file holds at most {_MOST:,} variables", path)
    plain, found = plain_table(table)
    old = table.data.column_names
    names = legal_names(old, SAS_NAMES)
    plans = [
        plan_column(variable, name, column)
        for variable, name, column in zip(table.variables, names, plain.data.columns, strict=True)
    ]
    columns = [column for column, _, _ in plans]
    plain = _with_data(plain, [data for _, data, _ in plans])
    found += [loss for _, _, lost in plans for loss in lost]
    version = version or (5 if _fits_5(plain, columns) else 8)
    if version == 5:  # noqa: PLR2004
        names = legal_names(old, SAS_5_NAMES)
        plain, columns, lost = _cut_for_5(plain, columns, names)
        found += lost
    found += name_losses(old, names) + _text_losses(plain, columns, version)
    found += metadata_losses(table, _CARRIED) + _attribute_losses(plain)
    with path.open("wb") as file:
        _write_head(file, plain, columns, version)
        _write_cases(file, plain, columns)
    return tuple(found)


def _with_data(table: Table, columns: Sequence[pa.ChunkedArray]) -> Table:
    data = pa.table(list(columns), names=table.data.column_names)
    return dataclasses.replace(table, data=data)


def _fits_5(table: Table, columns: Sequence[SasColumn]) -> bool:
    """Whether version 5 holds as much as version 8 does."""
    return (
        all(
            is_legal(column.name, SAS_5_NAMES)
            and len(column.variable.label.encode()) <= _LABEL_5
            and len(column.shown.name) <= _SHORT
            and column.width <= _TEXT_5
            for column in columns
        )
        and is_legal(_data_set(table) or "A", SAS_5_NAMES)
        and not _blank_end(table, columns)
    )


def _cut_for_5(
    table: Table, columns: Sequence[SasColumn], names: Sequence[str]
) -> tuple[Table, list[SasColumn], list[Loss]]:
    cut, data, found = [], [], []
    for place, column in enumerate(columns):
        planned, fitting, lost = plan_column(
            column.variable, names[place], table.data.column(place), limit=_TEXT_5
        )
        cut.append(planned)
        data.append(fitting)
        found += [loss for loss in lost if "were cut" in loss.what]
    blank = _blank_end(table, columns)
    found += losses("blank cases at the end look like filling", "", blank)
    return _with_data(table, data), cut, found


def _blank_end(table: Table, columns: Sequence[SasColumn]) -> int:
    """Return how many blank cases at the end cannot be told from the filling of a record."""
    if any(not column.is_text for column in columns):
        return 0
    width = sum(column.width for column in columns)
    count = 0
    filling = -(width * table.cases) % _RECORD
    while count < table.cases and filling + count * width < _RECORD:
        row = table.data.slice(table.cases - count - 1, 1).to_pylist()[0]
        if any((text or "").strip(" ") for text in row.values()):
            break
        count += 1
    return count


def _text_losses(table: Table, columns: Sequence[SasColumn], version: int) -> list[Loss]:
    limit = _LABEL_5 if version == 5 else _LABEL_8  # noqa: PLR2004
    found = [
        Loss(f"the variable label became {cut!r}", column.variable.name)
        for column in columns
        if (cut := _cut(column.variable.label, limit)) != column.variable.label
    ]
    label = _cut(table.label, _LABEL_5)
    if label != table.label:
        found.append(Loss(f"the file label became {label!r}"))
    words = [table.label, *(column.variable.label for column in columns)]
    texts = [c for c in table.data.columns if pa.types.is_string(c.type)]
    is_ascii = all(word.isascii() for word in words) and all(
        pc.all(pc.string_is_ascii(column), min_count=0).as_py() for column in texts
    )
    if not is_ascii:
        found.append(Loss("the encoding: a transport file does not tell that its text is UTF-8"))
    return found


def _attribute_losses(table: Table) -> list[Loss]:
    kept = sum(name == _NAME for name, _ in table.attributes)
    found = losses("attributes of the file", "", len(table.attributes) - kept)
    for variable in table.variables:
        informats = sum(name == "informat" for name, _ in variable.attributes)
        found += losses("attributes", variable.name, len(variable.attributes) - informats)
    return found


def _data_set(table: Table) -> str:
    return dict(table.attributes).get(_NAME, "")


def _write_head(file: BinaryIO, table: Table, columns: Sequence[SasColumn], version: int) -> None:
    is_5 = version == 5  # noqa: PLR2004
    rules = SAS_5_NAMES if is_5 else SAS_NAMES
    (name,) = legal_names([_data_set(table) or "DATASET"], rules)
    created = _stamp(table.origin.created)
    modified = _stamp(table.origin.modified or table.origin.created)
    width = 8 if is_5 else 32
    label = _cut(table.label, _LABEL_5).encode()
    sas = b"SAS     " * 2 + b"SASLIB  9.4     tabkit  ".ljust(48) + created
    data_set = b"SAS     " + name.encode().ljust(width) + b"SASDATA 9.4     tabkit  "
    file.write(_header("LIBRARY" if is_5 else "LIBV8") + sas + modified.ljust(_RECORD))
    file.write(_header("MEMBER" if is_5 else "MEMBV8", "000000000000000001600000000140"))
    file.write(_header("DSCRPTR" if is_5 else "DSCPTV8"))
    file.write(data_set.ljust(64) + created)
    file.write((modified.ljust(32) + label.ljust(_LABEL_5)).ljust(_RECORD))
    count = f"{len(columns):010d}".ljust(30, "0")
    file.write(_header("NAMESTR" if is_5 else "NAMSTV8", count))
    file.write(_filled(_descriptions(columns, is_5=is_5)))
    if not is_5:
        file.write(_long_labels(columns))
        file.write(_header("OBSV8", f"{table.cases:15d}".ljust(30)))
    else:
        file.write(_header("OBS"))


def _descriptions(columns: Sequence[SasColumn], *, is_5: bool) -> Iterable[bytes]:
    start = 0
    for number, column in enumerate(columns, 1):
        name, label = column.name.encode(), column.variable.label
        tail = b"" if is_5 else name.ljust(32) + struct.pack(">H", len(_label(column)))
        yield struct.pack(
            ">hhhh8s40s8shhhxx8shhi52s",
            2 if column.is_text else 1, 0, column.width, number,
            name[:_SHORT].ljust(_SHORT),
            _cut(label, _LABEL_5).encode().ljust(_LABEL_5),
            *_format_fields(column.shown.name, column.shown.width, column.shown.decimals),
            int(column.variable.alignment == "right"),
            *_format_fields(column.informat.name, column.informat.width, column.informat.decimals),
            start, tail,
        )  # fmt: skip
        start += column.width


def _format_fields(name: str, width: int | None, decimals: int | None) -> tuple[bytes, int, int]:
    return name.encode()[:_SHORT].ljust(_SHORT), width or 0, decimals or 0


def _long_labels(columns: Sequence[SasColumn]) -> bytes:
    """Return the section of labels over 40 bytes, or of names of formats over 8 (LABELV9)."""
    wide = any(max(len(c.shown.name), len(c.informat.name)) > _SHORT for c in columns)
    entries = []
    for number, column in enumerate(columns, 1):
        name, label = column.name.encode(), _label(column)
        shown = f"{column.shown}".encode() if len(column.shown.name) > _SHORT else b""
        informat = f"{column.informat}".encode() if len(column.informat.name) > _SHORT else b""
        if len(label) <= _LABEL_5 and not shown and not informat:
            continue
        if wide:
            shown, informat = f"{column.shown}".encode(), f"{column.informat}".encode()
            sizes = (len(name), len(label), len(shown), len(informat))
            entries.append(struct.pack(">5H", number, *sizes) + name + label + shown + informat)
        else:
            entries.append(struct.pack(">3H", number, len(name), len(label)) + name + label)
    if not entries:
        return b""
    return _header("LABELV9" if wide else "LABELV8", f"{len(entries)}".ljust(30)) + _filled(entries)


def _label(column: SasColumn) -> bytes:
    return _cut(column.variable.label, _LABEL_8).encode()


def _cut(label: str, limit: int) -> str:
    """Return a label as SAS has it, without blanks at its ends and without NULs."""
    return cut_bytes(label.replace("\0", "").strip(" "), limit).rstrip(" ")


def _write_cases(file: BinaryIO, table: Table, columns: Sequence[SasColumn]) -> None:
    width = sum(column.width for column in columns)
    for batch, tags in batches_of(table, rows_of(width)):
        cases = np.empty((batch.num_rows, width), np.uint8)
        at = 0
        for place, column in enumerate(columns):
            data, end = batch.column(place), at + column.width
            if column.is_text:
                cases[:, at:end] = text_matrix(data, column.width, _BLANK)
            else:
                words = ibm_words(data, tags.get(column.variable.name))
                cases[:, at:end] = words[:, : column.width]
            at = end
        file.write(cases.tobytes())
    file.write(b" " * (-(width * table.cases) % _RECORD))


def _header(kind: str, numbers: str = "0" * 30) -> bytes:
    return f"HEADER RECORD*******{kind:8}HEADER RECORD!!!!!!!{numbers:30}  ".encode()


def _filled(parts: Iterable[bytes]) -> bytes:
    data = b"".join(parts)
    return data + b" " * (-len(data) % _RECORD)


def _stamp(when: datetime.datetime | None) -> bytes:
    when = when or datetime.datetime.now()  # noqa: DTZ005 - SAS states local time
    month = MONTHS[when.month - 1].upper()
    return f"{when.day:02d}{month}{when.year % 100:02d}:{when:%H:%M:%S}".encode()
