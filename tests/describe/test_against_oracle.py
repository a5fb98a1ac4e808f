"""Every table that Dataverse ingested: its text, read column by column, gives Dataverse's facts.

The oracle's tables are read here without any reader of tabkit: cells become the Arrow columns and
Variables that a reader gives in profile ``dataverse``.
"""

from __future__ import annotations

import gzip
import json
import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tabkit.describe import describe
from tabkit.model import Category, Interval, Kind, Origin, Table, Variable
from tabkit.profiles import DATAVERSE

ORACLE = Path(__file__).resolve().parents[3] / "shared" / "oracle" / "dataverse"
INTERVALS = {"DISCRETE": Interval.DISCRETE, "CONTINUOUS": Interval.CONTINUOUS}
#: Old Stata versions by the name that Dataverse gives them; newer ones print numbers otherwise.
OLD_STATA = {"rel_4or5", "rel_6", "rel_7first", "rel_7scnd", "rel_8_or_9", "rel_10", "rel_12"}


def ingested() -> list[dict[str, Any]]:
    """Facts of the files that Dataverse could ingest."""
    path = ORACLE / "ingest.jsonl"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return [facts for facts in map(json.loads, lines) if facts.get("ingested", True)]


def origin(facts: dict[str, Any]) -> Origin:
    """Where the table came from, as far as describing asks."""
    suffix = Path(facts["file"]).suffix[1:]
    name = {"tab": "tsv"}.get(suffix, suffix)
    version = "114" if facts["originalVersion"] in OLD_STATA else "118"
    return Origin(format=name, format_version=version if name == "dta" else "")


def cells(facts: dict[str, Any]) -> list[list[str]]:
    """The columns of a table, as text."""
    data = gzip.decompress((ORACLE / f"{facts['file']}.tab.gz").read_bytes()).decode()
    rows = [line.split("\t") for line in data.split("\n")[1:-1]]
    return [list(column) for column in zip(*rows, strict=True)]


def unquoted(cell: str, *, is_csv: bool) -> str | None:
    r"""The text of a source; CSV leaves the source's backslashes as they are."""
    if not cell:
        return None
    inner = cell[1:-1] if cell.startswith('"') else cell
    if is_csv:
        return inner.replace('\\"', '"')
    for written, character in (('\\"', '"'), ("\\t", "\t"), ("\\n", "\n"), ("\\r", "\r")):
        inner = "\\\\".join(part.replace(written, character) for part in inner.split("\\\\"))
    return inner.replace("\\\\", "\\")


def number(cell: str) -> float | None:
    """The number of a cell that Java printed."""
    return float(cell.replace("∞", "inf").replace("Infinity", "inf")) if cell else None


def column(known: dict[str, Any], text: list[str], source: str) -> tuple[pa.Array, Variable]:
    """What a reader gives for a column."""
    is_csv = source in {"csv", "tsv"}
    is_numeric = known["type"] == "NUMERIC"
    variable = Variable(
        known["name"],
        kind=Kind.NUMERIC if is_numeric else Kind.CHARACTER,
        interval=INTERVALS[known["interval"]],
        bare=is_csv if is_numeric else not any(cell.startswith('"') for cell in text),
        format_category=known["formatCategory"] or "",
        display_format="" if is_numeric else (known["format"] or ""),
        categories=tuple(
            Category(float(each["value"]) if is_numeric else each["value"], each["label"])
            for each in known.get("categories", [])
        ),
    )
    replace: dict[str, Any] = {}
    if source in {"sav", "por"} and is_numeric:
        replace = {"interval": None}
    if source in {"sav", "por"}:
        replace["display_format"] = variable.display_format.removesuffix(".S")
    array: pa.Array
    if is_csv and is_numeric:
        array = pa.array([cell or None for cell in text], pa.string())
    elif is_numeric:
        kind = pa.float64()
        if source == "dta" and known["interval"] == "DISCRETE":
            kind = pa.int32()
        elif known["format"] == "float":
            kind = pa.float32()
        numbers = [number(cell) for cell in text]
        array = pa.array(numbers, pa.float64(), from_pandas=False).cast(kind)
    else:
        array = pa.array([unquoted(cell, is_csv=is_csv) for cell in text], pa.string())
    fields = {name: getattr(variable, name) for name in Variable.__dataclass_fields__}
    return array, Variable(**(fields | replace))


def table(facts: dict[str, Any]) -> Table:
    """The table that a reader gives."""
    texts = cells(facts)
    suffix = origin(facts).format
    pairs = [column(*each, suffix) for each in zip(facts["variables"], texts, strict=True)]
    names = [variable.name for _, variable in pairs]
    data = pa.table([array for array, _ in pairs], names=names)
    return Table(data, tuple(variable for _, variable in pairs), origin=origin(facts))


def is_same(ours: float | None, theirs: str) -> bool:
    if ours is None:
        return False
    wanted = float(theirs.replace("Infinity", "inf"))
    if math.isnan(wanted):
        return math.isnan(ours)
    return ours == wanted or math.isclose(ours, wanted, rel_tol=1e-12)


@pytest.mark.parametrize("facts", ingested(), ids=lambda facts: facts["file"])
def test_describes_as_dataverse(oracle: Path, facts: dict[str, Any]) -> None:
    """Types, statistics, frequencies and fingerprints are Dataverse's."""
    description = describe(table(facts), DATAVERSE)
    assert description.cases == facts["cases"]
    for variable, described, known in zip(
        description.table.variables, description.variables, facts["variables"], strict=True
    ):
        assert described.unf == known["unf"], variable.name
        assert variable.interval is INTERVALS[known["interval"]], variable.name
        assert variable.display_format == (known["format"] or ""), variable.name
        assert variable.format_category == (known["formatCategory"] or ""), variable.name
        frequencies = tuple(each["freq"] for each in known.get("categories", []))
        assert described.frequencies == frequencies, variable.name
        stats, theirs = described.stats, known.get("sumStat")
        if theirs is None:
            assert stats.valid is stats.invalid is stats.mean is None, variable.name
            continue
        pairs = [
            (stats.mean, "mean"),
            (stats.median, "medn"),
            (stats.valid, "vald"),
            (stats.invalid, "invd"),
            (stats.minimum, "min"),
            (stats.maximum, "max"),
            (stats.stdev, "stdev"),
        ]
        assert stats.mode is None
        for ours, name in pairs:
            assert is_same(ours, theirs[name]), (variable.name, name, ours, theirs[name])
    assert description.unf == facts["unf"]
