"""What many variables share is worked out once: a survey repeats one scale for each question."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_MOST: Final = 1024  # results kept of each function


def by_identity(first: int | None = None) -> Callable[[Callable[..., _T]], Callable[..., _T]]:
    """Return a decorator: the function remembers results for the very same ``first`` arguments.

    None stands for all. Equality would not do where they are shown, as 0.0 equals -0.0 and 1 equals
    True. The other arguments are compared by equality and must be hashable; the first ones are kept
    alive, so that their identity stays their own.
    """

    def decorate(function: Callable[..., _T]) -> Callable[..., _T]:
        known: dict[tuple[Any, ...], tuple[Any, _T]] = {}

        @functools.wraps(function)
        def remembering(*arguments: Any) -> _T:
            key: tuple[Any, ...] = tuple(map(id, arguments[:first]))
            if first is not None:
                key += arguments[first:]
            found = known.get(key)
            if found is None:
                if len(known) >= _MOST:
                    known.clear()
                found = known[key] = (arguments, function(*arguments))
            return found[1]

        return remembering

    return decorate
