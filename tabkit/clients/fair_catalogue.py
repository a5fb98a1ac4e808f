"""The catalogue of FAIR Data Services: its datasets listed or searched, one record of each.

Source: the example programs of its makers, `fair-api-datasets-list.py` and `fair-api-search.py`;
https://github.com/aridhia/fair-api-beta-utilities
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urlencode

from tabkit.clients.model import Entry, Request
from tabkit.clients.origin import plain
from tabkit.errors import FetchError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from tabkit.clients.http import Http
    from tabkit.clients.model import Choice, Ref

#: Names under which an instance may describe how many entries of a list are left out first.
_MOST: Final = 100_000  # datasets of an instance
_OFFSETS: Final = ("offset", "skip", "start")


def records(
    ref: Ref, http: Http, choice: Choice, described: Callable[[], Mapping[str, Any]]
) -> Iterator[Entry]:
    """List the datasets of an instance, or those that a search finds: a JSON record of each.

    Args:
        ref: The instance, with the words of the search if it is one.
        http: Sends the requests.
        choice: Only the original form is there.
        described: Gives the paths of the instance's own OpenAPI description.

    Raises:
        FetchError: There are more than the server gives, and it describes no way to the others.
        UsageError: Another form is wanted, of which only a dataset has.
    """
    if choice.form != "original" or choice.select:
        msg = "a catalogue holds records only; name a dataset, as fair:HOST/dataset/CODE"
        raise UsageError(msg)
    seen: set[str] = set()
    for row in _found(ref, http) if ref.kind == "search" else _all(ref, http, described, seen):
        code = str(row["code"])
        if code in seen:
            continue
        seen.add(code)
        title = str(row.get("catalogue__title") or row.get("name") or "")
        yield Entry(
            code,
            f"{code}.json",
            media_type="application/json",
            title=plain(title),
            meta={"kind": "record", "code": code},
        )


def record(ref: Ref, entry: Entry) -> Request:
    """Say where the record of a dataset is: its catalogue entry and its dictionaries."""
    return Request(f"{ref.server}/datasets/{quote(entry.id, safe='')}/", named=ref.named)


def _found(ref: Ref, http: Http) -> Iterator[Mapping[str, Any]]:
    query = urlencode({"index": "fair-index", "query": ref.id})
    found = http.json(Request(f"{ref.server}/search/search?{query}", named=ref.named))
    yield from found["items"]
    done = len(found["items"])
    total = int((found.get("paging") or {}).get("total", done))
    if done < total:
        reason = f"the search gives {done:,} of {total:,} datasets"
        raise FetchError(reason, ref.server, "search for more words")


def _all(
    ref: Ref, http: Http, described: Callable[[], Mapping[str, Any]], seen: set[str]
) -> Iterator[Mapping[str, Any]]:
    """Page through the datasets; how to is not published, so the instance is asked.

    Args:
        ref: The instance.
        http: Sends the requests.
        described: Gives the paths of the instance's own OpenAPI description.
        seen: The codes of what was given, which the one who takes them keeps.
    """
    done, offset = 0, ""
    while True:
        page = f"?{offset}={done}" if offset else ""
        found = http.json(Request(f"{ref.server}/datasets/{page}", named=ref.named))
        new = [row for row in found["items"] if str(row["code"]) not in seen]
        yield from new
        done += len(new)
        if done > _MOST:
            raise FetchError(f"lists more than {_MOST:,} datasets", ref.server)
        total = int((found.get("paging") or {}).get("total", done))
        if done >= total:
            return
        offset = offset or _offset(described())
        if not offset or not new:
            reason = f"lists {done:,} of {total:,} datasets, and describes no way to the others"
            raise FetchError(reason, ref.server, "fair:HOST/search/WORDS finds some of them")


def _offset(paths: Mapping[str, Any]) -> str:
    """Find the parameter that leaves out the first datasets of the list."""
    for path, verbs in paths.items():
        if path.strip("/").removeprefix("api/") == "datasets":
            names = {str(each.get("name")) for each in verbs["get"].get("parameters") or ()}
            return next((name for name in _OFFSETS if name in names), "")
    return ""
