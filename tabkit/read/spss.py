"""SPSS system files (.sav, .zsav): a file goes in, a stream of blocks with all metadata comes out.

The parts: `spss_records` reads the dictionary's records, `spss_segments` makes columns of them,
`spss_dictionary` and `spss_variables` decode them, `spss_cases` reads the data, `spss_columns`
makes Arrow columns of it, and `spss_dataverse` has what a profile with ``dates_as_text`` does
otherwise.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from tabkit.limits import LIMITS
from tabkit.model import Block, Origin, TableStream
from tabkit.read.bounds import check_labels, check_variables, label_size
from tabkit.read.spss_cases import CaseLayout, read_cases
from tabkit.read.spss_columns import CaseStore, ColumnBuilder, ColumnPlan, text_column
from tabkit.read.spss_dataverse import (
    build_plain_variables,
    data_decoder,
    join_by_name,
    label_decoder,
    text_maker,
)
from tabkit.read.spss_dictionary import (
    Texts,
    created,
    decoder_of,
    document,
    file_attributes,
    promised_cases,
    response_sets,
    special_numbers,
    unknown_extensions,
    wrong_case_size,
)
from tabkit.read.spss_records import read_records
from tabkit.read.spss_segments import join_segments
from tabkit.read.spss_variables import build_variables, print_format

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tabkit.limits import Limits
    from tabkit.model import Finding, ResponseSet, Variable
    from tabkit.options import ReadOptions
    from tabkit.read.spss_records import Records
    from tabkit.read.spss_segments import Column
    from tabkit.read.spss_text import Decoder

_MEDIA_TYPE: Final = "application/x-spss-sav"
_ZLIB: Final = 2


def open_sav(path: Path, options: ReadOptions) -> TableStream:
    """Open a system file, compressed or not, of either byte order.

    The dictionary is read at once, cases when the blocks are asked for. Data that end too early
    or are damaged give the whole cases before that place and a warning among the findings, which
    grow until the last block. Missing values and categories of dates and times are text, see
    `spss_variables.build_variables`.

    Raises:
        FormatError: The dictionary cannot be read: no system file, encrypted, damaged.
        UsageError: ``options.encoding`` is not known.
    """
    with path.open("rb") as file:
        records = read_records(file, path.stat().st_size, path)
    check_labels(_label_sizes(records), options.limits, path)
    plain = options.profile.dates_as_text
    found = (_decode_plainly if plain else _decode)(records, options, path)
    layout = case_layout(path, records, options.limits)
    plans = plan_columns(found.columns, found.variables)
    maker = text_maker(compressed=layout.compression > 0) if plain else text_column
    builder = ColumnBuilder(
        plans, layout.order, layout.missing, options.profile, found.decoder, maker
    )
    return TableStream(
        pa.schema([(plan.name, plan.arrow_type(options.profile)) for plan in plans]),
        found.variables,
        read_blocks(path, layout, plans, builder, options, found.findings),
        origin=_origin(path, records, found.decoder.codec),
        cases=plausible_cases(layout),
        label=found.label,
        notes=found.notes,
        response_sets=found.response_sets,
        attributes=found.attributes,
        findings=found.findings,
    )


def _label_sizes(records: Records) -> Iterator[tuple[int, int]]:
    """Yield of each set of value labels its variables and the characters of its labels."""
    sizes: dict[int, int] = {}  # by identity: sets may share their labels
    for each in records.label_sets:
        key = id(each.labels)
        if key not in sizes:
            sizes[key] = label_size(label for _, label in each.labels)
        yield len(set(each.elements)), sizes[key]


@dataclasses.dataclass(frozen=True, slots=True)
class _Decoded:
    """A dictionary, decoded."""

    columns: list[Column]
    variables: tuple[Variable, ...]
    decoder: Decoder
    findings: list[Finding]
    label: str = ""
    notes: tuple[str, ...] = ()
    response_sets: tuple[ResponseSet, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()


def _decode(records: Records, options: ReadOptions, path: Path) -> _Decoded:
    findings = [*wrong_case_size(records), *unknown_extensions(records)]
    decoder = decoder_of(records, options.encoding, findings)
    texts = Texts(decoder)
    columns = join_segments(records, findings)
    check_variables(len(columns), options.limits, path)
    variables = build_variables(records, columns, texts, findings)
    names = [variable.name for variable in variables]
    sets, unfit = response_sets(records, columns, names, texts)
    label, notes = texts.text(records.header.label), document(records, texts)
    attributes = file_attributes(records, texts)
    findings += unfit + texts.findings()
    return _Decoded(columns, variables, decoder, findings, label, notes, sets, attributes)


def _decode_plainly(records: Records, options: ReadOptions, path: Path) -> _Decoded:
    """Decode as Dataverse does: only names, labels, categories and kinds."""
    findings: list[Finding] = []
    texts = Texts(label_decoder(records, options.encoding))
    columns = join_by_name(records, texts)
    check_variables(len(columns), options.limits, path)
    variables = build_plain_variables(records, columns, texts, options.profile, findings)
    findings += texts.findings()
    return _Decoded(columns, variables, data_decoder(records, texts.decoder), findings)


def plan_columns(columns: Sequence[Column], variables: Sequence[Variable]) -> list[ColumnPlan]:
    """Return how each column is taken from a case."""
    plans = []
    for column, variable in zip(columns, variables, strict=True):
        code, _, decimals = print_format(column)
        plans.append(ColumnPlan(variable.name, column.pieces, column.width, code, decimals))
    return plans


def case_layout(path: Path, records: Records, limits: Limits = LIMITS) -> CaseLayout:
    """Return where the cases lie and how they are stored."""
    header = records.header
    return CaseLayout(
        start=records.data_start,
        size=path.stat().st_size,
        order=header.order,
        compression=header.compression,
        elements=records.elements,
        bias=header.bias,
        missing=special_numbers(records)[0],
        cases=promised_cases(records),
        uncounted=header.cases == 0,
        limits=limits,
    )


def plausible_cases(layout: CaseLayout) -> int | None:
    """Return the promised number of cases, None where the file cannot hold so many."""
    smallest = layout.elements if layout.compression else layout.elements * 8
    room = (layout.size - layout.start) * (1032 if layout.compression == _ZLIB else 1)
    if layout.cases is None or layout.cases * smallest > room:
        return None
    return layout.cases


def read_blocks(
    path: Path, layout: CaseLayout, plans: Sequence[ColumnPlan], builder: ColumnBuilder,
    options: ReadOptions, findings: list[Finding],
) -> Iterator[Block]:  # fmt: skip
    """Yield the cases in blocks of ``options.rows_of(elements)``; the last may be shorter."""
    rows = options.rows_of(layout.elements)
    names = [plan.name for plan in plans]
    store = CaseStore(rows, layout.elements)
    with path.open("rb") as file:
        for cases in read_cases(file, layout, findings):
            done = 0
            while done < len(cases):
                done += store.put(cases[done:])
                if store.filled == rows:
                    yield _block(builder.columns(store.cases), names)
                    store.filled = 0
    if store.filled:
        yield _block(builder.columns(store.cases), names)
    findings += builder.findings()


def _block(columns: list[pa.Array], names: list[str]) -> Block:
    return Block(pa.RecordBatch.from_arrays(columns, names=names))


def _origin(path: Path, records: Records, codec: str) -> Origin:
    header = records.header
    return Origin(
        file_name=path.name,
        media_type=_MEDIA_TYPE,
        format="zsav" if header.compression == _ZLIB else "sav",
        format_version=header.version,
        encoding=codec.replace("cp125", "windows-125"),
        size=path.stat().st_size,
        created=created(header),
        product=header.product.decode("latin-1").strip("\0 ").removeprefix("@(#) "),
    )


__all__ = ["open_sav"]
