"""Writes Stata data files byte by byte, as Stata's help describes them: what readers are given."""

from __future__ import annotations

import dataclasses
import itertools
import struct
from typing import TYPE_CHECKING, Any, Final

from tabkit.options import ReadOptions
from tabkit.read import read_all
from tabkit.read.stata import open_dta

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tabkit.model import Table

OLD: Final = (102, 103, 104, 105, 106, 107, 108, 110, 111, 112, 113, 114, 115)
NEW: Final = (117, 118, 119, 120, 121)
_OLD_CODES: Final = {"byte": 98, "int": 105, "long": 108, "float": 102, "double": 100}
_CODES: Final = {"byte": 251, "int": 252, "long": 253, "float": 254, "double": 255}
_NEW_CODES: Final = {
    "byte": 65530, "int": 65529, "long": 65528, "float": 65527, "double": 65526,
    "strL": 32768, "alias": 65525,
}  # fmt: skip
_PACKED: Final = {"byte": "b", "int": "h", "long": "i", "float": "f", "double": "d"}


@dataclasses.dataclass(frozen=True)
class Column:
    """One variable; cells are numbers as stored, or bytes."""

    name: bytes
    storage: str
    cells: Sequence[float | bytes] = ()
    display_format: bytes = b"%9.0g"
    label_name: bytes = b""
    label: bytes = b""


@dataclasses.dataclass(frozen=True)
class File:
    """All of a file; ``labels`` are (name, ((code, label), …)), ``characteristics`` triples."""

    version: int
    columns: Sequence[Column]
    order: str = "<"
    label: bytes = b""
    timestamp: bytes = b""
    labels: Sequence[tuple[bytes, Sequence[tuple[int, bytes]]]] = ()
    characteristics: Sequence[tuple[bytes, bytes, bytes]] = ()
    sorted_by: Sequence[int] = ()

    def to_bytes(self) -> bytes:
        """Return the file."""
        return _sections(self) if self.version >= NEW[0] else _records(self)


def opened(folder: Path, raw: bytes, **options: Any) -> Table:
    """Return a file of these bytes as a table."""
    target = folder / "x.dta"
    target.write_bytes(raw)
    return read_all(open_dta(target, ReadOptions(**options)))


def cells(table: Table, name: str) -> list[Any]:
    """Return the values of a variable."""
    return list(table.data.column(name).to_pylist())


def _name(version: int) -> int:
    return 9 if version < 110 else (33 if version < 118 else 129)


def _format(version: int) -> int:
    sizes = ((105, 7), (114, 12), (118, 49), (122, 57))
    return next(size for end, size in sizes if version < end)


def _label(version: int) -> int:
    return 32 if version < 107 else (81 if version < 118 else 321)


def _pad(text: bytes, width: int) -> bytes:
    assert len(text) < width, (text, width)
    return text.ljust(width, b"\0")


def _code(version: int, storage: str) -> bytes:
    width = int(storage[3:]) if storage[3:].isdigit() else 0
    if version >= NEW[0]:
        return struct.pack("H", width or _NEW_CODES[storage])
    if version >= 111:
        return bytes([width or _CODES[storage]])
    return bytes([width + 127 if width else _OLD_CODES[storage]])


def _lists(file: File) -> list[tuple[str, bytes]]:
    version, columns = file.version, file.columns
    codes = b"".join(_code(version, column.storage) for column in columns)
    if file.order == ">" and version >= NEW[0]:
        codes = struct.pack(f">{len(columns)}H", *struct.unpack(f"{len(columns)}H", codes))
    wide = "I" if version in (119, 121) else "H"
    numbers = [*(at + 1 for at in file.sorted_by), *[0] * (len(columns) + 1)][: len(columns) + 1]
    return [
        ("variable_types", codes),
        ("varnames", b"".join(_pad(c.name, _name(version)) for c in columns)),
        ("sortlist", struct.pack(f"{file.order}{len(numbers)}{wide}", *numbers)),
        ("formats", b"".join(_pad(c.display_format, _format(version)) for c in columns)),
        ("value_label_names", b"".join(_pad(c.label_name, _name(version)) for c in columns)),
        ("variable_labels", b"".join(_pad(c.label, _label(version)) for c in columns)),
    ]


def _reference(file: File, variable: int, case: int) -> bytes:
    if file.version == 117:
        return struct.pack(f"{file.order}II", variable, case)
    variable_bytes = 3 if file.version in (119, 121) else 2
    order = "little" if file.order == "<" else "big"
    return variable.to_bytes(variable_bytes, order) + case.to_bytes(8 - variable_bytes, order)


def _data(file: File) -> tuple[bytes, bytes]:
    """Return the cases and the long strings."""
    data, strings = bytearray(), bytearray()
    head = "3sIIBI" if file.version == 117 else "3sIQBI"
    cases = len(file.columns[0].cells) if file.columns else 0
    for case, at in itertools.product(range(cases), range(len(file.columns))):
        storage, cell = file.columns[at].storage, file.columns[at].cells[case]
        if storage in _PACKED:
            data += struct.pack(file.order + _PACKED[storage], cell)
        elif storage == "strL" and cell:
            data += _reference(file, at + 1, case + 1)
            text = cell + b"\0"
            strings += struct.pack(file.order + head, b"GSO", at + 1, case + 1, 130, len(text))
            strings += text
        elif storage == "strL":
            data += bytes(8)
        elif storage != "alias":
            data += cell.ljust(int(storage[3:]), b"\0")
    return bytes(data), bytes(strings)


def _wide_table(file: File, name: bytes, entries: Sequence[tuple[int, bytes]]) -> bytes:
    text = b"".join(label + b"\0" for _, label in entries)
    offsets = list(itertools.accumulate((len(label) + 1 for _, label in entries), initial=0))
    count = len(entries)
    numbers = [count, len(text), *offsets[:count], *(code for code, _ in entries)]
    table = struct.pack(f"{file.order}{2 + count}I{count}i", *numbers) + text
    head = struct.pack(f"{file.order}I", len(table)) + _pad(name, _name(file.version)) + bytes(3)
    return head + table


def _short_table(file: File, name: bytes, entries: Sequence[tuple[int, bytes]]) -> bytes:
    count = len(entries)
    codes = struct.pack(f"{file.order}{count}h", *(code for code, _ in entries))
    labels = b"".join(label.ljust(8, b"\0") for _, label in entries)
    return struct.pack(f"{file.order}H", count) + _pad(name, 10) + codes + labels


def _characteristic(file: File, triple: tuple[bytes, bytes, bytes]) -> bytes:
    width = _name(file.version)
    return _pad(triple[0], width) + _pad(triple[1], width) + triple[2] + b"\0"


def _records(file: File) -> bytes:
    version, order = file.version, file.order
    cases = len(file.columns[0].cells) if file.columns else 0
    counts = struct.pack(f"{order}HI" if version > 102 else "<HH", len(file.columns), cases)
    byte_order = {"<": 2, ">": 1}[order] if version > 102 else 0
    out = (
        bytes([version, byte_order, 1, 0]) + counts + _pad(file.label, 81 if version >= 107 else 32)
    )
    if version >= 105:
        out += _pad(file.timestamp, 18)
    out += b"".join(raw for _, raw in _lists(file))
    if version >= 105:
        length = "I" if version >= 110 else "H"
        for triple in file.characteristics:
            text = _characteristic(file, triple)
            out += b"\1" + struct.pack(order + length, len(text)) + text
        out += bytes(5 if version >= 110 else 3)
    table = _wide_table if version >= 107 else _short_table
    return out + _data(file)[0] + b"".join(table(file, *each) for each in file.labels)


def _sections(file: File) -> bytes:
    order = file.order
    data, strings = _data(file)
    texts = (_characteristic(file, triple) for triple in file.characteristics)
    parts = [
        *_lists(file),
        (
            "characteristics",
            b"".join(
                b"<ch>" + struct.pack(f"{order}I", len(text)) + text + b"</ch>" for text in texts
            ),
        ),
        ("data", data),
        ("strls", strings),
        (
            "value_labels",
            b"".join(b"<lbl>" + _wide_table(file, *each) + b"</lbl>" for each in file.labels),
        ),
    ]
    head = _section_header(file)
    offsets, at = [0, len(head)], len(head) + len("<map></map>") + 14 * 8
    for name, raw in parts:
        offsets.append(at)
        at += len(raw) + 2 * len(name) + 5
    offsets += [at, at + len("</stata_dta>")]
    out = head + b"<map>" + struct.pack(f"{order}14Q", *offsets) + b"</map>"
    for name, raw in parts:
        out += f"<{name}>".encode() + raw + f"</{name}>".encode()
    return out + b"</stata_dta>"


def _section_header(file: File) -> bytes:
    order = file.order
    cases = len(file.columns[0].cells) if file.columns else 0
    count = struct.pack(order + ("I" if file.version in (119, 121) else "H"), len(file.columns))
    case_count = struct.pack(order + ("I" if file.version == 117 else "Q"), cases)
    label = struct.pack(order + ("B" if file.version == 117 else "H"), len(file.label)) + file.label
    return b"".join(
        (
            b"<stata_dta><header><release>", str(file.version).encode(), b"</release><byteorder>",
            b"LSF" if order == "<" else b"MSF", b"</byteorder><K>", count, b"</K><N>", case_count,
            b"</N><label>", label, b"</label><timestamp>", bytes([len(file.timestamp)]),
            file.timestamp, b"</timestamp></header>",
        )
    )  # fmt: skip
