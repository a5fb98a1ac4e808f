"""A Stata file's dictionary as tabkit's variables, notes and attributes: text is decoded here."""

from __future__ import annotations

import collections
import dataclasses
import datetime
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from tabkit.model import TAG_LETTERS, Category, Finding, Interval, Kind, Variable
from tabkit.read import stata_dataverse, stata_temporal
from tabkit.read.stata_text import decode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from tabkit.profiles import Profile
    from tabkit.read.stata_dictionary import Dictionary
    from tabkit.read.stata_labels import LabelSet
    from tabkit.read.stata_text import Encodings

_FILE: Final = "_dta"
_NOTE: Final = re.compile(r"note(\d+)")
_NUMBER: Final = re.compile(r"%[-~]?0?(\d+)(?:[.,](\d+))?([a-zA-Z]?)")
_STAMP: Final = re.compile(r"\s*(\d+) (\w{3})\w* (\d{4}) (\d+):(\d+)")
_MONTHS: Final = "jan.feb.mar.apr.may.jun.jul.aug.sep.oct.nov.dec"
_SYSTEM_MISSING: Final = 2_147_483_621
_CONTINUOUS: Final = frozenset(("float", "double"))

Pairs: TypeAlias = tuple[tuple[str, str], ...]
Categories: TypeAlias = tuple[Category, ...]


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


@dataclasses.dataclass(frozen=True, slots=True)
class _Texts:
    """Decodes names and labels, and counts those that were not valid."""

    encodings: Encodings
    invalid: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def name(self, raw: bytes) -> str:
        return self._decode(raw, self.encodings.names)

    def label(self, raw: bytes) -> str:
        return self._decode(raw, self.encodings.labels)

    def _decode(self, raw: bytes, encoding: str) -> str:
        text, invalid = decode(raw, encoding, self.encodings.fallback)
        self.invalid[encoding] += invalid
        return text


def meaning_of(dictionary: Dictionary, encodings: Encodings, profile: Profile) -> Meaning:
    """Return the variables and the file's own texts.

    Args:
        dictionary: As stored.
        encodings: Of its texts.
        profile: ``dates_as_text`` keeps only what Dataverse keeps.
    """
    dropped = profile.dates_as_text
    texts = _Texts(encodings)
    findings: list[Finding] = []
    names = _unique_names(dictionary, texts, findings)
    sets = _categories_by_name(dictionary, texts, findings, profile)
    categories = _categories_of(dictionary, sets, dropped=dropped)
    characteristics = {} if dropped else _characteristics(dictionary, texts)
    variables = tuple(
        _variable(
            dictionary,
            at,
            name,
            texts,
            categories[at],
            characteristics.pop(name, ()),
            dropped=dropped,
        )
        for at, name in enumerate(names)
    )
    file_pairs = characteristics.pop(_FILE, ())
    attributes: Pairs = ()
    if not dropped:
        attributes = (
            *(pair for pair in file_pairs if not _NOTE.fullmatch(pair[0])),
            *_of_no_variable(characteristics),
            *_sort_order(dictionary, names),
            *_unused_sets(dictionary, texts, sets, findings),
        )
    for encoding, count in texts.invalid.items():
        if count:
            findings.append(invalid_finding(count, "names or labels", encoding, encodings.fallback))
    return Meaning(
        variables,
        "" if dropped else texts.label(dictionary.file_label),
        _notes(file_pairs),
        attributes,
        created(dictionary.timestamp),
        tuple(findings),
    )


def invalid_finding(
    count: int, what: str, encoding: str, fallback: str, variable: str = ""
) -> Finding:
    """Return the finding for text that is not valid in its own code."""
    treatment = f"were read as {fallback}"
    if not fallback or fallback == encoding:
        treatment = "have replacement characters"
    return Finding(
        f"{count:,} {what} are not valid {encoding} and {treatment}", "warning", variable
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


def _unique_names(dictionary: Dictionary, texts: _Texts, findings: list[Finding]) -> list[str]:
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
    texts: _Texts,
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
    )


def _categories_of(
    dictionary: Dictionary, sets: dict[bytes, Categories], *, dropped: bool
) -> list[Categories]:
    """Return each variable's categories; variables that share a set share them."""
    made: dict[tuple[bytes, str | None], Categories] = {}
    found = []
    for at, storage in enumerate(dictionary.storages):
        name, display_format = (
            dictionary.label_names[at],
            dictionary.display_formats[at].decode("latin-1"),
        )
        is_text = storage.startswith("str")
        unit: str | None = None if is_text else stata_temporal.unit_of(display_format) or None
        if dropped:
            unit = "" if is_text or stata_dataverse.category_of(display_format) else None
        categories = sets.get(name, ())
        if is_text and not dropped:
            categories = ()
        elif unit is not None and categories:
            if (name, unit) not in made:
                made[name, unit] = _spelled(categories, unit)
            categories = made[name, unit]
        found.append(categories)
    return found


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


def _categories_by_name(
    dictionary: Dictionary, texts: _Texts, findings: list[Finding], profile: Profile
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
        before = entries.get(each.name) if adds_up else None
        if each.name in entries or len(dict(each.entries)) < len(each.entries):
            twice.append(each.name)
        entries[each.name] = [*(before or ()), *each.entries]
    for name in dict.fromkeys(twice):
        text = f"value labels {texts.name(name)!r} are defined twice, or some of their codes"
        findings.append(Finding(f"{text}; the last of them counts", "warning"))
    return {
        name: tuple(
            _category(code, texts.label(raw), tagged=tagged)
            for code, raw in (pairs if adds_up else dict(pairs).items())
        )
        for name, pairs in entries.items()
    }


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


def _characteristics(dictionary: Dictionary, texts: _Texts) -> dict[str, Pairs]:
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


def _sort_order(dictionary: Dictionary, names: Sequence[str]) -> Pairs:
    if not dictionary.sorted_by:
        return ()
    return (("sortlist", " ".join(names[at] for at in dictionary.sorted_by)),)


def _unused_sets(
    dictionary: Dictionary,
    texts: _Texts,
    sets: dict[bytes, Categories],
    findings: list[Finding],
) -> Pairs:
    """Keep value labels that no variable has, as the Stata command that defines them."""
    used = {
        name
        for name, storage in zip(dictionary.label_names, dictionary.storages, strict=True)
        if not storage.startswith("str")
    }
    unused = {name: categories for name, categories in sets.items() if name not in used}
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
