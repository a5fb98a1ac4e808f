"""Several sources at once, standard output, and a machine without the extra."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.clients.servers.raw import Raw, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Run = Callable[..., Any]

OBJECTS = "/ga4gh/drs/v1/objects/"


def put(server: Raw, name: str, body: bytes, called: str = "") -> None:
    """Add an object to the service."""
    server.files[f"/bytes/{name}"] = body
    method = {"type": "https", "access_url": {"url": f"{server.address}/bytes/{name}"}}
    digest = {"type": "md5", "checksum": hashlib.md5(body).hexdigest()}
    found = {"id": name, "name": called or f"{name}.bin", "size": len(body)}
    found |= {"checksums": [digest], "access_methods": [method]}
    server.files[OBJECTS + name] = json.dumps(found).encode()


@pytest.fixture
def service() -> Iterator[Raw]:
    with serve(Raw()) as server:
        put(server, "one", b"first")
        put(server, "two", b"second")
        put(server, "twin", b"another first", "One.bin")
        yield server


def test_standard_output_takes_one_source(tabkit_: Run, service: Raw) -> None:
    """Two files after one another are no file."""
    done = tabkit_("fetch", "drs://h/one", "drs://h/two", "--server", service.address, "-o", "-",
                   code=2)  # fmt: skip
    assert done.stdout == ""
    assert "one file" in done.stderr


def test_the_list_of_several_sources_is_one_document(tabkit_: Run, service: Raw) -> None:
    server = ("--server", service.address)
    done = tabkit_("fetch", "drs://h/one", "drs://h/two", *server, "--list", "--json")
    assert [row["id"] for row in json.loads(done.stdout)] == ["one", "two"]
    done = tabkit_("fetch", "drs://h/nil", "drs://h/two", *server, "--list", "--json", code=3)
    assert [row["id"] for row in json.loads(done.stdout)] == ["two"]


def test_a_source_that_fails_does_not_stop_the_others(
    tabkit_: Run, service: Raw, tmp_path: Path
) -> None:
    sources = ("drs://h/nil", "drs://h/two", "drs://h/nil2", "drs://h/one")
    done = tabkit_("fetch", *sources, "--server", service.address, "-o", tmp_path, code=3)
    assert {path.name for path in tmp_path.iterdir()} == {"one.bin", "two.bin"}
    assert done.stderr.count("\n") == 2


def test_force_replaces_nothing_of_the_same_run(tabkit_: Run, service: Raw, tmp_path: Path) -> None:
    """Of two sources with a file of one name the later one must not win in silence."""
    both = ("drs://h/one", "drs://h/twin", "--server", service.address, "-o", tmp_path, "-f")
    done = tabkit_("fetch", *both, code=3)
    assert "a folder for each source" in done.stderr
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"first"]
    tabkit_("fetch", "drs://h/twin", *both[2:])


@pytest.mark.parametrize(
    ("verb", "module"),
    [(v, m) for v in ("fetch", "access") for m in ("httpx2", "httpcore2", "keyring")]
    + [("login", "keyring"), ("fetch", "stamina"), ("fetch", "filelock")],
)
def test_without_the_extra(
    service: Raw, tmp_path: Path, nobody: Path, verb: str, module: str
) -> None:
    """One line that says what to install, whichever part is not there."""
    absent = f"raise ModuleNotFoundError('No module named {module}', name={module!r})"
    (tmp_path / f"{module}.py").write_text(absent)
    server = ["--server", service.address]
    arguments = {
        "fetch": ["drs://h/one", "-o", str(tmp_path / "out")],
        "login": ["drs"],
        "access": ["list", "dataverse:file/6"],
    }[verb]
    done = subprocess.run(
        [sys.executable, "-m", "tabkit", verb, *arguments, *server],
        input="token\n", env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True,
        text=True, check=False,
    )  # fmt: skip
    assert done.stderr == f"tabkit: this needs {module}: pip install 'tabkit[http]'\n"
    assert done.returncode == 3
    assert not (tmp_path / "out").exists()


def test_an_error_names_the_file_and_what_to_type(
    tabkit_: Run, service: Raw, tmp_path: Path
) -> None:
    """One of many fails: which, and the command that may mend it, as it can be typed."""
    there = ("--server", service.address, "-o", tmp_path)
    service.fault = lambda asked: "status 404" if asked.target == "/bytes/two" else ""
    done = tabkit_("fetch", "drs://h/two", *there, code=3)
    assert done.stderr.startswith("tabkit: two.bin: ")
    assert done.stderr.count("\n") == 1
    service.fault = lambda _: "status 403"
    done = tabkit_("fetch", "drs://h/two", *there, code=3)
    assert f"tabkit login drs --server {service.address} stores a credential" in done.stderr
    assert done.stderr.count("\n") == 1


def test_nothing_matches(tabkit_: Run, service: Raw, tmp_path: Path) -> None:
    what = ("fetch", "drs://h/one", "--server", service.address, "-o", tmp_path)
    assert "no file that matches *.sav" in tabkit_(*what, "--only", "*.sav", code=3).stderr


def test_a_key_file_that_is_not_there(tabkit_: Run, service: Raw, tmp_path: Path) -> None:
    what = ("fetch", "drs://h/one", "--server", service.address, "-o", tmp_path)
    done = tabkit_(*what, "--keypairs", tmp_path / "nil.json", code=2)
    assert "nil.json: no such key file" in done.stderr
    assert not service.asked


def test_an_address_within_an_address(tabkit_: Run, service: Raw, tmp_path: Path) -> None:
    """Its host is no compact identifier, which another server would be asked for."""
    done = tabkit_("fetch", f"drs://{service.address}/one", "-o", tmp_path, code=2)
    assert "--server URL" in done.stderr
