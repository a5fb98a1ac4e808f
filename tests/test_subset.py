"""Subsets: the right variables of the right cases, from any file and from the archived table."""

from __future__ import annotations

import datetime
import math
import resource
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.cases import choose_cases
from tabkit.condition import parse_condition
from tabkit.errors import FormatError, UsageError, VariableNotFoundError
from tabkit.ingest import ingest
from tabkit.model import Category, MissingRange, Table, Variable
from tabkit.read import read, read_all, stream_of
from tabkit.selection import chosen_names, parse_spans, split_items
from tabkit.subset import subset

sys.path.insert(0, str(Path(__file__).parent / "data" / "make"))
import contextlib

from survey import make

NAMES = ["id", "age", "income", "inc_net", "a:b", "v3", "x,y"]


@pytest.mark.parametrize(
    ("items", "expected"),
    [
        ("age,id", ["age", "id"]),
        ("age,age", ["age"]),
        ("inc*", ["income", "inc_net"]),
        ("v2", ["age"]),
        ("v3", ["v3"]),  # a variable of that name wins over the id
        ("2,1", ["age", "id"]),
        ("age:inc_net", ["age", "income", "inc_net"]),
        (":age", ["id", "age"]),
        ("6:", ["v3", "x,y"]),
        ("a:b", ["a:b"]),
        ('"x,y", id', ["x,y", "id"]),
        ("income,i*", ["income", "id", "inc_net"]),
    ],
)
def test_variables_are_chosen(items: str, expected: list[str]) -> None:
    """Each item of the language."""
    assert chosen_names(split_items(items), NAMES) == expected
    ordered = sorted(expected, key=NAMES.index)
    assert chosen_names(split_items(items), NAMES, order="file") == ordered


@pytest.mark.parametrize("items", ["ages", "z*", "v8", "0", "9", "age:zzz", "inc?"])
def test_unknown_variables_are_refused(items: str) -> None:
    """Never a silent whole file; the nearest names are told."""
    with pytest.raises(VariableNotFoundError) as caught:
        chosen_names(split_items(items), NAMES)
    if items == "ages":
        assert "did you mean age?" in str(caught.value)


@pytest.mark.parametrize("items", ["", "age,,id", "income:age", '"age', " "])
def test_unreadable_lists(items: str) -> None:
    """One clear error."""
    with pytest.raises((UsageError, VariableNotFoundError)):
        chosen_names(split_items(items), NAMES)


TABLE = Table(
    pa.table(
        {
            "age": [17, 18, 99, None, 40],
            "region": ["N", "S", "x", None, "it's"],
            "income": [1.5, math.nan, -99.0, 20.0, None],
            "day": pa.array(
                [datetime.date(2024, 3, day) if day else None for day in (1, 2, 3, 0, 5)]
            ),
            "time": pa.array([datetime.timedelta(hours=h) for h in (1, 5, 8, 13, 23)]),
            "and": [1, 2, 3, 4, 5],
        }
    ),
    (
        Variable("age", missing_ranges=(MissingRange(90, math.inf),)),
        Variable("region", missing_values=("x",)),
        Variable("income", missing_values=(-99.0,), categories=(Category(20.0, "twenty"),)),
        Variable("day", missing_values=("2024-03-05",)),
        Variable("time"),
        Variable("and"),
    ),
)


def chosen(condition: str | None = None, spans: str = "", rows: int = 2) -> list[int]:
    """Return the numbers of the cases kept, from 1."""
    stream = stream_of(TABLE, rows)
    parsed = None if condition is None else parse_condition(condition)
    found = read_all(choose_cases(stream, parsed, parse_spans(spans) if spans else ()))
    return found.data["and"].to_pylist()


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("age != 17.5", [1, 2, 5]),
        (f"age < {10**30} and age > -{10**400}", [1, 2, 5]),
        ("age < 9223372036854775808", [1, 2, 5]),
        ("income != 20", [1]),  # NaN is missing here, too
        ("not income > 100", [1, 4]),
        ("not income in (20)", [1]),
        ("age >= 18", [2, 5]),  # 99 is declared missing
        ("not age >= 18", [1]),  # and what is missing is not 'not 18 or more'
        ("18 <= age", [2, 5]),
        ("age = 18 or age == 40", [2, 5]),
        ("age <> 18", [1, 5]),
        ("age in (17, 40, 99)", [1, 5]),
        ("age not in (17)", [2, 5]),
        ("age is missing", [3, 4]),
        ("missing(age) and income = 20", [4]),
        ("income is missing", [2, 3, 5]),
        ("region = 'N' or region = \"S\"", [1, 2]),
        ("region = 'it''s'", [5]),
        ("region is not missing", [1, 2, 5]),
        ("region < 'T' and not (age = 17)", [2]),
        ("day > 2024-03-01", [2, 3]),
        ("day <= '2024-03-02'", [1, 2]),
        ("day < 2024-03-02T12:00", [1, 2]),
        ("time >= '08:00:00'", [3, 4, 5]),
        ("`and` > 3", [4, 5]),
        ("age > `and` AND `and` < 3", [1, 2]),
        ("income = -99", []),
        ("income > +1.4e0", [1, 4]),
    ],
)
def test_conditions(condition: str, expected: list[int]) -> None:
    """Kleene's logic; declared missing values never compare."""
    assert chosen(condition) == expected
    assert chosen(condition, rows=5) == expected


@pytest.mark.parametrize(
    ("condition", "position"),
    [
        ("age >=", 7),
        ("age >= 18 18", 11),
        ("age >= 18 and", 14),
        ("(age = 1", 9),
        ("age = 'x", 7),
        ("age ; 1", 5),
        ("age in ()", 9),
        ("age in (1, income)", 12),
        ("age not 1", 9),
        ("missing(1)", 9),
        ("__import__('os')", 11),
        ("age", 4),
        ("", 1),
        ("region = 5", 10),
        ("age = 'old'", 7),
        ("1 = 1", 1),
        ("day = 'yesterday'", 7),
        ("age = region", 1),
        ("income = 'twenty'", 10),
    ],
)
def test_errors_tell_the_position(condition: str, position: int) -> None:
    """The character where reading stopped, or of the value that does not fit."""
    with pytest.raises(UsageError, match=f"character {position}\\b") as caught:
        chosen(condition)
    if "twenty" in condition:
        assert "has the code 20" in str(caught.value)


def test_deep_nesting_is_refused() -> None:
    """Not a crash."""
    for text in ("(" * 5000 + "age = 1" + ")" * 5000, "not " * 5000 + "age = 1"):
        with pytest.raises(UsageError, match="nested too deeply"):
            parse_condition(text)


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused(text: str) -> None:
    """No other error."""
    with contextlib.suppress(UsageError):
        parse_condition(text)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [("1:2", [1, 2]), ("2", [2]), ("4:", [4, 5]), ("1::2", [1, 3, 5]), ("2:5:3", [2, 5]),
     ("1,3:3,5", [1, 3, 5]), (":2", [1, 2]), ("7:", []), ("4:99", [4, 5])],
)  # fmt: skip
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_slices(spans: str, expected: list[int], rows: int) -> None:
    """Numbers of cases, both ends included, however blocks are cut."""
    assert chosen(spans=spans, rows=rows) == expected


@pytest.mark.parametrize("spans", ["0", "0:3", "5:2", "a", "", "1:2:0", "-1", "1,,2"])
def test_unreadable_slices(spans: str) -> None:
    """One clear error."""
    with pytest.raises(UsageError):
        parse_spans(spans)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """An ingested survey; returns its table."""
    make(tmp_path / "survey.sav")
    ingest(tmp_path / "survey.sav", tmp_path / "out")
    return tmp_path / "out" / "survey.tab"


@pytest.mark.parametrize("where", ["age >= 60 and income > 5000", "sex is missing", None])
def test_archive_and_original_agree(package: Path, tmp_path: Path, where: str | None) -> None:
    """The same subset of the archived table and of the original is the same text."""
    for source in (package, tmp_path / "survey.sav"):
        target = tmp_path / f"{source.suffix[1:]}.tab"
        subset(source, target, "comment,v1:3,interview", where=where, cases="1:200")
    assert (tmp_path / "tab.tab").read_bytes() == (tmp_path / "sav.tab").read_bytes()


def test_archive_keeps_labels(package: Path, tmp_path: Path) -> None:
    """With the codebook beside it the labels go where the target can carry them."""
    subset(package, tmp_path / "part.sav", ["sex", "health", "interview"], where="sex = 1")
    part = read(tmp_path / "part.sav")
    assert part.variables[0].label == "Sex of respondent"
    assert part.variables[0].categories[0].label == "Male"
    assert pa.types.is_date32(part.data["interview"].type)
    assert set(part.data["sex"].to_pylist()) == {1}


def test_archive_without_codebook(package: Path, tmp_path: Path) -> None:
    """Types are told by the cells; a wrong codebook is refused when asked for."""
    alone = tmp_path / "alone.tab"
    alone.write_bytes(package.read_bytes())
    subset(alone, tmp_path / "alone.parquet", "id,region,interview,income")
    kinds = pq.read_table(tmp_path / "alone.parquet").schema.types
    assert kinds == [pa.int64(), pa.string(), pa.date32(), pa.float64()]
    alone.write_bytes(b"a\tb\n1\t2\n")
    with pytest.raises(FormatError, match="describes id where the table has a"):
        subset(alone, tmp_path / "y.csv", codebook=package.with_name("survey-ddi.xml"))


def test_the_command_takes_one_codebook(package: Path, tmp_path: Path) -> None:
    """Of an archival table as of any other source, and without a word on stderr."""
    (tmp_path / "book.xml").write_bytes(package.with_name("survey-ddi.xml").read_bytes())
    for source in (package.rename(tmp_path / "moved.tab"), tmp_path / "plain.csv"):
        if source.suffix == ".csv":
            subset(tmp_path / "moved.tab", source, "sex,health")
        target = source.with_suffix(".sav")
        command = [
            "subset",
            source,
            target,
            "--variables",
            "sex",
            "--codebook",
            tmp_path / "book.xml",
        ]
        done = subprocess.run([sys.executable, "-m", "tabkit", *command, "--on-loss", "ignore"],
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert (done.returncode, done.stderr) == (0, "")
        assert read(target).variables[0].categories[0].label == "Male"


def test_cells_stand_as_they_are(tmp_path: Path) -> None:
    r"""Digits, escapes and even a carriage return within a cell: bytes for bytes."""
    tab = tmp_path / "x.tab"
    tab.write_bytes(b'n\ts\tt\n1.50\t"a\\tb"\t\n1.0E10\t"c\rd"\t"\xc3\xa9"\n')
    subset(tab, tmp_path / "y.tab", "t,n,s", where="n > 2")
    assert (tmp_path / "y.tab").read_bytes() == b't\tn\ts\n"\xc3\xa9"\t1.0E10\t"c\rd"\n'
    subset(tab, tmp_path / "z.tab", "n", header=False)
    assert (tmp_path / "z.tab").read_bytes() == b"1.50\n1.0E10\n"


def test_other_columns_are_not_decoded(tmp_path: Path) -> None:
    """What is not UTF-8 in a column that nobody asked for is no obstacle."""
    tab = tmp_path / "x.tab"
    tab.write_bytes(b'a\tb\n1\t"\xff"\n')
    subset(tab, tmp_path / "y.tab", "a")
    with pytest.raises(FormatError, match="column 2 is not UTF-8"):
        subset(tab, tmp_path / "z.tab", "b")


def test_uneven_lines_are_refused(tmp_path: Path) -> None:
    """The line is told."""
    tab = tmp_path / "x.tab"
    tab.write_bytes(b"a\tb\n1\t2\n3\n")
    with pytest.raises(FormatError, match="2 columns expected, 1 found, line 3"):
        subset(tab, tmp_path / "y.tab", "a")


def test_memory_is_bounded(tmp_path: Path) -> None:
    """Two columns of a table of 200 MB, in 400 MB with all libraries."""
    tab = tmp_path / "wide.tab"
    names = "\t".join(f"x{number}" for number in range(200))
    line = "\t".join(f"{number}.5" for number in range(200)) + "\n"
    with tab.open("w") as file:
        file.write(names + "\n")
        for _ in range(170):
            file.write(line * 1000)
    assert tab.stat().st_size > 180_000_000
    command = [sys.executable, "-m", "tabkit", "subset", str(tab), str(tmp_path / "y.tab")]
    limit = 400 << 20
    subprocess.run(
        [*command, "--variables", "x3,x199", "--where", "x7 > 7"],
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (limit, limit)),
        timeout=120,
    )
    lines = (tmp_path / "y.tab").read_text().splitlines()
    assert lines[:2] == ["x3\tx199", "3.5\t199.5"]
    assert len(lines) == 170_001
