"""R files: every form and every kind of column, each cell compared with what R itself tells."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tabkit
from tabkit.errors import FormatError
from tabkit.formats import identify
from tabkit.model import Category, Kind, Measure, MissingRange
from tests.read.r_files import needs_r, run_r, same_cells, told_by_r

MAKE = Path(__file__).resolve().parents[1] / "data" / "make" / "frame.R"


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of files that R made of one frame."""
    folder = tmp_path_factory.mktemp("r")
    command = ["Rscript", "--vanilla", str(MAKE), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    return folder


def check(path: Path, name: str, told: dict[str, list[object]]) -> tabkit.Table:
    """Read a frame and compare every cell."""
    table = tabkit.read(path, object=name)
    assert table.data.num_columns >= len(told)
    for column, cells in told.items():
        assert same_cells(table.data[column], cells), (column, table.data[column][:9], cells[:9])
    return table


@needs_r
def test_every_form_has_the_same_cells(made: Path) -> None:
    """XDR, native, ASCII, hexadecimal, each compression, versions 2 and 3, all as R reads them."""
    paths = [*made.glob("*-[23]*"), made / "tibble.rds", made / "datatable.rds"]
    assert len(paths) == 20
    for path in paths:
        assert identify(path).name == ("rds" if path.suffix == ".rds" else "rdata")
        told = told_by_r(path)
        assert told
        for name, frame in told.items():
            check(path, name, frame)


@needs_r
def test_one_table_has_one_fingerprint_in_every_form(made: Path) -> None:
    """But for the ASCII forms, in which R itself loses digits."""
    whole = {tabkit.describe(tabkit.read(path)).unf for path in made.glob("save-*")}
    whole |= {tabkit.describe(tabkit.read(made / f"{n}-{v}.rds")).unf
              for n in ("xdr", "native") for v in (2, 3)}  # fmt: skip
    assert len(whole) == 1


@needs_r
def test_what_attributes_say(made: Path) -> None:
    """Labels, missing values, tags, formats, levels and zones."""
    table = tabkit.read(made / "save-3-gzip.RData")
    by_name = {variable.name: variable for variable in table.variables}
    lab, labs = by_name["lab"], by_name["labs"]
    assert lab.label == "Question 1"
    assert lab.categories == (
        Category(1.0, "yes"), Category(2.0, "no"), Category(".a", "refused", missing=True),
    )  # fmt: skip
    assert table.missing_tags["lab"].to_pylist()[:6] == [0, 0, 1, 26, 0, 0]
    assert table.data["lab"].to_pylist()[:5] == [1.0, 2.0, None, None, None]
    assert labs.missing_values == (9.0,)
    assert labs.missing_ranges == (MissingRange(90, float("inf")),)
    assert labs.categories[2] == Category(9.0, "miss", missing=True)
    assert (labs.display_format, labs.width, labs.decimals, labs.display_width) == (
        "F8.2",
        8,
        2,
        10,
    )
    assert by_name["labc"].missing_values == ("x",)
    assert by_name["labi"].categories == (Category(1, "one"),)
    assert [c.value for c in by_name["f"].categories] == ["lo", "hi", "never"]
    assert (by_name["f"].measure, by_name["o"].measure) == (Measure.NOMINAL, Measure.ORDINAL)
    assert table.data.schema.field("ct").type == pa.timestamp("us", "Europe/Berlin")
    assert table.data.schema.field("utc").type == pa.timestamp("us", "UTC")
    assert (by_name["date"].kind, by_name["date"].format_category) == (Kind.CHARACTER, "date")
    assert by_name["i64"].storage == "integer64"
    assert table.data["latin1"][0].as_py() == "äö€"
    assert table.data["bytes"][0].as_py() == "\\xff"


@needs_r
@pytest.mark.parametrize("version", [2, 3])
def test_what_is_no_data_is_walked_over(made: Path, version: int) -> None:
    """Byte code, environments, S4, calls: the frame behind them is found, nothing is run."""
    table = tabkit.read(made / f"exotic-{version}.RData")
    assert table.data.to_pydict() == {"a": [1, 2, 3]}
    assert "f (closure)" in table.findings[0].text


CELLS = {
    "d": st.none() | st.floats(allow_nan=True),
    "i": st.none() | st.integers(-(2**31) + 1, 2**31 - 1),
    "l": st.none() | st.booleans(),
    "s": st.none() | st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=9),
}


def spelled(kind: str, cell: object) -> str:
    """Spell a cell for the script."""
    if cell is None:
        return "NA"
    if kind == "s":
        return "x" + str(cell).encode().hex()
    if kind == "d":
        number = float(cell)  # type: ignore[arg-type]
        return {"inf": "Inf", "-inf": "-Inf", "nan": "NaN"}.get(str(number), number.hex())
    return str(int(cell))  # type: ignore[call-overload]


MAKE_FRAME = r"""
folder <- commandArgs(TRUE)[1]
text <- function(w) if (w == "NA") NA_character_ else { h <- substring(w, 2)
  r <- if (nzchar(h)) rawToChar(as.raw(strtoi(substring(h, seq(1, nchar(h), 2),
    seq(2, nchar(h), 2)), 16L))) else ""
  Encoding(r) <- "UTF-8"; r }
columns <- list()
for (line in readLines(file.path(folder, "cells"))) {
  w <- strsplit(line, "\t", fixed = TRUE)[[1]]; v <- w[-(1:2)]
  columns[[w[1]]] <- switch(w[2], d = as.numeric(v), i = as.integer(v),
    l = as.logical(as.integer(v)), s = vapply(v, text, "", USE.NAMES = FALSE)) }
d <- structure(columns, class = "data.frame", row.names = seq_along(columns[[1]]))
for (v in 2:3) {
  saveRDS(d, sprintf("%s/a%d.rds", folder, v), ascii = NA, version = v)
  saveRDS(d, sprintf("%s/b%d.rds", folder, v), compress = c("xz", "bzip2")[v - 1], version = v)
  save(d, file = sprintf("%s/c%d.rda", folder, v), version = v)
  writeBin(serialize(d, NULL, xdr = FALSE, version = v), sprintf("%s/d%d.rds", folder, v)) }
"""


@needs_r
@settings(max_examples=6)
@given(st.data())
def test_whatever_r_writes(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Frames of any cells come back from eight forms, bit by bit (NaNs as one)."""
    folder = tmp_path_factory.mktemp("any")
    rows = data.draw(st.integers(1, 30))
    kinds = data.draw(st.lists(st.sampled_from("dils"), min_size=1, max_size=20))
    columns = {}
    for place, kind in enumerate(kinds):
        columns[f"v{place}"] = data.draw(st.lists(CELLS[kind], min_size=rows, max_size=rows))
    lines = ["\t".join([name, kind, *(spelled(kind, c) for c in cells)])
             for (name, cells), kind in zip(columns.items(), kinds, strict=True)]  # fmt: skip
    (folder / "cells").write_text("\n".join(lines) + "\n")
    run_r(MAKE_FRAME, folder)
    for path in [*folder.glob("*.rds"), *folder.glob("*.rda")]:
        table = tabkit.read(path)
        for name, cells in columns.items():
            told = [float(c) if isinstance(c, float | int) else c for c in cells]
            assert same_cells(table.data[name], told), (path.name, name)


@needs_r
def test_the_corpus_as_r_reads_it(corpus: Path) -> None:
    """Each frame of each real file, cell by cell."""
    frames = 0
    for path in sorted((corpus / "r").iterdir()):
        if path.name in {"bad_truncated.rda", "deep_nesting.rds"}:
            continue  # R dies of them; see test_r_damage
        for name, told in told_by_r(path).items():
            check(path, name, told)
            frames += 1
    assert frames == 16


def test_several_frames_are_listed(corpus: Path) -> None:
    """Without a name all are told; with a wrong one the nearest."""
    with pytest.raises(FormatError, match=r"5 data frames: apiclus1 \(data frame of 183 x 39\), "):
        tabkit.read(corpus / "r" / "api.rda")
    with pytest.raises(FormatError, match=r"no object named 'apipob'; did you mean apipop"):
        tabkit.read(corpus / "r" / "api.rda", object="apipob")
    assert tabkit.read(corpus / "r" / "api.rda", object="apipop").cases == 6194


@needs_r
def test_frames_within_lists_are_listed_however_deep(tmp_path: Path) -> None:
    """A frame that is not told cannot be asked for."""
    path = tmp_path / "waves.rds"
    frames = "a <- data.frame(x = 1:3); L <- list(one = a, two = a, old = list(three = a))"
    run_r(f"{frames}; saveRDS(L, commandArgs(TRUE)[1])", path)
    with pytest.raises(FormatError, match=r"3 data frames: .*old\$three \(data frame of 3 x 1\)"):
        tabkit.read(path)
    assert tabkit.read(path, object="old$three").cases == 3


def test_vectors_and_matrices_by_option(corpus: Path) -> None:
    """What is no frame is a table only when it is asked for."""
    with pytest.raises(FormatError, match=r"no data frame but test_nullable_int \(integer of 3\)"):
        tabkit.read(corpus / "r" / "test_nullable_int.rda")
    vector = tabkit.read(corpus / "r" / "test_nullable_int.rda", object="test_nullable_int")
    assert vector.data.to_pydict() == {"test_nullable_int": [313, -12, None]}
    matrix = corpus / "r" / "test_full_named_matrix.rds"
    table = tabkit.read(matrix, object=".", row_names="row")
    assert table.data.column_names == ["row", "dim1_0", "dim1_1", "dim1_2"]
    assert table.data["row"].to_pylist() == ["dim0_0", "dim0_1"]
    with pytest.raises(FormatError, match="closure, not a data frame, matrix or vector"):
        tabkit.read(corpus / "r" / "test_function.rda", object="test_function")


@needs_r
def test_row_names_become_a_variable_when_asked(tmp_path: Path) -> None:
    """Else a warning says what is left out, and a conversion tells it as a loss."""
    path = tmp_path / "cars.rds"
    run_r("saveRDS(mtcars, commandArgs(TRUE)[1])", path)
    table = tabkit.read(path)
    assert table.data.shape == (32, 11)
    assert "row names ('Mazda RX4', …)" in table.findings[0].text
    assert table.findings[0].severity == "warning"
    named = tabkit.read(path, row_names="model")
    assert named.data["model"][0].as_py() == "Mazda RX4"


@needs_r
@pytest.mark.parametrize("cases", [1, 2, 3])
def test_automatic_row_names_are_none(tmp_path: Path, cases: int) -> None:
    """R keeps them as NA and their number: two integers, as two row names would be."""
    path = tmp_path / "few.rds"
    run_r(f"saveRDS(data.frame(x = 1:{cases}), commandArgs(TRUE)[1])", path)
    table = tabkit.read(path, row_names="row")
    assert table.data.to_pydict() == {"x": list(range(1, cases + 1))}
    assert not table.findings


@needs_r
def test_columns_that_are_no_vectors(tmp_path: Path) -> None:
    """Lists become JSON, complex numbers text, matrices and frames several variables."""
    path = tmp_path / "odd.rds"
    run_r(
        "d <- data.frame(a = 1:2)\n"
        "d$l <- list(c(1.5, NA), list(x = 'y', z = NULL, e = globalenv()))\n"
        "d$c <- complex(real = c(1.5, NA), imaginary = c(-1, 0)); d$m <- matrix(1:4, 2)\n"
        "d$f <- data.frame(p = c('u', 'v'), q = 3:4); d$r <- as.raw(c(0, 255))\n"
        "names(d)[1] <- 'l'; d$t <- table(1:2); saveRDS(d, commandArgs(TRUE)[1])",
        path,
    )
    table = tabkit.read(path)
    assert table.data.select(range(7)).to_pydict() == {
        "l": [1, 2],
        "l_2": ["[1.5, null]", '{"x": ["y"], "z": null, "e": "<environment>"}'],
        "c": ["1.5-1i", None],
        "m.1": [1, 2],
        "m.2": [3, 4],
        "f.p": ["u", "v"],
        "f.q": [3, 4],
    }
    told = [finding.text for finding in table.findings]
    for text in ("a list became JSON text", "complex numbers became text", "a matrix: 2 variables"):
        assert any(text in each for each in told), told


@needs_r
def test_labels_of_other_packages(tmp_path: Path) -> None:
    """Those of foreign, of sjlabelled (no class) and of Dataverse (a comment)."""
    path = tmp_path / "old.RData"
    run_r(
        "d <- data.frame(a = c(1, 2), b = c(1, 2), c = 1:2)\n"
        "attr(d, 'variable.labels') <- c(a = 'First', b = 'Second'); comment(d$c) <- 'Third'\n"
        "attr(d$a, 'value.labels') <- c(no = '2', yes = '1'); attr(d$b, 'labels') <- c(x = 1)\n"
        "attr(d$c, 'unit') <- 'cm'; attr(d, 'datalabel') <- 'All'\n"
        "attr(d, 'notes') <- c('n', 'm')\n"
        "save(d, file = commandArgs(TRUE)[1])",
        path,
    )
    table = tabkit.read(path)
    assert [variable.label for variable in table.variables] == ["First", "Second", "Third"]
    assert table.variables[0].categories == (Category(2.0, "no"), Category(1.0, "yes"))
    assert table.variables[1].categories == (Category(1.0, "x"),)
    assert table.variables[2].attributes == (("unit", "cm"),)
    assert (table.label, table.notes) == ("All", ("n", "m"))


@needs_r
@pytest.mark.parametrize(
    "name",
    ["sav/haven_iris.sav", "sav/labelled-num-na.sav", "sav/all_numeric_datetime_uncompressed.sav",
     "dta/tagged-na-double.dta", "dta/stata-dta-partially-labeled.dta", "dta/stata13-auto.dta",
     "dta/readstata13_datetime.dta", "dta/missing_test.dta"],
)  # fmt: skip
def test_one_fingerprint_with_what_haven_makes_of_it(
    corpus: Path, tmp_path: Path, name: str
) -> None:
    """A file, the frame that haven makes of it and its Parquet have one UNF."""
    source, target = corpus / name, tmp_path / "haven.rds"
    user_na = ", user_na = TRUE" if source.suffix == ".sav" else ""
    run_r(
        "a <- commandArgs(TRUE); suppressMessages(library(haven))\n"
        f"saveRDS(read_{source.suffix[1:]}(a[1]{user_na}), a[2])",
        source,
        target,
    )
    told = tabkit.describe(tabkit.read(source)).unf
    assert tabkit.describe(tabkit.read(target)).unf == told
    tabkit.convert(target, tmp_path / "again.parquet")
    assert tabkit.describe(tabkit.read(tmp_path / "again.parquet")).unf == told


@needs_r
@pytest.mark.parametrize("name", ["sav/gerhard.sav", "dta/gss.dta", "dta/tagged-na-double.dta"])
def test_what_tabkit_writes_for_r_comes_back(corpus: Path, tmp_path: Path, name: str) -> None:
    """Values, tags, labels and missing values of a file survive .RData and .rds."""
    table = tabkit.read(corpus / name)
    for target in (tmp_path / "t.RData", tmp_path / "t.rds"):
        tabkit.convert(corpus / name, target)
        back = tabkit.read(target)
        assert tabkit.describe(back).unf == tabkit.describe(table).unf
        assert {k: v.to_pylist() for k, v in back.missing_tags.items()} == {
            k: v.to_pylist() for k, v in table.missing_tags.items()
        }
        for old, new in zip(table.variables, back.variables, strict=True):
            assert (new.name, new.label, new.display_format) == (
                old.name, old.label, old.display_format)  # fmt: skip
            assert [(c.value, c.label, c.missing) for c in new.categories] == [
                (c.value, c.label, c.missing) for c in old.categories
            ]
            assert (new.missing_values, new.missing_ranges) == (
                old.missing_values, old.missing_ranges)  # fmt: skip


@needs_r
def test_dataverse_profile(made: Path, tmp_path: Path) -> None:
    """The first frame by name, as R's write.table and Dataverse's reader leave it."""
    path = tmp_path / "two.RData"
    run_r(
        "Z <- data.frame(x = 1); a <- data.frame(n = c(1/3, NA), l = c(TRUE, NA), i = 1:2,\n"
        "f = factor(c('u', NA), levels = c('w', 'u')), s = c('q\"', ''),\n"
        "stringsAsFactors = FALSE)\n"
        "a$d <- as.Date(c('2020-01-02', NA)); a$t <- as.POSIXct(c(1363697820.25, 1363697820),\n"
        "origin = '1970-01-01', tz = 'UTC'); save(Z, a, file = commandArgs(TRUE)[1])",
        path,
    )
    out = tmp_path / "out.tab"
    tabkit.convert(path, out, options=tabkit.options.ReadOptions(profile=tabkit.profiles.DATAVERSE))
    assert out.read_text() == (
        "n\tl\ti\tf\ts\td\tt\n"
        '0.333333333333333\t1\t1\t"u"\t"q\\"\\""\t2020-01-02\t2013-03-19 12:57:00.250 UTC\n'
        '\t\t2\t\t""\t\t2013-03-19 12:57:00 UTC\n'
    )
    table = tabkit.read(path, profile="dataverse")
    assert [v.label for v in table.variables] == [*"nlifsdt"]
    assert table.variables[1].categories == (Category(0, "FALSE"), Category(1, "TRUE"))
    assert table.variables[1].format_category == "Boolean"


def test_rdata_as_another_reader_has_it(corpus: Path) -> None:
    """The package rdata agrees on shape and names of every single frame."""
    code = (
        "import sys, json, warnings; warnings.simplefilter('ignore'); import rdata\n"
        "found = {p: next(iter(rdata.read_rda(p).values())) for p in sys.argv[1:]}\n"
        "print(json.dumps({p: [list(f.shape), list(f.columns)] for p, f in found.items()}))"
    )
    names = ("efc.RData", "yrbs.rda", "test_dataframe.rda", "membersurvey.rda")
    paths = [str(corpus / "r" / name) for name in names]
    done = subprocess.run([sys.executable, "-c", code, *paths], check=False, capture_output=True)
    if b"No module named 'rdata'" in done.stderr:
        pytest.skip("the package rdata is not installed")
    for path, (shape, columns) in json.loads(done.stdout).items():
        table = tabkit.read(path)
        assert (list(table.data.shape), table.data.column_names) == (shape, columns)
