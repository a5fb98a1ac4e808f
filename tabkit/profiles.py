"""Profiles: named choices of how a file is read, described and written.

Code asks a profile for a choice and never for its name. Each choice of ``dataverse`` that differs
is listed in docs/profiles.md with its source and its test.
"""

from __future__ import annotations

import dataclasses
import enum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tabkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tabkit.model import Origin


#: Formats whose original Dataverse gives to R's haven, instead of its own table.
R_READS: Final = frozenset({"sav", "zsav", "por", "dta"})


class NumberText(enum.Enum):
    """How a number becomes text in the archival table."""

    SHORTEST = "shortest"  # 2, 0.1, 1e+20: design section 3
    JAVA = "java"  # 2.0, 0.1, 1.0E20: Java's Double.toString and Float.toString
    DECIMAL = "decimal"  # 2, 0.1, 100000000000000000000: DecimalFormat, never an exponent


@dataclasses.dataclass(frozen=True, slots=True)
class TabLayout:
    """Cell text of one source format: number shape and the characters escaped in strings.

    ``singles`` is the shape of single-precision numbers, where it is another.
    ``dates_from_values``: the values settle the pattern and the category of a date or time that
    is text: a fraction in the last date-time adds ``.S``, no value at all takes both away.
    ``fraction_sticks``: for a time of day a fraction in any value does.
    """

    numbers: NumberText = NumberText.SHORTEST
    escaped: str = '\\"\t\n\r'
    singles: NumberText | None = None
    dates_from_values: bool = False
    fraction_sticks: bool = False


@dataclasses.dataclass(frozen=True, slots=True)
class ThumbnailRules:
    """How a picture is made small.

    ``image_bytes``, ``pdf_bytes``: larger sources are refused; 0 is no limit.
    ``page_side``: pages of a PDF are drawn with this longest side and then made smaller; 0 draws
    them in the size that is asked for.
    ``as_stored``: the numbers of the file are shown without turning (EXIF) or colour management.
    """

    enlarge: bool = False
    nearest: bool = False
    as_stored: bool = False
    always_alpha: bool = False
    image_bytes: int = 0
    pdf_bytes: int = 0
    page_side: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Profile:
    r"""One consistent set of choices.

    Attributes:
        name: For ``--profile``.
        tab_layouts: By source format (``Origin.format``, then ``format:version``), for those
            whose cells look other than `TabLayout()`.
        dates_as_text: Readers give dates and times as the text Dataverse writes (bare strings
            with its pattern as display format) and drop the metadata that Dataverse drops.
        user_missing_invalid: Declared missing values count as invalid in statistics.
        nan_is_missing: NaN and unreadable numbers are missing in statistics and UNF.
        mode_computed: False writes ``.`` for the mode.
        character_counts: Character variables have ``vald`` and ``invd``.
        interval_from_measure: The declared measure decides the interval before the values do.
        sniff: CSV delimiter, quote and encoding are detected; False takes them from the suffix.
        ragged_rows: CSV rows that are short or long are repaired and reported; False refuses.
        numbers_as_printed: CSV numbers keep the source's own digits in the archival table.
        names_as_labels: A CSV variable's label is its name; else it has none.
        float_frequencies: Category counts compare numbers in single precision.
        keep_missing: DDI carries ``missing="Y"`` and ``invalrng``.
        commons_math: Median, mean and deviation are computed by the letter of Apache
            commons-math's formulas, which overflow beyond 1e154 and give NaN beside infinities.
        float_format: A single-precision column with a value has the display format ``float``.
        stata_quirks: Stata files are read with Dataverse's codes: text is ISO 8859-1 up to version
            115 and ASCII from 117 on (labels UTF-8), other bytes U+FFFD; the 27 missing codes
            count from version 111 on, none is told apart and 2^333 is none; labels of missing
            codes keep the code; a blank long string is "".
        r_objects: The name of the data frame in an R workspace: of files that haven reads, and of
            others; None takes the file's.
        r_keeps_missing: User-missing values stay values in R, as with haven's ``user_na = TRUE``.
        r_quirks: R files are read as Dataverse's R script prints them: the first data frame by
            name, 15 digits, quotes doubled, logicals 0 and 1 with categories, unknown classes text.
        sheets_as_stored: Of an ``.xlsx`` the stored values of its first sheet are read: dates are
            serial numbers, names lose blanks and underscores.
        thumbnails: How pictures are made small.
        prep_by_script: Preprocessed data are what the repository's R script makes of the archival
            table's text; else they are made of the values.
        packed_names: Citations in a bundle are named without a separator: ``xcitation-ris.ris``.
    """

    name: str
    tab_layouts: Mapping[str, TabLayout] = dataclasses.field(default_factory=dict)
    dates_as_text: bool = False
    user_missing_invalid: bool = True
    nan_is_missing: bool = False
    mode_computed: bool = True
    character_counts: bool = True
    interval_from_measure: bool = True
    sniff: bool = True
    ragged_rows: bool = True
    numbers_as_printed: bool = False
    names_as_labels: bool = False
    float_frequencies: bool = False
    keep_missing: bool = True
    commons_math: bool = False
    float_format: bool = False
    stata_quirks: bool = False
    r_objects: tuple[str, str] | None = None
    r_keeps_missing: bool = True
    r_quirks: bool = False
    sheets_as_stored: bool = False
    thumbnails: ThumbnailRules = ThumbnailRules()
    prep_by_script: bool = False
    packed_names: bool = False

    def r_object(self, origin: Origin) -> str | None:
        """Return the name of a data frame of a table from ``origin``; None for its file's own."""
        if self.r_objects is None:
            return None
        return self.r_objects[0] if origin.format in R_READS else self.r_objects[1]

    def r_style(self, origin: Origin) -> str:
        """Return what columns become in R, unless a user says so."""
        by_haven = self.r_objects is None or origin.format in R_READS
        return "haven" if by_haven else "repository"

    def for_r(self, source_format: str) -> Profile:
        """Return the profile to read a source with whose cases go to R alone.

        Dataverse gives haven the original, so that neither its dates as text nor any other choice
        of its own readers is seen in R.
        """
        if self.r_objects is None or source_format not in R_READS:
            return self
        return dataclasses.replace(
            TABKIT, r_objects=self.r_objects, r_keeps_missing=self.r_keeps_missing
        )

    def tab_layout(self, origin: Origin) -> TabLayout:
        """Return how cells of a table from ``origin`` are printed."""
        exact = self.tab_layouts.get(f"{origin.format}:{origin.format_version}")
        return exact or self.tab_layouts.get(origin.format) or TabLayout()


TABKIT: Final = Profile("tabkit")

#: Source: IQSS/dataverse b485249231fe, the ingest plugins named in docs/profiles.md.
DATAVERSE: Final = Profile(
    "dataverse",
    tab_layouts=(  # a plain mapping, since a profile goes to worker processes by pickle
        {
            "sav": TabLayout(NumberText.DECIMAL, dates_from_values=True, fraction_sticks=True),
            "zsav": TabLayout(NumberText.DECIMAL, dates_from_values=True, fraction_sticks=True),
            "por": TabLayout(NumberText.DECIMAL, '"', dates_from_values=True),
            "csv": TabLayout(NumberText.JAVA, '"\t\n'),
            "tsv": TabLayout(NumberText.JAVA, '"\t\n'),
            "dta": TabLayout(NumberText.JAVA),
            "rdata": TabLayout(NumberText.JAVA, '"\t\n\r'),
            "rds": TabLayout(NumberText.JAVA, '"\t\n\r'),
            "xlsx": TabLayout(NumberText.JAVA),
        }
        | {
            f"dta:{version}": TabLayout(NumberText.DECIMAL, singles=NumberText.JAVA)
            for version in range(102, 116)
        }
    ),
    dates_as_text=True,
    user_missing_invalid=False,
    nan_is_missing=True,
    mode_computed=False,
    character_counts=False,
    interval_from_measure=False,
    sniff=False,
    ragged_rows=False,
    numbers_as_printed=True,
    names_as_labels=True,
    float_frequencies=True,
    keep_missing=False,
    commons_math=True,
    float_format=True,
    stata_quirks=True,
    r_objects=("table", "x"),
    r_keeps_missing=False,
    r_quirks=True,
    sheets_as_stored=True,
    thumbnails=ThumbnailRules(  # Source: ImageThumbConverter
        enlarge=True,
        nearest=True,
        as_stored=True,
        always_alpha=True,
        image_bytes=3_000_000,
        pdf_bytes=1_000_000,
        page_side=400,
    ),
    prep_by_script=True,
    packed_names=True,
)

PROFILES: Final[Mapping[str, Profile]] = MappingProxyType(
    {profile.name: profile for profile in (TABKIT, DATAVERSE)}
)


def find_profile(profile: Profile | str) -> Profile:
    """Return the profile of that name, or the profile itself.

    Raises:
        UsageError: There is none of that name.
    """
    if isinstance(profile, Profile):
        return profile
    if profile not in PROFILES:
        msg = f"no profile named {profile!r}; there are {', '.join(PROFILES)}"
        raise UsageError(msg)
    return PROFILES[profile]
