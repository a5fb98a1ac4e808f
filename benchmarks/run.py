"""Measure tabkit against named peers and write benchmarks/RESULTS.md.

    python benchmarks/run.py [--rows N] [--repeat K] [--only TEXT] [--folder DIR] [--no-growth]

Each row of the table is one piece of work done by tabkit and by a peer, as whole processes, in
turns within one run; CPU, wall and peak memory come from the kernel's account of the process.
Figures are medians, ratios are peer over tabkit within the same run.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import os
import platform
import shutil
import subprocess
from pathlib import Path

import growth
import media
import tables
from cost import compare, generate, lines

HERE = Path(__file__).resolve().parent
_PACKAGES = ("numpy", "pyarrow", "pyreadstat", "pandas", "polars", "polars-readstat", "unf", "lxml")


def machine() -> str:
    """The machine and the versions that matter."""
    found = []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    if rscript := shutil.which("Rscript"):
        code = "cat(paste0(R.version$major, '.', R.version$minor))"
        version = subprocess.run([rscript, "-e", code], capture_output=True, text=True, check=True)
        found.append(f"R {version.stdout}")
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    load = os.getloadavg()[0]
    return (
        f"{cpu}, {os.cpu_count()} cores (load {load:.1f} at the start), "
        f"Python {platform.python_version()}, {', '.join(found)}"
    )


def main() -> None:
    """Generate, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="", help="rows whose work contains this text")
    parser.add_argument("--folder", type=Path, default=HERE / "data")
    parser.add_argument("--no-growth", action="store_true")
    options = parser.parse_args()
    head = f"Survey of {options.rows:,} × 40, {options.repeat} rounds. {machine()}."
    generate(options.folder, options.rows)
    (options.folder / "out").mkdir(exist_ok=True)
    text = [
        head,
        "",
        "CPU is that of the whole process unless the work says *alone*; × is the peer's CPU over",
        "tabkit's, pair by pair.",
        "",
        "| work | who | CPU s | wall s | peak MiB | × | asked |",
        "|---|---|---|---|---|---|---|",
    ]
    survey = options.folder / f"survey_{options.rows}x40.sav"
    for row in [*tables.rows(options.folder, survey), *media.rows(options.folder, survey)]:
        if options.only in row.work:
            for line in lines(row, compare(row, options.repeat)):
                print(line, flush=True)
                text.append(line)
    if not options.no_growth:
        text += ["", *growth.growth(options.folder, options.rows, 1)]
    shutil.rmtree(options.folder / "out")
    if not options.only:
        results = "# Results\n\nMade by `make bench`.\n\n" + "\n".join(text) + "\n"
        (HERE / "RESULTS.md").write_text(results, encoding="utf-8")


if __name__ == "__main__":
    main()
