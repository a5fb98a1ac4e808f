"""SPSS system files (.sav, .zsav): a table goes in, a file and its loss ledger come out.

All that a system file can say is written: measure, roles, attributes, response sets, weight,
missing values and labels of long strings. Text is UTF-8.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO, Final

from tabkit.loss import Loss
from tabkit.write import stat_sav_records as records
from tabkit.write.metadata_loss import metadata_losses, tag_losses
from tabkit.write.stat_columns import batches_of, plain_table, require_variables, rows_of
from tabkit.write.stat_names import POR_NAMES, SPSS_NAMES, legal_names
from tabkit.write.stat_sav_cases import (
    ZlibBlocks,
    bytecode,
    element_count,
    elements_of,
    number_elements,
    segment_widths,
)
from tabkit.write.stat_sav_texts import (
    attributes_of_file,
    attributes_of_variables,
    document_lines,
    response_set_lines,
)
from tabkit.write.stat_spss import SpssLimits, fit_text, plan_spss

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tabkit.loss import Ledger
    from tabkit.model import Table
    from tabkit.write.stat_sav_records import SavVariable
    from tabkit.write.stat_spss import SpssColumn

LIMITS: Final = SpssLimits(SPSS_NAMES, text=32_767, label=256, value_label=120)
_FILE_LABEL: Final = 64
_STORED: Final = re.compile(r"double|A\d+")
_CARRIED: Final = frozenset(
    {
        "variable label", "value labels", "definition of missing values", "level of measurement",
        "display format", "display width", "alignment", "use as weight", "role", "question text",
        "attributes", "file label", "notes", "multiple-response sets", "attributes of the file",
        "storage type",
    }
)  # fmt: skip


def write_sav(table: Table, path: Path) -> Ledger:
    """Write ``table`` as an SPSS system file with compressed cases.

    Returns:
        What SPSS cannot hold: tagged missings, missing values beyond its limits, long names…
    """
    return _write(table, path, zlib=False)


def write_zsav(table: Table, path: Path) -> Ledger:
    """Write ``table`` as an SPSS system file with cases in zlib blocks (SPSS 21 and later)."""
    return _write(table, path, zlib=True)


def _write(table: Table, path: Path, *, zlib: bool) -> Ledger:
    require_variables(table, path)
    plain, found = plain_table(table)
    plain, columns, lost = plan_spss(plain, LIMITS)
    found += lost + metadata_losses(table, _CARRIED) + tag_losses(table)
    found += _stored_differently(columns) + _weights(columns)
    variables = _places(columns)
    with path.open("wb") as file:
        found += _write_dictionary(file, plain, variables, zlib=zlib)
        _write_cases(file, plain, columns, zlib=zlib)
    return tuple(found)


def _places(columns: Sequence[SpssColumn]) -> list[SavVariable]:
    """Give every column its first element, and every segment a name of eight bytes."""
    wanted = [column.name for column in columns for _ in segment_widths(column.width)]
    short = iter(name.encode() for name in legal_names(wanted, POR_NAMES))
    variables, element = [], 1
    for column in columns:
        names = tuple(next(short) for _ in segment_widths(column.width))
        variables.append(records.SavVariable(column, element, names))
        element += element_count(column.width)
    return variables


def _write_dictionary(
    file: BinaryIO, table: Table, variables: Sequence[SavVariable], *, zlib: bool
) -> list[Loss]:
    label = fit_text(table.label, _FILE_LABEL, LIMITS)
    found = [] if label == table.label else [Loss(f"the file label became {label!r}")]
    lines, lost = document_lines(table.notes)
    found += lost
    short_names = {each.column.variable.name: each.short_names[0] for each in variables}
    sets, lost = response_set_lines(table.response_sets, short_names)
    found += lost
    attributes, variable_sets, product, lost = attributes_of_file(table.attributes)
    found += lost
    named = [(each.column.name, each.column.variable) for each in variables]
    of_variables, lost = attributes_of_variables(named)
    created = table.origin.created
    file.write(records.header(variables, table.cases, label.encode(), created, zlib=zlib))
    for each in variables:
        file.write(records.variable_records(each))
    file.write(records.label_records(variables))
    file.write(records.document_record(lines))
    file.write(records.machine_records())
    file.write(records.extension(5, variable_sets))
    file.write(records.extension(7, sets))
    file.write(records.extension(10, product))
    file.write(records.display_record(variables))
    file.write(records.name_records(variables))
    file.write(records.cases_record(table.cases))
    file.write(records.extension(17, attributes))
    file.write(records.extension(18, of_variables))
    file.write(records.extension(20, b"UTF-8"))
    file.write(records.long_string_records(variables))
    file.write(records.end_record())
    return found + lost


def _write_cases(
    file: BinaryIO, table: Table, columns: Sequence[SpssColumn], *, zlib: bool
) -> None:
    is_number = number_elements(columns)
    blocks = ZlibBlocks(file, file.tell()) if zlib else None
    if blocks is not None:
        blocks.begin()
    write = file.write if blocks is None else blocks.write
    rows = rows_of(8 * len(is_number))
    for batch, _ in batches_of(table, rows):
        write(bytecode(elements_of(batch, columns), is_number))
    if blocks is not None:
        blocks.finish()


def _stored_differently(columns: Sequence[SpssColumn]) -> list[Loss]:
    stored = ((each.variable, f"A{each.width}" if each.width else "double") for each in columns)
    return [
        Loss(f"the storage type {variable.storage} became {new}", variable.name)
        for variable, new in stored
        if _STORED.fullmatch(variable.storage) and variable.storage != new
    ]


def _weights(columns: Sequence[SpssColumn]) -> list[Loss]:
    weights = [column for column in columns if column.variable.weight]
    kept = next((column for column in weights if not column.width), None)
    return [Loss("use as weight", column.variable.name) for column in weights if column is not kept]
