"""What only the values settle of a variable: its interval, and the pattern of dates in text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol, Self

import pyarrow.compute as pc

from tabkit.describe.java_dates import unf_dates
from tabkit.frozen import changed
from tabkit.model import Interval, Kind, Measure, Variable

if TYPE_CHECKING:
    import pyarrow as pa

    from tabkit.profiles import Profile, TabLayout

_FRACTION: Final = ".S"
#: What Dataverse takes for the pattern where the variable has none; IngestServiceBean.
_DEFAULT_PATTERNS: Final = {"date": "yyyy-MM-dd", "time": "yyyy-MM-dd HH:mm:ss.SSS"}


def settled_interval(variable: Variable, profile: Profile, *, has_fraction: bool) -> Interval:
    """Return the interval that the reader gave, the measure tells, or the values show.

    Args:
        variable: Character variables are discrete.
        profile: Asked for ``interval_from_measure``.
        has_fraction: Whether any finite value is not integral.
    """
    if variable.interval is not None:
        return variable.interval
    if variable.kind is Kind.CHARACTER:
        return Interval.DISCRETE
    if profile.interval_from_measure and variable.measure is not Measure.UNKNOWN:
        is_scale = variable.measure is Measure.SCALE
        return Interval.CONTINUOUS if is_scale else Interval.DISCRETE
    return Interval.CONTINUOUS if has_fraction else Interval.DISCRETE


class Hasher(Protocol):
    """What `unf.UnfHasher` does; another may take its place to see what is hashed."""

    def update(self, array: pa.Array) -> None:
        """Add the cases of an Arrow array."""

    def copy(self) -> Self:
        """Return one that has seen the same cases and goes its own way from here."""

    @property
    def cases(self) -> int:
        """How many cases it has seen."""

    def unf(self) -> str:
        """Return the printable fingerprint of the cases seen."""


class TwinHasher:
    """The fingerprint of a variable that can be read in two ways, till the end tells which.

    Both share one hash as long as they agree.

    Args:
        hasher: One that has seen no case; a copy of it is used.
    """

    def __init__(self, hasher: Hasher) -> None:
        self._first = hasher.copy()
        self._second: Hasher | None = None

    def update(self, first: pa.Array, second: pa.Array | None = None) -> None:
        """Add cases; ``second`` is the other reading of them, None where it is the same."""
        if second is not None and self._second is None:
            self._second = self._first.copy()
        self._first.update(first)
        if self._second is not None:
            self._second.update(first if second is None else second)

    def unf(self, *, second: bool = False) -> str:
        """Return the fingerprint of the first or the second reading, empty without cases."""
        hasher = self._second if second and self._second is not None else self._first
        return hasher.unf() if hasher.cases else ""


class PlainUnf:
    """Fingerprint of text that is text."""

    def __init__(self, hasher: Hasher) -> None:
        self._hasher = TwinHasher(hasher)

    def update(self, array: pa.LargeStringArray) -> None:
        """Add cases."""
        self._hasher.update(array)

    def finish(self, variable: Variable) -> tuple[Variable, str]:
        """Return the variable as it is, and the fingerprint, empty without cases."""
        return variable, self._hasher.unf()


class DatedUnf:
    """Fingerprint of dates and times kept as text, by the Java pattern of their variable.

    Args:
        variable: ``display_format`` is the pattern, ``format_category`` ``date`` or ``time``.
        layout: Asked for ``dates_from_values`` and ``fraction_sticks``.
        hasher: One that has seen no case.

    Source: IQSS/dataverse b485249231fe, IngestServiceBean.calculateUNF; SAVFileReader,
    PORFileReader and DTAFileReader, which record the pattern value by value.
    """

    def __init__(self, variable: Variable, layout: TabLayout, hasher: Hasher) -> None:
        self._pattern = variable.display_format or _DEFAULT_PATTERNS[variable.format_category]
        self._layout = layout
        self._may_grow = layout.dates_from_values and self._pattern.endswith("ss")
        self._sticks = layout.fraction_sticks and "y" not in self._pattern
        self._hasher = TwinHasher(hasher)
        self._has_values = self._has_fraction = False

    def update(self, array: pa.LargeStringArray) -> None:
        """Add cases."""
        values = array.drop_null()
        if len(values):
            self._has_values = True
            if self._may_grow:
                self._note_fraction(values)
        # Under the longer pattern, what has no fraction is hashed as it is: both ways are needed.
        second = unf_dates(array, self._pattern + _FRACTION) if self._may_grow else None
        self._hasher.update(unf_dates(array, self._pattern), second)

    def finish(self, variable: Variable) -> tuple[Variable, str]:
        """Return the variable with its pattern settled, and the fingerprint."""
        unf = self._hasher.unf(second=self._has_fraction)
        if not self._has_values:
            category = "" if self._layout.dates_from_values else variable.format_category
            variable = changed(variable, display_format="", format_category=category)
        elif self._has_fraction:
            pattern = variable.display_format + _FRACTION
            variable = changed(variable, display_format=pattern)
        return variable, unf

    def _note_fraction(self, values: pa.LargeStringArray) -> None:
        fractions = pc.match_substring(values, ".")
        sticks = self._sticks and (self._has_fraction or pc.any(fractions).as_py())
        self._has_fraction = bool(sticks or fractions[-1].as_py())
