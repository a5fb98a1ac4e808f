"""How the values of a column become the data of an R vector: one object a column.

Each takes the arrays of its column in their order. What it gave before may have to change when a
later value shows it (an integer that R does not have, a level that comes in between): then it
returns the function that changes it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.loss import Loss
from tabkit.write.rdata_pack import (
    TICKS,
    least_count,
    lengthened,
    lengthened_doubles,
    pack_doubles,
    pack_integers,
    pack_long_integers,
    pack_texts,
    widened,
)
from tabkit.write.rdata_values import DOUBLE, INTEGER, LOGICAL, TEXT, texts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from tabkit.write.rdata_values import Vector

    Change: TypeAlias = Callable[[bytes], bytes]
    Tags: TypeAlias = pa.Int8Array | None

_DOUBLE: int = pa.float64().id
_EXACT: int = 2**53  # the greatest number that a double and all before it are whole


class Values(Protocol):
    """One column on its way to R.

    Attributes:
        kind: The type of R's vector, final after `settle`.
        attributes: Its attributes, final after `settle`.
    """

    kind: int
    attributes: Mapping[str, Vector]

    def admit(self, column: pa.Array, tags: Tags) -> Change | None:
        """Look at the next values; return what must be done with all before them."""
        ...

    def packed(self, column: pa.Array, tags: Tags) -> bytes:
        """Return values that were admitted, as they stand in the vector."""
        ...

    def settle(self) -> Change | None:
        """After the last value: return what must be done with all of them."""
        ...

    def losses(self, name: str) -> list[Loss]:
        """Return what R does not have of the values."""
        ...


class Numbers:
    """Numbers as doubles, with tagged missings where ``tagged``.

    Args:
        attributes: Of the vector.
        convert: Applied to each array first.
        tagged: False makes tagged missings plain ones.
    """

    kind = DOUBLE

    def __init__(
        self,
        attributes: Mapping[str, Vector],
        convert: Callable[[pa.Array], pa.Array] | None = None,
        *,
        tagged: bool = True,
    ) -> None:
        self.attributes = attributes
        self._convert, self._tagged = convert, tagged
        self._untagged = self._inexact = self._rounded = 0

    def admit(self, column: pa.Array, tags: Tags) -> Change | None:
        """Count what is lost; nothing ever changes."""
        if tags is not None and not self._tagged:
            self._untagged += int(np.count_nonzero(tags.to_numpy(zero_copy_only=False)))
        kind = column.type
        if kind.id == _DOUBLE:
            return None
        if pa.types.is_int64(kind):
            self._inexact += inexact(column)
        if self._convert is None and _has_ticks(kind):
            self._rounded += rounded_seconds(column)
        return None

    def packed(self, column: pa.Array, tags: Tags) -> bytes:
        """Return doubles."""
        if self._convert is not None:
            column = self._convert(column)
        return pack_doubles(column, tags if self._tagged else None)

    def as_given(self, column: pa.Array, tags: Tags) -> npt.NDArray[np.float64] | None:
        """Return the doubles of a column where R has the very same; None where it must be packed.

        Every NaN must: Arrow's may have the bits that are NA in R.
        """
        plain = self._convert is None and tags is None and column.null_count == 0
        if not plain or not pa.types.is_float64(column.type):
            return None
        cells: npt.NDArray[np.float64] = column.to_numpy(zero_copy_only=True)
        return None if np.isnan(cells).any() else cells

    def settle(self) -> Change | None:
        """Nothing is left to do."""
        return None

    def losses(self, name: str) -> list[Loss]:
        """Tell of tags that are gone, of integers and of fractions that are rounded."""
        return [
            Loss(what, name, count)
            for what, count in (
                ("tagged missings became plain missings", self._untagged),
                (ROUNDED, self._inexact),
                ("fractions of a second were rounded", self._rounded),
            )
            if count
        ]


ROUNDED = "integers beyond 2**53 are rounded"


class Integers:
    """Integers or booleans: R's of 32 bits as long as all fit in them, else doubles.

    Integers that are no doubles are ``integer64``, as package bit64 keeps them, and so is then all
    of the column.

    Args:
        attributes: Of the vector.
        convert: Applied to each array first.
        logical: They are booleans.
        long: They are ``integer64`` however small they are; None makes none of them so.
    """

    def __init__(
        self,
        attributes: Mapping[str, Vector],
        convert: Callable[[pa.Array], pa.Array] | None = None,
        *,
        logical: bool = False,
        long: bool | None = False,
    ) -> None:
        self._convert = convert
        self.kind = LOGICAL if logical else INTEGER
        self.attributes = attributes
        self._may_be_long, self._is_long = long is not None, False
        self._next: bytes | None = None
        self._inexact = self._least = self._untagged = 0
        self._least_double = 0  # cases of -2**63, which is a double and no integer of bit64
        if long:
            self._lengthen()

    def admit(self, column: pa.Array, tags: Tags) -> Change | None:
        """Pack the values as integers; where that fails, widen all of them."""
        if self._convert is not None:
            column = self._convert(column)
        self._next, tagged = None, tags is not None and bool(pc.any(pc.not_equal(tags, 0)).as_py())
        if tagged and not self._is_long:
            self._may_be_long = False  # only doubles have tags
        lost = inexact(column) if pa.types.is_int64(column.type) else 0
        if lost and self._may_be_long and not self._is_long:
            before = self.kind
            self._lengthen()
            self._least += self._least_double
            return lengthened if before == INTEGER else lengthened_doubles
        if self._is_long:
            self._untagged += int(pc.sum(pc.not_equal(tags, 0)).as_py() or 0) if tagged else 0
            return None
        self._inexact += lost
        self._least_double += least_count(column) if pa.types.is_int64(column.type) else 0
        if self.kind == DOUBLE:
            return None
        self._next = None if tagged else pack_integers(column)
        if self._next is not None:
            return None
        self.kind = DOUBLE
        return widened

    def packed(self, column: pa.Array, tags: Tags) -> bytes:
        """Return integers, or doubles since one did not fit, or integers of 64 bits."""
        if self._next is not None:
            return self._next
        if self._convert is not None:
            column = self._convert(column)
        if not self._is_long:
            return pack_doubles(column, tags)
        data, least = pack_long_integers(column)
        self._least += least
        return data

    def settle(self) -> Change | None:
        """Nothing is left to do."""
        return None

    def losses(self, name: str) -> list[Loss]:
        """Tell of integers that are rounded, or taken for what is missing."""
        return [
            Loss(what, name, count)
            for what, count in (
                (ROUNDED, self._inexact),
                ("integers of -2**63 became missing", self._least),
                ("tagged missings became plain missings", self._untagged),
            )
            if count
        ]

    def _lengthen(self) -> None:
        self._is_long, self.kind = True, DOUBLE
        self.attributes = {**self.attributes, "class": texts(["integer64"])}


class Strings:
    """Texts in UTF-8, marked as R marks them.

    Args:
        attributes: Of the vector.
        convert: Applied to each array first.
    """

    kind = TEXT

    def __init__(
        self,
        attributes: Mapping[str, Vector],
        convert: Callable[[pa.Array], pa.Array] | None = None,
    ) -> None:
        self.attributes, self._convert, self._cut = attributes, convert, 0

    def admit(self, column: pa.Array, tags: Tags) -> Change | None:  # noqa: ARG002 - as the others
        """Texts never change."""
        return None

    def packed(self, column: pa.Array, tags: Tags) -> bytes:  # noqa: ARG002 - texts have none
        """Return texts."""
        if self._convert is not None:
            column = self._convert(column)
        data, cut = pack_texts(column)
        self._cut += cut
        return data

    def settle(self) -> Change | None:
        """Nothing is left to do."""
        return None

    def losses(self, name: str) -> list[Loss]:
        """Tell of texts that were cut."""
        what = "texts end at a NUL character, which R does not have"
        return [Loss(what, name, self._cut)] if self._cut else []


def inexact(column: pa.Array) -> int:
    """Return how many 64-bit integers are not the same as doubles."""
    numbers = column.fill_null(0).to_numpy(zero_copy_only=False)
    if not len(numbers) or (numbers.min() >= -_EXACT and numbers.max() <= _EXACT):
        return 0
    back = np.array([int(each) for each in numbers.astype(np.float64).tolist()], object)
    return int(np.count_nonzero(back != numbers.astype(object)))


def rounded_seconds(column: pa.Array) -> int:
    """Return how many moments or spans are not the same as seconds in doubles."""
    per_second = TICKS[column.type.unit]
    ticks = column.view(pa.int64()).drop_null().to_numpy(zero_copy_only=False)
    whole = ticks // per_second
    fractions = np.rint((ticks / per_second - whole) * per_second).astype(np.int64)
    return int(np.count_nonzero(fractions != ticks - whole * per_second))


def _has_ticks(kind: pa.DataType) -> bool:
    is_long = pa.types.is_temporal(kind) and not pa.types.is_date(kind) and kind.bit_width > 32  # noqa: PLR2004
    return bool(is_long and kind.unit != "s")
