"""Encodings of delimited text, and what charset its letters speak for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.errors import FormatError, UsageError
from tabkit.read.delimited_charset import guess_charset
from tabkit.read.delimited_text import JAVA_UTF8, Encoding, Text, UndecodableError, encodings

if TYPE_CHECKING:
    from pathlib import Path

PLACES = {
    "windows-1252": "Orléans Besançon Épinal Nîmes Saint-Étienne",
    "cp1252": "München Köln Düsseldorf Straße Gießen",
    "latin-1": "Málaga Cádiz Coruña León",
    "windows-1250": "Łódź Kraków Poznań Częstochowa Gdańsk",
    "iso-8859-2": "Łódź Świdnica Poznań Częstochowa Gdańsk",
    "cp1250": "Plzeň České Ústí Žďár Břeclav",
    "windows-1254": "İstanbul Eskişehir Muğla Ağrı Çanakkale",
    "windows-1257": "Šiauliai Panevėžys Klaipėda gatvė",
    "windows-1251": "Москва Санкт-Петербург Новосибирск",
    "koi8-r": "Москва Санкт-Петербург Новосибирск",
    "cp866": "Москва Санкт-Петербург Новосибирск",
    "iso-8859-7": "Λεωνίδας Αλέξανδρος Ευστόργιος",
    "windows-1255": "ירושלים חיפה תל אביב",
    "windows-1256": "القاهرة دمشق بغداد",
    "mac-roman": "Orléans Besançon Épinal Nîmes",
    "cp850": "München Köln Düsseldorf Gießen",
    "cp932": "東京 大阪 札幌 こんにちは",
    "euc-jp": "アンケート 回答者の年齢",
    "cp949": "서울 부산 대구",
    "gb18030": "北京 上海 广州 深圳",
}


@pytest.mark.parametrize("charset", PLACES)
def test_guess_charset(charset: str) -> None:
    """A handful of place names is enough to read them right."""
    text = "".join(f"{number},{place}\n" for number, place in enumerate(PLACES[charset].split()))
    sample = text.encode(charset)
    assert sample.decode(guess_charset(sample)) == text


@pytest.mark.parametrize("text", ["2,©\n", "20 °C\n", "2,é\n", "5 € – 10 €\n"])
def test_little_evidence_means_windows_1252(text: str) -> None:
    """One sign or letter speaks for no charset: the most common one is taken."""
    assert guess_charset(text.encode("cp1252")) == "windows-1252"


def write(folder: Path, content: bytes) -> Path:
    """Write a file."""
    path = folder / "text.csv"
    path.write_bytes(content)
    return path


def decode(path: Path, chosen: str | None = None, size: int = 3) -> tuple[str, Encoding, Text]:
    """Decode a file with the first encoding that fits, in small pieces."""
    for encoding in encodings(path, chosen):
        text = Text(path, encoding)
        try:
            return b"".join(text.pieces(size)).decode(), encoding, text
        except UndecodableError:
            continue
    raise AssertionError


@pytest.mark.parametrize(
    ("codec", "name"),
    [
        ("utf-8", "UTF-8"),
        ("utf-8-sig", "UTF-8"),
        ("utf-16", "UTF-16LE"),
        ("utf-16-le", "UTF-16LE"),
        ("utf-16-be", "UTF-16BE"),
        ("utf-32", "UTF-32LE"),
    ],
)
def test_unicode(tmp_path: Path, codec: str, name: str) -> None:
    """Byte order marks are believed and cut off; UTF-16 is known by its NUL bytes."""
    source = "id,naïve\n1,ß\n2,ü\n"
    text, encoding, _ = decode(write(tmp_path, source.encode(codec)))
    assert (text, encoding.name) == (source, name)


@pytest.mark.parametrize("codec", ["utf-16", "utf-16-le", "utf-8-sig"])
def test_a_cut_unicode_file(tmp_path: Path, codec: str) -> None:
    """The rest of a character at the end becomes U+FFFD, and it is told."""
    source = "id,naïve\n1,aa\n2,€"
    text, encoding, _ = decode(write(tmp_path, source.encode(codec)[:-1]))
    assert text == source[:-1] + "\ufffd"
    assert encoding.finding is not None
    assert encoding.finding.severity == "warning"


@given(st.text(min_size=1), st.integers(1, 5))
def test_utf_8_is_kept(tmp_path_factory: pytest.TempPathFactory, source: str, size: int) -> None:
    """Valid UTF-8 comes out as it is, whatever the pieces."""
    source = "é" + source.replace("\0", "").rstrip("\x1a")
    path = write(tmp_path_factory.mktemp("t"), source.encode())
    assert b"".join(Text(path, Encoding("UTF-8")).pieces(size)) == source.encode()


def test_a_few_broken_bytes_do_not_spoil_utf_8(tmp_path: Path) -> None:
    """Mixed encodings: the valid part is UTF-8, single bytes are windows-1252, and it is told."""
    path = write(tmp_path, "é,ß,ü\n".encode() + b"\xe9,\x80\n")
    text, encoding, _ = decode(path)
    assert text == "é,ß,ü\né,€\n"
    assert encoding.finding is not None
    assert "read as windows-1252: 2, from byte 9 on" in encoding.finding.text


def test_a_truncated_character(tmp_path: Path) -> None:
    """A file cut within its last character is still UTF-8."""
    text, encoding, _ = decode(write(tmp_path, "é,ß,ü".encode()[:-1]))
    assert (text, encoding.name) == ("é,ß,Ã", "UTF-8")


def test_a_late_byte_changes_the_encoding(tmp_path: Path) -> None:
    """ASCII for a long while, then an umlaut: the file is read again."""
    source = "id,name\n" + "1,Mueller\n" * 5000 + "2,Müller\n"
    text, encoding, _ = decode(write(tmp_path, source.encode("cp1252")), size=1000)
    assert (text, encoding.name) == (source, "windows-1252")


def test_holes_of_windows_1252(tmp_path: Path) -> None:
    """Bytes without a character there become control characters, as the WHATWG has it."""
    text = Text(write(tmp_path, b"a\xe9\x81\n"), Encoding("windows-1252", errors="tabkit-repair"))
    assert b"".join(text.pieces(9)).decode() == "aé\x81\n"


def test_nul_and_end_mark(tmp_path: Path) -> None:
    """NUL characters and the Ctrl-Z of DOS go, and are counted."""
    source, _, text = decode(write(tmp_path, b"a,b\n1\0,\x1a2\n\x1a\x1a"))
    assert source == "a,b\n1,\x1a2\n"
    assert (text.nul, text.end_marks) == (1, 2)
    assert len(text.findings()) == 2


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"a\xe9b", "a\ufffdb"),
        (b"\xed\xa0\x80.", "\ufffd."),
        (b"\xed\xa0.", "\ufffd."),
        (b"\xed\xa0", "\ufffd"),
        (b"\xe1\xa0.", "\ufffd."),
        (b"\xf1\x80\x80.", "\ufffd."),
        (b"\xc0\x80.", "\ufffd\ufffd."),
        (b"\xf8\x88.", "\ufffd\ufffd."),
        (b"\xef\xbb\xbfa\0", "\ufeffa\0"),
    ],
)
def test_as_java_decodes(tmp_path: Path, source: bytes, expected: str) -> None:
    """Malformed UTF-8 becomes as many U+FFFD as in Java; nothing is cut off."""
    text = Text(write(tmp_path, source), JAVA_UTF8, verbatim=True)
    assert b"".join(text.pieces(100)).decode() == expected
    assert text.replaced == expected.count("\ufffd")


def test_chosen_encoding(tmp_path: Path) -> None:
    """The user's choice is taken, strictly."""
    path = write(tmp_path, "é\n".encode("cp850"))
    assert decode(path, "cp850")[0] == "é\n"
    with pytest.raises(AssertionError):
        decode(path, "utf-8")
    with pytest.raises(UsageError, match="no text encoding named 'klingon'"):
        decode(path, "klingon")
    with pytest.raises(UsageError, match="no text encoding named 'rot13'"):
        decode(path, "rot13")


def test_chosen_encoding_with_a_mark(tmp_path: Path) -> None:
    """A byte order mark is no text, also where the encoding is named."""
    assert decode(write(tmp_path, "é".encode("utf-8-sig")), "utf8")[0] == "é"
    assert decode(write(tmp_path, "é".encode("utf-16")), "utf-16")[0] == "é"


def test_not_text(tmp_path: Path) -> None:
    """A picture that is named .csv is refused."""
    with pytest.raises(FormatError, match="this is not text"):
        decode(write(tmp_path, b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 9))
