"""The engine against a server that fails on command: whole and proved, or absent."""

from __future__ import annotations

import dataclasses
import errno
import hashlib
import os
import random
import time
from typing import TYPE_CHECKING, Any

import pytest

from tabkit.clients import part as part_module
from tabkit.clients.batch import Batch, download_all
from tabkit.clients.http import Http
from tabkit.clients.model import Download, Entry, Request
from tabkit.clients.retry import AgainError
from tabkit.errors import AccessError, FetchError, OutputError
from tests.clients.servers.raw import Asked, Raw, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

BODY = random.Random(1).randbytes(700_001)


@pytest.fixture
def raw() -> Iterator[Raw]:
    with serve(Raw({"/a": BODY})) as server:
        yield server


def entry(body: bytes = BODY, name: str = "a.bin", **changes: Any) -> Entry:
    made = Entry(
        "/a",
        name,
        size=len(body),
        digests={"sha256": hashlib.sha256(body).hexdigest()},
        media_type="application/octet-stream",
    )
    return dataclasses.replace(made, **changes)


def fetch(raw: Raw, folder: Path, *entries: Entry, **options: Any) -> list[Download]:
    with Http(timeouts={"read": 5.0}) as http:
        batch = Batch(
            folder, http, lambda e: Request(raw.address + e.id), lambda e: e.id, **options
        )
        return list(download_all(entries, batch))


def one(raw: Raw, folder: Path, wanted: Entry, **options: Any) -> Download:
    (done,) = fetch(raw, folder, wanted, **options)
    return done


def files(folder: Path) -> list[str]:
    return sorted(str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file())


def script(*faults: str) -> Callable[[Asked], str]:
    """One fault a request, then none."""
    left = list(faults)
    return lambda _: left.pop(0) if left else ""


def test_where_a_file_is_is_not_asked_for_again_and_again(raw: Raw, tmp_path: Path) -> None:
    """Whoever asks has tried as often as it is worth; six times six would be minutes."""
    asked: list[Entry] = []

    def locate(wanted: Entry) -> Request:
        asked.append(wanted)
        raise AgainError("the server answers 503", wanted.name, "try again later")

    with Http() as http:
        batch = Batch(tmp_path, http, locate, lambda e: e.id)
        (done,) = download_all([entry()], batch)
    assert "503" in str(done.error)
    assert len(asked) == 1


def test_what_nobody_expected_of_one_file_leaves_the_others(raw: Raw, tmp_path: Path) -> None:
    def locate(wanted: Entry) -> Request:
        if wanted.name == "odd.bin":
            raise ValueError("no such thing")
        return Request(raw.address + wanted.id)

    with Http() as http:
        batch = Batch(tmp_path, http, locate, lambda e: e.name)
        done = {d.entry.name: d for d in download_all([entry(name="odd.bin"), entry()], batch)}
    assert done["a.bin"].error is None
    assert "unexpected ValueError: no such thing" in str(done["odd.bin"].error)
    assert isinstance(done["odd.bin"].error.__cause__, ValueError)  # type: ignore[union-attr]


def test_whole_and_proved(raw: Raw, tmp_path: Path) -> None:
    done = one(raw, tmp_path, entry())
    assert done.error is None
    assert done.verified == "digest"
    assert (tmp_path / "a.bin").read_bytes() == BODY
    assert files(tmp_path) == ["a.bin"]
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o666 & ~_umask()


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def test_resumes_where_it_stopped(raw: Raw, tmp_path: Path) -> None:
    """A cut connection costs only what had not arrived."""
    raw.fault = script("cut 40", "reset 50", "status 503")
    assert one(raw, tmp_path, entry()).error is None
    starts = [asked.range_start for asked in raw.asked]
    assert starts[0] is None
    assert all(start and start > 0 for start in starts[1:])
    assert all("if-range" in asked.headers for asked in raw.asked[1:])
    assert (tmp_path / "a.bin").read_bytes() == BODY


@pytest.mark.parametrize("fault", ["norange", "wrongrange"])
def test_starts_again_when_a_range_is_not_honoured(raw: Raw, tmp_path: Path, fault: str) -> None:
    raw.fault = script("cut 40", fault)
    assert one(raw, tmp_path, entry()).error is None
    assert (tmp_path / "a.bin").read_bytes() == BODY


@pytest.mark.parametrize("etags", [True, False])
@pytest.mark.parametrize("known", [True, False])
def test_changed_between_two_tries(raw: Raw, tmp_path: Path, etags: bool, known: bool) -> None:
    """Old and new bytes are never joined, with ETag or without, with digest or without."""
    new = bytes(reversed(BODY))
    raw.etags, faults = etags, iter(["cut 40"])

    def change(asked: Asked) -> str:
        fault = next(faults, "")
        if not fault:
            raw.files["/a"] = new
        return fault

    raw.fault = change
    assert one(raw, tmp_path, entry(new) if known else Entry("/a", "a.bin")).error is None
    assert (tmp_path / "a.bin").read_bytes() == new


def test_an_interrupted_run_goes_on_in_the_next(raw: Raw, tmp_path: Path) -> None:
    raw.fault = lambda _: "silence" if len(raw.asked) > 1 else "cut 60"
    assert isinstance(one(raw, tmp_path, entry()).error, FetchError)
    assert not (tmp_path / "a.bin").exists()
    before, raw.fault = len(raw.asked), lambda _: ""
    assert one(raw, tmp_path, entry()).verified == "digest"
    assert (raw.asked[before].range_start or 0) >= len(BODY) // 2
    assert files(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("fault", ["corrupt", "short", "html", "envelope", "unframed", "gzip"])
def test_what_is_wrong_is_not_kept(raw: Raw, tmp_path: Path, fault: str) -> None:
    raw.fault = lambda _: fault
    done = one(raw, tmp_path, entry())
    assert isinstance(done.error, FetchError)
    assert not (tmp_path / "a.bin").exists()


@pytest.mark.parametrize("fault", ["html", "envelope", "unframed", "chunkcut", "gzip"])
def test_nothing_known_is_no_excuse(raw: Raw, tmp_path: Path, fault: str) -> None:
    """Without size and digest, error pages and cut answers are still told from files."""
    raw.fault = lambda _: fault
    done = one(raw, tmp_path, Entry("/a", "a.bin"))
    assert isinstance(done.error, FetchError)
    assert not (tmp_path / "a.bin").exists()


def test_a_damaged_transfer_is_tried_again(raw: Raw, tmp_path: Path) -> None:
    raw.fault = script("corrupt")
    assert one(raw, tmp_path, entry()).verified == "digest"
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_chunked_without_length(raw: Raw, tmp_path: Path) -> None:
    raw.fault = lambda _: "chunked"
    assert one(raw, tmp_path, Entry("/a", "a.bin")).verified == "length"
    assert (tmp_path / "a.bin").read_bytes() == BODY


def test_gives_up_in_the_end(raw: Raw, tmp_path: Path) -> None:
    raw.fault = lambda _: "status 503"
    done = one(raw, tmp_path, entry())
    assert "503" in str(done.error)
    assert len(raw.asked) == 6
    raw.asked.clear()
    raw.fault = lambda _: "status 404"
    assert "404" in str(one(raw, tmp_path, entry()).error)
    assert len(raw.asked) == 1
    raw.fault = lambda _: "status 403"
    assert isinstance(one(raw, tmp_path, entry()).error, AccessError)


def test_retry_after_is_kept_to(raw: Raw, tmp_path: Path) -> None:
    raw.fault = script("wait 1")
    began = time.monotonic()
    assert one(raw, tmp_path, entry()).error is None
    assert time.monotonic() - began >= 0.95


def test_header_row_outside_the_digest(raw: Raw, tmp_path: Path) -> None:
    """Dataverse: size and MD5 are of the table without its first line."""
    rest = b"1\t2\n3\t4\n"
    raw.files["/a"] = b"a\tb\n" + rest
    digests = {"md5": hashlib.md5(rest).hexdigest()}
    wanted = Entry("/a", "t.tab", size=len(rest), digests=digests, headless=True)
    assert one(raw, tmp_path, wanted).verified == "digest"
    assert (tmp_path / "t.tab").read_bytes() == raw.files["/a"]
    raw.files["/a"] = b"a\tb\n1\t2\n3\t5\n"
    assert isinstance(one(raw, tmp_path / "b", wanted).error, FetchError)


def test_what_is_there_is_kept_or_refused(raw: Raw, tmp_path: Path) -> None:
    assert one(raw, tmp_path, entry()).verified == "digest"
    count = len(raw.asked)
    assert one(raw, tmp_path, entry()).verified == "have"
    assert len(raw.asked) == count
    (tmp_path / "a.bin").write_bytes(b"mine")
    assert isinstance(one(raw, tmp_path, entry()).error, OutputError)
    assert (tmp_path / "a.bin").read_bytes() == b"mine"
    assert one(raw, tmp_path, entry(), force=True).verified == "digest"
    assert (tmp_path / "a.bin").read_bytes() == BODY


@pytest.mark.parametrize(
    "name",
    [
        "../a",
        "..\\a",
        "/etc/a",
        "C:\\a",
        "a\0b",
        "..",
        "",
        "con",
        "a" * 400,
        "x\u202etxt.exe",
        "․․/a",
    ],
)
def test_names_stay_in_the_folder(raw: Raw, tmp_path: Path, name: str) -> None:
    inner = tmp_path / "in"
    done = one(raw, inner, entry(name=name, folder=name))
    assert done.error is None
    assert done.path is not None
    assert done.path.resolve().is_relative_to(inner.resolve())
    assert files(tmp_path) == [str(done.path.relative_to(tmp_path))]


def test_same_names_step_aside(raw: Raw, tmp_path: Path) -> None:
    names = ["a.bin", "A.BIN", "a.bin", "ａ.bin"]
    raw.files |= {f"/{i}": BODY for i in range(4)}
    done = fetch(raw, tmp_path, *(entry(name=n, id=f"/{i}") for i, n in enumerate(names)))
    assert not [each.error for each in done if each.error]
    assert len({str(p).casefold() for p in files(tmp_path)}) == 4


def test_links_in_the_target_folder(raw: Raw, tmp_path: Path) -> None:
    """A link never takes a file elsewhere."""
    inner, outside = tmp_path / "in", tmp_path / "outside"
    inner.mkdir()
    outside.mkdir()
    (inner / "sub").symlink_to(outside)
    (inner / "a.bin").symlink_to(outside / "a.bin")
    assert isinstance(one(raw, inner, entry(folder="sub")).error, OutputError)
    assert isinstance(one(raw, inner, entry()).error, OutputError)
    assert one(raw, inner, entry(), force=True).error is None
    assert not (inner / "a.bin").is_symlink()
    (inner / ".tabkit-part").symlink_to(outside)
    with pytest.raises(OutputError):
        one(raw, inner, entry(), force=True)
    assert files(outside) == []


def test_a_full_disk(raw: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line, and the room given back."""
    real = os.write
    written = 0

    def full(descriptor: int, data: bytes) -> int:
        nonlocal written
        written += len(data)
        if written > len(BODY) // 2:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(part_module.os, "write", full)
    done = one(raw, tmp_path, entry())
    assert isinstance(done.error, OutputError)
    assert "No space left" in str(done.error)
    assert files(tmp_path) == []


def test_too_large_for_the_disk(raw: Raw, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = part_module.shutil.disk_usage(tmp_path)
    monkeypatch.setattr(part_module.shutil, "disk_usage", lambda _: usage._replace(free=1 << 20))
    assert "the disk has" in str(one(raw, tmp_path, entry()).error)


def test_two_runs_in_one_folder(raw: Raw, tmp_path: Path) -> None:
    with Http() as http:
        batch = Batch(tmp_path, http, lambda e: Request(raw.address + e.id), lambda e: e.id)
        running = download_all([entry(), entry(name="b.bin")], batch)
        next(running)
        with pytest.raises(FetchError, match="another tabkit"):
            one(raw, tmp_path, entry(name="c.bin"))
        running.close()
    assert one(raw, tmp_path, entry(name="c.bin")).error is None


def test_cache_by_digest(raw: Raw, tmp_path: Path) -> None:
    """The same bytes are fetched once; a damaged cache is noticed; nothing secret is kept."""
    cache = tmp_path / "cache"
    assert one(raw, tmp_path / "1", entry(), cache=cache).verified == "digest"
    count = len(raw.asked)
    assert one(raw, tmp_path / "2", entry(name="other"), cache=cache).note == "from the cache"
    assert len(raw.asked) == count
    assert (tmp_path / "2" / "other").read_bytes() == BODY
    (kept,) = (p for p in cache.rglob("*") if p.is_file())
    kept.write_bytes(BODY[:-1] + b"x")
    assert one(raw, tmp_path / "3", entry(), cache=cache).note == ""
    assert (tmp_path / "3" / "a.bin").read_bytes() == BODY
    secret = entry(b"secret", restricted=True)
    raw.files["/a"] = b"secret"
    assert one(raw, tmp_path / "4", secret, cache=cache).verified == "digest"
    assert (tmp_path / "4" / "a.bin").stat().st_mode & 0o077 == 0
    assert not [p for p in cache.rglob("*") if p.is_file() and p.read_bytes() == b"secret"]
