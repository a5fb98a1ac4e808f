"""Public servers, only with ``pytest -m network``: do they still answer as our test servers do?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import tabkit.clients
from tabkit.clients.http import Http
from tabkit.clients.model import Request

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.network


def test_a_public_dataset(tmp_path: Path) -> None:
    """A small published dataset, found through the resolver of its DOI."""
    with tabkit.clients.open("doi:10.7910/DVN/TJCLKP", form="tab") as found:
        entries = sorted(found.entries(), key=lambda e: e.size or 0)[:1]
        (done,) = found.download(tmp_path, entries)
    assert done.error is None
    assert done.verified == "digest"


def test_the_portals_drs() -> None:
    """An object's description is public; its bytes need a login."""
    with tabkit.clients.open("drs://data.4dnucleome.org/4DNFIIA7E3HL") as found:
        (entry,) = found.entries()
    assert entry.digests


def test_databrary_is_gated() -> None:
    """Without the personal user agent, it refuses."""
    request = Request("https://api.databrary.org/oauth2/test/")
    with Http() as http, http.open(request, accept=(200, 401, 403, 404)) as answer:
        assert answer.status_code != 200
