"""Shared fixtures: where the outside evidence lies, and Hypothesis' profiles."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

SHARED = Path(__file__).resolve().parents[2] / "shared"

# The default run repeats itself, so that a change is judged by what it changed;
# HYPOTHESIS_PROFILE=thorough looks for new examples.
settings.register_profile(
    "default",
    deadline=None,
    max_examples=60,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("thorough", deadline=None, max_examples=1000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of outside evidence; tests that need it skip where it is absent."""
    if not (SHARED / "README.md").exists():
        pytest.skip("the corpus and oracles (../shared) are not here")
    return SHARED


@pytest.fixture(scope="session")
def corpus(shared: Path) -> Path:
    """The folder of real and hostile files."""
    return shared / "corpus"


@pytest.fixture(scope="session")
def oracle(shared: Path) -> Path:
    """The folder of answers that others computed."""
    return shared / "oracle"
