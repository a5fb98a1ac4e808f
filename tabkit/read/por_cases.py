"""Data of an SPSS portable file: the text after the dictionary goes in, tables of cells come out.

A number ends with a slash, or is ``*.`` for the missing value; a string is its length and as many
characters; a Z comes after the last case.

Source: GNU PSPP developer's guide, "Portable File Structure".
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Final

from tabkit.model import Finding
from tabkit.read.por_numbers import BASE

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tabkit.read.por_text import PortableText

_END: Final = b"Z"
_LONGEST_NUMBER: Final = 100  # characters
_LONGEST_COUNT: Final = 12
_BLANKS: Final = re.compile(rb" *+")


@dataclasses.dataclass(frozen=True, slots=True)
class Cells:
    """Cells of consecutive cases.

    Attributes:
        cases: How many.
        numbers: Texts of the numbers of all cases, case by case.
        strings: Of each string variable its texts.
    """

    cases: int
    numbers: list[bytes]
    strings: list[list[bytes]]


def read_cells(
    text: PortableText, widths: Sequence[int], rows: int, findings: list[Finding]
) -> Iterator[Cells]:
    """Yield the cases in tables of ``rows``; the last may be shorter.

    Args:
        text: Positioned after the dictionary.
        widths: Of each variable the bytes of a string, 0 for a number; at least one.
        rows: Cases of a table.
        findings: Told when the data end too early.
    """
    steps = _steps(widths)
    longest = sum(width or _LONGEST_NUMBER for width in widths) + len(widths) * _LONGEST_COUNT
    done, going = 0, True
    while going:
        numbers: list[bytes] = []
        strings: list[list[bytes]] = [[] for width in widths if width]
        cases = 0
        while cases < rows and (going := _has_next(text, longest, done + cases, findings)):
            case = _read_case(text, steps)
            if case is None:
                findings.append(broken_at(done + cases))
                going = False
                break
            numbers += case[0]
            for column, value in zip(strings, case[1], strict=True):
                column.append(value)
            cases += 1
        done += cases
        if cases:
            yield Cells(cases, numbers, strings)


def _steps(widths: Sequence[int]) -> list[re.Pattern[bytes] | None]:
    """Return what to read: None for a string, a pattern for numbers in a row."""
    steps: list[re.Pattern[bytes] | None] = []
    count = 0
    for width in (*widths, 1):
        if not width:
            count += 1
            continue
        if count:
            steps.append(re.compile(rb"(?:[^/*]*+(?:/|\*\.)){%d}" % count))
        steps.append(None)
        count = 0
    return steps[:-1]


def _has_next(text: PortableText, longest: int, done: int, findings: list[Finding]) -> bool:
    """Go to the next case; tell whether there is one."""
    text.ensure(longest)
    blanks = _BLANKS.match(text.buffer, text.position)
    text.position = blanks.end() if blanks else text.position
    if text.buffer.startswith(_END, text.position):
        return False
    if text.ensure(longest):
        return True
    findings.append(Finding(f"the file has no end mark after its {done:,} cases", "warning"))
    return False


def _read_case(
    text: PortableText, steps: Sequence[re.Pattern[bytes] | None]
) -> tuple[list[bytes], list[bytes]] | None:
    """Return numbers and strings of a case and go on after it, None where it is broken."""
    buffer, at = text.buffer, text.position
    numbers: list[bytes] = []
    strings: list[bytes] = []
    for step in steps:
        if step is not None:
            found = step.match(buffer, at)
            if found is None:
                return None
            numbers += found[0].replace(b"*.", b"*/").split(b"/")
            numbers.pop()
            at = found.end()
            continue
        end = buffer.find(b"/", at, at + _LONGEST_COUNT)
        try:
            count = int(buffer[at:end], BASE) if end > 0 else -1
        except ValueError:
            return None
        at = end + 1 + count
        if count < 0 or at > len(buffer):
            return None
        strings.append(buffer[end + 1 : at])
    text.position = at
    return numbers, strings


def broken_at(done: int) -> Finding:
    """Tell that the case after ``done`` cases, and so all after it, cannot be read."""
    return Finding(f"the data are broken in case {done + 1:,}: {done:,} cases were read", "warning")
