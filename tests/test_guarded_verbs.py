"""``--untrusted`` on every verb that reads: the same output, and one line beyond a limit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest

import tabkit
from tests.thumbnail.pictures import endless_page, page

TABKIT = [sys.executable, "-m", "tabkit"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file, its archival table and codebook, and a PDF; the current folder."""
    (tmp_path / "survey.csv").write_text("age,name\n" + "".join(f"{n},x{n}\n" for n in range(99)))
    big = "x" * (9 << 20)
    tabkit.ingest(tmp_path / "survey.csv", tmp_path / "out")
    book = (tmp_path / "out" / "survey-ddi.xml").read_text()
    (tmp_path / "big-ddi.xml").write_text(book.replace("</codeBook>", f"<!--{big}--></codeBook>"))
    (tmp_path / "page.pdf").write_bytes(page(b"0 0 100 50 re f"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*TABKIT, *arguments], capture_output=True, timeout=120, check=False)


VERBS = {
    "prep": ("prep", "survey.csv"),
    "subset": ("subset", "survey.csv", "-", "--to", "csv", "--variables", "name"),
    "subset-tab": ("subset", "out/survey.tab", "-", "--where", "age > 90"),
    "subset-csv": ("subset", "out/survey.tab", "-", "--to", "csv", "--variables", "age"),
    "cite": ("cite", "big-ddi.xml"),
    "bundle": ("bundle", "survey.csv", "-o", "-"),
    "zip": ("zip", "survey.csv", "-o", "-", "--format", "tab"),
    "thumbnail": ("thumbnail", "page.pdf", "-"),
    "thumbnail-table": ("thumbnail", "survey.csv", "-"),
}


@pytest.mark.parametrize("name", VERBS)
def test_the_guard_changes_nothing(folder: Path, name: str) -> None:
    """Byte by byte the same, but for a finding on stderr."""
    plain, guarded = run(*VERBS[name]), run(*VERBS[name], "--untrusted")
    assert plain.returncode == guarded.returncode == 0, guarded.stderr
    assert plain.stdout
    assert plain.stdout == guarded.stdout


@pytest.mark.parametrize("name", VERBS)
def test_a_worker_reads_within_limits(folder: Path, name: str) -> None:
    """A megabyte is too little for any reader; lxml and PDFium find other words for it."""
    done = run(*VERBS[name], "--untrusted", "--limit", "memory=1MiB")
    lines = done.stderr.decode().splitlines()
    assert name in {"cite", "thumbnail"} or "needs more memory than 1 MiB" in lines[0]
    assert done.returncode == (1 if name == "zip" else 3)
    assert name == "zip" or len(lines) == 1
    assert name == "zip" or not done.stdout


def test_the_size_of_an_archive_and_a_limit(folder: Path) -> None:
    """``zip --limit`` takes both."""
    done = run("zip", "survey.csv", "page.pdf", "-o", "x.zip", "--limit", "500", "--limit",
               "seconds=60", "--json")  # fmt: skip
    assert done.returncode == 1
    assert [each["file"] for each in json.loads(done.stdout)["left_out"]] == ["survey.csv"]
    assert "page.pdf" in zipfile.ZipFile("x.zip").namelist()


def test_a_page_without_end(folder: Path) -> None:
    """PDFium cannot be stopped; its process can, and nothing of it is left."""
    Path("endless.pdf").write_bytes(endless_page())
    began = time.monotonic()
    done = run("thumbnail", "endless.pdf", "x.png", "--untrusted", "--limit", "seconds=2")
    assert done.returncode == 3
    (line,) = done.stderr.decode().splitlines()
    assert line.startswith(
        "tabkit: endless.pdf: reading it takes over 2 seconds; --limit seconds=4"
    )
    assert time.monotonic() - began < 30
    assert not Path("x.png").exists()
    marks = [
        path
        for path in Path("/proc").glob("[0-9]*/environ")
        if os.access(path, os.R_OK) and b"tabkit-guard-" in _environment(path)
        and str(folder).encode() in path.with_name("cwd").resolve().as_posix().encode()
    ]  # fmt: skip
    assert not marks


def _environment(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""


def test_pictures_through_python(folder: Path) -> None:
    """The function takes the guard as limits."""
    limits = tabkit.Limits(seconds=60)
    tabkit.thumbnail("page.pdf", "a.png")
    tabkit.thumbnail("page.pdf", "b.png", guard=limits)
    assert Path("a.png").read_bytes() == Path("b.png").read_bytes()
