"""SAS formats: a format's text goes in, its meaning and the variable it makes come out.

A SAS date is a number of days since 1960-01-01, a date-time a number of seconds since then, a time
a number of seconds; only the format tells. Formats that show a part of one (YEAR, QTR, WEEKDAY,
HOUR, …) leave the variable a number, as pyreadstat and haven do.

Source: SAS 9.4 Formats and Informats: Reference, "Formats by Category".
"""

from __future__ import annotations

import dataclasses
import enum
import re
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from tabkit.model import Finding, Interval, Kind, Variable
from tabkit.read.spss_dictionary import make_unique

if TYPE_CHECKING:
    from collections.abc import Sequence


class Temporal(enum.Enum):
    """What a number shown in a temporal format counts."""

    DATE = "date"
    DATETIME = "datetime"
    TIME = "time"


_SEPARATORS: Final = r"[BCDNPS]?"  # blank, colon, dash, none, point, slash
_FAMILIES: Final = (
    (
        Temporal.DATE,
        re.compile(
            rf"DATE|(?:DDMMYY|MMDDYY|YYMMDD){_SEPARATORS}|(?:MMYY|YYMM|YYQR?)[CDNPS]?|YYQZ|MONYY"
            r"|YYMON|JULIAN|JULDATE|WORDDAT[EX]|WEEKDAT[EX]|(?:YY)?WEEK[UVW]"
            r"|(?:E8601|B8601|IS8601|ND8601)DA|NLDATE(?:[LMSW]|YMM?|YQ|YW|YML|YMS|YQL|YQM|YQS)?"
            r"|[A-Z]{3}DF(?:DD|DE|MY|WDX|WKX)|HDATE|HEBDATE|MINGUO|NENGO",
        ),
    ),
    (
        Temporal.DATETIME,
        re.compile(
            r"DATETIME|DATEAMPM|MDYAMPM|YMDDTTM|DT(?:DATE|MONYY|WKDATX|YYQC)"
            r"|(?:E8601|B8601|IS8601)(?:DT|DN|DX|DZ|LX)|[A-Z]{3}DFDT"
            r"|NLDATM(?:[LMSWZ]|AP|DT|WZ|YMM?|YQ|YW|YML|YMS|YQL|YQM|YQS)?",
        ),
    ),
    (
        Temporal.TIME,
        re.compile(
            r"TIME(?:AMPM)?|HHMM|MMSS|TOD|(?:E8601|B8601|IS8601)(?:TM|TX|TZ|LZ)|NLTIM(?:E|AP)"
        ),
    ),
)
#: Formats that come with SAS and are not temporal: they name no value labels.
_BUILT_IN: Final = re.compile(
    r"\$?(?:|BEST[DX]?|F|E|D|Z|N|BINARY|HEX|OCTAL|IB|IBR|PIB|PIBR|PD|PK|RB|ZD|FLOAT|IEEE|BITS"
    r"|COMMA|COMMAX|DOLLAR|DOLLARX|EURO|EUROX|YEN|FRACT|NEGPAREN|NUMX|PERCENT|PERCENTN|PVALUE"
    r"|ROMAN|SSN|WORDF|WORDS|SIZEK|SIZEKB|SIZEKMG|VAXRB|VMSZN|S370F\w+|NL\w+|CHAR|ASCII|EBCDIC"
    r"|QUOTE|REVERJ|REVERS|UPCASE|VARYING|MSGCASE|BASE64X|UCS\w+|UTF\w+|YEAR|DTYEAR|QTRR?|MONTH"
    r"|MONNAME|DAY|DOWNAME|WEEKDAY|JULDAY|HOUR|DTTIME|PDJUL[GI]|N8601\w+)"
)
_CURRENCY: Final = re.compile(r"(?:DOLLAR|EURO)X?|YEN|NLMNY\w*|NLMNI\w*")
_PARTS: Final = re.compile(r"(.*?)(\d{0,9})(?:\.(\d{0,9}))?", re.DOTALL)


@dataclasses.dataclass(frozen=True, slots=True)
class SasFormat:
    """A format as SAS writes it: ``$GENDER8.``, ``DATETIME20.3``, ``8.2``.

    Attributes:
        name: Upper case, with ``$`` for characters; empty for plain numbers (``8.2``).
        width: None when not stated.
        decimals: None when not stated.
    """

    name: str = ""
    width: int | None = None
    decimals: int | None = None

    def __str__(self) -> str:
        if not self.name and self.width is None:
            return ""
        decimals = "" if self.decimals is None else self.decimals
        return f"{self.name}{'' if self.width is None else self.width}.{decimals}"

    @property
    def temporal(self) -> Temporal | None:
        """What values in this format count, None when they are not temporal."""
        return next((kind for kind, names in _FAMILIES if names.fullmatch(self.name)), None)

    @property
    def is_user_defined(self) -> bool:
        """Whether SAS itself has no format of this name: it stands for value labels."""
        return self.temporal is None and _BUILT_IN.fullmatch(self.name) is None


def parse_format(text: str) -> SasFormat:
    """Split a format's text, with or without its point; digits at the end are the width."""
    found = _PARTS.fullmatch(text.strip().upper())
    name, width, decimals = found.groups() if found else (text, "", None)
    return SasFormat(
        name,
        int(width) if width and int(width) else None,
        int(decimals) if decimals and int(decimals) else None,
    )


@dataclasses.dataclass(frozen=True, slots=True)
class SasVariable:
    """A column as its file describes it.

    Attributes:
        name: As stored.
        label: Empty when there is none.
        shown: Its format.
        informat: The format to read it by, empty when there is none.
        width: Bytes in a case.
        is_text: Character or number.
    """

    name: str
    label: str
    shown: SasFormat
    informat: str
    width: int
    is_text: bool


def name_apart(
    variables: Sequence[SasVariable], findings: list[Finding]
) -> tuple[SasVariable, ...]:
    """Give a name of its own to every variable that has none, or that of an earlier one."""
    named = []
    for number, variable in enumerate(variables, 1):
        name = variable.name or f"VAR{number}"
        if not variable.name:
            findings.append(Finding(f"a variable without a name is named {name}", "warning", name))
        named.append(name)
    return tuple(
        dataclasses.replace(variable, name=name)
        for variable, name in zip(variables, make_unique(named, findings), strict=True)
    )


def make_variable(source: SasVariable) -> Variable:
    """Return a variable without its categories."""
    shown = source.shown
    temporal = None if source.is_text else shown.temporal
    character = source.is_text or temporal is not None
    category = ""
    if temporal is not None:
        category = "date" if temporal is Temporal.DATE else "time"
    elif not source.is_text and _CURRENCY.fullmatch(shown.name):
        category = "currency"
    return Variable(
        source.name,
        source.label,
        Kind.CHARACTER if character else Kind.NUMERIC,
        Interval.DISCRETE if character else None,
        display_format=str(shown),
        format_category=category,
        decimals=None if character else shown.decimals,
        width=source.width if source.is_text else shown.width,
        storage=f"{'char' if source.is_text else 'num'}{source.width}",
        attributes=(("informat", source.informat),) if source.informat else (),
    )


def column_type(shown: SasFormat, *, is_text: bool) -> pa.DataType:
    """Return the Arrow type of a variable."""
    if is_text:
        return pa.string()
    return {
        None: pa.float64(),
        Temporal.DATE: pa.date32(),
        Temporal.DATETIME: pa.timestamp("us"),
        Temporal.TIME: pa.duration("us"),
    }[shown.temporal]
