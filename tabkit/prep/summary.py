"""Preprocessed data made of the values: distinct valid values in, one object a variable out.

Numbers are numbers; what is declared missing is missing; what does not exist is null.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from tabkit.describe.stats import Tally
from tabkit.model import Interval, Measure
from tabkit.prep.density import density
from tabkit.prep.nature import BARS, guessed_nature

if TYPE_CHECKING:
    from tabkit.describe.accumulate import Distinct
    from tabkit.model import Value, Variable, VariableDescription

BARS_LISTED: Final = 1000  # of the most frequent values of a nominal variable
_NATURES: Final = {Measure.NOMINAL: "nominal", Measure.ORDINAL: "ordinal"}
_INTERVALS: Final = {Interval.CONTINUOUS: "continuous", Interval.DISCRETE: "discrete"}


def variable_prep(
    variable: Variable, described: VariableDescription, distinct: Distinct
) -> dict[str, Any]:
    """Return the prep object of one variable; an observer of `describe`."""
    values, counts = _values_and_counts(distinct)
    nature = _nature(variable, distinct)
    frequencies = _frequencies(values, counts) if distinct is not None else _unknown()
    stats = described.stats
    return {
        **_plot(values, counts, nature, distinct),
        "varnamesSumStat": variable.name,
        "median": _number(stats.median),
        "mean": _number(stats.mean),
        "max": _number(stats.maximum),
        "min": _number(stats.minimum),
        "sd": _number(stats.stdev) if (stats.valid or 0) > 1 else None,
        "valid": stats.valid,
        "invalid": stats.invalid,
        **frequencies,
        "numchar": "numeric" if isinstance(distinct, Tally) else "character",
        "nature": nature,
        "binary": "yes" if frequencies["uniques"] == 2 else "no",  # noqa: PLR2004
        "interval": _INTERVALS[variable.interval or Interval.DISCRETE],
        "label": variable.label,
        "categories": {_key(each.value): each.label for each in variable.categories},
    }


def _values_and_counts(distinct: Distinct) -> tuple[list[Value], np.ndarray]:
    if distinct is None:
        return [], np.empty(0, np.int64)
    if isinstance(distinct, Tally):
        return distinct.values, distinct.counts  # type: ignore[return-value]
    return [text for text, _ in distinct], np.array([count for _, count in distinct], np.int64)


def _nature(variable: Variable, distinct: Distinct) -> str:
    """Return the declared measure; else labelled numbers are nominal, others as they look."""
    declared = _NATURES.get(variable.measure)
    if declared is not None or not isinstance(distinct, Tally):
        return declared or "nominal"
    guessed = guessed_nature(distinct.values)
    if variable.measure is Measure.SCALE:
        return "ratio" if guessed == "ordinal" else guessed
    return "nominal" if variable.categories and guessed == "ordinal" else guessed


def _frequencies(values: Any, counts: np.ndarray) -> dict[str, Any]:
    """Most, least and middling frequent values; of several the smallest."""
    if not len(counts):
        return {**_unknown(), "uniques": 0, "herfindahl": 0}
    shares = counts / counts.sum()
    middle = float(np.median(counts))
    mid = np.flatnonzero(counts == middle)
    return {
        "uniques": len(counts),
        "herfindahl": float((shares**2).sum()),
        "mode": _plain(values[int(np.argmax(counts))]),
        "freqmode": int(counts.max()),
        "fewest": _plain(values[int(np.argmin(counts))]),
        "freqfewest": int(counts.min()),
        "mid": _plain(values[int(mid[0])]) if len(mid) else None,
        "freqmid": middle,
    }


def _unknown() -> dict[str, Any]:
    """Say nothing of a variable with more distinct texts than are told apart."""
    names = ("uniques", "herfindahl", "mode", "freqmode", "fewest", "freqfewest", "mid", "freqmid")
    return dict.fromkeys(names)


def _plot(values: Any, counts: np.ndarray, nature: str, distinct: Distinct) -> dict[str, Any]:
    if nature != "nominal" and len(counts) >= BARS and isinstance(distinct, Tally):
        finite = np.isfinite(distinct.values.astype(np.float64))
        curve = density(distinct.values, distinct.counts) if np.count_nonzero(finite) > 1 else None
        if curve is not None:
            return {"plottype": "continuous", "plotx": curve.x.tolist(), "ploty": curve.y.tolist()}
    shown = range(len(counts))
    if len(counts) > BARS_LISTED:
        shown = np.sort(np.argsort(-counts, kind="stable")[:BARS_LISTED]).tolist()
    plot = {"plottype": "bar", "plotvalues": {_key(values[at]): int(counts[at]) for at in shown}}
    if len(counts) > BARS_LISTED:
        rest = int(counts.sum()) - sum(plot["plotvalues"].values())  # type: ignore[attr-defined]
        plot["plotrest"] = {"values": len(counts) - BARS_LISTED, "cases": rest}
    return plot


def _plain(value: Any) -> Value | None:
    """Return a value as JSON has it; an infinity has no number there."""
    value = value.item() if hasattr(value, "item") else value
    if isinstance(value, float):
        return _number(value) if math.isfinite(value) else str(value)
    return value  # type: ignore[no-any-return]


def _number(value: float | None) -> float | int | None:
    if value is None or not math.isfinite(value):
        return None
    return int(value) if value == int(value) and abs(value) < 2**53 else value


def _key(value: Any) -> str:
    return str(_plain(value))
