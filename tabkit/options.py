"""Choices of a user: how a source is read, and how a target is written."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypedDict, Unpack

from tabkit.limits import LIMITS, Limits
from tabkit.model import MEMORY
from tabkit.profiles import TABKIT, Profile, find_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

BLOCK_CELLS: Final = 2_600_000  # cells of a block: keeps wide files as bounded as long ones
BLOCK_ROWS: Final = 65_536
_MANY, _FEW = 2048, 256  # cases of a block
_LONG, _WIDE = 0.4, 3.0  # of its cells where it has more than many cases, or less than few


@dataclasses.dataclass(frozen=True, slots=True)
class ReadOptions:
    """Choices of a user that every reader is given; each uses what concerns it.

    Attributes:
        profile: The profile to read for.
        encoding: Overrides what the file declares or what was detected.
        catalog: A ``.sas7bcat`` with the value labels of a ``.sas7bdat``.
        delimiter: Overrides the detected delimiter of a text file.
        quote: Overrides the detected quote character; empty for none.
        sheet: The sheet of a workbook, by its name or its number from 1.
        header_row: The row of a sheet with the names, from 1; 0 for none; None finds it.
        flatten: Nested columns of Arrow data become a column a field.
        codebook: A DDI codebook or a data dictionary that describes the source.
        text_columns: Columns that stay text, whatever their cells look like; ``*`` means all.
        object: The object of an R file to read; None takes the only data frame.
        row_names: The variable that row names of an R data frame become; None leaves them out.
        engine: ``r`` lets R itself read an R file, for what tabkit's own reader does not know.
        block_cells: Cells of a block, about; see `rows_of`.
        block_rows: Cases of a block, at most.
        memory: Bytes that a run over the table may take, about; what passes it goes to
            temporary files.
        untrusted: Read in a worker process that cannot hurt this one (`tabkit.guard`).
        limits: What the file may ask for.
    """

    profile: Profile = TABKIT
    encoding: str | None = None
    catalog: Path | None = None
    delimiter: str | None = None
    quote: str | None = None
    sheet: str | None = None
    header_row: int | None = None
    flatten: bool = False
    codebook: Path | None = None
    text_columns: frozenset[str] = frozenset()
    object: str | None = None
    row_names: str | None = None
    engine: str = "tabkit"
    block_cells: int = BLOCK_CELLS
    block_rows: int = BLOCK_ROWS
    memory: int = MEMORY
    untrusted: bool = False
    limits: Limits = LIMITS

    @property
    def guard(self) -> Limits | None:
        """The limits of the guard, for `tabkit.guard.call`; None where it is not asked for."""
        return self.limits if self.untrusted else None

    def rows_of(self, columns: int) -> int:
        """Cases of a block of so many columns, at least 1.

        Several blocks are in memory together, so that long ones are cut further; a block of few
        cases has more cells, as each block has its price for each column.
        """
        columns = max(columns, 1)
        rows = self.block_cells // columns
        if rows > _MANY:
            rows = max(_MANY, int(rows * _LONG))
        elif rows < _FEW:
            rows = min(_FEW, int(rows * _WIDE))
        return max(1, min(self.block_rows, rows))


class ReadChoices(TypedDict, total=False):
    """The fields of `ReadOptions` as keywords, in the forms that people write."""

    profile: Profile | str
    encoding: str | None
    catalog: Path | str | None
    delimiter: str | None
    quote: str | None
    sheet: str | int | None
    header_row: int | None
    flatten: bool
    codebook: Path | str | None
    text_columns: Iterable[str]
    object: str | None
    row_names: str | None
    engine: str
    block_cells: int
    block_rows: int
    memory: int
    untrusted: bool
    limits: Limits


_FORMS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "profile": find_profile,
    "catalog": Path,
    "sheet": str,
    "codebook": Path,
    "text_columns": frozenset,
}


def read_options(**choices: Unpack[ReadChoices]) -> ReadOptions:
    """Return the options of keywords as people write them: paths as text, profiles by name."""
    given = {
        name: _FORMS[name](value) if name in _FORMS and value is not None else value
        for name, value in choices.items()
    }
    return ReadOptions(**given)  # type: ignore[arg-type]


@dataclasses.dataclass(frozen=True, slots=True)
class WriteOptions:
    """Choices of a user for the file that is written; each format has some (`FileFormat.choices`).

    Attributes:
        header: A first line of names, in text.
        object_name: The name of a data frame in R; None takes the file's.
        r_style: Columns in R: ``haven`` (labelled), ``factor``, ``plain`` or ``repository``; None
            leaves it to the profile.
        r_names: Names in R: ``keep`` or ``make.names``.
        r_version: Version of R's format, 3 or 2.
    """

    header: bool = True
    object_name: str | None = None
    r_style: str | None = None
    r_names: str = "keep"
    r_version: int = 3
