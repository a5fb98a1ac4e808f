"""Value labels of a Stata file: codes and the bytes of their labels, set by set."""

from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError
from tabkit.model import Finding

if TYPE_CHECKING:
    from tabkit.read.stata_bytes import Source
    from tabkit.read.stata_layout import Layout

_PADDING: Final = 3
_SHORT_LABEL: Final = 8


@dataclasses.dataclass(frozen=True, slots=True)
class LabelSet:
    """One set of value labels; entries are (code, label) in file order."""

    name: bytes
    entries: tuple[tuple[int, bytes], ...]


def read_label_sets(
    source: Source, layout: Layout, findings: list[Finding]
) -> tuple[LabelSet, ...]:
    """Read all sets from here on; one that is broken ends the reading, with a finding."""
    sets: list[LabelSet] = []
    opening = b"<lbl>" if layout.has_sections else b""
    one = _wide_set if layout.has_wide_labels else _short_set
    try:
        while source.left and source.looking_at(opening, source.at):
            sets.append(one(source, layout))
            if layout.has_sections:
                source.looking_at(b"</lbl>", source.at)
    except FormatError as error:
        text = f"the value labels are broken after set {len(sets)}: {error.reason}, {error.where}"
        findings.append(Finding(text, "warning"))
        return tuple(sets)
    if layout.has_sections and not source.looking_at(b"</value_labels>", source.at):
        text = f"the value labels end unexpectedly after set {len(sets)}"
        findings.append(Finding(text, "warning"))
    return tuple(sets)


def _short_set(source: Source, layout: Layout) -> LabelSet:
    """Up to version 106: 16-bit codes, labels of 8 bytes."""
    count = source.number(2, "value labels")
    name = source.take(layout.name + 1, "value labels").partition(b"\0")[0]
    codes = struct.unpack(f"{source.order}{count}h", source.take(2 * count, "value labels"))
    labels = source.fields(count, _SHORT_LABEL, "value labels")
    return LabelSet(name, tuple(zip(codes, labels, strict=True)))


def _wide_set(source: Source, layout: Layout) -> LabelSet:
    """From version 107 on: 32-bit codes, and offsets into one text."""
    length = source.number(4, "value labels")
    name = source.take(layout.name + _PADDING, "value labels")[: layout.name].partition(b"\0")[0]
    if length > source.left:
        raise source.broken(f"a table of {length:,} bytes reaches beyond the end")
    end = source.at + length
    count = source.number(4, "value labels")
    text_length = source.number(4, "value labels")
    if 8 + 8 * count + text_length > length:
        raise source.broken(f"{count:,} labels do not fit in their table of {length:,} bytes")
    offsets = struct.unpack(f"{source.order}{count}I", source.take(4 * count, "value labels"))
    codes = struct.unpack(f"{source.order}{count}i", source.take(4 * count, "value labels"))
    labels = _labels_at(source, offsets, source.take(text_length, "value labels"))
    source.seek(end)
    return LabelSet(name, tuple(zip(codes, labels, strict=True)))


def _labels_at(source: Source, offsets: tuple[int, ...], text: bytes) -> list[bytes]:
    """Return the label at each offset, up to its NUL; overlapping ones are refused."""
    found: dict[int, bytes] = {}
    total = 0
    for offset in offsets:
        if offset not in found:
            if offset > len(text):
                raise source.broken(f"a label begins at {offset:,} of {len(text):,} bytes of text")
            end = text.find(b"\0", offset)
            found[offset] = text[offset : end if end >= 0 else len(text)]
            total += len(found[offset])
        if total > len(text):
            raise source.broken("value labels overlap")
    return [found[offset] for offset in offsets]
