"""Fixtures of the adapters' tests: no waiting, no keyring, no proxy, no home folder."""

from __future__ import annotations

import dataclasses
import signal
from typing import TYPE_CHECKING

import keyring
import keyring.backends.fail
import pytest
import stamina

from tabkit.cli import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def quick() -> Iterator[None]:
    """No waiting between tries."""
    stamina.set_testing(True, attempts=6)
    yield
    stamina.set_testing(False)


@pytest.fixture(autouse=True)
def nobody(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and environment; gives the home."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")
    proxies = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy")
    authorities = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
    for name in (*proxies, *authorities):
        monkeypatch.delenv(name, raising=False)
    keyring.set_keyring(keyring.backends.fail.Keyring())
    return home


@dataclasses.dataclass(frozen=True)
class Done:
    """What a command printed."""

    stdout: str
    stderr: str


@pytest.fixture
def tabkit_(capfd: pytest.CaptureFixture[str]) -> Callable[..., Done]:
    """Run a command line in this process, with its real sockets and files."""

    def call(*arguments: object, code: int = 0) -> Done:
        capfd.readouterr()
        before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
        got = run([str(each) for each in arguments])
        for each, handler in zip((signal.SIGINT, signal.SIGTERM), before, strict=True):
            signal.signal(each, handler)
        done = Done(*capfd.readouterr())
        assert got == code, done
        assert "Traceback" not in done.stderr
        return done

    return call
