"""Arrow columns of any file become columns of tabkit's model: one plan a column.

tabkit's types: booleans, signed integers, float32, float64, strings, date32, timestamps, times and
durations. What else Arrow knows becomes one of these, with a finding where that is more than a
change of size: nothing is dropped and no file is refused for one column.
"""

from __future__ import annotations

import base64
import dataclasses
import json
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.model import Category, Finding, Measure, Variable
from tabkit.read.kinds import typed_variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

LEVELS_KEPT: Final = 10_000  # a dictionary of more values is a way of storing text, not categories
_EXACT_DIGITS: Final = 15  # decimals of so many digits pass through a double unchanged
_TITLES: Final = (b"label", b"description", b"comment")
_PLAIN: Final = (
    pa.types.is_boolean,
    pa.types.is_signed_integer,
    pa.types.is_float32,
    pa.types.is_float64,
    pa.types.is_string,
    pa.types.is_date32,
    pa.types.is_timestamp,
    pa.types.is_time,
    pa.types.is_duration,
)


@dataclasses.dataclass(frozen=True, slots=True)
class ColumnPlan:
    """How one column is read.

    Attributes:
        index: Its place in the file.
        field: Name and type that it gets.
        convert: From an array of the file's type to one of ``field.type``.
        variable: What is known of it.
        findings: What a user should know.
    """

    index: int
    field: pa.Field
    convert: Callable[[pa.Array], pa.Array]
    variable: Variable
    findings: tuple[Finding, ...] = ()


def is_plain(kind: pa.DataType) -> bool:
    """Whether tabkit's model has this type."""
    return any(test(kind) for test in _PLAIN)


def _is_large_text(kind: pa.DataType) -> bool:
    return pa.types.is_large_string(kind) or _is_view(kind, "string_view")


# What is read as what, and what a user should know of it; None keeps the type.
_CASTS: Final[tuple[tuple[Callable[[pa.DataType], bool], pa.DataType | None, str], ...]] = (
    (is_plain, None, ""),
    (_is_large_text, pa.string(), ""),
    (pa.types.is_date64, pa.date32(), ""),
    (pa.types.is_float16, pa.float32(), ""),
    (pa.types.is_null, pa.int64(), "the column has no type and no values"),
)


def plan_column(
    index: int, field: pa.Field, name: str, values: Callable[[], Iterator[pa.Array]]
) -> ColumnPlan:
    """Plan a column of a file that tabkit did not write.

    Args:
        index: Its place in the file.
        field: Its name, type and metadata there.
        name: The name it gets.
        values: Gives the column from its beginning, array by array; called where the
            type alone does not settle how it is read.
    """
    kind, source = field.type, str(field.type)
    plan = ColumnPlan(index, field, _same, Variable(name, _title(field), storage=source))
    while isinstance(kind, pa.BaseExtensionType):
        kind = kind.storage_type
        plan = _then(plan, _storage)
    if pa.types.is_run_end_encoded(kind):
        kind = kind.value_type
        plan = _then(plan, pc.run_end_decode)
    if pa.types.is_dictionary(kind):
        plan = _with_levels(plan, kind, values)
        kind = kind.value_type
        plan = _then(plan, _decoded)
    return _settled(_typed(plan, kind, values), name)


def _typed(
    plan: ColumnPlan, kind: pa.DataType, values: Callable[[], Iterator[pa.Array]]
) -> ColumnPlan:
    for accepts, target, note in _CASTS:
        if accepts(kind):
            cast = _cast(plan, target or kind)
            return _noted(cast, note) if note else cast
    if pa.types.is_integer(kind):
        return _unsigned(plan, kind, values)
    if pa.types.is_decimal(kind):
        return _decimal(plan, kind, values)
    if is_bytes(kind):
        plan = _cast(plan, pa.binary())
        if _is_text(plan, values):
            return _noted(_then(plan, _utf8), "bytes were read as UTF-8 text")
        return _noted(_then(plan, _hex), "bytes became hexadecimal text")
    hint = "; --flatten makes a column of each field" if pa.types.is_struct(kind) else ""
    return _noted(_then(plan, _json), f"{str(kind)[:200]} became JSON text{hint}")


def _unsigned(
    plan: ColumnPlan, kind: pa.DataType, values: Callable[[], Iterator[pa.Array]]
) -> ColumnPlan:
    if not pa.types.is_uint64(kind) or _fits(plan, values):
        return _cast(plan, pa.int64())
    if all(_is_exact_double(plan.convert(array)) for array in values() if len(array)):
        return _noted(_cast(plan, pa.float64()), "integers beyond 63 bits became doubles")
    note = "integers beyond 63 bits became text, so that no digit is lost"
    return _noted(_cast(plan, pa.string()), note)


def _decimal(
    plan: ColumnPlan, kind: pa.DataType, values: Callable[[], Iterator[pa.Array]]
) -> ColumnPlan:
    if kind.precision <= _EXACT_DIGITS or _survives(plan, values):
        return _cast(plan, pa.float64())
    return _noted(_cast(plan, pa.string()), "decimals too long for a double became text")


def is_bytes(kind: pa.DataType) -> bool:
    """Whether values are bytes of no known meaning."""
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
        or _is_view(kind, "binary_view")
    )


def _is_view(kind: pa.DataType, name: str) -> bool:
    return str(kind) == name


def _settled(plan: ColumnPlan, name: str) -> ColumnPlan:
    """Give the column its final field, the variable its kind, and the findings its name."""
    kind = plan.convert(pa.nulls(0, plan.field.type)).type
    return dataclasses.replace(
        plan,
        field=pa.field(name, kind),
        variable=typed_variable(plan.variable, kind),
        findings=tuple(dataclasses.replace(each, variable=name) for each in plan.findings),
    )


def _then(plan: ColumnPlan, step: Callable[[pa.Array], pa.Array]) -> ColumnPlan:
    before = plan.convert
    return dataclasses.replace(plan, convert=lambda array: step(before(array)))


def _cast(plan: ColumnPlan, kind: pa.DataType) -> ColumnPlan:
    unsafe = pa.types.is_float64(kind) or pa.types.is_date32(kind)
    return _then(
        plan, lambda array: array if array.type == kind else array.cast(kind, safe=not unsafe)
    )


def _noted(plan: ColumnPlan, text: str) -> ColumnPlan:
    return dataclasses.replace(plan, findings=(*plan.findings, Finding(text)))


def _with_levels(
    plan: ColumnPlan, kind: pa.DictionaryType, values: Callable[[], Iterator[pa.Array]]
) -> ColumnPlan:
    """Make the values of a dictionary categories, in the order of the dictionary."""
    if not pa.types.is_string(kind.value_type) and not pa.types.is_large_string(kind.value_type):
        return plan
    levels: dict[str, None] = {}
    for array in values():
        levels.update(dict.fromkeys(plan.convert(array).dictionary.drop_null().to_pylist()))
        if len(levels) > LEVELS_KEPT:
            return plan
    measure = Measure.ORDINAL if kind.ordered else Measure.NOMINAL
    categories = tuple(Category(level, level) for level in levels)
    variable = dataclasses.replace(plan.variable, categories=categories, measure=measure)
    return dataclasses.replace(plan, variable=variable)


def _title(field: pa.Field) -> str:
    found = (field.metadata or {}).items()
    titles = {key.lower(): value for key, value in found}
    return next((titles[k].decode("utf-8", "replace") for k in _TITLES if k in titles), "")


def _same(array: pa.Array) -> pa.Array:
    return array


def _storage(array: pa.Array) -> pa.Array:
    return array.storage if isinstance(array, pa.ExtensionArray) else array


def _decoded(array: pa.Array) -> pa.Array:
    return array.cast(array.type.value_type)


def _utf8(array: pa.Array) -> pa.Array:
    return array.cast(pa.string())


def _hex(array: pa.Array) -> pa.Array:
    return pa.array([None if b is None else b.hex() for b in array.to_pylist()], pa.string())


def _json(array: pa.Array) -> pa.Array:
    texts = (
        None if item is None else json.dumps(item, ensure_ascii=False, default=_json_default)
        for item in _items(array)
    )
    return pa.array(texts, pa.string())


def _items(array: pa.Array) -> list[Any]:
    try:
        return list(array.to_pylist())
    except ValueError as error:  # two fields of one name
        raise pa.ArrowInvalid(str(error)) from error


def _json_default(item: object) -> str:
    return base64.b64encode(item).decode() if isinstance(item, bytes) else str(item)


def _fits(plan: ColumnPlan, values: Callable[[], Iterator[pa.Array]]) -> bool:
    """Whether unsigned integers are below 2**63."""
    limit = pa.scalar(2**63 - 1, pa.uint64())
    return not any(
        pc.any(pc.greater(plan.convert(array), limit)).as_py() for array in values() if len(array)
    )


def _is_exact_double(integers: pa.Array) -> bool:
    numbers = integers.drop_null().to_pylist()
    return all(int(float(number)) == number for number in numbers)


def _survives(plan: ColumnPlan, values: Callable[[], Iterator[pa.Array]]) -> bool:
    """Whether the shortest text of every decimal's double is the same decimal."""
    return all(_is_exact(plan.convert(array)) for array in values() if len(array))


def _is_exact(decimals: pa.Array) -> bool:
    try:
        back = decimals.cast(pa.float64(), safe=False).cast(pa.string()).cast(decimals.type)
    except pa.ArrowInvalid:
        return False
    return bool(pc.all(pc.equal(back, decimals), min_count=0).as_py())


def _is_text(plan: ColumnPlan, values: Callable[[], Iterator[pa.Array]]) -> bool:
    for array in values():
        try:
            plan.convert(array).cast(pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            return False
    return True


def unique_names(names: Sequence[str]) -> list[str]:
    """Make later ones of equal names unique by a number: ``x``, ``x_2``, ``x_3``."""
    taken, unique = set(names), []
    seen: set[str] = set()
    for name in names:
        fresh, number = name, 1
        while fresh in seen or (number > 1 and fresh in taken):
            number += 1
            fresh = f"{name}_{number}"
        seen.add(fresh)
        unique.append(fresh)
    return unique
