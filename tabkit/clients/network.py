"""Where connections open: each address is judged after it is resolved, and that one is dialled.

A name that resolves to a harmless address when checked and to another when used (DNS rebinding)
has no second chance here: the check and the connection see the same address.
"""

from __future__ import annotations

import contextvars
import enum
import ipaddress
import socket
import ssl
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final

import httpcore2

from tabkit.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")


class Reach(enum.IntEnum):
    """How far inside an address lies; an answer may lead outwards or sideways, never inwards."""

    FORBIDDEN = 0  # link-local, multicast, unspecified, reserved: cloud metadata lives here
    LOOPBACK = 1
    PRIVATE = 2
    GLOBAL = 3


def reach_of(address: str) -> Reach:
    """Judge a resolved address; IPv4 inside IPv6 counts as what it is."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if ip in _NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        ip = inner or ip
    if ip.is_loopback:
        return Reach.LOOPBACK
    if ip.is_link_local or ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return Reach.FORBIDDEN
    return Reach.GLOBAL if ip.is_global else Reach.PRIVATE


def reach_by_name(host: str) -> Reach:
    """Judge a host that somebody else will resolve: by what its name says.

    Resolvers also read IPv4 addresses as ``127.1``, ``0x7f.1`` or ``2130706433``.
    """
    name = host.lower().rstrip(".").strip("[]")
    if name == "localhost" or name.endswith(".localhost"):
        return Reach.LOOPBACK
    try:
        return reach_of(name)
    except ValueError:
        pass
    try:
        return reach_of(socket.inet_ntoa(socket.inet_aton(name)))
    except (OSError, UnicodeError):
        return Reach.GLOBAL


def resolve(host: str, port: int) -> list[str]:
    """Give the addresses of a host."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


def connect(address: str, port: int, timeout: float | None) -> httpcore2.NetworkStream:
    """Open a connection to one resolved address."""
    return httpcore2.SyncBackend().connect_tcp(address, port, timeout)


#: What a stream tells beside what the library's do: nothing was read since the last request. An
#: answer to that would be bytes that came behind the answer before it.
UNREAD: Final = "tabkit.unread"

_least: contextvars.ContextVar[Reach] = contextvars.ContextVar("least", default=Reach.GLOBAL)


class Dialer(httpcore2.NetworkBackend):
    """Resolves, judges, connects; knows its open sockets, so that an interrupt can end them.

    Args:
        resolver: Gives a host's addresses; tests put names on loopback with it.
        connector: Opens the connection; tests assert here that nothing forbidden gets this far.
    """

    def __init__(
        self,
        resolver: Callable[[str, int], list[str]] = resolve,
        connector: Callable[[str, int, float | None], httpcore2.NetworkStream] = connect,
    ) -> None:
        self._resolve, self._connect = resolver, connector
        self._reached: dict[tuple[str, int], Reach] = {}
        self._open: weakref.WeakSet[socket.socket] = weakref.WeakSet()
        self._lock = threading.Lock()
        self._trusted: set[tuple[str, int]] = set()

    def trust(self, host: str, port: int) -> None:
        """Let a proxy, which the user has configured, lie anywhere."""
        self._trusted.add((host, port))

    def reached(self, host: str, port: int) -> Reach | None:
        """Tell where a connection to this host led, ``None`` if there was none."""
        return self._reached.get((host, port))

    def check(self, host: str, port: int, least: Reach) -> None:
        """Bound where this thread's next connection may lead, and one that is open already.

        Raises:
            FetchError: A connection to this host is known to lead further inside.
        """
        _least.set(least)
        known = self._reached.get((host, port))
        if known is not None and known < least:
            raise inward(host)

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002 - the interface's
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        """Connect to the first address of ``host`` that may be reached and answers."""
        least = Reach.FORBIDDEN if (host, port) in self._trusted else _least.get()
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            msg = f"{host} cannot be found: {error}"
            raise httpcore2.ConnectError(msg) from error
        allowed = [each for each in addresses if reach_of(each) >= least]
        if not allowed:
            raise inward(host)
        last: Exception | None = None
        for address in allowed:
            try:
                opened = self._connect(address, port, timeout)
            except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
                last = error
                continue
            with self._lock:
                self._reached[(host, port)] = reach_of(address)
            return _Stream(opened, self._note)
        msg = f"no connection to {host}:{port}: {last}"
        raise httpcore2.ConnectError(msg) from last

    def _note(self, opened: socket.socket) -> None:
        with self._lock:
            self._open.add(opened)

    def hang_up(self) -> None:
        """End every connection, so that threads waiting for bytes wake up."""
        with self._lock:
            for each in list(self._open):
                try:
                    each.shutdown(socket.SHUT_RDWR)
                except OSError:
                    continue


def inward(host: str) -> FetchError:
    """Say that an answer led further inside than its sender lies."""
    return FetchError(
        "a server's answer leads into a private network, not followed",
        host,
        "--allow-private HOST allows it",
    )


class _Stream(httpcore2.NetworkStream):
    """The library's stream, every socket under it noted, and read in few large turns.

    What is done with each piece costs more than its bytes, and TLS gives 16 KiB at a time, so
    whatever has arrived is gathered first.
    """

    def __init__(
        self, inner: httpcore2.NetworkStream, note: Callable[[socket.socket], None]
    ) -> None:
        self._inner, self._note = inner, note
        self._socket: socket.socket = inner.get_extra_info("socket")
        secured = inner.get_extra_info("ssl_object") is not None
        self._nested = secured and not isinstance(self._socket, ssl.SSLSocket)
        self._is_unread = False
        note(self._socket)

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        self._is_unread = False
        if self._nested:
            return self._inner.read(max_bytes, timeout)
        buffer = memoryview(bytearray(max_bytes))
        try:
            self._socket.settimeout(timeout)
            count = self._socket.recv_into(buffer)
            while count and count < max_bytes and self._has_more():
                more = self._socket.recv_into(buffer[count:])
                if not more:
                    break
                count += more
        except TimeoutError as error:
            raise httpcore2.ReadTimeout(str(error)) from error
        except OSError as error:
            raise httpcore2.ReadError(str(error)) from error
        return buffer[:count]  # type: ignore[return-value]

    def _has_more(self) -> bool:
        secured = isinstance(self._socket, ssl.SSLSocket) and self._socket.pending() > 0
        return secured or bool(self._inner.get_extra_info("is_readable"))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._is_unread = True
        self._inner.write(buffer, timeout)

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore2.NetworkStream:
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, timeout), self._note)

    def get_extra_info(self, info: str) -> Any:
        if info == UNREAD:
            return self._is_unread
        return self._inner.get_extra_info(info)
