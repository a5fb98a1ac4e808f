"""Display formats from one package to another: ``F8.2``, ``%8.2f`` and ``8.2`` say the same.

A format of the target's own stays as it is where it fits the column. Of another package's format
the kind of notation, the width and the decimals are carried over.
"""

from __future__ import annotations

import dataclasses
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from tabkit.loss import Loss
from tabkit.read.sas_formats import SasFormat, Temporal, parse_format
from tabkit.read.spss_temporal import (
    CODE_A,
    CODE_F,
    DATE_CODES,
    DATETIME_CODES,
    DURATION_CODES,
    FORMAT_NAMES,
    TEMPORAL_CODES,
    format_name,
)
from tabkit.write.stat_columns import is_duration, is_text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tabkit.model import Variable

_CODES: Final[Mapping[str, int]] = MappingProxyType({n: code for code, n in FORMAT_NAMES.items()})
_STRING_CODES: Final = frozenset({CODE_A, 2})
_SPSS: Final = re.compile(r"([A-Z]+)(\d{1,3})(?:\.(\d{1,2}))?")
_SAS: Final = re.compile(r"(\$?[A-Z_]*(?:[A-Z0-9_]*[A-Z_])?)(\d{0,3})\.(\d{0,2})", re.IGNORECASE)
_STATA: Final = re.compile(r"%[-~]?0?(\d{1,3})(?:[.,](\d{1,2}))?([fgesFGE])(c?)")
_STATA_NUMBER: Final = re.compile(r"%-?t[Cbg].*")  # dates that stay numbers
_MAX_WIDTH: Final = 40  # of a number in SPSS
_MAX_DECIMALS: Final = 16

#: Dates and times of SAS by the nearest of SPSS, and back.
_SAS_TO_SPSS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DATE": "DATE", "WORDDATE": "DATE", "MMDDYY": "ADATE", "DDMMYY": "EDATE",
        "YYMMDD": "SDATE", "E8601DA": "SDATE", "JULIAN": "JDATE", "MONYY": "MOYR", "YYQ": "QYR",
        "DATETIME": "DATETIME", "E8601DT": "YMDHMS", "TIME": "TIME", "HHMM": "TIME",
        "MMSS": "MTIME",
    }
)  # fmt: skip
_SPSS_TO_SAS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "DATE": "DATE9.", "ADATE": "MMDDYY10.", "EDATE": "DDMMYY10.", "SDATE": "YYMMDD10.",
        "JDATE": "JULIAN7.", "MOYR": "MONYY7.", "QYR": "YYQ6.", "WKYR": "DATE9.",
        "DATETIME": "DATETIME20.", "YMDHMS": "E8601DT19.", "TIME": "TIME8.", "DTIME": "TIME12.",
        "MTIME": "MMSS8.",
    }
)  # fmt: skip
_STATA_TO_SPSS: Final[Mapping[str, str]] = MappingProxyType(
    {"%td": "DATE", "%d": "DATE", "%tc": "DATETIME", "%tcHH:MM:SS": "TIME"}
)
#: What a number looks like, in SPSS and SAS.
_STYLES: Final[Mapping[str, str]] = MappingProxyType(
    {"F": "plain", "COMMA": "comma", "DOLLAR": "dollar", "E": "exponent", "PCT": "percent",
     "": "plain", "BEST": "general", "Z": "plain", "N": "plain", "PERCENT": "plain"}
)  # fmt: skip
_SPSS_WIDTHS: Final[Mapping[int, int]] = MappingProxyType(
    {20: 11, 23: 10, 38: 10, 39: 10, 24: 7, 28: 8, 29: 8, 30: 10, 22: 20, 41: 19, 21: 8, 25: 12,
     40: 8}
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Notation:
    """How a number is shown: ``style`` is plain, comma, dollar, exponent, percent or general."""

    style: str = "general"
    width: int | None = None
    decimals: int | None = None


def spss_format(variable: Variable, kind: pa.DataType, width: int = 0) -> tuple[int, int, int]:
    """Return code, width and decimals of a column's format in SPSS.

    Args:
        variable: Its display format may be of any package.
        kind: Type of the plain column.
        width: Bytes of a string.
    """
    own = _SPSS.fullmatch(variable.display_format)
    code = _CODES.get(own[1], 0) if own else 0
    if is_text(kind):
        code = code if code in _STRING_CODES else CODE_A
        return code, min(255, width * 2 if code != CODE_A else width), 0
    wanted = _temporal_codes(kind)
    fits = code in wanted if wanted else code not in TEMPORAL_CODES | _STRING_CODES
    if own and code and fits:
        return code, min(255, int(own[2])), int(own[3] or 0)
    if wanted:
        found = _SAS.fullmatch(variable.display_format)
        translated = _CODES[_SAS_TO_SPSS.get(found[1].upper(), "DATE")] if found else 0
        code = translated if translated in wanted else min(wanted)
        return code, _SPSS_WIDTHS[code], 0
    return _spss_number(notation_of(variable, kind), kind)


def format_losses(variable: Variable, told: str, kind: pa.DataType) -> list[Loss]:
    """Return a loss where the format ``told`` shows something else than the source's did."""
    given = variable.display_format
    if not given or _meaning(given, kind) == _meaning(told, kind):
        return []
    return [Loss(f"the display format {given} became {told or 'none'}", variable.name)]


def _meaning(text: str, kind: pa.DataType) -> object:
    """Return what a format shows, the same for equal formats of different packages."""
    if is_text(kind):
        return text.startswith("AHEX")
    if _temporal_codes(kind):
        spss, sas = _SPSS.fullmatch(text), _SAS.fullmatch(text)
        if text in _STATA_TO_SPSS:
            return _STATA_TO_SPSS[text]
        if spss or sas is None:
            return spss[1] if spss else text
        return _SAS_TO_SPSS.get(sas[1].upper(), sas[1])
    shown = _notation(text)
    return (shown.style, shown.decimals) if shown else text


def told_spss(found: tuple[int, int, int], width: int) -> str:
    """Return the format as a reader of SPSS files tells it; ``width`` is the string's."""
    code, shown, decimals = found
    return format_name(code, width if code == CODE_A else shown, decimals)


def stata_number_format(variable: Variable, kind: pa.DataType) -> str:
    """Return Stata's format of a number."""
    own = variable.display_format
    if _STATA.fullmatch(own) or _STATA_NUMBER.fullmatch(own):
        return own
    found = notation_of(variable, kind)
    left = "-" if variable.alignment == "left" else ""
    width = found.width or 9
    if found.style == "general" or found.decimals is None:
        return f"%{left}{max(width, 9)}.0g"
    width = max(width, found.decimals + 2)
    if found.style == "exponent":
        return f"%{left}{width}.{found.decimals}e"
    comma = "c" if found.style in {"comma", "dollar"} else ""
    return f"%{left}{width}.{found.decimals}f{comma}"


def stata_text_format(variable: Variable, width: int) -> str:
    """Return Stata's format of a string of ``width`` bytes, 0 for a long one."""
    if re.fullmatch(r"%[-~]?\d+s", variable.display_format):
        return variable.display_format
    mark = {"left": "-", "center": "~"}.get(variable.alignment, "")
    return f"%{mark}{min(max(width, 9), 244)}s"


def sas_format(variable: Variable, kind: pa.DataType) -> SasFormat:
    """Return a column's format in SAS; empty for numbers and texts that have none."""
    own = parse_format(variable.display_format)
    is_sas = _SAS.fullmatch(variable.display_format) is not None
    wanted = _sas_temporal(kind)
    fits = own.temporal is wanted and own.name.startswith("$") == is_text(kind)
    if is_sas and (fits or (is_text(kind) and own.name.startswith("$"))):
        return own
    if is_text(kind):
        return SasFormat()
    if wanted is not None:
        spss = _SPSS.fullmatch(variable.display_format)
        code = _CODES.get(spss[1], 0) if spss else 0
        codes = _temporal_codes(kind)
        return parse_format(_SPSS_TO_SAS[FORMAT_NAMES[code if code in codes else min(codes)]])
    shown = notation_of(variable, kind)
    if not variable.display_format or shown.width is None:
        return SasFormat()
    names = {"comma": "COMMA", "dollar": "DOLLAR", "exponent": "E", "general": "BEST"}
    width = min(max(shown.width, (shown.decimals or 0) + 2), 32)
    return SasFormat(names.get(shown.style, ""), width, shown.decimals or None)


def _sas_temporal(kind: pa.DataType) -> Temporal | None:
    if pa.types.is_date(kind):
        return Temporal.DATE
    if pa.types.is_timestamp(kind):
        return Temporal.DATETIME
    return Temporal.TIME if is_duration(kind) else None


def notation_of(variable: Variable, kind: pa.DataType) -> Notation:
    """Return how a number is shown, from a display format of any package."""
    shown = _notation(variable.display_format)
    if shown is not None:
        return shown
    if variable.decimals is not None:
        return Notation("plain", max(8, variable.decimals + 3), variable.decimals)
    whole = not pa.types.is_floating(kind)
    return Notation("general", None, 0 if whole else None)


def _notation(text: str) -> Notation | None:
    if found := _STATA.fullmatch(text):
        style = {"f": "plain", "e": "exponent"}.get(found[3].lower(), "general")
        style = "comma" if found[4] else style
        decimals = int(found[2] or 0) if style != "general" else None
        return Notation(style, int(found[1]), decimals)
    for pattern in (_SPSS, _SAS):
        found = pattern.fullmatch(text)
        if found and found[1].upper() in _STYLES:
            style = _STYLES[found[1].upper()]
            decimals = None if style == "general" else int(found[3] or 0)
            return Notation(style, int(found[2] or 8), decimals)
    return None


def _spss_number(shown: Notation, kind: pa.DataType) -> tuple[int, int, int]:
    names = {"comma": "COMMA", "dollar": "DOLLAR", "exponent": "E", "percent": "PCT"}
    decimals = shown.decimals
    if decimals is None:
        decimals = 2 if pa.types.is_floating(kind) else 0
    decimals = min(decimals, _MAX_DECIMALS)
    width = min(max(shown.width or 8, decimals + 2), _MAX_WIDTH)
    return _CODES.get(names.get(shown.style, ""), CODE_F), width, decimals


def _temporal_codes(kind: pa.DataType) -> Collection[int]:
    """Return SPSS's formats of a date, a date-time or a duration; nothing for other columns."""
    if pa.types.is_date(kind):
        return DATE_CODES
    if pa.types.is_timestamp(kind):
        return DATETIME_CODES
    return DURATION_CODES if is_duration(kind) else ()
