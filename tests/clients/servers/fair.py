"""FAIR Data Services as its product pages and its makers' example programs have it.

What is not published (attachments) is served under paths that the OpenAPI description names.
"""

from __future__ import annotations

import dataclasses
import hashlib
import re
from typing import TYPE_CHECKING, Any

from starlette.applications import Starlette
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.clients.servers.dataverse import ranged

if TYPE_CHECKING:
    from starlette.requests import Request

FIELDS = [
    {"name": "id", "label": "ID", "type": "integer", "description": "Record", "constraints": None},
    {"name": "age", "label": "Age", "type": "integer", "description": "Years", "constraints": None},
    {"name": "sex", "label": "Sex", "type": "text", "description": "Sex", "constraints": "SEX"},
    {"name": "health", "label": "Health", "type": "integer", "description": "Self-rated",
     "constraints": "HEALTH"},
]  # fmt: skip
LOOKUPS = {
    "SEX": [{"name": "f", "description": "Female"}, {"name": "m", "description": "Male"}],
    "HEALTH": [
        {"name": "1", "description": "Good, or better"},
        {"name": "2", "description": "Bad"},
    ],
}


@dataclasses.dataclass
class Fair:
    """One dataset with one table.

    Attributes:
        tokens: Good tokens and how often each may still be used.
        documented: Whether the OpenAPI description tells of attachments, and of pages.
        pages: Whether it heeds which page is asked for, and gives all hits of a search.
        others: Codes of further datasets, which have names only.
        broken: What the selection answers instead.
    """

    rows: list[dict[str, Any]]
    attachments: dict[str, bytes] = dataclasses.field(default_factory=dict)
    tokens: dict[str, int] = dataclasses.field(default_factory=dict)
    documented: bool = True
    pages: bool = True
    others: tuple[str, ...] = ()
    broken: Any = None
    store: str = ""

    def app(self) -> Starlette:
        """The application."""
        return Starlette(
            routes=[
                Route("/api/health", lambda _: JSONResponse({"status": "ok"})),
                Route("/api/docs/", self.docs),
                Route("/api/docs/openapi.json", self.openapi),
                Route("/api/datasets/", self.catalogue),
                Route("/api/search/search", self.search),
                Route("/api/dictionaries/{code}", self.dictionary),
                Route("/api/datasets/{code}/", self.dataset),
                Route("/api/selection/select", self.select, methods=["POST"]),
                Route("/api/files/datasets/{code}/attachments/", self.listing),
                Route("/api/files/datasets/{code}/attachments/{name}", self.attachment),
            ]
        )

    def no(self, request: Request) -> Response | None:
        """A refusal, if the token is not good, or used up."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if self.tokens.get(token, 0) <= 0:
            return JSONResponse({"error": {"message": "Token is not valid"}}, 401)
        self.tokens[token] -= 1
        return None

    async def docs(self, _: Request) -> Response:
        """The page for people."""
        return Response("<html>docs</html>", media_type="text/html")

    async def openapi(self, request: Request) -> Response:
        """The description for programs."""
        paths: dict[str, Any] = {"/datasets/": {"get": {}}}
        if self.documented:
            asked = [{"name": name, "in": "query"} for name in ("limit", "offset")]
            paths["/datasets/"]["get"]["parameters"] = asked
            paths["/api/files/datasets/{dataset}/attachments"] = {"get": {}, "post": {}}
            paths["/api/files/datasets/{dataset}/datafiles"] = {"post": {}}
        return self.no(request) or JSONResponse({"openapi": "3.0.0", "paths": paths})

    async def dataset(self, request: Request) -> Response:
        """Catalogue and dictionaries."""
        if request.path_params["code"] != "survey":
            text = {"error": {"message": "Dataset not found"}}
            return self.no(request) or JSONResponse(text, 404)
        table = {"code": "people", "name": "People", "fields": FIELDS, "lookups": LOOKUPS}
        found = {"catalogue": {"id": "survey", "title": "Survey"}, "dictionaries": [table]}
        return self.no(request) or JSONResponse(found)

    async def catalogue(self, request: Request) -> Response:
        """A page of datasets."""
        rows = [{"code": "survey", "name": "Survey"}]
        rows += [{"code": code, "name": f"Dataset {code}"} for code in self.others]
        start = int(request.query_params.get("offset", 0)) if self.pages else 0
        found = {"items": rows[start : start + 10], "paging": {"total": len(rows)}}
        return self.no(request) or JSONResponse(found)

    async def search(self, request: Request) -> Response:
        """Hits, best first; a dataset may be hit more than once, by its tables."""
        query = request.query_params
        words = query["query"].lower().split() if query["index"] == "fair-index" else []
        hit = {"@search.score": 1.5, "code": "survey", "catalogue__title": "Survey of health"}
        items = [hit, hit] if "health" in words else []
        found: dict[str, object] = {"items": items}
        if not self.pages:
            found["paging"] = {"total": 100}
        return self.no(request) or JSONResponse(found)

    async def dictionary(self, request: Request) -> Response:
        """One dictionary alone."""
        if request.path_params["code"] != "people":
            return self.no(request) or JSONResponse({"error": {"message": "Not found"}}, 404)
        return self.no(request) or JSONResponse(
            {"code": "people", "name": "People", "fields": FIELDS, "lookups": LOOKUPS}
        )

    async def select(self, request: Request) -> Response:
        """The rows of a query ``{ dataset { table { field … } } }``."""
        if (refused := self.no(request)) is not None:
            return refused
        if self.broken is not None:
            return JSONResponse(self.broken)
        query = (await request.json())["query"]
        found = re.fullmatch(r"\{ survey \{ people \{ ([\w ]+) \} \} \}", query)
        if not found:
            return JSONResponse({"error": {"message": "Bad query"}}, 400)
        names = found[1].split()
        rows = [{name: row.get(name) for name in names} for row in self.rows]
        return JSONResponse({"data": [{"people": rows}]})

    async def listing(self, request: Request) -> Response:
        """Attachments."""
        items = [
            {"id": name, "name": name, "size": len(body), "md5": hashlib.md5(body).hexdigest()}
            | ({"url": f"{self.store}/attachments/{name}"} if self.store else {})
            for name, body in self.attachments.items()
        ]
        found = {"items": items, "paging": {"total": len(items)}}
        return self.no(request) or JSONResponse(found)

    async def attachment(self, request: Request) -> Response:
        """One attachment."""
        body = self.attachments[request.path_params["name"]]
        return self.no(request) or ranged(request, body, "application/octet-stream")
