"""Which object of an R file is the table: the only data frame, or the one that is named."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Final

from tabkit.read.r_columns import matrix_columns
from tabkit.read.r_objects import (
    ATOMIC,
    RObject,
    classes_of,
    elements_of,
    named_elements,
    numbers_of,
    text_list,
)
from tabkit.read.r_texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

ITSELF: Final = "."  # names the only object of an .rds
_DEEPEST: Final = 3  # lists within lists that are searched for frames
_LISTED: Final = 12
_TWO: Final = 2


class NoChoiceError(Exception):
    """No object can be taken, or several; the reason and what to do."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason, hint)
        self.reason, self.hint = reason, hint


def is_frame(found: RObject) -> bool:
    """Whether an object is a data frame, a tibble or a data.table."""
    return found.kind == "list" and "data.frame" in classes_of(found)


def objects_of(root: RObject, *, is_saved: bool) -> dict[str, RObject]:
    """Return what a file holds by name, frames within lists as ``list$frame``.

    Args:
        root: The whole content.
        is_saved: Whether ``save`` wrote it, which names its objects; else `ITSELF` is the whole.
    """
    found: dict[str, RObject] = {}
    if is_saved and root.kind == "pairlist":
        for name, each in named_elements(root):
            found[name] = each
            _add_frames(found, f"{name}$", each, 1)
        return found
    found[ITSELF] = root
    _add_frames(found, "", root, 1)
    return found


def choose(objects: Mapping[str, RObject], wanted: str | None) -> tuple[str, RObject]:
    """Return the name and the frame of the object that is asked for, or of the only frame.

    Raises:
        NoChoiceError: There is none, there are several, or it is no table.
    """
    if wanted is not None:
        if wanted not in objects:
            close = difflib.get_close_matches(wanted, objects, n=3)
            hint = f"did you mean {', '.join(close)}?" if close else _there_is(objects)
            raise NoChoiceError(f"no object named {wanted!r}", hint)
        return wanted, as_frame(wanted, objects[wanted])
    frames = [name for name, each in objects.items() if is_frame(each)]
    outer = [name for name in frames if "$" not in name and name != ITSELF] or frames
    outer = [ITSELF] if ITSELF in frames else outer
    if len(outer) == 1:
        return outer[0], objects[outer[0]]
    if outer:
        told = {name: objects[name] for name in frames}
        reason = f"it holds {len(frames):,} data frames: {_listing(told)}"
        raise NoChoiceError(reason, f"choose one with --object, as --object {outer[0]}")
    fit = next((name for name, each in objects.items() if _is_array(each)), None)
    hint = f"--object {fit} takes a vector or matrix" if fit else "there is nothing tabular in it"
    raise NoChoiceError(f"it holds no data frame but {_listing(objects) or 'nothing'}", hint)


def first_frame(objects: Mapping[str, RObject]) -> tuple[str, RObject]:
    """Return the first frame in the order of R's ``ls()``, as Dataverse does.

    Source: IQSS/dataverse b485249231fe, RDATAFileReader and scripts/get.dataset.R.
    """
    for name in sorted(objects, key=lambda name: (name.casefold(), name.swapcase())):
        if "$" not in name and is_frame(objects[name]):
            return name, objects[name]
    return choose(objects, None)


def as_frame(name: str, found: RObject) -> RObject:
    """Return a frame, or a vector or matrix as one.

    Raises:
        NoChoiceError: It is none of these.
    """
    if is_frame(found):
        return found
    dims = numbers_of(found.attributes.get("dim"))
    if found.kind not in ATOMIC or len(dims) > _TWO:
        reason = f"{name} is a {summary(found)}, not a data frame, matrix or vector"
        raise NoChoiceError(reason, "choose another object")
    outer = elements_of(found.attributes.get("dimnames"))
    if len(dims) == _TWO:
        columns = [(n if not n.isdigit() else f"V{n}", c) for n, c in matrix_columns(found, dims)]
        cases = int(dims[0])
        row_names = outer[0] if outer else None
    else:
        kept = {k: v for k, v in found.attributes.items() if k not in {"names", "dim", "dimnames"}}
        own = "value" if name == ITSELF else name
        columns, cases = [(own, RObject(found.kind, found.values, kept))], len(found)
        row_names = outer[0] if outer else found.attributes.get("names")
    attributes = {"names": RObject("character", texts_of([each for each, _ in columns]))}
    if row_names is not None and len(row_names) == cases:
        attributes["row.names"] = row_names
    return RObject("list", tuple(each for _, each in columns), attributes)


def summary(found: RObject) -> str:
    """Return what an object is, in a few words."""
    classes = classes_of(found)
    if is_frame(found):
        return f"data frame of {cases_of(found):,} x {len(found):,}"
    dims = numbers_of(found.attributes.get("dim"))
    if found.kind in ATOMIC and len(dims) == _TWO:
        return f"{found.kind} matrix of {int(dims[0]):,} x {int(dims[1]):,}"
    if found.kind in ATOMIC | {"list"}:
        return f"{classes[0] if classes else found.kind} of {len(found):,}"
    return f"{found.kind} object of class {classes[0]}" if classes else found.kind


def cases_of(frame: RObject) -> int:
    """Return how many cases a frame has: by its row names, else by its first column."""
    rows = frame.attributes.get("row.names")
    if rows is not None and rows.kind in {"integer", "double"}:
        return int(abs(numbers_of(rows)[1])) if _is_compact(rows) else len(rows)
    if rows is not None and rows.kind == "character":
        return len(rows)
    first = elements_of(frame)[:1]
    return len(first[0]) if first else 0


def _is_compact(rows: RObject) -> bool:
    """Whether row names are NA and the number of cases, negative if automatic."""
    numbers = numbers_of(rows) if len(rows) == _TWO else []
    return bool(numbers) and numbers[0] != numbers[0] and numbers[1] == numbers[1]


def row_names_of(frame: RObject) -> list[str] | None:
    """Return row names that say more than the number of the row, None where there are none."""
    rows = frame.attributes.get("row.names")
    if rows is None or rows.kind not in {"integer", "character"} or not len(rows):
        return None
    if rows.kind == "integer":
        numbers = rows.values[0 : len(rows)].tolist()
        if _is_compact(rows) or numbers == list(range(1, len(rows) + 1)):
            return None
        return [str(each) for each in numbers]
    names = [each or "" for each in text_list(rows)]
    return None if names == [str(place + 1) for place in range(len(names))] else names


def _add_frames(found: dict[str, RObject], prefix: str, outer: RObject, depth: int) -> None:
    if outer.kind != "list" or is_frame(outer) or depth > _DEEPEST:
        return
    for place, (own, each) in enumerate(named_elements(outer)):
        name = f"{prefix}{own or place + 1}"
        if is_frame(each) or (depth == 1 and not prefix and _is_array(each)):
            found.setdefault(name, each)
        else:
            _add_frames(found, f"{name}$", each, depth + 1)


def _is_array(found: RObject) -> bool:
    return found.kind in ATOMIC and len(numbers_of(found.attributes.get("dim"))) <= _TWO


def _listing(objects: Mapping[str, RObject]) -> str:
    told = [f"{name} ({summary(each)})" for name, each in list(objects.items())[:_LISTED]]
    more = len(objects) - len(told)
    return ", ".join(told) + (f" and {more:,} more" if more > 0 else "")


def _there_is(objects: Mapping[str, RObject]) -> str:
    return f"there is {_listing(objects)}" if objects else "it holds nothing"
