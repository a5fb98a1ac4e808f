"""The grammar of R's serialization, versions 2 and 3: memory goes in, objects come out.

Nothing is evaluated: functions, calls, environments and byte code are walked over and become an
object that has only a kind. Nesting and the number of objects are bounded.
Source: R Internals, section 1.8; R 4.2, src/main/serialize.c (ReadItem, ReadBC), altclasses.c.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

from tabkit.limits import LIMITS, Limits, refuse
from tabkit.read.r_altrep import expanded_altrep
from tabkit.read.r_objects import NULL, DamagedError, RObject, named_elements
from tabkit.read.r_source import AsciiSource, BinarySource, Source
from tabkit.read.r_texts import Encodings, codec_name, decode_text, texts_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tabkit.errors import LimitError

#: What a serialization, and before it a file of saved objects, begins with.
RDS_MAGIC: Final = (b"X\n", b"A\n", b"A\r\n", b"B\n")
RDATA_MAGIC: Final = tuple(b"RD%c%d" % (form, version) for form in b"XAB" for version in (2, 3))
OLD_MAGIC: Final = (b"RDX1", b"RDA1", b"RDB1")

_VERSIONS: Final = (2, 3)
_LONG: Final = -1
_MOST_NATIVE: Final = 63  # bytes of an encoding's name (R_CODESET_MAX)

_TYPE, _HAS_ATTRIBUTES, _HAS_TAG = 0xFF, 0x200, 0x400
_LIST, _LANGUAGE, _CHARSXP, _BYTECODE = 2, 6, 9, 21
_VECTORS: Final = {10: "logical", 13: "integer", 14: "double", 15: "complex", 24: "raw"}
_CHAINS: Final = {2: "pairlist", 6: "language", 3: "closure", 5: "promise", 17: "..."}
_BARE: Final = {
    254: "NULL", 0: "NULL", 253: "environment", 252: "unbound value", 251: "missing argument",
    250: "environment", 242: "environment", 241: "environment",
}  # fmt: skip
_BC_DEFINE, _BC_REFER, _BC_LANGUAGE, _BC_LIST = 244, 243, 240, 239


@dataclasses.dataclass(frozen=True, slots=True)
class Content:
    """What a serialization holds, and how it was written."""

    root: RObject
    encodings: Encodings
    version: int
    writer: str
    is_ascii: bool


def parse(memory: Any, path: Path, encoding: str = "", limits: Limits = LIMITS) -> Content:
    """Parse the expanded content of an R data file.

    Args:
        memory: Bytes or a mapping; the vectors found are views of it.
        path: The file, for messages.
        encoding: Overrides what texts without a mark are in; empty for what the file says.
        limits: ``nesting`` and ``objects`` bound what is walked over.

    Raises:
        DamagedError: It breaks the rules.
        LimitError: It holds more than the limits allow.
    """
    at = 0
    if bytes(memory[:4]) in RDATA_MAGIC:
        at = memory.find(b"\n") + 1 if hasattr(memory, "find") else 5
    form, at = bytes(memory[at : at + 1]), bytes(memory[at : at + 3]).find(b"\n") + at + 1
    if form not in {b"X", b"A", b"B"}:
        raise DamagedError(f"there is no R serialization, which begins with X, A or B: {form!r}", 0)
    source: Source
    if form == b"A":
        source = AsciiSource(memory, at)
    else:
        source = BinarySource(memory, at, is_big_endian=form == b"X")
    version, writer, _ = source.integer(), source.integer(), source.integer()
    if version not in _VERSIONS:
        raise DamagedError(f"serialization version {version}; there are 2 and 3")
    native = codec_name(encoding) if encoding else ""
    if version == _VERSIONS[1]:
        length = source.integer()
        if not 0 <= length <= _MOST_NATIVE:
            raise DamagedError(f"an encoding's name of {length:,} bytes", source.at)
        declared = source.raw(length).decode("latin-1")
        native = native or codec_name(declared)
    encodings = Encodings(native)
    try:
        root = _Parser(source, encodings, path, limits).item()
    except RecursionError as error:
        raise DamagedError("objects lie deeper than Python can follow", source.at) from error
    release = f"{writer >> 16}.{writer >> 8 & 0xFF}.{writer & 0xFF}"
    return Content(root, encodings, version, release, form == b"A")


class _Parser:
    """Walks the items; what is referred to later is remembered by its number."""

    __slots__ = ("_depth", "_encodings", "_limits", "_objects", "_path", "_references", "_source")

    def __init__(self, source: Source, encodings: Encodings, path: Path, limits: Limits) -> None:
        self._source, self._encodings = source, encodings
        self._path, self._limits = path, limits
        self._references: list[RObject] = []
        self._depth = self._objects = 0

    def item(self, flags: int | None = None) -> RObject:
        """Parse one item and all in it."""
        if flags is None:
            flags = self._source.integer()
        self._objects += 1
        if self._objects > self._limits.objects:
            raise self._too_much("it holds more than", "objects")
        self._depth += 1
        if self._depth > self._limits.nesting:
            raise self._too_much("its objects lie deeper than", "nesting")
        found = self._found(flags)
        self._depth -= 1
        return found

    def _found(self, flags: int) -> RObject:
        kind = flags & _TYPE
        if kind in _BARE:
            return NULL if _BARE[kind] == "NULL" else RObject(_BARE[kind])
        if kind in _VECTORS:
            numbers = self._source.numbers(_VECTORS[kind], self._length())
            return RObject(_VECTORS[kind], numbers, self._attributes(flags))
        if kind in _CHAINS:
            return self._chain(flags)
        special = _SPECIAL.get(kind)
        if special is None:
            raise DamagedError(f"an item of the unknown type {kind}", self._source.at)
        return special(self, flags)

    def _length(self) -> int:
        length = self._source.integer()
        if length == _LONG:
            high, low = self._source.integer(), self._source.integer()
            length = (high << 32) | (low & 0xFFFFFFFF)
        if length < 0:
            raise DamagedError(f"a vector of {length:,} values", self._source.at)
        return length

    def _attributes(self, flags: int) -> dict[str, RObject]:
        if not flags & _HAS_ATTRIBUTES:
            return {}
        return dict(named_elements(self.item()))

    def _chain(self, flags: int) -> RObject:
        """Parse a pairlist, or what is stored like one; its tail is no deeper than its head."""
        kind = _CHAINS[flags & _TYPE]
        values, tags = [], []
        attributes: dict[str, RObject] = {}
        while (flags & _TYPE) in _CHAINS:
            own = self._attributes(flags)
            attributes = attributes or own
            tag = self.item() if flags & _HAS_TAG else NULL
            tags.append(tag.values if tag.kind == "symbol" else None)
            values.append(self.item())
            flags = self._source.integer()
            self._objects += 1
        if flags & _TYPE not in _BARE:
            self.item(flags)
        if kind != "pairlist":
            return RObject(kind)
        names = RObject("character", texts_of(tags))
        return RObject(kind, tuple(values), {**attributes, "names": names})

    def _text(self, flags: int) -> RObject:
        length = self._source.integer()
        raw = self._source.raw(max(length, 0))
        self._attributes(flags)
        return RObject("text", decode_text(raw, flags, self._encodings) if length >= 0 else None)

    def _character(self, flags: int) -> RObject:
        texts = self._source.texts(self._length(), self._encodings)
        return RObject("character", texts, self._attributes(flags))

    def _list(self, flags: int) -> RObject:
        kind = "list" if flags & _TYPE == 19 else "expression"  # noqa: PLR2004 - VECSXP
        values = tuple(self.item() for _ in range(self._length()))
        return RObject(kind, values, self._attributes(flags))

    def _symbol(self, _: int) -> RObject:
        name = self.item()
        return self._remember(RObject("symbol", name.values if name.kind == "text" else ""))

    def _reference(self, flags: int) -> RObject:
        number = flags >> 8 or self._source.integer()
        if not 0 < number <= len(self._references):
            raise DamagedError(f"a reference to object {number:,}, which is not there")
        return self._references[number - 1]

    def _remember(self, found: RObject) -> RObject:
        self._references.append(found)
        return found

    def _environment(self, _: int) -> RObject:
        self._source.integer()  # whether it is locked
        found = self._remember(RObject("environment"))
        for _part in range(4):  # enclosure, frame, hash table, attributes
            self.item()
        return found

    def _named_environment(self, _: int) -> RObject:
        self._source.integer()
        self._source.texts(self._source.integer(), self._encodings)
        return self._remember(RObject("environment"))

    def _pointer(self, flags: int) -> RObject:
        found = self._remember(RObject("external pointer"))
        self.item()
        self.item()
        self._attributes(flags)
        return found

    def _weak_reference(self, flags: int) -> RObject:
        found = self._remember(RObject("weak reference"))
        self._attributes(flags)
        return found

    def _builtin(self, _: int) -> RObject:
        self._source.raw(self._source.integer())
        return RObject("builtin")

    def _s4(self, flags: int) -> RObject:
        return RObject("S4", None, self._attributes(flags))

    def _altrep(self, _: int) -> RObject:
        info, state, attributes = self.item(), self.item(), self.item()
        return expanded_altrep(info, state, dict(named_elements(attributes)))

    def _bytecode(self, flags: int) -> RObject:
        self._source.integer()
        self._code()
        self._attributes(flags)
        return RObject("bytecode")

    def _code(self) -> None:
        """Walk over the code and its constants."""
        self.item()
        for _ in range(self._source.integer()):
            kind = self._source.integer()
            if kind == _BYTECODE:
                self._deeper(self._code)
            elif kind in {_LANGUAGE, _LIST, _BC_DEFINE, _BC_REFER, _BC_LANGUAGE, _BC_LIST}:
                self._code_call(kind)
            else:
                self.item()

    def _code_call(self, kind: int) -> None:
        while True:
            if kind == _BC_REFER:
                self._source.integer()
                return
            if kind == _BC_DEFINE:
                self._source.integer()
                kind = self._source.integer()
            if kind not in {_LANGUAGE, _LIST, _BC_LANGUAGE, _BC_LIST}:
                self.item()
                return
            if kind in {_BC_LANGUAGE, _BC_LIST}:
                self.item()
            self.item()  # the tag
            head = self._source.integer()
            self._deeper(lambda head=head: self._code_call(head))  # type: ignore[misc]
            kind = self._source.integer()

    def _deeper(self, walk: Callable[[], None]) -> None:
        self._depth += 1
        if self._depth > self._limits.nesting:
            raise self._too_much("its objects lie deeper than", "nesting")
        walk()
        self._depth -= 1

    def _too_much(self, what: str, name: str) -> LimitError:
        where = f"byte {self._source.at:,} of the expanded data"
        return refuse(self._path, what, self._limits, name, where)


_SPECIAL: Final[dict[int, Callable[[_Parser, int], RObject]]] = {
    1: _Parser._symbol,  # noqa: SLF001 - the dispatch of this very class
    4: _Parser._environment,  # noqa: SLF001
    7: _Parser._builtin,  # noqa: SLF001
    8: _Parser._builtin,  # noqa: SLF001
    9: _Parser._text,  # noqa: SLF001
    16: _Parser._character,  # noqa: SLF001
    19: _Parser._list,  # noqa: SLF001
    20: _Parser._list,  # noqa: SLF001
    21: _Parser._bytecode,  # noqa: SLF001
    22: _Parser._pointer,  # noqa: SLF001
    23: _Parser._weak_reference,  # noqa: SLF001
    25: _Parser._s4,  # noqa: SLF001
    238: _Parser._altrep,  # noqa: SLF001
    247: _Parser._named_environment,  # noqa: SLF001
    248: _Parser._named_environment,  # noqa: SLF001
    249: _Parser._named_environment,  # noqa: SLF001
    255: _Parser._reference,  # noqa: SLF001
}
