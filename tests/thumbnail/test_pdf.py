"""Pages of PDF files: the page as a reader would see it."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tabkit.errors import FormatError, UsageError
from tests.thumbnail.pictures import (
    BLUE,
    GREEN,
    RED,
    WHITE,
    drawn,
    endless_page,
    near,
    page,
    pdf,
    stream,
)

if TYPE_CHECKING:
    from pathlib import Path

FORM = b"/Type /XObject /Subtype /Form /BBox [0 0 100 100]"
LOWER_LEFT = b"1 0 0 rg 0 0 60 40 re f"  # red, in the corner where a page begins


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a PDF goes."""
    return tmp_path / "page.pdf"


def test_page(file: Path) -> None:
    """Drawn in the size asked for, on white."""
    file.write_bytes(page(LOWER_LEFT))
    for size in (64, 400):
        shown = drawn(file, size)
        assert (shown.mode, shown.size) == ("RGB", (size, size // 2))
        assert near(shown.getpixel((3, size // 2 - 3)), RED)
        assert near(shown.getpixel((size - 3, 3)), WHITE)


@pytest.mark.parametrize(
    ("turn", "size", "corner"),
    [(0, (64, 32), "bottom left"), (90, (32, 64), "top left"),
     (180, (64, 32), "top right"), (270, (32, 64), "bottom right")],
)  # fmt: skip
def test_rotation(turn: int, size: tuple[int, int], corner: str, file: Path) -> None:
    """Clockwise, as ISO 32000-1 table 30 says of /Rotate."""
    file.write_bytes(page(LOWER_LEFT, more=b"/Rotate %d" % turn))
    shown = drawn(file)
    assert shown.size == size
    x = 2 if "left" in corner else shown.width - 3
    y = 2 if "top" in corner else shown.height - 3
    assert near(shown.getpixel((x, y)), RED)


@pytest.mark.parametrize("box", [b"0 0 14400 14400", b"0 0 2e9 2e9", b"-7e6 -7e6 7e6 7e6"])
def test_huge_page(box: bytes, file: Path) -> None:
    """A page of any size is drawn at the size of the thumbnail."""
    file.write_bytes(page(b"0 0 1 rg -1e7 -1e7 3e9 3e9 re f", box=box))
    assert max(drawn(file).size) == 64


def test_reversed_and_cropped_boxes(file: Path) -> None:
    """A box is the same from any corner, and the crop box is what is shown."""
    file.write_bytes(page(LOWER_LEFT, box=b"200 100 0 0"))
    assert near(drawn(file).getpixel((3, 29)), RED)
    file.write_bytes(page(LOWER_LEFT, more=b"/CropBox [0 0 60 40]"))
    shown = drawn(file)
    assert shown.size == (64, 43)
    assert near(shown.getpixel((60, 4)), RED)


def test_form_fields_and_annotations_are_drawn(file: Path) -> None:
    """A field is filled green, a remark is blue."""
    file.write_bytes(
        pdf(
            b"<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> >>",
            b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] /Annots [5 0 R 7 0 R] >>",
            b"null",
            b"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /F 4 /Rect [0 0 100 100]"
            b" /AP << /N 6 0 R >> >>",
            stream(b"0 1 0 rg 0 0 100 100 re f", FORM),
            b"<< /Type /Annot /Subtype /Square /F 4 /Rect [100 0 200 100] /AP << /N 8 0 R >> >>",
            stream(b"0 0 1 rg 0 0 100 100 re f", FORM),
        )
    )  # fmt: skip
    shown = drawn(file)
    assert near(shown.getpixel((10, 16)), GREEN)
    assert near(shown.getpixel((50, 16)), BLUE)


def test_pages(file: Path) -> None:
    """Each by its number from 1; there are no others."""
    file.write_bytes(
        pdf(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [3 0 R 4 0 R] /Count 2 >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 100] >>",
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 100 200] >>",
        )
    )
    assert drawn(file, page=2).size == (32, 64)
    for number in (0, 3):
        with pytest.raises(UsageError, match=rf"page\.pdf has 2 pages, and no page {number}"):
            drawn(file, page=number)


def test_encrypted(file: Path) -> None:
    """One line says so; no password is guessed but the empty one."""
    encrypt = b"<< /Filter /Standard /V 1 /R 2 /P -4 /O (%s) /U (%s) >>" % (b"o" * 32, b"u" * 32)
    file.write_bytes(
        pdf(
            b"<< /Type /Catalog /Pages 2 0 R >>",
            b"<< /Type /Pages /Kids [] /Count 0 >>",
            encrypt,
            trailer=b"/Encrypt 3 0 R /ID [<00> <00>]",
        )
    )
    with pytest.raises(FormatError, match=r"page\.pdf: this PDF is encrypted; save it without"):
        drawn(file)


def test_encrypted_is_not_said_of_the_next_file(file: Path) -> None:
    """PDFium keeps its last error where it gives none."""
    test_encrypted(file)
    file.write_bytes(
        pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 0 >>")
    )
    with pytest.raises(FormatError, match=r"damaged|no pages"):
        drawn(file)


@pytest.mark.parametrize(
    "content",
    [b"%PDF-1.7\n", b"%PDF-1.4\ntrailer << /Root 1 0 R >>", pdf(b"<< /Type /Catalog >>")],
)
def test_damaged(content: bytes, file: Path) -> None:
    """Refused as damaged, or as empty."""
    file.write_bytes(content)
    with pytest.raises(FormatError, match=r"page\.pdf: this PDF"):
        drawn(file)


@pytest.mark.parametrize(
    "content",
    [
        pdf(b"<< /Type /Catalog /Pages 2 0 R >>", b"[" * 100_000 + b"]" * 100_000),
        page(b"q " * 200_000 + LOWER_LEFT),
        page(b"[" * 100_000),
    ],
    ids=["arrays", "states", "operands"],
)
def test_deep(content: bytes, file: Path) -> None:
    """Nested beyond reason: drawn or refused, in a process of its own, soon."""
    file.write_bytes(content)
    done = subprocess.run(
        [sys.executable, "-m", "tabkit", "thumbnail", file, file.with_suffix(".png")],
        check=False,
        capture_output=True,
        timeout=30,
    )
    assert done.returncode in {0, 3}, done.stderr
    assert len(done.stderr.splitlines()) <= 1


def test_page_without_end(file: Path) -> None:
    """A form that draws itself twice, 2^n times in all, is given up."""
    file.write_bytes(endless_page())
    target = file.with_suffix(".png")
    done = subprocess.run(
        [sys.executable, "-m", "tabkit", "thumbnail", file, target, "--max-seconds", "1"],
        check=False,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 3
    assert done.stderr == (
        "tabkit: page.pdf: drawing takes more than 1 seconds; raise it with --max-seconds\n"
    )
    assert [each.name for each in file.parent.iterdir()] == ["page.pdf"]


def test_dataverse(file: Path) -> None:
    """Drawn at 400 and made smaller from there, with alpha; 1,000,000 bytes at most."""
    file.write_bytes(page(LOWER_LEFT))
    shown = drawn(file, profile="dataverse")
    assert (shown.mode, shown.size) == ("RGBA", (64, 32))
    file.write_bytes(page(LOWER_LEFT + b" " * 1_000_000))
    with pytest.raises(FormatError, match="up to 1,000,000 bytes"):
        drawn(file, profile="dataverse")
    assert drawn(file).size == (64, 32)
