"""Small system files made byte by byte, for what no writer at hand writes."""

from __future__ import annotations

import dataclasses
import struct
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from tabkit.options import ReadOptions
from tabkit.read import read_all
from tabkit.read.spss import open_sav

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tabkit.model import Table, Variable

SYSMIS = -1.7976931348623157e308
LOWEST = -1.7976931348623155e308
HIGHEST = 1.7976931348623157e308
Cell = "float | bytes | None"


@dataclasses.dataclass(frozen=True)
class Var:
    """A variable record; ``missing`` are numbers or 8 bytes each, ``kind`` tells how many."""

    name: bytes
    width: int = 0
    label: bytes | None = None
    print_format: tuple[int, int, int] = (5, 8, 2)
    kind: int = 0
    missing: tuple[float | bytes, ...] = ()

    @property
    def elements(self) -> int:
        """Eight-byte elements of a case."""
        return max(1, -(-self.width // 8))


@dataclasses.dataclass(frozen=True)
class Sav:
    """A whole file."""

    variables: Sequence[Var]
    cases: Sequence[Sequence[float | bytes | None]] = ()
    order: str = "<"
    compression: int = 0
    promised: int | None = None
    case_size: int | None = None
    weight: int = 0
    labels: Sequence[tuple[Sequence[tuple[float | bytes, bytes]], Sequence[int]]] = ()
    document: Sequence[bytes] = ()
    extensions: Sequence[tuple[int, int, bytes]] = ()
    product: bytes = b"@(#) SPSS DATA FILE test"
    created: bytes = b"29 Feb 0412:34:56"
    label: bytes = b""
    bias: float = 100.0

    def to_bytes(self) -> bytes:
        """The file."""
        data = self.dictionary()
        body = [self.words(case) for case in self.cases]
        if self.compression == 0:
            return data + b"".join(word for case in body for word in case)
        code = bytecode([word for case in body for word in case], self.order, self.bias)
        return data + (code if self.compression == 1 else self.zipped(code, len(data)))

    def dictionary(self) -> bytes:
        """Everything before the cases."""
        o = self.order
        elements = sum(each.elements for each in self.variables)
        data = (b"$FL3" if self.compression == 2 else b"$FL2") + self.product.ljust(60)
        data += struct.pack(
            o + "iiiiid", 2, elements if self.case_size is None else self.case_size,
            self.compression, self.weight,
            len(self.cases) if self.promised is None else self.promised, self.bias,
        )  # fmt: skip
        data += self.created + self.label.ljust(64) + b"\0" * 3
        for each in self.variables:
            data += self.record(each)
        for pairs, owners in self.labels:
            data += struct.pack(o + "ii", 3, len(pairs))
            for value, text in pairs:
                body = bytes([len(text)]) + text
                data += self.word(value) + body.ljust(-(-len(body) // 8) * 8)
            data += struct.pack(f"{o}ii{len(owners)}i", 4, len(owners), *owners)
        if self.document:
            data += struct.pack(o + "ii", 6, len(self.document))
            data += b"".join(line.ljust(80) for line in self.document)
        for subtype, size, body in self.extensions:
            data += struct.pack(o + "iiii", 7, subtype, size, len(body) // size) + body
        return data + struct.pack(o + "ii", 999, 0)

    def record(self, variable: Var) -> bytes:
        """A record of type 2 and its continuations."""
        code, width, decimals = variable.print_format
        shown = code << 16 | width << 8 | decimals
        data = struct.pack(
            self.order + "iiiiii", 2, variable.width, int(variable.label is not None),
            variable.kind, shown, shown,
        )  # fmt: skip
        data += variable.name.ljust(8)
        if variable.label is not None:
            length = len(variable.label)
            data += struct.pack(self.order + "i", length)
            data += variable.label.ljust(-(-length // 4) * 4)
        data += b"".join(self.word(value) for value in variable.missing)
        more = struct.pack(self.order + "iiiiii", 2, -1, 0, 0, 0, 0) + b" " * 8
        return data + more * (variable.elements - 1)

    def word(self, value: float | bytes | None) -> bytes:
        """One element; None is system-missing."""
        if isinstance(value, bytes):
            return value.ljust(8)
        return struct.pack(self.order + "d", SYSMIS if value is None else value)

    def words(self, case: Sequence[float | bytes | None]) -> Iterable[bytes]:
        """The elements of a case."""
        for variable, value in zip(self.variables, case, strict=True):
            if variable.width:
                assert isinstance(value, bytes)
                text = value.ljust(variable.elements * 8)
                yield from (text[i : i + 8] for i in range(0, len(text), 8))
            else:
                yield self.word(value)

    def zipped(self, code: bytes, start: int, block: int = 64) -> bytes:
        """Bytecode in zlib blocks of a few bytes each, with header and trailer."""
        blocks = [zlib.compress(code[i : i + block]) for i in range(0, len(code), block)]
        trailer = start + 24 + sum(map(len, blocks))
        length = 24 + 24 * len(blocks)
        data = struct.pack(self.order + "qqq", start, trailer, length) + b"".join(blocks)
        data += struct.pack(self.order + "qqii", -int(self.bias), 0, block, len(blocks))
        plain, packed = start, start + 24
        for i, each in enumerate(blocks):
            size = len(code[i * block : (i + 1) * block])
            data += struct.pack(self.order + "qqii", plain, packed, size, len(each))
            plain, packed = plain + size, packed + len(each)
        return data


def bytecode(words: Sequence[bytes], order: str, bias: float, *, end: bool = False) -> bytes:
    """Compress elements as SPSS does: codes of 1 to 251, 254, 255, or 253 and the element."""
    data = b""
    codes, raws = bytearray(), b""
    for word in [*words, None] if end else words:
        code = 252 if word is None else code_of(word, order, bias)
        codes.append(code)
        raws += word if word is not None and code == 253 else b""
        if len(codes) == 8:
            data, codes, raws = data + bytes(codes) + raws, bytearray(), b""
    return data + (bytes(codes).ljust(8, b"\0") + raws if codes else b"")


def code_of(word: bytes, order: str, bias: float) -> int:
    """Return the code that a word is compressed to."""
    if word == b" " * 8:
        return 254
    (number,) = struct.unpack(order + "d", word)
    if number == SYSMIS:
        return 255
    shifted = number + bias
    exact = 1 <= shifted <= 251 and shifted == int(shifted)
    return int(shifted) if exact and struct.pack(order + "d", shifted - bias) == word else 253


def extension_numbers(order: str, layout: str, *numbers: float) -> bytes:
    """Pack numbers in the file's byte order."""
    return struct.pack(order + layout, *numbers)


def counted(order: str, text: bytes) -> bytes:
    """Return a text with its length before it."""
    return struct.pack(order + "i", len(text)) + text


def table(file: Sav | bytes, **options: int | str) -> Table:
    """Write the file, read it, and see that the columns are valid Arrow."""
    data = file if isinstance(file, bytes) else file.to_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "made.sav"
        path.write_bytes(data)
        found = read_all(open_sav(path, ReadOptions(**options)))  # type: ignore[arg-type]
    found.data.validate(full=True)
    return found


def variable(file: Sav, name: str) -> Variable:
    """The variable of a name."""
    return next(each for each in table(file).variables if each.name == name)


def warnings(found: Table) -> list[str]:
    """What the reader warns of."""
    return [each.text for each in found.findings if each.severity == "warning"]
