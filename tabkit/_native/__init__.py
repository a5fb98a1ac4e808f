"""Compiled kernels. ``core`` is None where no compiler was: the plain twins serve then."""

from __future__ import annotations

try:
    from tabkit._native import core
except ImportError:
    core = None  # type: ignore[assignment]

__all__ = ["core"]
