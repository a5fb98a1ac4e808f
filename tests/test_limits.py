"""Limits: their spelling on the command line and in messages."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tabkit.errors import UsageError
from tabkit.limits import LIMITS, Limits, parse_limits, refuse, shown

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "limits.md"


def test_spelling() -> None:
    """Sizes with their unit, numbers plain; later ones win."""
    limits = parse_limits(["memory=4GiB", "seconds=60", "block=1.5M", "unpacked=100", "memory=1g"])
    assert limits == Limits(memory=1 << 30, seconds=60, block=3 << 19, unpacked=100)
    assert parse_limits([]) == LIMITS


@pytest.mark.parametrize(
    "choice",
    ["memory", "memory=", "memory=x", "memory=-1", "seconds=1KiB", "ratio=0", "nonsense=1"],
)
def test_what_is_no_limit(choice: str) -> None:
    """A usage error that names it."""
    with pytest.raises(UsageError, match=choice.partition("=")[0]):
        parse_limits([choice])


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Limits)])
def test_a_message_names_the_limit_and_the_way_out(name: str) -> None:
    """The option that it offers parses, to twice the limit."""
    text = str(refuse("x.sav", "it asks for more than", LIMITS, name))
    assert shown(name, getattr(LIMITS, name)) in text
    option = text.partition("--limit ")[2].split()[0]
    assert getattr(parse_limits([option]), name) == 2 * getattr(LIMITS, name)


@pytest.mark.parametrize("name", [field.name for field in dataclasses.fields(Limits)])
def test_every_limit_is_documented_with_its_default(name: str) -> None:
    """docs/limits.md has a row for each."""
    row = f"| `{name}` | {shown(name, getattr(LIMITS, name))} |"
    assert row in DOCUMENT.read_text(encoding="utf-8")
