"""Vectors that R 3.5 and later store in another form than as values (ALTREP), of R's own classes.

Source: R 4.2, src/main/altclasses.c (the ``Serialized_state`` methods).
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING

from tabkit.read.r_numbers import is_na
from tabkit.read.r_objects import (
    NA_INTEGER,
    DamagedError,
    RObject,
    elements_of,
    numbers_of,
    sequence,
)
from tabkit.read.r_texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGITS = 15  # significant digits of R's as.character


def expanded_altrep(info: RObject, state: RObject, attributes: Mapping[str, RObject]) -> RObject:
    """Return the plain vector that is meant; what no R of its own writes has only a kind.

    Args:
        info: A pairlist of the class, its package and the type, the first two symbols.
        state: What the class needs.
        attributes: Of the vector.
    """
    symbols = [each.values for each in elements_of(info) if each.kind == "symbol"]
    name = symbols[0] if symbols else ""
    if name in {"compact_intseq", "compact_realseq"}:
        numbers = numbers_of(state)
        if len(numbers) != 3:  # noqa: PLR2004 - count, first, step
            raise DamagedError(f"a {name} of {len(numbers)} numbers")
        count, first, step = numbers
        kind = "integer" if name == "compact_intseq" else "double"
        return dataclasses.replace(sequence(first, count, step, kind), attributes=attributes)
    parts = elements_of(state)
    if name.startswith("wrap_") and parts:
        inner = parts[0]
        return dataclasses.replace(inner, attributes={**inner.attributes, **attributes})
    if name == "deferred_string" and parts:
        scipen = numbers_of(parts[1])[:1] if len(parts) > 1 else []
        texts = texts_of(number_texts(parts[0], int(scipen[0]) if scipen else 0))
        return RObject("character", texts, attributes)
    return RObject(f"alternative vector {name!r}")


def number_texts(found: RObject, scipen: int = 0) -> list[str | None]:
    """Return numbers as R's ``as.character`` has them."""
    if found.kind == "integer":
        return [None if v == NA_INTEGER else str(v) for v in found.values[0 : len(found)].tolist()]
    values = found.values[0 : len(found)] if found.kind == "double" else []
    return [number_text(float(each), scipen) for each in values]


def number_text(value: float, scipen: int = 0) -> str | None:
    """Return a double with at most 15 significant digits, in the shorter of R's two notations."""
    if math.isnan(value):
        return None if is_na(value) else "NaN"
    if math.isinf(value):
        return "Inf" if value > 0 else "-Inf"
    digits, _, exponent = f"{value:.{_DIGITS - 1}e}".partition("e")
    digits = digits.rstrip("0").rstrip(".")
    power = int(exponent)
    scientific = f"{digits}e{'-' if power < 0 else '+'}{abs(power):02d}"
    decimals = max(0, len(digits.lstrip("-").replace(".", "")) - 1 - power)
    fixed = f"{value:.{decimals}f}"
    return fixed if len(fixed) <= len(scientific) + scipen else scientific
