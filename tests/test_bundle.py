"""Bundles: all that a repository serves of a file, under its names, the same bytes every time."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tabkit.bundle import bundle, bundle_name
from tabkit.errors import FormatError, OutputError
from tabkit.ingest import PARTS, ingest

sys.path.insert(0, str(Path(__file__).parent / "data" / "make"))
from survey import make

TABKIT = [sys.executable, "-m", "tabkit", "bundle"]
R = ["survey.RData"] if "rdata" in PARTS else []


@pytest.fixture
def survey(tmp_path: Path) -> Path:
    """The sample survey."""
    make(tmp_path / "survey.sav")
    return tmp_path / "survey.sav"


def test_names_and_contents(survey: Path, tmp_path: Path) -> None:
    """In the repository's order, with a separator before ``citation``; as ingest writes them."""
    bundle(survey, tmp_path / "b.zip")
    ingest(survey, tmp_path / "out")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert archive.namelist() == [
            "survey.tab", "survey.sav", *R, "survey-ddi.xml", "survey-citation-endnote.xml",
            "survey-citation-ris.ris", "survey-citation-bib.bib", "survey-citation-csl.json",
            "manifest-sha256.txt",
        ]  # fmt: skip
        for name in ("survey.tab", "survey.sav", "survey-ddi.xml"):
            assert archive.read(name) == (tmp_path / "out" / name).read_bytes()
        item = json.loads(archive.read("survey-citation-csl.json"))
        assert item["title"] == "Sample survey of tabkit"
        assert "File: survey.sav; UNF: UNF:6:" in item["note"]
        for line in archive.read("manifest-sha256.txt").decode().splitlines():
            digest, name = line.split("  ")
            assert hashlib.sha256(archive.read(name)).hexdigest() == digest


def test_two_runs_give_the_same_bytes(survey: Path, tmp_path: Path) -> None:
    """To a file and to a stream."""
    bundle(survey, tmp_path / "one.zip")
    stream = io.BytesIO()
    bundle(survey, stream)
    assert stream.getvalue() == (tmp_path / "one.zip").read_bytes()


def test_names_of_the_repository(survey: Path, tmp_path: Path) -> None:
    """Profile ``dataverse``: no separator, and its own fragment of DDI."""
    bundle(survey, tmp_path / "b.zip", profile="dataverse")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        assert "surveycitation-endnote.xml" in archive.namelist()
        assert b'"http://www.icpsr.umich.edu/DDI"' in archive.read("survey-ddi.xml")


def test_a_study_of_ones_own(survey: Path, tmp_path: Path) -> None:
    """Cited is what is given, with the file's name and fingerprint."""
    (tmp_path / "s.json").write_text('{"title": "Trust", "authors": ["Doe, J."], "date": "2020"}')
    bundle(survey, tmp_path / "b.zip", study=tmp_path / "s.json")
    with zipfile.ZipFile(tmp_path / "b.zip") as archive:
        ris = archive.read("survey-citation-ris.ris").decode()
    assert "T1  - Trust\r\nAU  - Doe, J.\r\n" in ris
    assert "C1  - survey.sav\r\nC2  - UNF:6:" in ris


def test_failures_leave_nothing(survey: Path, tmp_path: Path) -> None:
    """Neither where the source is broken nor where the target is there already."""
    (tmp_path / "bad.sav").write_bytes(survey.read_bytes()[:200])
    with pytest.raises(FormatError):
        bundle(tmp_path / "bad.sav", tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()
    bundle(survey, tmp_path / "b.zip")
    with pytest.raises(OutputError):
        bundle(survey, tmp_path / "b.zip")


def test_the_command(survey: Path, tmp_path: Path) -> None:
    """By its own name beside nothing else; and as a stream that other programs open."""
    done = subprocess.run([*TABKIT, survey], cwd=tmp_path, check=True, capture_output=True)
    assert b"survey-bundle.zip: survey.tab, survey.sav" in done.stdout
    piped = subprocess.run([*TABKIT, survey, "-o", "-"], check=True, capture_output=True)
    assert piped.stdout == (tmp_path / bundle_name("survey.sav")).read_bytes()
