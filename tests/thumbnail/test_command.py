"""``tabkit thumbnail`` and `tabkit.thumbnail` as a user calls them."""

from __future__ import annotations

import io
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from PIL import Image

import tabkit
from tabkit.errors import OutputError, UsageError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    """A picture of 300 by 200 pixels."""
    Image.new("RGB", (300, 200), (200, 100, 50)).save(tmp_path / "photo.jpg")
    return tmp_path / "photo.jpg"


def opened(path: Path) -> Image.Image:
    """A picture, its file closed."""
    return Image.open(io.BytesIO(path.read_bytes()))


def command(*arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run the command."""
    line = [sys.executable, "-m", "tabkit", "thumbnail", *map(str, arguments)]
    return subprocess.run(line, check=False, capture_output=True, **options)


def test_one_size_and_several(photo: Path) -> None:
    """One goes to the target, several to names with their size."""
    target = photo.with_name("out.png")
    assert command(photo, target).returncode == 0
    assert opened(target).size == (64, 43)
    assert tabkit.thumbnail(photo, target, (48, 400)) == [
        photo.with_name("out-48.png"),
        photo.with_name("out-400.png"),
    ]
    assert opened(photo.with_name("out-48.png")).size == (48, 32)
    assert opened(photo.with_name("out-400.png")).size == (300, 200)


def test_nothing_is_replaced_unasked(photo: Path) -> None:
    """Nor is one of several written where another exists."""
    photo.with_name("out-64.png").write_bytes(b"mine")
    done = command(photo, photo.with_name("out.png"), "--size", "32,64")
    assert done.returncode == 3
    assert done.stderr == b"tabkit: out-64.png: exists already; use -f to replace it\n"
    assert not photo.with_name("out-32.png").exists()
    with pytest.raises(OutputError):
        tabkit.thumbnail(photo, photo.with_name("out.png"), (32, 64))
    assert command(photo, photo.with_name("out.png"), "--size", "32,64", "-f").returncode == 0


def test_streams(photo: Path) -> None:
    """From stdin and to stdout."""
    done = command("-", "-", "--size", "30", "--name", "x.jpg", input=photo.read_bytes())
    assert Image.open(io.BytesIO(done.stdout)).size == (30, 20)
    assert command(photo, "-", "--size", "30,40").returncode == 2


def test_profile_and_source_that_are_not_there(photo: Path, tmp_path: Path) -> None:
    """Wrong usage is 2, a file that is not there 3."""
    assert command(photo, tmp_path / "o.png", "--profile", "nonsense").returncode == 2
    absent = command(tmp_path / "absent.jpg", tmp_path / "o.png")
    assert (absent.returncode, absent.stderr) == (
        3,
        b"tabkit: absent.jpg: no such file or directory\n",
    )
    assert command(photo, tmp_path / "o.png", "--profile", "dataverse").returncode == 0
    assert opened(tmp_path / "o.png").mode == "RGBA"
    with pytest.raises(UsageError):
        tabkit.thumbnail(photo, tmp_path / "p.png", 0)


def test_an_image_loads_no_tables(photo: Path) -> None:
    """Start-up is most of the time of a small picture: no numpy, no Arrow, no PDFium."""
    code = (
        "import sys; from pathlib import Path; from tabkit.thumbnail import render;"
        f"render(Path({str(photo)!r}), (64,));"
        "print(*sorted({'numpy', 'pyarrow', 'pypdfium2', 'lxml', 'tabkit.formats'} "
        "& set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    assert done.stdout.split() == []
