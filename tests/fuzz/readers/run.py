"""Fuzz the readers: ``python tests/fuzz/readers/run.py [SECONDS] [KIND...] [--log FILE]``.

Mutated files are read in a worker process with limits. A crash, a hang, an allocation beyond
`MEMORY` or any exception but `TabkitError` is a find: its input is kept in the folder of
``--finds``, once for each place in the code, and the exit code is 1. ``--log`` adds one JSON line
a run.
"""

from __future__ import annotations

import argparse
import collections
import json
import mmap
import multiprocessing
import os
import random
import resource
import signal
import sys
import tempfile
import time
import traceback
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from mutate import mutate
from seeds import SUFFIXES, seeds

MEMORY = 1 << 30  # bytes beyond those of the libraries, as an input of 40 KB has no right to more
PEAK = 400 << 20  # growth of the peak memory by one input that is a find, too
SECONDS = 6  # a small input has no right to more
STUCK = 30
BATCH = 5_000  # inputs of a worker's life
PASSED, REFUSED, NEXT = 0, 1, 2


class Hang(BaseException):
    """The alarm rang."""


def main() -> int:
    """Run; return 1 when something was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", nargs="?", type=float, default=60)
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--log", type=Path)
    parser.add_argument("--finds", type=Path, default=Path("fuzz-finds"))
    parser.add_argument("--inputs", type=int, help="stop each kind after so many")
    parser.add_argument("--own-seeds", action="store_true", help="leave the corpus out")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    options = parser.parse_args()
    pool = {kind: found for kind, found in sorted(seeds(corpus=not options.own_seeds).items())
            if kind in (options.kinds or readable())}  # fmt: skip
    counts: collections.Counter[str] = collections.Counter()
    found: dict[str, str] = {}
    end, number = time.monotonic() + options.seconds, 0
    share = min(60, options.seconds / max(len(pool), 1))
    while time.monotonic() < end and not all(
        options.inputs and counts[kind] >= options.inputs for kind in pool
    ):
        for kind, seeded in pool.items():
            number += 1
            until = min(end, time.monotonic() + share)
            while time.monotonic() < until:
                if options.inputs and counts[kind] >= options.inputs:
                    break
                run_worker(kind, seeded, options.seed * 1000 + number, until, counts, found,
                           options.finds, options.inputs or BATCH)  # fmt: skip
                number += 1
    report(options, counts, found)
    return 1 if found else 0


def readable() -> set[str]:
    """Kinds that this tabkit reads."""
    from tabkit.formats import FORMATS

    suffixes = {suffix for each in FORMATS if each.reader for suffix in each.suffixes}
    wanted = {"r": {".rds", ".rda", ".rdata"}}
    from seeds import KINDS

    kinds = {kind for suffix, kind in KINDS.items()
             if (wanted.get(kind) or {suffix.lower()}) & suffixes}  # fmt: skip
    return kinds | {"sas7bcat", "ddi"}


def report(
    options: argparse.Namespace, counts: collections.Counter[str], found: dict[str, str]
) -> None:
    """Print what was run and found, and add it to the log."""
    line = {"time": time.strftime("%Y-%m-%dT%H:%M:%S"), "seed": options.seed,
            "inputs": dict(sorted(counts.items())), "finds": found}  # fmt: skip
    for kind, count in sorted(counts.items()):
        print(f"{kind:18} {count:>9,}")
    for place, text in found.items():
        print(f"FOUND {place}: {text}")
    if options.log:
        with options.log.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def run_worker(kind, pool, seed, until, counts, found, finds, most) -> None:
    """Run a batch in a process; where it dies or sticks, its last input is the find."""
    board = mmap.mmap(-1, 64)
    with tempfile.TemporaryDirectory(prefix="fuzz-", dir=_fast_folder()) as folder:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe(duplex=False)
        worker = context.Process(
            target=work, args=(kind, pool, seed, until, board, theirs, folder, most)
        )
        worker.start()
        theirs.close()
        last, since, text = -1, time.monotonic(), ""
        while True:
            while ours.poll(0.2):
                try:
                    place, what, data = ours.recv()
                except EOFError:
                    break
                keep(found, finds, kind, place, what, data)
            if not worker.is_alive():
                break
            done = int.from_bytes(board[:8], "little")
            if done != last:
                last, since = done, time.monotonic()
            elif time.monotonic() - since > STUCK:
                text = "hangs in foreign code"
                worker.kill()
                break
        worker.join()
        if worker.exitcode and not text:
            text = f"died with {worker.exitcode}"
        if text:
            current = next(Path(folder).glob("input*"), None)
            data = current.read_bytes() if current else b""
            keep(found, finds, kind, f"{text.replace(' ', '-')}", text, data)
        counts[kind] += int.from_bytes(board[:8], "little")
        counts[f"{kind} read"] += int.from_bytes(board[8:16], "little")


def keep(found, finds, kind, place, what, data) -> None:
    """Keep a find, once for its place."""
    name = f"{kind}-{place}"
    if name in found:
        return
    found[name] = what
    finds.mkdir(exist_ok=True)
    (finds / f"{name.replace('/', '.')[:150]}{SUFFIXES.get(kind, '.' + kind)}").write_bytes(data)
    print(f"FOUND {name}: {what}", flush=True)


def work(kind, pool, seed, until, board, pipe, folder, most) -> None:
    """Mutate and read until the time or the batch ends."""
    rng = random.Random(seed)
    path = Path(folder) / f"input{SUFFIXES.get(kind, '.' + kind)}"
    silence()
    execute = executor(kind)
    warm(execute, kind, pool, path)
    signal.signal(signal.SIGALRM, ring)
    bind()
    told: set[str] = set()
    weights = [(300 + len(each)) ** -1.5 for each in pool]  # small ones more often: they are fast
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    done = read = 0
    for _ in range(min(BATCH, most)):
        data = mutate(rng.choices(pool, weights)[0], kind, pool, rng)
        path.write_bytes(data)
        fault = one(execute, path, rng)
        now = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        if fault is None and (now - peak) * 1024 > PEAK:
            fault = ("peak", f"peak memory grew by {(now - peak) >> 10} MiB")
        peak = max(now, peak)
        done, read = done + 1, read + (fault == ("", "read"))
        board[:16] = done.to_bytes(8, "little") + read.to_bytes(8, "little")
        if fault and fault[0] and fault[0] not in told:
            told.add(fault[0])
            pipe.send((*fault, data))
        if time.monotonic() > until:
            break
    os._exit(0)


def one(execute, path, rng):
    """Read one input; return None when refused, ("", "read") when read, else place and text."""
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    from tabkit.errors import TabkitError

    try:
        execute(path, rng)
        return ("", "read")
    except TabkitError as error:
        text = str(error)
        if "\n" in text or len(text) > 2000:
            return (f"message-{type(error).__name__}", f"message of {len(text)} characters")
        return None
    except Hang as error:
        return (f"hang-{where(error)}", "takes too long")
    except BaseException as error:
        text = f"{type(error).__name__}: {error}"
        return (f"{type(error).__name__}-{where(error)}", text[:200])
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def where(error: BaseException) -> str:
    """Return the innermost place in tabkit's code."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [frame for frame in frames if f"{os.sep}tabkit{os.sep}" in frame.filename]
    frame = (ours or frames)[-1]
    return f"{Path(frame.filename).stem}.{frame.name}"


def executor(kind):  # noqa: C901 - one function a kind
    """Return the function that reads a file of that kind to its end."""
    from tabkit.options import ReadOptions
    from tabkit.profiles import DATAVERSE, TABKIT
    from tabkit.read import open_with

    choices = [ReadOptions(profile=each, block_rows=2048) for each in (TABKIT, TABKIT, DATAVERSE)]

    def table(path, rng):
        from tabkit.describe import describe

        options = rng.choice(choices)
        with open_with(path, options) as stream:
            if rng.random() < 0.1:
                describe(stream, options.profile)
                return
            for number, block in enumerate(stream.blocks):
                block.data.validate(full=rng.random() < 0.2)
                if number > 200:
                    break

    def codebook(path, rng):
        from tabkit.ddi.parse import read_codebook
        from tabkit.ddi.validate import validate

        if rng.random() < 0.9:
            read_codebook(path)
        else:
            validate(path, profile="tabkit", schemas=SCHEMAS)

    def catalogue(path, rng):
        from tabkit.read.sas_readstat import read_catalog

        read_catalog(path)

    def workbook(path, rng):
        import io

        from tabkit.read.spreadsheet import open_spreadsheet
        from tabkit.read.spreadsheet_worker import serve
        from tabkit.read.spreadsheet_zip import kind_of

        if kind == "xlsx" and rng.random() < 0.15:  # as it is stored, in this process
            with open_spreadsheet(path, choices[2]) as stream:
                list(stream.blocks)
            return
        asked = {"list": False, "sheet": None, "header_row": None, "rows": 2048, "cells": 1 << 20}
        try:
            serve(path, kind_of(path), asked, io.BytesIO())
        except BaseException as error:
            if type(error).__name__ not in {"PanicException", "CalamineError", "OSError"}:
                raise  # those its own process takes for damage

    if kind in {"xlsx", "xls", "ods"}:
        return workbook
    return {"ddi": codebook, "sas7bcat": catalogue}.get(kind, table)


SCHEMAS = Path(__file__).resolve().parents[4] / "shared" / "schemas"


def warm(execute, kind, pool, path) -> None:
    """Import everything before the limits count."""
    for data in pool[:3]:
        path.write_bytes(data)
        try:
            execute(path, random.Random(1))
            execute(path, random.Random(2))
        except Exception:  # told by the run itself
            continue


def bind() -> None:
    """Limit memory; end in an exception rather than in swapping."""
    used = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_DATA, (used + MEMORY, used + MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def silence() -> None:
    """Foreign code writes to stderr; warnings are faults, as a user would see them."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    warnings.simplefilter("error")


def ring(*_: object) -> None:
    raise Hang


def _fast_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").exists() else None


if __name__ == "__main__":
    sys.exit(main())
