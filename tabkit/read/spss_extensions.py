"""The small languages inside records 7 of a system file: one parser for each.

Parsers of text take text, parsers of counted strings take bytes; what is malformed ends a list
early and never raises.

Source: GNU PSPP developer's guide, "System File Format".
"""

from __future__ import annotations

import dataclasses
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ROLES: Final[Mapping[str, str]] = MappingProxyType(
    {"0": "input", "1": "target", "2": "both", "3": "none", "4": "partition", "5": "split"}
)
ROLE_ATTRIBUTE: Final = "$@Role"
PADDING: Final = b"\0 "
_DIGITS: Final = 9
_LONGEST_NAME: Final = 1000  # characters, of an attribute; each of its values repeats it


@dataclasses.dataclass(frozen=True, slots=True)
class RawResponseSet:
    """A multiple-response set; texts undecoded, variables by lower-case short name."""

    name: bytes
    label: bytes
    variables: tuple[bytes, ...]
    counted: bytes | None


def parse_pairs(data: bytes) -> dict[bytes, bytes]:
    r"""Parse ``SHORT=long\tSHORT=long`` (subtypes 13 and 14, where NULs follow a value)."""
    pairs = {}
    for item in data.split(b"\t"):
        key, equals, value = item.partition(b"=")
        if equals:
            pairs[key.strip(PADDING)] = value.strip(PADDING)
    return pairs


def parse_attributes(text: str, start: int = 0) -> tuple[list[tuple[str, str]], int]:
    r"""Parse ``name('value'\n'value'\n)name(…)`` up to a ``/`` (subtype 17, parts of 18).

    Returns:
        The attributes, a further value of one name as ``name[2]``…; and where the next variable's
        begin, the length of ``text`` after the last or where something is malformed.
    """
    attributes: list[tuple[str, str]] = []
    while start < len(text) and text[start] != "/":
        opened = text.find("(", start)
        if opened - start > _LONGEST_NAME:
            return attributes, len(text)
        name, start, number = text[start:opened], opened + 1, 0
        while opened >= 0 and text.startswith("'", start):
            closed = text.find("'\n", start + 1)
            if closed < 0:
                return attributes, len(text)
            number += 1
            suffix = f"[{number}]" if number > 1 else ""
            attributes.append((name + suffix, text[start + 1 : closed]))
            start = closed + 2
        if opened < 0 or not text.startswith(")", start):
            return attributes, len(text)
        start += 1
    return attributes, start + 1


def parse_variable_attributes(text: str) -> dict[str, list[tuple[str, str]]]:
    """Parse ``variable:attributes/variable:attributes`` (subtype 18); names are long names."""
    found: dict[str, list[tuple[str, str]]] = {}
    start = 0
    while (colon := text.find(":", start)) >= 0:
        name = text[start:colon]
        attributes, start = parse_attributes(text, colon + 1)
        found.setdefault(name, []).extend(attributes)
    return found


def parse_response_sets(data: bytes) -> list[RawResponseSet]:
    r"""Parse ``$name=C 5 label a b\n``, ``$name=D1 1 5 label a b\n`` and ``E`` (7 and 19)."""
    found = []
    for line in data.strip(b"\0").split(b"\n"):
        name, _, rest = line.partition(b"=")
        kind, rest = rest[:1], rest[1:]
        counted = None
        if kind == b"E":  # counted values as categories: where their labels come from, 1 or 11
            _, _, rest = rest.lstrip(b" ").partition(b" ")
        if kind in (b"D", b"E"):
            counted, rest = _counted(rest)
        label, rest = _counted(rest.lstrip(b" "))
        if kind in (b"C", b"D", b"E") and label is not None:
            found.append(RawResponseSet(name, label, tuple(rest.split()), counted))
    return found


def parse_variable_sets(text: str) -> list[tuple[str, str]]:
    """Parse ``set= name name`` lines (subtype 5): sets that menus of SPSS show."""
    lines = (line.partition("=") for line in text.strip("\0").splitlines())
    return [(name.strip(), " ".join(names.split())) for name, equals, names in lines if equals]


def parse_long_labels(data: bytes, order: str) -> Iterator[tuple[bytes, list[tuple[bytes, bytes]]]]:
    """Parse value labels of strings over 8 bytes (subtype 21): variable, (value, label) pairs."""
    reader = _Counted(data, order)
    while reader.more:
        name, _, count = reader.text(), reader.number(), reader.number()
        labels: list[tuple[bytes, bytes]] = []
        while len(labels) < count and reader.more:
            labels.append((reader.text(), reader.text()))
        yield name, labels


def parse_long_missing(data: bytes, order: str) -> Iterator[tuple[bytes, list[bytes]]]:
    """Parse missing values of strings over 8 bytes (subtype 22): variable, values."""
    reader = _Counted(data, order)
    while reader.more:
        name = reader.text()
        count = reader.take(1)
        size = reader.number()
        yield name, [reader.take(size) for _ in range(count[0] if count else 0) if reader.more]


class _Counted:
    """Bytes read forward; running out gives empty answers."""

    def __init__(self, data: bytes, order: str) -> None:
        self.data, self.order, self.at = data, order, 0

    @property
    def more(self) -> bool:
        return self.at < len(self.data)

    def take(self, size: int) -> bytes:
        start = self.at
        self.at = start + size if size >= 0 else len(self.data)
        return self.data[start : self.at]

    def number(self) -> int:
        data = self.take(4)
        return int(struct.unpack(self.order + "i", data)[0]) if len(data) == 4 else 0  # noqa: PLR2004

    def text(self) -> bytes:
        return self.take(self.number())


def _counted(data: bytes) -> tuple[bytes | None, bytes]:
    """Split ``5 label rest`` into the counted text and the rest; None where it is not so."""
    length, space, rest = data.partition(b" ")
    if not space or not length.isdigit() or len(length) > _DIGITS or int(length) > len(rest):
        return None, data
    return rest[: int(length)], rest[int(length) :]
