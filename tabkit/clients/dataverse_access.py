"""Access to restricted Dataverse files: asked for, granted, rejected, revoked, listed, allowed.

Each gives the server's own sentence, from old answers (`data.message`) and new ones (`message`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tabkit.clients.dataverse import data_of
from tabkit.clients.model import Request
from tabkit.errors import FetchError, UsageError

if TYPE_CHECKING:
    from tabkit.clients.http import Http
    from tabkit.clients.model import Ref


def request_access(ref: Ref, http: Http) -> str:
    """Ask for access to a restricted file."""
    return _say(ref, http, "PUT", "requestAccess")


def grant_access(ref: Ref, http: Http, user: str) -> str:
    """Let ``user`` (``@name``) download a file."""
    return _say(ref, http, "PUT", f"grantAccess/{_user(user)}")


def reject_access(ref: Ref, http: Http, user: str) -> str:
    """Turn down the request of ``user``."""
    return _say(ref, http, "PUT", f"rejectAccess/{_user(user)}")


def revoke_access(ref: Ref, http: Http, user: str) -> str:
    """Take access to a file from ``user``."""
    return _say(ref, http, "DELETE", f"revokeAccess/{_user(user)}")


def allow_requests(ref: Ref, http: Http, *, allow: bool) -> str:
    """Let users ask for access to the files of a dataset, or not."""
    number, query = _named(ref)
    url = f"{ref.server}/api/access/{number}/allowAccessRequest{query}"
    body = b"true" if allow else b"false"
    return _message(http.json(Request(url, "PUT", body=body, named=ref.named)))


def list_requests(ref: Ref, http: Http, *, history: bool = False) -> list[dict[str, Any]]:
    """List who asked for access; with ``history`` also those decided upon."""
    number, query = _named(ref)
    if history:
        query += ("&" if query else "?") + "includeHistory=true"
    url = f"{ref.server}/api/access/datafile/{number}/listRequests{query}"
    try:
        found: list[dict[str, Any]] = data_of(http.json(Request(url, named=ref.named)))
    except FetchError as error:
        # The real server answers 404 where the list is empty.
        if "There are no access requests" in error.reason:
            return []
        raise
    return found


def _say(ref: Ref, http: Http, method: str, what: str) -> str:
    number, query = _named(ref)
    url = f"{ref.server}/api/access/datafile/{number}/{what}{query}"
    return _message(http.json(Request(url, method, named=ref.named)))


def _named(ref: Ref) -> tuple[str, str]:
    if "pid" in ref.kind:
        return ":persistentId", f"?{urlencode({'persistentId': ref.id}, safe=':/')}"
    return quote(ref.id), ""


def _message(answer: Any) -> str:
    data = data_of(answer)
    inner = data.get("message") if isinstance(data, dict) else data
    return str(inner or answer.get("message", ""))


def _user(name: str) -> str:
    if not name.startswith("@"):
        msg = f"a user is written with @, as @{name}"
        raise UsageError(msg)
    return quote(name, safe="@")
