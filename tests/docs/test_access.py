"""The examples of docs/access.md, as they stand there."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data" / "make"))
from survey import make

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "access.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working directory with the survey."""
    folder = tmp_path_factory.mktemp("access")
    make(folder / "survey.sav")
    return folder


def test_commands(folder: Path) -> None:
    """Each succeeds, in order."""
    commands = re.findall(r"^\$ tabkit (.+)$", TEXT, re.MULTILINE)
    assert len(commands) == 11
    for command in commands:
        arguments = [sys.executable, "-m", "tabkit", *shlex.split(command)]
        done = subprocess.run(arguments, check=False, cwd=folder, capture_output=True, text=True)
        assert done.returncode == 0, (command, done.stderr)
    assert (folder / "part.tab").read_text(encoding="utf-8").count("\n") == 100


def test_python(folder: Path) -> None:
    """The block runs as it is."""
    (code,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, check=False, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "@data{Trust-in-50-of-cases_2024," in done.stdout
