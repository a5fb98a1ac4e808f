"""A table as a data frame in a running R: its vectors are filled in R's own memory.

Numbers go there straight from Arrow's buffers, or from what a file would hold where they have to
change (missings, other types); texts and attributes go by R's serialization, which is C code.
The columns are those of a file (`tabkit.write.rdata_plan`): the frame is identical() to it.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np

from tabkit.write import rdata_values as r
from tabkit.write.rdata import frame_attributes, planned_columns, style_of
from tabkit.write.rdata_columns import Numbers
from tabkit.write.rdata_losses import frame_losses
from tabkit.write.rdata_names import legal_names
from tabkit.write.rdata_plan import check_style

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from tabkit.loss import Ledger
    from tabkit.model import Block, TableStream
    from tabkit.write.rdata_plan import Planned

    _Piece: TypeAlias = bytes | npt.NDArray[np.float64]

#: By the type of a vector: R's function that makes one, and how a file has its numbers.
_MADE_BY: Final = MappingProxyType(
    {r.DOUBLE: ("double", ">u8"), r.INTEGER: ("integer", ">u4"), r.LOGICAL: ("logical", ">u4")}
)


def session_frame(stream: TableStream, style: str | None) -> tuple[Any, Ledger]:
    """Make the data frame in the R that rpy2 runs; return it and what it does not carry.

    Args:
        stream: Read to its end; its blocks are kept meanwhile, as of a table in memory.
        style: As for a file; None leaves it to the profile.

    Raises:
        UsageError: A style that there is not.
    """
    import rpy2.rinterface as ri

    if style is not None:
        check_style(style)
    style = style_of(stream, style)
    blocks = list(stream.blocks)
    rows = sum(block.data.num_rows for block in blocks)
    planned = planned_columns(stream, style)
    columns = [_vector(stream, place, planned[place], blocks) for place in range(len(planned))]
    names = [variable.name for variable in stream.variables]
    if style == "repository":
        names = legal_names(names)
    frame = ri.ListSexpVector(columns) if columns else ri.baseenv["list"]()
    whole = frame_attributes(stream, style, names, rows)
    _describe([*columns, frame], [*(each.values.attributes for each in planned), whole])
    return frame, frame_losses(stream, style, planned, names)


def _vector(stream: TableStream, place: int, planned: Planned, blocks: Sequence[Block]) -> Any:
    """Return one column as R's vector, without attributes."""
    import rpy2.rinterface as ri

    values, name = planned.values, stream.variables[place].name
    pieces: list[_Piece] = []
    rows = 0
    for block in blocks:
        column, tags = block.data.column(place), block.missing_tags.get(name)
        rows += len(column)
        column = column if planned.ready is None else planned.ready(column)
        change = values.admit(column, tags)
        if change is not None:
            pieces = [change(bytes(piece)) for piece in pieces]
        given = values.as_given(column, tags) if isinstance(values, Numbers) else None
        pieces.append(values.packed(column, tags) if given is None else given)
    change = values.settle()
    if change is not None:
        pieces = [change(bytes(piece)) for piece in pieces]
    if values.kind not in _MADE_BY or not rows:
        return _unserialized(r.head(values.kind, rows) + b"".join(map(bytes, pieces)))
    maker, stored = _MADE_BY[values.kind]
    vector = ri.baseenv[maker](rows)
    _fill(np.asarray(vector.memoryview()), pieces, stored)
    return vector


def _fill(cells: npt.NDArray[Any], pieces: Sequence[_Piece], stored: str) -> None:
    """Copy pieces into R's memory as words: as a number, NA may become another NaN on its way."""
    words = cells.view(stored.replace(">", "="))
    start = 0
    for piece in pieces:
        if isinstance(piece, bytes):
            known = np.frombuffer(piece, stored)
        else:
            known = piece.view(words.dtype)
        words[start : start + len(known)] = known
        start += len(known)


def _describe(vectors: Sequence[Any], described: Sequence[Mapping[str, r.Vector]]) -> None:
    """Give vectors their attributes, all of which cross to R at once."""
    symbols = r.Symbols()
    parts = [symbols.vector(each) for attributes in described for each in attributes.values()]
    values = iter(_unserialized(r.head(r.LIST, len(parts)) + b"".join(parts)))
    for vector, attributes in zip(vectors, described, strict=True):
        for name in attributes:
            value = next(values)
            if name == "class":
                vector.rclass = value  # sets the mark of an object, too
            else:
                vector.do_slot_assign(name, value)


def _unserialized(data: bytes) -> Any:
    import rpy2.rinterface as ri

    raw = ri.ByteSexpVector.from_memoryview(memoryview(r.Symbols().opening(3, None) + data))
    return ri.baseenv["unserialize"](raw)
