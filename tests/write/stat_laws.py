"""The law of every writer of a statistics format: what the ledger does not name comes back."""

from __future__ import annotations

import dataclasses
import math
import re
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from tabkit.options import ReadOptions
from tabkit.read import read_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabkit.loss import Ledger
    from tabkit.model import Table, TableStream, Value, Variable

_RENAMED = re.compile(r"the name became (.*)", re.DOTALL)
#: Words of losses that concern values of cases.
_DATA = re.compile(
    "strings|rounded|values of|no type|bytes|infinite|zeros|time zone|numbers|truth|not-a-number"
    "|became (null|JSON|doubles|text|hexa|times)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Trip:
    """A table, what its writer told, and the table that was read back."""

    table: Table
    ledger: Ledger
    back: Table

    def told(self, name: str) -> str:
        """All that the ledger says of a variable, "" for the file."""
        return "; ".join(loss.what for loss in self.ledger if loss.variable == name)

    def pairs(self) -> list[tuple[Variable, Variable, str]]:
        """Variables with what they became and what the ledger says of them."""
        both = zip(self.table.variables, self.back.variables, strict=True)
        return [(old, new, self.told(old.name)) for old, new in both]


def travel(
    table: Table,
    write: Callable[[Table, Path], Ledger],
    open_: Callable[[Path, ReadOptions], TableStream],
) -> Trip:
    """Write a table and read it back."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "file"
        ledger = write(table, path)
        return Trip(table, ledger, read_all(open_(path, ReadOptions())))


def check_names(trip: Trip) -> None:
    """A name stays, or the ledger tells the new one."""
    for old, new, told in trip.pairs():
        renamed = _RENAMED.search(told)
        assert new.name == (renamed[1].split("; ")[0] if renamed else old.name)


def check_labels(trip: Trip) -> None:
    """Variable labels and the label of the file."""
    for old, new, told in trip.pairs():
        assert new.label == old.label or "variable label" in told
    assert trip.back.label == trip.table.label or "file label" in trip.told("")


def check_data(trip: Trip, *, blank_is_missing: bool) -> None:
    """Values of all cases, as numbers, texts, dates; missing strings as the format has them."""
    if "blank cases" in trip.told(""):
        return
    for old, new, told in trip.pairs():
        given = trip.table.data[old.name]
        found = trip.back.data[new.name]
        if _DATA.search(told):
            continue
        wanted = cells(given, blank_is_missing=blank_is_missing)
        assert cells(found, blank_is_missing=blank_is_missing) == wanted, (old, told)


def cells(column: pa.ChunkedArray, *, blank_is_missing: bool = False) -> list[object]:
    """Cells so that equal values of different types are equal, and -0 is not 0."""
    if pa.types.is_timestamp(column.type) or pa.types.is_duration(column.type):
        same = pa.timestamp("us") if pa.types.is_timestamp(column.type) else pa.duration("us")
        return list(column.cast(same).cast(pa.int64()).to_pylist())
    values = column.to_pylist()
    if pa.types.is_string(column.type):
        return [(value or None) if blank_is_missing else (value or "") for value in values]
    if pa.types.is_date(column.type):
        return list(values)
    numbers = [math.nan if value is None else float(value) for value in values]
    return [None if math.isnan(number) else repr(number) for number in numbers]


def check_tags(trip: Trip) -> None:
    """Letters of missing cases."""
    for old, new, told in trip.pairs():
        given = trip.table.missing_tags.get(old.name)
        if given is None or "tagged" in told or pa.types.is_string(trip.table.data[old.name].type):
            continue
        missing = trip.back.data[new.name].is_null().to_pylist()
        wanted = [t if gone else 0 for t, gone in zip(given.to_pylist(), missing, strict=True)]
        found = trip.back.missing_tags.get(new.name)
        assert (found.to_pylist() if found is not None else [0] * len(wanted)) == wanted


def check_categories(trip: Trip) -> None:
    """Labels by their codes, the marks of missing ones apart; numbers of dates may become text."""
    for old, new, told in trip.pairs():
        if "labels" in told or pa.types.is_temporal(trip.table.data[old.name].type):
            continue
        wanted = {code(each.value): each.label for each in old.categories}
        assert {code(each.value): each.label for each in new.categories} == wanted


def check_missing(trip: Trip) -> None:
    """Missing values and ranges; a range of one value is that value."""
    for old, new, told in trip.pairs():
        if "missing values" not in told and not pa.types.is_temporal(
            trip.table.data[old.name].type
        ):
            assert missing_of(new) == missing_of(old)


def missing_of(variable: Variable) -> tuple[set[Value], set[tuple[float, float]]]:
    single = {span.low for span in variable.missing_ranges if span.low == span.high}
    spans = {(open_end(s.low), open_end(s.high)) for s in variable.missing_ranges}
    spans -= {(value, value) for value in single}
    return {code(value) for value in variable.missing_values} | single, spans


def open_end(value: float) -> float:
    """The largest number is SPSS's HIGHEST, which has no other."""
    return math.copysign(math.inf, value) if abs(value) >= sys.float_info.max else value


def code(value: Value) -> Value:
    """A code for comparison: text of padding is not data."""
    return value.rstrip(" \0") if isinstance(value, str) else value


def check_attributes(trip: Trip) -> None:
    """Custom attributes of variables and file, in any order."""
    for old, new, told in trip.pairs():
        if "attribute" not in told:
            questions = {("QuestionText", old.question), ("question", old.question)}
            assert set(new.attributes) - questions == set(old.attributes) - questions
    if "attribute" not in trip.told(""):
        assert set(trip.back.attributes) == set(trip.table.attributes)


def check_kind_of_measure(trip: Trip) -> None:
    """Measure, role, weight and question, where the ledger is silent."""
    for old, new, told in trip.pairs():
        assert new.measure is old.measure or "level of measurement" in told
        assert new.role == old.role or "role" in told
        assert new.weight == old.weight or "weight" in told
        if old.question and "attributes" not in told:
            assert new.question == old.question
