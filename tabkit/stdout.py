"""Standard output as a target: a stream where the format allows it, else through a file."""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabkit.convert import convert
from tabkit.errors import UsageError
from tabkit.formats import find_format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tabkit.loss import Ledger


def convert_to(source: Path, target: str, *, to: str | None, **choices: Any) -> Ledger:
    """Convert to a file, or to stdout where ``target`` is ``-``.

    The table is finished before its first byte is sent, so that a failure sends none.

    Raises:
        UsageError: Standard output needs ``to``.
    """
    return _written(convert, source, target, to=to, **choices)


def subset_to(source: Path, target: str, *, to: str | None, **choices: Any) -> Ledger:
    """Write a part of a file, or send it to stdout where ``target`` is ``-``.

    Raises:
        UsageError: Standard output needs ``to``, unless the source is an archival table.
    """
    from tabkit.subset import subset

    if target == "-" and to is None and source.suffix.lower() == ".tab":
        to = "tab"
    return _written(subset, source, target, to=to, **choices)


def prep_to(source: Path, target: str, **choices: Any) -> None:
    """Write the preprocessed data of a file, or send it to stdout where ``target`` is ``-``."""
    from tabkit.prep import prep

    if target != "-":
        prep(source, Path(target), **choices)
        return
    with _sent("-prep.json") as draft:
        prep(source, draft, **choices)


def _written(
    write: Callable[..., Ledger], source: Path, target: str, *, to: str | None, **choices: Any
) -> Ledger:
    if target != "-":
        return write(source, Path(target), to=to, **choices)
    if to is None:
        msg = "standard output needs a format: --to tab, csv, …"
        raise UsageError(msg)
    with _sent(find_format(to).suffixes[0]) as draft:
        return write(source, draft, to=to, **choices)


@contextlib.contextmanager
def _sent(suffix: str) -> Iterator[Path]:
    """Give a file to write; what is in it when the block ends well goes to stdout."""
    with tempfile.TemporaryDirectory(prefix="tabkit-") as folder:
        draft = Path(folder) / f"out{suffix}"
        yield draft
        with draft.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
