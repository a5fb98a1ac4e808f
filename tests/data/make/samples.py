"""Make the same small table in every format: ``python samples.py FOLDER``.

A function a format, ``MAKERS``; none is tabkit's where another tool writes the format, so that what
tabkit reads can be compared with what was put in (`tests/test_samples.py`).
"""

from __future__ import annotations

import csv
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "read"))
sys.path.insert(0, str(Path(__file__).resolve().parent))
import sas_files
import workbooks

if TYPE_CHECKING:
    from collections.abc import Callable

#: What is put in; no format has a way of its own to say that these are missing.
COLUMNS: dict[str, list[float] | list[str]] = {
    "id": [1.0, 2.0, 3.0, 40_000.0],
    "share": [0.5, -1e-7, 123456.789, 0.0],
    "name": ["Ada", "Zoe", "x y", "007"],
}
LABELS = {"id": "Number", "share": "A share", "name": "First name"}


def _frame() -> object:
    import pandas as pd

    return pd.DataFrame(COLUMNS)


def _rows() -> list[tuple[object, ...]]:
    return [tuple(COLUMNS), *zip(*COLUMNS.values(), strict=True)]


def make_sav(path: Path) -> None:
    """SPSS, by ReadStat."""
    import pyreadstat

    pyreadstat.write_sav(_frame(), str(path), column_labels=LABELS)


def make_zsav(path: Path) -> None:
    """SPSS with zlib blocks, by ReadStat."""
    import pyreadstat

    pyreadstat.write_sav(_frame(), str(path), column_labels=LABELS, compress=True)


def make_por(path: Path) -> None:
    """SPSS portable, by ReadStat."""
    import pyreadstat

    pyreadstat.write_por(_frame(), str(path), column_labels=LABELS)


def make_dta(path: Path) -> None:
    """Stata 118, by pandas."""
    _frame().to_stata(path, write_index=False, version=118, variable_labels=LABELS)


def make_sas7bdat(path: Path) -> None:
    """SAS: no free tool writes it, so byte by byte, as the documents of the format say."""
    variables = [
        sas_files.Var(name, 0 if name != "name" else 8, label) for name, label in LABELS.items()
    ]
    path.write_bytes(sas_files.Sas7bdat(variables, _rows()[1:]).to_bytes())


def make_xpt(path: Path) -> None:
    """SAS transport 5, by ReadStat."""
    import pyreadstat

    pyreadstat.write_xport(_frame(), str(path), column_labels=LABELS, file_format_version=5)


def make_csv(path: Path) -> None:
    """Comma-separated, by Python's csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(_rows())


def make_tsv(path: Path) -> None:
    """Tab-separated, by Python's csv."""
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, "excel-tab").writerows(_rows())


def make_tab(path: Path) -> None:
    """An archival table: quoted is text, bare is a number."""
    lines = ["\t".join(COLUMNS)]
    lines += [f'{number:.0f}\t{share!r}\t"{name}"' for number, share, name in _rows()[1:]]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def make_xlsx(path: Path) -> None:
    """Excel, by XlsxWriter."""
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for at, row in enumerate(_rows()):
            sheet.write_row(at, 0, row)


def make_xls(path: Path) -> None:
    """Excel 97, by xlwt."""
    import xlwt

    book = xlwt.Workbook()
    sheet = book.add_sheet("Table")
    for at, row in enumerate(_rows()):
        for column, value in enumerate(row):
            sheet.write(at, column, value)
    book.save(str(path))


def make_xlsb(path: Path) -> None:
    """Excel binary, by the records of [MS-XLSB]."""
    workbooks.write_xlsb(path, _rows())


def make_ods(path: Path) -> None:
    """OpenDocument, by odfpy."""
    _frame().to_excel(path, index=False, engine="odf")


def make_parquet(path: Path) -> None:
    """Parquet, by pandas and Arrow."""
    _frame().to_parquet(path)


def make_arrow(path: Path) -> None:
    """Feather 2, by pandas and Arrow."""
    _frame().to_feather(path)


def _by_r(path: Path, code: str) -> None:
    numbers = [f"{name} = c({', '.join(map(repr, COLUMNS[name]))})" for name in ("id", "share")]
    texts = ", ".join(f'"{each}"' for each in COLUMNS["name"])
    frame = f"d <- data.frame({', '.join(numbers)}, name = c({texts}))"
    path = path.resolve()
    command = ["Rscript", "--vanilla", "-e", f"{frame}; {code}", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)


def make_rdata(path: Path) -> None:
    """R, by R's ``save``."""
    _by_r(path, "save(d, file = commandArgs(TRUE)[1])")


def make_rds(path: Path) -> None:
    """R, by R's ``saveRDS``."""
    _by_r(path, "saveRDS(d, commandArgs(TRUE)[1])")


def make_json(path: Path) -> None:
    """JSON is tabkit's own: it writes it and does not read it."""
    import tabkit

    make_parquet(source := path.with_suffix(".source.parquet"))
    tabkit.convert(source, path)
    source.unlink()


MAKERS: dict[str, Callable[[Path], None]] = {
    name.removeprefix("make_"): function
    for name, function in list(globals().items())
    if name.startswith("make_")
}
#: Made by R, which may not be here.
OF_R = {"rdata", "rds"} if shutil.which("Rscript") is None else set()


def main() -> None:
    """Write a file of each format into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for name in MAKERS.keys() - OF_R:
        MAKERS[name](folder / f"sample.{name}")


if __name__ == "__main__":
    main()
