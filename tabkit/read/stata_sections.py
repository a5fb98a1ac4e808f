"""Sections of a Stata file from version 117 on: where they are, by their tags and by the map.

The sections have known sizes, so each tag is expected where the one before ended; the map is
asked only where it is not there.
"""

from __future__ import annotations

import dataclasses
import struct
from typing import TYPE_CHECKING, Final

from tabkit.read.stata_strl import skip_long_strings

if TYPE_CHECKING:
    from tabkit.read.stata_bytes import Source
    from tabkit.read.stata_layout import Layout

#: Order of the offsets in the map.
_MAPPED: Final = (
    "stata_dta", "map", "variable_types", "varnames", "sortlist", "formats", "value_label_names",
    "variable_labels", "characteristics", "data", "strls", "value_labels",
)  # fmt: skip
_MAP_ENTRIES: Final = 14
_LONGEST_TEXT: Final = 64
_TAG_SPACE: Final = 64  # closing tags between two sections take less


@dataclasses.dataclass(frozen=True, slots=True)
class Map:
    """Offsets of sections by name, as the file states them; possibly wrong."""

    offsets: tuple[int, ...] = ()

    def of(self, name: str) -> int:
        """Return the stated offset, -1 where there is none."""
        at = _MAPPED.index(name) if name in _MAPPED else len(self.offsets)
        return self.offsets[at] if at < len(self.offsets) else -1

    @property
    def strls(self) -> int:
        """The stated offset of the long strings."""
        return self.of("strls")


def read_map(source: Source) -> Map:
    """Read the offsets."""
    enter(source, "map", Map())
    raw = source.take(8 * _MAP_ENTRIES, "map")
    return Map(struct.unpack(f"{source.order}{_MAP_ENTRIES}Q", raw))


def enter(source: Source, name: str, places: Map) -> None:
    """Go behind the opening tag of a section.

    Raises:
        FormatError: The tag is neither next nor where the map has it.
    """
    tag = f"<{name}>".encode()
    here = source.at
    source.seek(here)
    near = source.file.read(min(_TAG_SPACE, source.left)).find(tag)
    source.seek(here)
    between = b"" if near < 0 else source.take(near, name)
    source.seek(here)
    if near >= 0 and (not near or (between.startswith(b"</") and between.endswith(b">"))):
        source.seek(here + near + len(tag))
    elif not source.looking_at(tag, places.of(name)):
        raise source.broken(f"<{name}> is missing", "get a whole copy of it")


def section_text(source: Source, name: str, places: Map) -> bytes:
    """Return the text of a short section."""
    enter(source, name, places)
    here = source.at
    text = source.file.read(min(_LONGEST_TEXT, source.left)).partition(b"<")[0]
    source.seek(here + len(text))
    return text


def data_end(source: Source, offset: int, places: Map) -> int:
    """Return the first byte behind ``</data><strls>``, 0 where the data do not end at ``offset``.

    A damaged closing tag is forgiven where the map says that the long strings begin there.
    """
    closing = b"</data>"
    behind = offset + len(closing)
    if source.looking_at(closing, offset) or places.strls == behind:
        return behind + len(b"<strls>") if source.looking_at(b"<strls>", behind) else 0
    return 0


def find_value_labels(source: Source, places: Map, layout: Layout, *, walk: bool) -> bool:
    """Go behind ``<value_labels>``, starting behind ``<strls>``.

    Args:
        source: The file.
        places: Asked first.
        layout: Of the file's version.
        walk: There are long strings to step over.
    """
    tag = b"<value_labels>"
    here = source.at
    if source.looking_at(tag, places.of("value_labels")):
        return True
    source.seek(here)
    if walk:
        skip_long_strings(source, layout)
    source.looking_at(b"</strls>", source.at)
    return source.looking_at(tag, source.at)
