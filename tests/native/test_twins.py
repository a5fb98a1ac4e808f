"""With and without the compiled kernels an ingest gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings

import tabkit
from tabkit import _native
from tabkit.describe.unf import column_unf
from tabkit.read import stream_of
from tabkit.write.tab import write_tab_stream
from tests.strategies import tables

if TYPE_CHECKING:
    from pathlib import Path

    from tabkit.model import Table

pytestmark = pytest.mark.skipif(not _native.AVAILABLE, reason="the compiled kernels were not built")

FILES = (".sav", ".zsav", ".por", ".dta", ".csv", ".xpt", ".sas7bdat")
LARGEST = 200_000  # bytes of a file; all together take seconds
OF_EACH = 6


def outputs(source: Path, folder: Path, profile: str) -> dict[str, bytes]:
    folder.mkdir()
    tabkit.ingest(source, folder, only=("tab", "ddi"), profile=profile)
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


@pytest.mark.parametrize("suffix", FILES)
@pytest.mark.parametrize("profile", ["tabkit", "dataverse"])
def test_real_files(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, profile: str
) -> None:
    """Table and codebook, with its fingerprints, of real files of every kind."""
    done = 0
    for at, source in enumerate(sorted(corpus.rglob(f"*{suffix}"))):
        if source.stat().st_size > LARGEST or done == OF_EACH:
            continue
        monkeypatch.setattr(_native, "AVAILABLE", True)
        try:
            compiled = outputs(source, tmp_path / f"{at}c", profile)
        except tabkit.TabkitError:
            continue  # damaged on purpose
        monkeypatch.setattr(_native, "AVAILABLE", False)
        assert compiled == outputs(source, tmp_path / f"{at}p", profile), source
        done += 1
    assert done


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables(max_cases=12))
def test_any_table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, table: Table) -> None:
    """Lines and fingerprints of every type that readers give."""
    found = []
    for available in (True, False):
        monkeypatch.setattr(_native, "AVAILABLE", available)
        write_tab_stream(stream_of(table), tmp_path / "x.tab")
        unfs = [column_unf(column) for column in table.data.columns if len(column)]
        found.append(((tmp_path / "x.tab").read_bytes(), unfs))
    assert found[0] == found[1]


def test_types_without_a_kernel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Dictionaries and decimals go through their plain text, beside columns that do not."""
    data = pa.table(
        {
            "d": pa.array(["a\t", None, "b", "a\t"]).dictionary_encode(),
            "m": pa.array([1, 2, None, 4], pa.decimal128(9, 2)),
            "n": [0.5, None, 1e300, 5e-324],
        }
    )
    variables = tuple(tabkit.Variable(name) for name in data.column_names)
    table = tabkit.Table(data, variables)
    found = []
    for available in (True, False):
        monkeypatch.setattr(_native, "AVAILABLE", available)
        write_tab_stream(stream_of(table), tmp_path / "x.tab")
        found.append((tmp_path / "x.tab").read_bytes())
    assert found[0] == found[1]
    assert found[0].splitlines()[1] == b'"a\\t"\t1.00\t0.5'
