"""What a picture may cost: checked from its header, before a pixel is decoded."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

SIDE_MAX: Final = 4096  # pixels, the longest side of a thumbnail
_MIB: Final = 1 << 20


@dataclasses.dataclass(frozen=True, slots=True)
class ThumbnailLimits:
    """Bounds of one picture; a picture beyond them is refused before it is decoded.

    Attributes:
        pixels: Pixels of the source as its header tells them (``--max-pixels``).
        memory: Bytes that decoding takes (``--max-memory``, there in MiB); the process itself,
            with its libraries, takes about 40 MiB on top.
        seconds: Time that a page of a PDF may take to draw (``--max-seconds``).
    """

    pixels: int = 500_000_000
    memory: int = 400 * _MIB
    seconds: float = 20

    def check_pixels(self, width: int, height: int, name: Path | str) -> None:
        """Refuse a picture of no or too many pixels.

        Raises:
            FormatError: It is empty, or larger than ``pixels``.
        """
        if width < 1 or height < 1:
            raise FormatError(f"the picture has no pixels ({width:,} x {height:,})", name)
        if width * height > self.pixels:
            reason = f"{width:,} x {height:,} pixels, over the limit of {self.pixels:,} pixels"
            raise FormatError(reason, name, hint="raise it with --max-pixels")

    def check_memory(self, needed: int, name: Path | str) -> None:
        """Refuse a picture that takes more than ``memory`` bytes to decode.

        Raises:
            FormatError: It does.
        """
        if needed > self.memory:
            reason = (
                f"decoding takes {needed / _MIB:,.0f} MiB, over the limit of "
                f"{self.memory / _MIB:,.0f} MiB"
            )
            raise FormatError(reason, name, hint="raise it with --max-memory")


def check_sizes(sizes: Sequence[int]) -> tuple[int, ...]:
    """Return the sizes, refusing those that are none.

    Raises:
        UsageError: There is none, one occurs twice, or one is not from 1 to `SIDE_MAX`.
    """
    for size in sizes:
        if not 1 <= size <= SIDE_MAX:
            msg = f"a thumbnail has from 1 to {SIDE_MAX:,} pixels on its longest side, not {size}"
            raise UsageError(msg)
    if not sizes or len(set(sizes)) != len(sizes):
        msg = f"sizes must differ: {', '.join(map(str, sizes)) or 'none is given'}"
        raise UsageError(msg)
    return tuple(sizes)


def limits_of(pixels: int | None, mebibytes: int | None, seconds: float | None) -> ThumbnailLimits:
    """Return limits as the command line gives them; None is the default."""
    default = ThumbnailLimits()
    memory = default.memory if mebibytes is None else mebibytes * _MIB
    return ThumbnailLimits(pixels or default.pixels, memory, seconds or default.seconds)
