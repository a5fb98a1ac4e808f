"""Redirects, credentials, private networks, proxies, certificates: what must never happen."""

from __future__ import annotations

import base64
import contextlib
import ipaddress
import logging
import socket
import socketserver
import threading
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from tabkit.clients.credentials import Credential, Secret
from tabkit.clients.http import Http, redirected
from tabkit.clients.model import Request
from tabkit.clients.network import Dialer, Reach, connect, reach_of
from tabkit.clients.origin import base_of, origin_of, shown
from tabkit.errors import AccessError, FetchError
from tests.clients.servers.raw import Raw, serve
from tests.clients.servers.sockets import listening, pump, tls_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import httpcore2

SECRET = "s3cr3t-t0ken-0123456789"
PUBLIC = "93.184.216.34"  # never dialled: the connector puts it on loopback


@pytest.fixture
def first() -> Iterator[Raw]:
    with serve(Raw({"/a": b"first"})) as server:
        yield server


@pytest.fixture
def second() -> Iterator[Raw]:
    with serve(Raw({"/a": b"second"})) as server:
        yield server


def signed_in(http: Http, raw: Raw) -> Http:
    headers = {"X-Dataverse-key": SECRET, "Authorization": f"Bearer {SECRET}"}
    http.bind(Credential(origin_of(raw.address), lambda: headers), [SECRET])
    return http


def get(http: Http, url: str, **changes: Any) -> bytes:
    with http.open(Request(url, **changes), (200, 206)) as response:
        return response.read()


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("form", ["{0}/a", "//{1}/a", "http://user:pw@{1}/a"])
def test_a_credential_stays_with_its_origin(
    first: Raw, second: Raw, status: int, form: str
) -> None:
    """Another port is another origin; what the second one got is read at its socket."""
    first.fault = lambda _: f"redirect {status} " + form.format(second.address, second.address[7:])
    with signed_in(Http(), first) as http:
        request = {"headers": {"Range": "bytes=0-", "X-Own": "1"}}
        assert get(http, f"{first.address}/a", **request) == b"second"
    assert SECRET.encode() in first.seen
    assert b"range: bytes=0-" in second.seen.lower()
    for word in (SECRET.encode(), b"authorization", b"x-own", b"cookie", b"referer", b"user:pw"):
        assert word not in second.seen.lower()


def test_there_and_back_again(first: Raw, second: Raw) -> None:
    """A chain that has left the origin does not get its credential back."""
    second.fault = lambda _: f"redirect {first.address}/a"
    first.fault = lambda asked: "" if asked.target == "/a" else f"redirect {second.address}/b"
    with signed_in(Http(), first) as http:
        assert get(http, f"{first.address}/start") == b"first"
    assert SECRET in first.asked[0].headers["authorization"]
    assert "authorization" not in first.asked[1].headers


def test_redirects_end(first: Raw) -> None:
    first.fault = lambda _: "redirect /again"
    with Http() as http, pytest.raises(FetchError, match="more than 5 redirects"):
        get(http, f"{first.address}/a")
    assert len(first.asked) == 6


@pytest.mark.parametrize(
    ("location", "message"),
    [
        ("http://a.example/x", "from https to http"),
        ("file:///etc/passwd", "outside http"),
        ("gopher://a.example/", "outside http"),
        ("javascript:alert(1)", "outside http"),
    ],
)
def test_redirects_that_are_not_followed(location: str, message: str) -> None:
    with pytest.raises(FetchError, match=message):
        redirected(Request("https://a.example/"), location, 302)


def test_a_body_is_not_sent_elsewhere() -> None:
    asked = Request("https://a.example/o/token/", "POST", body=b"password=x")
    with pytest.raises(FetchError, match="would send data"):
        redirected(asked, "https://b.example/", 307)
    assert redirected(asked, "https://b.example/", 303).body is None


@pytest.mark.parametrize(
    ("address", "reach"),
    [
        (PUBLIC, Reach.GLOBAL),
        ("2606:2800:220:1::1", Reach.GLOBAL),
        ("10.0.0.1", Reach.PRIVATE),
        ("192.168.1.1", Reach.PRIVATE),
        ("100.64.0.1", Reach.PRIVATE),
        ("fd00::1", Reach.PRIVATE),
        ("127.0.0.1", Reach.LOOPBACK),
        ("127.8.8.8", Reach.LOOPBACK),
        ("::1", Reach.LOOPBACK),
        ("::ffff:127.0.0.1", Reach.LOOPBACK),
        ("64:ff9b::7f00:1", Reach.LOOPBACK),
        ("2002:7f00:1::", Reach.LOOPBACK),
        ("::ffff:10.0.0.1", Reach.PRIVATE),
        ("169.254.169.254", Reach.FORBIDDEN),
        ("fe80::1%eth0", Reach.FORBIDDEN),
        ("0.0.0.0", Reach.FORBIDDEN),
        ("::", Reach.FORBIDDEN),
        ("224.0.0.1", Reach.FORBIDDEN),
        ("255.255.255.255", Reach.FORBIDDEN),
    ],
)
def test_how_far_inside_an_address_lies(address: str, reach: Reach) -> None:
    assert reach_of(address) is reach


class World:
    """Names and addresses of a small internet, all of it on one loopback server."""

    def __init__(self, port: int, names: dict[str, Callable[[], list[str]]]) -> None:
        self.port, self.names = port, names
        self.dialled: list[str] = []

    def dialer(self) -> Dialer:
        """Give the way into this internet."""
        return Dialer(self._resolve, self._connect)

    def _resolve(self, host: str, _: int) -> list[str]:
        if host in self.names:
            return self.names[host]()
        with contextlib.suppress(ValueError):
            return [str(ipaddress.ip_address(host))]
        raise OSError("no such name")

    def _connect(self, address: str, _: int, timeout: float | None) -> httpcore2.NetworkStream:
        self.dialled.append(address)
        return connect("127.0.0.1", self.port, timeout)


@pytest.mark.parametrize(
    ("start", "target", "followed"),
    [
        (PUBLIC, PUBLIC, True),
        (PUBLIC, "10.0.0.5", False),
        (PUBLIC, "127.0.0.1", False),
        (PUBLIC, "169.254.169.254", False),
        (PUBLIC, "::ffff:127.0.0.1", False),
        ("10.0.0.1", "10.0.0.5", True),
        ("10.0.0.1", PUBLIC, True),
        ("10.0.0.1", "127.0.0.1", False),
        ("10.0.0.1", "169.254.169.254", False),
        ("127.0.0.1", "127.0.0.1", True),
        ("127.0.0.1", "169.254.169.254", False),
    ],
)
def test_an_answer_never_leads_inwards(first: Raw, start: str, target: str, followed: bool) -> None:
    """Judged where the connection would open: nothing forbidden is dialled."""
    port = int(first.address.rpartition(":")[2])
    world = World(port, {"named.example": lambda: [start], "other.example": lambda: [target]})
    first.fault = lambda a: "" if a.target == "/a" else "redirect http://other.example:81/a"
    with Http(dialer=world.dialer()) as http:
        if followed:
            assert get(http, "http://named.example/start") == b"first"
            return
        with pytest.raises(FetchError, match="private network"):
            get(http, "http://named.example/start")
    assert world.dialled == [start]


@pytest.mark.parametrize("text", ["127.1", "2130706433", "0x7f.1", "017700000001", "localhost"])
def test_odd_spellings_of_loopback(first: Raw, text: str) -> None:
    """Whatever the system's resolver makes of them is judged, not the spelling."""
    from tabkit.clients.network import resolve

    port = int(first.address.rpartition(":")[2])
    world = World(port, {"named.example": lambda: [PUBLIC]})
    dialer = Dialer(
        lambda h, p: [PUBLIC] if h == "named.example" else resolve(h, p), world._connect
    )
    first.fault = lambda a: "" if a.target == "/a" else f"redirect http://{text}:81/a"
    with Http(dialer=dialer) as http, pytest.raises(FetchError, match=r"private network|no answer"):
        get(http, "http://named.example/start")
    assert world.dialled == [PUBLIC]


def test_a_name_that_changes_its_address(first: Raw) -> None:
    """DNS rebinding: what was judged is what is dialled, and there is no second look-up."""
    port = int(first.address.rpartition(":")[2])
    answers = iter([[PUBLIC], ["127.0.0.1"], ["127.0.0.1"]])
    looked = []

    def rebinding() -> list[str]:
        looked.append(1)
        return next(answers)

    world = World(port, {"named.example": lambda: [PUBLIC], "evil.example": rebinding})
    first.fault = lambda a: "" if a.target == "/a" else "redirect http://evil.example:81/a"
    with Http(dialer=world.dialer()) as http:
        assert get(http, "http://named.example/start") == b"first"
        assert (world.dialled, looked) == ([PUBLIC, PUBLIC], [1])
    with Http(dialer=world.dialer()) as http, pytest.raises(FetchError, match="private network"):
        get(http, "http://named.example/start")
    assert world.dialled == [PUBLIC] * 3


def test_an_open_connection_does_not_help(first: Raw) -> None:
    """A private server that the user named is not lent to an outside one."""
    port = int(first.address.rpartition(":")[2])
    world = World(port, {"in.example": lambda: ["10.0.0.1"], "out.example": lambda: [PUBLIC]})
    first.fault = lambda a: "" if a.target == "/a" else "redirect http://in.example/a"
    with Http(dialer=world.dialer()) as http:
        assert get(http, "http://in.example/a") == b"first"
        with pytest.raises(FetchError, match="private network"):
            get(http, "http://out.example/start")
    with Http(dialer=world.dialer(), allow_private=["in.example"]) as http:
        assert get(http, "http://out.example/start") == b"first"


def test_what_is_shown_has_no_secrets(first: Raw, caplog: pytest.LogCaptureFixture) -> None:
    """Errors, the debug log of every library, and representations."""
    caplog.set_level(logging.DEBUG)
    url = f"{first.address}/nowhere?key={SECRET}&X-Amz-Signature={SECRET}&format=tab"
    with signed_in(Http(), first) as http, pytest.raises(FetchError) as caught:
        get(http, url.replace("//", f"//user:{SECRET}@"))
    first.fault = lambda _: f"redirect /a?token={SECRET}"
    with signed_in(Http(), first) as http, pytest.raises(FetchError):
        get(http, f"{first.address}/x")
    assert "format=tab" in str(caught.value)
    assert "httpcore2" in {record.name.partition(".")[0] for record in caplog.records}
    secret = Secret("dataverse", "https://a.example:443", {"token": SECRET})
    shown_all = [str(caught.value), repr(caught.value.args), caplog.text, repr(secret)]
    shown_all += [repr(Request("https://a.example/", headers={"K": SECRET}))]
    shown_all += [shown(url), repr(Credential("o", lambda: {"k": SECRET}))]
    assert SECRET not in "\n".join(shown_all)


def test_a_header_that_cannot_be_sent_is_not_quoted(first: Raw) -> None:
    """Nor in the errors behind the error, which a traceback shows."""
    with Http() as http:
        http.bind(Credential(origin_of(first.address), lambda: {"Authorization": f"{SECRET} "}))
        with pytest.raises(FetchError) as caught:
            get(http, f"{first.address}/a")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "host", ["127.1", "0x7f.1", "2130706433", "[::1]", "127.0.0.1.", "LOCALHOST.", "0", "10.1"]
)
def test_a_proxy_is_not_asked_for_private_places(
    first: Raw, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """However an address is spelt: the proxy would resolve it, and may lie in that network."""
    monkeypatch.setenv("HTTP_PROXY", first.address)
    monkeypatch.setenv("http_proxy", first.address)
    dialer = Dialer(lambda *_: ["127.0.0.1"])
    with Http(dialer=dialer) as http, pytest.raises(FetchError, match="private network"):
        get(http, f"http://{host}:9/a", named=False)
    assert not first.asked


def test_a_server_that_echoes_the_token(first: Raw) -> None:
    first.files = {}
    with signed_in(Http(), first) as http, pytest.raises(FetchError) as caught:
        get(http, f"{first.address}/{SECRET}")
    assert SECRET not in str(caught.value)


def test_a_proxy_is_used(first: Raw, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment's proxy gets the request; NO_PROXY and loopback go straight."""
    first.files["http://far.example/a"] = b"by proxy"
    monkeypatch.setenv("HTTP_PROXY", first.address)
    monkeypatch.setenv("http_proxy", first.address)
    with Http() as http:
        assert get(http, "http://far.example/a") == b"by proxy"
        assert get(http, f"{first.address}/a") == b"first"
        with pytest.raises(FetchError, match="private network"):
            get(http, "http://10.0.0.1/a", named=False)


def test_private_authorities(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server with a certificate of one's own authority: refused, unless that is named."""
    with tls_server(tmp_path, "localhost") as port:
        url = f"https://localhost:{port}/"
        with Http() as http, pytest.raises(FetchError, match="certificate"):
            get(http, url)
        for name in ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"):
            monkeypatch.setenv(name, str(tmp_path / "ca.pem"))
            with Http() as http:
                assert get(http, url) == b"ok"
            monkeypatch.delenv(name)


def test_a_tunnel_shows_the_proxy_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """HTTPS_PROXY: the proxy gets CONNECT and its own password, the server's token goes inside."""
    asked: list[bytes] = []
    with tls_server(tmp_path, "far.example") as port:

        class Proxy(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                asked.append(self.request.recv(4096))
                self.request.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                with socket.create_connection(("127.0.0.1", port)) as server:
                    ways = [(self.request, server), (server, self.request)]
                    threads = [threading.Thread(target=pump, args=way) for way in ways]
                    for thread in threads:
                        thread.start()
                    for thread in threads:
                        thread.join()

        with listening(Proxy) as proxy:
            for name in ("HTTPS_PROXY", "https_proxy"):
                monkeypatch.setenv(name, f"http://user:proxy-pw@127.0.0.1:{proxy}")
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
            with Http() as http:
                headers = {"Authorization": SECRET}
                http.bind(Credential("https://far.example:443", lambda: headers))
                assert get(http, "https://far.example/a") == b"ok"
    assert asked[0].startswith(b"CONNECT far.example:443 ")
    assert base64.b64encode(b"user:proxy-pw") in asked[0]
    assert SECRET.encode() not in b"".join(asked)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}\\@127.0.0.1:{port}/a",
        "http://127.0.0.1:{port}%2f@evil.example/a",
        "http://evil.example\\@127.0.0.1:{port}/a",
        "http://ⅼocalhost:{port}/a",
        "http://127.0.0.1:{port}#@evil.example/a",
    ],
)
def test_an_address_that_reads_in_two_ways(first: Raw, url: str) -> None:
    """Either both parsers mean the same host, or nothing is sent."""
    port = int(first.address.rpartition(":")[2])
    world = World(port, {})
    url = url.replace("{port}", str(port))
    with signed_in(Http(dialer=world.dialer()), first) as http, contextlib.suppress(FetchError):
        get(http, url)
    assert set(world.dialled) <= {"127.0.0.1"}
    assert all(a.headers["host"].startswith("127.0.0.1:") for a in first.asked)


def test_addresses() -> None:
    assert origin_of("HTTPS://A.Example./x") == "https://a.example:443"
    assert origin_of("http://[::1]:80/") == "http://[::1]:80"
    assert base_of("a.example/sub/") == "https://a.example/sub"
    for wrong in ("ftp://a", "https://", "nonsense://x"):
        with pytest.raises(ValueError, match="not an http"):
            origin_of(wrong)


def test_refused_without_and_with_credential(first: Raw) -> None:
    first.fault = lambda _: "status 403"
    with Http() as http, pytest.raises(AccessError, match="tabkit login"):
        get(http, f"{first.address}/a")
    with signed_in(Http(), first) as http, pytest.raises(AccessError, match="not accepted or"):
        get(http, f"{first.address}/a")
