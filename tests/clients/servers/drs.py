"""A Data Repository Service, versions 1.0 to 1.5, and the 4DN portal with its own form of it.

Source: the GA4GH DRS specification; the portal's programmatic access page and its sources.
"""

from __future__ import annotations

import base64
import dataclasses
import hashlib
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.clients.servers.dataverse import ranged

if TYPE_CHECKING:
    from starlette.requests import Request


@dataclasses.dataclass
class Drs:
    """What the service has.

    Attributes:
        blobs: Bytes by id.
        bundles: Members by id; a member is an id, or an address elsewhere.
        auth: ``""``, ``bearer``, ``basic`` or ``passport``; the secret is ``secret``.
        delays: How many more times it answers 202.
        slow_access: Whether those are answers about where the bytes are, not about objects.
        version: Of the interface, told by service-info (since 1.2).
        by_id: Whether access methods carry an id instead of an address.
    """

    blobs: dict[str, bytes]
    bundles: dict[str, list[str]] = dataclasses.field(default_factory=dict)
    auth: str = ""
    secret: str = "drs-secret"
    delays: int = 0
    slow_access: bool = False
    version: str = "1.5.0"
    by_id: bool = False
    headers: list[str] = dataclasses.field(default_factory=list)
    kind: str = "https"
    store: str = ""

    def app(self) -> Starlette:
        """The application."""
        base = "/ga4gh/drs/v1/objects"
        service = [Route("/ga4gh/drs/v1/service-info", self.service)] if self.version else []
        both = ["GET", "POST"]
        return Starlette(
            routes=[
                *service,
                Route(f"{base}/{{id:path}}/access/{{access:path}}", self.access, methods=both),
                Route(f"{base}/{{id:path}}", self.options, methods=["OPTIONS"]),
                Route(f"{base}/{{id:path}}", self.object, methods=both),
                Route("/bytes/{id:path}", self.bytes),
            ]
        )

    async def allowed(self, request: Request) -> bool:
        """Whether a request proves who it is from."""
        sent = request.headers.get("authorization", "")
        if self.auth == "passport":
            body = await request.json() if request.method == "POST" else {}
            return self.secret in body.get("passports", [])
        pair = base64.b64encode(f"user:{self.secret}".encode()).decode()
        return {
            "": True,
            "bearer": sent == f"Bearer {self.secret}",
            "basic": sent == f"Basic {pair}",
        }[self.auth]

    def no(self, status: int, text: str, **headers: str) -> Response:
        """An error as the specification has it."""
        return JSONResponse({"msg": text, "status_code": status}, status, headers)

    def later(self) -> Response:
        """Not yet."""
        self.delays -= 1
        return Response(status_code=202, headers={"Retry-After": "0"})

    async def service(self, _: Request) -> Response:
        """What the service is; 1.5 tells of its size."""
        kind = {"group": "org.ga4gh", "artifact": "drs", "version": self.version}
        found = {"id": "org.example.drs", "name": "Example store", "type": kind, "version": "3.1",
                 "organization": {"name": "Example", "url": "https://example.org"}}  # fmt: skip
        if self.version == "1.5.0":
            extent = {"maxBulkRequestLength": 1000, "objectCount": 1234, "totalObjectSize": 10**9}
            found |= {"maxBulkRequestLength": 1000, "drs": extent}
        return JSONResponse(found)

    async def object(self, request: Request) -> Response:
        """An object."""
        if not await self.allowed(request):
            return self.no(403, "The requester is not authorized to perform this action.")
        if self.delays and not self.slow_access:
            return self.later()
        name = request.path_params["id"]
        common = {"id": name, "self_uri": f"drs://{request.url.hostname}/{name}",
                  "created_time": "2026-01-01T00:00:00Z", "version": "1"}  # fmt: skip
        if name in self.bundles:
            contents = [
                {"name": f"m{i}", "drs_uri": [m]}
                if "://" in m
                else {"name": m.split("/")[-1], "id": m}
                for i, m in enumerate(self.bundles[name])
            ]
            sums = [{"type": "md5", "checksum": "0" * 32}]
            return JSONResponse(
                {**common, "name": name, "size": 0, "checksums": sums, "contents": contents}
            )
        if name not in self.blobs:
            return self.no(404, "The requested DrsObject wasn't found.")
        body = self.blobs[name]
        sums = [
            {"type": "sha-256", "checksum": hashlib.sha256(body).hexdigest()},
            {"type": "trunc512", "checksum": "abc"},
        ]
        method: dict[str, Any] = {"type": self.kind}
        if self.by_id:
            method["access_id"] = "way/1"
        else:
            method["access_url"] = {"url": self._url(request, name), "headers": self.headers}
        methods = [{"type": "file", "access_url": {"url": "file:///etc/passwd"}}, method]
        return JSONResponse(
            {**common, "size": len(body), "checksums": sums, "access_methods": methods}
        )

    def _url(self, request: Request, name: str) -> str:
        return f"{self.store or str(request.base_url).rstrip('/')}/bytes/{name}"

    async def access(self, request: Request) -> Response:
        """Where the bytes are."""
        if not await self.allowed(request):
            return self.no(401, "The request is unauthorized.")
        if self.delays:
            return self.later()
        if request.path_params["access"] != "way/1":
            return self.no(404, "The requested access id wasn't found.")
        url = self._url(request, request.path_params["id"])
        return JSONResponse({"url": url, "headers": self.headers})

    async def options(self, _: Request) -> Response:
        """What authorisation an object takes (since 1.3)."""
        kinds = {"bearer": "BearerAuth", "basic": "BasicAuth", "passport": "PassportAuth"}
        return JSONResponse({"supported_types": [kinds.get(self.auth, "None")]})

    async def bytes(self, request: Request) -> Response:
        """The bytes, for those who have the header that the service told."""
        for line in self.headers:
            key, _, value = line.partition(": ")
            if request.headers.get(key) != value:
                return self.no(403, "header missing")
        return ranged(request, self.blobs[request.path_params["id"]], "application/octet-stream")


@dataclasses.dataclass
class Portal:
    """The 4DN portal: files by accession; a login is needed for the bytes, even of public ones."""

    files: dict[str, bytes]
    key: str = "ABCDEFGH"
    secret: str = "abcdefghijklmnop"
    store: str = ""
    seed_form: bool = True

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/search/", self.search),
                Route("/metadata/", self.metadata),
                Route("/ga4gh/drs/v1/objects/{id}", self.drs),
                Route("/ga4gh/drs/v1/objects/{id}/access/{access}", self.access),
                Route("/files-processed/{id}/@@drs", self.drs),
                Route("/files-processed/{id}/@@download/{name}", self.download),
                Route("/{id}/@@download", self.download),
                Route("/store/{id}", self.bytes),
                Route("/health", lambda _: JSONResponse({"status": "ok"})),
                Route("/files-processed/{id}/", self.item),
                Route("/{id}/", self.item),
                Route("/{id}", self.item),
                Route("/files-processed/{id}", self.item),
            ]
        )

    def item_of(self, name: str, *, full: bool = True) -> dict[str, Any]:
        """A file's metadata."""
        body = self.files[name]
        found: dict[str, Any] = {
            "@id": f"/files-processed/{name}/",
            "@type": ["FileProcessed", "File", "Item"],
            "accession": name,
            "uuid": f"uuid-{name}",
            "status": "released",
            "href": f"/files-processed/{name}/@@download/{name}.bed.gz",
        }
        if full:
            found |= {"md5sum": hashlib.md5(body).hexdigest(), "file_size": len(body)}
        return found

    async def item(self, request: Request) -> Response:
        """A file, or a set that lists files."""
        name = request.path_params["id"]
        if name == "4DNESSETSET1":
            listed = [self.item_of(each, full=False) for each in self.files]
            return JSONResponse({"@id": "/sets/1/", "@type": ["Item"], "processed_files": listed})
        name = name.removeprefix("uuid-")
        if name not in self.files:
            text = {"@type": ["HTTPNotFound", "Error"], "status": "error", "code": 404}
            return JSONResponse({**text, "description": "The resource could not be found."}, 404)
        return JSONResponse(self.item_of(name))

    async def search(self, request: Request) -> Response:
        """A page of results; none is 404."""
        query = request.query_params
        names = sorted(self.files) if query.get("type") == "File" else []
        start = int(query.get("from", 0))
        page = names[start : start + int(query.get("limit", 25))]
        rows = [self.item_of(each) for each in page]
        return JSONResponse({"@graph": rows, "total": len(names)}, 200 if page else 404)

    async def metadata(self, _: Request) -> Response:
        """The table of a search."""
        rows = [f"{name}\thttps://x/{name}" for name in self.files]
        return PlainTextResponse("\n".join(["File\tURL", *rows, ""]))

    async def drs(self, request: Request) -> Response:
        """Both forms: as the page shows it, and as the server's sources have it now."""
        name = request.path_params["id"]
        if name not in self.files:
            return JSONResponse({"status": "error", "code": 404}, 404)
        body, host = self.files[name], str(request.base_url).rstrip("/")
        md5 = hashlib.md5(body).hexdigest()
        common: dict[str, Any] = {
            "created_time": "2022-02-25T20:40:38+00:00",
            "size": len(body),
            "version": md5,
            "checksums": [{"checksum": md5, "type": "md5"}],
            "aliases": [f"uuid-{name}"],
        }
        url = f"{host}/{name}/@@download"
        if self.seed_form:
            methods = [{"access_url": {"url": url}, "type": kind} for kind in ("https", "http")]
            own = {"id": f"/files-processed/{name}/", "drs_id": name, "access_methods": methods}
            return JSONResponse(
                {**common, **own, "self_uri": f"drs://h/files-processed/{name}/@@drs"}
            )
        methods = [
            {"access_url": {"url": url}, "type": "https", "access_id": "https"},
            {"access_url": {"url": "s3://bucket/x"}, "type": "s3", "access_id": "s3"},
        ]
        own = {"id": name, "self_uri": f"drs://h/{name}", "access_methods": methods}
        return JSONResponse({**common, **own})

    async def access(self, request: Request) -> Response:
        """The address of the bytes."""
        host = str(request.base_url).rstrip("/")
        return JSONResponse({"url": f"{host}/{request.path_params['id']}/@@download"})

    async def download(self, request: Request) -> Response:
        """307 to the store, for those logged in."""
        pair = base64.b64encode(f"{self.key}:{self.secret}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {pair}":
            text = {"status": "error", "code": 403, "detail": "Not logged in."}
            return JSONResponse({"@type": ["HTTPForbidden", "Error"], **text}, 403)
        name = request.path_params["id"]
        host = self.store or str(request.base_url).rstrip("/")
        return RedirectResponse(f"{host}/store/{name}?Signature=sig", 307)

    async def bytes(self, request: Request) -> Response:
        """The store; it answers 400 where a signature and a header both come."""
        if "authorization" in request.headers and self.store:
            return Response(status_code=400)
        return ranged(request, self.files[request.path_params["id"]], "application/gzip")
