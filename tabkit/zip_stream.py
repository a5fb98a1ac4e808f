"""A zip archive as a stream: entries in, bytes out, and the same bytes for the same entries.

The container is stream-zip's, the compression isal's. Entries carry no times of their own, so that
two runs give the same bytes; zip64 where sizes or offsets ask for it.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import stat
import unicodedata
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

CHUNK: Final = 1 << 20
_EPOCH: Final = datetime.datetime(1980, 1, 1)  # noqa: DTZ001 - where zip's calendar begins
_FILE, _FOLDER = stat.S_IFREG | 0o644, stat.S_IFDIR | 0o755
_LEVEL: Final = 1  # of isal: near zlib's 6 in size at a fraction of the time
_END_32: Final = 0xFFFFFFFF
_OVERHEAD: Final = 1 << 17  # of an entry: headers and the longest name; 2**15 of them make zip64
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f\\]")
_DRIVE: Final = re.compile(r"[A-Za-z]:")


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One file of an archive.

    Attributes:
        name: With its folders, as `safe_name` gives it.
        size: In bytes, before compression; decides on zip64.
        pieces: Called once, when its turn comes, for its bytes.
    """

    name: str
    size: int
    pieces: Callable[[], Iterable[bytes]]


def zip_stream(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Yield the bytes of an archive; folders come before what is in them."""
    from isal import isal_zlib
    from stream_zip import stream_zip

    def compressor() -> Any:
        return isal_zlib.compressobj(_LEVEL, isal_zlib.DEFLATED, -15)

    yield from stream_zip(
        _members(entries), CHUNK, get_compressobj=compressor, extended_timestamps=False
    )


def _members(entries: Iterable[Entry]) -> Iterator[tuple[Any, ...]]:
    """Yield what stream-zip takes; its ZIP_AUTO would take no compressor but zlib's."""
    from stream_zip import NO_COMPRESSION_32, NO_COMPRESSION_64, ZIP_32, ZIP_64

    folders: set[str] = set()
    most = 0  # bytes that the archive has by now, at most
    for entry in entries:
        parts = entry.name.split("/")[:-1]
        for depth in range(1, len(parts) + 1):
            folder = "/".join(parts[:depth]) + "/"
            if folder not in folders:
                folders.add(folder)
                most += _OVERHEAD
                kind = NO_COMPRESSION_32 if most < _END_32 else NO_COMPRESSION_64
                yield folder, _EPOCH, _FOLDER, kind, ()
        most += entry.size + entry.size // 100 + _OVERHEAD
        method = ZIP_32 if most < _END_32 else ZIP_64
        yield entry.name, _EPOCH, _FILE, method, entry.pieces()


def file_entry(name: str, path: Path) -> Entry:
    """Return an entry with the bytes of a file."""
    return Entry(name, path.stat().st_size, lambda: file_pieces(path))


def file_pieces(path: Path) -> Iterator[bytes]:
    """Yield the bytes of a file."""
    with path.open("rb") as file:
        while piece := file.read(CHUNK):
            yield piece


def safe_name(name: str) -> str:
    """Return a name that stays below the folder that an archive is unpacked into.

    Roots, drives, ``.`` and ``..`` go; backslashes and control characters become ``_``; what is
    not Unicode becomes U+FFFD.
    """
    name = name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    parts = [_UNSAFE.sub("_", part) for part in name.split("/") if part not in ("", ".", "..")]
    parts = [part.replace(":", "_", 1) if _DRIVE.match(part) else part for part in parts]
    return "/".join(parts) or "_"


class Names:
    """Gives each entry a name of its own: ``a.csv``, ``a_1.csv``, ``a_2.csv``.

    Names that differ in case or in the form of accents only count as the same, since unpacking
    them would write one over the other on many systems.
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._numbers: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """Return the name, or the first one with a number before its suffix that is free."""
        folder, slash, last = name.rpartition("/")
        stem, dot, suffix = last.rpartition(".")
        if not stem:
            stem, dot, suffix = last, "", ""
        found, number = name, self._numbers.get(name, 0)
        while self._key(found) in self._taken:
            number += 1
            found = f"{folder}{slash}{stem}_{number}{dot}{suffix}"
        self._numbers[name] = number
        self.take(found)
        return found

    def take(self, name: str) -> None:
        """Mark a name and its folders as taken."""
        key = self._key(name)
        self._taken.add(key)
        while "/" in key:
            key = key.rpartition("/")[0]
            self._taken.add(f"{key}/")

    def is_free(self, name: str) -> bool:
        """Whether no entry has the name."""
        return self._key(name) not in self._taken

    @staticmethod
    def _key(name: str) -> str:
        return unicodedata.normalize("NFC", name).casefold()
