"""What Dataverse's reader of system files does otherwise, for profiles with ``dates_as_text``.

It guesses the encoding of names and labels from the product's name, finds the parts of very long
strings by their names, decodes strings eight bytes at a time, and drops most of the metadata. A
published fingerprint can be recomputed only with the same texts.

Not followed: data it misreads altogether (bytecode with zeros between cases, as ReadStat and haven
write it), and files it cannot ingest: those are read right.

Source: IQSS/dataverse b485249231fe, SAVFileReader.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.model import Category, Interval, Kind, Variable
from tabkit.read.spss_cases import BLANKS, WORD
from tabkit.read.spss_columns import (
    ASCII_END,
    BLANKS_ONLY,
    binary_array,
    decode_column,
    trim_cells,
)
from tabkit.read.spss_dictionary import (
    ENCODING,
    Texts,
    long_names_of,
    make_unique,
)
from tabkit.read.spss_segments import column_of, long_column
from tabkit.read.spss_temporal import (
    decimal_text,
    format_category,
    is_character,
    java_pattern,
)
from tabkit.read.spss_text import LATIN1, UTF8, Decoder, codec_of, named_decoder
from tabkit.read.spss_variables import number_of, print_format

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from tabkit.model import Finding, Value
    from tabkit.profiles import Profile
    from tabkit.read.spss_columns import Bytes, TextMaker
    from tabkit.read.spss_records import Records, VariableRecord
    from tabkit.read.spss_segments import Column

    Flags = npt.NDArray[np.bool_]

_VERSIONS: Final = (
    re.compile(r".*Release ([0-9]*)"),
    re.compile(r".* IBM SPSS STATISTICS.* [^ ]* ([0-9][0-9]*)[^ ]*"),
)
_LAST_LATIN: Final = 15  # the last release of SPSS that is read as ISO 8859-1
_LABEL_UNITS: Final = 255
_BASE_LENGTH: Final = 5
_FULL: Final = 255
_SPACE: Final = 0x20
_LAST_OF_PART: Final = 31  # the word of 7 bytes
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#: java.lang.Character.isWhitespace: no no-break spaces.
JAVA_SPACES: Final = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2008\u2009\u200a"
    "\u2028\u2029\u205f\u3000"
)


def label_decoder(records: Records, override: str | None) -> Decoder:
    """Return the decoder of names and labels: UTF-8 from SPSS 16 on, else ISO 8859-1."""
    if override:
        return named_decoder(override)
    product = records.header.product.decode("ascii", "replace")
    for pattern in _VERSIONS:
        found = pattern.search(product)
        if found and found[1]:
            return Decoder(UTF8 if int(found[1]) > _LAST_LATIN else LATIN1)
    return Decoder(LATIN1)


def data_decoder(records: Records, labels: Decoder) -> Decoder:
    """Return the decoder of the data: what record 7/20 declares, else that of the labels."""
    declared = records.extension(ENCODING)
    codec = codec_of(declared.data.decode("latin-1")) if declared else None
    return Decoder(codec) if codec else labels


def join_by_name(records: Records, texts: Texts) -> list[Column]:
    """Put parts of long strings together where names count up (``LONGV``, ``LONGV0``).

    A string of 255 bytes opens the chance; the width in record 7/14 is not asked.
    """
    joined: list[list[VariableRecord]] = []
    base, last, open_ended = "", "", False
    for record in records.variables:
        name = _short_name(record, texts)
        if record.width and open_ended and _continues(base, last, name):
            joined[-1].append(record)
            last = name
        else:
            joined.append([record])
            base, last, open_ended = name[:_BASE_LENGTH], "", record.width == _FULL
    return [
        long_column(records, sum(each.width for each in records))
        if len(records) > 1
        else column_of(records[0])
        for records in joined
    ]


def build_plain_variables(
    records: Records, columns: Sequence[Column], texts: Texts, profile: Profile,
    findings: list[Finding],
) -> tuple[Variable, ...]:  # fmt: skip
    """Return the variables as Dataverse has them: names, labels, categories and date patterns."""
    names = make_unique(_long_names(records, columns, texts), findings)
    labels = _last_labels(records)
    none: dict[bytes, bytes] = {}
    made: dict[tuple[int, int, bool], tuple[Category, ...]] = {}
    variables = []
    for column, name in zip(columns, names, strict=True):
        code, _, _ = print_format(column)
        dated = not column.width and is_character(code, profile)
        pattern = java_pattern(code) if dated else ""
        is_text = dated or bool(column.width)
        owned = labels.get(column.record.element + 1, none)
        key = (id(owned), code, bool(column.width))
        if key not in made:
            made[key] = _categories(owned, column, records, texts, name, dated=dated)
        variables.append(
            Variable(
                name,
                label=_cut(_raw_text(column.record.label or b"", texts, name)),
                kind=Kind.CHARACTER if is_text else Kind.NUMERIC,
                interval=Interval.DISCRETE if is_text else None,
                display_format=pattern,
                format_category=format_category(code) if pattern else "",
                categories=made[key],
                bare=dated,
            )
        )
    return tuple(variables)


def text_maker(*, compressed: bool) -> TextMaker:
    """Return what makes texts of string columns.

    Trailing blanks (of any kind in Unicode) go, an empty text is one blank. Each eight bytes are
    decoded alone, so a character that spans them becomes U+FFFD; in ``compressed`` data eight
    blanks inside a text are one code, which gives one blank.
    """

    def make(cells: Bytes, decoder: Decoder) -> tuple[pa.StringArray, int]:
        offsets, data = trim_cells(cells, BLANKS_ONLY)
        plain = not len(data) or data.max() < ASCII_END
        if plain and not (compressed and _has_blank_words(cells)):
            return _trim(binary_array(pa.string(), offsets, data)), 0
        joined = _decode_together(cells, decoder, compressed=compressed)
        if joined is not None:
            return _trim(joined), pc.sum(pc.match_substring(joined, "\ufffd")).as_py() or 0
        stored = binary_array(pa.binary(), offsets, data)
        texts, count = decode_column(
            stored, lambda value: _decode_words(value, decoder, compressed=compressed)
        )
        return _trim(texts), count

    return make


def _trim(texts: pa.StringArray) -> pa.StringArray:
    texts = pc.utf8_rtrim(texts, JAVA_SPACES)
    return pc.if_else(pc.equal(texts, ""), " ", texts)


def _words(cells: Bytes) -> Bytes:
    """Return cases by words by eight bytes, up to the last word that is used.

    A part of a long string has 255 bytes: its last word has 7, and a blank is put after them.
    """
    parts = []
    for first in range(0, cells.shape[1], _FULL):
        part = cells[:, first : first + _FULL]
        filled = np.full((len(cells), -(-part.shape[1] // WORD) * WORD), _SPACE, np.uint8)
        filled[:, : part.shape[1]] = part
        parts.append(filled)
    words = np.concatenate(parts, axis=1).reshape(len(cells), -1, WORD)
    used = np.flatnonzero(~_blank(words).all(axis=0))
    return words[:, : used[-1] + 1] if len(used) else words[:, :1]


def _blank(words: Bytes) -> Flags:
    blank: Flags = np.ascontiguousarray(words).view(np.uint64)[:, :, 0] == BLANKS
    return blank


def _has_blank_words(cells: Bytes) -> bool:
    """Whether any cell has a word of blanks before its end."""
    blank = _blank(_words(cells))
    return bool((blank[:, :-1] & ~blank[:, 1:]).any())


def _decode_together(cells: Bytes, decoder: Decoder, *, compressed: bool) -> pa.StringArray | None:
    """Decode all words of all cells at once, kept apart by bytes that the cells do not use.

    Returns None where they use nearly every control character.
    """
    unused = np.flatnonzero(np.bincount(cells.ravel(), minlength=256)[:_SPACE] == 0)
    if len(unused) < 2:  # noqa: PLR2004 - one stands between words, one after a cell
        return None
    between, after = (int(byte) for byte in unused[:2])
    words = _words(cells)
    blank = _blank(words)
    words[:, _LAST_OF_PART :: _LAST_OF_PART + 1, -1] = between
    if compressed:
        words[blank, 1:] = between
    spaced = np.full((*words.shape[:2], WORD + 1), between, np.uint8)
    spaced[:, :, :WORD] = words
    spaced[:, -1, WORD] = after
    text = spaced.tobytes().decode(decoder.codec, "replace").replace(chr(between), "")
    return pa.array(text.split(chr(after))[:-1], pa.string())


def _decode_words(stored: bytes, decoder: Decoder, *, compressed: bool) -> tuple[str, bool]:
    """Decode one cell word by word; a part of a long string has 255 bytes, its last word 7."""
    texts = []
    whole = True
    for part in range(0, len(stored), _FULL):
        for first in range(part, min(part + _FULL, len(stored)), WORD):
            word = stored[first : min(first + WORD, part + _FULL)]
            text, sound = decoder.decode(word)
            texts.append(" " if compressed and not word.strip(b" ") else text)
            whole &= sound
    return "".join(texts), whole


def _short_name(record: VariableRecord, texts: Texts) -> str:
    return texts.decoder.decode(record.name)[0].replace("\0", "").partition(" ")[0]


def _long_names(records: Records, columns: Sequence[Column], texts: Texts) -> list[str]:
    """Return long names, read as ASCII; a short name with other letters finds none.

    Names that fall together so are read right.
    """
    pairs = long_names_of(records)
    long_names = {
        short.decode("ascii", "replace"): name.decode("ascii", "replace")
        for short, name in pairs.items()
    }
    shorts = [_short_name(column.record, texts) for column in columns]
    names = [long_names.get(short) or short for short in shorts]
    decoder = data_decoder(records, texts.decoder)
    times = Counter(names)
    return [
        decoder.decode(pairs[column.short_name])[0]
        if times[name] > 1 and column.short_name in pairs
        else name
        for name, column in zip(names, columns, strict=True)
    ]


def _continues(base: str, last: str, name: str) -> bool:
    """Whether ``name`` is the next part of a long string after ``last`` (empty: the first)."""
    if not last:
        return name == base + "0"
    suffix = name[len(base) :]
    return (
        len(base) < len(name)
        and name.startswith(base)
        and len(suffix) <= 2  # noqa: PLR2004 - parts are counted with two digits at most
        and _base36(suffix) > _base36(last[len(base) :])
    )


def _base36(text: str) -> int:
    value = 0
    for letter in text:
        value = value * 36 + max(_DIGITS.find(letter), 0)
    return value


def _raw_text(data: bytes, texts: Texts, owner: str) -> str:
    """Return a label as stored, blanks at its end included."""
    text, whole = texts.decoder.decode(data)
    if not whole:
        texts.faulty[owner] = None
    return text.replace("\0", "")


def _cut(label: str) -> str:
    """Return the first 255 UTF-16 units of a label."""
    units = label.encode("utf-16-le", "surrogatepass")
    return units[: _LABEL_UNITS * 2].decode("utf-16-le", "replace")


def _last_labels(records: Records) -> dict[int, dict[bytes, bytes]]:
    """Return the value labels that an element, from 1, has in the end.

    A later set replaces an earlier one, and a set is known by the first element it belongs to.
    """
    tables: dict[int, dict[bytes, bytes]] = {}
    keys: dict[int, int] = {}
    for labels in records.label_sets:
        if labels.elements:
            tables[labels.elements[0]] = dict(labels.labels)
            keys.update(dict.fromkeys(labels.elements, labels.elements[0]))
    return {element: tables[key] for element, key in keys.items()}


def _categories(
    labels: dict[bytes, bytes], column: Column, records: Records, texts: Texts, name: str,
    *, dated: bool,
) -> tuple[Category, ...]:  # fmt: skip
    """Return categories; of a date or time the value is the number's text, which no case has."""
    found: dict[Value, str] = {}
    for stored, label in labels.items():
        value: Value
        if column.width:
            value = _raw_text(stored, texts, name).rstrip(" ")
        else:
            number = number_of(stored, records)
            value = decimal_text(number) if dated else number
        found[value] = _raw_text(label, texts, name).rstrip(" ")
    return tuple(Category(value, label) for value, label in found.items())
