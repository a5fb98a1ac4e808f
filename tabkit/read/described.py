"""Plain data with what describes them: labels, categories, missing values and types applied.

What does not agree is told: a variable of one side only, a value that no code names, a value that
does not fit its variable's type.
"""

from __future__ import annotations

import collections
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.errors import FormatError
from tabkit.formats import FORMATS, identify
from tabkit.model import Block, Finding, Interval, Kind, TableStream, Variable
from tabkit.read.dictionary import Dictionary, Entry, load_dictionary
from tabkit.read.spreadsheet_layout import cell_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tabkit.formats import FileFormat
    from tabkit.options import ReadOptions

_LISTED: Final = 20  # names told of a list
_EXAMPLES: Final = 5
#: Suffixes of files that may be fixed-width; ``.dat.gz`` is how IPUMS ships its extracts.
_FIXED: Final = frozenset({".dat", ".txt", ".asc", ".raw", ".fwf", ".fix", ".prn", ".gz", ""})


def open_described(
    path: Path, options: ReadOptions, file_format: FileFormat | None, name: str
) -> TableStream:
    """Open a data file with ``options.codebook``; one that says where variables lie, by columns.

    Raises:
        FormatError: One of the two cannot be read, or they have no variable in common.
    """
    assert options.codebook is not None
    stem = name.removesuffix(".gz").rpartition(".")[0] or name
    dictionary = load_dictionary(options.codebook, stem)
    if file_format is None and dictionary.has_places and Path(name).suffix.lower() in _FIXED:
        from tabkit.read.fixed import open_fixed

        stream = open_fixed(path, options, dictionary)
    else:
        texts = frozenset(
            entry.variable.name
            for entry in dictionary.entries
            if entry.kind == Kind.CHARACTER and not entry.variable.format_category
        )
        plain = dataclasses.replace(options, codebook=None, text_columns=texts)
        stream = (file_format or _identified(path, name)).open(path, plain)
    return described(stream, dictionary)


def _identified(path: Path, name: str) -> FileFormat:
    """Take a file of data (``.dat``) for delimited text where nothing else is known of it."""
    known = {suffix for each in FORMATS for suffix in each.suffixes}
    suffix = Path(name).suffix.lower()
    return identify(path, name if suffix in known else f"{name}.csv")


def described(stream: TableStream, dictionary: Dictionary) -> TableStream:
    """Return a stream with the dictionary's types and metadata; the order is the data's.

    Raises:
        FormatError: No variable of the data is in the dictionary.
    """
    entries = {entry.variable.name: entry for entry in dictionary.entries}
    folded = {name.lower(): name for name in entries}
    plans = []
    for field, variable in zip(stream.schema, stream.variables, strict=True):
        entry = entries.get(field.name) or entries.get(folded.get(field.name.lower(), ""))
        plans.append(_plan(field, variable, entry))
    missed = _unmatched(plans, dictionary)
    findings = stream.findings
    findings += [*dictionary.findings, *missed]
    if dictionary.cases is not None and stream.cases not in (None, dictionary.cases):
        text = f"the codebook tells of {dictionary.cases:,} cases, the data have {stream.cases:,}"
        findings.append(Finding(text, "warning"))
    return dataclasses.replace(
        stream,
        schema=pa.schema([pa.field(plan.variable.name, plan.kind) for plan in plans]),
        variables=tuple(plan.variable for plan in plans),
        blocks=_Blocks(stream, plans, findings),
        label=stream.label or dictionary.label,
        notes=(*stream.notes, *dictionary.notes),
        findings=findings,
    )


def _unmatched(plans: Sequence[_Plan], dictionary: Dictionary) -> list[Finding]:
    used = {plan.entry for plan in plans if plan.entry is not None}
    if not used:
        reason = "no variable of the data is in the codebook"
        hint = f"it describes {_listed([each.variable.name for each in dictionary.entries])}"
        raise FormatError(reason, dictionary.path, "", hint)
    findings = []
    alone = [plan.variable.name for plan in plans if plan.entry is None]
    absent = [each.variable.name for each in dictionary.entries if each not in used]
    if alone:
        text = f"variables without an entry in the codebook ({len(alone):,}): {_listed(alone)}"
        findings.append(Finding(text, "warning"))
    if absent:
        text = f"variables of the codebook that are not in the data ({len(absent):,}): "
        findings.append(Finding(text + _listed(absent), "warning"))
    return findings


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_LISTED]) + (", …" if len(names) > _LISTED else "")


@dataclasses.dataclass(frozen=True, slots=True)
class _Plan:
    """How one column is read: its variable, its type, and what was counted of its values."""

    variable: Variable
    kind: pa.DataType
    entry: Entry | None
    codes: pa.Array | None = None
    strange: collections.Counter[Any] = dataclasses.field(default_factory=collections.Counter)
    misfits: collections.Counter[Any] = dataclasses.field(default_factory=collections.Counter)

    def convert(self, column: pa.Array) -> pa.Array:
        """Return a column in its type; count what does not fit and what no code names."""
        if column.type != self.kind:
            column = self._converted(column)
        if self.codes is not None:
            self._count_strange(column)
        return column

    def _converted(self, column: pa.Array) -> pa.Array:
        if pa.types.is_string(self.kind):
            cells = column.to_pylist()
            return pa.array([None if c is None else cell_text(c) for c in cells], pa.string())
        trimmed = pc.utf8_trim_whitespace(column)
        filled = pc.and_(pc.is_valid(trimmed), pc.not_equal(trimmed, ""))
        fits = pc.and_(filled, pc.match_substring_regex(trimmed, _NUMBER))
        for text in pc.if_else(pc.xor(filled, fits), trimmed, None).drop_null().to_pylist():
            self.misfits[text] += 1
        return pc.if_else(fits, trimmed, None).cast(self.kind)

    def _count_strange(self, column: pa.Array) -> None:
        found = pc.value_counts(column.drop_null())
        values = found.field("values")
        known = pc.is_in(values, self.codes)
        for each in found.filter(pc.invert(known)).to_pylist():
            if not self.variable.is_user_missing(each["values"]):
                self.strange[each["values"]] += each["counts"]

    def findings(self) -> Iterator[Finding]:
        """Yield what was counted, once all cases were read."""
        name = self.variable.name
        if self.misfits:
            text = f"values that are no numbers, taken as missing: {_examples(self.misfits)}"
            yield Finding(text, "warning", name)
        if self.strange:
            yield Finding(f"values that no code names: {_examples(self.strange)}", "info", name)


_NUMBER: Final = r"\A[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]{1,3})?\z"


def _examples(counts: collections.Counter[Any]) -> str:
    total = sum(counts.values())
    shown = ", ".join(repr(each) for each, _ in counts.most_common(_EXAMPLES))
    more = ", …" if len(counts) > _EXAMPLES else ""
    return f"{total:,} {'case' if total == 1 else 'cases'} ({shown}{more})"


def _plan(field: pa.Field, found: Variable, entry: Entry | None) -> _Plan:
    if entry is None:
        return _Plan(found, field.type, None)
    kind = field.type
    numeric = pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_boolean(kind)
    if entry.kind == Kind.NUMERIC and pa.types.is_string(kind):
        kind, numeric = pa.float64(), True
    elif entry.kind == Kind.CHARACTER and numeric:
        kind, numeric = pa.string(), False
    variable = _merged(found, entry, numeric=numeric)
    codes = None
    continuous = variable.interval == Interval.CONTINUOUS
    if variable.categories and not continuous and not pa.types.is_temporal(kind):
        fitting = [
            each.value for each in variable.categories if isinstance(each.value, str) != numeric
        ]
        codes = _codes(fitting, kind)
    return _Plan(variable, kind, entry, codes)


def _codes(values: Sequence[Any], kind: pa.DataType) -> pa.Array | None:
    try:
        whole = pa.types.is_integer(kind)
        fitting = [each for each in values if not whole or float(each).is_integer()]
        return pa.array([int(each) if whole else each for each in fitting], kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, ValueError):
        return None


def _merged(found: Variable, entry: Entry, *, numeric: bool) -> Variable:
    """Join what the dictionary says with what the data say: the data have name, type and width."""
    said = entry.variable
    category = "" if numeric else found.format_category
    return dataclasses.replace(
        said,
        name=found.name,
        kind=Kind.NUMERIC if numeric else Kind.CHARACTER,
        interval=said.interval if numeric else Interval.DISCRETE,
        categories=tuple(
            each if isinstance(each.value, str) != numeric else _as_text(each, numeric=numeric)
            for each in said.categories
        ),
        missing_values=tuple(
            each if isinstance(each, str) != numeric or numeric else cell_text(each)
            for each in said.missing_values
        ),
        missing_ranges=said.missing_ranges if numeric else (),
        format_category=category or (said.format_category if not numeric else ""),
        decimals=said.decimals if numeric else None,
        storage=found.storage or said.storage,
        bare=found.bare,
    )


def _as_text(category: Any, *, numeric: bool) -> Any:
    """Give a code of a text variable as text; a text code of a number (a tag) stays one."""
    if numeric:
        return category
    return dataclasses.replace(category, value=cell_text(category.value))


@dataclasses.dataclass(frozen=True, slots=True)
class _Blocks:
    """The blocks of a stream in the types of a dictionary; at the end its findings grow."""

    stream: TableStream
    plans: Sequence[_Plan]
    findings: list[Finding]

    def __iter__(self) -> Iterator[Block]:
        names = [plan.variable.name for plan in self.plans]
        with self.stream:
            for block in self.stream.blocks:
                columns = [
                    plan.convert(column)
                    for plan, column in zip(self.plans, block.data.columns, strict=True)
                ]
                schema = pa.schema(zip(names, [plan.kind for plan in self.plans], strict=True))
                yield Block(pa.RecordBatch.from_arrays(columns, schema=schema), block.missing_tags)
        self.findings.extend(each for plan in self.plans for each in plan.findings())

    def close(self) -> None:
        self.stream.close()
