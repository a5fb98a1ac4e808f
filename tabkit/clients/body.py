"""The bytes of an answer as they come: in long turns, and no more than are wanted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import httpcore2
import httpx2

from tabkit.clients.origin import shown
from tabkit.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CHUNK: Final = 1 << 19
_LONG: Final = 8 << 20  # bytes of a body for which another connection is no matter


class Body(httpx2.SyncByteStream):
    """The body as the response wants it; the rest of a long one straight from the connection.

    The library copies each byte three times. Once it has told that so many bytes follow, and has
    given all that came with the head, there is nothing left in them for it to understand; such a
    connection serves no second request.
    """

    def __init__(self, answer: httpcore2.Response, timeouts: Mapping[str, float | None]) -> None:
        self._answer, self._timeout = answer, timeouts["read"]

    def __iter__(self) -> Iterator[bytes]:
        chunks = self._answer.iter_stream()
        left = _long(self._answer)
        if not left:
            yield from chunks
            return
        connection = self._answer.extensions["network_stream"]
        chunk = next(chunks, b"")
        while chunk:
            yield chunk
            left -= len(chunk)
            if not left:
                return
            chunk = connection.read(min(left, _CHUNK), self._timeout)
        raise httpcore2.RemoteProtocolError("the body ends early")

    def close(self) -> None:
        """Give the connection back, or end it if there is more on it."""
        self._answer.close()


def _long(answer: httpcore2.Response) -> int:
    """Give the length of a body that is worth a connection, 0 of any other."""
    headers = {name.lower(): value for name, value in answer.headers}
    length = headers.get(b"content-length", b"")
    if b"transfer-encoding" in headers or not length.isdigit() or int(length) < _LONG:
        return 0
    return int(length)


def capped(response: httpx2.Response, limit: int, *, strict: bool = True) -> Iterator[bytes]:
    """Read a body that must be small.

    Raises:
        FetchError: It is not, and ``strict``.
    """
    left = limit
    for chunk in response.iter_raw():
        left -= len(chunk)
        if left < 0:
            if strict:
                raise FetchError(
                    f"the answer is larger than {limit >> 20} MiB", shown(str(response.url))
                )
            return
        yield chunk
