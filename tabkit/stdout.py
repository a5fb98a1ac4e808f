"""Standard output as a target: a stream where the format allows it, else through a file."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabkit.convert import convert
from tabkit.errors import UsageError
from tabkit.formats import find_format

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tabkit.limits import Limits
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


def cite_to(
    source: Path | None,
    target: str,
    style: str,
    study: Path | None,
    fields: Mapping[str, Any],
    *,
    force: bool,
    guard: Limits | None = None,
) -> None:
    """Write a citation made of a codebook, a JSON file and single fields, the last first.

    With ``guard``, the codebook is read by a worker within these limits.
    """
    from tabkit.cite import cite, study_from_json
    from tabkit.ddi.study import Study, read_study
    from tabkit.guard import call
    from tabkit.output import whole_files

    found = Study() if source is None else call(read_study, source, guard, source)
    if study is not None:
        found = dataclasses.replace(found, **study_from_json(study))
    found = dataclasses.replace(found, **{name: value for name, value in fields.items() if value})
    text = cite(found, style).encode()
    if target == "-":
        sys.stdout.buffer.write(text)
        return
    with whole_files([Path(target)], force=force) as (draft,):
        draft.write_bytes(text)


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
