"""What Dataverse makes of its own table when it reads it back for statistics and UNF.

The table's text goes in, the values of Java's parsers come out. Most columns are parsed whole;
cells that only Java reads as it does (``+5``, ``0x1p3``, ``1d``) are taken one by one.

Source: IQSS/dataverse b485249231fe, TabularSubsetGenerator; java.lang.Double.valueOf,
java.lang.Long.parseLong.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.describe.texts import text_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

_DECIMAL: Final = re.compile(r"([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?)[fd]?")
_HEXADECIMAL: Final = re.compile(r"([+-]?0x(?:[0-9a-f]+\.?[0-9a-f]*|\.[0-9a-f]+)p[+-]?[0-9]+)[fd]?")
_INFINITIES: Final = {"inf": math.inf, "+inf": math.inf, "-inf": -math.inf}
_INTEGER: Final = re.compile(r"[+-]?\d+")
_TRIMMED: Final = "".join(map(chr, range(33)))  # what Java's String.trim takes away
_ESCAPES: Final = {'"': '\\"', "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def read_doubles(array: pa.LargeStringArray) -> pa.DoubleArray:
    """Parse the cells of a continuous variable; null where Java's parser fails."""
    return _read(array, pa.float64(), b"0123456789+-.eE", _double)


def read_longs(array: pa.LargeStringArray) -> pa.Int64Array:
    """Parse the cells of a discrete variable; null where Java's parser fails."""
    return _read(array, pa.int64(), b"0123456789-", _long)


def read_texts(array: pa.LargeStringArray, escaped: str) -> pa.LargeStringArray:
    r"""Return text as it comes back from a table that escapes these characters.

    Reading undoes ``\\ \" \t \n \r``, so that where writing left a backslash as it was,
    ``C:\temp`` comes back with a tab.

    Args:
        array: Text of the source.
        escaped: What the table's writer escapes; text that it prints bare has none.
    """
    if "\\" in escaped:
        return array
    chosen = pc.fill_null(pc.match_substring(array, "\\"), False)
    if not pc.any(chosen).as_py():
        return array
    exact = [_read_text(text, escaped) for text in array.filter(chosen).to_pylist()]
    return pc.replace_with_mask(array, chosen, pa.array(exact, pa.large_string()))


def _read(
    array: pa.LargeStringArray,
    kind: pa.DataType,
    alphabet: bytes,
    parse: Callable[[str], float | None],
) -> pa.Array:
    """Cast all cells at once where Arrow's parser and Java's agree, else each distinct cell."""
    if _is_within(array, alphabet):
        try:
            return array.cast(kind)
        except pa.ArrowInvalid:
            pass  # a cell for Java's parser alone
    encoded = array.dictionary_encode()
    values = [parse(text) for text in encoded.dictionary.to_pylist()]
    return pa.array(values, kind, from_pandas=False).take(encoded.indices)


def _is_within(array: pa.LargeStringArray, alphabet: bytes) -> bool:
    """Whether no cell has a byte outside ``alphabet``; none has letters that mean a base, say."""
    allowed = np.zeros(256, np.bool_)
    allowed[list(alphabet)] = True
    data = np.frombuffer(text_bytes(array), np.uint8)
    return bool(allowed[data].all())


def _double(text: str) -> float | None:
    lower = text.lower()
    if lower in _INFINITIES:
        return _INFINITIES[lower]
    lower = lower.strip(_TRIMMED)
    if match := _DECIMAL.fullmatch(lower):
        return float(match[1])
    if match := _HEXADECIMAL.fullmatch(lower):
        try:
            return float.fromhex(match[1])
        except OverflowError:
            return -math.inf if lower.startswith("-") else math.inf
    return None


def _long(text: str) -> int | None:
    # Java knows the digits of other scripts, too, as Python does.
    value = int(text) if _INTEGER.fullmatch(text) else None
    return value if value is not None and -(2**63) <= value < 2**63 else None


def _read_text(text: str, escaped: str) -> str:
    for character in escaped:
        text = text.replace(character, _ESCAPES[character])
    return "\\".join(_unescaped(part) for part in text.split("\\\\"))


def _unescaped(part: str) -> str:
    for character, written in _ESCAPES.items():
        part = part.replace(written, character)
    return part
