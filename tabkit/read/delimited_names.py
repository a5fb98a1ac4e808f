"""Names of variables from the header row of a text file: none blank, none twice."""

from __future__ import annotations

import collections
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError
from tabkit.model import Finding

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LISTED: Final = 20  # findings of one kind that are told one by one
HINT: Final = "--profile tabkit reads such files"


def name_columns(header: Sequence[str], width: int) -> tuple[list[str], list[Finding]]:
    """Give each column a name of its own.

    Args:
        header: Cells of the header row, at most ``width``.
        width: Number of columns.

    Returns:
        The names, and what was done to them: a blank one becomes ``V`` and its column's number, a
        second ``id`` becomes ``id_2``.
    """
    given = set(header)
    used: set[str] = set()
    repeats: collections.Counter[str] = collections.Counter()
    names: list[str] = []
    blank: list[str] = []
    twice: list[str] = []
    for number, name in enumerate([*header, *[""] * (width - len(header))], 1):
        wanted = name if name.strip() else f"V{number}"
        unique = wanted
        while unique in used or (unique in given and unique != name):
            repeats[wanted] += 1
            unique = f"{wanted}_{repeats[wanted] + 1}"
        if number <= len(header) and not name.strip():
            blank.append(unique)
        elif unique != wanted:
            twice.append(f"the name {name!r} occurs again: column {number:,} became {unique!r}")
        used.add(unique)
        names.append(unique)
    findings = [Finding(text, "warning") for text in twice[:_LISTED]]
    if len(twice) > _LISTED:
        text = f"and {len(twice) - _LISTED:,} more repeated names got a number"
        findings.append(Finding(text, "warning"))
    if blank:
        listed = ", ".join(blank[:_LISTED]) + (", …" if len(blank) > _LISTED else "")
        text = f"columns without a name ({len(blank):,}) became {listed}"
        findings.append(Finding(text, "warning"))
    return names, findings


def check_names(header: Sequence[str], path: Path, *, trimmed: bool) -> None:
    """Refuse a header row that Dataverse refuses.

    Raises:
        FormatError: A name is empty or occurs twice.
    """
    for number, name in enumerate(header, 1):
        if not (name.strip() if trimmed else name):
            raise FormatError("a name in the header row is empty", path, f"column {number:,}", HINT)
    twice = [name for name, count in collections.Counter(header).items() if count > 1]
    if twice:
        raise FormatError(f"the name {twice[0]!r} occurs twice", path, "line 1", HINT)
