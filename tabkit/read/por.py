"""SPSS portable files (.por): a file goes in, a stream of blocks with all metadata comes out.

The parts: `por_text` gives the text, `por_dictionary` and `por_variables` read the dictionary,
`por_cases` the data, and `por_numbers` the numbers in base 30.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import pyarrow as pa

from tabkit.errors import FormatError
from tabkit.model import Block, Finding, Origin, TableStream
from tabkit.read.bounds import check_labels, check_variables, label_size
from tabkit.read.por_cases import broken_at, read_cells
from tabkit.read.por_dictionary import read_dictionary
from tabkit.read.por_numbers import numbers_of, parse_number, parse_number_like_java
from tabkit.read.por_text import PortableText, has_other_bytes, is_utf8
from tabkit.read.por_variables import build_plain_variables, build_variables, print_format
from tabkit.read.spss_columns import decode_column
from tabkit.read.spss_dictionary import Texts
from tabkit.read.spss_temporal import (
    TemporalFaults,
    column_type,
    is_character,
    temporal_column,
    temporal_faults,
)
from tabkit.read.spss_text import UTF8, WINDOWS, Decoder, named_decoder

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import numpy as np

    from tabkit.options import ReadOptions
    from tabkit.profiles import Profile
    from tabkit.read.por_cases import Cells
    from tabkit.read.por_dictionary import PorDictionary, VariableRecord

_MEDIA_TYPE: Final = "application/x-spss-por"
_ABOUT: Final = {b"2": "author", b"3": "subproduct"}


def open_por(path: Path, options: ReadOptions) -> TableStream:
    """Open a portable file.

    The dictionary is read at once, cases when the blocks are asked for; their number is not known
    before. Data that end too early or are damaged give the whole cases before that place and a
    warning among the findings, which grow until the last block.

    Raises:
        FormatError: It is no portable file, or its dictionary or first case is damaged.
        UsageError: ``options.encoding`` is not known.
    """
    plain = options.profile.dates_as_text
    as_java = plain and has_other_bytes(path) and _is_sound_in_java(path)
    with path.open("rb") as file:
        text = PortableText(file, path, as_java=as_java)
        dictionary = read_dictionary(text, path)
    check_variables(len(dictionary.variables), options.limits, path)
    sets = ((len(each.names), label_size(each.labels.values())) for each in dictionary.label_sets)
    check_labels(sets, options.limits, path)
    findings: list[Finding] = []
    plainly = as_java or not text.is_ascii
    decoder = Decoder("ascii") if plainly else _choose_decoder(path, options, findings)
    texts = Texts(decoder)
    if plain:
        variables = build_plain_variables(dictionary, texts, options.profile, findings)
    else:
        variables = build_variables(dictionary, texts, findings)
    maker = _Maker(dictionary.variables, [each.name for each in variables], decoder, options)
    stream = TableStream(
        maker.schema,
        variables,
        _blocks(path, maker, options, findings, as_java=as_java),
        origin=_origin(path, dictionary, texts, text, decoder),
        notes=() if plain else _notes(dictionary, texts),
        attributes=() if plain else _about(dictionary, texts),
        findings=findings,
    )
    findings += texts.findings()
    return stream


def _is_sound_in_java(path: Path) -> bool:
    """Whether a reader in Java, which lengthens broken UTF-8, still finds its way to the end."""
    findings: list[Finding] = []
    with path.open("rb") as file:
        try:
            text = PortableText(file, path, as_java=True)
            widths = [variable.width for variable in read_dictionary(text, path).variables]
        except FormatError:
            return False
        known: dict[bytes, float] = {}
        for cells in read_cells(text, widths, 1000, findings) if widths else ():
            if numbers_of(cells.numbers, known, parse_number_like_java)[1] < len(cells.numbers):
                return False
    return text.is_ascii and not findings


def _choose_decoder(path: Path, options: ReadOptions, findings: list[Finding]) -> Decoder:
    """Return a decoder; a portable file declares no encoding."""
    if options.encoding:
        return named_decoder(options.encoding)
    if not has_other_bytes(path):
        return Decoder(UTF8)
    name, codec = ("UTF-8", UTF8) if is_utf8(path) else ("windows-1252", WINDOWS)
    findings.append(Finding(f"the file declares no encoding: text is read as {name}"))
    return Decoder(codec)


def _blocks(
    path: Path, maker: _Maker, options: ReadOptions, findings: list[Finding], *, as_java: bool
) -> Iterator[Block]:
    if not maker.widths:
        return
    rows = options.rows_of(len(maker.widths))
    done, ends = 0, list[Finding]()
    with path.open("rb") as file:
        text = PortableText(file, path, as_java=as_java)
        read_dictionary(text, path)
        for cells in read_cells(text, maker.widths, rows, ends):
            batch = maker.batch(cells)
            if batch.num_rows:
                yield Block(batch)
            done += batch.num_rows
            if batch.num_rows < cells.cases:
                ends = [broken_at(done)]
                break
    if ends and not done:
        raise FormatError(ends[0].text, path, hint="it is damaged: transfer it again")
    findings += ends + maker.findings()


class _Maker:
    """Makes record batches of cells, and counts what their types cannot hold."""

    def __init__(
        self,
        records: Sequence[VariableRecord],
        names: Sequence[str],
        decoder: Decoder,
        options: ReadOptions,
    ) -> None:
        self.widths = [record.width for record in records]
        self._names, self._decoder = names, decoder
        self._profile: Profile = options.profile
        self._formats = [print_format(record) for record in records]
        self._known: dict[bytes, float] = {}
        self._faults: dict[str, TemporalFaults] = {}
        self._replaced: dict[str, int] = {}
        plain = options.profile.dates_as_text
        self._parse = parse_number_like_java if plain else parse_number
        self._padding = b"" if plain else b" \0"
        types = [
            pa.string() if width else column_type(code, self._profile)
            for width, (code, _, _) in zip(self.widths, self._formats, strict=True)
        ]
        self.schema = pa.schema(list(zip(names, types, strict=True)))

    def batch(self, cells: Cells) -> pa.RecordBatch:
        """Return the cases up to the first whose numbers are none."""
        per_case = self.widths.count(0)
        values, count = numbers_of(cells.numbers, self._known, self._parse)
        rows = count // per_case if per_case else cells.cases
        table = values[: rows * per_case].reshape(rows, per_case)
        columns, numeric, textual = [], 0, 0
        for name, width, (code, _, decimals) in zip(
            self._names, self.widths, self._formats, strict=True
        ):
            if width:
                columns.append(self._strings(cells.strings[textual][:rows], name))
                textual += 1
            else:
                columns.append(self._numbers(table[:, numeric].copy(), name, code, decimals))
                numeric += 1
        return pa.record_batch(columns, schema=self.schema)

    def findings(self) -> list[Finding]:
        """Tell, after the last block, what was replaced or lost, variable by variable."""
        found = [each for name, faults in self._faults.items() for each in faults.findings(name)]
        text = "bytes that are no text in the file's encoding are replaced by U+FFFD"
        return found + [
            Finding(f"{text} (cases: {count:,})", "warning", name)
            for name, count in self._replaced.items()
            if count
        ]

    def _strings(self, stored: list[bytes], name: str) -> pa.Array:
        def text_of(data: bytes) -> tuple[str, bool]:
            return self._decoder.decode(data.rstrip(self._padding) if self._padding else data)

        column, replaced = decode_column(pa.array(stored, pa.binary()), text_of)
        self._replaced[name] = self._replaced.get(name, 0) + replaced
        return column

    def _numbers(
        self, values: np.ndarray[tuple[int], np.dtype[np.float64]], name: str, code: int,
        decimals: int,
    ) -> pa.Array:  # fmt: skip
        if is_character(code, self._profile):
            faults = temporal_faults(values, code, self._profile)
            self._faults[name] = self._faults.get(name, TemporalFaults()) + faults
        return temporal_column(values, code, decimals, self._profile)


def _notes(dictionary: PorDictionary, texts: Texts) -> tuple[str, ...]:
    text = "\n".join(texts.text(line) for line in dictionary.documents).rstrip()
    return (text,) if text else ()


def _about(dictionary: PorDictionary, texts: Texts) -> tuple[tuple[str, str], ...]:
    told = ((name, texts.text(dictionary.texts.get(kind, b""))) for kind, name in _ABOUT.items())
    return tuple((name, text.strip()) for name, text in told if text.strip())


def _origin(
    path: Path, dictionary: PorDictionary, texts: Texts, text: PortableText, decoder: Decoder
) -> Origin:
    return Origin(
        file_name=path.name,
        media_type=_MEDIA_TYPE,
        format="por",
        format_version=dictionary.version,
        encoding=decoder.codec if text.is_ascii else "",
        size=path.stat().st_size,
        created=dictionary.created,
        product=texts.text(dictionary.texts.get(b"1", b"")),
    )
