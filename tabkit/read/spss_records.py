"""Records of an SPSS system file as they are stored: bytes in, plain values and bytes out.

Nothing is decoded here. Every count and length is checked against the bytes that are left in the
file before anything is read or kept.

Source: GNU PSPP developer's guide, "System File Format".
"""

from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from tabkit import _native
from tabkit.errors import FormatError

if _native.AVAILABLE:
    from tabkit._native import core

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO, NoReturn

HEADER_BYTES: Final = 176
ELEMENT_BYTES: Final = 8
_RECORD_VARIABLE, _RECORD_LABELS, _RECORD_LABELLED = 2, 3, 4
_RECORD_DOCUMENT, _RECORD_EXTENSION, _RECORD_END = 6, 7, 999
_LINE_BYTES: Final = 80
_MAX_WIDTH: Final = 255
_ENCRYPTED: Final = b"ENCRYPTEDSAV"
_READ_BYTES: Final = 1 << 18  # read at once: a dictionary is many small items

#: A value's 8 bytes and its label, for each labelled value.
Labels: TypeAlias = tuple[tuple[bytes, bytes], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Header:
    """The first 176 bytes.

    Attributes:
        version: ``$FL2`` or ``$FL3``.
        product: Who wrote the file.
        order: ``<`` or ``>`` as `struct` has them.
        case_size: Elements of a case as promised; often wrong, told for a finding only.
        compression: 0 none, 1 bytecode, 2 bytecode in zlib blocks.
        weight: Element number of the weight variable, from 1; 0 for none.
        cases: As promised; -1 for unknown.
        bias: Subtracted from the bytecodes 1 to 251.
        created: Date and time, ``dd mmm yyhh:mm:ss``.
        label: The file label.
    """

    version: str
    product: bytes
    order: str
    case_size: int
    compression: int
    weight: int
    cases: int
    bias: float
    created: bytes
    label: bytes


class VariableRecord(NamedTuple):
    """One named variable, or one segment of a very long string.

    Attributes:
        element: Its first 8-byte element in a case, from 0.
        width: 0 for a number, else bytes of a string, at most 255.
        name: The short name, 8 bytes with padding.
        label: None where there is none.
        missing_kind: 1 to 3 discrete values, -2 a range, -3 a range and a value, 0 none.
        missing: The values' 8 bytes each, as stored.
        print_code: The print format's number.
        print_width: Its width.
        decimals: Its decimals.
    """

    element: int
    width: int
    name: bytes
    label: bytes | None
    missing_kind: int
    missing: tuple[bytes, ...]
    print_code: int
    print_width: int
    decimals: int


class LabelSet(NamedTuple):
    """Value labels and the elements, from 1, they belong to; labels alike are the same object."""

    labels: Labels
    elements: tuple[int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Extension:
    """A record of type 7: ``count`` items of ``size`` bytes."""

    subtype: int
    size: int
    count: int
    data: bytes


@dataclasses.dataclass(frozen=True, slots=True)
class Records:
    """The whole dictionary as stored; cases begin at byte ``data_start``."""

    header: Header
    variables: tuple[VariableRecord, ...]
    elements: int
    label_sets: tuple[LabelSet, ...]
    document: tuple[bytes, ...]
    extensions: tuple[Extension, ...]
    data_start: int

    def extension(self, subtype: int) -> Extension | None:
        """Return the last record 7 of a subtype; a later one replaces an earlier."""
        return next((each for each in reversed(self.extensions) if each.subtype == subtype), None)


class _Bytes:
    """A file read forward, that refuses to read beyond its end."""

    def __init__(self, file: BinaryIO, size: int, path: Path) -> None:
        self.file, self.size, self.path = file, size, path
        self.order = "<"
        self._window, self._at = b"", 0  # bytes that were read, and how many of them were taken
        self._before = 0  # bytes before the window

    @property
    def position(self) -> int:
        """How many bytes were taken."""
        return self._before + self._at

    def take(self, count: int, what: str) -> bytes:
        start, end = self._at, self._at + count
        if not start <= end <= len(self._window):
            self._fill(count, what)
            start, end = 0, count
        self._at = end
        return self._window[start:end]

    def integer(self, what: str) -> int:
        return int(struct.unpack(self.order + "i", self.take(4, what))[0])

    def integers(self, count: int, what: str) -> tuple[int, ...]:
        return struct.unpack(f"{self.order}{count}i", self.take(count * 4, what))

    def more_variables(self, element: int) -> tuple[list[VariableRecord], int]:
        """Take the whole and sound variable records that follow in the window, all at once.

        Returns:
            Those that are named, and the number of the next element; nothing without the kernels.
        """
        if not _native.AVAILABLE:
            return [], element
        found, self._at, element = core.sav_variables(
            self._window, self._at, self.order == ">", element
        )
        return list(map(VariableRecord._make, found)), element

    def more_label_sets(self) -> list[tuple[Labels, tuple[int, ...]]]:
        """Take the sets of value labels that follow, as `more_variables` does."""
        if not _native.AVAILABLE:
            return []
        found, self._at = core.sav_label_sets(self._window, self._at, self.order == ">")
        return found

    def _fill(self, count: int, what: str) -> None:
        """Read on until the window begins here and has as many bytes."""
        if not 0 <= count <= self.size - self.position:
            self.refuse(f"{what} of {count:,} bytes goes beyond the end of the file")
        left = self._window[self._at :]
        window = left + self.file.read(max(count - len(left), _READ_BYTES))
        if len(window) < count:
            self.refuse(f"the file ends within {what}")
        self._before, self._window, self._at = self.position, window, 0

    def count(self, item_bytes: int, what: str) -> int:
        """Read a count of items that take at least ``item_bytes`` each."""
        count = self.integer(what)
        if not 0 <= count <= (self.size - self.position) // item_bytes:
            self.refuse(f"{what} promises {count:,} items, more than the file holds")
        return count

    def refuse(self, reason: str) -> NoReturn:
        raise FormatError(
            reason, self.path, f"byte {self.position:,}", "the file is damaged or cut short"
        )


def read_records(file: BinaryIO, size: int, path: Path) -> Records:
    """Read the dictionary of a system file.

    Args:
        file: Open for reading at its beginning.
        size: Bytes of the file.
        path: For messages.

    Raises:
        FormatError: It is not a system file, is encrypted, or breaks the format's rules.
    """
    source = _Bytes(file, size, path)
    header = _read_header(source)
    variables: list[VariableRecord] = []
    label_sets: list[LabelSet] = []
    known: dict[Labels, Labels] = {}
    document: list[bytes] = []
    extensions: list[Extension] = []
    elements = 0
    while True:
        kind = source.integer("the dictionary")
        if kind == _RECORD_VARIABLE:
            elements = _read_variable(source, elements, variables)
            more, elements = source.more_variables(elements)
            variables += more
        elif kind == _RECORD_LABELS:
            sets = (_read_label_set(source), *source.more_label_sets())
            label_sets += [LabelSet(known.setdefault(each, each), owners) for each, owners in sets]
        elif kind == _RECORD_DOCUMENT:
            lines = source.count(_LINE_BYTES, "the document")
            document += [source.take(_LINE_BYTES, "the document") for _ in range(lines)]
        elif kind == _RECORD_EXTENSION:
            extensions.append(_read_extension(source))
        elif kind == _RECORD_END:
            source.take(4, "the end of the dictionary")
            break
        else:
            source.refuse(f"there is no record of type {kind}")
    if not variables:
        raise FormatError("the dictionary names no variable", path)
    _check_width(source, variables, elements)
    return Records(
        header, tuple(variables), elements, tuple(label_sets), tuple(document),
        tuple(extensions), source.position,
    )  # fmt: skip


def _read_header(source: _Bytes) -> Header:
    if source.size < HEADER_BYTES:
        raise FormatError(
            f"the file has {source.size:,} bytes, fewer than an SPSS header", source.path
        )
    data = source.take(HEADER_BYTES, "the header")
    version = data[:4]
    if version not in (b"$FL2", b"$FL3"):
        if _ENCRYPTED in data[:36]:
            raise FormatError(
                "the file is encrypted", source.path, hint="save it without a password"
            )
        raise FormatError("this is not an SPSS system file: it does not begin with $FL2 or $FL3",
                          source.path)  # fmt: skip
    layouts = {
        data[64:68] == struct.pack(order + "i", code): order for order in "<>" for code in (2, 3)
    }
    if True not in layouts:
        raise FormatError("the layout code of the header is not 2 or 3", source.path, "byte 64")
    source.order = layouts[True]
    case_size, compression, weight, cases, bias = struct.unpack(source.order + "iiiid", data[68:92])
    if compression not in (0, 1, 2):
        raise FormatError(f"compression {compression} is not known", source.path, "byte 72")
    return Header(
        version.decode(), data[4:64], source.order, case_size, compression, weight,
        cases, bias, data[92:109], data[109:173],
    )  # fmt: skip


def _read_variable(source: _Bytes, element: int, variables: list[VariableRecord]) -> int:
    """Add a named variable to ``variables``; return the number of the next element."""
    data = source.take(28, "a variable")
    width, has_label, missing_kind, print_format = struct.unpack_from(source.order + "4i", data)
    name = data[20:]
    if not -1 <= width <= _MAX_WIDTH:
        source.refuse(f"a variable is {width:,} bytes wide; 0 to {_MAX_WIDTH} can be")
    if has_label not in (0, 1) or missing_kind not in (-3, -2, 0, 1, 2, 3):
        source.refuse("a variable record has an unknown label or missing-value indicator")
    label = None
    if has_label:
        length = source.count(1, "a variable label")
        label = source.take(length + -length % 4, "a variable label")[:length]
    stored = source.take(8 * abs(missing_kind), "a missing value")
    missing = tuple([stored[at : at + 8] for at in range(0, len(stored), 8)])
    if width >= 0:
        variables.append(
            VariableRecord(
                element, width, name, label, missing_kind, missing,
                print_format >> 16 & 0xFF, print_format >> 8 & 0xFF, print_format & 0xFF,
            )
        )  # fmt: skip
    return element + 1


def _read_label_set(source: _Bytes) -> tuple[Labels, tuple[int, ...]]:
    count = source.count(16, "a set of value labels")
    labels = tuple([_read_label(source) for _ in range(count)])
    kind = source.integer("a set of value labels")
    if kind != _RECORD_LABELLED:
        source.refuse(f"value labels are followed by a record of type {kind}, not 4")
    count = source.count(4, "the variables of value labels")
    return labels, source.integers(count, "the variables of value labels")


def _read_label(source: _Bytes) -> tuple[bytes, bytes]:
    what = "a value label"
    value, length = source.take(8, what), source.take(1, what)[0]
    return value, source.take(length + (-(length + 1) % 8), what)[:length]


def _read_extension(source: _Bytes) -> Extension:
    subtype, size, count = source.integers(3, "record 7")
    if size < 0 or count < 0:
        source.refuse(f"record 7, subtype {subtype}, promises {count:,} items of {size:,} bytes")
    return Extension(
        subtype, size, count, source.take(size * count, f"record 7, subtype {subtype},")
    )


def _check_width(source: _Bytes, variables: list[VariableRecord], elements: int) -> None:
    """Refuse a dictionary where a string has another number of elements than its width needs."""
    ends = [variable.element for variable in variables[1:]] + [elements]
    for variable, end in zip(variables, ends, strict=True):
        if end - variable.element != max(1, -(-variable.width // ELEMENT_BYTES)):
            source.refuse(
                f"variable {variable.name.decode('latin-1').strip()} of {variable.width} bytes "
                f"has {end - variable.element} elements"
            )
