"""Tables to and from a running R, and files through R: what R sees is what haven would give it.

R runs in a process of its own, since it takes the signals and the locale of the one that it is in.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tabkit
from tabkit.errors import DependencyError
from tests.read.r_files import needs_r, run_r

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "r.ipynb"
needs_rpy2 = pytest.mark.skipif(
    importlib.util.find_spec("rpy2") is None, reason="rpy2 is not installed"
)
needs_ipython = pytest.mark.skipif(
    importlib.util.find_spec("IPython") is None, reason="IPython is not installed"
)


def python(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python code with warnings as errors."""
    return subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | environment,
    )


THERE_AND_BACK = """
import sys, tabkit, tabkit.r
table = tabkit.read(sys.argv[1])
frame = tabkit.r.to_r(table, on_loss=lambda loss: None)
import rpy2.rinterface as r
r.globalenv["ours"] = frame
user_na = ", user_na = TRUE" if sys.argv[1].endswith("sav") else ""
read = "read_sav" if sys.argv[1].endswith("sav") else "read_dta"
r.evalr(f"theirs <- suppressMessages(haven::{read}('{sys.argv[1]}'{user_na}))")
r.evalr('''stopifnot(tibble::is_tibble(ours), identical(names(ours), names(theirs)))
for (n in names(ours)) {
  a <- ours[[n]]; b <- theirs[[n]]
  stopifnot(identical(as.vector(unclass(a)), as.vector(unclass(b))),
            identical(attr(a, "label"), attr(b, "label")),
            identical(attr(a, "labels"), attr(b, "labels")),
            identical(haven::na_tag(as.double(unclass(a))), haven::na_tag(as.double(unclass(b)))))
}''')
for back in (tabkit.r.from_r(frame), tabkit.r.from_r("ours")):
    assert tabkit.describe(back).unf == tabkit.describe(table).unf
    assert [v.categories for v in back.variables] == [v.categories for v in table.variables]
    assert {k: v.to_pylist() for k, v in back.missing_tags.items()} == {
        k: v.to_pylist() for k, v in table.missing_tags.items()}
try:
    tabkit.r.from_r("nothing")
except tabkit.FormatError as error:
    assert "no such variable" in str(error)
cars = tabkit.r.from_r(r.evalr("mtcars"), row_names="model")
assert cars.data.shape == (32, 12)
matrix = tabkit.r.from_r(r.evalr("matrix(1:6, 2)"))
assert matrix.data.column_names == ["V1", "V2", "V3"]
print("done")
"""


@needs_r
@needs_rpy2
@pytest.mark.parametrize("name", ["dta/tagged-na-double.dta", "sav/labelled-num-na.sav"])
def test_there_and_back(corpus: Path, name: str) -> None:
    """A table becomes the frame that haven reads; the frame becomes the table again."""
    done = python(THERE_AND_BACK, corpus / name)
    assert done.stdout.endswith("done\n"), done.stderr[-2000:]


AS_IN_A_FILE = """
import sys, tempfile, tabkit, tabkit.r
from pathlib import Path
import pyarrow as pa
from tabkit.model import Category, Kind, Table, Variable
from tabkit.read import stream_of
from tabkit.write.rdata import write_rds_stream
from tests.write.test_rdata import every_type, labelled
whole, rds = every_type(), Path(sys.argv[1], "x.rds")
bits = pa.py_buffer(bytes.fromhex("a207000000f07ff8" "010000000000f87f" "000000000000f03f"))
odd = pa.table({"nan": pa.Array.from_buffers(pa.float64(), 3, [None, bits]),
                "late": pa.chunked_array([pa.array([1, 2, 3])]), "words": ["a", None, ""]})
tables = [whole, labelled(), Table(whole.data.slice(0, 0), whole.variables),
          Table(pa.table({}), ()), Table(odd, tuple(map(Variable, odd.column_names))),
          Table(pa.concat_tables([odd, odd]), tuple(map(Variable, odd.column_names)))]
tables += [tabkit.read(each) for each in sys.argv[2:]]
tabkit.r._base()
import rpy2.rinterface as r
def no_file(*_, **__): raise AssertionError("a temporary file")
for table in tables:
    for style in (None, "factor", "plain", "repository"):
        ledger, told = write_rds_stream(stream_of(table), rds, r_style=style), []
        made, tempfile.TemporaryDirectory = tempfile.TemporaryDirectory, no_file
        r.globalenv["ours"] = tabkit.r.to_r(table, style=style, on_loss=told.append)
        tempfile.TemporaryDirectory = made
        r.evalr(f"theirs <- readRDS('{rds}')")
        r.evalr("stopifnot(identical(ours, theirs),"
                "identical(serialize(ours, NULL), serialize(theirs, NULL)))")
        assert tuple(told) == ledger
try:
    tabkit.r.to_r(labelled(), style="plain")
except UserWarning as warning:
    assert str(warning).startswith("not kept in R: "), warning
    assert "variable label (codes); " in str(warning), warning
else:
    raise AssertionError("silence")
try:
    tabkit.r.to_r(whole, style="base")
except tabkit.TabkitError as error:
    assert "no R style named 'base'" in str(error)
print("done")
"""


@needs_r
@needs_rpy2
def test_a_frame_in_a_session_is_the_one_of_a_file(tmp_path: Path, corpus: Path) -> None:
    """Bit for bit, NaN with the bits of NA included; no file is on the way."""
    names = ("dta/tagged-na-double.dta", "sav/labelled-num-na.sav", "dta/readstata13_datetime.dta")
    done = python(AS_IN_A_FILE, tmp_path, *(corpus / name for name in names))
    assert done.stdout.endswith("done\n"), done.stderr[-2000:]


def test_without_rpy2_a_line_says_what_to_install() -> None:
    """The package may be absent, or not find its R."""
    code = "import sys; sys.modules['rpy2'] = None\nimport tabkit.r; tabkit.r.from_r('x')"
    done = python(code)
    assert "this needs R and rpy2: install R (apt-get install r-base-dev)" in done.stderr


def test_without_r_the_engine_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 3 and one line."""
    path = tmp_path / "x.rds"
    path.write_bytes(b"X\n\0\0\0\2")
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(DependencyError, match="this needs R: install R, as with: apt-get"):
        tabkit.read(path, engine="r")


@needs_r
def test_the_engine_reads_what_only_r_can(tmp_path: Path) -> None:
    """What R's methods make a frame of: distances, a contingency table; several objects."""
    path = tmp_path / "odd.RData"
    run_r(
        "p <- dist(c(1, 3, 6)); t <- table(g = c('u', 'v', 'u'))\n"
        "save(p, t, file = commandArgs(TRUE)[1])",
        path,
    )
    table = tabkit.read(path, engine="r", object="t")
    assert table.data.to_pydict() == {"g": ["u", "v"], "Freq": [2, 1]}
    distances = tabkit.read(path, engine="r", object="p")
    assert distances.data.to_pydict() == {"1": [0, 2, 5], "2": [2, 0, 3], "3": [5, 3, 0]}
    with pytest.raises(tabkit.FormatError, match=r"p \(dist\), t \(table\) ; choose one"):
        tabkit.read(path, engine="r")
    with pytest.raises(tabkit.FormatError, match="no object named q ; there is p"):
        tabkit.read(path, engine="r", object="q")


RUN_CELLS = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
for cell in json.load(open(sys.argv[1]))["cells"]:
    if cell["cell_type"] == "code":
        shell.run_cell("".join(cell["source"])).raise_error()
assert shell.user_ns["means"].cases == 3
print("done")
"""


@needs_r
@needs_rpy2
@needs_ipython
def test_the_notebook_runs(tmp_path: Path) -> None:
    """Every cell, the one of R included."""
    assert any("%%R" in "".join(c["source"]) for c in json.loads(NOTEBOOK.read_text())["cells"])
    done = subprocess.run(
        [sys.executable, "-c", RUN_CELLS, str(NOTEBOOK)],
        check=False,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"IPYTHONDIR": str(tmp_path)},
    )
    assert done.stdout.rstrip().endswith("done"), done.stdout[-1500:] + done.stderr[-1500:]
