"""R data files, .RData and .rds, as a stream of blocks with all that the attributes say.

The file is expanded to memory that is mapped, walked over once, and its vectors are views that are
decoded block by block. Nothing in it is ever evaluated.
"""

from __future__ import annotations

import contextlib
import dataclasses
from typing import TYPE_CHECKING, Any, Final

import pyarrow as pa

from tabkit.compression import expanded, release_pages
from tabkit.errors import FormatError
from tabkit.model import Block, Finding, Origin, TableStream
from tabkit.read.arrow_columns import unique_names
from tabkit.read.bounds import check_variables
from tabkit.read.r_choose import (
    ITSELF,
    NoChoiceError,
    cases_of,
    choose,
    first_frame,
    objects_of,
    row_names_of,
    summary,
)
from tabkit.read.r_columns import Context, Plan, plan_column
from tabkit.read.r_dataverse import as_dataverse_has_it
from tabkit.read.r_metadata import labels_of_frame, texts_of_frame
from tabkit.read.r_objects import DamagedError, RObject, named_elements
from tabkit.read.r_parse import OLD_MAGIC, RDATA_MAGIC, RDS_MAGIC, parse
from tabkit.read.r_texts import texts_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from tabkit.options import ReadOptions
    from tabkit.read.r_parse import Content

_MEDIA_TYPE: Final = "application/x-rlang-transport"


def open_rdata(path: Path, options: ReadOptions) -> TableStream:
    """Open a file of saved R objects, or a single serialized one; each is told by its content.

    Doubles, integers and logicals become float64, int32 and booleans, NA null and NaN itself;
    tagged NAs null with their letter in ``missing_tags``; factors text with categories; Dates,
    date-times and spans Arrow's types, with the time zone; 64-bit integers int64; lists JSON text.

    Args:
        path: The file, compressed by gzip, bzip2, xz, zstd or not at all; XDR, native or ASCII;
            serialization version 2 or 3.
        options: ``object`` names the object to read, ``row_names`` the variable that row names
            become, ``encoding`` what text without a mark is in; ``engine`` ``r`` leaves the file
            to R itself.

    Returns:
        A stream; its blocks are decoded from memory that is released with it.

    Raises:
        FormatError: It is no R data file, it is damaged, or no object is the table.
        DependencyError: ``engine`` is ``r`` and there is no R.

    Source: R Internals, section 1.8, "Serialization Formats".
    """
    if options.engine == "r":
        from tabkit.read.r_engine import resaved

        with resaved(path, options) as copy, _named_errors(path):
            return _opened(copy, dataclasses.replace(options, object=None))
    with _named_errors(path):
        return _opened(path, options)


def _opened(path: Path, options: ReadOptions) -> TableStream:
    memory, compression = expanded(path, (*RDS_MAGIC, *RDATA_MAGIC, *OLD_MAGIC), options.limits)
    head = bytes(memory[:4])
    if head in OLD_MAGIC:
        hint = "load and save it in R once"
        raise FormatError("R data of version 1, from before R 1.4, are not read", path, hint=hint)
    is_saved = head in RDATA_MAGIC
    content = parse(memory, path, options.encoding or "", options.limits)
    version = head.decode() if is_saved else str(content.version)
    format_ = "rdata" if is_saved else "rds"
    origin = Origin(
        format=format_,
        media_type=_MEDIA_TYPE,
        format_version=f"{version} {compression}".strip(),
        encoding=content.encodings.native or "utf-8",
        product=f"R {content.writer}",
    )
    objects = objects_of(content.root, is_saved=is_saved)
    release_pages(memory)
    stream = table_of(objects, content, path, options, memory)
    return dataclasses.replace(stream, origin=origin)


def stream_of_serialized(memory: Any, path: Path, options: ReadOptions) -> TableStream:
    """Return the table in what R's ``serialize`` made of one object.

    Args:
        memory: Lives as long as the blocks are read.
        path: What the object is called in messages.
        options: As for `open_rdata`.

    Raises:
        FormatError: The object is no table.
    """
    with _named_errors(path):
        content = parse(memory, path, options.encoding or "", options.limits)
        objects = objects_of(content.root, is_saved=False)
        stream = table_of(objects, content, path, options)
    origin = Origin(format="rds", product=f"R {content.writer}", encoding="utf-8")
    return dataclasses.replace(stream, origin=origin, profile=options.profile)


def table_of(
    objects: Mapping[str, RObject],
    content: Content,
    path: Path,
    options: ReadOptions,
    memory: Any = None,
) -> TableStream:
    """Return the table among objects as a stream.

    Raises:
        DamagedError: The frame is not one.
        LimitError: It has too many columns.
        NoChoiceError: No object is the table.
    """
    quirks = options.profile.r_quirks
    name, frame = (
        first_frame(objects)
        if quirks and options.object is None
        else choose(objects, options.object)
    )
    check_variables(len(named_elements(frame)), options.limits, path)
    context = Context(cases_of(frame), is_ascii=content.is_ascii)
    context.findings += _other_objects(objects, name)
    plans = _plans(frame, context, options)
    if quirks:
        plans = [as_dataverse_has_it(plan) for plan in plans]
    label, notes, attributes = ("", (), ()) if quirks else texts_of_frame(frame)
    return TableStream(
        pa.schema([pa.field(plan.variable.name, plan.kind) for plan in plans]),
        tuple(plan.variable for plan in plans),
        _blocks(plans, context, content, options, memory),
        cases=context.cases,
        label=label,
        notes=notes,
        attributes=attributes,
        findings=context.findings,
    )


def _plans(frame: RObject, context: Context, options: ReadOptions) -> list[Plan]:
    columns = named_elements(frame)
    given = [name or f"V{place + 1}" for place, (name, _) in enumerate(columns)]
    context.frame_labels = labels_of_frame(frame, given)
    plans = [
        plan for name, (_, each) in zip(given, columns, strict=True)
        for plan in plan_column(name, each, context)
    ]  # fmt: skip
    row_names = row_names_of(frame)
    if row_names is not None and options.row_names:
        column = RObject("character", texts_of([*row_names]))
        plans = [*plan_column(options.row_names, column, context), *plans]
    elif row_names is not None:
        text = f"row names ({row_names[0]!r}, …) are no variable; --row-names NAME makes one"
        context.findings.append(Finding(text, "info" if row_names[0].isdigit() else "warning"))
    unique = unique_names([plan.variable.name for plan in plans])
    for place, (plan, name) in enumerate(zip(plans, unique, strict=True)):
        if name != plan.variable.name:
            text = f"the column is named {plan.variable.name!r} in the file, as another one"
            context.note(text, name)
            plans[place] = _renamed(plan, name)
    return plans


def _renamed(plan: Plan, name: str) -> Plan:
    return dataclasses.replace(plan, variable=dataclasses.replace(plan.variable, name=name))


def _blocks(
    plans: list[Plan], context: Context, content: Content, options: ReadOptions, memory: Any
) -> Iterator[Block]:
    rows = options.rows_of(len(plans))
    schema = pa.schema([pa.field(plan.variable.name, plan.kind) for plan in plans])
    for start in range(0, context.cases if plans else 0, rows):
        stop = min(start + rows, context.cases)
        columns, tags = [], {}
        for plan in plans:
            column, letters = plan.cells(start, stop)
            columns.append(column)
            if letters is not None:
                tags[plan.variable.name] = letters
        yield Block(pa.RecordBatch.from_arrays(columns, schema=schema), tags)
        release_pages(memory)
    context.findings += _findings_of(context, content)


def _findings_of(context: Context, content: Content) -> list[Finding]:
    found = [
        Finding(f"{count:,} cases hold {text}", "warning", name)
        for name, counter in context.faults.items()
        for text, count in counter.items()
        if count
    ]
    met = content.encodings.met
    return [*found, *(Finding(f"{n:,} texts are {text}", "warning") for text, n in met.items())]


def _other_objects(objects: Mapping[str, RObject], chosen: str) -> list[Finding]:
    """Tell what else the file holds; elements of lists go with their list."""
    skipped = {chosen, ITSELF}
    others = [f"{n} ({summary(each)})" for n, each in objects.items() if n not in skipped]
    if not others:
        return []
    more = f" and {len(others) - 9:,} more" if len(others) > 9 else ""  # noqa: PLR2004
    return [Finding(f"the file also holds {', '.join(others[:9])}{more}")]


@contextlib.contextmanager
def _named_errors(path: Path) -> Iterator[None]:
    """Give what is raised below the name of the file."""
    try:
        yield
    except NoChoiceError as error:
        raise FormatError(error.reason, path, hint=error.hint) from error
    except DamagedError as error:
        where = "" if error.at is None else f"byte {error.at:,} of the expanded data"
        raise FormatError(error.reason, path, where) from error
