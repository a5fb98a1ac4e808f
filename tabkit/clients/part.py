"""A file that is still coming: bytes so far, what they are part of, and the step to a whole file.

Parts lie in a hidden folder inside the target's own, under names that no server chooses, so that
a transfer can go on after an interrupt and the last step is one rename on one file system.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import json
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tabkit.clients.digests import Digester
from tabkit.errors import OutputError
from tabkit.output import rename_new

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tabkit.clients.model import Entry

PARTS: Final = ".tabkit-part"
_CHUNK: Final = 1 << 20
_SPARE: Final = 16 << 20  # bytes of disk left alone
_FLAGS: Final = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


@dataclasses.dataclass
class Part:
    """Bytes of one file so far.

    Attributes:
        validator: Strong ETag or Last-Modified date of what is being fetched, if any.
        whole: Bytes that the server says the file has; None where it does not.
        received: Bytes taken in all, also those given up since.
        restarts: How often the file was begun anew.
    """

    path: Path
    entry: Entry
    descriptor: int
    digester: Digester
    validator: str = ""
    whole: int | None = None
    received: int = 0
    restarts: int = 0

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.digester.size

    def can_resume(self) -> bool:
        """Tell whether a change of the file between two tries would be noticed."""
        return self.size > 0 and bool(self.validator or self.entry.digests)

    def write(self, chunk: bytes) -> None:
        """Append bytes."""
        view = memoryview(chunk)
        while view:
            view = view[os.write(self.descriptor, view) :]
        self.digester.update(chunk)
        self.received += len(chunk)

    def reset(self) -> None:
        """Begin anew."""
        self.restarts += bool(self.size)
        if self.size:  # of an empty file it would make ext4 write all out when the file is closed
            os.ftruncate(self.descriptor, 0)
            os.lseek(self.descriptor, 0, os.SEEK_SET)
        self.digester.close()
        self.digester = _digester(self.entry)
        self.validator, self.whole = "", None
        _side(self.path).unlink(missing_ok=True)  # it must not vouch for what comes now

    def note(self, validator: str, whole: int | None) -> None:
        """Remember what the bytes are part of, for a later run."""
        if (validator, whole) != (self.validator, self.whole):
            self.validator, self.whole = validator, whole
            told = json.dumps({"validator": validator, "whole": whole})
            _side(self.path).write_text(told, encoding="utf-8")

    def publish(self, target: Path, *, force: bool) -> None:
        """Give the whole file its name.

        Raises:
            OutputError: The name is taken and ``force`` is not set.
        """
        if force:
            self.path.replace(target)
        else:
            rename_new(self.path, target)
        self.discard()

    def discard(self) -> None:
        """Remove it."""
        for path in (self.path, _side(self.path)):
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def open_part(folder: Path, key: str, entry: Entry) -> Iterator[Part]:
    """Open the part of an entry, with the bytes of an earlier run if they can be used.

    Args:
        folder: The target folder.
        key: What tells this file and form from every other.
        entry: The file.
    """
    path = folder / PARTS / f"{hashlib.sha256(key.encode()).hexdigest()[:32]}.part"
    try:
        descriptor = os.open(path, _FLAGS, 0o600 if entry.restricted else 0o666)
    except OSError as error:
        raise OutputError(f"cannot write here: {error.strerror}", folder) from error
    part = Part(path, entry, descriptor, _digester(entry))
    try:
        _take_up(part)
        yield part
    except OSError as error:
        part.discard()  # a full disk wants its room back
        reason = f"cannot be written: {error.strerror or error}"
        raise OutputError(reason, folder / Path(entry.name).name) from error
    finally:
        part.digester.close()
        os.close(descriptor)
        if not part.size:
            part.discard()


def check_room(folder: Path, size: int, name: str) -> None:
    """Refuse what the disk cannot hold before it is full.

    Raises:
        OutputError: There is not enough room.
    """
    free = shutil.disk_usage(folder).free
    if size + _SPARE > free:
        reason = f"needs {size:,} bytes, the disk has {max(free - _SPARE, 0):,}"
        raise OutputError(reason, Path(name).name, hint="free some or use another folder")


def _take_up(part: Part) -> None:
    """Read the bytes of an earlier run; drop them where a changed file would not be noticed."""
    with contextlib.suppress(OSError, ValueError, TypeError, AttributeError):
        told = json.loads(_side(part.path).read_bytes())
        part.validator = str(told.get("validator", ""))
        part.whole = None if told.get("whole") is None else int(told["whole"])
    while chunk := os.read(part.descriptor, _CHUNK):
        part.digester.update(chunk)
    if not part.can_resume():
        part.reset()
        part.restarts = 0


def _digester(entry: Entry) -> Digester:
    return Digester(entry.digests, entry.size, headless=entry.headless)


def _side(path: Path) -> Path:
    return path.with_suffix(".json")
