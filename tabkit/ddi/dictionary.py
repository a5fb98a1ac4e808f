"""A DDI codebook as what describes a plain data file."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING

from tabkit.ddi.parse import read_codebook
from tabkit.errors import FormatError
from tabkit.model import Kind
from tabkit.read.dictionary import Dictionary, Entry

if TYPE_CHECKING:
    from tabkit.ddi.codebook import Codebook, CodebookFile, CodebookVariable
    from tabkit.model import Variable


def read_dictionary(path: Path, stem: str) -> Dictionary:
    """Read a codebook's variables of the data file with that stem, or of its only file.

    Raises:
        FormatError: It is no codebook, or describes no variable.
    """
    book = read_codebook(path)
    file, variables = part_of(book, stem)
    if not variables:
        raise FormatError("the codebook describes no variable", path)
    return Dictionary(
        path,
        tuple(map(_entry, variables)),
        encoding=file.charset if file else "",
        cases=file.cases if file else None,
        label=file.label if file else "",
        findings=book.findings,
    )


def part_of(book: Codebook, stem: str) -> tuple[CodebookFile | None, list[CodebookVariable]]:
    """Return the file that a codebook describes under this name, or its only one."""
    named = [file for file in book.files if Path(file.name).stem == stem]
    file = next(iter(named or book.files), None)
    if file is None or len(book.files) == 1:
        return file, list(book.variables)
    return file, [each for each in book.variables if file.identifier in each.file_ids]


def _entry(found: CodebookVariable) -> Entry:
    place, variable = found.location, found.variable
    width = place.width
    if width is None and place.start is not None and place.end is not None:
        width = place.end - place.start + 1
    numeric = variable.kind == Kind.NUMERIC
    return Entry(
        _with_missing(variable),
        variable.kind,
        place.start,
        width,
        place.segment or 1,
        (variable.decimals or 0) if numeric and place.start is not None else 0,
    )


def _with_missing(variable: Variable) -> Variable:
    """Make the values of categories that are declared missing missing values."""
    numeric = variable.kind == Kind.NUMERIC
    further = [
        each.value
        for each in variable.categories
        if each.missing
        and not variable.is_user_missing(each.value)
        and (isinstance(each.value, str) != numeric)
    ]
    values = (*variable.missing_values, *further)
    return dataclasses.replace(variable, missing_values=values) if further else variable
