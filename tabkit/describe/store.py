"""The values of numeric columns, kept narrow until each column is described.

All stores of a table share a budget: what passes it goes to a temporary file without a name, in
the folder that ``TMPDIR`` names, and comes back a column at a time.
"""

from __future__ import annotations

import math
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tabkit import _native
from tabkit.describe.stats import Tally, joined, tally
from tabkit.spool import SpillFile

if _native.AVAILABLE:
    from tabkit._native import core

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[Any]

SPILL_BYTES: Final = 256 << 20  # of all columns of a table, before they go to a file

_LEAST_BINS: Final = 256  # integers of so small a span are always counted
_CASES_A_BIN: Final = 8  # wider ones when there are so many cases that counts take less room
_MOST_BINS: Final = 1 << 20
_COUNT_BYTES: Final = 8
_FORMATS: Final = {1: "c", 2: "s", 4: "i", 8: "l"}
_CHUNK: Final = 1 << 18  # values of another type than the column's, read at once
_NARROW: Final = (np.int8, np.int16, np.int32)


class Budget:
    """What the stores of a table may have in memory together.

    Args:
        memory: In bytes; all stores move to the file each time that they pass it. Counts, which
            cannot, may have as much again.
    """

    def __init__(self, memory: float = SPILL_BYTES) -> None:
        self._memory, self._held, self._counts = memory, 0, 0
        self._stores: weakref.WeakSet[ColumnStore] = weakref.WeakSet()
        self._file = SpillFile()
        self._lock = threading.RLock()

    def store(self) -> ColumnStore:
        """Return an empty store under this budget."""
        store = ColumnStore(self)
        self._stores.add(store)
        return store

    def hold(self, size: int) -> None:
        """Note bytes that a store has more in memory; columns may do so at the same time."""
        with self._lock:
            self._held += size
            if self._held > self._memory:
                for store in self._stores:
                    store.spill()

    def release(self, size: int) -> None:
        """Note bytes that a store has no longer in memory."""
        with self._lock:
            self._held -= size

    def admit(self, size: int) -> bool:
        """Note bytes of counts that a store has from now on, unless all would be too many."""
        with self._lock:
            if self._counts + size > self._memory:
                return False
            self._counts += size
            return True

    def write(self, values: Numbers) -> int:
        """Append values to the file and return where they begin.

        Raises:
            OutputError: There is no room for them.
        """
        return self._file.write(values.data)

    def read(self, start: int, values: Numbers) -> None:
        """Fill ``values`` with what was written from ``start`` on."""
        if len(values):
            self._file.read_into(start, values.data)


class ColumnStore:
    """Values of one column, block by block and in their order; none is missing or NaN.

    Args:
        budget: Shared with the other columns of the table; None is without limit.
    """

    def __init__(self, budget: Budget | None = None) -> None:
        self._budget = budget or Budget(math.inf)
        self._spilled: list[tuple[int, int, np.dtype[Any]]] = []  # start, number of values, type
        self._blocks: list[Numbers] = []
        self._lock = threading.Lock()
        self._bins, self._seen = _Bins(self._budget), 0

    def append(self, values: Numbers) -> None:
        """Add values of one NumPy type, the same in every call; they are copied.

        Raises:
            OutputError: They do not fit on the disk.
        """
        if len(values):
            self.keep(narrowed(values))

    def keep(self, block: Numbers) -> None:
        """Add values that are narrow already and that nobody changes."""
        with self._lock:
            self._blocks.append(block)
        self._budget.hold(block.nbytes)

    def count(self, block: Numbers) -> None:
        """Add values, as `keep` does, of which only the `tally` is wanted.

        Integers of a small span are counted at once; they take no room however many they are.
        Once values are kept the rest is, too: that of an identifier would be counted in parts.
        """
        self._seen += len(block)
        if not len(block):
            return
        if block.dtype.kind == "i" and not self._is_kept:
            low, high = int(block.min()), int(block.max())
            if self._bins.widen(low, high, max(_LEAST_BINS, self._seen // _CASES_A_BIN)):
                self._bins.add(block)
                return
        self.keep(block)

    def tally(self) -> Tally:
        """Return the distinct values and their counts; the store is empty then."""
        bins, self._bins = self._bins, _Bins(self._budget)
        if not self._is_kept:
            return bins.tally()
        kept = tally(self.concatenated())
        return joined(bins.tally(), kept) if bins.is_used else kept

    @property
    def _is_kept(self) -> bool:
        return bool(self._blocks or self._spilled)

    def spill(self) -> None:
        """Move what is in memory to the file."""
        with self._lock:
            blocks, self._blocks = self._blocks, []
            for block in blocks:
                start = self._budget.write(block)
                if self._spilled:
                    before, count, kind = self._spilled[-1]
                    if kind == block.dtype and before + count * kind.itemsize == start:
                        self._spilled[-1] = (before, count + len(block), kind)
                        continue
                self._spilled.append((start, len(block), block.dtype))
        self._budget.release(sum(block.nbytes for block in blocks))

    def concatenated(self) -> Numbers:
        """Return all values, in a type that holds every one exactly; the store is empty then."""
        blocks, self._blocks = self._blocks, []
        self._budget.release(sum(block.nbytes for block in blocks))
        spilled, self._spilled = self._spilled, []
        if not spilled:
            return np.concatenate(blocks) if blocks else np.empty(0, np.int8)
        kind = np.result_type(*(each[2] for each in spilled), *(each.dtype for each in blocks))
        found = np.empty(sum(each[1] for each in spilled) + sum(map(len, blocks)), kind)
        place = 0
        for start, count, narrow in spilled:
            self._read(start, narrow, found[place : place + count])
            place += count
        for block in blocks:
            found[place : place + len(block)] = block
            place += len(block)
        return found

    def _read(self, start: int, kind: np.dtype[Any], found: Numbers) -> None:
        if kind == found.dtype:
            self._budget.read(start, found)
            return
        for place in range(0, len(found), _CHUNK):
            part = np.empty(min(_CHUNK, len(found) - place), kind)
            self._budget.read(start + place * kind.itemsize, part)
            found[place : place + len(part)] = part


class _Bins:
    """Counts of the integers of a span that may grow.

    Args:
        budget: Asked for room.
    """

    def __init__(self, budget: Budget) -> None:
        self._budget, self._low = budget, 0
        self._counts = np.empty(0, np.int64)

    def widen(self, low: int, high: int, most: int) -> bool:
        """Make room for integers from ``low`` to ``high``, unless they or all are too many."""
        if len(self._counts):
            end = self._low + len(self._counts)
            if self._low <= low and high < end:
                return True
            low, high = min(low, self._low), max(high, end - 1)
        if high - low >= min(most, _MOST_BINS):
            return False
        if not self._budget.admit((high - low + 1 - len(self._counts)) * _COUNT_BYTES):
            return False
        counts = np.zeros(high - low + 1, np.int64)
        first = self._low - low
        counts[first : first + len(self._counts)] = self._counts
        self._low, self._counts = low, counts
        return True

    @property
    def is_used(self) -> bool:
        """Whether anything was counted."""
        return bool(len(self._counts))

    def add(self, block: Numbers) -> None:
        """Count integers for which there is room."""
        span = len(self._counts)
        if _native.AVAILABLE:
            array = (_FORMATS[block.dtype.itemsize], len(block), 0, None, block.data, None)
            counts, _ = core.count_values(array, self._low, span)
            self._counts += np.frombuffer(counts, np.int64)
        else:
            places = block.astype(np.int64) - self._low
            self._counts += np.bincount(places, minlength=span)

    def tally(self) -> Tally:
        """Return what was counted."""
        found = np.flatnonzero(self._counts)
        return Tally(found + self._low, self._counts[found])


def narrowed(values: Numbers) -> Numbers:
    """Return a copy in the smallest type that holds all values, and the sign of a zero."""
    low, high = values.min(), values.max()
    if values.dtype.kind == "f":
        if not (low >= -(2**31) and high < 2**31):
            return values.copy()
        integers = values.astype(np.int32)
        if not np.array_equal(integers, values) or has_negative_zero(values):
            return values.copy()
        values = integers
    elif values.dtype == np.uint64:
        return values.copy()  # NumPy has no integer for it and a signed one together
    for narrow in _NARROW:
        if np.iinfo(narrow).min <= low and high <= np.iinfo(narrow).max:
            return values.astype(narrow)
    return values.copy()


def has_negative_zero(values: Numbers) -> bool:
    """Whether -0.0 is among floats."""
    return bool(is_negative_zero(values).any())


def is_negative_zero(values: Numbers) -> npt.NDArray[np.bool_]:
    """Tell where floats are -0.0."""
    bits = values.view(f"i{values.dtype.itemsize}")
    found: npt.NDArray[np.bool_] = bits == np.iinfo(bits.dtype).min
    return found
