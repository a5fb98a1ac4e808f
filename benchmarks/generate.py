"""Make the benchmarks' survey: deterministic, with labels, missing codes, dates and free text.

    python benchmarks/generate.py ROWS FOLDER [--columns N] [--formats sav,dta,csv]

40 columns by default, of the proportions of a social survey: Likert items with declared missing
codes, identifiers, counts, money, weights with long fractions, dates, times and text.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

LIKERT = {1: "Strongly disagree", 2: "Disagree", 3: "Neither", 4: "Agree", 5: "Strongly agree"}
CODES = {97: "Not applicable", 98: "Don't know", 99: "Refused"}
REGIONS = {i: f"Region {i}" for i in range(1, 17)}
TEXT = (
    "the respondent said that local services were rather good although waiting times had become "
    "longer since last year café naïve façade 日本語 Ελλάδα tax income health school family"
)
WORDS = TEXT.split()
_EPOCH = np.datetime64("2020-01-01")


def build(rows: int, columns: int) -> tuple[pd.DataFrame, dict[str, object]]:
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
    options: dict[str, object] = {
        "column_labels": {name: f"Question text of {name}" for name in frame},
        "variable_value_labels": labels,
        "missing_ranges": {item: [{"lo": 97, "hi": 99}] for item in items} | {"sex": [9]},
        "variable_format": {"interview": "DATE11", "began": "DATETIME20"},
    }
    return pd.DataFrame(frame), options


def _holes(rng: np.random.Generator, values: np.ndarray) -> np.ndarray:
    values[rng.random(len(values)) < 0.05] = np.nan
    return values


def main() -> None:
    """Write the files asked for, leaving those that are there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("rows", type=int)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--columns", type=int, default=40)
    parser.add_argument("--formats", default="sav")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    stem = options.folder / f"survey_{options.rows}x{options.columns}"
    wanted = [f for f in options.formats.split(",") if not stem.with_suffix(f".{f}").exists()]
    if not wanted:
        return
    frame, metadata = build(options.rows, options.columns)
    for suffix in wanted:
        path = stem.with_suffix(f".{suffix}")
        if suffix == "sav":
            pyreadstat.write_sav(frame, path, row_compress=True, **metadata)
        elif suffix == "dta":
            kept = {k: metadata[k] for k in ("column_labels",)}
            pyreadstat.write_dta(frame.drop(columns=["interview", "began"]), path, **kept)
        else:
            frame.to_csv(path, index=False)


if __name__ == "__main__":
    main()
