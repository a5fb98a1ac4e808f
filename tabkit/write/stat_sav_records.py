"""Records of a system file's dictionary: planned variables go in, bytes come out.

Everything is little-endian and UTF-8. Source: GNU PSPP developer's guide, "System File Format".
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import struct
from typing import TYPE_CHECKING, Final

from tabkit.model import Measure
from tabkit.read.spss_temporal import CODE_A
from tabkit.write.stat_sav_cases import BIAS, element_count, segment_widths
from tabkit.write.stat_spss import SYSTEM_MISSING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabkit.write.stat_spss import SpssColumn

MONTHS: Final = (
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
)  # fmt: skip
_PRODUCT: Final = b"@(#) SPSS DATA FILE tabkit"
_HIGHEST: Final = -SYSTEM_MISSING
_LOWEST: Final = math.nextafter(SYSTEM_MISSING, 0)
_MEASURES: Final = {Measure.NOMINAL: 1, Measure.ORDINAL: 2, Measure.SCALE: 3}
_ALIGNMENTS: Final = {"left": 0, "right": 1, "center": 2}
_SHORT_STRING: Final = 8
_LINE: Final = 80
_CASES_LIMIT: Final = 2**31


@dataclasses.dataclass(frozen=True, slots=True)
class SavVariable:
    """A planned column with its place in a case and its names of eight bytes.

    Attributes:
        column: The column.
        element: Its first element in a case, from 1.
        short_names: One for each segment.
    """

    column: SpssColumn
    element: int
    short_names: tuple[bytes, ...]


def header(
    variables: Sequence[SavVariable], cases: int, label: bytes, created: datetime.datetime | None,
    *, zlib: bool,
) -> bytes:  # fmt: skip
    """Return the first 176 bytes; ``created`` is now where it is not known."""
    when = created or datetime.datetime.now()  # noqa: DTZ005 - SPSS states local time
    numeric = (each for each in variables if not each.column.width)
    weights = [each.element for each in numeric if each.column.variable.weight]
    elements = sum(element_count(each.column.width) for each in variables)
    return struct.pack(
        "<4s60siiiiid9s8s64s3x",
        b"$FL3" if zlib else b"$FL2",
        _PRODUCT.ljust(60),
        2,
        elements,
        2 if zlib else 1,
        weights[0] if weights else 0,
        cases if cases < _CASES_LIMIT else -1,
        float(BIAS),
        f"{when.day:02d} {MONTHS[when.month - 1]} {when.year % 100:02d}".encode(),
        f"{when:%H:%M:%S}".encode(),
        label.ljust(64),
    )


def variable_records(variable: SavVariable) -> bytes:
    """Return the records 2 of a variable: of its segments, and of their further elements."""
    column = variable.column
    parts = []
    for place, width in enumerate(segment_widths(column.width)):
        code, shown, decimals = column.shown
        if column.width:
            shown = shown if code != CODE_A else width
        packed = code << 16 | shown << 8 | decimals
        label = column.label.encode() if not place else b""
        kind, missing = (0, b"") if place else _missing(column)
        name = variable.short_names[place]
        parts.append(struct.pack("<6i8s", 2, width, bool(label), kind, packed, packed,
                                 name.ljust(8)))  # fmt: skip
        if label:
            parts.append(struct.pack("<i", len(label)) + label + bytes(-len(label) % 4))
        parts.append(missing)
        more = max(1, -(-width // 8)) - 1
        parts.append(struct.pack("<6i8s", 2, -1, 0, 0, 0, 0, b" " * 8) * more)
    return b"".join(parts)


def _missing(column: SpssColumn) -> tuple[int, bytes]:
    """Return the kind and the values of missing values in record 2."""
    if column.width:
        if column.width > _SHORT_STRING:
            return 0, b""
        texts = [str(text).encode().ljust(_SHORT_STRING) for text in column.missing]
        return len(texts), b"".join(texts)
    numbers = [float(value) for value in column.missing]
    if column.span is None:
        return len(numbers), struct.pack(f"<{len(numbers)}d", *numbers)
    low, high = column.span.low, column.span.high
    ends = [_LOWEST if low == -math.inf else low, _HIGHEST if high == math.inf else high]
    return -2 - len(numbers), struct.pack(f"<{2 + len(numbers)}d", *ends, *numbers)


def label_records(variables: Sequence[SavVariable]) -> bytes:
    """Return records 3 and 4: value labels of numbers and short strings, equal sets once."""
    sets: dict[tuple[bool, tuple[tuple[float | str, str], ...]], list[int]] = {}
    for each in variables:
        if each.column.labels and each.column.width <= _SHORT_STRING:
            key = (bool(each.column.width), each.column.labels)
            sets.setdefault(key, []).append(each.element)
    parts = []
    for (is_text, labels), elements in sets.items():
        parts.append(struct.pack("<ii", 3, len(labels)))
        for value, label in labels:
            text = label.encode()
            packed = _padded(str(value)) if is_text else struct.pack("<d", value)
            parts.append(packed + bytes([len(text)]) + text + b" " * (-(len(text) + 1) % 8))
        parts.append(struct.pack(f"<{2 + len(elements)}i", 4, len(elements), *elements))
    return b"".join(parts)


def document_record(lines: Sequence[bytes]) -> bytes:
    """Return record 6: lines of at most 80 bytes."""
    if not lines:
        return b""
    return struct.pack("<ii", 6, len(lines)) + b"".join(line.ljust(_LINE) for line in lines)


def extension(subtype: int, data: bytes, size: int = 1) -> bytes:
    """Return a record 7, or nothing where there is nothing to tell."""
    return struct.pack("<4i", 7, subtype, size, len(data) // size) + data if data else b""


def machine_records() -> bytes:
    """Return records 7/3 and 7/4: versions, little-endian IEEE, UTF-8, the special numbers."""
    integers = struct.pack("<8i", 1, 0, 0, -1, 1, 1, 2, 65_001)
    floats = struct.pack("<3d", SYSTEM_MISSING, _HIGHEST, _LOWEST)
    return extension(3, integers, 4) + extension(4, floats, 8)


def display_record(variables: Sequence[SavVariable]) -> bytes:
    """Return record 7/11: measure, width and alignment of every record 2, if any is stated."""
    stated = any(
        v.measure is not Measure.UNKNOWN or v.display_width is not None or v.alignment
        for v in (each.column.variable for each in variables)
    )
    numbers: list[int] = []
    for each in variables if stated else ():
        variable, width = each.column.variable, each.column.width
        shown = variable.display_width
        if shown is None:
            shown = min(max(each.column.shown[1], 8), 32)
        default = 0 if width else 1
        numbers += [
            _MEASURES.get(variable.measure, 0),
            shown,
            _ALIGNMENTS.get(variable.alignment, default),
        ] * len(each.short_names)
    return extension(11, struct.pack(f"<{len(numbers)}i", *numbers), 4)


def name_records(variables: Sequence[SavVariable]) -> bytes:
    """Return records 7/13 and 7/14: long names, and widths of very long strings."""
    names = [each.short_names[0] + b"=" + each.column.name.encode() for each in variables]
    widths = [
        each.short_names[0] + f"={each.column.width:05d}".encode() + b"\0\t"
        for each in variables
        if len(each.short_names) > 1
    ]
    return extension(13, b"\t".join(names)) + extension(14, b"".join(widths))


def cases_record(cases: int) -> bytes:
    """Return record 7/16: the number of cases in 64 bits."""
    return extension(16, struct.pack("<qq", 1, cases), 8)


def long_string_records(variables: Sequence[SavVariable]) -> bytes:
    """Return records 7/21 and 7/22: value labels and missing values of strings over 8 bytes."""
    labels, missing = [], []
    for column in (each.column for each in variables if each.column.width > _SHORT_STRING):
        name = _counted(column.name.encode())
        if column.labels:
            labels.append(name + struct.pack("<ii", column.width, len(column.labels)))
            for value, label in column.labels:
                labels.append(_counted(str(value).encode().ljust(column.width)))
                labels.append(_counted(label.encode()))
        if column.missing:
            texts = b"".join(_padded(str(text)) for text in column.missing)
            count = bytes([len(column.missing)])
            missing.append(name + count + struct.pack("<i", _SHORT_STRING) + texts)
    return extension(21, b"".join(labels)) + extension(22, b"".join(missing))


def end_record() -> bytes:
    """Return record 999."""
    return struct.pack("<ii", 999, 0)


def _counted(data: bytes) -> bytes:
    return struct.pack("<i", len(data)) + data


def _padded(text: str) -> bytes:
    return text.encode().ljust(_SHORT_STRING)
