"""Limits: their spelling on the command line and in messages."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from tabkit.errors import UsageError
from tabkit.limits import LIMITS, Limits, parse_limits, parse_size, refuse, shown

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


@pytest.mark.parametrize(
    ("text", "expected"),
    [("512MiB", 512 << 20), ("2GB", 2 * 10**9), ("1.5k", 1536), ("7", 7), ("7 b", 7),
     ("4t", 4 << 40), ("", None), ("x", None), ("1.2.3", None), ("-1", None), ("٣", None)],
)  # fmt: skip
def test_sizes(text: str, expected: int | None) -> None:
    """One spelling for all options: --memory, --limit, zip --limit."""
    assert parse_size(text) == expected
    assert parse_size("7", plain=1 << 20) == 7 << 20
