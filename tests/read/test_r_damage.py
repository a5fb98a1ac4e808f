"""Damaged and hostile R files: one line each, in bounded time and memory."""

from __future__ import annotations

import bz2
import dataclasses
import gzip
import lzma
import random
import resource
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import tabkit
from tabkit.errors import FormatError, LimitError, TabkitError
from tabkit.limits import LIMITS

if TYPE_CHECKING:
    from pathlib import Path

TABKIT = [sys.executable, "-m", "tabkit"]
XDR = b"X\n" + struct.pack(">iii", 2, 0x40202, 0x20300)
LIST, REAL, TEXTS, INTEGER = 0x13, 0x0E, 0x10, 0x0D


def integers(*numbers: int) -> bytes:
    return struct.pack(f">{len(numbers)}i", *numbers)


def read_whole(path: Path) -> None:
    """Read it all; only tabkit's own errors may come, of one line."""
    told = path.name
    try:
        tabkit.read(path)
    except TabkitError as error:
        told = str(error)
    assert path.name in told
    assert "\n" not in told


@pytest.mark.parametrize("name", ["efc.RData", "dataframe-from-tab.rds", "test_ascii_v2.rda"])
def test_cut_short_anywhere(corpus: Path, tmp_path: Path, name: str) -> None:
    """Every k-th truncation of the expanded and of the compressed file is refused."""
    raw = (corpus / "r" / name).read_bytes()
    forms = [raw] if raw[:2] != b"\x1f\x8b" else [raw, gzip.decompress(raw)]
    for form in forms:
        for end in range(1, len(form) - 2, max(1, len(form) // 120)):
            path = tmp_path / name
            path.write_bytes(form[:end])
            with pytest.raises(TabkitError) as caught:
                tabkit.read(path, object="data" if "ascii" in name else None)
            assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "name", ["test_function.rda", "test_dataframe.rda", "dataframe-from-tab.rds", "efc.RData"]
)
def test_bytes_changed_anywhere(corpus: Path, tmp_path: Path, name: str) -> None:
    """Whatever bytes change, it is read or refused; wrong types and lengths among them."""
    raw = (corpus / "r" / name).read_bytes()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    chance = random.Random(name)
    path = tmp_path / name
    words = [integers(n) for n in (0, -1, 2**31 - 1, -(2**31), 0xEE, 0x213, 0x402, 0x209, 0x115)]
    for _ in range(300):
        changed = bytearray(raw)
        for _ in range(chance.choice((1, 1, 3, 9))):
            at = chance.randrange(len(changed))
            if chance.random() < 0.5:
                changed[at] = chance.randrange(256)
            else:
                changed[at : at + 4] = chance.choice(words)
        path.write_bytes(changed)
        read_whole(path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (integers(REAL, -1, 0x7FFFFFFF, -1), "end early"),
        (integers(REAL, -5), "a vector of -5 values"),
        (integers(TEXTS, 0x7FFFFFFF), "end early"),
        (integers(TEXTS, 1, 9, 0x7FFFFFFF), "end early"),
        (integers(LIST, 0x7FFFFFFF), "end early"),
        (integers(0x1FF), "reference to object 1"),
        (integers(77), "unknown type 77"),
        (
            integers(LIST, 1) * 1000 + integers(254),
            "deeper than 200 levels, byte",
        ),
        (b"", "end early"),
    ],
)
def test_promises_that_are_not_kept(tmp_path: Path, content: bytes, message: str) -> None:
    """Lengths are checked before anything is made of them."""
    path = tmp_path / "bad.rds"
    path.write_bytes(XDR + content)
    with pytest.raises(FormatError, match=message):
        tabkit.read(path)


def test_a_frame_whose_columns_differ_in_length(tmp_path: Path) -> None:
    """It is no table."""
    names = (
        integers(0x402, 1, 9, 5)
        + b"names"
        + integers(TEXTS, 2, 9, 1)
        + b"a"
        + integers(9, 1)
        + b"b"
    )
    cls = integers(0x402, 1, 9, 5) + b"class" + integers(TEXTS, 1, 9, 10) + b"data.frame"
    path = tmp_path / "bad.rds"
    columns = integers(INTEGER, 2, 1, 2) + integers(INTEGER, 1, 1)
    path.write_bytes(XDR + integers(0x313, 2) + columns + names + cls + integers(254))
    with pytest.raises(FormatError, match="variable b has 1 values, the frame 2 cases"):
        tabkit.read(path)


PACKERS = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "lzma": lambda raw: lzma.compress(raw, lzma.FORMAT_ALONE),
    "zstd": lambda raw: pa.compress(raw, codec="zstd", asbytes=True),
}


@pytest.mark.parametrize("kind", PACKERS)
def test_every_compression_has_its_limit(tmp_path: Path, kind: str) -> None:
    """What expands beyond the limit is refused, whatever packed it; what does not is read."""
    path = tmp_path / "bomb.rds"
    path.write_bytes(PACKERS[kind](XDR + integers(REAL, 1 << 20) + bytes(8 << 20)))
    assert tabkit.read(path, object=".").cases == 1 << 20
    few = dataclasses.replace(LIMITS, free=1 << 20, ratio=5)
    with pytest.raises(LimitError, match="it unpacks to more than 5 times its size; --limit ratio"):
        tabkit.read(path, limits=few)


def test_a_bomb_takes_neither_memory_nor_time(tmp_path: Path) -> None:
    """Two gigabytes of zeros in 2 MB, within 1.5 GiB of address space: one line."""
    path = tmp_path / "bomb.rds"
    member = gzip.compress(bytes(64 << 20))
    path.write_bytes(gzip.compress(XDR + integers(REAL, -1, 1, 0)) + member * 32)
    limit = 1536 << 20
    began = time.monotonic()
    done = subprocess.run(
        [*TABKIT, "unf", str(path)],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode == 3, done.stderr
    assert "unpacks to more than 250 times its size" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert time.monotonic() - began < 60


@pytest.mark.parametrize("name", ["deep_nesting.rds", "bad_truncated.rda"])
def test_hostile_files_of_the_corpus(corpus: Path, tmp_path: Path, name: str) -> None:
    """Refused with exit 3 and nothing left behind."""
    done = subprocess.run(
        [*TABKIT, "ingest", str(corpus / "r" / name), "-o", str(tmp_path / "out")],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 3
    assert "Traceback" not in done.stderr
    assert not list(tmp_path.rglob("*.*"))


def test_other_compressed_files_are_no_r_data(tmp_path: Path) -> None:
    """A gzip file of something else is not taken for R data."""
    path = tmp_path / "table.gz"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    with pytest.raises(FormatError, match="no reader accepts it"):
        tabkit.read(path)
    path = tmp_path / "table.RData"
    path.write_bytes(gzip.compress(b"a,b\n1,2\n"))
    with pytest.raises(FormatError, match="not an R data file: what is gzip-compressed in it"):
        tabkit.read(path)
