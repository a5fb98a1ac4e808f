"""Dictionary of an SPSS portable file: the text up to the data goes in, its records come out.

Each record begins with one character that tells its kind; ``F`` begins the data. Texts stay bytes
and numbers stay in base 30 here.

Source: GNU PSPP developer's guide, "Portable File Format".
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError
from tabkit.read.por_numbers import BASE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tabkit.read.por_text import PortableText

_NUMBER_END: Final = b"/"
_LONGEST_NUMBER: Final = 100  # characters
_LONGEST_TEXT: Final = 65_535
_LARGEST_COUNT: Final = 10_000_000
_ANY: Final = b""  # an open end of a missing range
_SHIFT: Final = 82  # formats of SPSS are numbered from 102 where system files number from 20
_SHIFTED: Final = range(102, 124)


@dataclasses.dataclass(slots=True)
class VariableRecord:
    """A variable, filled as its records come.

    Attributes:
        name: As stored.
        width: Bytes of a string, 0 for a number.
        shown: Print format: its code in system files, width and decimals.
        label: None where there is none.
        missing: User-missing values, as stored.
        spans: User-missing ranges, as stored; ``b""`` is an open end.
    """

    name: bytes
    width: int
    shown: tuple[int, int, int]
    label: bytes | None = None
    missing: list[bytes] = dataclasses.field(default_factory=list)
    spans: list[tuple[bytes, bytes]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class LabelSet:
    """Value labels: names of variables, and labels by value, all as stored."""

    names: tuple[bytes, ...]
    labels: dict[bytes, bytes]


@dataclasses.dataclass(slots=True)
class PorDictionary:
    """The dictionary, filled as its records come.

    Attributes:
        version: A letter.
        created: Local time of the writer, None where it is not told.
        texts: Texts about the file by record kind: product ``1``, author ``2``, subproduct ``3``.
        promised: Number of variables.
        weight: Name of the weight variable, empty where there is none.
        variables: In order.
        label_sets: In order.
        documents: Lines.
    """

    version: str
    created: datetime.datetime | None
    texts: dict[bytes, bytes] = dataclasses.field(default_factory=dict)
    promised: int = 0
    weight: bytes = b""
    variables: list[VariableRecord] = dataclasses.field(default_factory=list)
    label_sets: list[LabelSet] = dataclasses.field(default_factory=list)
    documents: list[bytes] = dataclasses.field(default_factory=list)


def read_dictionary(text: PortableText, path: Path) -> PorDictionary:
    """Read all records up to the data.

    Raises:
        FormatError: A record is damaged or of no known kind, or variables are missing.
    """
    source = _Source(text, path)
    version = text.take(1).decode("ascii", "replace")
    found = PorDictionary(version, _created(source.string(), source.string()))
    while (kind := text.take(1)) != b"F":
        if kind in b"123456E":
            _about_file(kind, source, found)
        elif kind == b"7":
            found.variables.append(_variable(source))
        elif kind == b"D":
            found.label_sets.append(_label_set(source, found.variables))
        elif kind in b"89ABC" and found.variables:
            _about_variable(kind, source, found.variables[-1])
        else:
            raise source.error(f"a record of unknown kind {kind.decode('ascii', 'replace')!r}")
    if len(found.variables) != found.promised:
        reason = f"{found.promised:,} variables are promised, {len(found.variables):,} described"
        raise FormatError(reason, path, hint=_AGAIN)
    return found


_AGAIN: Final = "it is damaged: transfer it again"


class _Source:
    """Fields of the dictionary."""

    def __init__(self, text: PortableText, path: Path) -> None:
        self.text, self.path = text, path

    def error(self, reason: str) -> FormatError:
        return FormatError(reason, self.path, self.text.where, _AGAIN)

    def number(self) -> bytes:
        """Return a number's text."""
        self.text.ensure(2)
        if self.text.buffer.startswith(b"*.", self.text.position):
            return self.text.take(2)[:1]
        return self.text.until(_NUMBER_END, _LONGEST_NUMBER)

    def integer(self, largest: int) -> int:
        """Return a whole number from 0 to ``largest``."""
        token = self.number().strip()
        try:
            value = int(token, BASE)
        except ValueError:
            value = -1
        if not 0 <= value <= largest:
            shown = token.decode("ascii", "replace")
            raise self.error(f"{shown!r} should be a number from 0 to {largest:,}")
        return value

    def string(self) -> bytes:
        return self.text.take(self.integer(_LONGEST_TEXT))

    def strings(self) -> list[bytes]:
        """Return texts that are counted."""
        return [self.string() for _ in range(self.integer(_LARGEST_COUNT))]


def _about_file(kind: bytes, source: _Source, found: PorDictionary) -> None:
    """Read a record about the file as a whole."""
    if kind == b"4":
        found.promised = source.integer(_LARGEST_COUNT)
    elif kind == b"5":
        source.integer(_LONGEST_NUMBER)  # digits of precision
    elif kind == b"6":
        found.weight = source.string()
    elif kind == b"E":
        found.documents += source.strings()
    else:
        found.texts[kind] = source.string()


def _variable(source: _Source) -> VariableRecord:
    width, name = source.integer(_LONGEST_TEXT), source.string()
    code, shown_width, decimals, *_ = (source.integer(_LONGEST_TEXT) for _ in range(6))
    code -= _SHIFT if code in _SHIFTED else 0
    return VariableRecord(name, width, (code, shown_width, decimals))


def _about_variable(kind: bytes, source: _Source, variable: VariableRecord) -> None:
    """Add a label or a missing value to the variable described last."""
    if kind == b"C":
        variable.label = source.string()
    elif kind == b"8":
        variable.missing.append(source.string() if variable.width else source.number())
    elif kind == b"9":
        variable.spans.append((_ANY, source.number()))
    elif kind == b"A":
        variable.spans.append((source.number(), _ANY))
    else:
        variable.spans.append((source.number(), source.number()))


def _label_set(source: _Source, variables: Sequence[VariableRecord]) -> LabelSet:
    names = tuple(dict.fromkeys(source.strings()))
    is_text = next((each.width > 0 for each in variables if each.name in names[:1]), None)
    if is_text is None:
        raise source.error("value labels of a variable that is not described")
    labels = {}
    for _ in range(source.integer(_LARGEST_COUNT)):
        value = source.string() if is_text else source.number()
        labels[value] = source.string()
    return LabelSet(names, labels)


def _created(date: bytes, time: bytes) -> datetime.datetime | None:
    digits = (date + time).replace(b" ", b"0").decode("ascii", "replace")
    try:
        return datetime.datetime.strptime(digits, "%Y%m%d%H%M%S")  # noqa: DTZ007 - local time
    except ValueError:
        return None
