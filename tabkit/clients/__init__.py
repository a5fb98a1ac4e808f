"""Download adapters: they know files, identities and credentials, never tables.

    with tabkit.clients.open("doi:10.5072/FK2/J8SJZB", server="https://demo.example.org") as found:
        for entry in found.entries():
            print(entry.path, entry.size, entry.digests)
        found.download("data")

Everything here blocks; from async code call it by ``asyncio.to_thread``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tabkit.clients.model import Choice as Choice
    from tabkit.clients.model import Download as Download
    from tabkit.clients.model import Entry as Entry
    from tabkit.clients.model import Ref as Ref
    from tabkit.clients.repository import Repository as Repository
    from tabkit.clients.repository import open_repository as open  # noqa: A004

_HOMES = {
    "Choice": ("tabkit.clients.model", "Choice"),
    "Download": ("tabkit.clients.model", "Download"),
    "Entry": ("tabkit.clients.model", "Entry"),
    "Ref": ("tabkit.clients.model", "Ref"),
    "Repository": ("tabkit.clients.repository", "Repository"),
    "open": ("tabkit.clients.repository", "open_repository"),
}

__all__ = ["Choice", "Download", "Entry", "Ref", "Repository", "open"]


def __getattr__(name: str) -> object:
    import importlib

    if name not in _HOMES:
        msg = f"module 'tabkit.clients' has no attribute {name!r}"
        raise AttributeError(msg)
    module, attribute = _HOMES[name]
    return getattr(importlib.import_module(module), attribute)
