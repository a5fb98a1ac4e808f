"""System files of SPSS: the law of the ledger, and what other readers find in them."""

from __future__ import annotations

import datetime
import math
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyreadstat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tabkit.errors import FormatError, OutputError
from tabkit.loss import Ledger, Loss
from tabkit.model import (
    Category,
    Kind,
    Measure,
    MissingRange,
    Origin,
    ResponseSet,
    Table,
    Variable,
)
from tabkit.options import ReadOptions
from tabkit.read import read, read_all
from tabkit.read.arrow import open_parquet
from tabkit.read.spss import open_sav
from tabkit.write.arrow import write_parquet
from tabkit.write.stat import write_sav, write_zsav
from tests.write import stat_laws as laws
from tests.write.metadata_strategies import full_tables

Writer = Callable[[Table, Path], Ledger]
BOTH = pytest.mark.parametrize("write", [write_sav, write_zsav], ids=["sav", "zsav"])


@settings(max_examples=40)
@given(st.sampled_from([write_sav, write_zsav]), full_tables())
def test_what_the_ledger_does_not_name_comes_back(write: Writer, table: Table) -> None:
    """Names, labels, values, categories, missing values, attributes, measure, role, weight."""
    trip = laws.travel(table, write, open_sav)
    laws.check_names(trip)
    laws.check_labels(trip)
    laws.check_data(trip, blank_is_missing=False)
    laws.check_categories(trip)
    laws.check_missing(trip)
    laws.check_attributes(trip)
    laws.check_kind_of_measure(trip)
    if "notes" not in trip.told(""):
        assert trip.back.notes == table.notes
    if "response sets" not in trip.told(""):
        assert [(s.name, s.label, s.counted) for s in trip.back.response_sets] == [
            (s.name, s.label, s.counted) for s in table.response_sets
        ]


def survey() -> Table:
    """Everything that a system file has a place for."""
    data = pa.table(
        {
            "Age": pa.array([1.0, 2.5, None, -0.0, 1e300, 99.0]),
            "a_name_of_more_than_eight": pa.array([1.0, 2.0, 3.0, 4.0, 5.0, -99.0]),
            "s": ["a", "", "ccc", "ü", "x" * 8, "9"],
            "mid": ["abcdefghi", "RF", "", "", "", "x"],
            "long": ["a" * 255, "b" * 256, "c" * 600, "", "é" * 100, "z"],
            "d": pa.array([datetime.date(2024, 2, 29), *[None] * 4, datetime.date(2000, 1, 1)]),
            "t": pa.array([2**33, *[None] * 5], pa.int64()).cast(pa.timestamp("s")),
            "u": pa.array([108_001_000_000, -1_500_000, *[None] * 4]).cast(pa.duration("us")),
        }
    )
    text = Kind.CHARACTER
    variables = (
        Variable(
            "Age", "Alter", measure=Measure.SCALE, display_format="F8.2", decimals=2, width=8,
            display_width=12, alignment="center", storage="double", weight=True, role="target",
            categories=(Category(99.0, "refused", missing=True), Category(2.5, "two")),
            missing_values=(99.0,), missing_ranges=(MissingRange(-math.inf, -1.0),),
            question="How old?",
            attributes=(("QuestionText", "How old?"), ("Src", "it's"), ("Src[2]", "b")),
        ),
        Variable(
            "a_name_of_more_than_eight", measure=Measure.ORDINAL, display_format="COMMA10.2",
            format_category="", decimals=2, width=10, display_width=8, alignment="right",
            storage="double", missing_values=(1.0, 2.0, 3.0),
        ),
        Variable(
            "s", "text", text, measure=Measure.NOMINAL, display_format="A8", width=8,
            display_width=8, alignment="left", storage="A8", missing_values=("9",),
            categories=(Category("a", "an a"), Category("9", "nine", missing=True)),
        ),
        Variable(
            "mid", "", text, display_format="A10", width=10, display_width=10, alignment="left",
            storage="A10", missing_values=("RF",),
            categories=(Category("abcdefghi", "abc"), Category("RF", "refused", missing=True)),
        ),
        Variable(
            "long", "", text, display_format="A600", width=600, display_width=32,
            alignment="left", storage="A600",
        ),
        Variable(
            "d", "", text, display_format="EDATE10", format_category="date", width=10,
            display_width=10, alignment="right", storage="double",
            categories=(Category("2000-01-01", "millennium"),),
        ),
        Variable(
            "t", "", text, display_format="DATETIME23.2", format_category="time", width=23,
            display_width=23, alignment="right", storage="double",
        ),
        Variable(
            "u", "", text, display_format="DTIME12", format_category="time", width=12,
            display_width=12, alignment="right", storage="double",
        ),
    )  # fmt: skip
    return Table(
        data,
        variables,
        origin=Origin(created=datetime.datetime(2024, 5, 6, 7, 8, 9)),
        label="The file label ü",
        notes=("line one\nline two",),
        response_sets=(
            ResponseSet("$m", "multi ü", ("Age", "a_name_of_more_than_eight"), "1"),
            ResponseSet("$c", "cat", ("s", "mid")),
        ),
        attributes=(("Made", "by hand"), ("VariableSet My set", "Age s"), ("ProductInfo", "x")),
    )


@BOTH
def test_a_full_file_is_kept_whole(write: Writer) -> None:
    """Nothing in the ledger, and every field of every variable equal."""
    table = survey()
    trip = laws.travel(table, write, open_sav)
    assert trip.ledger == ()
    assert trip.back.variables == table.variables
    assert laws.cells(trip.back.data["t"]) == laws.cells(table.data["t"])
    for name in set(table.data.column_names) - {"t"}:
        assert repr(trip.back.data[name].to_pylist()) == repr(table.data[name].to_pylist())
    for field in ("label", "notes", "response_sets"):
        assert getattr(trip.back, field) == getattr(table, field)
    assert set(trip.back.attributes) == set(table.attributes)
    assert trip.back.origin.created == table.origin.created
    assert trip.back.findings == ()


@BOTH
def test_readstat_finds_the_same(write: Writer, tmp_path: Path) -> None:
    """pyreadstat: values, labels, missing values, measure, sets, notes."""
    table, path = survey(), tmp_path / "t.sav"
    write(table, path)
    frame, facts = pyreadstat.read_sav(path, user_missing=True, disable_datetime_conversion=True)
    assert list(frame.columns) == table.data.column_names
    assert frame["long"].tolist() == table.data["long"].to_pylist()
    assert frame["Age"].tolist()[:2] == [1.0, 2.5]
    assert math.isnan(frame["Age"][2])
    assert frame["u"].tolist()[:2] == [108_001.0, -1.5]
    assert (
        frame["d"].tolist()[0]
        == (datetime.date(2024, 2, 29) - datetime.date(1582, 10, 14)).days * 86_400
    )
    assert facts.missing_ranges["Age"] == [{"lo": -math.inf, "hi": -1.0}, {"lo": 99.0, "hi": 99.0}]
    assert facts.missing_ranges["mid"] == [{"lo": "RF", "hi": "RF"}]
    assert facts.variable_value_labels["mid"] == {"abcdefghi": "abc", "RF": "refused"}
    assert facts.variable_measure["Age"] == "scale"
    assert facts.variable_alignment["Age"] == "center"
    assert facts.mr_sets["m"]["variable_list"] == ["Age", "a_name_of_more_than_eight"]
    assert facts.notes == ["line one", "line two"]
    assert facts.file_label == table.label
    assert facts.file_encoding == "UTF-8"


@BOTH
def test_pspp_finds_the_same(write: Writer, tmp_path: Path) -> None:
    """PSPP's own parser accepts the file without a warning."""
    program = shutil.which("pspp-convert")
    if program is None:
        pytest.skip("PSPP is not installed")
    write(survey(), tmp_path / "t.sav")
    command = [program, tmp_path / "t.sav", tmp_path / "t.csv"]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert run.stderr == ""
    lines = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == ",".join(survey().data.column_names)
    assert lines[1].startswith("1,1,a,abcdefghi,aaaa")
    assert ",02/29/2024," in lines[1]


numbers = st.one_of(
    st.floats(), st.integers(-120, 260).map(float), st.just(None), st.sampled_from([-99.0, 151.0])
)


@given(
    st.lists(st.tuples(numbers, st.text(st.sampled_from("ab "), max_size=20)), max_size=70),
    st.booleans(),
)
def test_bytecode_is_what_readstat_unpacks(
    rows: list[tuple[float | None, str]], packed: bool
) -> None:
    """Any mixture of codes, blanks, raw elements and missing values, of any number of cases."""
    values = pa.array([value for value, _ in rows], pa.float64(), from_pandas=False)
    texts = pa.array([text for _, text in rows], pa.string())
    table = Table(pa.table({"x": values, "s": texts}), (Variable("x"), Variable("s")))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("t.zsav" if packed else "t.sav")
        (write_zsav if packed else write_sav)(table, path)
        frame, _ = pyreadstat.read_sav(path)
    given_values = [np.nan if value is None else value for value, _ in rows]
    # The lowest double is system-missing, and ReadStat takes the highest for no number either.
    given_values = [np.nan if abs(value) == sys.float_info.max else value for value in given_values]
    assert np.array_equal(frame["x"].to_numpy(float), given_values, equal_nan=True)
    assert frame["s"].tolist() == [text.rstrip(" ") for _, text in rows]


def test_blocks_do_not_show(tmp_path: Path) -> None:
    """More cases than one block has, in chunks of any size, and several zlib blocks."""
    rng = np.random.default_rng(3)
    count = 150_003
    columns = {
        "x": pa.chunked_array([rng.normal(size=count - 7), rng.normal(size=7)]),
        "y": pa.array(rng.integers(-5, 300, count).astype(float)),
        "s": pa.array(rng.choice(["", "abc", "twelve bytes"], count)),
    }
    table = Table(pa.table(columns), tuple(Variable(name) for name in columns))
    for write in (write_sav, write_zsav):
        assert write(table, tmp_path / "t.sav") == ()
        back = read(tmp_path / "t.sav")
        for name in columns:
            assert back.data[name].combine_chunks().equals(table.data[name].combine_chunks())


@pytest.mark.parametrize(
    ("variable", "column", "losses"),
    [
        (Variable("x"), pa.array([2**53 + 1]), [("integers of more than 53 bits were rounded", 1)]),
        (Variable("x"), pa.array([math.nan]), [("not-a-number became system-missing", 1)]),
        (Variable("x"), pa.array(["a", None]), [("missing strings became blank strings", 1)]),
        (Variable("x"), pa.array(["a "]), [("blanks at the end of strings are not kept", 1)]),
        (Variable("x"), pa.array([True]), [("true and false became 1 and 0", None)]),
        (
            Variable("x"),
            pa.array(["x" * 32_768]),
            [("strings of more than 32,767 bytes were cut", 1)],
        ),
        (Variable("1 x"), pa.array([1.0]), [("the name became V1_x", None)]),
        (Variable("with"), pa.array([1.0]), [("the name became with_", None)]),
        (
            Variable("x", missing_values=(1.0, 2.0, 3.0, 4.0)),
            pa.array([1.0]),
            [("missing values beyond 3 values, or a range and a value", 1)],
        ),
        (
            Variable("x", missing_ranges=(MissingRange(1, 2), MissingRange(4, 5))),
            pa.array([1.0]),
            [("missing values beyond 3 values, or a range and a value", 1)],
        ),
        (
            Variable("x", categories=(Category(".a", "no", missing=True),)),
            pa.array([1.0]),
            [("labels of tagged missings", 1)],
        ),
        (
            Variable("x", display_format="%tdD_m_Y"),
            pa.array([datetime.date(2024, 1, 1)]),
            [("the display format %tdD_m_Y became DATE11", None)],
        ),
        (
            Variable("x"),
            pa.array([datetime.date(1500, 1, 1)]),
            [("dates before 14 October 1582, which SPSS does not show", 1)],
        ),
        (
            Variable("x"),
            pa.array([0], pa.int64()).cast(pa.timestamp("us", "Europe/Berlin")),
            [("the time zone Europe/Berlin: times are given in UTC", None)],
        ),
    ],
)  # fmt: skip
def test_losses(
    variable: Variable, column: pa.Array, losses: list[tuple[str, int | None]], tmp_path: Path
) -> None:
    """Each in the ledger's words, with its count."""
    table = Table(pa.table({variable.name: column}), (variable,))
    found = write_sav(table, tmp_path / "t.sav")
    assert found == tuple(Loss(what, variable.name, count) for what, count in losses)


def test_tags_are_counted(tmp_path: Path) -> None:
    """SPSS has one system-missing value."""
    tags = pa.chunked_array([[1, 2, 0]], pa.int8())
    table = Table(pa.table({"x": [None, None, 1.0]}), (Variable("x"),), {"x": tags})
    loss = Loss("tagged missings became plain missings", "x", 2)
    assert write_sav(table, tmp_path / "t.sav") == (loss,)


def test_names_that_differ_in_case_alone(tmp_path: Path) -> None:
    """For SPSS they are one name; so are short names of many long ones."""
    names = ["a", "A", "a_2", *(f"question_{i}" for i in range(300))]
    table = Table(pa.table({name: [1.0] for name in names}), tuple(map(Variable, names)))
    assert write_sav(table, tmp_path / "t.sav") == (Loss("the name became A_3", "A"),)
    assert read(tmp_path / "t.sav").data.column_names == ["a", "A_3", *names[2:]]
    assert len(set(pyreadstat.read_sav(tmp_path / "t.sav")[0].columns)) == len(names)


def test_formats_of_other_packages(tmp_path: Path) -> None:
    """Decimals, commas and kinds of dates are carried over."""
    day, moment = datetime.date(2024, 1, 1), datetime.datetime(2024, 1, 1)
    cases = {
        "%9.3f": (1.0, "F9.3"), "%12.0fc": (1.0, "COMMA12"), "%10.2e": (1.0, "E10.2"),
        "%9.0g": (1.0, "F9.2"), "8.2": (1.0, "F8.2"), "BEST12.": (1.0, "F12.2"),
        "COMMA10.1": (1.0, "COMMA10.1"), "DOLLAR8.": (1.0, "DOLLAR8"), "": (1, "F8.0"),
        "%td": (day, "DATE11"), "MMDDYY10.": (day, "ADATE10"), "YYMMDD10.": (day, "SDATE10"),
        "%tc": (moment, "DATETIME20"), "TIME8.": (datetime.timedelta(1), "TIME8"),
    }  # fmt: skip
    columns = {f"v{n}": [value] for n, (value, _) in enumerate(cases.values())}
    variables = [Variable(f"v{n}", display_format=text) for n, text in enumerate(cases)]
    write_sav(Table(pa.table(columns), tuple(variables)), tmp_path / "t.sav")
    found = [each.display_format for each in read(tmp_path / "t.sav").variables]
    assert found == [wanted for _, wanted in cases.values()]


def test_a_table_without_variables_is_refused(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(OutputError, match="needs at least one variable"):
        write_sav(Table(pa.table({}), ()), tmp_path / "t.sav")


def corpus_files(corpus: Path) -> list[Path]:
    return sorted([*corpus.glob("sav/*"), *corpus.glob("por/*")])


def test_real_files_survive_parquet_and_back(corpus: Path, tmp_path: Path) -> None:
    """SAV -> Parquet -> SAV loses nothing; what grows with UTF-8 is a declared width."""
    seen = 0
    for path in corpus_files(corpus):
        try:
            table = read(path)
        except FormatError:
            continue
        assert write_parquet(table, tmp_path / "t.parquet") == ()
        between = read_all(open_parquet(tmp_path / "t.parquet", ReadOptions()))
        ledger = write_sav(between, tmp_path / "t.sav")
        assert all("storage type A" in loss.what for loss in ledger), (path, ledger)
        wider = {loss.variable for loss in ledger}
        back = read(tmp_path / "t.sav")
        assert back.data.equals(table.data), path
        for old, new in zip(table.variables, back.variables, strict=True):
            if path.suffix != ".por":  # a portable file says less
                assert new == old or old.name in wider, path
            assert new.categories == old.categories
        for field in ("label", "notes", "response_sets"):
            assert getattr(back, field) == getattr(table, field), path
        assert set(back.attributes) == set(table.attributes)
        seen += 1
    assert seen > 30
