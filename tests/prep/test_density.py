"""The density of R: to 1e-8 against real R, and laws that need none."""

from __future__ import annotations

import json
import shutil
import subprocess
import warnings
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.describe.stats import tally
from tabkit.options import ReadOptions
from tabkit.prep import prep
from tabkit.prep.density import POINTS, density
from tabkit.profiles import find_profile
from tabkit.read import open_with, read_all

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
files <- commandArgs(TRUE)
old <- "old.coords" %in% names(formals(density.default))
for (file in files) {
  x <- scan(file, quiet = TRUE)
  d <- if (old) density(x, n = 50, old.coords = TRUE) else density(x, n = 50)
  cat(sprintf("%.17g", c(d$x, d$y)), "\\n")
}
"""
FILES = 20


def r_densities(samples: list[np.ndarray], folder: Path) -> list[np.ndarray]:
    """Return x and y, one after the other, of R's own density of each sample."""
    if shutil.which("Rscript") is None:
        pytest.skip("R is not installed")
    paths = []
    for number, sample in enumerate(samples):
        paths.append(folder / f"{number}.txt")
        paths[-1].write_text("\n".join(map(repr, sample.tolist())))
    script = folder / "density.R"
    script.write_text(SCRIPT)
    command = ["Rscript", "--vanilla", script, *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)
    return [np.array(line.split(), float) for line in done.stdout.splitlines()]


def test_equals_r_on_the_corpus(corpus: Path, tmp_path: Path) -> None:
    """Every curve of 20 files is R's, point by point."""
    curves, samples, files = [], [], 0
    for path in sorted([*corpus.glob("sav/*.sav"), *corpus.glob("dta/*.dta")]):
        if path.stat().st_size > 3_000_000 or path.name.startswith(("bad_", "bomb")):
            continue
        found = _curves(path)
        if not found:
            continue
        files += 1
        for curve, sample in found[:6]:
            curves.append(curve)
            samples.append(sample)
        if files == FILES:
            break
    assert files == FILES
    for ours, theirs in zip(curves, r_densities(samples, tmp_path), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8 * theirs[POINTS:].max())


def _curves(path: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the curves of a file's variables and the numbers that they are made of."""
    try:
        found = prep(path)["variables"]
        table = read_all(open_with(path, ReadOptions()))
    except Exception:
        return []
    curves = []
    for variable in table.variables:
        fields = found[variable.name]
        if fields["plottype"] == "continuous":
            values = table.data[variable.name].drop_null().to_numpy().astype(float)
            valid = [value for value in values.tolist() if not variable.is_user_missing(value)]
            curve = np.array([*fields["plotx"], *fields["ploty"]])
            curves.append((curve, np.array([v for v in valid if np.isfinite(v)])))
    return curves


SHAPES = [
    np.arange(13.0),
    np.repeat([0.0, 1.0, *np.arange(2, 14)], [500, 1, *[1] * 12]),  # no spread between quartiles
    np.geomspace(1e-12, 1e12, 40),
    -np.geomspace(1e-3, 1e3, 17),
    1e9 + np.arange(20.0),
    1e15 + np.repeat(np.arange(40.0), np.arange(40) % 7 + 1),  # R's mean is rounded, its sums not
    np.arange(-20.0, 20.0) * 1e298,  # whose squares are beyond the largest double
]
BEYOND = [
    np.array([-1.7e308, 1.7e308, *range(12)]),
    np.array([1e308, *range(12)]),
    np.arange(1, 31) * 5e-324,
]


@pytest.mark.parametrize("sample", BEYOND)
@pytest.mark.parametrize("profile", ["tabkit", "dataverse"])
def test_bars_where_r_has_no_curve(sample: np.ndarray, profile: str, tmp_path: Path) -> None:
    """What doubles cannot hold gives bars, not an error that takes all variables along."""
    pq.write_table(pa.table({"x": sample, "y": np.arange(len(sample))}), tmp_path / "x.parquet")
    options = ReadOptions(profile=find_profile(profile))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = prep(tmp_path / "x.parquet", options=options)["variables"]
    assert found["x"]["plottype"] == "bar"
    assert sum(found["x"]["plotvalues"].values()) == len(sample)


def test_equals_r_on_odd_shapes(tmp_path: Path) -> None:
    """Ties at both quartiles, heavy tails, negative and far values."""
    expected = r_densities(SHAPES, tmp_path)
    for sample, theirs in zip(SHAPES, expected, strict=True):
        counted = tally(sample.copy())
        curve = density(counted.values, counted.counts)
        ours = np.concatenate([curve.x, curve.y])
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-8 * theirs[POINTS:].max())


@given(st.lists(st.integers(-1000, 1000), min_size=13, max_size=200, unique=True))
def test_is_a_density(values: list[int]) -> None:
    """Never negative, and the area below it is about 1."""
    counted = tally(np.array(values, np.float64))
    curve = density(counted.values, counted.counts)
    assert (curve.y >= 0).all()
    assert np.trapezoid(curve.y, curve.x) == pytest.approx(1, abs=0.05)


def test_infinities_take_their_share(tmp_path: Path) -> None:
    """Of 20 values 5 are infinite, so three quarters of the mass are left."""
    values = np.array([*np.arange(15.0), np.inf])
    counts = np.array([*np.ones(15), 5], np.int64)
    curve = density(values, counts)
    alone = density(values[:-1], counts[:-1])
    np.testing.assert_allclose(curve.y, alone.y * 0.75)
    assert json.dumps(curve.x.tolist())
