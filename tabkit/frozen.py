"""Frozen dataclasses that are made quickly: a wide table makes several for each variable."""

from __future__ import annotations

import dataclasses
import functools
import operator
from typing import TYPE_CHECKING, Any, TypeVar

from tabkit import _native

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_T = TypeVar("_T")


def quickly_made(kind: type[_T]) -> type[_T]:
    """Let the ``__init__`` of a frozen dataclass set all its fields in one compiled call.

    The one that `dataclasses` makes calls ``object.__setattr__`` for each. The signature stays; the
    class has no default factories and no ``__post_init__``. Without the kernels it is left alone.
    """
    if not _native.AVAILABLE:
        return kind
    from tabkit._native import core

    fields = dataclasses.fields(kind)  # type: ignore[arg-type]
    names = tuple(field.name for field in fields)
    defaults = {
        name: field.default
        for name, field in zip(names, fields, strict=True)
        if field.default is not dataclasses.MISSING
    }
    parameters = ", ".join(f"{n}=defaults[{n!r}]" if n in defaults else n for n in names)
    text = f"def __init__(self, {parameters}):\n    fill(self, names, ({', '.join(names)},))"
    made: dict[str, Any] = {"fill": core.fill, "names": names, "defaults": defaults}
    exec(text, made)  # noqa: S102 - as dataclasses does
    made["__init__"].__annotations__ = kind.__init__.__annotations__
    kind.__init__ = made["__init__"]  # type: ignore[method-assign]
    return kind


def changed(made: _T, **fields: object) -> _T:
    """Return a frozen dataclass with other fields, as `dataclasses.replace` does, but sooner."""
    values_of, places = _layout(type(made))  # type: ignore[arg-type]  # types are hashable
    values = list(values_of(made))
    for name, value in fields.items():
        values[places[name]] = value
    return type(made)(*values)


@functools.cache
def _layout(kind: type) -> tuple[Callable[[Any], tuple[Any, ...]], Mapping[str, int]]:
    """Return what gives the fields of a dataclass, two at least, and their places."""
    names = [field.name for field in dataclasses.fields(kind)]
    return operator.attrgetter(*names), {name: place for place, name in enumerate(names)}
