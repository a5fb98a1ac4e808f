"""Convert: one file goes in, the same table in another format comes out, with a loss ledger."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tabkit.errors import LossError, UsageError
from tabkit.formats import FileFormat, find_format, format_of_target, identify
from tabkit.loss import Loss
from tabkit.options import ReadOptions, WriteOptions
from tabkit.output import whole_files
from tabkit.selection import chosen_names

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tabkit.loss import Ledger
    from tabkit.model import Finding, TableStream

ON_LOSS: Final = ("warn", "error", "ignore")


def convert(
    source: Path | str,
    target: Path | str,
    *,
    to: str | None = None,
    variables: Sequence[str] | None = None,
    header: bool = True,
    on_loss: str = "warn",
    force: bool = False,
    name: str | None = None,
    options: ReadOptions | None = None,
    file_format: FileFormat | None = None,
    write_options: WriteOptions | None = None,
    notice: Callable[[Finding], object] | None = None,
) -> Ledger:
    """Write the table of ``source`` to ``target`` in another format.

    Args:
        source: The file to read.
        target: The file to write; its suffix tells the format unless ``to`` does.
        to: A format of ``tabkit formats``.
        variables: Keep these only, in this order: names, patterns, ids and ranges as in
            `tabkit.selection`.
        header: False leaves out the line of names of an archival table or a CSV file.
        on_loss: ``error`` refuses to write what the target cannot carry in full.
        force: Replace a target that exists.
        name: The source's own name, where ``source`` is a temporary copy.
        options: Reading options, the profile among them.
        file_format: Skips the detection of the source's format.
        write_options: Choices for the target; its ``header`` gives way to ``header``.
        notice: Called with each choice that the reader made: a guessed encoding, one sheet of
            several. Its warnings are in the ledger.

    Returns:
        What the target does not carry, variable by variable; empty when nothing is lost.

    Raises:
        FormatError: The source cannot be read.
        LossError: Something would be lost and ``on_loss`` is ``error``; nothing is written.
        OutputError: The target exists already or cannot be written.
        UsageError: The target's format is unknown.
        VariableNotFoundError: A name in ``variables`` is not in the table.
    """
    from tabkit.read import open_with, select_stream

    source, target = Path(source), Path(target)
    options = options or ReadOptions()
    written = find_format(to) if to else format_of_target(target)
    with contextlib.ExitStack() as stack:
        if "r_style" in written.choices and options.profile.r_objects is not None:
            file_format = file_format or identify(source, name)
            for_r = options.profile.for_r(file_format.name)
            options = dataclasses.replace(options, profile=for_r)
        stream = open_with(source, options, file_format, name)
        stack.callback(stream.close)
        if variables is not None:
            names = [variable.name for variable in stream.variables]
            stream = select_stream(stream, chosen_names(variables, names))
        stack.pop_all()
    choices = dataclasses.replace(write_options or WriteOptions(), header=header)
    return write_target(
        stream, target, written, choices, on_loss=on_loss, force=force, notice=notice
    )


def write_target(
    stream: TableStream,
    target: Path,
    written: FileFormat,
    choices: WriteOptions,
    *,
    on_loss: str = "warn",
    force: bool = False,
    notice: Callable[[Finding], object] | None = None,
) -> Ledger:
    """Write a stream to a file, whole or not at all, and return what it does not carry.

    ``notice`` is called with what the reader noticed that is no warning.

    Raises:
        LossError: Something would be lost and ``on_loss`` is ``error``; nothing is written.
        OutputError: The target exists already or cannot be written.
        UsageError: ``on_loss`` is none of the three, or an .rds is to have a named object.
    """
    with stream:
        if on_loss not in ON_LOSS:
            msg = f"on_loss is one of {', '.join(ON_LOSS)}, not {on_loss!r}"
            raise UsageError(msg)
        with whole_files([target], force=force) as (draft,):
            ledger = _write(stream, draft, written, _named(choices, target, written, stream))
            ledger += tuple(
                Loss(finding.text, finding.variable)
                for finding in stream.findings
                if finding.severity == "warning"
            )
            if ledger and on_loss == "error":
                raise LossError(target, [str(loss) for loss in ledger])
        if notice is not None:
            for finding in stream.findings:
                if finding.severity != "warning":
                    notice(finding)
    return ledger


def _named(
    choices: WriteOptions, target: Path, written: FileFormat, stream: TableStream
) -> WriteOptions:
    """An object of R is named after its file, unless the user or the profile says how.

    Raises:
        UsageError: A name is for an .rds, which has none; that of a source in R is none of it.
    """
    from tabkit.write.rdata_names import object_name

    if choices.object_name is not None:
        if written.name == "rds" and stream.origin.format not in {"rdata", "rds"}:
            msg = "an .rds holds an object without a name: name it in R, or write an .RData"
            raise UsageError(msg)
        return choices
    if stream.profile.r_objects is not None:
        return choices
    return dataclasses.replace(choices, object_name=object_name(target.name))


def _write(stream: TableStream, draft: Path, written: FileFormat, options: WriteOptions) -> Ledger:
    from tabkit.read import read_all

    if written.stream_writer:
        return written.write_stream(stream, draft, options)
    return written.write(read_all(stream), draft)
