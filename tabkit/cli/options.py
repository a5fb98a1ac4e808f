"""What the commands share: the options that say how a source is read, sources from stdin."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}
_LEAST_MEMORY: Final = 16 << 20


#: Sections of a verb's help, in this order; options that are in none stand first.
_SECTIONS: Final = (
    ("Source", ("--from", "--profile", "--codebook", "--encoding", "--name")),
    ("Source, text and workbooks", ("--delimiter", "--quote", "--sheet", "--header-row")),
    ("Source, SAS, Arrow and R",
     ("--catalog", "--flatten", "--object", "--row-names", "--engine")),
    ("Target, R", ("--r-style", "--r-names", "--r-version")),
    ("Running", ("--memory", "--untrusted", "--limit", "--debug", "--help")),
)  # fmt: skip


class Verb(click.Command):
    """A command whose help has its options in sections: a verb that reads has thirty."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options, those of the verb itself first."""
        left = {
            option: record
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            and (record := parameter.get_help_record(ctx)) is not None
            for option in parameter.opts[-1:]
        }
        sections = [
            (title, [left.pop(option) for option in options if option in left])
            for title, options in _SECTIONS
        ]
        for title, records in (("Options", list(left.values())), *sections):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def bytes_of(text: str) -> int:
    """Return the bytes of a size such as ``512MiB`` or ``2GB``; without a unit it counts MiB.

    Raises:
        click.BadParameter: It is no size, or too small to work with.
    """
    from tabkit.limits import parse_size

    size = parse_size(text, plain=1 << 20)
    if size is None:
        msg = f"{text!r} is no size; write it as 512MiB or 2GiB"
        raise click.BadParameter(msg)
    if size < _LEAST_MEMORY:
        msg = f"{text} is too little; 16MiB are the least"
        raise click.BadParameter(msg)
    return size


def reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how a source is read, and give them as one argument."""

    @functools.wraps(command)
    def wrapped(
        *,
        from_: str | None,
        profile: str,
        codebook_: Path | None,
        limit: tuple[str, ...],
        debug: bool,  # noqa: ARG001 - seen by run()
        **choices: Any,
    ) -> Any:
        from tabkit.formats import find_format
        from tabkit.lean import load_arrow_alone
        from tabkit.limits import parse_limits
        from tabkit.options import ReadOptions
        from tabkit.profiles import find_profile

        load_arrow_alone()
        fields = {field.name for field in dataclasses.fields(ReadOptions)} - {"codebook"}
        of_reader = {key: choices.pop(key) for key in fields & choices.keys()}
        options = ReadOptions(
            profile=find_profile(profile),
            codebook=codebook_,
            limits=parse_limits(limit),
            **of_reader,
        )
        file_format = find_format(from_) if from_ else None
        return command(options=options, file_format=file_format, **choices)

    for option in reversed(_READING_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


def _tab(delimiter: str) -> str:
    return {"tab": "\t", "\\t": "\t"}.get(delimiter, delimiter)


_GUARD_OPTIONS: Final = (
    click.option("--untrusted", is_flag=True, help="Read in a process of its own, with limits."),
    click.option("--limit", multiple=True, metavar="NAME=VALUE",
                 help="Change a limit, as memory=4GiB; see docs/limits.md."),
)  # fmt: skip


def guarding(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of the guard to a command that reads something else than a table."""

    @functools.wraps(command)
    def wrapped(limit: tuple[str, ...], **others: Any) -> Any:
        from tabkit.limits import parse_limits

        return command(limits=parse_limits(limit), **others)

    for option in reversed(_GUARD_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


_READING_OPTIONS: Final = (
    click.option("--profile", default="tabkit", metavar="NAME", help="tabkit or dataverse."),
    click.option("--from", "from_", metavar="FORMAT", help="Format of the source."),
    click.option("--encoding", metavar="NAME", help="Encoding of the source's text."),
    click.option("--catalog", type=click.Path(path_type=Path), help="SAS catalogue with labels."),
    click.option(
        "--delimiter", type=_tab, metavar="CHAR", help="Delimiter of a text file; 'tab' for TAB."
    ),
    click.option("--quote", metavar="CHAR", help="Quote character of a text file; '' for none."),
    click.option("--sheet", metavar="NAME|N", help="Sheet of a workbook."),
    click.option(
        "--header-row",
        type=click.IntRange(0),
        metavar="N",
        help="Row of a sheet with the names; 0 for none.",
    ),
    click.option("--flatten", is_flag=True, help="Nested Arrow columns become a column a field."),
    click.option(
        "--codebook",
        "codebook_",  # verify has an argument of that name
        type=click.Path(path_type=Path),
        help="DDI codebook or dictionary (CSV, XLSX) that describes the source.",
    ),
    click.option("--object", metavar="NAME", help="Object of an R file, read or written."),
    click.option("--row-names", metavar="NAME", help="Variable for row names of an R data frame."),
    click.option(
        "--engine",
        default="tabkit",
        type=click.Choice(["tabkit", "r"]),
        help="'r' lets R itself read an R file.",
    ),
    click.option(
        "--memory",
        type=bytes_of,
        default="512MiB",
        metavar="SIZE",
        show_default=True,
        help="Memory to take, about; more goes to temporary files.",
    ),
    *_GUARD_OPTIONS,
    click.option("--name", metavar="FILE", help="Name of a source that comes from stdin (-)."),
    click.option("--debug", is_flag=True, help="Show a traceback when something fails."),
)


def for_r(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of a file for R, and give them as one argument, ``write_options``."""

    @functools.wraps(command)
    def wrapped(r_style: str | None, r_names: str, r_version: str, **others: Any) -> Any:
        from tabkit.options import WriteOptions

        # `--object` of `reading` names the data frame on either side.
        options = WriteOptions(
            object_name=others["object"],  # the same name on either side
            r_style=r_style,
            r_names=r_names,
            r_version=int(r_version),
        )
        return command(write_options=options, **others)

    for option in reversed(_R_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


_R_OPTIONS: Final = (
    click.option("--r-style", type=click.Choice(["haven", "factor", "plain", "repository"]),
                 help="Columns for R: labelled as by haven (default), factors, bare vectors."),
    click.option("--r-names", type=click.Choice(["keep", "make.names"]), default="keep",
                 show_default=True, help="Names for R, kept or made to need no backticks."),
    click.option("--r-version", type=click.Choice(["2", "3"]), default="3", show_default=True,
                 help="Version of R's format; 2 for R before 3.5."),
)  # fmt: skip


@contextlib.contextmanager
def on_disk(source: str, name: str | None) -> Iterator[tuple[Path, str | None]]:
    """Give a source as a file: standard input is copied, since formats are read by seeking."""
    if source != "-":
        yield Path(source), name
        return
    import shutil
    import tempfile

    with tempfile.NamedTemporaryFile(prefix="tabkit-", suffix=Path(name or "").suffix) as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name), name or "stdin"
