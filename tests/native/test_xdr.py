"""Compiled vectors for R: as the format's description has them, and as R itself reads them."""

from __future__ import annotations

import datetime
import math
import shutil
import struct
import subprocess
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path

core = pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")
arrays = pytest.importorskip("tabkit._native.arrays")

NA = bytes.fromhex("7ff00000000007a2")


def doubles(array: pa.Array) -> bytes:
    return core.xdr_doubles(arrays.described(array))


@given(st.lists(st.none() | st.floats()))
def test_doubles(values: list[float | None]) -> None:
    """R's missing number is a NaN of its own."""
    wanted = b"".join(
        NA if v is None else struct.pack(">d", math.nan if math.isnan(v) else v) for v in values
    )
    assert doubles(pa.array(values, pa.float64(), from_pandas=False)) == wanted


def test_a_nan_is_not_missing() -> None:
    """Even one with R's mark in it."""
    array = pa.Array.from_buffers(pa.float64(), 1, [None, pa.py_buffer(NA[::-1])])
    assert doubles(array) == bytes.fromhex("7ff8000000000000")


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)))
def test_long_integers_become_doubles(values: list[int | None]) -> None:
    wanted = b"".join(NA if v is None else struct.pack(">d", float(v)) for v in values)
    assert doubles(pa.array(values, pa.int64())) == wanted


# Later or earlier ones have more microseconds than a double holds.
moments = st.datetimes(datetime.datetime(1700, 1, 1), datetime.datetime(2200, 1, 1))


@given(st.lists(st.none() | moments))
def test_date_times_are_seconds(values: list[datetime.datetime | None]) -> None:
    array = pa.array(values, pa.timestamp("us"))
    counts = array.cast(pa.int64()).to_pylist()
    assert doubles(array) == b"".join(
        NA if c is None else struct.pack(">d", c / 10**6) for c in counts
    )
    days = array.cast(pa.date32())
    counts = days.cast(pa.int32()).to_pylist()
    assert doubles(days) == b"".join(NA if c is None else struct.pack(">d", c) for c in counts)


@given(st.lists(st.none() | st.integers(-(2**31) + 1, 2**31 - 1)))
def test_integers(values: list[int | None]) -> None:
    wanted = b"".join(struct.pack(">i", -(2**31) if v is None else v) for v in values)
    assert core.xdr_integers(arrays.described(pa.array(values, pa.int32()))) == wanted
    small = [v if v is None else v % 128 for v in values]
    for kind in (pa.int8(), pa.uint8(), pa.int16(), pa.uint16()):
        wanted = b"".join(struct.pack(">i", -(2**31) if v is None else v) for v in small)
        assert core.xdr_integers(arrays.described(pa.array(small, kind))) == wanted


def test_the_least_integer_is_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        core.xdr_integers(arrays.described(pa.array([-(2**31)], pa.int32())))


def test_logicals() -> None:
    array = pa.array([True, None, False, True]).slice(1)
    assert core.xdr_integers(arrays.described(array)) == struct.pack(">iii", -(2**31), 0, 1)


@given(st.lists(st.none() | st.text(st.characters(codec="utf-8"), max_size=9)))
def test_texts(values: list[str | None]) -> None:
    """Flags of a text: its type, and above whether it is ASCII or UTF-8."""
    wanted, cut = b"", 0
    for value in values:
        text = (value or "").partition("\0")[0].encode()
        cut += "\0" in (value or "")
        flags = 9 if value is None else 0x40009 if text.isascii() else 0x8009
        wanted += struct.pack(">ii", flags, -1 if value is None else len(text)) + text
    for kind in (pa.string(), pa.large_string()):
        assert core.xdr_texts(arrays.described(pa.array(values, kind))) == (wanted, cut)


def rds(*vectors: tuple[int, int, bytes]) -> bytes:
    """Return an uncompressed .rds file, a list of vectors (type, length, data)."""
    head = b"X\n" + struct.pack(">iii", 2, 0x40202, 0x20300) + struct.pack(">ii", 19, len(vectors))
    return head + b"".join(struct.pack(">ii", kind, size) + data for kind, size, data in vectors)


@pytest.mark.skipif(shutil.which("Rscript") is None, reason="R is not installed")
def test_r_reads_them(tmp_path: Path) -> None:
    numbers = pa.array([1.5, None, math.nan, math.inf, -0.0, 1e-300], from_pandas=False)
    integers, flags = pa.array([1, None, -7], pa.int8()), pa.array([True, None, False])
    texts = pa.array(["", None, "abc", "日本é"])
    path = tmp_path / "x.rds"
    path.write_bytes(
        rds(
            (14, 6, doubles(numbers)),
            (13, 3, core.xdr_integers(arrays.described(integers))),
            (10, 3, core.xdr_integers(arrays.described(flags))),
            (16, 4, core.xdr_texts(arrays.described(texts))[0]),
        )
    )
    code = (
        f"x <- readRDS('{path.as_posix()}');"
        "stopifnot(identical(x[[1]], c(1.5, NA, NaN, Inf, -0, 1e-300)), is.na(x[[1]][2]),"
        "!is.nan(x[[1]][2]), 1 / x[[1]][5] == -Inf, identical(x[[2]], c(1L, NA, -7L)),"
        "identical(x[[3]], c(TRUE, NA, FALSE)),"
        "identical(x[[4]], c('', NA, 'abc', '\\u65e5\\u672c\\u00e9')))"
    )
    subprocess.run(["Rscript", "--vanilla", "-e", code], check=True, capture_output=True)
