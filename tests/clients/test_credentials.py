"""Tokens and key files: what is taken, where they are found, and that nothing shows them."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tabkit.clients import credentials
from tabkit.clients.credentials import find_secret, make_secret
from tabkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

from tests.clients.test_http import SECRET


@pytest.mark.parametrize("value", ["", "with\nbreak", "ümlaut", "tab\t", "canary ", " canary"])
def test_a_token_that_no_header_carries(value: str) -> None:
    with pytest.raises(UsageError) as caught:
        make_secret("dataverse", "https://a.example", {"token": value})
    assert not value or value not in str(caught.value)


def test_keypairs(nobody: Path) -> None:
    """Both forms of the portal's key file; one that others may read is refused."""
    file = nobody / "keypairs.json"
    pair = {"key": "ABCD", "secret": SECRET, "server": "https://portal.example"}
    file.write_text(json.dumps({"default": pair, "other": {**pair, "server": "b.example"}}))
    file.chmod(0o644)
    with pytest.raises(UsageError, match="chmod 600"):
        find_secret("4dn", "https://portal.example")
    assert find_secret("drs", "https://elsewhere.example") is None
    file.chmod(0o600)
    found = find_secret("4dn", "https://portal.example/search")
    assert found is not None
    sent = credentials.headers_of(found)["Authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == f"ABCD:{SECRET}"
    assert find_secret("4dn", "https://b.example") is not None
    assert find_secret("4dn", "http://portal.example") is None
    assert find_secret("4dn", "https://portal.example:8443") is None
    assert find_secret("dataverse", "https://portal.example") is None


def test_the_keyring_is_found_without_running_programs(nobody: Path) -> None:
    """One of its backends, for another system, runs a compiler and a linker to look for it."""
    code = (
        "import sys; from tabkit.clients.credentials import find_secret\n"
        "sys.addaudithook(lambda e, a: sys.exit(e) if e == 'subprocess.Popen' else None)\n"
        "assert find_secret('dataverse', 'https://h.example') is None"
    )
    environment = {k: v for k, v in os.environ.items() if k != "PYTHON_KEYRING_BACKEND"}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_login_keeps_a_token_in_the_keyring(
    tabkit_: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, nobody: Path
) -> None:
    """From standard input, for one server, and forgotten again; never from the command line."""
    import io
    import sys

    import keyring
    from keyring.backend import KeyringBackend

    class Memory(KeyringBackend):
        priority = 1.0  # type: ignore[assignment]
        kept: dict[tuple[str, str], str] = {}  # noqa: RUF012

        def get_password(self, service: str, username: str) -> str | None:
            return self.kept.get((service, username))

        def set_password(self, service: str, username: str, password: str) -> None:
            self.kept[service, username] = password

        def delete_password(self, service: str, username: str) -> None:
            del self.kept[service, username]

    server = ("--server", "https://d.example")
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"{SECRET}\n{SECRET}\n"))
    assert "no keyring" in tabkit_("login", "dataverse", *server, code=2).stderr
    keyring.set_keyring(Memory())
    done = tabkit_("login", "dataverse", *server)
    assert SECRET not in done.stdout + done.stderr
    found = find_secret("dataverse", "https://d.example/x")
    assert found is not None
    assert found.fields == {"token": SECRET}
    assert find_secret("dataverse", "https://e.example") is None
    tabkit_("login", "dataverse", *server, "--forget")
    assert find_secret("dataverse", "https://d.example") is None
    assert "No such option" in tabkit_("login", "dataverse", *server, "--token", "x", code=2).stderr
