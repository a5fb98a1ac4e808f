"""SAS transport files, version 5 and 8: the file goes in, its first data set comes out as a stream.

Source: see `tabkit.read.sas_xpt_library`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError
from tabkit.model import Finding, Origin, TableStream
from tabkit.read.sas_catalog import add_categories, find_labels, labels_of
from tabkit.read.sas_columns import BlockMaker
from tabkit.read.sas_formats import make_variable, name_apart
from tabkit.read.sas_xpt_cases import CaseLayout, decode_cases
from tabkit.read.sas_xpt_library import count_cases, read_library
from tabkit.read.spss_text import WINDOWS, Decoder, named_decoder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tabkit.model import Block, Category
    from tabkit.options import ReadOptions
    from tabkit.read.sas_catalog import Labels
    from tabkit.read.sas_formats import SasVariable
    from tabkit.read.sas_xpt_library import Member

_GUESSED: Final = (
    "the file declares no encoding: text is read as UTF-8 where it is that, else as windows-1252"
)
_BLOCK_BYTES: Final = 1 << 26  # of cases read at once: long texts are few cases


def open_library(
    path: Path,
    options: ReadOptions,
    open_formats: Callable[[Path], TableStream],
    *,
    formats: bool = False,
) -> TableStream:
    """Open the first data set that is not a table of formats; see `tabkit.read.sas.open_xpt`.

    Args:
        path: The file.
        options: Reading options.
        open_formats: Opens the table of formats that the options name.
        formats: Open the first table of formats instead.
    """
    findings: list[Finding] = []
    decoder = _choose_decoder(options)
    library = read_library(path, decoder, findings)
    members = library.members
    chosen = next((member for member in members if member.has_formats is formats), members[0])
    others = [member for member in members if member is not chosen]
    left = [member.name for member in others if not member.has_formats]
    if left:
        text = f"data set {chosen.name} was read; the file also holds {', '.join(left)}, not read"
        findings.append(Finding(text, "warning"))
    columns = name_apart(chosen.variables, findings)
    stream = _open_member(path, chosen, columns, options, decoder, findings)
    labels = _own_labels(path, others, options, decoder, findings) or find_labels(
        path, stream.variables, options.catalog, open_formats, findings
    )
    origin = Origin(
        path.name,
        "application/x-sas-transport",
        "xpt",
        library.version,
        options.encoding or "",
        created=chosen.created,
        modified=chosen.modified,
        product=library.product,
    )
    variables = add_categories(stream.variables, labels, findings)
    return dataclasses.replace(stream, variables=variables, origin=origin)


def _choose_decoder(options: ReadOptions) -> Decoder:
    """Return a decoder; a transport file declares no encoding."""
    if options.encoding is None:
        return Decoder(WINDOWS, guessed=True)
    return named_decoder(options.encoding)


def _own_labels(
    path: Path,
    others: Sequence[Member],
    options: ReadOptions,
    decoder: Decoder,
    findings: list[Finding],
) -> Labels:
    """Read the value labels that the file itself holds, unless the user named a catalogue."""
    labels: dict[str, tuple[Category, ...]] = {}
    for member in others:
        if member.has_formats and options.catalog is None:
            with _open_member(path, member, member.variables, options, decoder, []) as stream:
                labels.update(labels_of(stream, findings))
            text = f"value labels were taken from data set {member.name} in the file"
            findings.append(Finding(text))
    return labels


def _open_member(
    path: Path,
    member: Member,
    columns: Sequence[SasVariable],
    options: ReadOptions,
    decoder: Decoder,
    findings: list[Finding],
) -> TableStream:
    cases = count_cases(path, member, findings)
    maker = BlockMaker(columns)
    return TableStream(
        maker.schema,
        tuple(map(make_variable, columns)),
        _blocks(path, member, cases, maker, options, decoder, findings),
        cases=cases,
        label=member.label,
        attributes=(("data set", member.name),) if member.name else (),
        findings=findings,
    )


def _blocks(
    path: Path,
    member: Member,
    cases: int,
    maker: BlockMaker,
    options: ReadOptions,
    decoder: Decoder,
    findings: list[Finding],
) -> Iterator[Block]:
    rows = options.rows_of(len(member.variables))
    rows = max(1, min(rows, _BLOCK_BYTES // max(member.row_length, 1)))
    fields = zip(member.positions, member.variables, strict=True)
    layout = CaseLayout(
        member.row_length, tuple((at, each.width, each.is_text) for at, each in fields)
    )
    guessed = False
    with path.open("rb") as file:
        file.seek(member.start)
        for start in range(0, cases, rows):
            wanted = min(rows, cases - start) * layout.row_length
            data = file.read(wanted)
            if len(data) < wanted:
                raise FormatError("the file became shorter while it was read", path)
            columns = decode_cases(data, layout, decoder)
            guessed |= decoder.guessed and any(column.is_beyond_ascii for column in columns)
            yield from maker.blocks(columns, rows)
    findings += [Finding(_GUESSED)] * guessed + maker.findings()
