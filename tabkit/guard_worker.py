"""The other side of the guard: a fresh process binds itself, runs one request, sends the result."""

from __future__ import annotations

import contextlib
import enum
import errno
import fcntl
import io
import math
import os
import pickle
import resource
import select
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NoReturn

from tabkit.errors import TabkitError
from tabkit.guard import OUT_OF_MEMORY

if TYPE_CHECKING:
    from tabkit.limits import Limits
    from tabkit.model import Block, TableStream

_PAGE: Final = resource.getpagesize()
_DATA: Final = 5  # field of /proc/self/statm: pages of data and stack
_TEXT: Final = 500  # characters kept of an unexpected error


def serve(channel: int, hold: int) -> NoReturn:
    """Run the request that comes over a pipe, then end the process.

    Args:
        channel: File descriptor of the pipe.
        hold: File descriptor that becomes readable when the user of this worker is gone.
    """
    connection = Connection(channel)
    (function, arguments, named, is_stream), limits = pickle.loads(connection.recv_bytes())  # noqa: S301 - from our own user
    try:
        if is_stream:
            import pyarrow  # noqa: F401 - what every stream needs does not count
        _bind(limits, hold)
        connection.send_bytes(b"ready")
        result = function(*arguments, **named)
        if is_stream:
            _send_stream(connection, result)
        else:
            _send(connection, "result", result)
    except BrokenPipeError:
        os._exit(0)  # nobody wants more
    except MemoryError:
        os._exit(OUT_OF_MEMORY)
    except (TabkitError, OSError) as error:
        if getattr(error, "errno", None) == errno.ENOMEM:
            os._exit(OUT_OF_MEMORY)
        _send(connection, "error", error)
    except BaseException as error:  # told to the user, in one line
        text = " ".join(f"{type(error).__name__}: {error}".split())
        _send(connection, "bug", text[:_TEXT])
    os._exit(0)


def _bind(limits: Limits, hold: int) -> None:
    """Bound memory, computing time and files, and end with the user, even in an endless loop."""
    # The kernel sends SIGIO, which ends the process whatever it is doing, when the other end of
    # the pipe closes; a thread could not take the interpreter from a parser that holds it.
    fcntl.fcntl(hold, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(hold, fcntl.F_SETFL, fcntl.fcntl(hold, fcntl.F_GETFL) | os.O_ASYNC)
    if select.select([hold], [], [], 0)[0]:
        os._exit(0)  # gone already
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_CPU, math.ceil(time.process_time()) + limits.seconds)
    _limit(resource.RLIMIT_FSIZE, limits.unpacked)
    _limit(resource.RLIMIT_DATA, _data_now() + limits.memory)


def _limit(which: int, value: int) -> None:
    _, hard = resource.getrlimit(which)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    with contextlib.suppress(ValueError, OSError):  # a system that does not have this one
        # Of computing time, a second beyond: the first signal can be told from others.
        beyond = value + 1 if which == resource.RLIMIT_CPU else value
        beyond = beyond if hard == resource.RLIM_INFINITY else min(beyond, hard)
        resource.setrlimit(which, (value, beyond))


def _data_now() -> int:
    with contextlib.suppress(OSError):
        return int(Path("/proc/self/statm").read_text("ascii").split()[_DATA]) * _PAGE
    return 0


def pickled(message: object) -> bytes:
    """Return a message as the other side takes it: enumerations by their class and value.

    Some versions of Python 3.11 pickle them as a call of ``getattr``, which is refused there.
    """
    sink = io.BytesIO()
    _Pickler(sink).dump(message)
    return sink.getvalue()


class _Pickler(pickle.Pickler):
    def reducer_override(self, given: Any) -> Any:
        return (type(given), (given.value,)) if isinstance(given, enum.Enum) else NotImplemented


def _send(connection: Connection, *message: object) -> None:
    connection.send_bytes(pickled(message))


def _send_stream(connection: Connection, stream: TableStream) -> None:
    """Send a stream: its facts, its schema, then each block with what was noticed meanwhile."""
    facts = {
        name: getattr(stream, name)
        for name in ("variables", "origin", "cases", "label", "notes", "response_sets")
    }
    _send(connection, "stream", {**facts, "attributes": stream.attributes})
    connection.send_bytes(stream.schema.serialize().to_pybytes())
    told = 0
    with stream:
        for block in stream.blocks:
            findings = stream.findings[told:]
            told += len(findings)
            _send(connection, "next", "block", findings)
            connection.send_bytes(_packed(block))
    _send(connection, "next", "end", stream.findings[told:])


def _packed(block: Block) -> Any:
    import pyarrow as pa

    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, block.data.schema) as writer:
        writer.write_batch(block.data)
    if block.missing_tags:
        tags = pa.record_batch(dict(block.missing_tags))
        with pa.ipc.new_stream(sink, tags.schema) as writer:
            writer.write_batch(tags)
    return sink.getbuffer()
