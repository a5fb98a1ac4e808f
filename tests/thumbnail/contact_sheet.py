"""Sheets of thumbnails to look at: ``make contact-sheet``.

    python tests/thumbnail/contact_sheet.py CORPUS FOLDER

Writes FOLDER/images.png, pdf.png and tables.png, with the files that are refused listed in
FOLDER/refused.txt. Left half of a sheet on white, right half on dark.
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tabkit.errors import TabkitError
from tabkit.thumbnail import render

PIXELS = 128
CELL = (PIXELS + 12, PIXELS + 24)
COLUMNS = 8
GROUNDS = ((255, 255, 255), (24, 26, 30))
SKIPPED = {"ddi", "img", "pdf"}


def sheet(pictures: list[tuple[str, bytes]]) -> Image.Image:
    """Lay thumbnails out in a grid, each with its name, on white and on dark."""
    rows = -(-len(pictures) // COLUMNS)
    width, height = COLUMNS * CELL[0], max(1, rows) * CELL[1]
    page = Image.new("RGB", (2 * width, height), GROUNDS[0])
    page.paste(GROUNDS[1], (width, 0, 2 * width, height))
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(10)
    for index, (name, content) in enumerate(pictures):
        row, column = divmod(index, COLUMNS)
        picture = Image.open(io.BytesIO(content)).convert("RGBA")
        for half in (0, width):
            left, top = half + column * CELL[0] + 6, row * CELL[1] + 4
            page.paste(picture, (left, top), picture)
            draw.text((left, top + PIXELS + 2), name[:22], (128, 128, 128), font)
    return page


def pictures_of(paths: list[Path], refused: list[str]) -> list[tuple[str, bytes]]:
    """The thumbnails of files; what refuses a file goes to ``refused``."""
    found = []
    for path in paths:
        try:
            found.append((path.name, render(path, (PIXELS,))[0]))
        except TabkitError as error:
            refused.append(str(error))
    return found


def main(corpus: Path, folder: Path) -> None:
    """Write the sheets of a corpus."""
    folder.mkdir(parents=True, exist_ok=True)
    with (corpus / "MANIFEST.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    tables = [
        corpus / row["file"]
        for row in rows
        if row["format"] not in SKIPPED and row["hardness"] not in {"hostile", "large"}
    ]
    groups = {
        "images": sorted((corpus / "img").iterdir()),
        "pdf": sorted((corpus / "pdf").iterdir()),
        "tables": sorted(tables),
    }
    refused: list[str] = []
    for name, paths in groups.items():
        sheet(pictures_of(paths, refused)).save(folder / f"{name}.png")
    (folder / "refused.txt").write_text("\n".join(refused) + "\n", encoding="utf-8")
    summary = f"{folder}: {', '.join(groups)}; {len(refused)} files refused\n"
    sys.stdout.write(summary)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
