"""Pictures of tables: the shape of each variable, its missing share, the same bytes every time."""

from __future__ import annotations

import datetime
import io
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tabkit.model import Category, Kind, Measure, MissingRange, Table, Variable
from tabkit.read import stream_of
from tabkit.thumbnail import render
from tabkit.thumbnail.sketch import SHOWN_MAX, Shape, Sketch, sketch_table
from tabkit.thumbnail.table import draw_table

sys.path.insert(0, str(Path(__file__).parents[1] / "data" / "make"))
from survey import make

ORANGE = (222, 110, 76)


def table(rows: int | None = None, **columns: object) -> object:
    """A stream of these columns, in blocks of so many cases."""
    data = pa.table(columns)
    return stream_of(Table(data, tuple(Variable(name) for name in columns)), rows)


def sketch(variable: Variable, column: pa.Array) -> Sketch:
    """The shape of one variable."""
    data = pa.table({variable.name: column})
    return sketch_table(stream_of(Table(data, (variable,)))).variables[0]


def test_shapes() -> None:
    """By type and by how many values differ."""
    rng = np.random.default_rng(1)
    days = [datetime.date(2024, 1, 1) + datetime.timedelta(int(n)) for n in range(200)]
    found = sketch_table(
        table(
            few=pa.array(rng.integers(1, 6, 200)),
            many=pa.array(rng.normal(size=200)),
            when=pa.array(days),
            words=pa.array([f"case {n}" for n in range(200)]),
            codes=pa.array(["a", "b"] * 100),
            flag=pa.array([True, False, None, None] * 50),
            none=pa.nulls(200),
        )
    ).variables
    assert [each.shape for each in found] == [
        Shape.BARS, Shape.CURVE, Shape.MOMENTS, Shape.LINES, Shape.BARS, Shape.BARS, Shape.EMPTY,
    ]  # fmt: skip
    assert [each.missing for each in found] == [0, 0, 0, 0, 0, 0.5, 1]


def test_bars_are_the_counts_in_order_of_value() -> None:
    """1 twice, 2 once, 10 four times."""
    found = sketch(Variable("x"), pa.array([10, 1, 10, 2, 10, 1, 10]))
    assert found.heights == (0.5, 0.25, 1)


def test_user_missing_values_are_missing() -> None:
    """Discrete ones and spans; NaN and infinity cannot be drawn."""
    variable = Variable("x", missing_values=(9.0,), missing_ranges=(MissingRange(97, 99),))
    column = pa.array([1, 2, 9, 98, None, float("nan"), float("inf"), 2], pa.float64())
    found = sketch(variable, column)
    assert (found.heights, found.missing) == ((0.5, 1), 5 / 8)
    text = Variable("t", kind=Kind.CHARACTER, missing_values=("x",))
    assert sketch(text, pa.array(["x", "y", "y", "x"])).missing == 0.5


def test_declared_categories_stay_bars() -> None:
    """Up to twice as many as are guessed to be categories."""
    codes = tuple(Category(float(n), str(n)) for n in range(20))
    column = pa.array([float(n % 20) for n in range(400)])
    labelled = Variable("x", measure=Measure.NOMINAL, categories=codes)
    assert sketch(labelled, column).shape is Shape.BARS
    assert sketch(Variable("x"), column).shape is Shape.CURVE


def test_the_curve_is_the_density() -> None:
    """Normal numbers: each span within 10 percent of the largest of what the normal law says."""
    values = np.random.default_rng(7).normal(100, 15, 20_000)
    heights = np.array(sketch(Variable("x"), pa.array(values)).heights)
    low, high = np.percentile(values, [0.5, 99.5])
    pad = (high - low) / 4
    low, high = max(values.min(), low - pad), min(values.max(), high + pad)
    middles = low + (np.arange(len(heights)) + 0.5) * (high - low) / len(heights)
    law = np.exp(-(((middles - 100) / 15) ** 2) / 2)
    assert np.abs(heights - law).max() < 0.1


@pytest.mark.parametrize("distinct", [13, 50, 73, 97, 1000])
def test_whole_numbers_do_not_make_a_comb(distinct: int) -> None:
    """Evenly spread whole numbers are flat, whatever their number."""
    heights = sketch(Variable("x"), pa.array(np.arange(20_000) % distinct)).heights
    assert min(heights) > 0.9


@pytest.mark.parametrize("value", [1e300, -1e300, 5e-324])
def test_extreme_numbers(value: float) -> None:
    """Nothing overflows, and one far number does not flatten the others."""
    numbers = [*np.linspace(0, 1, 400), value]
    heights = sketch(Variable("x"), pa.array(numbers)).heights
    assert all(0 <= each <= 1 for each in heights)
    assert sum(each > 0.5 for each in heights) > len(heights) / 3
    constant = sketch(Variable("x"), pa.array([value] * 5))
    assert constant.heights == (1,)


def test_a_sample_does_not_see_the_rhythm_of_a_file() -> None:
    """400,000 cases in waves of 2, 4, 8 and 1000 keep the share of each wave; blocks matter not."""
    n = np.arange(400_000)
    waves = {str(p): pa.array(np.minimum(n % p, 9)) for p in (2, 4, 8)}
    whole = sketch_table(table(**waves))
    for each in whole.variables:
        assert min(each.heights) > 0.97
    assert sketch_table(table(rows=7_001, **waves)) == whole


def test_many_variables_are_shown_in_part() -> None:
    """At most 100, spread over the file."""
    wide = {f"v{n}": pa.array([n, n + 1]) for n in range(1000)}
    found = sketch_table(table(**wide)).variables
    assert [each.name for each in found] == [f"v{n}" for n in range(0, 1000, 1000 // SHOWN_MAX)]


def orange(image: Image.Image) -> int:
    """How many pixels are of the colour of missing values."""
    return sum(1 for pixel in image.get_flattened_data() if pixel == (*ORANGE, 255))


@pytest.mark.parametrize("size", [16, 48, 64, 128, 400, 1024])
def test_missing_share_is_marked(size: int) -> None:
    """The rail below a plot is orange as far as cases are missing."""
    pixels = []
    for missing in (0, 1, 50, 100):
        cells = [1.0, 2.0] * ((100 - missing) // 2) + [None] * missing
        cells += [1.0] * (100 - len(cells))
        (image,) = draw_table(table(x=pa.array(cells, pa.float64())), (size,))
        assert image.size == (size, size)
        pixels.append(orange(image))
    none, one, half, every = pixels
    assert none == 0
    assert 0 < one <= half < every
    assert abs(half / every - 0.5) < 0.08


def test_every_variable_has_a_tile() -> None:
    """From 1 to 40 variables at the smallest sizes and the largest."""
    for count in (1, 2, 3, 5, 7, 12, 20, 36, 40):
        columns = {f"v{n}": pa.array([1, 2, 2]) for n in range(count)}
        for image in draw_table(table(**columns), (1, 9, 48, 64, 400)):
            assert image.getbbox() is not None
            assert image.getbbox()[0] == image.getbbox()[1] == 0


def test_no_variables_and_no_cases() -> None:
    """Nothing to draw is drawn: an empty picture, or empty tiles."""
    (image,) = draw_table(table(), (64,))
    assert image.getbbox() is None
    (image,) = draw_table(table(x=pa.array([], pa.int64())), (64,))
    assert orange(image) > 0


def test_survey_on_the_command_line(tmp_path: Path) -> None:
    """Several sizes from one reading, with the same bytes every time."""
    make(tmp_path / "survey.sav")
    done = [
        subprocess.run(
            [sys.executable, "-m", "tabkit", "thumbnail", "survey.sav", name, "--size", "64,400"],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )
        for name in ("a.png", "b.png")
    ]
    assert {each.stdout + each.stderr for each in done} == {b""}
    for size in (64, 400):
        first = (tmp_path / f"a-{size}.png").read_bytes()
        assert first == (tmp_path / f"b-{size}.png").read_bytes()
        image = Image.open(io.BytesIO(first))
        assert (image.size, image.mode) == ((size, size), "RGBA")
    assert render(tmp_path / "survey.sav", (64,)) == [(tmp_path / "a-64.png").read_bytes()]
