"""GA4GH Data Repository Service 1.0 to 1.5: objects, bundles, access methods.

Source: https://ga4gh.github.io/data-repository-service-schemas/ and, where they differ from it,
what the 4DN portal answers.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, unquote, urlsplit

from tabkit.clients.ahead import answers
from tabkit.clients.digests import usable
from tabkit.clients.model import Entry, Ref, Request, size_of
from tabkit.clients.origin import base_of, plain
from tabkit.clients.retry import NotYetError
from tabkit.errors import AccessError, FetchError, PendingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tabkit.clients.http import Http
    from tabkit.clients.model import Choice

NAME: Final = "drs"
FORMS: Final[Sequence[str]] = ("original",)
_BASE: Final = "/ga4gh/drs/v1"
_OBJECTS: Final = f"{_BASE}/objects/"
_SERVICE: Final = f"{_BASE}/service-info"
_MOST: Final = 1_000_000  # objects of a bundle and the bundles within
_DEEPEST: Final = 32
#: Access methods in order of liking; those of other clouds count if they give an https address.
_METHODS: Final = ("https", "s3", "gs", "azure", "htsget", "http")


def match(text: str, server: str) -> Ref | None:
    """Understand ``drs://HOST/ID``, ``drs://PREFIX:ACCESSION`` or the address of an object.

    ``drs://HOST`` alone is the service itself, of which there is a description since 1.2.
    """
    base = base_of(server) if server else ""
    if text.startswith("drs://"):
        return _of_uri(text[len("drs://") :], base)
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or _BASE not in parts.path:
        return None
    if parts.path.endswith(_SERVICE):
        address = parts._replace(path=parts.path.removesuffix(_SERVICE), query="").geturl()
        return Ref(NAME, base or base_of(address), "service", "service-info")
    if _OBJECTS not in parts.path:
        return None
    prefix, _, rest = parts.path.partition(_OBJECTS)
    address = base or base_of(parts._replace(path=prefix, query="").geturl())
    return Ref(NAME, address, "object", unquote(re.sub(r"/access(/.*)?$", "", rest)))


def _of_uri(rest: str, base: str) -> Ref:
    """Tell the two forms apart: the first ``:`` before any ``/`` means a compact identifier."""
    host, _, path = rest.partition("/")
    if host in {"http:", "https:"}:
        msg = f"drs://{rest} holds another address; expected drs://HOST/ID, or --server URL with it"
        raise UsageError(msg)
    if ":" in host or re.fullmatch(r"[^/.]+/[^/]+:.+", rest):
        return Ref(NAME, base, "object" if base else "compact", rest if not base else unquote(rest))
    if not host:
        msg = f"drs://{rest} names no object; expected drs://HOST/ID"
        raise UsageError(msg)
    address = base or base_of(f"https://{host}")
    if not path:
        return Ref(NAME, address, "service", "service-info")
    if path.endswith("/@@drs"):  # the 4DN portal: the path itself is the object's address
        return Ref(NAME, address, "path", path)
    return Ref(NAME, address, "object", unquote(path.removeprefix(_OBJECTS.lstrip("/"))))


def entries(ref: Ref, http: Http, choice: Choice) -> Iterator[Entry]:
    """List an object, or everything in a bundle and the bundles within.

    Raises:
        FetchError: There is no such object, or it may not be seen.
        PendingError: The server is still preparing its answer.
    """
    del choice
    if ref.kind == "service":
        yield _service(ref, http)
        return
    found = _object(ref, http)
    yield from _walk(ref, found, http, folder="", above=(), counted=itertools.count())


def _service(ref: Ref, http: Http) -> Entry:
    """Describe the service: its name and version, and how much it has where it tells (1.5)."""
    url = ref.server + _SERVICE
    found = http.json(Request(url, named=ref.named))
    kind = (found.get("type") or {}) if isinstance(found, dict) else {}
    if kind.get("artifact") != "drs":
        raise FetchError("not the description of a DRS", plain(ref.server))
    count = (found.get("drs") or {}).get("objectCount")
    told = (f"DRS {kind.get('version', '')}", str(found.get("name", "")))
    title = ", ".join(filter(None, (*told, f"{count:,} objects" if count is not None else "")))
    method = {"type": "https", "access_url": {"url": url}}
    meta = {"ref": ref, "methods": [method]}
    return Entry("service-info", "service-info.json", media_type="application/json",
                 title=plain(title), meta=meta)  # fmt: skip


def _walk(
    ref: Ref,
    found: Mapping[str, Any],
    http: Http,
    *,
    folder: str,
    above: tuple[str, ...],
    counted: Iterator[int],
) -> Iterator[Entry]:
    if next(counted) >= _MOST:
        raise FetchError(f"has more than {_MOST:,} members", plain(ref.id))
    contents = found.get("contents") or ()
    if not contents:
        yield _entry(ref, found, folder)
        return
    own = str(found.get("id", ""))
    if (own and own in above) or len(above) >= _DEEPEST:
        raise FetchError("this bundle contains itself, or is too deep", plain(own))
    inner = f"{folder}/{_name(found)}" if folder else _name(found)
    for where, child in answers(lambda each: _member(ref, each, http), contents, http):
        yield from _walk(where, child, http, folder=inner, above=(*above, own), counted=counted)


def _member(ref: Ref, content: Mapping[str, Any], http: Http) -> tuple[Ref, Mapping[str, Any]]:
    """Ask for a member of a bundle, unless the bundle tells all of it."""
    if content.get("contents"):
        return ref, content
    where = _content_ref(ref, content)
    found = _object(where, http)
    name = str(content.get("name", ""))
    return where, {**found, "name": name} if name else found  # as the bundle calls it


def _content_ref(ref: Ref, content: Mapping[str, Any]) -> Ref:
    """Find the object of a bundle's member: here by id, or by its address elsewhere."""
    if identifier := content.get("id"):
        return dataclasses.replace(ref, kind="object", id=str(identifier))
    for uri in content.get("drs_uri") or ():
        found = match(str(uri), "")
        if found is not None and found.server:
            same = found.server == base_of(ref.server)
            return dataclasses.replace(found, named=ref.named and same)
    raise FetchError("a member of this bundle has no id", plain(str(content.get("name", ""))))


def _entry(ref: Ref, found: Mapping[str, Any], folder: str) -> Entry:
    sums = {str(c.get("type", "")): str(c.get("checksum", "")) for c in found["checksums"]}
    return Entry(
        str(found.get("id") or ref.id),
        _name(found),
        folder,
        size=size_of(found.get("size")),
        digests=usable(sums),
        media_type=str(found.get("mime_type") or ""),
        meta={"ref": ref, "methods": list(found.get("access_methods") or ())},
    )


def locate(ref: Ref, entry: Entry, http: Http, choice: Choice) -> Request:
    """Say where the bytes are now, by the first access method that leads to http.

    Raises:
        FetchError: No access method does.
    """
    del ref, choice
    where: Ref = entry.meta["ref"]
    methods = sorted(
        (m for m in entry.meta["methods"] if m.get("type") in _METHODS),
        key=lambda m: _METHODS.index(m["type"]),
    )
    for method in methods:
        access = method.get("access_url") or {}
        if not str(access.get("url", "")).startswith(("https://", "http://")):
            if not method.get("access_id"):
                continue
            access = _access(where, str(method["access_id"]), http)
        if _usable_here(where, str(access.get("url", ""))):
            return Request(
                str(access["url"]),
                headers=_headers(access.get("headers") or ()),
                named=False,
                temporary=True,
                inside=where.server,
            )
    kinds = ", ".join(sorted({str(m.get("type")) for m in entry.meta["methods"]})) or "none"
    raise FetchError(f"none of its access methods leads to https ({plain(kinds)})", entry.name)


def _usable_here(ref: Ref, url: str) -> bool:
    """Take https, and http only from a server that is spoken to by http itself."""
    return url.startswith("https://") or (
        url.startswith("http://") and ref.server.startswith("http://")
    )


def _headers(lines: Sequence[str] | Mapping[str, str]) -> dict[str, str]:
    """Read the headers that a server wants to see at the address it gave, and only there."""
    if isinstance(lines, dict):
        return {str(k): str(v) for k, v in lines.items()}
    pairs = (str(line).partition(":") for line in lines)
    return {key.strip(): value.strip() for key, _, value in pairs if key.strip()}


def _access(ref: Ref, access_id: str, http: Http) -> Mapping[str, Any]:
    found = _ask(ref, f"{_address(ref)}/access/{quote(access_id, safe='')}", http)
    return found if isinstance(found, dict) else {}


def _object(ref: Ref, http: Http) -> Mapping[str, Any]:
    try:
        found = _ask(ref, _address(ref), http)
    except AccessError as error:
        raise AccessError(error.reason, error.what, _wanted(ref, http) or error.hint) from error
    if not isinstance(found, dict) or not (found.get("checksums") or found.get("contents")):
        raise FetchError("not a DRS object: it has neither checksums nor contents", plain(ref.id))
    return found


def _ask(ref: Ref, url: str, http: Http) -> Any:
    """GET, or POST where the credential is a passport; 202 means to ask again.

    Raises:
        PendingError: It was asked again several times, as the server wished, and is not ready.
    """
    asked = Request(url, named=ref.named)
    if passports := http.passports(url):
        body = json.dumps({"passports": list(passports)}).encode()
        headers = {"Content-Type": "application/json"}
        asked = dataclasses.replace(asked, method="POST", headers=headers, body=body)
    try:
        return http.json(asked)
    except NotYetError as error:
        hint = "--wait SECONDS asks again until then"
        raise PendingError(error.reason, error.what, hint) from error


def _wanted(ref: Ref, http: Http) -> str:
    """Ask which kinds of authorisation an object takes (since 1.3), for the message."""
    try:
        found = http.json(Request(_address(ref), "OPTIONS", named=ref.named), accept=(200, 204))
    except FetchError:
        return ""
    kinds = found.get("supported_types") if isinstance(found, dict) else None
    if not isinstance(kinds, list):
        return ""
    return f"it takes {plain(', '.join(map(str, kinds)))}; tabkit login drs --server {ref.server}"


def _address(ref: Ref) -> str:
    if ref.kind == "path":
        return f"{ref.server}/{quote(ref.id, safe='/@')}"
    return f"{ref.server}{_OBJECTS}{quote(ref.id, safe='')}"


def _name(found: Mapping[str, Any]) -> str:
    """Name an object; without a name after the file that its address ends in, or its id."""
    if found.get("name"):
        return str(found["name"])
    for method in found.get("access_methods") or ():
        path = urlsplit(str((method.get("access_url") or {}).get("url", ""))).path
        last = unquote(path.rpartition("/")[2])
        if "." in last and "@@" not in last:
            return last
    return str(found.get("drs_id") or found.get("id", "object")).strip("/").rpartition("/")[2]
