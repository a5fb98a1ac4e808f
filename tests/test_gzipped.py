"""gzip of many blocks: the same bytes come back, by every reader, and the same file each time."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import zlib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit import gzipped

if TYPE_CHECKING:
    from pathlib import Path
    from random import Random


def written(parts: list[bytes], threads: int = 2) -> bytes:
    file = io.BytesIO()
    with gzipped.gzip_writer(file, threads=threads) as write:
        for part in parts:
            write(part)
    return file.getvalue()


@given(st.lists(st.binary(max_size=2000), max_size=6), st.integers(1, 300))
def test_any_reader_gives_back_what_was_written(parts: list[bytes], block: int) -> None:
    """Whatever the calls and the blocks; the data are one member, in the standard's sense."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gzipped, "BLOCK_BYTES", block)
        data = written(parts)
        assert data == written(parts, threads=1), "threads must not show in the file"
    assert gzip.decompress(data) == b"".join(parts)
    member = zlib.decompressobj(31)
    assert member.decompress(data) == b"".join(parts)
    assert member.eof
    assert member.unused_data == b""


def test_nothing_of_time_or_name_is_in_the_header() -> None:
    assert written([b"x"])[:10] == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255])


@given(st.binary(max_size=5000))
def test_pieces_keep_in_any_order(data: bytes) -> None:
    """A piece by itself gives its data; pieces made apart join in the order they are added."""
    piece = gzipped.deflate(data)
    assert gzipped.inflate(piece.data, piece.size) == data
    other = gzipped.deflate(b"other" * 9)
    file = io.BytesIO()
    member = gzipped.Member(file)
    for each in (other, piece, other):
        member.add(each.data, each.crc, each.size)
    member.finish()
    assert gzip.decompress(file.getvalue()) == b"other" * 9 + data + b"other" * 9


def test_gzip_itself_accepts_it(tmp_path: Path) -> None:
    if shutil.which("gzip") is None:
        pytest.skip("gzip is not installed")
    path = tmp_path / "x.gz"
    path.write_bytes(written([bytes(range(256)) * 20_000]))
    subprocess.run(["gzip", "-t", str(path)], check=True)


def test_a_failure_stops_at_once_and_finishes_nothing() -> None:
    """A disk that is full is told, and the member is not closed as if it were whole."""

    class Full(io.BytesIO):
        def write(self, data: bytes) -> int:  # type: ignore[override]
            if self.tell() > 1000:
                raise OSError(28, "No space left on device")
            return super().write(data)

    file = Full()
    with pytest.raises(OSError, match="No space"), gzipped.gzip_writer(file, threads=2) as write:
        for _ in range(100):
            write(bytes(range(256)) * 5000)
    with pytest.raises((EOFError, zlib.error, gzip.BadGzipFile)):
        gzip.decompress(file.getvalue())


@given(
    st.sampled_from([4, 8]),
    st.integers(1, 255),
    st.integers(0, 3000),
    st.randoms(use_true_random=False),
)
def test_few_words_are_compressed_by_our_own_coder(
    width: int, distinct: int, count: int, random: Random
) -> None:
    """Any standard inflater gives them back, and they take no more room than isal's."""
    core = pytest.importorskip("tabkit._native.core", reason="the kernels were not built")
    words = [random.randbytes(width) for _ in range(distinct)]
    data = b"".join(random.choices(words, weights=range(1, distinct + 1), k=count))
    packed = core.deflate_words(data, width)
    assert zlib.decompressobj(-15).decompress(packed) == data
    assert packed.endswith(b"\0\0\xff\xff"), "the next block must begin at a whole byte"
    if count > 2000:
        assert len(packed) <= 1.05 * len(gzipped.deflate(data).data)


@given(
    st.sampled_from([4, 8]),
    st.integers(1, 255),
    st.lists(st.tuples(st.integers(1, 40), st.integers(1, 700)), max_size=12),
    st.randoms(use_true_random=False),
)
def test_words_that_repeat_in_runs_and_periods_come_back(
    width: int, distinct: int, stretches: list[tuple[int, int]], random: Random
) -> None:
    """Matches of every length, over the longest there is, and from beyond the window."""
    core = pytest.importorskip("tabkit._native.core", reason="the kernels were not built")
    words = [random.randbytes(width) for _ in range(distinct)]
    periods = [(random.choices(words, k=period), count) for period, count in stretches]
    data = b"".join(b"".join(period) * count for period, count in periods)
    assert zlib.decompressobj(-15).decompress(core.deflate_words(data, width)) == data


def test_a_run_of_one_word_takes_next_to_nothing() -> None:
    core = pytest.importorskip("tabkit._native.core", reason="the kernels were not built")
    assert len(core.deflate_words(bytes(8) * 65_536, 8)) < 65_536 * 8 / 250


def test_too_many_words_are_left_to_isal() -> None:
    core = pytest.importorskip("tabkit._native.core", reason="the kernels were not built")
    data = b"".join(number.to_bytes(4, "big") for number in range(256))
    assert core.deflate_words(data, 4) is None
    assert core.deflate_words(data[:1020], 4) is not None
    assert gzipped.inflate(gzipped.deflate(data, 4).data, len(data)) == data
    for wrong in (b"abc", b"abcde"):
        with pytest.raises(ValueError, match="whole"):
            core.deflate_words(wrong, 4)
    with pytest.raises(ValueError, match="4 or 8"):
        core.deflate_words(b"ab", 2)
