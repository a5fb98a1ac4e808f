"""Rows on pictures: thumbnails of 24 megapixels, a PDF page and a table, against Pillow and others.

    python benchmarks/media.py [FOLDER] [ROUNDS]

`make` writes the pictures, `rows` gives the commands to measure; run.py uses both. The peer
"Pillow" is the shortest way it has: decode a JPEG at an eighth, average, resample, save.
ImageMagick is taken from where Debian installs it.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

PYTHON = sys.executable
TABKIT = str(Path(PYTHON).with_name("tabkit"))
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


def rows(
    folder: Path, table: Path | None = None
) -> list[tuple[str, list[str], dict[str, list[str]]]]:
    """What to measure: the work, tabkit's command, and the peers' by name."""
    target = str(folder / "thumbnail.png")

    def ours(source: Path) -> list[str]:
        return [TABKIT, "thumbnail", str(source), target, "--size", str(SIZE), "-f"]

    found = []
    for suffix in ("jpg", "png"):
        source = folder / f"photo.{suffix}"
        peers = {"Pillow": [PYTHON, "-c", _PILLOW, str(source), target]}
        if convert := _imagemagick():
            resize = ["-resize", f"{SIZE}x{SIZE}", target]
            peers["ImageMagick"] = [convert, str(source), *resize]
        found.append((f"thumbnail of a {suffix.upper()} of 24 megapixels", ours(source), peers))
    found.append(("thumbnail of a PDF page", ours(folder / "page.pdf"), _pdf_peers(folder, target)))
    if table is not None:
        found.append((f"thumbnail of {table.name}", ours(table), {}))
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


def _cpu(command: list[str]) -> tuple[float, float, float]:
    # Python packages are installed with their bytecode; a checkout may be told not to write it.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    cpu = usage.ru_utime + usage.ru_stime
    return cpu, time.monotonic() - began, usage.ru_maxrss / 1024


def main(folder: Path, rounds: int) -> None:
    """Measure all in turns and print the table."""
    folder.mkdir(parents=True, exist_ok=True)
    # In a process of its own: a child's peak counts what its parent holds when it is forked.
    subprocess.run([PYTHON, __file__, "--make", str(folder)], check=True)
    print(
        "| work | who | CPU s | wall s | peak MiB | tabkit / this, CPU |\n|---|---|---|---|---|---|"
    )
    for work, command, peers in rows(folder):
        commands = {"tabkit": command, **peers}
        costs: dict[str, list[tuple[float, float, float]]] = {who: [] for who in commands}
        for turn in range(rounds + 1):
            for who, each in commands.items():
                cost = _cpu(each)
                if turn:  # the first is to warm up
                    costs[who].append(cost)
        for who, found in costs.items():
            cpu, wall, peak = (statistics.median(part) for part in zip(*found, strict=True))
            pairs = zip(costs["tabkit"], found, strict=True)
            ratio = statistics.median(a[0] / b[0] for a, b in pairs)
            print(f"| {work} | {who} | {cpu:.3f} | {wall:.3f} | {peak:.0f} | {ratio:.2f} |")


if __name__ == "__main__":
    given = sys.argv[1:]
    if given[:1] == ["--make"]:
        make(Path(given[1]))
    else:
        main(
            Path(given[0]) if given else Path(__file__).with_name("data"),
            int(given[1]) if len(given) > 1 else 9,
        )
