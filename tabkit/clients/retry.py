"""What is tried again, how long it waits, and what a refusal means."""

from __future__ import annotations

import datetime
import email.utils
import json
from typing import TYPE_CHECKING, Any, Final

from tabkit.clients.origin import plain, shown
from tabkit.errors import AccessError, FetchError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    import stamina

TRIES: Final = 6  # fruitless ones; whatever brings bytes does not count
_LONGEST: Final = 300.0  # seconds that a server may ask to wait
_TRANSIENT: Final = frozenset((408, 425, 429, 500, 502, 503, 504))


class AgainError(FetchError):
    """It failed for now: a dropped connection, a busy server, a short or damaged answer.

    ``wait`` is how many seconds the server asked for; `Http` keeps all its threads to it.
    """

    def __init__(self, reason: str, what: str = "", hint: str = "", wait: float = 0.0) -> None:
        super().__init__(reason, what, hint)
        self.wait = wait


class NotYetError(AgainError):
    """The server has taken the question and is still working on the answer (status 202)."""


def tries(fruitless: Callable[[], bool] = lambda: True) -> Iterator[stamina.Attempt]:
    """Give attempts, each later than the one before, as long as failures pass.

    Args:
        fruitless: Whether the failed try brought nothing; if it did, the caller starts anew.
    """
    import stamina

    def hook(error: Exception) -> bool:
        return isinstance(error, AgainError) and fruitless()

    return iter(
        stamina.retry_context(
            on=hook, attempts=TRIES, timeout=None, wait_initial=0.2, wait_max=5, wait_jitter=0.5
        )
    )


def retry_after(headers: Mapping[str, str]) -> float:
    """Read seconds or a date; 0 if there is none.

    Source: RFC 9110, 10.2.3.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:6]), _LONGEST)
    try:
        when = email.utils.parsedate_to_datetime(text)
    except (TypeError, ValueError, OverflowError):
        return 0.0
    when = when if when.tzinfo else when.replace(tzinfo=datetime.UTC)
    left = (when - datetime.datetime.now(datetime.UTC)).total_seconds()
    return min(max(left, 0.0), _LONGEST)


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, url: str, login: str
) -> FetchError:
    """Turn an answer that is no success into the error that says what to do.

    Args:
        status: Its status code.
        headers: Its headers.
        body: Its body, or the beginning of it.
        url: The address that it came from.
        login: The command that stores a credential, empty if one was sent.
    """
    said = message_of(body)
    text = f"the server answers {status}" + (f": {said}" if said else "")
    where = shown(url)
    if status in _TRANSIENT:
        return AgainError(text, where, "try again later", wait=retry_after(headers))
    if status == 202:  # noqa: PLR2004
        wait = retry_after(headers) or 1.0
        reason = "the server is still preparing it"
        return NotYetError(reason, where, "try again later", wait=wait)
    if status in {401, 403}:
        hint = "the credential was not accepted or does not suffice; tabkit login replaces it"
        if login:
            hint = f"{login} stores a credential"
        return AccessError(text, where, hint)
    return FetchError(text, where)


def message_of(body: bytes) -> str:
    """Find what an error says: `message`, `msg`, `error.message`, `detail` or `description`."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    return plain(_text(found), 300)


def _text(found: Any, depth: int = 0) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, dict) and depth < 3:  # noqa: PLR2004
        keys = ("message", "msg", "error", "detail", "description", "error_description", "data")
        return next((t for t in (_text(found.get(k), depth + 1) for k in keys) if t), "")
    return ""
