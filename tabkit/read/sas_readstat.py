"""The border to pyreadstat (ReadStat): SAS data sets and catalogues go in, plain values come out.

ReadStat cannot deliver a text with one byte that its declared encoding does not have. Such a file
is read byte for byte as ISO 8859-1, and its texts are decoded here.
"""

from __future__ import annotations

import dataclasses
import math
import warnings
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyreadstat

from tabkit.errors import FormatError
from tabkit.model import TAG_LETTERS, Category
from tabkit.read.sas_columns import Column, text_column
from tabkit.read.sas_formats import SasVariable, parse_format
from tabkit.read.sas_header import CATALOG, read_header
from tabkit.read.sas_pages import PagedFile
from tabkit.read.spss_text import WINDOWS, Decoder, named_decoder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tabkit.read.sas_header import SasHeader
    from tabkit.read.sas_pages import Reading

_TAGS: Final = {letter.upper(): index for index, letter in enumerate(TAG_LETTERS) if index}
_BYTES: Final = "ISO-8859-1"  # every byte is a character
_BAD_TEXT: Final = "invalid byte sequence"
_FAILURES: Final = (
    pyreadstat.ReadstatError,
    pyreadstat.PyreadstatError,
    MemoryError,
    OverflowError,
    TypeError,
    ValueError,  # UnicodeError among them
)


@dataclasses.dataclass(frozen=True, slots=True)
class Dictionary:
    """What a data set says of itself.

    Attributes:
        label: Of the data set.
        cases: How many it says it has.
        variables: In column order.
        decoder: Of texts where they are read byte for byte, None while ReadStat decodes them.
    """

    label: str
    cases: int
    variables: tuple[SasVariable, ...]
    decoder: Decoder | None


def choose_decoder(override: str | None, header: SasHeader) -> Decoder | None:
    """Return the decoder to use instead of ReadStat's: for an override or an unknown encoding.

    Raises:
        UsageError: The override is no encoding.
    """
    if override is None:
        return None if header.codec else Decoder(WINDOWS, guessed=True)
    return named_decoder(override)


def read_dictionary(
    path: Path, header: SasHeader, pages: Sequence[int] | None, decoder: Decoder | None
) -> Dictionary:
    """Read everything but the cases.

    Args:
        path: The data set.
        header: Its header.
        pages: Numbers of the pages to read, None for all.
        decoder: What `choose_decoder` returned.

    Raises:
        FormatError: ReadStat cannot read it.
    """
    try:
        _, meta = _run(path, header, pages, decoder, metadataonly=True)
    except _FAILURES as error:
        if decoder is None and _is_bad_text(error):
            return read_dictionary(path, header, pages, Decoder(header.codec))
        raise _refusal(error, path, "the dictionary") from error
    text = _text_of(decoder)
    variables = tuple(
        SasVariable(
            text(name or ""),
            text(meta.column_names_to_labels[name] or ""),
            parse_format(text(meta.original_variable_types[name] or "")),
            str(parse_format(text(meta.original_variable_informats[name] or ""))),
            meta.variable_storage_width[name],
            meta.readstat_variable_types[name] == "string",
        )
        for name in meta.column_names
    )
    return Dictionary(text(meta.file_label or ""), int(meta.number_rows or 0), variables, decoder)


def read_cases(
    path: Path, header: SasHeader, reading: Reading, dictionary: Dictionary
) -> list[Column]:
    """Read consecutive cases, a column a variable.

    Raises:
        FormatError: ReadStat cannot read them.
    """
    decoder = dictionary.decoder
    options = {"row_limit": reading.cases, "row_offset": reading.skipped}
    try:
        data, meta = _run(path, header, reading.pages, decoder, **options)
    except _FAILURES as error:
        if decoder is None and _is_bad_text(error):
            bytewise = dataclasses.replace(dictionary, decoder=Decoder(header.codec))
            return read_cases(path, header, reading, bytewise)
        raise _refusal(error, path, "the cases") from error
    lists = list(data.values())
    if len(lists) != len(dictionary.variables) or any(len(each) != reading.cases for each in lists):
        raise FormatError("the cases do not fit the dictionary", path, hint=_DAMAGED)
    tagged = set(meta.missing_user_values)
    return [
        _text_column(values, decoder)
        if variable.is_text
        else _number_column(values, is_tagged=name in tagged)
        for (name, values), variable in zip(data.items(), dictionary.variables, strict=True)
    ]


def read_catalog(path: Path) -> dict[str, tuple[Category, ...]]:
    """Read the value labels of a catalogue, by the format's name (``WORKSHOP``, ``$GENDER``).

    Raises:
        FormatError: It is none, or ReadStat cannot read it.
    """
    read_header(path, CATALOG)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            _, meta = pyreadstat.read_sas7bcat(str(path), output_format="dict")
    except _FAILURES as error:
        raise _refusal(error, path, "the catalogue") from error
    return {
        parse_format(name).name: tuple(
            _category(value, label, is_text=name.startswith("$")) for value, label in labels.items()
        )
        for name, labels in meta.value_labels.items()
    }


_DAMAGED: Final = "it is damaged, or written by an unknown release: ask for an export as .xpt"


def _run(
    path: Path,
    header: SasHeader,
    pages: Sequence[int] | None,
    decoder: Decoder | None,
    **options: Any,
) -> tuple[Mapping[str, list[Any]], Any]:
    encoding = None if decoder is None else _BYTES
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that occur twice
        options |= {"output_format": "dict", "user_missing": True, "encoding": encoding}
        options["disable_datetime_conversion"] = True
        if pages is None:
            found: tuple[Mapping[str, list[Any]], Any]
            found = pyreadstat.read_sas7bdat(str(path), **options)
            return found
        with PagedFile(path, header, pages) as file:
            found = pyreadstat.read_sas7bdat(file, **options)
            return found


def _is_bad_text(error: BaseException) -> bool:
    return isinstance(error, UnicodeError) or _BAD_TEXT in str(error)


def _refusal(error: BaseException, path: Path, what: str) -> FormatError:
    said = str(error) or type(error).__name__
    return FormatError(f"{what} cannot be read ({said[:1].lower()}{said[1:]})", path, hint=_DAMAGED)


def _text_of(decoder: Decoder | None) -> Callable[[str], str]:
    if decoder is None:
        return str
    return lambda text: decoder.decode(text.encode(_BYTES))[0]


def _number_column(values: list[Any], *, is_tagged: bool) -> Column:
    if not is_tagged:
        return Column(pa.array(values, pa.float64()))
    tags = np.array([_TAGS.get(v, 0) if isinstance(v, str) else 0 for v in values], np.int8)
    numbers = [None if isinstance(value, str) else value for value in values]
    return Column(pa.array(numbers, pa.float64()), pa.array(tags))


def _text_column(values: list[Any], decoder: Decoder | None) -> Column:
    if decoder is None:
        return Column(pa.array(values, pa.string()))
    return text_column(pa.array([text.encode(_BYTES) for text in values], pa.binary()), decoder)


def _category(value: float | str, label: str, *, is_text: bool) -> Category:
    if is_text:
        return Category(str(value).rstrip(), label)
    if isinstance(value, str):
        return Category(f".{value.lower()}", label, missing=True)
    if math.isnan(value):
        return Category(".", label, missing=True)
    return Category(float(value), label)
