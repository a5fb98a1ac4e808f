"""R files: R itself is the judge, and haven's frame of the same file the measure."""
# ruff: noqa: E501

from __future__ import annotations

import datetime
import decimal
import errno
import gzip
import math
import os
import shutil
import struct
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit import _native
from tabkit.convert import convert
from tabkit.errors import OutputError, UsageError
from tabkit.ingest import ingest
from tabkit.model import Category, Kind, Measure, MissingRange, Origin, Table, Variable
from tabkit.options import WriteOptions
from tabkit.read import read, stream_of
from tabkit.write import rdata, rdata_store
from tabkit.write.rdata import RChoices, write_rdata_stream, write_rds_stream
from tabkit.write.rdata_names import legal_name, legal_names, object_name

PACKAGES = "haven, data.table, hms, bit64"


def _r_lacks() -> str:
    if shutil.which("Rscript") is None:
        return "R is not installed"
    code = f"invisible(lapply(strsplit('{PACKAGES}', ', ')[[1]], loadNamespace))"
    done = subprocess.run(["Rscript", "--vanilla", "-e", code], capture_output=True, check=False)
    return f"R lacks one of {PACKAGES}" if done.returncode else ""


@pytest.fixture(scope="module")
def r() -> Any:
    """Run R code in a folder, once; a check that fails there is an error here."""
    lacks = _r_lacks()
    if lacks:
        pytest.skip(lacks)

    def run(code: str, folder: Path) -> str:
        script = folder / "check.R"
        script.write_text(f"options(warn = 1)\n{CHECK}\n{code}\nfinish()\n", encoding="utf-8")
        done = subprocess.run(
            ["Rscript", "--vanilla", str(script)],
            cwd=folder, capture_output=True, text=True, timeout=300, check=False,
            env={"LC_ALL": "C.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin"},
        )  # fmt: skip
        assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
        return done.stdout

    return run


CHECK = r"""
suppressMessages(library(haven))
bad <- character()
same <- function(what, ours, theirs) {
  if (!identical(ours, theirs)) {
    bad <<- c(bad, what); cat("DIFFERS:", what, "\n"); str(ours); str(theirs)
    print(attributes(ours)); print(attributes(theirs))
  }
}
bits <- function(x) serialize(x, NULL, xdr = TRUE)[-(1:23)]
finish <- function() if (length(bad)) stop("differs: ", paste(bad, collapse = ", "))
workspace <- function(file) { e <- new.env(); load(file, envir = e); e }
"""


def table(columns: dict[str, pa.Array], **described: Variable) -> Table:
    variables = tuple(described.get(name, Variable(name)) for name in columns)
    return Table(pa.table(columns), variables)


def every_type() -> Table:
    """A column of every type, with everything in it that may go wrong."""
    stamp = datetime.datetime(2024, 2, 29, 12, 30, 15, 250_000)
    old = datetime.datetime(1850, 1, 1)
    texts = ["", None, "line\nbreak\r\n\ttab", 'quote " \\', "Ελλάδα Москва 日本語 é 🎉"]
    columns = {
        "double": pa.array([1.5, None, math.nan, math.inf, -0.0], from_pandas=False),
        "single": pa.array([0.5, None, -1, 2, 3], pa.float32()),
        "byte": pa.array([1, None, -128, 127, 0], pa.int8()),
        "integer": pa.array([1, None, -(2**31) + 1, 2**31 - 1, 0], pa.int32()),
        "fits": pa.array([1, None, 2, 3, 4], pa.int64()),
        "least": pa.array([1, None, -(2**31), 3, 4], pa.int32()),
        "long": pa.array([1, None, 2**31, -(2**53), 4], pa.int64()),
        "huge": pa.array([1, None, 2**53 + 1, -5, -(2**53)], pa.int64()),
        "unsigned": pa.array([1, None, 2**32 - 1, 3, 4], pa.uint32()),
        "logical": pa.array([True, None, False, True, False]),
        "text": pa.array(texts),
        "large": pa.array(texts, pa.large_string()),
        "date": pa.array([datetime.date(2024, 2, 29), None, datetime.date(1, 1, 1), stamp.date(),
                          datetime.date(9999, 12, 31)]),
        "time": pa.array([stamp, None, old, stamp, stamp], pa.timestamp("us")),
        "zoned": pa.array([stamp, None, old, stamp, stamp], pa.timestamp("ms", "Europe/Berlin")),
        "clock": pa.array([0, None, 86_399, 1, 2], pa.time32("s")),
        "span": pa.array([1_500, None, -1, 10**9, 0], pa.duration("ms")),
    }  # fmt: skip
    return table(columns, double=Variable("double", "Étiquette 標籤"))


EVERY_TYPE = r"""
texts <- c("", NA, "line\nbreak\r\n\ttab", 'quote " \\',
           "\u0395\u03bb\u03bb\u03ac\u03b4\u03b1 \u041c\u043e\u0441\u043a\u0432\u0430 \u65e5\u672c\u8a9e \u00e9 \U0001F389")
stamp <- 1709209815.25; old <- -3786825600
expected <- list(
  double = structure(c(1.5, NA, NaN, Inf, -0), label = "\u00c9tiquette \u6a19\u7c64"),
  single = c(0.5, NA, -1, 2, 3), byte = c(1L, NA, -128L, 127L, 0L),
  integer = c(1L, NA, -2147483647L, 2147483647L, 0L), fits = c(1L, NA, 2L, 3L, 4L),
  least = c(1, NA, -2^31, 3, 4), long = c(1, NA, 2^31, -2^53, 4),
  huge = bit64::as.integer64(c("1", NA, "9007199254740993", "-5", "-9007199254740992")),
  unsigned = c(1, NA, 2^32 - 1, 3, 4),
  logical = c(TRUE, NA, FALSE, TRUE, FALSE), text = texts, large = texts,
  date = structure(c(19782, NA, -719162, 19782, 2932896), class = "Date"),
  time = structure(c(stamp, NA, old, stamp, stamp), class = c("POSIXct", "POSIXt"), tzone = "UTC"),
  zoned = structure(c(stamp, NA, old, stamp, stamp), class = c("POSIXct", "POSIXt"), tzone = "Europe/Berlin"),
  clock = hms::hms(c(0, NA, 86399, 1, 2)), span = hms::hms(c(1.5, NA, -.001, 1e6, 0)))
attributes(expected) <- list(names = names(expected), row.names = .set_row_names(5L), class = c("tbl_df", "tbl", "data.frame"))
for (version in 2:3) {
  e <- workspace(sprintf("every%d.RData", version))
  same("object", ls(e), "every")
  for (n in names(expected)) same(n, e$every[[n]], expected[[n]])
  same("frame", e$every, expected)
  same("NaN and NA", bits(e$every$double), bits(expected$double))
  same("rds", readRDS(sprintf("every%d.rds", version)), expected)
  same("marks", Encoding(e$every$text), Encoding(texts))
}
dt <- data.table::as.data.table(e$every); same("data.table", dim(dt[logical == TRUE]), c(2L, 17L))
dt[, byte := 7L]; same("set by reference", dt$byte, rep(7L, 5))
"""


def labelled() -> Table:
    """Labels, missing values, tags: what haven has classes for."""
    codes = Variable(
        "codes", "Codes", measure=Measure.ORDINAL,
        categories=(Category(1.0, "one"), Category(3.0, "drei é"), Category(9.0, "NA", missing=True)),
        missing_values=(9.0,), missing_ranges=(MissingRange(-math.inf, -1.0),),
        display_format="F8.2", display_width=12,
    )  # fmt: skip
    tags = Variable("tags", categories=(Category(1.0, "one"), Category(".a", "refused", True)))
    letters = Variable("letters", kind=Kind.CHARACTER, missing_values=("z",),
                       categories=(Category("a", "first"), Category("z", "last", True)))  # fmt: skip
    data = pa.table(
        {
            "codes": pa.array([1.0, 2, 3, 9, None]),
            "tags": pa.array([1.0, None, None, 2, None]),
            "letters": pa.array(["a", "z", None, "", "b"]),
        }
    )
    marks = {"tags": pa.chunked_array([pa.array([0, 1, 0, 0, 26], pa.int8())])}
    return Table(data, (codes, tags, letters), marks, origin=Origin(format="sav"), label="File",
                 notes=("first\nsecond",))  # fmt: skip


LABELLED = r"""
h <- readRDS("labelled.rds")
same("codes", h$codes, structure(labelled_spss(c(1, 2, 3, 9, NA), c(one = 1, "drei \u00e9" = 3, "NA" = 9),
  na_values = 9, na_range = c(-Inf, -1), label = "Codes"), format.spss = "F8.2", display_width = 12L))
same("tags", bits(unclass(h$tags)), bits(unclass(labelled(c(1, tagged_na("a"), NA, 2, tagged_na("z")), c(one = 1, refused = tagged_na("a"))))))
same("tag letters", na_tag(h$tags), c(NA, "a", NA, NA, "z"))
same("letters", h$letters, labelled_spss(c("a", "z", NA, "", "b"), c(first = "a", last = "z"), na_values = "z"))
same("missing", is.na(h$codes), c(FALSE, FALSE, FALSE, TRUE, TRUE))
same("label and notes", attributes(h)[c("label", "notes")], list(label = "File", notes = c("first", "second")))
f <- readRDS("factor.rds")
same("ordered", f$codes, structure(factor(c("one", "2", "drei \u00e9", "NA", NA), c("one", "2", "drei \u00e9", "NA"), ordered = TRUE), label = "Codes"))
same("tagged levels", f$tags, factor(c("one", "refused", NA, "2", NA), c("one", "2", "refused")))
same("text levels", f$letters, factor(c("first", "last", NA, "", "b"), c("", "first", "b", "last")))
same("class", class(f), "data.frame")
p <- readRDS("plain.rds")
same("plain", p$codes, c(1, 2, 3, 9, NA)); same("plain text", p$letters, c("a", "z", NA, "", "b"))
same("no tags", bits(p$tags), bits(c(1, NA, NA, 2, NA)))
"""

SHAPES = r"""
none <- readRDS("none.rds"); same("no rows", dim(none), c(0L, 17L))
same("no rows at all", attr(none, "row.names"), integer()); same("types stay", class(none$zoned), c("POSIXct", "POSIXt"))
w <- readRDS("wide.rds"); same("wide", dim(w), c(3L, 3000L)); same("last", w$v2999, c(2999L, 3000L, 3001L))
l <- readRDS("long.rds"); same("long text", nchar(l$text, "bytes"), c(70000L, 3L))
same("levels", nlevels(l2 <- readRDS("levels.rds")$code), 10000L)
same("levels' order", levels(l2)[c(1, 10, 10000)], c("L0", "L9", "L9999")); same("codes", as.integer(l2), 10000:1)
same("no columns", dim(readRDS("empty.rds")), c(0L, 0L))
n <- readRDS("names.rds"); same("names", names(n), c("a b", "\u00e9t\u00e9", "if"))
m <- readRDS("made.rds"); same("made names", names(m), make.names(names(n), unique = TRUE))
same("unlabelled", attributes(n[[1]]), NULL)
cut <- readRDS("nul.rds"); same("NUL", cut$x, "ab")
same("object", ls(workspace("object.RData")), "my object")
"""


def test_r_reads_every_type_as_it_is(tmp_path: Path, r: Any) -> None:
    """identical(), twice over: each column with R's own, and the whole frame."""
    every = every_type()
    for version in (2, 3):
        write_rdata_stream(
            stream_of(every, 2),
            tmp_path / f"every{version}.RData",
            object_name="every",
            r_version=version,
        )
        write_rds_stream(stream_of(every, 3), tmp_path / f"every{version}.rds", r_version=version)
    r(EVERY_TYPE, tmp_path)


def test_r_reads_labels_shapes_and_names(tmp_path: Path, r: Any) -> None:
    """Haven's own constructors give the frames to compare with."""
    whole = labelled()
    write_rds_stream(stream_of(whole, 2), tmp_path / "labelled.rds")
    for style in ("factor", "plain"):
        write_rds_stream(stream_of(whole, 2), tmp_path / f"{style}.rds", r_style=style)
    every = every_type()
    frames = {
        "none": table({name: column.slice(0, 0) for name, column in
                       zip(every.data.column_names, every.data.columns, strict=True)}),
        "wide": table({f"v{i}": pa.array([i, i + 1, i + 2]) for i in range(3000)}),
        "long": table({"text": pa.array(["é" * 35_000, "abc"])}),
        "empty": table({}),
        "names": table({"a b": pa.array([1]), "été": pa.array([2]), "if": pa.array([3])}),
        "nul": table({"x": pa.array(["ab\0cd"])}),
    }  # fmt: skip
    for name, each in frames.items():
        write_rds_stream(stream_of(each), tmp_path / f"{name}.rds")
    write_rds_stream(stream_of(frames["names"]), tmp_path / "made.rds", r_names="make.names")
    write_rdata_stream(
        stream_of(frames["names"]), tmp_path / "object.RData", object_name="my object"
    )
    levels = tuple(Category(i, f"L{i}") for i in range(10_000))
    codes = table(
        {"code": pa.array(range(9_999, -1, -1))}, code=Variable("code", categories=levels)
    )
    write_rds_stream(stream_of(codes, 1_000), tmp_path / "levels.rds", r_style="factor")
    r(LABELLED + SHAPES, tmp_path)


FILES = (
    "dta/readstata13_datetime.dta", "dta/missing_test.dta", "dta/stata9_115.dta", "dta/encode.dta",
    "sav/sample_missing.sav", "sav/mval_bug.sav", "sav/greetings.sav", "sav/metadata_copy_test.sav",
    "sav/all_numeric_datetime_uncompressed.sav", "zsav/pyreadstat_sample.zsav", "por/sample100.por",
    "sas7bdat/time_formats.sas7bdat", "xpt/pyreadstat_sample.xpt",
)  # fmt: skip
AS_HAVEN = r"""
files <- readLines("files.txt")
for (i in seq_along(files)) {
  f <- files[i]
  read <- if (grepl("sav$", f)) function(f) read_sav(f, user_na = TRUE) else
    if (grepl("por$", f)) function(f) read_por(f, user_na = TRUE) else
    if (grepl("dta$", f)) read_dta else if (grepl("xpt$", f)) read_xpt else read_sas
  same(f, readRDS(sprintf("%d.rds", i)), read(f))
}
for (i in seq_along(files)) if (grepl("sav$|dta$", files[i])) {
  e <- workspace(sprintf("d%d.RData", i)); same("object", ls(e), "table")
  same(files[i], e$table, if (grepl("sav$", files[i])) read_sav(files[i]) else read_dta(files[i]))
}
"""


def test_columns_are_those_of_haven(tmp_path: Path, r: Any, corpus: Path) -> None:
    """Every attribute of real files of all formats; profile dataverse as its R job has them."""
    found = [corpus / name for name in FILES if (corpus / name).exists()]
    assert len(found) >= 10
    for number, path in enumerate(found, 1):
        convert(path, tmp_path / f"{number}.rds")
        if path.suffix in {".sav", ".zsav", ".dta"}:
            ingest(path, tmp_path / "d", only=("rdata",), profile="dataverse")
            (tmp_path / "d" / f"{path.stem}.RData").rename(tmp_path / f"d{number}.RData")
    (tmp_path / "files.txt").write_text("\n".join(map(str, found)), encoding="utf-8")
    r(AS_HAVEN, tmp_path)


REPOSITORY = r"""
e <- workspace("survey.RData"); same("object", ls(e), "x")
same("class", class(e$x), "data.frame"); same("names", names(e$x), c("a.b", "n", "t", "d"))
same("integers", e$x$a.b, structure(c(1L, 2L, NA), comment = "a b"))
same("doubles", e$x$n, structure(c(1.5, NA, 2), comment = "n"))
same("AsIs, empty is missing", e$x$t, structure(c("x", NA, "y"), comment = "t", class = "AsIs"))
same("dates", e$x$d, structure(c(18262, NA, 18263), comment = "d", class = "Date"))
"""


def test_the_repository_makes_its_own_frame_of_a_csv(tmp_path: Path, r: Any) -> None:
    source = tmp_path / "survey.csv"
    source.write_text("a b,n,t,d\n1,1.5,x,2020-01-01\n2,,,\n,2,y,2020-01-02\n", encoding="utf-8")
    ingest(source, tmp_path, only=("rdata",), profile="dataverse")
    r(REPOSITORY, tmp_path)


def test_another_reader_reads_it(tmp_path: Path) -> None:
    """The package ``rdata`` reads R's format in Python, and knows nothing of this writer."""
    other = pytest.importorskip("rdata")
    path = tmp_path / "x.RData"
    data = table({"n": pa.array([1.0, None, 2]), "t": pa.array(["é", None, ""])})
    write_rdata_stream(stream_of(data), path, object_name="x", r_style="plain")
    parsed = other.parser.parse_file(path)
    assert parsed.versions.format == 3
    frame = parsed.object
    assert frame.tag.referenced_object is None
    assert frame.tag.value.value == b"x"
    numbers, texts = frame.value[0].value
    assert numbers.value[[0, 2]].tolist() == [1.0, 2.0]
    assert [text.value for text in texts.value] == ["é".encode(), None, b""]


def test_ingest_writes_a_workspace_by_default(tmp_path: Path) -> None:
    source = tmp_path / "a b.csv"
    source.write_text("x\n1\n", encoding="utf-8")
    report = ingest(source, tmp_path / "out")
    assert set(report.outputs) == {"tab", "rdata", "ddi", "original"}
    assert b"a.b" in gzip.decompress(report.outputs["rdata"].read_bytes())


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
    """They widen once one does not fit, all before it too: to doubles as long as these are exact."""
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


def test_integer64_of_r_stays_what_it_was(tmp_path: Path, r: Any) -> None:
    """However small the numbers are; and no storage type is told as lost that is kept."""
    r(
        """
suppressMessages(library(bit64))
d <- data.frame(a = c(1L, NA), b = c(TRUE, NA), n = c(.5, NA), t = c("x", NA),
                f = factor(c("u", NA)), d = as.Date(c(1, NA), origin = "1970-01-01"))
d$i <- as.integer64(c(1, NA)); d$h <- as.integer64(c("-9223372036854775807", NA))
saveRDS(d, "given.rds")
""",
        tmp_path,
    )
    assert convert(tmp_path / "given.rds", tmp_path / "made.rds") == ()
    plain = convert(
        tmp_path / "given.rds", tmp_path / "plain.rds", write_options=WriteOptions(r_style="plain")
    )
    assert {(loss.variable, loss.what) for loss in plain} == {
        ("f", "storage type"),  # a factor that becomes text
        ("f", "value labels"),
        ("f", "level of measurement"),
    }
    r('same("frame", as.data.frame(readRDS("made.rds")), readRDS("given.rds"))', tmp_path)


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


NAMES = [
    "",
    "a",
    "a b",
    "1a",
    ".1",
    "._",
    "_x",
    "é",
    "日本",
    "if",
    "TRUE",
    "...",
    "..1",
    "a b",
    "a.b",
    "x²",
    "½",
    "आयु",
    "สระ๑",
    "٣a",
    "Ⅷ",
    "e\u0301",
    "שָׁנָה",
    ".٣",
]


def test_names_are_those_that_r_makes(tmp_path: Path, r: Any) -> None:
    ours = [legal_names(NAMES), [legal_name(name) for name in NAMES]]
    for name, values in zip(("unique", "each"), ours, strict=True):
        (tmp_path / name).write_text("\n".join(values) + "\n", encoding="utf-8")
    (tmp_path / "given").write_text("\n".join(NAMES) + "\n", encoding="utf-8")
    r(
        "g <- readLines('given', encoding = 'UTF-8')\n"
        "same('each', readLines('each', encoding = 'UTF-8'), make.names(g))\n"
        "same('unique', readLines('unique', encoding = 'UTF-8'), make.names(g, unique = TRUE))",
        tmp_path,
    )
    assert object_name("my survey 2024.sav") == "my.survey.2024"


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


CLOCKS = r"""
x <- readRDS("clock.rds")
same("half", format(x$half), "2024-02-29 17:30:00"); same("whole", format(x$whole), "2024-02-29 15:00:00")
same("west", format(x$west), "2024-02-29 08:30:00"); same("zone", attr(x$whole, "tzone"), "Etc/GMT-3")
for (n in names(x)) same(n, as.numeric(x[[n]]), 1709208000)
saveRDS(x, "again.rds")
"""


def test_offsets_are_zones_that_r_knows(tmp_path: Path, r: Any) -> None:
    """R takes a time zone of which it knows nothing for UTC, without a word."""
    noon = [1_709_208_000_000_000]
    zones = {"half": "+05:30", "whole": "+03:00", "west": "-03:30", "none": "+00:00"}
    moments = {name: pa.array(noon, pa.timestamp("us", zone)) for name, zone in zones.items()}
    write_rds_stream(stream_of(table(moments)), tmp_path / "clock.rds")
    r(CLOCKS, tmp_path)
    back = read(tmp_path / "again.rds").data
    assert [back.schema.field(name).type.tz for name in zones] == [
        "+05:30", "Etc/GMT-3", "-03:30", "UTC",
    ]  # fmt: skip


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
