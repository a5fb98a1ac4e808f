"""The selection language: which variables, which cases. Text goes in, names and ranges come out.

Variables are a list of items, separated by commas where they come as one text:

* ``age``: a name; ``"a, b"`` in double quotes where it holds a comma, colon, star or quote;
* ``inc*``, ``q?_[ab]``: a pattern over names, in file order;
* ``v3``: an id as in the codebook, and ``3``, a place from 1, where no variable has that name;
* ``age:income``, ``v3:v7``, ``:age``, ``5:``: a range in file order, both ends included.

Cases are ``1:100``, ``7``, ``500:``, ``1::10`` (every tenth), several separated by commas: numbers
of cases in the file, from 1, both ends included.
"""

from __future__ import annotations

import csv
import dataclasses
import fnmatch
import re
from typing import TYPE_CHECKING, Final

from tabkit.errors import UsageError, VariableNotFoundError

if TYPE_CHECKING:
    from collections.abc import Sequence

ORDERS: Final = ("asked", "file")
_PLACE: Final = re.compile(r"v?([1-9][0-9]*)", re.ASCII)
_PATTERN: Final = re.compile(r"[*?\[]")
_SPAN: Final = re.compile(r"(\d+)?(?:(:)(\d+)?(?::(\d+))?)?", re.ASCII)


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """Cases from ``first`` to ``last``, both included and counted from 1; None is the end."""

    first: int
    last: int | None = None
    step: int = 1


def split_items(text: str) -> list[str]:
    """Split a list of items at its commas; double quotes keep an item whole and exact.

    Raises:
        UsageError: An item is empty or a quote is not closed.
    """
    try:
        (items,) = csv.reader([text], skipinitialspace=True, strict=True)
    except (csv.Error, ValueError) as error:
        msg = f"cannot read the list of variables {text!r}: {error}"
        raise UsageError(msg) from error
    items = [item.strip() for item in items]
    if not all(items):
        msg = f"the list of variables {text!r} has an empty item"
        raise UsageError(msg)
    return items


def chosen_names(items: Sequence[str], names: Sequence[str], *, order: str = "asked") -> list[str]:
    """Return the names that items stand for, each once.

    Args:
        items: As above; an item that is a name as it stands is that variable.
        names: All variables, in file order.
        order: ``asked``, as the items come, or ``file``.

    Raises:
        UsageError: No item, an unknown order, or a range that runs backwards.
        VariableNotFoundError: An item stands for no variable; names the nearest.
    """
    if order not in ORDERS:
        msg = f"the order is one of {', '.join(ORDERS)}, not {order!r}"
        raise UsageError(msg)
    places = {name: at for at, name in enumerate(names)}
    found: dict[int, None] = {}
    for item in items:
        found.update(dict.fromkeys(_places(item, places)))
    if not found:
        msg = "no variable was asked for"
        raise UsageError(msg)
    chosen = sorted(found) if order == "file" else list(found)
    return [names[at] for at in chosen]


def _places(item: str, places: dict[str, int]) -> Sequence[int]:
    if item in places:
        return (places[item],)
    if ":" in item:
        return _range(item, places)
    if _PATTERN.search(item):
        matching = [at for name, at in places.items() if fnmatch.fnmatchcase(name, item)]
        if matching:
            return matching
    return (_place(item, places),)


def _range(item: str, places: dict[str, int]) -> range:
    first, _, last = item.partition(":")
    start = _place(first.strip(), places) if first.strip() else 0
    stop = _place(last.strip(), places) if last.strip() else len(places) - 1
    if stop < start:
        msg = f"the range {item!r} runs backwards: {last.strip()} is before {first.strip()}"
        raise UsageError(msg)
    return range(start, stop + 1)


def _place(item: str, places: dict[str, int]) -> int:
    if item in places:
        return places[item]
    match = _PLACE.fullmatch(item)
    if match and int(match[1]) <= len(places):
        return int(match[1]) - 1
    raise VariableNotFoundError(item, list(places))


def parse_spans(text: str) -> list[Span]:
    """Read ranges of cases.

    Raises:
        UsageError: They cannot be read, begin at 0 or run backwards.
    """
    spans = []
    for part in text.split(","):
        match = _SPAN.fullmatch(part.strip())
        if not match or not part.strip():
            msg = f"cannot read the cases {part.strip()!r}; write 1:100, 7, 500: or 1::10"
            raise UsageError(msg)
        first, colon, last, step = match.groups()
        span = Span(
            int(first or 1), int(last or 0) or None if colon else int(first), int(step or 1)
        )
        if span.first < 1 or span.step < 1 or last == "0" or (span.last or span.first) < span.first:
            msg = f"the cases {part.strip()!r} begin below 1 or run backwards"
            raise UsageError(msg)
        spans.append(span)
    return spans
