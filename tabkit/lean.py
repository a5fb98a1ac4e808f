"""A lean process: what the commands never use is not loaded by the libraries they do use."""

from __future__ import annotations

import os
import sys
from typing import Final

#: What glibc's allocator is told. Threads share two arenas: each reserves 64 MiB of address space;
#: where that is limited, one for each thread left none for the libraries that are loaded later, and
#: the process was aborted. Blocks of some megabytes, which all cases need anew, come from memory
#: that is kept, as the kernel clears what it gives page by page.
#: Source: glibc, malloc.h: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD.
_MALLOC: Final = ((-8, 2), (-3, 32 << 20), (-1, 128 << 20))


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
    _tune_allocator()
    sys.meta_path.insert(0, _NoPandas)
    try:
        import pyarrow as pa

        pa.array([0])
    finally:
        sys.meta_path.remove(_NoPandas)


def _tune_allocator() -> None:
    if sys.platform == "linux":
        import ctypes

        mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # not in every libc
        if mallopt is not None:
            for parameter, value in _MALLOC:
                mallopt(parameter, value)


def give_back() -> None:
    """Give memory that is free back to the system, where the allocator can.

    It keeps the room of the blocks that have passed; what is worked on afterwards would lie beside.
    """
    if sys.platform == "linux":
        import ctypes

        trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
        if trim is not None:
            trim(0)


class _NoPandas:
    """Among the finders of modules it says that there is no pandas."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name == "pandas":
            raise ModuleNotFoundError(name=name)
