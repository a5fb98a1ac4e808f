"""Rows on pictures: thumbnails of 24 megapixels, a PDF page and a table, against Pillow and others.

`make` writes the pictures, `rows` gives the work to measure; run.py uses both. The peer "Pillow" is
the shortest way it has: decode a JPEG at an eighth, average, resample, save. ImageMagick is taken
from where Debian installs it.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from cost import PYTHON, TABKIT, Row, Target

SIZE = 400
_PILLOW = """
import sys
from PIL import Image
image = Image.open(sys.argv[1])
image.draft(None, (400, 400))
image.thumbnail((400, 400), Image.Resampling.LANCZOS, reducing_gap=2.0)
image.save(sys.argv[2])
"""


def make(folder: Path) -> None:
    """Write photo.jpg, photo.png (6000 x 4000, smooth shapes and grain) and page.pdf."""
    import numpy as np
    from PIL import Image

    if (folder / "photo.png").exists():
        return
    rng = np.random.default_rng(1)
    width, height = 6000, 4000
    pixels = np.full((height, width, 3), 128, np.float32)
    for count, strength in ((4, 90), (12, 60), (40, 30), (150, 16), (600, 9), (2000, 5)):
        small = rng.normal(size=(count * 2 // 3 + 2, count + 2, 3)).astype(np.float32)
        for channel in range(3):
            part = Image.fromarray(small[:, :, channel])
            large = part.resize((width, height), Image.Resampling.BICUBIC)
            pixels[:, :, channel] += strength * np.asarray(large)
    pixels += rng.normal(scale=2.0, size=(height, width, 1)).astype(np.float32)
    photo = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    photo.save(folder / "photo.jpg", quality=88)
    photo.save(folder / "photo.png")
    lines = b"".join(
        b"BT /F 9 Tf 50 %d Td (%s) Tj ET\n" % (y, b"A line of a report, as reports are. " * 3)
        for y in range(60, 740, 12)
    )
    (folder / "page.pdf").write_bytes(_pdf(lines))


def _pdf(content: bytes) -> bytes:
    font = b"<< /Font << /F << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R /Resources %s >>"
        % font,
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(content), content),
    )
    body, offsets = b"%PDF-1.7\n", []
    for number, each in enumerate(objects, 1):
        offsets.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, each)
    table = b"xref\n0 5\n0000000000 65535 f \n"
    table += b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    end = b"trailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % len(body)
    return body + table + end


def rows(folder: Path, table: Path) -> list[Row]:
    """The work on the pictures of ``folder`` and on a table."""
    target = str(folder / "out" / "thumbnail.png")

    def ours(source: Path) -> list[str]:
        return [TABKIT, "thumbnail", str(source), target, "--size", str(SIZE), "-f"]

    found = []
    for suffix in ("jpg", "png"):
        source = folder / f"photo.{suffix}"
        peers = {"Pillow": [PYTHON, "-c", _PILLOW, str(source), target]}
        targets = [Target(peer="Pillow", ratio=1 / 1.2)]
        if convert := _imagemagick():
            resize = ["-resize", f"{SIZE}x{SIZE}", target]
            peers["ImageMagick"] = [convert, str(source), *resize]
            targets.append(Target(peer="ImageMagick", ratio=1 / 0.7))
        work = f"thumbnail of a {suffix.upper()} of 24 megapixels"
        found.append(Row(work, ours(source), peers, tuple(targets)))
    page = folder / "page.pdf"
    limit = (Target("wall", limit=0.5),)
    found.append(Row("thumbnail of a PDF page", ours(page), _pdf_peers(folder, target), limit))
    found.append(Row("thumbnail of the survey", ours(table)))
    return found


def _imagemagick() -> str | None:
    debian = Path("/usr/bin/convert-im6.q16")
    return str(debian) if debian.exists() else shutil.which("magick")


def _pdf_peers(folder: Path, target: str) -> dict[str, list[str]]:
    poppler = shutil.which("pdftoppm")
    if poppler is None:
        return {}
    draw = [poppler, "-png", "-singlefile", "-scale-to", str(SIZE)]
    return {"poppler": [*draw, str(folder / "page.pdf"), target.removesuffix(".png")]}
