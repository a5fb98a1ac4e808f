"""Read Parquet and Arrow files (IPC, stream, Feather 1): a stream of blocks with all metadata.

Files that tabkit wrote come back as the table they were (`tabkit.write.arrow`); of other files
each column becomes one of the model's types (`tabkit.read.arrow_columns`).
"""

from __future__ import annotations

import contextlib
import dataclasses
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tabkit.errors import FormatError
from tabkit.model import Block, Finding, Origin, TableStream
from tabkit.read.arrow_columns import ColumnPlan, plan_column, unique_names
from tabkit.read.arrow_metadata import (
    file_facts,
    own_plan,
    own_variable,
    tag_indices,
    tag_places,
    written_schema,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tabkit.options import ReadOptions

_FEATHER_1, _IPC_FILE, _STREAM = b"FEA1", b"ARROW1", b"\xff\xff\xff\xff"
#: Run by a child process; pyarrow announces that a future version will not read such files.
_FEATHER_TO_STREAM: Final = """
import sys, warnings
warnings.simplefilter("ignore")
import pyarrow as pa, pyarrow.feather
table = pyarrow.feather.read_table(sys.argv[1], memory_map=False)
table.validate(full=True)
with pa.ipc.new_stream(sys.stdout.buffer, table.schema) as writer:
    writer.write_table(table)
"""
_READ_BYTES: Final = 1 << 20
_NOT_UTF8: Final = "text that is not UTF-8: wrong bytes became U+FFFD"
_TOO_FAR: Final = "a date beyond the years 1 to 9999: missing"
_DAYS: Final = (-719_162, 2_932_897)  # from 0001-01-01 to 10000-01-01, since 1970
_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_INT64_END: Final = 2**63


@dataclasses.dataclass(frozen=True, slots=True)
class _Source:
    """A file of Arrow data.

    Attributes:
        schema: Of the batches as they come.
        written: The schema as its writer had it, where the file tells, else ``schema``.
        scan: Gives the batches from the beginning, of the named columns or all.
    """

    path: Path
    schema: pa.Schema
    written: pa.Schema
    cases: int | None
    origin: Origin
    scan: Callable[[list[str] | None], Iterator[pa.RecordBatch]]


def open_parquet(path: Path, options: ReadOptions) -> TableStream:
    """Open a Parquet file, read row group by row group.

    Raises:
        FormatError: It is not Parquet, or damaged.
    """
    with _format_errors(path):
        unit = _int96_unit(path)
        with _parquet(path, unit) as file:
            facts, schema = file.metadata, file.schema_arrow
        written = written_schema(facts.metadata or {}, schema)
        origin = Origin(
            format="parquet",
            media_type="application/vnd.apache.parquet",
            format_version=facts.format_version,
            product=facts.created_by or "",
        )

        def scan(names: list[str] | None) -> Iterator[pa.RecordBatch]:
            with _parquet(path, unit) as opened, _format_errors(path):
                rows = options.rows_of(len(schema) if names is None else len(names))
                yield from opened.iter_batches(batch_size=rows, columns=names)

        stream = _stream(_Source(path, schema, written, facts.num_rows, origin, scan), options)
    if unit in ("ms", "s"):
        text = f"old timestamps are read in {unit}: some are too far off for microseconds"
        stream.findings.append(Finding(text, "warning"))
    return stream


def _parquet(path: Path, unit: str | None) -> pq.ParquetFile:
    return pq.ParquetFile(
        path, buffer_size=_READ_BYTES, pre_buffer=False, coerce_int96_timestamp_unit=unit
    )


def _int96_unit(path: Path) -> str | None:
    """Return the finest unit that holds every old 96-bit timestamp of the file, None for none.

    pyarrow lets years that a unit cannot hold overflow without a word (nanoseconds end in 2262),
    so each reading is compared with the one in seconds.
    """
    with _parquet(path, "s") as file:
        columns = (file.schema.column(place) for place in range(len(file.schema)))
        names = list({each.path for each in columns if each.physical_type == "INT96"})
    if not names:
        return None
    fits = (unit for unit in ("ns", "us", "ms") if _holds_int96(path, unit, names))
    return next(fits, "s")


def _holds_int96(path: Path, unit: str, names: list[str]) -> bool:
    with _parquet(path, unit) as fine, _parquet(path, "s") as coarse:
        batches = (file.iter_batches(columns=names) for file in (fine, coarse))
        for one, other in zip(*batches, strict=True):
            for column, seconds in zip(one.columns, other.columns, strict=True):
                if not pa.types.is_timestamp(column.type):
                    continue  # nested: read as text
                rounded = column.cast(seconds.type, safe=False).cast(pa.int64())
                apart = pc.abs_checked(pc.subtract(rounded, seconds.cast(pa.int64())))
                if (pc.max(apart).as_py() or 0) > 1:
                    return False
    return True


def open_arrow(path: Path, options: ReadOptions) -> TableStream:
    """Open an Arrow IPC file, an IPC stream, or a Feather 1 file.

    Raises:
        FormatError: It is none of these, or damaged.
    """
    with path.open("rb") as file:
        head = file.read(len(_IPC_FILE))
    origin = Origin(format="arrow", media_type="application/vnd.apache.arrow.file")
    with _format_errors(path):
        if head.startswith(_FEATHER_1):
            return _open_feather(path, options, origin)
        if head == _IPC_FILE:
            return _open_ipc(path, options, origin)
        if head.startswith(_STREAM):
            return _open_stream(path, options, origin)
    raise FormatError("this is not an Arrow file: it begins neither with ARROW1 nor FEA1", path)


def _open_feather(path: Path, options: ReadOptions, origin: Origin) -> TableStream:
    """Read a Feather 1 file through a child process: pyarrow crashes where such a file is damaged.

    Such files are old and small: it is read whole.
    """
    command = [sys.executable, "-P", "-c", _FEATHER_TO_STREAM, str(path)]
    run = subprocess.run(command, capture_output=True, check=False)  # noqa: S603 - own code
    if run.returncode:
        told = run.stderr.decode("utf-8", "replace").strip().splitlines()
        raise FormatError(f"the file is damaged: {told[-1][:200] if told else 'no reader'}", path)
    table = pa.ipc.open_stream(run.stdout).read_all()

    def scan(names: list[str] | None) -> Iterator[pa.RecordBatch]:
        yield from (table.select(names) if names else table).to_batches()

    origin = dataclasses.replace(origin, format_version="Feather 1")
    source = _Source(path, table.schema, table.schema, table.num_rows, origin, scan)
    return _stream(source, options)


def _open_ipc(path: Path, options: ReadOptions, origin: Origin) -> TableStream:
    with pa.ipc.open_file(path) as reader:
        schema = reader.schema

    def scan(names: list[str] | None) -> Iterator[pa.RecordBatch]:
        # `path` again: a batch may outlive the reader, and a scan comes more than once.
        with _format_errors(path), pa.ipc.open_file(path) as opened:
            for number in range(opened.num_record_batches):
                batch = opened.get_batch(number)
                yield batch.select(names) if names else batch

    return _stream(_Source(path, schema, schema, None, origin, scan), options)


def _open_stream(path: Path, options: ReadOptions, origin: Origin) -> TableStream:
    with pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as reader:
        schema = reader.schema

    def scan(names: list[str] | None) -> Iterator[pa.RecordBatch]:
        with _format_errors(path), pa.OSFile(str(path)) as file, pa.ipc.open_stream(file) as opened:
            for batch in opened:
                yield batch.select(names) if names else batch

    origin = dataclasses.replace(origin, format_version="stream")
    return _stream(_Source(path, schema, schema, None, origin, scan), options)


def _stream(source: _Source, options: ReadOptions) -> TableStream:
    findings: list[Finding] = []
    if options.flatten:
        source = _flattened(source)
    facts = file_facts(source.schema.metadata or {}, findings)
    tags = tag_places(source.schema)
    plans = _plans(source, set(tags.values()), findings)
    names = {plan.variable.name for plan in plans}
    tags = {name: place for name, place in tags.items() if name in names}
    origin = dataclasses.replace(
        source.origin, created=facts.origin.created, modified=facts.origin.modified
    )
    return TableStream(
        pa.schema([plan.field for plan in plans]),
        tuple(plan.variable for plan in plans),
        _blocks(source, plans, tags, options.rows_of(len(plans)), findings),
        origin=origin,
        cases=source.cases,
        label=facts.label,
        notes=facts.notes,
        response_sets=facts.response_sets,
        attributes=facts.attributes,
        findings=findings,
    )


def _flattened(source: _Source) -> _Source:
    from tabkit.read.arrow_flatten import flat, flat_schema

    def scan(names: list[str] | None) -> Iterator[pa.RecordBatch]:
        for batch in source.scan(None):
            batch.validate(full=True)
            yield flat(batch).select(names) if names else flat(batch)

    schema = flat_schema(source.schema)
    return dataclasses.replace(source, schema=schema, written=schema, scan=scan)


def _plans(source: _Source, companions: set[int], findings: list[Finding]) -> list[ColumnPlan]:
    given = [name or f"V{place + 1}" for place, name in enumerate(source.schema.names)]
    plans = []
    for place, name in enumerate(unique_names(given)):
        if place in companions:
            continue
        field = source.schema.field(place)
        if name != field.name:
            text = f"the column is named {field.name!r} in the file, as another one"
            findings.append(Finding(text, "info", name))
        variable = own_variable(field, name, findings)
        plan = own_plan(place, field, source.written.field(place).type, variable)
        if plan is None:
            plan = plan_column(place, field, name, _values(source, place))
            findings += plan.findings
            if variable is not None:
                plan = dataclasses.replace(plan, variable=variable)
        plans.append(plan)
    return plans


def _values(source: _Source, place: int) -> Callable[[], Iterator[pa.Array]]:
    """Return a function that reads one column from the beginning of the file."""
    name = source.schema.field(place).name
    alone = source.schema.names.count(name) == 1

    def values() -> Iterator[pa.Array]:
        for batch in source.scan([name] if alone else None):
            array = batch.column(0 if alone else place)
            array.validate(full=pa.types.is_dictionary(array.type))
            yield array

    return values


def _blocks(
    source: _Source,
    plans: Sequence[ColumnPlan],
    tags: Mapping[str, int],
    rows: int,
    findings: list[Finding],
) -> Iterator[Block]:
    schema = pa.schema([plan.field for plan in plans])
    faults: Counter[tuple[str, str]] = Counter()
    for batch in _in_blocks(_sound_batches(source, faults), rows):
        with _format_errors(source.path):
            columns = []
            for plan in plans:
                column, far = _within_calendar(plan.convert(batch.column(plan.index)))
                columns.append(column)
                faults[_TOO_FAR, plan.variable.name] += far
            letters = {name: tag_indices(batch.column(place)) for name, place in tags.items()}
        yield Block(pa.RecordBatch.from_arrays(columns, schema=schema), letters)
    findings += [
        Finding(f"{count:,} cases hold {text}", "warning", name)
        for (text, name), count in faults.items()
        if count
    ]


def _sound_batches(source: _Source, faults: Counter[tuple[str, str]]) -> Iterator[pa.RecordBatch]:
    """Check every array before anything else touches it: a wrong offset points out of memory."""
    for batch in source.scan(None):
        if batch.schema.names != source.schema.names:
            raise FormatError("its columns are others than it declares", source.path)
        with _format_errors(source.path):
            columns = []
            for name, column in zip(source.schema.names, batch.columns, strict=True):
                sound, wrong = _sound(column)
                columns.append(sound)
                faults[_NOT_UTF8, name] += wrong
        yield pa.RecordBatch.from_arrays(columns, schema=source.schema)


def _in_blocks(batches: Iterator[pa.RecordBatch], rows: int) -> Iterator[pa.RecordBatch]:
    """Cut long batches and join short ones, so that each but the last has ``rows`` rows."""
    waiting: list[pa.RecordBatch] = []
    held = 0
    for batch in batches:
        waiting.append(batch)
        held += batch.num_rows
        while held >= rows:
            whole = pa.concat_batches(waiting) if len(waiting) > 1 else waiting[0]
            yield whole.slice(0, rows)
            held -= rows
            waiting = [whole.slice(rows)] if held else []
    if held:
        yield pa.concat_batches(waiting)


def _sound(array: pa.Array) -> tuple[pa.Array, int]:
    """Check what a file promises of an array: offsets, indices, UTF-8; mend only the last.

    Returns:
        The array, and how many of its texts had wrong bytes.
    """
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        kinds = {pa.string(): pa.binary(), pa.large_string(): pa.large_binary()}
        if array.type not in kinds:
            raise
        raw = array.view(kinds[array.type])
        raw.validate(full=True)
        found = raw.to_pylist()
        texts = [None if each is None else each.decode("utf-8", "replace") for each in found]
        wrong = sum(
            each is not None and text is not None and text.encode() != each
            for each, text in zip(found, texts, strict=True)
        )
        return pa.array(texts, array.type), wrong
    return array, 0


def _within_calendar(array: pa.Array) -> tuple[pa.Array, int]:
    """Set dates and date-times outside the years 1 to 9999 to null; tell how many."""
    if not (pa.types.is_date(array.type) or pa.types.is_timestamp(array.type)):
        return array, 0
    day = 1 if pa.types.is_date(array.type) else 86_400 * _SECOND[array.type.unit]
    ticks = array.cast(pa.int32() if pa.types.is_date(array.type) else pa.int64())
    low, high = (bound * day for bound in _DAYS)
    if max(abs(low), abs(high)) >= _INT64_END:  # nanoseconds never leave these years
        return array, 0
    far = pc.or_(pc.less(ticks, low), pc.greater_equal(ticks, high))
    count = pc.sum(far).as_py() or 0
    return (pc.if_else(far, pa.scalar(None, array.type), array), count) if count else (array, 0)


@contextlib.contextmanager
def _format_errors(path: Path) -> Iterator[None]:
    """Turn what pyarrow raises for a bad file into a FormatError; let the system's errors pass."""
    try:
        yield
    except pa.ArrowMemoryError as error:
        raise FormatError("it asks for more memory than there is", path) from error
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        first = str(error).strip().split("\n", maxsplit=1)[0]
        raise FormatError(f"the file is damaged: {first[:200]}", path) from error
