"""One table in every format has one fingerprint, whoever wrote it."""

from __future__ import annotations

import datetime as dt
import shutil
import subprocess
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

import tabkit
from tabkit.formats import find_format
from tabkit.model import Category, Kind, Measure, Table, Variable

if TYPE_CHECKING:
    from pathlib import Path

WRITTEN = ("sav", "zsav", "dta", "parquet", "arrow", "tab", "csv", "rds", "rdata")
# por and xpt have no Japanese.
#: Written by R, where it and haven are: `haven::write_sav`, `write_dta`, `saveRDS`, `save`.
BY_R = ("sav", "dta", "rds", "RData")
SCRIPT = """
suppressMessages(library(haven))
arguments <- commandArgs(TRUE)
people <- data.frame(
  id = c(1, 2, 3, 4), age = c(40, NA, 0, 101), share = c(0.5, -1e-7, NA, 123456.789),
  name = c("Ada", "Zoë", "x", "日本"),
  born = as.Date(c("1815-12-10", NA, "2000-02-29", "1970-01-01"))
)
people$health <- labelled(c(1, 2, 1, 9), c(good = 1, bad = 2), label = "Health")
write_sav(people, file.path(arguments, "people.sav"))
write_dta(people, file.path(arguments, "people.dta"))
saveRDS(people, file.path(arguments, "people.rds"))
save(people, file = file.path(arguments, "people.RData"))
"""


def people() -> Table:
    data = pa.table(
        {
            "id": pa.array([1.0, 2.0, 3.0, 4.0]),
            "age": pa.array([40.0, None, 0.0, 101.0]),
            "share": pa.array([0.5, -1e-7, None, 123456.789]),
            "name": ["Ada", "Zoë", "x", "日本"],
            "born": [dt.date(1815, 12, 10), None, dt.date(2000, 2, 29), dt.date(1970, 1, 1)],
            "health": pa.array([1.0, 2.0, 1.0, 9.0]),
        }
    )
    labels = (Category(1.0, "good"), Category(2.0, "bad"))
    text = {"kind": Kind.CHARACTER}
    return Table(
        data,
        (
            Variable("id", measure=Measure.SCALE),
            Variable("age", measure=Measure.SCALE),
            Variable("share", measure=Measure.SCALE),
            Variable("name", **text),
            Variable("born", **text, format_category="date"),
            Variable("health", label="Health", categories=labels, measure=Measure.NOMINAL),
        ),
    )


def fingerprints(table: Table) -> dict[str, str]:
    description = tabkit.describe(table)
    pairs = zip(table.variables, description.variables, strict=True)
    return {"": description.unf} | {variable.name: each.unf for variable, each in pairs}


@pytest.mark.parametrize("name", WRITTEN)
def test_written_by_tabkit(tmp_path: Path, name: str) -> None:
    path = tmp_path / f"people.{name}"
    find_format(name).write(people(), path)
    assert fingerprints(tabkit.read(path)) == fingerprints(people())


@pytest.fixture(scope="module")
def by_r(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("r")
    rscript = shutil.which("Rscript")
    if rscript is None:
        pytest.skip("R is not here")
    command = [rscript, "--vanilla", "-e", SCRIPT, str(folder)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if run.returncode:
        pytest.skip(f"R has no haven: {run.stderr[-200:]}")
    return folder


@pytest.mark.parametrize("name", BY_R)
def test_written_by_r(by_r: Path, name: str) -> None:
    assert fingerprints(tabkit.read(by_r / f"people.{name}")) == fingerprints(people())
