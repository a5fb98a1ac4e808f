"""The default profile: right types, declared missing values honoured, valid by the schema."""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

import jsonschema
import pyarrow as pa
import pytest

from tabkit.describe import describe
from tabkit.errors import OutputError
from tabkit.model import Category, Measure, MissingRange, Table, Variable
from tabkit.prep import Summaries, prep, prep_object, write_prep

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "data" / "make"))
from survey import make

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = json.loads((ROOT / "schemas" / "prep.schema.json").read_text(encoding="utf-8"))


def of(table: Table) -> dict:
    """Return the prep objects of a table, checked against the schema as written."""
    summaries = Summaries()
    describe(table, observe=summaries.observe)
    jsonschema.validate(prep_object(summaries.variables), SCHEMA)
    return summaries.variables


def one(values: list, **variable: object) -> dict:
    """Return the prep object of one variable."""
    array = pa.array(values)
    return of(Table(pa.table({"x": array}), (Variable("x", **variable),)))["x"]


def test_bar_below_thirteen_values() -> None:
    """12 distinct values are bars, 13 a curve; a nominal variable is bars always."""
    assert one(list(range(12)))["plottype"] == "bar"
    assert one(list(range(13)))["plottype"] == "continuous"
    assert one(list(range(13)), measure=Measure.NOMINAL)["plottype"] == "bar"


def test_declared_missing_values_are_missing() -> None:
    """They are in no statistic and no bar, and count as invalid."""
    found = one(
        [1.0, 2.0, 2.0, 98.0, 99.0, None],
        missing_values=(98.0,),
        missing_ranges=(MissingRange(99, 99),),
        categories=(Category(1.0, "low"), Category(98.0, "refused", missing=True)),
    )
    assert found["plotvalues"] == {"1": 1, "2": 2}
    assert (found["valid"], found["invalid"], found["max"]) == (3, 3, 2)
    assert found["categories"] == {"1": "low", "98": "refused"}


def test_statistics() -> None:
    """Numbers are numbers, computed by hand here."""
    found = one([1, 1, 2, 3, 3, 3])
    assert (found["mode"], found["freqmode"]) == (3, 3)
    assert (found["fewest"], found["freqfewest"]) == (2, 1)
    assert (found["mid"], found["freqmid"]) == (1, 2)
    assert found["herfindahl"] == pytest.approx((4 + 1 + 9) / 36)
    assert (found["uniques"], found["binary"], found["nature"]) == (3, "no", "ordinal")
    assert one([0.5, 0.25])["nature"] == "percent"
    assert one([0.5, 2.5])["nature"] == "ratio"
    assert one([0, 1])["binary"] == "yes"


def test_text_and_nothing() -> None:
    """Text is nominal; an empty column has nulls, not words."""
    found = one(["b", "a", "b"])
    assert (found["numchar"], found["mode"], found["mean"]) == ("character", "b", None)
    assert found["plotvalues"] == {"a": 1, "b": 2}
    found = one([None, None])
    assert (found["valid"], found["mode"], found["mean"], found["plotvalues"]) == (
        0,
        None,
        None,
        {},
    )


def test_numbers_that_json_lacks() -> None:
    """NaN is invalid; infinities are named."""
    found = one([1.0, math.inf, math.inf, math.nan])
    assert (found["valid"], found["invalid"], found["mode"]) == (3, 1, "inf")
    assert found["max"] is None


def test_many_texts_are_not_told_apart() -> None:
    """Beyond the limit nothing is claimed; beyond 1,000 bars the rest is counted."""
    found = one([f"t{number}" for number in range(10_001)])
    assert found["uniques"] is None
    found = one([f"t{number}" for number in range(1_500)])
    assert len(found["plotvalues"]) == 1000
    assert found["plotrest"] == {"values": 500, "cases": 500}


def test_a_survey(tmp_path: Path) -> None:
    """The file's own measures and labels; the written JSON is valid and whole."""
    make(tmp_path / "survey.sav")
    prep(tmp_path / "survey.sav", tmp_path / "survey-prep.json")
    found = json.loads((tmp_path / "survey-prep.json").read_text(encoding="utf-8"))
    jsonschema.validate(found, SCHEMA)
    assert list(found["variables"])[:3] == ["id", "age", "sex"]
    assert found["variables"]["interview"]["numchar"] == "character"
    with pytest.raises(OutputError):
        prep(tmp_path / "survey.sav", tmp_path / "survey-prep.json")


def test_no_number_beyond_json(tmp_path: Path) -> None:
    """What the script's profile calls NaN is text in the file."""
    write_prep(prep_object({"x": {"sd": math.nan, "max": math.inf}}), tmp_path / "x.json")
    assert json.loads((tmp_path / "x.json").read_text())["variables"]["x"]["max"] == "Inf"
