"""Pages of a SAS data set: which hold cases, and a file that shows some of the pages only.

ReadStat reads a data set from its start whenever it is asked for cases, so that reading a large
one block by block would take time in the square of its size. A file-like object that shows the
header, the pages with the dictionary and the pages of one block makes it linear. The same object
hides the end of a truncated file.

Source: M. Shotwell, "SAS7BDAT Database Binary Format"; ReadStat, readstat_sas7bdat_read.c.
"""

from __future__ import annotations

import dataclasses
import functools
import io
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path
    from types import TracebackType

    import numpy.typing as npt

    from tabkit.read.sas_header import SasHeader

_KIND_MASK: Final = 0x0F00
_DATA: Final = 0x0100
_MIXED: Final = 0x0200
_DELETED: Final = 0x0080  # some cases of the page are marked as deleted
_INDEX: Final = 0x9000  # no subheaders
_ROW_SIZE: Final = b"\xf7\xf7\xf7\xf7"  # first bytes of the subheader with a case's size
_PLAIN, _TRUNCATED, _COMPRESSED = 0, 1, 4  # how a subheader is stored


@dataclasses.dataclass(frozen=True, slots=True)
class Page:
    """What a page holds.

    Attributes:
        cases: How many, -1 where that cannot be told (some are marked as deleted).
        is_dictionary: Whether it tells of variables, so that it always has to be seen.
    """

    cases: int
    is_dictionary: bool


class PagedFile:
    """A data set reduced to some of its pages, as a binary file open for reading.

    Args:
        path: The whole file.
        header: Its header.
        pages: Numbers of the pages to show, ascending.
    """

    def __init__(self, path: Path, header: SasHeader, pages: Sequence[int]) -> None:
        self._file = path.open("rb")
        self._pages, self._page_size = pages, header.page_size
        head = bytearray(self._file.read(header.header_size))
        code = header.order + ("Q" if header.is_wide else "I")
        struct.pack_into(code, head, header.page_count_at, len(pages))
        self._head, self._at = bytes(head), 0
        self._size = len(head) + len(pages) * header.page_size

    def __enter__(self) -> PagedFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self._file.close()

    def seek(self, position: int, whence: int = io.SEEK_SET) -> int:
        """Move to ``position``, counted as ``whence`` says; return where that is."""
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(start + position, 0)
        return self._at

    def tell(self) -> int:
        """Return the position."""
        return self._at

    def read(self, size: int = -1) -> bytes:
        """Return up to ``size`` bytes, fewer at the end only."""
        end = self._size if size < 0 else min(self._at + size, self._size)
        parts = []
        while self._at < end:
            part = self._part(end - self._at)
            if not part:
                break
            parts.append(part)
            self._at += len(part)
        return b"".join(parts)

    def _part(self, size: int) -> bytes:
        """Return up to ``size`` bytes from one page, or from the header."""
        beyond = self._at - len(self._head)
        if beyond < 0:
            return self._head[self._at : self._at + size]
        number, offset = divmod(beyond, self._page_size)
        self._file.seek(len(self._head) + self._pages[number] * self._page_size + offset)
        return self._file.read(min(size, self._page_size - offset))


@dataclasses.dataclass(frozen=True, slots=True)
class Reading:
    """One call of a foreign reader: the pages to show it and the cases to ask for.

    Attributes:
        pages: Numbers of the pages to show, None for the file as it is.
        skipped: Cases on those pages before the wanted ones.
        cases: Cases wanted, at least 1.
    """

    pages: tuple[int, ...] | None
    skipped: int
    cases: int


def plan_readings(pages: Sequence[Page], cases: int, at_once: int) -> list[Reading]:
    """Divide a data set into readings of about ``at_once`` cases.

    Args:
        pages: What `survey_pages` found.
        cases: Cases in the data set; where the pages do not add up to them (some are marked as
            deleted, say) every reading starts at the beginning of the file.
        at_once: Cases of a reading.
    """
    if any(page.cases < 0 for page in pages) or sum(page.cases for page in pages) != cases:
        return [
            Reading(None, start, min(at_once, cases - start)) for start in range(0, cases, at_once)
        ]
    readings, first = [], 0
    while first < len(pages):
        end, held = first, 0
        while end < len(pages) and (held == 0 or held + pages[end].cases <= at_once):
            held += pages[end].cases
            end += 1
        if held:
            readings.append(_window(pages, first, end, held))
        first = end
    return readings


def _window(pages: Sequence[Page], first: int, end: int, cases: int) -> Reading:
    before = [number for number in range(first) if pages[number].is_dictionary]
    after = [number for number in range(end, len(pages)) if pages[number].is_dictionary]
    skipped = sum(pages[number].cases for number in before)
    return Reading((*before, *range(first, end), *after), skipped, cases)


def survey_pages(path: Path, header: SasHeader, count: int) -> list[Page]:
    """Tell what each of the first ``count`` pages holds, from their own tables of contents."""
    with path.open("rb") as file:
        row_length, mixed_cases = _find_row_size(file, header, count)
        return [_survey(file, header, n, row_length, mixed_cases) for n in range(count)]


def _find_row_size(file: BinaryIO, header: SasHeader, count: int) -> tuple[int, int]:
    """Return bytes of a case, and cases on a page that also holds a part of the dictionary."""
    word = _word(header)
    for number in range(count):
        entries = _contents(file, header, number)[1]
        for entry in entries[entries["stored"] == _PLAIN]:
            file.seek(header.header_size + number * header.page_size + int(entry["at"]))
            found = file.read(16 * word)
            if found.startswith(_ROW_SIZE) and len(found) == 16 * word:
                size = np.frombuffer(found, f"{header.order}u{word}")
                return int(size[5]), int(min(size[6], size[15]))
    return -1, 0


def _survey(
    file: BinaryIO, header: SasHeader, number: int, row_length: int, mixed_cases: int
) -> Page:
    kind, entries, blocks = _contents(file, header, number)
    if kind & _DELETED:
        return Page(-1, is_dictionary=True)
    if kind & _KIND_MASK == _DATA:
        return Page(blocks, is_dictionary=False)
    used = (entries["length"] > 0) & (entries["stored"] != _TRUNCATED)
    plain = (entries["stored"] == _PLAIN) & (entries["is_data"] == 1)
    cases = used & (
        (entries["stored"] == _COMPRESSED) | (plain & (entries["length"] == row_length))
    )
    count = int(cases.sum()) + (mixed_cases if kind & _KIND_MASK == _MIXED else 0)
    return Page(count, is_dictionary=bool((used & ~cases).any()))


def _contents(
    file: BinaryIO, header: SasHeader, number: int
) -> tuple[int, npt.NDArray[np.void], int]:
    """Return a page's kind, its table of contents and its number of blocks."""
    base, entry = (32 if header.is_wide else 16), _entry(header.order, _word(header))
    file.seek(header.header_size + number * header.page_size)
    head = file.read(base + 8).ljust(base + 8, b"\0")
    kind, blocks, subheaders = struct.unpack_from(f"{header.order}3H", head, base)
    if kind & _KIND_MASK == _DATA or kind & _INDEX:
        subheaders = 0
    room = (header.page_size - base - 8) // entry.itemsize
    table = file.read(min(subheaders, room) * entry.itemsize)
    return (
        kind,
        np.frombuffer(table[: len(table) // entry.itemsize * entry.itemsize], entry),
        blocks,
    )


@functools.cache
def _entry(order: str, word: int) -> np.dtype[np.void]:
    """Return the layout of an entry of a page's table of contents."""
    size = f"{order}u{word}"
    return np.dtype(
        [("at", size), ("length", size), ("stored", "u1"), ("is_data", "u1"), ("", f"V{word - 2}")]
    )


def _word(header: SasHeader) -> int:
    """Return the bytes of a length on a page."""
    return 8 if header.is_wide else 4
