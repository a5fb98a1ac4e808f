"""Files kept by digest: the same bytes are fetched once, whatever server or folder they are for.

A plain folder of files named after their digest, each put there by a rename: it needs no lock, no
index and no library, can be deleted at any time, and what it gives out is checked again.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tabkit.clients.digests import Digester, usable

if TYPE_CHECKING:
    from tabkit.clients.model import Entry

_STRONGEST: Final = ("sha512", "sha256", "sha1", "md5")
_CHUNK: Final = 1 << 20


def default_cache() -> Path:
    """Give the user's cache folder; ``TABKIT_CACHE`` names another."""
    import platformdirs

    named = os.environ.get("TABKIT_CACHE")
    return Path(named) if named else Path(platformdirs.user_cache_dir("tabkit")) / "files"


def take(cache: Path, entry: Entry, target: Path) -> bool:
    """Copy a kept file to ``target``, which must not exist; give whether it was there and whole."""
    place = _place(cache, entry)
    if place is None or entry.reason or not place.is_file() or target.exists():
        return False
    digester = Digester(entry.digests, entry.size, headless=entry.headless)
    draft = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        with place.open("rb") as source, draft.open("xb") as copy:
            while chunk := source.read(_CHUNK):
                digester.update(chunk)
                copy.write(chunk)
        if digester.complaint():
            place.unlink(missing_ok=True)
            return False
        os.link(draft, target)
    except OSError:  # whatever is wrong with the cache, the server has the file
        return False
    finally:
        draft.unlink(missing_ok=True)
    return True


def keep(cache: Path, entry: Entry, source: Path) -> None:
    """Keep a proved file; what only some may see is not kept."""
    place = _place(cache, entry)
    if place is None or place.exists():
        return
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = place.with_name(f".{secrets.token_hex(8)}.part")
        try:
            shutil.copyfile(source, draft)
            draft.replace(place)
        finally:
            draft.unlink(missing_ok=True)


def _place(cache: Path, entry: Entry) -> Path | None:
    known = usable(entry.digests)
    name = next((each for each in _STRONGEST if each in known), None)
    if name is None or entry.restricted or not known[name].isalnum():
        return None
    kind = f"{name}-headless" if entry.headless else name
    return cache / kind / known[name][:2] / known[name]
