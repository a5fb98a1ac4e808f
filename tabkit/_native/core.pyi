"""Types of the compiled kernels. All raise ValueError for arguments that do not fit together.

An array is (format, length, offset, validity, values, data), the format as in the Arrow C data
interface; `tabkit._native.arrays.described` makes one.
"""

from collections.abc import Sequence
from typing import TypeAlias

from typing_extensions import Buffer

Array: TypeAlias = tuple[str, int, int, Buffer | None, Buffer | None, Buffer | None]
Plan: TypeAlias = tuple[str, tuple[tuple[int, int], ...], str, float, bytes | None]
Outline: TypeAlias = tuple[
    tuple[float, float, float | None, int, int, float, float, float],
    tuple[int, ...],
    tuple[tuple[float, int], ...],
    int,
    int,
    int,
    tuple[str, bytes, bytes] | None,
]
Decoded: TypeAlias = tuple[int, bytes | None, bytes, bytes | None, bytes | None, str]

def normalize(array: Array, digits: int, characters: int) -> bytes:
    """Return the bytes that a UNF 6 hashes for every case of an array.

    Args:
        array: Numbers, booleans, texts, dates, times, date-times or durations.
        digits: Significant digits of a number, 1 to 16.
        characters: UTF-16 code units kept of a text, at least 1.

    The plain twin is `tabkit.describe.unf`.
    """

def tab_lines(columns: Sequence[tuple[Array, str]], rows: int, escaped: str) -> bytes:
    r"""Return the lines of an archival table.

    Args:
        columns: Arrays of ``rows`` cases, each with its style: of floats ``shortest``, ``java``
            or ``decimal`` (`tabkit.profiles.NumberText`), of texts ``quoted`` or ``bare``; others
            have one style only.
        rows: The number of lines.
        escaped: Characters of quoted text that get a backslash, out of ``\ " TAB LF CR``.

    The plain twins are `tabkit.write.tab` and `tabkit.write.cells`.
    """

def summary(
    values: Array, counts: Array | None
) -> tuple[float, float, float, float, float, int, int] | None:
    """Return statistics of distinct numbers in ascending order.

    Args:
        values: Doubles or integers of 64 bits, neither missing nor NaN.
        counts: How often each occurs, integers of 64 bits; None for once each.

    Returns:
        Mean, median, standard deviation, least, greatest, place of the mode, number of cases; None
        where it takes the plain twin, `tabkit.describe.stats`, to be exact.
    """

def outline(
    array: Array,
    codes: Buffer,
    missing: Buffer,
    spans: Buffer,
    missing_is_invalid: bool,
    listed: int,
    keep: bool,
) -> tuple[bool, Outline] | None:
    """Return all that is told of a short array of numbers besides its fingerprint.

    Args:
        array: Numbers.
        codes: Doubles that have a label; here and below NaN equals nothing.
        missing: Doubles that are declared missing.
        spans: Least and greatest double of each span of missing numbers, both inclusive.
        missing_is_invalid: Whether missing numbers are left out from the statistics.
        listed: How many numbers without a label are listed at most.
        keep: Whether the distinct valid numbers are wanted.

    Returns:
        Whether a finite number is not whole, and the outline:

        * the fields of `tabkit.model.SummaryStats`;
        * cases of each code;
        * valid numbers without a code and their cases, none without codes; all such cases;
        * cases without a value;
        * cases with a missing number;
        * the distinct valid numbers, ascending, -0.0 as 0: their format (``l``, also where all
          floats are whole and of 32 bits, or ``g``), they, and their counts of 64 bits.

        None where it takes the plain twin, `tabkit.describe.number_column`, to be exact.
    """

def expand(data: Buffer, table: Buffer) -> tuple[bytes, int, bool]:
    """Expand SPSS bytecode; the plain twin is `tabkit.read.spss_cases.expand`.

    Args:
        data: From the beginning of an octet of codes.
        table: The 8 bytes that each of the 256 codes stands for.

    Returns:
        The elements of all octets whose raw elements are in ``data`` too; the bytes used; whether
        the code for the end of the data was met, behind which nothing is expanded.
    """

def decode_cases(
    data: Buffer, width: int, count: int, big_endian: bool, plans: Sequence[Plan]
) -> list[Decoded]:
    """Return the columns of ``count`` cases of ``width`` bytes each, as SPSS and Stata store them.

    Args:
        data: The cases, one after the other.
        width: Bytes of a case.
        count: How many cases.
        big_endian: The byte order of the numbers.
        plans: One a column: (format, pieces, missing, number, padding).

            * format: ``c s i l f g`` for numbers of 1, 2, 4, 8 (integers), 4 and 8 bytes (floats),
              ``u`` for text.
            * pieces: (first byte, bytes) in the case; one of a number, those of a text are joined.
            * missing: ``none``; ``equal``: doubles equal to ``number``; ``above``: integers greater
              than ``number``, which are ``.``, ``.a`` and so on; ``codes``: floats that are
              one of Stata's 27 codes, or doubles equal to ``number``; ``empty``: empty texts.
            * padding: The bytes that a text loses at its end; None to cut it at its first NUL.

    Returns:
        A column each: how many cells are missing; the validity bits, None when none is missing;
        the values, or the 32-bit offsets of texts; the bytes of texts; the tags of missing
        numbers, one byte a case (`tabkit.model.TAG_LETTERS`), None when there are none; what the
        texts are: ``ascii``, ``utf-8`` (each text by itself) or empty for bytes of another kind.

    The plain twins are `tabkit.read.spss_columns` and `tabkit.read.stata_cases`.
    """

def tokenize(
    source: Buffer, delimiter: str, quote: str, escape: str, strays: bool, final: bool, force: bool
) -> tuple[bytes, bytes, bytes, bytes, bytes, int, int, int, int, bool]:
    """Split the whole rows at the start of UTF-8 into cells.

    Args:
        source: Begins at a row's start.
        delimiter: One ASCII character.
        quote: One ASCII character, empty for none.
        escape: The same; stands before a quote within quotes.
        strays: A quote that opens a cell of several lines and has no proper end is text.
        final: Nothing follows; the last row may lack its line end.
        force: Give one row, which does not wait for the end of a quoted cell any longer.

    Returns:
        The fields of `tabkit.read.delimited_cells.Cells` in their order, arrays as the bytes of
        64-bit integers (``ends``, ``counts``, ``row_ends``) and of booleans (``blank``).

    The plain twins are `tabkit.read.delimited_tokens` and `tabkit.read.delimited_lexer`, which
    may stop earlier and does for a dialect that is ``trimmed`` what this one does not.
    """

def survey(array: Array) -> tuple[int, int, int, bool, float | None, float | None]:
    """Return what the numbers of an array are like.

    Returns:
        How many numbers there are that are not NaN; how many are NaN; how many are -0.0; whether a
        finite one is not whole; the least and the greatest, None where there is none, integers as
        int.
    """

def fill(made: object, names: tuple[str, ...], values: tuple[object, ...]) -> None:
    """Set attributes as ``object.__setattr__`` does, which `tabkit.frozen` needs.

    Args:
        made: Any object.
        names: Of its attributes.
        values: As many.
    """

def interleaved(parts: tuple[str, ...], values: tuple[float | str, ...]) -> str:
    """Return texts with values between them: numbers as the archival table prints them.

    Args:
        parts: One more than values.
        values: Numbers, or texts as they are.

    The plain twin is `tabkit.ddi.text.interleaved`.
    """

def narrow(array: Array, target: str) -> bytes:
    """Copy the numbers that are there and not NaN.

    Args:
        array: Numbers.
        target: ``c s i l`` for integers of 1 to 8 bytes, or for floats and unsigned integers of 8
            bytes their own format. A negative zero becomes 0 in an integer.

    Raises:
        ValueError: A number does not fit exactly.

    The plain twin is `tabkit.describe.store.narrowed`.
    """

def count_values(array: Array, low: int, span: int) -> tuple[bytes, int]:
    """Count how often each integer from ``low`` on occurs.

    Returns:
        ``span`` counts as the bytes of 64-bit integers, and how many numbers lie outside.
    """

def xdr_doubles(array: Array) -> bytes:
    """Return numbers as R's doubles, dates as days and date-times, times and durations as seconds.

    Missing is R's NA; NaN stays NaN.
    """

def xdr_integers(array: Array) -> bytes:
    """Return booleans or integers of at most 32 bits as R's integers; missing is R's NA.

    Raises:
        ValueError: -2**31 is among them, which R has for NA.
    """

def xdr_texts(array: Array) -> tuple[bytes, int]:
    """Return texts as R's, each with its head, and how many were cut at a NUL, as R has none.

    Raises:
        ValueError: A text has 2**31 bytes or more.
    """

def deflate_words(data: Buffer, width: int) -> bytes | None:
    """Compress words of 4 or 8 bytes as one block of raw deflate and a sync flush.

    Faster and smaller than byte by byte where the words are few; None where more than 255 differ.
    `tabkit.gzipped.deflate` takes any data.
    """

def skip_texts(
    data: Buffer, start: int, count: int, stride: int, big_endian: bool
) -> tuple[bytes, int]:
    """Walk over ``count`` texts of R's serialization.

    Returns:
        Where every ``stride``-th begins, as the bytes of 64-bit integers; where the last ends.

    Raises:
        ValueError: They do not all lie in ``data``, or something else lies among them.

    The plain twins of this and the next are in `tabkit.read.r_texts`.
    """

def read_texts(
    data: Buffer, start: int, count: int, big_endian: bool, native_is_utf8: bool
) -> tuple[int, bytes | None, bytes, bytes, bytes | None]:
    """Return ``count`` texts of R's serialization.

    Returns:
        How many are NA; the validity bits, None when none is; 32-bit offsets; the bytes; a mark
        for each text (`tabkit.read.r_texts.Mark`), None when all are ASCII or UTF-8.

    Raises:
        ValueError: As `skip_texts`, or they have more than 2 GiB.
    """

def sav_variables(
    window: Buffer, at: int, big_endian: bool, element: int
) -> tuple[
    list[tuple[int, int, bytes, bytes | None, int, tuple[bytes, ...], int, int, int]], int, int
]:
    """Take the whole variable records that lie in ``window`` one after the other.

    Args:
        window: Bytes of a system file.
        at: Where a record may begin.
        big_endian: The file's byte order.
        element: The number of the first record's element, from 0.

    Returns:
        The fields of a `tabkit.read.spss_records.VariableRecord` for each that is named; the place
        of the first record that is another one, not whole or against the rules; the number of the
        next element.

    The plain twins of this and the next are in `tabkit.read.spss_records`.
    """

def sav_label_sets(
    window: Buffer, at: int, big_endian: bool
) -> tuple[list[tuple[tuple[tuple[bytes, bytes], ...], tuple[int, ...]]], int]:
    """Take the whole sets of value labels that lie in ``window`` one after the other.

    Returns:
        The labels and elements of a `tabkit.read.spss_records.LabelSet` for each; the place of the
        first record that is another one, not whole or against the rules.
    """
