"""Verify: a data file and its codebook go in, what does not agree comes out."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tabkit.guard import guarded_call
from tabkit.model import Finding, Kind, Table, TableStream
from tabkit.options import ReadOptions

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import pyarrow as pa

    from tabkit.ddi.codebook import CodebookFile, CodebookVariable
    from tabkit.formats import FileFormat
    from tabkit.model import Description, Variable

_LISTED: Final = 5  # names shown of a list that differs


def verify(
    data: Path | str,
    codebook: Path | str,
    *,
    options: ReadOptions | None = None,
    file_format: FileFormat | None = None,
    name: str | None = None,
) -> list[Finding]:
    """Check that a data file holds what its codebook says.

    Compared are the number of cases, the names of the variables and their order, each variable's
    fingerprint and the file's. An archival ``.tab`` is read with the codebook's types.

    Args:
        data: Any file that tabkit reads, or an archival table.
        codebook: Its DDI codebook.
        options: Reading options; those of the profile that the codebook was written with.
        file_format: Skips the detection of the data's format; a ``.tab`` is then not special.
        name: The data's own name, where ``data`` is a temporary copy.

    Returns:
        Findings, empty when all agrees; a codebook without fingerprints is itself a finding.

    Raises:
        FormatError: One of the two cannot be read.
    """
    from tabkit.ddi.dictionary import part_of
    from tabkit.ddi.parse import read_codebook
    from tabkit.describe import describe
    from tabkit.read import open_with

    data = Path(data)
    options = options or ReadOptions()
    if options.untrusted:
        inside = dataclasses.replace(options, untrusted=False)
        choices = {"options": inside, "file_format": file_format, "name": name}
        return guarded_call(verify, name or data, options.limits, data, codebook, **choices)
    book = read_codebook(Path(codebook))
    file, expected = part_of(book, Path(name or data).stem)
    source = None if file_format else _archival_table(data, name or data.name, expected)
    if source is None:
        source = open_with(data, options, file_format, name)
    description = describe(source, profile=options.profile)
    return list(_differences(description, file, expected))


def _archival_table(
    data: Path, name: str, expected: Sequence[CodebookVariable]
) -> Table | TableStream | None:
    """Read a ``.tab`` whose header has just the codebook's names; None for any other file."""
    import pyarrow as pa

    from tabkit.read.tab import read_tab

    names = [each.variable.name for each in expected]
    if Path(name).suffix.lower() != ".tab" or not names:
        return None
    with data.open("rb") as file:
        header = file.readline().rstrip(b"\r\n").decode("utf-8", "replace")
    if header.split("\t") != names:
        return None
    kinds = [
        pa.float64() if each.variable.kind is Kind.NUMERIC else pa.string() for each in expected
    ]
    bare = [_is_moment(each.variable) for each in expected]
    fields = [pa.field(name, kind) for name, kind in zip(names, kinds, strict=True)]
    table = read_tab(data, [each.variable for each in expected], pa.schema(fields), bare=bare)
    columns = [
        _moments(column) if is_bare else column
        for column, is_bare in zip(table.data.columns, bare, strict=True)
    ]
    return Table(pa.table(columns, names), table.variables)


def _is_moment(variable: Variable) -> bool:
    return variable.kind is Kind.CHARACTER and variable.format_category in {"date", "time"}


def _moments(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Spell date-times as the fingerprint does: a T between date and time, no trailing zeros."""
    import pyarrow.compute as pc

    text = pc.replace_substring_regex(column, r"^(-?\d+-\d\d-\d\d) ", r"\1T")
    return pc.replace_substring_regex(text, r"(:\d\d\.\d*?)0+$", r"\1")


def _differences(
    description: Description, file: CodebookFile | None, expected: Sequence[CodebookVariable]
) -> Iterator[Finding]:
    if file is not None and file.cases is not None and file.cases != description.cases:
        yield Finding(f"{description.cases:,} cases, the codebook says {file.cases:,}", "warning")
    names = [variable.name for variable in description.table.variables]
    wanted = [each.variable.name for each in expected]
    if names != wanted:
        yield from _name_differences(names, wanted)
    unfs = dict(zip(names, (each.unf for each in description.variables), strict=True))
    for each in expected:
        ours = unfs.get(each.variable.name)
        if ours is not None and each.unf and each.unf != ours:
            text = f"its UNF is {ours}, the codebook says {each.unf}"
            yield Finding(text, "warning", each.variable.name)
    if file is None or not file.unf:
        if description.cases and not any(each.unf for each in expected):
            yield Finding("the codebook has no fingerprint to compare with", "warning")
    elif file.unf != description.unf:
        yield Finding(
            f"the file's UNF is {description.unf}, the codebook says {file.unf}", "warning"
        )


def _name_differences(names: Sequence[str], wanted: Sequence[str]) -> Iterator[Finding]:
    lacking = [name for name in wanted if name not in set(names)]
    more = [name for name in names if name not in set(wanted)]
    for word, found in (("only in the codebook", lacking), ("only in the data", more)):
        if found:
            rest = f" and {len(found) - _LISTED} more" if len(found) > _LISTED else ""
            yield Finding(f"{word}: {', '.join(found[:_LISTED])}{rest}", "warning")
    if not lacking and not more:
        yield Finding("the variables are in another order than in the codebook", "warning")
