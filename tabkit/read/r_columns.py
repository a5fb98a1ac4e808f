"""Columns of an R data frame become columns of tabkit's model: one plan a column, read in parts.

Nothing is dropped without a word: a list becomes JSON text, a complex number text, a matrix or a
frame within the frame several columns; only what is no data at all (functions, pointers) is left
out, by name.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.model import Category, Finding, Kind, Measure, Variable
from tabkit.profiles import TABKIT
from tabkit.read import r_moments, r_numbers, spss_temporal, stata_temporal
from tabkit.read.kinds import typed_variable
from tabkit.read.r_json import complex_text, json_texts
from tabkit.read.r_metadata import FORMATS, described, unknown_classes
from tabkit.read.r_objects import (
    ATOMIC,
    DamagedError,
    RObject,
    classes_of,
    elements_of,
    named_elements,
    numbers_of,
    text_list,
    text_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_SPSS_CODES: Final = {name: code for code, name in spss_temporal.FORMAT_NAMES.items()}
_PERIODS: Final = frozenset("wmqhy")  # Stata's dates that haven leaves numbers
_OPENED: Final = frozenset(("data.frame", "vctrs_rcrd"))


@dataclasses.dataclass(slots=True)
class Context:
    """What the plans of one frame share.

    Attributes:
        cases: Of the frame.
        frame_labels: Labels that the frame itself holds.
        findings: Gets what is noticed while planning.
        faults: Gets, by variable, counts of what is noticed while reading.
        is_ascii: The file spells numbers out.
    """

    cases: int
    is_ascii: bool = False
    frame_labels: Mapping[str, str] = dataclasses.field(default_factory=dict)
    findings: list[Finding] = dataclasses.field(default_factory=list)
    faults: dict[str, Counter[str]] = dataclasses.field(default_factory=dict)

    def note(self, text: str, name: str, severity: str = "info") -> None:
        """Add a finding on a variable."""
        self.findings.append(Finding(text, severity, name))

    def counter(self, name: str) -> Counter[str]:
        """Return the faults of a variable."""
        return self.faults.setdefault(name, Counter())


@dataclasses.dataclass(frozen=True, slots=True)
class Plan:
    """How one column is read.

    Attributes:
        variable: All that is known of it.
        kind: Its Arrow type.
        cells: Gives the cases from one place to another, and the tags of those that have one.
        source: The object it is read from.
    """

    variable: Variable
    kind: pa.DataType
    cells: Callable[[int, int], tuple[pa.Array, pa.Array | None]]
    source: RObject


def plan_column(name: str, column: RObject, context: Context) -> list[Plan]:
    """Plan a column of a frame: one plan, several for a column of columns, none for no data.

    Raises:
        DamagedError: It has not as many values as the frame has cases.
    """
    classes = classes_of(column)
    if column.kind == "list" and "POSIXlt" in classes:
        return [_broken_down(name, column, context)]
    if column.kind == "list" and _OPENED.intersection(classes):
        return _opened(name, named_elements(column), context, "a frame within the frame")
    dims = numbers_of(column.attributes.get("dim"))
    if column.kind in ATOMIC and len(dims) == 2:  # noqa: PLR2004 - rows and columns
        return _opened(name, matrix_columns(column, dims), context, "a matrix")
    if column.kind not in ATOMIC | {"list"}:
        context.note(f"the column is no data but {column.kind}; it is left out", name, "warning")
        return []
    if len(column) != context.cases:
        reason = f"variable {name} has {len(column):,} values, the frame {context.cases:,} cases"
        raise DamagedError(reason)
    variable = described(name, column, context.frame_labels, context.findings)
    for test, make in _BY_CLASS:
        if test in classes and column.kind in ATOMIC:
            return [make(variable, column, context)]
    for each in unknown_classes(column):
        text = f"the class {each!r} is not known; the values are read as they are stored"
        context.note(text, name)
    if unknown := unknown_classes(column):
        pairs = (*variable.attributes, ("class", " ".join(unknown)))
        variable = dataclasses.replace(variable, attributes=pairs)
    return [_BY_KIND[column.kind](variable, column, context)]


def matrix_columns(column: RObject, dims: list[float]) -> list[tuple[str, RObject]]:
    """Return the columns of a matrix with their names, ``1``, ``2``, … where it has none."""
    rows, count = (int(each) for each in dims)
    if rows < 0 or count < 0 or rows * count != len(column):
        raise DamagedError(f"a matrix of {rows:,} x {count:,} has {len(column):,} values")
    outer = column.attributes.get("dimnames")
    names = text_list(elements_of(outer)[1]) if len(elements_of(outer)) > 1 else []
    kept = {k: v for k, v in column.attributes.items() if k not in {"dim", "dimnames", "names"}}
    pieces = []
    for place in range(count):
        start, stop = place * rows, (place + 1) * rows
        values = (
            column.values.part(start, stop)
            if column.kind == "character"
            else column.values[start:stop]
        )
        name = (names[place] if place < len(names) else None) or f"{place + 1}"
        pieces.append((name, RObject(column.kind, values, kept)))
    return pieces


def _opened(
    name: str, columns: list[tuple[str, RObject]], context: Context, what: str
) -> list[Plan]:
    context.note(f"{what}: {len(columns):,} variables are made of it", name)
    plans = []
    for place, (inner, each) in enumerate(columns):
        plans += plan_column(f"{name}.{inner or place + 1}", each, context)
    return plans


def _plan(
    variable: Variable,
    column: RObject,
    kind: pa.DataType,
    cells: Callable[[Any], pa.Array | tuple[pa.Array, pa.Array | None]],
) -> Plan:
    """Finish a plan; ``cells`` makes an array of a part of the stored values."""

    def read(start: int, stop: int) -> tuple[pa.Array, pa.Array | None]:
        found = cells(column.values[start:stop])
        return found if isinstance(found, tuple) else (found, None)

    return Plan(_typed(variable, column, kind), kind, read, column)


def _typed(variable: Variable, column: RObject, kind: pa.DataType) -> Variable:
    typed = typed_variable(variable, kind)
    return dataclasses.replace(
        typed,
        decimals=variable.decimals if typed.kind is Kind.NUMERIC else None,
        storage=variable.storage or column.kind,
    )


def _stored(variable: Variable, storage: str) -> Variable:
    return dataclasses.replace(variable, storage=storage)


def _double(variable: Variable, column: RObject, context: Context) -> Plan:
    unit = stata_temporal.unit_of(text_of(column.attributes.get("format.stata")))
    if unit in _PERIODS and not variable.categories:
        return _period(variable, column, context, unit)
    spss = text_of(column.attributes.get("format.spss"))
    code = _SPSS_CODES.get(spss.rstrip("0123456789."), 0)
    if code in spss_temporal.TEMPORAL_CODES and not variable.categories:
        return _spss_moment(variable, column, code)
    return _plan(variable, column, pa.float64(), r_numbers.doubles)


def _period(variable: Variable, column: RObject, context: Context, unit: str) -> Plan:
    """Stata's months, quarters and so on, which haven leaves numbers."""
    counter = context.counter(variable.name)

    def cells(values: Any) -> tuple[pa.Array, pa.Array | None]:
        numbers, tags = r_numbers.doubles(values)
        missing = np.asarray(pc.or_(pc.is_null(numbers), pc.fill_null(pc.is_nan(numbers), True)))
        found = stata_temporal.decode_dates(numbers.fill_null(0).to_numpy(), missing, unit)
        counter[r_moments.FAR] += found.outside
        return found.column, tags

    plan = _plan(variable, column, stata_temporal.type_of(unit), cells)
    year = dataclasses.replace(plan.variable, format_category="date", bare=unit == "y")
    return dataclasses.replace(plan, variable=year)


def _spss_moment(variable: Variable, column: RObject, code: int) -> Plan:
    """SPSS formats such as MOYR that haven does not know: still SPSS's seconds."""

    def cells(values: Any) -> pa.Array:
        return spss_temporal.temporal_column(r_numbers.as_doubles(values), code, 0, TABKIT)

    return _plan(variable, column, spss_temporal.column_type(code, TABKIT), cells)


def _integer(variable: Variable, column: RObject, _: Context) -> Plan:
    return _plan(variable, column, pa.int32(), r_numbers.integers)


def _logical(variable: Variable, column: RObject, _: Context) -> Plan:
    return _plan(variable, column, pa.bool_(), r_numbers.logicals)


def _complex(variable: Variable, column: RObject, context: Context) -> Plan:
    context.note("complex numbers became text", variable.name)
    return _plan(
        variable,
        column,
        pa.string(),
        lambda values: pa.array([complex_text(each) for each in values.tolist()], pa.string()),
    )


def _raw(variable: Variable, column: RObject, _: Context) -> Plan:
    return _plan(variable, column, pa.int16(), lambda values: pa.array(values.astype(np.int16)))


def _list(variable: Variable, column: RObject, context: Context) -> Plan:
    context.note("a list became JSON text", variable.name)
    return _plan(variable, column, pa.string(), json_texts)


def _character(variable: Variable, column: RObject, context: Context) -> Plan:
    blank_is_missing = any(each in column.attributes for each in FORMATS[1:])
    counter = context.counter(variable.name)

    def read(start: int, stop: int) -> tuple[pa.Array, None]:
        texts = column.values.array(start, stop)
        if not blank_is_missing:
            return texts, None
        # A blank string is missing in Stata and SAS, where haven says this column is from.
        blank = pc.fill_null(pc.equal(texts, ""), False)
        counter["a blank string, which Stata and SAS have as missing"] += pc.sum(blank).as_py() or 0
        return pc.if_else(blank, pa.scalar(None, pa.string()), texts), None

    return Plan(_typed(variable, column, pa.string()), pa.string(), read, column)


def _factor(variable: Variable, column: RObject, context: Context) -> Plan:
    """Text of the levels; the levels are the categories, each its own label."""
    levels = text_list(column.attributes.get("levels"))
    ordered = "ordered" in classes_of(column)
    texts = pa.array([*levels, None], pa.string())
    counter = context.counter(variable.name)

    def cells(codes: Any) -> pa.Array:
        missing = codes == r_numbers.NA_INTEGER
        inside = (codes >= 1) & (codes <= len(levels))
        counter["a code that is no level: missing"] += int(np.count_nonzero(~inside & ~missing))
        return texts.take(pa.array(np.where(inside, codes - 1, len(levels)).astype(np.int64)))

    if column.kind != "integer":
        return _BY_KIND[column.kind](variable, column, context)
    variable = dataclasses.replace(
        variable,
        categories=tuple(
            Category(each, each) for each in dict.fromkeys(levels) if each is not None
        ),
        measure=Measure.ORDINAL if ordered else Measure.NOMINAL,
        storage="ordered" if ordered else "factor",
    )
    return _plan(variable, column, pa.string(), cells)


def _date(variable: Variable, column: RObject, context: Context) -> Plan:
    counter = context.counter(variable.name)
    return _plan(
        _stored(variable, "Date"),
        column,
        pa.date32(),
        lambda values: r_moments.dates(values, counter),
    )


def _zone(variable: Variable, column: RObject, context: Context) -> str | None:
    """Return the zone of date-times; haven's, which come from files without zones, have none."""
    zone = r_moments.zone_of(column)
    if zone == "UTC" and any(each in column.attributes for each in FORMATS):
        return None
    if zone is None:
        told = text_of(column.attributes.get("tzone"))
        what = f"the time zone {told!r} is not known" if told else "no time zone is stated"
        context.note(f"{what}; the times are given in UTC", variable.name)
    return zone or "UTC"


def _moment(variable: Variable, column: RObject, context: Context) -> Plan:
    zone, counter = _zone(variable, column, context), context.counter(variable.name)
    return _plan(
        _stored(variable, "POSIXct"),
        column,
        pa.timestamp("us", zone),
        lambda values: r_moments.moments(values, zone, counter),
    )


def _broken_down(name: str, column: RObject, context: Context) -> Plan:
    bare = dataclasses.replace(column, kind="double")
    variable = described(name, bare, context.frame_labels, context.findings)
    zone = _zone(variable, column, context)
    longest = max((len(each) for each in elements_of(column)), default=0)
    if longest != context.cases:
        raise DamagedError(f"variable {name} has {longest:,} values, the frame {context.cases:,}")
    whole = r_moments.broken_down(column, context.cases, zone)
    kind = whole.type
    variable = _typed(_stored(variable, "POSIXlt"), column, kind)
    return Plan(variable, kind, lambda start, stop: (whole[start:stop], None), column)


def _span(variable: Variable, column: RObject, context: Context) -> Plan:
    unit = text_of(column.attributes.get("units")) or "secs"
    counter = context.counter(variable.name)
    storage = "hms" if "hms" in classes_of(column) else "difftime"
    return _plan(
        _stored(variable, storage),
        column,
        pa.duration("us"),
        lambda values: r_moments.spans(values, unit, counter),
    )


def _long_integer(variable: Variable, column: RObject, context: Context) -> Plan:
    if column.kind != "double":
        return _BY_KIND[column.kind](variable, column, context)
    if context.is_ascii:  # their bytes are a double's, spelled with 16 digits or as NaN
        text = "64-bit integers: R's ASCII form loses those below 0 and digits of long ones"
        context.note(text, variable.name, "warning")
    return _plan(_stored(variable, "integer64"), column, pa.int64(), r_numbers.long_integers)


def _nano_moment(variable: Variable, column: RObject, _: Context) -> Plan:
    kind = pa.timestamp("ns", "UTC")
    return _plan(
        _stored(variable, "nanotime"),
        column,
        kind,
        lambda values: r_numbers.long_integers(values).view(kind),
    )


def _if_numbers(make: Callable[..., Plan]) -> Callable[..., Plan]:
    """Apply a meaning of numbers to numbers only."""

    def plan(variable: Variable, column: RObject, context: Context) -> Plan:
        fits = column.kind in {"integer", "double"}
        return (make if fits else _BY_KIND[column.kind])(variable, column, context)

    return plan


_BY_CLASS: Final[tuple[tuple[str, Callable[..., Plan]], ...]] = (
    ("factor", _factor),
    ("Date", _if_numbers(_date)),
    ("POSIXct", _if_numbers(_moment)),
    ("difftime", _if_numbers(_span)),
    ("ITime", _if_numbers(_span)),
    ("integer64", _long_integer),
    ("nanotime", _nano_moment),
)
_BY_KIND: Final[dict[str, Callable[[Variable, RObject, Context], Plan]]] = {
    "logical": _logical,
    "integer": _integer,
    "double": _double,
    "complex": _complex,
    "character": _character,
    "raw": _raw,
    "list": _list,
}
