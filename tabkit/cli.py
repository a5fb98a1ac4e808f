"""The command line: options in, one library call, results on stdout, messages on stderr."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tabkit import __version__
from tabkit.messages import explain, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tabkit.formats import FileFormat, ReadOptions

USAGE, INTERRUPTED = 2, 130
_CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


@click.group(context_settings=_CONTEXT)
@click.version_option(__version__, prog_name="tabkit")
@click.option("--debug", is_flag=True, expose_value=False, help="Show tracebacks of failures.")
def cli() -> None:
    """Turn files of statistics packages into archival tables with codebook and fingerprint.

    Exit codes: 0 done; 1 a finding (invalid, differs); 2 wrong usage; 3 input that cannot be read
    or an output that cannot be made; 4 loss refused; 130 interrupted.
    """


def run(arguments: Sequence[str]) -> int:
    """Run one command; return its exit code after at most one line of error."""
    debug = "--debug" in arguments
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, _interrupt)
    try:
        with cli.make_context("tabkit", list(arguments)) as context:
            result = cli.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as exit_:
        return int(exit_.exit_code)
    except (click.Abort, KeyboardInterrupt):
        return say("interrupted", INTERRUPTED)
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message(), err=True)
        return USAGE
    except click.ClickException as error:
        return say(f"{error.format_message()}; see tabkit --help", USAGE)
    except BrokenPipeError:
        # The reader of our output has gone: nothing to tell, nobody to tell it to.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:
        if debug:
            raise
        return explain(error)
    return result if isinstance(result, int) else 0


def _interrupt(*_: object) -> None:
    # Once is enough: a second signal must not break the cleaning up after the first.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


# ------------------------------------------------------------------------------ shared options


def _reading(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options that say how a source is read, and give them as one argument."""

    @functools.wraps(command)
    def wrapped(
        encoding: str | None,
        catalog: Path | None,
        delimiter: str | None,
        quote: str | None,
        from_: str | None,
        profile: str,
        name: str | None,
        debug: bool,  # noqa: ARG001 - seen by run()
        **others: Any,
    ) -> Any:
        from tabkit.formats import ReadOptions, find_format
        from tabkit.profiles import find_profile

        options = ReadOptions(
            profile=find_profile(profile),
            encoding=encoding,
            catalog=catalog,
            delimiter=_tab(delimiter),
            quote=quote,
        )
        file_format = find_format(from_) if from_ else None
        return command(options=options, file_format=file_format, name=name, **others)

    for option in reversed(_READING_OPTIONS):
        wrapped = option(wrapped)
    return wrapped


_READING_OPTIONS: Final = (
    click.option("--profile", default="tabkit", metavar="NAME", help="tabkit or dataverse."),
    click.option("--from", "from_", metavar="FORMAT", help="Format of the source."),
    click.option("--encoding", metavar="NAME", help="Encoding of the source's text."),
    click.option("--catalog", type=click.Path(path_type=Path), help="SAS catalogue with labels."),
    click.option("--delimiter", metavar="CHAR", help="Delimiter of a text file; 'tab' for TAB."),
    click.option("--quote", metavar="CHAR", help="Quote character of a text file; '' for none."),
    click.option("--name", metavar="FILE", help="Name of a source that comes from stdin (-)."),
    click.option("--debug", is_flag=True, help="Show a traceback when something fails."),
)


def _tab(delimiter: str | None) -> str | None:
    return {"tab": "\t", "\\t": "\t"}.get(delimiter or "", delimiter)


@contextlib.contextmanager
def _on_disk(source: str, name: str | None) -> Iterator[tuple[Path, str | None]]:
    """Give a source as a file: standard input is copied, since formats are read by seeking."""
    if source != "-":
        yield Path(source), name
        return
    with tempfile.NamedTemporaryFile(prefix="tabkit-", suffix=Path(name or "").suffix) as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
        copy.flush()
        yield Path(copy.name), name or "stdin"


def _print_json(value: object) -> None:
    click.echo(json.dumps(value, ensure_ascii=False, indent=2))


# --------------------------------------------------------------------------------------- verbs


@cli.command(context_settings=_CONTEXT)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-o", "--output", "folder", required=True, type=click.Path(path_type=Path))
@click.option("--only", default="tab,ddi,original", metavar="PARTS", show_default=True,
              help="Comma list of the outputs to write.")  # fmt: skip
@click.option("--ddi-version", default="2.5", metavar="VERSION", show_default=True,
              help="2.5, 2.6 or repository.")  # fmt: skip
@click.option("--jobs", default=1, type=click.IntRange(1), metavar="N", show_default=True,
              help="Files worked on at the same time.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Replace outputs that exist.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file on stdout.")
@_reading
def ingest(sources: tuple[str, ...], **choices: Any) -> int:
    """Write the archival package of each SOURCE: table, codebook and the original.

    One pass over each source. Nothing is overwritten without -f, nothing is left half-written.
    """
    from tabkit.batch import ingest_files

    choices["only"] = tuple(part.strip() for part in choices["only"].split(","))
    return ingest_files(sources, **choices)


@cli.command(context_settings=_CONTEXT)
@click.argument("source")
@click.argument("target")
@click.option("--to", metavar="FORMAT", help="Format to write, if the suffix does not tell.")
@click.option("--variables", metavar="NAME,...", help="Keep only these, in this order.")
@click.option("--no-header", is_flag=True, help="Leave out the header line of a .tab.")
@click.option("--on-loss", type=click.Choice(["warn", "error", "ignore"]), default="warn",
              show_default=True, help="What to do when the target cannot carry all.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Replace a target that exists.")
@click.option("--json", "as_json", is_flag=True, help="The loss ledger as JSON on stdout.")
@_reading
def convert(
    source: str,
    target: str,
    options: ReadOptions,
    name: str | None,
    **choices: Any,
) -> int:
    """Write the table of SOURCE to TARGET, in the format its suffix names.

    What TARGET cannot carry is told on stderr, with the variables concerned; --json lists all.
    """
    from tabkit.show import convert_one

    with _on_disk(source, name) as (path, own_name):
        return convert_one(path, target, options=options, name=own_name, **choices)


@cli.command(context_settings=_CONTEXT)
@click.argument("source")
@click.option("--json", "as_json", is_flag=True, help="Everything known, as JSON.")
@_reading
def describe(
    source: str,
    as_json: bool,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
) -> int:
    """Show names, labels, types, missing values, statistics and fingerprints of SOURCE."""
    from tabkit.show import describe_one

    with _on_disk(source, name) as (path, own_name):
        return describe_one(path, options, file_format, own_name, as_json=as_json)


@cli.command(context_settings=_CONTEXT)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--check", metavar="UNF", help="Exit 1 unless each SOURCE has this fingerprint.")
@click.option("--explain", is_flag=True, help="Show the bytes that each value is hashed as.")
@click.option("--digits", default=7, metavar="N", help="Significant digits of numbers.")
@click.option("--characters", default=128, metavar="N", help="Characters kept of a text.")
@click.option("--json", "as_json", is_flag=True, help="Files and variables as JSON.")
@_reading
def unf(sources: tuple[str, ...], name: str | None, **choices: Any) -> int:
    """Print the fingerprints (UNF 6) of each SOURCE and of its variables."""
    from tabkit.fingerprint import fingerprint_files

    with contextlib.ExitStack() as stack:
        paths = [stack.enter_context(_on_disk(source, name)) for source in sources]
        return fingerprint_files(paths, **choices)


@cli.command(context_settings=_CONTEXT)
@click.argument("codebook", type=click.Path(path_type=Path))
@click.option("--profile", default="xsd", metavar="NAME", show_default=True,
              help="xsd: the official schema; tabkit: also references and UNFs.")  # fmt: skip
@click.option("--schemas", type=click.Path(path_type=Path), envvar="TABKIT_SCHEMAS",
              help="Folder with the official schemas.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON.")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def validate(
    codebook: Path,
    profile: str,
    schemas: Path | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> int:
    """Check a DDI CODEBOOK against the official schema; exit 1 when it is not valid."""
    from tabkit.show import validate_one

    return validate_one(codebook, profile, schemas, as_json=as_json)


@cli.command(context_settings=_CONTEXT)
@click.argument("data")
@click.argument("codebook", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON.")
@_reading
def verify(
    data: str,
    codebook: Path,
    as_json: bool,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
) -> int:
    """Check that DATA (any format, or an archival .tab) holds what its CODEBOOK says.

    Exit 1 when cases, variables or fingerprints differ.
    """
    from tabkit.show import verify_one

    with _on_disk(data, name) as (path, own_name):
        return verify_one(path, codebook, options, file_format, own_name, as_json=as_json)


@cli.command(context_settings=_CONTEXT)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def formats(as_json: bool) -> int:
    """List the formats: what is read, what is written, what metadata they keep."""
    from tabkit.formats import FORMATS

    rows = [
        {
            "name": each.name,
            "title": each.title,
            "suffixes": list(each.suffixes),
            "read": bool(each.reader),
            "write": bool(each.writer),
            "keeps": each.keeps,
        }
        for each in FORMATS
    ]
    if as_json:
        _print_json(rows)
        return 0
    for each in FORMATS:
        can = f"{'read' if each.reader else '    '} {'write' if each.writer else '     '}"
        click.echo(f"{each.name:9} {can}  {' '.join(each.suffixes):18} {each.keeps}")
    return 0
