"""Records of a SAS transport file: the file goes in, its data sets' descriptions come out.

A transport file is a library of data sets ("members") in records of 80 bytes.

Source: SAS Institute, TS-140, "Record Layout of a SAS Version 5 or 6 Data Set in SAS Transport
(XPORT) Format", and "Record Layout of a SAS Version 8 or 9 Data Set in SAS Transport Format".
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import struct
from typing import TYPE_CHECKING, BinaryIO, Final

from tabkit.errors import FormatError
from tabkit.model import Finding
from tabkit.read.sas_catalog import FORMAT_COLUMNS
from tabkit.read.sas_formats import SasFormat, SasVariable, parse_format

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tabkit.read.spss_text import Decoder

RECORD: Final = 80  # bytes
_FIRST_MEMBER: Final = 3 * RECORD
_MEMBER: Final = b"HEADER RECORD*******MEMB"
_SCAN: Final = RECORD * 100_000  # bytes looked through at once
_HEADER: Final = re.compile(rb"HEADER RECORD\*{7}(.{8})HEADER RECORD!{7}(.{30})..", re.DOTALL)
_TIME: Final = re.compile(r"(\d\d)([A-Z]{3})(\d\d):(\d\d):(\d\d):(\d\d)")
_MONTHS: Final = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC"
_CENTURY_TURN: Final = 60  # two-digit years below it are of the 21st century
_SIZES: Final = (140, 136)  # bytes of a variable's description; 136 on VAX/VMS
_NUMBER_WIDTHS: Final = range(2, 9)
_NUMBER, _TEXT = 1, 2
#: Type, width, name, label, format and its width and decimals, informat likewise, position.
_DESCRIPTION: Final = struct.Struct(">h2xH2x8s40s8s2H4x8s2HI")
_LONG_NAME: Final = slice(88, 120)
_AGAIN: Final = "it is damaged or truncated: transfer it again, in binary mode"


@dataclasses.dataclass(frozen=True, slots=True)
class Library:
    """What a transport file says of itself.

    Attributes:
        version: ``5`` or ``8``.
        product: ``SAS``, its release and the operating system.
        members: Its data sets, at least one.
    """

    version: str
    product: str
    members: tuple[Member, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Member:
    """A data set in a transport file.

    Attributes:
        name: Of the data set.
        label: Of the data set.
        created: Local time of the writer.
        modified: Likewise.
        variables: In order of description.
        positions: Where each begins in a case, in bytes.
        promised: How many cases it says it has, 0 where it does not say.
        start: First byte of the cases.
        end: Byte after the last record of cases.
    """

    name: str
    label: str
    created: datetime.datetime | None
    modified: datetime.datetime | None
    variables: tuple[SasVariable, ...]
    positions: tuple[int, ...]
    promised: int
    start: int
    end: int

    @property
    def row_length(self) -> int:
        """Bytes of a case."""
        return sum(variable.width for variable in self.variables)

    @property
    def has_formats(self) -> bool:
        """Whether it is a table of formats, as PROC FORMAT makes it."""
        return {variable.name.upper() for variable in self.variables} >= FORMAT_COLUMNS


def read_library(path: Path, decoder: Decoder, findings: list[Finding]) -> Library:
    """Read everything but the cases; a damaged data set after the first is left out and told.

    Raises:
        FormatError: It is no transport file, or its first data set is damaged.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        first, about = file.read(RECORD), file.read(RECORD)
        kind = _HEADER.fullmatch(first)
        if kind is None or kind[1] not in (b"LIBRARY ", b"LIBV8   "):
            hint = "write it with the XPORT engine" if first.startswith(b"**COMP") else ""
            raise FormatError("this is not a SAS transport file", path, "byte 0", hint)
        starts = _find_members(file)
        members: list[Member] = []
        for start, end in zip(starts, [*starts[1:], size], strict=True):
            records = _Records(file, path, start, end, decoder)
            try:
                members.append(_read_member(records))
            except FormatError as error:
                if not members:
                    raise
                findings.append(Finding(f"a further data set was left out: {error}", "warning"))
    product = " ".join(f"SAS {about[24:40].decode('ascii', 'replace')}".replace("\0", " ").split())
    return Library("8" if kind[1].startswith(b"LIBV8") else "5", product, tuple(members))


def count_cases(path: Path, member: Member, findings: list[Finding]) -> int:
    """Tell cases from the blanks that fill the last record: fewer bytes than a record.

    Blank rows at the end of a data set of short texts only may be either; they are taken for
    filling, as SAS takes them.
    """
    length, size = member.row_length, member.end - member.start
    if not length or (member.promised > 0 and 0 <= size - member.promised * length < RECORD):
        return member.promised
    whole, rest = divmod(size, length)
    blanks = _blanks_at_end(path, member)
    if blanks < rest:
        text = f"the file ends in the middle of case {whole + 1:,}: {whole:,} cases were read"
        findings.append(Finding(text, "warning"))
        return whole
    filling = (blanks - rest) // length
    if filling and all(variable.is_text for variable in member.variables):
        text = f"{filling:,} blank rows at the end were taken for filling, not for cases"
        findings.append(Finding(text))
    if member.promised and member.promised != whole - filling:
        text = f"the file promises {member.promised:,} cases and holds {whole - filling:,}"
        findings.append(Finding(text, "warning"))
    return whole - filling


def _blanks_at_end(path: Path, member: Member) -> int:
    with path.open("rb") as file:
        file.seek(max(member.end - RECORD + 1, member.start))
        tail = file.read(min(member.end - member.start, RECORD - 1))
    return len(tail) - len(tail.rstrip(b" "))


def _find_members(file: BinaryIO) -> list[int]:
    """Return where member headers are; they begin a record, so no reading cuts one in two."""
    starts, at = [_FIRST_MEMBER], _FIRST_MEMBER + RECORD
    file.seek(at)
    while data := file.read(_SCAN):
        found = data.find(_MEMBER)
        while found >= 0:
            if found % RECORD == 0:
                starts.append(at + found)
            found = data.find(_MEMBER, found + 1)
        at += len(data)
    return starts


class _Records:
    """Records of one member, each checked to be there."""

    def __init__(self, file: BinaryIO, path: Path, start: int, end: int, decoder: Decoder) -> None:
        self.path, self.at, self.end = path, start, end
        self._file, self._decoder = file, decoder

    def take(self, size: int = RECORD) -> bytes:
        """Return the next bytes."""
        if size > self.end - self.at:
            reason = "the file ends in the description of a data set"
            raise FormatError(reason, self.path, f"byte {self.end:,}", _AGAIN)
        self._file.seek(self.at)
        self.at += size
        return self._file.read(size)

    def header(self, *names: str) -> tuple[str, str]:
        """Return name and numbers of the next header record, which must be one of ``names``."""
        at = self.at
        found = _HEADER.fullmatch(self.take())
        name = "" if found is None else found[1].decode("ascii", "replace").strip()
        if found is None or name not in names:
            reason = f"this should be the {' or '.join(names)} header record"
            raise FormatError(reason, self.path, f"byte {at:,}", _AGAIN)
        return name, found[2].decode("ascii", "replace")

    def number(self, text: str) -> int:
        """Return a number of a header record."""
        text = text.strip()
        if not text.isdecimal():
            reason = f"{text!r} should be a number in a header record"
            raise FormatError(reason, self.path, f"byte {self.at - RECORD:,}", _AGAIN)
        return int(text)

    def text(self, data: bytes) -> str:
        """Decode names and labels."""
        return self._decoder.decode(data.rstrip(b" \0"))[0].strip(" \0")

    def fill(self) -> None:
        """Go to the next record."""
        self.at += -self.at % RECORD


def _read_member(records: _Records) -> Member:
    name, numbers = records.header("MEMBER", "MEMBV8")
    is_long, size = name == "MEMBV8", records.number(numbers[25:30])
    if size not in _SIZES:
        reason = f"a description of {size} bytes is unknown"
        raise FormatError(reason, records.path, f"byte {records.at - RECORD:,}", _AGAIN)
    records.header("DSCRPTR", "DSCPTV8")
    about, more = records.take(), records.take()
    _, numbers = records.header("NAMESTR", "NAMSTV8")
    count = records.number(numbers[5:10])
    data = records.take(count * size)
    described = [
        _describe(records, data[at : at + size], is_long=is_long)
        for at in range(0, count * size, size)
    ]
    records.fill()
    variables = [variable for variable, _ in described]
    name, numbers = records.header("OBS", "OBSV8", "LABELV8", "LABELV9")
    if name.startswith("LABEL"):
        _read_long_labels(records, numbers, variables, has_formats=name == "LABELV9")
        _, numbers = records.header("OBSV8")
    return Member(
        records.text(about[8:40] if is_long else about[8:16]),
        records.text(more[32:72]),
        _time(about[64:80]),
        _time(more[:16]),
        tuple(variables),
        _positions(variables, [at for _, at in described]),
        int(numbers.strip()) if is_long and numbers.strip().isdecimal() else 0,
        records.at,
        records.end,
    )


def _describe(records: _Records, data: bytes, *, is_long: bool) -> tuple[SasVariable, int]:
    """Return a variable and its position in a case."""
    (kind, width, name, label, shown, shown_width, shown_decimals, read, read_width, read_decimals,
     at) = _DESCRIPTION.unpack_from(data)  # fmt: skip
    long_name = records.text(data[_LONG_NAME]) if is_long else ""
    name = long_name or records.text(name)
    if not ((kind == _TEXT and width) or (kind == _NUMBER and width in _NUMBER_WIDTHS)):
        reason = f"variable {name!r} of type {kind} cannot have {width:,} bytes"
        raise FormatError(reason, records.path, hint=_AGAIN)
    variable = SasVariable(
        name,
        records.text(label),
        _format(records.text(shown), shown_width, shown_decimals),
        str(_format(records.text(read), read_width, read_decimals)),
        width,
        kind == _TEXT,
    )
    return variable, at


def _format(name: str, width: int, decimals: int) -> SasFormat:
    return SasFormat(name.upper(), width or None, decimals or None)


def _read_long_labels(
    records: _Records, numbers: str, variables: list[SasVariable], *, has_formats: bool
) -> None:
    """Replace names, labels and formats by their long forms."""
    is_full = numbers.isdecimal()  # six numbers of five digits, else one number and blanks
    count = records.number(numbers[:5] if is_full else numbers.strip().partition(" ")[0])
    lengths = struct.Struct(">5H" if has_formats else ">3H")
    for _ in range(count):
        index, *sizes = lengths.unpack(records.take(lengths.size))
        texts = [records.text(records.take(size)) for size in sizes]
        if not 1 <= index <= len(variables):
            reason = f"a label is for variable {index} of {len(variables)}"
            raise FormatError(reason, records.path, f"byte {records.at:,}", _AGAIN)
        old = variables[index - 1]
        new = dataclasses.replace(old, name=texts[0] or old.name, label=texts[1] or old.label)
        if has_formats:
            shown = parse_format(texts[2]) if texts[2] else old.shown
            informat = str(parse_format(texts[3])) if texts[3] else old.informat
            new = dataclasses.replace(new, shown=shown, informat=informat)
        variables[index - 1] = new
    records.fill()


def _positions(variables: Sequence[SasVariable], stated: Sequence[int]) -> tuple[int, ...]:
    """Return where variables begin in a case: as stated where that leaves no gap, else in order."""
    at = 0
    for position, variable in sorted(zip(stated, variables, strict=True), key=lambda pair: pair[0]):
        if position != at:
            break
        at += variable.width
    else:
        return tuple(stated)
    in_order, at = [], 0
    for variable in variables:
        in_order.append(at)
        at += variable.width
    return tuple(in_order)


def _time(data: bytes) -> datetime.datetime | None:
    found = _TIME.match(data.decode("ascii", "replace").upper())
    if found is None or found[2] not in _MONTHS:
        return None
    day, year, hour, minute, second = (int(found[i]) for i in (1, 3, 4, 5, 6))
    year += 2000 if year < _CENTURY_TURN else 1900
    try:
        return datetime.datetime(  # noqa: DTZ001 - local time of the writer
            year, _MONTHS.index(found[2]) // 4 + 1, day, hour, minute, second
        )
    except ValueError:
        return None
