"""Every format has a sample that another tool made; what was put in comes out of it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest

import tabkit
from tabkit.formats import FORMATS, find_format

sys.path.insert(0, str(Path(__file__).parent / "data" / "make"))
import samples
import survey

KEEPS_LABELS = {"sav", "zsav", "dta", "sas7bdat", "xpt"}  # ReadStat writes none into por
WRITABLE = {each.name for each in FORMATS if each.reader and each.writer}


DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "formats.md"


def documented_losses() -> dict[str, str]:
    """What docs/formats.md says that a format does not keep, by its name."""
    table = DOCUMENT.read_text(encoding="utf-8").split("| format | not kept |")[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {name.strip("`"): text for names, text in rows for name in names.split(", ")}


def made(folder: Path, name: str) -> Path:
    if name in samples.OF_R:
        pytest.skip("R is not here")
    path = folder / f"sample.{name}"
    samples.MAKERS[name](path)
    return path


def cells(table: tabkit.Table) -> dict[str, list[object]]:
    """The cells by name; SPSS portable and SAS transport have no small letters in names."""
    return {name.lower(): column for name, column in table.data.to_pydict().items()}


def put_in(name: str) -> dict[str, list[object]]:
    """What was put in; base 30 and IBM's numbers hold 0.0000001 to their last digit only."""
    near = name in {"por", "xpt"}
    return {
        column: [
            pytest.approx(each, rel=1e-15) if near and column != "name" else each for each in v
        ]
        for column, v in samples.COLUMNS.items()
    }


@pytest.mark.parametrize("name", [each.name for each in FORMATS if each.reader])
def test_what_was_put_in_comes_out(tmp_path: Path, name: str) -> None:
    table = tabkit.read(made(tmp_path, name))
    assert table.origin.format == name
    assert cells(table) == put_in(name)
    if name in KEEPS_LABELS:
        labels = {each.name.lower(): each.label for each in table.variables}
        assert labels == samples.LABELS


@pytest.mark.parametrize("name", sorted(WRITABLE))
def test_what_is_written_of_it_comes_back(tmp_path: Path, name: str) -> None:
    """The whole way round: a sample of SPSS to the format and back."""
    source = tabkit.read(made(tmp_path, "sav"))
    path = tmp_path / f"again.{name}"
    find_format(name).write(source, path)
    assert cells(tabkit.read(path)) == put_in(name)


def test_json_holds_what_was_put_in(tmp_path: Path) -> None:
    """It is only written; Python's own reader is the judge."""
    found = json.loads(made(tmp_path, "json").read_text(encoding="utf-8"))
    assert found["data"] == samples.COLUMNS


@pytest.mark.parametrize("name", [each.name for each in FORMATS if each.writer])
def test_every_loss_is_documented(tmp_path: Path, name: str) -> None:
    """What is told of the sample survey stands in the format's row, and "nothing" is nothing."""
    survey.make(tmp_path / "survey.sav")
    told = tabkit.convert(tmp_path / "survey.sav", tmp_path / f"again.{name}")
    row = documented_losses()[name]
    for loss in told:
        assert re.sub(r"( became [A-Z]+|:.*)$", "", loss.what) in row
    assert row.startswith("nothing") == (not told)
