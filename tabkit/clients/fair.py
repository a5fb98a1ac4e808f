"""Aridhia FAIR Data Services: selections from datasets, their dictionaries, their attachments.

Paths that are not published are taken from the instance's own OpenAPI description when needed.
Source: the product's API pages and the example programs of its makers.
"""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote, urljoin, urlsplit

from tabkit.clients.fair_catalogue import record, records
from tabkit.clients.model import Entry, Ref, Request, size_of
from tabkit.clients.origin import base_of, origin_of, plain
from tabkit.errors import FetchError, UsageError, VariableNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tabkit.clients.http import Http
    from tabkit.clients.model import Choice

NAME: Final = "fair"
#: original: selections, dictionaries and attachments; the others one kind of them each.
FORMS: Final[Sequence[str]] = ("original", "data", "dictionary", "attachments")
_HEADINGS: Final = ("name", "label", "type", "value labels", "missing", "note")
_DOCUMENTS: Final = ("docs/", "docs/openapi.json", "docs/swagger.json", "openapi.json")
_FILES: Final = re.compile(r".*/files/datasets/\{[^}]+\}/(attachments|datafiles)/?")
_NAME: Final = re.compile(
    r"fair:(?:(?P<host>.+?)/)??(?:datasets?/(?P<dataset>[^/]+)/?"
    r"|dictionar(?:y|ies)/(?P<dictionary>[^/]+)/?|search/(?P<search>.+)|datasets/?)"
)


def match(text: str, server: str) -> Ref | None:
    """Understand ``fair:HOST/dataset/CODE``, ``…/dictionary/CODE``, ``…/datasets``, ``…/search/…``.

    With a server given apart, ``HOST/`` is left out.

    Raises:
        UsageError: It begins as such and goes on otherwise.
    """
    parts = urlsplit(text)
    if parts.scheme in {"http", "https"}:
        found = re.fullmatch(r"(?P<base>.*/api)/datasets/(?P<code>[^/]+)/?", parts.path)
        if not found or found["code"].isdigit():
            return None
        address = parts._replace(path=found["base"], query="").geturl()
        return Ref(NAME, _base(server or address), "dataset", found["code"])
    if not text.startswith("fair:"):
        return None
    found = _NAME.fullmatch(text)
    if not found or not (server or found["host"]):
        forms = "fair:HOST/dataset/CODE, …/dictionary/CODE, …/datasets or …/search/WORDS"
        msg = f"{text!r} names nothing; expected {forms}"
        raise UsageError(msg)
    base = _base(server or found["host"])
    for kind in ("dataset", "dictionary", "search"):
        if found[kind]:
            return Ref(NAME, base, kind, found[kind])
    return Ref(NAME, base, "catalogue", "")


def _base(address: str) -> str:
    base = base_of(address)
    return base if urlsplit(base).path.endswith("/api") else f"{base}/api"


def entries(ref: Ref, http: Http, choice: Choice) -> Iterator[Entry]:
    """List what a dataset has: a selection and a dictionary for each table, and attachments.

    Of a catalogue or a search the records of its datasets; of a dictionary that alone.

    Raises:
        FetchError: There is no such dataset, or it may not be seen.
    """
    if ref.kind in {"catalogue", "search"}:
        yield from records(ref, http, choice, lambda: _paths(ref, http))
        return
    if ref.kind == "dictionary":
        address = f"{ref.server}/dictionaries/{quote(ref.id, safe='')}"
        yield _dictionary(http.json(Request(address, named=ref.named)))
        return
    found = http.json(Request(f"{ref.server}/datasets/{quote(ref.id, safe='')}/", named=ref.named))
    if not isinstance(found, dict):
        raise FetchError("not a dataset of FAIR Data Services", plain(ref.id))
    tables = [each for each in found.get("dictionaries") or () if isinstance(each, dict)]
    chosen = _chosen(tables, choice.select)
    for table in tables:
        code = str(table.get("code") or table.get("name"))
        meta: dict[str, Any] = {"kind": "data", "code": code, "fields": chosen.get(code, ())}
        if choice.form in {"original", "data"} and meta["fields"]:
            yield Entry(f"data/{code}", f"{code}.csv", media_type="text/csv", meta=meta)
        if choice.form in {"original", "dictionary"}:
            yield _dictionary(table)
    if choice.form in {"original", "attachments"}:
        yield from _attachments(ref, http, needed=choice.form == "attachments")


def _dictionary(table: Mapping[str, Any]) -> Entry:
    code, content = str(table.get("code") or table["name"]), dictionary_csv(table).encode()
    meta = {"kind": "dictionary", "content": content}
    name = f"{code}-dictionary.csv"
    return Entry(f"dictionary/{code}", name, size=len(content), media_type="text/csv", meta=meta)


def _chosen(
    tables: Sequence[Mapping[str, Any]], select: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """Give the fields of each table that are wanted: all, or those selected, in their order."""
    names = {
        str(t.get("code") or t.get("name")): [str(f["name"]) for f in t.get("fields") or ()]
        for t in tables
    }
    everything = [name for each in names.values() for name in each]
    for name in select:
        if name not in everything:
            raise VariableNotFoundError(name, everything)
    if not select:
        return {code: tuple(each) for code, each in names.items()}
    return {code: tuple(n for n in select if n in each) for code, each in names.items()}


def dictionary_csv(table: Mapping[str, Any]) -> str:
    """Write a dictionary as the CSV that ``--codebook`` takes when its data are ingested.

    Columns: name, label, type, value labels (JSON, codes to labels), missing, note.
    """
    lookups = table.get("lookups") or {}
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(_HEADINGS)
    for field in table.get("fields") or ():
        codes = _codes(field.get("constraints"), lookups)
        labels = json.dumps(codes, ensure_ascii=False) if codes else ""
        described = str(field.get("description") or "")
        label = str(field.get("label") or described or "")
        row = (field["name"], label, field.get("type") or "", labels, "", described)
        writer.writerow([" ".join(str(cell).split()) for cell in row])
    return target.getvalue()


def _codes(constraint: Any, lookups: Mapping[str, Any]) -> dict[str, str]:
    """Find the codes of a field: its constraint names a lookup, or is one."""
    rows = lookups.get(constraint) if isinstance(constraint, str) else constraint
    if isinstance(rows, dict):
        rows = lookups.get(str(rows.get("lookup"))) or rows.get("values")
    if not isinstance(rows, list):
        return {}
    pairs = (
        (str(r.get("name", r.get("code"))), str(r.get("description") or r.get("name") or ""))
        if isinstance(r, dict)
        else (str(r), str(r))
        for r in rows
    )
    return dict(pairs)


def _attachments(ref: Ref, http: Http, *, needed: bool) -> Iterator[Entry]:
    """List the files of a dataset by the paths that the instance describes, if it has any."""
    described = _described(ref, http)
    if not described and needed:
        reason = "this instance describes no way to list attachments"
        raise FetchError(reason, ref.server, "see its page api/docs")
    for template in described:
        path = re.sub(r"\{[^}]+\}", quote(ref.id, safe=""), template).rstrip("/")
        found = http.json(Request(f"{ref.server}{path}/", named=ref.named))
        rows = found.get("items", ()) if isinstance(found, dict) else found or ()
        for row in rows:
            yield _attachment(row, f"{ref.server}{path}")


def _attachment(row: Mapping[str, Any], address: str) -> Entry:
    identifier = str(row.get("id") or row.get("uuid") or row.get("name"))
    own = row.get("url") or row.get("downloadUrl") or row.get("download_url")
    url = urljoin(address + "/", str(own)) if own else f"{address}/{quote(identifier, safe='')}"
    size = size_of(row.get("size") or row.get("length"))
    sums = {n: str(row[n]) for n in ("md5", "sha1", "sha256", "sha512") if row.get(n)}
    name = str(row.get("name") or row.get("filename") or identifier)
    meta = {"kind": "attachment", "url": url, "named": not own}
    kind = str(row.get("contentType") or row.get("mime_type") or "")
    return Entry(identifier, name, "attachments", size, sums, kind, meta=meta)


def _described(ref: Ref, http: Http) -> list[str]:
    """Find the paths of files in the instance's OpenAPI description."""
    paths = _paths(ref, http)
    ours = [p for p, verbs in paths.items() if _FILES.fullmatch("/" + p) and "get" in verbs]
    return [f"/{p.lstrip('/').removeprefix('api/')}" for p in sorted(ours)]


def _paths(ref: Ref, http: Http) -> Mapping[str, Any]:
    """Read the instance's OpenAPI description; empty if it has none where it is known to be."""
    for place in _DOCUMENTS:
        try:
            found = http.json(Request(f"{ref.server}/{place}", named=ref.named))
        except FetchError:
            continue
        paths = found.get("paths") if isinstance(found, dict) else None
        if isinstance(paths, dict):
            return paths
    return {}


def locate(ref: Ref, entry: Entry, http: Http, choice: Choice) -> Request:
    """Say how to fetch an entry; selections come as JSON and are written as CSV here.

    Raises:
        FetchError: The selection fails, or its answer is not a table.
    """
    del choice
    if entry.meta["kind"] == "dictionary":
        return Request(ref.server, content=entry.meta["content"])
    if entry.meta["kind"] == "record":
        return record(ref, entry)
    if entry.meta["kind"] == "attachment":
        url = str(entry.meta["url"])
        here = origin_of(url) == origin_of(ref.server)
        return Request(url, named=ref.named and here, temporary=not here, inside=ref.server)
    return Request(ref.server, content=_selection(ref, entry, http))


def _selection(ref: Ref, entry: Entry, http: Http) -> bytes:
    code, fields = str(entry.meta["code"]), entry.meta["fields"]
    for name in (ref.id, code, *fields):
        if not re.fullmatch(r"[A-Za-z_]\w*", name):
            raise FetchError("its name cannot stand in a query", plain(name))
    query = f"{{ {ref.id} {{ {code} {{ {' '.join(fields)} }} }} }}"
    asked = Request(
        f"{ref.server}/selection/select",
        "POST",
        {"Content-Type": "application/json"},
        json.dumps({"query": query}).encode(),
        named=ref.named,
    )
    rows = _rows(http.json(asked), code)
    if rows is None:
        raise FetchError("the answer to the selection holds no table", entry.name)
    target = io.StringIO()
    writer = csv.writer(target, lineterminator="\n")
    writer.writerow(fields)
    writer.writerows([_cell(row.get(name)) for name in fields] for row in rows)
    return target.getvalue().encode()


def _rows(found: Any, code: str) -> list[dict[str, Any]] | None:
    """Find the rows: ``{"data": [{TABLE: [{…}, …]}]}``, under the table's name or the only one."""
    data = found.get("data") if isinstance(found, dict) else None
    if isinstance(found, dict) and found.get("errors"):
        raise FetchError(f"the selection fails: {plain(json.dumps(found['errors']))}", code)
    while data is not None:
        if isinstance(data, list) and all(isinstance(each, dict) for each in data):
            nested = [each for each in data if len(each) == 1 and isinstance(_only(each), list)]
            if not nested:
                return data
            data = nested[0].get(code) or _only(nested[0])
        elif isinstance(data, dict) and (code in data or len(data) == 1):
            data = data[code] if code in data else _only(data)
        else:
            return None
    return None


def _only(found: Mapping[str, Any]) -> Any:
    return next(iter(found.values()))


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
