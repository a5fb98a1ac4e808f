"""Compiled tab text: the same bytes as the plain twin, for every type and layout."""

from __future__ import annotations

import datetime
import math
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.model import Table, Variable
from tabkit.profiles import NumberText, TabLayout
from tabkit.write.cells import cells
from tabkit.write.java import decimal_format_digits
from tests.strategies import tables

if TYPE_CHECKING:
    from collections.abc import Sequence

pytest.importorskip("tabkit._native.core", reason="the compiled kernels were not built")
arrays = pytest.importorskip("tabkit._native.arrays")

SHORTEST, JAVA, DECIMAL = (TabLayout(each) for each in NumberText)
LAYOUTS = (SHORTEST, JAVA, DECIMAL)


def compiled(columns: Sequence[pa.Array], layout: TabLayout, *, bare: bool = False) -> bytes:
    styled = [(column, arrays.style_of(column.type, layout, bare=bare)) for column in columns]
    return arrays.tab_lines(styled, len(columns[0]), layout.escaped)


def plainly(columns: Sequence[pa.Array], layout: TabLayout, *, bare: bool = False) -> bytes:
    texts = [cells(column, Variable("x", bare=bare), layout).to_pylist() for column in columns]
    lines = ("\t".join(cell or "" for cell in case) + "\n" for case in zip(*texts, strict=True))
    return "".join(lines).encode()


def agree(values: np.ndarray, layout: TabLayout) -> None:
    assert compiled([pa.array(values)], layout) == plainly([pa.array(values)], layout)


def test_the_single_beside_a_bound() -> None:
    """The single nearest to 1e-5 is less than that, and so is a double to DecimalFormat."""
    agree(np.array([1e-5, np.nextafter(np.float32(1e-5), np.float32(1))], np.float32), DECIMAL)


@given(tables(min_cases=1, max_cases=12), st.sampled_from(LAYOUTS), st.integers(0, 5))
def test_tables(table: Table, layout: TabLayout, start: int) -> None:
    data = table.data.combine_chunks().slice(min(start, table.cases - 1))
    columns = [column.chunk(0) for column in data.columns]
    assert compiled(columns, layout) == plainly(columns, layout)


@given(st.lists(st.none() | st.text('\\"\t\n\r\0a\x1f é日', max_size=40), min_size=1))
def test_escapes(texts: list[str | None]) -> None:
    column = pa.array(texts, pa.string())
    assert compiled([column.cast(pa.large_string())], SHORTEST) == compiled([column], SHORTEST)
    assert compiled([column], SHORTEST, bare=True) == plainly([column], SHORTEST, bare=True)
    for escaped in ('\\"\t\n\r', '"', '"\t\n', ""):
        layout = TabLayout(escaped=escaped)
        assert compiled([column], layout) == plainly([column], layout)


def sampled(count: int) -> np.ndarray:
    """Doubles of every size, with few digits and with many."""
    source = np.random.default_rng(7)
    bits = source.integers(0, 2**64, count, dtype=np.uint64).view(np.float64)
    money = np.round(source.random(count) * 10.0 ** source.integers(-3, 12, count), 2)
    exponents = source.integers(-12, 19, count).astype(float)
    places = source.integers(-8, 12, count)
    short = np.array(
        [float(f"{d}e{e}") for d, e in zip(source.integers(0, 10**6, count), places, strict=True)]
    )
    whole = np.trunc(source.random(count) * 10.0**exponents)
    tiny = 2.0**-1074 * source.integers(1, 300, count)
    last = source.random(count) * 10.0**exponents
    return np.concatenate([bits, money, short, whole, tiny, last])


@pytest.mark.parametrize("layout", LAYOUTS, ids=[each.value for each in NumberText])
def test_doubles(layout: TabLayout) -> None:
    agree(sampled(4000), layout)


@pytest.mark.parametrize(
    ("bits", "text"),
    [("0x1.85ac3e178f312p+84", "29442846016306655000000000"),
     ("-0x1.7189800f72e5bp+84", "-27921434621399833000000000"),
     ("0x1.ee00aaf096f7dp+84", "37325781760777226000000000"),
     ("0x1.0000000000000p-178", "0." + "0" * 53 + "26101217871994098")],
)  # fmt: skip
def test_decimals_as_java_printed_them(bits: str, text: str) -> None:
    """OpenJDK 17; its 64-bit arithmetic runs over in the first three."""
    column = pa.array([float.fromhex(bits)])
    assert compiled([column], DECIMAL).decode() == f"{text}\n"
    assert plainly([column], DECIMAL).decode() == f"{text}\n"


@pytest.mark.parametrize("layout", LAYOUTS, ids=[each.value for each in NumberText])
def test_singles(layout: TabLayout) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        values = sampled(2000).astype(np.float32)
    tiny = (2.0**-149 * np.arange(1, 300)).astype(np.float32)
    agree(np.concatenate([values, tiny]), layout)


@pytest.mark.parametrize("layout", LAYOUTS, ids=[each.value for each in NumberText])
def test_where_the_shape_changes(layout: TabLayout) -> None:
    powers = np.array([float(f"{d}e{e}") for e in range(-307, 309) for d in (1, 5, 9.5)])
    powers = powers[np.isfinite(powers)]
    neighbours = [(powers.view(np.int64) + step).view(np.float64) for step in (-1, 0, 1)]
    twos = 2.0 ** np.arange(-1022, 1024)
    values = np.concatenate([*neighbours, twos, -twos, twos - 1, [0.0, -0.0]])
    agree(values[(np.abs(values) <= 1.7e308)], layout)


@pytest.mark.parametrize(
    ("value", "shortest", "java"),
    [(5e-324, "5e-324", "4.9E-324"), (1e-323, "1e-323", "9.9E-324"), (2e-323, "2e-323", "2.0E-323"),
     (5e-323, "5e-323", "4.9E-323"), (1.5e-323, "1.5e-323", "1.5E-323"),
     (2.2250738585072014e-308, "2.2250738585072014e-308", "2.2250738585072014E-308")],
)  # fmt: skip
def test_java_has_two_digits_at_least(value: float, shortest: str, java: str) -> None:
    """Java SE 21 API, Double.toString: the closest of two digits where one would do."""
    column = pa.array([value])
    assert compiled([column], SHORTEST) == plainly([column], SHORTEST) == f"{shortest}\n".encode()
    assert compiled([column], JAVA) == plainly([column], JAVA) == f"{java}\n".encode()


def test_java_singles() -> None:
    """Java SE 21 API, Float.MIN_VALUE is 1.4E-45."""
    column = pa.array([2.0**-149, 2.0**-148, 3.4028235e38, 1e10, 3.58], pa.float32())
    assert (
        plainly([column], JAVA)
        == compiled([column], JAVA)
        == b"1.4E-45\n2.8E-45\n3.4028235E38\n1.0E10\n3.58\n"
    )


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_decimal_subnormals(value: float) -> None:
    """DecimalFormat's digits of any double."""
    for each in (value, value * 2.0**-1000, math.ldexp(value, -1060)):
        text = compiled([pa.array([each])], DECIMAL).decode().strip()
        wanted = decimal_format_digits(each)
        assert text == (
            "-0" if not wanted and wanted.is_signed() else format(wanted.normalize(), "f")
        )


@given(st.lists(st.none() | st.integers(-(2**63), 2**63 - 1), min_size=1))
def test_integers(values: list[int | None]) -> None:
    column = pa.array(values, pa.int64())
    assert compiled([column], SHORTEST) == plainly([column], SHORTEST)
    for bits in (8, 16, 32, 64):
        for name, low in (("int", -(2 ** (bits - 1))), ("uint", 0)):
            narrow = [None if v is None else v % 2**bits + low for v in values]
            column = pa.array(narrow, f"{name}{bits}")
            assert compiled([column], SHORTEST) == plainly([column], SHORTEST)


@given(st.lists(st.none() | st.integers(-(10**15), 10**15), min_size=1))
def test_date_times_and_durations(counts: list[int | None]) -> None:
    years = 86_400 * 365 * 50_000
    for unit, ticks in (("s", 1), ("ms", 10**3), ("us", 10**6), ("ns", 10**9)):
        counts = [count if count is None else count % (years * ticks) for count in counts]
        for kind in (pa.timestamp(unit), pa.timestamp(unit, "Asia/Tokyo"), pa.duration(unit)):
            column = pa.array(counts, pa.int64()).cast(kind)
            assert compiled([column], SHORTEST) == plainly([column], SHORTEST)
    days = [None if count is None else count % 2**32 - 2**31 for count in counts]
    column = pa.array(days, pa.int32()).cast(pa.date32())
    assert compiled([column], SHORTEST) == plainly([column], SHORTEST)


def test_times() -> None:
    column = pa.array([datetime.time(), datetime.time(23, 59, 59, 120_000), None])
    assert compiled([column], SHORTEST) == b"00:00:00\n23:59:59.12\n\n"


def test_no_columns_are_empty_lines() -> None:
    assert arrays.tab_lines([], 3, "") == b"\n\n\n"


def test_long_text_grows_the_block() -> None:
    """A first guess of the size that is far too small."""
    column = pa.array(["\n" * 100_000, None, "x"] * 3)
    assert compiled([column, column], SHORTEST) == plainly([column, column], SHORTEST)
