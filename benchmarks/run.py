"""Measure tabkit against named peers and write benchmarks/RESULTS.md.

    python benchmarks/run.py [--rows N] [--repeat K] [--only TEXT] [--folder DIR]

Each row of the table is one piece of work done by tabkit and by a peer, as whole processes, in
turns within one run; CPU, wall and peak memory come from the kernel's account of the process.
Figures are medians, ratios are peer over tabkit within the same run.
"""

from __future__ import annotations

import argparse
import dataclasses
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import statistics
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
PYTHON = sys.executable
TABKIT = str(Path(PYTHON).with_name("tabkit"))


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one process took: seconds, seconds, MiB."""

    cpu: float
    wall: float
    peak: float


@dataclasses.dataclass(frozen=True)
class Row:
    """One piece of work and the commands that do it; a command is argv."""

    work: str
    tabkit: list[str]
    peers: dict[str, list[str]]


def measure(command: list[str]) -> Cost:
    """Run a command to its end and return what it took."""
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert process.stderr is not None
    message = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{command[:3]}: {message.decode()[-500:]}")
    cpu = usage.ru_utime + usage.ru_stime
    return Cost(cpu, time.monotonic() - began, usage.ru_maxrss / 1024)


def python(code: str) -> list[str]:
    """A Python process that runs ``code``."""
    return [PYTHON, "-c", code]


def rows(folder: Path, size: int) -> list[Row]:
    """The work to compare."""
    sav = folder / f"survey_{size}x40.sav"
    out = folder / "out"
    ingest = [TABKIT, "ingest", str(sav), "-o", str(out), "-f", "--only", "tab,ddi"]
    opened = f"import tabkit; stream = tabkit.open_table({str(sav)!r}); "
    read = opened + "print(sum(block.data.num_rows for block in stream.blocks))"
    arrow = f"import tabkit, pyarrow as pa; t = tabkit.read({str(sav)!r}); "
    values = "import numpy as np; x = np.random.default_rng(1).normal(size=2_000_000) * 1000; "
    pyreadstat = f"import pyreadstat; pyreadstat.read_sav({str(sav)!r}, user_missing=True)"
    all_peers = {
        "pyreadstat": python(pyreadstat),
        "polars-readstat": python(
            f"from polars_readstat import scan_readstat; scan_readstat({str(sav)!r}).collect()"
        ),
    }
    return [
        Row("read a .sav into Arrow", python(read), _present(all_peers)),
        Row(
            "the same as tab text",
            [TABKIT, "convert", str(sav), str(out / "t.tab"), "-f", "--on-loss", "ignore"],
            _present(
                {
                    "pandas read + to_csv": python(
                        f"import pyreadstat; f, m = pyreadstat.read_sav({str(sav)!r}); "
                        f"f.to_csv({str(out / 'p.tab')!r}, sep='\\t', index=False)"
                    )
                }
            ),
        ),
        Row(
            "tab and DDI with statistics and UNF",
            ingest,
            {"pyreadstat, bare read": python(pyreadstat)},
        ),
        Row(
            "UNF of 2,000,000 doubles",
            python(values + "import tabkit; tabkit.column_unf(x)"),
            _present({"PyPI unf": python(values + "import unf; unf.unf(x)")}),
        ),
        Row("read a .sav into one Arrow table", python(arrow), {}),
    ]


def _present(peers: dict[str, list[str]]) -> dict[str, list[str]]:
    """Leave out peers whose package is not installed."""
    packages = {"polars-readstat": "polars_readstat", "PyPI unf": "unf"}
    return {n: c for n, c in peers.items() if importlib.util.find_spec(packages.get(n, "pandas"))}


def compare(row: Row, repeat: int) -> list[str]:
    """Measure all commands of a row in turns; return lines of the table."""
    commands = {"tabkit": row.tabkit, **row.peers}
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            costs[name].append(measure(command))
    ours = costs["tabkit"]
    lines = []
    for name, found in costs.items():
        cpu, wall, peak = (
            statistics.median(getattr(c, f) for c in found) for f in ("cpu", "wall", "peak")
        )
        pairs = [b.cpu / a.cpu for a, b in zip(ours, found, strict=True)]
        ratio = "" if name == "tabkit" else f"{statistics.median(pairs):.2f}"
        lines.append(f"| {row.work} | {name} | {cpu:.2f} | {wall:.2f} | {peak:.0f} | {ratio} |")
    return lines


def machine() -> str:
    """The machine and the versions that matter."""
    names = ("numpy", "pyarrow", "pyreadstat", "pandas", "polars", "polars-readstat", "unf")
    found = []
    for name in names:
        try:
            found.append(f"{name} {importlib.metadata.version(name)}")
        except importlib.metadata.PackageNotFoundError:
            found.append(f"{name} absent")
    cpu = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    return f"{cpu}, {os.cpu_count()} cores, Python {platform.python_version()}, {', '.join(found)}"


def main() -> None:
    """Generate, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--only", default="")
    parser.add_argument("--folder", type=Path, default=HERE / "data")
    options = parser.parse_args()
    generate = [PYTHON, str(HERE / "generate.py"), str(options.rows), str(options.folder)]
    subprocess.run(generate, check=True)
    (options.folder / "out").mkdir(exist_ok=True)
    lines = [
        f"Survey of {options.rows:,} × 40, {options.repeat} rounds. {machine()}",
        "",
        "| work | who | CPU s | wall s | peak MiB | CPU ratio |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows(options.folder, options.rows):
        if options.only in row.work:
            for line in compare(row, options.repeat):
                print(line, flush=True)
                lines.append(line)
    shutil.rmtree(options.folder / "out")
    if not options.only:
        text = "# Results\n\nMade by `make bench`.\n\n" + "\n".join(lines) + "\n"
        (HERE / "RESULTS.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
