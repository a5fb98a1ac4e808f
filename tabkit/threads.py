"""Threads of a run: one decodes ahead, a few work on columns; the kernels let them run together.

What goes wrong in a thread is raised where its result is awaited, and ends the run there.
"""

from __future__ import annotations

import collections
import concurrent.futures
import contextlib
import dataclasses
import os
import queue
import threading
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tabkit.model import Block, TableStream

_T = TypeVar("_T")

AHEAD: Final = 1  # blocks that wait, while one is decoded and one is worked on
_WORKERS: Final = 8  # more do not help: decoding is one thread
_PATIENCE: Final = 0.1  # seconds between looks whether the reader has been given up


def worker_count() -> int:
    """Return how many threads are of use on the processors that this process may run on."""
    return min(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else
               os.cpu_count() or 1, _WORKERS)  # fmt: skip


@contextlib.contextmanager
def column_pool() -> Iterator[concurrent.futures.ThreadPoolExecutor]:
    """Give a small pool of threads; at an error what has not begun is not begun."""
    pool = concurrent.futures.ThreadPoolExecutor(worker_count(), "tabkit-column")
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


@contextlib.contextmanager
def lanes(consumers: Sequence[Callable[[_T], object]]) -> Iterator[Callable[[_T], None]]:
    """Give a function that hands an item to each consumer, in a thread of its own and in order.

    It waits while an item before the last is not done with, so that a consumer which is slow with
    one does not hold up the others. What a consumer raises, the function raises later, or the end.
    """
    pools = [concurrent.futures.ThreadPoolExecutor(1, "tabkit-lane") for _ in consumers]
    waiting: collections.deque[list[concurrent.futures.Future[object]]] = collections.deque()

    def wait() -> None:
        for future in waiting.popleft():
            future.result()

    def send(item: _T) -> None:
        if len(waiting) > AHEAD:
            wait()
        waiting.append(
            [pool.submit(each, item) for pool, each in zip(pools, consumers, strict=True)]
        )

    try:
        yield send
        while waiting:
            wait()
    finally:
        for pool in pools:
            pool.shutdown(cancel_futures=True)


def read_ahead(stream: TableStream) -> TableStream:
    """Decode in a thread of its own, `AHEAD` blocks before they are asked for.

    The thread begins with the first block that is asked for. It ends with the stream or when the
    stream is closed, after the block that it is at; then the file is closed, too.
    """
    return dataclasses.replace(stream, blocks=_ahead(stream))


def _ahead(stream: TableStream) -> Iterator[Block]:
    done = threading.Event()
    waiting: queue.Queue[Block | BaseException | None] = queue.Queue(AHEAD)
    thread = threading.Thread(
        target=_decode, args=(stream, waiting, done), name="tabkit-decoder", daemon=True
    )
    thread.start()
    try:
        while (found := waiting.get()) is not None:
            if isinstance(found, BaseException):
                raise found
            yield found
    finally:
        done.set()
        thread.join()


def _decode(
    stream: TableStream,
    waiting: queue.Queue[Block | BaseException | None],
    done: threading.Event,
) -> None:
    """Put blocks, and at the end None or what went wrong, until they are no longer wanted."""
    last: BaseException | None = None
    try:
        with stream:
            for block in stream.blocks:
                if not _put(waiting, block, done):
                    return
    except BaseException as error:
        last = error
    _put(waiting, last, done)


def _put(
    waiting: queue.Queue[Block | BaseException | None],
    item: Block | BaseException | None,
    done: threading.Event,
) -> bool:
    while not done.is_set():
        with contextlib.suppress(queue.Full):
            waiting.put(item, timeout=_PATIENCE)
            return True
    return False
