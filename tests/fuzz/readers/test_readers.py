"""A short run of the fuzzer, the same inputs each time; ``make fuzz`` runs long."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


def test_mutated_files_are_read_or_refused(tmp_path: Path) -> None:
    """No crash, no hang, no traceback, no allocation beyond reason; every reader is there."""
    if sys.platform != "linux":
        pytest.skip("the limits are Linux's")
    kinds = ["sav", "zsav", "por", "dta", "xpt", "csv", "tsv", "parquet", "arrow", "ddi"]
    run = Path(__file__).with_name("run.py")
    done = subprocess.run(
        [sys.executable, run, "600", *kinds, "--inputs", "60", "--seed", "1", "--own-seeds",
         "--finds", tmp_path / "finds"],
        check=False, capture_output=True, text=True, timeout=900,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    tried = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" 60")}
    assert tried == set(kinds)
