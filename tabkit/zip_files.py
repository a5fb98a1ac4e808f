"""Zip: many files go in, one archive with a manifest comes out, as a stream.

The manifest has a line for every file: its name, type and size, or why it is not in the archive.
Source: Dataverse Data Access guide, datafiles; DataFileZipper.
"""

from __future__ import annotations

import dataclasses
import mimetypes
import os
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

from tabkit.errors import FormatError, TabkitError, UsageError
from tabkit.formats import FORMATS
from tabkit.guard import call
from tabkit.options import ReadOptions
from tabkit.output import whole_files
from tabkit.zip_stream import Entry, Names, file_pieces, safe_name, zip_stream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

FORMS: Final = ("original", "tab")
_NOT_TABLES: Final = frozenset({".txt", ".tab", ".json"})
_MANIFEST: Final = "MANIFEST.TXT"
_OVER: Final = "skipped because the total size of the download bundle exceeded the limit of"


@dataclasses.dataclass(slots=True)
class ZipReport:
    """What came of an archive; filled while it is written.

    Attributes:
        entries: (name in the archive, bytes), in order, without the manifest.
        left_out: (file, reason), in order.
    """

    entries: list[tuple[str, int]] = dataclasses.field(default_factory=list)
    left_out: list[tuple[Path, str]] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class _Choices:
    form: str | None
    limit: int | None
    options: ReadOptions
    skipped: Path | None


def zip_files(
    files: Sequence[Path | str],
    target: Path | str | BinaryIO,
    *,
    form: str | None = None,
    limit: int | None = None,
    force: bool = False,
    options: ReadOptions | None = None,
) -> ZipReport:
    """Write an archive of files and folders.

    A file given by a relative path keeps its folders, any other its name alone; a folder is given
    with all that is in it, but a link in it to another folder is left out. A name that occurs
    twice gets a number; the same file given twice is one entry. Nothing can be named so that it
    would be unpacked elsewhere.

    Args:
        files: Files and folders.
        target: The archive, or a binary stream that is only written to.
        form: ``tab`` puts the archival table in place of a statistics file; ``original`` the file
            that an archival table was made from, as its codebook beside it tells, in place of
            that; None takes files as they are.
        limit: Bytes that the files in the archive stay below, before compression; a file that
            would pass it is left out and later, smaller ones may still come in.
        force: Replace a target that exists.
        options: How statistics files are read for ``tab``.

    Returns:
        What is in the archive and what was left out and why, as its last entry, ``MANIFEST.TXT``,
        tells as well.

    Raises:
        FormatError: No file at all could be added; or one broke off while it was read, so that
            the archive would not be whole.
        OutputError: The target exists already or cannot be written.
        UsageError: ``form`` is none of the two, or there are no files.
    """
    if form is not None and form not in FORMS:
        msg = f"the form is one of {', '.join(FORMS)}, not {form!r}"
        raise UsageError(msg)
    report = ZipReport()
    skipped = None if hasattr(target, "write") else Path(target).resolve()
    choices = _Choices(form, limit, options or ReadOptions(), skipped)
    paths = list(_walk([Path(each) for each in files]))
    _check_any(paths)
    with tempfile.TemporaryDirectory(prefix="tabkit-") as folder:
        pieces = zip_stream(_entries(paths, choices, report, Path(folder)))
        if hasattr(target, "write"):
            _send(pieces, target)  # type: ignore[arg-type]
            return report
        with whole_files([Path(target)], force=force) as (draft,), draft.open("wb") as file:
            _send(pieces, file)
    return report


def _send(pieces: Iterable[bytes], file: BinaryIO) -> None:
    for piece in pieces:
        file.write(piece)
    file.flush()


def _check_any(paths: Sequence[tuple[Path, str]]) -> None:
    if not paths:
        msg = "there is no file to put into the archive"
        raise UsageError(msg)
    if not any(path.exists() for path, _ in paths):
        raise FormatError("no file could be added: it does not exist", paths[0][0])


def _walk(given: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    """Yield every file with the name it would have, folders in order of name.

    A link to a folder, and a folder that cannot be listed, stand for what is not reached.
    """
    for path in given:
        is_below = not path.is_absolute() and ".." not in path.parts
        root = path.as_posix() if is_below else path.resolve().name
        if not path.is_dir():
            yield path, root if is_below else path.name
            continue
        unread: list[OSError] = []
        for folder, folders, names in os.walk(path, onerror=unread.append):
            folders.sort()
            links = [name for name in folders if Path(folder, name).is_symlink()]
            for name in sorted([*names, *links]):
                file = Path(folder, name)
                yield file, f"{root}/{file.relative_to(path).as_posix()}"
        for error in unread:
            file = Path(error.filename)
            yield file, f"{root}/{file.relative_to(path).as_posix()}"


def _entries(
    paths: Iterable[tuple[Path, str]], choices: _Choices, report: ZipReport, spool: Path
) -> Iterator[Entry]:
    """Yield an entry for each file that can be read, then the manifest."""
    names, seen, total = Names(), set(), 0
    lines: list[str] = []
    for path, name in paths:
        # Not what a link leads to: both names may have been asked for.
        place = path.parent.resolve() / path.name
        if place in seen or path.resolve() == choices.skipped:
            continue
        seen.add(place)
        media_type = _media_type(path)
        try:
            chosen, name = _in_form(path, name, choices, spool)  # noqa: PLW2901
            media_type = _media_type(chosen)
            size = _size(chosen)
        except (OSError, TabkitError) as error:
            reason = _reason(error)
            report.left_out.append((path, reason))
            lines.append(f"{safe_name(name)} ({media_type}) COULD NOT be added: {reason}")
            continue
        if choices.limit is not None and total + size >= choices.limit:
            reason = f"it would pass the limit of {choices.limit} bytes"
            report.left_out.append((path, reason))
            lines.append(f"{safe_name(name)} ({media_type})  {_OVER} {choices.limit} bytes.")
        else:
            entry = names.unique(safe_name(name))
            total += size
            yield Entry(entry, size, lambda c=chosen, s=size: _checked(c, s))  # type: ignore[misc]
            report.entries.append((entry, size))
            lines.append(f"{entry} ({media_type}) {size} bytes.")
        if chosen.parent == spool:
            chosen.unlink()
    yield _manifest(lines, names)


def _manifest(lines: Sequence[str], names: Names) -> Entry:
    text = "".join(f"{line}\r\n" for line in lines).encode()
    name = _MANIFEST
    while not names.is_free(name):
        name = f"0{name}"
    return Entry(name, len(text), lambda: [text])


def _in_form(path: Path, name: str, choices: _Choices, spool: Path) -> tuple[Path, str]:
    """Return the file to add and its name, after what was asked for."""
    suffix = path.suffix.lower()
    if choices.form == "original" and suffix == ".tab":
        original = _original_of(path, choices.options)
        return original, str(Path(name).with_name(original.name))
    is_table = any(suffix in each.suffixes and each.reader for each in FORMATS)
    if choices.form == "tab" and is_table and suffix not in _NOT_TABLES:
        from tabkit.ingest import ingest

        report = ingest(path, spool, only=("tab",), options=choices.options, force=True,
                        profile=choices.options.profile)  # fmt: skip
        return report.outputs["tab"], str(Path(name).with_suffix(".tab"))
    return path, name


def _original_of(path: Path, options: ReadOptions) -> Path:
    """Return the file that an archival table was made from, which lies beside it."""
    from tabkit.ddi.parse import read_codebook

    beside = path.with_name(f"{path.stem}-ddi.xml")
    if not beside.exists():
        raise FormatError(f"its original is not known, {beside.name} is not there", path)
    files = call(read_codebook, beside, options.guard, beside).files
    original = path.with_name(Path(files[0].origin.file_name).name) if files else path
    if not files or not files[0].origin.file_name or not original.exists():
        raise FormatError("its original does not lie beside it", path)
    return original


def _size(path: Path) -> int:
    """Return the size of a regular file that can be read."""
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        os.scandir(path).close()
        raise FormatError("it is a link to a folder", path, hint="give that folder itself")
    if not stat.S_ISREG(found.st_mode):
        raise FormatError("it is not a regular file", path)
    with path.open("rb"):
        return found.st_size


def _checked(path: Path, size: int) -> Iterator[bytes]:
    """Yield a file's bytes; the manifest must not say another size than the archive has."""
    done = 0
    try:
        for piece in file_pieces(path):
            done += len(piece)
            yield piece
    except OSError as error:
        reason = f"it broke off after {done:,} bytes: {(error.strerror or str(error)).lower()}"
        raise FormatError(reason, path, hint="leave it out and try again") from error
    if done != size:
        raise FormatError("the file changed while it was read", path, hint="try again")


def _reason(error: OSError | TabkitError) -> str:
    if isinstance(error, OSError):
        return (error.strerror or str(error)).lower()
    return error.reason if isinstance(error, FormatError) else str(error)


def _media_type(path: Path) -> str:
    suffix = path.suffix.lower()
    known = (each.media_type for each in FORMATS if suffix in each.suffixes and suffix != ".txt")
    guessed = mimetypes.guess_type(path.name, strict=False)[0]
    return next(known, None) or guessed or "application/octet-stream"
