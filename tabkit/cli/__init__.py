"""The command line: options in, one library call, results on stdout, messages on stderr."""

from __future__ import annotations

import os
import signal
import sys
from typing import TYPE_CHECKING

import click

from tabkit import __version__
from tabkit.cli import access, checks, fetch, pictures, tables
from tabkit.cli.options import CONTEXT
from tabkit.messages import explain, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USAGE, INTERRUPTED = 2, 130


@click.group(context_settings=CONTEXT)
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
    for each in _ends():
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
        return say(f"{error.format_message().rstrip('.')}; see tabkit --help", USAGE)
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
    for each in _ends():
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt


def _ends() -> Iterator[signal.Signals]:
    """Yield the signals that end a command, among them the end of its terminal but under nohup."""
    yield from (signal.SIGINT, signal.SIGTERM)
    hangup = getattr(signal, "SIGHUP", None)  # Windows has none
    if hangup is not None and signal.getsignal(hangup) is not signal.SIG_IGN:
        yield hangup


for _command in (
    tables.ingest,
    tables.convert,
    tables.describe,
    tables.unf,
    access.subset,
    access.prep,
    access.zip_,
    access.cite,
    access.bundle,
    checks.validate,
    checks.verify,
    pictures.thumbnail,
    tables.formats,
    fetch.fetch,
    fetch.login,
    fetch.access,
):
    cli.add_command(_command)
