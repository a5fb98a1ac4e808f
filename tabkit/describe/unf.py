"""Universal Numeric Fingerprint, version 6: values go in, ``UNF:6:…`` comes out.

Exact to the Java reference that Dataverse runs (on Java 21), which the written standard does not
describe in every point; `tabkit.describe.numbers`, `texts` and `moments` say where they differ.

Source: Dataverse developer guide, "UNF Version 6"; IQSS/UNF 6.0.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from typing import TYPE_CHECKING, Any, Final

from tabkit import _native
from tabkit.describe.columns import as_chunks, is_moment, is_text, plain
from tabkit.describe.moments import normalize_moments
from tabkit.describe.numbers import DIGITS, normalize_numbers
from tabkit.describe.texts import CHARACTERS, normalize_text, normalize_texts

if _native.AVAILABLE:
    from tabkit._native import arrays

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

HASH_BYTES: Final = 16  # 128 bits kept of the SHA-256 digest

_ROWS: Final = 1 << 14  # cases whose bytes are in memory at once: they stay in the cache
_CASE: Final = re.compile(rb"\0\0\0|[^\n]*\n\0")  # of a number or a date, which hold no line end


class UnfHasher:
    """The fingerprint of one variable, block by block.

    Args:
        digits: Significant digits of a number, 2 to 16; more count as 16 under their own header.
        characters: UTF-16 code units kept of a string.

    Raises:
        ValueError: ``digits`` is under 2 or ``characters`` under 1.
    """

    def __init__(self, *, digits: int = DIGITS, characters: int = CHARACTERS) -> None:
        _check(digits, characters)
        self._digits, self._characters = digits, characters
        self._hash = hashlib.sha256()
        self._cases = 0

    def update(self, array: pa.Array) -> None:
        """Add the cases of an Arrow array."""
        for start in range(0, len(array), _ROWS):
            part = array.slice(start, _ROWS) if len(array) > _ROWS else array
            self._hash.update(normalize(part, self._digits, self._characters))
        self._cases += len(array)

    def copy(self) -> UnfHasher:
        """Return a hasher that has seen the same cases and goes its own way from here."""
        twin = UnfHasher(digits=self._digits, characters=self._characters)
        twin._hash, twin._cases = self._hash.copy(), self._cases
        return twin

    @property
    def cases(self) -> int:
        """How many cases it has seen."""
        return self._cases

    def unf(self) -> str:
        """Return the printable fingerprint of the cases seen.

        Raises:
            ValueError: There was none; the standard gives no fingerprint to nothing.
        """
        if not self._cases:
            msg = "a variable without cases has no UNF"
            raise ValueError(msg)
        return _printed(self._hash.digest(), self._digits, self._characters)


def fingerprint(data: bytes, digits: int = DIGITS, characters: int = CHARACTERS) -> str:
    """Return the printable fingerprint of all that is hashed of a variable with cases."""
    return _printed(hashlib.sha256(data).digest(), digits, characters)


def _printed(digest: bytes, digits: int, characters: int) -> str:
    text = binascii.b2a_base64(digest[:HASH_BYTES], newline=False).decode()
    if digits == DIGITS and characters == CHARACTERS:
        return "UNF:6:" + text
    changed = [f"X{characters}"] if characters != CHARACTERS else []
    if digits != DIGITS:
        changed.append(f"N{digits}")
    return f"UNF:6:{','.join(changed)}:{text}"


def column_unf(values: Any, *, digits: int = DIGITS, characters: int = CHARACTERS) -> str:
    """Fingerprint one variable.

    Args:
        values: The cases in file order: an Arrow array, a numpy array, a pandas Series, or a
            sequence of None, bool, int, float, str, date, datetime, time, timedelta or Decimal.
            Null and None are missing; NaN is the number ``+nan``, but missing in a pandas Series.
            Booleans count as 1 and 0.
        digits: Significant digits of a number, 2 to 16.
        characters: UTF-16 code units kept of a string.

    Returns:
        ``UNF:6:`` and 24 base64 characters; parameters other than the defaults stand between,
        ``UNF:6:N9:…``.

    Raises:
        ValueError: There is no case, or a parameter is out of range.
        TypeError: The values are of no type that a column of a statistics package has.

    >>> column_unf([1.23456789, None, 0])
    'UNF:6:Do5dfAoOOFt4FSj0JcByEw=='
    """
    hasher = UnfHasher(digits=digits, characters=characters)
    for chunk in as_chunks(values):
        hasher.update(chunk)
    return hasher.unf()


def combine_unfs(unfs: Iterable[str]) -> str:
    """Fingerprint a table from its variables', or a dataset from its files'; order has no say.

    Args:
        unfs: Printable fingerprints, at least one. A single one is returned as it is; of several
            only what follows the last colon counts, not their headers.

    Raises:
        ValueError: There is none.

    Source: Dataverse developer guide, "UNF Version 6", part IIa; IQSS/UNF 6.0, UnfDigest.addUNFs.
    """
    found = list(unfs)
    if not found:
        msg = "there is no UNF to combine"
        raise ValueError(msg)
    if len(found) == 1:
        return found[0]
    return column_unf(sorted(unf.rpartition(":")[2].strip() for unf in found))


def normalized(
    values: Any,
    *,
    digits: int = DIGITS,
    characters: int = CHARACTERS,
) -> Iterator[bytes]:
    """Yield for each case the bytes that are hashed; arguments are those of `column_unf`."""
    _check(digits, characters)
    for chunk in as_chunks(values):
        if is_text(chunk.type):
            for text in plain(chunk).to_pylist():
                yield b"\0\0\0" if text is None else normalize_text(text, characters)
        else:
            yield from _CASE.findall(normalize(chunk, digits, characters))


def normalize(array: pa.Array, digits: int = DIGITS, characters: int = CHARACTERS) -> bytes:
    """Return the concatenated bytes that are hashed for the cases of an Arrow array.

    The compiled kernel does it where it is built and knows the type; the bytes are the same.

    Raises:
        TypeError: The type is none that a column of a statistics package has.
    """
    if _native.AVAILABLE:
        found = arrays.normalize(array, digits, characters)
        if found is not None:
            return found
    if is_text(array.type):
        return normalize_texts(array, characters)
    if is_moment(array.type):
        return normalize_moments(array)
    return normalize_numbers(plain(array), digits)


def _check(digits: int, characters: int) -> None:
    if digits < 2 or characters < 1:  # noqa: PLR2004 - the reference fails below
        msg = "a UNF needs at least 2 digits and 1 character"
        raise ValueError(msg)
