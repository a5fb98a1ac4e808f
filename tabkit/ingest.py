"""Ingest: one statistics file goes in, its archival package comes out, in one pass."""

from __future__ import annotations

import concurrent.futures
import contextlib
import dataclasses
import hashlib
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from tabkit.errors import FormatError, OutputError, UsageError
from tabkit.options import ReadOptions
from tabkit.output import output_folder, whole_files
from tabkit.profiles import TABKIT, Profile, find_profile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tabkit.formats import FileFormat
    from tabkit.loss import Ledger
    from tabkit.model import Block, Description, Finding, Origin, TableStream

PARTS: Final = ("tab", "rdata", "ddi", "prep", "original")
USUAL: Final = ("tab", "rdata", "ddi", "original")
_SUFFIXES: Final = {
    "tab": ".tab",
    "rdata": ".RData",
    "ddi": "-ddi.xml",
    "prep": "-prep.json",
}
_CHUNK: Final = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class IngestReport:
    """What came of one ingest.

    Attributes:
        source: The file.
        outputs: By part (``tab``, ``rdata``, ``ddi``, ``original``) the file written.
        unf: The file's fingerprint, empty for a table without cases.
        cases: Number of cases.
        variables: Number of variables.
        format: The source's format, as in ``tabkit formats``.
        findings: What the reader noticed.
        losses: What no output of this run carries.
    """

    source: Path
    outputs: Mapping[str, Path]
    unf: str
    cases: int
    variables: int
    format: str
    findings: tuple[Finding, ...] = ()
    losses: Ledger = ()


def ingest(
    source: Path | str,
    folder: Path | str,
    *,
    only: Sequence[str] = USUAL,
    profile: Profile | str = TABKIT,
    ddi_version: str = "2.5",
    force: bool = False,
    name: str | None = None,
    stem: str | None = None,
    options: ReadOptions | None = None,
    file_format: FileFormat | None = None,
    progress: Callable[[int, int | None], None] | None = None,
) -> IngestReport:
    """Turn a statistics file into its archival package.

    Args:
        source: The file; it is decoded once, block by block.
        folder: Where the outputs go; made when missing.
        only: Which parts: ``tab`` (the archival table), ``rdata`` (a data frame for R), ``ddi``
            (the codebook), ``prep`` (summaries and plot values of each variable as JSON),
            ``original`` (a copy of the source, unless the source lies in ``folder`` already).
        profile: ``tabkit`` or ``dataverse``.
        ddi_version: ``2.5``, ``2.6`` or ``repository``.
        force: Replace outputs that exist.
        name: The source's own name, where ``source`` is a temporary copy.
        stem: What the names of the outputs begin with; else the name without its suffix.
        options: Reading options; their profile is replaced by ``profile``.
        file_format: Skips the detection of the format.
        progress: Called after each block with the cases read and their number, if known.

    Returns:
        The outputs and what was noticed. On any error nothing is left in ``folder``.

    Raises:
        FormatError: The source cannot be read.
        OutputError: An output exists already, or cannot be written.
        UsageError: ``only`` or ``ddi_version`` names something unknown.
    """
    source, folder = Path(source), Path(folder)
    chosen = find_profile(profile)
    parts = _check_parts(only)
    options = dataclasses.replace(options or ReadOptions(), profile=chosen)
    file_name = name or source.name
    before = source.stat()
    stem = stem or stem_of(file_name)
    targets = _targets(source, folder, file_name, stem, parts)
    with contextlib.ExitStack() as stack:
        stack.enter_context(output_folder(folder))
        drafts = stack.enter_context(whole_files(list(targets.values()), force=force))
        paths = dict(zip(targets, drafts, strict=True))
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(1))
        stop = threading.Event()
        stack.callback(stop.set)  # before the pool is left, which waits for its thread
        copy = pool.submit(preserve, source, paths.get("original"), stop)
        stream = stack.enter_context(open_source(source, options, file_format, file_name))
        description = _pass(stream, paths, targets, progress)
        if "rdata" in paths and chosen.for_r(stream.origin.format) is not chosen:
            _write_r_original(source, paths["rdata"], options, file_format, file_name)
        origin = _with_digests(stream.origin, copy.result())
        description = _with_origin(description, origin)
        if "ddi" in paths:
            table = targets["tab"].name if "tab" in targets else f"{stem}.tab"
            _write_ddi(description, paths["ddi"], ddi_version, chosen, table)
        after = source.stat()
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise FormatError("the file changed while it was read", file_name, hint="try again")
    return IngestReport(
        source,
        targets,
        description.unf,
        description.cases,
        len(description.variables),
        origin.format,
        tuple(stream.findings),
        _losses(description, parts),
    )


def stem_of(file_name: str) -> str:
    """Return what a file's outputs are named after: ``census`` for ``census.dat.gz``."""
    return Path(file_name.removesuffix(".gz")).stem


def open_source(
    source: Path, options: ReadOptions, file_format: FileFormat | None, name: str
) -> TableStream:
    """Open a source, reporting it under its own name."""
    from tabkit.read import open_with

    return open_with(source, options, file_format, name)


def preserve(
    source: Path, target: Path | None, stop: threading.Event | None = None
) -> tuple[str, str]:
    """Copy ``source`` to an empty ``target``, if any; return its MD5 and SHA-256 in hex.

    It ends early, with digests of no use, when ``stop`` is set.
    """
    md5, sha256 = hashlib.md5(usedforsecurity=False), hashlib.sha256()
    with contextlib.ExitStack() as stack:
        file = stack.enter_context(source.open("rb"))
        # The draft is there; a run that was interrupted and has removed it must not see it again.
        copy: BinaryIO | None = stack.enter_context(target.open("r+b")) if target else None
        while (chunk := file.read(_CHUNK)) and not (stop and stop.is_set()):
            md5.update(chunk)
            sha256.update(chunk)
            if copy is not None:
                copy.write(chunk)
    return md5.hexdigest(), sha256.hexdigest()


def _check_parts(only: Sequence[str]) -> tuple[str, ...]:
    unknown = [part for part in only if part not in PARTS]
    if unknown or not only:
        msg = f"no output named {', '.join(unknown) or 'nothing'!r}; there are {', '.join(PARTS)}"
        raise UsageError(msg)
    return tuple(part for part in PARTS if part in only)


def _targets(
    source: Path, folder: Path, file_name: str, stem: str, parts: Sequence[str]
) -> dict[str, Path]:
    """Name the outputs after the source; an original that has an output's name steps aside."""
    suffix = Path(file_name).suffix
    targets = {part: folder / f"{stem}{_SUFFIXES[part]}" for part in parts if part in _SUFFIXES}
    if "original" in parts:
        original = folder / Path(file_name).name
        if original in targets.values():
            original = folder / f"{stem}-original{suffix}"
        if not (original.exists() and original.samefile(source)):
            targets["original"] = original
    for part, target in targets.items():
        if target.exists() and target.samefile(source):
            raise OutputError(
                f"the {part} output would replace the source itself", target, hint="use -o"
            )
    return targets


def _pass(
    stream: TableStream,
    drafts: Mapping[str, Path],
    targets: Mapping[str, Path],
    progress: Callable[[int, int | None], None] | None,
) -> Description:
    """Send every block to the archival table, the data frame and the description, once."""
    from tabkit.describe import describe
    from tabkit.write.tab import tab_appender

    profile, summaries = stream.profile, None
    by_script = "prep" in drafts and profile.prep_by_script
    if "prep" in drafts and not by_script:
        from tabkit.prep import Summaries

        summaries = Summaries()
    with contextlib.ExitStack() as stack:
        beside: list[Callable[[Block], None]] = []
        tab, frame = drafts.get("tab"), None
        if tab is None and by_script:
            import tempfile

            tab = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tabkit-")), "tab")
        if tab is not None:
            file = stack.enter_context(tab.open("wb"))
            layout = profile.tab_layout(stream.origin)
            beside.append(tab_appender(file, stream.variables, layout))
        if "rdata" in drafts and profile.for_r(stream.origin.format) is profile:
            from tabkit.write.rdata import FrameWriter, RChoices
            from tabkit.write.rdata_names import object_name

            own = None if profile.r_objects else object_name(targets["rdata"].name)
            frame = stack.enter_context(FrameWriter(stream, RChoices(own)))
            beside.append(frame.append)
        observe = summaries.observe if summaries is not None else None
        told = _told(stream, progress)
        description = describe(told, profile=profile, beside=beside, observe=observe)
        if frame is not None:
            frame.finish(drafts["rdata"])
        if tab is not None:
            file.flush()
        if "prep" in drafts:
            made = summaries.of(description) if summaries is not None else None
            _write_prep(made, tab, drafts["prep"])
    return description


def _write_prep(made: dict[str, Any] | None, tab: Path | None, draft: Path) -> None:
    """Write the preprocessed data, made of the values or else of the archival table's text."""
    from tabkit.prep import prep_object, prep_of_tab, write_prep

    if made is not None:
        write_prep(prep_object(made), draft)
    elif tab is not None:
        write_prep(prep_of_tab(tab), draft)


def _write_r_original(
    source: Path, draft: Path, options: ReadOptions, file_format: FileFormat | None, name: str
) -> None:
    """Write the data frame that haven makes of the original, as the profile's repository does."""
    from tabkit.formats import identify
    from tabkit.write.rdata import write_rdata_stream

    profile = options.profile.for_r((file_format or identify(source, name)).name)
    again = dataclasses.replace(options, profile=profile)
    with open_source(source, again, file_format, name) as stream:
        write_rdata_stream(stream, draft)


def _told(stream: TableStream, progress: Callable[[int, int | None], None] | None) -> TableStream:
    """Tell how far the reader has come."""
    if progress is None:
        return stream

    def blocks() -> Iterator[Block]:
        done = 0
        with stream:
            for block in stream.blocks:
                yield block
                done += block.data.num_rows
                progress(done, stream.cases)

    return dataclasses.replace(stream, blocks=blocks())


def _with_digests(origin: Origin, digests: tuple[str, str]) -> Origin:
    return dataclasses.replace(origin, md5=digests[0], sha256=digests[1])


def _with_origin(description: Description, origin: Origin) -> Description:
    return dataclasses.replace(
        description, table=dataclasses.replace(description.table, origin=origin)
    )


def _write_ddi(
    description: Description,
    path: Path,
    version: str,
    profile: Profile,
    file_name: str,
) -> None:
    from tabkit.ddi.build import write_codebook

    write_codebook(description, path, version=version, profile=profile, file_name=file_name)


def _losses(description: Description, parts: Sequence[str]) -> Ledger:
    """Report what no output keeps: the original keeps all, the codebook all but the tags."""
    from tabkit.write.metadata_loss import counted_tag_losses, metadata_losses

    if "original" in parts:
        return ()
    table = description.table
    tagged = {
        variable.name: sum(count for _, count in described.tagged)
        for variable, described in zip(table.variables, description.variables, strict=True)
    }
    losses = counted_tag_losses(tagged)
    return tuple(losses if "ddi" in parts else [*metadata_losses(table), *losses])
