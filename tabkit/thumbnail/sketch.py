"""What a picture of a table shows: the shape of each variable, from a sample in bounded memory.

A sample is enough: a bar of a few dozen pixels cannot tell more. It is spread evenly over the file
and the same for the same data, however it comes in blocks.
"""

from __future__ import annotations

import dataclasses
import enum
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.describe.columns import is_moment, is_text, plain, values_and_missing
from tabkit.model import Measure
from tabkit.read import select_stream

if TYPE_CHECKING:
    import numpy.typing as npt

    from tabkit.model import TableStream, Variable

SHOWN_MAX: Final = 100  # variables of a picture; of more, every so many are shown
_SAMPLE: Final = 20_000  # cases, at most twice as many are held
_GOLDEN: Final = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio
_CATEGORIES_MAX: Final = 12  # distinct values that are bars of their own
_BINS: Final = 48
_LINES: Final = 12  # texts whose lengths are shown
_TRIM: Final = 0.5  # percent of the values at either end that may lie beyond the plot


class Shape(enum.Enum):
    """How a variable is drawn."""

    BARS = "bars"  # a bar a category
    CURVE = "curve"  # how numbers are distributed
    MOMENTS = "moments"  # the same, of dates and times
    LINES = "lines"  # texts by their length
    EMPTY = "empty"  # no valid value


@dataclasses.dataclass(frozen=True, slots=True)
class Sketch:
    """The shape of one variable.

    Attributes:
        name: The variable's name.
        shape: How it is drawn.
        heights: Of bars or points, or lengths of lines; the largest is 1.
        missing: Share of cases without a valid value, 0 to 1.
    """

    name: str
    shape: Shape
    heights: tuple[float, ...]
    missing: float


@dataclasses.dataclass(frozen=True, slots=True)
class TableSketch:
    """The shapes of a table's variables, those that are shown, in file order."""

    variables: tuple[Sketch, ...]


def sketch_table(stream: TableStream) -> TableSketch:
    """Read a stream to its end and return the shapes of its variables, at most `SHOWN_MAX`."""
    names = [variable.name for variable in stream.variables]
    shown = evenly(names, SHOWN_MAX)
    chosen = select_stream(stream, shown)
    sample = _sampled(chosen)
    columns = (pa.chunked_array(sample.column(index)) for index in range(len(shown)))
    return TableSketch(
        tuple(
            _sketch(variable, plain(column.combine_chunks()))
            for variable, column in zip(chosen.variables, columns, strict=True)
        )
    )


def evenly(items: list[Any], count: int) -> list[Any]:
    """Return ``count`` of the items, spread evenly; all where there are no more."""
    if len(items) <= count:
        return items
    return [items[index * len(items) // count] for index in range(count)]


def _sampled(stream: TableStream) -> pa.Table:
    """Keep about every 2^k-th case, where k grows with the table.

    Multiples of the golden ratio choose them: evenly, and out of step with any rhythm of the file
    (four waves of a panel, two members of a household).
    """
    kept = stream.schema.empty_table()
    order = np.empty(0, np.uint64)
    halvings = row = 0
    with stream:
        for block in stream.blocks:
            rows = np.arange(row, row + block.data.num_rows, dtype=np.uint64)
            row += block.data.num_rows
            scattered = rows * np.uint64(_GOLDEN)  # modulo 2^64
            mask = _first(scattered, halvings)
            kept = pa.concat_tables([kept, pa.Table.from_batches([block.data]).filter(mask)])
            order = np.concatenate([order, scattered[mask]])
            while len(order) > 2 * _SAMPLE:
                halvings += 1
                mask = _first(order, halvings)
                kept, order = kept.filter(mask).combine_chunks(), order[mask]
    return kept


def _first(scattered: npt.NDArray[np.uint64], halvings: int) -> npt.NDArray[np.bool_]:
    return (scattered >> np.uint64(64 - halvings)) == 0 if halvings else scattered >= 0


def _sketch(variable: Variable, column: pa.Array) -> Sketch:
    cases = len(column)
    valid = column.drop_null()
    if variable.missing_values or variable.missing_ranges:
        distinct = valid.unique()
        kept = [not variable.is_user_missing(value) for value in distinct.to_pylist()]
        valid = valid.filter(pc.is_in(valid, value_set=distinct.filter(pa.array(kept, pa.bool_()))))
    if pa.types.is_floating(valid.type):
        valid = valid.filter(pc.is_finite(valid))
    missing = 1 - len(valid) / cases if cases else 1.0
    shape, heights = _shape(variable, valid)
    return Sketch(variable.name, shape, heights, missing)


def _shape(variable: Variable, valid: pa.Array) -> tuple[Shape, tuple[float, ...]]:
    if not len(valid):
        return Shape.EMPTY, ()
    if is_moment(valid.type):
        return Shape.MOMENTS, _curve(_numbers(valid))
    distinct = len(valid.unique())
    labelled = variable.measure in {Measure.NOMINAL, Measure.ORDINAL} and variable.categories
    if distinct <= _CATEGORIES_MAX or (labelled and distinct <= 2 * _CATEGORIES_MAX):
        return Shape.BARS, _bars(valid)
    if is_text(valid.type):
        return Shape.LINES, _lines(valid)
    return Shape.CURVE, _curve(_numbers(valid))


def _numbers(valid: pa.Array) -> npt.NDArray[np.float64]:
    return values_and_missing(valid)[0].astype(np.float64)


def _bars(valid: pa.Array) -> tuple[float, ...]:
    """Return the counts of the values in their order, the largest 1."""
    counts = valid.value_counts()
    order = pc.sort_indices(counts.field(0))
    return _scaled(counts.field(1).take(order).to_numpy(zero_copy_only=False))


def _lines(valid: pa.Array) -> tuple[float, ...]:
    """Return lengths of a few texts in their order, the largest 1."""
    lengths = pc.utf8_length(valid).to_numpy(zero_copy_only=False)
    few = evenly(list(range(len(lengths))), _LINES)
    return _scaled(np.sqrt(lengths[few]))  # a few long texts do not flatten the others


def _curve(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Return how often values fall into equal spans, the largest 1.

    What lies beyond the middle 99 percent by far is counted at the ends. Whole numbers fall into
    spans of equally many of them, so that no span is empty for its width alone.
    """
    low, high = np.percentile(values, [_TRIM, 100 - _TRIM])
    pad = (high - low) / 4
    low, high = max(values.min(), low - pad), min(values.max(), high + pad)
    if not np.isfinite(high - low) or low == high:
        return (1.0,)
    bins = min(_BINS, max(8, round(2 * np.cbrt(len(values)))))
    if np.all(values == np.floor(values)) and high - low >= 1:
        low, high = np.floor(low) - 0.5, np.ceil(high) + 0.5
        step = np.ceil((high - low) / bins)
        edges = np.minimum(low + step * np.arange(np.ceil((high - low) / step) + 1), high)
    else:
        edges = np.linspace(low, high, bins + 1)
    counts, _ = np.histogram(np.clip(values, edges[0], edges[-1]), edges)
    padded = np.pad(counts / np.diff(edges), 1, mode="edge")  # the last span may be narrower
    return _scaled(padded[:-2] / 4 + padded[1:-1] / 2 + padded[2:] / 4)


def _scaled(heights: npt.NDArray[Any]) -> tuple[float, ...]:
    largest = heights.max() or 1
    return tuple(float(each) for each in heights / largest)
