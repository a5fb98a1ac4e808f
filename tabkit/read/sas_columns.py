"""Columns of SAS data: numbers, texts and tags as decoded go in, typed blocks come out.

Source: SAS 9.4 Language Reference: Concepts, "About SAS Date, Time, and Datetime Values".
"""

from __future__ import annotations

import dataclasses
import datetime
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tabkit.model import Block, Finding
from tabkit.read.sas_formats import Temporal, column_type
from tabkit.read.spss_columns import decode_column
from tabkit.read.spss_temporal import TemporalFaults

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from tabkit.read.sas_formats import SasVariable
    from tabkit.read.spss_text import Decoder

    Floats = npt.NDArray[np.float64]
    Flags = npt.NDArray[np.bool_]

_ORIGIN: Final = datetime.date(1960, 1, 1)
_ORIGIN_DAYS: Final = (_ORIGIN - datetime.date(1970, 1, 1)).days
_FIRST_DAY: Final = (datetime.date.min - _ORIGIN).days
_END_DAY: Final = (datetime.date.max - _ORIGIN).days + 1
_DAY: Final = 86_400
_MICRO: Final = 1_000_000
_DURATION_LIMIT: Final = 9.2e12  # seconds; microseconds of it fit 64 bits


@dataclasses.dataclass(frozen=True, slots=True)
class Column:
    """Cases of one variable as decoded.

    Attributes:
        values: Numbers (float64) or texts, null where missing.
        tags: Indices into `TAG_LETTERS`, None where no case is tagged.
        replaced: Cases whose text had bytes without a meaning in the encoding.
        is_beyond_ascii: Whether texts had bytes whose meaning the encoding tells.
    """

    values: pa.Array
    tags: pa.Int8Array | None = None
    replaced: int = 0
    is_beyond_ascii: bool = False


def text_column(stored: pa.BinaryArray, decoder: Decoder) -> Column:
    """Decode texts with bytes beyond ASCII, without their padding, each distinct one once."""
    texts, replaced = decode_column(stored, lambda data: decoder.decode(data.rstrip(_PADDING)))
    return Column(texts, None, replaced, is_beyond_ascii=True)


class BlockMaker:
    """Makes typed blocks of decoded columns, and counts what their types cannot hold.

    Args:
        variables: One a column.
    """

    def __init__(self, variables: Sequence[SasVariable]) -> None:
        self._variables = variables
        self._faults = [TemporalFaults() for _ in variables]
        self._replaced = [0 for _ in variables]
        self.schema = pa.schema(
            [(each.name, column_type(each.shown, is_text=each.is_text)) for each in variables]
        )

    def blocks(self, columns: Sequence[Column], rows: int) -> Iterator[Block]:
        """Yield the cases of ``columns`` in blocks of at most ``rows``."""
        typed = [self._typed(index, column) for index, column in enumerate(columns)]
        batch = pa.record_batch(typed, schema=self.schema)
        tags = {
            variable.name: column.tags
            for variable, column in zip(self._variables, columns, strict=True)
            if column.tags is not None
        }
        for start in range(0, batch.num_rows, rows):
            yield Block(
                batch.slice(start, rows),
                {name: each.slice(start, rows) for name, each in tags.items()},
            )

    def findings(self) -> list[Finding]:
        """Tell, after the last block, what was replaced or lost, variable by variable."""
        found = []
        for each, faults, replaced in zip(
            self._variables, self._faults, self._replaced, strict=True
        ):
            found += faults.findings(each.name)
            if replaced:
                found.append(Finding(f"{_REPLACED} (cases: {replaced:,})", "warning", each.name))
        return found

    def _typed(self, index: int, column: Column) -> pa.Array:
        variable = self._variables[index]
        self._replaced[index] += column.replaced
        if variable.is_text:
            return pc.if_else(pc.equal(column.values, ""), _NO_TEXT, column.values)
        if variable.shown.temporal is None:
            return column.values
        numbers = column.values.to_numpy(zero_copy_only=False)
        typed, faults = temporal_column(numbers, variable.shown.temporal)
        self._faults[index] += faults
        return typed


_PADDING: Final = b" \0"
_NO_TEXT: Final = pa.scalar(None, pa.string())  # SAS has no empty text: a blank one is missing
_REPLACED: Final = "bytes that are no text in the file's encoding are replaced by U+FFFD"


def temporal_column(values: Floats, kind: Temporal) -> tuple[pa.Array, TemporalFaults]:
    """Convert days or seconds (NaN = missing) into a column of type `column_type`.

    What the type cannot hold becomes null, or loses its fraction, and is counted.
    """
    missing = np.isnan(values)
    out = _out_of_range(values, kind)
    missing |= out
    known = np.where(missing, 0.0, values)
    whole = np.floor(known)
    count = whole.astype(np.int64)
    if kind is Temporal.DATE:
        faults = TemporalFaults(int(out.sum()), time_of_day=int(np.count_nonzero(known != whole)))
        days = (count + _ORIGIN_DAYS).astype(np.int32)
        return pa.array(days, mask=missing).view(pa.date32()), faults
    fraction = np.rint((known - whole) * _MICRO)
    finer = int(np.count_nonzero(_to_micros(known) != known))
    micros = count * _MICRO + fraction.astype(np.int64)
    if kind is Temporal.DATETIME:
        micros += _ORIGIN_DAYS * _DAY * _MICRO
    typed = pa.timestamp("us") if kind is Temporal.DATETIME else pa.duration("us")
    return pa.array(micros, mask=missing).view(typed), TemporalFaults(int(out.sum()), finer=finer)


def _to_micros(seconds: Floats) -> Floats:
    """Return the doubles nearest to ``seconds`` cut to microseconds, to tell finer ones."""
    whole = np.floor(seconds)
    nearest: Floats = whole + np.rint((seconds - whole) * _MICRO) / _MICRO
    return nearest


def _out_of_range(values: Floats, kind: Temporal) -> Flags:
    low, high = {
        Temporal.DATE: (_FIRST_DAY, _END_DAY),
        Temporal.DATETIME: (_FIRST_DAY * _DAY, _END_DAY * _DAY),
        Temporal.TIME: (-_DURATION_LIMIT, _DURATION_LIMIT),
    }[kind]
    with np.errstate(invalid="ignore"):
        flags: Flags = (values < low) | (values >= high)
    return flags
