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

from tabkit.read import spss_cases, stata_text
from tabkit.read.spss_columns import PADDING, text_column
from tabkit.read.spss_text import Decoder
from tabkit.read.stata_cases import find_missing
from tabkit.read.stata_layout import NUMBERS, missing_codes

if TYPE_CHECKING:
    from tabkit._native.core import Plan

core = pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")
from tabkit._native.arrays import decoded_array

FORMATS = {"byte": "c", "int": "s", "long": "i", "float": "f", "double": "g"}
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
octets = st.lists(
    st.tuples(codes, st.integers(0, 2**64 - 1)) | st.tuples(st.just([252, 1, 253, 0, 0, 0, 0, 0]), st.just(0)),
    max_size=12,
)  # fmt: skip


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
    array = decoded_array(column, ARROW[plan[0]], count)
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
    array, found = decoded(rows, ("u", pieces, "none", 0, bytes(PADDING)), big_endian=False)
    wanted, _ = text_column(padded, Decoder("latin-1"))
    as_latin = [b.as_py().decode("latin-1") for b in array.cast(pa.binary())]
    assert as_latin == wanted.to_pylist()
    stored = [cell[:width].rstrip(bytes(PADDING)) for cell in cells]
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
    wanted, _ = stata_text.column(rows, "latin-1", "")
    as_latin = [b and b.decode("latin-1") for b in array.cast(pa.binary()).to_pylist()]
    assert as_latin == wanted.to_pylist()
    assert found.missing == wanted.null_count


@st.composite
def stata_numbers(draw: st.DrawFn) -> tuple[str, np.ndarray]:
    """Numbers of one storage type, many of them beside a missing code."""
    storage = draw(st.sampled_from(list(FORMATS)))
    kind = np.dtype(NUMBERS[storage])
    size = draw(st.integers(1, 40))
    if kind.kind == "i":
        top = np.iinfo(kind).max
        near = st.integers(top - 40, top) | st.integers(np.iinfo(kind).min, top)
        return storage, np.array(draw(st.lists(near, min_size=size, max_size=size)), kind)
    first, step = (0x7F000000, 1 << 11) if kind.itemsize == 4 else (0x7FE0 << 48, 1 << 40)
    word = np.dtype(f"u{kind.itemsize}")
    near = (
        st.integers(-2, 30).map(lambda k: first + k * step)
        | st.integers(0, np.iinfo(word).max)
        | st.just(int(np.array([2.0**333]).view(np.uint64)[0]) if kind.itemsize == 8 else first)
    )
    bits = draw(
        st.lists(
            near | near.map(lambda b: min(b + 1, np.iinfo(word).max)), min_size=size, max_size=size
        )
    )
    return storage, np.array(bits, word).view(kind)


@given(stata_numbers(), st.sampled_from([102, 105, 111, 112, 113, 118]), st.sampled_from("<>"))
def test_stata_numbers(given_numbers: tuple[str, np.ndarray], version: int, order: str) -> None:
    storage, numbers = given_numbers
    stored = missing_codes(version, dataverse=False)
    rows = np.zeros((len(numbers), 3 + numbers.itemsize), np.uint8)
    rows[:, 3:] = (
        numbers.astype(numbers.dtype.newbyteorder(order)).view(np.uint8).reshape(len(numbers), -1)
    )
    if storage in stored.largest:
        rule, number = "above", float(stored.largest[storage])
    else:
        rule, number = "codes", 2.0**333 if stored.early_double and storage == "double" else np.nan
    plan = (FORMATS[storage], ((3, numbers.itemsize),), rule, number, None)
    array, found = decoded(rows, plan, big_endian=order == ">")
    missing, tags = find_missing(numbers, storage, stored)
    if missing is None or tags is None:
        missing, tags = np.zeros(len(numbers), np.bool_), np.zeros(len(numbers), np.int8)
    assert array.is_null().to_numpy(False).tolist() == missing.tolist()
    kept = np.frombuffer(array.buffers()[1], numbers.dtype)
    assert kept.tobytes() == numbers.tobytes()
    assert (found.tags or bytes(len(numbers))) == tags.tobytes()


def test_many_columns_and_cases() -> None:
    """Tiles of cases, each column at its own place."""
    source = np.random.default_rng(3)
    values = source.integers(0, 5, (5000, 7)).astype("<f8")
    values[values == 4] = SYSMIS
    plans = [("g", ((8 * at, 8),), "equal", SYSMIS, None) for at in range(7)]
    columns = core.decode_cases(values.tobytes(), 56, 5000, False, plans)
    for at, column in enumerate(columns):
        wanted = pa.array(values[:, at], mask=values[:, at] == SYSMIS)
        assert decoded_array(column, pa.float64(), 5000).equals(wanted)


def test_no_cases() -> None:
    plans = [("g", ((0, 8),), "equal", 1.0, None), ("u", ((0, 8),), "none", 0.0, b" ")]
    number, text = core.decode_cases(b"", 8, 0, False, plans)
    assert decoded_array(number, pa.float64(), 0).to_pylist() == []
    assert decoded_array(text, pa.string(), 0).to_pylist() == []
