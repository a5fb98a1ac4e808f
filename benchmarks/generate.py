"""Make the benchmarks' survey: deterministic, with labels, missing codes, dates and free text.

    python benchmarks/generate.py FOLDER ROWS [COLUMNS]

40 columns by default, of the proportions of a social survey: Likert items with declared missing
codes, identifiers, counts, money, weights with long fractions, dates, times and text.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import media
import numpy as np
import pandas as pd
import pyarrow as pa
import pyreadstat

from tabkit import Category, Table, Variable, describe, write_codebook

WIDE_CSV = 41_723  # columns; the reference system took 18 hours over such a file
LIKERT = {1: "Strongly disagree", 2: "Disagree", 3: "Neither", 4: "Agree", 5: "Strongly agree"}
CODES = {97: "Not applicable", 98: "Don't know", 99: "Refused"}
REGIONS = {i: f"Region {i}" for i in range(1, 17)}
TEXT = (
    "the respondent said that local services were rather good although waiting times had become "
    "longer since last year café naïve façade 日本語 Ελλάδα tax income health school family"
)
WORDS = TEXT.split()
_EPOCH = np.datetime64("2020-01-01")


def build(rows: int, columns: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the frame and pyreadstat's options for it."""
    rng = np.random.default_rng(20261121)
    frame: dict[str, object] = {
        "caseid": np.arange(1, rows + 1, dtype=float),
        "weight": rng.lognormal(0, 0.5, rows),
        "age": _holes(rng, np.clip(rng.normal(47, 18, rows).round(), 16, 104)),
        "sex": rng.choice([1.0, 2.0, 9.0], rows, p=[0.48, 0.5, 0.02]),
        "region": _holes(rng, rng.integers(1, 17, rows).astype(float)),
        "income": _holes(rng, rng.lognormal(7.5, 0.6, rows).round(2)),
        "hours": _holes(rng, rng.integers(0, 80, rows) / 2),
        "party": rng.choice(["CON", "LAB", "LIB", "GRN", ""], rows),
        "remark": rng.choice(np.array([" ".join(rng.choice(WORDS, 6)) for _ in range(5000)]), rows),
    }
    interviewed = _EPOCH + rng.integers(0, 1500, rows).astype("timedelta64[D]")
    frame["interview"] = pd.Series(interviewed.astype("datetime64[s]")).dt.date
    frame["began"] = pd.Series(
        interviewed.astype("datetime64[s]") + rng.integers(0, 86400, rows).astype("timedelta64[s]")
    )
    items = [f"q{i}" for i in range(1, columns - len(frame) + 1)]
    pool = np.array([*LIKERT, *CODES], float)
    for item in items:
        shares = [0.15, 0.25, 0.2, 0.2, 0.12, 0.02, 0.04, 0.02]
        frame[item] = _holes(rng, rng.choice(pool, rows, p=shares))
    labels = dict.fromkeys(items, LIKERT | CODES) | {"region": REGIONS}
    options: dict[str, Any] = {
        "column_labels": {name: f"Question text of {name}" for name in frame},
        "variable_value_labels": labels,
        "missing_ranges": {item: [{"lo": 97, "hi": 99}] for item in items} | {"sex": [9]},
        "variable_format": {"interview": "DATE11", "began": "DATETIME20"},
    }
    return pd.DataFrame(frame), options


def _holes(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    values[rng.random(len(values)) < 0.05] = np.nan
    return values


def survey(path: Path, rows: int, columns: int) -> Path:
    """Write the survey as the format of ``path``'s suffix (.sav, .dta, .csv), once."""
    if path.exists():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    frame, metadata = build(rows, columns)
    draft = path.with_name(f"draft-{path.name}")
    if path.suffix == ".sav":
        pyreadstat.write_sav(frame, draft, row_compress=True, **metadata)
    elif path.suffix == ".dta":
        kept = frame.drop(columns=["interview", "began"])
        labels = [metadata["column_labels"][name] for name in kept]
        pyreadstat.write_dta(kept, draft, column_labels=labels)
    else:
        frame.to_csv(draft, index=False)
    return draft.rename(path)


def wide_csv(path: Path, columns: int) -> Path:
    """Write a .csv of many columns and 60 cases (about 20 MB): numbers, codes and words."""
    if path.exists():
        return path
    rng = np.random.default_rng(7)
    draft = path.with_name(f"draft-{path.name}")
    with draft.open("w", encoding="utf-8") as file:
        file.write(",".join(f"gene_{i}" for i in range(columns)) + "\n")
        for _ in range(60):
            cells = np.char.mod("%.5f", rng.normal(size=columns))
            cells[::7] = rng.choice(np.array(["low", "high", ""]), len(cells[::7]))
            file.write(",".join(cells) + "\n")
    return draft.rename(path)


def large_codebook(path: Path, variables: int) -> Path:
    """Write the codebook of a table of so many variables, ten categories each, by tabkit."""
    if path.exists():
        return path
    categories = tuple(Category(float(i), f"Answer {i}") for i in range(10))
    names = [f"v{i}" for i in range(variables)]
    column = pa.array(np.arange(10, dtype=float))
    table = Table(
        pa.table([column] * variables, names=names),
        tuple(Variable(name, label=f"Question {name}", categories=categories) for name in names),
    )
    write_codebook(describe(table), path)
    return path


def main() -> None:
    """Make the files that the benchmarks work on, those that are not there yet."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("rows", type=int)
    parser.add_argument("columns", type=int, nargs="?", help="only a survey of so many columns")
    options = parser.parse_args()
    folder = options.folder
    survey(folder / f"survey_{options.rows}x{options.columns or 40}.sav", options.rows,
           options.columns or 40)  # fmt: skip
    if options.columns is None:
        survey(folder / "small.dta", 100_000, 47)  # two date columns are left out of a .dta
        survey(folder / "wide.sav", 200, 20_000)
        wide_csv(folder / "wide.csv", WIDE_CSV)
        large_codebook(folder / "large-ddi.xml", 100_000)
        media.make(folder)


if __name__ == "__main__":
    main()
