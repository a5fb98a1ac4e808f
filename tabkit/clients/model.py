"""What passes between adapters, the engine and their callers: plain frozen data."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tabkit.clients.http import Http


@dataclasses.dataclass(frozen=True, slots=True)
class Ref:
    """What a user named, understood.

    Attributes:
        system: Name of the adapter.
        server: Base address ``scheme://host[:port][/path]`` without a final slash.
        kind: What ``id`` is, in the adapter's words, as ``dataset`` or ``file``.
        id: Identifier within the server.
        version: Version asked for, empty for the newest that may be seen.
        named: The user named the server (or it is the adapter's own), no other server did.
    """

    system: str
    server: str
    kind: str
    id: str
    version: str = ""
    named: bool = True


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """Which form of the files is wanted.

    Attributes:
        form: ``original`` (as deposited), ``tab``, or a further form that the adapter lists.
        select: Variables to keep, by name or by the repository's id; empty for all.
        header: Whether a tab file begins with the names of its variables.
        size: Largest side of a thumbnail in pixels.
        answers: Answers to a guestbook, as the repository's interface wants them.
    """

    form: str = "original"
    select: tuple[str, ...] = ()
    header: bool = True
    size: int = 64
    answers: Mapping[str, Any] = dataclasses.field(default_factory=dict)


def size_of(told: object) -> int | None:
    """Read a size as servers tell it, a number or its digits; None of anything else."""
    if isinstance(told, str) and told.isascii() and told.isdigit():
        told = int(told[:18])
    if isinstance(told, float) and told.is_integer():
        told = int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One file of a repository.

    Attributes:
        id: The file within its server, stable over time.
        name: Name as the server has it; not safe to be used as a path.
        folder: Folder as the server has it, ``/`` between parts; not safe either.
        size: Bytes, if the server tells. With ``headless`` without the header line.
        digests: Hex digests by algorithm (``md5``, ``sha1``, ``sha256``, ``sha512``).
        media_type: As the server tells, empty if it does not.
        title: What the server calls it for people, of a catalogue's entries.
        restricted: Only some may download it.
        headless: Size and digests leave out the first line (Dataverse's ``.tab`` files).
        reason: Why it cannot be had, empty if it can.
        archive: It is a zip made for this request: it is tested, and its manifest read.
        meta: What only the adapter needs.
    """

    id: str
    name: str
    folder: str = ""
    size: int | None = None
    digests: Mapping[str, str] = dataclasses.field(default_factory=dict)
    media_type: str = ""
    title: str = ""
    restricted: bool = False
    headless: bool = False
    reason: str = ""
    archive: bool = False
    meta: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def path(self) -> str:
        """Folder and name as the server has them."""
        return f"{self.folder}/{self.name}" if self.folder else self.name


@dataclasses.dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; the credential of its origin is added by `Http`, never here.

    Attributes:
        url: Address; from a server's answer it may point anywhere.
        method: HTTP method.
        headers: Further headers; dropped when a redirect leaves the origin.
        body: Body, ``None`` for none.
        content: The bytes themselves, where an adapter makes them from answers; nothing is sent.
        auth: Whether a credential may be added at all.
        named: The user named this address, so that it may lie in a private network.
        temporary: The address was made for a while: a refusal may mean that it has expired.
        inside: Origin of the server that gave this address, which bounds how far inside it leads.
    """

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict, repr=False)
    body: bytes | None = dataclasses.field(default=None, repr=False)
    content: bytes | None = dataclasses.field(default=None, repr=False)
    auth: bool = True
    named: bool = True
    temporary: bool = False
    inside: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Download:
    """What came of one entry.

    Attributes:
        entry: The entry.
        path: Where it lies, ``None`` if it could not be had.
        size: Bytes written.
        verified: What was proved: ``digest``, ``size``, ``archive`` (all checksums in a zip),
            ``length`` (as announced when it was sent) or ``have`` (it was there, and right).
        note: What else a user should know.
        missing: What an archive should hold and does not, with the server's reason.
        error: Why it could not be had.
    """

    entry: Entry
    path: Path | None = None
    size: int = 0
    verified: str = ""
    note: str = ""
    missing: tuple[str, ...] = ()
    error: Exception | None = None


class Adapter(Protocol):
    """One repository system: a module with these names."""

    NAME: str
    FORMS: Sequence[str]

    @property
    def match(self) -> Callable[[str, str], Ref | None]:
        """Understand what a user named, with the server given apart (or empty)."""

    @property
    def entries(self) -> Callable[[Ref, Http, Choice], Iterator[Entry]]:
        """List the files, page by page."""

    @property
    def locate(self) -> Callable[[Ref, Entry, Http, Choice], Request]:
        """Say how to fetch one file now; called again before each new try."""
