"""A lean process: what the commands never use is not loaded by the libraries they do use."""

from __future__ import annotations

import os
import sys
import types
from typing import Any, Final

#: What glibc's allocator is told. Threads share two arenas: each reserves 64 MiB of address space;
#: where that is limited, one for each thread left none for the libraries that are loaded later, and
#: the process was aborted. Blocks of some megabytes, which all cases need anew, come from memory
#: that is kept, as the kernel clears what it gives page by page; a column of millions of cases
#: goes back at once.
#: Source: glibc, malloc.h: M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD.
_MALLOC: Final = ((-8, 2), (-3, 16 << 20), (-1, 128 << 20))
_KEYWORDS: Final = {"and_": "and", "or_": "or"}  # functions that Python cannot call by their name
_MADE_AT_ONCE: Final = frozenset({"utf8_zero_fill"})  # pyarrow gives these a second name
_DOCUMENTS: Final = "pyarrow.vendored.docscrape"  # parses them, with pydoc


def load_arrow_alone() -> None:
    """Load pyarrow so that it takes pandas for absent; call it before anything imports either.

    At its first array pyarrow imports pandas and dateutil, if there are any, to recognise their
    objects: 0.4 s and 40 MB for a command that has none. It looks once, so they can be imported
    afterwards; a process that loaded pyarrow or pandas before stays as it is. NumPy's linear
    algebra, also unused, starts no threads.
    """
    if "pyarrow" in sys.modules or "pandas" in sys.modules:
        return
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    _tune_allocator()
    sys.meta_path.insert(0, _Absent)
    try:
        import pyarrow as pa

        pa.array([0])
    finally:
        sys.meta_path.remove(_Absent)
    # Another version of pyarrow may be made otherwise; it is loaded as usual at its first use then.
    try:
        _load_functions_late()
    except (AttributeError, ImportError, LookupError, NameError, TypeError):
        sys.modules.pop("pyarrow.compute", None)


def _load_functions_late() -> None:
    """Load pyarrow.compute without its functions; each is made when it is first asked for.

    To make all three hundred, with documents and signatures, takes a seventh of a short command.
    """
    import pyarrow._compute as core

    registry = core.function_registry()
    few = types.SimpleNamespace(
        list_functions=lambda: sorted(_MADE_AT_ONCE.intersection(registry.list_functions())),
        get_function=registry.get_function,
    )
    whole, core.function_registry = core.function_registry, lambda: few
    sys.modules[_DOCUMENTS] = no_documents = types.ModuleType(_DOCUMENTS)
    vars(no_documents)["NumpyDocString"] = lambda _: {"Parameters": ()}
    try:
        import pyarrow.compute as pc
    finally:
        core.function_registry = whole
        del sys.modules[_DOCUMENTS]
    pc.function_registry = whole
    from pyarrow.compute import _get_options_class, _make_generic_wrapper

    def make(name: str) -> Any:
        try:
            function = registry.get_function(_KEYWORDS.get(name, name))
        except KeyError:
            function = None
        if function is None or _is_of_groups(function):
            msg = f"module 'pyarrow.compute' has no attribute {name!r}"
            raise AttributeError(msg)
        options = _get_options_class(function)
        made = _make_generic_wrapper(name, function, options, function.arity)
        setattr(pc, name, made)
        return made

    make("is_null")  # shows whether they are still made so
    pc.__getattr__ = make


def _is_of_groups(function: Any) -> bool:
    """Whether a function is for groups alone, of which pyarrow.compute makes none."""
    of_all = function.kind == "scalar_aggregate" and function.arity == 0
    return bool(of_all or function.kind == "hash_aggregate")


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


class _Absent:
    """Among the finders of modules it says that there is no pandas, and nothing it brings along."""

    @staticmethod
    def find_spec(name: str, *_: object) -> None:
        if name in {"pandas", "dateutil"}:
            raise ModuleNotFoundError(name=name)
