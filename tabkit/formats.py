"""The formats tabkit reads and writes: one row each, functions named and imported on first use."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from tabkit.compression import compression_of, first_bytes
from tabkit.errors import FormatError, UnknownFormatError, UsageError
from tabkit.options import WriteOptions

if TYPE_CHECKING:
    from tabkit.loss import Ledger
    from tabkit.model import Table, TableStream
    from tabkit.options import ReadOptions

HEAD_BYTES: Final = 512  # bytes looked at to identify a file


class Reader(Protocol):
    """Opens a file as a stream; raises FormatError where it is not what it promises."""

    def __call__(self, path: Path, options: ReadOptions) -> TableStream:
        """Open ``path``."""
        ...


class Writer(Protocol):
    """Writes a whole table to ``path`` and tells what the format could not carry."""

    def __call__(self, table: Table, path: Path) -> Ledger:
        """Write ``table`` to ``path``."""
        ...


class StreamWriter(Protocol):
    """Writes a stream to ``path`` in bounded memory and tells what the format could not carry."""

    def __call__(self, stream: TableStream, path: Path, **choices: Any) -> Ledger:
        """Write ``stream`` to ``path``; ``choices`` are those of the format."""
        ...


@dataclasses.dataclass(frozen=True, slots=True)
class FileFormat:
    """One format; ``reader`` and ``writer`` are dotted names, empty where tabkit has none.

    Attributes:
        name: As in ``--to`` and ``Origin.format``.
        title: For people.
        suffixes: Lower case, with the dot.
        media_type: As repositories know it.
        reader: Dotted name of a `Reader`.
        writer: Dotted name of a `Writer`.
        magic: First bytes of such a file; any of them.
        packed: Whether such a file may come compressed as a whole: magic is sought in it then.
        keeps: What metadata survives in it, for ``tabkit formats``.
        stream_writer: Dotted name of a `StreamWriter`, where it can be written block by block.
        choices: Names of the `WriteOptions` that the stream writer takes.
    """

    name: str
    title: str
    suffixes: tuple[str, ...]
    media_type: str
    reader: str = ""
    writer: str = ""
    magic: tuple[bytes, ...] = ()
    keeps: str = ""
    stream_writer: str = ""
    choices: tuple[str, ...] = ("header",)
    packed: bool = False

    def open(self, path: Path, options: ReadOptions) -> TableStream:
        """Open ``path`` as a stream of blocks."""
        if not self.reader:
            msg = f"tabkit writes {self.name} but does not read it"
            raise FormatError(msg, path)
        return cast("Reader", _named(self.reader))(path, options)

    def write(self, table: Table, path: Path) -> Ledger:
        """Write ``table`` to ``path``."""
        return cast("Writer", _named(self._named_writer()))(table, path)

    def write_stream(
        self, stream: TableStream, path: Path, options: WriteOptions | None = None
    ) -> Ledger:
        """Write ``stream`` to ``path``, for a format with a ``stream_writer``."""
        writer = cast("StreamWriter", _named(self.stream_writer))
        options = options or WriteOptions()
        return writer(stream, path, **{name: getattr(options, name) for name in self.choices})

    def _named_writer(self) -> str:
        if not self.writer:
            msg = f"tabkit reads {self.name} but does not write it"
            raise UsageError(msg)
        return self.writer


def _named(dotted: str) -> object:
    """Return the function of a dotted name: module, colon, function."""
    module, _, name = dotted.partition(":")
    return getattr(importlib.import_module(module), name)


_LABELS = "variable and value labels"
_OF_R = f"{_LABELS}, user-missing values, tagged missings, formats, as haven has them"
_R_CHOICES = ("r_style", "r_names", "r_version")
FORMATS: Final = (
    FileFormat(
        "sav", "SPSS system file", (".sav",), "application/x-spss-sav",
        "tabkit.read.spss:open_sav", "tabkit.write.stat:write_sav", (b"$FL2", b"$FL3"),
        f"{_LABELS}, user-missing values, measure, formats, attributes, response sets, documents",
    ),
    FileFormat(
        "zsav", "SPSS compressed system file", (".zsav",), "application/x-spss-sav",
        "tabkit.read.spss:open_sav", "tabkit.write.stat:write_zsav", (b"$FL3",), "as sav",
    ),
    FileFormat(
        "por", "SPSS portable file", (".por",), "application/x-spss-por",
        "tabkit.read.por:open_por", "tabkit.write.stat:write_por", (),
        f"{_LABELS}, user-missing values, formats",
    ),
    FileFormat(
        "dta", "Stata data file", (".dta",), "application/x-stata",
        "tabkit.read.stata:open_dta", "tabkit.write.stat:write_dta", (b"<stata_dta>",),
        f"{_LABELS}, tagged missings, formats, characteristics and notes",
    ),
    FileFormat(
        "sas7bdat", "SAS data set", (".sas7bdat",), "application/x-sas-data",
        "tabkit.read.sas:open_sas7bdat", "", (b"\0" * 12 + b"\xc2\xea\x81\x60",),
        "variable labels, tagged missings, formats; value labels from a .sas7bcat",
    ),
    FileFormat(
        "xpt", "SAS transport file", (".xpt",), "application/x-sas-transport",
        "tabkit.read.sas:open_xpt", "tabkit.write.stat:write_xpt",
        (b"HEADER RECORD*******LIB",), "variable labels, tagged missings, formats",
    ),
    FileFormat(
        "csv", "Comma-separated text", (".csv", ".txt"), "text/csv",
        "tabkit.read.delimited:open_csv", "tabkit.write.text:write_csv", (), "names",
        "tabkit.write.text:write_csv_stream",
    ),
    FileFormat(
        "tab", "Archival tab-delimited table", (".tab",), "text/tab-separated-values",
        "tabkit.read.tab_stream:open_tab", "tabkit.write.tab:write_tab", (),
        "names; the rest goes to the codebook",
        "tabkit.write.tab:write_tab_stream",
    ),
    FileFormat(
        "tsv", "Tab-separated text", (".tsv", ".tab"), "text/tab-separated-values",
        "tabkit.read.delimited:open_tsv", "", (), "names",
    ),
    FileFormat(
        "xlsx", "Excel workbook", (".xlsx", ".xlsm"),
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "tabkit.read.spreadsheet:open_spreadsheet", "", (b"PK\3\4",), "names",
    ),
    FileFormat(
        "xls", "Excel 97-2003 workbook", (".xls",), "application/vnd.ms-excel",
        "tabkit.read.spreadsheet:open_spreadsheet", "", (b"\xd0\xcf\x11\xe0",), "names",
    ),
    FileFormat(
        "xlsb", "Excel binary workbook", (".xlsb",),
        "application/vnd.ms-excel.sheet.binary.macroenabled.12",
        "tabkit.read.spreadsheet:open_spreadsheet", "", (), "names",
    ),
    FileFormat(
        "ods", "OpenDocument spreadsheet", (".ods",),
        "application/vnd.oasis.opendocument.spreadsheet",
        "tabkit.read.spreadsheet:open_spreadsheet", "", (), "names",
    ),
    FileFormat(
        "parquet", "Apache Parquet", (".parquet",), "application/vnd.apache.parquet",
        "tabkit.read.arrow:open_parquet", "tabkit.write.arrow:write_parquet", (b"PAR1",),
        "everything", "tabkit.write.arrow:write_parquet_stream",
    ),
    FileFormat(
        "arrow", "Apache Arrow", (".arrow", ".feather"), "application/vnd.apache.arrow.file",
        "tabkit.read.arrow:open_arrow", "tabkit.write.arrow:write_arrow", (b"ARROW1", b"FEA1"),
        "everything", "tabkit.write.arrow:write_arrow_stream",
    ),
    FileFormat(
        "rdata", "R workspace, one data frame", (".rdata", ".rda"),
        "application/x-rlang-transport", "tabkit.read.r:open_rdata",
        "tabkit.write.rdata:write_rdata", (b"RDX", b"RDA", b"RDB"), _OF_R,
        "tabkit.write.rdata:write_rdata_stream", ("object_name", *_R_CHOICES), packed=True,
    ),
    FileFormat(
        "rds", "R object", (".rds",), "application/x-rds",
        "tabkit.read.r:open_rdata", "tabkit.write.rdata:write_rds",
        (b"X\n\0\0\0", b"A\n2\n", b"A\n3\n", b"A\r\n", b"B\n"), _OF_R,
        "tabkit.write.rdata:write_rds_stream", _R_CHOICES, packed=True,
    ),
    FileFormat(
        "json", "JSON, data and variables", (".json",), "application/json",
        "", "tabkit.write.json:write_json", (), "everything",
    ),
)  # fmt: skip


def identify(path: Path, name: str | None = None) -> FileFormat:
    """Find the format of ``path`` by its first bytes, then by its suffix, then by its looks.

    Args:
        path: The file.
        name: The name to take the suffix from, where ``path`` is a temporary copy.

    Raises:
        UnknownFormatError: No reader accepts it.
        FormatError: The file is empty.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    suffix = Path(name or path).suffix.lower()
    if not head:
        raise FormatError("the file is empty", name or path)
    inner = first_bytes(path, HEAD_BYTES) if compression_of(head) else head
    by_magic = [
        f for f in FORMATS if f.reader and (inner if f.packed else head).startswith(f.magic)
    ]
    for found in (
        next((f for f in by_magic if suffix in f.suffixes), None),
        next(iter(by_magic), None),
        next((f for f in FORMATS if f.reader and suffix in f.suffixes), None),
        find_format("csv") if not suffix and _is_text(head) else None,
    ):
        if found is not None:
            return found
    known = ", ".join(f.name for f in FORMATS if f.reader)
    raise UnknownFormatError(
        "no reader accepts it",
        name or path,
        hint=f"tabkit reads {known}; name it with --from, or describe it with --codebook",
    )


def _is_text(head: bytes) -> bool:
    """Tell whether a file without a suffix opens like a delimited text."""
    first_line = head.splitlines()[0]
    return b"\0" not in head and any(each in first_line for each in (b",", b";", b"\t"))


def find_format(name: str) -> FileFormat:
    """Return the format of that name.

    Raises:
        UsageError: There is none.
    """
    for file_format in FORMATS:
        if file_format.name == name:
            return file_format
    msg = f"no format named {name!r}; there are {', '.join(f.name for f in FORMATS)}"
    raise UsageError(msg)


def format_of_target(path: Path) -> FileFormat:
    """Return the format to write from a target's suffix.

    Raises:
        UsageError: The suffix names none.
    """
    suffix = path.suffix.lower()
    for file_format in FORMATS:
        if file_format.writer and suffix in file_format.suffixes:
            return file_format
    known = ", ".join(f.name for f in FORMATS if f.writer)
    msg = f"{path.name}: cannot tell the format to write from {suffix!r}; use --to: {known}"
    raise UsageError(msg)
