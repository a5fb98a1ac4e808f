"""Options: the keywords of Python's calls and the options of the command line are the fields."""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tabkit.options import ReadChoices, ReadOptions, read_options
from tabkit.profiles import DATAVERSE


def test_choices_are_the_fields() -> None:
    """What `open_table` takes is what a reader is given, in the same order."""
    names = [field.name for field in dataclasses.fields(ReadOptions)]
    assert list(ReadChoices.__annotations__) == names
    assert not ReadChoices.__required_keys__


def test_forms_that_people_write() -> None:
    """Names, paths as text and lists become what readers take."""
    options = read_options(profile="dataverse", codebook="x.xml", sheet=2, text_columns=["a"])
    assert options == ReadOptions(
        profile=DATAVERSE, codebook=Path("x.xml"), sheet="2", text_columns=frozenset({"a"})
    )
