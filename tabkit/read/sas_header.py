"""Header of SAS data sets and catalogues: the first bytes go in, checked facts come out.

Read before any foreign code sees the file, so that a damaged or hostile header is refused in one
line and no size in it is believed that the file itself cannot hold.

Source: M. Shotwell, "SAS7BDAT Database Binary Format"; ReadStat, readstat_sas.c.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import struct
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_MAGIC_TAIL: Final = bytes.fromhex("b31411cfbd92080009c7318c181f1011")
DATA_SET: Final = b"\0" * 12 + b"\xc2\xea\x81\x60" + _MAGIC_TAIL
CATALOG: Final = b"\0" * 12 + b"\xc2\xea\x81\x63" + _MAGIC_TAIL
_HEAD_BYTES: Final = 288  # up to the operating system's name, on the longest layout
_SMALLEST, _LARGEST = 1024, 1 << 24  # bytes of a header and of a page, as ReadStat has them
_ORIGIN: Final = datetime.datetime(1960, 1, 1)  # noqa: DTZ001 - local time of the writer
_HOUR: Final = 3600

#: Python's name of an encoding by its number in the header.
#: Source: SAS 9.4 National Language Support, "Encoding Values"; ReadStat, _charset_table.
_CODECS: Final[Mapping[int, str]] = MappingProxyType(
    {
        0: "cp1252", 20: "utf-8", 28: "ascii", 29: "iso8859-1", 30: "iso8859-2", 31: "iso8859-3",
        32: "iso8859-4", 33: "iso8859-5", 34: "iso8859-6", 35: "iso8859-7", 36: "iso8859-8",
        37: "iso8859-9", 39: "iso8859-11", 40: "iso8859-15", 41: "cp437", 42: "cp850", 43: "cp852",
        44: "cp857", 45: "cp858", 46: "cp862", 47: "cp864", 48: "cp865", 49: "cp866", 50: "cp869",
        51: "cp874", 55: "cp720", 56: "cp737", 57: "cp775", 58: "cp860", 59: "cp863",
        60: "cp1250", 61: "cp1251", 62: "cp1252", 63: "cp1253", 64: "cp1254", 65: "cp1255",
        66: "cp1256", 67: "cp1257", 68: "cp1258", 69: "mac_roman", 72: "mac_greek",
        75: "mac_turkish", 118: "cp950", 123: "big5", 125: "gb18030", 126: "gbk", 134: "euc_jp",
        136: "cp949", 138: "cp932", 140: "euc_kr", 141: "cp949", 142: "cp949",
        163: "mac_iceland", 167: "iso2022_jp", 168: "iso2022_kr", 204: "cp1252", 205: "gb18030",
        227: "iso8859-14", 242: "iso8859-13", 245: "mac_croatian", 246: "mac_cyrillic",
        247: "mac_romanian", 248: "shift_jisx0213",
    }
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class SasHeader:
    """What the header of a SAS file says.

    Attributes:
        codec: Python's name of the declared encoding, empty when it is not known.
        name: Of the data set.
        release: SAS release, ``9.0401M2``.
        host: Operating system or server of the writer.
        created: Local time of the writer, with its offset from UTC where that is told.
        modified: Likewise.
        header_size: Bytes.
        page_size: Bytes.
        page_count: Pages that the file should have.
        page_count_at: Byte at which that number stands.
        order: ``<`` or ``>``: the byte order.
        is_wide: 64-bit layout.
    """

    codec: str
    name: str
    release: str
    host: str
    created: datetime.datetime | None
    modified: datetime.datetime | None
    header_size: int
    page_size: int
    page_count: int
    page_count_at: int
    order: str
    is_wide: bool

    def pages_of(self, size: int) -> int:
        """Return how many of its pages a file of ``size`` bytes holds in full."""
        return min(max(size - self.header_size, 0) // self.page_size, self.page_count)


def read_header(path: Path, magic: bytes = DATA_SET) -> SasHeader:
    """Read and check the header of a data set, or of a catalogue with ``magic=CATALOG``.

    Raises:
        FormatError: It is none, is damaged, or no page follows it.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    what = "data set" if magic == DATA_SET else "catalogue"
    if not head.startswith(magic):
        raise FormatError(f"this is not a SAS {what}", path, "byte 0", "check where it came from")
    if len(head) < _HEAD_BYTES:
        raise FormatError("the file ends in its header", path, f"byte {size:,}", _AGAIN)
    header = _parse(head)
    _check(header, size, path)
    return header


_AGAIN: Final = "it is truncated: transfer it again"


def _parse(head: bytes) -> SasHeader:
    is_wide = head[32] == ord("3")
    shift = 4 if head[35] == ord("3") else 0
    order = "<" if head[37] == 1 else ">"
    created, modified, created_offset, modified_offset = struct.unpack_from(
        f"{order}4d", head, 164 + shift
    )
    header_size, page_size = struct.unpack_from(f"{order}2I", head, 196 + shift)
    (page_count,) = struct.unpack_from(order + ("Q" if is_wide else "I"), head, 204 + shift)
    ends = 216 + shift + (4 if is_wide else 0)
    codec = _CODECS.get(head[70], "")
    return SasHeader(
        codec,
        head[92:124].decode(codec or "cp1252", "replace").strip(" \0"),
        _text(head[ends : ends + 8]),
        _text(head[ends + 8 : ends + 24]),
        _time(created, created_offset),
        _time(modified, modified_offset),
        header_size,
        page_size,
        page_count,
        204 + shift,
        order,
        is_wide,
    )


def _check(header: SasHeader, size: int, path: Path) -> None:
    """Refuse sizes that cannot be, or that the file does not have."""
    for what, value in (("header", header.header_size), ("page", header.page_size)):
        if not _SMALLEST <= value <= _LARGEST:
            reason = f"a {what} of {value:,} bytes is impossible: the header is damaged"
            raise FormatError(reason, path)
    if header.page_count < 1 or header.pages_of(size) < 1:
        reason = f"the header promises {header.page_count:,} pages, the file holds no whole one"
        raise FormatError(reason, path, f"byte {size:,}", _AGAIN)


def _text(data: bytes) -> str:
    return data.decode("ascii", "replace").strip(" \0")


def _time(seconds: float, offset: float) -> datetime.datetime | None:
    """Return seconds since 1960 in the writer's local time, which is ``offset`` from UTC."""
    try:
        moment = _ORIGIN + datetime.timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return None
    if not seconds or not math.isfinite(offset) or not 0 < abs(offset) < 24 * _HOUR:
        return moment if seconds else None
    return moment.replace(tzinfo=datetime.timezone(datetime.timedelta(seconds=offset)))
