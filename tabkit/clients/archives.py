"""Zips that a repository packs on request: tested member by member, the manifest read."""

from __future__ import annotations

import re
import zipfile
import zlib
from typing import TYPE_CHECKING, Final

from tabkit.clients.origin import plain
from tabkit.errors import FetchError

if TYPE_CHECKING:
    from pathlib import Path

_CHUNK: Final = 1 << 20
_MANIFEST: Final = re.compile(r"0*MANIFEST\.TXT")
_MANIFEST_BYTES: Final = 64 << 20
_RATIO: Final = 200  # times that tables may be compressed and more; deflate itself ends at 1,032
_FREE: Final = 1 << 30  # bytes that no ratio is asked for
#: What a line of the manifest says when its file is not in the zip.
#: Source: Dataverse's `DataFileZipper` and `Access.downloadDatafiles`.
_MISSING: Final = re.compile(
    r"IS (RESTRICTED|EMBARGOED|RETENTIONEXPIRED|NOTAUTHORIZED) AND CANNOT BE DOWNLOADED"
    r"|skipped because the total size|COULD NOT be downloaded"
)


def check_archive(path: Path, name: str) -> tuple[str, ...]:
    """Read every member of a zip, so that its checksums prove it; read its manifest.

    Nothing is unpacked to disk, and no more than a piece of a member is in memory.

    Returns:
        The manifest's lines about files that the zip should hold and does not.

    Raises:
        FetchError: It is no zip, cut short, or damaged.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            _refuse_traps(archive, path.stat().st_size, name)
            for member in archive.infolist():
                with archive.open(member) as file:
                    while file.read(_CHUNK):
                        pass
            return tuple(_missing(archive))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise FetchError(f"the zip is damaged: {error}", name, "nothing was kept") from error


def _refuse_traps(archive: zipfile.ZipFile, size: int, name: str) -> None:
    """Refuse what would hurt whoever unpacks it: bombs, and names that leave the folder."""
    members = archive.infolist()
    total = sum(each.file_size for each in members)
    if total > _RATIO * size + _FREE:
        reason = (
            f"the zip would unpack to {total:,} bytes, {total // max(size, 1):,} times its size"
        )
        raise FetchError(reason, name, "nothing was kept")
    for each in members:
        parts = re.split(r"[\\/]", each.filename)
        if ".." in parts or each.filename.startswith(("/", "\\")) or ":" in parts[0]:
            reason = f"the zip holds a name that leads out of its folder, {plain(each.filename)!r}"
            raise FetchError(reason, name, "nothing was kept")


def _missing(archive: zipfile.ZipFile) -> list[str]:
    manifests = [m for m in archive.infolist() if _MANIFEST.fullmatch(m.filename)]
    if not manifests:
        return []
    with archive.open(manifests[-1]) as file:  # the last: an own file may have the plain name
        text = file.read(_MANIFEST_BYTES).decode("utf-8", "replace")
    return [plain(line).strip() for line in text.splitlines() if _MISSING.search(line)]
