"""Answers that are shorter, longer or of another file than was asked for, byte by byte."""

from __future__ import annotations

import gzip
import random
import re
import socketserver
from typing import TYPE_CHECKING

import pytest

from tabkit.clients import http as http_module
from tabkit.clients.batch import Batch, download_all
from tabkit.clients.http import Http
from tabkit.clients.model import Download, Entry, Request, size_of
from tabkit.errors import FetchError
from tests.clients.servers.sockets import listening

if TYPE_CHECKING:
    from pathlib import Path

OLD, NEW = (random.Random(seed).randbytes(size) for seed, size in ((1, 500), (2, 700)))


class Answers(socketserver.BaseRequestHandler):
    """Gives each request to ``answer``, till it says no more."""

    def handle(self) -> None:
        """Answer one request after the other."""
        while head := self.request.recv(4096):
            path = head.split()[1].decode()
            found = re.search(rb"(?i)range: bytes=(\d+)-", head)
            if not self.answer(path, int(found[1]) if found else 0):
                return

    def answer(self, path: str, start: int) -> bool:
        """Send an answer; tell whether the connection stays open."""
        raise NotImplementedError

    def send(self, status: int, body: bytes, length: int, *headers: str) -> None:
        """Send a head that tells the length, and bytes."""
        lines = [f"HTTP/1.1 {status} X", f"Content-Length: {length}", 'ETag: "x"', *headers]
        self.request.sendall("\r\n".join([*lines, "", ""]).encode() + body)


def fetch(handler: type[Answers], folder: Path, *paths: str) -> list[Download]:
    """Files of which nothing is known but their addresses, one after the other."""
    with listening(handler) as port, Http(timeouts={"read": 5.0}) as http:
        where = f"http://127.0.0.1:{port}"
        batch = Batch(folder, http, lambda e: Request(where + e.id), lambda e: e.id, jobs=1)
        return list(download_all([Entry(path, f"{path[1:]}.bin") for path in paths], batch))


def test_a_range_may_be_answered_in_parts(tmp_path: Path) -> None:
    """RFC 9110, 15.3.7: a server may send less than was asked for; the whole is what counts."""

    class Handler(Answers):
        def answer(self, path: str, start: int) -> bool:  # noqa: ARG002
            if not start:
                self.send(200, OLD[:100], len(OLD))
                return False
            told = f"Content-Range: bytes {start}-{start + 99}/{len(OLD)}"
            self.send(206, OLD[start : start + 100], 100, told)
            return True

    (done,) = fetch(Handler, tmp_path, "/a")
    assert done.error is None
    assert (tmp_path / "a.bin").read_bytes() == OLD


def test_parts_of_two_files_are_not_put_together(tmp_path: Path) -> None:
    """The rest is of a file of another length: it begins anew."""
    asked: list[int] = []

    class Handler(Answers):
        def answer(self, path: str, start: int) -> bool:  # noqa: ARG002
            asked.append(start)
            if len(asked) == 1:
                self.send(200, OLD[:100], len(OLD))
                return False
            told = f"Content-Range: bytes {start}-{len(NEW) - 1}/{len(NEW)}"
            self.send(206 if start else 200, NEW[start:], len(NEW) - start, told)
            return True

    (done,) = fetch(Handler, tmp_path, "/a")
    assert done.error is None
    assert (tmp_path / "a.bin").read_bytes() == NEW
    assert asked == [0, 100, 0]


def test_bytes_behind_an_answer_are_no_answer(tmp_path: Path) -> None:
    class Handler(Answers):
        def answer(self, path: str, start: int) -> bool:  # noqa: ARG002
            forged = b"HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n" + b"E" * 100
            self.send(200, path[1:2].encode() * 100 + (forged if path == "/a" else b""), 100)
            return True

    done = fetch(Handler, tmp_path, "/a", "/b", "/c")
    assert [each.error for each in done] == [None] * 3
    for name in "abc":
        assert (tmp_path / f"{name}.bin").read_bytes() == name.encode() * 100


def test_an_odd_answer_to_one_file_leaves_the_others(tmp_path: Path) -> None:
    odd = {
        "/b": (302, "Location: http://["),
        "/c": (503, "Retry-After: Mon, 01 Jan 2024 00:00:00 +99999999999999999"),
    }

    class Handler(Answers):
        def answer(self, path: str, start: int) -> bool:  # noqa: ARG002
            status, header = odd.get(path, (200, "X: y"))
            self.send(status, b"x" * 9, 9, header)
            return True

    done = {each.entry.id: each.error for each in fetch(Handler, tmp_path, "/a", "/b", "/c", "/d")}
    assert done["/a"] is None
    assert done["/d"] is None
    assert "redirect" in str(done["/b"])
    assert "503" in str(done["/c"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (gzip.compress(b'{"a": 1}', mtime=0)[:-9], "ends early"),
        (b"no gzip at all", "cannot be unpacked"),
        (gzip.compress(b" " * 5000 + b'{"a": 1}', mtime=0), "larger than"),
    ],
)
def test_packed_answers_that_are_no_json(
    body: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_module, "_JSON_BYTES", 2000)

    class Handler(Answers):
        def answer(self, path: str, start: int) -> bool:  # noqa: ARG002
            self.send(200, body, len(body), "Content-Encoding: gzip")
            return True

    with (
        listening(Handler) as port,
        Http() as http,
        pytest.raises(FetchError, match=message),
    ):
        http._json(Request(f"http://127.0.0.1:{port}/"), (200,))  # one try


def test_sizes_as_servers_tell_them() -> None:
    assert [size_of(told) for told in (5, "5", 5.0, 0)] == [5, 5, 5, 0]
    odd = (None, "", "five", "-5", -5, 5.5, float("inf"), float("nan"), True, [5], "²")
    assert [size_of(told) for told in odd] == [None] * len(odd)
