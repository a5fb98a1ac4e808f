"""Downloads one file so that it ends up whole and proved, or not at all."""

from __future__ import annotations

import dataclasses
import itertools
import re
from typing import TYPE_CHECKING, Final

from tabkit.clients.archives import check_archive
from tabkit.clients.digests import Digester
from tabkit.clients.model import Download
from tabkit.clients.part import check_room, open_part
from tabkit.clients.retry import AgainError, message_of, tries
from tabkit.errors import AccessError, FetchError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    import httpx2

    from tabkit.clients.http import Http
    from tabkit.clients.model import Entry, Request
    from tabkit.clients.part import Part

_RESTARTS: Final = 4  # of one file: more means that it changes, or is always damaged
_MISMATCHES: Final = 2
_BYTES: Final = 1 << 18
_PARTIAL, _UNSATISFIABLE = 206, 416
_HTML: Final = re.compile(rb"\s*(<!doctype html|<html)", re.I)
_REFUSED: Final = re.compile(rb'\s*\{\s*"status"\s*:\s*"ERROR"')
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")


def download(
    entry: Entry,
    target: Path,
    locate: Callable[[], Request],
    http: Http,
    *,
    key: str,
    folder: Path,
    force: bool = False,
    progress: Callable[[int], None] = lambda _: None,
) -> Download:
    """Fetch one file to ``target``.

    Args:
        entry: The file.
        target: Its final name, in ``folder`` or below; its folder exists.
        locate: Says how to fetch it now; asked again before each try, as addresses expire.
        http: Sends the requests.
        key: What tells this file and form from every other, for going on after an interrupt.
        folder: The folder of the whole run, which holds the parts.
        force: Replace what is there.
        progress: Called with the number of bytes that arrived.

    Raises:
        FetchError: It cannot be had, or is not what was announced.
        OutputError: The target exists with other bytes, or cannot be written.
    """
    if entry.reason:
        raise AccessError(entry.reason, entry.name)
    if not force and (target.is_symlink() or target.exists()):
        return _have(entry, target)
    with open_part(folder, key, entry) as part:
        _fill(part, locate, http, progress)
        missing = check_archive(part.path, entry.name) if entry.archive else ()
        part.publish(target, force=force)
        proof = "archive" if entry.archive else part.digester.proof()
        return Download(entry, target, part.size, proof, missing=missing)


def _have(entry: Entry, target: Path) -> Download:
    """Accept what is there, if it is what would be fetched."""
    if target.is_symlink() or not target.is_file():
        raise OutputError("a link or folder has this name", target)
    digester = Digester(entry.digests, entry.size, headless=entry.headless)
    with target.open("rb") as file:
        while chunk := file.read(_BYTES):
            digester.update(chunk)
    if digester.proof() == "length":
        reason = "exists already, and no size or digest is known to compare"
        raise OutputError(reason, target, hint="use -f to replace it")
    if digester.complaint():
        raise OutputError("exists already with other bytes", target, hint="use -f to replace it")
    note = "" if digester.proof() == "digest" else "kept, as the size agrees; no digest is known"
    return Download(entry, target, digester.size, "have", note)


def _fill(
    part: Part, locate: Callable[[], Request], http: Http, progress: Callable[[int], None]
) -> None:
    """Bring all bytes into the part, over as many tries as bring something, and check them."""
    mismatches = 0
    while True:
        before = part.received
        try:
            for attempt in tries(lambda before=before: part.received == before):  # type: ignore[misc]
                with attempt:
                    _transfer(part, _located(locate), http, progress)
        except AgainError:
            if part.received == before or part.restarts > _RESTARTS:
                raise
            continue
        complaint = part.digester.complaint()
        if not complaint:
            return
        mismatches += 1
        progress(-part.size)
        part.reset()
        if mismatches >= _MISMATCHES or part.restarts > _RESTARTS:
            raise FetchError(complaint, part.entry.name, "nothing was kept; try again later")


def _located(locate: Callable[[], Request]) -> Request:
    """Ask where the file is now; the question has had its own tries, which are not multiplied."""
    try:
        return locate()
    except AgainError as error:
        raise FetchError(error.reason, error.what, error.hint) from error


def _transfer(part: Part, request: Request, http: Http, progress: Callable[[int], None]) -> None:
    """Make one request for what is missing and append it."""
    if request.content is not None:
        part.reset()
        part.write(request.content)
        progress(len(request.content))
        return
    if part.size and not part.can_resume():
        progress(-part.size)
        part.reset()
    offset = part.size
    if offset:
        resume = {"Range": f"bytes={offset}-"}
        if part.validator:
            resume["If-Range"] = part.validator
        request = dataclasses.replace(request, headers={**request.headers, **resume})
    accept = (200, _PARTIAL, _UNSATISFIABLE) if offset else (200,)
    with http.open(request, accept) as response:
        if response.status_code == _UNSATISFIABLE:
            _settle(part, response, progress)
            return
        if not _continues(part, response):
            progress(-part.size)
            part.reset()
            if response.status_code == _PARTIAL:
                raise AgainError("the file changed on the server", part.entry.name, "try again")
        _receive(part, response, http, progress)


def _continues(part: Part, response: httpx2.Response) -> bool:
    """Tell whether an answer goes on exactly where the part ends, with the same file."""
    if part.size == 0:
        return response.status_code != _PARTIAL
    found = _RANGE.fullmatch(response.headers.get("content-range", ""))
    if response.status_code != _PARTIAL or not found or int(found[1]) != part.size:
        return False
    validator = _validator(response)
    if part.validator and validator and validator != part.validator:
        return False
    size = None if part.entry.headless else part.entry.size
    known = {each for each in (size, part.whole) if each is not None}
    return found[3] == "*" or known <= {int(found[3])}


def _settle(part: Part, response: httpx2.Response, progress: Callable[[int], None]) -> None:
    """Nothing is left to send: the part is whole, or it is of another file."""
    total = response.headers.get("content-range", "").rpartition("/")[2]
    if total != str(part.size) or (not part.entry.digests and part.entry.size is None):
        progress(-part.size)
        part.reset()
        raise AgainError("the file changed on the server", part.entry.name, "try again")


def _receive(
    part: Part, response: httpx2.Response, http: Http, progress: Callable[[int], None]
) -> None:
    entry, offset = part.entry, part.size
    chunks = response.iter_raw()
    first = next(chunks, b"")
    if offset == 0:
        _check_content(entry, first, response, http)
    length = response.headers.get("content-length", "")
    end = offset + int(length) if length.isdigit() else None  # of this answer
    whole = _whole(part, response, end)
    _check_announced(entry, response, whole)
    if whole is not None:
        check_room(part.path.parent, whole - offset, entry.name)
    part.note(_validator(response) or part.validator, whole)
    limit = entry.size if not entry.headless else None
    for chunk in itertools.chain((first,), chunks):
        if http.ending:
            raise FetchError("interrupted", entry.name)
        part.write(chunk)
        progress(len(chunk))
        if limit is not None and part.size > limit:
            break
    if end is not None and part.size < end:
        raise AgainError("the connection ended early", entry.name, "try again")
    if whole is not None and part.size < whole:  # a server may send less than was asked for
        raise AgainError("the server sends only a part", entry.name, "try again")


def _whole(part: Part, response: httpx2.Response, end: int | None) -> int | None:
    """Tell how many bytes the whole file has: of a partial answer its range says it, or the first.

    Source: RFC 9110, 14.4 and 15.3.7.
    """
    if response.status_code != _PARTIAL:
        return end
    found = _RANGE.fullmatch(response.headers.get("content-range", ""))
    return int(found[3]) if found and found[3] != "*" else part.whole or part.entry.size or end


def _check_announced(entry: Entry, response: httpx2.Response, total: int | None) -> None:
    """Refuse an answer that cannot be told whole, or has another length than was announced."""
    coding = response.headers.get("content-encoding", "identity").strip().lower()
    if coding not in {"", "identity"} and not entry.digests:
        reason = f"the server sends it in {coding} unasked, this may not be the file"
        raise FetchError(reason, entry.name)
    if total is None:
        chunked = "chunked" in response.headers.get("transfer-encoding", "").lower()
        if not chunked and entry.size is None and not entry.digests:
            reason = "neither its size nor its end is announced, a cut would not be noticed"
            raise FetchError(reason, entry.name)
    elif entry.size is not None and total != entry.size:
        if entry.headless and total > entry.size:
            return
        reason = f"the server sends {total:,} bytes, it had announced {entry.size:,}"
        raise AgainError(reason, entry.name, "list the files again")


def _check_content(entry: Entry, first: bytes, response: httpx2.Response, http: Http) -> None:
    """Refuse an error or a login page that comes with status 200."""
    sent = response.headers.get("content-type", "").partition(";")[0].lower()
    if ("html" in sent or _HTML.match(first)) and not _may_be(entry, "html"):
        reason = "the server sends a web page instead of the file"
        raise FetchError(reason, entry.name, "is a login needed?")
    if _REFUSED.match(first) and not _may_be(entry, "json"):
        said = http.hide(message_of(first)) or "an error"
        raise FetchError(f"the server sends an error as if it were the file: {said}", entry.name)


def _may_be(entry: Entry, kind: str) -> bool:
    suffix = entry.name.lower().rpartition(".")[2]
    alike = {"html": ("html", "htm", "xhtml"), "json": ("json", "ipynb", "geojson", "prep")}
    return kind in entry.media_type.lower() or suffix in alike[kind]


def _validator(response: httpx2.Response) -> str:
    """Give what proves that a file has not changed: a strong ETag, else its date."""
    tag = str(response.headers.get("etag", ""))
    if tag and not tag.startswith("W/"):
        return tag
    return str(response.headers.get("last-modified", ""))
