"""What many variables share is worked out once: a survey repeats one scale for each question."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

_T = TypeVar("_T")
_MOST: Final = 1024  # results kept of each function


def by_identity(function: Callable[..., _T]) -> Callable[..., _T]:
    """Return a function that remembers results for the very same first argument.

    Equality would not do, as 0.0 equals -0.0 and 1 equals True. The other arguments are compared
    by equality and must be hashable; the first is kept alive, so that its identity stays its own.
    """
    known: dict[tuple[Any, ...], tuple[Any, _T]] = {}

    @functools.wraps(function)
    def remembering(first: Any, *others: Any) -> _T:
        key = (id(first), *others)
        found = known.get(key)
        if found is None:
            if len(known) >= _MOST:
                known.clear()
            found = known[key] = (first, function(first, *others))
        return found[1]

    return remembering
