"""A small HTTP server on plain sockets: it sees every byte it is sent, and fails on command.

Faults are asked for one request at a time, so that a test says exactly what goes wrong when.
"""

from __future__ import annotations

import contextlib
import dataclasses
import email.parser
import gzip
import hashlib
import re
import socket
import socketserver
import struct
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HTML = b"<!DOCTYPE html><html><body>Please log in</body></html>"
ENVELOPE = b'{"status":"ERROR","message":"Not today"}'


@dataclasses.dataclass
class Asked:
    """One request as it arrived: method, target, headers in lower case, and its raw bytes."""

    method: str
    target: str
    headers: dict[str, str]
    raw: bytes

    @property
    def range_start(self) -> int | None:
        """First byte asked for, if it is a range to the end."""
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("range", ""))
        return int(found[1]) if found else None


@dataclasses.dataclass
class Raw:
    """What the server has and what it saw.

    Attributes:
        files: Bodies by target.
        fault: Called for each request; gives a fault's name, or "" for none.
        etags: Whether it sends strong ETags (and honours If-Range).
    """

    files: dict[str, bytes] = dataclasses.field(default_factory=dict)
    fault: Callable[[Asked], str] = lambda _: ""
    etags: bool = True
    media_type: str = "application/octet-stream"
    asked: list[Asked] = dataclasses.field(default_factory=list)
    seen: bytearray = dataclasses.field(default_factory=bytearray)
    address: str = ""
    connections: int = 0
    woken: threading.Event = dataclasses.field(default_factory=threading.Event)


class _Handler(socketserver.BaseRequestHandler):
    server: _Server

    def handle(self) -> None:
        self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.server.raw.connections += 1
        with contextlib.suppress(OSError):
            while (asked := self._read()) is not None and self._answer(asked):
                pass

    def _read(self) -> Asked | None:
        raw = b""
        while b"\r\n\r\n" not in raw:
            more = self.request.recv(65536)
            if not more:
                return None
            raw += more
            self.server.raw.seen += more
        head, _, body = raw.partition(b"\r\n\r\n")
        first, _, rest = head.decode("latin-1").partition("\r\n")
        method, target, _ = first.split(" ", 2)
        headers = {k.lower(): v for k, v in email.parser.Parser().parsestr(rest).items()}
        while len(body) < int(headers.get("content-length", 0)):
            body += self.request.recv(65536)
        asked = Asked(method, target, headers, raw)
        self.server.raw.asked.append(asked)
        return asked

    def _answer(self, asked: Asked) -> bool:
        """Send one answer; give whether the connection stays."""
        fault, _, argument = self.server.raw.fault(asked).partition(" ")
        body = self.server.raw.files.get(asked.target.partition("?")[0])
        if fault == "status":
            return self._send(int(argument), b'{"message":"for now"}', {"Retry-After": "0"})
        if fault == "wait":
            return self._send(429, b"{}", {"Retry-After": argument})
        if fault == "redirect":
            status, _, address = argument.rpartition(" ")
            return self._send(int(status or 302), b"", {"Location": address})
        if fault in {"html", "envelope"}:
            kind = "text/html" if fault == "html" else "application/json"
            return self._send(200, HTML if fault == "html" else ENVELOPE, {"Content-Type": kind})
        if fault == "garbage":
            self.request.sendall(b"\x00\x01 this is not HTTP\r\n\r\n")
            return False
        if fault == "silence":
            return False
        if body is None:
            return self._send(404, b'{"message":"no such file"}', {})
        return self._file(asked, body, fault, argument)

    def _file(self, asked: Asked, body: bytes, fault: str, argument: str) -> bool:
        tag = f'"{hashlib.sha1(body).hexdigest()}"'
        headers = {"Content-Type": self.server.raw.media_type}
        if self.server.raw.etags:
            headers["ETag"] = tag
        start = asked.range_start
        fresh = asked.headers.get("if-range", tag) == tag
        status, sent = 200, body
        if start is not None and fresh and fault != "norange":
            if start >= len(body):
                return self._send(416, b"", {"Content-Range": f"bytes */{len(body)}"})
            claim = start + 7 if fault == "wrongrange" else start
            status, sent = 206, body[start:]
            headers["Content-Range"] = f"bytes {claim}-{len(body) - 1}/{len(body)}"
        sent = _damaged(sent, fault)
        if fault == "gzip":  # compressed though identity was asked for
            headers["Content-Encoding"] = "gzip"
            return self._send(status, gzip.compress(sent), headers)
        if fault == "chunked":
            return self._chunked(status, headers, sent, whole=True)
        if fault == "chunkcut":
            return self._chunked(status, headers, sent, whole=False)
        if fault in {"cut", "reset"}:
            return self._cut(status, headers, sent, int(argument or 50), reset=fault == "reset")
        if fault == "stall":  # half of it, and then silence
            self._head(status, headers | {"Content-Length": str(len(sent))})
            self.request.sendall(sent[: len(sent) // 2])
            self.server.raw.woken.wait(float(argument))
            return False
        if fault == "unframed":
            headers["Connection"] = "close"
            self._head(status, headers)
            self.request.sendall(sent[: len(sent) // 2])
            return False
        return self._send(status, sent, headers)

    def _cut(
        self, status: int, headers: dict[str, str], sent: bytes, percent: int, *, reset: bool
    ) -> bool:
        self._head(status, headers | {"Content-Length": str(len(sent))})
        self.request.sendall(sent[: len(sent) * percent // 100])
        if reset:
            self.request.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return False

    def _chunked(self, status: int, headers: dict[str, str], sent: bytes, *, whole: bool) -> bool:
        self._head(status, headers | {"Transfer-Encoding": "chunked"})
        half = max(len(sent) // 2, 1)
        for piece in (sent[:half], sent[half:]) if whole else (sent[:half],):
            if piece:
                self.request.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))
        if whole:
            self.request.sendall(b"0\r\n\r\n")
        return whole

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> bool:
        self._head(status, headers | {"Content-Length": str(len(body))})
        self.request.sendall(body)
        return True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        lines = [f"HTTP/1.1 {status} X", *(f"{k}: {v}" for k, v in headers.items()), "", ""]
        self.request.sendall("\r\n".join(lines).encode("latin-1"))


def _damaged(sent: bytes, fault: str) -> bytes:
    """A shorter body, properly announced, or one with a bit turned."""
    if fault == "short":
        return sent[: len(sent) * 2 // 3]
    if fault == "corrupt" and sent:
        middle = len(sent) // 2
        return sent[:middle] + bytes([sent[middle] ^ 0x40]) + sent[middle + 1 :]
    return sent


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128
    block_on_close = False

    def __init__(self, raw: Raw) -> None:
        self.raw = raw
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that hangs up is what these tests are about."""


@contextlib.contextmanager
def serve(raw: Raw) -> Iterator[Raw]:
    """Run the server on a free port of the loopback interface."""
    with _Server(raw) as server:
        raw.address = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        try:
            yield raw
        finally:
            server.shutdown()
            thread.join()
