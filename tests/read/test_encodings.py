"""Encodings of every format: declared, undeclared, wrongly declared; nothing wrong is silent."""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

import pytest

import tabkit
from tabkit.read.mojibake import _again

sys.path.insert(0, str(Path(__file__).parent))
from sas_files import Member, Sas7bdat, transport
from sas_files import Var as SasVar
from sav_files import Sav, Var
from stata_files import Column, File

#: Code page, SPSS's number of it, SAS's number of it, a text in it.
PAGES = [
    ("cp1250", 1250, 60, "Łódź Kraków Poznań"),
    ("cp1251", 1251, 61, "Москва Новосибирск"),
    ("cp1252", 1252, 62, "Orléans Köln Málaga"),
    ("cp1253", 1253, 63, "Λεωνίδας Αλέξανδρος"),
    ("cp1254", 1254, 64, "İstanbul Muğla Ağrı"),
    ("cp1257", 1257, 67, "Šiauliai Panevėžys"),
    ("gbk", 936, 125, "北京 上海 广州"),
    ("cp932", 932, 138, "東京 大阪 札幌"),
    ("cp949", 949, 140, "서울 부산 대구"),
    ("mac_roman", 10000, 0, "Orléans Besançon"),
    ("koi8_r", 20866, 0, "Москва Новосибирск"),
    ("utf-8", 65001, 20, "Łódź 北京 Αλέξανδρος"),
]


def sav(text: bytes, page: int | None, name: bytes = b"") -> bytes:
    """A system file whose label and only cell are the text."""
    extensions = []
    if page is not None:
        extensions.append((3, 4, struct.pack("<8i", 25, 0, 0, 720, 1, 1, 2, page)))
    if name:
        extensions.append((20, 1, name))
    variable = Var(b"a", 40, label=text, print_format=(1, 40, 0))
    return Sav([variable], [[text]], extensions=extensions).to_bytes()


def read(folder: Path, name: str, data: bytes, **options: object) -> tabkit.Table:
    path = folder / name
    path.write_bytes(data)
    return tabkit.read(path, **options)


def cell(table: tabkit.Table) -> str:
    return str(table.data.column(0)[0].as_py())


def warnings(table: tabkit.Table) -> str:
    return "\n".join(each.text for each in table.findings)


@pytest.mark.parametrize(("codec", "page", "sas", "text"), PAGES, ids=[each[0] for each in PAGES])
def test_declared_code_pages(codec: str, page: int, sas: int, text: str, tmp_path: Path) -> None:
    """SPSS by number and by name, SAS by number; the override reads the others."""
    raw = text.encode(codec)
    for data, options in (
        (sav(raw, page), {}),
        (sav(raw, 2, codec.encode()), {}),
        (sav(raw, 1252), {"encoding": codec}),
    ):
        table = read(tmp_path, "x.sav", data, **options)
        assert (cell(table), table.variables[0].label) == (text, text)
        assert "U+FFFD" not in warnings(table)
    assert cell(read(tmp_path, "x.csv", b"a,b\n" + raw + b",1\n", encoding=codec)) == text
    stata = File(114, [Column(b"a", "str60", [raw], label=raw)]).to_bytes()
    assert cell(read(tmp_path, "x.dta", stata, encoding=codec)) == text
    transported = transport(Member("D", [SasVar("A", 60)], [[raw]]))
    assert cell(read(tmp_path, "x.xpt", transported, encoding=codec)) == text
    if sas:
        data = Sas7bdat([SasVar("A", 60)], [[text]], encoding=sas, codec=codec).to_bytes()
        assert cell(read(tmp_path, "x.sas7bdat", data)) == text


def test_utf8_declared_as_windows_1252(tmp_path: Path) -> None:
    """It decodes without a fault, and is told with an example and the cure."""
    raw = "Orléans Köln".encode()
    table = read(tmp_path, "x.sav", sav(raw, 1252))
    assert cell(table) == "OrlÃ©ans KÃ¶ln"
    told = warnings(table)
    assert "names and labels: UTF-8 that was read as cp1252, it seems" in told
    assert "text: UTF-8 that was read as cp1252" in told
    assert "for 'Orléans Köln'); try --encoding utf-8" in told
    assert cell(read(tmp_path, "x.sav", sav(raw, 1252), encoding="utf-8")) == "Orléans Köln"


def test_mojibake_that_came_with_the_text(tmp_path: Path) -> None:
    """Encoded twice by another program: told, as no option helps."""
    table = read(tmp_path, "x.csv", "a\nOrlÃ©ans\nKÃ¶ln\n".encode())
    assert "before it came into this file" in warnings(table)


def test_another_code_page_than_declared(tmp_path: Path) -> None:
    """Polish text in a file that says it is western."""
    text = "Łódź Kraków Poznań Częstochowa Gdańsk Świdnica".encode("cp1250")
    variables = [Var(b"a", 48, print_format=(1, 48, 0))]
    extensions = [(3, 4, struct.pack("<8i", 25, 0, 0, 720, 1, 1, 2, 1252))]
    file = Sav(variables, [[text]] * 10, extensions=extensions)
    table = read(tmp_path, "x.sav", file.to_bytes())
    assert "the letters look like windows-1250, not windows-1252" in warnings(table)


@pytest.mark.parametrize("text", ["Orléans", "Ångström", "½ °C", "Àâ", "ÃO PAULO", "São Paulo"])
def test_sound_text_is_no_mojibake(text: str) -> None:
    """Letters that begin a UTF-8 sequence stand in real words, too."""
    assert _again(text, "cp1252") is None


def test_a_bad_string_is_located(tmp_path: Path) -> None:
    """Replaced, counted by variable, with its first case; the file is read."""
    good, bad = "é".encode(), b"caf\xe9"
    extensions = [(20, 1, b"UTF-8")]
    variables = [Var(b"a", 8, print_format=(1, 8, 0))]
    cases = [[good]] * 6 + [[bad]] + [[good]] * 3 + [[bad]]
    table = read(tmp_path, "x.sav", Sav(variables, cases, extensions=extensions).to_bytes())
    assert table.data.column(0)[6].as_py() == "caf\ufffd"
    (found,) = [each for each in table.findings if each.variable == "a"]
    assert "(cases: 2), the first in case 7; --encoding" in found.text
    assert found.severity == "warning"
    path = tmp_path / "x.sav"
    assert tabkit.read(path, untrusted=True).findings == table.findings


def test_replacement_characters_of_the_source(tmp_path: Path) -> None:
    """Text that was lost before it came into the file is told, too."""
    table = read(tmp_path, "x.csv", "a,b\nx,1\ncaf\ufffd,2\n".encode())
    assert "(cases: 1), the first in case 2" in warnings(table)


@pytest.mark.parametrize("order", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("mark", [True, False])
def test_utf16(order: str, mark: bool, tmp_path: Path) -> None:
    """With a byte order mark and without; how it was found is told."""
    text = "name,n\nŁódź,1\nKraków,2\n"
    data = ("\ufeff" + text if mark else text).encode(order)
    table = read(tmp_path, "x.csv", data)
    assert table.data.column("name").to_pylist() == ["Łódź", "Kraków"]
    assert "detected by its " in warnings(table)


def test_two_encodings_in_one_file(tmp_path: Path) -> None:
    """UTF-8 with a few windows-1252 bytes: those are read as such and counted."""
    lines = ["Orléans".encode()] * 20 + ["Köln".encode("cp1252")]
    table = read(tmp_path, "x.csv", b"a\n" + b"\n".join(lines) + b"\n")
    assert table.data.column("a").to_pylist()[-2:] == ["Orléans", "Köln"]
    assert "bytes that are not UTF-8, read as windows-1252: 1, from byte" in warnings(table)


def test_nuls_in_text(tmp_path: Path) -> None:
    """Left out and counted; never the end of the file."""
    table = read(tmp_path, "x.csv", b"a,b\nx\0y,1\nz,2\n" + b"w,3\n" * 50)
    assert table.cases == 52
    assert "NUL characters left out: 1" in warnings(table)


@pytest.mark.parametrize("name", ["idna", "punycode", "undefined", "unicode_escape", "rot13"])
def test_codecs_that_are_no_encodings(name: str, tmp_path: Path) -> None:
    """A file that declares one of Python's odd codecs is read all the same, with a warning."""
    table = read(tmp_path, "x.sav", sav("Köln".encode("cp1252"), None, name.encode()))
    assert cell(table) == "Köln"
    assert "unknown encoding" in warnings(table)


@pytest.mark.parametrize(
    ("codec", "name", "text"),
    [("iso2022_jp", "ISO-2022-JP", "東京都"), ("iso2022_kr", "ISO-2022-KR", "서울특별시")],
)
def test_seven_bit_encodings(codec: str, name: str, text: str, tmp_path: Path) -> None:
    """All their bytes are ASCII, so they must not pass for UTF-8."""
    table = read(tmp_path, "mail.csv", f"id,city\n1,{text}\n2,x\n".encode(codec))
    assert table.data["city"].to_pylist() == [text, "x"]
    assert table.origin.encoding == name
    assert f"encoding {name} detected by its escape sequences" in str(table.findings)


def test_convert_tells_a_guessed_encoding(tmp_path: Path) -> None:
    """What describe tells of a file, the commands that only write tell as well, on stderr."""
    source = tmp_path / "latin.csv"
    source.write_bytes("name,town\nJosé,Orléans\nAndré,Besançon\n".encode("cp1252") * 3)
    for verb in (["convert"], ["subset", "--variables", "name"]):
        done = subprocess.run(
            [sys.executable, "-m", "tabkit", *verb, str(source), str(tmp_path / "out.tab"), "-f"],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert "tabkit: latin.csv: note: encoding windows-1252 detected" in done.stderr
