"""Names as R allows them without backticks, as its own ``make.names`` makes them.

Source: R 4.2, ``?make.names``, ``?make.unique``, ``?Reserved``.
"""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

_RESERVED: Final = frozenset(
    {
        "if", "else", "repeat", "while", "function", "for", "next", "break", "TRUE", "FALSE",
        "NULL", "Inf", "NaN", "NA", "NA_integer_", "NA_real_", "NA_character_", "NA_complex_",
        "in", "...",
    }
)  # fmt: skip
_DOTS: Final = re.compile(r"\.\.\d+")


def legal_name(name: str) -> str:
    """Return ``make.names(name)``, for a UTF-8 locale."""
    start = name[:1]
    fine = start.isalpha() or (start == "." and not name[1:2].isdigit())
    text = name if fine else f"X{name}"
    text = "".join(each if each.isalnum() or each in "._" else "." for each in text)
    return f"{text}." if text in _RESERVED or _DOTS.fullmatch(text) else text


def legal_names(names: Sequence[str]) -> list[str]:
    """Return ``make.names(names, unique = TRUE)``."""
    wanted = [legal_name(name) for name in names]
    taken, found, numbers = set(wanted), [], dict.fromkeys(wanted, 0)
    seen: set[str] = set()
    for name in wanted:
        own = name
        while own in seen or (own != name and own in taken):
            numbers[name] += 1
            own = f"{name}.{numbers[name]}"
        seen.add(own)
        found.append(own)
    return found


def object_name(file_name: str) -> str:
    """Return an object's name for a file: its stem, as R allows it; ``table`` for no name."""
    stem = PurePath(file_name).stem
    return legal_name(stem) if stem else "table"
