"""Bundle: one statistics file goes in, an archive of all that a repository serves of it comes out.

Source: Dataverse Data Access guide, bundle; BundleDownloadInstanceWriter.
"""

from __future__ import annotations

import dataclasses
import hashlib
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from tabkit.cite import cite, study_from_json
from tabkit.ddi.study import Study, read_study
from tabkit.guard import call
from tabkit.ingest import PARTS, ingest
from tabkit.output import whole_files
from tabkit.profiles import TABKIT, Profile, find_profile
from tabkit.zip_stream import Entry, file_entry, safe_name, zip_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from tabkit.formats import FileFormat
    from tabkit.ingest import IngestReport
    from tabkit.options import ReadOptions

MANIFEST: Final = "manifest-sha256.txt"
_ORDER: Final = ("tab", "original", "rdata", "ddi")
_CITATIONS: Final = (("endnote", ".xml"), ("ris", ".ris"), ("bibtex", ".bib"), ("csl", ".json"))
_WORDS: Final = {"bibtex": "bib"}
_R_SUFFIXES: Final = frozenset({".rdata", ".rda", ".rds"})


@dataclasses.dataclass(frozen=True, slots=True)
class BundleReport:
    """What came of one bundle.

    Attributes:
        entries: (name, SHA-256 in hex) of every file in it but the manifest, in order.
        package: What the ingest made and noticed.
    """

    entries: tuple[tuple[str, str], ...]
    package: IngestReport


def bundle(
    source: Path | str,
    target: Path | str | BinaryIO,
    *,
    study: Study | Path | str | None = None,
    profile: Profile | str = TABKIT,
    ddi_version: str | None = None,
    force: bool = False,
    name: str | None = None,
    options: ReadOptions | None = None,
    file_format: FileFormat | None = None,
) -> BundleReport:
    """Write an archive with the table, the original, a data frame for R, codebook and citations.

    Two runs on the same file give the same bytes. ``manifest-sha256.txt`` in it is checked by
    ``sha256sum -c``.

    Args:
        source: The statistics file.
        target: The archive, or a binary stream that is only written to.
        study: What is cited: a study, or a DDI codebook or JSON file to read it from; None is
            what the file says of itself.
        profile: ``dataverse`` names and describes the files as the repository does.
        ddi_version: ``2.5``, ``2.6`` or ``repository``; None is the profile's.
        force: Replace a target that exists.
        name: The source's own name, where ``source`` is a temporary copy.
        options: Reading options; their profile is replaced by ``profile``.
        file_format: Skips the detection of the source's format.

    Raises:
        FormatError: The source or the study cannot be read.
        OutputError: The target exists already or cannot be written.
    """
    chosen = find_profile(profile)
    version = ddi_version or ("repository" if chosen.repository_bundle else "2.5")
    own_name = Path(name or source).name
    is_r = Path(own_name).suffix.lower() in _R_SUFFIXES
    with tempfile.TemporaryDirectory(prefix="tabkit-") as folder:
        only = [part for part in _ORDER if part in PARTS and not (part == "rdata" and is_r)]
        package = ingest(source, folder, only=only, profile=chosen, ddi_version=version,
                         name=own_name, options=options, file_format=file_format)  # fmt: skip
        entries = list(_entries(package, _study(study, package, options), own_name, chosen))
        sums = tuple((entry.name, _sha256(entry.pieces())) for entry in entries)
        manifest = "".join(f"{digest}  {entry}\n" for entry, digest in sums).encode()
        entries.append(Entry(MANIFEST, len(manifest), lambda: [manifest]))
        if hasattr(target, "write"):
            _send(entries, target)  # type: ignore[arg-type]
        else:
            with whole_files([Path(target)], force=force) as (draft,), draft.open("wb") as file:
                _send(entries, file)
    return BundleReport(sums, package)


def bundle_name(name: str) -> str:
    """Return the name that a bundle of a file has: ``survey-bundle.zip``."""
    return f"{Path(name).stem}-bundle.zip"


def _send(entries: Iterable[Entry], file: BinaryIO) -> None:
    for piece in zip_stream(entries):
        file.write(piece)
    file.flush()


def _entries(
    package: IngestReport, study: Study, own_name: str, profile: Profile
) -> Iterator[Entry]:
    """Yield the files in the repository's order."""
    stem = Path(own_name).stem
    for part in _ORDER:
        if part in package.outputs:
            path = package.outputs[part]
            yield file_entry(safe_name(path.name), path)
    joint = "" if profile.repository_bundle else "-"
    for style, suffix in _CITATIONS:
        text = cite(study, style).encode()
        name = f"{stem}{joint}citation-{_WORDS.get(style, style)}{suffix}"
        yield Entry(safe_name(name), len(text), lambda text=text: [text])  # type: ignore[misc]


def _study(
    given: Study | Path | str | None, package: IngestReport, options: ReadOptions | None
) -> Study:
    """Return the study to cite, with this file's name and fingerprint."""
    if isinstance(given, str | Path):
        path, guard = Path(given), options.guard if options else None
        is_json = path.suffix.lower() == ".json"
        given = Study(**study_from_json(path)) if is_json else call(read_study, path, guard, path)
    found = given or read_study(package.outputs["ddi"])
    title = found.title or read_study(package.outputs["ddi"]).title
    name = package.outputs["original"].name
    return dataclasses.replace(found, title=title, file_name=name, unf=package.unf)


def _sha256(pieces: Iterable[bytes]) -> str:
    digest = hashlib.sha256()
    for piece in pieces:
        digest.update(piece)
    return digest.hexdigest()
