"""Digests of a stream, whatever pieces it comes in."""

from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.clients import digests
from tabkit.clients.digests import Digester, algorithm_of, usable


@pytest.mark.parametrize("large", [0, 1 << 30])
@given(pieces=st.lists(st.binary(max_size=40), max_size=12), header=st.binary(max_size=9))
def test_pieces_do_not_matter(large: int, pieces: list[bytes], header: bytes) -> None:
    """With a thread or without, with a header line or without."""
    header = header.replace(b"\n", b"") + b"\n"
    rest = b"".join(pieces)
    known = {"md5": hashlib.md5(rest).hexdigest(), "SHA-256": hashlib.sha256(rest).hexdigest()}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(digests, "_LARGE", large)
        for headless, stream in ((False, pieces), (True, [header[:1], header[1:], *pieces])):
            digester = Digester(known, len(rest), headless=headless)
            for piece in stream:
                digester.update(piece)
            assert digester.complaint() == ""
            assert digester.proof() == "digest"
            digester.update(b"x")
            assert digester.complaint()


def test_spellings() -> None:
    assert [algorithm_of(n) for n in ("MD5", "SHA-1", "sha_256", "crc32c")] == [
        "md5",
        "sha1",
        "sha256",
        "",
    ]
    assert usable({"SHA-256": " AB ", "etag": "x", "md5": ""}) == {"sha256": "ab"}
