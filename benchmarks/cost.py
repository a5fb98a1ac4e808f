"""What a piece of work costs: whole processes in turns, by the kernel's account of each.

A command may measure only a part of itself: it then prints ``COST seconds`` of CPU as the last
line of its output, and that is its CPU figure (its wall and peak are those of the process).
"""

from __future__ import annotations

import dataclasses
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

PYTHON = sys.executable
TABKIT = str(Path(PYTHON).with_name("tabkit"))
_MARK = "COST "

#: Put around the part to measure: ``PART`` stands for its code.
_PART = "import time; _c = time.process_time()\n{part}\nprint('COST', time.process_time() - _c)"


@dataclasses.dataclass(frozen=True)
class Cost:
    """What one process took: CPU seconds, wall seconds, peak MiB of the largest process."""

    cpu: float
    wall: float
    peak: float


@dataclasses.dataclass(frozen=True)
class Target:
    """What was asked of a figure, and how to say it.

    Attributes:
        peer: Name of the peer the ratio is to; empty for a figure of tabkit's own.
        figure: ``cpu``, ``wall`` or ``peak``.
        ratio: At least so many times less than the peer.
        limit: At most this much (seconds, MiB).
    """

    figure: str = "cpu"
    peer: str = ""
    ratio: float | None = None
    limit: float | None = None


@dataclasses.dataclass(frozen=True)
class Row:
    """One piece of work and the commands that do it; a command is argv."""

    work: str
    tabkit: list[str]
    peers: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    targets: tuple[Target, ...] = ()


def python(code: str) -> list[str]:
    """A Python process that runs ``code``."""
    return [PYTHON, "-c", code]


def python_part(before: str, part: str) -> list[str]:
    """A Python process that runs ``before``, then ``part`` and gives the CPU seconds of that."""
    return python(before + "\n" + _PART.format(part=part))


def generate(folder: Path, *sizes: int) -> None:
    """Make files by generate.py, in a process of its own.

    A child's peak counts what its parent holds when it is forked, so that this process stays small.
    """
    script = str(Path(__file__).with_name("generate.py"))
    subprocess.run([PYTHON, script, str(folder), *map(str, sizes)], check=True)


def measure(command: Sequence[str]) -> Cost:
    """Run a command to its end and return what it took.

    Raises:
        RuntimeError: It failed.
    """
    with tempfile.TemporaryFile() as messages, tempfile.TemporaryFile() as output:
        began = time.monotonic()
        process = subprocess.Popen(command, stdout=output, stderr=messages, env=_environment())
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.monotonic() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            messages.seek(0)
            raise RuntimeError(f"{command[:3]}: {messages.read().decode()[-500:]}")
        output.seek(0, os.SEEK_END)
        output.seek(max(0, output.tell() - 200))
        last = output.read().decode(errors="replace").strip().splitlines()[-1:]
    cpu = usage.ru_utime + usage.ru_stime
    if last and last[0].startswith(_MARK):
        cpu = float(last[0].removeprefix(_MARK))
    return Cost(cpu, wall, usage.ru_maxrss / 1024)


def _environment() -> dict[str, str]:
    """Ours without what would make Python compile modules anew at each start."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def compare(row: Row, repeat: int) -> dict[str, list[Cost]]:
    """Measure all commands of a row in turns (A B C, A B C, and so on)."""
    commands = {"tabkit": row.tabkit, **row.peers}
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    for _ in range(repeat):
        for name, command in commands.items():
            costs[name].append(measure(command))
    return costs


def median(costs: Sequence[Cost], figure: str) -> float:
    """The median of one figure over several runs."""
    return statistics.median(getattr(cost, figure) for cost in costs)


def ratio(ours: Sequence[Cost], theirs: Sequence[Cost], figure: str) -> float:
    """The median of peer over tabkit, pair by pair, so that a drift of the machine cancels."""
    return statistics.median(
        getattr(b, figure) / getattr(a, figure) for a, b in zip(ours, theirs, strict=True)
    )


def judge(target: Target, costs: dict[str, list[Cost]]) -> str:
    """Say what was asked, what came out, and whether it holds; empty where the peer is absent."""
    ours = costs["tabkit"]
    unit = "MiB" if target.figure == "peak" else "s"
    if target.ratio is not None:
        if target.peer not in costs:
            return ""
        found = ratio(ours, costs[target.peer], target.figure)
        asked = f"{target.ratio:g} times less {target.figure} than {target.peer}"
        return f"{asked}: {found:.2f} {'✓' if found >= target.ratio else '✗'}"
    found = median(ours, target.figure)
    assert target.limit is not None
    asked = f"{target.figure} at most {target.limit:g} {unit}"
    return f"{asked}: {found:.2f} {'✓' if found <= target.limit else '✗'}"


def lines(row: Row, costs: dict[str, list[Cost]]) -> list[str]:
    """The lines of a row for the table of results."""
    found = []
    for name, measured in costs.items():
        cpu, wall, peak = (median(measured, figure) for figure in ("cpu", "wall", "peak"))
        spread = max(c.cpu for c in measured) - min(c.cpu for c in measured)
        times = "" if name == "tabkit" else f"{ratio(costs['tabkit'], measured, 'cpu'):.2f}"
        judged = ""
        if name == "tabkit":
            judged = "; ".join(filter(None, (judge(target, costs) for target in row.targets)))
        found.append(
            f"| {row.work} | {name} | {cpu:.2f} ±{spread / 2:.2f} | {wall:.2f} | {peak:.0f} "
            f"| {times} | {judged} |"
        )
    return found
