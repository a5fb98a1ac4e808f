"""The loss ledger: what a target format cannot carry of a table, variable by variable."""

from __future__ import annotations

import dataclasses
from typing import TypeAlias


@dataclasses.dataclass(frozen=True, slots=True)
class Loss:
    """One thing that a target cannot carry.

    Attributes:
        what: In a few words: "value labels", "tagged missings became plain missings".
        variable: The variable's name, empty for the file as a whole.
        count: How many of them (labels, cases, characters), None where counting has no sense.
    """

    what: str
    variable: str = ""
    count: int | None = None

    def __str__(self) -> str:
        number = "" if self.count is None else f" ({self.count:,})"
        return f"{self.variable or 'file'}: {self.what}{number}"


Ledger: TypeAlias = tuple[Loss, ...]
