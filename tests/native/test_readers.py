"""Readers give the same table with the kernels and without, over the corpus."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tabkit import _native
from tabkit.errors import TabkitError
from tabkit.profiles import DATAVERSE, TABKIT, Profile
from tabkit.read import read

if TYPE_CHECKING:
    from tabkit.model import Table

CORPUS = Path("../shared/corpus")
HOSTILE = ("bomb", "oom", "huge", "nesting")  # they exhaust memory on purpose
MOST = 200_000  # bytes
FILES = [
    path
    for folder in ("sav", "dta", "xpt")
    for path in sorted((CORPUS / folder).glob("*"))
    if path.stat().st_size <= MOST and not any(word in path.name for word in HOSTILE)
]


@pytest.mark.skipif(not _native.AVAILABLE, reason="the kernels are not built")
@pytest.mark.skipif(not FILES, reason="../shared is not here")
@pytest.mark.parametrize("profile", [TABKIT, DATAVERSE], ids=lambda profile: profile.name)
def test_compiled_and_plain_readers_agree(
    monkeypatch: pytest.MonkeyPatch, profile: Profile
) -> None:
    """Values, types, tags, variables and findings; and the same refusals."""
    compiled = [_read(path, profile) for path in FILES]
    monkeypatch.setattr(_native, "AVAILABLE", False)
    for path, found in zip(FILES, compiled, strict=True):
        wanted = _read(path, profile)
        if isinstance(found, str) or isinstance(wanted, str):
            assert found == wanted, path
            continue
        assert found.variables == wanted.variables, path
        assert found.findings == wanted.findings, path
        assert found.data.schema == wanted.data.schema, path
        assert repr(found.data.to_pydict()) == repr(wanted.data.to_pydict()), path
        tags = [
            {name: column.to_pylist() for name, column in table.missing_tags.items()}
            for table in (found, wanted)
        ]
        assert tags[0] == tags[1], path


def _read(path: Path, profile: Profile) -> Table | str:
    try:
        return read(path, profile=profile)
    except TabkitError as error:
        return str(error)
