"""Make one table as a workbook of every kind: ``python workbooks.py FOLDER``.

Each is written by another tool (XlsxWriter, xlwt, odfpy; ``.xlsb`` by the records of [MS-XLSB]),
none of them reads, so what tabkit finds in them can be compared with what was put in.
"""

from __future__ import annotations

import datetime as dt
import struct
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("id", "name", "code", "share", "born", "woken", "spent", "seen", "asked", "failed")
#: None is a cell that is not there, ERROR one with an error.
ERROR = object()
ROWS = (
    (1, "Ada", "007", 0.125, dt.date(1915, 12, 10), dt.time(6, 30), dt.timedelta(hours=30), dt.datetime(2020, 2, 29, 23, 59, 58), True, 1),  # noqa: E501
    (2, "Zoë Ångström", "12", 1e-7, dt.date(1904, 2, 29), dt.time(23, 59, 59), dt.timedelta(minutes=1), dt.datetime(1999, 12, 31), False, ERROR),  # noqa: E501
    (3, None, "0012", -2.5, None, dt.time(0, 0, 1), None, None, True, ERROR),
    (4, "日本語", None, None, dt.date(2024, 2, 29), None, dt.timedelta(hours=1), dt.datetime(2024, 2, 29, 12, 0), None, 2),  # noqa: E501
)  # fmt: skip

_FORMATS = {
    dt.date: "yyyy-mm-dd",
    dt.time: "hh:mm:ss",
    dt.timedelta: "[h]:mm:ss",
    dt.datetime: "yyyy-mm-dd hh:mm:ss",
}


def serial(value: object, *, since_1904: bool = False) -> float:
    """Return a date, time or duration as a spreadsheet's number of days."""
    if isinstance(value, dt.timedelta):
        return value / dt.timedelta(days=1)
    if isinstance(value, dt.time):
        return (value.hour * 3600 + value.minute * 60 + value.second) / 86_400
    moment = value if isinstance(value, dt.datetime) else dt.datetime.combine(value, dt.time())
    start = dt.datetime(1904, 1, 1) if since_1904 else dt.datetime(1899, 12, 30)
    return (moment - start) / dt.timedelta(days=1)


def write_xlsx(path: Path, *, since_1904: bool = False) -> None:
    """Write with XlsxWriter, which knows the two systems of dates."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"date_1904": since_1904}) as book:
        sheet = book.add_worksheet("People")
        formats = {kind: book.add_format({"num_format": text}) for kind, text in _FORMATS.items()}
        sheet.write_row(0, 0, NAMES)
        for at, row in enumerate(ROWS, 1):
            for column, value in enumerate(row):
                if value is ERROR:
                    sheet.write_formula(at, column, "=1/0", None, "#DIV/0!")
                elif isinstance(value, str):
                    sheet.write_string(at, column, value)
                elif type(value) in formats:
                    number = serial(value, since_1904=since_1904)
                    sheet.write_number(at, column, number, formats[type(value)])
                elif value is not None:
                    sheet.write(at, column, value)
        book.add_worksheet("Empty")
        other = book.add_worksheet("Other")
        other.write_row(0, 0, ("a", "b"))
        other.write_row(1, 0, (1, "x"))


def write_strict(path: Path) -> None:
    """Write as strict OOXML: other namespaces."""
    plain = path.with_suffix(".plain")
    write_xlsx(plain)
    old = "http://schemas.openxmlformats.org/"
    pairs = {
        f"{old}spreadsheetml/2006/main": "http://purl.oclc.org/ooxml/spreadsheetml/main",
        f"{old}officeDocument/2006/relationships": "http://purl.oclc.org/ooxml/officeDocument/relationships",
    }
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(path, "w") as target:
        for part in source.namelist():
            text = source.read(part)
            for before, after in pairs.items():
                text = text.replace(before.encode(), after.encode())
            target.writestr(part, text)
    plain.unlink()


def write_xls(path: Path) -> None:
    """Write BIFF 8 with xlwt."""
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("People")
    styles = {kind: xlwt.easyxf(num_format_str=text) for kind, text in _FORMATS.items()}
    for column, name in enumerate(NAMES):
        sheet.write(0, column, name)
    for at, row in enumerate(ROWS, 1):
        for column, value in enumerate(row):
            if value is ERROR:
                sheet.row(at).set_cell_error(column, "#DIV/0!")
            elif type(value) in styles:
                sheet.write(at, column, serial(value), styles[type(value)])
            elif value is not None:
                sheet.write(at, column, value)
    book.save(str(path))


def write_ods(path: Path) -> None:
    """Write OpenDocument with odfpy; a missing cell is an empty one."""
    from odf.opendocument import OpenDocumentSpreadsheet
    from odf.table import Table, TableCell, TableRow
    from odf.text import P

    book = OpenDocumentSpreadsheet()
    sheet = Table(name="People")
    for row in (NAMES, *ROWS):
        line = TableRow()
        for value in row:
            cell = TableCell(**_ods_value(value))
            if isinstance(value, str):
                cell.addElement(P(text=value))
            elif value is ERROR:
                cell.addElement(P(text="#DIV/0!"))
            line.addElement(cell)
        sheet.addElement(line)
    book.spreadsheet.addElement(sheet)
    book.save(str(path))


def _ods_value(value: object) -> dict[str, object]:
    if value is None:
        return {}
    if isinstance(value, str) or value is ERROR:
        return {"valuetype": "string"}
    if isinstance(value, bool):
        return {"valuetype": "boolean", "booleanvalue": str(value).lower()}
    if isinstance(value, dt.date):
        return {"valuetype": "date", "datevalue": value.isoformat()}
    if isinstance(value, dt.time | dt.timedelta):
        seconds = round(serial(value) * 86_400)
        hours, rest = divmod(seconds, 3600)
        return {"valuetype": "time", "timevalue": f"PT{hours:02}H{rest // 60:02}M{rest % 60:02}S"}
    return {"valuetype": "float", "value": repr(float(value))}


# ------------------------------------------------------------------------------------- xlsb

_STYLES = {dt.date: 1, dt.time: 2, dt.timedelta: 3, dt.datetime: 4}
_BUILT_IN = (0, 14, 21, 46, 22)  # [ECMA-376] 18.8.30: m/d/yyyy, h:mm:ss, [h]:mm:ss, m/d/yy h:mm


def _record(kind: int, body: bytes = b"") -> bytes:
    head = bytes([kind]) if kind < 128 else bytes([kind & 127 | 128, kind >> 7])
    size, length = b"", len(body)
    while True:
        size += bytes([length & 127 | (128 if length > 127 else 0)])
        length >>= 7
        if not length:
            return head + size + body


def _wide(text: str) -> bytes:
    return struct.pack("<I", len(text.encode("utf-16-le")) // 2) + text.encode("utf-16-le")


def _xlsb_cell(column: int, value: object) -> bytes:
    style = _STYLES.get(type(value), 0)
    head = struct.pack("<II", column, style)
    if value is ERROR:
        return _record(3, head + b"\x07")
    if isinstance(value, bool):
        return _record(4, head + bytes([value]))
    if isinstance(value, str):
        return _record(6, head + _wide(value))
    number = serial(value) if style else float(value)
    return _record(5, head + struct.pack("<d", number))


def write_xlsb(path: Path, rows: Sequence[Sequence[object]] = (NAMES, *ROWS)) -> None:
    """Write the records that [MS-XLSB] asks for."""
    last = len(rows) - 1, len(rows[0]) - 1
    sheet = _record(129) + _record(148, struct.pack("<4I", 0, last[0], 0, last[1]))
    sheet += _record(145)
    for at, row in enumerate(rows):
        sheet += _record(0, struct.pack("<IIHBBBI", at, 0, 300, 0, 0, 0, 0))
        sheet += b"".join(_xlsb_cell(c, value) for c, value in enumerate(row) if value is not None)
    sheet += _record(146) + _record(130)
    book = _record(131) + _record(153, struct.pack("<II", 0, 0) + _wide("")) + _record(143)
    book += _record(156, struct.pack("<II", 0, 1) + _wide("rId1") + _wide("People"))
    book += _record(144) + _record(132)
    styles = _record(278) + _record(617, struct.pack("<I", len(_BUILT_IN)))
    for number in _BUILT_IN:
        styles += _record(47, struct.pack("<HH12x", 0, number))
    styles += _record(618) + _record(279)
    kinds = "application/vnd.ms-excel."
    base = "http://schemas.openxmlformats.org/"
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{base}package/2006/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Override PartName="/xl/workbook.bin" '
        f'ContentType="{kinds}sheet.binary.macroEnabled.main"/>'
        f'<Override PartName="/xl/worksheets/sheet1.bin" ContentType="{kinds}worksheet"/>'
        f'<Override PartName="/xl/styles.bin" ContentType="{kinds}styles"/></Types>',
        "_rels/.rels": _relations(base, "", officeDocument="xl/workbook.bin"),
        "xl/_rels/workbook.bin.rels": _relations(
            base, "", worksheet="worksheets/sheet1.bin", styles="styles.bin"
        ),
        "xl/workbook.bin": book,
        "xl/worksheets/sheet1.bin": sheet,
        "xl/styles.bin": styles,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in parts.items():
            archive.writestr(name, body)


def _relations(base: str, _: str, **targets: str) -> str:
    rows = "".join(
        f'<Relationship Id="rId{number}" Type="{base}officeDocument/2006/relationships/{kind}" '
        f'Target="{target}"/>'
        for number, (kind, target) in enumerate(targets.items(), 1)
    )
    return f'<Relationships xmlns="{base}package/2006/relationships">{rows}</Relationships>'


WRITERS = {"xlsx": write_xlsx, "xls": write_xls, "ods": write_ods, "xlsb": write_xlsb}


def main() -> None:
    """Write one file of each kind into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for suffix, write in WRITERS.items():
        write(folder / f"people.{suffix}")


if __name__ == "__main__":
    main()
