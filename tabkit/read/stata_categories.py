"""Value labels of a Stata file as categories, by set and by variable."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final, TypeAlias

from tabkit.model import TAG_LETTERS, Category, Finding
from tabkit.read import stata_dataverse, stata_temporal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabkit.profiles import Profile
    from tabkit.read.stata_dictionary import Dictionary
    from tabkit.read.stata_text import Decoder

_SYSTEM_MISSING: Final = 2_147_483_621
_LONGEST_LABEL: Final = 32_000  # bytes; what Stata allows
_UNUSED_TEXT: Final = 1 << 26  # characters of unused sets that are kept

Categories: TypeAlias = tuple[Category, ...]


def categories_by_name(
    dictionary: Dictionary, texts: Decoder, findings: list[Finding], profile: Profile
) -> dict[bytes, Categories]:
    """Return the categories of each set of value labels.

    Source for ``stata_quirks``: IQSS/dataverse b485249231fe, DTAFileReader.java (up to 115) reads
    no more sets than there are variables; NewDTAFileReader.java adds up all of one name.
    """
    sets, quirks = dictionary.label_sets, profile.stata_quirks
    adds_up = quirks and dictionary.layout.has_sections
    if quirks and not adds_up:
        sets = sets[: len(dictionary.names)]
    tagged = dictionary.layout.version >= 112 and not quirks  # noqa: PLR2004
    entries: dict[bytes, list[tuple[int, bytes]]] = {}
    twice: list[bytes] = []
    for each in sets:
        if adds_up:
            entries.setdefault(each.name, []).extend(each.entries)
            continue
        if each.name in entries or len(dict(each.entries)) < len(each.entries):
            twice.append(each.name)
        entries[each.name] = list(each.entries)
    for name in dict.fromkeys(twice):
        text = f"value labels {texts.name(name)!r} are defined twice, or some of their codes"
        findings.append(Finding(f"{text}; the last of them counts", "warning"))
    label = _label_maker(texts)
    return {
        name: tuple(
            _category(code, label(raw), tagged=tagged)
            for code, raw in (pairs if adds_up else dict(pairs).items())
        )
        for name, pairs in entries.items()
    }


def _label_maker(texts: Decoder) -> Callable[[bytes], str]:
    """Decode a label; one that is longer than Stata's and stands for many codes is held once."""
    known: dict[bytes, str] = {}

    def label(raw: bytes) -> str:
        if len(raw) <= _LONGEST_LABEL:
            return texts.label(raw)
        if raw not in known:
            known[raw] = texts.label(raw)
        return known[raw]

    return label


def _category(code: int, label: str, *, tagged: bool) -> Category:
    if not tagged or code < _SYSTEM_MISSING:
        return Category(code, label)
    return Category(f".{TAG_LETTERS[code - _SYSTEM_MISSING]}".strip(), label, missing=True)


def _spelled(categories: Categories, unit: str) -> Categories:
    """Give codes as text: of a date, as it is shown; without a unit, as they are."""
    codes = [0 if each.missing else int(each.value) for each in categories]
    spelled = stata_temporal.date_texts(codes, unit) if unit else [None] * len(codes)
    return tuple(
        each if each.missing else dataclasses.replace(each, value=text or str(each.value))
        for each, text in zip(categories, spelled, strict=True)
    )


def categories_of(
    dictionary: Dictionary, sets: dict[bytes, Categories], *, dropped: bool
) -> list[Categories]:
    """Return each variable's categories; variables that share a set share them.

    Args:
        dictionary: Of the file.
        sets: From `categories_by_name`.
        dropped: As Dataverse has them, which knows the codes of text and dates as text.
    """
    made: dict[tuple[bytes, str | None], Categories] = {}
    found = []
    for name, storage, raw_format in zip(
        dictionary.label_names, dictionary.storages, dictionary.display_formats, strict=True
    ):
        unit = _unit(storage, raw_format.decode("latin-1"), dropped=dropped)
        if (name, unit) not in made:
            categories = sets.get(name, ())
            made[name, unit] = categories if unit is None else _spelled(categories, unit)
        found.append(() if storage.startswith("str") and not dropped else made[name, unit])
    return found


def _unit(storage: str, display_format: str, *, dropped: bool) -> str | None:
    """Return what `_spelled` makes of a variable's codes, None where they stay numbers."""
    is_text = storage.startswith("str")
    if dropped:
        return "" if is_text or stata_dataverse.category_of(display_format) else None
    return None if is_text else stata_temporal.unit_of(display_format) or None


def unused_sets(
    dictionary: Dictionary,
    texts: Decoder,
    sets: dict[bytes, Categories],
    findings: list[Finding],
) -> tuple[tuple[str, str], ...]:
    """Keep value labels that no variable has, as the Stata command that defines them."""
    used = {
        name
        for name, storage in zip(dictionary.label_names, dictionary.storages, strict=True)
        if not storage.startswith("str")
    }
    unused = {name: categories for name, categories in sets.items() if name not in used}
    if sum(len(each.label) for labels in unused.values() for each in labels) > _UNUSED_TEXT:
        text = f"{len(unused):,} sets of value labels belong to no variable and are absurdly long"
        findings.append(Finding(f"{text}: left out", "warning"))
        return ()
    if unused:
        text = (
            f"{len(unused):,} sets of value labels belong to no variable; kept as file attributes"
        )
        findings.append(Finding(text))
    return tuple(
        (
            f"label define {texts.name(name)}",
            " ".join(f'{category.value} `"{category.label}"\'' for category in categories),
        )
        for name, categories in unused.items()
    )
