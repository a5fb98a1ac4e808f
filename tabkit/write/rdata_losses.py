"""What a data frame of R does not carry of a table: of what is said of it, and of its values."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tabkit.loss import Loss
from tabkit.model import Measure
from tabkit.write.metadata_loss import metadata_losses
from tabkit.write.rdata_clock import SPSS, vendor_of
from tabkit.write.rdata_factor import Factor
from tabkit.write.rdata_values import DOUBLE, INTEGER, LOGICAL, TEXT, characters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabkit.loss import Ledger
    from tabkit.model import TableStream, Variable
    from tabkit.write.rdata_plan import Planned

_TYPES: Final = MappingProxyType(
    {LOGICAL: "logical", INTEGER: "integer", DOUBLE: "double", TEXT: "character"}
)
_AS_DOUBLE: Final = frozenset({"double", "num8"})  # storage types that are R's own
#: What every style keeps, or is told of here.
_OF_ALL: Final = frozenset(
    {"file label", "notes", "variable label", "value labels", "storage type"}
)
_OF_HAVEN: Final = _OF_ALL | {"definition of missing values", "display format", "display width"}


def frame_losses(
    stream: TableStream, style: str, planned: Sequence[Planned], names: Sequence[str]
) -> Ledger:
    """Return what the frame does not carry.

    Args:
        stream: The table.
        style: Of the frame.
        planned: Its columns, all settled.
        names: Their names in R.
    """
    kept = _OF_HAVEN if style == "haven" else _OF_ALL
    columns = list(zip(stream.variables, planned, strict=True))
    measured = {variable.name for variable, each in columns if _has_measure(variable, each)}
    losses = [
        loss
        for loss in metadata_losses(stream, kept)
        if loss.what != "level of measurement" or loss.variable not in measured
    ]
    for variable, each in columns:
        losses += each.losses
        losses += each.values.losses(variable.name)
        if each.rounding is not None:
            losses += each.rounding.losses(variable.name)
        if variable.storage and not _is_stored(variable, each):
            losses.append(Loss("storage type", variable.name))
        if style != "haven":
            continue
        vendor = vendor_of(variable, stream.origin)
        if vendor is None and variable.display_format:
            losses.append(Loss("display format", variable.name))
        if vendor is not SPSS and variable.display_width is not None:
            losses.append(Loss("display width", variable.name))
    for variable, new in zip(stream.variables, names, strict=True):
        if variable.name != new:
            losses.append(Loss(f"the name became {new}", variable.name))
    return tuple(losses)


def _has_measure(variable: Variable, planned: Planned) -> bool:
    """Whether a factor says the level of measurement: nominal, or ordinal by its order."""
    if not isinstance(planned.values, Factor):
        return False
    return variable.measure is (Measure.ORDINAL if planned.values.ordered else Measure.NOMINAL)


def _is_stored(variable: Variable, planned: Planned) -> bool:
    """Whether R's vector has the type or the class that the source's storage type names."""
    kind = planned.values.kind
    if variable.storage == _TYPES[kind] or (kind == DOUBLE and variable.storage in _AS_DOUBLE):
        return True
    classes = planned.values.attributes.get("class")
    return classes is not None and classes.data.startswith(characters(variable.storage))
