"""The public names: all there, lazy, and never hidden by a module of the same name."""

from __future__ import annotations

import importlib
import pkgutil
import subprocess
import sys
import types

import pytest

import tabkit
from tabkit._native import AVAILABLE

HEAVY = {"numpy", "pandas", "pyarrow", "pyreadstat", "lxml", "xmlschema", "rpy2", "PIL", "rich"}
HEAVY |= {"httpx2", "httpcore2", "stamina", "keyring", "filelock", "platformdirs"}


def test_every_name_resolves_to_something_callable_or_constant() -> None:
    """Importing every module first is the worst case for functions named like modules."""
    for module in pkgutil.walk_packages(tabkit.__path__, "tabkit."):
        compiled = module.name.startswith("tabkit._native.") and not AVAILABLE
        if not module.name.endswith("__main__") and not compiled:
            importlib.import_module(module.name)
    for name in tabkit.__all__:
        assert not isinstance(getattr(tabkit, name), types.ModuleType), name


def test_import_is_light() -> None:
    """``import tabkit`` and the command's help load none of the heavy libraries."""
    for code in ("import tabkit", "from tabkit.cli import run; run(['--help'])"):
        script = (
            f"import sys; {code}; print(*sorted(set(sys.modules) & {HEAVY!r}), file=sys.stderr)"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True)
        assert done.stderr.split() == [], code


def test_unknown_name() -> None:
    """A misspelt name is an AttributeError as from any module."""
    with pytest.raises(AttributeError, match="nonsense"):
        tabkit.nonsense  # noqa: B018
