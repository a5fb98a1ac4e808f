"""Stata data files, versions 102 to 121, as a stream of blocks with all their metadata."""

from __future__ import annotations

import dataclasses
import itertools
from typing import TYPE_CHECKING, Final

from tabkit.model import Finding, Origin, TableStream
from tabkit.read import stata_text
from tabkit.read.stata_bytes import source_of
from tabkit.read.stata_cases import (
    Reading,
    findings_of,
    read_blocks,
    sample_texts,
    schema_of,
)
from tabkit.read.stata_dictionary import read_dictionary
from tabkit.read.stata_layout import PRODUCTS
from tabkit.read.stata_strl import index_long_strings
from tabkit.read.stata_variables import meaning_of

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from tabkit.model import Block
    from tabkit.options import ReadOptions
    from tabkit.read.stata_bytes import Source
    from tabkit.read.stata_dictionary import Dictionary
    from tabkit.read.stata_strl import LongStrings
    from tabkit.read.stata_text import Encodings

_MEDIA_TYPE: Final = "application/x-stata"
_FIRST_OWN_MEDIA_TYPE: Final = 117
_SAMPLED_CASES: Final = 10_000
_SAMPLED_BYTES: Final = 8 << 20


def open_dta(path: Path, options: ReadOptions) -> TableStream:
    """Open a Stata data file.

    Bytes, ints and longs become int8, int16 and int32, floats float32 and float64, ``str#`` and
    ``strL`` strings. A missing value is null, with its letter in ``missing_tags``; the blank
    string is missing, as Stata has it. Dates and times: see `tabkit.read.stata_temporal`; codes
    with a label on them are given as the text of the date. A variable that is an alias of one in
    another frame has no values here and is null throughout.

    Args:
        path: The file, any version from 102 to 121, of either byte order.
        options: ``encoding`` overrides that of all text.

    Returns:
        A stream; the file is opened again when its blocks are asked for.

    Raises:
        FormatError: It is not a Stata file, or it is broken before its data.
        UsageError: ``options.encoding`` is no encoding.

    Source: Stata, ``help dta`` and ``help dta_117`` to ``help dta_121``.
    """
    with path.open("rb") as file:
        source = source_of(path, file)
        dictionary = read_dictionary(source, options.limits)
        strings = _index(source, dictionary)
        encodings, findings = _encodings(file, dictionary, strings, options)
    meaning = meaning_of(dictionary, encodings, options.profile)
    findings = [*dictionary.findings, *findings, *meaning.findings, *_alias_findings(dictionary)]
    reading = Reading(dictionary, meaning.variables, encodings, options, strings)
    return TableStream(
        schema_of(reading),
        meaning.variables,
        _blocks(path, reading, findings),
        origin=_origin(path, dictionary, encodings, meaning.created),
        cases=dictionary.cases,
        label=meaning.label,
        notes=meaning.notes,
        attributes=meaning.attributes,
        findings=findings,
    )


def _blocks(path: Path, reading: Reading, findings: list[Finding]) -> Iterator[Block]:
    with path.open("rb") as file:
        yield from read_blocks(reading, file)
    findings.extend(findings_of(reading))


def _index(source: Source, dictionary: Dictionary) -> LongStrings | None:
    if "strL" not in dictionary.storages:
        return None
    source = dataclasses.replace(source, order=dictionary.order)
    source.seek(dictionary.strls_start or source.size)
    return index_long_strings(source, dictionary.layout)


def _encodings(
    file: BinaryIO, dictionary: Dictionary, strings: LongStrings | None, options: ReadOptions
) -> tuple[Encodings, list[Finding]]:
    """Return what the texts are in: as the user says, as the version says, as they look."""
    layout = dictionary.layout
    if options.encoding:
        named = stata_text.known_encoding(options.encoding)
        return dataclasses.replace(stata_text.same_for_all(named), fallback=""), []
    if options.profile.stata_quirks:
        return stata_text.DATAVERSE_NEW if layout.has_sections else stata_text.DATAVERSE_OLD, []
    if layout.is_unicode:
        return stata_text.same_for_all("utf-8"), []
    cases = min(
        dictionary.cases, _SAMPLED_CASES, max(1, _SAMPLED_BYTES // max(dictionary.case_width, 1))
    )
    samples = itertools.chain(
        dictionary.names,
        dictionary.labels,
        (text for _, _, text in dictionary.characteristics),
        (label for labels in dictionary.label_sets for _, label in labels.entries),
        (dictionary.file_label,),
        sample_texts(file, dictionary, strings, cases),
    )
    return stata_text.detect(samples)


def _alias_findings(dictionary: Dictionary) -> list[Finding]:
    names = [
        name.decode("utf-8", "replace")
        for name, storage in zip(dictionary.names, dictionary.storages, strict=True)
        if storage == "alias"
    ]
    text = "an alias of a variable in another frame; its values are not in this file"
    return [Finding(text, "warning", name) for name in names]


def _origin(
    path: Path, dictionary: Dictionary, encodings: Encodings, created: datetime.datetime | None
) -> Origin:
    version = dictionary.layout.version
    release = PRODUCTS[version]
    own = version >= _FIRST_OWN_MEDIA_TYPE
    return Origin(
        file_name=path.name,
        media_type=f"{_MEDIA_TYPE}-{release}" if own else _MEDIA_TYPE,
        format="dta",
        format_version=str(version),
        encoding=encodings.labels,
        created=created,
        product=f"Stata {release}",
    )
