"""Each limit of a reader, lowered and raised: the same file is refused, then read.

What is refused names the limit; the option that the message offers is then taken.
"""

from __future__ import annotations

import dataclasses
import gzip
import importlib
import struct
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tabkit
from tabkit.errors import FormatError, LimitError
from tabkit.limits import LIMITS, parse_limits
from tabkit.read import delimited_rows

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "make"))
sys.path.insert(0, str(Path(__file__).parent))
import extracts
from sas_files import Member, transport
from sas_files import Var as SasVar
from sav_files import Sav
from sav_files import Var as SavVar
from stata_files import Column, File

if TYPE_CHECKING:
    from collections.abc import Callable

    from tabkit.model import Table


def refused_then_read(path: Path, name: str, low: int, **options: Any) -> Table:
    """Lower a limit until the file is refused; raise it as the messages say until it is read."""
    limits = dataclasses.replace(LIMITS, **{name: low})
    with pytest.raises(LimitError, match=rf"--limit {name}=") as caught:
        tabkit.read(path, limits=limits, **options)
    assert path.name in str(caught.value)
    for _ in range(12):
        option = str(caught.value).partition("--limit ")[2].split()[0]
        limits = parse_limits([option], limits)
        try:
            return tabkit.read(path, limits=limits, **options)
        except LimitError as error:
            assert f"--limit {name}=" in str(error)  # noqa: PT017
            caught.value.args = error.args
            caught.value.hint = error.hint
    raise AssertionError(str(caught.value))


def sav(count: int) -> bytes:
    return Sav([SavVar(b"v%d" % at) for at in range(count)], [[1.0] * count]).to_bytes()


def dta(count: int, version: int) -> bytes:
    return File(version, [Column(b"v%d" % at, "byte", [1]) for at in range(count)]).to_bytes()


def xpt(count: int) -> bytes:
    return transport(Member("D", [SasVar(f"V{at}") for at in range(count)], [[1.0] * count]))


def delimited(count: int) -> bytes:
    return b",".join(b"v%d" % at for at in range(count)) + b"\n" + b",".join([b"1"] * count)


WIDE: dict[str, Callable[[int], bytes]] = {
    "x.sav": sav,
    "new.dta": lambda count: dta(count, 118),
    "old.dta": lambda count: dta(count, 114),
    "x.xpt": xpt,
    "x.csv": delimited,
}


@pytest.mark.parametrize("name", WIDE)
def test_variables(tmp_path: Path, name: str) -> None:
    """Fifty variables, where twenty are allowed; then eighty."""
    path = tmp_path / name
    path.write_bytes(WIDE[name](50))
    assert len(refused_then_read(path, "variables", 20).variables) == 50


@pytest.mark.parametrize("suffix", [".por", ".rds", ".parquet"])
def test_variables_of_what_tabkit_writes(tmp_path: Path, suffix: str) -> None:
    """The same for formats with a writer here."""
    path, source = tmp_path / f"x{suffix}", tmp_path / "x.csv"
    source.write_bytes(delimited(50))
    tabkit.convert(source, path)
    assert len(refused_then_read(path, "variables", 20).variables) == 50


@pytest.mark.parametrize(
    ("name", "place"),
    [("x.sav", "tabkit.read.spss:build_variables"), ("x.dta", "tabkit.read.stata:meaning_of"),
     ("x.por", "tabkit.read.por:build_variables"),
     ("x.csv", "tabkit.read.delimited:even_blocks")],
)  # fmt: skip
def test_variables_are_counted_before_they_are_built(
    tmp_path: Path, name: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The number in the header is enough: nothing is made of what it promises."""
    path, source = tmp_path / name, tmp_path / "source.csv"
    source.write_bytes(delimited(50))
    if name == "x.csv":
        path.write_bytes(source.read_bytes())
    else:
        tabkit.convert(source, path)

    def built(*_: object, **__: object) -> None:
        raise AssertionError(place)

    module, _, function = place.partition(":")
    monkeypatch.setattr(importlib.import_module(module), function, built)
    with pytest.raises(LimitError, match="more than 20 variables"):
        tabkit.open_table(path, limits=dataclasses.replace(LIMITS, variables=20))
    with pytest.raises(AssertionError, match=place):
        tabkit.open_table(path)


def test_metadata(tmp_path: Path) -> None:
    """A label of 200 characters."""
    path = tmp_path / "x.sav"
    path.write_bytes(Sav([SavVar(b"a", label=b"l" * 200)], [[1.0]]).to_bytes())
    assert refused_then_read(path, "metadata", 100).cases == 1


def test_a_row_of_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of 100,000 characters."""
    monkeypatch.setattr(delimited_rows, "CHUNK_BYTES", 1 << 9)
    path = tmp_path / "x.csv"
    path.write_text("x" * 100_000 + "\n1\n")
    few = dataclasses.replace(LIMITS, cell=1 << 10, row=1 << 12)
    with pytest.raises(LimitError, match="a row is longer than 4 KiB, line 1; --limit row=8KiB"):
        tabkit.read(path, limits=few)
    assert tabkit.read(path, limits=dataclasses.replace(few, row=1 << 18)).cases == 1


def test_a_quoted_cell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cell of 20,000 characters, in the profile that does not take its quote for a stray one."""
    monkeypatch.setattr(delimited_rows, "CHUNK_BYTES", 1 << 9)
    path = tmp_path / "x.csv"
    path.write_text('a,b\n"' + "x" * 20_000 + '",1\n')
    table = refused_then_read(path, "cell", 1 << 10, profile="dataverse")
    assert table.data.column("a").to_pylist() == ["x" * 20_000]


def fixed(folder: Path) -> dict[str, Any]:
    """Write an extract and its codebook."""
    data = "".join(extracts.line(case) + "\n" for case in extracts.CASES).encode() * 20_000
    (folder / "census.dat").write_bytes(gzip.compress(data))
    (folder / "census.xml").write_text(extracts.ipums_codebook(""), encoding="utf-8")
    return {"codebook": folder / "census.xml"}


@pytest.mark.parametrize("name", ["unpacked", "ratio"])
def test_what_gzipped_text_unpacks_to(tmp_path: Path, name: str) -> None:
    """Lines that repeat shrink more than a hundredfold."""
    codebook, path = fixed(tmp_path), tmp_path / "census.dat"
    few = {"free": 1 << 16} if name == "ratio" else {}
    low = dataclasses.replace(LIMITS, **few, **{name: 2 if name == "ratio" else 1 << 16})
    with pytest.raises(LimitError, match=rf"census.dat: it unpacks to more.*--limit {name}="):
        tabkit.read(path, limits=low, **codebook)
    with_free = dataclasses.replace(low, free=1 << 30) if name == "ratio" else LIMITS
    assert tabkit.read(path, limits=with_free, **codebook).cases == 20_000 * len(extracts.CASES)


def test_a_long_line_of_fixed_width(tmp_path: Path) -> None:
    """Ten megabytes without a line end are no text, unless the limit says so."""
    codebook, path = fixed(tmp_path), tmp_path / "census.dat"
    path.write_bytes(b"1" * (10 << 20) + b"\n")
    low = dataclasses.replace(LIMITS, row=1 << 20)
    with pytest.raises(LimitError, match="a line is longer than 1 MiB; --limit row=2MiB"):
        tabkit.read(path, limits=low, **codebook)
    assert tabkit.read(path, **codebook).cases == 1


def test_places_beyond_any_line(tmp_path: Path) -> None:
    """The codebook's last column is the least width."""
    codebook, path = fixed(tmp_path), tmp_path / "census.dat"
    low = dataclasses.replace(LIMITS, width=8)
    with pytest.raises(LimitError, match=r"beyond 8 characters; --limit width=16"):
        tabkit.read(path, limits=low, **codebook)
    assert tabkit.read(path, **codebook).cases


def test_objects_of_r(tmp_path: Path) -> None:
    """A frame of fifty columns has more objects than columns."""
    path, source = tmp_path / "x.rds", tmp_path / "x.csv"
    source.write_bytes(delimited(50))
    tabkit.convert(source, path)
    assert len(refused_then_read(path, "objects", 40).variables) == 50


def nested(levels: int) -> bytes:
    """A saved list that holds a list, and so on, at last NULL."""
    head = b"X\n" + struct.pack(">iii", 2, 0x40200, 0x20300)
    return head + struct.pack(">ii", 19, 1) * levels + struct.pack(">i", 254)


def test_nesting_of_r(tmp_path: Path) -> None:
    """Lists in lists: 230 deep they are walked over when told so; 100,000 deep never."""
    path = tmp_path / "x.rds"
    path.write_bytes(nested(230))
    with pytest.raises(LimitError, match=r"deeper than 200 levels, byte .*--limit nesting=400"):
        tabkit.read(path)
    with pytest.raises(FormatError, match=r"no data frame|no table|holds") as caught:
        tabkit.read(path, limits=dataclasses.replace(LIMITS, nesting=400))
    assert not isinstance(caught.value, LimitError)
    path.write_bytes(nested(100_000))
    with pytest.raises(FormatError, match="deeper than Python can follow"):
        tabkit.read(path, limits=dataclasses.replace(LIMITS, nesting=1_000_000))


def workbook(path: Path) -> Path:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet()
        for row in range(20):
            sheet.write_row(row, 0, ["a", "b"] if not row else [row, row])
    return path


def test_what_a_workbook_unpacks_to(tmp_path: Path) -> None:
    """Its directory tells before anything is unpacked."""
    path = workbook(tmp_path / "x.xlsx")
    assert refused_then_read(path, "unpacked", 1 << 10).cases == 19
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/blank.bin", bytes(40 << 20))
    assert refused_then_read(path, "ratio", 250).cases == 19


def test_memory_of_a_workbook(tmp_path: Path) -> None:
    """Less address space than an interpreter takes; then enough."""
    assert refused_then_read(workbook(tmp_path / "x.xlsx"), "sheet_memory", 16 << 20).cases == 19


def test_seconds_of_a_workbook(tmp_path: Path) -> None:
    """A sheet of 1,200,000 cells takes more than a second of computing on any machine."""
    import xlsxwriter

    path = tmp_path / "x.xlsx"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for row in range(40_000):
            sheet.write_row(row, 0, range(row, row + 30))
    low = dataclasses.replace(LIMITS, sheet_seconds=1)
    table = tabkit.read(path)
    assert table.cases in {39_999, 40_000}
    from tabkit.read import spreadsheet

    unpacked = spreadsheet.BYTES_PER_SECOND
    spreadsheet.BYTES_PER_SECOND = 1 << 40  # as if the sheet were nothing
    try:
        with pytest.raises(LimitError, match=r"--limit sheet_seconds=2 allows"):
            tabkit.read(path, limits=low)
    finally:
        spreadsheet.BYTES_PER_SECOND = unpacked
