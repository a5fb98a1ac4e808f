"""The data of a Stata file: blocks of fixed rows into Arrow columns and missing tags.

A block is read as it is stored and seen as a numpy structure; each column is copied out once.
"""

from __future__ import annotations

import collections
import dataclasses
from typing import TYPE_CHECKING, Any, BinaryIO, Final

import numpy as np
import pyarrow as pa

from tabkit.limits import check_unpacked, refuse
from tabkit.model import Block, Finding
from tabkit.read import stata_dataverse, stata_temporal, stata_text
from tabkit.read.stata_decoded import (
    EARLY_DOUBLE,
    decode_columns,
    decoded_numbers,
    decoded_tags,
    decoded_text,
    decoded_values,
)
from tabkit.read.stata_layout import NUMBERS, missing_codes, width_of
from tabkit.read.stata_strl import find, keys_of, read_texts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from tabkit._native.core import Decoded
    from tabkit.model import Variable
    from tabkit.options import ReadOptions
    from tabkit.read.stata_dictionary import Dictionary
    from tabkit.read.stata_layout import MissingCodes
    from tabkit.read.stata_strl import LongStrings
    from tabkit.read.stata_text import Encodings

_BLOCK_BYTES: Final = 32 << 20
_TEXT_BYTES: Final = 64 << 20  # long strings of a block
_UNPACKED: Final = ("unpacked", "")  # counted with what is told, and not told
_TAGS: Final = 27  # . and .a to .z
#: By bytes of a float: the first missing code and the step to the next, as unsigned integers.
_FLOAT_CODES: Final = {4: (0x7F00_0000, 1 << 11), 8: (0x7FE0_0000_0000_0000, 1 << 40)}


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """All that decoding a block needs.

    Attributes:
        dictionary: Of the file.
        variables: In column order.
        encodings: Of its text.
        options: Of the user.
        strings: The index of long strings, None when there are none.
        counts: By finding and variable, how often; grows with each block.
    """

    dictionary: Dictionary
    variables: tuple[Variable, ...]
    encodings: Encodings
    options: ReadOptions
    strings: LongStrings | None
    counts: collections.Counter[tuple[str, str]] = dataclasses.field(
        default_factory=collections.Counter
    )

    @property
    def codes(self) -> MissingCodes:
        """The missing codes of this file."""
        return missing_codes(
            self.dictionary.layout.version, quirks=self.options.profile.stata_quirks
        )


def schema_of(reading: Reading) -> pa.Schema:
    """Return the Arrow type of every column."""
    pairs = zip(reading.variables, reading.dictionary.storages, strict=True)
    return pa.schema(
        [(variable.name, _type(reading, variable, storage)) for variable, storage in pairs]
    )


def row_type(dictionary: Dictionary) -> np.dtype[np.void]:
    """Return a case as a numpy structure with fields ``0``, ``1``, …; text as bytes."""
    fields = [
        (str(at), dictionary.order + NUMBERS[storage])
        if storage in NUMBERS
        else (str(at), "u1", (width_of(storage),))
        for at, storage in enumerate(dictionary.storages)
        if width_of(storage)
    ]
    return np.dtype(fields)  # type: ignore[arg-type, unused-ignore]


def rows_at_once(reading: Reading) -> int:
    """Return how many cases a block has."""
    rows = reading.options.rows_of(len(reading.variables))
    return max(1, min(rows, _BLOCK_BYTES // max(reading.dictionary.case_width, 1)))


def read_rows(
    file: BinaryIO, dictionary: Dictionary, first: int, count: int
) -> npt.NDArray[np.void]:
    """Return stored cases from ``first`` on."""
    file.seek(dictionary.data_start + first * dictionary.case_width)
    raw = file.read(count * dictionary.case_width)
    whole = len(raw) // dictionary.case_width * dictionary.case_width
    return np.frombuffer(raw[:whole] if whole < len(raw) else raw, row_type(dictionary))


def read_blocks(reading: Reading, file: BinaryIO) -> Iterator[Block]:
    """Yield all cases; counts what was not sound in ``reading.counts``."""
    schema = schema_of(reading)
    rows = rows_at_once(reading)
    for first in range(0, reading.dictionary.cases, rows):
        count = min(rows, reading.dictionary.cases - first)
        cases = read_rows(file, reading.dictionary, first, count)
        for part in _parts(reading, cases, file):
            yield _block(reading, schema, part, file)


def findings_of(reading: Reading) -> list[Finding]:
    """Return what was counted, by variable."""
    data, fallback = reading.encodings.data, reading.encodings.fallback
    texts = {
        "outside": "{:,} dates are outside the years 1 to 9999 and were made missing",
        "fractions": "{:,} dates are not whole numbers; their fraction was dropped",
        "lost": "{:,} long strings are not in the file and were made missing",
    }
    return [
        stata_text.invalid_finding(count, "strings", data, fallback, name)
        if what == "invalid"
        else Finding(texts[what].format(count), "warning", name)
        for (what, name), count in reading.counts.items()
        if count and (what, name) != _UNPACKED
    ]


def _type(reading: Reading, variable: Variable, storage: str) -> pa.DataType:
    if storage.startswith("str") or variable.bare:
        return pa.string()
    unit = (
        ""
        if reading.options.profile.dates_as_text
        else stata_temporal.unit_of(variable.display_format)
    )
    if unit:
        return stata_temporal.type_of(unit)
    return pa.from_numpy_dtype(np.dtype(NUMBERS.get(storage, "f8")))


def _check_texts(reading: Reading, sizes: npt.NDArray[np.int64], file: BinaryIO) -> None:
    """Check the bytes of long strings by case: one that many cells share counts for each."""
    limits = reading.options.limits
    if len(sizes) and int(sizes.max()) > limits.block:
        raise refuse(file.name, "the long strings of one case have more than", limits, "block")
    reading.counts[_UNPACKED] += int(sizes.sum())
    check_unpacked(reading.counts[_UNPACKED], file.seek(0, 2), limits, file.name)


def _parts(
    reading: Reading, cases: npt.NDArray[np.void], file: BinaryIO
) -> Iterator[npt.NDArray[np.void]]:
    """Cut a block whose long strings would not fit in memory."""
    if reading.strings is None:
        yield cases
        return
    total = np.zeros(len(cases), np.int64)
    lengths = np.append(reading.strings.lengths, [0, 0])  # for the places -2 and -1
    for at, storage in enumerate(reading.dictionary.storages):
        if storage == "strL":
            total += lengths[_places(reading, cases[str(at)])]
    first, so_far = 0, 0
    _check_texts(reading, total, file)
    if int(total.sum()) > _TEXT_BYTES:
        for at, size in enumerate(total.tolist()):
            so_far += size
            if so_far > _TEXT_BYTES and at > first:
                yield cases[first:at]
                first, so_far = at, size
    yield cases[first:]


def _block(
    reading: Reading, schema: pa.Schema, cases: npt.NDArray[np.void], file: BinaryIO
) -> Block:
    codes = reading.codes
    decoded = decode_columns(reading.dictionary, codes, cases)
    shared: dict[bytes, pa.StringArray] = {}  # columns that refer to the same long strings
    arrays, tags = [], {}
    for at, variable in enumerate(reading.variables):
        storage = reading.dictionary.storages[at]
        if storage == "alias":
            array = pa.nulls(len(cases), schema.field(at).type)
        elif storage == "strL":
            key = cases[str(at)].tobytes()
            if key not in shared:
                shared[key] = _long_strings(reading, variable, cases[str(at)], file)
            array = shared[key]
        elif storage.startswith("str"):
            array = decoded_text(decoded.get(at), reading.encodings.data, len(cases))
            if array is None:
                array = _strings(reading, variable, cases[str(at)])
        else:
            array, tagged = _numbers(reading, at, cases[str(at)], codes, decoded.get(at))
            if tagged is not None:
                tags[variable.name] = tagged
        arrays.append(array)
    return Block(pa.RecordBatch.from_arrays(arrays, schema=schema), tags)


def _strings(reading: Reading, variable: Variable, cells: npt.NDArray[np.uint8]) -> pa.StringArray:
    encodings = reading.encodings
    strings, invalid = stata_text.column(cells, encodings.data, encodings.fallback)
    reading.counts["invalid", variable.name] += invalid
    return strings


def _numbers(
    reading: Reading,
    at: int,
    stored: npt.NDArray[Any],
    codes: MissingCodes,
    decoded: Decoded | None,
) -> tuple[pa.Array, pa.Int8Array | None]:
    """Return a column and the tags of its missing values, None when there are no tags."""
    variable, storage = reading.variables[at], reading.dictionary.storages[at]
    display_format = reading.dictionary.display_formats[at].decode("latin-1")
    unit = (
        ""
        if reading.options.profile.dates_as_text
        else stata_temporal.unit_of(variable.display_format)
    )
    if decoded is not None:
        tags = decoded_tags(decoded) if codes.tagged else None
        if not unit and not variable.bare:
            return decoded_numbers(decoded, storage, len(stored)), tags
        numbers, missing = decoded_values(decoded, storage, len(stored))
    else:
        numbers = stored.astype(stored.dtype.newbyteorder("="))
        missing, places = find_missing(numbers, storage, codes)
        has_tags = places is not None and codes.tagged and places.any()
        tags = pa.array(places) if has_tags else None
    if variable.bare and reading.options.profile.dates_as_text:
        return stata_dataverse.date_column(numbers, missing, display_format), tags
    if not unit:
        return pa.array(numbers, mask=missing), tags
    dates = stata_temporal.decode_dates(numbers, missing, unit)
    reading.counts["outside", variable.name] += dates.outside
    reading.counts["fractions", variable.name] += dates.fractions
    return dates.column, tags


def find_missing(
    numbers: npt.NDArray[Any], storage: str, codes: MissingCodes
) -> tuple[npt.NDArray[np.bool_] | None, npt.NDArray[np.int8] | None]:
    """Return which numbers are missing and the index of their tag (0 for ``.``).

    Both are None where nothing is missing.
    """
    if storage in codes.largest:
        first = codes.largest[storage] + 1
        missing = numbers >= first
        if not missing.any():
            return None, None
        steps = numbers.astype(np.int64) - first
    else:
        missing, steps = _missing_floats(numbers)
        if codes.early_double and storage == "double":
            missing |= numbers == EARLY_DOUBLE
        if not missing.any():
            return None, None
    return missing, np.where(missing & (steps < _TAGS), steps, 0).astype(np.int8)


def _missing_floats(numbers: npt.NDArray[Any]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[Any]]:
    """Return which floats are one of the 27 codes, and how many codes each is from the first."""
    unsigned = np.dtype(f"u{numbers.itemsize}").type
    first, step = (unsigned(code) for code in _FLOAT_CODES[numbers.itemsize])
    offsets = numbers.view(unsigned) - first  # wraps around below the first code
    missing = offsets < step * unsigned(_TAGS)
    if missing.any():
        missing &= offsets % step == 0
    return missing, offsets // step


def _places(reading: Reading, references: npt.NDArray[np.generic]) -> npt.NDArray[np.int64]:
    assert reading.strings is not None
    native = references.astype(np.uint64)
    return find(
        reading.strings, keys_of(native, reading.dictionary.layout, reading.dictionary.order)
    )


def _long_strings(
    reading: Reading,
    variable: Variable,
    references: npt.NDArray[np.generic],
    file: BinaryIO,
) -> pa.StringArray:
    """Return the texts that a column refers to; each is read and decoded once."""
    assert reading.strings is not None
    found, at = np.unique(_places(reading, references), return_inverse=True)
    texts: list[str | None] = []
    for place in found[found < 0].tolist():
        texts.append(_blank(reading) if place == -1 else None)
        if place != -1:
            reading.counts["lost", variable.name] += int(np.count_nonzero(found[at] == place))
    there = found[found >= 0]
    raw = read_texts(file, reading.strings, there)
    for each, is_binary in zip(raw, reading.strings.binary[there].tolist(), strict=True):
        texts.append(_long_text(reading, variable, each, is_binary=is_binary))
    return pa.array(texts, pa.string()).take(pa.array(at))


def _blank(reading: Reading) -> str | None:
    """Stata's blank string is missing; Dataverse takes a long one for text."""
    return "" if reading.options.profile.stata_quirks else None


def _long_text(reading: Reading, variable: Variable, raw: bytes, *, is_binary: bool) -> str | None:
    encodings = reading.encodings
    encoding = encodings.binary if is_binary else encodings.data
    text, invalid = stata_text.decode(raw, encoding, encodings.fallback)
    reading.counts["invalid", variable.name] += invalid
    return text or _blank(reading)


def sample_texts(
    file: BinaryIO, dictionary: Dictionary, strings: LongStrings | None, count: int
) -> Iterator[bytes]:
    """Yield texts of the first cases, to tell their encoding by."""
    if count and any(map(str.isdigit, (s[3:] for s in dictionary.storages))):
        cases = read_rows(file, dictionary, 0, count)
        for at, storage in enumerate(dictionary.storages):
            if storage.startswith("str") and storage != "strL":
                yield from (raw.partition(b"\0")[0] for raw in np.unique(_as_bytes(cases[str(at)])))
    if strings is not None:
        sampled = 1000
        yield from read_texts(
            file, strings, np.flatnonzero(strings.lengths < _BLOCK_BYTES)[:sampled]
        )


def _as_bytes(cells: npt.NDArray[np.uint8]) -> npt.NDArray[np.bytes_]:
    return np.ascontiguousarray(cells).view(f"S{cells.shape[1]}").ravel()
