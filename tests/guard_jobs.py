"""What the tests of the guard run in a worker: functions of a module, as a reader is one."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from tabkit.errors import FormatError
from tabkit.model import Block, Finding, TableStream, Variable

if TYPE_CHECKING:
    from collections.abc import Iterator


def hang(note: str) -> None:
    """Write our process number, then loop in C with the interpreter's lock held."""
    Path(note).write_text(str(os.getpid()))
    re.fullmatch(r"(a+)+b", "a" * 80)


def refuse() -> None:
    """Fail as a reader does."""
    raise FormatError("is broken", "x.sav", "byte 7", "mend it")


def litter() -> str:
    """Leave a temporary file, and tell where."""
    import tempfile

    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(b"rubbish")
    return file.name


def stream(blocks: int, fault: str = "") -> TableStream:
    """Open a stream of blocks of 1,000 cases; after the last comes the fault."""
    found: list[Finding] = []

    def cases() -> Iterator[Block]:
        for number in range(blocks):
            found.append(Finding(f"block {number}"))
            batch = pa.record_batch({"a": pa.array(range(1000), pa.float64())})
            yield Block(batch, {"a": pa.array([1] * 1000, pa.int8())} if number == 1 else {})
        if fault == "abort":
            os.abort()
        if fault == "hang":
            re.fullmatch(r"(a+)+b", "a" * 80)
        if fault == "raise":
            refuse()
        if fault == "bug":
            {}["nonsense"]

    return TableStream(
        pa.schema([("a", pa.float64())]), (Variable("a", "A"),), cases(), findings=found
    )


def ahead(note: str, blocks: int) -> TableStream:
    """Open a stream that notes how many blocks it has made."""

    def cases() -> Iterator[Block]:
        for number in range(blocks):
            Path(note).write_text(str(number))
            yield Block(pa.record_batch({"a": pa.array(range(200_000), pa.int64())}))

    return TableStream(pa.schema([("a", pa.int64())]), (Variable("a"),), cases())
