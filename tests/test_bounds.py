"""Bounds that are promised: memory of a stream, refusals before memory is asked for, start-up."""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from tabkit.model import Table, Variable
from tabkit.write.stat import write_dta

if TYPE_CHECKING:
    from pathlib import Path

TABKIT = [sys.executable, "-m", "tabkit"]
MIB = 1 << 20


def peak_of(arguments: list[str]) -> int:
    """Run a command in a process of its own; return its peak memory in bytes."""
    code = (
        "import resource, subprocess, sys; "
        f"subprocess.run({[*TABKIT, *arguments]!r}, check=True, stdout=subprocess.DEVNULL); "
        "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
    return int(done.stdout) * 1024


@pytest.mark.parametrize("verb", ["convert", "describe"])
def test_memory_does_not_grow_with_the_rows(tmp_path: Path, verb: str) -> None:
    """Four times the rows: a conversion holds a block, a description no more than its budget."""
    peaks = []
    for rows in (500_000, 2_000_000):
        numbers = np.random.default_rng(1).normal(size=rows)
        table = pa.table({f"v{i}": numbers + i for i in range(8)})
        source = tmp_path / f"{rows}.dta"
        write_dta(Table(table, tuple(Variable(name) for name in table.column_names)), source)
        target = ["-", "--to", "tab", "--on-loss", "ignore"] if verb == "convert" else []
        peaks.append(peak_of([verb, str(source), *target]))
    growth = {"convert": 30 * MIB, "describe": 256 * MIB}[verb]  # see describe.store.SPILL_BYTES
    assert peaks[1] < peaks[0] + growth, peaks
    assert peaks[1] < 450 * MIB, peaks


@pytest.mark.parametrize("name", ["bad_huge_ncases.sav", "bad_huge_case_size.sav"])
def test_a_header_that_promises_too_much(corpus: Path, name: str, tmp_path: Path) -> None:
    """Read or refused within 1.5 GiB of address space, in one line and in no time."""
    limit = 1536 * MIB
    began = time.monotonic()
    done = subprocess.run(
        [*TABKIT, "ingest", str(corpus / "sav" / name), "-o", str(tmp_path / "out")],
        check=False,
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)),
    )
    assert done.returncode in {0, 3}, done.stderr
    assert "Traceback" not in done.stderr
    assert time.monotonic() - began < 20


def test_help_starts_quickly() -> None:
    """Help imports nothing heavy; five times the promised 130 ms, as machines differ."""
    times = []
    for _ in range(5):
        began = time.monotonic()
        subprocess.run([*TABKIT, "--help"], check=True, capture_output=True)
        times.append(time.monotonic() - began)
    assert statistics.median(times) < 0.65


def test_no_bar_and_no_colour_in_a_pipe(tmp_path: Path) -> None:
    """Progress is for terminals; a pipe gets lines without escape sequences."""
    source = tmp_path / "t.csv"
    source.write_text("a\n1\n")
    done = subprocess.run(
        [*TABKIT, "ingest", str(source), "-o", str(tmp_path / "out")],
        check=True,
        capture_output=True,
    )
    assert b"\x1b" not in done.stdout + done.stderr
