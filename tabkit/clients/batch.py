"""Many files at once: safe names, bounded threads, one failure does not stop the others."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import itertools
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tabkit.clients import cache as kept
from tabkit.clients.engine import download
from tabkit.clients.model import Download
from tabkit.clients.names import distinct, safe_path
from tabkit.clients.part import PARTS
from tabkit.errors import FetchError, OutputError, TabkitError
from tabkit.output import output_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tabkit.clients.http import Http
    from tabkit.clients.model import Entry, Request

_AHEAD: Final = 4  # files waiting for each thread


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """What all files of a run share.

    Attributes:
        folder: Where they go; made when missing.
        http: Sends the requests.
        locate: Says how to fetch one file now.
        key: What tells the file and its form from every other.
        jobs: Files at the same time.
        force: Replace what is there.
        cache: Folder of files kept by digest, ``None`` for none.
        progress: Called with the number of bytes that arrived, from any thread.
    """

    folder: Path
    http: Http
    locate: Callable[[Entry], Request]
    key: Callable[[Entry], str]
    jobs: int = 4
    force: bool = False
    cache: Path | None = None
    progress: Callable[[int], None] = lambda _: None


def download_all(entries: Iterable[Entry], batch: Batch) -> Iterator[Download]:
    """Download files, several at a time; give each outcome as it comes.

    Raises:
        OutputError: The folder cannot be used, or another run uses it.
    """
    with output_folder(batch.folder), _parts(batch.folder):
        pool = concurrent.futures.ThreadPoolExecutor(batch.jobs, thread_name_prefix="tabkit")
        try:
            yield from _run(pool, named(entries), batch)
        except BaseException:
            batch.http.hang_up()
            raise
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def named(entries: Iterable[Entry]) -> Iterator[tuple[Entry, Path]]:
    """Give each entry a relative path that is safe and its own."""
    first, second = itertools.tee(entries)
    paths = distinct(safe_path(each.folder, each.name, each.id) for each in first)
    return ((entry, Path(path)) for entry, path in zip(second, paths, strict=True))


def _run(
    pool: concurrent.futures.ThreadPoolExecutor, work: Iterator[tuple[Entry, Path]], batch: Batch
) -> Iterator[Download]:
    waiting: set[concurrent.futures.Future[Download]] = set()
    for entry, path in work:
        waiting.add(pool.submit(_one, entry, path, batch))
        if len(waiting) >= batch.jobs * _AHEAD:
            done, waiting = concurrent.futures.wait(
                waiting, return_when=concurrent.futures.FIRST_COMPLETED
            )
            yield from (future.result() for future in done)
    for future in concurrent.futures.as_completed(waiting):
        yield future.result()


def _one(entry: Entry, path: Path, batch: Batch) -> Download:
    target = batch.folder / path
    try:
        _make_folders(batch.folder, path)
        if batch.cache is not None and kept.take(batch.cache, entry, target):
            return Download(entry, target, target.stat().st_size, "digest", "from the cache")
        done = download(
            entry,
            target,
            lambda: batch.locate(entry),
            batch.http,
            key=batch.key(entry),
            folder=batch.folder,
            force=batch.force,
            progress=batch.progress,
        )
    except (TabkitError, OSError) as error:
        return Download(entry, error=error)
    except Exception as error:  # an answer so odd that no reader expects it; the others go on
        text = batch.http.hide(f"unexpected {type(error).__name__}: {error}")
        failed = FetchError(text, entry.name, "please report it")
        failed.__cause__ = error
        return Download(entry, error=failed)
    if batch.cache is not None and done.verified == "digest":
        kept.keep(batch.cache, entry, target)
    return done


def _make_folders(folder: Path, path: Path) -> None:
    """Make the folders of a path one by one; a link among them could lead anywhere."""
    for parent in reversed(path.parents[:-1]):
        place = folder / parent
        if place.is_symlink():
            raise OutputError("this folder is a link, not followed", place)
        try:
            place.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot make this folder: {error.strerror}", place) from error


@contextlib.contextmanager
def _parts(folder: Path) -> Iterator[None]:
    """Keep the folder of parts for this run alone; take it away when it is empty."""
    import filelock

    parts = folder / PARTS
    if parts.is_symlink():
        raise OutputError("this folder is a link, not followed", parts)
    try:
        parts.mkdir(exist_ok=True, mode=0o700)
    except OSError as error:
        raise OutputError(f"cannot write here: {error.strerror}", folder) from error
    lock = filelock.FileLock(parts / "lock")
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        raise FetchError("another tabkit is fetching into this folder", folder.name) from None
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            (parts / "lock").unlink(missing_ok=True)
        lock.release()
        with contextlib.suppress(OSError):
            parts.rmdir()
