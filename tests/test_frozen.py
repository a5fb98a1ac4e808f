"""Frozen dataclasses that are made quickly are what dataclasses makes, in all that shows."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
from typing import Any

import pytest

from tabkit import _native
from tabkit.frozen import changed, quickly_made
from tabkit.model import Kind, SummaryStats, Variable, VariableDescription


@dataclasses.dataclass(frozen=True, slots=True)
class Usual:
    """As dataclasses makes it."""

    first: int
    second: tuple[str, ...] = ()
    third: float | None = None


@quickly_made
@dataclasses.dataclass(frozen=True, slots=True)
class Quick:
    """The same."""

    first: int
    second: tuple[str, ...] = ()
    third: float | None = None


@pytest.mark.skipif(not _native.AVAILABLE, reason="the kernels are not built")
def test_there_is_something_to_compare() -> None:
    assert "fill" in Quick.__init__.__code__.co_names


def test_signature_is_the_same() -> None:
    assert str(inspect.signature(Quick)) == str(inspect.signature(Usual))


@pytest.mark.parametrize(
    ("given", "named"),
    [((1,), {}), ((1, ("a",)), {}), ((1,), {"third": 2.5}), ((), {"first": 3, "second": ("b",)})],
)
def test_made_and_shown_alike(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    quick, usual = Quick(*given, **named), Usual(*given, **named)
    assert dataclasses.astuple(quick) == dataclasses.astuple(usual)
    assert repr(quick).removeprefix("Quick") == repr(usual).removeprefix("Usual")
    assert hash(quick) == hash(usual)
    assert quick == Quick(*given, **named)
    assert pickle.loads(pickle.dumps(quick)) == quick
    assert dataclasses.replace(quick, first=9) == Quick(9, quick.second, quick.third)


@pytest.mark.parametrize(("given", "named"), [((), {}), ((1, (), 2.0, 3), {}), ((1,), {"no": 1})])
def test_wrong_arguments_are_refused(given: tuple[Any, ...], named: dict[str, Any]) -> None:
    for kind in (Quick, Usual):
        with pytest.raises(TypeError):
            kind(*given, **named)


@pytest.mark.parametrize(
    "made", [Quick(1), Variable("v"), SummaryStats(), VariableDescription(SummaryStats(), (), "")]
)
def test_nothing_can_be_changed(made: Any) -> None:
    name = dataclasses.fields(made)[0].name
    with pytest.raises(dataclasses.FrozenInstanceError):
        setattr(made, name, 1)


def test_a_variable_with_other_fields() -> None:
    given = Variable("v", label="l", decimals=2)
    other = changed(given, kind=Kind.CHARACTER, label="m")
    assert other == dataclasses.replace(given, kind=Kind.CHARACTER, label="m")
    assert given.label == "l"
