"""Profile ``dataverse``: every field is what the repository's own R script wrote."""

from __future__ import annotations

import gzip
import json
import math
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.options import ReadOptions
from tabkit.prep import prep, prep_of_tab
from tabkit.prep.delim import delim_columns
from tabkit.prep.rtext import make_names, number_of, signif, text_of
from tabkit.profiles import DATAVERSE

if TYPE_CHECKING:
    from pathlib import Path


def same(ours: object, theirs: object) -> bool:
    """Whether two values are the same in JSON, numbers to 1e-7."""
    if isinstance(theirs, dict):
        return (
            isinstance(ours, dict)
            and ours.keys() == theirs.keys()
            and all(same(ours[key], value) for key, value in theirs.items())
        )
    if isinstance(theirs, list):
        return isinstance(ours, list) and len(ours) == len(theirs) and all(map(same, ours, theirs))
    if isinstance(theirs, str) != isinstance(ours, str) or isinstance(theirs, bool):
        return ours is theirs
    if isinstance(theirs, str) and ours == theirs:
        return True
    ours, theirs = number_of(str(ours)), number_of(str(theirs))
    return None not in (ours, theirs) and math.isclose(ours, theirs, rel_tol=1e-7, abs_tol=1e-12)


def test_equals_the_repositorys_script(corpus: Path, oracle: Path, tmp_path: Path) -> None:
    """All variables of all files that R has answered for, in every field and in order."""
    differing, variables = [], 0
    for answer in sorted((oracle / "prep").rglob("*.json.gz")):
        name = answer.relative_to(oracle / "prep").as_posix().removesuffix(".json.gz")
        theirs = json.loads(gzip.decompress(answer.read_bytes()))["variables"]
        target = tmp_path / f"{variables}.json"
        prep(corpus / name, target, options=ReadOptions(profile=DATAVERSE))
        ours = json.loads(target.read_text(encoding="utf-8"))["variables"]
        assert list(ours) == list(theirs), name
        variables += len(theirs)
        differing += [(name, key) for key in theirs if not same(ours[key], theirs[key])]
    assert variables > 800
    assert not differing


READ = """
files <- commandArgs(TRUE)
for (file in files) {
  x <- suppressWarnings(read.delim(file))
  cat(length(x), nrow(x), paste(vapply(x, function(v) class(v)[1], ""), collapse = " "), "\\n")
  for (i in seq_along(x)) {
    cells <- paste(as.character(x[[i]]), collapse = "|")
    cat(gsub("\\n", "<LF>", paste(names(x)[i], cells)), "\\n")
  }
}
"""
TABLES = [
    'a\tb\n1\t"x"\n2\t"it\'s \\"q\\""\n\t""\n',
    "only\n1\n\n3\n",
    'only\n"a"\n""\n"NA"\n',
    "a b\ta b\t1x\t_\tif\n1\tT\t0x1F\t1e\t.5\nNA\tFALSE\t2\t 3 \tInf\n",
    'a\tb\n1\t"x""y"\n2\t"p\rq"\n',
    'a\tb\n1\t"x\\"y"\n2\t"z"\n3\t"w"\n4\t"v"\n5\t"u"\n6\t"t"\n',
]


@pytest.mark.parametrize("text", TABLES)
def test_cells_equal_read_delim(text: str, tmp_path: Path) -> None:
    """Names, number of cases and the distinct cells of each column, against real R."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    path, script = tmp_path / "x.tab", tmp_path / "read.R"
    path.write_bytes(text.encode())
    script.write_text(READ)
    command = ["Rscript", "--vanilla", script, path]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    size, *columns = done.stdout.splitlines()
    names, cells = delim_columns(path)
    ours = prep_of_tab(path)["variables"]
    assert make_names(names) == [line.split(" ", 1)[0] for line in columns]
    rows = int(size.split()[1])
    for name, line, counted in zip(ours, columns, cells, strict=True):
        assert sum(count for _, count in counted) == rows
        assert ours[name]["valid"] + ours[name]["invalid"] == rows
        theirs = line.removeprefix(f"{name} ").removesuffix(" ").split("|")
        assert ours[name]["invalid"] == theirs.count("NA"), name
        drawn = {each for each in theirs if each != "NA"}
        assert {key.replace("\n", "<LF>") for key in ours[name]["plotvalues"]} == drawn


def in_r(expression: str, values: list[str], folder: Path) -> list[str]:
    """Return what R makes of each value, ``v``, as lines."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    (folder / "values.txt").write_text("\n".join(values), encoding="utf-8")
    script = f'for (v in readLines("{folder}/values.txt")) cat({expression}, "\\n", sep = "")'
    (folder / "s.R").write_text(script)
    command = ["Rscript", "--vanilla", folder / "s.R"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.splitlines()


NUMBERS = """
1e5 100000 123456 1e-5 0.0001 0.00012 0.1 0.30000000000000004 1234567890123456789 1e15 1e22
123456.7 100000.1 -1e5 5e-324 1.79e200 0 -2.5 1200000 12e6 0.001 0.0012
33333.333333333336 2e-10 999999999999999 1e16 12345e-8 0.000123456
""".split()  # noqa: SIM905


def test_numbers_are_spelled_as_in_r(tmp_path: Path) -> None:
    """As ``as.character`` and after ``signif``."""
    expected = in_r("as.character(as.numeric(v))", NUMBERS, tmp_path)
    assert [text_of(float(each)) for each in NUMBERS] == expected
    expected = in_r("as.character(signif(as.numeric(v), 4))", NUMBERS, tmp_path)
    assert [text_of(signif(float(each), 4)) for each in NUMBERS] == expected


@given(st.floats(-1e300, 1e300))
def test_spelling_keeps_fifteen_digits(value: float) -> None:
    """What is spelled reads back to 15 digits."""
    assert float(text_of(value)) == pytest.approx(value, rel=1e-14)


CELLS = ["1d5", "0x1A", "1e", " 12 ", "nan", "-infinity", "1L", "1.", ".", "+5", "e5"]


def test_numbers_are_read_as_in_r(tmp_path: Path) -> None:
    """Where ``as.numeric`` gives NA, there is no number."""
    expected = in_r(
        "is.na(suppressWarnings(as.numeric(v))) && !is.nan(as.numeric(v))", CELLS, tmp_path
    )
    assert ["TRUE" if number_of(cell) is None else "FALSE" for cell in CELLS] == expected


def test_names_are_made_as_in_r() -> None:
    """Observed with R 4.2: a name that needs no change keeps it."""
    names = ["a b", "a.b", "1x", "_y", "a", "a", "if", "", "é", "..1", ".1", "a", "a.1"]
    made = "a.b.1 a.b X1x X_y a a.2 if. X é ..1 X.1 a.3 a.1"
    assert " ".join(make_names(names)) == made
