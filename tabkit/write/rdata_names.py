"""Names as R allows them without backticks, as its own ``make.names`` makes them.

Source: R 4.2, ``?make.names``, ``?make.unique``, ``?Reserved``.
"""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_RESERVED: Final = frozenset(
    {
        "if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE",
        "NULL", "Inf", "NaN", "NA", "NA_integer_", "NA_real_", "NA_character_", "NA_complex_",
        "in",
    }
)  # fmt: skip


def legal_name(name: str) -> str:
    """Return ``make.names(name)``, for a UTF-8 locale."""
    start = name[:1]
    fine = start.isalpha() or (start == "." and not name[1:2].isdigit())
    text = name if fine else f"X{name}"
    text = "".join(each if each.isalnum() or each in "._" else "." for each in text)
    return f"{text}." if text in _RESERVED else text


def legal_names(names: Sequence[str]) -> list[str]:
    """Return ``make.names(names, unique = TRUE)``: names that are fine stay as they are."""
    wanted = [legal_name(name) for name in names]
    numbers = dict.fromkeys(wanted, 0)
    taken, found = set(wanted), dict.fromkeys(range(len(names)), "")
    seen: set[str] = set()
    for place in sorted(found, key=lambda at: wanted[at] != names[at]):
        own = wanted[place]
        while own in seen or (own != wanted[place] and own in taken):
            numbers[wanted[place]] += 1
            own = f"{wanted[place]}.{numbers[wanted[place]]}"
        seen.add(own)
        found[place] = own
    return list(found.values())


def object_name(file_name: str) -> str:
    """Return an object's name for a file: its stem, as R allows it; ``table`` for no name."""
    stem = PurePath(file_name).stem
    return legal_name(stem) if stem else "table"
