"""The guard: a function runs in a fresh process with limits, and its result comes back as data.

For input that nobody vouches for. A crash of a foreign parser, a request for 16 GiB or an endless
loop becomes one error, within the limits, and nothing is left behind: no process, no temporary
file. The worker (`tabkit.guard_worker`) stops when it has computed ahead of the one who reads, so
a stream stays bounded in memory; it ends when its user goes, however the user went. What it sends
is read as plain data: a worker that was taken over cannot make its user run anything.
"""

from __future__ import annotations

import contextlib
import dataclasses
import enum
import io
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import time
from multiprocessing.connection import Pipe
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from tabkit.errors import FormatError, LimitError, UsageError
from tabkit.limits import Limits, refuse
from tabkit.model import Block, TableStream

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_P = ParamSpec("_P")
_T = TypeVar("_T")

OUT_OF_MEMORY: Final = 77  # exit code of a worker that cannot even say so
_PATIENCE: Final = 10  # seconds a killed process has to be gone
_START: Final = 60  # seconds that a busy machine may need to start a process
_LAST_WORDS: Final = 4096
_MEMORY_WORDS: Final = (
    b"memory allocation of", b"bad_alloc", b"ut of memory", b"annot allocate", b"cannot map",
    b"failed to map", b"start new thread", b"length_error",
)  # fmt: skip
#: Not ``-c`` alone: that would import from the current folder, where the untrusted file may lie.
_COMMAND: Final = ("-P", "-c", "from tabkit.guard_worker import serve; serve(*{!r})")
_CLASSES: Final = frozenset(
    {"pathlib.PosixPath", "datetime.datetime", "datetime.timedelta", "datetime.timezone"}
)


def guarded_call(
    function: Callable[_P, _T], source: Path | str, limits: Limits, /, *args: Any, **kwargs: Any
) -> _T:
    """Run a function in a worker process and return its result.

    Args:
        function: Any function of a module; arguments and result must pickle, and the result
            consist of Python's plain types and tabkit's dataclasses.
        source: The file it reads, for messages.
        limits: ``memory`` and ``seconds`` bound the worker.
        *args: Its arguments.
        **kwargs: Its named arguments.

    Raises:
        LimitError: It needs more memory or time.
        FormatError: It crashed.
        Exception: Whatever `TabkitError` or OSError the function raises.
    """
    with _Worker((function, args, kwargs, False), source, limits) as worker:
        return worker.receive()[0]  # type: ignore[no-any-return]


def call(
    function: Callable[_P, _T],
    source: Path | str,
    guard: Limits | None,
    /,
    *args: _P.args,
    **kwargs: _P.kwargs,
) -> _T:
    """Run a function under the guard as `guarded_call` does, or here where ``guard`` is None."""
    if guard is None:
        return function(*args, **kwargs)
    return guarded_call(function, source, guard, *args, **kwargs)


def guarded_stream(
    opener: Callable[..., TableStream], source: Path | str, limits: Limits, *args: Any
) -> TableStream:
    """Open a stream in a worker process; its blocks are decoded there and come over a pipe.

    The arguments are those of `guarded_call`, the errors as well; they come while blocks are read,
    too. The profile of the stream stays the default one.
    """
    worker = _Worker((opener, args, {}, True), source, limits)
    try:
        (facts,) = worker.receive()
        schema = _schema(worker.receive_data())
        return TableStream(schema=schema, blocks=worker, **facts, findings=worker.findings)
    except BaseException as error:
        worker.close()
        if isinstance(error, (TypeError, ValueError)):
            raise worker.unexpected("sent something else than a table") from error
        raise


class _Worker:
    """A process that runs one request; iterating gives the blocks of the stream it opened."""

    def __init__(self, request: tuple[Any, ...], source: Path | str, limits: Limits) -> None:
        if os.name != "posix":
            msg = "--untrusted needs the limits of Linux or macOS"
            raise UsageError(msg)
        self._source, self._limits, self._left = source, limits, float(limits.seconds)
        self.findings: list[Any] = []
        self._folder = tempfile.TemporaryDirectory(prefix="tabkit-guard-")
        self._pipe, theirs = Pipe()
        # Nothing is written to it: the kernel ends the worker when this end closes.
        hold, lifeline = os.pipe()
        self._lifeline = open(lifeline, "wb", buffering=0)  # noqa: PTH123, SIM115
        with theirs, open(hold, "rb", buffering=0):  # noqa: PTH123
            self._process = self._start(theirs.fileno(), hold)
        try:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # receive() says why
                self._pipe.send_bytes(pickle.dumps((request, limits)))
            self._left += _START
            self.receive_data()  # it is ready: its own start is not the file's fault
            self._left = float(limits.seconds)
        except BaseException:
            self.close()
            raise

    def _start(self, channel: int, hold: int) -> subprocess.Popen[bytes]:
        folder = self._folder.name
        command = [*_COMMAND[:2], _COMMAND[2].format((channel, hold))]
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "TMPDIR": folder,
            # Threads and arenas that are reserved in advance would count as used.
            "ARROW_DEFAULT_MEMORY_POOL": "system",
            "OPENBLAS_NUM_THREADS": "1",
            "MALLOC_ARENA_MAX": "2",
        }
        with Path(folder, "stderr").open("wb") as stderr:
            return subprocess.Popen(  # noqa: S603 - our own interpreter
                [sys.executable, *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                pass_fds=(channel, hold),
                env=environment,
                process_group=0,  # an interrupt at the terminal is for us alone
            )

    def receive(self) -> tuple[Any, ...]:
        """Wait for the next message and return what it holds; raise the error it holds."""
        data = self.receive_data()
        try:
            kind, *rest = _Plain(io.BytesIO(data)).load()
        except (MemoryError, KeyboardInterrupt):
            raise
        except Exception as error:
            raise self.unexpected(f"sent what is no plain data: {error}") from error
        if kind == "error" and isinstance(rest[0], Exception):
            raise rest[0]
        if kind == "bug" and _tells_of_memory(str(rest[0]).encode()):
            raise self._too_much("memory")
        if kind == "bug":
            raise self.unexpected(f"failed: {rest[0]}; this is a bug")
        return tuple(rest)

    def receive_data(self) -> bytes:
        """Wait for the next bytes, no longer than the limit allows in all."""
        began = time.monotonic()
        try:
            if not self._pipe.poll(max(self._left, 0)):
                raise self._too_much("seconds")
            data = self._pipe.recv_bytes(self._limits.memory)
        except (EOFError, OSError) as error:
            raise self._cause_of_death() from error
        self._left -= time.monotonic() - began
        return data

    def __iter__(self) -> Iterator[Block]:
        return self

    def __next__(self) -> Block:
        if self._pipe.closed:
            raise StopIteration
        try:
            word, findings = self.receive()
            self.findings.extend(findings)
            if word == "end":
                self.close()
                raise StopIteration
            return _block(self.receive_data())
        except StopIteration:
            raise
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End the process and remove what it left; safe to call twice."""
        self._pipe.close()
        self._lifeline.close()
        if self._process.poll() is None:
            self._process.kill()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PATIENCE)
        self._folder.cleanup()

    def __enter__(self) -> _Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def unexpected(self, what: str) -> FormatError:
        """Return the error of a worker that did what it should not."""
        return FormatError(f"its reader {what}", self._source)

    def _too_much(self, name: str) -> LimitError:
        what = {"memory": "reading it needs more memory than", "seconds": "reading it takes over"}
        return refuse(self._source, what[name], self._limits, name)

    def _cause_of_death(self) -> Exception:
        try:
            code = self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            return self.unexpected("closed its pipe")
        if -code == signal.SIGXCPU:
            return self._too_much("seconds")
        if code == OUT_OF_MEMORY or self._died_of_memory():
            return self._too_much("memory")
        if code >= 0:
            return self.unexpected("ended without a word")
        with contextlib.suppress(ValueError):
            return self.unexpected(f"crashed ({signal.Signals(-code).name})")
        return self.unexpected(f"crashed (signal {-code})")

    def _died_of_memory(self) -> bool:
        with contextlib.suppress(OSError), Path(self._folder.name, "stderr").open("rb") as file:
            file.seek(max(0, file.seek(0, io.SEEK_END) - _LAST_WORDS))
            return _tells_of_memory(file.read(_LAST_WORDS))
        return False


class _Plain(pickle.Unpickler):
    """Loads plain types, tabkit's dataclasses and enumerations, and errors; nothing that acts."""

    def find_class(self, module: str, name: str) -> Any:
        """Return the class of that name, if it is one of those."""
        is_known = f"{module}.{name}" in _CLASSES
        if is_known or module == "builtins" or module.startswith("tabkit."):
            found = super().find_class(module, name)
            if is_known or _is_plain(found):
                return found
        msg = f"{module}.{name} is not expected"
        raise pickle.UnpicklingError(msg)


def _tells_of_memory(words: bytes) -> bool:
    return any(each in words for each in _MEMORY_WORDS)


def _is_plain(found: object) -> bool:
    return isinstance(found, type) and (
        dataclasses.is_dataclass(found)
        or issubclass(found, (enum.Enum, Exception, set, frozenset, bytearray, complex))
    )


def _schema(data: bytes) -> Any:
    import pyarrow as pa

    return pa.ipc.read_schema(pa.py_buffer(data))


def _block(data: bytes) -> Block:
    """Rebuild a block: a stream of its cases and, where there are tags, one of them."""
    import pyarrow as pa

    source = pa.BufferReader(data)
    with pa.ipc.open_stream(source) as cases:
        batch = cases.read_next_batch()
        for _ in cases:  # leaves the place after its end
            pass
    batch.validate()
    if source.tell() == len(data):
        return Block(batch)
    with pa.ipc.open_stream(source) as stream:
        tags = stream.read_next_batch()
    return Block(batch, dict(zip(tags.schema.names, tags.columns, strict=True)))
