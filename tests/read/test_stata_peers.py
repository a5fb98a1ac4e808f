"""Stata data files as pandas and pyreadstat write and read them."""

from __future__ import annotations

import datetime
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat
import pytest

from tabkit.model import Category
from tabkit.read import read
from tests.read.stata_files import cells

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("version", [114, 117, 118, 119])
@pytest.mark.parametrize("order", ["<", ">"])
def test_pandas_files(tmp_path: Path, version: int, order: str) -> None:
    frame = pd.DataFrame(
        {
            "i8": np.array([1, -5, 100], np.int8),
            "i32": np.array([1, 10**9, -(10**9)], np.int32),
            "f4": np.array([0.1, np.nan, 3], np.float32),
            "f8": [0.1, np.nan, 1e300],
            "s": ["a", "", "längere Zeile"],
            "wide": ["x" * 3000, "", "short"] if version >= 117 else ["x", "", "short"],
            "day": pd.to_datetime(["1960-01-01", None, "2024-02-29"]),
            "at": pd.to_datetime(
                ["1960-01-01 00:00:01", None, "2024-02-29 12:30:45.25"], format="ISO8601"
            ),
            "month": pd.to_datetime(["1959-12-01", None, "2024-02-01"]),
            "cat": pd.Categorical(["lo", "hi", "lo"], ["lo", "hi"]),
        }
    )
    path = tmp_path / "x.dta"
    frame.to_stata(
        path,
        version=version,
        byteorder=order,
        write_index=False,
        data_label="Label",
        variable_labels={"i8": "Eight bits"},
        convert_dates={"day": "td", "at": "tc", "month": "tm"},
        time_stamp=datetime.datetime(2020, 1, 2, 3, 4),
        convert_strl=["wide"] if version >= 117 else None,
    )
    table = read(path)
    assert (table.label, table.variables[0].label) == ("Label", "Eight bits")
    assert table.origin.created == datetime.datetime(2020, 1, 2, 3, 4)
    assert cells(table, "i8") == [1, -5, 100]
    assert cells(table, "i32") == [1, 10**9, -(10**9)]
    assert cells(table, "f4") == [float(np.float32(0.1)), None, 3.0]
    assert cells(table, "f8") == [0.1, None, 1e300]
    assert cells(table, "s") == ["a", None, "längere Zeile"]
    assert cells(table, "wide")[2] == "short"
    assert cells(table, "day") == [datetime.date(1960, 1, 1), None, datetime.date(2024, 2, 29)]
    assert cells(table, "at")[2] == datetime.datetime(2024, 2, 29, 12, 30, 45, 250000)
    assert cells(table, "month") == [datetime.date(1959, 12, 1), None, datetime.date(2024, 2, 1)]
    assert table.variables[-1].categories == (Category(0, "lo"), Category(1, "hi"))
    assert cells(table, "cat") == [0, 1, 0]


@pytest.mark.parametrize("release", [8, 10, 12, 13, 14, 15])
def test_pyreadstat_files(tmp_path: Path, release: int) -> None:
    frame = pd.DataFrame({"x": [1.0, 2.0, "a"], "s": ["é" if release >= 14 else "e", "", "z"]})
    path = tmp_path / "x.dta"
    pyreadstat.write_dta(
        frame,
        path,
        version=release,
        file_label="Label",
        column_labels={"x": "The x"},
        variable_value_labels={"x": {1: "one", "a": "lost"}},
        missing_user_values={"x": ["a"]},
    )
    table = read(path)
    assert cells(table, "x") == [1.0, 2.0, None]
    assert table.missing_tags["x"].to_pylist() == [0, 0, 1]
    assert table.variables[0].categories == (
        Category(1, "one"),
        Category(".a", "lost", missing=True),
    )
    assert cells(table, "s") == [text or None for text in frame["s"]]


READABLE_BY_OTHERS = (
    "50by1000", "MLLabelsWithNotesChar", "auto8", "dataverse_strl", "encode", "griliches76", "gss",
    "missing_test", "missings_lsf", "nonint", "notes", "pc5", "readstata13_datetime",
    "stata-compat-104", "stata-compat-be-108", "stata-compat-111", "stata13-auto-withstrls",
    "stata14_119", "stata16_118", "stata16_be_119", "stata1_encoding", "stata4_115", "stata8_113",
    "stata9_115", "statacar", "stringtypes", "tagged-na-double", "time_series_examples",
)  # fmt: skip


@pytest.mark.parametrize("name", READABLE_BY_OTHERS)
def test_real_files_as_pyreadstat_reads_them(corpus: Path, name: str) -> None:
    """Values, labels, value labels, formats and notes, cell by cell."""
    path = corpus / "dta" / f"{name}.dta"
    table = read(path)
    theirs, meta = pyreadstat.read_dta(str(path), disable_datetime_conversion=True)
    assert table.data.column_names == meta.column_names
    assert table.notes == tuple(meta.notes)
    assert table.label == (meta.file_label or "")
    for variable in table.variables:
        assert variable.label.strip() == (meta.column_names_to_labels[variable.name] or "")
        assert variable.display_format == meta.original_variable_types[variable.name]
        labels = {
            str(k).removeprefix("."): v
            for k, v in ((c.value, c.label) for c in variable.categories)
        }
        others = meta.variable_value_labels.get(variable.name, {})
        if not variable.format_category:
            assert labels == {str(k): v for k, v in others.items()}
            assert plain(cells(table, variable.name)) == plain(theirs[variable.name].tolist())
        else:
            nulls = [value is None for value in cells(table, variable.name)]
            assert nulls == theirs[variable.name].isna().tolist()


def plain(values: list[Any]) -> list[object]:
    """Numbers as floats, blank and NaN as None."""
    return [
        None if v is None or v == "" or v != v else (v if isinstance(v, str) else float(v))  # noqa: PLR0124
        for v in values
    ]


@pytest.mark.parametrize("name", [*READABLE_BY_OTHERS, "stata-compat-102", "stata1_encoding_118"])
def test_real_files_as_pandas_reads_them(corpus: Path, name: str) -> None:
    """Values and dates, cell by cell; pandas gives years as dates."""
    path = corpus / "dta" / f"{name}.dta"
    table = read(path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = pd.read_stata(path, convert_categoricals=False)
    assert table.data.column_names == list(theirs.columns)
    for variable in table.variables:
        ours, other = cells(table, variable.name), theirs[variable.name].tolist()
        if variable.format_category and pa.types.is_string(
            table.data.schema.field(variable.name).type
        ):
            continue
        if variable.format_category:
            ours = [None if v is None else pd.Timestamp(v) for v in ours]
            other = [None if pd.isna(v) else pd.Timestamp(v) for v in other]
            assert ours == other
        elif (name, variable.name) != ("statacar", "max"):  # pandas has no infinities
            assert plain(ours) == plain(other)
