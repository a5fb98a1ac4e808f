"""R files: R itself is the judge, and haven's frame of the same file the measure."""
# ruff: noqa: E501

from __future__ import annotations

import datetime
import math
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from tabkit.convert import convert
from tabkit.ingest import ingest
from tabkit.model import Category, Kind, Measure, MissingRange, Origin, Table, Variable
from tabkit.options import WriteOptions
from tabkit.read import read, stream_of
from tabkit.write.rdata import write_rdata_stream, write_rds_stream
from tabkit.write.rdata_names import legal_name, legal_names, object_name

if TYPE_CHECKING:
    from pathlib import Path

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
