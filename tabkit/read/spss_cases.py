"""Cases of an SPSS system file: the bytes after the dictionary become 8-byte elements.

An element is a number or eight bytes of a string. All three storage forms (plain, bytecode,
bytecode in zlib blocks) come out alike: matrices of cases by elements, as uint64 that keep the
file's byte order. Memory is bounded by the chunk.

Source: GNU PSPP developer's guide, "System File Format", "Data Record".
"""

from __future__ import annotations

import dataclasses
import struct
import zlib
from typing import TYPE_CHECKING, Final

import numpy as np

from tabkit import _native
from tabkit.limits import LIMITS, Limits, check_unpacked
from tabkit.model import Finding

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    import numpy.typing as npt

    Elements = npt.NDArray[np.uint64]
    Places = npt.NDArray[np.int32]

CHUNK_BYTES: Final = 1 << 18
WORD: Final = 8
BLANKS: Final = 0x2020_2020_2020_2020
CODE_SKIP, CODE_END, CODE_RAW, CODE_BLANKS, CODE_MISSING = 0, 252, 253, 254, 255

_SEVENS: Final = np.uint64(0x7F7F_7F7F_7F7F_7F7F)
_RAWS: Final = np.uint64(0xFDFD_FDFD_FDFD_FDFD)  # CODE_RAW in every byte
_ONES: Final = np.uint64(0x0101_0101_0101_0101)
_DOUBLINGS: Final = 4
_SEVEN_BITS, _TOP_BYTE = np.uint64(7), np.uint64(56)


@dataclasses.dataclass(frozen=True, slots=True)
class CaseLayout:
    """Where cases lie and how they are stored.

    Attributes:
        start: First byte after the dictionary.
        size: Bytes of the file.
        order: ``<`` or ``>``.
        compression: 0 none, 1 bytecode, 2 bytecode in zlib blocks.
        elements: 8-byte elements of a case.
        bias: Subtracted from bytecodes.
        missing: The number that stands for system-missing.
        cases: Cases to deliver, None for all there are.
        uncounted: The header promises 0 cases.
        limits: What zlib blocks may inflate to.
    """

    start: int
    size: int
    order: str
    compression: int
    elements: int
    bias: float
    missing: float
    cases: int | None
    uncounted: bool
    limits: Limits = LIMITS


def read_cases(
    file: BinaryIO, layout: CaseLayout, findings: list[Finding]
) -> Iterator[npt.NDArray[np.uint64]]:
    """Yield matrices of whole cases, in order; a damaged or short file ends with a finding.

    Args:
        file: Open for reading.
        layout: As the dictionary has it.
        findings: What is wrong with the data is added here.
    """
    width, done, rest = layout.elements, 0, np.empty(0, np.uint64)
    for held in _whole_cases(_read_elements(file, layout, findings), width):
        whole = len(held) // width
        if layout.cases is not None and done + whole > layout.cases:
            whole = layout.cases - done
        if whole:
            yield held[: whole * width].reshape(whole, width)
        done += whole
        rest = held[whole * width :]
        if done == layout.cases and len(rest) >= width:
            findings.append(_more(done))
            return
    if len(rest):
        findings.append(
            Finding(
                f"the data end within case {done + 1:,}: it is left out, "
                f"{len(rest)} of its {width} elements are there",
                "warning",
            )
        )
    if layout.uncounted and done:
        text = f"the file promises 0 cases and holds {done:,}: those are read"
        findings.append(Finding(text, "warning"))
    if layout.cases is not None and done < layout.cases:
        text = f"the file promises {layout.cases:,} cases and holds {done:,}: those are read"
        findings.append(Finding(text, "warning"))


def _whole_cases(parts: Iterator[Elements], width: int) -> Iterator[Elements]:
    """Cut elements anew, so that each part begins with a case; only cases that were cut are copied.

    What follows the last whole case comes last, or with the case before it.
    """
    rest = np.empty(0, np.uint64)
    for part in parts:
        start = 0
        if len(rest):
            start = width - len(rest)
            rest = np.concatenate((rest, part[:start]))
            if len(rest) < width:
                continue
            yield rest
        end = start + (len(part) - start) // width * width
        if end > start:
            yield part[start:end]
        rest = part[end:]
    if len(rest):
        yield rest


def expand(data: bytes, table: Elements) -> tuple[Elements, int, bool]:
    """Expand bytecode, compiled where the kernels are built.

    Args:
        data: From the beginning of an octet of codes.
        table: The element that each of the 256 codes stands for.

    Returns:
        The elements of all octets whose raw elements are in ``data`` too; the bytes used, none
        behind the octet with the code for the end of the data; whether that code was met.
    """
    if _native.AVAILABLE:
        from tabkit._native import core

        expanded, taken, ended = core.expand(data, table.data)
        return np.frombuffer(expanded, np.uint64), taken, ended
    words = np.frombuffer(data, np.uint64, len(data) // WORD)
    octets, used = _find_octets(words)
    is_raw = np.ones(used, np.bool_)
    is_raw[octets] = False
    codes = words[octets].view(np.uint8)
    elements = table[codes]
    elements[codes == CODE_RAW] = words[:used][is_raw]
    ends = np.flatnonzero(codes == CODE_END)
    if len(ends):
        elements, codes = elements[: ends[0]], codes[: ends[0]]
        used = next(iter(octets[ends[0] // WORD + 1 :].tolist()), used)  # the octet's own end
    kept = codes != CODE_SKIP
    if not kept.all():
        elements = elements[kept]
    return elements, used * WORD, bool(len(ends))


def _find_octets(words: Elements) -> tuple[Places, int]:
    """Return the places of the octets of codes, and of the first octet that is not complete.

    An octet is followed by as many raw elements as it has codes for them, so that each octet's
    place depends on the one before. Jumps over 1, 2, 4, 8 and 16 octets are made for every place
    at once; only the longest are then followed one by one.
    """
    differing = words ^ _RAWS
    others = ((differing & _SEVENS) + _SEVENS | differing) & ~_SEVENS  # 0x80 where not CODE_RAW
    raws = WORD - (((others >> _SEVEN_BITS) * _ONES) >> _TOP_BYTE)
    places = np.arange(len(words) + 1, dtype=np.int32)
    jump = places.copy()
    jump[:-1] += raws.astype(np.int32) + 1
    jump = np.where(jump > len(words), places, jump)  # not complete: stay
    jumps = [jump]
    for _ in range(_DOUBLINGS):
        jumps.append(jumps[-1][jumps[-1]])
    octets = _follow(jumps.pop())
    for jump in reversed(jumps):
        octets = np.stack((octets, jump[octets]), axis=1).ravel()
    end = int(octets[-1])
    return octets[: np.searchsorted(octets, end)], end


def _follow(jump: Places) -> Places:
    """Return the places met from place 0 on, up to the one that jumps to itself."""
    table = jump.data
    met = [0]
    place, following = 0, table[0]
    while following != place:
        place = following
        met.append(place)
        following = table[place]
    return np.array(met, np.int32)


def code_table(order: str, bias: float, missing: float) -> Elements:
    """Return the element that each bytecode stands for, in the file's byte order."""
    numbers = np.arange(256, dtype=np.float64) - bias
    numbers[CODE_MISSING] = missing
    table = numbers.astype(f"{order}f8").view(np.uint64)
    table[CODE_BLANKS] = BLANKS
    return table


def _read_elements(
    file: BinaryIO, layout: CaseLayout, findings: list[Finding]
) -> Iterator[Elements]:
    file.seek(layout.start)
    if layout.compression == 0:
        for data in _read_chunks(file):
            yield np.frombuffer(data, np.uint64, len(data) // WORD)
            if len(data) % WORD:
                findings.append(_cut(layout.size))
        return
    inflated = layout.compression == 2  # noqa: PLR2004 - as the header has it
    chunks = _inflate(file, layout, findings) if inflated else _read_chunks(file)
    table = code_table(layout.order, layout.bias, layout.missing)
    rest = b""
    for chunk in chunks:
        data = rest + chunk
        elements, used, ended = expand(data, table)
        yield elements
        rest = data[used:]
        if ended:
            return
    if rest:
        yield _expand_rest(rest, table)


def _expand_rest(data: bytes, table: Elements) -> Elements:
    """Expand a last octet of codes that is cut short or lacks some of its raw elements."""
    codes, raws = data[:WORD], len(data[WORD:]) // WORD
    whole = 0
    for code in codes:
        raws -= code == CODE_RAW
        if raws < 0 or code == CODE_END:
            break
        whole += 1
    octet = codes[:whole].ljust(WORD, bytes([CODE_SKIP]))
    wanted = WORD + octet.count(CODE_RAW) * WORD
    return expand((octet + data[WORD:])[:wanted], table)[0]


def _read_chunks(file: BinaryIO) -> Iterator[bytes]:
    while data := file.read(CHUNK_BYTES):
        yield data


def _inflate(file: BinaryIO, layout: CaseLayout, findings: list[Finding]) -> Iterator[bytes]:
    """Yield the bytecode of zlib blocks, one after the other, in chunks of bounded size."""
    end = _end_of_blocks(file, layout, findings)
    inflater, begins, unpacked = zlib.decompressobj(), True, 0
    left = end - file.tell()
    while left > 0 and (data := file.read(min(CHUNK_BYTES, left))):
        left -= len(data)
        while data:
            if begins and end == layout.size and not _is_zlib(data):
                return  # what is left of the table of blocks
            before, begins = inflater.copy(), False
            try:
                chunk = inflater.decompress(data, CHUNK_BYTES)
            except zlib.error:
                yield from _salvage(before, data)
                findings.append(_damaged(end - left))
                return
            if chunk:
                unpacked += len(chunk)
                check_unpacked(unpacked, layout.size, layout.limits, file.name)
                yield chunk
            data = inflater.unconsumed_tail
            if inflater.eof:
                data, inflater, begins = inflater.unused_data, zlib.decompressobj(), True


def _is_zlib(data: bytes) -> bool:
    """Whether data begin as a zlib stream does (RFC 1950)."""
    return len(data) < 2 or (data[0] & 15 == 8 and int.from_bytes(data[:2], "big") % 31 == 0)  # noqa: PLR2004


def _salvage(inflater: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """Yield what can be inflated before the place where damage shows."""
    for start in range(len(data)):
        try:
            yield inflater.decompress(data[start : start + 1])
        except zlib.error:
            return


def _end_of_blocks(file: BinaryIO, layout: CaseLayout, findings: list[Finding]) -> int:
    """Read the header and check the trailer of zlib data; return where the blocks end."""
    header = file.read(24)
    if len(header) == 24:  # noqa: PLR2004 - three 64-bit numbers
        start, trailer, length = struct.unpack(layout.order + "qqq", header)
        inside = length >= 0 and layout.start + 24 <= trailer <= layout.size - length
        if start == layout.start and inside:
            file.seek(trailer)
            sound = _is_trailer(file.read(min(length, 24)), layout, length)
            file.seek(layout.start + 24)
            if sound:
                return int(trailer)
    findings.append(
        Finding("the table of compressed blocks is damaged or missing: all blocks found are read",
                "warning")
    )  # fmt: skip
    return layout.size


def _is_trailer(head: bytes, layout: CaseLayout, length: int) -> bool:
    """Whether the head of the trailer agrees with its length and the header's bias."""
    if len(head) < 24:  # noqa: PLR2004 - the trailer's fixed part
        return False
    bias, zero, _, blocks = struct.unpack(layout.order + "qqii", head)
    return bool(bias == -layout.bias and zero == 0 and length == 24 + 24 * blocks)


def _cut(size: int) -> Finding:
    return Finding(f"the file ends within an element at byte {size:,}", "warning")


def _damaged(place: int) -> Finding:
    text = f"the compressed data are damaged before byte {place:,}: the last cases read are unsure"
    return Finding(f"{text}, what follows is left out", "warning")


def _more(cases: int) -> Finding:
    text = f"the file promises {cases:,} cases and holds more: the rest is left out"
    return Finding(text, "warning")
