"""DRS and the 4DN portal: listed, downloaded, resumed, verified, refused without credentials."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import tabkit.clients
from tabkit.clients import drs, repository
from tabkit.clients.adapters import understand
from tabkit.errors import AccessError, FetchError
from tests.clients.servers.asgi import Running, run
from tests.clients.servers.drs import Drs, Portal
from tests.clients.servers.raw import Raw, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BODY = random.Random(2).randbytes(300_000)
FILE = "4DNFIIA7E3HL"


@pytest.fixture
def service() -> Drs:
    return Drs({"one": BODY, "two/b:c": b"two", "three": b"three"})


@pytest.fixture
def server(service: Drs) -> Iterator[Running]:
    with run(service.app()) as running:
        yield running


@pytest.fixture
def portal() -> Portal:
    return Portal({FILE: BODY, "4DNFI0000002": b"second"})


@pytest.fixture
def site(portal: Portal) -> Iterator[Running]:
    with run(portal.app()) as running:
        yield running


@pytest.fixture
def keys(portal: Portal, site: Running, nobody: Path) -> Path:
    file = nobody / "keypairs.json"
    pair = {"key": portal.key, "secret": portal.secret, "server": site.address}
    file.write_text(json.dumps({"default": pair}))
    file.chmod(0o600)
    return file


def fetch(server: Running, folder: Path, what: str, **choices: Any) -> dict[str, Any]:
    with tabkit.clients.open(what, server=server.address, **choices) as found:
        return {each.entry.path: each for each in found.download(folder)}


@pytest.mark.parametrize(
    ("text", "server", "kind", "identifier"),
    [
        ("drs://h.example/abc", "https://h.example", "object", "abc"),
        ("drs://h.example/a%2Fb", "https://h.example", "object", "a/b"),
        (f"drs://h.example/ga4gh/drs/v1/objects/{FILE}", "https://h.example", "object", FILE),
        (f"https://h.example/ga4gh/drs/v1/objects/{FILE}/access/https", "https://h.example",
         "object", FILE),
        (f"drs://h.example/files-processed/{FILE}/@@drs", "https://h.example", "path",
         f"files-processed/{FILE}/@@drs"),
        ("drs://dg.4503:abc/d", "", "compact", "dg.4503:abc/d"),
        ("drs://provider/ns:abc", "", "compact", "provider/ns:abc"),
        ("drs://10.5072:abc", "", "compact", "10.5072:abc"),
    ],
)  # fmt: skip
def test_names(text: str, server: str, kind: str, identifier: str) -> None:
    ref = understand(text)
    assert (ref.system, ref.server, ref.kind, ref.id) == ("drs", server, kind, identifier)


@pytest.mark.parametrize("by_id", [True, False])
@pytest.mark.parametrize("identifier", ["one", "two%2Fb%3Ac"])
def test_one_object(
    service: Drs, server: Running, tmp_path: Path, by_id: bool, identifier: str
) -> None:
    """By address or access id, with the headers that the service wants to see."""
    service.by_id, service.headers = by_id, ["X-Own: 42"]
    (done,) = fetch(server, tmp_path, f"drs://any.example/{identifier}").values()
    assert done.verified == "digest"
    assert done.path.read_bytes() == service.blobs[done.entry.id]


def test_resume_and_delay(service: Drs, server: Running, tmp_path: Path) -> None:
    service.delays = 2
    server.faults[:] = ["cut", "status 503", "status 401"]
    (done,) = fetch(server, tmp_path, "drs://any.example/one").values()
    assert done.verified == "digest"
    assert sum("range: bytes=" in seen for seen in server.seen) >= 2
    server.faults[:] = ["corrupt"] * 4
    (done,) = fetch(server, tmp_path / "b", "drs://any.example/one").values()
    assert isinstance(done.error, FetchError)
    assert not [p for p in (tmp_path / "b").rglob("*") if p.is_file()]


@pytest.mark.parametrize("slow_access", [True, False])
def test_what_is_prepared_for_long(
    tabkit_: Callable[..., Any], service: Drs, server: Running, tmp_path: Path,
    slow_access: bool, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Asked again a few times, then told as not ready; ``--wait`` goes on until it is."""
    service.slow_access, service.by_id, service.delays = slow_access, True, 8
    what = ("fetch", "drs://any.example/one", "--server", server.address, "-o", tmp_path)
    done = tabkit_(*what, code=3)
    assert "still preparing" in done.stderr
    assert "--wait" in done.stderr
    assert service.delays == 2
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]
    monkeypatch.setattr(repository, "_ASK_AGAIN", 0.01)
    service.delays = 20
    tabkit_(*what, "--wait", 600)
    assert (tmp_path / "one").read_bytes() == BODY


def test_the_service_itself(
    tabkit_: Callable[..., Any], service: Drs, server: Running, tmp_path: Path
) -> None:
    """Since 1.2 a service tells what it is, since 1.5 how much it has."""
    there = ("--server", server.address)
    line = tabkit_("fetch", "drs://any.example", *there, "--list").stdout
    assert "service-info.json  DRS 1.5.0, Example store, 1,234 objects" in line
    tabkit_("fetch", f"{server.address}/ga4gh/drs/v1/service-info", "-o", tmp_path)
    assert json.loads((tmp_path / "service-info.json").read_text())["type"]["version"] == "1.5.0"
    service.version = "1.2.0"
    assert "DRS 1.2.0, Example store  " in tabkit_("fetch", "drs://h", *there, "--list").stdout
    with serve(Raw({"/ga4gh/drs/v1/service-info": b'{"type": {"artifact": "beacon"}}'})) as other:
        done = tabkit_("fetch", "drs://h", "--server", other.address, "--list", code=3)
    assert "not the description of a DRS" in done.stderr


def test_bundles_within_bundles(service: Drs, server: Running, tmp_path: Path) -> None:
    service.bundles = {"top": ["one", "inner"], "inner": ["three", "two/b:c"]}
    done = fetch(server, tmp_path, "drs://any.example/top")
    assert sorted(done) == ["top/inner/b:c", "top/inner/three", "top/one"]
    assert (tmp_path / "top/inner/b_c").read_bytes() == b"two"
    service.bundles["inner"] = ["top"]
    with pytest.raises(FetchError, match="contains itself"):
        fetch(server, tmp_path / "b", "drs://any.example/top")


@pytest.mark.parametrize(
    ("auth", "token"),
    [
        ("bearer", "drs-secret"),
        ("basic", "Basic dXNlcjpkcnMtc2VjcmV0"),
        ("passport", "Passport drs-secret"),
    ],
)
@pytest.mark.parametrize("by_id", [True, False])
def test_authorisation(
    service: Drs, server: Running, tmp_path: Path, auth: str, token: str, by_id: bool
) -> None:
    """Refused without, told which kind it takes; another host gets none of it."""
    service.auth, service.by_id = auth, by_id
    with pytest.raises(AccessError, match=f"{auth.capitalize()}Auth"):
        fetch(server, tmp_path, "drs://any.example/one")
    with serve(Raw({"/bytes/one": BODY})) as store:
        service.store = store.address
        (done,) = fetch(server, tmp_path, "drs://any.example/one", token=token).values()
        assert done.verified == "digest"
        assert b"drs-secret" not in store.seen
        assert b"authorization" not in store.seen.lower()


def test_methods_that_are_never_opened(service: Drs, server: Running, tmp_path: Path) -> None:
    for kind in ("file", "ftp", "globus", "gsiftp"):
        service.kind = kind
        (done,) = fetch(server, tmp_path, "drs://any.example/one").values()
        assert "none of its access methods" in str(done.error)
    with pytest.raises(FetchError, match="404"):
        fetch(server, tmp_path, "drs://any.example/nothing")


def test_compact_identifier(service: Drs, server: Running, tmp_path: Path) -> None:
    """The resolver leads to the object; here it must be given, as there is no network."""
    with serve(Raw()) as resolver:
        resolver.fault = lambda _: f"redirect {server.address}/ga4gh/drs/v1/objects/one"
        from tabkit.clients.http import Http

        http = Http(allow_private=["127.0.0.1"])
        with tabkit.clients.open("drs://ns:one", resolver=resolver.address, http=http) as found:
            (done,) = found.download(tmp_path)
    assert done.verified == "digest"
    assert resolver.asked[0].target == "/ns:one"


@pytest.mark.parametrize("seed_form", [True, False])
@pytest.mark.parametrize(
    "what", [f"drs://data.4dnucleome.org/{FILE}", f"drs://h.example/files-processed/{FILE}/@@drs"]
)
@pytest.mark.usefixtures("keys")
def test_both_forms_of_the_portals_drs(
    portal: Portal, site: Running, tmp_path: Path, seed_form: bool, what: str
) -> None:
    portal.seed_form = seed_form
    (done,) = fetch(site, tmp_path, what).values()
    assert done.verified == "digest"
    assert (tmp_path / FILE).read_bytes() == BODY


def test_a_file_of_the_portal(
    tabkit_: Callable[..., Any], portal: Portal, site: Running, keys: Path, tmp_path: Path
) -> None:
    """By accession, with the key file; the store sees neither key nor header, but the range."""
    with serve(Raw({f"/store/{FILE}": BODY})) as store:
        portal.store = store.address
        faults = ["cut 50"]
        store.fault = lambda _: faults.pop() if faults else ""
        done = tabkit_("fetch", FILE, "--server", site.address, "-o", tmp_path, "--debug")
        assert "digest verified" in done.stdout
        assert (tmp_path / f"{FILE}.bed.gz").read_bytes() == BODY
        assert b"authorization" not in store.seen.lower()
        assert store.asked[1].range_start
        assert portal.secret not in done.stdout + done.stderr
    keys.unlink()
    done = tabkit_("fetch", FILE, "--server", site.address, "-o", tmp_path / "b", code=3)
    assert "Not logged in" in done.stderr


def test_sets_searches_and_the_metadata_table(
    tabkit_: Callable[..., Any], portal: Portal, site: Running, keys: Path, tmp_path: Path
) -> None:
    server = ("--server", site.address)
    rows = json.loads(tabkit_("fetch", "4dn:4DNESSETSET1", *server, "--list", "--json").stdout)
    assert len(rows) == 2
    assert all(row["digests"]["md5"] for row in rows)
    portal.files |= {f"4DNFI1{i:06}": b"%d" % i for i in range(110)}
    rows = json.loads(tabkit_("fetch", "4dn:search/?type=File", *server, "--list", "--json").stdout)
    assert len({row["id"] for row in rows}) == 112
    assert (
        json.loads(tabkit_("fetch", "4dn:search/?type=X", *server, "--list", "--json").stdout) == []
    )
    tabkit_("fetch", "4dn:search/?type=File", *server, "--format", "metadata", "-o", tmp_path)
    assert (tmp_path / "metadata.tsv").read_text().startswith("File\tURL\n")
    tabkit_("fetch", "4dn:search/?type=File", *server, "--keypairs", keys, "--only", "4DNFI100000*",
            "-o", tmp_path / "s")  # fmt: skip
    assert len(list((tmp_path / "s").iterdir())) == 10


def test_dcicutils_talks_to_the_same_server(portal: Portal, site: Running) -> None:
    """Its own client finds here what it expects; in an environment of its own, as its pins are.

    ``TABKIT_DCICUTILS`` names a Python that has it.
    """
    python = os.environ.get("TABKIT_DCICUTILS")
    if not python:
        pytest.skip("TABKIT_DCICUTILS names no Python with dcicutils")
    script = (
        "from dcicutils import ff_utils as f\n"
        f"key={{'key':{portal.key!r},'secret':{portal.secret!r},'server':{site.address!r}}}\n"
        f"print(f.get_metadata({FILE!r}, key=key)['md5sum'])\n"
        "print(len(f.search_metadata('search/?type=File', key=key)))\n"
        f"r=f.authorized_request({site.address + '/' + FILE + '/@@download'!r}, auth=key)\n"
        "print(len(r.content))\n"
    )
    done = subprocess.run([python, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [hashlib.md5(BODY).hexdigest(), "2", str(len(BODY))]


def test_plain_http_only_where_it_was_named() -> None:
    ref = understand("drs://h.example/x")
    assert not drs._usable_here(ref, "http://h.example/x")
    assert drs._usable_here(ref, "https://h.example/x")
