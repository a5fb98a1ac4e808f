"""Surveys and counts of numbers: compiled and plain give the same, and so do any cuts."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit import _native
from tabkit.describe import surveys
from tabkit.describe.store import Budget, ColumnStore

KINDS = (pa.float64(), pa.float32(), pa.int8(), pa.int64(), pa.uint8(), pa.uint32(), pa.uint64())


@st.composite
def arrays(draw: st.DrawFn) -> pa.Array:
    kind = draw(st.sampled_from(KINDS))
    if pa.types.is_floating(kind):
        cells: st.SearchStrategy[float] = st.floats(width=kind.bit_width) | st.integers(
            -70_000, 70_000
        ).map(float)
    else:
        info = np.iinfo(kind.to_pandas_dtype())
        cells = st.integers(int(info.min), int(info.max)) | st.integers(0, 9)
    values = draw(st.lists(st.none() | cells, max_size=20))
    return pa.array(values, kind, from_pandas=False)


@pytest.mark.skipif(not _native.AVAILABLE, reason="the kernels are not built")
@given(arrays())
def test_compiled_and_plain_agree(array: pa.Array) -> None:
    found, numbers = surveys.survey(array)
    with _plain():
        wanted, plain_numbers = surveys.survey(array)
    assert repr(found) == repr(wanted)
    assert numbers.astype(plain_numbers.dtype).tobytes() == plain_numbers.tobytes()
    assert numbers.dtype.itemsize == plain_numbers.dtype.itemsize or array.type == pa.uint32()


@given(
    st.lists(st.lists(st.integers(-300, 300) | st.integers(-(2**40), 2**40), max_size=8)),
    st.booleans(),
)
def test_counted_is_what_was_put_in(blocks: list[list[int]], plain: bool) -> None:
    """Whether a block's integers were counted at once or kept, with and without kernels."""
    store = ColumnStore()
    with _plain() if plain else _as_it_is():
        for block in blocks:
            store.count(surveys.survey(pa.array(block, pa.int64()))[1])
        counted = store.tally()
    wanted = sorted(Counter(value for block in blocks for value in block).items())
    assert list(zip(counted.values.tolist(), counted.counts.tolist(), strict=True)) == wanted


def test_many_cases_of_few_values_take_no_room() -> None:
    store = ColumnStore()
    for _ in range(100):
        store.count(np.arange(10_000, dtype=np.int32) % 1000)
    assert sum(block.nbytes for block in store._blocks) <= 10_000 * 4
    assert store.tally().cases == 1_000_000


def test_counts_are_within_the_budget() -> None:
    """Slowly rising numbers of many columns are kept, and spilled, where counts took too much."""
    budget = Budget(100_000)
    stores = [budget.store() for _ in range(20)]
    for start in range(0, 60_000, 1000):
        for store in stores:
            store.count((np.arange(start, start + 1000) // 9).astype(np.int32))
    counts = sum(store._bins._counts.nbytes for store in stores)
    kept = sum(block.nbytes for store in stores for block in store._blocks)
    assert counts <= 100_000
    assert kept <= 100_000
    for store in stores:
        counted = store.tally()
        assert counted.values.tolist() == list(range(-(-60_000 // 9)))
        assert counted.cases == 60_000


def test_an_identifier_is_not_counted_in_parts() -> None:
    """Its later blocks have a small span for so many cases; to join the parts took much memory."""
    store = ColumnStore()
    for start in range(0, 200_000, 1000):
        store.count(np.arange(start, start + 1000, dtype=np.int32))
    assert not store._bins.is_used
    assert store.tally().cases == 200_000


class _as_it_is:  # noqa: N801
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


class _plain:  # noqa: N801
    """Without the kernels for a while."""

    def __enter__(self) -> None:
        self._was, _native.AVAILABLE = _native.AVAILABLE, False

    def __exit__(self, *_: object) -> None:
        _native.AVAILABLE = self._was
