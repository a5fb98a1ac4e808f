"""Metadata as JSON and back: what Parquet and Arrow files carry and JSON outputs show.

JSON has no infinities and no NaN: such a number is the object ``{"float": "inf"}``, and the open
end of a missing range is null. Whole floats keep their point (``1.0``), so that a code of type
float comes back as float.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import math
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from tabkit.model import (
    Category,
    Interval,
    Kind,
    Measure,
    MissingRange,
    Origin,
    ResponseSet,
    Value,
    Variable,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tabkit.model import Table, TableStream

METADATA_VERSION: Final = 1

Json: TypeAlias = "dict[str, Any]"
_Item = TypeVar("_Item")
_NO_ORIGIN: Final = Origin()


@dataclasses.dataclass(frozen=True, slots=True)
class FileFacts:
    """What a file says of itself as a whole; the fields are those of `tabkit.model.Table`."""

    label: str = ""
    notes: tuple[str, ...] = ()
    response_sets: tuple[ResponseSet, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    origin: Origin = _NO_ORIGIN


def variable_to_json(variable: Variable, *, full: bool = False) -> Json:
    """Return the variable's metadata as JSON values.

    Args:
        variable: Any variable.
        full: Also the attributes that are not set; otherwise they are left out.
    """
    return _to_json(variable, _VARIABLE, full=full)


def variable_from_json(data: object) -> Variable:
    """Return the variable that `variable_to_json` was given; unknown keys are ignored.

    Raises:
        ValueError: A value is of another type than its attribute.
    """
    return _from_json(data, Variable, _VARIABLE)


def facts_to_json(table: Table | TableStream, *, full: bool = False) -> Json:
    """Return the facts of the file as JSON values; ``full`` as in `variable_to_json`."""
    facts = FileFacts(table.label, table.notes, table.response_sets, table.attributes, table.origin)
    return _to_json(facts, _FACTS, full=full)


def facts_from_json(data: object) -> FileFacts:
    """Return the facts that `facts_to_json` was given; unknown keys are ignored.

    Raises:
        ValueError: A value is of another type than its attribute.
    """
    return _from_json(data, FileFacts, _FACTS)


def value_to_json(value: Value) -> Value | Json:
    """Return a code as a JSON value."""
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": str(value)}
    return value


def encode(data: object) -> bytes:
    """Return compact JSON in UTF-8; in ASCII where text holds lone surrogates."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    try:
        return text.encode()
    except UnicodeEncodeError:
        return json.dumps(data, allow_nan=False, separators=(",", ":")).encode()


# A pair of functions (to JSON, from JSON) for every attribute; from JSON checks the type.
_Codec: TypeAlias = "tuple[Callable[[Any], Any], Callable[[Any], Any]]"


def _same(value: Any) -> Any:
    return value


def _checked(kind: type, *, optional: bool = False) -> _Codec:
    def check(value: object) -> object:
        if (optional and value is None) or type(value) is kind:
            return value
        msg = f"{value!r:.40} is not of type {kind.__name__}"
        raise ValueError(msg)

    return _same, check


def _list(data: object) -> list[Any]:
    if not isinstance(data, list):
        msg = f"{data!r:.40} is not a list"
        raise ValueError(msg)
    return data


def _listed(codec: _Codec) -> _Codec:
    to_json, from_json = codec
    return (
        lambda items: [to_json(item) for item in items],
        lambda data: tuple(from_json(item) for item in _list(data)),
    )


def _fields(kind: Callable[..., Any], codecs: Mapping[str, _Codec]) -> _Codec:
    return (
        lambda item: _to_json(item, codecs, full=False),
        lambda data: _from_json(data, kind, codecs),
    )


def _value(data: object) -> Value:
    if isinstance(data, dict):
        return float(str(data.get("float")))
    if isinstance(data, str | int | float) and not isinstance(data, bool):
        return data
    msg = f"{data!r:.40} is not a code"
    raise ValueError(msg)


def _pair(data: object) -> tuple[str, str]:
    items = _list(data)
    if len(items) != 2 or not all(isinstance(item, str) for item in items):  # noqa: PLR2004
        msg = f"{data!r:.40} is not a name and a text"
        raise ValueError(msg)
    return items[0], items[1]


def _range_to_json(span: MissingRange) -> Json:
    return {
        "low": None if span.low == -math.inf else value_to_json(span.low),
        "high": None if span.high == math.inf else value_to_json(span.high),
    }


def _range_from_json(data: object) -> MissingRange:
    if not isinstance(data, dict):
        msg = f"{data!r:.40} is not a range"
        raise ValueError(msg)
    low, high = data.get("low"), data.get("high")
    return MissingRange(
        -math.inf if low is None else float(_value(low)),
        math.inf if high is None else float(_value(high)),
    )


def _moment(data: object) -> datetime.datetime | None:
    return None if data is None else datetime.datetime.fromisoformat(str(data))


_TEXT: Final = _checked(str)
_WHOLE: Final = _checked(int, optional=True)
_FLAG: Final = _checked(bool)
_VALUE: Final[_Codec] = (value_to_json, _value)
_PAIRS: Final = _listed((list, _pair))
_MOMENT: Final[_Codec] = (lambda moment: moment and moment.isoformat(), _moment)
_CATEGORY: Final = _fields(
    Category, MappingProxyType({"value": _VALUE, "label": _TEXT, "missing": _FLAG})
)
_RESPONSE_SET: Final = _fields(
    ResponseSet,
    MappingProxyType(
        {
            "name": _TEXT,
            "label": _TEXT,
            "variables": _listed(_TEXT),
            "counted": _checked(str, optional=True),
        }
    ),
)
_ORIGIN: Final[Mapping[str, _Codec]] = MappingProxyType(
    {
        **dict.fromkeys(("file_name", "media_type", "format", "format_version", "encoding"), _TEXT),
        "size": _WHOLE,
        **dict.fromkeys(("md5", "sha256"), _TEXT),
        **dict.fromkeys(("created", "modified"), _MOMENT),
        "product": _TEXT,
    }
)
_VARIABLE: Final[Mapping[str, _Codec]] = MappingProxyType(
    {
        **dict.fromkeys(("name", "label"), _TEXT),
        "kind": (str, Kind),
        "interval": (
            lambda interval: interval and str(interval),
            lambda data: None if data is None else Interval(data),
        ),
        "measure": (str, Measure),
        **dict.fromkeys(("display_format", "format_category"), _TEXT),
        **dict.fromkeys(("decimals", "width", "display_width"), _WHOLE),
        **dict.fromkeys(("alignment", "storage"), _TEXT),
        "categories": _listed(_CATEGORY),
        "missing_values": _listed(_VALUE),
        "missing_ranges": _listed((_range_to_json, _range_from_json)),
        "weight": _FLAG,
        **dict.fromkeys(("role", "question"), _TEXT),
        "attributes": _PAIRS,
        "bare": _FLAG,
    }
)
_FACTS: Final[Mapping[str, _Codec]] = MappingProxyType(
    {
        "label": _TEXT,
        "notes": _listed(_TEXT),
        "response_sets": _listed(_RESPONSE_SET),
        "attributes": _PAIRS,
        "origin": _fields(Origin, _ORIGIN),
    }
)


def _to_json(item: Any, codecs: Mapping[str, _Codec], *, full: bool) -> Json:
    plain = {field.name: field.default for field in dataclasses.fields(item)}
    return {
        name: to_json(value)
        for name, (to_json, _) in codecs.items()
        if (value := getattr(item, name)) != plain[name] or full
    }


def _from_json(data: object, kind: Callable[..., _Item], codecs: Mapping[str, _Codec]) -> _Item:
    if not isinstance(data, dict):
        msg = f"{data!r:.40} is not an object"
        raise ValueError(msg)
    try:
        return kind(**{name: codecs[name][1](data[name]) for name in data if name in codecs})
    except (TypeError, OverflowError) as error:
        raise ValueError(str(error)) from error
