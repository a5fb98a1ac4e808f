"""What a user is told when something fails: one line on stderr, and an exit code."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Final

import click

from tabkit.errors import DependencyError, TabkitError

UNREADABLE: Final = 3
#: What the extra `http` brings, by the names that are imported.
_HTTP: Final = {"httpx2", "httpcore2", "stamina", "keyring", "platformdirs", "filelock"}
_OUTPUT_ERRORS: Final = {errno.ENOSPC, errno.EFBIG, errno.EDQUOT, errno.EROFS}


def explain(error: BaseException) -> int:
    """Print one line for an error and return its exit code."""
    if isinstance(error, TabkitError):
        return say(str(error), error.exit_code)
    if isinstance(error, ModuleNotFoundError) and error.name in _HTTP:
        return explain(DependencyError(error.name, "http"))
    if isinstance(error, OSError):
        nowhere = "output" if error.errno in _OUTPUT_ERRORS else "input"
        name = Path(str(error.filename)).name if error.filename else nowhere
        return say(f"{name}: {(error.strerror or str(error)).lower()}", UNREADABLE)
    if isinstance(error, MemoryError):
        return say("the memory of this machine does not suffice; see --jobs", UNREADABLE)
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return say(f"unexpected {text}; this is a bug, --debug shows where", UNREADABLE)


def say_json(value: object, indent: int | None = None) -> None:
    """Print a value as JSON on stdout, one line or indented, in ASCII where that is not UTF-8."""
    import json

    is_utf8 = (sys.stdout.encoding or "").lower() in {"utf-8", "utf8"}
    click.echo(json.dumps(value, ensure_ascii=not is_utf8, indent=indent))


def say(text: str, code: int) -> int:
    """Print one line on stderr and return ``code``."""
    click.echo(f"tabkit: {text}", err=True)
    return code
