"""What a file says of itself, held against the limits before anything is done with it."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Final

from tabkit.errors import LimitError
from tabkit.limits import refuse

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tabkit.limits import Limits
    from tabkit.model import Category, TableStream

_CATEGORY: Final = 16  # characters that a labelled value counts for, besides its label
_LABELS: Final = "its labels, repeated for each of their variables, have more than"


def check_bounds(stream: TableStream, limits: Limits, path: Path | str) -> None:
    """Check the variables and the metadata of a stream.

    Labels shared by many variables count for each: a codebook repeats them, so that a file of 200
    KB could ask for one of gigabytes.

    Raises:
        LimitError: There is more than the limits allow; the stream is closed.
    """
    try:
        check_variables(len(stream.variables), limits, path)
        if sum(_characters(stream)) > limits.metadata:
            raise refuse(path, _LABELS, limits, "metadata")
    except LimitError:
        stream.close()
        raise


def check_variables(count: int, limits: Limits, path: Path | str) -> None:
    """Check the number of variables, as soon as a reader knows it.

    Raises:
        LimitError: There are more than the limits allow.
    """
    if count > limits.variables:
        raise refuse(path, "it has more than", limits, "variables")


def check_labels(sets: Iterable[tuple[int, int]], limits: Limits, path: Path | str) -> None:
    """Check sets of value labels before categories are made of them, for each of their variables.

    Args:
        sets: Of each set its variables, and the characters of its labels by `label_size`.
        limits: The limits in force.
        path: The file.

    Raises:
        LimitError: A codebook would have more than the limits allow.
    """
    if sum(variables * characters for variables, characters in sets) > limits.metadata:
        raise refuse(path, _LABELS, limits, "metadata")


def label_size(labels: Iterable[bytes]) -> int:
    """Return the characters that labels count for."""
    return sum(_CATEGORY + len(label) for label in labels)


def _characters(stream: TableStream) -> Iterator[int]:
    sizes: dict[int, int] = {}  # of categories, by identity: variables share them
    for variable in stream.variables:
        categories = variable.categories
        if id(categories) not in sizes:
            sizes[id(categories)] = sum(map(_size, categories))
        named = len(variable.name) + len(variable.label) + len(variable.question)
        yield sizes[id(categories)] + named
        if variable.attributes:
            yield sum(len(name) + len(text) for name, text in variable.attributes)
    yield from map(len, itertools.chain(stream.notes, *stream.attributes))
    for each in stream.response_sets:
        yield sum(map(len, each.variables))


def _size(category: Category) -> int:
    return _CATEGORY + len(category.label)
