"""One thing in a repository, opened: its files listed, chosen and downloaded."""

from __future__ import annotations

import contextlib
import dataclasses
import fnmatch
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from tabkit.clients.adapters import ADAPTERS, understand
from tabkit.clients.batch import Batch, download_all
from tabkit.clients.credentials import find_secret, make_secret
from tabkit.clients.http import Http
from tabkit.clients.login import sign_in
from tabkit.clients.model import Choice, Request
from tabkit.clients.origin import plain
from tabkit.errors import FetchError, PendingError, TabkitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from tabkit.clients.model import Download, Entry, Ref

_ASK_AGAIN: Final = 10.0  # seconds until what is being made is asked for again, doubled each time
_SELDOM: Final = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Repository:
    """What was opened; a context manager that holds the connections.

    Attributes:
        ref: What was named, understood.
        choice: Which form of the files is wanted.
        http: Sends the requests.
        jobs: Files at the same time.
        wait: Seconds to wait for what the server makes in the background.
    """

    ref: Ref
    choice: Choice
    http: Http
    jobs: int = 4
    wait: float = 0.0

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.__exit__()

    def entries(self, pattern: str = "") -> Iterator[Entry]:
        """List the files.

        Args:
            pattern: Keep only paths or names that match, as ``*.sav``; empty for all.

        Raises:
            FetchError: It does not exist or may not be seen.
            PendingError: The list is still being made, and the time to wait is over.
        """
        for last in self._turns():
            begun = False
            try:
                for entry in self._entries():
                    begun = True
                    texts = (entry.path, entry.name)
                    if not pattern or any(fnmatch.fnmatchcase(text, pattern) for text in texts):
                        yield entry
            except PendingError:
                if last or begun:
                    raise
            else:
                return

    def _entries(self) -> Iterator[Entry]:
        with _shapes(self.ref):
            yield from ADAPTERS[self.ref.system].entries(self.ref, self.http, self.choice)

    def locate(self, entry: Entry) -> Request:
        """Say how to fetch one file now; the address may expire soon.

        Raises:
            PendingError: It is still being made, and the time to wait is over.
        """
        for last in self._turns():
            try:
                with _shapes(self.ref):
                    return ADAPTERS[self.ref.system].locate(self.ref, entry, self.http, self.choice)
            except PendingError:
                if last:
                    raise
        raise AssertionError  # the last turn either returns or raises

    def _turns(self) -> Iterator[bool]:
        """Give turns to ask, ever more seldom, until the time to wait is over; tell the last."""
        end, pause = time.monotonic() + self.wait, _ASK_AGAIN
        while time.monotonic() < end:
            yield False
            self.http.rest(min(pause, max(end - time.monotonic(), 0.0)))
            pause = min(pause * 2, _SELDOM)
        yield True

    def download(
        self,
        folder: Path | str,
        entries: Iterable[Entry] | None = None,
        *,
        force: bool = False,
        cache: Path | None = None,
        progress: Callable[[int], None] = lambda _: None,
    ) -> Iterator[Download]:
        """Download files, several at a time.

        Args:
            folder: Where they go, in the repository's own folders; made when missing.
            entries: Which ones; all by default.
            force: Replace what is there; else what is there and right is kept.
            cache: Folder of files kept by digest, shared between runs.
            progress: Called with the number of bytes that arrived, from any thread.

        Returns:
            An iterator of outcomes, as they come; a file that failed has its error in it.
        """
        batch = Batch(
            Path(folder), self.http, self.locate, self._key, self.jobs, force, cache, progress
        )
        return download_all(self.entries() if entries is None else entries, batch)

    def _key(self, entry: Entry) -> str:
        return repr((self.ref.system, self.ref.server, entry.id, entry.name, self.choice))


@contextlib.contextmanager
def _shapes(ref: Ref) -> Iterator[None]:
    """Say that an answer lacks what the interface promises, wherever an adapter finds out."""
    try:
        yield
    except TabkitError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
        reason = f"an answer is not as the interface of {ref.system} promises: {plain(str(error))}"
        raise FetchError(reason, ref.server) from error


def open_repository(  # noqa: PLR0913 - keyword-only options of a public call
    what: str,
    *,
    server: str = "",
    form: str = "",
    select: Sequence[str] = (),
    header: bool = True,
    size: int = 64,
    version: str = "",
    answers: dict[str, Any] | None = None,
    token: str = "",
    keypairs: Path | None = None,
    jobs: int = 4,
    allow_private: Iterable[str] = (),
    resolver: str = "",
    wait: float = 0.0,
    http: Http | None = None,
) -> Repository:
    """Open a dataset, file or bundle of a repository.

    Args:
        what: A persistent identifier, an address, or a shorthand as ``databrary:volume/1``.
        server: Address of the server, where ``what`` does not tell.
        form: ``original`` (default), ``tab`` or another form of the system; see docs/adapters.md.
        select: Variables to keep, where the form is a selection.
        header: Whether a tab file begins with the names of its variables.
        size: Largest side of a thumbnail in pixels.
        version: Version of a dataset; the newest that may be seen by default.
        answers: Answers to a guestbook.
        token: The secret for this server; by default from environment, keyring or key file.
        keypairs: A key file, for 4DN.
        jobs: Files, and connections, at the same time.
        allow_private: Hosts in private networks that the server may send us to.
        resolver: Where identifiers without ``server`` are resolved; by default doi.org,
            hdl.handle.net or, for compact DRS identifiers, n2t.net.
        wait: Seconds to wait for an archive that the server makes in the background; it is asked
            again after 10 s, then ever more seldom.
        http: Sends the requests; made from the above by default.

    Raises:
        UsageError: It is not understood, or the form does not exist.
        FetchError: Its server cannot be found.
    """
    ref = understand(what, server)
    with contextlib.ExitStack() as stack:
        if http is None:
            made = Http(jobs=jobs, allow_private=allow_private, system=ref.system)
            http = stack.enter_context(made)
        if not ref.server:
            ref = _resolved(ref, http, resolver)
        ref = dataclasses.replace(ref, version=version or ref.version)
        forms = ADAPTERS[ref.system].FORMS
        if form and form not in forms:
            msg = f"{ref.system} has no form {form!r}; there are {', '.join(forms)}"
            raise UsageError(msg)
        choice = Choice(form or forms[0], tuple(select), header, size, answers or {})
        if token:
            sign_in(make_secret(ref.system, ref.server, {"token": token}), http)
        elif secret := find_secret(ref.system, ref.server, keypairs):
            sign_in(secret, http)
        stack.pop_all()
    return Repository(ref, choice, http, jobs, wait)


_RESOLVERS: Final = {
    "doi": "https://doi.org",
    "hdl": "https://hdl.handle.net",
    "drs": "https://n2t.net",
}


def _resolved(ref: Ref, http: Http, resolver: str) -> Ref:
    """Ask the resolver of persistent identifiers which server a dataset is on."""
    if ref.kind not in {"pid", "compact"}:
        msg = f"{ref.system}:{ref.kind}/{ref.id} is a number on which server? give --server URL"
        raise UsageError(msg)
    scheme, _, name = ref.id.partition(":")
    if ref.system == "drs":
        scheme, name = "drs", ref.id
    address = f"{(resolver or _RESOLVERS[scheme]).rstrip('/')}/{quote(name, safe='/:')}"
    with http.open(Request(address), accept=(200, 202, 401, 403)) as answer:
        landing = str(answer.url)
    found = ADAPTERS[ref.system].match(landing, "")
    if found is None or not found.server:
        hint = "name the server with --server URL"
        raise FetchError("does not lead to a repository that is known here", ref.id, hint)
    if ref.system == "drs":
        return dataclasses.replace(found, named=False)
    return dataclasses.replace(ref, server=found.server, named=False)
