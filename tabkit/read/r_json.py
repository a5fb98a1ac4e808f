"""What is no plain column as text: lists as JSON, complex numbers as R prints them."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from tabkit.read.r_altrep import number_text
from tabkit.read.r_numbers import is_na
from tabkit.read.r_objects import NA_INTEGER, RObject, classes_of, named_elements, text_list

if TYPE_CHECKING:
    from collections.abc import Sequence


def json_texts(elements: Sequence[RObject]) -> pa.Array:
    """Return a JSON text for each element of a list, null for NULL."""
    return pa.array(
        [
            None if each.kind == "NULL" else json.dumps(_plain(each), ensure_ascii=False)
            for each in elements
        ],
        pa.string(),
    )


def complex_text(value: complex) -> str | None:
    """Return a complex number as R prints it, None for NA."""
    if is_na(value.real) or is_na(value.imag):
        return None
    imaginary = number_text(value.imag) or ""
    sign = "" if imaginary.startswith("-") else "+"
    return f"{number_text(value.real)}{sign}{imaginary}i"


def _plain(found: RObject) -> Any:
    """Return an object as JSON knows it: vectors as arrays, named lists as objects."""
    if found.kind in {"list", "pairlist"}:
        pairs = named_elements(found)
        if pairs and all(name for name, _ in pairs):
            return {name: _plain(each) for name, each in pairs}
        return [_plain(each) for _, each in pairs]
    if found.kind == "character":
        return found.values.to_list()
    if found.kind == "symbol":
        return found.values
    if found.kind == "NULL":
        return None
    if found.values is None:
        return f"<{found.kind}>"
    return _numbers(found)


def _numbers(found: RObject) -> Any:
    values = found.values[0 : len(found)].tolist()
    if found.kind == "integer" and "factor" in classes_of(found):
        levels = text_list(found.attributes.get("levels"))
        return [levels[v - 1] if 0 < v <= len(levels) else None for v in values]
    if found.kind == "logical":
        return [None if v == NA_INTEGER else v != 0 for v in values]
    if found.kind == "integer":
        return [None if v == NA_INTEGER else v for v in values]
    if found.kind == "complex":
        return [complex_text(v) for v in values]
    if found.kind == "double":
        return [_json_number(v) for v in values]
    return values


def _json_number(value: float) -> float | str | None:
    """JSON has no NaN and no infinity: they become text."""
    if math.isfinite(value):
        return value
    return None if is_na(value) else number_text(value)
