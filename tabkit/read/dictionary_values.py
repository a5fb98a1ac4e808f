"""Codes and labels, and missing values, as people write them into one cell of a dictionary."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Final

from tabkit.model import Category, Kind, MissingRange

if TYPE_CHECKING:
    from tabkit.model import Value

_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_WHOLE: Final = re.compile(r"[+-]?\d{1,18}")
#: ``1, Yes`` (REDCap), ``1=Yes``, ``1: Yes``, ``1 - Yes``, ``1 Yes``, ``'a' = "Yes"``.
_PAIR: Final = re.compile(
    r"""\s*["']?(?P<code>[+-]?\d+(?:\.\d+)?|[^\s=:,"'|]+)["']?\s*"""
    r"""(?:[=:,\t)]|\s-+\s|\s)\s*["']?(?P<label>.*?)["']?\s*""",
    re.DOTALL,
)
_NEXT_PAIR: Final = re.compile(r",\s*(?=[\"']?[^\s=:,]+[\"']?\s*[=:])")
_RANGE: Final = re.compile(
    rf"\s*(?P<low>lo(?:west)?|{_NUMBER.pattern})\s*(?:to|thru|through|\.\.\.?|\u2013|:|-)\s*"
    rf"(?P<high>hi(?:ghest)?|{_NUMBER.pattern})\s*",
    re.IGNORECASE,
)


def value_of(text: str, kind: Kind | None) -> Value:
    """Return a code: a number where it is one, unless the variable is a text."""
    bare = text.strip()
    if kind != Kind.CHARACTER:
        if _WHOLE.fullmatch(bare):
            return int(bare)
        if _NUMBER.fullmatch(bare):
            return float(bare)
    return bare


def categories_of(text: str, kind: Kind | None) -> tuple[tuple[Category, ...], str]:
    """Read codes with their labels.

    Returns:
        The categories, and what could not be understood, empty when all could.
    """
    bare = text.strip()
    if bare[:1] in ("{", "["):
        found = _from_json(bare)
        if found is not None:
            return tuple(Category(value_of(c, kind), label) for c, label in found), ""
    bare = bare.strip("{}[]")
    pairs, wrong = [], []
    for item in filter(str.strip, _items(bare)):
        match = _PAIR.fullmatch(item)
        if match is None:
            wrong.append(item.strip())
        else:
            pairs.append(Category(value_of(match["code"], kind), match["label"]))
    return tuple({each.value: each for each in pairs}.values()), "; ".join(wrong)[:200]


def _items(text: str) -> list[str]:
    for separator in ("|", "\n", ";"):
        if separator in text:
            return text.replace("\r", "").split(separator)
    return _NEXT_PAIR.split(text)


def _from_json(text: str) -> list[tuple[str, str]] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, dict):
        return [(str(code), str(label)) for code, label in found.items()]
    if not isinstance(found, list):
        return None
    pairs = []
    for each in found:
        if isinstance(each, dict):
            code = next((each[k] for k in ("value", "code", "name") if k in each), None)
            label = next((each[k] for k in ("label", "description", "title") if k in each), code)
            if code is None:
                return None
            pairs.append((str(code), str(label)))
        else:
            pairs.append((str(each), str(each)))
    return pairs


def missing_of(
    text: str, kind: Kind | None
) -> tuple[tuple[Value, ...], tuple[MissingRange, ...], tuple[Category, ...]]:
    """Read missing values: ``-9``, ``-9; -8``, ``90 to 99``, ``lo thru -1``, ``-9 = Refused``."""
    values: list[Value] = []
    ranges: list[MissingRange] = []
    labels: list[Category] = []
    for item in filter(str.strip, re.split(r"[|;\n]|,(?!\s*[A-Za-z])", text.strip("{}[]()"))):
        span = _RANGE.fullmatch(item) if kind != Kind.CHARACTER else None
        if span is not None and not _NUMBER.fullmatch(item.strip()):
            ranges.append(MissingRange(_end(span["low"]), _end(span["high"])))
            continue
        bare = item.strip().strip("\"'")
        match = _PAIR.fullmatch(bare)
        if match is not None and match["label"] and value_of(bare, kind) == bare:
            value = value_of(match["code"], kind)
            labels.append(Category(value, match["label"], missing=True))
        else:
            value = value_of(bare, kind)
        if kind == Kind.CHARACTER or not isinstance(value, str):
            values.append(value)
    return tuple(dict.fromkeys(values)), tuple(ranges), tuple(labels)


def _end(text: str) -> float:
    if text.lower().startswith("lo"):
        return -math.inf
    return math.inf if text.lower().startswith("hi") else float(text)
