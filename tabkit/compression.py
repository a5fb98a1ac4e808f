"""Files that are compressed as a whole: told by their first bytes, expanded within limits."""

from __future__ import annotations

import contextlib
import io
import mmap
from typing import IO, TYPE_CHECKING, Any, Final, cast

from tabkit.errors import FormatError
from tabkit.limits import check_unpacked

if TYPE_CHECKING:
    import tempfile
    from collections.abc import Iterator
    from pathlib import Path

    from tabkit.limits import Limits

#: First bytes and name. Source: R 4.2, ``help(gzfile)``; R 4.5 added zstd.
_MAGIC: Final = (
    (b"\x1f\x8b", "gzip"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ\0", "xz"),
    (b"\x5d\0\0", "lzma"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)
_LZMA_MEMORY: Final = 512 << 20  # R's strongest setting needs 65 MiB
_IN_MEMORY: Final = 32 << 20
_CHUNK: Final = 1 << 20
_HEAD: Final = 16


def compression_of(head: bytes) -> str:
    """Return ``gzip``, ``bzip2``, ``xz``, ``lzma`` or ``zstd``, empty for none of them."""
    return next((name for magic, name in _MAGIC if head.startswith(magic)), "")


def first_bytes(path: Path, count: int) -> bytes:
    """Return the first bytes of a file's expanded content, none where it cannot be expanded."""
    with path.open("rb") as file:
        name = compression_of(file.read(_HEAD))
        file.seek(0)
        try:
            return _opened(file, name).read(count)
        except _errors():
            return b""


def expanded(path: Path, accepts: tuple[bytes, ...], limits: Limits) -> tuple[Any, str]:
    """Return a file's expanded content as memory, and the name of its compression.

    More than 32 MiB lie in a temporary file that is mapped, so that they take no memory of their
    own; it vanishes with the mapping.

    Args:
        path: The file; it may as well not be compressed.
        accepts: What the content may begin with; anything else is refused before it is expanded.
        limits: ``unpacked``, ``free`` and ``ratio`` bound the content.

    Raises:
        FormatError: It begins with something else, is cut short or damaged.
        LimitError: It expands to more than the limits allow.
    """
    import tempfile

    with path.open("rb") as file:
        name = compression_of(file.read(_HEAD))
        file.seek(0)
        with _damage(path, name):
            head = _opened(file, name).read(max(map(len, accepts)))
        if not head.startswith(accepts):
            what = f"what is {name}-compressed in it" if name else "it"
            raise FormatError(f"this is not an R data file: {what} begins with {head!r}", path)
        file.seek(0)
        if not name:
            return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), name
        with tempfile.SpooledTemporaryFile(_IN_MEMORY) as spool:
            with _damage(path, name):
                _copy(_opened(file, name), spool, limits, path)
            return _mapped(spool), name


def release_pages(memory: Any) -> None:
    """Let the system take back the pages of mapped memory; they are read again when needed."""
    if isinstance(memory, mmap.mmap) and hasattr(memory, "madvise"):
        memory.madvise(mmap.MADV_DONTNEED)


def _mapped(spool: tempfile.SpooledTemporaryFile[bytes]) -> Any:
    size = spool.tell()
    if size <= _IN_MEMORY:
        spool.seek(0)
        return spool.read()
    spool.flush()
    return mmap.mmap(spool.fileno(), 0, access=mmap.ACCESS_READ)


def _copy(source: IO[bytes], target: IO[bytes], limits: Limits, path: Path) -> None:
    size, packed = 0, path.stat().st_size
    while chunk := source.read(_CHUNK):
        size += len(chunk)
        check_unpacked(size, packed, limits, path)
        target.write(chunk)


def _opened(file: IO[bytes], name: str) -> IO[bytes]:
    if name == "gzip":
        from isal import igzip

        return igzip.open(file, "rb")  # type: ignore[no-any-return, no-untyped-call]
    if name == "bzip2":
        import bz2

        return bz2.open(file, "rb")
    if name in {"xz", "lzma"}:
        return io.BufferedReader(_Xz(file))
    if name == "zstd":
        import pyarrow as pa

        # By name, since it closes what it was given.
        return pa.CompressedInputStream(pa.OSFile(file.name), "zstd")  # type: ignore[no-any-return]
    return file


class _Xz(io.RawIOBase):
    """Reads .xz and .lzma with a limit of memory, which `lzma.open` does not take."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._decompressor = file, self._new()

    @staticmethod
    def _new() -> Any:
        import lzma

        return lzma.LZMADecompressor(lzma.FORMAT_AUTO, memlimit=_LZMA_MEMORY)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = b""
        while not found:
            if self._decompressor.eof:
                rest = self._decompressor.unused_data or self._file.read(_CHUNK)
                if not rest.strip(b"\0"):  # padding, or the end
                    return 0
                self._decompressor = self._new()
            else:
                rest = self._file.read(_CHUNK) if self._decompressor.needs_input else b""
                if self._decompressor.needs_input and not rest:
                    msg = "the data end before the end mark"
                    raise EOFError(msg)
            found = self._decompressor.decompress(rest, len(buffer))
        buffer[: len(found)] = found
        return len(found)


@contextlib.contextmanager
def _damage(path: Path, name: str) -> Iterator[None]:
    """Turn what the libraries raise for damaged data into a FormatError."""
    try:
        yield
    except EOFError as error:
        raise FormatError(f"the {name} data end early: the file is cut short", path) from error
    except _errors() as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise FormatError(f"the {name} data are damaged: {str(error)[:120]}", path) from error


def _errors() -> tuple[type[Exception], ...]:
    """Return what the libraries raise for damaged data."""
    import lzma
    import zlib

    from isal import isal_zlib

    own = cast("type[Exception]", isal_zlib.error)
    return (OSError, EOFError, ValueError, lzma.LZMAError, zlib.error, own)
