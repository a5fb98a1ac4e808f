"""What a command loads: nothing that it never uses."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from pathlib import Path


def test_a_command_loads_no_pandas(tmp_path: Path) -> None:
    """Though it is installed, and pyarrow would import it."""
    pytest.importorskip("pandas")
    source = tmp_path / "t.csv"
    source.write_text("a,b\n1,x\n2,y\n")
    command = [sys.executable, "-X", "importtime", "-m", "tabkit", "ingest", str(source)]
    done = subprocess.run(
        [*command, "-o", str(tmp_path / "out")], capture_output=True, text=True, check=True
    )
    loaded = [line.rpartition("|")[2].strip() for line in done.stderr.splitlines()]
    assert "pyarrow.lib" in loaded
    assert "pandas.core.frame" not in loaded


@pytest.mark.parametrize("suffix", [".dta", ".sav"])
def test_an_ingest_loads_no_more_than_it_needs(suffix: str, tmp_path: Path) -> None:
    """Each of these would add to the time of every run."""
    text, source = tmp_path / "t.csv", tmp_path / f"t{suffix}"
    text.write_text("a,b\n1,x\n2,y\n")
    subprocess.run([sys.executable, "-m", "tabkit", "convert", str(text), str(source)], check=True)
    script = (
        "import sys\nfrom tabkit.cli import run\n"
        "assert run(sys.argv[1:]) == 0\nprint(*sys.modules, sep='\\n')"
    )
    arguments = ["ingest", str(source), "-o", str(tmp_path / "out"), "--only", "tab,ddi"]
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines())
    assert "tabkit.ddi.build" in loaded
    assert not loaded & {
        *("csv", "email", "http", "importlib.metadata", "json", "multiprocessing", "pkgutil"),
        *("pydoc", "shutil", "ssl", "subprocess", "tempfile", "xml", "zipfile"),
        *("charset_normalizer", "dateutil", "isal", "lxml", "pandas", "pyreadstat", "rich"),
        *("pyarrow.dataset", "pyarrow.parquet", "pyarrow.vendored.docscrape"),
        *("tabkit.cli.access", "tabkit.cli.fetch", "tabkit.prep", "tabkit.read.delimited_charset"),
    }


_FUNCTIONS_MADE_LATE = """
import sys
from tabkit.lean import load_arrow_alone
load_arrow_alone()
import pyarrow as pa, pyarrow.compute as pc
assert len(vars(pc)) < 200, len(vars(pc))
texts = pa.array(["b", None, "a"])
assert pc.or_(pa.array([False]), True).to_pylist() == [True]
assert pc.match_substring(texts, "a").to_pylist() == [False, None, True]
assert pc.sort_indices(texts).to_pylist() == [2, 0, 1]
assert texts.sort().to_pylist() == ["a", "b", None]
assert texts.fill_null("c").filter(pc.is_valid(texts)).unique().cast("binary").to_pylist() == [b"b", b"a"]
assert pc.utf8_zfill(pa.array(["1"]), width=2).to_pylist() == ["01"]
for name in ("no_function", "hash_sum", "count_all"):
    assert not hasattr(pc, name), name
import pyarrow.dataset, pyarrow.parquet
print(*(name for name in sys.argv[1:] if not hasattr(pc, name)))
"""  # noqa: E501


def test_functions_made_late_are_those_of_pyarrow() -> None:
    names = [name for name in dir(pc) if not name.startswith("__")]
    done = subprocess.run(
        [sys.executable, "-c", _FUNCTIONS_MADE_LATE, *names],
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(names) > 300
    assert done.stdout.split() == []


def test_another_pyarrow_is_loaded_as_usual() -> None:
    """When its functions cannot be made late."""
    script = (
        "import tabkit.lean as lean\nlean._MADE_AT_ONCE = frozenset()\n"
        "lean.load_arrow_alone()\nimport pyarrow.compute as pc, pyarrow as pa\n"
        "assert len(vars(pc)) > 300\nprint(pc.sum(pa.array([1, 2])))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "3"


def test_reading_in_a_program_loads_no_pandas(tmp_path: Path) -> None:
    """Without what a command does against it, as a program may use pandas with pyarrow."""
    pytest.importorskip("pandas")
    source, path = tmp_path / "t.parquet", str(tmp_path / "t.sav")
    day, moment = datetime.date(2020, 1, 2), datetime.datetime(2020, 1, 2, 3, 4, 5)
    cells = {"d": [day, None], "t": [moment, None], "x": [1.5, None]}
    pq.write_table(pa.table(cells), source)
    command = [sys.executable, "-m", "tabkit", "convert", str(source), path]
    subprocess.run([*command, "--on-loss", "ignore"], check=True)
    script = (
        "import sys, tabkit\n"
        "print(sum(block.data.num_rows for block in tabkit.open_table(sys.argv[1]).blocks))\n"
        "assert 'pandas' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, path], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "2"


def test_pandas_can_be_imported_afterwards() -> None:
    pytest.importorskip("pandas")
    script = (
        "from tabkit.lean import load_arrow_alone; load_arrow_alone()\n"
        "import pandas, pyarrow\nprint(pandas.DataFrame({'a': [1]}).shape)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "(1, 1)"
