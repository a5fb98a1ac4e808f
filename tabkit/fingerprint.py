"""The ``unf`` command: fingerprints of files and variables, checked, compared and explained."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import itertools
from typing import TYPE_CHECKING, Final, TypeAlias

import click
import pyarrow as pa

from tabkit.describe import describe
from tabkit.errors import UsageError
from tabkit.messages import say_json
from tabkit.model import Table
from tabkit.read import open_with
from tabkit.spool import SHARE, ColumnSpool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tabkit.formats import FileFormat
    from tabkit.model import Description, TableStream
    from tabkit.options import ReadOptions
    from tabkit.profiles import Profile

_DIGITS: Final = range(2, 17)
_Case: TypeAlias = tuple[object, bytes]  # a value and what it is hashed as


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """Fingerprints of one file: its own and its variables' by name."""

    file: str
    unf: str
    variables: dict[str, str]


@dataclasses.dataclass(frozen=True, slots=True)
class _Kept:
    """A file that was read, and its columns, which come back one at a time."""

    stream: TableStream
    spool: ColumnSpool

    def column(self, name: str) -> Table:
        """Return the table of one variable."""
        index = self.stream.schema.get_field_index(name)
        kind = self.stream.schema.types[index]
        data = pa.table({name: pa.chunked_array(self.spool.column(index), kind)})
        tags = pa.chunked_array(self.spool.tags(index), pa.int8())
        return Table(
            data,
            (self.stream.variables[index],),
            {name: tags} if self.spool.has_tags(name) else {},
            origin=self.stream.origin,
            profile=self.stream.profile,
        )


def fingerprint_files(
    paths: Sequence[tuple[Path, str | None]],
    *,
    check: str | None,
    explain: bool,
    digits: int,
    characters: int,
    as_json: bool,
    options: ReadOptions,
    file_format: FileFormat | None,
) -> int:
    """Print or check fingerprints; return 1 when a check fails.

    Raises:
        UsageError: ``digits`` or ``characters`` are out of range.
    """
    if digits not in _DIGITS or characters < 1:
        msg = "--digits is 2 to 16 and --characters at least 1"
        raise UsageError(msg)
    results: list[Result] = []
    kept: list[_Kept] = []
    with contextlib.ExitStack() as stack:
        for path, name in paths:
            stream = stack.enter_context(open_with(path, options, file_format, name))
            beside = []
            if explain:
                spool = ColumnSpool(stream.schema, stream.memory // SHARE)
                kept.append(_Kept(stream, stack.enter_context(spool)))
                beside.append(spool.append)
            description = describe(
                stream, options.profile, digits=digits, characters=characters, beside=beside
            )
            results.append(_result(name or str(path), description))
        if as_json:
            shown = [dataclasses.asdict(each) for each in results]
            say_json(shown, 2)
        elif explain:
            show = functools.partial(
                _shown, profile=options.profile, digits=digits, characters=characters
            )
            _explain([each.file for each in results], kept, show)
        else:
            _print(results)
    if not explain:
        _note_parameters(results)
    failed = [each for each in results if check is not None and each.unf != check]
    for each in failed:
        click.echo(f"tabkit: {each.file}: its UNF is {each.unf}, not {check}", err=True)
    return 1 if failed else 0


def _result(file: str, description: Description) -> Result:
    pairs = zip(description.table.variables, description.variables, strict=True)
    return Result(file, description.unf, {v.name: d.unf for v, d in pairs})


def _note_parameters(results: Sequence[Result]) -> None:
    """Say on stderr what the UNF of a file does not: its variables' parameters."""
    for each in results:
        # The header is what stands between the version and the hash, as in UNF:6:N9:….
        headers = {unf.split(":")[2] for unf in each.variables.values() if unf.count(":") > 2}  # noqa: PLR2004
        if headers and len(each.variables) > 1:
            parameters = ", ".join(sorted(headers))
            note = f"file UNF made of variable UNFs with {parameters}"
            click.echo(f"tabkit: {each.file}: {note}", err=True)


def _print(results: Sequence[Result]) -> None:
    for each in results:
        click.echo(f"{each.unf or 'no cases'}\t{each.file}")
        for variable, unf in each.variables.items():
            click.echo(f"{unf or 'no cases'}\t{each.file}\t{variable}")


def _explain(
    names: Sequence[str], files: Sequence[_Kept], show: Callable[[Table], Iterator[_Case]]
) -> None:
    """Show what is hashed: of one file every value, of several the first that differs."""
    if len(files) == 1:
        for name in files[0].stream.schema.names:
            for number, case in enumerate(show(files[0].column(name)), 1):
                click.echo(f"{name}\t{number}\t{_line(case)}")
        return
    for name, file in zip(names[1:], files[1:], strict=True):
        _compare((names[0], files[0]), (name, file), show)


def _compare(
    left: tuple[str, _Kept],
    right: tuple[str, _Kept],
    show: Callable[[Table], Iterator[_Case]],
) -> None:
    columns = [kept.stream.schema.names for _, kept in (left, right)]
    alone = set(columns[0]) ^ set(columns[1])
    same = 0
    for name in (each for each in columns[0] if each not in alone):
        differing, first = _differences(*(show(kept.column(name)) for _, kept in (left, right)))
        if first is None:
            same += 1
            continue
        number, cases = first
        click.echo(f"{name}: {differing:,} cases differ, first case {number:,}:")
        for (file, _), case in zip((left, right), cases, strict=True):
            click.echo(f"  {file}\t{_line(case)}")
    for name in sorted(alone):
        where = left[0] if name in columns[0] else right[0]
        click.echo(f"{name}: only in {where}")
    click.echo(f"{same} variables are hashed from the same bytes")


def _differences(
    left: Iterator[_Case], right: Iterator[_Case]
) -> tuple[int, tuple[int, tuple[_Case | None, _Case | None]] | None]:
    """Count the cases hashed from other bytes; return the first with its number, too."""
    differing, first = 0, None
    for number, pair in enumerate(itertools.zip_longest(left, right), 1):
        if pair[0] is None or pair[1] is None or pair[0][1] != pair[1][1]:
            differing += 1
            first = first or (number, pair)
    return differing, first


def _line(case: _Case | None) -> str:
    return "no such case" if case is None else f"{case[0]!r}\t{case[1]!r}"


def _shown(table: Table, *, profile: Profile, digits: int, characters: int) -> Iterator[_Case]:
    """Give each value of a table of one variable, with the bytes it is hashed as."""
    from tabkit.describe.hashed import hashed_arrays
    from tabkit.describe.unf import normalized

    name = table.data.column_names[0]
    arrays = hashed_arrays(table, name, profile)
    hashed = (normalized(each, digits=digits, characters=characters) for each in arrays)
    values = (value.as_py() for value in table.data.column(name))
    return zip(values, itertools.chain.from_iterable(hashed), strict=True)
