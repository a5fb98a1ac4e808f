"""How time and memory grow with the rows and the columns of a file: exponents, not seconds.

An exponent of 1 means that four times the data take four times as long, 0 that it costs the
same. Start-up (the cost of the command on a table of 10 cases) is taken off first.
"""

from __future__ import annotations

import itertools
import math
import tempfile
from typing import TYPE_CHECKING

from cost import TABKIT, Cost, generate, measure, median

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def growth(folder: Path, rows: int, repeat: int) -> list[str]:
    """Return the table of exponents: cases ×4 (twice) and columns ×4 (twice)."""
    start = _cost(_survey(folder, 10, 40), repeat)
    shapes = {
        "cases ×4": [(rows // 4, 40), (rows, 40), (rows * 4, 40)],
        "columns ×4": [(rows // 100, 250), (rows // 100, 1000), (rows // 100, 4000)],
    }
    found = [
        "| growth | from | to | CPU s | exponent of CPU | peak MiB | exponent of memory |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, sizes in shapes.items():
        costs = [_cost(_survey(folder, cases, columns), repeat) for cases, columns in sizes]
        for (before, after), (first, second) in zip(
            itertools.pairwise(sizes), itertools.pairwise(costs), strict=True
        ):
            cpu = [median(c, "cpu") - median(start, "cpu") for c in (first, second)]
            peak = [median(c, "peak") for c in (first, second)]
            found.append(
                f"| {name} | {before[0]:,} × {before[1]:,} | {after[0]:,} × {after[1]:,} "
                f"| {cpu[0]:.2f} → {cpu[1]:.2f} | {_exponent(cpu):.2f} "
                f"| {peak[0]:.0f} → {peak[1]:.0f} | {_exponent(peak):.2f} |"
            )
            print(found[-1], flush=True)
    return found


def _survey(folder: Path, cases: int, columns: int) -> Path:
    generate(folder, cases, columns)
    return folder / f"survey_{cases}x{columns}.sav"


def _exponent(pair: Sequence[float]) -> float:
    return math.log(pair[1] / pair[0], 4)


def _cost(path: Path, repeat: int) -> list[Cost]:
    with tempfile.TemporaryDirectory(dir=path.parent) as out:
        return [measure([TABKIT, "ingest", str(path), "-o", out, "-f"]) for _ in range(repeat)]
