"""Answers of any shape: adapters raise tabkit's own errors, never another, and end."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tabkit.clients
from tabkit.clients.credentials import Credential
from tabkit.clients.http import Http
from tabkit.clients.names import distinct, safe_name, safe_path
from tabkit.clients.origin import origin_of, shown
from tabkit.errors import TabkitError
from tests.clients.servers.raw import Raw, serve

if TYPE_CHECKING:
    from collections.abc import Iterator

KEYS = (
    *(
        "status",
        "data",
        "dataFile",
        "id",
        "label",
        "filename",
        "checksums",
        "type",
        "value",
        "next",
    ),
    *("contents", "name", "drs_uri", "access_methods", "access_url", "access_id", "url", "headers"),
    *("@graph", "total", "href", "md5sum", "file_size", "results", "downloadUrl", "sha1", "items"),
    *("dictionaries", "fields", "lookups", "constraints", "code", "paths", "filesize", "checksum"),
)
TEXTS = ("OK", "ERROR", "md5", "https", "/x/@@download/y", "drs://h/x", "http://[", "../x", "1")
leaves = st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats() | st.sampled_from(TEXTS)
shapes = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6)
    ),
    max_leaves=20,
)
WHATS = ("dataverse:dataset/1", "drs://h/x", "4dn:x", "4dn:search/?type=F", "databrary:volume/1",
         "fair:dataset/x")  # fmt: skip


@dataclasses.dataclass
class Anything:
    """A server that answers the same to everything, and what talks to it."""

    raw: Raw
    http: Http
    body: bytes = b"{}"


class Files(dict[str, bytes]):
    """Files that are all the same."""

    def __init__(self, found: Anything) -> None:
        self.found = found

    def get(self, *_: Any) -> bytes:  # type: ignore[override]
        """Give what is answered now."""
        return self.found.body


@pytest.fixture(scope="module")
def anything() -> Iterator[Anything]:
    with serve(Raw(media_type="application/json")) as server, Http(timeouts={"read": 5.0}) as http:
        found = Anything(server, http)
        server.files = Files(found)
        headers = {"Authorization": "x"}
        http.bind(Credential(origin_of(server.address), lambda: headers))
        yield found


@pytest.mark.parametrize("what", WHATS)
@settings(max_examples=25)
@given(shape=shapes, envelope=st.booleans())
def test_any_json_is_understood_or_refused(
    anything: Anything, what: str, shape: Any, envelope: bool
) -> None:
    answer = {"status": "OK", "data": shape} if envelope else shape
    anything.body = json.dumps(answer).encode()
    with contextlib.suppress(TabkitError):
        found = tabkit.clients.open(what, server=anything.raw.address, http=anything.http)
        for number, entry in enumerate(found.entries()):
            with contextlib.suppress(TabkitError):
                found.locate(entry)
            if number > 5:
                break


@given(st.text(max_size=300) | st.text("./\\:\0 ~", max_size=30))
def test_safe_names(text: str) -> None:
    """One component, that can be written, and that is safe again."""
    name = safe_name(text)
    assert name not in {"", ".", ".."}
    assert PurePosixPath(name).name == name
    assert len(name.encode()) <= 201
    assert not set(name) & set('\\/:*?"<>|\0')
    assert not name.startswith((".", "-", "~"))
    assert safe_name(name) == name


@given(
    st.lists(st.tuples(st.text("aA/.ａ", max_size=6), st.text("aAb.ａ", max_size=5)), max_size=12)
)
def test_distinct_paths(pairs: list[tuple[str, str]]) -> None:
    """No two are one file, none is another's folder, whatever the file system folds."""
    paths = list(distinct(safe_path(*pair) for pair in pairs))
    folded = [str(path).casefold() for path in paths]
    assert len(set(folded)) == len(paths)
    folders = {str(parent).casefold() for path in paths for parent in path.parents}
    assert not folders & set(folded)


@given(st.text(max_size=50), st.sampled_from(["key", "token", "X-Amz-Signature", "sig", "x"]))
def test_shown_addresses_hide_queries(text: str, key: str) -> None:
    secret = f"s3cr3t{text}"
    assert "s3cr3t" not in shown(
        f"https://a.example/x?{key}={secret}".replace("#", "").replace("&", "")
    )
