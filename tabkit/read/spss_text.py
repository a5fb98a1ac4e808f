"""Character encodings of SPSS files: what the file declares goes in, a decoder comes out.

Source: GNU PSPP developer's guide (record 7, subtypes 3 and 20); Microsoft, "Code Page
Identifiers".
"""

from __future__ import annotations

import codecs
import dataclasses
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tabkit.errors import UsageError
from tabkit.model import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping

UTF8: Final = "utf-8"
WINDOWS: Final = "cp1252"
LATIN1: Final = "latin-1"

#: Code pages that Python knows by another name than ``cp`` and their number.
_CODE_PAGES: Final[Mapping[int, str]] = MappingProxyType(
    {
        1: "cp037", 2: WINDOWS, 3: WINDOWS, 936: "gbk", 10000: "mac_roman", 10006: "mac_greek",
        10007: "mac_cyrillic", 10029: "mac_latin2", 10081: "mac_turkish", 20127: "ascii",
        20866: "koi8_r", 20932: "euc_jp", 21866: "koi8_u", 51932: "euc_jp", 51949: "euc_kr",
        52936: "gb2312", 54936: "gb18030", 65001: UTF8,
    }
)  # fmt: skip
_UNDECLARED_CODES: Final = (2, 3)  # 7-bit and 8-bit ASCII: which 8 bits is left open
_LATIN_PAGES: Final = range(28591, 28606)  # ISO 8859-1 to -15
#: Codecs of Python that no file is in; some raise for what they cannot decode, whatever is asked.
_NO_CODE_PAGES: Final = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape",
     "unicode-escape", "raw-unicode-escape", "mbcs", "oem"}
)  # fmt: skip
_NUMBERED: Final = re.compile(r"(?:x-|ms-?|windows-?|cp-?|ibm-?|dos-?)*(\d{3,5})")
_ISO_YEAR: Final = re.compile(r":\d{4}$")


@dataclasses.dataclass(frozen=True, slots=True)
class Decoder:
    """How the bytes of a file become text.

    Attributes:
        codec: A codec of Python.
        guessed: The file declares no encoding; text that is valid UTF-8 is taken for that.
    """

    codec: str
    guessed: bool = False

    def decode(self, data: bytes) -> tuple[str, bool]:
        """Return the text of ``data`` and whether every byte could be decoded.

        Bytes without a meaning in the encoding become U+FFFD.
        """
        try:
            return data.decode(UTF8 if self.guessed else self.codec), True
        except UnicodeDecodeError:
            pass
        try:
            return data.decode(self.codec), True
        except UnicodeDecodeError:
            return data.decode(self.codec, "replace"), False


def codec_of(name: str) -> str | None:
    """Return Python's name of an encoding as SPSS or an operating system names it, or None."""
    name = _ISO_YEAR.sub("", name.strip().strip("\0").lower())
    found = _NUMBERED.fullmatch(name)
    candidates = [name, codec_of_page(int(found[1])) or ""] if found else [name]
    for candidate in candidates:
        try:
            codec = codecs.lookup(candidate)
        except (LookupError, ValueError):
            continue
        if codec._is_text_encoding and codec.name not in _NO_CODE_PAGES:  # noqa: SLF001
            return codec.name
    return None


def codec_of_page(page: int) -> str | None:
    """Return Python's name of the encoding of a code page number, or None."""
    if page in _CODE_PAGES:
        return _CODE_PAGES[page]
    if page in _LATIN_PAGES:
        return f"iso8859-{page - _LATIN_PAGES.start + 1}"
    try:
        return codecs.lookup(f"cp{page}").name
    except LookupError:
        return None


def named_decoder(name: str) -> Decoder:
    """Return the decoder of an encoding that a user names.

    Raises:
        UsageError: It is not known.
    """
    codec = codec_of(name)
    if codec is None:
        msg = f"no encoding is named {name!r}; try utf-8, windows-1252 or another of Python's names"
        raise UsageError(msg)
    return Decoder(codec)


def choose_decoder(
    override: str | None, declared: str, page: int | None, findings: list[Finding]
) -> Decoder:
    """Choose a decoder, and tell where the file leaves it open.

    Args:
        override: The user's choice.
        declared: The name in record 7/20, empty where there is none.
        page: The code page of record 7/3, None where there is none.
        findings: Findings are added here.

    Raises:
        UsageError: ``override`` is not known.
    """
    if override:
        return named_decoder(override)
    if declared.strip():
        what, codec = f"declares the unknown encoding {declared.strip()!r}", codec_of(declared)
    elif page is not None and page not in _UNDECLARED_CODES:
        what, codec = f"declares the unknown code page {page}", codec_of_page(page)
    else:
        what, codec = "declares no encoding", None
    if codec is not None:
        return Decoder(codec)
    text = f"the file {what}: text is read as UTF-8 where it is that, else as windows-1252"
    findings.append(Finding(text, "info" if what.endswith("no encoding") else "warning"))
    return Decoder(WINDOWS, guessed=True)
