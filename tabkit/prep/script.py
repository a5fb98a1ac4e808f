"""Preprocessed data as the repository's R script makes them of an archival table.

All of its quirks are kept: types are guessed from the text, declared missing values are numbers,
and one character variable turns the numbers of every variable into text.

Source: IQSS/dataverse, preprocess.R, as observed with R 4.2 (read.delim, typeGuess, calcSumStats,
density, rjson).
"""

from __future__ import annotations

import dataclasses
import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tabkit.describe.stats import Tally, summarize
from tabkit.prep.delim import delim_columns
from tabkit.prep.density import density
from tabkit.prep.nature import BARS, guessed_nature
from tabkit.prep.rtext import make_names, number_of, signif, text_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

_LOGICALS: Final = {"T": "TRUE", "TRUE": "TRUE", "F": "FALSE", "FALSE": "FALSE"}
_INT_END: Final = 2**31  # R's integers end below it, on both sides
_DROPPED: Final = ("", "NULL", "NA")
_MODE_DIGITS, _DIGITS = 4, 6  # the script means 4 for all, and gives the default of signif
_NUMBERS: Final = ("median", "mean", "max", "min", "sd")


@dataclasses.dataclass(frozen=True, slots=True)
class _Column:
    """What ``type.convert`` makes of a column.

    Attributes:
        counts: Its values as ``as.character`` spells them, in order of appearance; no NA.
        missing: How many are NA.
        numbers: The values of a numeric column by their spelling, None of any other.
        is_logical: Whether it is a column of truth values.
    """

    counts: dict[str, int]
    missing: int
    numbers: dict[str, float] | None = None
    is_logical: bool = False


def script_prep(path: Path) -> dict[str, dict[str, Any]]:
    """Return the prep object of every variable, under R's name for it.

    Args:
        path: An archival table with its header line.
    """
    names, columns = delim_columns(path)
    found = [_fields(name, _converted(cells)) for name, cells in zip(make_names(names), columns)]  # noqa: B905
    kinds = {fields["numchar"] for fields in found}
    for fields in found:
        for key in _NUMBERS if "character" in kinds else ():
            if not isinstance(fields[key], str):
                fields[key] = text_of(fields[key])
        for key in ("freqfewest", "freqmid") if "numeric" in kinds else ():
            fields[key] = text_of(fields[key])
    return {fields["varnamesTypes"]: fields for fields in found}


def _converted(cells: Iterable[tuple[str, int]]) -> _Column:
    """Give a column the first type that all its cells have: logical, integer, double, text."""
    present = [(cell, count) for cell, count in cells if cell != "NA"]
    blank = sum(count for cell, count in present if not cell.strip())
    filled = [(cell, count) for cell, count in present if cell.strip()]
    missing = sum(count for cell, count in cells if cell == "NA")
    if all(cell in _LOGICALS for cell, _ in filled):
        counts: dict[str, int] = {}
        for cell, count in filled:
            counts[_LOGICALS[cell]] = counts.get(_LOGICALS[cell], 0) + count
        return _Column(counts, missing + blank, is_logical=True)
    numbers = [number_of(cell) for cell, _ in filled]
    if any(number is None for number in numbers):
        return _Column(dict(present), missing)
    spell = _whole_text if all(_is_integer(cell) for cell, _ in filled) else text_of
    counts = {}
    values: dict[str, float] = {}
    for number, (_, count) in zip(numbers, filled, strict=True):
        text = spell(number)  # type: ignore[arg-type]
        counts[text] = counts.get(text, 0) + count
        values.setdefault(text, number)  # type: ignore[arg-type]
    return _Column(counts, missing + blank, values)


def _is_integer(cell: str) -> bool:
    bare = cell.strip()
    digits = bare[1:] if bare[:1] in ("+", "-") else bare
    return digits.isascii() and digits.isdigit() and abs(int(bare)) < _INT_END


def _whole_text(value: float) -> str:
    return str(int(value))


def _fields(name: str, column: _Column) -> dict[str, Any]:
    kept = {text: count for text, count in column.counts.items() if text not in _DROPPED}
    numbers = None if column.is_logical else _as_numbers(kept, column)
    nature = "nominal" if numbers is None else guessed_nature(np.array(numbers, np.float64))
    types = {
        "numchar": "character" if numbers is None else "numeric",
        "nature": nature,
        "binary": "yes" if _distinct_numbers(kept, column) == 2 else "no",  # noqa: PLR2004
        "interval": "continuous" if nature in ("ratio", "percent") else "discrete",
    }
    return {
        **_plot(column, nature),
        "varnamesSumStat": name,
        **_summary(column, {t: c for t, c in kept.items() if t != "."}, numbers),
        **types,
        "varnamesTypes": name,
        **{f"default{key.capitalize()}": types[key] for key in ("interval", "numchar")},
        **{f"default{key.capitalize()}": types[key] for key in ("nature", "binary")},
    }


def _as_numbers(kept: dict[str, int], column: _Column) -> list[float] | None:
    """Return ``as.numeric`` of the distinct texts, None where one is NA or NaN."""
    if column.numbers is not None:
        numbers = [column.numbers[text] for text in kept]
    else:
        numbers = [math.nan if (n := number_of(text)) is None else n for text in kept]
    return None if any(map(math.isnan, numbers)) else numbers


def _distinct_numbers(kept: dict[str, int], column: _Column) -> int:
    """Count what ``unique`` keeps of ``as.numeric``: all that is no number is one NA."""
    if column.is_logical:
        return len(kept)
    return len({repr(number_of(text)) for text in kept})


def _plot(column: _Column, nature: str) -> dict[str, Any]:
    # Levels of a factor exclude NaN, also as text.
    counts = {text: count for text, count in column.counts.items() if text != "NaN"}
    if nature != "nominal" and len(counts) >= BARS and column.numbers is not None:
        counted = _tally(list(column.numbers.values()), list(column.counts.values()))
        curve = density(counted.values, counted.counts)
        if curve is not None:
            return {"plottype": "continuous", "plotx": curve.x.tolist(), "ploty": curve.y.tolist()}
    order: Sequence[str]
    if column.numbers is None:
        order = sorted(counts)
    else:
        order = sorted(counts, key=column.numbers.__getitem__)
    return {"plottype": "bar", "plotvalues": {text: counts[text] for text in order} or []}


def _tally(numbers: Sequence[float], counts: Sequence[int]) -> Tally:
    values = np.array(numbers, np.float64)
    order = np.argsort(values)
    return Tally(values[order], np.array(counts, np.int64)[order])


def _summary(column: _Column, kept: dict[str, int], numbers: list[float] | None) -> dict[str, Any]:
    valid = sum(column.counts.values())
    counts = list(kept.values())
    middle = float(np.median(counts)) if counts else 0.0
    mode, fewest, mid = (
        next((text for text, count in kept.items() if count == wanted), "NA")
        for wanted in (max(counts, default=0), min(counts, default=0), middle)
    )
    statistics: dict[str, Any] = dict.fromkeys(_NUMBERS, "NA")
    if numbers is not None:
        mode = _number_text(mode, _MODE_DIGITS)
        fewest, mid = _number_text(fewest), _number_text(mid)
        if kept:
            statistics = _numeric_summary(numbers, counts)
    return {
        "median": statistics["median"],
        "mean": statistics["mean"],
        "mode": mode,
        "max": statistics["max"],
        "min": statistics["min"],
        "invalid": column.missing,
        "valid": valid,
        "sd": statistics["sd"],
        "uniques": len(kept),
        "herfindahl": _herfindahl(kept),
        "freqmode": max(counts, default=0),
        "fewest": fewest,
        "mid": mid,
        "freqfewest": min(counts, default=0),
        "freqmid": middle,
    }


def _numeric_summary(numbers: Sequence[float], counts: Sequence[int]) -> dict[str, Any]:
    counted = _tally(numbers, counts)
    found = summarize(counted, counted.cases)
    sd = "NA" if counted.cases == 1 else found.stdev
    names = {"median": found.median, "mean": found.mean, "max": found.maximum}
    return {**names, "min": found.minimum, "sd": sd}


def _number_text(text: str, digits: int = _DIGITS) -> str:
    number = number_of(text)
    return "NA" if number is None else text_of(signif(number, digits))


def _herfindahl(kept: dict[str, int]) -> float:
    counts = np.array([c for text, c in kept.items() if text != "NaN"], np.float64)
    return float(((counts / counts.sum()) ** 2).sum()) if len(counts) else 0
