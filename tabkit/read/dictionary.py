"""What describes a plain data file: a DDI codebook or a table of variables, as a `Dictionary`."""

from __future__ import annotations

import dataclasses
import pkgutil
from typing import TYPE_CHECKING, Final, Protocol, cast

if TYPE_CHECKING:
    from pathlib import Path

    from tabkit.model import Finding, Kind, Variable

_DDI: Final = "tabkit.ddi.dictionary:read_dictionary"
_TABLE: Final = "tabkit.read.dictionary_table:read_dictionary"
_HEAD: Final = 512


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """What is said of one variable.

    Attributes:
        variable: Its metadata; the values of categories and missing values fit ``kind``.
        kind: Numeric or character, None where nothing is said: then the data decide.
        start: First column in a fixed-width file, from 1.
        width: Columns there.
        record: Which of a case's lines, from 1.
        implied: Digits after a point that is not written there.
    """

    variable: Variable
    kind: Kind | None = None
    start: int | None = None
    width: int | None = None
    record: int = 1
    implied: int = 0

    @property
    def has_place(self) -> bool:
        """Whether it says where the variable lies in a fixed-width file."""
        return self.start is not None and self.width is not None


@dataclasses.dataclass(frozen=True, slots=True)
class Dictionary:
    """Entries by the order of the dictionary.

    Attributes:
        path: The codebook or table.
        entries: One a variable, names unique.
        encoding: Of the data, where it is told.
        cases: Their number, where it is told.
        label: Of the data file.
        notes: Texts on the data file.
        findings: What could not be understood.
    """

    path: Path
    entries: tuple[Entry, ...]
    encoding: str = ""
    cases: int | None = None
    label: str = ""
    notes: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def has_places(self) -> bool:
        """Whether it describes a fixed-width file."""
        return bool(self.entries) and all(entry.has_place for entry in self.entries)


class _ReadsDictionary(Protocol):
    def __call__(self, path: Path, stem: str) -> Dictionary: ...


def load_dictionary(path: Path, stem: str) -> Dictionary:
    """Read what describes a data file: XML is a DDI codebook, anything else a table of variables.

    Args:
        path: The codebook or table.
        stem: Name of the data file without suffix, for a codebook of several files.

    Raises:
        FormatError: It is neither, or describes no variable.
        OSError: It cannot be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD).lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n\0")
    name = _DDI if head.startswith(b"<") else _TABLE
    return cast("_ReadsDictionary", pkgutil.resolve_name(name))(path, stem)
