"""Databrary: listed, downloaded in two steps, renewed, refused without credentials."""

from __future__ import annotations

import json
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

import tabkit.clients
from tabkit.clients import repository
from tabkit.clients.adapters import understand
from tabkit.clients.http import Http
from tabkit.errors import AccessError, FetchError, UsageError
from tests.clients.servers import databrary as server_module
from tests.clients.servers.asgi import Running, run
from tests.clients.servers.databrary import AGENT, CLIENT, PASSWORD, SECRET, Databrary
from tests.clients.servers.raw import Raw, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

VIDEO = random.Random(3).randbytes(200_000)
SECRETS = (AGENT, SECRET, PASSWORD)


@pytest.fixture
def site() -> Databrary:
    session = {101: ("v1.mp4", VIDEO), 102: ("v2.mp4", b"two"), 103: ("../v3.mp4", b"three")}
    return Databrary({2: session, 4: {104: ("v1.mp4", b"four")}}, {3: {105: ("notes.txt", b"n")}})


@pytest.fixture
def server(site: Databrary) -> Iterator[Running]:
    with run(site.app()) as running:
        yield running


@pytest.fixture
def user(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABKIT_DATABRARY_SERVER", server.address)
    names = ("CLIENT_ID", "CLIENT_SECRET", "USER_AGENT", "USERNAME", "PASSWORD")
    for name, value in zip(names, (CLIENT, SECRET, AGENT, "a@b.c", PASSWORD), strict=True):
        monkeypatch.setenv(f"DATABRARY_{name}", value)


def fetch(server: Running, folder: Path, what: str, **choices: Any) -> dict[str, Any]:
    with tabkit.clients.open(what, server=server.address, **choices) as found:
        return {each.entry.path: each for each in found.download(folder)}


@pytest.mark.parametrize(
    ("text", "identifier"),
    [
        ("databrary:volume/1", "/volumes/1"),
        ("databrary:volume/1/session/2", "/volumes/1/sessions/2"),
        ("https://databrary.org/volume/1/folder/3", "/volumes/1/folders/3"),
        ("https://nyu.databrary.org/volume/1/slot/2/", "/volumes/1/sessions/2"),
        ("https://api.databrary.org/volumes/1/sessions/2/files/", "/volumes/1/sessions/2"),
    ],
)
def test_names(text: str, identifier: str) -> None:
    ref = understand(text)
    assert (ref.system, ref.server, ref.id) == (
        "databrary",
        "https://api.databrary.org",
        identifier,
    )
    with pytest.raises(UsageError):
        understand("databrary:nonsense")


@pytest.mark.usefixtures("user")
def test_a_volume(tabkit_: Callable[..., Any], server: Running, tmp_path: Path) -> None:
    """All sessions and folders, page by page; a name from the server stays in its folder."""
    volume = ("databrary:volume/1", "--server", server.address)
    rows = json.loads(tabkit_("fetch", *volume, "--list", "--json").stdout)
    assert [row["id"] for row in rows] == ["101", "102", "103", "104", "105"]
    done = tabkit_("fetch", *volume, "-o", tmp_path, "--debug")
    assert (tmp_path / "session-2/v1.mp4").read_bytes() == VIDEO
    assert (tmp_path / "session-2/v3.mp4").read_bytes() == b"three"
    assert (tmp_path / "session-4/v1.mp4").read_bytes() == b"four"
    assert (tmp_path / "folder-3/notes.txt").read_bytes() == b"n"
    assert not [each for each in SECRETS if each in done.stdout + done.stderr]
    done = tabkit_("fetch", "databrary:volume/1/session/2/file/102", *volume[1:], "-o", "-")
    assert done.stdout == "two"


@pytest.mark.usefixtures("user")
def test_all_volumes(tabkit_: Callable[..., Any], server: Running, tmp_path: Path) -> None:
    """A record of each that the user may see, over all pages."""
    there = ("--server", server.address)
    rows = json.loads(tabkit_("fetch", "databrary:volumes", *there, "--list", "--json").stdout)
    assert [(row["id"], row["title"]) for row in rows] == [
        ("1", "Volume 1"),
        ("2", "Volume 2"),
        ("3", "Volume 3"),
    ]
    tabkit_("fetch", "databrary:volumes", *there, "--only", "*2*", "-o", tmp_path)
    assert json.loads((tmp_path / "volume-2.json").read_text())["id"] == 2


@pytest.mark.usefixtures("user")
def test_the_store_sees_nothing(site: Databrary, server: Running, tmp_path: Path) -> None:
    """Neither token nor user agent goes to the address that the server names; it may expire."""
    with serve(Raw({"/bytes/101": VIDEO})) as store:
        site.store = store.address
        faults = ["cut 50", "status 403"]
        store.fault = lambda _: faults.pop(0) if faults else ""
        done = fetch(server, tmp_path, "databrary:volume/1/session/2/file/101")
        assert done["v1.mp4"].verified == "digest"
        assert store.asked[-1].range_start
        for word in (AGENT.encode(), b"authorization", b"bearer", *map(str.encode, site.tokens)):
            assert word not in store.seen.lower()


@pytest.mark.usefixtures("user")
def test_tokens_are_renewed(site: Databrary, server: Running, tmp_path: Path) -> None:
    """A refresh after a 401 in mid-way, a new sign-in when that fails."""
    with tabkit.clients.open("databrary:volume/1", server=server.address) as found:
        entries = list(found.entries())
        site.tokens = set()
        assert not [d.error for d in found.download(tmp_path / "a", entries) if d.error]
        site.tokens, site.refresh = set(), set()
        assert not [d.error for d in found.download(tmp_path / "b", entries) if d.error]
    assert site.grants[:2] == ["password", "refresh_token"]
    assert site.grants[-1] == "password"
    site.throttled = 2
    assert not [
        d.error for d in fetch(server, tmp_path / "c", "databrary:volume/1").values() if d.error
    ]


def test_client_credentials_grant(
    site: Databrary, server: Running, tmp_path: Path, user: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABRARY_USERNAME")
    monkeypatch.delenv("DATABRARY_PASSWORD")
    assert fetch(server, tmp_path, "databrary:volume/1/folder/3")["notes.txt"].error is None
    assert site.grants == ["client_credentials"]


def test_refused(
    server: Running, tmp_path: Path, user: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without credentials, without agent, with a wrong password: told, and nothing quoted."""
    monkeypatch.setenv("DATABRARY_PASSWORD", "wrong-password-1")
    with pytest.raises(AccessError, match="no token") as caught:
        fetch(server, tmp_path, "databrary:volume/1")
    assert "wrong-password-1" not in str(caught.value)
    monkeypatch.delenv("DATABRARY_USER_AGENT")
    with pytest.raises(AccessError, match="user agent"):
        fetch(server, tmp_path, "databrary:volume/1")
    monkeypatch.delenv("TABKIT_DATABRARY_SERVER")
    with pytest.raises(AccessError, match="approved users"):
        fetch(server, tmp_path, "databrary:volume/1")


@pytest.mark.usefixtures("user")
def test_archives_and_odd_answers(
    tabkit_: Callable[..., Any], site: Databrary, server: Running, tmp_path: Path
) -> None:
    volume = ("databrary:volume/1", "--server", server.address, "-o", tmp_path)
    asked = len(server.seen)
    done = tabkit_("fetch", *volume, "--format", "zip", code=3)
    assert len(server.seen) == asked + 2  # the token, and one question
    assert "task zip-1" in done.stderr
    assert "--format original" in done.stderr
    site.archives = True
    site.sessions = {2: {101: ("v1.mp4", VIDEO)}}
    assert "checksums verified" in tabkit_("fetch", *volume, "--format", "zip").stdout
    with pytest.raises(FetchError, match="404"):
        fetch(server, tmp_path, "databrary:volume/9")
    site.next_page = "https://elsewhere.example/steal"
    with pytest.raises(FetchError, match="another server"):
        fetch(server, tmp_path, "databrary:volume/1")


@pytest.mark.usefixtures("user")
@pytest.mark.parametrize(
    ("form", "ready", "code"), [("zip", 3, 0), ("csv", 3, 0), ("zip", 10**6, 3)]
)
def test_an_archive_is_waited_for(
    tabkit_: Callable[..., Any],
    site: Databrary,
    server: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    form: str,
    ready: int,
    code: int,
) -> None:
    """As long as the user says, and not longer."""
    monkeypatch.setattr(repository, "_ASK_AGAIN", 0.05)
    site.ready_after = ready
    site.sessions = {2: {101: ("v1.mp4", VIDEO)}}
    began = time.monotonic()
    volume = ("databrary:volume/1/session/2", "--server", server.address, "-o", tmp_path / "out")
    limit = "60" if code == 0 else "1"
    done = tabkit_("fetch", *volume, "--format", form, "--wait", limit, code=code)
    assert time.monotonic() - began < 30
    assert ("the archive is being made" in done.stderr) == bool(code)
    assert len(list((tmp_path / "out").iterdir())) == (code == 0)


def test_nothing_is_shipped() -> None:
    """No user agent, client or token of anybody is in the package."""
    assert server_module.AGENT
    with Http() as http:
        assert not http.knows("https://api.databrary.org")
