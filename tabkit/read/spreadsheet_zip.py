"""What a spreadsheet file is and holds, found before anything is unpacked.

An ``.xlsx``, ``.xlsb`` or ``.ods`` file is a zip file of XML or binary parts; a small one may hold
terabytes. Sizes come from its directory and are checked first; what lies about them meets the
limits of the worker (`tabkit.read.spreadsheet`).
"""

from __future__ import annotations

import collections
import posixpath
import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError
from tabkit.limits import LIMITS, Limits, refuse

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import IO

    Counts = collections.Counter[str]

SMALL_PART: Final = 32 << 20  # parts below are not looked at for their ratio; a digit a cell: 100
_CHUNK: Final = 1 << 20
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP: Final = b"PK\x03\x04"
_ERROR_MARKS: Final = (b't="e"', b"t='e'")
_ERROR_CELL: Final = re.compile(rb"""<(?:\w+:)?c\s[^>]*\bt\s*=\s*["']e["'][^>]*>""")
_FORMULA_MARKS: Final = (b"<f", b":f")
#: A formula without a value, as programs write that do not calculate; a text's may be empty.
_NO_RESULT: Final = re.compile(
    rb"""<(?:\w+:)?c\s(?![^>]*\bt\s*=\s*["']str)[^>]*>\s*"""
    rb"""<(?:\w+:)?f\b(?:[^>]*/>|[^>]*>[^<]*</(?:\w+:)?f\s*>)\s*"""
    rb"""(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v\s*>\s*</(?:\w+:)?v\s*>)?\s*</(?:\w+:)?c\s*>"""
)
_REFERENCE: Final = re.compile(rb"""\br\s*=\s*["']([A-Z]{1,3})[0-9]""")
_OVERLAP: Final = 512
_LONGEST_CELL: Final = 1 << 16


def kind_of(path: Path, limits: Limits = LIMITS) -> str:
    """Return which kind of spreadsheet a file is by its content: xlsx, xlsb, ods or xls.

    Raises:
        FormatError: It is none.
        LimitError: It would unpack to more than the limits allow.
    """
    with path.open("rb") as file:
        head = file.read(len(_OLE))
    if head == _OLE:
        return "xls"
    if head[:2] == b"\x09\x08" or head[:2] == b"\x09\x04":
        return "xls"  # BIFF before Excel 97 without a container
    if not head.startswith(_ZIP):
        hint = ""
        if b"\0" not in head:
            hint = "if it is text, name it with --from csv or --from tsv"
        raise FormatError("this is not a spreadsheet, whatever its name says", path, "", hint)
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            _check_sizes(archive, path, limits)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise FormatError(f"the zip file is damaged: {error}", path) from error
    for kind, part in (("xlsb", "xl/workbook.bin"), ("ods", "content.xml"), ("xlsx", "xl/")):
        if any(name.lstrip("/").lower().startswith(part) for name in names):
            return kind
    # Targets may have any name; only the content types tell.
    if "[Content_Types].xml" in names:
        return "xlsx"
    raise FormatError("this zip file holds no workbook", path)


def _check_sizes(archive: zipfile.ZipFile, path: Path, limits: Limits) -> None:
    total = 0
    for part in archive.infolist():
        total += part.file_size
        most = max(SMALL_PART, limits.ratio * max(part.compress_size, 1))
        if part.file_size > most:
            where = f"part {part.filename[:60]!r}"
            raise refuse(path, "a part of it would unpack to more than", limits, "ratio", where)
    if total > limits.unpacked:
        raise refuse(path, "it would unpack to more than", limits, "unpacked")


def unpacked_size(path: Path) -> int:
    """Return the bytes of a zip file's parts as its directory has them, else of the file."""
    try:
        with zipfile.ZipFile(path) as archive:
            return sum(part.file_size for part in archive.infolist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return path.stat().st_size


def sheet_parts(archive: zipfile.ZipFile) -> list[tuple[str, str, str]]:
    """Return (sheet name, relationship id, part) of an ``.xlsx`` workbook's sheets in order.

    Empty where the workbook cannot be understood.
    """
    book = _workbook_part(archive)
    folder, _, own = book.rpartition("/")
    rels = _targets(archive, f"{folder}/_rels/{own}.rels", folder)
    sheets = []
    for _, node in _nodes(archive, book, "sheet"):
        identifier = next((v for k, v in node.items() if k.endswith("}id")), "")
        sheets.append((node.get("name", ""), identifier, rels.get(identifier, ("", ""))[1]))
    return sheets


def _workbook_part(archive: zipfile.ZipFile) -> str:
    for kind, target in _targets(archive, "_rels/.rels", "").values():
        if kind.endswith("/officeDocument"):
            return target
    return "xl/workbook.xml"


def _targets(archive: zipfile.ZipFile, part: str, folder: str) -> dict[str, tuple[str, str]]:
    """Return by id the type and the target of a part's relationships."""
    found = {}
    for _, node in _nodes(archive, part, "Relationship"):
        target = node.get("Target", "")
        whole = target[1:] if target.startswith("/") else posixpath.join(folder, target)
        found[node.get("Id", "")] = (node.get("Type", ""), posixpath.normpath(whole))
    return found


def _nodes(archive: zipfile.ZipFile, part: str, name: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield (text, attributes) of the elements of that name, whatever their namespace."""
    from lxml import etree

    try:
        with archive.open(part) as file:
            events = etree.iterparse(
                file, events=("end",), resolve_entities=False, no_network=True, load_dtd=False
            )
            for _, node in events:
                if isinstance(node.tag, str) and node.tag.rpartition("}")[2] == name:
                    yield node.text or "", {str(k): str(v) for k, v in node.attrib.items()}
                node.clear()
    except (KeyError, etree.XMLSyntaxError, zipfile.BadZipFile, zlib.error, OSError):
        return


def lost_cells(path: Path, sheet: str) -> tuple[Counts, Counts]:
    """Count the cells of an ``.xlsx`` sheet that have no value to read, by column letters.

    Returns:
        Cells with an error, and formulas whose result was never stored.
    """
    errors, formulas = collections.Counter[str](), collections.Counter[str]()
    try:
        with zipfile.ZipFile(path) as archive:
            part = next((part for name, _, part in sheet_parts(archive) if name == sheet), "")
            with archive.open(part) as file:
                for text in _whole_cells(file):
                    if any(mark in text for mark in _ERROR_MARKS):
                        _count(_ERROR_CELL, text, errors)
                    if any(mark in text for mark in _FORMULA_MARKS):
                        _count(_NO_RESULT, text, formulas)
    except (KeyError, zipfile.BadZipFile, zlib.error, OSError, ValueError, NotImplementedError):
        return errors, formulas
    return errors, formulas


def _whole_cells(file: IO[bytes]) -> Iterator[bytes]:
    """Yield a sheet's XML in pieces, cut between cells where one ends near."""
    rest = b""
    while chunk := file.read(_CHUNK):
        text = rest + chunk
        cut = text.rfind(b"c>", max(0, len(text) - _LONGEST_CELL)) + len(b"c>")
        if cut < len(b"c>"):
            cut = text.rfind(b"<", max(0, len(text) - _OVERLAP))
            cut = len(text) if cut < 0 else cut
        rest = text[cut:]
        yield text[:cut]
    yield rest


def _count(pattern: re.Pattern[bytes], text: bytes, counts: Counts) -> None:
    for cell in pattern.finditer(text):
        column = _REFERENCE.search(cell[0])
        counts[column[1].decode() if column else ""] += 1
