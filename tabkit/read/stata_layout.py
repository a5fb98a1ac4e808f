"""What differs between the versions of a Stata data file: field sizes, types, missing codes.

Source: Stata's own descriptions of its formats, ``help dta_102`` to ``help dta_121``. Versions
109 and 116 were never released.
"""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_OLD_TYPES: Final = {98: "byte", 105: "int", 108: "long", 102: "float", 100: "double"}
_TYPES: Final = {251: "byte", 252: "int", 253: "long", 254: "float", 255: "double"}
_NEW_TYPES: Final = {
    65530: "byte", 65529: "int", 65528: "long", 65527: "float", 65526: "double",
    65525: "alias", 32768: "strL",
}  # fmt: skip
#: Releases of Stata by the first version of the format that they wrote.
PRODUCTS: Final[Mapping[int, str]] = MappingProxyType(
    {
        102: "1", 103: "2", 104: "3", 105: "4", 106: "6", 107: "6", 108: "6", 110: "7",
        111: "7 SE", 112: "8", 113: "8", 114: "10", 115: "12", 117: "13", 118: "14", 119: "15",
        120: "18", 121: "18",
    }
)  # fmt: skip
#: Bytes of a number in the data, by storage type.
WIDTHS: Final[Mapping[str, int]] = MappingProxyType(
    {"byte": 1, "int": 2, "long": 4, "float": 4, "double": 8, "strL": 8, "alias": 0}
)
#: numpy's name of the stored numbers, without byte order.
NUMBERS: Final[Mapping[str, str]] = MappingProxyType(
    {"byte": "i1", "int": "i2", "long": "i4", "float": "f4", "double": "f8", "strL": "u8"}
)


@dataclasses.dataclass(frozen=True, slots=True)
class Layout:
    """Sizes, in bytes, of what one version stores.

    Attributes:
        version: 102 to 121.
        variables: The count of variables.
        cases: The count of cases.
        file_label: The file label with its padding; from 117 on the length before it.
        timestamp: The same of the time stamp; 0 where there is none.
        name: Names of variables, of value labels and of characteristics.
        display_format: A display format.
        label: A variable label.
        sort: One entry of the sort list.
        expansion: The length of an expansion field; 0 where there are none.
        offset_bits: Bits of the case number in a reference to a long string.
    """

    version: int
    variables: int
    cases: int
    file_label: int
    timestamp: int
    name: int
    display_format: int
    label: int
    sort: int
    expansion: int
    offset_bits: int = 0

    @property
    def has_sections(self) -> bool:
        """Whether named sections follow each other (``<header>`` and so on)."""
        return self.version >= 117  # noqa: PLR2004

    @property
    def has_wide_labels(self) -> bool:
        """Whether value labels have 32-bit codes and labels of any length."""
        return self.version >= 107  # noqa: PLR2004

    @property
    def is_unicode(self) -> bool:
        """Whether text is UTF-8; before, it is in whatever code the writer's system had."""
        return self.version >= 118  # noqa: PLR2004


def _layouts() -> dict[int, Layout]:
    oldest = Layout(102, 2, 2, 32, 0, 9, 7, 32, 2, 0)
    stamped = dataclasses.replace(oldest, cases=4, timestamp=18, display_format=12, expansion=2)
    labelled = dataclasses.replace(stamped, file_label=81, label=81)
    long_names = dataclasses.replace(labelled, name=33, expansion=4)
    long_formats = dataclasses.replace(long_names, display_format=49)
    tagged = Layout(117, 2, 4, 1, 1, 33, 49, 81, 2, 0, offset_bits=32)
    unicode = Layout(118, 2, 8, 2, 1, 129, 57, 321, 2, 0, offset_bits=48)
    wide = dataclasses.replace(unicode, variables=4, sort=4, offset_bits=40)
    by_version = {102: oldest, 117: tagged, 118: unicode, 119: wide, 120: unicode, 121: wide}
    by_version |= dict.fromkeys((103, 104), dataclasses.replace(oldest, cases=4))
    by_version |= dict.fromkeys((105, 106), stamped)
    by_version |= dict.fromkeys((107, 108), labelled)
    by_version |= dict.fromkeys((110, 111, 112, 113), long_names)
    by_version |= dict.fromkeys((114, 115), long_formats)
    return {
        version: dataclasses.replace(by_version[version], version=version) for version in PRODUCTS
    }


LAYOUTS: Final[Mapping[int, Layout]] = MappingProxyType(_layouts())


def storage_of(layout: Layout, code: int) -> str:
    """Return the storage type of a type code (``byte``, ``str18``, ``strL``…), empty if unknown."""
    if layout.has_sections:
        longest = 2045
        return _NEW_TYPES.get(code) or (f"str{code}" if 0 < code <= longest else "")
    if layout.version >= 111:  # noqa: PLR2004
        longest = 244
        return _TYPES.get(code) or (f"str{code}" if 0 < code <= longest else "")
    first = 127
    return _OLD_TYPES.get(code) or (f"str{code - first}" if code > first else "")


def width_of(storage: str) -> int:
    """Return the bytes of one cell."""
    width = WIDTHS.get(storage)
    return int(storage.removeprefix("str")) if width is None else width


@dataclasses.dataclass(frozen=True, slots=True)
class MissingCodes:
    """Which stored numbers are missing.

    A missing float is one of 27 codes in every version; other numbers beyond Stata's range
    (infinities, NaN) are kept as the numbers they are.

    Attributes:
        largest: The largest number that is not missing, by integer storage type.
        tagged: The codes after the first are ``.a`` to ``.z``, and told apart.
        early_double: ``2^333`` is missing in a double.
    """

    largest: Mapping[str, int]
    tagged: bool
    early_double: bool


_LARGEST: Final = MappingProxyType({"byte": 100, "int": 32740, "long": 2147483620})
_LARGEST_OLD: Final = MappingProxyType({"byte": 126, "int": 32766, "long": 2147483646})


def missing_codes(version: int, *, quirks: bool) -> MissingCodes:
    """Return the missing codes of a version.

    Args:
        version: 102 to 121.
        quirks: As Dataverse has it: 27 codes from 111 on, none told apart, and no 2^333.
    """
    first_with_many = 111 if quirks else 112
    many = version >= first_with_many
    last_early = 105
    return MissingCodes(
        _LARGEST if many else _LARGEST_OLD,
        many and not quirks,
        version <= last_early and not quirks,
    )
