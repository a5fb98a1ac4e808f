"""The one place where requests are sent: redirects by own rule, credentials by origin, retries."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import logging
import threading
import time
import zlib
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

import httpcore2
import httpx2

from tabkit import __version__
from tabkit.clients.body import Body, capped
from tabkit.clients.network import UNREAD, Dialer, Reach, inward, reach_by_name
from tabkit.clients.origin import origin_of, plain, shown, shown_server
from tabkit.clients.pools import new_pool, proxy_for
from tabkit.clients.retry import AgainError, refusal, tries
from tabkit.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tabkit.clients.credentials import Credential
    from tabkit.clients.model import Request

_log: Final = logging.getLogger("tabkit.clients")
_HOPS: Final = 5
_REDIRECTS: Final = frozenset((301, 302, 303, 307, 308))
_KEPT: Final = frozenset(("range", "if-range", "accept", "accept-encoding"))
_JSON_BYTES: Final = 256 << 20
_ERROR_BYTES: Final = 1 << 16
_TIMEOUTS: Final = {"connect": 20.0, "read": 60.0, "write": 60.0, "pool": 120.0}
_PASSING: Final = (
    httpcore2.NetworkError,
    httpcore2.TimeoutException,
    httpcore2.ProtocolError,
    httpcore2.ProxyError,
)


class Http:
    """Sends requests; holds connections and credentials until it is closed.

    Args:
        jobs: Most connections open at the same time, for each scheme and proxy or none.
        allow_private: Hosts that may be reached wherever they lie, though a server named them.
        dialer: Opens connections.
        timeouts: Seconds for ``connect``, ``read``, ``write``.
        system: Name of the adapter, for the command that a refusal proposes.
    """

    def __init__(
        self,
        *,
        jobs: int = 4,
        allow_private: Iterable[str] = (),
        dialer: Dialer | None = None,
        timeouts: Mapping[str, float | None] = _TIMEOUTS,
        system: str = "SYSTEM",
    ) -> None:
        self._dialer = dialer or Dialer()
        self._jobs, self._timeouts, self._system = jobs, {**_TIMEOUTS, **timeouts}, system
        self._private = frozenset(host.lower() for host in allow_private)
        self._pools: dict[tuple[str, str], httpcore2.ConnectionPool] = {}
        self._credentials: dict[str, Credential] = {}
        self._secrets: tuple[str, ...] = ()
        self._pauses: dict[str, float] = {}
        self._lock = threading.Lock()
        self._ending = threading.Event()

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        for pool in self._pools.values():
            pool.close()

    def bind(self, credential: Credential, secrets: Iterable[str] = ()) -> None:
        """Use a credential for its origin, and hide its secrets in whatever is shown."""
        self._credentials[credential.origin] = credential
        self.bind_secrets(secrets)

    def bind_secrets(self, secrets: Iterable[str]) -> None:
        """Hide further secrets in whatever is shown."""
        self._secrets = (*self._secrets, *(s for s in secrets if s))

    def knows(self, url: str) -> bool:
        """Tell whether there is a credential for this address."""
        return origin_of(url) in self._credentials

    def passports(self, url: str) -> tuple[str, ...]:
        """Give the passports that the server of this address may see."""
        credential = self._credentials.get(origin_of(url))
        return credential.passports if credential else ()

    def hide(self, text: str) -> str:
        """Take secrets out of a text."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        return plain(text)

    def hang_up(self) -> None:
        """End all transfers and waits at once."""
        self._ending.set()
        self._dialer.hang_up()

    def rest(self, seconds: float) -> None:
        """Wait, unless an interrupt ends it.

        Raises:
            FetchError: It did.
        """
        if self._ending.wait(seconds):
            raise FetchError("interrupted")

    @property
    def jobs(self) -> int:
        """Most connections at the same time."""
        return self._jobs

    @property
    def ending(self) -> bool:
        """Whether `hang_up` was called."""
        return self._ending.is_set()

    @contextlib.contextmanager
    def open(self, request: Request, accept: Iterable[int] = (200,)) -> Iterator[httpx2.Response]:
        """Send a request, follow redirects, give the answer's head; its body is still to come.

        Args:
            request: What to send.
            accept: Status codes that are no failure.

        Raises:
            AgainError: It failed for now.
            AccessError: It is refused without a credential, or with this one.
            FetchError: Any other failure, and redirects that are not followed.
        """
        try:
            origin_of(request.url)
        except ValueError:
            raise FetchError("not an http address, not followed", shown(request.url)) from None
        response, sent_to, signed_in = self._follow(request)
        try:
            if response.status_code not in accept:
                body = b"".join(capped(response, _ERROR_BYTES, strict=False))
                login = f"tabkit login {self._system} --server {shown_server(request.url)}"
                status, headers = response.status_code, response.headers
                error = refusal(status, headers, body, sent_to, "" if signed_in else login)
                error.reason, error.what = self.hide(error.reason), self.hide(error.what)
                error.args = (error.reason, error.what, error.hint)
                self._pause(sent_to, error)
                raise _maybe_expired(error, request, sent_to, response.status_code)
            yield response
        except _PASSING as error:
            text = self.hide(f"the connection broke: {error}")
            raise AgainError(text, shown(sent_to), "try again") from error
        finally:
            response.close()

    def json(self, request: Request, accept: Iterable[int] = (200,)) -> Any:
        """Send a request and read its JSON; what changes nothing is tried again.

        Raises:
            FetchError: As `open`, or the answer is no JSON.
        """
        if request.method not in {"GET", "OPTIONS"} and not self.passports(request.url):
            return self._json(request, accept)
        for attempt in tries():
            with attempt:
                return self._json(request, accept)
        raise AssertionError  # tries() either ends by return or raises

    def _json(self, request: Request, accept: Iterable[int]) -> Any:
        headers = {"Accept": "application/json", **request.headers}
        asked = dataclasses.replace(request, headers=headers)
        with self.open(asked, accept) as response:
            body = b"".join(capped(response, _JSON_BYTES))
            if "gzip" in response.headers.get("content-encoding", ""):
                body = _unpacked(body, request.url)
        if not body.strip():
            return None
        try:
            return json.loads(body)
        except (ValueError, RecursionError):
            where, hint = shown(request.url), "is this address right?"
            raise FetchError("the answer is not JSON", where, hint) from None

    def _follow(self, request: Request) -> tuple[httpx2.Response, str, bool]:
        """Send, and send on along redirects; give the answer, its address, whether signed in."""
        least = Reach.FORBIDDEN if request.named else self._reach(request.inside)
        for _ in range(_HOPS + 1):
            response, signed_in = self._send_signed(request, least)
            location = response.headers.get("location")
            if response.status_code not in _REDIRECTS or not location:
                return response, request.url, signed_in
            response.close()
            least = max(least, self._reach(request.url), Reach.LOOPBACK)
            request = redirected(request, location, response.status_code)
        raise FetchError(f"more than {_HOPS} redirects", shown(request.url))

    def _send_signed(self, request: Request, least: Reach) -> tuple[httpx2.Response, bool]:
        credential = self._credentials.get(origin_of(request.url)) if request.auth else None
        if credential is None:
            return self._send(request, request.headers, least), False
        used = credential.headers()
        response = self._send(request, {**request.headers, **used}, least)
        if response.status_code == 401 and credential.renew is not None:  # noqa: PLR2004
            response.close()  # first: the new token may need this very connection
            credential.renew(used)
            headers = {**request.headers, **credential.headers()}
            response = self._send(request, headers, least)
        return response, True

    def _send(self, request: Request, headers: Mapping[str, str], least: Reach) -> httpx2.Response:
        sent = _outgoing(request, headers)
        origin = _one_origin(sent.url, request.url)
        host, _, port = origin.partition("://")[2].rpartition(":")
        if host in self._private:
            least = Reach.FORBIDDEN
        pool = self._pool(sent.url.scheme, host.strip("[]"), int(port), least)
        self._wait(origin)
        try:
            answer = pool.handle_request(_for_core(sent, self._timeouts))
        except httpcore2.LocalProtocolError:  # it quotes what is wrong, which may be a secret
            raise FetchError("this cannot be sent as a request", shown(request.url)) from None
        except _PASSING as error:
            raise self._no_answer(request.url, error) from error
        if answer.extensions["network_stream"].get_extra_info(UNREAD):
            answer.close()
            reason = "the server had sent more than it announced"
            raise AgainError(reason, shown(request.url), "try again")
        _log.debug("%s %s -> %s", request.method, self.hide(shown(request.url)), answer.status)
        return httpx2.Response(
            answer.status,
            headers=answer.headers,
            stream=Body(answer, self._timeouts),
            request=sent,
        )

    def _no_answer(self, url: str, error: Exception) -> FetchError:
        where, text = self.hide(shown(url)), self.hide(f"no answer: {error}")
        if "CERTIFICATE_VERIFY_FAILED" in text:
            return FetchError(text, where, "SSL_CERT_FILE may name a private authority")
        return AgainError(text, where, "try again")

    def _pool(self, scheme: str, host: str, port: int, least: Reach) -> httpcore2.ConnectionPool:
        """Give the pool for this host: its proxy's, if the environment names one."""
        proxy = proxy_for(scheme, host)
        if not proxy:
            self._dialer.check(host, port, least)
        elif reach_by_name(host) < least:
            raise inward(host)
        with self._lock:
            kind = (scheme, proxy)
            if kind not in self._pools:
                secured = scheme == "https"
                self._pools[kind] = new_pool(proxy, self._dialer, self._jobs, secured=secured)
            return self._pools[kind]

    def _pause(self, url: str, error: FetchError) -> None:
        """Remember that a server asked to be left alone; every thread waits, not only this one."""
        if isinstance(error, AgainError) and error.wait:
            self._pauses[origin_of(url)] = time.monotonic() + error.wait

    def _wait(self, origin: str) -> None:
        while (left := self._pauses.get(origin, 0.0) - time.monotonic()) > 0:
            if self._ending.wait(left):
                break
        if self._ending.is_set():
            raise FetchError("interrupted", origin)

    def _reach(self, url: str) -> Reach:
        """Tell how far inside a server lies; one that is not known counts as outside."""
        if not url:
            return Reach.GLOBAL
        origin = urlsplit(origin_of(url))
        found = self._dialer.reached(origin.hostname or "", origin.port or 0)
        return Reach.GLOBAL if found is None else found


def _maybe_expired(error: FetchError, request: Request, sent_to: str, status: int) -> FetchError:
    """Try again where an address that was made for a while is refused: it may have expired."""
    temporary = request.temporary or origin_of(sent_to) != origin_of(request.url)
    if not temporary or status not in {400, 401, 403, 410}:
        return error
    return AgainError(error.reason, error.what, "the address may have expired; try again")


def _unpacked(body: bytes, url: str) -> bytes:
    unpacker = zlib.decompressobj(wbits=47)
    try:
        found = unpacker.decompress(body, _JSON_BYTES)
    except zlib.error:
        raise AgainError("the answer cannot be unpacked", shown(url), "try again") from None
    if unpacker.unconsumed_tail:
        raise FetchError(f"the answer is larger than {_JSON_BYTES >> 20} MiB", shown(url))
    if not unpacker.eof:
        raise AgainError("the answer ends early", shown(url), "try again")
    return found


def redirected(request: Request, location: str, status: int) -> Request:
    """Give the request that a redirect asks for, with nothing that another origin may not see.

    Raises:
        FetchError: It leaves HTTP, or goes from https to http, or would send a body elsewhere.
    """
    try:
        url = urljoin(request.url, location).partition("#")[0]
        before, after = origin_of(request.url), origin_of(url)
    except ValueError:
        text = "a redirect leads outside http, not followed"
        raise FetchError(text, shown(request.url)) from None
    if before.startswith("https:") and after.startswith("http:"):
        raise FetchError("a redirect leads from https to http, not followed", shown(url))
    parts = urlsplit(url)
    url = parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl()
    same = before == after
    method, body = request.method, request.body
    if status in {301, 302, 303} and method != "HEAD":
        method, body = "GET", None
    if body is not None and not same:
        raise FetchError("a redirect would send data to another server, not followed", shown(url))
    kept = {k: v for k, v in request.headers.items() if same or k.lower() in _KEPT}
    return dataclasses.replace(
        request, url=url, method=method, headers=kept, body=body, auth=request.auth and same
    )


def _outgoing(request: Request, headers: Mapping[str, str]) -> httpx2.Request:
    """Make the library's request.

    Raises:
        FetchError: The address cannot be sent.
    """
    own = {"User-Agent": f"tabkit/{__version__}", "Accept-Encoding": "identity"}
    try:
        return httpx2.Request(
            request.method, request.url, headers={**own, **headers}, content=request.body
        )
    except (httpx2.InvalidURL, ValueError, TypeError):
        raise FetchError("this cannot be sent as a request", shown(request.url)) from None


def _one_origin(url: httpx2.URL, text: str) -> str:
    """Give the origin of an address on which both parsers agree: credentials go by it.

    Raises:
        FetchError: They do not, so that it could be checked as one and sent to another.
    """
    port = url.port or {"https": 443}.get(url.scheme, 80)
    host = url.raw_host.decode("ascii").rstrip(".").strip("[]").lower()
    used = f"{url.scheme}://{f'[{host}]' if ':' in host else host}:{port}"
    if used != origin_of(text):
        raise FetchError("this address can be read in two ways, not followed", shown(text))
    return used


def _for_core(sent: httpx2.Request, timeouts: Mapping[str, Any]) -> httpcore2.Request:
    return httpcore2.Request(
        sent.method,
        httpcore2.URL(
            scheme=sent.url.raw_scheme,
            host=sent.url.raw_host,
            port=sent.url.port,
            target=sent.url.raw_path,
        ),
        headers=sent.headers.raw,
        content=sent.read(),
        extensions={"timeout": timeouts},
    )
