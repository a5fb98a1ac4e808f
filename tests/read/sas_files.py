"""SAS files made byte by byte for tests, as the documents of the formats say they are."""

from __future__ import annotations

import dataclasses
import math
import struct
from fractions import Fraction
from typing import TYPE_CHECKING

from tabkit.read.sas_header import DATA_SET

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclasses.dataclass(frozen=True)
class Var:
    """A variable: ``text`` is the bytes of a character variable, 0 for a number."""

    name: str
    text: int = 0
    label: str = ""
    shown: str = ""
    length: int = 8

    @property
    def width(self) -> int:
        """Bytes in a case."""
        return self.text or self.length


@dataclasses.dataclass(frozen=True)
class Sas7bdat:
    """A data set; a number cell is a float, or a missing one as ``.``, ``A``-``Z`` or ``_``."""

    variables: Sequence[Var]
    rows: Sequence[Sequence[float | str | bytes]]
    order: str = "<"
    wide: bool = False
    compressed: bool = False
    encoding: int = 20
    codec: str = "utf-8"
    page_size: int = 4096
    label: str = ""

    def to_bytes(self) -> bytes:
        """The whole file."""
        pages = self._pages()
        head = bytearray(1024)
        head[:32] = DATA_SET
        head[32], head[35], head[37] = (0x33 if self.wide else 0x22), 0x22, int(self.order == "<")
        head[70] = self.encoding
        head[84:124] = b"SAS FILE" + b"SAMPLE".ljust(32)
        struct.pack_into(f"{self.order}4d", head, 164, 86400.5, 172800.0, -3600.0, 0.0)
        struct.pack_into(f"{self.order}2I", head, 196, len(head), self.page_size)
        struct.pack_into(self.order + ("Q" if self.wide else "I"), head, 204, len(pages))
        at = 220 if self.wide else 216
        head[at : at + 24] = b"9.0401M6" + b"Linux".ljust(16, b"\0")
        return bytes(head) + b"".join(pages)

    def _pages(self) -> list[bytes]:
        rows = [self._row(row) for row in self.rows]
        subheaders = [(data, 0, 0) for data in self._dictionary(len(rows))]
        if self.compressed:
            subheaders += [(_literal(row), 4, 1) for row in rows]
        pages = self._meta_pages(subheaders)
        room = (self.page_size - self._head) // max(self._row_length, 1)
        if not self.compressed:
            for start in range(0, len(rows), max(room, 1)):
                part = rows[start : start + room]
                head = bytes(self._head - 8) + struct.pack(
                    f"{self.order}4H", 0x100, len(part), 0, 0
                )
                pages.append((head + b"".join(part)).ljust(self.page_size, b"\0"))
        return pages

    @property
    def _head(self) -> int:
        return 40 if self.wide else 24

    @property
    def _row_length(self) -> int:
        return sum(variable.width for variable in self.variables)

    def _meta_pages(self, subheaders: Sequence[tuple[bytes, int, int]]) -> list[bytes]:
        entry = 24 if self.wide else 12
        pages: list[list[tuple[bytes, int, int]]] = [[]]
        used = self._head
        for each in subheaders:
            if used + len(each[0]) + entry > self.page_size:
                pages.append([])
                used = self._head
            pages[-1].append(each)
            used += len(each[0]) + entry
        return [self._meta_page(page) for page in pages]

    def _meta_page(self, subheaders: Sequence[tuple[bytes, int, int]]) -> bytes:
        page = bytearray(self.page_size)
        struct.pack_into(f"{self.order}4H", page, self._head - 8, 0, 0, len(subheaders), 0)
        end, at = self.page_size, self._head
        for data, stored, kind in subheaders:
            end -= len(data)
            page[end : end + len(data)] = data
            struct.pack_into(self.order + ("QQBB" if self.wide else "IIBB"), page, at, end,
                             len(data), stored, kind)  # fmt: skip
            at += 24 if self.wide else 12
        return bytes(page)

    def _dictionary(self, rows: int) -> list[bytes]:
        texts = _Texts(self.order)
        word, code = (8, "Q") if self.wide else (4, "I")
        size = bytearray(808 if self.wide else 480)
        for index, value in ((5, self._row_length), (6, rows), (9, len(self.variables)),
                             (13, self.page_size)):  # fmt: skip
            struct.pack_into(self.order + code, size, index * word, value)
        size[-130:-124] = texts.add(self.label.encode(self.codec))
        size[-118:-112] = texts.add(b"SASYZCRL" if self.compressed else b"")
        columns = bytearray(3 * word)
        struct.pack_into(self.order + code, columns, word, len(self.variables))
        names, attributes, formats, at = b"", b"", [], 0
        for variable in self.variables:
            names += texts.add(variable.name.encode(self.codec)) + bytes(2)
            attributes += struct.pack(f"{self.order}{code}I2xBx", at, variable.width,
                                      2 if variable.text else 1)  # fmt: skip
            at += variable.width
            both = texts.add(variable.shown.encode()) + texts.add(variable.label.encode(self.codec))
            formats.append(
                (bytes(46 if self.wide else 34) + both).ljust(64 if self.wide else 52, b"\0")
            )
        tail = bytes(12)
        lists = [self._signed(0xFFFFFFFD, bytes(20) + texts.data)]
        lists += [
            self._signed(0xFFFFFFFF, names + tail),
            self._signed(0xFFFFFFFC, attributes + tail),
        ]
        plain = [(0xF7F7F7F7, bytes(size)), (0xF6F6F6F6, bytes(columns))]
        plain += [(0xFFFFFBFE, data) for data in formats]
        signed = [self._signature(kind) + data[word:] for kind, data in plain]
        return [*signed[:2], *lists, *signed[2:]]

    def _signature(self, kind: int) -> bytes:
        if not self.wide:
            return struct.pack(f"{self.order}I", kind)
        is_size = kind in (0xF7F7F7F7, 0xF6F6F6F6)
        low, high = kind, 0 if is_size else 0xFFFFFFFF
        pair = (low, high) if self.order == "<" or is_size else (high, low)
        return struct.pack(f"{self.order}2I", *pair)

    def _signed(self, kind: int, data: bytes) -> bytes:
        """A list of a signature, its own length, and data."""
        signature = self._signature(kind)
        length = len(signature) + 8 + len(data)
        rest = length - (4 + 2 * len(signature))
        return signature + struct.pack(f"{self.order}H", rest) + bytes(6) + data

    def _row(self, row: Sequence[float | str | bytes]) -> bytes:
        return b"".join(
            self._cell(cell, variable) for cell, variable in zip(row, self.variables, strict=True)
        )

    def _cell(self, cell: float | str | bytes, variable: Var) -> bytes:
        if variable.text:
            data = cell.encode(self.codec) if isinstance(cell, str) else bytes(cell)  # type: ignore[arg-type]
            return data.ljust(variable.text)[: variable.text]
        if isinstance(cell, str):
            bits = 0xFFFF_0000_0000_0000 | ((~ord(cell) & 0xFF) << 40)
            data = struct.pack(">Q", bits)
        else:
            data = struct.pack(">d", cell)
        data = data[: variable.width]
        return data if self.order == ">" else data[::-1]


class _Texts:
    """The texts that the dictionary refers to."""

    def __init__(self, order: str) -> None:
        self.data, self._order = b"", order

    def add(self, text: bytes) -> bytes:
        if not text:
            return bytes(6)
        at = 28 + len(self.data)  # after the rest of its subheader
        self.data += text.ljust(-(-len(text) // 4) * 4, b"\0")
        return struct.pack(f"{self._order}3H", 0, at, len(text))


def _literal(row: bytes) -> bytes:
    """Compress a row by copying it, 16 bytes a command."""
    parts = [row[at : at + 16] for at in range(0, len(row), 16)]
    return b"".join(bytes([0x80 + len(part) - 1]) + part for part in parts)


def ibm(value: float, width: int = 8) -> bytes:
    """A number as System/360 stores it, cut to ``width`` bytes."""
    if value == 0 or not math.isfinite(value):
        return bytes(width)
    size, power = Fraction(abs(value)), 64
    while size >= 1:
        size, power = size / 16, power + 1
    while size < Fraction(1, 16):
        size, power = size * 16, power - 1
    bits = int(size * 2**56)
    return (bytes([power + 128 * (value < 0)]) + bits.to_bytes(7, "big"))[:width]


@dataclasses.dataclass(frozen=True)
class Member:
    """A data set in a transport file; cells as in `Sas7bdat`."""

    name: str
    variables: Sequence[Var]
    rows: Sequence[Sequence[float | str | bytes]]
    label: str = ""
    cases: str = ""

    def to_bytes(self, version: int = 5) -> bytes:
        """Its records."""
        new = version == 8
        described = b"".join(self._describe(i, new) for i in range(len(self.variables)))
        name = self.name.encode().ljust(32 if new else 8)
        stamp = b"03JUN14:09:05:16"
        about = b"SAS     " + name + b"SASDATA 9.4     Linux   " + bytes(0 if new else 24)
        head = [
            _header(b"MEMBV8" if new else b"MEMBER", b"000000000000000001600000000140"),
            _header(b"DSCPTV8" if new else b"DSCRPTR"),
            about.ljust(64) + stamp,
            stamp.ljust(32) + self.label.encode().ljust(40) + b"        ",
            _header(b"NAMSTV8" if new else b"NAMESTR", b"000000%04d" % len(self.variables)),
            _filled(described),
            _header(b"OBSV8" if new else b"OBS", self.cases.encode().ljust(30) if new else b""),
        ]
        cells = b"".join(b"".join(map(_xpt_cell, row, self.variables)) for row in self.rows)
        return b"".join(head) + _filled(cells)

    def _describe(self, index: int, new: bool) -> bytes:
        variable = self.variables[index]
        at = sum(each.width for each in self.variables[:index])
        name, _, sizes = variable.shown.partition("|")
        width, _, decimals = sizes.partition(".")
        return struct.pack(
            ">4H8s40s8s3H2x8s2HI32s20x", 2 if variable.text else 1, 0, variable.width, index + 1,
            variable.name.encode()[:8].ljust(8), variable.label.encode()[:40].ljust(40),
            name.encode().ljust(8), int(width or 0), int(decimals or 0), 0, b" " * 8, 0, 0, at,
            variable.name.encode().ljust(32) if new else b"",
        )  # fmt: skip


def _xpt_cell(cell: float | str | bytes, variable: Var) -> bytes:
    if variable.text:
        data = cell.encode() if isinstance(cell, str) else bytes(cell)  # type: ignore[arg-type]
        return data.ljust(variable.text)[: variable.text]
    if isinstance(cell, str):
        return cell.encode().ljust(variable.width, b"\0")
    return cell if isinstance(cell, bytes) else ibm(cell, variable.width)


def transport(*members: Member, version: int = 5) -> bytes:
    """A transport file of these data sets."""
    stamp = b"03JUN14:09:05:16"
    about = (b"SAS     SAS     SASLIB  9.4     Linux   ").ljust(64) + stamp
    head = _header(b"LIBV8" if version == 8 else b"LIBRARY") + about + stamp.ljust(80)
    return head + b"".join(member.to_bytes(version) for member in members)


def _header(name: bytes, numbers: bytes = b"") -> bytes:
    text = b"HEADER RECORD*******" + name.ljust(8) + b"HEADER RECORD!!!!!!!"
    return text + numbers.ljust(30, b"0") + b"  "


def _filled(data: bytes) -> bytes:
    return data + b" " * (-len(data) % 80)
