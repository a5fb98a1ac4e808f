"""Normalised bytes of numbers for UNF 6: Arrow numbers go in, the bytes to hash come out.

The Java reference prints a double in its shortest form, rounds that decimal to 16 significant
digits and the result to N, both times half-even. Scaling a double to N digits and rounding it
binary gives the same wherever the scaled value is not near a tie, as its error there is far below
the distance to the tie; near a tie the value is compared with the double nearest to it; what is
left (subnormals, near misses of a tie, many digits) goes the reference's way, one by one.

A compiled kernel may take the place of `normalize_numbers`: same signature, same bytes.
Source: IQSS/UNF 6.0, RoundRoutines.Genround; Dataverse developer guide, "UNF Version 6", part Ia.
"""

from __future__ import annotations

import decimal
import math
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np

from tabkit.describe.columns import values_and_missing

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt
    import pyarrow as pa

    Doubles: TypeAlias = npt.NDArray[np.float64]
    Integers: TypeAlias = npt.NDArray[np.int64]
    Words: TypeAlias = npt.NDArray[np.uint32]

DIGITS: Final = 7  # significant digits of a number
END: Final = b"\n\0"
MISSING: Final = b"\0\0\0"

_CHUNK: Final = 8192  # values whose working arrays fit a processor's cache
_FAST_DIGITS: Final = 12  # more digits leave too little room between a rounding error and a tie
_SMALL: Final = 1 << 15  # integers below it are looked up
_LEAST: Final = 2.2250738585072014e-308  # smaller numbers are subnormal: zero or few digits
_LOWEST, _HIGHEST = -330, 310  # decimal exponents of doubles, with room
_FILL: Final = 0xFF  # never a byte of the result; deleted at the end
_EXACT_POWERS: Final = 22  # 10**22 is the last power of ten that a double holds exactly
_CELL: Final = 4  # bytes of a piece of a number: sign and digit, three digits, …
_DECIMAL64: Final = decimal.Context(prec=16, rounding=decimal.ROUND_HALF_EVEN)


def normalize_numbers(array: pa.Array, digits: int = DIGITS) -> bytes:
    """Return the concatenated normalised bytes of every case.

    Args:
        array: Integers or floats, ``len(array)`` cases; null is missing, NaN is ``+nan``.
            Integers and single floats become doubles first, as in the reference.
        digits: Significant digits, 2 to 16.
    """
    values, missing = values_and_missing(array)
    pieces = []
    for start in range(0, len(values), _CHUNK):
        chunk = values[start : start + _CHUNK]
        gaps = None if missing is None else missing[start : start + _CHUNK]
        pieces.append(_normalize_chunk(chunk, gaps, digits))
    return b"".join(pieces)


def normalize_number(value: float, digits: int = DIGITS) -> bytes:
    """Return the normalised bytes of one number, step by step as the reference does it."""
    if not math.isfinite(value):
        return f"{value:+}".encode() + END
    shortest = repr(value)
    if len(shortest.partition("e")[0].lstrip("-").replace(".0", "")) == 1:
        # Of decimals that read back as a tiny subnormal, Java 19 and later takes the closest
        # with two digits, 4.9E-324, where Python prints the one digit that suffices, 5e-324.
        shortest = f"{value:.1e}"
    context = decimal.Context(prec=min(digits, 16), rounding=decimal.ROUND_HALF_EVEN)
    rounded = context.create_decimal(_DECIMAL64.create_decimal(shortest))
    sign, figures, _ = rounded.as_tuple()
    exponent = rounded.adjusted() if rounded else 0
    text = "".join(map(str, figures)) if rounded else "0"
    fraction = text[1:].rstrip("0")
    power = f"{'-' if exponent < 0 else '+'}{abs(exponent) or ''}"
    return f"{'-' if sign else '+'}{text[0]}.{fraction}e{power}".encode() + END


def _normalize_chunk(
    values: npt.NDArray[np.generic], missing: npt.NDArray[np.bool_] | None, digits: int
) -> bytes:
    if missing is not None and missing.all():
        return MISSING * len(values)
    if missing is not None:
        values = np.where(missing, values.dtype.type(0), values)
    small = _small_integers(values)
    if small is not None:
        rows = _small_rows(digits)[small + _SMALL]
    else:
        rows = _rows(values.astype(np.float64, copy=False), digits)
    if missing is not None:
        rows[missing] = _row(MISSING, rows.shape[1])
    cells = rows.view(np.uint8).reshape(-1)
    return np.compress(cells != _FILL, cells).tobytes()


def _small_integers(values: npt.NDArray[np.generic]) -> npt.NDArray[np.int32] | None:
    """Return ``values`` as integers if all are integers nearer to zero than `_SMALL`."""
    low, high = values.min(), values.max()
    if not (low > -_SMALL and high < _SMALL):  # also where one is NaN
        return None
    integers = values.astype(np.int32)
    if values.dtype.kind == "f":
        # Bits are compared, as -0.0 is no integer: its sign is kept.
        exact = integers.astype(values.dtype).view(f"u{values.dtype.itemsize}")
        if not np.array_equal(exact, values.view(exact.dtype)):
            return None
    return integers


@lru_cache(maxsize=4)
def _small_rows(digits: int) -> Words:
    """Return a row of bytes for every small integer; row ``_SMALL`` is zero."""
    rows = _rows(np.arange(-_SMALL, _SMALL, dtype=np.float64), digits)
    cells = rows.view(np.uint8)
    # Bytes to be deleted move to the end of their row, and what all rows can spare is cut off.
    lengths = (cells != _FILL).sum(axis=1)
    width = int(lengths.max())
    width += -width % _CELL
    packed = np.full((len(rows), width), _FILL, np.uint8)
    packed[np.arange(width) < lengths[:, None]] = cells[cells != _FILL]
    return packed.view(np.uint32)


def _rows(values: Doubles, digits: int) -> Words:
    """Return a row of bytes for each number, `_FILL` where there is nothing."""
    if digits > _FAST_DIGITS:
        return _exact_rows(values, digits)
    size = np.abs(values)
    binary = (size.view(np.int64) >> 52) & 0x7FF  # 0 for zero and subnormals, 2047 not finite
    exponent = _tables().exponent[binary]
    exponent += size >= _tables().threshold[binary]
    with np.errstate(invalid="ignore", over="ignore"):
        factor, again = _scales(digits)
        scaled = size * factor[exponent - _LOWEST] * again[exponent - _LOWEST]
        rounded = np.rint(scaled)
        uncertain = ~(np.abs(scaled - rounded) < 0.5 - 10.0 ** (digits - 14))
    uncertain |= size < _LEAST
    uncertain &= size != 0
    exact = np.flatnonzero(uncertain)
    if len(exact):
        exact = _settle_ties(size, scaled, rounded, exponent, exact, digits)
        rounded[exact] = 0  # replaced below
    carried = np.flatnonzero(rounded >= 10.0**digits)
    rounded[carried] = 10.0 ** (digits - 1)
    exponent[carried] += 1
    rows = _layout(np.signbit(values), rounded.astype(np.int64), exponent, digits)
    if len(exact):
        rows[exact] = _exact_rows(values[exact], digits, rows.shape[1])
    return rows


def _settle_ties(
    size: Doubles,
    scaled: Doubles,
    rounded: Doubles,
    exponent: Integers,
    candidates: Integers,
    digits: int,
) -> Integers:
    """Round exact ties half-even in ``rounded``; return those of ``candidates`` that are none.

    A tie has digits + 1 digits, few enough to be the shortest decimal of the double nearest to
    it; that double is one correctly rounded operation away if the power of ten is exact.
    """
    below = np.floor(scaled[candidates])
    power = exponent[candidates] - digits
    is_near = (np.abs(power) <= _EXACT_POWERS) & np.isfinite(size[candidates])
    below, power = below[is_near], power[is_near]
    tie = below * 10 + 5
    ten = 10.0 ** np.abs(power)
    nearest = np.where(power < 0, tie / ten, tie * ten)
    found = candidates[is_near]
    is_tie = size[found] == nearest
    rounded[found[is_tie]] = (below + below % 2)[is_tie]
    return np.concatenate([candidates[~is_near], found[~is_tie]])


def _layout(
    negative: npt.NDArray[np.bool_], mantissa: Integers, exponent: Integers, digits: int
) -> Words:
    """Lay out sign, digits and exponent in cells of `_CELL` bytes."""
    groups = -(-(digits - 1) // 3)
    tables = _tables()
    rows = np.empty((len(mantissa), groups + 3), np.uint32)
    rest = mantissa * 10 ** (3 * groups + 1 - digits)
    is_last = np.ones(len(mantissa), np.bool_)  # only zeros follow, so that zeros are cut
    for group in range(groups, 0, -1):
        quotient = rest // 1000
        part = rest - quotient * 1000
        rows[:, group] = tables.figures[part + is_last * 1000]
        is_last &= part == 0
        rest = quotient
    rows[:, 0] = tables.head[rest + negative * 10]
    rows[:, groups + 1] = tables.power[exponent - _LOWEST]
    rows[:, groups + 2] = tables.tail[exponent - _LOWEST]
    return rows


def _exact_rows(values: Doubles, digits: int, width: int = 8) -> Words:
    return np.stack([_row(normalize_number(value, digits), width) for value in values.tolist()])


def _row(text: bytes, width: int) -> Words:
    return np.frombuffer(text.ljust(width * _CELL, bytes([_FILL])), np.uint32)


class _Tables:
    """Look-up tables, made once at first use.

    ``exponent`` and ``threshold`` are indexed by a double's biased binary exponent: the decimal
    exponent of its smallest such double, and the power of ten from where on it is one more.
    ``power`` and ``tail`` are the bytes of a decimal exponent, from `_LOWEST` on.
    """

    def __init__(self) -> None:
        lows = [decimal.Decimal(math.ldexp(1, b - 1023)).adjusted() for b in range(1, 2047)]
        tops = [float(f"1e{low + 1}") for low in lows]  # 1e309 is infinite
        self.exponent: Integers = np.array([0, *lows, 0], np.int64)
        self.threshold: Doubles = np.array([math.inf, *tops, math.inf])
        self.head = _cells(f"{sign}{figure}." for sign in "+-" for figure in range(10))
        full = [f"{number:03}" for number in range(1000)]
        self.figures = _cells(full + [text.rstrip("0") for text in full])
        powers = [
            f"e{'-' if power < 0 else '+'}{abs(power) or ''}" for power in range(_LOWEST, _HIGHEST)
        ]
        self.power = _cells(power[:4] for power in powers)
        self.tail = _cells(power[4:] + END.decode() for power in powers)


@lru_cache(maxsize=1)
def _tables() -> _Tables:
    return _Tables()


@lru_cache(maxsize=4)
def _scales(digits: int) -> tuple[Doubles, Doubles]:
    """Return by decimal exponent the two factors that give a number ``digits`` digits."""
    powers = [digits - 1 - exponent for exponent in range(_LOWEST, _HIGHEST)]
    first = [min(power, 300) for power in powers]  # 10**308 is the last that a double holds
    rest = [power - part for power, part in zip(powers, first, strict=True)]
    return (
        np.array([float(f"1e{power}") for power in first]),
        np.array([float(f"1e{power}") for power in rest]),
    )


def _cells(texts: Iterable[str]) -> Words:
    fill = bytes([_FILL])
    return np.frombuffer(b"".join(text.encode().ljust(_CELL, fill) for text in texts), np.uint32)
