"""A Stata file's dictionary as tabkit's variables, notes and attributes: text is decoded here."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from tabkit.model import Finding, Interval, Kind, Variable
from tabkit.read import stata_dataverse, stata_temporal
from tabkit.read.stata_categories import categories_by_name, categories_of, unused_sets
from tabkit.read.stata_text import Decoder, decode, invalid_finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tabkit.profiles import Profile
    from tabkit.read.stata_categories import Categories
    from tabkit.read.stata_dictionary import Dictionary
    from tabkit.read.stata_text import Encodings

_FILE: Final = "_dta"
_NOTE: Final = re.compile(r"note(\d+)")
_NUMBER: Final = re.compile(r"%[-~]?0?(\d+)(?:[.,](\d+))?([a-zA-Z]?)")
_STAMP: Final = re.compile(r"\s*(\d+) (\w{3})\w* (\d{4}) (\d+):(\d+)")
_MONTHS: Final = "jan.feb.mar.apr.may.jun.jul.aug.sep.oct.nov.dec"
_CONTINUOUS: Final = frozenset(("float", "double"))

Pairs: TypeAlias = tuple[tuple[str, str], ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Meaning:
    """What a dictionary says, in text.

    Attributes:
        variables: In column order, names unique.
        label: The file label.
        notes: Notes of the file, in order.
        attributes: Characteristics of the file, sort order, unused value labels.
        created: The time stamp.
        findings: What was treated.
    """

    variables: tuple[Variable, ...]
    label: str
    notes: tuple[str, ...]
    attributes: Pairs
    created: datetime.datetime | None
    findings: tuple[Finding, ...]


def meaning_of(dictionary: Dictionary, encodings: Encodings, profile: Profile) -> Meaning:
    """Return the variables and the file's own texts.

    Args:
        dictionary: As stored.
        encodings: Of its texts.
        profile: ``dates_as_text`` keeps only what Dataverse keeps.
    """
    dropped = profile.dates_as_text
    texts = Decoder(encodings)
    findings: list[Finding] = []
    names = _unique_names(dictionary, texts, findings)
    sets = categories_by_name(dictionary, texts, findings, profile)
    categories = categories_of(dictionary, sets, dropped=dropped)
    characteristics = {} if dropped else _characteristics(dictionary, texts)
    variables = tuple(
        _variable(
            dictionary,
            at,
            name,
            texts,
            categories[at],
            (*characteristics.pop(name, ()), *_undefined_set(dictionary, at, texts, sets)),
            dropped=dropped,
        )
        for at, name in enumerate(names)
    )
    file_pairs = characteristics.pop(_FILE, ())
    label = "" if dropped else texts.label(dictionary.file_label)
    attributes: Pairs = ()
    if not dropped:
        attributes = (
            *(pair for pair in file_pairs if not _NOTE.fullmatch(pair[0])),
            *_of_no_variable(characteristics),
            *_sort_order(dictionary, names),
            *unused_sets(dictionary, texts, sets, findings),
        )
    for encoding, count in texts.invalid.items():
        if count:
            findings.append(invalid_finding(count, "names or labels", encoding, encodings.fallback))
    return Meaning(
        variables,
        label,
        _notes(file_pairs),
        attributes,
        created(dictionary.timestamp),
        tuple(findings),
    )


def created(timestamp: bytes) -> datetime.datetime | None:
    """Return the time of writing, ``dd Mon yyyy hh:mm`` in no known time zone; None if unclear."""
    match = _STAMP.match(timestamp.decode("latin-1"))
    if match is None or match[2].lower() not in _MONTHS.split("."):
        return None
    day, year, hour, minute = (int(match[at]) for at in (1, 3, 4, 5))
    month = _MONTHS.index(match[2].lower()) // 4 + 1
    try:
        return datetime.datetime(year, month, day, hour, minute)  # noqa: DTZ001 - none is stated
    except ValueError:
        return None


def _unique_names(dictionary: Dictionary, texts: Decoder, findings: list[Finding]) -> list[str]:
    """Return names that are neither empty nor twice there, as close to the file's as can be."""
    names = [texts.name(raw) for raw in dictionary.names]
    counts = collections.Counter(names)
    taken = {name for name in names if counts[name] == 1}
    used: collections.Counter[str] = collections.Counter()
    for at, name in enumerate(names):
        if name and counts[name] == 1:
            continue
        plain = decode(dictionary.names[at], "utf-8", "windows-1252")[0] or f"v{at + 1}"
        new = plain
        while new in taken:
            used[plain] += 1
            new = f"{plain}_{used[plain] + 1}"
        taken.add(new)
        if new != name:
            what = "is not unique" if name else "is empty"
            text = f"the name {name!r} of variable {at + 1} {what}; it is {new!r} here"
            findings.append(Finding(text, "warning", new))
        names[at] = new
    return names


def _variable(
    dictionary: Dictionary,
    at: int,
    name: str,
    texts: Decoder,
    categories: Categories,
    characteristics: Iterable[tuple[str, str]],
    *,
    dropped: bool,
) -> Variable:
    """Return one variable; ``dropped`` metadata are those that Dataverse does not keep."""
    storage = dictionary.storages[at]
    display_format = dictionary.display_formats[at].decode("latin-1")
    found = Variable(name, texts.label(dictionary.labels[at]), categories=categories)
    if dropped:
        return _as_dataverse_has_it(found, storage, display_format)
    is_text = storage.startswith("str")
    unit = "" if is_text else stata_temporal.unit_of(display_format)
    decimals, width = _shown(display_format)
    return dataclasses.replace(
        found,
        kind=Kind.CHARACTER if is_text or unit else Kind.NUMERIC,
        display_format=display_format,
        format_category=stata_temporal.category_of(unit),
        decimals=None if is_text or unit else decimals,
        width=_text_width(storage) if is_text else (None if unit else width),
        alignment={"%-": "left", "%~": "center"}.get(display_format[:2], ""),
        storage=storage,
        attributes=tuple(pair for pair in characteristics if pair[0] != "note0"),
        bare=unit == "y",
    )


def _as_dataverse_has_it(variable: Variable, storage: str, display_format: str) -> Variable:
    category = stata_dataverse.category_of(display_format)
    is_text = storage.startswith("str")
    interval = Interval.CONTINUOUS if storage in _CONTINUOUS and not category else Interval.DISCRETE
    return dataclasses.replace(
        variable,
        kind=Kind.CHARACTER if is_text or category else Kind.NUMERIC,
        interval=interval,
        display_format=stata_dataverse.pattern_of(display_format, storage) if category else "",
        format_category=category,
        storage=storage,
        bare=bool(category) and not is_text,
    )


def _text_width(storage: str) -> int | None:
    return int(storage[3:]) if storage != "strL" else None


def _shown(display_format: str) -> tuple[int | None, int | None]:
    """Return decimals and width of a number's format; ``g`` chooses its decimals itself."""
    match = _NUMBER.match(display_format)
    if match is None:
        return None, None
    fixed = match[3].lower() in {"f", "e"} and match[2] is not None
    return int(match[2]) if fixed else None, int(match[1])


def _characteristics(dictionary: Dictionary, texts: Decoder) -> dict[str, Pairs]:
    found: dict[str, list[tuple[str, str]]] = {}
    for owner, name, text in dictionary.characteristics:
        found.setdefault(texts.name(owner), []).append((texts.name(name), texts.label(text)))
    return {owner: tuple(pairs) for owner, pairs in found.items()}


def _of_no_variable(characteristics: dict[str, Pairs]) -> Pairs:
    """Return the characteristics of names that no variable has."""
    return tuple(
        (f"{owner}[{name}]", text)
        for owner, pairs in characteristics.items()
        for name, text in pairs
    )


def _notes(pairs: Pairs) -> tuple[str, ...]:
    """Return ``note1`` and so on in their order; ``note0`` is their count."""
    numbered = [(int(m[1]), text) for name, text in pairs if (m := _NOTE.fullmatch(name))]
    return tuple(text for number, text in sorted(numbered) if number)


def _undefined_set(
    dictionary: Dictionary, at: int, texts: Decoder, sets: dict[bytes, Categories]
) -> Pairs:
    """Keep the name of value labels that the file itself does not hold."""
    name = dictionary.label_names[at]
    return (("label values", texts.name(name)),) if name and name not in sets else ()


def _sort_order(dictionary: Dictionary, names: Sequence[str]) -> Pairs:
    if not dictionary.sorted_by:
        return ()
    return (("sortlist", " ".join(names[at] for at in dictionary.sorted_by)),)
