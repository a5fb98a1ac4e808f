"""Names from servers made safe: they stay in the folder and can be written on any system.

Source: tests of the names that real servers and hostile ones send; Windows' reserved names after
https://learn.microsoft.com/windows/win32/fileio/naming-a-file.
"""

from __future__ import annotations

import re
import unicodedata
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_BYTES: Final = 200  # of a name, in UTF-8; file systems allow 255, drafts and suffixes need some
_DEEPEST: Final = 20  # folders
_RESERVED: Final = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.I)
_FORBIDDEN: Final = re.compile(r'[<>:"|?*\\/]')
_INVISIBLE: Final = frozenset(("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"))


def safe_name(name: str, fallback: str = "file") -> str:
    """Make one component of a path safe.

    Args:
        name: As the server has it; of a path only the last part counts.
        fallback: What to use when nothing is left.
    """
    text = unicodedata.normalize("NFC", re.split(r"[\\/]", name)[-1])
    text = "".join(c for c in text if unicodedata.category(c) not in _INVISIBLE)
    # Compatibility forms as U+2024 or U+FF0F become dots and slashes on some file systems.
    if any(c in "./\\:" for c in unicodedata.normalize("NFKC", text).replace(".", "")):
        text = unicodedata.normalize("NFKC", text)
    text = _FORBIDDEN.sub("_", text).strip().rstrip(". ")
    text = re.sub(r"^[.\-~\s]+", "_", text)
    stem = text.partition(".")[0].strip()
    if _RESERVED.fullmatch(stem):
        text = f"_{text}"
    text = _shortened(text)
    return text if text.strip("_. ") else safe_name(fallback) if fallback != "file" else "file"


def safe_path(folder: str, name: str, fallback: str = "file") -> PurePosixPath:
    """Make a path from a server's folder and name; each part on its own, no part steps up."""
    parts = [p for p in re.split(r"[\\/]", folder) if p.strip(". ")][:_DEEPEST]
    return PurePosixPath(*(safe_name(part, "folder") for part in parts), safe_name(name, fallback))


def distinct(paths: Iterable[PurePosixPath]) -> Iterator[PurePosixPath]:
    """Give each path a name of its own, as `a.csv`, `a_1.csv`, also where case does not tell."""
    taken: set[str] = set()
    folders: set[str] = set()
    for path in paths:
        candidate, number = path, 0
        while _key(candidate) in taken or _key(candidate) in folders:
            number += 1
            candidate = path.with_name(f"{path.stem}_{number}{path.suffix}")
        candidate = _beside_files(candidate, taken)
        taken.add(_key(candidate))
        folders.update(_key(parent) for parent in candidate.parents)
        yield candidate


def _beside_files(path: PurePosixPath, taken: set[str]) -> PurePosixPath:
    """Rename a folder that has the name of a file."""
    parts: list[str] = []
    for part in path.parts[:-1]:
        folder = part
        while _key(PurePosixPath(*parts, folder)) in taken:
            folder += "_"
        parts.append(folder)
    return PurePosixPath(*parts, path.name)


def _key(path: PurePosixPath) -> str:
    return unicodedata.normalize("NFKC", str(path)).casefold()


def _shortened(name: str) -> str:
    """Cut the stem, keep the suffix."""
    raw = name.encode("utf-8")
    if len(raw) <= _BYTES:
        return name
    stem, dot, suffix = name.rpartition(".")
    tail = f"{dot}{suffix}".encode() if stem and len(suffix.encode()) <= 12 else b""  # noqa: PLR2004
    head = (stem if tail else name).encode()[: _BYTES - len(tail)]
    return (head.decode("utf-8", "ignore").rstrip(". ") + tail.decode()) or "file"
