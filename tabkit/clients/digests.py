"""Digests of a stream: of all its bytes and, where a repository wants it, of all but a header."""

from __future__ import annotations

import collections
import concurrent.futures
import hashlib
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_LARGE: Final = 8 << 20  # bytes after which a thread is worth its start
_AHEAD: Final = 4  # chunks that may wait for it
_ALGORITHMS: Final = frozenset(("md5", "sha1", "sha256", "sha512"))


def algorithm_of(name: str) -> str:
    """Spell an algorithm as hashlib does: ``SHA-256`` is ``sha256``; empty if not known."""
    plain = name.lower().replace("-", "").replace("_", "")
    return plain if plain in _ALGORITHMS else ""


def usable(digests: Mapping[str, str]) -> dict[str, str]:
    """Keep the digests that can be computed, in lower case."""
    spelt = {algorithm_of(name): value.strip().lower() for name, value in digests.items()}
    return {name: value for name, value in spelt.items() if name and value}


class Digester:
    """Takes bytes in order; tells whether they are what was announced.

    Args:
        digests: What was announced, by algorithm.
        size: The size that was announced.
        headless: Size and digests may leave out the first line, as Dataverse's do for a table
            whose header is made when it is sent.

    Source: https://github.com/IQSS/dataverse/issues/9501
    """

    def __init__(
        self, digests: Mapping[str, str], size: int | None, *, headless: bool = False
    ) -> None:
        self._expected, self._size = usable(digests), size
        self._whole = {name: hashlib.new(name, usedforsecurity=False) for name in self._expected}
        self._rest = dict(self._whole) if not headless else self._fresh()
        self._headless, self._head_done = headless, not headless
        self._header = 0
        self._worker: concurrent.futures.ThreadPoolExecutor | None = None
        self._waiting: collections.deque[concurrent.futures.Future[None]] = collections.deque()
        self.size = 0

    def _fresh(self) -> dict[str, hashlib._Hash]:
        return {name: hashlib.new(name, usedforsecurity=False) for name in self._expected}

    def update(self, chunk: bytes) -> None:
        """Take the next bytes; of a large stream in a thread of its own, beside the transfer."""
        self.size += len(chunk)
        if self.size < _LARGE or not self._whole:
            self._take(chunk)
            return
        if self._worker is None:
            self._worker = concurrent.futures.ThreadPoolExecutor(1, "tabkit-digest")
        self._waiting.append(self._worker.submit(self._take, chunk))
        if len(self._waiting) > _AHEAD:
            self._waiting.popleft().result()

    def close(self) -> None:
        """Wait for what is still being taken, and end the thread."""
        while self._waiting:
            self._waiting.popleft().result()
        if self._worker is not None:
            self._worker.shutdown()
            self._worker = None

    def _take(self, chunk: bytes) -> None:
        for each in self._whole.values():
            each.update(chunk)
        if self._headless:
            self._skip_header(chunk)

    def _skip_header(self, chunk: bytes) -> None:
        rest = chunk
        if not self._head_done:
            end = bytes(chunk).find(b"\n")
            self._header += len(chunk) if end < 0 else end + 1
            self._head_done = end >= 0
            rest = b"" if end < 0 else chunk[end + 1 :]
        for each in self._rest.values():
            each.update(rest)

    def complaint(self) -> str:
        """Say what differs from what was announced, empty if nothing does."""
        self.close()
        sizes = {self.size, self.size - self._header} if self._headless else {self.size}
        if self._size is not None and self._size not in sizes:
            return f"has {self.size:,} bytes, the repository announced {self._size:,}"
        for name, expected in self._expected.items():
            found = {self._whole[name].hexdigest(), self._rest[name].hexdigest()}
            if expected not in found:
                return f"has {name} {self._whole[name].hexdigest()}, not the announced {expected}"
        return ""

    def proof(self) -> str:
        """Say what a silent `complaint` proves: ``digest``, ``size`` or ``length``."""
        if self._expected:
            return "digest"
        return "length" if self._size is None else "size"
