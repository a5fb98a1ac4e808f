"""Threads of a run: same result, one error, nothing left when it ends early."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest

from tabkit.describe import Describer, describe
from tabkit.errors import FormatError, OutputError
from tabkit.model import Block, Table, TableStream, Variable
from tabkit.read import stream_of
from tabkit.threads import AHEAD, lanes, read_ahead

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COLUMNS = 7


def _table(cases: int = 20_000) -> Table:
    rng = np.random.default_rng(3)
    columns = {f"v{i}": rng.normal(size=cases).round(i) for i in range(COLUMNS)}
    columns["t"] = np.array([f"text {i % 97}" for i in range(cases)])
    return Table(pa.table(columns), tuple(Variable(name) for name in columns))


def _failing(stream: TableStream, after: int, closed: list[bool]) -> TableStream:
    def blocks() -> Iterator[Block]:
        try:
            for index, block in enumerate(stream.blocks):
                if index == after:
                    raise FormatError("the data are damaged", "f.sav")
                yield block
        finally:
            closed.append(True)

    return TableStream(stream.schema, stream.variables, blocks())


def test_threads_change_nothing() -> None:
    table = _table()
    with_threads = describe(stream_of(table, 3000))
    alone = Describer(table.data.schema, table.variables)
    for block in stream_of(table, 3000).blocks:
        alone.append(block)
    assert (with_threads.table.variables, with_threads.variables, with_threads.unf) == (
        alone.finish()[:3]
    )


def test_what_the_reader_raises_is_raised_once_and_no_thread_is_left() -> None:
    closed: list[bool] = []
    stream = _failing(stream_of(_table(), 1000), 5, closed)
    with pytest.raises(FormatError, match="the data are damaged"):
        describe(stream)
    assert closed == [True]
    assert not [t for t in threading.enumerate() if t.name.startswith("tabkit")]


def test_what_a_task_beside_raises_ends_the_run() -> None:
    closed: list[bool] = []
    stream = _failing(stream_of(_table(), 1000), 99, closed)

    def full(block: Block) -> None:
        raise OutputError("no space left", "f.tab")

    with pytest.raises(OutputError, match="no space left"):
        describe(stream, beside=[full])
    assert closed == [True]
    assert not [t for t in threading.enumerate() if t.name.startswith("tabkit")]


def test_lanes_keep_the_order_and_few_items() -> None:
    """A slow consumer gets all items, one after the other, and holds up who sends."""
    seen: dict[str, list[int]] = {"slow": [], "fast": []}
    sent = 0

    def slow(item: int) -> None:
        time.sleep(0.002)
        assert sent - item <= AHEAD + 2
        seen["slow"].append(item)

    with lanes([slow, seen["fast"].append]) as send:
        for item in range(30):
            send(item)
            sent = item + 1
    assert seen == {"slow": list(range(30)), "fast": list(range(30))}


def test_what_is_raised_for_the_last_item_is_not_lost() -> None:
    def full(item: int) -> None:
        if item == 4:
            raise OutputError("no space left", "f.tab")

    with pytest.raises(OutputError, match="no space left"), lanes([full]) as send:
        for item in range(5):
            send(item)
    assert not [t for t in threading.enumerate() if t.name.startswith("tabkit")]


def test_the_reader_is_a_bounded_number_of_blocks_ahead() -> None:
    given: list[int] = []

    def blocks() -> Iterator[Block]:
        for block in stream_of(_table(), 100).blocks:
            given.append(block.data.num_rows)
            yield block

    whole = stream_of(_table(), 100)
    with read_ahead(TableStream(whole.schema, whole.variables, blocks())) as ahead:
        for taken, _ in enumerate(ahead.blocks, 1):
            time.sleep(0.002)
            assert len(given) <= taken + AHEAD + 2
            if taken == 20:
                break
    assert len(given) < 30


@pytest.mark.parametrize("moment", [0.3, 0.7, 1.2])
def test_an_interrupt_leaves_nothing(tmp_path: Path, moment: float) -> None:
    """Ctrl-C, whichever thread is at work then: exit code 130 and an empty folder."""
    source = tmp_path / "t.csv"
    row = ",".join(f"{i}.5" for i in range(40)) + "\n"
    source.write_text(",".join(f"v{i}" for i in range(40)) + "\n" + row * 200_000)
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "tabkit", "ingest", str(source), "-o", str(out)],
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    time.sleep(moment)
    os.kill(process.pid, signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    if process.returncode != 0:  # it was not done before
        assert process.returncode in {130, -signal.SIGINT}  # the latter before tabkit had begun
        assert "Traceback" not in errors or process.returncode < 0
        assert not out.exists()
