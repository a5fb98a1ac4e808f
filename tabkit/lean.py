"""A lean process: what the commands never use is not loaded by the libraries they do use."""

from __future__ import annotations

import os
import sys
from typing import Final

_M_ARENA_MAX: Final = -8  # Source: glibc, malloc.h
_ARENAS: Final = 2


def load_arrow_alone() -> None:
    """Load pyarrow so that it takes pandas for absent; call it before anything imports either.

    At its first array pyarrow imports pandas, if there is one, to recognise its objects: 0.4 s and
    40 MB for a command that has none. It looks once, so pandas can be imported afterwards; a
    process that loaded either before stays as it is. NumPy's linear algebra, also unused, starts
    no threads.
    """
    if "pyarrow" in sys.modules or "pandas" in sys.modules:
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _share_arenas()
    sys.meta_path.insert(0, _NoPandas)
    try:
        import pyarrow as pa

        pa.array([0])
    finally:
        sys.meta_path.remove(_NoPandas)


def _share_arenas() -> None:
    """Let threads share two arenas of glibc's allocator.

    Each arena reserves 64 MiB of address space; where that is limited, one for each thread left
    none for the libraries that are loaded later, and the process was aborted.
    """
    if sys.platform == "linux":
        import ctypes

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # not in every libc
        if mallopt is not None:
            mallopt(_M_ARENA_MAX, _ARENAS)


class _NoPandas:
    """Among the finders of modules it says that there is no pandas."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)
