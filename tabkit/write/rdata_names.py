"""Names as R allows them without backticks, as its own ``make.names`` makes them.

Source: R 4.2, ``?make.names``, ``?make.unique``, ``?Reserved``.
"""

from __future__ import annotations

import unicodedata
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

_DIGITS: Final = frozenset("0123456789")
_VOWEL_SIGNS: Final = range(10, 36)  # the combining classes of Hebrew's and Arabic's


def legal_name(name: str) -> str:
    """Return ``make.names(name)``, for a UTF-8 locale."""
    start = name[:1]
    is_number = start == "." and name[1:2] in _DIGITS
    fine = (start not in _DIGITS and _is_letter(start)) or (start == "." and not is_number)
    text = name if fine else f"X{name}"
    text = "".join(each if _is_letter(each) or each in "._" else "." for each in text)
    return f"{text}." if text in _RESERVED else text


def _is_letter(character: str) -> bool:
    """Whether R has a character in names: C's ``iswalnum``, as glibc answers it.

    Digits of other scripts are letters there, and so are the vowel signs and marks that Unicode
    calls alphabetic; superscripts and fractions are none.
    """
    if character.isascii():
        return character.isalnum()
    kind = unicodedata.category(character)
    if kind not in {"Mn", "Mc"}:
        return kind[0] == "L" or kind in {"Nd", "Nl"} or "\u24b6" <= character <= "\u24e9"
    class_ = unicodedata.combining(character)
    return class_ == 0 or class_ in _VOWEL_SIGNS


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
