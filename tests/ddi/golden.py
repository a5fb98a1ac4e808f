"""Golden files: text we have looked at once and want to keep.

``TABKIT_UPDATE_GOLDEN=1 pytest`` rewrites them; read the diff before committing it.
"""

from __future__ import annotations

import os
from pathlib import Path

FOLDER = Path(__file__).resolve().parents[1] / "golden_files"


def assert_golden(actual: str, name: str) -> None:
    """Compare ``actual`` with ``tests/golden_files/name``, or write that file when updating."""
    path = FOLDER / name
    if os.environ.get("TABKIT_UPDATE_GOLDEN"):
        path.write_bytes(actual.encode())
    assert actual.encode() == path.read_bytes(), f"differs from {path}"
