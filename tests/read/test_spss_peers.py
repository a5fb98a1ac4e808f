"""System files read as other readers read them: pyreadstat and the corpus' expected answers."""

from __future__ import annotations

import datetime
import json
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest

from tabkit.errors import FormatError
from tabkit.read import read
from tabkit.read.spss_temporal import temporal_seconds

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from tabkit.model import Table, Variable

PARTIAL = "\ufffd"  # ReadStat drops a character cut by the end of a string, tabkit shows it


def plain_values(column: pa.ChunkedArray) -> list[float | str | None]:
    """Values as SPSS stores them: dates and times in seconds since 1582-10-14."""
    if str(column.type).startswith("duration"):
        micros = column.cast("int64").to_pylist()
        return [None if each is None else each / 1e6 for each in micros]
    return [plain_value(each) for each in column.to_pylist()]


def plain_value(value: datetime.date | float | str | None) -> float | str | None:
    if isinstance(value, datetime.datetime):
        return temporal_seconds(value.isoformat(sep=" "))
    if isinstance(value, datetime.date):
        return temporal_seconds(value.isoformat())
    return value.rstrip(PARTIAL) if isinstance(value, str) else value


def their_values(values: Any) -> list[float | str | None]:
    listed = values.tolist() if isinstance(values, np.ndarray) else list(values)
    return [None if isinstance(v, float) and math.isnan(v) else v for v in listed]


def our_facts(variable: Variable) -> dict[str, object]:
    return {
        "label": variable.label,
        "format": variable.display_format,
        "measure": variable.measure.value,
        "width": variable.display_width,
        "alignment": variable.alignment,
        "labels": {c.value: c.label for c in variable.categories},
        "missing": [(r.low, r.high) for r in variable.missing_ranges]
        + [(value, value) for value in variable.missing_values],
    }


def their_facts(name: str, meta: Any) -> dict[str, object]:
    alignment = meta.variable_alignment.get(name)
    known = alignment != "unknown"  # no record of it: the width is then a guess from the format
    return {
        "label": (meta.column_names_to_labels.get(name) or "").rstrip(),
        "format": meta.original_variable_types.get(name),
        "measure": meta.variable_measure.get(name),
        "width": meta.variable_display_width.get(name) if known else None,
        "alignment": alignment if known else "",
        "labels": meta.variable_value_labels.get(name, {}),
        "missing": [(r["lo"], r["hi"]) for r in meta.missing_ranges.get(name, [])],
    }


def assert_same(found: Table, path: Path) -> None:
    """Compare every cell and every fact with pyreadstat's."""
    columns, meta = pyreadstat.read_sav(
        path, user_missing=True, disable_datetime_conversion=True, output_format="dict"
    )
    assert found.data.column_names == list(columns)
    assert found.label == (meta.file_label or "")
    assert found.origin.created == meta.creation_time
    for variable in found.variables:
        ours = plain_values(found.data.column(variable.name))
        assert ours == their_values(columns[variable.name]), variable.name
        assert our_facts(variable) == their_facts(variable.name, meta), variable.name


def corpus_files(corpus: Path) -> list[Path]:
    return sorted((corpus / "sav").iterdir())


def test_the_corpus_reads_as_pyreadstat_reads_it(corpus: Path) -> None:
    """Cell by cell and label by label; what pyreadstat refuses, tabkit refuses in one line."""
    compared = 0
    for path in corpus_files(corpus):
        try:
            pyreadstat.read_sav(path, metadataonly=True)
        except pyreadstat.ReadstatError:
            with pytest.raises(FormatError):
                read(path)
            continue
        assert_same(read(path), path)
        compared += 1
    assert compared > 20


def test_the_corpus_has_the_shape_that_readers_agree_on(corpus: Path) -> None:
    """Rows, columns and names where every independent reader says the same."""
    for line in (corpus / "expected.jsonl").read_text(encoding="utf-8").splitlines():
        expected = json.loads(line)
        agreed = expected["consensus"]
        if not expected["file"].startswith("sav/") or not agreed.get("rows"):
            continue
        found = read(corpus / expected["file"])
        assert found.cases == agreed["rows"], expected["file"]
        assert agreed.get("columns") in (None, len(found.variables)), expected["file"]
        assert agreed.get("names") in (None, found.data.column_names), expected["file"]


@pytest.mark.parametrize("options", [{}, {"row_compress": True}, {"compress": True}])
def test_files_that_pyreadstat_writes(options: dict[str, bool], tmp_path: Path) -> None:
    """All of its storage forms, with long strings, many labels, missing ranges and dates."""
    rng = np.random.default_rng(3)
    count = 700
    frame = pd.DataFrame(
        {
            "number": np.where(rng.random(count) < 0.1, np.nan, rng.normal(size=count)),
            "code": rng.integers(-150, 300, count).astype(float),
            "text": rng.choice(["", "a", "größe", "日本語" * 5, "x" * 39], count),
            "long": rng.choice(["", "b", "yz" * 700, "é" * 1300], count),
            "moment": rng.integers(0, 10**12, count) / 4.0,
            "day": rng.integers(0, 300_000, count) * 86_400.0,
        }
    )
    frame.loc[3, ["moment", "day"]] = np.nan
    path = tmp_path / ("a.zsav" if options.get("compress") else "a.sav")
    pyreadstat.write_sav(
        frame, path, file_label="größe", column_labels={"number": "Zähler", "long": "é" * 120},
        variable_value_labels={"code": {float(i): f"label {i} é" for i in range(400)},
                               "text": {"a": "one", "größe": "two"}},
        missing_ranges={"code": [{"lo": -150, "hi": -100}, 99.0], "number": [1.0, 2.0, 3.0]},
        variable_measure={"number": "scale", "code": "nominal", "text": "ordinal"},
        variable_format={"moment": "DATETIME20", "day": "EDATE10", "number": "COMMA12.3"},
        variable_display_width={"text": 17}, **options,
    )  # fmt: skip
    assert_same(read(path), path)
