"""The command line: options in, one library call, results on stdout, messages on stderr."""

from __future__ import annotations

import importlib
import os
import signal
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, cast

import click

from tabkit import __version__
from tabkit.cli.options import CONTEXT
from tabkit.messages import explain, say

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

USAGE, INTERRUPTED = 2, 130

#: The verbs and the module of each.
_HOMES: Final = {
    "ingest": "tables",
    "convert": "tables",
    "describe": "tables",
    "unf": "tables",
    "subset": "access",
    "prep": "access",
    "zip": "access",
    "cite": "access",
    "bundle": "access",
    "validate": "checks",
    "verify": "checks",
    "thumbnail": "pictures",
    "formats": "tables",
    "fetch": "fetch",
    "login": "fetch",
    "access": "fetch",
}
_NAMES: Final = {"zip": "zip_"}  # where the function has another than the verb


class _Verbs(Mapping[str, click.Command]):
    """The commands by verb; their module is loaded when one is asked for, as a run needs one."""

    def __getitem__(self, verb: str) -> click.Command:
        module = importlib.import_module(f"tabkit.cli.{_HOMES[verb]}")
        return cast("click.Command", getattr(module, _NAMES.get(verb, verb)))

    def __iter__(self) -> Iterator[str]:
        return iter(_HOMES)

    def __len__(self) -> int:
        return len(_HOMES)


@click.group(commands=_Verbs(), context_settings=CONTEXT)
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
