"""The 4DN portal: files, whatever lists files, searches and their metadata table.

Source: the portal's programmatic access page and the sources of its server, snovault and fourfront.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from tabkit.clients.ahead import answers
from tabkit.clients.model import Entry, Ref, Request
from tabkit.clients.origin import base_of, plain
from tabkit.errors import FetchError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tabkit.clients.http import Http
    from tabkit.clients.model import Choice

NAME: Final = "4dn"
FORMS: Final[Sequence[str]] = ("original", "metadata")
PORTAL: Final = "https://data.4dnucleome.org"
_ACCESSION: Final = re.compile(r"4DN[A-Z]{2}[A-Z0-9]{7}")
_PAGE: Final = 100
_FOUND: Final = (200, 404)  # an empty search is 404 with an empty @graph


def match(text: str, server: str) -> Ref | None:
    """Understand an accession, ``4dn:PATH``, or an address of the portal."""
    base = base_of(server) if server else PORTAL
    if _ACCESSION.fullmatch(text):
        return Ref(NAME, base, "item", text)
    if text.startswith("4dn:"):
        return _of_path(base, text.removeprefix("4dn:"))
    parts = urlsplit(text)
    here = parts.hostname == urlsplit(PORTAL).hostname or "@@download" in parts.path
    if parts.scheme not in {"http", "https"} or not here:
        return None
    address = base_of(server or parts._replace(path="", query="").geturl())
    return _of_path(address, f"{parts.path}?{parts.query}" if parts.query else parts.path)


def _of_path(server: str, path: str) -> Ref:
    path = path.strip("/").partition("@@download")[0].strip("/")
    if path.startswith(("search", "browse", "metadata")):
        return Ref(NAME, server, "search", path.partition("?")[2])
    return Ref(NAME, server, "item", path)


def entries(ref: Ref, http: Http, choice: Choice) -> Iterator[Entry]:
    """List the files of an item or of a search.

    Raises:
        FetchError: There is no such item, or it may not be seen.
    """
    if choice.form == "metadata":
        if ref.kind != "search":
            raise FetchError("the metadata table is of a search", plain(ref.id), "4dn:search/?…")
        yield Entry("metadata", "metadata.tsv", media_type="text/tab-separated-values")
        return
    items = _search(ref, http) if ref.kind == "search" else iter([_item(ref, http)])
    files = (file for item in items for file in _files(item))
    seen: set[str] = set()
    for file in answers(lambda each: _whole(ref, each, http), files, http):
        found = _entry(file)
        if found.id not in seen:
            seen.add(found.id)
            yield found


def _whole(ref: Ref, file: Mapping[str, Any], http: Http) -> Mapping[str, Any]:
    """Ask for a file of which a list says too little to check it."""
    if "md5sum" in file and "file_size" in file:
        return file
    return {**_item(ref, http, str(file["@id"])), "href": file["href"]}


def _item(ref: Ref, http: Http, path: str = "") -> Mapping[str, Any]:
    address = f"{ref.server}/{quote((path or ref.id).strip('/'), safe='/')}/"
    found = http.json(Request(address, named=ref.named))
    if not isinstance(found, dict):
        raise FetchError("not an item of the portal", plain(ref.id))
    return found


def _search(ref: Ref, http: Http) -> Iterator[Mapping[str, Any]]:
    """Page through a search."""
    asked = [(k, v) for k, v in parse_qsl(ref.id) if k not in {"limit", "from", "format"}]
    start = 0
    while True:
        page = urlencode([*asked, ("limit", _PAGE), ("from", start)])
        found = http.json(Request(f"{ref.server}/search/?{page}", named=ref.named), _FOUND)
        graph = found.get("@graph") if isinstance(found, dict) else None
        yield from graph or ()
        start += len(graph or ())
        if not graph or start >= int(found.get("total", 0)):
            return


def _files(found: Any, depth: int = 0) -> Iterator[dict[str, Any]]:
    """Find every file in an item: itself, or those that its properties list."""
    if depth > 12:  # noqa: PLR2004
        return
    if isinstance(found, dict):
        if "/@@download" in str(found.get("href", "")):
            yield found
        for key, value in found.items():
            if not key.startswith("@"):
                yield from _files(value, depth + 1)
    elif isinstance(found, list):
        for each in found:
            yield from _files(each, depth + 1)


def _entry(file: Mapping[str, Any]) -> Entry:
    href = str(file["href"])
    name = unquote(href.rpartition("@@download")[2].strip("/"))
    status = str(file.get("status", ""))
    return Entry(
        str(file.get("accession") or file.get("uuid") or href),
        name or str(file.get("accession", "file")),
        size=file.get("file_size"),
        digests={"md5": str(file["md5sum"])} if file.get("md5sum") else {},
        restricted=status == "restricted",
        meta={"href": href},
    )


def locate(ref: Ref, entry: Entry, http: Http, choice: Choice) -> Request:
    """Say how to fetch a file: by its stable address, which leads to the store, range and all."""
    del http
    if choice.form == "metadata":
        return Request(f"{ref.server}/metadata/?{ref.id}", named=ref.named)
    return Request(f"{ref.server}/{str(entry.meta['href']).lstrip('/')}", named=ref.named)
