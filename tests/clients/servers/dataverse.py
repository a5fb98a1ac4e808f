"""A Dataverse as its guides describe it: datasets, files in every form, access requests.

Source: the Data Access and Native API guides; statuses, texts and oddities as the real server has
them (no ETag, MD5 of a table without its header row, 404 for an empty list of requests).
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import re
import zipfile
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request

FORBIDDEN = (
    "Not authorized to access this object via this API endpoint. Please check your code for "
    "typos, or consult our API guide at http://guides.dataverse.org."
)
PID = "doi:10.5072/FK2/J8SJZB"


@dataclasses.dataclass
class File:
    """A file of the dataset; ``header`` and ``original`` make it a tabular one."""

    id: int
    label: str
    body: bytes
    folder: str = ""
    media_type: str = "application/octet-stream"
    header: bytes = b""
    original: bytes = b""
    original_name: str = ""
    original_type: str = "application/x-spss-sav"
    restricted: bool = False
    guestbook: bool = False

    def json(self) -> dict[str, Any]:
        """As the native interface lists it."""
        md5 = hashlib.md5(self.body).hexdigest()
        data: dict[str, Any] = {
            "id": self.id,
            "persistentId": f"{PID}/F{self.id}",
            "filename": self.label,
            "contentType": self.media_type,
            "filesize": len(self.body),
            "md5": md5,
            "checksum": {"type": "MD5", "value": md5},
        }
        if self.header:
            data |= {"tabularData": True, "originalFileFormat": self.original_type}
            data |= {"originalFileSize": len(self.original), "originalFileName": self.original_name}
        listed = {"label": self.label, "restricted": self.restricted, "dataFile": data}
        return listed | ({"directoryLabel": self.folder} if self.folder else {})


@dataclasses.dataclass
class Dataverse:
    """What the server has; ``users`` by API token, ``bearers`` by bearer token."""

    files: list[File]
    users: dict[str, str] = dataclasses.field(default_factory=dict)
    managers: set[str] = dataclasses.field(default_factory=set)
    bearers: dict[str, str] = dataclasses.field(default_factory=dict)
    granted: set[tuple[int, str]] = dataclasses.field(default_factory=set)
    requests: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    allows: bool = True
    new_envelope: bool = False
    paging: bool = True
    zip_limit: int = 100 << 20
    store: str = ""
    answered: list[Any] = dataclasses.field(default_factory=list)

    def app(self) -> Starlette:
        """The application."""
        access, any_file = "/access", "/access/datafile/{id}"
        routes = [
            Route("/", lambda _: Response("ok")),
            Route("/api/info/version", lambda _: self.ok({"version": "6.11"})),
            Route("/api/datasets/{id}/versions/{version}/files", self.listing),
            Route("/api/files/{id}", self.one),
            Route(f"/api{access}/datafile/bundle/{{id}}", self.bundle),
            Route(f"/api{access}/datafiles/{{ids}}", self.zipped),
            Route(f"/api{access}/datafiles", self.zipped, methods=["POST"]),
            Route(f"/api{any_file}", self.datafile, methods=["GET", "POST"]),
            Route(f"/api{any_file}/metadata/ddi", self.ddi),
            Route(f"/api{any_file}/metadata/preprocessed", self.preprocessed),
            Route(f"/api{any_file}/requestAccess", self.request_access, methods=["PUT"]),
            Route(f"/api{any_file}/listRequests", self.list_requests),
            Route(f"/api{any_file}/{{what}}/{{who}}", self.decide, methods=["PUT", "DELETE"]),
            Route(f"/api{access}/{{id}}/allowAccessRequest", self.allow, methods=["PUT"]),
        ]
        inner = Starlette(routes=routes)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            path = re.sub(r"//+", "/", scope["path"]).replace("/api/v1/", "/api/")
            path = path.rstrip("/") or "/"
            await inner({**scope, "path": path, "raw_path": path.encode()}, receive, send)

        return app  # type: ignore[return-value]

    def ok(self, data: Any, status: int = 200) -> Response:
        """Success."""
        return JSONResponse({"status": "OK", "data": data}, status)

    def say(self, text: str) -> Response:
        """A message, in the old envelope or the new."""
        if self.new_envelope:
            return JSONResponse({"status": "OK", "data": {}, "message": text})
        return self.ok({"message": text})

    def no(self, status: int, text: str) -> Response:
        """Failure."""
        return JSONResponse({"status": "ERROR", "code": status, "message": text}, status)

    def user(self, request: Request) -> str | Response:
        """Who asks: empty for a guest, an answer for a bad credential."""
        key = request.headers.get("x-dataverse-key") or request.query_params.get("key")
        if key:
            return self.users.get(key) or self.no(401, "Bad API key")
        if "until" in request.query_params:
            good = request.query_params.get("token") == "signed-secret"
            return "@signed" if good else self.no(401, "Bad signed URL")
        scheme, _, bearer = request.headers.get("authorization", "").partition(" ")
        if scheme == "Bearer":
            return self.bearers.get(bearer) or self.no(401, "Unauthorized bearer token")
        return ""

    def file(self, request: Request) -> File | None:
        """The file of the path or of ``persistentId``."""
        name = request.path_params["id"]
        if name == ":persistentId":
            name = request.query_params.get("persistentId", "").rpartition("/F")[2]
        return next((f for f in self.files if str(f.id) == name), None)

    def may(self, file: File, user: str) -> bool:
        """Whether the user may download the file."""
        return not file.restricted or user in self.managers or (file.id, user) in self.granted

    async def listing(self, request: Request) -> Response:
        """Files of the one dataset, page by page."""
        user = self.user(request)
        if isinstance(user, Response):
            return user
        name = request.path_params["id"]
        if name == ":persistentId":
            name = request.query_params.get("persistentId")
        if name not in {PID, "42"}:
            return self.no(404, f"Dataset with Persistent ID {name} not found.")
        query = request.query_params
        first = int(query.get("offset", 0)) if self.paging else 0
        last = first + int(query.get("limit", 10**9)) if self.paging else None
        rows = [file.json() for file in self.files[first:last]]
        return JSONResponse({"status": "OK", "totalCount": len(self.files), "data": rows})

    async def one(self, request: Request) -> Response:
        """One file's description."""
        user = self.user(request)
        if isinstance(user, Response):
            return user
        file = self.file(request)
        return self.ok(file.json()) if file else self.no(404, "File not found")

    async def datafile(self, request: Request) -> Response:
        """The bytes, in the form asked for."""
        user, file = self.user(request), self.file(request)
        if isinstance(user, Response):
            return user
        if file is None:
            return self.no(404, f"Datafile {request.path_params['id']}: not found")
        if not (self.may(file, user) or user == "@signed"):
            return self.no(403, FORBIDDEN)
        if request.method == "POST":
            self.answered.append(json.loads(await request.body()))
            url = f"{request.url}{'&' if request.url.query else '?'}until=2099&user=x&method=GET"
            return self.ok({"signedUrl": f"{url}&token=signed-secret"})
        if file.guestbook and user != "@signed":
            text = "You may not download this file without the required Guestbook response"
            return self.no(400, text)
        form = request.query_params.get("format", "")
        if self.store and form == "original":
            return RedirectResponse(f"{self.store}/store/{file.id}?X-Amz-Signature=sig", 303)
        return self._form(request, file, form)

    def _form(self, request: Request, file: File, form: str) -> Response:
        query = request.query_params
        if "imageThumb" in query:
            return Response(b"\x89PNG" + query["imageThumb"].encode(), media_type="image/png")
        if not file.header:
            return ranged(request, file.body, file.media_type)
        if form == "original":
            return ranged(request, file.original, file.original_type)
        if form == "RData":
            return Response(b"RDX3\n" + file.body, media_type="application/x-rlang-transport")
        if form == "prep":
            return JSONResponse({"dataset": {"private": False}})
        if form == "subset":
            return self._subset(file, query["variables"])
        if query.get("noVarHeader", "").lower() in {"1", "true"}:
            return ranged(request, file.body, file.media_type)
        return ranged(request, file.header + file.body, file.media_type)

    def _subset(self, file: File, wanted: str) -> Response:
        """Columns by number; unknown ones are skipped, none at all gives the whole file."""
        names = file.header.rstrip(b"\n").split(b"\t")
        known = {str(100 + i): i for i in range(len(names))}
        columns = [
            known[w.removeprefix("v")] for w in wanted.split(",") if w.removeprefix("v") in known
        ]
        rows = [names, *(line.split(b"\t") for line in file.body.splitlines())]
        lines = [b"\t".join(row[c] for c in columns or range(len(names))) for row in rows]
        return Response(b"\n".join(lines) + b"\n", media_type="text/tab-separated-values")

    async def ddi(self, request: Request) -> Response:
        """The codebook of a tabular file."""
        file = self.file(request)
        user = self.user(request)
        if isinstance(user, Response):
            return user
        if file is None or not file.header or not self.may(file, user):
            return self.no(400, "This type of metadata is only available for tabular files.")
        names = file.header.decode().rstrip("\n").split("\t")
        rows = "".join(f'<var ID="v{100 + i}" name="{n}"/>' for i, n in enumerate(names))
        text = f'<codeBook xmlns="http://www.icpsr.umich.edu/DDI"><dataDscr>{rows}</dataDscr></codeBook>'
        return Response(text, media_type="application/xml")

    async def preprocessed(self, _: Request) -> Response:
        """As the guide has it."""
        return JSONResponse({"variables": {}})

    async def bundle(self, request: Request) -> Response:
        """All forms of a tabular file."""
        file, user = self.file(request), self.user(request)
        if isinstance(user, Response) or file is None or not self.may(file, user):
            return user if isinstance(user, Response) else self.no(403, FORBIDDEN)
        stem = file.label.rpartition(".")[0]
        members = {file.label: file.header + file.body, file.original_name: file.original}
        members |= {f"{stem}-ddi.xml": b"<codeBook/>", f"{stem}citation-ris.ris": b"TY  - DATA"}
        return Response(zip_of(members), media_type="application/zip")

    async def zipped(self, request: Request) -> Response:
        """Many files and what is missing, told by MANIFEST.TXT only."""
        user = self.user(request)
        if isinstance(user, Response):
            return user
        text = request.path_params.get("ids") or (await request.body()).decode()
        numbers = [int(n) for n in text.removeprefix("fileIds=").split(",")]
        found = [next((f for f in self.files if f.id == n), None) for n in numbers]
        if None in found:
            return self.no(404, "unknown id")
        files = [f for f in found if f is not None]
        if request.method == "POST" and not all(self.may(f, user) for f in files):
            return self.no(403, FORBIDDEN)
        return self._zip(request, files, user)

    def _zip(self, request: Request, files: list[File], user: str) -> Response:
        members: dict[str, bytes] = {}
        lines = []
        for file in files:
            original = request.query_params.get("format") == "original" and file.header
            name = file.original_name if original else file.label
            body = file.original if original else file.header + file.body
            if not self.may(file, user):
                lines.append(f"{file.label} IS RESTRICTED AND CANNOT BE DOWNLOADED")
            elif sum(map(len, members.values())) + len(body) >= self.zip_limit:
                lines.append(
                    f"{file.label} ({file.media_type})  skipped because the total size of the "
                    f"download bundle exceeded the limit of {self.zip_limit} bytes."
                )
            else:
                members[f"{file.folder}/{name}" if file.folder else name] = body
                lines.append(f"{name} ({file.media_type}) {len(body)} bytes.")
        if not members:
            return self.no(403, FORBIDDEN)
        members["MANIFEST.TXT"] = "\r\n".join([*lines, ""]).encode()
        return Response(zip_of(members), media_type="application/zip")

    async def request_access(self, request: Request) -> Response:
        """CREATED, unless there is no reason to."""
        user, file = self.user(request), self.file(request)
        if isinstance(user, Response):
            return user
        if file is None:
            return self.no(400, f"Could not find datafile with id {request.path_params['id']}.")
        if not self.allows:
            return self.no(400, "Requests for access are not accepted on the Dataset.")
        if not user:
            return self.no(400, "Could not find user to execute command: guest")
        if self.may(file, user):
            text = "You may not request access to this file. It may already be available to you."
            return self.no(400, text)
        if any(r["file"] == file.id and r["identifier"] == user for r in self.requests):
            return self.no(400, "An access request for this file on your behalf already exists.")
        self.requests.append({"file": file.id, "identifier": user, "requestState": "created"})
        return self.say(f"Access to File {file.label} requested.")

    async def list_requests(self, request: Request) -> Response:
        """Open ones; 404 where there are none."""
        user, file = self.user(request), self.file(request)
        if isinstance(user, Response) or file is None:
            return user if isinstance(user, Response) else self.no(400, "Could not find datafile")
        if not user:
            return self.no(401, "Only authenticated users can perform the requested operation")
        if user not in self.managers:
            text = "Requestor does not have permission to manage file download requests."
            return self.no(403, text)
        history = request.query_params.get("includeHistory") == "true"
        rows = [
            {"id": 1, "displayName": r["identifier"][1:], **r}
            for r in self.requests
            if r["file"] == file.id and (history or r["requestState"] == "created")
        ]
        if not rows:
            return self.no(404, f"There are no access requests for this file: {file.label}.")
        return self.ok(rows)

    async def decide(self, request: Request) -> Response:
        """Grant, reject, revoke."""
        user, file = self.user(request), self.file(request)
        what, who = request.path_params["what"], request.path_params["who"]
        if isinstance(user, Response) or file is None:
            return user if isinstance(user, Response) else self.no(400, "Could not find datafile")
        if user not in self.managers:
            return self.no(400, f"Problem trying {what} on {file.label} : no permission")
        if who not in self.users.values():
            return self.no(400, f"Could not find assignee with identifier {who}.")
        if what == "revokeAccess":
            if (file.id, who) not in self.granted:
                return self.no(400, f"No File Downloader role found for user {who}")
            self.granted.discard((file.id, who))
            text = f"File Downloader access has been revoked for user {who} on file {file.label}"
            return self.say(text)
        mine = [r for r in self.requests if r["file"] == file.id and r["identifier"] == who]
        if what == "rejectAccess" and not mine:
            return self.no(400, f"No request for access to file {file.label} for user {who}")
        state = {"grantAccess": "granted", "rejectAccess": "rejected"}[what]
        for each in mine:
            each["requestState"] = state
        if state == "granted":
            self.granted.add((file.id, who))
        return self.say(f"Access to File {file.label} {state}.")

    async def allow(self, request: Request) -> Response:
        """Anything but ``true`` disallows."""
        user = self.user(request)
        if isinstance(user, Response) or user not in self.managers:
            return user if isinstance(user, Response) else self.no(403, FORBIDDEN)
        self.allows = (await request.body()) == b"true"
        verb = "allows" if self.allows else "disallows"
        return self.say(f"Dataset Survey {verb} file access requests.")


def ranged(request: Request, body: bytes, media_type: str) -> Response:
    """One range or all; no ETag, no date."""
    found = re.fullmatch(r"bytes=(\d+)-", request.headers.get("range", ""))
    if not found:
        return Response(body, media_type=media_type)
    start = int(found[1])
    if start >= len(body):
        text = "Error due to Range header: Start is larger than end or size of file."
        return JSONResponse({"status": "ERROR", "message": text}, 416)
    headers = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"}
    return Response(body[start:], 206, headers, media_type)


def zip_of(members: dict[str, bytes]) -> bytes:
    """A zip with these members in this order."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in members.items():
            archive.writestr(name, body)
    return buffer.getvalue()
