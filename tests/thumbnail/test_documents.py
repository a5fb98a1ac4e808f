"""The page in docs/ shows what happens, and the contact sheet can be made."""

from __future__ import annotations

import doctest
import sys
from pathlib import Path

import pytest
from PIL import Image

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "make"))
sys.path.insert(0, str(Path(__file__).parent))
import contact_sheet
from survey import make

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.skipif(sys.platform == "win32", reason="paths are printed otherwise")
def test_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run with a survey and a photograph of 300 by 200 pixels at hand."""
    make(tmp_path / "survey.sav")
    Image.new("RGB", (300, 200)).save(tmp_path / "photo.jpg")
    monkeypatch.chdir(tmp_path)
    flags = doctest.IGNORE_EXCEPTION_DETAIL
    done = doctest.testfile(str(DOCS / "thumbnails.md"), module_relative=False, optionflags=flags)
    assert done.attempted >= 5
    assert not done.failed


def test_contact_sheet(corpus: Path, tmp_path: Path) -> None:
    """Every image and PDF of the corpus is on a sheet or in the list of those refused."""
    for folder in ("img", "pdf"):
        refused: list[str] = []
        paths = sorted((corpus / folder).iterdir())
        pictures = contact_sheet.pictures_of(paths, refused)
        assert len(pictures) + len(refused) == len(paths)
        contact_sheet.sheet(pictures).save(tmp_path / f"{folder}.png")
        assert (tmp_path / f"{folder}.png").stat().st_size > 50_000
