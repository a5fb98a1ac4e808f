"""Files that are damaged, lie, or want all memory: one line each, soon, and nothing is written."""

from __future__ import annotations

import re
import resource
import struct
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tabkit.errors import FormatError, UnknownFormatError, UsageError
from tabkit.thumbnail import ThumbnailLimits
from tests.thumbnail.pictures import chunk, drawn, page, png

if TYPE_CHECKING:
    from pathlib import Path

MEMORY = 700 << 20  # bytes of address space, most of it libraries


def tabkit(*arguments: object, memory: int = MEMORY) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own that may not take more memory than this."""
    return subprocess.run(
        [sys.executable, "-m", "tabkit", "thumbnail", *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (memory, memory)),
    )


def refused(path: Path, *arguments: object) -> str:
    """The one line that refuses a file; no target appears."""
    target = path.with_name("out.png")
    done = tabkit(path, target, *arguments)
    assert done.returncode == 3, done.stderr
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"tabkit: {path.name}: ")
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    return line


def bmp(width: int, height: int) -> bytes:
    """The header of a BMP file."""
    return b"BM" + struct.pack("<IIIIiiHHIIIIII", 54, 0, 54, 40, width, height, 1, 24, *[0] * 6)


def gif(width: int, height: int) -> bytes:
    """A GIF file of one pixel that claims a larger screen."""
    head = b"GIF89a" + struct.pack("<HH", width, height) + b"\x80\0\0\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHH", 0, 0, width, height) + b"\0\x02\x02\x44\x01\0;"
    return head + frame


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", png(100_000, 100_000, bits=8, kind=2, rows=b"")),
        ("bits.png", png(60_000, 60_000, bits=1, kind=0, rows=bytes(7501) * 9)),
        ("bomb.bmp", bmp(100_000, 100_000)),
        ("bomb.gif", gif(65_535, 65_535)),
    ],
)
def test_claims_are_checked_before_decoding(name: str, content: bytes, tmp_path: Path) -> None:
    """A header that claims 100,000 x 100,000 pixels is refused by the limit it is beyond."""
    (tmp_path / name).write_bytes(content)
    began = time.monotonic()
    line = refused(tmp_path / name)
    assert "over the limit of 500,000,000 pixels; raise it with --max-pixels" in line
    assert time.monotonic() - began < 10


def test_limits_can_be_set(tmp_path: Path) -> None:
    """Both are named where they refuse, and both can be raised and lowered."""
    Image.new("RGB", (1200, 1000)).save(tmp_path / "p.png")
    assert "--max-pixels" in refused(tmp_path / "p.png", "--max-pixels", 1_199_999)
    line = refused(tmp_path / "p.png", "--max-memory", 4)
    assert "decoding takes 5 MiB, over the limit of 4 MiB; raise it with --max-memory" in line
    assert drawn(tmp_path / "p.png", limits=ThumbnailLimits(1_200_000, 4_800_000)).size == (64, 53)


def test_a_large_jpeg_is_decoded_small(tmp_path: Path) -> None:
    """At an eighth it fits where the whole picture would not; progressive it would not either."""
    image = Image.new("RGB", (4000, 4000), (200, 100, 50))
    image.save(tmp_path / "base.jpg")
    image.save(tmp_path / "progressive.jpg", progressive=True)
    limits = ThumbnailLimits(memory=4_000_000)
    assert drawn(tmp_path / "base.jpg", limits=limits).size == (64, 64)
    with pytest.raises(FormatError, match="--max-memory"):
        drawn(tmp_path / "progressive.jpg", limits=limits)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif", "webp", "bmp", "jp2", "ppm"])
def test_cut_anywhere(suffix: str, tmp_path: Path) -> None:
    """A truncated file is refused as what it is, or drawn where only its end is missing."""
    path = tmp_path / f"whole.{suffix}"
    Image.effect_noise((120, 90), 60).convert("RGB").save(path)
    whole = path.read_bytes()
    cut = tmp_path / f"cut.{suffix}"
    messages = []
    for share in range(1, 20):
        cut.write_bytes(whole[: len(whole) * share // 20])
        try:
            assert max(drawn(cut).size) == 64
        except FormatError as error:
            messages.append(str(error))
    assert messages
    assert all(re.fullmatch(rf"cut\.{suffix}: .+", message) for message in messages)


@pytest.mark.parametrize("suffix", ["png", "jpg", "gif", "tif", "webp", "bmp", "ico", "jp2"])
def test_bytes_changed_anywhere(suffix: str, tmp_path: Path) -> None:
    """Whatever a byte is changed to, the result is a picture or a FormatError."""
    path = tmp_path / f"whole.{suffix}"
    Image.effect_noise((40, 30), 60).convert("RGB").save(path)
    whole = path.read_bytes()
    messages = []
    for at in range(0, min(len(whole), 600), 3):
        changed = bytearray(whole)
        changed[at] ^= 0xFF
        path.write_bytes(changed)
        try:
            drawn(path)
        except FormatError as error:
            messages.append(str(error))
    assert all(re.fullmatch(rf"whole\.{suffix}: .+", message) for message in messages)


def test_content_decides_not_the_suffix(tmp_path: Path) -> None:
    """A JPEG named .png and a PDF named .jpg are drawn; a text named .png is not, nor a table."""
    Image.new("RGB", (90, 60)).save(tmp_path / "a.jpg")
    (tmp_path / "a.jpg").rename(tmp_path / "a.png")
    assert drawn(tmp_path / "a.png").size == (64, 43)
    (tmp_path / "b.jpg").write_bytes(page(b""))
    assert drawn(tmp_path / "b.jpg").size == (64, 32)
    (tmp_path / "c.png").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(UnknownFormatError, match=r"c\.png: no thumbnail can be made"):
        drawn(tmp_path / "c.png")
    (tmp_path / "bmi.csv").write_bytes(b"BMI,age\n21,40\n")
    assert drawn(tmp_path / "bmi.csv").size == (64, 64)


def test_empty_and_folder(tmp_path: Path) -> None:
    """Neither is a picture."""
    (tmp_path / "empty.png").touch()
    assert "the file is empty" in refused(tmp_path / "empty.png")
    with pytest.raises(FormatError, match="folder"):
        drawn(tmp_path)
    (tmp_path / "flat.bmp").write_bytes(bmp(0, 10))
    with pytest.raises(FormatError, match=r"flat\.bmp: "):
        drawn(tmp_path / "flat.bmp")


@pytest.mark.parametrize("sizes", ["0", "-4", "4097", "64,64", "a", ""])
def test_sizes_that_are_none(sizes: str, tmp_path: Path) -> None:
    """Wrong usage, told before the source is looked at."""
    done = tabkit(tmp_path / "absent.png", tmp_path / "out.png", "--size", sizes)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1


def test_page_of_an_image(tmp_path: Path) -> None:
    """An image has none."""
    Image.new("L", (9, 9)).save(tmp_path / "p.png")
    with pytest.raises(UsageError, match="--page is for PDF"):
        drawn(tmp_path / "p.png", page=2)


def test_text_bomb(tmp_path: Path) -> None:
    """A compressed text that unfolds to more than Pillow takes is refused."""
    import zlib

    text = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(200 << 20), 9))
    (tmp_path / "text.png").write_bytes(png(9, 9, bits=8, kind=0, rows=bytes(10) * 9, extra=text))
    assert "cannot decode this PNG image" in refused(tmp_path / "text.png")


_ALL = r"""
import re, sys
from pathlib import Path
from tabkit.errors import FormatError
from tabkit.thumbnail import render
for name in sys.argv[1:]:
    try:
        render(Path(name), (64,))
        print("drawn")
    except FormatError as error:
        print(str(error))
# Not getrusage: its peak counts what the parent held when this process was forked.
print(re.search(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[1])
"""


def test_corpus(corpus: Path) -> None:
    """Real and hostile files: drawn, or refused in one line, within 512 MiB."""
    paths = sorted([*(corpus / "img").iterdir(), *(corpus / "pdf").iterdir()])
    done = subprocess.run(
        [sys.executable, "-c", _ALL, *paths],
        check=True,
        capture_output=True,
        text=True,
        timeout=300,
    )
    *lines, peak = done.stdout.splitlines()
    assert len(lines) == len(paths)
    assert lines.count("drawn") >= 62
    assert int(peak) < 512 << 10
