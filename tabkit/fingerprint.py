"""The ``unf`` command: fingerprints of files and variables, checked, compared and explained."""

from __future__ import annotations

import dataclasses
import itertools
import json
from typing import TYPE_CHECKING, Final

import click

from tabkit.errors import UsageError
from tabkit.model import Table, TableStream
from tabkit.read import open_with, read_all

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tabkit.formats import FileFormat, ReadOptions
    from tabkit.profiles import Profile

_DIGITS: Final = range(2, 17)


@dataclasses.dataclass(frozen=True, slots=True)
class Result:
    """Fingerprints of one file: its own and its variables' by name."""

    file: str
    unf: str
    variables: dict[str, str]


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
    tables: list[Table] = []
    for path, name in paths:
        with open_with(path, options, file_format, name) as stream:
            source = read_all(stream) if explain else stream
            unf, columns = _fingerprint(source, options.profile, digits, characters)
        results.append(Result(name or str(path), unf, columns))
        if isinstance(source, Table):
            tables.append(source)
    if as_json:
        shown = [dataclasses.asdict(each) for each in results]
        click.echo(json.dumps(shown, ensure_ascii=False, indent=2))
    elif explain:
        _explain([each.file for each in results], tables, digits, characters)
    else:
        _print(results)
    failed = [each for each in results if check is not None and each.unf != check]
    for each in failed:
        click.echo(f"tabkit: {each.file}: its UNF is {each.unf}, not {check}", err=True)
    return 1 if failed else 0


def _fingerprint(
    source: Table | TableStream, profile: Profile, digits: int, characters: int
) -> tuple[str, dict[str, str]]:
    """Return the file's UNF and the variables' by name."""
    from tabkit.describe import describe
    from tabkit.describe.numbers import DIGITS
    from tabkit.describe.texts import CHARACTERS
    from tabkit.describe.unf import column_unf, combine_unfs

    if (digits, characters) == (DIGITS, CHARACTERS):
        description = describe(source, profile=profile)
        pairs = zip(description.table.variables, description.variables, strict=True)
        return description.unf, {v.name: d.unf for v, d in pairs}
    data = (source if isinstance(source, Table) else read_all(source)).data
    unfs = {
        name: column_unf(data.column(name), digits=digits, characters=characters)
        for name in data.column_names
        if data.num_rows
    }
    return combine_unfs(list(unfs.values())) if unfs else "", unfs


def _print(results: Sequence[Result]) -> None:
    for each in results:
        click.echo(f"{each.unf or 'no cases'}\t{each.file}")
        for variable, unf in each.variables.items():
            click.echo(f"{unf or 'no cases'}\t{each.file}\t{variable}")


def _explain(names: Sequence[str], tables: Sequence[Table], digits: int, characters: int) -> None:
    """Show what is hashed: of one file every value, of several the first that differs."""
    if len(tables) == 1:
        for variable in tables[0].variables:
            for case, shown in enumerate(_shown(tables[0], variable.name, digits, characters), 1):
                click.echo(f"{variable.name}\t{case}\t{shown}")
        return
    first = tables[0]
    for name, table in zip(names[1:], tables[1:], strict=True):
        _compare(names[0], first, name, table, digits, characters)


def _compare(
    left_name: str, left: Table, right_name: str, right: Table, digits: int, characters: int
) -> None:
    alone = set(left.data.column_names) ^ set(right.data.column_names)
    same = 0
    for variable in left.variables:
        if variable.name in alone:
            continue
        pairs = itertools.zip_longest(
            _shown(left, variable.name, digits, characters),
            _shown(right, variable.name, digits, characters),
            fillvalue="no such case",
        )
        differing = [(case, pair) for case, pair in enumerate(pairs, 1) if pair[0] != pair[1]]
        if not differing:
            same += 1
            continue
        case, pair = differing[0]
        click.echo(f"{variable.name}: {len(differing):,} cases differ, first case {case:,}:")
        click.echo(f"  {left_name}\t{pair[0]}")
        click.echo(f"  {right_name}\t{pair[1]}")
    for name in sorted(alone):
        where = left_name if name in left.data.column_names else right_name
        click.echo(f"{name}: only in {where}")
    click.echo(f"{same} variables are hashed from the same bytes")


def _shown(table: Table, name: str, digits: int, characters: int) -> Iterator[str]:
    """Give each value with the bytes it is hashed as."""
    from tabkit.describe.unf import normalized

    column = table.data.column(name)
    hashed = normalized(column, digits=digits, characters=characters)
    for value, text in zip(column, hashed, strict=True):
        yield f"{value.as_py()!r}\t{text!r}"
