"""Compiled kernels, where a compiler was: ``core`` and, for Arrow arrays, ``arrays``.

Each kernel has a plain Python twin with the same result, which serves where they are missing.
"""

from __future__ import annotations

try:
    import tabkit._native.core  # noqa: F401 - it must load, not only be there
except ImportError:
    AVAILABLE = False
else:
    AVAILABLE = True

__all__ = ["AVAILABLE"]
