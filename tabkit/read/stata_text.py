"""Text of a Stata file: which code it is in, and fixed-width columns into Arrow strings.

From version 118 on text is UTF-8. Before, a file does not say: it is in the code of the system
that wrote it, mostly windows-1252.
"""

from __future__ import annotations

import codecs
import collections
import dataclasses
import functools
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from tabkit.errors import UsageError
from tabkit.model import Finding
from tabkit.read.java_utf8 import REPLACE_AS_JAVA

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

_WESTERN: Final = "windows-1252"
_HIGH: Final = 0x80
_REPLACEMENT: Final = "\ufffd"


@dataclasses.dataclass(frozen=True, slots=True)
class Encodings:
    """The code of each kind of text.

    Attributes:
        names: Names of variables and of value labels.
        labels: Variable labels, value labels, notes.
        data: Strings in the data.
        binary: Long strings that are declared binary.
        fallback: For a text that is not valid; empty to replace its bytes by U+FFFD.
    """

    names: str
    labels: str
    data: str
    binary: str
    fallback: str = _WESTERN


def same_for_all(encoding: str) -> Encodings:
    """Return one code for all text."""
    return Encodings(encoding, encoding, encoding, encoding)


#: Source: IQSS/dataverse b485249231fe, DTAFileReader.java; DataReader.java, NewDTAFileReader.java.
DATAVERSE_OLD: Final = dataclasses.replace(same_for_all("iso-8859-1"), fallback="")
DATAVERSE_NEW: Final = Encodings("ascii", "utf-8", "ascii", "utf-8", fallback="")


def known_encoding(name: str) -> str:
    """Return the standard name of an encoding.

    Raises:
        UsageError: Python knows none of that name, or ASCII is not a part of it.
    """
    ascii_bytes = bytes(range(0x20, 0x7F))
    try:
        found = codecs.lookup(name).name
        fits = ascii_bytes.decode(found) == ascii_bytes.decode("ascii")
    except (LookupError, UnicodeError):
        fits = False
    if not fits:
        msg = f"no encoding of text named {name!r}; try utf-8, windows-1252 or gb18030"
        raise UsageError(msg)
    return found


def detect(samples: Iterable[bytes]) -> tuple[Encodings, list[Finding]]:
    """Return the code of text that does not declare its own.

    Text beyond ASCII that is UTF-8 throughout is UTF-8: other codes hardly ever look so. Where
    all samples are ASCII, each string that comes later is taken for UTF-8 when it is valid.
    """
    beyond = [sample for sample in samples if not sample.isascii()]
    heads = [_utf8_head(sample) for sample in beyond]
    if None in heads:
        return same_for_all(_WESTERN), []
    if any(head and not head.isascii() for head in heads):
        text = "the file does not declare its encoding; its text is valid UTF-8 and was read so"
        return same_for_all("utf-8"), [Finding(text)]
    if beyond:
        return same_for_all(_WESTERN), []
    return Encodings(_WESTERN, _WESTERN, "utf-8", "utf-8"), []


def _utf8_head(raw: bytes) -> str | None:
    """Return the text but for a character that is cut off at its end; None if not UTF-8."""
    try:
        return codecs.getincrementaldecoder("utf-8")().decode(raw)
    except UnicodeDecodeError:
        return None


def decode(raw: bytes, encoding: str, fallback: str) -> tuple[str, bool]:
    """Return the text, and whether it was not valid in its own code.

    UTF-8 that is cut within its last character ends with U+FFFD.
    """
    try:
        return raw.decode(encoding), False
    except UnicodeDecodeError:
        pass
    table = _table(encoding)
    if not table:
        head = _utf8_head(raw) if encoding == "utf-8" else None
        if not fallback or (head and not head.isascii()):
            java = not fallback and encoding == "utf-8"
            return raw.decode(encoding, REPLACE_AS_JAVA if java else "replace"), True
    text = codecs.charmap_decode(raw, "strict", table or _table(fallback))[0]
    return text, not table or _REPLACEMENT in text


@functools.cache
def _table(encoding: str) -> str:
    """Return the 256 characters of a single-byte code, empty for other codes.

    Bytes without a character are U+FFFD; in windows-1252 control characters, as browsers do.
    """
    name = codecs.lookup(encoding).name
    high = bytes(range(_HIGH, 256))
    if name.startswith("utf") or len(high.decode(encoding, "replace")) != len(high):
        return ""
    characters = [bytes([byte]).decode(encoding, "replace") for byte in range(256)]
    if name == codecs.lookup(_WESTERN).name:
        characters = [chr(i) if c == _REPLACEMENT else c for i, c in enumerate(characters)]
    return "".join(characters)


@dataclasses.dataclass(frozen=True, slots=True)
class Decoder:
    """Decodes names and labels, and counts those that were not valid."""

    encodings: Encodings
    invalid: collections.Counter[str] = dataclasses.field(default_factory=collections.Counter)

    def name(self, raw: bytes) -> str:
        """Return a name of a variable or of value labels."""
        return self._decode(raw, self.encodings.names)

    def label(self, raw: bytes) -> str:
        """Return a label or a note."""
        return self._decode(raw, self.encodings.labels)

    def _decode(self, raw: bytes, encoding: str) -> str:
        text, invalid = decode(raw, encoding, self.encodings.fallback)
        self.invalid[encoding] += invalid
        return text


def invalid_finding(
    count: int, what: str, encoding: str, fallback: str, variable: str = ""
) -> Finding:
    """Return the finding for text that is not valid in its own code."""
    treatment = f"were read as {fallback}"
    if not fallback or fallback == encoding:
        treatment = "have replacement characters"
    return Finding(
        f"{count:,} {what} are not valid {encoding} and {treatment}", "warning", variable
    )


def column(
    cells: npt.NDArray[np.uint8], encoding: str, fallback: str
) -> tuple[pa.StringArray, int]:
    """Return fixed-width strings as an Arrow column, blank ones null.

    Args:
        cells: Shape (cases, width); a string ends at its first NUL.
        encoding: Their code.
        fallback: As in `Encodings`.

    Returns:
        The strings, and how many of them were not valid in their code.
    """
    is_end = cells == 0
    lengths = np.where(is_end.any(axis=1), is_end.argmax(axis=1), cells.shape[1])
    longest = int(lengths.max(initial=0))
    data = cells[:, :longest][np.arange(longest) < lengths[:, None]]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int32)
    if not (data >= _HIGH).any():
        return _strings(data, offsets), 0
    table = _table(encoding)
    if table:
        return _translated(data, offsets, table)
    return _decoded(_strings(data, offsets, pa.binary()), encoding, fallback)


def _translated(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32], table: str
) -> tuple[pa.StringArray, int]:
    """Turn single-byte text into UTF-8."""
    utf8 = codecs.charmap_decode(data.tobytes(), "strict", table)[0].encode()
    sizes = np.array([len(character.encode()) for character in table])
    ends = np.concatenate([[0], np.cumsum(sizes[data])])
    unknown = np.array([character == _REPLACEMENT for character in table])[data]
    bad = 0
    if unknown.any():
        before = np.concatenate([[0], np.cumsum(unknown)])
        bad = int(np.count_nonzero(np.diff(before[offsets])))
    return _strings(np.frombuffer(utf8, np.uint8), ends[offsets].astype(np.int32)), bad


def _decoded(cells: pa.BinaryArray, encoding: str, fallback: str) -> tuple[pa.StringArray, int]:
    """Decode cells of a multi-byte code; in Python only those that are not valid UTF-8."""
    if encoding == "utf-8":
        try:
            return cells.cast(pa.string()), 0
        except pa.ArrowInvalid:
            pass
    bad, texts = 0, []
    for raw in cells.to_pylist():
        text, invalid = (None, False) if raw is None else decode(raw, encoding, fallback)
        bad += invalid
        texts.append(text)
    return pa.array(texts, pa.string()), bad


def _strings(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int32], kind: pa.DataType | None = None
) -> pa.Array:
    """Build an Arrow array whose empty strings are null."""
    valid = np.diff(offsets) > 0
    bits = None
    if not valid.all():
        bits = pa.py_buffer(np.packbits(valid, bitorder="little").tobytes())
    buffers = [bits, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(data))]
    return pa.Array.from_buffers(kind or pa.string(), len(valid), buffers)
