"""Types of the compiled kernels. All raise ValueError for arguments that do not fit together.

An array is (format, length, offset, validity, values, data), the format as in the Arrow C data
interface; `tabkit._native.arrays.described` makes one.
"""

from typing import TypeAlias

from typing_extensions import Buffer

Array: TypeAlias = tuple[str, int, int, Buffer | None, Buffer | None, Buffer | None]
Plan: TypeAlias = tuple[str, tuple[tuple[int, int], ...], str, float, bytes | None]
Decoded: TypeAlias = tuple[int, bytes | None, bytes, bytes | None, bytes | None, str]

def normalize(array: Array, digits: int, characters: int) -> bytes:
    """Return the bytes that a UNF 6 hashes for every case of an array.

    Args:
        array: Numbers, booleans, texts, dates, times, date-times or durations.
        digits: Significant digits of a number, 1 to 16.
        characters: UTF-16 code units kept of a text, at least 1.

    The plain twin is `tabkit.describe.unf`.
    """

def tab_lines(columns: list[tuple[Array, str]], rows: int, escaped: str) -> bytes:
    r"""Return the lines of an archival table.

    Args:
        columns: Arrays of ``rows`` cases, each with its style: of floats ``shortest``, ``java``
            or ``decimal`` (`tabkit.profiles.NumberText`), of texts ``quoted`` or ``bare``; others
            have one style only.
        rows: The number of lines.
        escaped: Characters of quoted text that get a backslash, out of ``\ " TAB LF CR``.

    The plain twins are `tabkit.write.tab` and `tabkit.write.cells`.
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
    data: Buffer, width: int, count: int, big_endian: bool, plans: list[Plan]
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
