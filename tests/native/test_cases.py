"""Compiled decoding of cases: the same columns as the readers' plain numpy."""

from __future__ import annotations

import struct
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read import spss_cases

if TYPE_CHECKING:
    from tabkit._native.core import Plan

core = pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")
arrays = pytest.importorskip("tabkit._native.arrays")

FORMATS = {"i1": "c", "i2": "s", "i4": "i", "f4": "f", "f8": "g"}
FLOAT_CODES = {4: (0x7F00_0000, 1 << 11), 8: (0x7FE0 << 48, 1 << 40)}
EARLY = 2.0**333  # missing in the oldest files
ARROW = {
    "c": pa.int8(),
    "s": pa.int16(),
    "i": pa.int32(),
    "f": pa.float32(),
    "g": pa.float64(),
    "u": pa.string(),
}
SYSMIS = -1.7976931348623157e308

codes = st.lists(st.sampled_from([0, 1, 100, 251, 253, 253, 254, 255]), min_size=8, max_size=8)
closing = st.just([252, 1, 253, 0, 0, 0, 0, 0])
octets = st.lists(st.tuples(codes | closing, st.integers(0, 2**64 - 1)), max_size=12)


def packed(octet_list: list[tuple[list[int], int]]) -> bytes:
    """Return bytecode with all raw elements that its codes ask for."""
    return b"".join(
        bytes(octet)
        + b"".join(struct.pack("<Q", (raw + i) % 2**64) for i in range(octet.count(253)))
        for octet, raw in octet_list
    )


@given(octets, st.integers(0, 40), st.sampled_from("<>"))
def test_bytecode(octet_list: list[tuple[list[int], int]], cut: int, order: str) -> None:
    """Whole octets are expanded, the rest is left for the next call."""
    data = packed(octet_list)
    data = data[: len(data) - cut]
    table = spss_cases.code_table(order, 100.0, SYSMIS)
    elements, used, ended = spss_cases.expand(data, table)
    found, taken, stopped = core.expand(data, table)
    assert found == elements.tobytes()
    assert stopped == ended
    if not ended:
        assert taken == used


@given(st.binary(max_size=400))
def test_any_bytes_expand_alike(data: bytes) -> None:
    table = spss_cases.code_table("<", 100.0, SYSMIS)
    elements, _, ended = spss_cases.expand(data, table)
    found, _, stopped = core.expand(data, table)
    assert (found, stopped) == (elements.tobytes(), ended)


def decoded(rows: np.ndarray, plan: Plan, *, big_endian: bool) -> tuple[pa.Array, Any]:
    """Decode one column of cases (rows by bytes); return it and what else was found."""
    width, count = rows.shape[1], len(rows)
    (column,) = core.decode_cases(rows.tobytes(), width, count, big_endian, [plan])
    array = arrays.decoded_array(column, ARROW[plan[0]], count)
    array.validate(full=column[5] != "" or plan[0] != "u")
    return array, SimpleNamespace(missing=column[0], tags=column[4], code=column[5])


@given(st.lists(st.floats() | st.just(SYSMIS), min_size=1, max_size=40), st.sampled_from("<>"))
def test_spss_numbers(numbers: list[float], order: str) -> None:
    values = np.array(numbers)
    rows = np.zeros((len(values), 24), np.uint8)
    rows[:, 8:16] = values.astype(f"{order}f8").view(np.uint8).reshape(-1, 8)
    array, found = decoded(rows, ("g", ((8, 8),), "equal", SYSMIS, None), big_endian=order == ">")
    wanted = pa.array(values, mask=values == SYSMIS)
    assert found.missing == wanted.null_count
    np.testing.assert_array_equal(array.to_numpy(False), wanted.to_numpy(False))
    assert array.is_null().equals(wanted.is_null())


texts = st.lists(
    st.binary(max_size=20) | st.text("aé日 \0", max_size=9).map(lambda text: text.encode()),
    min_size=1, max_size=30,
)  # fmt: skip


@given(texts, st.integers(1, 20), st.integers(0, 3))
def test_spss_texts(cells: list[bytes], width: int, gap: int) -> None:
    """Pieces of long strings are joined, padding goes."""
    padded = np.frombuffer(b"".join(cell[:width].ljust(width) for cell in cells), np.uint8)
    padded = padded.reshape(-1, width)
    first = width // 2
    rows = np.concatenate(
        [padded[:, :first], np.full((len(cells), gap), 65, np.uint8), padded[:, first:]], axis=1
    )
    pieces = ((0, first), (first + gap, width - first))
    array, found = decoded(rows, ("u", pieces, "none", 0, b" \0"), big_endian=False)
    stored = [cell[:width].rstrip(b" \0") for cell in cells]
    assert array.cast(pa.binary()).to_pylist() == stored
    assert found.code == _code(stored)


def _code(cells: list[bytes]) -> str:
    if all(cell.isascii() for cell in cells):
        return "ascii"
    try:
        [cell.decode() for cell in cells]
    except UnicodeDecodeError:
        return ""
    return "utf-8"


@given(texts, st.integers(1, 20))
def test_stata_texts(cells: list[bytes], width: int) -> None:
    """A text ends at its first NUL; a blank one is missing."""
    rows = np.frombuffer(b"".join(cell[:width].ljust(width, b"\0") for cell in cells), np.uint8)
    rows = rows.reshape(-1, width)
    array, found = decoded(rows, ("u", ((0, width),), "empty", 0, None), big_endian=False)
    stored = [cell[:width].partition(b"\0")[0] or None for cell in cells]
    assert array.cast(pa.binary()).to_pylist() == stored
    assert found.missing == stored.count(None)


@st.composite
def stata_numbers(draw: st.DrawFn) -> np.ndarray:
    """Numbers of one storage type, many of them beside a missing code."""
    kind = np.dtype(draw(st.sampled_from(["i1", "i2", "i4", "f4", "f8"])))
    word = np.dtype(f"u{kind.itemsize}")
    if kind.kind == "i":
        top = np.iinfo(kind).max
        near = st.integers(top - 40, top)
    else:
        first, step = FLOAT_CODES[kind.itemsize]
        near = st.builds(lambda k, d: first + k * step + d, st.integers(-2, 30), st.integers(0, 1))
    bits = draw(st.lists(near | st.integers(0, np.iinfo(word).max), min_size=1, max_size=40))
    return np.array(bits, word).view(kind)


def stata_tag(number: np.generic, bits: int, largest: int) -> int | None:
    """Return the tag of a number, None where it is not missing.

    Source: Stata, ``help dta``: the largest integers, and 27 floats that differ in three digits.
    """
    if number.dtype.kind == "i":
        code = int(number) - largest - 1
        return None if code < 0 else code * (code < 27)
    first, step = FLOAT_CODES[number.dtype.itemsize]
    code, rest = divmod(bits - first, step)
    return 0 if float(number) == EARLY else code if rest == 0 and 0 <= code < 27 else None


@given(stata_numbers(), st.integers(0, 40), st.booleans())
def test_stata_numbers(numbers: np.ndarray, below: int, big_endian: bool) -> None:
    kind, count = numbers.dtype, len(numbers)
    numbers = np.append(numbers, kind.type(EARLY)) if kind == "f8" else numbers
    rows = np.zeros((len(numbers), 3 + kind.itemsize), np.uint8)
    stored = numbers.astype(kind.newbyteorder(">" if big_endian else "<"))
    rows[:, 3:] = stored.view(np.uint8).reshape(len(numbers), -1)
    largest = np.iinfo(kind).max - below if kind.kind == "i" else 0
    rule: tuple[str, float] = ("above", largest) if kind.kind == "i" else ("codes", np.nan)
    if kind == "f8":
        rule = ("codes", EARLY)
    plan = (FORMATS[kind.str[1:]], ((3, kind.itemsize),), *rule, None)
    array, found = decoded(rows, plan, big_endian=big_endian)
    words = numbers.view(f"u{kind.itemsize}").tolist()
    tags = [stata_tag(n, word, largest) for n, word in zip(numbers, words, strict=True)]
    assert array.is_null().to_pylist() == [tag is not None for tag in tags]
    assert found.missing == sum(tag is not None for tag in tags) >= len(numbers) - count
    assert array.buffers()[1].to_pybytes() == numbers.tobytes()
    assert list(found.tags or bytes(len(numbers))) == [tag or 0 for tag in tags]


def test_many_columns_and_cases() -> None:
    """Tiles of cases, each column at its own place."""
    source = np.random.default_rng(3)
    values = source.integers(0, 5, (5000, 7)).astype("<f8")
    values[values == 4] = SYSMIS
    plans = [("g", ((8 * at, 8),), "equal", SYSMIS, None) for at in range(7)]
    columns = core.decode_cases(values.tobytes(), 56, 5000, False, plans)
    for at, column in enumerate(columns):
        wanted = pa.array(values[:, at], mask=values[:, at] == SYSMIS)
        assert arrays.decoded_array(column, pa.float64(), 5000).equals(wanted)


def test_no_cases() -> None:
    plans = [("g", ((0, 8),), "equal", 1.0, None), ("u", ((0, 8),), "none", 0.0, b" ")]
    number, text = core.decode_cases(b"", 8, 0, False, plans)
    assert arrays.decoded_array(number, pa.float64(), 0).to_pylist() == []
    assert arrays.decoded_array(text, pa.string(), 0).to_pylist() == []
