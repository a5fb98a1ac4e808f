"""What system files and portable files of SPSS have in common: variables as SPSS stores them.

Source: IBM SPSS Statistics Command Syntax Reference (limits of names, labels, missing values).
"""

from __future__ import annotations

import dataclasses
import math
import sys
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.loss import Loss
from tabkit.write.metadata_loss import count_true
from tabkit.write.stat_columns import (
    SPSS_CLOCK,
    cut_texts,
    declared_width,
    inexact,
    is_text,
    longest,
    losses,
    raw_number,
)
from tabkit.write.stat_formats import format_losses, spss_format, told_spss
from tabkit.write.stat_names import NameRules, cut_bytes, legal_names, name_losses, plain_ascii

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tabkit.model import MissingRange, Table, Variable

SYSTEM_MISSING: Final = -sys.float_info.max
_STRING_MISSING_BYTES: Final = 8
_DISCRETE, _BESIDE_A_RANGE = 3, 1
_FIRST_DAY: Final = pa.scalar(-SPSS_CLOCK.epoch, pa.int32()).cast(pa.date32())


@dataclasses.dataclass(frozen=True, slots=True)
class SpssLimits:
    """Limits of one format.

    Attributes:
        names: Rules of names.
        text: Bytes of a string.
        label: Bytes of a variable label.
        value_label: Bytes of a value label.
        is_ascii: All text is ASCII.
    """

    names: NameRules
    text: int
    label: int
    value_label: int
    is_ascii: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class SpssColumn:
    """A variable as SPSS stores it.

    Attributes:
        name: Legal and unique.
        variable: As the table has it.
        kind: Type of the plain Arrow column.
        width: Bytes of a string, 0 for a number.
        shown: Code, width and decimals of the format.
        label: The variable label.
        labels: Value labels.
        missing: Discrete missing values.
        span: A range of missing values.
    """

    name: str
    variable: Variable
    kind: pa.DataType
    width: int
    shown: tuple[int, int, int]
    label: str
    labels: tuple[tuple[float | str, str], ...]
    missing: tuple[float | str, ...]
    span: MissingRange | None


def plan_spss(table: Table, limits: SpssLimits) -> tuple[Table, list[SpssColumn], list[Loss]]:
    """Plan the columns of a plain table.

    Returns:
        The table with texts that fit, its columns, and what does not fit.
    """
    old = [variable.name for variable in table.variables]
    names = legal_names(old, limits.names)
    found = name_losses(old, names)
    columns, data = [], []
    for place, variable in enumerate(table.variables):
        column, lost = _fitting(table.data.column(place), variable.name, limits)
        data.append(column)
        planned, more = _plan(variable, names[place], column, limits)
        columns.append(planned)
        found += lost + more
    texts = pa.table(data, names=table.data.column_names)
    return dataclasses.replace(table, data=texts), columns, found


def fit_text(text: str, limit: int, limits: SpssLimits) -> str:
    """Return a label as the format can hold it: SPSS drops blanks and NULs at its end."""
    text = text.replace("\0", "")
    return cut_bytes(_printable(text) if limits.is_ascii else text, limit).rstrip(" ")


def _printable(text: str) -> str:
    """Return a text in ASCII without line ends and other control characters."""
    return "".join(each if each >= " " else " " for each in plain_ascii(text))


def _fitting(
    column: pa.ChunkedArray, name: str, limits: SpssLimits
) -> tuple[pa.ChunkedArray, list[Loss]]:
    """Return data that SPSS can hold, and how many cases are concerned."""
    if not is_text(column.type):
        return column, _number_losses(column, name)
    found = losses("missing strings became blank strings", name, column.null_count)
    ends = count_true(pc.match_substring_regex(column, r"[ \x00]\z"))
    found += losses("blanks at the end of strings are not kept", name, ends)
    if limits.is_ascii:
        column, count = _ascii_texts(column)
        found += losses(
            "strings with characters that are not printable ASCII: replaced", name, count
        )
    column, count = cut_texts(column, limits.text)
    found += losses(f"strings of more than {limits.text:,} bytes were cut", name, count)
    return column, found


def _ascii_texts(column: pa.ChunkedArray) -> tuple[pa.ChunkedArray, int]:
    count = count_true(pc.match_substring_regex(column, r"[^ -~]"))
    if not count:
        return column, 0
    texts = (None if text is None else _printable(text) for text in column.to_pylist())
    return pa.chunked_array([pa.array(texts, pa.string())]), count


def _number_losses(column: pa.ChunkedArray, name: str) -> list[Loss]:
    kind = column.type
    if pa.types.is_boolean(kind):
        return [Loss("true and false became 1 and 0", name)]
    if pa.types.is_floating(kind):
        found = losses("not-a-number became system-missing", name, count_true(pc.is_nan(column)))
        taken = count_true(pc.equal(column, SYSTEM_MISSING))
        return found + losses("values of SPSS's system-missing", name, taken)
    what = "integers of more than 53 bits were rounded"
    if pa.types.is_temporal(kind):
        what = "fractions of a second were rounded"
    found = losses(what, name, inexact(column, SPSS_CLOCK))
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        early = count_true(pc.less(column.cast(pa.date32(), safe=False), _FIRST_DAY))
        found += losses("dates before 14 October 1582, which SPSS does not show", name, early)
    return found


def _plan(
    variable: Variable, name: str, column: pa.ChunkedArray, limits: SpssLimits
) -> tuple[SpssColumn, list[Loss]]:
    kind, old = column.type, variable.name
    labels, found = _labels(variable, kind, limits)
    missing, span, lost = _missing(variable, kind, limits)
    width = _width(variable, column, [*(value for value, _ in labels), *missing], limits)
    shown = spss_format(variable, kind, width)
    label = fit_text(variable.label, limits.label, limits)
    if label != variable.label:
        found.append(Loss(f"the variable label became {label!r}", old))
    found += lost + format_losses(variable, told_spss(shown, width), kind)
    return SpssColumn(name, variable, kind, width, shown, label, labels, missing, span), found


def _width(
    variable: Variable, column: pa.ChunkedArray, codes: Iterable[float | str], limits: SpssLimits
) -> int:
    """Return the declared width of a string, or as many bytes as its values and codes need."""
    if not is_text(column.type):
        return 0
    wanted = declared_width(variable.storage, "A")
    widest = max((len(code.encode()) for code in codes if isinstance(code, str)), default=1)
    return min(limits.text, max(1, wanted, widest, longest(column)))


def _labels(
    variable: Variable, kind: pa.DataType, limits: SpssLimits
) -> tuple[tuple[tuple[float | str, str], ...], list[Loss]]:
    kept: dict[float | str, str] = {}
    tagged, unfit, cut, marked = 0, 0, 0, 0
    for category in variable.categories:
        value = _code(category.value, kind, limits)
        if value is None:
            is_tag = category.missing and isinstance(category.value, str) and not is_text(kind)
            tagged += is_tag
            unfit += not is_tag
            continue
        label = fit_text(category.label, limits.value_label, limits)
        cut += label != category.label or (isinstance(value, str) and value != category.value)
        unfit += value in kept
        marked += category.missing and not variable.is_user_missing(category.value)
        kept[value] = label
    name = variable.name
    found = losses("labels of tagged missings", name, tagged)
    found += losses("labels of codes that the column cannot have, or has twice", name, unfit)
    found += losses("value labels or their codes were cut or changed", name, cut)
    found += losses("categories are no longer marked as missing", name, marked)
    return tuple(kept.items()), found


def _code(value: float | str, kind: pa.DataType, limits: SpssLimits) -> float | str | None:
    if not is_text(kind):
        number = raw_number(value, kind, SPSS_CLOCK)
        # A portable file spells numbers out, and has no word for infinite ones.
        return None if number and limits.is_ascii and math.isinf(number) else number
    if not isinstance(value, str):
        return None
    text = value.replace("\0", "").rstrip(" ")
    text = _printable(text).rstrip(" ") if limits.is_ascii else text
    return text if len(text.encode()) <= limits.text else None


def _missing(
    variable: Variable, kind: pa.DataType, limits: SpssLimits
) -> tuple[tuple[float | str, ...], MissingRange | None, list[Loss]]:
    """Return discrete missing values, a range, and what is more than SPSS can define."""
    codes = [_code(value, kind, limits) for value in variable.missing_values]
    spans = [] if is_text(kind) else list(variable.missing_ranges)
    single = [span.low for span in spans if span.low == span.high]
    spans = [span for span in spans if span.low < span.high]
    given = list(dict.fromkeys(code for code in codes if code is not None and _fits(code)))
    discrete = list(dict.fromkeys([*given, *single]))
    kept = discrete[: _BESIDE_A_RANGE if spans else _DISCRETE]
    wanted = len(set(variable.missing_values)) + len(variable.missing_ranges)
    lost = wanted - len(given) - len(single) - len(spans[:1]) + len(discrete) - len(kept)
    what = "missing values beyond 3 values, or a range and a value"
    found = losses(what, variable.name, max(lost, 0))
    changed = sum(
        isinstance(code, str) and is_text(kind) and code != value
        for code, value in zip(codes, variable.missing_values, strict=True)
    )
    found += losses("missing values were changed", variable.name, changed)
    return tuple(kept), next(iter(spans), None), found


def _fits(code: float | str) -> bool:
    return not isinstance(code, str) or len(code.encode()) <= _STRING_MISSING_BYTES
