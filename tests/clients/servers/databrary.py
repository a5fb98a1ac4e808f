"""Databrary's secure interface, as its API page and its own client have it."""

from __future__ import annotations

import dataclasses
import hashlib
import secrets
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.clients.servers.dataverse import ranged, zip_of

if TYPE_CHECKING:
    from starlette.requests import Request

AGENT, CLIENT, SECRET, PASSWORD = "agent-secret-77", "client-1", "client-secret-88", "pass-word-99"


@dataclasses.dataclass
class Databrary:
    """One volume; ``sessions`` and ``folders`` hold files by id.

    Attributes:
        store: Another server that the bytes lie on.
        lifetime: Seconds that an access token lives.
        archives: Whether archives are ready at once.
        ready_after: After how many questions they are, 0 for never.
        next_page: Where the next page is said to be, if elsewhere.
    """

    sessions: dict[int, dict[int, tuple[str, bytes]]]
    folders: dict[int, dict[int, tuple[str, bytes]]] = dataclasses.field(default_factory=dict)
    store: str = ""
    lifetime: int = 3600
    archives: bool = False
    ready_after: int = 0
    next_page: str = ""
    page: int = 2
    tokens: set[str] = dataclasses.field(default_factory=set)
    refresh: set[str] = dataclasses.field(default_factory=set)
    grants: list[str] = dataclasses.field(default_factory=list)
    throttled: int = 0

    def app(self) -> Any:
        """The application, behind the gate of the user agent."""
        part = "/volumes/{v}/{kind}/{part}"
        inner = Starlette(
            routes=[
                Route("/o/token/", self.token, methods=["POST"]),
                Route("/volumes/", self.volumes),
                Route("/volumes/{v}/", self.volume),
                Route("/volumes/{v}/download-link/", self.archive),
                Route("/volumes/{v}/csv-download-link/", self.archive),
                Route("/volumes/{v}/{kind}/", self.parts),
                Route(f"{part}/download-link/", self.archive),
                Route(f"{part}/csv-download-link/", self.archive),
                Route(f"{part}/files/", self.files),
                Route(f"{part}/files/{{f}}/download-link/", self.link),
                Route("/bytes/zip/{v}", self.zip),
                Route("/bytes/csv/{v}", self.csv),
                Route("/bytes/{f}", self.bytes),
            ]
        )

        async def gate(scope: Any, receive: Any, send: Any) -> None:
            agent = dict(scope["headers"]).get(b"user-agent", b"").decode()
            if agent != AGENT and not scope["path"].startswith("/bytes/"):
                await PlainTextResponse("Forbidden", 403)(scope, receive, send)
                return
            await inner(scope, receive, send)

        return gate

    async def token(self, request: Request) -> Response:
        """Password, client credentials, refresh."""
        form = dict(pair.split("=", 1) for pair in (await request.body()).decode().split("&"))
        grant = form["grant_type"]
        self.grants.append(grant)
        if (form.get("client_id"), form.get("client_secret")) != (CLIENT, SECRET):
            return JSONResponse({"error": "invalid_client"}, 401)
        good = {
            "password": form.get("password") == PASSWORD,
            "client_credentials": True,
            "refresh_token": form.get("refresh_token") in self.refresh,
        }
        if not good.get(grant):
            text = {"error": "invalid_grant", "error_description": "Invalid credentials given."}
            return JSONResponse(text, 400)
        access, refresh = secrets.token_hex(8), secrets.token_hex(8)
        self.tokens, self.refresh = {access}, {refresh}
        found = {"access_token": access, "refresh_token": refresh, "token_type": "Bearer"}
        return JSONResponse({**found, "expires_in": self.lifetime, "scope": "read"})

    def no(self, request: Request) -> Response | None:
        """A refusal, if the token is not good or it is too early."""
        bearer = request.headers.get("authorization", "").removeprefix("Bearer ")
        if bearer not in self.tokens:
            return JSONResponse({"detail": "Authentication credentials were not provided."}, 401)
        if self.throttled:
            self.throttled -= 1
            return JSONResponse({"detail": "throttled"}, 429, {"Retry-After": "0"})
        return None

    def paged(self, request: Request, rows: list[Any]) -> Response:
        """One page."""
        number = int(request.query_params.get("page", 1))
        chosen = rows[(number - 1) * self.page : number * self.page]
        more = number * self.page < len(rows)
        url = f"{request.url.replace(query='')}?page={number + 1}" if more else None
        return JSONResponse({"count": len(rows), "next": self.next_page or url, "results": chosen})

    def of_kind(self, request: Request) -> dict[int, dict[int, tuple[str, bytes]]]:
        """Sessions or folders."""
        return self.sessions if request.path_params["kind"] == "sessions" else self.folders

    async def volumes(self, request: Request) -> Response:
        """Three volumes, over two pages."""
        rows = [{"id": number, "title": f"Volume {number}"} for number in (1, 2, 3)]
        return self.no(request) or self.paged(request, rows)

    async def volume(self, request: Request) -> Response:
        """One of them."""
        found = {"id": int(request.path_params["v"]), "sharingLevel": "public"}
        return self.no(request) or JSONResponse(found)

    async def parts(self, request: Request) -> Response:
        """Sessions or folders of the volume."""
        if request.path_params["v"] != "1":
            return self.no(request) or JSONResponse({"detail": "Not found."}, 404)
        rows = [{"id": number, "name": f"s{number}"} for number in self.of_kind(request)]
        return self.no(request) or self.paged(request, rows)

    async def files(self, request: Request) -> Response:
        """Files of a session or folder."""
        found = self.of_kind(request).get(int(request.path_params["part"]), {})
        rows = [
            {
                "id": number,
                "name": name,
                "size": len(body),
                "sha1": hashlib.sha1(body).hexdigest(),
                "mimeType": "video/mp4",
                "releaseLevel": "public",
                "upload": {"status": "completed"},
            }
            for number, (name, body) in found.items()
        ]
        return self.no(request) or self.paged(request, rows)

    async def link(self, request: Request) -> Response:
        """Where a file is for a while."""
        number = int(request.path_params["f"])
        name, body = self.of_kind(request)[int(request.path_params["part"])][number]
        url = f"{self.store}/bytes/{number}?Signature=sig"
        found = {"downloadUrl": url, "fileName": f"../../{name}", "fileSize": len(body)}
        return self.no(request) or JSONResponse({**found, "expiresAt": "2030-01-01T00:00:00Z"})

    async def archive(self, request: Request) -> Response:
        """All files, made in the background."""
        if (refused := self.no(request)) is not None:
            return refused
        self.ready_after -= 1
        if self.archives or self.ready_after == 0:
            kind = "csv" if "csv" in request.url.path else "zip"
            return JSONResponse({"downloadUrl": f"/bytes/{kind}/1"})
        return JSONResponse({"status": "processing", "message": None, "taskId": "zip-1"})

    async def bytes(self, request: Request) -> Response:
        """The bytes."""
        every = {
            k: v
            for part in (*self.sessions.values(), *self.folders.values())
            for k, v in part.items()
        }
        return ranged(request, every[int(request.path_params["f"])][1], "video/mp4")

    async def zip(self, _: Request) -> Response:
        """An archive."""
        members = {name: body for part in self.sessions.values() for name, body in part.values()}
        return Response(zip_of(members), media_type="application/zip")

    async def csv(self, _: Request) -> Response:
        """A table of the session."""
        return Response("session,date\n2,2020-01-01\n", media_type="text/csv")
