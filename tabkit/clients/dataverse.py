"""Dataverse: datasets and files by number or persistent identifier, in every form it serves.

Source: the Data Access and Native API guides; what servers really do is noted where it matters.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from tabkit.clients.digests import algorithm_of
from tabkit.clients.model import Entry, Ref, Request
from tabkit.clients.origin import base_of
from tabkit.errors import FetchError, UsageError, VariableNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tabkit.clients.http import Http
    from tabkit.clients.model import Choice

NAME: Final = "dataverse"
#: Forms that `locate` knows; the first ones exist for tabular files only.
TABULAR: Final = ("tab", "RData", "prep", "subset", "ddi", "preprocessed", "bundle")
FORMS: Final[Sequence[str]] = ("original", *TABULAR, "thumbnail", "zip", "zip-tab")
_PAGE: Final = 1000
_NOT_FOUND: Final = 404
_PID: Final = re.compile(r"(doi:|hdl:|https?://(?:dx\.)?doi\.org/|https?://hdl\.handle\.net/)(.+)")
_PATHS: Final = re.compile(
    r"(?P<base>.*?)/(?:api(?:/v1)?/+access/(?P<access>datafile|dataset)(?:/bundle)?"
    r"|api(?:/v1)?/+(?P<native>datasets|files)"
    r"|(?P<page>dataset\.xhtml|file\.xhtml|citation))(?P<rest>(?:/.*)?)"
)
_SUFFIXES: Final = {
    "tab": ".tab",
    "RData": ".RData",
    "prep": "-prep.json",
    "preprocessed": "-prep.json",
    "subset": "-subset.tab",
    "ddi": "-ddi.xml",
    "bundle": "-bundle.zip",
    "thumbnail": "-thumbnail.png",
}
_TYPES: Final = {
    "prep": "application/json",
    "preprocessed": "application/json",
    "ddi": "application/xml",
    "thumbnail": "image/png",
    "bundle": "application/zip",
}


def match(text: str, server: str) -> Ref | None:
    """Understand a DOI, a Handle, an address of a Dataverse page or interface, or a number.

    Raises:
        UsageError: The address holds a token, which would stay in the shell's history.
    """
    base = base_of(server) if server else ""
    if pid := _PID.fullmatch(text):
        kind = "hdl" if pid[1].startswith("hdl:") or "handle" in pid[1] else "doi"
        return Ref(NAME, base, "pid", f"{kind}:{pid[2]}")
    if re.fullmatch(r"10\.\d{4,}/\S+", text):
        return Ref(NAME, base, "pid", f"doi:{text}")
    if found := re.fullmatch(r"dataverse:(file|dataset)/(\d+)", text):
        return Ref(NAME, base, found[1], found[2])
    parts = urlsplit(text)
    found = _PATHS.fullmatch(parts.path) if parts.scheme in {"http", "https"} else None
    if not found:
        return None
    query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
    if "key" in query:
        msg = "the address holds a token (key=…): take it out, and store it with tabkit login"
        raise UsageError(msg)
    address = base or base_of(parts._replace(path=found["base"], query="").geturl())
    if "token" in query and "until" in query:
        return Ref(NAME, address, "signed", text)
    return _of_address(address, found, query)


def _of_address(address: str, found: re.Match[str], query: Mapping[str, str]) -> Ref | None:
    version = {"DRAFT": ":draft"}.get(query.get("version", ""), query.get("version", ""))
    rest = [part for part in (found["rest"] or "").split("/") if part]
    if "versions" in rest[:-1]:
        version = rest[rest.index("versions") + 1]
    pid = query.get("persistentId", "")
    one_file = found["access"] == "datafile" or found["native"] == "files"
    one_file = one_file or found["page"] == "file.xhtml"
    kind = "file" if one_file else "dataset"
    if pid:
        return Ref(NAME, address, f"{kind}-pid", pid, version)
    number = query.get("fileId") or (rest[-1] if one_file and rest else rest[0] if rest else "")
    return Ref(NAME, address, kind, number, version) if number.isdigit() else None


def entries(ref: Ref, http: Http, choice: Choice) -> Iterator[Entry]:
    """List the files of a dataset version, or the one file, in the chosen form.

    Raises:
        FetchError: There is no such dataset or file, or it may not be seen.
    """
    if ref.kind == "signed":
        name = PurePosixPath(urlsplit(ref.id).path).name
        yield Entry(ref.id, f"datafile-{name}")
        return
    files = list(_files(ref, http))
    if choice.form in {"zip", "zip-tab"}:
        yield _zip_entry(ref, files)
        return
    for each in files:
        found = entry_of(each, choice)
        if found.reason and len(files) > 1:
            continue  # of a whole dataset, what exists in this form
        yield found


def _files(ref: Ref, http: Http) -> Iterator[Mapping[str, Any]]:
    if ref.kind in {"file", "file-pid"}:
        yield _one_file(ref, http)
        return
    try:
        yield from _listing(ref, http)
    except FetchError as error:
        if ref.kind != "pid" or f"answers {_NOT_FOUND}" not in error.reason:
            raise
        yield _one_file(dataclasses.replace(ref, kind="file-pid"), http)


def _one_file(ref: Ref, http: Http) -> Mapping[str, Any]:
    answer = http.json(_request(ref, f"/api/files/{_id(ref)}", _pid(ref)))
    found: Mapping[str, Any] = data_of(answer)
    return found


def _listing(ref: Ref, http: Http) -> Iterator[Mapping[str, Any]]:
    """Page through the files; servers before 5.14 ignore the page and give all at once."""
    version = ref.version or (":latest" if http.knows(ref.server) else ":latest-published")
    path = f"/api/datasets/{_id(ref)}/versions/{quote(version, safe=':')}/files"
    seen: set[int] = set()
    while True:
        page = {**_pid(ref), "limit": str(_PAGE), "offset": str(len(seen))}
        found = [f for f in data_of(http.json(_request(ref, path, page))) if _number(f) not in seen]
        yield from found
        seen.update(_number(each) for each in found)
        if len(found) != _PAGE:
            return


def entry_of(file: Mapping[str, Any], choice: Choice) -> Entry:
    """Turn a file as the interface lists it into an entry of the chosen form."""
    data = file["dataFile"]
    label = str(file.get("label") or data.get("filename") or data["id"])
    media = str(data.get("contentType", ""))
    tabular = bool(data.get("tabularData") or data.get("originalFileFormat"))
    common: dict[str, Any] = {
        "id": str(data["id"]),
        "folder": str(file.get("directoryLabel") or ""),
        "restricted": bool(file.get("restricted")),
        "meta": {"tabular": tabular, "original": str(data.get("originalFileFormat") or "")},
    }
    form = choice.form
    if form in TABULAR[1:] and not tabular:
        return Entry(name=label, reason=f"is not tabular, it has no {form}", **common)
    if form == "thumbnail" and not (media.startswith("image/") or media == "application/pdf"):
        return Entry(name=label, reason="is no image or PDF", **common)
    if form in _SUFFIXES and not (form == "tab" and not tabular):
        name = f"{_stem(label)}{_SUFFIXES[form]}"
        if form != "tab":
            kind = _TYPES.get(form, "")
            return Entry(name=name, media_type=kind, archive=form == "bundle", **common)
        digests, size = _digests(data), data.get("filesize")
        return Entry(
            name=name,
            size=size,
            digests=digests,
            media_type=media,
            headless=choice.header,
            **common,
        )
    if tabular:
        name = str(data.get("originalFileName") or _original_name(label, data))
        kind = str(data.get("originalFileFormat") or "")
        return Entry(name=name, size=data.get("originalFileSize"), media_type=kind, **common)
    return Entry(
        name=label, size=data.get("filesize"), digests=_digests(data), media_type=media, **common
    )


def locate(ref: Ref, entry: Entry, http: Http, choice: Choice) -> Request:
    """Say how to fetch one file in the chosen form.

    Raises:
        VariableNotFoundError: A selected variable is not in the file.
        UsageError: A subset is wanted and no variable named.
    """
    if ref.kind == "signed":
        return Request(ref.id, auth=False, named=ref.named)
    if choice.form in {"zip", "zip-tab"}:
        return _zip_request(ref, entry, choice)
    path, query = _address(entry, choice)
    if choice.form == "subset":
        wanted = _variable_ids(ref, entry, http, choice.select)
        query = {"format": "subset", "variables": ",".join(wanted)}
    if choice.answers:
        return _answered(ref, path, query, http, choice)
    return _request(ref, path, query)


def _address(entry: Entry, choice: Choice) -> tuple[str, dict[str, str]]:
    """Give path and query of one file in a form."""
    path = f"/api/access/datafile/{entry.id}"
    match choice.form:
        case "original" if entry.meta.get("tabular"):
            return path, {"format": "original"}
        case "tab" if entry.meta.get("tabular") and not choice.header:
            return path, {"noVarHeader": "true"}
        case "RData" | "prep":
            return path, {"format": choice.form}
        case "thumbnail":
            return path, {"imageThumb": str(choice.size)}
        case "bundle":
            return f"/api/access/datafile/bundle/{entry.id}", {}
        case "ddi":
            return f"{path}/metadata/ddi", {}
        case "preprocessed":
            return f"{path}/metadata/preprocessed", {}
    return path, {}


def _answered(ref: Ref, path: str, query: Mapping[str, str], http: Http, choice: Choice) -> Request:
    """Give the guestbook its answers; the server gives an address that is good for a minute."""
    body = json.dumps({"guestbookResponse": dict(choice.answers)}).encode()
    asked = dataclasses.replace(
        _request(ref, path, query),
        method="POST",
        body=body,
        headers={"Content-Type": "application/json"},
    )
    url = data_of(http.json(asked))["signedUrl"]
    return Request(str(url), auth=False, named=False, temporary=True, inside=ref.server)


def _variable_ids(ref: Ref, entry: Entry, http: Http, select: tuple[str, ...]) -> list[str]:
    """Find the numbers of variables by name, or take them as `v123` or `123`.

    An unknown number would be ignored by the server, and no known one give the whole file.
    """
    from lxml import etree

    if not select:
        msg = "a subset needs --select NAME,…"
        raise UsageError(msg)
    with http.open(_request(ref, f"/api/access/datafile/{entry.id}/metadata/ddi", {})) as answer:
        text = answer.read()
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
    try:
        root = etree.fromstring(text, parser)
    except etree.XMLSyntaxError as error:
        raise FetchError(f"its codebook is not XML: {error}", entry.name) from error
    numbers = {
        str(var.get("name")): str(var.get("ID")).removeprefix("v")
        for var in root.iterfind(".//{*}var")
    }
    known = set(numbers.values())
    wanted = [numbers.get(each) or each.removeprefix("v") for each in select]
    for name, number in zip(select, wanted, strict=True):
        if number not in known:
            raise VariableNotFoundError(name, list(numbers))
    return wanted


def _zip_entry(ref: Ref, files: list[Mapping[str, Any]]) -> Entry:
    name = re.sub(r"[^\w.-]+", "-", ref.id).strip("-").lower() or "files"
    numbers = ",".join(str(_number(each)) for each in files)
    restricted = any(each.get("restricted") for each in files)
    return Entry(
        numbers, f"{name}.zip", media_type="application/zip", restricted=restricted, archive=True
    )


def _zip_request(ref: Ref, entry: Entry, choice: Choice) -> Request:
    """Ask for many files at once; GET packs what may be had, POST all or nothing."""
    query = {"format": "original"} if choice.form == "zip" else {}
    path = f"/api/access/datafiles/{entry.id}"
    if len(path) < 1500:  # noqa: PLR2004 - addresses longer than 2,000 characters fail somewhere
        return _request(ref, path, query)
    asked = _request(ref, "/api/access/datafiles", query)
    headers = {"Content-Type": "text/plain"}
    return dataclasses.replace(asked, method="POST", headers=headers, body=entry.id.encode())


def data_of(answer: Any) -> Any:
    """Take the data out of an answer's envelope.

    Raises:
        FetchError: There is none, or it says ERROR though the status was 200.
    """
    if not isinstance(answer, dict) or answer.get("status") != "OK" or "data" not in answer:
        said = answer.get("message", "") if isinstance(answer, dict) else ""
        raise FetchError(f"not an answer of a Dataverse: {said or type(answer).__name__}")
    return answer["data"]


def _request(ref: Ref, path: str, query: Mapping[str, str]) -> Request:
    text = f"?{urlencode(query, safe=':/,')}" if query else ""
    return Request(f"{ref.server}{path}{text}", named=ref.named)


def _id(ref: Ref) -> str:
    return ":persistentId" if "pid" in ref.kind else quote(ref.id)


def _pid(ref: Ref) -> dict[str, str]:
    return {"persistentId": ref.id} if "pid" in ref.kind else {}


def _number(file: Mapping[str, Any]) -> int:
    return int(file["dataFile"]["id"])


def _digests(data: Mapping[str, Any]) -> dict[str, str]:
    checksum = data.get("checksum") or {"type": "MD5", "value": data.get("md5")}
    name, value = algorithm_of(str(checksum.get("type", ""))), checksum.get("value")
    return {name: str(value)} if name and value else {}


def _stem(label: str) -> str:
    return label.rpartition(".")[0] or label


def _original_name(label: str, data: Mapping[str, Any]) -> str:
    """Name an original whose name the server does not tell after its format."""
    kinds = {"spss-sav": ".sav", "spss-por": ".por", "stata": ".dta", "csv": ".csv"}
    kinds |= {"rlang": ".RData", "spreadsheetml": ".xlsx", "tab-separated": ".tsv"}
    media = str(data.get("originalFileFormat", ""))
    return _stem(label) + next((end for part, end in kinds.items() if part in media), "")
