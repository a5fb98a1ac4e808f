"""Compiled normal form of values: the same bytes as the plain twin, on vectors and at ties."""

from __future__ import annotations

import base64
import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe.columns import as_chunks, plain
from tabkit.describe.moments import normalize_moments
from tabkit.describe.numbers import normalize_number, normalize_numbers
from tabkit.describe.texts import normalize_text, normalize_texts

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")
arrays = pytest.importorskip("tabkit._native.arrays")

INTEGERS = (
    pa.int8(), pa.int16(), pa.int32(), pa.int64(),
    pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64(),
)  # fmt: skip
UNITS = ("s", "ms", "us", "ns")
BLANKS = st.text("\t\n\x0b\x1f \0", max_size=12)


def bounds(kind: pa.DataType) -> tuple[int, int]:
    bits = kind.bit_width
    if pa.types.is_unsigned_integer(kind):
        return 0, 2**bits - 1
    return -(2 ** (bits - 1)), 2 ** (bits - 1) - 1


@st.composite
def sliced(draw: st.DrawFn, cells: st.SearchStrategy[Any], kind: pa.DataType) -> pa.Array:
    """Arrays with nulls that do not begin at their buffers' first value."""
    array = pa.array(draw(st.lists(st.none() | cells, max_size=40)), kind, from_pandas=False)
    start = draw(st.integers(0, len(array)))
    return array.slice(start, draw(st.integers(0, len(array) - start)))


@given(
    sliced(st.floats() | st.integers(-(10**9), 10**9).map(float), pa.float64()), st.integers(2, 16)
)
def test_doubles(array: pa.Array, digits: int) -> None:
    assert arrays.normalize(array, digits, 128) == normalize_numbers(array, digits)


def test_the_ends_of_every_binary_exponent() -> None:
    """Seven digits come from a table: least and largest fractions, and beside powers of ten."""
    fractions = (0, 1, 2**51, 2**52 - 2, 2**52 - 1)
    bits = [exponent << 52 | fraction for exponent in range(2048) for fraction in fractions]
    powers = np.array([float(f"1e{n}") for n in range(-323, 309)]).view(np.uint64)
    near = (powers[:, None] + np.arange(-2, 3).astype(np.uint64)).ravel()
    unsigned = np.concatenate([np.array(bits, np.uint64), near])
    signed = np.concatenate([unsigned, unsigned | np.uint64(1 << 63)])
    array = pa.array(signed.view(np.float64), from_pandas=False)
    assert arrays.normalize(array, 7, 128) == normalize_numbers(array, 7)


@given(sliced(st.floats(width=32), pa.float32()), st.integers(2, 16))
def test_singles_are_widened(array: pa.Array, digits: int) -> None:
    assert arrays.normalize(array, digits, 128) == normalize_numbers(array, digits)


@given(st.data(), st.sampled_from(INTEGERS), st.integers(2, 16))
def test_integers_become_doubles(data: st.DataObject, kind: pa.DataType, digits: int) -> None:
    array = data.draw(sliced(st.integers(*bounds(kind)), kind))
    assert arrays.normalize(array, digits, 128) == normalize_numbers(array, digits)


def test_every_small_integer_is_looked_up_right() -> None:
    """Long columns of bytes take a table."""
    for kind in (pa.int8(), pa.uint8()):
        low, high = bounds(kind)
        array = pa.array([None, *range(low, high + 1)] * 3, kind).slice(2)
        assert arrays.normalize(array, 7, 128) == normalize_numbers(array, 7)


@given(sliced(st.booleans(), pa.bool_()), st.integers(2, 16))
def test_booleans_are_one_and_zero(array: pa.Array, digits: int) -> None:
    assert arrays.normalize(array, digits, 128) == normalize_numbers(plain(array), digits)


@given(
    st.data(),
    st.sampled_from([pa.string(), pa.large_string()]),
    st.integers(1, 9) | st.just(128),
)
def test_texts(data: st.DataObject, kind: pa.DataType, characters: int) -> None:
    texts = st.text(st.characters(codec="utf-8"), max_size=20) | BLANKS
    array = data.draw(sliced(texts, kind))
    assert arrays.normalize(array, 7, characters) == normalize_texts(array, characters)


@pytest.mark.parametrize(
    "text", ["x" * 127 + "\U0001f600", "x" * 128 + "é", " " * 128, " " * 129, "\t" * 300]
)
def test_texts_about_the_limit(text: str) -> None:
    """Source: IQSS/UNF 6.0 (units of UTF-16, the rule for blanks)."""
    assert arrays.normalize(pa.array([text]), 7, 128) == normalize_text(text)


@given(st.data(), st.sampled_from(UNITS), st.sampled_from([None, "UTC", "Europe/Berlin"]))
def test_date_times(data: st.DataObject, unit: str, zone: str | None) -> None:
    counts = st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**13), 10**13)
    array = data.draw(sliced(counts, pa.int64())).cast(pa.timestamp(unit, zone))
    assert arrays.normalize(array, 7, 128) == normalize_moments(array)


@given(sliced(st.integers(-(2**31), 2**31 - 1) | st.integers(-(10**6), 10**6), pa.int32()))
def test_dates(array: pa.Array) -> None:
    dates = array.cast(pa.date32())
    assert arrays.normalize(dates, 7, 128) == normalize_moments(dates)


@given(st.data(), st.sampled_from(UNITS))
def test_durations_and_times(data: st.DataObject, unit: str) -> None:
    spans = data.draw(
        sliced(st.integers(-(2**63), 2**63 - 1) | st.integers(-(10**6), 10**6), pa.int64())
    )
    spans = spans.cast(pa.duration(unit))
    assert arrays.normalize(spans, 7, 128) == normalize_moments(spans)
    ticks = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[unit]
    kind = pa.time32(unit) if ticks <= 1000 else pa.time64(unit)
    counts = data.draw(st.lists(st.none() | st.integers(0, 86_400 * ticks - 1), max_size=9))
    times = pa.array(counts, pa.int32() if ticks <= 1000 else pa.int64()).cast(kind)
    assert arrays.normalize(times, 7, 128) == normalize_moments(times)


def near_ties(digits: int, count: int, seed: int) -> list[float]:
    """Doubles at and beside the middle of two decimals of ``digits`` digits, of any size."""
    source = random.Random(seed)
    found = []
    for _ in range(count):
        middle = source.randrange(10 ** (digits - 1), 10**digits) * 10 + 5
        exponent = source.choice([source.randint(-12, 4), source.randint(-330, 300)])
        value = float(f"{middle}e{exponent}")
        steps = source.choice([0, 0, 1, -1, 2, -3, 5])
        bits = np.array([value]).view(np.int64) + steps
        found.append(float(bits.view(np.float64)[0]))
    return found


@pytest.mark.parametrize("digits", [2, 5, 7, 9, 13, 14, 15, 16])
def test_near_ties(digits: int) -> None:
    """Where one rounding could differ from three, the reference's own three steps decide."""
    values = [value for value in near_ties(digits, 8000, digits) if abs(value) < 1e308]
    stepwise = b"".join(normalize_number(value, digits) for value in values)
    assert arrays.normalize(pa.array(values, pa.float64()), digits, 128) == stepwise


def test_powers_of_ten_and_their_neighbours() -> None:
    """Where the decimal exponent changes."""
    powers = np.array([float(f"1e{exponent}") for exponent in range(-323, 309)])
    values = np.concatenate(
        [(powers.view(np.int64) + step).view(np.float64) for step in range(-3, 4)]
    )
    values = values[np.isfinite(values)]
    for digits in (2, 7, 14, 16):
        stepwise = b"".join(normalize_number(value, digits) for value in values.tolist())
        assert arrays.normalize(pa.array(values), digits, 128) == stepwise


def test_vectors_of_the_reference(oracle: Path) -> None:
    """Fingerprints that the Java library computed."""
    checked = 0
    for line in (oracle / "unf" / "vectors.jsonl").read_text(encoding="utf-8").splitlines():
        vector = json.loads(line)
        array = _array_of(vector)
        if array is None or not vector.get("unf"):
            continue
        digits = vector["params"].get("N", 7)
        normal = arrays.normalize(array, digits, vector["params"].get("X", 128))
        digest = hashlib.sha256(normal or b"").digest()[:16]
        assert vector["unf"].rpartition(":")[2] == base64.b64encode(digest).decode(), vector
        checked += 1
    assert checked > 300


def _array_of(vector: dict[str, Any]) -> pa.Array | None:
    """Return the values of a vector that speaks of values, not of the library's quirks."""
    values = vector["values"]
    if values is None or "quirk" in " ".join([vector.get("java_entry", ""), *vector["tags"]]):
        return None
    if vector["kind"] == "numeric":
        floats = [None if value is None else float.fromhex(value) for value in values]
        return pa.array(floats, vector["dtype"], from_pandas=False)
    if vector["kind"] == "integer":
        return pa.array(
            [None if value is None else int(value) for value in values], vector["dtype"]
        )
    if vector["kind"] == "boolean":
        return pa.array(values, pa.bool_())
    return as_chunks(values)[0] if vector["kind"] == "string" else None
