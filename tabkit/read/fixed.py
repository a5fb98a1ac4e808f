"""Fixed-width data: each case is one or several lines, each variable some columns of them.

Columns are bytes, unless lines of non-ASCII UTF-8 are alike in characters and unlike in bytes. The
file is read twice: first for its lines, its encoding and which numbers have a point, then for its
values, a block of bytes at a time.
"""

from __future__ import annotations

import codecs
import collections
import dataclasses
import gzip
from typing import IO, TYPE_CHECKING, Final, cast

import numpy as np
import pyarrow as pa

from tabkit.errors import FormatError
from tabkit.limits import check_unpacked, refuse
from tabkit.model import Block, Finding, Origin, TableStream
from tabkit.read.fixed_cells import FixedColumn, lines_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tabkit.limits import Limits
    from tabkit.options import ReadOptions
    from tabkit.read.dictionary import Dictionary
    from tabkit.read.fixed_cells import Matrix

_CHUNK: Final = 4 << 20
_GZIP: Final = b"\x1f\x8b"


@dataclasses.dataclass(frozen=True, slots=True)
class _Facts:
    """What the first reading found: cases, encoding, and where points and letters stand."""

    lines: int
    encoding: str
    by_character: bool
    pointed: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
    short: int
    blank: int


def open_fixed(path: Path, options: ReadOptions, dictionary: Dictionary) -> TableStream:
    """Open a fixed-width file, plain or compressed by gzip.

    Args:
        path: The data.
        options: ``encoding`` overrides what the codebook says and what is found.
        dictionary: Says where each variable lies.

    Raises:
        FormatError: A place is impossible, or no line reaches the first variable.
    """
    records = max(entry.record for entry in dictionary.entries)
    width = max(_last(entry.start, entry.width) for entry in dictionary.entries)
    if any((entry.start or 0) < 1 for entry in dictionary.entries):
        raise FormatError("a variable has no place in a line", dictionary.path)
    if width > options.limits.width:
        what = f"a variable lies in columns up to {width:,}, beyond"
        raise refuse(dictionary.path, what, options.limits, "width")
    facts = _scan(path, width, options.encoding or dictionary.encoding, options.limits)
    if facts.lines % records:
        text = f"{facts.lines:,} lines are no whole number of cases of {records} lines"
        raise FormatError(text, path, "", "the codebook may belong to another file")
    columns = [FixedColumn.of(entry, facts.pointed) for entry in dictionary.entries]
    findings = _findings(facts, width)
    cases = facts.lines // records
    rows = options.rows_of(len(columns))
    blocks = _Blocks(path, columns, facts, width, records, rows, findings, options.limits)
    return TableStream(
        blocks.schema,
        tuple(column.variable for column in columns),
        blocks,
        origin=Origin(format="fixed", media_type="text/plain", encoding=facts.encoding),
        cases=cases,
        findings=findings,
    )


def _last(start: int | None, width: int | None) -> int:
    return (start or 0) + (width or 0) - 1


def _findings(facts: _Facts, width: int) -> list[Finding]:
    findings = (
        [Finding(f"columns are characters of {facts.encoding}")] if facts.by_character else []
    )
    if facts.blank:
        findings.append(Finding(f"empty lines, left out: {facts.blank:,}", "warning"))
    if facts.short:
        text = f"lines shorter than the {width:,} columns of the codebook: {facts.short:,}"
        findings.append(Finding(f"{text}; what is not there is missing", "warning"))
    return findings


def _open(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        packed = file.read(len(_GZIP)) == _GZIP
    if not packed:
        return path.open("rb")
    from isal import igzip

    return cast("IO[bytes]", igzip.open(path, "rb"))  # type: ignore[no-untyped-call]


def _pieces(path: Path, limits: Limits) -> Iterator[bytes]:
    """Yield whole lines, a few megabytes at a time; the last may lack its end."""
    try:
        with _open(path) as file:
            rest = b""
            first, unpacked, size = True, 0, path.stat().st_size
            while chunk := file.read(_CHUNK):
                unpacked += len(chunk)
                if unpacked > size:
                    check_unpacked(unpacked, size, limits, path)
                if first and chunk.startswith(codecs.BOM_UTF8):
                    chunk = chunk[len(codecs.BOM_UTF8) :]
                first = False
                cut = chunk.rfind(b"\n") + 1
                if cut:
                    yield rest + chunk[:cut]
                    rest = chunk[cut:]
                elif len(rest) > limits.row:
                    raise refuse(path, "this is no text, or a line is longer than", limits, "row")
                else:
                    rest += chunk
            rest = rest.rstrip(b"\x1a")  # an end of file as of CP/M and DOS
            if rest:
                yield rest
    except (EOFError, gzip.BadGzipFile, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise FormatError(f"the gzip file is damaged: {error}", path) from error


def _scan(path: Path, width: int, encoding: str, limits: Limits) -> _Facts:
    """Read the file for the first time."""
    pointed = np.zeros(width, np.bool_)
    sizes: collections.Counter[int] = collections.Counter()
    characters: collections.Counter[int] = collections.Counter()
    ascii_, utf8, blank = True, True, 0
    for piece in _pieces(path, limits):
        lines = lines_of(piece)
        filled = lines.sizes > 0
        blank += int((~filled).sum())
        found_sizes, counts = np.unique(lines.sizes[filled], return_counts=True)
        sizes.update(dict(zip(found_sizes.tolist(), counts.tolist(), strict=True)))
        if any(mark in piece for mark in (b".", b"e", b"E")):
            matrix = lines.matrix(width)
            pointed |= ((matrix == ord(".")) | ((matrix | 32) == ord("e"))).any(axis=0)
        if piece.isascii():
            characters.update(dict.fromkeys(lines.sizes[filled].tolist(), 1))
            continue
        ascii_ = False
        if utf8:
            try:
                text = piece.decode("utf-8")
                characters.update(len(line.rstrip("\r")) for line in text.split("\n") if line)
            except UnicodeDecodeError:
                utf8 = False
    if not sizes:
        raise FormatError("there is no line in it", path)
    found = encoding or ("ascii" if ascii_ else "utf-8" if utf8 else "cp1252")
    alike = not ascii_ and utf8 and codecs.lookup(found).name == "utf-8"
    by_character = alike and len(characters) < len(sizes)
    short = 0 if by_character else sum(n for size, n in sizes.items() if size < width)
    lines_ = sum(sizes.values())
    return _Facts(lines_, found, by_character, pointed, short, blank)


@dataclasses.dataclass(frozen=True, slots=True)
class _Blocks:
    """The cases, read again from the beginning."""

    path: Path
    columns: list[FixedColumn]
    facts: _Facts
    width: int
    records: int
    height: int
    findings: list[Finding]
    limits: Limits

    @property
    def schema(self) -> pa.Schema:
        return pa.schema([pa.field(each.variable.name, each.kind) for each in self.columns])

    def __iter__(self) -> Iterator[Block]:
        step = self.height * self.records
        waiting: list[Matrix] = []
        held = 0
        for piece in _pieces(self.path, self.limits):
            matrix = lines_of(piece, self._decoder()).filled(self.width)
            waiting.append(matrix)
            held += len(matrix)
            if held >= step:
                whole = np.concatenate(waiting)
                cut = held - held % step
                for start in range(0, cut, step):
                    yield self._block(whole[start : start + step])
                waiting, held = [whole[cut:].copy()], held - cut
        if held:
            yield self._block(np.concatenate(waiting))
        self.findings.extend(each for column in self.columns for each in column.findings())

    def _decoder(self) -> str:
        return self.facts.encoding if self.facts.by_character else ""

    def _block(self, lines: Matrix) -> Block:
        arrays = [
            column.read(lines[column.record - 1 :: self.records], self.facts.encoding)
            for column in self.columns
        ]
        return Block(pa.RecordBatch.from_arrays(arrays, schema=self.schema))

    def close(self) -> None:
        """Nothing stays open between blocks but what the iteration itself closes."""
