"""Data frames of R written natively: what values become, and what is told, without R."""

from __future__ import annotations

import decimal
import errno
import gzip
import os
import struct
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit import _native
from tabkit.convert import convert
from tabkit.errors import OutputError, UsageError
from tabkit.ingest import ingest
from tabkit.model import Category, Kind, Measure, Table, Variable
from tabkit.options import WriteOptions
from tabkit.read import read, stream_of
from tabkit.write import rdata, rdata_store
from tabkit.write.rdata import RChoices, write_rds_stream
from tests.write.test_rdata import every_type, labelled, table


@given(
    st.lists(
        st.none()
        | st.integers(-(2**63), 2**63 - 1)
        | st.sampled_from([-(2**63), 2**53 + 1, 2**31, 0]),
        max_size=50,
    ),
    st.integers(1, 9),
)
def test_integers_are_kept_whatever_their_size_and_block(
    values: list[int | None], rows: int
) -> None:
    """They widen once one does not fit, all before it too: to doubles while these are exact."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.rds"
        losses = write_rds_stream(stream_of(table({"x": pa.array(values, pa.int64())}), rows), path)
        data = gzip.decompress(path.read_bytes())
        back = read(path).data.column("x").to_pylist()
    there = [value for value in values if value is not None]
    small = all(-(2**31) < value < 2**31 for value in there)
    assert data[23 + 8 :][:4][2:] in ((b"\0\x0d",) if small else (b"\0\x0e", b"\x03\x0e"))
    is_long = b"integer64" in data
    assert is_long == any(int(float(value)) != value for value in there)
    # bit64 has that one for missing
    assert back == [None if is_long and value == -(2**63) else value for value in values]
    assert sum(loss.count or 0 for loss in losses) == is_long * there.count(-(2**63))


def test_missing_values_that_are_equal_and_not_the_same(tmp_path: Path) -> None:
    """The sign of a zero is that of the variable, whatever variable came before."""
    zeros = (0.0, -0.0)
    variables = tuple(Variable(f"v{i}", missing_values=(zero,)) for i, zero in enumerate(zeros))
    data = pa.table({each.name: pa.array([1.0]) for each in variables})
    write_rds_stream(stream_of(Table(data, variables)), tmp_path / "x.rds")
    packed = gzip.decompress((tmp_path / "x.rds").read_bytes())
    head = b"na_values\0\0\0\x0e\0\0\0\x01"
    first = packed.index(head) + len(head)
    assert packed[first : first + 8] == struct.pack(">d", 0.0)
    assert struct.pack(">iid", 14, 1, -0.0) in packed


def test_numbers_with_more_digits_than_doubles_are_told(tmp_path: Path) -> None:
    """A decimal is kept when the nearest double is nearest to no other one of its digits."""
    numbers = ["0.10", None, "12345678901234567.89", "-1.25"]
    decimals = [None if each is None else decimal.Decimal(each) for each in numbers]
    columns = {"u": pa.array([2**64 - 1, None, 2**53 + 1, 2**60], pa.uint64()),
               "d": pa.array(decimals, pa.decimal128(19, 2))}  # fmt: skip
    told = write_rds_stream(stream_of(table(columns), 3), tmp_path / "x.rds")
    assert [str(each) for each in told] == [
        "u: numbers are rounded to doubles (2)",
        "d: numbers are rounded to doubles (1)",
    ]


def test_pieces_leave_memory_and_come_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is the same whether its pieces were in memory or on disk."""
    data = table({"x": pa.array(range(5000)), "t": pa.array([str(i) for i in range(5000)])})
    write_rds_stream(stream_of(data, 700), tmp_path / "a.rds")
    monkeypatch.setattr(rdata_store, "_PIECE", (1, 1))
    monkeypatch.setattr(rdata_store.Spool.__init__, "__defaults__", (10,))
    write_rds_stream(stream_of(data, 700), tmp_path / "b.rds")
    a, b = ((tmp_path / name).read_bytes() for name in ("a.rds", "b.rds"))
    assert gzip.decompress(a) == gzip.decompress(b)


def test_the_plain_twins_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not _native.AVAILABLE:
        pytest.skip("the kernels were not built")
    write_rds_stream(stream_of(every_type()), tmp_path / "a.rds")
    monkeypatch.setattr(_native, "AVAILABLE", False)
    write_rds_stream(stream_of(every_type()), tmp_path / "b.rds")
    a, b = ((tmp_path / name).read_bytes() for name in ("a.rds", "b.rds"))
    assert gzip.decompress(a) == gzip.decompress(b)


def test_what_r_does_not_have_is_told() -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.rds"
        losses = write_rds_stream(stream_of(labelled()), path, r_style="plain")
        told = {(loss.variable, loss.what, loss.count) for loss in losses}
        assert ("tags", "tagged missings became plain missings", 2) in told
        assert ("codes", "value labels", 3) in told
        assert ("codes", "definition of missing values", 2) in told
        haven = {loss.what for loss in write_rds_stream(stream_of(labelled()), path)}
        assert haven == {"level of measurement"}
        nul = write_rds_stream(stream_of(table({"x": pa.array(["a\0b"])})), path)
        assert [str(each) for each in nul] == [
            "x: texts end at a NUL character, which R does not have (1)"
        ]


def test_too_many_cases_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rdata, "_MOST_ROWS", 2)
    source = tmp_path / "x.csv"
    source.write_text("x\n1\n2\n3\n", encoding="utf-8")
    with pytest.raises(OutputError, match="holds 2 cases at most"):
        convert(source, tmp_path / "x.RData")
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_choices_that_are_not_there() -> None:
    for wrong in ({"r_style": "base"}, {"r_names": "snake"}, {"r_version": 4}):
        with pytest.raises(UsageError):
            RChoices(**wrong)


def test_choices_come_through_convert(tmp_path: Path) -> None:
    source = tmp_path / "x.csv"
    source.write_text("a b\n1\n", encoding="utf-8")
    options = WriteOptions(object_name="own", r_names="make.names", r_version=2)
    convert(source, tmp_path / "1 y.rda", write_options=options)
    data = gzip.decompress((tmp_path / "1 y.rda").read_bytes())
    assert data.startswith(b"RDX2\n")
    assert b"own" in data
    assert b"a.b" in data
    convert(source, tmp_path / "1 z.rda")
    assert b"X1.z" in gzip.decompress((tmp_path / "1 z.rda").read_bytes())
    with pytest.raises(UsageError, match="an object without a name"):
        convert(source, tmp_path / "y.rds", write_options=options)
    assert not (tmp_path / "y.rds").exists()
    # The name of the source's object is none for the target.
    convert(tmp_path / "1 y.rda", tmp_path / "y.rds", write_options=options)


def test_a_full_disk_is_told_and_nothing_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The temporary file of compressed pieces is named, with what to do."""

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    source = tmp_path / "x.csv"
    source.write_text("x\n" + "\n".join(map(str, range(100))) + "\n", encoding="utf-8")
    monkeypatch.setattr(rdata_store, "_PIECE", (1, 1))
    monkeypatch.setattr(rdata_store.Spool.__init__, "__defaults__", (0,))
    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OutputError, match="no space left on device; set TMPDIR"):
        convert(source, tmp_path / "x.RData")
    assert [path.name for path in tmp_path.iterdir()] == ["x.csv"]


def test_parts_of_a_second_that_doubles_do_not_have_are_told(tmp_path: Path) -> None:
    """A double of 2024 has microseconds and no nanoseconds; one of the year 9999 not even those."""
    kinds = {
        "nano": pa.array([1_709_208_000_000_000_001, 5, None], pa.timestamp("ns")),
        "micro": pa.array([1_709_208_000_000_001, -1, None], pa.timestamp("us", "UTC")),
        "far": pa.array([253_402_300_799_999_999, 0, None], pa.timestamp("us")),
        "clock": pa.array([86_399_999_999_999, 1, None], pa.time64("ns")),
        "span": pa.array([-1, 10**6 + 1, None], pa.duration("ms")),
    }
    losses = write_rds_stream(stream_of(table(kinds)), tmp_path / "x.rds")
    told = {each.variable: each.count for each in losses if "fractions" in each.what}
    assert told == {"nano": 1, "far": 1}


def test_values_that_become_one_level_are_told(tmp_path: Path) -> None:
    """Two codes of one label, and a code without a label that looks like another's label."""
    labels = (Category(1.0, "same"), Category(2.0, "same"), Category(3.0, "7"))
    codes = table({"x": pa.array([1.0, 2.0, 3.0, 7.0])}, x=Variable("x", categories=labels))
    losses = write_rds_stream(stream_of(codes), tmp_path / "x.rds", r_style="factor")
    assert ("x", "values with the same label became one level", 2) in {
        (each.variable, each.what, each.count) for each in losses
    }
    assert not write_rds_stream(stream_of(codes), tmp_path / "x.rds")


def test_a_factor_keeps_the_level_of_measurement(tmp_path: Path) -> None:
    """Nominal, or ordinal where it is ordered: that is not lost, and comes back."""
    labels = (Category("lo", "lo"), Category("hi", "hi"))
    words = pa.array(["lo", "hi"])
    described = {
        name: Variable(name, kind=Kind.CHARACTER, categories=labels, measure=measure)
        for name, measure in (("n", Measure.NOMINAL), ("o", Measure.ORDINAL), ("s", Measure.SCALE))
    }
    whole = table(dict.fromkeys(described, words), **described)
    losses = write_rds_stream(stream_of(whole), tmp_path / "x.rds")
    assert [(each.variable, each.what) for each in losses] == [("s", "level of measurement")]
    back = read(tmp_path / "x.rds").variables
    assert [each.measure for each in back[:2]] == [Measure.NOMINAL, Measure.ORDINAL]


def test_ingest_writes_a_workspace_by_default(tmp_path: Path) -> None:
    source = tmp_path / "a b.csv"
    source.write_text("x\n1\n", encoding="utf-8")
    report = ingest(source, tmp_path / "out")
    assert set(report.outputs) == {"tab", "rdata", "ddi", "original"}
    assert b"a.b" in gzip.decompress(report.outputs["rdata"].read_bytes())
