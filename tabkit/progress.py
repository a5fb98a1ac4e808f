"""A progress bar on a terminal's stderr, and nothing anywhere else."""

from __future__ import annotations

import sys
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import TracebackType

    from rich.progress import Progress as Bar

_PATIENCE: Final = 0.5  # seconds before a bar is worth drawing


class Progress:
    """Shows how far one task is; call it with what is done and the total, if known."""

    def __init__(self, title: str, total: int | None = None) -> None:
        self._title, self._total = title, total
        self._began = time.monotonic()
        self._bar: Bar | None = None

    def __enter__(self) -> Progress:
        return self

    def __call__(self, done: int, total: int | None) -> None:
        """Tell that ``done`` of ``total`` cases or files are done."""
        if self._bar is None:
            if not sys.stderr.isatty() or time.monotonic() - self._began < _PATIENCE:
                return
            self._bar = self._start(total)
        self._bar.update(self._bar.task_ids[0], completed=done, total=total)

    def _start(self, total: int | None) -> Bar:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bar

        bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        bar.add_task(self._title, total=total or self._total)
        bar.start()
        return bar

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


class Transfer:
    """Shows how many bytes have come, over all files of a run; call it with those just arrived."""

    def __init__(self, title: str, total: int | None = None) -> None:
        self._title, self._total = title, total
        self._began = time.monotonic()
        self._done = 0
        self._seen = sys.stderr.isatty()  # asked once: a fast transfer tells thousands of pieces
        self._lock = threading.Lock()
        self._bar: Bar | None = None

    def __enter__(self) -> Transfer:
        return self

    def __call__(self, count: int) -> None:
        """Tell that ``count`` bytes arrived, or were given up if negative; from any thread."""
        with self._lock:
            self._done += count
            if self._bar is None:
                if not self._seen or time.monotonic() - self._began < _PATIENCE:
                    return
                self._bar = self._start()
            self._bar.update(self._bar.task_ids[0], completed=self._done)

    def _start(self) -> Bar:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            DownloadColumn,
            TextColumn,
            TimeRemainingColumn,
            TransferSpeedColumn,
        )
        from rich.progress import Progress as Bar

        bar = Bar(
            TextColumn("{task.description}"),
            BarColumn(),
            DownloadColumn(),
            TransferSpeedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        bar.add_task(self._title, total=self._total)
        bar.start()
        return bar

    def __exit__(self, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
