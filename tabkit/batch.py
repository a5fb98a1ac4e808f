"""Many files: one ingest each, in this process or in several, results as they come."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tabkit.errors import TabkitError, UsageError
from tabkit.lean import load_arrow_alone
from tabkit.progress import Progress

if TYPE_CHECKING:
    import concurrent.futures
    from collections.abc import Iterator, Sequence

    from tabkit.formats import FileFormat
    from tabkit.ingest import IngestReport
    from tabkit.options import ReadOptions

_STANDARD_INPUT: Final = "-"
_PATIENCE: Final = 10  # seconds that an interrupted worker has to clean up
_UNSAFE: Final = re.compile(r'[\x00-\x1f/\\:*?"<>|]')  # in a sheet's name that names a file


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One source with everything that `tabkit.ingest.ingest` needs; it pickles."""

    source: Path
    name: str
    folder: Path
    only: tuple[str, ...]
    ddi_version: str
    force: bool
    options: ReadOptions
    file_format: FileFormat | None
    stem: str


class _WorkerDiedError(Exception):
    """A process ended without an outcome: its memory was not enough, or it was killed."""


def ingest_files(
    sources: Sequence[str],
    *,
    folder: Path,
    only: tuple[str, ...],
    ddi_version: str,
    jobs: int,
    force: bool,
    as_json: bool,
    all_sheets: bool = False,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
) -> int:
    """Ingest each source; print a line each; return the exit code of the worst.

    A file that fails does not stop the others.

    Raises:
        UsageError: Two sources would write the same outputs, or ``-`` is not the only source.
    """
    if _STANDARD_INPUT in sources and len(sources) > 1:
        msg = "standard input (-) is one source: give it alone"
        raise UsageError(msg)
    from tabkit.ingest import stem_of

    with contextlib.ExitStack() as stack:
        work = [
            Job(path, own, folder, only, ddi_version, force, options, file_format, stem_of(own))
            for path, own in (_on_disk(source, name, stack) for source in sources)
        ]
        if all_sheets:
            work = [each for job in work for each in _sheets_of(job)]
        _check_names(work)
        code = 0
        for job, outcome in _run_all(work, jobs):
            code = max(code, _tell(job, outcome, as_json=as_json))
    return code


def _on_disk(source: str, name: str | None, stack: contextlib.ExitStack) -> tuple[Path, str]:
    """Copy standard input to a file, since formats are read by seeking."""
    if source != _STANDARD_INPUT:
        return Path(source), name or Path(source).name
    import shutil
    import tempfile

    own = Path(name or "stdin").name
    path = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tabkit-"))) / own
    with path.open("wb") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy)
    return path, own


def _sheets_of(job: Job) -> list[Job]:
    """Return a job for each sheet that is not empty; the first keeps the original.

    A file that is no workbook, or cannot be read, stays one job.
    """
    from tabkit.formats import identify
    from tabkit.read.spreadsheet import sheet_names

    try:
        file_format = job.file_format or identify(job.source, job.name)
        names = []
        if file_format.reader.endswith(":open_spreadsheet"):
            names = sheet_names(job.source, job.options.limits)
    except (TabkitError, OSError):
        return [job]
    further = tuple(part for part in job.only if part != "original")
    jobs = [
        dataclasses.replace(
            job,
            only=further if at else job.only,
            options=dataclasses.replace(job.options, sheet=name),
            stem=f"{job.stem}-{_UNSAFE.sub('_', name)}",
        )
        for at, name in enumerate(names)
    ]
    return [each for each in jobs if each.only] or [job]


def _check_names(work: Sequence[Job]) -> None:
    seen: dict[str, str] = {}
    for job in work:
        stem = job.stem
        if stem in seen:
            msg = (
                f"{seen[stem]} and {job.source} would both write {stem}.tab; "
                "ingest them into different folders"
            )
            raise UsageError(msg)
        seen[stem] = str(job.source)


def _run_all(work: Sequence[Job], jobs: int) -> Iterator[tuple[Job, IngestReport | Exception]]:
    if jobs == 1 or len(work) == 1:
        for job in work:
            with Progress(job.name) as progress:
                outcome = _run(job, progress)
            yield job, outcome
        return
    import concurrent.futures
    import multiprocessing

    context = multiprocessing.get_context("forkserver")
    workers = min(jobs, len(work))
    with concurrent.futures.ProcessPoolExecutor(
        workers, context, initializer=_wait_for_parent
    ) as pool:
        waiting = {pool.submit(_run_in_worker, job): job for job in work}
        try:
            with Progress("files", total=len(work)) as progress:
                for done, future in enumerate(concurrent.futures.as_completed(waiting), 1):
                    progress(done, len(work))
                    yield waiting[future], _outcome(future)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            children = multiprocessing.active_children()
            for child in children:
                child.terminate()
            for child in children:
                child.join(_PATIENCE)
            raise


def _wait_for_parent() -> None:
    """A worker leaves an interrupt at the terminal to its parent, which ends it by SIGTERM."""
    load_arrow_alone()
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _run_in_worker(job: Job) -> IngestReport | Exception:
    """Run a job so that SIGTERM, while it lasts, cleans up its drafts first."""
    signal.signal(signal.SIGTERM, _stop)
    try:
        return _run(job)
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _stop(*_: object) -> None:
    raise KeyboardInterrupt


def _outcome(future: concurrent.futures.Future[IngestReport | Exception]) -> Any:
    from concurrent.futures.process import BrokenProcessPool

    try:
        return future.result()
    except BrokenProcessPool:
        return _WorkerDiedError()


def _run(job: Job, progress: Progress | None = None) -> IngestReport | Exception:
    from tabkit.ingest import ingest

    try:
        return ingest(
            job.source,
            job.folder,
            only=job.only,
            profile=job.options.profile,
            ddi_version=job.ddi_version,
            force=job.force,
            name=job.name,
            stem=job.stem,
            options=job.options,
            file_format=job.file_format,
            progress=progress,
        )
    except (TabkitError, OSError, MemoryError) as error:
        return error


def _tell(job: Job, outcome: IngestReport | Exception, *, as_json: bool) -> int:
    from tabkit.messages import explain, say_json
    from tabkit.show import plural, show_findings, show_ledger

    if isinstance(outcome, UsageError):
        raise outcome
    if isinstance(outcome, _WorkerDiedError):
        click.echo(f"tabkit: {job.name}: a worker process died; try --jobs 1", err=True)
        return 3
    if isinstance(outcome, Exception):
        code = explain(outcome)
        if as_json:
            say_json({"source": str(job.source), "error": str(outcome)})
        return code
    show_findings(job.name, outcome.findings)
    show_ledger(job.name, outcome.losses)
    if as_json:
        say_json(report_json(outcome))
    else:
        shown = ", ".join(str(path) for path in outcome.outputs.values())
        click.echo(
            f"{shown}: {plural(outcome.cases, 'case')}, {plural(outcome.variables, 'variable')}, "
            f"{outcome.unf or 'no UNF (no cases)'}"
        )
    return 0


def report_json(report: IngestReport) -> dict[str, Any]:
    """Give a report as JSON's types."""
    return {
        "source": str(report.source),
        "format": report.format,
        "outputs": {part: str(path) for part, path in report.outputs.items()},
        "cases": report.cases,
        "variables": report.variables,
        "unf": report.unf,
        "findings": [dataclasses.asdict(finding) for finding in report.findings],
        "losses": [dataclasses.asdict(loss) for loss in report.losses],
    }
