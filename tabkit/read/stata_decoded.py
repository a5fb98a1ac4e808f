"""Columns of a Stata block that the compiled kernel takes from its cases, all at once.

Where the kernel is not built, nothing is decoded here and `stata_cases` does it column by column;
the same where a text is in no encoding that the kernel knows.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from tabkit import _native
from tabkit.read.stata_layout import NUMBERS, width_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabkit._native.core import Decoded, Plan
    from tabkit.read.stata_dictionary import Dictionary
    from tabkit.read.stata_layout import MissingCodes

EARLY_DOUBLE: Final = 2.0**333  # how the first versions wrote a missing double
_FORMATS: Final = {"i1": "c", "i2": "s", "i4": "i", "f4": "f", "f8": "g"}


def decode_columns(
    dictionary: Dictionary, codes: MissingCodes, cases: npt.NDArray[np.void]
) -> dict[int, Decoded]:
    """Return, by place of the variable, what `core.decode_cases` makes of numbers and texts."""
    if not _native.AVAILABLE or not len(cases):
        return {}
    from tabkit._native import core

    plans: dict[int, Plan] = {}
    offset = 0
    for at, storage in enumerate(dictionary.storages):
        width = width_of(storage)
        if plan := _plan(storage, offset, codes):
            plans[at] = plan
        offset += width
    if not plans:
        return {}
    columns = core.decode_cases(
        cases.view(np.uint8).data, offset, len(cases), dictionary.order == ">", list(plans.values())
    )
    return dict(zip(plans, columns, strict=True))


def _plan(storage: str, offset: int, codes: MissingCodes) -> Plan | None:
    """Return how the kernel takes a column; None for aliases and references to long strings."""
    pieces = ((offset, width_of(storage)),)
    if storage in codes.largest:
        return _FORMATS[NUMBERS[storage]], pieces, "above", float(codes.largest[storage]), None
    if storage in {"float", "double"}:
        is_early = codes.early_double and storage == "double"
        other = EARLY_DOUBLE if is_early else math.nan
        return _FORMATS[NUMBERS[storage]], pieces, "codes", other, None
    if storage.startswith("str") and storage != "strL":
        return "u", pieces, "empty", 0.0, None
    return None


def decoded_numbers(column: Decoded, storage: str, count: int) -> pa.Array:
    """Return a column of numbers as Arrow has it."""
    from tabkit._native import arrays

    return arrays.decoded_array(column, pa.from_numpy_dtype(np.dtype(NUMBERS[storage])), count)


def decoded_values(
    column: Decoded, storage: str, count: int
) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_] | None]:
    """Return numbers, and where they are missing; None where none is."""
    values = np.frombuffer(column[2], NUMBERS[storage], count)
    if column[1] is None:
        return values, None
    bits = np.frombuffer(column[1], np.uint8)
    return values, ~np.unpackbits(bits, count=count, bitorder="little").view(np.bool_)


def decoded_tags(column: Decoded) -> pa.Int8Array | None:
    """Return the tags of missing numbers, None when there are none."""
    tags = column[4]
    return None if tags is None else pa.Array.from_buffers(
        pa.int8(), len(tags), [None, pa.py_buffer(tags)]
    )  # fmt: skip


def decoded_text(column: Decoded | None, encoding: str, count: int) -> pa.StringArray | None:
    """Return a column of texts; None where bytes are to be decoded otherwise."""
    if column is None or column[5] not in {"ascii", encoding}:
        return None
    from tabkit._native import arrays

    return arrays.decoded_array(column, pa.string(), count)
