"""The part of a ledger that depends on metadata alone: what a table states and a target drops."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import pyarrow.compute as pc

from tabkit.loss import Loss
from tabkit.model import Kind, Measure

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from tabkit.model import Block, Table, TableStream, Variable

#: Numbers stand on the right unless a file says otherwise, texts on the left.
_UNUSUAL: Final = {Kind.NUMERIC: ("left", "center"), Kind.CHARACTER: ("center",)}
#: What can be stated of a variable, in the ledger's words, and how much of it there is.
_OF_VARIABLE: Final[Mapping[str, Callable[[Variable], int]]] = MappingProxyType(
    {
        "variable label": lambda variable: bool(variable.label),
        "value labels": lambda variable: len(variable.categories),
        "definition of missing values": lambda variable: (
            len(variable.missing_values) + len(variable.missing_ranges)
        ),
        "level of measurement": lambda variable: variable.measure is not Measure.UNKNOWN,
        "display format": lambda variable: bool(
            variable.display_format or variable.decimals is not None
        ),
        "display width": lambda variable: variable.display_width is not None,
        "alignment": lambda variable: variable.alignment in _UNUSUAL[variable.kind],
        "storage type": lambda variable: bool(variable.storage),
        "use as weight": lambda variable: variable.weight,
        "role": lambda variable: bool(variable.role),
        "question text": lambda variable: bool(variable.question),
        "attributes": lambda variable: len(variable.attributes),
    }
)
_OF_FILE: Final[Mapping[str, Callable[[Table | TableStream], int]]] = MappingProxyType(
    {
        "file label": lambda table: bool(table.label),
        "notes": lambda table: len(table.notes),
        "multiple-response sets": lambda table: len(table.response_sets),
        "attributes of the file": lambda table: len(table.attributes),
    }
)


def metadata_losses(table: Table | TableStream, kept: Collection[str] = ()) -> list[Loss]:
    """Return a loss for everything that is stated of the table and not ``kept``.

    Args:
        table: Any table.
        kept: What the target carries, or tells the loss of by itself, in the ledger's words.
    """
    losses = [
        Loss(what, "", _count(amount(table)))
        for what, amount in _OF_FILE.items()
        if what not in kept and amount(table)
    ]
    dropped = {what: amount for what, amount in _OF_VARIABLE.items() if what not in kept}
    for variable in table.variables:
        losses += [
            Loss(what, variable.name, _count(amount(variable)))
            for what, amount in dropped.items()
            if amount(variable)
        ]
    return losses


def tag_losses(table: Table) -> list[Loss]:
    """Return how many tagged missings of each variable became plain missings."""
    counts = {name: _count_tags(tags) for name, tags in table.missing_tags.items()}
    return counted_tag_losses(counts)


def count_tags(block: Block, counts: dict[str, int]) -> None:
    """Add the tagged missings of a block to ``counts``, by variable."""
    for name, tags in block.missing_tags.items():
        counts[name] = counts.get(name, 0) + _count_tags(tags)


def counted_tag_losses(counts: Mapping[str, int]) -> list[Loss]:
    """Return a loss for every variable with tagged missings."""
    what = "tagged missings became plain missings"
    return [Loss(what, name, count) for name, count in counts.items() if count]


def _count_tags(tags: pa.Array | pa.ChunkedArray) -> int:
    return count_true(pc.not_equal(tags, pa.scalar(0, pa.int8())))


def count_true(flags: pa.Array | pa.ChunkedArray) -> int:
    """Return how many of the flags are true; null is not."""
    return pc.sum(flags).as_py() or 0


def _count(amount: int) -> int | None:
    """Texts are there or not; only lists are counted."""
    return None if isinstance(amount, bool) else amount
