"""Files made to exhaust: each is refused, or read, in bounded time and memory and in one line.

Limits are lowered where a file beyond the default would be large; what is tested is that the
number is the file's, not what it unpacks to.
"""

from __future__ import annotations

import dataclasses
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
from pyarrow import parquet

import tabkit
from tabkit.errors import FormatError, LimitError
from tabkit.limits import LIMITS

sys.path.insert(0, str(Path(__file__).parent))
from sas_files import Member, transport
from sas_files import Var as SasVar
from sav_files import Sav, Var
from stata_files import Column, File

if TYPE_CHECKING:
    from collections.abc import Iterator


LITTLE = dataclasses.replace(LIMITS, free=64 << 20)


@pytest.fixture(autouse=True)
def in_time() -> Iterator[None]:
    """Each takes a second or so; a quadratic one would take minutes."""
    began = time.process_time()
    yield
    assert time.process_time() - began < 20


def put(folder: Path, name: str, data: bytes) -> Path:
    path = folder / name
    path.write_bytes(data)
    return path


def test_shared_labels_of_spss(tmp_path: Path) -> None:
    """200 KB that a codebook would repeat to a gigabyte: refused before a category is made."""
    labels = [(float(i), b"label %d" % i) for i in range(4000)]
    variables = [
        Var(b"v%d" % i, kind=1, missing=(float(i),))  # of its own, so that no two could share
        for i in range(4000)
    ]
    file = Sav(variables, labels=[(labels, range(1, 4001))])
    with pytest.raises(LimitError, match="more than 268,435,456 characters"):
        tabkit.open_table(put(tmp_path, "x.sav", file.to_bytes()))


def test_a_variable_named_many_times(tmp_path: Path) -> None:
    """Labels that name one variable 100,000 times are its labels once."""
    labels = [(float(i), b"%d" % i) for i in range(20_000)]
    file = Sav([Var(b"a")], labels=[(labels, [1] * 100_000)])
    (variable,) = tabkit.read(put(tmp_path, "x.sav", file.to_bytes())).variables
    assert len(variable.categories) == 20_000


def test_values_that_repeat_a_long_name(tmp_path: Path) -> None:
    """An attribute of 200,000 values whose name has a megabyte is no attribute."""
    text = b"n" * 1_000_000 + b"(" + b"'v'\n" * 200_000 + b")"
    file = Sav([Var(b"a")], extensions=[(18, 1, b"a:" + text)])
    (variable,) = tabkit.read(put(tmp_path, "x.sav", file.to_bytes())).variables
    assert variable.attributes == ()


def test_a_bomb_of_zlib_blocks(tmp_path: Path) -> None:
    """A megabyte that inflates to 1.5 GB of nothing."""
    plain = bytearray(Sav([Var(b"a")], compression=2, promised=-1).dictionary())
    packed = zlib.compress(bytes(400 << 20), 9)
    start = len(plain)
    data = bytes(plain) + struct.pack("<qqq", start, start + 24 + len(packed), 48) + packed
    data += struct.pack("<qqii", -100, 0, 1 << 30, 1)
    data += struct.pack("<qqii", start, start + 24, 1 << 30, len(packed))
    with pytest.raises(LimitError, match="unpacks to more than 250 times its size"):
        tabkit.read(put(tmp_path, "x.zsav", data), limits=LITTLE)


@pytest.mark.parametrize("length", [-1, -5, -(1 << 40), 1 << 62])
def test_a_table_of_blocks_of_impossible_length(tmp_path: Path, length: int) -> None:
    """The blocks are found without it, with a warning."""
    raw = bytearray(Sav([Var(b"a")], [[1.0], [2.0]], compression=2).to_bytes())
    start = len(Sav([Var(b"a")], compression=2, promised=2).dictionary())
    raw[start + 16 : start + 24] = struct.pack("<q", length)
    table = tabkit.read(put(tmp_path, "x.zsav", bytes(raw)))
    assert table.data.column("a").to_pylist() == [1.0, 2.0]
    assert any("table of compressed blocks" in each.text for each in table.findings)


def shared_string(size: int, columns: int, cases: int) -> bytes:
    """A Stata file whose one long string is in every cell."""
    text = b"y" * size
    file = File(
        118,
        [
            Column(b"s%d" % i, "strL", [text if i == at == 0 else b"" for at in range(cases)])
            for i in range(columns)
        ],
    )
    raw = bytearray(file.to_bytes())
    at = raw.find(b"<data>") + 6
    raw[at : at + 8 * columns * cases] = raw[at : at + 8] * columns * cases
    return bytes(raw)


def test_a_long_string_shared_by_many_columns(tmp_path: Path) -> None:
    """One case of a gigabyte, from a file of 10 MB."""
    path = put(tmp_path, "x.dta", shared_string(10_000_000, 100, 1))
    with pytest.raises(LimitError, match="of one case have more than 256 MiB"):
        tabkit.read(path)
    assert tabkit.read(put(tmp_path, "y.dta", shared_string(1000, 3, 2))).cases == 2


def test_a_long_string_shared_by_many_cases(tmp_path: Path) -> None:
    """No case is large, and together they are 100 GB."""
    path = put(tmp_path, "x.dta", shared_string(1_000_000, 1, 100_000 // 8))
    with pytest.raises(LimitError, match="unpacks to more than 250 times its size"):
        for _ in tabkit.open_table(path, limits=LITTLE).blocks:
            pass


@pytest.mark.parametrize("used", [True, False])
def test_stata_labels_that_share_their_text(tmp_path: Path, used: bool) -> None:
    """100,000 labels of one megabyte each, in 2 MB: each begins at the same byte."""
    file = File(
        118,
        [Column(b"a", "byte", [1], label_name=b"L" if used else b"")],
        labels=[(b"L", [(1, b"x")])],
    )
    raw, count, text = file.to_bytes(), 100_000, b"z" * 1_000_000 + b"\0"
    table = struct.pack(f"<II{count}I", count, len(text), *[0] * count)
    table += struct.pack(f"<{count}i", *range(count)) + text
    begin, end = raw.find(b"<lbl>") + 5, raw.find(b"</lbl>")
    data = raw[:begin] + struct.pack("<I", len(table)) + b"L".ljust(132, b"\0") + table + raw[end:]
    path = put(tmp_path, "x.dta", data)
    if used:
        with pytest.raises(LimitError, match="more than 268,435,456 characters"):
            tabkit.open_table(path)
        return
    texts = [finding.text for finding in tabkit.open_table(path).findings]
    assert any("belong to no variable and are absurdly long: left out" in text for text in texts)


def test_too_many_variables(tmp_path: Path) -> None:
    """The number is a limit with a name; the option that the message offers helps."""
    path = put(tmp_path, "x.csv", b",".join(b"v%d" % i for i in range(50)) + b"\n" + b"1," * 50)
    few = dataclasses.replace(LIMITS, variables=20)
    with pytest.raises(LimitError, match="it has more than 20 variables; --limit"):
        tabkit.read(path, limits=few)
    assert len(tabkit.read(path, limits=dataclasses.replace(few, variables=60)).variables) >= 50


def test_digits_that_are_none(tmp_path: Path) -> None:
    """A unit separator counts as blank for ``str.strip``, not for ``int``."""
    raw = transport(Member("D", [SasVar("A")], [[1.0]]))
    at = raw.find(b"NAMESTR HEADER RECORD") + 21 + 7
    for place in range(at, at + 30):
        damaged = raw[:place] + b"\x1f" + raw[place + 1 :]
        try:
            tabkit.read(put(tmp_path, "x.xpt", damaged))
        except FormatError as error:
            assert "x.xpt: " in str(error)  # noqa: PT017


def test_a_structure_with_two_fields_of_one_name(tmp_path: Path) -> None:
    """Arrow allows it, Python's dictionaries do not."""
    numbers = pa.array([1, 2])
    kind = pa.struct([pa.field("a", pa.int64()), pa.field("a", pa.int64())])
    column = pa.StructArray.from_buffers(kind, 2, [None], children=[numbers, numbers])
    path = tmp_path / "x.arrow"
    with pa.ipc.new_file(path, pa.schema([("s", kind)])) as writer:
        writer.write_batch(pa.record_batch([column], ["s"]))
    with pytest.raises(FormatError, match="duplicate field names"):
        tabkit.read(path)


def test_a_message_is_short(tmp_path: Path) -> None:
    """What is quoted of a file may be of any length; the message is not."""
    name = b"n" * 100_000
    path = put(tmp_path, "x.xml", b"<codeBook><" + name + b"></codeBook>")
    with pytest.raises(FormatError) as caught:
        tabkit.validate(path)
    assert len(str(caught.value)) < 1000


def test_an_element_of_many_attributes(tmp_path: Path) -> None:
    """100,000 attributes are not looked at one after the other, each time from the first."""
    attributes = b" ".join(b'a%d="x"' % i for i in range(100_000))
    path = put(tmp_path, "x.xml", b'<codeBook xmlns="ddi:codebook:2_5" ' + attributes + b"/>")
    assert tabkit.read_codebook(path).variables == ()


def test_parquet_with_other_columns_than_declared(tmp_path: Path) -> None:
    """Found by the fuzzer: what the row groups hold is not what the footer says."""
    path = tmp_path / "x.parquet"
    parquet.write_table(pa.table({"a": [1, 2], "b": [3, 4]}), path)
    with tabkit.open_table(path) as stream:
        parquet.write_table(pa.table({"a": [1, 2]}), path)  # read again for its cases
        with pytest.raises(FormatError, match="its columns are others than it declares"):
            list(stream.blocks)


def test_text_without_lines_is_searched_once() -> None:
    """Found by the fuzzer: a search for foreign lines took the square of a line's length."""
    code = (
        "from tabkit.read.delimited_text import _foreign_lines as found\n"
        "assert found(b'x' * (1 << 20), whole=True) == b''\n"
        "assert found(b'plain\\r\\nol\\xe9\\r\\nend', whole=True) == b'ol\\xe9\\r\\n'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
