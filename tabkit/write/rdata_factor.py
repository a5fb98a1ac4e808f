"""Labelled variables as R's factors: levels in the order of the values, as haven's ``as_factor``.

Values without a label become levels of their own; tagged missings with a label come last.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from tabkit.loss import Loss
from tabkit.model import TAG_LETTERS, Value
from tabkit.write.rdata_values import INTEGER, NA_INTEGER, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pyarrow as pa

    from tabkit.model import Category
    from tabkit.write.rdata_values import Vector

    Change = Callable[[bytes], bytes]


class Factor:
    """Codes of levels that grow with the values.

    Args:
        categories: Values with their labels.
        attributes: Of the vector, besides levels and class.
        ordered: The levels are in an order that means something.
        in_order: The levels stay in the order of ``categories``, values without a label behind.
        closed: Values without a label become missing.
    """

    kind = INTEGER

    def __init__(
        self,
        categories: Sequence[Category],
        attributes: Mapping[str, Vector],
        *,
        ordered: bool = False,
        in_order: bool = False,
        closed: bool = False,
    ) -> None:
        self._labels: dict[Value, str] = {each.value: each.label for each in categories}
        self._in_order, self.ordered, self._closed = in_order, ordered, closed
        self._given = attributes
        self._untagged = self._gone = self._merged = 0
        self._codes = {value: at for at, value in enumerate(self._sorted(self._labels), 1)}
        self.attributes: Mapping[str, Vector] = attributes

    def admit(self, column: pa.Array, tags: pa.Int8Array | None) -> Change | None:  # noqa: ARG002
        """Levels change at the end only."""
        return None

    def packed(self, column: pa.Array, tags: pa.Int8Array | None) -> bytes:
        """Return codes in the order in which the values came."""
        encoded = column.dictionary_encode()
        known = encoded.dictionary.to_pylist()
        codes = np.array([*(self._code(value) for value in known), NA_INTEGER], np.int64)
        indices = encoded.indices.fill_null(len(known)).to_numpy(zero_copy_only=False)
        found = codes[indices]
        self._gone += int(np.count_nonzero(found == NA_INTEGER)) - column.null_count
        if tags is not None:
            self._put_tags(found, tags)
        return bytes(found.astype(">i4").tobytes())

    def settle(self) -> Change | None:
        """Give the levels their final order; return what moves the codes there."""
        order = self._sorted(self._codes)
        labels = list(dict.fromkeys(self._label(value) for value in order))
        self._merged = len(order) - len(labels)
        place = {label: at + 1 for at, label in enumerate(labels)}
        final = np.array([place[self._label(value)] for value in self._codes], np.int64)
        kinds = ("ordered", "factor") if self.ordered else ("factor",)
        self.attributes = {**self._given, "levels": texts(labels), "class": texts(kinds)}

        def moved(packed: bytes) -> bytes:
            codes = np.frombuffer(packed, ">i4").astype(np.int64)
            there = codes != NA_INTEGER
            codes[there] = final[codes[there] - 1]
            return codes.astype(">i4").tobytes()

        return None if np.array_equal(final, np.arange(1, len(final) + 1)) else moved

    def losses(self, name: str) -> list[Loss]:
        """Tell of missings and of values that are told apart no longer."""
        return [
            Loss(what, name, count)
            for what, count in (
                ("tagged missings became plain missings", self._untagged),
                ("values without a label became missing", self._gone),
                ("values with the same label became one level", self._merged),
            )
            if count
        ]

    def _code(self, value: Value) -> int:
        if value != value or (self._closed and value not in self._codes):  # noqa: PLR0124 - NaN
            return NA_INTEGER
        return self._codes.setdefault(value, len(self._codes) + 1)

    def _put_tags(self, found: np.ndarray, tags: pa.Int8Array) -> None:
        letters = tags.fill_null(0).to_numpy(zero_copy_only=False)
        for index in np.unique(letters[letters > 0]).tolist():
            tag = f".{TAG_LETTERS[index]}"
            if tag in self._labels:
                found[letters == index] = self._code(tag)
            else:
                self._untagged += int(np.count_nonzero(letters == index))

    def _label(self, value: Value) -> str:
        label = self._labels.get(value)
        return level_text(value) if label is None else label

    def _sorted(self, values: Mapping[Value, object]) -> list[Value]:
        if self._in_order:
            return list(values)
        numbers = sorted(value for value in values if not isinstance(value, str))
        return [*numbers, *sorted(value for value in values if isinstance(value, str))]


def level_text(value: Value) -> str:
    """Return the level of a value without a label."""
    return value if isinstance(value, str) else f"{value:.15g}"
