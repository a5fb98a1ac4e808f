"""The case decoder: every storage form, byte order and chunking gives the same elements."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.read.spss_cases import CODE_END, CODE_RAW, CODE_SKIP, code_table, expand
from tests.read.sav_files import SYSMIS, bytecode

if TYPE_CHECKING:
    from collections.abc import Sequence


def expand_slowly(data: bytes, table: Sequence[int]) -> tuple[list[int], int, bool]:
    """The twin of `expand`: one code after the other."""
    elements: list[int] = []
    ended, at = False, 0
    while not ended and at + 8 <= len(data):
        codes = data[at : at + 8]
        size = 8 + 8 * codes.count(CODE_RAW)
        if at + size > len(data):
            break
        raws = iter(struct.unpack_from(f"<{size // 8 - 1}Q", data, at + 8))
        for code in codes:
            ended = ended or code == CODE_END
            element = next(raws) if code == CODE_RAW else table[code]
            if not ended and code != CODE_SKIP:
                elements.append(element)
        at += size
    return elements, at, ended


@given(
    st.lists(
        st.one_of(st.binary(min_size=8, max_size=8), st.just(bytes([CODE_RAW] * 8))), max_size=60
    ),
    st.binary(max_size=7),
    st.booleans(),
)
def test_expand_is_its_slow_twin(words: list[bytes], tail: bytes, raw: bool) -> None:
    """Whatever bytes come, the vectorised decoder does what one code after the other does."""
    data = b"".join(words) + tail
    if raw:  # many octets with few raw elements
        data = bytes(byte if byte % 5 else CODE_RAW for byte in data)
    table = code_table("<", 100.0, SYSMIS)
    elements, used, ended = expand(data, table)
    slow, slow_used, slow_ended = expand_slowly(data, table.tolist())
    assert (elements.tolist(), used, ended) == (slow, slow_used, slow_ended)


@pytest.mark.parametrize("order", ["<", ">"])
def test_codes_stand_for_numbers_in_the_files_own_byte_order(order: str) -> None:
    """1 to 251 less the bias, 254 eight blanks, 255 system-missing."""
    table = code_table(order, 100.0, SYSMIS)
    numbers = table.view(f"{order}f8")
    assert numbers[1:252].tolist() == [code - 100.0 for code in range(1, 252)]
    assert numbers[255] == SYSMIS
    assert table[254:255].tobytes() == b" " * 8


def test_a_fractional_bias_is_subtracted() -> None:
    """The header's bias is a number, not always 100."""
    table = code_table("<", 99.5, SYSMIS)
    words = [struct.pack("<d", number) for number in (0.5, -98.5, 1e9)]
    data = bytecode(words, "<", 99.5)
    assert data[0] == 100
    assert expand(data, table)[0].tobytes() == b"".join(words)


def test_nothing_follows_the_end_code() -> None:
    """252 ends the data; what follows in the octet, or after it, is no case."""
    words = [struct.pack("<d", number) for number in (1.0, 2.0)]
    data = bytecode(words, "<", 100.0, end=True) + bytes([101] * 8)
    elements, _, ended = expand(data, code_table("<", 100.0, SYSMIS))
    assert ended
    assert elements.view(np.float64).tolist() == [1.0, 2.0]
