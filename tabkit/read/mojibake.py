"""Watch the text of a stream: what could not be decoded is located, what was decoded wrongly, told.

A declared encoding may be wrong, a guessed one as well. Evidence is in the text itself: UTF-8 that
was read as a single-byte code is valid UTF-8 again when it is written in that code, which real text
hardly ever is; and letters of another code page than the western one stand where no western
language has them.
"""

from __future__ import annotations

import codecs
import dataclasses
import itertools
import re
from typing import TYPE_CHECKING, Final

from tabkit.model import Block, Finding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from tabkit.model import TableStream

_REPLACEMENT: Final = "\ufffd"
_SAMPLED: Final = 2_000  # texts beyond ASCII that are looked at
_OF_BLOCK: Final = 100  # of one column's in one block
_LONGEST: Final = 400  # characters of a text that are looked at
_SHARE: Final = 0.9  # of texts that must be UTF-8 again
_GUESSED: Final = 10_000  # characters that another code page is guessed from
_LETTERS: Final = 30  # beyond ASCII, from which another code page is believed
_WESTERN: Final = frozenset({"cp1252", "iso8859-1", "iso8859-15"})
_FOREIGN: Final = re.compile(r"[^\x00-\x7f]")


def watched(stream: TableStream) -> TableStream:
    """Give the stream with findings on its text: at once on its labels, at its end on its data."""
    watch = _Watch(stream.origin.encoding)
    watch.sample(_metadata_texts(stream))
    stream.findings.extend(watch.told("names and labels"))
    return dataclasses.replace(stream, blocks=_Blocks(stream, watch.renewed()))


@dataclasses.dataclass(frozen=True, slots=True)
class _Blocks:
    """The blocks of a stream, looked at as they pass."""

    stream: TableStream
    watch: _Watch

    def __iter__(self) -> Iterator[Block]:
        names = _names_of_texts(self.stream.schema)
        found = _Replaced({}, {})
        done = 0
        with self.stream:
            for block in self.stream.blocks:
                for name in names:
                    _look(block.data.column(name), name, done, found, self.watch)
                done += block.data.num_rows
                yield block
        found.tell(self.stream.findings)
        self.stream.findings.extend(self.watch.told("text"))

    def close(self) -> None:
        self.stream.close()


def _names_of_texts(schema: pa.Schema) -> list[str]:
    import pyarrow as pa

    texts = (pa.string().id, pa.large_string().id)
    return [name for name, kind in zip(schema.names, schema.types, strict=True) if kind.id in texts]


def _look(column: pa.Array, name: str, done: int, found: _Replaced, watch: _Watch) -> None:
    import numpy as np
    import pyarrow.compute as pc

    data = column.buffers()[2]
    units = np.frombuffer(b"" if data is None else data, np.uint8)
    if units.max(initial=0) < 0x80:  # noqa: PLR2004
        return
    if (units == _REPLACEMENT.encode()[0]).any():  # a byte is found faster than a text
        lost = pc.match_substring(column, _REPLACEMENT).to_numpy(zero_copy_only=False) == True  # noqa: E712 - null is None
        count = int(np.count_nonzero(lost))
        if count:
            found.counts[name] = found.counts.get(name, 0) + count
            found.first.setdefault(name, done + int(lost.argmax()) + 1)
    if watch.wants_more:
        beyond = column.filter(pc.invert(pc.string_is_ascii(column)))
        watch.sample(beyond.slice(0, _OF_BLOCK).to_pylist())


@dataclasses.dataclass(frozen=True, slots=True)
class _Replaced:
    """Cases by variable that hold U+FFFD, and the first of them, from 1."""

    counts: dict[str, int]
    first: dict[str, int]

    def tell(self, findings: list[Finding]) -> None:
        """Add the place to what the reader told of a variable, or tell it where it did not."""
        for name, case in self.first.items():
            place = f"the first in case {case:,}; --encoding names another encoding"
            for at, each in enumerate(findings):
                if each.variable == name and ("U+FFFD" in each.text or "replace" in each.text):
                    findings[at] = dataclasses.replace(each, text=f"{each.text}, {place}")
                    break
            else:
                text = f"U+FFFD, which stands for bytes that were no text (cases: {{:,}}), {place}"
                findings.append(Finding(text.format(self.counts[name]), "warning", name))


class _Watch:
    """Gathers texts beyond ASCII and judges whether they were read in the right encoding."""

    def __init__(self, encoding: str) -> None:
        self._encoding, self._texts = encoding, list[str]()

    def renewed(self) -> _Watch:
        """Return another one, without the texts."""
        return _Watch(self._encoding)

    @property
    def wants_more(self) -> bool:
        """Whether there are too few texts yet."""
        return len(self._texts) < _SAMPLED

    def sample(self, texts: Iterable[str]) -> None:
        """Keep the texts that are beyond ASCII, as long as there is room."""
        beyond = itertools.filterfalse(str.isascii, texts)
        room = itertools.islice(beyond, _SAMPLED - len(self._texts))
        self._texts += [text[:_LONGEST] for text in room]

    def told(self, what: str) -> Iterator[Finding]:
        """Tell what speaks against the encoding, if anything does."""
        codec = _single_byte(self._encoding)
        pairs = [(text, _again(text, codec)) for text in self._texts]
        wrong = [(text, mended) for text, mended in pairs if mended is not None]
        if wrong and len(wrong) >= _SHARE * len(pairs):
            text, mended = min(wrong, key=lambda pair: len(pair[0]))
            found = f"{what}: UTF-8 that was read as {codecs.lookup(codec).name}, it seems"
            example = f"{text[:40]!r} for {mended[:40]!r}"
            cure = "; try --encoding utf-8"
            if codec != self._encoding_name():
                cure = ", before it came into this file"
            yield Finding(f"{found} ({example}){cure}", "warning")
            return
        other = _other_page(self._texts, codec) if self._encoding else ""
        if other:
            text = f"{what}: the letters look like {other}, not {self._encoding}"
            yield Finding(f"{text}; if they look wrong, try --encoding {other}", "info")

    def _encoding_name(self) -> str:
        try:
            return codecs.lookup(self._encoding).name
        except LookupError:
            return ""


def _single_byte(encoding: str) -> str:
    """Return the codec that a text was read in, or else the one mojibake mostly comes from."""
    try:
        codec = codecs.lookup(encoding).name if encoding else "cp1252"
        is_single = len(bytes(range(0xA1, 0xFF)).decode(codec, "replace")) == 0xFF - 0xA1
    except LookupError:
        return "cp1252"
    return codec if is_single and not codec.startswith("utf") else "cp1252"


def _again(text: str, codec: str) -> str | None:
    """Return the text that UTF-8 read in a single-byte code was meant to be, None for others."""
    raw = bytearray()
    for character in text:
        try:
            raw += character.encode(codec)
        except UnicodeEncodeError:
            if ord(character) >= 0x100:  # noqa: PLR2004
                return None
            raw.append(ord(character))  # a hole of the code page: read as a control character
    try:
        mended = codecs.getincrementaldecoder("utf-8")().decode(bytes(raw))
    except UnicodeDecodeError:
        return None
    return mended if not mended.isascii() else None


def _other_page(texts: list[str], codec: str) -> str:
    """Return a code page whose languages have these letters when the western one has not."""
    joined = "\n".join(texts)[:_GUESSED]
    if codec not in _WESTERN or len(_FOREIGN.findall(joined)) < _LETTERS:
        return ""
    from tabkit.read.delimited_charset import guess_charset

    guessed = guess_charset(joined.encode(codec, "ignore"))
    return "" if codecs.lookup(guessed).name in _WESTERN else guessed


def _metadata_texts(stream: TableStream) -> Iterator[str]:
    seen: set[int] = set()
    for variable in stream.variables:
        yield variable.name
        yield variable.label
        if id(variable.categories) not in seen:
            seen.add(id(variable.categories))
            yield from (each.label for each in variable.categories)
    yield stream.label
    yield from stream.notes
