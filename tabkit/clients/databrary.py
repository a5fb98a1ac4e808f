"""Databrary's secure interface: volumes, sessions, folders, files in two steps, archives.

Every request carries the personal user agent that Databrary gives to approved users; none is
shipped here. Source: the API access page; requests and answers as its own client has them.
"""

from __future__ import annotations

import json
import re
import threading
import time
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode, urljoin, urlsplit

from tabkit.clients.credentials import Credential
from tabkit.clients.model import Entry, Ref, Request, size_of
from tabkit.clients.origin import base_of, origin_of, plain
from tabkit.errors import AccessError, FetchError, PendingError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tabkit.clients.credentials import Secret
    from tabkit.clients.http import Http
    from tabkit.clients.model import Choice

NAME: Final = "databrary"
FORMS: Final[Sequence[str]] = ("original", "zip", "csv")
API: Final = "https://api.databrary.org"
_SITES: Final = frozenset(("databrary.org", "www.databrary.org", "nyu.databrary.org"))
_EARLY: Final = 30.0  # seconds before its end that a token is renewed
_PATH: Final = re.compile(
    r"/?volumes?/(?P<volume>\d+)(?:/(?P<kind>session|slot|folder)s?/(?P<part>\d+))?"
    r"(?:/files?/(?P<file>\d+))?/?(?:files/?)?"
)


def match(text: str, server: str) -> Ref | None:
    """Understand ``databrary:volume/1[/session/2|/folder/3][/file/4]`` or a page's address.

    ``databrary:volumes`` are all that the user may see.

    Raises:
        UsageError: It begins as such and goes on otherwise.
    """
    base = base_of(server) if server else API
    if text in {"databrary:volumes", "databrary:volumes/"}:
        return Ref(NAME, base, "volumes", "/volumes")
    if text.startswith("databrary:"):
        found = _PATH.fullmatch(text.removeprefix("databrary:"))
        if not found:
            forms = "databrary:volume/1/session/2 or databrary:volumes"
            msg = f"{text!r} names nothing; expected {forms}"
            raise UsageError(msg)
        return _ref(base, found)
    parts = urlsplit(text)
    if parts.hostname not in {*_SITES, urlsplit(API).hostname}:
        return None
    found = _PATH.fullmatch(parts.path)
    return _ref(base, found) if found else None


def _ref(server: str, found: re.Match[str]) -> Ref:
    path = f"/volumes/{found['volume']}"
    if found["part"]:
        kind = "folders" if found["kind"] == "folder" else "sessions"
        path += f"/{kind}/{found['part']}"
    return Ref(NAME, server, "file" if found["file"] else "files", path, found["file"] or "")


def entries(ref: Ref, http: Http, choice: Choice) -> Iterator[Entry]:
    """List the files of a session, a folder, or of all in a volume; of all volumes a record each.

    Raises:
        AccessError: Nobody is signed in; every request needs the personal user agent.
        FetchError: There is nothing of this number, or it may not be seen.
    """
    if not http.knows(ref.server):
        hint = f"tabkit login databrary --server {ref.server} asks for client id, secret and agent"
        raise AccessError("the secure interface answers approved users only", ref.server, hint)
    if ref.kind == "volumes":
        for row in _pages(ref, "/volumes/", http):
            yield _record(row)
        return
    if choice.form != "original":
        suffix = "zip" if choice.form == "zip" else "csv"
        name = f"databrary{ref.id.replace('/', '-')}.{suffix}"
        yield Entry(ref.id, name, archive=suffix == "zip", restricted=True)
        return
    for path, folder in _places(ref, http):
        for row in _pages(ref, f"{path}/files/", http):
            if ref.kind == "files" or str(row["id"]) == ref.version:
                yield _entry(row, path, folder)


def _record(row: Mapping[str, Any]) -> Entry:
    number, title = str(row["id"]), plain(str(row.get("title") or row.get("name") or ""))
    meta = {"record": f"/volumes/{number}/"}
    return Entry(number, f"volume-{number}.json", media_type="application/json", title=title,
                 meta=meta)  # fmt: skip


def _places(ref: Ref, http: Http) -> Iterator[tuple[str, str]]:
    """Give what holds files, with the folder that its files go to."""
    if ref.id.count("/") > 2:  # noqa: PLR2004 - a session or folder is named
        yield ref.id, ""
        return
    for kind in ("sessions", "folders"):
        for row in _pages(ref, f"{ref.id}/{kind}/", http):
            yield f"{ref.id}/{kind}/{row['id']}", f"{kind[:-1]}-{row['id']}"


def _pages(ref: Ref, path: str, http: Http) -> Iterator[Mapping[str, Any]]:
    """Follow the pages of a list, on this server only."""
    url: str | None = ref.server + path
    seen: set[str] = set()
    while url:
        if origin_of(url) != origin_of(ref.server) or url in seen:
            raise FetchError("the next page is on another server, or goes round", plain(path))
        seen.add(url)
        found = http.json(Request(url, named=ref.named))
        if isinstance(found, list):
            yield from found
            return
        rows = found.get("results") or ()
        yield from rows
        if not rows and found.get("next"):
            raise FetchError("a page of the list is empty and not the last", plain(path))
        url = urljoin(url, found["next"]) if found.get("next") else None


def _entry(row: Mapping[str, Any], path: str, folder: str) -> Entry:
    upload = (row.get("upload") or {}).get("status", "completed")
    kind = row.get("mimeType") or (row.get("format") or {}).get("mimetype") or ""
    return Entry(
        str(row["id"]),
        str(row.get("name") or row["id"]),
        folder,
        size=size_of(row.get("size")),
        digests={"sha1": str(row["sha1"])} if row.get("sha1") else {},
        media_type=str(kind),
        restricted=row.get("releaseLevel") != "public",
        reason="" if upload == "completed" else f"its upload is {plain(str(upload))}",
        meta={"path": f"{path}/files/{row['id']}/download-link/"},
    )


def locate(ref: Ref, entry: Entry, http: Http, choice: Choice) -> Request:
    """Ask for the address that a file has for a while; it may lie on any server.

    Raises:
        PendingError: An archive is still being made; Databrary sends the address when it is done.
    """
    if "record" in entry.meta:
        return Request(ref.server + str(entry.meta["record"]), named=ref.named)
    kind = "csv-download-link" if choice.form == "csv" else "download-link"
    path = str(entry.meta.get("path") or f"{ref.id}/{kind}/")
    found = http.json(Request(ref.server + path, named=ref.named), accept=(200, 202))
    address = found.get("downloadUrl") if isinstance(found, dict) else None
    if not address:
        task = plain(str(found.get("taskId", ""))) if isinstance(found, dict) else ""
        hint = "Databrary sends its address by mail; --format original fetches file by file"
        raise PendingError(f"the archive is being made (task {task})", entry.name, hint)
    url = urljoin(ref.server + path, str(address))
    return Request(url, named=False, temporary=True, inside=ref.server)


def sign_in(secret: Secret, http: Http) -> None:
    """Let ``http`` get a token when the first request needs one, and renew it."""
    token = _Token(secret, http)
    http.bind(Credential(secret.origin, token.headers, token.renew), secret.values())


class _Token:
    """An access token with its end, shared by threads."""

    def __init__(self, secret: Secret, http: Http) -> None:
        self._secret, self._http = secret, http
        self._lock = threading.Lock()
        self._access, self._refresh, self._end = "", "", 0.0

    def headers(self) -> dict[str, str]:
        """Give the headers of a request, with a token that is good for a while."""
        with self._lock:
            if time.monotonic() >= self._end:
                self._obtain()
            return {**self._agent(), "Authorization": f"Bearer {self._access}"}

    def renew(self, refused: Mapping[str, str]) -> None:
        """Get a new token after the server has refused one, unless another thread has done so."""
        with self._lock:
            if refused.get("Authorization") == f"Bearer {self._access}":
                self._obtain()

    def _agent(self) -> dict[str, str]:
        agent = self._secret.fields.get("user_agent", "")
        if not agent:
            raise AccessError(
                "needs the personal user agent", self._secret.origin, "tabkit login databrary"
            )
        return {"User-Agent": agent}

    def _obtain(self) -> None:
        """Refresh, or ask anew: for a user with a password, else for the application itself."""
        fields = self._secret.fields
        client = {k: fields[k] for k in ("client_id", "client_secret") if k in fields}
        grants: list[dict[str, str]] = []
        if self._refresh:
            grants.append({"grant_type": "refresh_token", "refresh_token": self._refresh})
        if "password" in fields:
            user = {"username": fields.get("username", ""), "password": fields["password"]}
            grants.append({"grant_type": "password", **user})
        else:
            grants.append({"grant_type": "client_credentials"})
        for number, grant in enumerate(grants, 1):
            try:
                self._take(self._ask({**grant, **client}))
            except AccessError:
                if number == len(grants):
                    raise
            else:
                return

    def _ask(self, form: Mapping[str, str]) -> Any:
        headers = {**self._agent(), "Content-Type": "application/x-www-form-urlencoded"}
        url = f"{self._secret.origin}/o/token/"
        body = urlencode(form).encode()
        try:
            return self._http.json(Request(url, "POST", headers, body, auth=False))
        except FetchError as error:
            if isinstance(error, AccessError) or "400" in error.reason:
                raise AccessError(f"no token: {error.reason}", error.what, error.hint) from None
            raise

    def _take(self, found: Any) -> None:
        try:
            self._access = str(found["access_token"])
        except (KeyError, TypeError):
            raise FetchError("the token endpoint gives no token", self._secret.origin) from None
        self._refresh = str(found.get("refresh_token") or self._refresh)
        life = float(json.loads(str(found.get("expires_in") or 3600)))
        self._end = time.monotonic() + max(life - _EARLY, 1.0)
        self._http.bind_secrets([self._access, self._refresh])
