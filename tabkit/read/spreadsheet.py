"""Spreadsheets: ``.xlsx .xlsm .xls .xlsb .ods``, one sheet a table, through python-calamine.

A sheet is a picture of a table: where the names stand and what type a column has is found out from
all cells and reported. Formulas give the value that was stored with them, macros are never looked
at. The sheet is unpacked by a worker process under limits, so that no file can take the machine.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import signal
import subprocess
import sys
import tempfile
from typing import IO, TYPE_CHECKING, Any, Final

import pyarrow as pa

from tabkit.errors import FormatError, TabkitError, UsageError
from tabkit.limits import LIMITS, Limits, refuse
from tabkit.model import Block, Finding, Interval, Kind, Origin, TableStream, Variable
from tabkit.read.spreadsheet_zip import kind_of, unpacked_size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tabkit.options import ReadOptions

BYTES_PER_SECOND: Final = 2_000_000  # unpacked bytes that allow a second more; 20 times slower
_MEDIA_TYPES: Final = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "xlsb": "application/vnd.ms-excel.sheet.binary.macroenabled.12",
    "xls": "application/vnd.ms-excel",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
}
_WORKER: Final = "tabkit.read.spreadsheet_worker"
_TOO_MUCH: Final = "it is damaged, or unpacking it takes more memory than"
_TOO_LONG: Final = "unpacking it takes more processor time than a second for every 2 MB and"
_HINT: Final = "a stray cell far to the right or below makes a sheet huge: delete it"


def open_spreadsheet(path: Path, options: ReadOptions) -> TableStream:
    """Open one sheet of a workbook.

    Args:
        path: The workbook.
        options: ``sheet`` names a sheet, by name or number; else the first that is not empty is
            read. ``header_row`` is the row of names, 0 for none; else it is found.

    Raises:
        FormatError: It is no workbook, damaged, protected, empty, or beyond a limit.
        UsageError: There is no such sheet.
    """
    kind = kind_of(path, options.limits)
    if options.profile.sheets_as_stored and kind == "xlsx":
        from tabkit.read.spreadsheet_dataverse import open_as_stored

        return open_as_stored(path, options, _MEDIA_TYPES[kind])
    asked = {
        "list": False,
        "sheet": options.sheet,
        "header_row": options.header_row,
        "rows": options.block_rows,
        "cells": options.block_cells,
    }
    worker = _Worker.started(path, kind, asked, options.limits)
    found = worker.answer()
    variables = tuple(
        Variable(name, kind=Kind(of), interval=Interval(interval), format_category=category)
        for name, of, interval, category in found["variables"]
    )
    reader = worker.reader()
    return TableStream(
        reader.schema,
        variables,
        _Blocks(worker, reader),
        origin=Origin(format=kind, media_type=_MEDIA_TYPES[kind]),
        cases=found["cases"],
        notes=tuple(found["notes"]),
        attributes=(("sheet", found["sheet"]),),
        findings=[Finding(*each) for each in found["findings"]],
    )


def sheet_names(path: Path, limits: Limits = LIMITS) -> list[str]:
    """Return the names of a workbook's sheets that hold anything, in order.

    Raises:
        FormatError: It cannot be read.
    """
    worker = _Worker.started(path, kind_of(path, limits), {"list": True}, limits)
    names: list[str] = worker.answer()["sheets"]
    worker.close()
    return names


@dataclasses.dataclass(slots=True)
class _Worker:
    """A worker process (`tabkit.read.spreadsheet_worker`) that unpacks ``path``."""

    path: Path
    process: subprocess.Popen[bytes]
    told: IO[bytes]
    limits: Limits

    @classmethod
    def started(cls, path: Path, kind: str, asked: dict[str, Any], limits: Limits) -> _Worker:
        seconds = limits.sheet_seconds + unpacked_size(path) // BYTES_PER_SECOND
        told = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        bounds = [str(limits.sheet_memory), str(seconds)]
        process = subprocess.Popen(  # noqa: S603 - own module
            [sys.executable, "-P", "-m", _WORKER, str(path), kind, json.dumps(asked), *bounds],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=told,
        )
        return cls(path, process, told, limits)

    @property
    def output(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    def answer(self) -> dict[str, Any]:
        """Return the first line that the worker tells; raise the error it names."""
        line = self.output.readline()
        found: dict[str, Any] = {"error": "MemoryError"}
        if line.endswith(b"\n"):
            found = json.loads(line)
        if "error" in found:
            self.close()
            raise self._error(found["error"], found.get("arguments", []))
        return dict(found)

    def failure(self) -> TabkitError:
        """Return what to raise for a worker that has ended before its time."""
        return self._error("MemoryError", [])

    def _error(self, name: str, arguments: list[str]) -> TabkitError:
        if name == "UsageError":
            return UsageError(*arguments)
        if name == "FormatError":
            return FormatError(arguments[0], self.path, *arguments[2:])
        self.close()
        late = self.process.returncode == -signal.SIGXCPU
        what, limit = (_TOO_LONG, "sheet_seconds") if late else (_TOO_MUCH, "sheet_memory")
        return refuse(self.path, what, self.limits, limit, more=_HINT)

    def reader(self) -> pa.RecordBatchReader:
        """Return what reads the types of the columns and the cases."""
        try:
            return pa.ipc.open_stream(self.output)
        except (pa.ArrowException, OSError) as error:
            raise self.failure() from error

    def close(self) -> None:
        """End the worker and release what it held."""
        self.process.kill()
        with contextlib.suppress(OSError):
            self.output.close()
        self.process.wait()
        self.told.close()


@dataclasses.dataclass(frozen=True, slots=True)
class _Blocks:
    """The blocks as the worker sends them; read or closed, they end the worker."""

    worker: _Worker
    reader: pa.RecordBatchReader

    def __iter__(self) -> Iterator[Block]:
        try:
            for batch in self.reader:
                yield Block(batch)
        except (pa.ArrowException, OSError) as error:
            raise self.worker.failure() from error
        finally:
            self.close()

    def close(self) -> None:
        self.worker.close()
