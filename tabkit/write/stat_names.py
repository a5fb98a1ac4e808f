"""Names of variables as the statistics packages allow them: any names in, legal unique ones out."""

from __future__ import annotations

import dataclasses
import unicodedata
from typing import TYPE_CHECKING, Final

from tabkit.loss import Loss

if TYPE_CHECKING:
    from collections.abc import Sequence

_SPSS_WORDS: Final = frozenset(
    {"ALL", "AND", "BY", "EQ", "GE", "GT", "LE", "LT", "NE", "NOT", "OR", "TO", "WITH"}
)
_STATA_WORDS: Final = frozenset(
    {
        "_all", "_b", "byte", "_coef", "_cons", "double", "float", "if", "in", "int", "long", "_n",
        "_N", "_pi", "_pred", "_rc", "_skip", "strL", "using", "with",
    }
)  # fmt: skip
_STR: Final = "str"


@dataclasses.dataclass(frozen=True, slots=True)
class NameRules:
    """What a package wants of a name.

    Attributes:
        limit: The most bytes of it in UTF-8, or characters where ``counts_characters``.
        prefix: Put before a name that begins with something else than a letter or ``first``.
        first: Characters it may begin with besides letters.
        others: Characters it may have besides letters, digits and the underscore.
        is_ascii: Letters are A to Z.
        is_upper: Letters are upper case.
        folds_case: Names that differ in case alone are the same name.
        counts_characters: ``limit`` counts characters.
        reserved: Words that are no names; in upper case where ``folds_case``.
    """

    limit: int
    prefix: str
    first: str = ""
    others: str = ""
    is_ascii: bool = False
    is_upper: bool = False
    folds_case: bool = True
    counts_characters: bool = False
    reserved: frozenset[str] = frozenset()


#: Source: IBM SPSS Statistics Command Syntax Reference, "Variable Names".
SPSS_NAMES: Final = NameRules(64, "V", "@", ".@#$", reserved=_SPSS_WORDS)
#: Source: GNU PSPP developer's guide, "Portable File Format".
POR_NAMES: Final = dataclasses.replace(SPSS_NAMES, limit=8, is_ascii=True, is_upper=True)
#: Source: Stata, ``help varname``, ``help reswords``.
STATA_NAMES: Final = NameRules(
    32, "_", "_", folds_case=False, counts_characters=True, reserved=_STATA_WORDS
)
#: Source: SAS 9.4 Language Reference, "Names in the SAS Language"; TS-140 for transport files.
SAS_NAMES: Final = NameRules(32, "_", "_", is_ascii=True)
SAS_5_NAMES: Final = dataclasses.replace(SAS_NAMES, limit=8, is_upper=True)


def legal_names(names: Sequence[str], rules: NameRules) -> list[str]:
    """Return names that obey the rules, unique, in the same order.

    A name that is legal as it is stays, unless an earlier one is the same in the package's eyes;
    of others the characters that are not allowed become underscores and a number is added.
    """
    taken: set[str] = set()
    numbers: dict[str, int] = {}
    chosen = {}
    for place, name in enumerate(names):
        if is_legal(name, rules) and _key(name, rules) not in taken:
            chosen[place] = name
            taken.add(_key(name, rules))
    for place, name in enumerate(names):
        if place not in chosen:
            chosen[place] = _free(_mended(name, rules), rules, taken, numbers)
            taken.add(_key(chosen[place], rules))
    return [chosen[place] for place in range(len(names))]


def is_legal(name: str, rules: NameRules) -> bool:
    """Whether a name obeys the rules as it is."""
    return name == _mended(name, rules)


def name_losses(old: Sequence[str], new: Sequence[str]) -> list[Loss]:
    """Return a loss for every name that changed, with what it became."""
    return [
        Loss(f"the name became {after}", before)
        for before, after in zip(old, new, strict=True)
        if before != after
    ]


def cut_bytes(text: str, limit: int) -> str:
    """Return the longest beginning of a text that takes at most ``limit`` bytes in UTF-8."""
    data = text.encode("utf-8", "replace")
    return text if len(data) <= limit else data[:limit].decode("utf-8", "ignore")


def plain_ascii(text: str) -> str:
    """Return a text without accents; what has no plain letter becomes ``?``."""
    if text.isascii():
        return text
    split = unicodedata.normalize("NFKD", text)
    bare = "".join(each for each in split if not unicodedata.combining(each))
    return bare.encode("ascii", "replace").decode()


def _mended(name: str, rules: NameRules) -> str:
    if rules.is_ascii:
        name = plain_ascii(name)
    if rules.is_upper:
        name = name.upper()
    name = "".join(each if _is_allowed(each, rules) else "_" for each in name)
    if not name or not (_is_letter(name[0]) or name[0] in rules.first):
        name = rules.prefix + name
    name = _cut(name, rules.limit, rules)
    if _is_reserved(name, rules):
        name = _cut(name, rules.limit - 1, rules) + "_"
    return name


def _free(name: str, rules: NameRules, taken: set[str], numbers: dict[str, int]) -> str:
    """Add a number to a name that is taken; ``numbers`` remembers the last one of each name."""
    fresh = name
    while _key(fresh, rules) in taken:
        numbers[name] = numbers.get(name, 1) + 1
        ending = f"_{numbers[name]}"
        fresh = _cut(name, rules.limit - len(ending), rules) + ending
    return fresh


def _key(name: str, rules: NameRules) -> str:
    return name.upper() if rules.folds_case else name


def _cut(name: str, limit: int, rules: NameRules) -> str:
    return name[:limit] if rules.counts_characters else cut_bytes(name, limit)


def _is_reserved(name: str, rules: NameRules) -> bool:
    if not rules.folds_case and name.startswith(_STR) and name[len(_STR) :].isdigit():
        return True
    return _key(name, rules) in rules.reserved


def _is_letter(character: str) -> bool:
    return unicodedata.category(character).startswith("L")


def _is_allowed(character: str, rules: NameRules) -> bool:
    if character in rules.others or character == "_":
        return True
    category = unicodedata.category(character)
    return category == "Nd" or category.startswith(("L", "M"))
