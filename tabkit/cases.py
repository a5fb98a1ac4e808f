"""Choosing cases: a stream and a condition or ranges go in, a stream of those cases comes out.

A comparison with a missing value is neither true nor false (Kleene's logic), and so is one with
a value that its variable declares missing; a case is kept where the whole condition is true.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import math
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.condition import (
    Comparison,
    Condition,
    Constant,
    Either,
    Every,
    Membership,
    Missing,
    Name,
    Not,
    names_in,
)
from tabkit.describe.columns import plain
from tabkit.describe.moments import moment_text
from tabkit.errors import UsageError, VariableNotFoundError
from tabkit.model import Block, TableStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tabkit.model import Variable
    from tabkit.selection import Span

    Column = Callable[[str], pa.Array]

_OPERATIONS: Final = {
    "=": pc.equal,
    "!=": pc.not_equal,
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
}
_TURNED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_SPSS_DAY: Final = -141_428  # of 1970-01-01, where SPSS' seconds begin: 1582-10-14
_DAY: Final = 86_400
_UNITS: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def choose_cases(
    stream: TableStream,
    condition: Condition | None = None,
    spans: Sequence[Span] = (),
    *,
    typed: Callable[[str, pa.Array], pa.Array] | None = None,
) -> TableStream:
    """Keep the cases of which a condition is true and whose number is in one of the ranges.

    Args:
        stream: Read block by block.
        condition: None keeps all.
        spans: Numbers of cases in the stream; none keeps all. Reading stops after the last.
        typed: Gives a column its type, where the stream's columns are text still.

    Raises:
        UsageError: A value is not of its variable's type.
        VariableNotFoundError: The condition names a variable that the stream has not.
    """
    by_name = {variable.name: variable for variable in stream.variables}
    for each in names_in(condition) if condition else ():
        if each.name not in by_name:
            stream.close()
            raise VariableNotFoundError(each.name, list(by_name))
    if condition is not None:
        empty = pa.RecordBatch.from_pylist([], schema=stream.schema)
        with _closed_on_error(stream):
            _evaluate(condition, _columns(empty, by_name, typed), by_name)
    return dataclasses.replace(
        stream, blocks=_chosen(stream, condition, spans, by_name, typed), cases=None
    )


class _closed_on_error:  # noqa: N801 - read as a word of the with statement
    def __init__(self, stream: TableStream) -> None:
        self._stream = stream

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._stream.close()


def _chosen(
    stream: TableStream,
    condition: Condition | None,
    spans: Sequence[Span],
    by_name: dict[str, Variable],
    typed: Callable[[str, pa.Array], pa.Array] | None,
) -> Iterator[Block]:
    done = 0
    with stream:
        for block in stream.blocks:
            mask = _numbered(done, block.data.num_rows, spans)
            if condition is not None:
                found = _evaluate(condition, _columns(block.data, by_name, typed), by_name)
                mask = found if mask is None else pc.and_kleene(mask, found)
            done += block.data.num_rows
            if mask is None:
                yield block
                continue
            tags = {name: each.filter(mask) for name, each in block.missing_tags.items()}
            yield Block(block.data.filter(mask), tags)
            if spans and all(span.last is not None and span.last <= done for span in spans):
                return


def _numbered(done: int, rows: int, spans: Sequence[Span]) -> pa.BooleanArray | None:
    """Tell which of the cases after the first ``done`` are in a range."""
    if not spans:
        return None
    mask = np.zeros(rows, np.bool_)
    for span in spans:
        first = max(span.first - 1 - done, (span.first - 1 - done) % span.step)
        last = rows if span.last is None else max(0, span.last - done)
        mask[first : last : span.step] = True
    return pa.array(mask)


def _columns(
    data: pa.RecordBatch,
    by_name: dict[str, Variable],
    typed: Callable[[str, pa.Array], pa.Array] | None,
) -> Column:
    """Return a function that gives a variable's values, null where they are missing."""

    @functools.cache
    def column(name: str) -> pa.Array:
        array = data.column(name)
        array = plain(array if typed is None else typed(name, array))
        if pa.types.is_floating(array.type):
            array = pc.if_else(pc.is_nan(array), None, array)  # missing, wherever it stands
        missing = _declared_missing(array, by_name[name])
        return array if missing is None else pc.if_else(missing, None, array)

    return column


def _declared_missing(array: pa.Array, variable: Variable) -> pa.BooleanArray | None:
    if not variable.missing_values and not variable.missing_ranges:
        return None
    kind = array.type
    if pa.types.is_large_string(kind):
        declared = pa.array([v for v in variable.missing_values if isinstance(v, str)], kind)
        return pc.is_in(array, declared)
    if pa.types.is_temporal(kind):
        return _missing_moments(array, variable)
    values = array.fill_null(0).to_numpy(zero_copy_only=False)
    mask = np.isin(values, [v for v in variable.missing_values if not isinstance(v, str)])
    for span in variable.missing_ranges:
        mask |= (values >= span.low) & (values <= span.high)
    return pa.array(mask)


def _missing_moments(array: pa.Array, variable: Variable) -> pa.BooleanArray:
    kind = array.type
    width = len("YYYY-MM-DD") if pa.types.is_date32(kind) else None
    texts = {str(value)[:width] for value in variable.missing_values}
    counts = array.cast(pa.int32() if pa.types.is_date32(kind) else pa.int64())
    distinct = pc.unique(counts.drop_null()).to_pylist()
    declared = [each for each in distinct if moment_text(each, kind, separator=" ") in texts]
    unit = 1 / _DAY if pa.types.is_date32(kind) else _UNITS[kind.unit]
    start = 0 if pa.types.is_duration(kind) else _SPSS_DAY * _DAY
    for each in distinct:
        seconds = each / unit - start
        if any(span.low <= seconds <= span.high for span in variable.missing_ranges):
            declared.append(each)
    return pc.is_in(counts, pa.array(declared, counts.type))


def _evaluate(
    condition: Condition, column: Column, by_name: dict[str, Variable]
) -> pa.BooleanArray:
    match condition:
        case Every(parts):
            return functools.reduce(
                pc.and_kleene, (_evaluate(part, column, by_name) for part in parts)
            )
        case Either(parts):
            return functools.reduce(
                pc.or_kleene, (_evaluate(part, column, by_name) for part in parts)
            )
        case Not(part):
            return pc.invert(_evaluate(part, column, by_name))
        case Missing(name):
            return pc.is_null(column(name.name))
        case Membership(name, values):
            array = column(name.name)
            wanted = [_scalar(value, name, array.type, by_name) for value in values]
            options = [pc.equal(array, each) for each in wanted]
            return functools.reduce(pc.or_kleene, options)
        case Comparison(left, operator, right):
            return _compared(left, operator, right, column, by_name)
    raise AssertionError(condition)


def _compared(
    left: Name | Constant,
    operator: str,
    right: Name | Constant,
    column: Column,
    by_name: dict[str, Variable],
) -> pa.BooleanArray:
    if isinstance(left, Constant):
        if isinstance(right, Constant):
            msg = f"character {left.position} of the condition: two values are compared"
            raise UsageError(msg)
        left, right, operator = right, left, _TURNED.get(operator, operator)
    array = column(left.name)
    if isinstance(right, Constant):
        return _OPERATIONS[operator](array, _scalar(right, left, array.type, by_name))
    other = column(right.name)
    if _class_of(array.type) != _class_of(other.type):
        msg = (
            f"character {left.position} of the condition: {left.name} holds "
            f"{_class_of(array.type)} and {right.name} {_class_of(other.type)}"
        )
        raise UsageError(msg)
    return _OPERATIONS[operator](array, other)


def _class_of(kind: pa.DataType) -> str:
    if pa.types.is_large_string(kind):
        return "text"
    if pa.types.is_date32(kind) or pa.types.is_timestamp(kind):
        return "dates"
    return "times" if pa.types.is_duration(kind) else "numbers"


def _scalar(
    value: Constant, name: Name, kind: pa.DataType, by_name: dict[str, Variable]
) -> pa.Scalar:
    """Return a value in the type of its variable's column."""
    holds = _class_of(kind)
    given = value.value
    if holds == "text" and isinstance(given, str) and not value.is_date:
        return pa.scalar(given, kind)
    if holds == "numbers" and not isinstance(given, str):
        return _number(given)
    if holds in ("dates", "times") and isinstance(given, str):
        moment = _moment(given, kind)
        if moment is not None:
            return moment
    if holds == "text" and value.is_date:
        return pa.scalar(given, kind)
    raise UsageError(_mismatch(value, name, holds, by_name[name.name]))


def _number(given: float) -> pa.Scalar:
    if isinstance(given, int) and -(2**63) <= given < 2**63:
        return pa.scalar(given, pa.int64())
    try:
        return pa.scalar(float(given), pa.float64())
    except OverflowError:
        return pa.scalar(math.inf if given > 0 else -math.inf, pa.float64())


def _moment(text: str, kind: pa.DataType) -> pa.Scalar | None:
    try:
        if pa.types.is_duration(kind):
            time = datetime.time.fromisoformat(text)
            midnight = datetime.datetime.combine(datetime.date.min, datetime.time.min)
            delta = datetime.datetime.combine(datetime.date.min, time) - midnight
            return pa.scalar(delta, pa.duration("us"))
        moment = datetime.datetime.fromisoformat(text)
        if pa.types.is_date32(kind) and moment.time() == datetime.time.min:
            return pa.scalar(moment.date(), kind)
        zone = datetime.UTC if getattr(kind, "tz", None) else None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        return pa.scalar(moment, pa.timestamp("us", getattr(kind, "tz", None)))
    except (ValueError, pa.ArrowInvalid, TypeError):
        return None


def _mismatch(value: Constant, name: Name, holds: str, variable: Variable) -> str:
    text = f"character {value.position} of the condition: {name.name} holds {holds}, "
    if holds == "text":
        return text + f"so {value.value} stands in quotes"
    if holds == "numbers":
        labelled = [each for each in variable.categories if each.label == value.value]
        code = f"; {value.value!r} has the code {labelled[0].value}" if labelled else ""
        return text + f"not {value.value!r}{code}"
    example = "2024-03-01" if holds == "dates" else "'12:30:00'"
    return text + f"not {value.value!r}; write {example}"
