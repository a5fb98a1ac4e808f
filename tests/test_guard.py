"""The guard: a fault in a worker is one error within the limits, and nothing is left behind."""

from __future__ import annotations

import ctypes
import dataclasses
import enum
import fractions
import functools
import os
import pickle
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import tabkit
from tabkit.errors import FormatError, LimitError, TabkitError
from tabkit.guard import guarded_call, guarded_stream
from tabkit.guard_worker import pickled
from tabkit.limits import LIMITS, Limits
from tabkit.model import Measure

sys.path.insert(0, str(Path(__file__).parent))
import guard_jobs

if TYPE_CHECKING:
    from collections.abc import Callable

TABKIT = [sys.executable, "-m", "tabkit"]
TIGHT = dataclasses.replace(LIMITS, memory=256 << 20, seconds=3)
EASY = dataclasses.replace(TIGHT, seconds=120)  # a busy machine needs time to import, too


def children() -> set[str]:
    """Processes that this one started and that are still there."""
    task = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children")
    return set(task.read_text().split()) if task.exists() else set()


@pytest.fixture(autouse=True)
def nothing_left(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """No process and no temporary file survives a test."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    before = children()
    yield
    assert children() <= before
    assert not list((tmp_path / "tmp").iterdir())


class Old(enum.Enum):
    """Pickled as some versions of Python 3.11 pickle every enumeration."""

    ONE = "one"

    def __reduce_ex__(self, _: object) -> tuple[object, tuple[object, ...]]:
        return getattr, (type(self), self._name_)


def test_enumerations_come_as_class_and_value() -> None:
    assert b"getattr" in pickle.dumps(Old.ONE)
    sent = pickled({"kind": Old.ONE, "measure": Measure.SCALE})
    assert b"getattr" not in sent
    assert pickle.loads(sent) == {"kind": Old.ONE, "measure": Measure.SCALE}


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        (os.abort, (), "x.sav: its reader crashed (SIGABRT)"),
        (ctypes.string_at, (0,), "x.sav: its reader crashed (SIGSEGV)"),
        (sys.exit, (0,), "x.sav: its reader failed: SystemExit: 0; this is a bug"),
        (os._exit, (5,), "x.sav: its reader ended without a word"),
        (int, ("x",), "failed: ValueError: invalid literal for int() with base 10: 'x'"),
        (guard_jobs.refuse, (), "x.sav: is broken, byte 7; mend it"),
        (
            bytearray,
            (16 << 30,),
            "x.sav: reading it needs more memory than 256 MiB; "
            "--limit memory=512MiB allows twice that",
        ),
        (
            time.sleep,
            (60,),
            "x.sav: reading it takes over 3 seconds; --limit seconds=6 allows twice that",
        ),
        (re.fullmatch, (r"(a+)+b", "a" * 80), "x.sav: reading it takes over 3 seconds"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_a_fault_is_one_error(
    function: Callable[..., object], arguments: tuple[object, ...], expected: str
) -> None:
    """Crash, exit, refusal, bug, 16 GiB, sleep and endless loop."""
    limits = TIGHT if "3 seconds" in expected else EASY
    with pytest.raises(TabkitError, match=re.escape(expected)) as caught:
        guarded_call(function, "x.sav", limits, *arguments)
    assert "\n" not in str(caught.value)


def test_results_are_data() -> None:
    """Plain values and tabkit's own classes come back; nothing that acts does."""
    assert guarded_call(divmod, "x", EASY, 7, 2) == (3, 1)
    assert guarded_call(Limits, "x", EASY, memory=1) == Limits(memory=1)
    with pytest.raises(FormatError, match=r"no plain data: functools\.partial is not expected"):
        guarded_call(functools.partial, "x", EASY, print)
    with pytest.raises(FormatError, match="no plain data"):
        guarded_call(fractions.Fraction, "x", EASY, 1)


def test_a_missing_file_stays_what_it_is(tmp_path: Path) -> None:
    """An OSError keeps its kind and its file."""
    with pytest.raises(FileNotFoundError) as caught:
        guarded_call(os.stat, "x", EASY, str(tmp_path / "none"))
    assert caught.value.filename == str(tmp_path / "none")


def test_temporary_files_go_with_the_worker() -> None:
    """What a killed parser would leave lies in a folder that is removed."""
    assert not Path(guarded_call(guard_jobs.litter, "x", EASY)).exists()


def test_a_stream_comes_whole() -> None:
    """Blocks, tags and the findings made on the way."""
    with guarded_stream(guard_jobs.stream, "x", EASY, 3) as stream:
        blocks = list(stream.blocks)
    assert [block.data.num_rows for block in blocks] == [1000] * 3
    assert [sorted(block.missing_tags) for block in blocks] == [[], ["a"], []]
    assert [each.text for each in stream.findings] == ["block 0", "block 1", "block 2"]
    assert stream.variables[0].label == "A"


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ("abort", r"crashed \(SIGABRT\)"),
        ("hang", "over [0-9]+ seconds"),
        ("raise", "is broken"),
        ("bug", "KeyError: 'nonsense'; this is a bug"),
    ],
)
def test_a_fault_between_blocks(fault: str, expected: str) -> None:
    """The blocks before it come; then the error, not an end."""
    limits = dataclasses.replace(EASY, seconds=15) if fault == "hang" else EASY
    stream = guarded_stream(guard_jobs.stream, "x", limits, 2, fault)
    blocks = iter(stream.blocks)
    assert next(blocks).data.num_rows == next(blocks).data.num_rows == 1000
    with pytest.raises(TabkitError, match=expected):
        next(blocks)


def test_an_abandoned_stream_ends_its_worker() -> None:
    """Closing early, or opening only, leaves no process."""
    guarded_stream(guard_jobs.stream, "x", EASY, 1000).close()
    stream = guarded_stream(guard_jobs.stream, "x", EASY, 1000)
    next(iter(stream.blocks))
    stream.close()
    stream.close()


def test_the_worker_waits_for_its_reader(tmp_path: Path) -> None:
    """It computes a block or two ahead, not all: memory stays bounded."""
    note = tmp_path / "note"
    with guarded_stream(guard_jobs.ahead, "x", EASY, str(note), 500) as stream:
        next(iter(stream.blocks))
        time.sleep(0.5)
        assert int(note.read_text()) <= 2


def test_the_worker_ends_when_its_user_is_killed(tmp_path: Path) -> None:
    """Even in an endless loop of C code that holds the interpreter."""
    if sys.platform != "linux":
        pytest.skip("needs O_ASYNC on a pipe")
    note = tmp_path / "note"
    script = (
        f"import sys; sys.path[:0] = [{str(Path(__file__).parent)!r}]; import guard_jobs; "
        "from tabkit.guard import guarded_call; from tabkit.limits import LIMITS; "
        f"guarded_call(guard_jobs.hang, 'x', LIMITS, {str(note)!r})"
    )
    user = subprocess.Popen(
        [sys.executable, "-c", script], env={**os.environ, "TMPDIR": str(tmp_path)}
    )
    while not note.exists() or not note.read_text():
        time.sleep(0.05)
    worker = Path("/proc", note.read_text())
    assert worker.exists()
    user.send_signal(signal.SIGKILL)
    user.wait()
    deadline = time.monotonic() + 5
    while worker.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not worker.exists()


def test_modules_beside_the_file_are_not_imported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder with untrusted files may hold a ``numpy.py`` too."""
    (tmp_path / "numpy.py").write_text("raise SystemExit('evil')")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    monkeypatch.chdir(tmp_path)
    assert tabkit.read("t.csv", untrusted=True).cases == 1


def test_the_corpus_reads_the_same_under_guard(corpus: Path) -> None:
    """A file of each format: same data, same metadata, same findings."""
    for name in (
        "sav/dct.sav", "dta/stata13-auto.dta", "por/electric.por", "xpt/sasxport_alfalfa.xpt",
        "csv/BrokenCSV.csv", "csv/2019-02-25.tsv",
    ):  # fmt: skip
        if not (corpus / name).exists():
            continue
        plain, guarded = (tabkit.read(corpus / name, untrusted=each) for each in (False, True))
        assert guarded.data.equals(plain.data, check_metadata=True), name
        assert dataclasses.replace(guarded, data=plain.data, missing_tags={}) == (
            dataclasses.replace(plain, missing_tags={})
        ), name
        assert guarded.missing_tags == plain.missing_tags


def test_commands_take_the_guard(tmp_path: Path) -> None:
    """A limit that is reached is exit 3 and one line, and writes nothing."""
    source = tmp_path / "t.csv"
    source.write_text("a,b\n" + "1,2\n" * 1000)
    out = tmp_path / "out"
    good = [*TABKIT, "ingest", str(source), "-o", str(out), "--untrusted"]
    assert subprocess.run(good, check=False, capture_output=True).returncode == 0
    for arguments in (
        ["describe", source], ["unf", source], ["convert", source, tmp_path / "t.sav"],
        ["verify", source, out / "t-ddi.xml"], ["validate", out / "t-ddi.xml"],
        ["ingest", source, "-o", tmp_path / "more", "-f"],
    ):  # fmt: skip
        command = [*TABKIT, *map(str, arguments), "--untrusted", "--limit", "memory=64KiB"]
        done = subprocess.run(command, check=False, capture_output=True, text=True)
        assert done.returncode == 3, done
        assert len(done.stderr.splitlines()) == 1
        assert "needs more memory than 64 KiB; --limit memory=128KiB" in done.stderr
    done = subprocess.run(
        [*TABKIT, "validate", source, "--untrusted"], check=False, capture_output=True, text=True
    )
    assert done.returncode == 3
    assert done.stderr.startswith("tabkit: t.csv: is not well-formed XML")
    assert not (tmp_path / "t.sav").exists()
    assert not (tmp_path / "more").exists()


def test_limits_reach_the_error_class() -> None:
    """A server tells too much from broken."""
    with pytest.raises(LimitError):
        guarded_call(bytearray, "x", EASY, 1 << 40)
