"""Servers made of bare sockets, for what no server of a library does."""

from __future__ import annotations

import contextlib
import socket
import socketserver
import ssl
import threading
from typing import TYPE_CHECKING

import trustme

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@contextlib.contextmanager
def tls_server(folder: Path, name: str, body: bytes = b"ok") -> Iterator[int]:
    """A server with a certificate of an authority of its own, in ``folder/ca.pem``; its port."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                contextlib.suppress(OSError),
                context.wrap_socket(self.request, server_side=True) as wrapped,
            ):
                wrapped.recv(4096)
                wrapped.sendall(b"HTTP/1.1 200 X\r\nContent-Length: %d\r\n\r\n" % len(body))
                wrapped.sendall(body)

    with listening(Handler) as port:
        yield port


@contextlib.contextmanager
def listening(handler: type[socketserver.BaseRequestHandler]) -> Iterator[int]:
    """Run a handler on a free port of the loopback interface."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()


def pump(source: socket.socket, target: socket.socket) -> None:
    """Pass bytes on until one side ends."""
    with contextlib.suppress(OSError):
        while chunk := source.recv(65536):
            target.sendall(chunk)
        target.shutdown(socket.SHUT_WR)
