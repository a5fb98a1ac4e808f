"""House rules that a reviewer should not have to check by eye."""

from __future__ import annotations

import ast
import pkgutil
import re
import sys
from pathlib import Path

import pytest

from tabkit.formats import FORMATS
from tabkit.profiles import DATAVERSE, TABKIT

sys.path.insert(0, str(Path(__file__).parent))
import test_samples

ROOT = Path(__file__).resolve().parents[1]
MODULES = sorted((ROOT / "tabkit").rglob("*.py"))


def test_every_format_has_its_functions_and_a_readme_line() -> None:
    """A reader nobody can find is not finished."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for each in FORMATS:
        assert f"| `{each.name}`" in readme, f"{each.name} is not in the README's table"
        for function in filter(None, (each.reader, each.writer)):
            assert callable(pkgutil.resolve_name(function))


def test_every_format_has_a_sample_a_test_and_its_loss_listed() -> None:
    """The script makes one of each, `test_samples` reads all that it makes, the page tells why."""
    names = {each.name for each in FORMATS}
    assert set(test_samples.samples.MAKERS) == names
    assert set(test_samples.documented_losses()) == names
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` ", readme, re.MULTILINE)) == names


@pytest.mark.parametrize("path", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_and_functions_stay_small(path: Path) -> None:
    """400 lines a module, 40 a function without its docstring."""
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = body[-1].end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= 42, f"{node.name}: {lines} lines"


def test_only_profiles_know_their_names() -> None:
    """Code asks a profile for a choice and never for its name."""
    for path in MODULES:
        if path.name in {"profiles.py", "cli.py"}:
            continue
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"profile\.name\b", text), path
        assert "is DATAVERSE" not in text, path


def test_every_choice_of_the_profiles_is_documented() -> None:
    """docs/profiles.md names every field that differs between the two profiles."""
    text = (ROOT / "docs" / "profiles.md").read_text(encoding="utf-8")
    for name in TABKIT.__slots__:
        if getattr(TABKIT, name) != getattr(DATAVERSE, name) and name != "name":
            assert f"`{name}`" in text, name


def test_nothing_speaks_of_this_workplace() -> None:
    """The project, its tests and documents name no absolute path and no registry's host."""
    for path in [*MODULES, *(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]:
        text = path.read_text(encoding="utf-8")
        assert "/work/" not in text, path
        assert "/root/" not in text, path
