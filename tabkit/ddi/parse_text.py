"""Small readings shared by the sections of a codebook: children, numbers, texts, notes."""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final, TypeAlias

from tabkit.ddi.events import text_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml import etree

Children: TypeAlias = "dict[str, list[etree._Element]]"  # noqa: SLF001 - lxml's public type

_COUNT: Final = re.compile(r"([0-9]{1,18})(\.0*)?")


@dataclasses.dataclass(frozen=True, slots=True)
class Notes:
    """The ``notes`` of a file or variable by what they hold.

    Attributes:
        unf: The fingerprint, the last one where there are several.
        properties: Facts that DDI has no place for, by subject (``tabkit:property``).
        original: Facts of the original file, by subject (``tabkit:original``).
        attributes: Custom attributes, (name, text) pairs.
        documents: Documents of the original file.
        others: All other notes, (subject or type, text).
    """

    unf: str
    properties: dict[str, str]
    original: dict[str, str]
    attributes: tuple[tuple[str, str], ...]
    documents: tuple[str, ...]
    others: tuple[tuple[str, str], ...]


def children_of(node: etree._Element, prefix: str) -> Children:
    """Return the children of an element by name without namespace, in document order."""
    found: Children = {}
    for child in node:
        tag = child.tag
        if isinstance(tag, str) and tag.startswith(prefix):
            found.setdefault(tag[len(prefix) :], []).append(child)
    return found


def first(nodes: Iterable[etree._Element] | None) -> etree._Element | None:
    """Return the first element, None where there is none."""
    return next(iter(nodes or ()), None)


def clean(node: etree._Element | None) -> str:
    """Return an element's text without the white space that laying out the file put around it."""
    text = text_of(node)
    if "\n" not in text:
        return text
    bare = text.strip()
    head, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return bare if "\n" in head or "\n" in tail else text


def count_of(text: str | None) -> int | None:
    """Return a count or position, None where the text is none; ``3045.0`` is one."""
    match = _COUNT.fullmatch((text or "").strip())
    return int(match[1]) if match else None


def read_notes(nodes: Iterable[etree._Element]) -> Notes:
    """Sort notes by what they hold."""
    unf = ""
    by_kind: dict[str, list[tuple[str, str]]] = {}
    for node in nodes:
        kind, subject = node.get("type", ""), node.get("subject", "")
        if not kind.startswith("tabkit:"):
            text = clean(node)
            if text.strip().startswith("UNF:"):
                unf = text.strip()
                continue
            by_kind.setdefault("", []).append((subject or kind, text))
        else:
            by_kind.setdefault(kind, []).append((subject, text_of(node)))
    known = ("tabkit:property", "tabkit:original", "tabkit:attribute", "tabkit:document", "")
    others = [pair for kind, pairs in by_kind.items() if kind not in known[:4] for pair in pairs]
    return Notes(
        unf,
        dict(by_kind.get("tabkit:property", ())),
        dict(by_kind.get("tabkit:original", ())),
        tuple(by_kind.get("tabkit:attribute", ())),
        tuple(text for _, text in by_kind.get("tabkit:document", ())),
        tuple(others),
    )
