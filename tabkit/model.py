"""The data model: what a file says of its variables, and its data in Arrow.

Small frozen dataclasses, no behaviour but checks. Two rules hold everywhere:

* System-missing is Arrow null. SPSS user-missing values stay as values, told by
  `Variable.is_user_missing`. Stata and SAS ``.a``-``.z`` and ``._`` are null in the column, with
  their letter in ``missing_tags``.
* A table is a stream of blocks that happens to fit: everything that computes takes blocks.
"""

from __future__ import annotations

import dataclasses
import enum
import importlib.util
import operator
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from tabkit.errors import DependencyError, VariableNotFoundError
from tabkit.frozen import quickly_made
from tabkit.profiles import TABKIT, Profile

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import pandas as pd
    import pyarrow as pa

Value: TypeAlias = "float | int | str"

#: ``missing_tags`` hold 0 for no tag, else the index of the tag's letter in this text.
TAG_LETTERS: Final = " abcdefghijklmnopqrstuvwxyz_"


#: Bytes that a run over a table may take, about, unless its user says otherwise.
MEMORY: Final = 512 << 20


class Kind(enum.StrEnum):
    """Numeric or character, as DDI's ``varFormat/@type`` has it."""

    NUMERIC = "numeric"
    CHARACTER = "character"


class Interval(enum.StrEnum):
    """Whether the values of a variable form a continuum (DDI ``var/@intrvl``)."""

    CONTINUOUS = "contin"
    DISCRETE = "discrete"


class Measure(enum.StrEnum):
    """The level of measurement that the source declares."""

    NOMINAL = "nominal"
    ORDINAL = "ordinal"
    SCALE = "scale"
    UNKNOWN = "unknown"


@dataclasses.dataclass(frozen=True, slots=True)
class Category:
    """A value and its label: SPSS value label, Stata value label, R factor level.

    ``value`` keeps the type of the codes (float for SPSS numbers, int for Stata, text for
    strings); a label on a tagged missing has the value ``".a"`` and ``missing=True``.
    """

    value: Value
    label: str
    missing: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class MissingRange:
    """User-missing numbers from ``low`` to ``high``, both inclusive; ends may be infinite."""

    low: float
    high: float


@quickly_made
@dataclasses.dataclass(frozen=True, slots=True)
class Variable:
    """What the source says of one column; never its values and never its statistics.

    Attributes:
        name: Unique in the table.
        label: Human title, empty when the source has none.
        kind: Numeric or character; dates and times are character, as in Dataverse.
        interval: None while it depends on the values; `describe` settles it.
        measure: Level of measurement as declared.
        display_format: The source's own display format (``F8.2``, ``%td``, ``DATETIME20.``);
            in profile ``dataverse`` the pattern that Dataverse stores, often empty.
        format_category: ``date``, ``time``, ``currency``, ``other`` or empty
            (DDI ``varFormat/@category``; ``time`` includes date-times).
        decimals: Digits shown after the point, None when not stated.
        width: Bytes of a string or characters shown of a number, None when not stated.
        display_width: Characters of a column on the screen (SPSS), None when not stated.
        alignment: ``left``, ``right``, ``center`` or empty.
        storage: The source's storage type (``byte``, ``double``, ``str18``, ``strL``, ``A8``).
        categories: Labelled values in the source's order; need not be exhaustive.
        missing_values: Discrete user-missing values.
        missing_ranges: Spans of user-missing numbers.
        weight: Whether cases are weighted by this variable.
        role: SPSS role (``input``, ``target``, …) or empty.
        question: Question text or empty.
        attributes: Custom attributes and characteristics, (name, text) pairs.
        bare: The Arrow column holds text that an archival table prints without quotes: a date or
            a number as the source printed it (profile ``dataverse``), a year of Stata.
    """

    name: str
    label: str = ""
    kind: Kind = Kind.NUMERIC
    interval: Interval | None = None
    measure: Measure = Measure.UNKNOWN
    display_format: str = ""
    format_category: str = ""
    decimals: int | None = None
    width: int | None = None
    display_width: int | None = None
    alignment: str = ""
    storage: str = ""
    categories: tuple[Category, ...] = ()
    missing_values: tuple[Value, ...] = ()
    missing_ranges: tuple[MissingRange, ...] = ()
    weight: bool = False
    role: str = ""
    question: str = ""
    attributes: tuple[tuple[str, str], ...] = ()
    bare: bool = False

    def is_user_missing(self, value: Value) -> bool:
        """Whether the source declares ``value`` missing (DDI ``invalrng``)."""
        return value in self.missing_values or (
            not isinstance(value, str)
            and any(span.low <= value <= span.high for span in self.missing_ranges)
        )


_NAME: Final = operator.attrgetter("name")


@dataclasses.dataclass(frozen=True, slots=True)
class ResponseSet:
    """A multiple-response set: one question, several variables.

    ``counted`` is the counted value of a dichotomous set, None for a set of categories.
    """

    name: str
    label: str
    variables: tuple[str, ...]
    counted: str | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Origin:
    """The file a table came from (the "saved original"); sizes in bytes, digests in hex."""

    file_name: str = ""
    media_type: str = ""
    format: str = ""
    format_version: str = ""
    encoding: str = ""
    size: int | None = None
    md5: str = ""
    sha256: str = ""
    created: datetime.datetime | None = None
    modified: datetime.datetime | None = None
    product: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """Something a reader noticed and how it was treated: one replaced byte, a guessed delimiter.

    ``severity`` is ``info`` (a choice made), or ``warning`` (the file was not sound there).
    """

    text: str
    severity: str = "info"
    variable: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Block:
    """Consecutive cases: one record batch, and the tags of those variables that have any."""

    data: pa.RecordBatch
    missing_tags: Mapping[str, pa.Int8Array] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True, slots=True)
class TableStream:
    """A table that is read once, block by block, in bounded memory.

    Attributes:
        schema: Arrow types of the columns; every block has this schema.
        variables: In column order; names equal the schema's.
        blocks: Yields `Block` once; closes its file when exhausted or closed.
        cases: The number of cases where the file says it truly, else None.
        label: The file label.
        notes: Documents and notes of the file, a text each.
        response_sets: Multiple-response sets.
        attributes: Custom attributes of the file, (name, text) pairs.
        findings: What the reader noticed; a list that may grow while blocks are read.
        profile: The profile it was read for, and so the one to describe and write it with.
        memory: Bytes that whatever is done with it may take, about; what passes it goes to
            temporary files.
    """

    schema: pa.Schema
    variables: tuple[Variable, ...]
    blocks: Iterable[Block]
    origin: Origin = Origin()
    cases: int | None = None
    label: str = ""
    notes: tuple[str, ...] = ()
    response_sets: tuple[ResponseSet, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    findings: list[Finding] = dataclasses.field(default_factory=list)
    profile: Profile = TABKIT
    memory: int = MEMORY

    def __post_init__(self) -> None:
        check_names(self.schema.names, self.variables)

    def close(self) -> None:
        """Stop reading and release the file; safe to call twice."""
        close: Callable[[], object] | None = getattr(self.blocks, "close", None)
        if close is not None:
            close()

    def __enter__(self) -> TableStream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclasses.dataclass(frozen=True, slots=True)
class Table:
    """Cases by variables: the special case of a stream that fits in memory.

    Attributes:
        data: One Arrow column a variable, ``num_rows`` cases.
        variables: In column order; ``variables[i].name == data.column_names[i]``.
        missing_tags: By variable name an int8 column of indices into `TAG_LETTERS`; only
            variables that have a tagged missing.

    The other fields are as in `TableStream`.

    Raises:
        ValueError: The names of ``data`` and ``variables`` differ, or one occurs twice.
    """

    data: pa.Table
    variables: tuple[Variable, ...]
    missing_tags: Mapping[str, pa.ChunkedArray] = dataclasses.field(default_factory=dict)
    origin: Origin = Origin()
    notes: tuple[str, ...] = ()
    label: str = ""
    response_sets: tuple[ResponseSet, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    findings: tuple[Finding, ...] = ()
    profile: Profile = TABKIT

    def __post_init__(self) -> None:
        check_names(self.data.schema.names, self.variables)

    def select(self, names: Sequence[str]) -> Table:
        """Return the named variables only, each once, in the given order (``format=subset``).

        Raises:
            VariableNotFoundError: A name is not in the table.
        """
        by_name = {variable.name: variable for variable in self.variables}
        for name in names:
            if name not in by_name:
                raise VariableNotFoundError(name, list(by_name))
        names = list(dict.fromkeys(names))
        return dataclasses.replace(
            self,
            data=self.data.select(names),
            variables=tuple(by_name[name] for name in names),
            missing_tags={n: tags for n, tags in self.missing_tags.items() if n in set(names)},
            response_sets=tuple(
                each for each in self.response_sets if set(each.variables) <= set(names)
            ),
        )

    def to_arrow(self) -> pa.Table:
        """Return the data alone, without copying."""
        return self.data

    def to_pandas(self, **options: Any) -> pd.DataFrame:
        """Return the data as pandas, nulls as pandas has them; labels stay in ``variables``.

        Raises:
            DependencyError: pandas is not installed.
        """
        if importlib.util.find_spec("pandas") is None:
            raise DependencyError("pandas", "pandas")
        return self.data.to_pandas(**options)

    @property
    def cases(self) -> int:
        """Number of cases."""
        return int(self.data.num_rows)


@quickly_made
@dataclasses.dataclass(frozen=True, slots=True)
class SummaryStats:
    """The eight statistics of DDI's ``sumStat``; None where one is not computed.

    ``valid + invalid`` is the number of cases; ``stdev`` has divisor n-1; ``median``
    interpolates between the two middle values; ``mode`` is the smallest of the most frequent
    values. NaN where nothing is valid.
    """

    mean: float | None = None
    median: float | None = None
    mode: Value | None = None
    valid: int | None = None
    invalid: int | None = None
    minimum: float | None = None
    maximum: float | None = None
    stdev: float | None = None


@quickly_made
@dataclasses.dataclass(frozen=True, slots=True)
class VariableDescription:
    """What was computed of one variable.

    Attributes:
        stats: Summary statistics; user-missing, tagged and system-missing cases are invalid in
            the default profile.
        frequencies: ``frequencies[i]`` counts ``variable.categories[i]``.
        unf: ``UNF:6:…``; empty for a table without cases.
        others: Observed valid values of a variable with categories that carry no label, with
            their counts, in order of value, at most `OTHERS_LISTED`.
        other_cases: How many cases have such values in all.
        system_missing: Cases with no value at all.
        user_missing: Cases whose value is declared missing.
        tagged: Cases by tag, (".a", count), only tags that occur.
    """

    stats: SummaryStats
    frequencies: tuple[int, ...]
    unf: str
    others: tuple[tuple[Value, int], ...] = ()
    other_cases: int = 0
    system_missing: int = 0
    user_missing: int = 0
    tagged: tuple[tuple[str, int], ...] = ()


OTHERS_LISTED: Final = 1000


@dataclasses.dataclass(frozen=True, slots=True)
class Description:
    """A table with what was computed of it; ``variables[i]`` describes column i.

    ``table`` carries the settled variables (`Variable.interval` is never None); its ``data`` have
    the right columns and, when the description came from a stream, no rows. ``cases`` counts.
    """

    table: Table
    variables: tuple[VariableDescription, ...]
    unf: str
    cases: int


def check_names(names: list[str], variables: Sequence[Variable]) -> None:
    """Raise ValueError unless columns and variables have the same, unique names in one order."""
    expected = list(map(_NAME, variables))
    if names != expected:
        msg = f"variables {expected[:9]} do not match columns {names[:9]}"
        raise ValueError(msg)
    if len(set(expected)) != len(expected):
        twice = next(name for i, name in enumerate(expected) if name in expected[:i])
        msg = f"variable {twice!r} occurs twice"
        raise ValueError(msg)
