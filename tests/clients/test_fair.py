"""FAIR Data Services: selections, dictionaries that become labels, attachments."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

import tabkit.clients
from tabkit.clients.adapters import understand
from tabkit.clients.fair import dictionary_csv
from tabkit.errors import AccessError, FetchError, UsageError, VariableNotFoundError
from tests.clients.servers.asgi import Running, run
from tests.clients.servers.fair import FIELDS, LOOKUPS, Fair
from tests.clients.servers.raw import Raw, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

TOKEN = "fair-long-life-token"
ROWS = [
    {"id": 1, "age": 40, "sex": "f", "health": 1},
    {"id": 2, "age": None, "sex": 'm, "x"', "health": 2},
]


@pytest.fixture
def instance() -> Fair:
    return Fair(ROWS, {"protocol.pdf": b"%PDF" * 5000}, {TOKEN: 10**6})


@pytest.fixture
def server(instance: Fair) -> Iterator[Running]:
    with run(instance.app()) as running:
        yield running


def fetch(server: Running, folder: Path, token: str = TOKEN, **choices: Any) -> dict[str, Any]:
    what = f"fair:{server.address}/dataset/survey"
    with tabkit.clients.open(what, token=token, **choices) as found:
        return {each.entry.path: each for each in found.download(folder)}


def test_names() -> None:
    ref = understand("fair:fair.example.org/dataset/avocado")
    assert (ref.server, ref.id) == ("https://fair.example.org/api", "avocado")
    assert understand("https://fair.example.org/api/datasets/avocado/") == ref
    assert understand("fair:dataset/avocado", "https://fair.example.org/api/") == ref
    for text, kind, identifier in (
        ("fair:fair.example.org/datasets", "catalogue", ""),
        ("fair:https://fair.example.org/api/datasets/", "catalogue", ""),
        ("fair:fair.example.org/search/lung cancer", "search", "lung cancer"),
        ("fair:fair.example.org/search/dataset/x", "search", "dataset/x"),
        ("fair:fair.example.org/dictionary/people", "dictionary", "people"),
    ):
        found = understand(text)
        assert (found.server, found.kind, found.id) == (ref.server, kind, identifier)
    for text in ("fair:dataset/avocado", "fair:fair.example.org", "fair:datasets"):
        with pytest.raises(UsageError):
            understand(text)


@pytest.fixture
def token(server: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TABKIT_FAIR_SERVER", server.address)
    monkeypatch.setenv("TABKIT_FAIR_TOKEN", TOKEN)


@pytest.mark.usefixtures("token")
def test_the_catalogue(
    tabkit_: Callable[..., Any], instance: Fair, server: Running, tmp_path: Path
) -> None:
    """Every dataset over all pages, by code and title; fetched, its record is the server's own."""
    instance.others = tuple(f"d{n}" for n in range(24))
    there = ("--server", server.address)
    rows = json.loads(tabkit_("fetch", "fair:datasets", *there, "--list", "--json").stdout)
    assert [row["id"] for row in rows] == ["survey", *instance.others]
    assert rows[0]["title"] == "Survey"
    tabkit_("fetch", "fair:datasets", *there, "--only", "survey*", "-o", tmp_path)
    record = json.loads((tmp_path / "survey.json").read_text())
    assert record["dictionaries"][0]["fields"] == FIELDS
    assert [p.name for p in tmp_path.iterdir()] == ["survey.json"]
    assert "a catalogue" in tabkit_("fetch", "fair:datasets", *there, "--format", "data", "--list",
                                    code=2).stderr  # fmt: skip
    instance.documented = False
    done = tabkit_("fetch", "fair:datasets", *there, "--list", code=3)
    assert "lists 10 of 25 datasets" in done.stderr


@pytest.mark.usefixtures("token")
def test_lists_that_are_not_whole_are_errors(
    tabkit_: Callable[..., Any], instance: Fair, server: Running
) -> None:
    """A server that gives its first page again and again, and a search of which it gives a part."""
    instance.others, instance.pages = tuple(f"d{n}" for n in range(24)), False
    there = ("--server", server.address, "--list")
    done = tabkit_("fetch", "fair:datasets", *there, code=3)
    assert "lists 10 of 25 datasets" in done.stderr
    assert "2 of 100 datasets" in tabkit_("fetch", "fair:search/health", *there, code=3).stderr


@pytest.mark.usefixtures("token")
def test_search_and_one_dictionary(
    tabkit_: Callable[..., Any], server: Running, tmp_path: Path
) -> None:
    there = ("--server", server.address)
    found = tabkit_("fetch", "fair:search/health & age", *there, "--list").stdout
    assert found.split() == ["?", "survey.json", "Survey", "of", "health", "application/json"]
    assert any("query=health+%26+age" in seen for seen in server.seen)
    assert tabkit_("fetch", "fair:search/nothing", *there, "--list").stdout == ""
    tabkit_("fetch", "fair:dictionary/people", *there, "-o", tmp_path)
    text = (tmp_path / "people-dictionary.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["name"] for row in rows] == [field["name"] for field in FIELDS]
    assert "Not found" in tabkit_("fetch", "fair:dictionary/x", *there, "--list", code=3).stderr


def test_everything(server: Running, tmp_path: Path) -> None:
    done = fetch(server, tmp_path)
    assert sorted(done) == ["attachments/protocol.pdf", "people-dictionary.csv", "people.csv"]
    assert not [each.error for each in done.values() if each.error]
    rows = list(csv.reader(io.StringIO((tmp_path / "people.csv").read_text())))
    assert rows == [["id", "age", "sex", "health"], ["1", "40", "f", "1"], ["2", "", 'm, "x"', "2"]]
    assert done["attachments/protocol.pdf"].verified == "digest"


def test_a_selection(tabkit_: Callable[..., Any], server: Running, tmp_path: Path) -> None:
    what = ("fair:dataset/survey", "--server", server.address, "--format", "data")
    assert "Token is not valid" in tabkit_("fetch", *what, "-o", tmp_path, code=3).stderr
    done = fetch(server, tmp_path, form="data", select=("sex", "age"))
    assert done["people.csv"].path.read_text().splitlines()[:2] == ["sex,age", "f,40"]
    with pytest.raises(VariableNotFoundError, match="did you mean health"):
        fetch(server, tmp_path, select=("helth",))


def test_dictionaries_are_codebooks(tmp_path: Path) -> None:
    """The columns that ``--codebook`` reads, the codes as JSON."""
    text = dictionary_csv({"fields": FIELDS, "lookups": LOOKUPS})
    rows = list(csv.DictReader(io.StringIO(text)))
    assert list(rows[0])[:5] == ["name", "label", "type", "value labels", "missing"]
    assert json.loads(rows[3]["value labels"]) == {"1": "Good, or better", "2": "Bad"}
    assert (rows[1]["label"], rows[1]["type"], rows[1]["value labels"]) == ("Age", "integer", "")


def test_dictionaries_become_labels(
    tabkit_: Callable[..., Any], server: Running, tmp_path: Path
) -> None:
    """Fetched, then ingested with the dictionary: labels of variables and values are there."""
    from tabkit.cli.tables import ingest

    if not any("--codebook" in parameter.opts for parameter in ingest.params):
        pytest.skip("this version reads no dictionaries")
    assert not [each.error for each in fetch(server, tmp_path).values() if each.error]
    tabkit_("ingest", tmp_path / "people.csv", "--codebook", tmp_path / "people-dictionary.csv",
            "-o", tmp_path / "out")  # fmt: skip
    codebook = tabkit.read_codebook(tmp_path / "out/people-ddi.xml")
    health = next(v.variable for v in codebook.variables if v.variable.name == "health")
    assert health.label == "Health"
    assert [c.label for c in health.categories] == ["Good, or better", "Bad"]


def test_resume_faults_and_other_hosts(instance: Fair, server: Running, tmp_path: Path) -> None:
    server.faults[:] = ["cut", "status 503"]
    done = fetch(server, tmp_path, form="attachments")["attachments/protocol.pdf"]
    assert done.verified == "digest"
    assert any("range: bytes=" in seen for seen in server.seen)
    server.faults[:] = ["corrupt"] * 4
    done = fetch(server, tmp_path / "b", form="attachments")["attachments/protocol.pdf"]
    assert isinstance(done.error, FetchError)
    with serve(Raw({"/attachments/protocol.pdf": b"%PDF" * 5000})) as store:
        instance.store = store.address
        done = fetch(server, tmp_path / "c", form="attachments")["attachments/protocol.pdf"]
        assert done.verified == "digest"
        assert TOKEN.encode() not in store.seen
    instance.documented = False
    with pytest.raises(FetchError, match="no way to list"):
        fetch(server, tmp_path / "d", form="attachments")


@pytest.mark.parametrize(
    "broken", [{}, {"data": 1}, {"data": None}, [], {"errors": [{"message": "no"}], "data": []}]
)
def test_answers_that_are_no_table(
    instance: Fair, server: Running, tmp_path: Path, broken: Any
) -> None:
    instance.broken = broken
    done = fetch(server, tmp_path, form="data")["people.csv"]
    assert isinstance(done.error, FetchError)
    assert not (tmp_path / "people.csv").exists()


def test_tokens_that_end(instance: Fair, server: Running, tmp_path: Path) -> None:
    """One that is used up in mid-way is told; none at all, too."""
    instance.tokens = {TOKEN: 1}
    done = fetch(server, tmp_path, form="data")["people.csv"]
    assert isinstance(done.error, AccessError)
    assert "tabkit login" in str(done.error)
    with pytest.raises(AccessError, match="Token is not valid"):
        fetch(server, tmp_path, token="other-token")
