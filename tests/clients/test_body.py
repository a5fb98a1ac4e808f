"""Long bodies, which are read past the library that read their heads."""

from __future__ import annotations

import random
import socketserver
from typing import TYPE_CHECKING

import pytest

from tabkit.clients.http import Http
from tabkit.clients.retry import AgainError
from tests.clients.servers.raw import Raw, serve
from tests.clients.servers.sockets import listening, tls_server
from tests.clients.test_http import get

if TYPE_CHECKING:
    from pathlib import Path

LONG = random.Random(3).randbytes((9 << 20) + 1)


def test_a_long_body_by_https(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with tls_server(tmp_path, "localhost", LONG) as port, Http() as http:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
        assert get(http, f"https://localhost:{port}/") == LONG


def test_a_long_body_ends_where_its_length_says() -> None:
    """What comes after it is no part of it, nor of the answer to the next request."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            while self.request.recv(4096):
                head = b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % len(LONG)
                self.request.sendall(head + LONG + b"and more")

    with listening(Handler) as port, Http() as http:
        for _ in range(2):
            assert get(http, f"http://127.0.0.1:{port}/") == LONG


def test_a_long_body_that_ends_early() -> None:
    with (
        serve(Raw({"/long": LONG}, lambda _: "cut 50")) as server,
        Http() as http,
        pytest.raises(AgainError, match="connection broke"),
    ):
        get(http, f"{server.address}/long")
