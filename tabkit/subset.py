"""Subset: a file goes in, the asked variables of the asked cases come out in any format."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from tabkit.cases import choose_cases
from tabkit.condition import names_in, parse_condition
from tabkit.convert import write_target
from tabkit.errors import FormatError
from tabkit.formats import FileFormat, find_format, format_of_target
from tabkit.guard import call, guarded_stream
from tabkit.model import Finding, Variable
from tabkit.options import ReadOptions, WriteOptions
from tabkit.selection import chosen_names, parse_spans, split_items

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

    from tabkit.condition import Condition
    from tabkit.loss import Ledger
    from tabkit.model import TableStream
    from tabkit.read.archive import Archive
    from tabkit.selection import Span


def subset(  # noqa: PLR0913 - keyword-only, as the command has them
    source: Path | str,
    target: Path | str,
    variables: Sequence[str] | str | None = None,
    *,
    where: str | None = None,
    cases: str | None = None,
    order: str = "asked",
    to: str | None = None,
    header: bool = True,
    codebook: Path | str | None = None,
    on_loss: str = "warn",
    force: bool = False,
    name: str | None = None,
    options: ReadOptions | None = None,
    file_format: FileFormat | None = None,
    notice: Callable[[Finding], object] | None = None,
) -> Ledger:
    """Write some variables of some cases of ``source`` to ``target``.

    Of an archival ``.tab`` only the columns asked for, and those of the condition, are decoded;
    in another ``.tab`` its cells stand as they are, byte by byte. Its codebook, when it lies
    beside as ``<stem>-ddi.xml``, gives labels and missing values.

    Args:
        source: Any file that tabkit reads, or an archival table.
        target: The file to write; its suffix tells the format unless ``to`` does.
        variables: Names, patterns, ids, places and ranges, in a list or in one text with commas;
            see `tabkit.selection`. None keeps all.
        where: A condition on cases as ``age >= 18 and not income is missing``; see
            `tabkit.condition`.
        cases: Numbers of cases as ``1:100``, of the source's cases from 1.
        order: ``asked``, or ``file`` for the order of the source.
        to: A format of ``tabkit formats``.
        header: False leaves out the line of names (``noVarHeader``).
        codebook: The DDI codebook of an archival table, else what describes a plain file; goes
            before that of ``options``.
        on_loss: ``error`` refuses to write what the target cannot carry in full.
        force: Replace a target that exists.
        name: The source's own name, where ``source`` is a temporary copy.
        options: Reading options, the profile among them.
        file_format: Skips the detection of the source's format; a ``.tab`` is then not special.
        notice: As for `tabkit.convert`.

    Returns:
        What the target does not carry, variable by variable.

    Raises:
        FormatError: The source or its codebook cannot be read.
        LossError: Something would be lost and ``on_loss`` is ``error``.
        OutputError: The target exists already or cannot be written.
        UsageError: The condition, the cases or the list of variables cannot be read.
        VariableNotFoundError: A variable is not in the source; the nearest names are told.
    """
    source, target = Path(source), Path(target)
    written = find_format(to) if to else format_of_target(target)
    options = options or ReadOptions()
    if codebook is not None:
        options = dataclasses.replace(options, codebook=Path(codebook))
    items = split_items(variables) if isinstance(variables, str) else variables
    condition = parse_condition(where) if where is not None else None
    spans = parse_spans(cases) if cases is not None else []
    if Path(name or source).suffix.lower() == ".tab" and file_format is None:
        archive, findings = _archive(source, name, options)
        asked = (archive, items, order, condition, spans, written.name == "tab")
        if options.guard is None:
            stream = _of_archive(*asked)
        else:
            stream = guarded_stream(_of_archive, name or source, options.guard, *asked)
        stream.findings.extend(findings)
    else:
        stream = _of_file(source, items, order, condition, spans, options, file_format, name)
    choices = WriteOptions(header=header)
    return write_target(
        stream, target, written, choices, on_loss=on_loss, force=force, notice=notice
    )


def _of_file(
    source: Path,
    items: Sequence[str] | None,
    order: str,
    condition: Condition | None,
    spans: Sequence[Span],
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
) -> TableStream:
    from tabkit.read import open_with, select_stream

    stream = open_with(source, options, file_format, name)
    with contextlib.ExitStack() as stack:
        stack.callback(stream.close)
        names = [variable.name for variable in stream.variables]
        chosen = names if items is None else chosen_names(items, names, order=order)
        if condition is not None or spans:
            stream = choose_cases(stream, condition, spans)
        stream = stream if items is None else select_stream(stream, chosen)
        stack.pop_all()
    return stream


def _of_archive(
    archive: Archive,
    items: Sequence[str] | None,
    order: str,
    condition: Condition | None,
    spans: Sequence[Span],
    is_raw: bool,
) -> TableStream:
    """Open the columns that are to be written and those that the condition needs."""
    import pyarrow as pa

    from tabkit.read import select_stream
    from tabkit.read.archive import column_types, raw_stream, typed_cells, typed_stream

    names = archive.names
    chosen = names if items is None else chosen_names(items, names, order=order)
    asked = list(dict.fromkeys(each.name for each in names_in(condition))) if condition else []
    wanted = [*chosen, *(each for each in asked if each not in set(chosen))]
    if not is_raw:
        stream = choose_cases(typed_stream(archive, wanted), condition, spans)
        return select_stream(stream, chosen)
    types = column_types(archive, asked)

    def typed(column: str, cells: pa.Array) -> pa.Array:
        return typed_cells(cells, pa.field(column, types[column]), archive.path)

    stream = choose_cases(raw_stream(archive, wanted), condition, spans, typed=typed)
    stream = select_stream(stream, chosen)
    # The codebook stays beside the source: its labels are not lost by writing text.
    variables = tuple(Variable(each.name, kind=each.kind, bare=True) for each in stream.variables)
    return dataclasses.replace(stream, variables=variables)


def _archive(source: Path, name: str | None, options: ReadOptions) -> tuple[Archive, list[Finding]]:
    """Open an archival table with the codebook given, or with the one beside it if that fits."""
    from tabkit.ddi.dictionary import part_of
    from tabkit.ddi.parse import read_codebook
    from tabkit.read.archive import open_archive

    own_name = Path(name or source.name)
    beside = source.with_name(f"{own_name.stem}-ddi.xml")
    path = options.codebook or beside
    if options.codebook is None and not beside.exists():
        return open_archive(source), []
    try:
        book = call(read_codebook, path, options.guard, path)
        expected = part_of(book, own_name.stem)[1]
        return open_archive(source, [each.variable for each in expected]), []
    except FormatError as error:
        if options.codebook is not None:
            raise
        text = f"{beside.name} was not used: {error.reason}"
        return open_archive(source), [Finding(text, "warning")]
