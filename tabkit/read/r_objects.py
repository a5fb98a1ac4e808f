"""What an R file holds, as it is stored: vectors with attributes, and names of all the rest."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from tabkit.read.r_texts import Texts

#: A missing integer or logical, and a missing double (but see `tabkit.read.r_numbers`).
NA_INTEGER: Final = -(2**31)
NA_REAL: Final = float(np.array([0x7FF00000000007A2], np.uint64).view(np.float64)[0])

ATOMIC: Final = frozenset(("logical", "integer", "double", "complex", "character", "raw"))
_SEQUENCE_LIMIT: Final = 2**31 - 1


class DamagedError(Exception):
    """The data break the rules of R's serialization; becomes a FormatError with the file's name.

    Args:
        reason: What is wrong.
        at: The byte of the expanded data, None where it has no place.
    """

    def __init__(self, reason: str, at: int | None = None) -> None:
        super().__init__(reason, at)
        self.reason, self.at = reason, at


@dataclasses.dataclass(frozen=True, slots=True)
class Sequence:
    """Integers from ``first`` on in steps of ``step``, as R stores ``1:n``; made when sliced."""

    first: int
    count: int
    step: int
    dtype: npt.DTypeLike

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, cells: slice) -> npt.NDArray[Any]:
        start, stop, _ = cells.indices(self.count)
        places = np.arange(start, stop, dtype=np.int64)
        return (self.first + self.step * places).astype(self.dtype)


@dataclasses.dataclass(frozen=True, slots=True)
class RObject:
    """One object.

    Attributes:
        kind: R's ``typeof``: ``NULL``, one of `ATOMIC`, ``list``, ``pairlist``, ``symbol``, or the
            name of what is no data (``closure``, ``environment``, ``S4``, …).
        values: Numbers as an array or a `Sequence` (``logical`` and ``integer`` 4 bytes, ``double``
            8, ``complex`` 16, ``raw`` 1), `Texts`, a tuple of objects, or None.
        attributes: By name; the tags of a pairlist are its ``names``.
    """

    kind: str
    values: Any = None
    attributes: Mapping[str, RObject] = dataclasses.field(default_factory=dict)

    def __len__(self) -> int:
        return 0 if self.values is None or self.kind == "symbol" else len(self.values)


NULL: Final = RObject("NULL")
Named: TypeAlias = "list[tuple[str, RObject]]"


def text_list(found: RObject | None) -> list[str | None]:
    """Return the texts of a character vector, none of anything else."""
    if found is None or found.kind != "character" or found.values is None:
        return []
    texts: Texts = found.values
    return texts.to_list()


def text_of(found: RObject | None) -> str:
    """Return the first text of a character vector, empty where there is none."""
    texts = found.values.array(0, 1).to_pylist() if _has_text(found) else []  # type: ignore[union-attr]
    return (texts[0] if texts else None) or ""


def _has_text(found: RObject | None) -> bool:
    return found is not None and found.kind == "character" and len(found) > 0


def numbers_of(found: RObject | None) -> list[float]:
    """Return the numbers of a vector as Python has them, none of anything else."""
    if found is None or found.kind not in {"integer", "double", "logical"}:
        return []
    values = found.values[0 : len(found)]
    return [NA_REAL if found.kind != "double" and v == NA_INTEGER else float(v) for v in values]


def classes_of(found: RObject) -> tuple[str, ...]:
    """Return the class attribute."""
    return tuple(each or "" for each in text_list(found.attributes.get("class")))


def elements_of(found: RObject | None) -> tuple[RObject, ...]:
    """Return the elements of a list or pairlist, none of anything else."""
    is_list = found is not None and isinstance(found.values, tuple)
    return found.values if found is not None and is_list else ()


def named_elements(found: RObject) -> Named:
    """Return the elements of a list with their names, empty where one has none."""
    elements = elements_of(found)
    names = text_list(found.attributes.get("names"))
    names += [None] * (len(elements) - len(names))
    return [(name or "", each) for name, each in zip(names, elements, strict=False)]


def sequence(first: float, count: float, step: float, kind: str) -> RObject:
    """Return the object that R stores as a compact sequence.

    Raises:
        DamagedError: Its numbers cannot be.
    """
    whole = all(np.isfinite(each) and each == int(each) for each in (first, count, step))
    if not whole or not 0 <= count <= _SEQUENCE_LIMIT or abs(step) != 1:
        raise DamagedError(f"a sequence of {count} values by {step} cannot be")
    dtype = np.int32 if kind == "integer" else np.float64
    return RObject(kind, Sequence(int(first), int(count), int(step), dtype))
