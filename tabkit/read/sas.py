"""SAS data sets and transport files go in, a stream of blocks comes out.

A data set (``.sas7bdat``) is decoded by ReadStat, behind the header checks of `sas_header`; a
transport file (``.xpt``) by `sas_xpt`.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError
from tabkit.model import Finding, Origin, TableStream
from tabkit.read.sas_catalog import add_categories, find_labels
from tabkit.read.sas_columns import BlockMaker
from tabkit.read.sas_formats import make_variable, name_apart
from tabkit.read.sas_header import DATA_SET, read_header
from tabkit.read.sas_pages import Reading, plan_readings, survey_pages

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tabkit.model import Block
    from tabkit.options import ReadOptions
    from tabkit.read.sas_header import SasHeader
    from tabkit.read.sas_readstat import Dictionary

_READING_BYTES: Final = 1 << 28  # of cases that ReadStat decodes in one call
_DAMAGED: Final = "it is damaged: ask for it again, or for an export as .xpt"


def open_sas7bdat(path: Path, options: ReadOptions) -> TableStream:
    """Open a SAS data set, with its value labels where their catalogue is named or lies beside it.

    Numbers are float64, special missing values (``.A``-``.Z``, ``._``) are null with their tag,
    dates and times are typed by their format, blank texts are null.

    Raises:
        FormatError: It is none, or is damaged.
        UsageError: ``options.encoding`` is no encoding.
    """
    from tabkit.read.sas_readstat import choose_decoder, read_dictionary

    header = read_header(path)
    held = header.pages_of(path.stat().st_size)
    shown = None if held == header.page_count else tuple(range(held))
    decoder = choose_decoder(options.encoding, header)
    try:
        dictionary = read_dictionary(path, header, shown, decoder)
    except FormatError as error:
        raise (error if shown is None else _truncated(path, header, held)) from error
    findings: list[Finding] = []
    columns = name_apart(dictionary.variables, findings)
    at_once = _cases_at_once(dictionary, options)
    readings = _plan(path, header, dictionary, held, at_once, findings)
    cases = sum(reading.cases for reading in readings)
    variables = tuple(map(make_variable, columns))
    labels = find_labels(
        path, variables, options.catalog, lambda other: _open_formats(other, options), findings
    )
    maker = BlockMaker(columns)
    return TableStream(
        maker.schema,
        add_categories(variables, labels, findings),
        _blocks(path, header, dictionary, readings, maker, options, findings),
        origin=_origin(path, header, options),
        cases=cases,
        label=dictionary.label,
        attributes=(("data set", header.name),) if header.name else (),
        findings=findings,
    )


def open_xpt(path: Path, options: ReadOptions) -> TableStream:
    """Open the first data set of a SAS transport file, version 5 or 8.

    Its values are as those of `open_sas7bdat`. Other data sets in the file are named in a finding;
    one with the formats of the first gives its value labels.

    Raises:
        FormatError: It is none, or is damaged.
        UsageError: ``options.encoding`` is no encoding.
    """
    from tabkit.read.sas_xpt import open_library

    return open_library(path, options, lambda other: _open_formats(other, options))


def _open_formats(path: Path, options: ReadOptions) -> TableStream:
    """Open a table of formats, a data set of either kind."""
    with path.open("rb") as file:
        is_data_set = file.read(len(DATA_SET)) == DATA_SET
    plain = dataclasses.replace(options, catalog=None)
    if is_data_set:
        return open_sas7bdat(path, plain)
    from tabkit.read.sas_xpt import open_library

    return open_library(path, plain, lambda other: _open_formats(other, plain), formats=True)


def _cases_at_once(dictionary: Dictionary, options: ReadOptions) -> int:
    """Return how many cases ReadStat decodes in one call: a few blocks, as each call costs."""
    columns = max(len(dictionary.variables), 1)
    width = sum(variable.width for variable in dictionary.variables)
    return max(1, min(options.block_cells // columns, _READING_BYTES // max(width, 1)))


def _plan(
    path: Path,
    header: SasHeader,
    dictionary: Dictionary,
    held: int,
    at_once: int,
    findings: list[Finding],
) -> list[Reading]:
    """Divide the cases into readings; of a truncated file, the cases on its whole pages."""
    promised = dictionary.cases
    if not dictionary.variables or promised == 0:
        return []
    if promised > path.stat().st_size:  # even a compressed case takes a byte
        reason = f"the header promises {promised:,} cases, more than the file has bytes"
        raise FormatError(reason, path, hint=_DAMAGED)
    if held == header.page_count and promised <= at_once:
        return [Reading(None, 0, promised)]
    pages = survey_pages(path, header, held)
    if held == header.page_count:
        return plan_readings(pages, promised, at_once)
    cases = sum(page.cases for page in pages)
    if any(page.cases < 0 for page in pages) or not 0 < cases <= promised:
        raise _truncated(path, header, held)
    text = (
        f"the file is truncated: it holds {held:,} of its {header.page_count:,} pages,"
        f" and {cases:,} of its {promised:,} cases"
    )
    findings.append(Finding(text, "warning"))
    return plan_readings(pages, cases, at_once)


def _truncated(path: Path, header: SasHeader, held: int) -> FormatError:
    reason = (
        f"the file holds {held:,} of its {header.page_count:,} pages, which cannot be read alone"
    )
    return FormatError(reason, path, hint="it is truncated: transfer it again")


def _blocks(
    path: Path,
    header: SasHeader,
    dictionary: Dictionary,
    readings: Sequence[Reading],
    maker: BlockMaker,
    options: ReadOptions,
    findings: list[Finding],
) -> Iterator[Block]:
    from tabkit.read.sas_readstat import read_cases

    rows = options.rows_of(len(dictionary.variables))
    for reading in readings:
        yield from maker.blocks(read_cases(path, header, reading, dictionary), rows)
    findings += maker.findings()


def _origin(path: Path, header: SasHeader, options: ReadOptions) -> Origin:
    return Origin(
        path.name,
        "application/x-sas-data",
        "sas7bdat",
        header.release,
        options.encoding or header.codec,
        created=header.created,
        modified=header.modified,
        product=f"SAS {header.release} {header.host}".strip(),
    )
