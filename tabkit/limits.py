"""Limits on what a file may ask for: one set of named numbers, given to every reader.

A file that would exceed one is refused in one line that names the limit and how to raise it. The
numbers are far beyond what depositors send and within what a machine of today can bear.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from tabkit.errors import LimitError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_KIB: Final = 1024
_UNITS: Final = ("", "KiB", "MiB", "GiB", "TiB")
_SIZE: Final = re.compile(
    r"(\d{1,15}(?:\.\d{1,6})?)\s*(?:([kmgt])(i?b)?|(b)?)", re.IGNORECASE | re.ASCII
)


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """What a file may ask for.

    Attributes:
        memory: Bytes a guarded reader may hold at once (``--untrusted``).
        seconds: Seconds of computing, or of waiting for it, of a guarded reader.
        unpacked: Bytes that a compressed file may unpack to, all its parts together.
        free: Bytes that any compressed file may unpack to, whatever its ratio.
        ratio: Times its size that a compressed file may unpack to, beyond ``free``.
        variables: Variables of a table.
        metadata: Characters of names, labels and notes of a table; a set of labels shared by
            many variables counts for each, since a codebook repeats it.
        block: Bytes of the cases that are held decoded at once.
        cell: Bytes of a quoted cell of delimited text.
        row: Bytes of a line of text.
        width: Characters of a line that a codebook of fixed-width text may ask for.
        nesting: Levels that objects of R lie within each other.
        objects: Objects of an R file.
        sheet_memory: Bytes of address space of the process that unpacks a workbook.
        sheet_seconds: Its seconds of computing, beyond one for every 2 MB unpacked.
    """

    memory: int = 2 << 30
    seconds: int = 600
    unpacked: int = 16 << 30
    free: int = 1 << 30
    ratio: int = 250
    variables: int = 250_000
    metadata: int = 256 << 20
    block: int = 256 << 20
    cell: int = 16 << 20
    row: int = 64 << 20
    width: int = 1 << 20
    nesting: int = 200
    objects: int = 5_000_000
    sheet_memory: int = 4 << 30
    sheet_seconds: int = 15


LIMITS: Final = Limits()
_PLAIN: Final = re.compile(r"[0-9.]+")
_SIZES: Final = frozenset({"memory", "unpacked", "free", "block", "cell", "row", "sheet_memory"})
_SPELT_UNITS: Final = {
    "metadata": " characters", "width": " characters", "ratio": " times its size",
    "nesting": " levels", "objects": " objects", "variables": " variables",
    "seconds": " seconds", "sheet_seconds": " seconds",
}  # fmt: skip


def parse_limits(choices: Iterable[str], base: Limits = LIMITS) -> Limits:
    """Return ``base`` with what ``NAME=VALUE`` texts change; sizes may end in KiB, MiB, GiB, TiB.

    Raises:
        UsageError: A name is unknown, or a value is no positive number.
    """
    known = [field.name for field in dataclasses.fields(Limits)]
    changed = {}
    for choice in choices:
        name, _, value = choice.partition("=")
        if name not in known:
            msg = f"no limit named {name!r}; there are {', '.join(known)}"
            raise UsageError(msg)
        changed[name] = _number(name, value)
    return dataclasses.replace(base, **changed)


def parse_size(text: str, plain: int = 1) -> int | None:
    """Return the bytes of a size as 512MiB, 2GB or 4g; None where it is none.

    Args:
        text: A number with a unit; K, KiB, M, … count by 1024, KB, MB, … by 1000.
        plain: Bytes that a number without a unit counts.
    """
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        return None
    if match[2] is None:
        return int(float(match[1]) * (1 if match[4] else plain))
    base = 1000 if (match[3] or "").lower() == "b" else _KIB
    return int(float(match[1]) * base ** " kmgt".index(match[2].lower()))


def shown(name: str, value: int) -> str:
    """Spell a limit's value as a person would: 2 GiB, 600, 1,000,000."""
    if name not in _SIZES:
        return f"{value:,}"
    size, unit = float(value), 0
    while size >= _KIB and unit < len(_UNITS) - 1:
        size, unit = size / _KIB, unit + 1
    return f"{size:.4g} {_UNITS[unit] or 'bytes'}"


def refuse(
    path: Path | str, what: str, limits: Limits, name: str, where: str = "", more: str = ""
) -> LimitError:
    """Return the error to raise where a file asks for more than the limit ``name`` allows.

    Args:
        path: The file.
        what: What it asks for: "its cases unpack to more than", followed by the limit.
        limits: The limits in force.
        name: Which of them.
        where: As in `FormatError`.
        more: What else the user can do.
    """
    value = getattr(limits, name)
    hint = f"--limit {name}={_spelt(name, 2 * value)} allows twice that"
    hint = f"{hint}; {more}" if more else hint
    reason = f"{what} {shown(name, value)}{_SPELT_UNITS.get(name, '')}"
    return LimitError(reason, path, where, hint)


def check_unpacked(unpacked: int, packed: int, limits: Limits, path: Path | str) -> None:
    """Check what a compressed file, or one that repeats its texts, has unpacked to so far.

    Args:
        unpacked: Bytes so far, of all its parts.
        packed: Bytes of the file.
        limits: The limits in force.
        path: The file.

    Raises:
        LimitError: It is more than the limits allow.
    """
    if unpacked > limits.unpacked:
        raise refuse(path, "it unpacks to more than", limits, "unpacked")
    if unpacked > max(limits.free, packed * limits.ratio):
        raise refuse(path, "it unpacks to more than", limits, "ratio")


def _spelt(name: str, value: int) -> str:
    text = shown(name, value).replace(",", "")
    return text.replace(" bytes", "").replace(" ", "")


def _number(name: str, text: str) -> int:
    is_plain = _PLAIN.fullmatch(text.strip())
    value = parse_size(text) if name in _SIZES or is_plain else None
    if value is None:
        example = "2GiB" if name in _SIZES else "1000"
        msg = f"--limit {name}={text}: a number is needed, as in {name}={example}"
        raise UsageError(msg)
    if value < 1:
        msg = f"--limit {name}={text}: at least 1 is needed"
        raise UsageError(msg)
    return value
