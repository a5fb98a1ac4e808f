"""Runs a Starlette application on a free port of the loopback interface and notes what it sees."""

from __future__ import annotations

import contextlib
import dataclasses
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

import uvicorn

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclasses.dataclass
class Running:
    """A server that runs.

    Attributes:
        address: ``http://127.0.0.1:PORT``.
        seen: Request lines and headers as they arrived.
        faults: What goes wrong with the next downloads, first one first: ``cut``, ``corrupt``,
            ``html``, ``envelope``, ``status N``, ``redirect URL``, ``slow``, or empty for none.
    """

    app: Any
    address: str = ""
    seen: list[str] = dataclasses.field(default_factory=list)
    faults: list[str] = dataclasses.field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Note a request and answer it, or fail as asked."""
        if scope["type"] != "http":
            return
        target = scope["raw_path"].decode() + "?" + scope["query_string"].decode()
        lines = [f"{k.decode()}: {v.decode()}" for k, v in scope["headers"]]
        self.seen.append("\n".join([f"{scope['method']} {target}", *lines]))
        fault = self.faults.pop(0) if self.faults and is_download(scope["path"]) else ""
        kind, _, argument = fault.partition(" ")
        if kind in {"html", "envelope", "status", "redirect"}:
            await _instead(send, kind, argument)
            return
        await self.app(scope, receive, _Damage(send, kind) if kind else send)


def is_download(path: str) -> bool:
    """Faults concern downloads, not listings."""
    parts = ("/access/datafile", "/bytes/", "@@download", "/store/", "/attachments/")
    return any(part in path for part in parts) and not path.endswith("/attachments/")


async def _instead(send: Any, kind: str, argument: str) -> None:
    status = {"status": argument, "redirect": "302"}.get(kind, "200")
    body = {
        "html": b"<html>Please log in</html>",
        "envelope": b'{"status":"ERROR","message":"Not today"}',
    }.get(kind, b'{"message":"for now"}')
    mime = b"text/html" if kind == "html" else b"application/json"
    headers = [(b"content-type", mime), (b"content-length", str(len(body)).encode())]
    if kind == "redirect":
        headers.append((b"location", argument.encode()))
    else:
        headers.append((b"retry-after", b"0"))
    await send({"type": "http.response.start", "status": int(status), "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Damage:
    """Passes an answer on, cut in the middle or with one bit turned."""

    def __init__(self, send: Any, kind: str) -> None:
        self._send, self._kind = send, kind

    async def __call__(self, message: Any) -> None:
        body = message.get("body", b"")
        if message["type"] == "http.response.body" and len(body) > 1:
            if self._kind == "cut":
                await self._send({**message, "body": body[: len(body) // 2], "more_body": True})
                raise ConnectionAbortedError
            if self._kind == "corrupt":
                body = body[:-2] + bytes([body[-2] ^ 1]) + body[-1:]
            message = {**message, "body": body}
        await self._send(message)


@contextlib.contextmanager
def run(app: Any) -> Iterator[Running]:
    """Serve ``app`` in a thread until the block ends."""
    running = Running(app)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    running.address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    config = uvicorn.Config(
        running, log_config=None, lifespan="off", ws="none", http="h11", access_log=False
    )
    server = uvicorn.Server(config)

    def work() -> None:
        with listener:
            server.run(sockets=[listener])

    threading.Thread(target=work, daemon=True).start()
    while not server.started:
        time.sleep(0.002)
    try:
        yield running
    finally:
        # It ends within its next tick; waiting for that would cost each test a tenth of a second.
        server.should_exit = server.force_exit = True
