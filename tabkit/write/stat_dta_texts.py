"""What a Stata file says in words: value labels, characteristics, notes, sort order.

Source: Stata, ``help dta``, ``help label``, ``help char``, ``help notes``, ``help limits``.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
import struct
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from tabkit.loss import Loss
from tabkit.model import TAG_LETTERS
from tabkit.write.stat_columns import STATA_CLOCK, is_duration, is_text, losses, raw_number
from tabkit.write.stat_dta_columns import TYPES, counts
from tabkit.write.stat_names import STATA_NAMES, cut_bytes, legal_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tabkit.model import Category, Table, Value
    from tabkit.write.stat_dta_columns import StataColumn

    Labels = tuple[tuple[int, str], ...]
    Pairs = Sequence[tuple[str, str]]

_SYSTEM_MISSING: Final = 2_147_483_621
_LABEL_BYTES: Final = 32_000
_TEXT_BYTES: Final = 67_784
_NAME_BYTES: Final = 129
_FILE: Final = "_dta"
_QUESTION: Final = "question"
_SORTED: Final = "sortlist"
_NOTE: Final = re.compile(r"note(\d+)")
_TAG: Final = re.compile(r"\.[a-z]")
_WHOLE: Final = re.compile(r"-?\d{1,15}")
_OWNED: Final = re.compile(r"(\w+)\[(\w+)\]")
_DEFINED: Final = "label define "
_ENTRY: Final = re.compile(r"(-?\d{1,10}|\.[a-z]) `\"(.*?)\"'", re.DOTALL)
_CHARACTERISTIC_NAMES: Final = dataclasses.replace(STATA_NAMES, reserved=frozenset())


@dataclasses.dataclass(frozen=True, slots=True)
class LabelSets:
    """Value labels: sets by name, and the name of each variable's set."""

    sets: Mapping[str, Labels]
    names: Mapping[str, str]

    def name_of(self, column: StataColumn) -> str:
        """Return the name of a column's set, empty where it has none."""
        return self.names.get(column.name, "")


def label_sets(table: Table, columns: Sequence[StataColumn]) -> tuple[LabelSets, list[Loss]]:
    """Return the sets of value labels of all columns, equal ones once, and what is lost."""
    found: list[Loss] = []
    owners: dict[Labels, list[str]] = {}
    for column in columns:
        labels, lost = _labels(column)
        found += lost
        if labels:
            owners.setdefault(labels, []).append(column.name)
    unused = unused_sets(table.attributes)
    wanted = [*unused, *(names[0] for names in owners.values())]
    names = legal_names(wanted, STATA_NAMES)
    every = [*unused.values(), *owners]
    by_variable = {
        variable: name
        for name, labels in zip(names[len(unused) :], owners, strict=True)
        for variable in owners[labels]
    }
    return LabelSets(dict(zip(names, every, strict=True)), by_variable), found


def unused_sets(attributes: Pairs) -> dict[str, Labels]:
    """Return sets that no variable has, as `tabkit.read.stata_variables` keeps them."""
    sets = {}
    for name, text in attributes:
        entries = _ENTRY.findall(text)
        told = " ".join(f'{code} `"{label}"\'' for code, label in entries)
        if name.startswith(_DEFINED) and entries and told == text:
            codes = ((_tag_code(code) if "." in code else int(code)) for code, _ in entries)
            labels = (label for _, label in entries)
            sets[name.removeprefix(_DEFINED)] = tuple(zip(codes, labels, strict=True))
    return sets


def value_labels(sets: LabelSets) -> bytes:
    """Return the section of value labels."""
    parts = []
    for name, labels in sets.sets.items():
        texts = [label.encode() + b"\0" for _, label in labels]
        offsets = itertools.accumulate(map(len, texts[:-1]), initial=0)
        count = len(labels)
        text = b"".join(texts)
        table = struct.pack(
            f"<ii{count}i{count}i", count, len(text), *offsets, *(code for code, _ in labels)
        )
        field = name.encode().ljust(_NAME_BYTES + 3, b"\0")
        size = struct.pack("<i", len(table) + len(text))
        parts.append(b"<lbl>" + size + field + table + text + b"</lbl>")
    return b"".join(parts)


def characteristics(table: Table, columns: Sequence[StataColumn]) -> tuple[bytes, list[Loss]]:
    """Return the section of characteristics: notes and attributes of the file and variables."""
    notes = [(f"note{number}", text) for number, text in enumerate(table.notes, 1)]
    defined = unused_sets(table.attributes)
    of_file: list[tuple[str, str]] = []
    owned: dict[str, list[tuple[str, str]]] = {}
    for name, text in table.attributes:
        owner = _OWNED.fullmatch(name)
        if name == _SORTED or name.removeprefix(_DEFINED) in defined:
            continue
        if owner and not any(column.name == owner[1] for column in columns):
            owned.setdefault(owner[1], []).append((owner[2], text))
        else:
            of_file.append((name, text))
    parts, found = _of_owner(_FILE, [*notes, *of_file], "")
    for owner_name, pairs in owned.items():
        more, lost = _of_owner(owner_name, pairs, "")
        parts += more
        found += lost
    for column in columns:
        variable = column.variable
        pairs = list(variable.attributes)
        if variable.question and variable.question not in [text for _, text in pairs]:
            pairs.append((_QUESTION, variable.question))
        more, lost = _of_owner(column.name, pairs, variable.name)
        parts += more
        found += lost
    return b"".join(parts), found


def sort_order(table: Table) -> list[int]:
    """Return the numbers of the variables that the cases are sorted by, from 1."""
    places = {name: place for place, name in enumerate(table.data.column_names, 1)}
    order = []
    for name in dict(table.attributes).get(_SORTED, "").split():
        if name not in places:
            break
        order.append(places[name])
    return list(dict.fromkeys(order))


def _of_owner(owner: str, pairs: Pairs, variable: str) -> tuple[list[bytes], list[Loss]]:
    names = legal_names([name for name, _ in pairs], _CHARACTERISTIC_NAMES)
    numbers = [int(match[1]) for name in names if (match := _NOTE.fullmatch(name))]
    texts = [cut_bytes(text.replace("\0", ""), _TEXT_BYTES) for _, text in pairs]
    found = [
        Loss(f"attribute {old} became {new}", variable)
        for (old, _), new in zip(pairs, names, strict=True)
        if old != new
    ]
    changed = sum(new != old for (_, old), new in zip(pairs, texts, strict=True))
    found += losses("attributes or notes were cut", variable, changed)
    entries = list(zip(names, texts, strict=True))
    if numbers:
        entries.insert(0, ("note0", str(max(numbers))))
    return [_entry(owner, name, text) for name, text in entries], found


def _entry(owner: str, name: str, text: str) -> bytes:
    fields = b"".join(each.encode().ljust(_NAME_BYTES, b"\0") for each in (owner, name))
    content = fields + text.encode() + b"\0"
    return b"<ch>" + struct.pack("<I", len(content)) + content + b"</ch>"


def _labels(column: StataColumn) -> tuple[Labels, list[Loss]]:
    name = column.variable.name
    if column.storage not in TYPES:
        return (), losses("labels of strings", name, len(column.variable.categories))
    kept: dict[int, str] = {}
    unfit, cut = 0, 0
    for category in column.variable.categories:
        code = _code(category, column)
        if code is None or code in kept:
            unfit += 1
            continue
        label = cut_bytes(category.label.replace("\0", ""), _LABEL_BYTES)
        cut += label != category.label
        kept[code] = label
    what = "labels of codes that are no whole numbers of Stata's, or are there twice"
    found = losses(what, name, unfit)
    found += losses("value labels were cut", name, cut)
    return tuple(kept.items()), found


def _code(category: Category, column: StataColumn) -> int | None:
    value = category.value
    if category.missing and isinstance(value, str) and _TAG.fullmatch(value):
        return _tag_code(value)
    number = _number(value, column)
    long = TYPES["long"]
    if number is None or number != number // 1 or not long.low <= number <= long.high:
        return None
    return int(number)


def _tag_code(tag: str) -> int:
    return _SYSTEM_MISSING + TAG_LETTERS.index(tag[1])


def _number(value: Value, column: StataColumn) -> float | None:
    """Return a code as Stata counts; of a date it is text, as whole numbers beyond dates are."""
    if column.unit in ("", "c") or not isinstance(value, str):
        return _plain_number(value, column)
    try:
        text = pa.array([value], pa.string())
        numbers, valid = counts(
            text if is_text(column.kind) else text.cast(column.kind), column.unit
        )
    except pa.ArrowInvalid:
        return _plain_number(value, column)
    return float(numbers[0]) if valid[0] else None


def _plain_number(value: Value, column: StataColumn) -> float | None:
    if isinstance(value, str) and column.unit and _WHOLE.fullmatch(value):
        return float(value)
    kind = column.kind
    if is_duration(kind):
        kind = pa.duration("us")
    return None if is_text(kind) else raw_number(value, kind, STATA_CLOCK)
