"""What a command loads: nothing that it never uses."""

from __future__ import annotations

import datetime
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
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
