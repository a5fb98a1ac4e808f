"""The commands as a user types them: results on stdout, one line of error, right exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

sys.path.insert(0, str(Path(__file__).parent / "data" / "make"))
from survey import make

TABKIT = [sys.executable, "-m", "tabkit"]


@pytest.fixture(scope="session")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sample survey of the demonstration."""
    path = tmp_path_factory.mktemp("survey") / "survey.sav"
    make(path)
    return path


def tabkit(*arguments: object, code: int = 0, **options: object) -> subprocess.CompletedProcess:
    """Run the command; its exit code must be ``code`` and a failure one line."""
    done = subprocess.run(
        [*TABKIT, *map(str, arguments)],
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
        **options,
    )
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr
    if code > 1:
        assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    return done


def test_ingest_writes_the_package(survey: Path, tmp_path: Path) -> None:
    """Table, data frame, codebook and the original, byte by byte; nothing else."""
    done = tabkit("ingest", survey, "-o", tmp_path / "out")
    out = tmp_path / "out"
    names = ["survey-ddi.xml", "survey.RData", "survey.sav", "survey.tab"]
    assert sorted(p.name for p in out.iterdir()) == names
    assert (out / "survey.sav").read_bytes() == survey.read_bytes()
    assert "300 cases, 8 variables, UNF:6:" in done.stdout
    header, *lines = (out / "survey.tab").read_text(encoding="utf-8").splitlines()
    assert header == "id\tage\tsex\tregion\thealth\tincome\tinterview\tcomment"
    assert len(lines) == 300
    assert {len(line.split("\t")) for line in lines} == {8}


def test_ingest_refuses_to_replace(survey: Path, tmp_path: Path) -> None:
    """Without -f nothing changes and nothing new appears."""
    (tmp_path / "survey.tab").write_text("mine")
    done = tabkit("ingest", survey, "-o", tmp_path, code=3)
    assert done.stderr == "tabkit: survey.tab: exists already; use -f to replace it\n"
    assert [p.name for p in tmp_path.iterdir()] == ["survey.tab"]
    tabkit("ingest", survey, "-o", tmp_path, "-f")
    assert (tmp_path / "survey.tab").read_text(encoding="utf-8").startswith("id\t")


def test_one_bad_file_does_not_stop_the_others(survey: Path, tmp_path: Path) -> None:
    """Exit code 3, one line for the bad one, the package of the good one."""
    bad = tmp_path / "bad.sav"
    bad.write_bytes(survey.read_bytes()[:100])
    done = tabkit("ingest", bad, survey, "-o", tmp_path / "out", "--jobs", 2, code=3)
    assert done.stderr.startswith("tabkit: bad.sav: ")
    assert (tmp_path / "out" / "survey.tab").exists()
    assert not list((tmp_path / "out").glob("*bad*"))


def test_two_sources_of_one_name_are_refused(survey: Path, tmp_path: Path) -> None:
    """They would write over each other."""
    other = tmp_path / "survey.dta"
    tabkit("convert", survey, other)
    done = tabkit("ingest", survey, other, "-o", tmp_path / "out", code=2)
    assert "would both write survey.tab" in done.stderr


def test_jobs_do_not_change_the_result(survey: Path, tmp_path: Path) -> None:
    """Two workers write the same bytes as one."""
    sources = []
    for name in ("a.sav", "b.sav", "c.sav"):
        sources.append(tmp_path / name)
        sources[-1].write_bytes(survey.read_bytes())
    tabkit("ingest", *sources, "-o", tmp_path / "one", "--only", "tab,ddi")
    tabkit("ingest", *sources, "-o", tmp_path / "two", "--only", "tab,ddi", "--jobs", 2)
    for path in (tmp_path / "one").iterdir():
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()


@pytest.mark.parametrize("profile", ["tabkit", "dataverse"])
def test_jobs_in_each_profile(survey: Path, tmp_path: Path, profile: str) -> None:
    """A profile reaches the worker processes."""
    tabkit("convert", survey, tmp_path / "a.csv", "--on-loss", "ignore")
    other = tmp_path / "b.sav"
    other.write_bytes(survey.read_bytes())
    options = ("--jobs", 2, "--profile", profile)
    tabkit("ingest", tmp_path / "a.csv", other, "-o", tmp_path / "out", *options)
    assert len(list((tmp_path / "out").iterdir())) == 8


def test_standard_input(survey: Path, tmp_path: Path) -> None:
    """``-`` with a name gives the same outputs as the file."""
    with survey.open("rb") as file:
        tabkit("ingest", "-", "--name", "survey.sav", "-o", tmp_path / "piped", stdin=file)
    tabkit("ingest", survey, "-o", tmp_path / "named")
    for path in (tmp_path / "named").iterdir():
        assert path.read_bytes() == (tmp_path / "piped" / path.name).read_bytes()


def test_describe(survey: Path) -> None:
    """Labels, categories and counts for people; everything for programs."""
    shown = tabkit("describe", survey).stdout
    for text in ("300 cases", "UNF:6:", "How is your health in general?", "Don't know"):
        assert text in shown
    facts = json.loads(tabkit("describe", survey, "--json").stdout)
    assert facts["cases"] == 300
    assert [each["name"] for each in facts["variables"]][:3] == ["id", "age", "sex"]


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1"])
def test_json_is_json_in_every_encoding(encoding: str, tmp_path: Path) -> None:
    """Names beyond the encoding of the output are escaped as JSON has it."""
    path = tmp_path / "né😀.csv"
    path.write_text("né😀\n1\n", encoding="utf-8")
    broken = tmp_path / "né😀.sav"
    broken.write_bytes(b"junk")
    for arguments in (
        ["describe", path],
        ["unf", path],
        ["ingest", "-o", tmp_path / "out", broken],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "tabkit", *map(str, arguments), "--json"],
            env={**os.environ, "PYTHONIOENCODING": encoding},
            capture_output=True,
            check=False,
        )
        assert "né😀" in json.dumps(json.loads(done.stdout.decode(encoding)), ensure_ascii=False)


def test_unf_and_its_check(survey: Path, tmp_path: Path) -> None:
    """The right fingerprint is 0, a wrong one is a finding."""
    file, *variables = tabkit("unf", survey).stdout.splitlines()
    unf = file.split("\t")[0]
    assert len(variables) == 8
    tabkit("unf", survey, "--check", unf)
    done = tabkit("unf", survey, "--check", "UNF:6:AAAA", code=1)
    assert f"its UNF is {unf}, not UNF:6:AAAA" in done.stderr


def test_unf_explains(survey: Path) -> None:
    """The bytes of each value, so that a difference can be found by eye."""
    shown = tabkit("unf", survey, "--explain").stdout
    assert "id\t1\t1.0\tb'+1.e+\\n\\x00'" in shown


def test_convert_selects_and_reports(survey: Path, tmp_path: Path) -> None:
    """The asked variables in the asked order; losses on stderr, a line a variable."""
    done = tabkit("convert", survey, tmp_path / "s.tab", "--variables", "sex,age", "--no-header")
    assert "s.tab: not kept: value labels: sex (3)\n" in done.stderr
    lines = (tmp_path / "s.tab").read_text(encoding="utf-8").splitlines()
    assert len(lines) == 300
    assert all(len(line.split("\t")) == 2 for line in lines)
    done = tabkit("convert", survey, tmp_path / "t.tab", "--on-loss", "error", code=4)
    assert not (tmp_path / "t.tab").exists()


def test_convert_to_standard_output(survey: Path) -> None:
    """``-`` needs a format and sends whole output only."""
    done = tabkit("convert", survey, "-", "--to", "csv", "--variables", "id", "--on-loss", "ignore")
    assert done.stdout.splitlines()[:2] == ["id", "1"]
    assert "--to" in tabkit("convert", survey, "-", code=2).stderr


def test_misspelt_variable(survey: Path, tmp_path: Path) -> None:
    """The nearest names are told."""
    done = tabkit("convert", survey, tmp_path / "s.tab", "--variables", "helth", code=2)
    assert "did you mean health?" in done.stderr
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["nonsense"], 2),
        (["ingest"], 2),
        (["ingest", "x.sav"], 2),
        (["ingest", "nowhere.sav", "-o", "OUT"], 3),
        (["describe", "nowhere.sav"], 3),
        (["ingest", "nowhere.sav", "-o", "OUT", "--only", "pdf"], 2),
        (["ingest", "nowhere.sav", "-o", "OUT", "--profile", "none"], 2),
        (["convert", "nowhere.sav", "x.unknown"], 2),
    ],
)
def test_wrong_usage(arguments: list[str], code: int, tmp_path: Path) -> None:
    """One line, the right code, nothing left behind."""
    done = tabkit(*arguments, code=code, cwd=tmp_path)
    assert done.stderr.startswith("tabkit: ")
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_empty_and_foreign_files(tmp_path: Path) -> None:
    """Refused in one line."""
    (tmp_path / "empty.sav").write_bytes(b"")
    (tmp_path / "image.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(100))
    assert "the file is empty" in tabkit("describe", tmp_path / "empty.sav", code=3).stderr
    assert "no reader accepts it" in tabkit("describe", tmp_path / "image.png", code=3).stderr
    assert "folder" in tabkit("describe", tmp_path, code=3).stderr


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupting_leaves_nothing(tmp_path: Path, how: signal.Signals) -> None:
    """Neither drafts nor outputs, however a run is stopped that has begun to write."""
    if signal.getsignal(how) is signal.SIG_IGN:
        pytest.skip("the tests run under nohup")
    source, out = tmp_path / "big.csv", tmp_path / "out"
    source.write_text("a,b,c\n" + "1,x,2.5\n" * 3_000_000)
    command = [*TABKIT, "ingest", str(source), "-o", str(out)]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 30
    while not list(out.glob(".*part*")) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert list(out.glob(".*part*")), "the run ended before it could be stopped"
    run.send_signal(how)
    _, message = run.communicate(timeout=30)
    assert run.returncode == 130, message
    assert message == "tabkit: interrupted\n"
    assert not out.exists()


def test_formats() -> None:
    """Every format once, for people and for programs."""
    assert "sav" in tabkit("formats").stdout
    assert {"name", "read", "write"} <= set(json.loads(tabkit("formats", "--json").stdout)[0])


SECTIONS = (
    "Source",
    "Source, text and workbooks",
    "Source, SAS, Arrow and R",
    "Target, R",
    "Running",
)


def test_no_option_is_there_twice() -> None:
    """Of two options of one name the later would silently win."""
    from tabkit.cli import cli

    for name, command in cli.commands.items():
        options = [each for parameter in command.params for each in parameter.opts]
        assert len(options) == len(set(options)), name


def test_help_has_sections_with_every_option() -> None:
    """At 80 columns; no option is lost by the sections, and the verb's own come first."""
    from tabkit.cli import cli
    from tabkit.cli.options import Verb

    verbs = {name: each for name, each in cli.commands.items() if isinstance(each, Verb)}
    assert {"ingest", "convert", "describe", "unf", "verify", "prep", "subset"} <= verbs.keys()
    for name, verb in verbs.items():
        text = CliRunner().invoke(cli, [name, "--help"], terminal_width=80).output
        assert max(map(len, text.splitlines())) <= 80
        for parameter in verb.params:
            if isinstance(parameter, click.Option):
                assert len(re.findall(rf"{parameter.opts[-1]}(?![\w-])  ?", text)) >= 1, parameter
        titles = re.findall(r"^([A-Z][\w, ]+):$", text, re.MULTILINE)
        assert titles[-1] == "Running"
        assert titles == sorted(titles, key=("Options", *SECTIONS).index)
