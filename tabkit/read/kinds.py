"""What the Arrow type of a column says of its variable, where the source itself says no more."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pyarrow as pa

from tabkit.model import Interval, Kind

if TYPE_CHECKING:
    from tabkit.model import Variable


def typed_variable(variable: Variable, kind: pa.DataType) -> Variable:
    """Return the variable with kind, interval and format category of a column of type ``kind``.

    The values of a number decide its interval later (None); all else is discrete. Dates and times
    are character variables, as everywhere.
    """
    numeric = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    category = ""
    if pa.types.is_temporal(kind):
        category = "date" if pa.types.is_date(kind) else "time"
    return dataclasses.replace(
        variable,
        kind=Kind.NUMERIC if numeric else Kind.CHARACTER,
        interval=None if numeric else Interval.DISCRETE,
        format_category=category,
    )
