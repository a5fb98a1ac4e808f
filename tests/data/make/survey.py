"""Make the sample survey of ``make demo``: an SPSS file with all that archives must not lose."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pyreadstat

CASES = 300
LABELS = {
    "id": "Respondent number",
    "age": "Age in years",
    "sex": "Sex of respondent",
    "region": "Region of residence",
    "health": "How is your health in general?",
    "income": "Monthly net income, euro",
    "interview": "Date of interview",
    "comment": "Remarks of the interviewer",
}
HEALTH = {1.0: "Very good", 2.0: "Good", 3.0: "Fair", 4.0: "Bad", 8.0: "Don't know", 9.0: "Refused"}
COMMENTS = ("", 'said "maybe"', "café, 2nd floor", "tab\there", "line one\nline two")


def make(path: Path) -> None:
    """Write the survey to ``path``; the same bytes' worth of data every time."""
    rng = np.random.default_rng(20)
    income = np.round(rng.lognormal(7.5, 0.6, CASES), 2)
    income[rng.random(CASES) < 0.05] = np.nan
    income[rng.random(CASES) < 0.08] = -99
    frame = pd.DataFrame(
        {
            "id": np.arange(1, CASES + 1, dtype=float),
            "age": rng.integers(18, 96, CASES).astype(float),
            "sex": rng.choice([1.0, 2.0, 9.0], CASES, p=[0.48, 0.5, 0.02]),
            "region": rng.choice(["N", "S", "W", "E"], CASES),
            "health": rng.choice(list(HEALTH), CASES, p=[0.2, 0.4, 0.2, 0.1, 0.05, 0.05]),
            "income": income,
            "interview": [
                datetime.date(2024, 3, 1) + datetime.timedelta(int(days))
                for days in rng.integers(0, 60, CASES)
            ],
            "comment": rng.choice(COMMENTS, CASES),
        }
    )
    pyreadstat.write_sav(
        frame,
        path,
        file_label="Sample survey of tabkit",
        column_labels=LABELS,
        variable_value_labels={
            "sex": {1.0: "Male", 2.0: "Female", 9.0: "No answer"},
            "health": HEALTH,
            "region": {"N": "North", "S": "South", "W": "West", "E": "East"},
            "income": {-99.0: "Refused"},
        },
        missing_ranges={"sex": [9.0], "health": [{"lo": 8.0, "hi": 9.0}], "income": [-99.0]},
        variable_measure={
            "id": "nominal", "age": "scale", "sex": "nominal", "region": "nominal",
            "health": "ordinal", "income": "scale", "comment": "nominal",
        },
        variable_format={"age": "F3.0", "income": "F9.2", "interview": "DATE11"},
        note="Made for the demonstration of tabkit.",
    )  # fmt: skip


if __name__ == "__main__":
    make(Path(sys.argv[1]))
