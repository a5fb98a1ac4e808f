"""Standard output as a target: a stream where the format allows it, else through a file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabkit.convert import convert
from tabkit.errors import UsageError
from tabkit.formats import find_format

if TYPE_CHECKING:
    from tabkit.loss import Ledger


def convert_to(source: Path, target: str, *, to: str | None, **choices: Any) -> Ledger:
    """Convert to a file, or to stdout where ``target`` is ``-``.

    The table is finished before its first byte is sent, so that a failure sends none.

    Raises:
        UsageError: Standard output needs ``to``.
    """
    if target != "-":
        return convert(source, Path(target), to=to, **choices)
    if to is None:
        msg = "standard output needs a format: --to tab, csv, …"
        raise UsageError(msg)
    with tempfile.TemporaryDirectory(prefix="tabkit-") as folder:
        draft = Path(folder) / f"out{find_format(to).suffixes[0]}"
        ledger = convert(source, draft, to=to, **choices)
        with draft.open("rb") as file:
            shutil.copyfileobj(file, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return ledger
