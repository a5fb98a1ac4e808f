"""Dataverse, through the command line a user types and through Python."""

from __future__ import annotations

import asyncio
import dataclasses
import io
import json
import re
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import tabkit.clients
from tabkit.clients.adapters import understand
from tabkit.errors import AccessError, FetchError, UsageError, VariableNotFoundError
from tests.clients.servers.asgi import Running, run
from tests.clients.servers.dataverse import PID, Dataverse, File

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.clients.conftest import Done

    Run = Callable[..., Done]

ROOT = Path(__file__).resolve().parents[2]
TOKEN, OWNER = "11111111-aaaa-bbbb-cccc-222222222222", "99999999-aaaa-bbbb-cccc-000000000000"
TAB = b'1\t"x"\t2.5\n2\t"y"\t3.5\n'
CSV = b"age,sex\n40,1\n41,2\n"


def files() -> list[File]:
    table = {"header": b"id\tname\tscore\n", "media_type": "text/tab-separated-values"}
    return [
        File(6, "survey.tab", TAB, "data/raw", original=CSV, original_name="survey.csv",
             original_type="text/csv", **table),
        File(7, "readme.txt", b"Read me\n" * 900, media_type="text/plain"),
        File(8, "secret.tab", TAB, restricted=True, original=b"$FL2" * 50,
             original_name="secret.sav", **table),
        File(9, "photo.png", b"\x89PNG....", media_type="image/png"),
    ]  # fmt: skip


@pytest.fixture
def repository() -> Dataverse:
    return Dataverse(files(), users={TOKEN: "@ann", OWNER: "@owner"}, managers={"@owner"})


@pytest.fixture
def server(repository: Dataverse) -> Iterator[Running]:
    with run(repository.app()) as running:
        yield running


def fetch(server: Running, folder: Path, what: str = PID, **choices: Any) -> dict[str, Any]:
    with tabkit.clients.open(what, server=server.address, **choices) as found:
        return {each.entry.name: each for each in found.download(folder)}


@pytest.mark.parametrize(
    ("text", "kind", "identifier", "version"),
    [
        (PID, "pid", PID, ""),
        ("https://doi.org/10.5072/FK2/J8SJZB", "pid", PID, ""),
        ("10.5072/FK2/J8SJZB", "pid", PID, ""),
        ("hdl:1902.1/111012", "pid", "hdl:1902.1/111012", ""),
        (f"https://d.example/dataset.xhtml?persistentId={PID}&version=DRAFT",
         "dataset-pid", PID, ":draft"),
        (f"https://d.example/citation?persistentId={PID}", "dataset-pid", PID, ""),
        (f"https://d.example/file.xhtml?persistentId={PID}/A", "file-pid", f"{PID}/A", ""),
        ("https://d.example/file.xhtml?fileId=6", "file", "6", ""),
        ("https://d.example/api/access/datafile/6", "file", "6", ""),
        ("https://d.example/api/v1/access/datafile/some/dir/6?format=original", "file", "6", ""),
        (f"https://d.example/api/access/datafile/:persistentId/?persistentId={PID}/A",
         "file-pid", f"{PID}/A", ""),
        (f"https://d.example/sub/api/datasets/:persistentId/versions/1.2/files?persistentId={PID}",
         "dataset-pid", PID, "1.2"),
        ("https://d.example/api/datasets/42", "dataset", "42", ""),
        ("dataverse:file/6", "file", "6", ""),
    ],
)  # fmt: skip
def test_what_users_paste_is_understood(
    text: str, kind: str, identifier: str, version: str
) -> None:
    ref = understand(text, "" if text.startswith("https://d.") else "https://d.example")
    assert (ref.kind, ref.id, ref.version) == (kind, identifier, version)
    assert ref.server.startswith("https://d.example")


def test_a_token_in_the_address_is_refused() -> None:
    with pytest.raises(UsageError, match="tabkit login") as caught:
        understand(f"https://d.example/api/access/datafile/6?key={TOKEN}")
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("paging", [True, False])
@pytest.mark.parametrize("what", [PID, "dataverse:dataset/42"])
def test_list(
    tabkit_: Run, repository: Dataverse, server: Running, paging: bool, what: str
) -> None:
    repository.paging = paging
    done = tabkit_("fetch", what, "--server", server.address, "--list", "--json")
    rows = json.loads(done.stdout)
    assert [(r["folder"], r["name"], r["size"], r["restricted"]) for r in rows] == [
        ("data/raw", "survey.csv", len(CSV), False),
        ("", "readme.txt", 7200, False),
        ("", "secret.sav", 200, True),
        ("", "photo.png", 8, False),
    ]


def test_many_pages(repository: Dataverse, server: Running) -> None:
    repository.files = [File(i, f"f{i}", b"x") for i in range(2001)]
    with tabkit.clients.open(PID, server=server.address) as found:
        assert len(list(found.entries())) == 2001


def test_whole_dataset(tabkit_: Run, server: Running, tmp_path: Path) -> None:
    """Originals in their folders; the restricted one is told, and does not stop the others."""
    done = tabkit_("fetch", PID, "--server", server.address, "-o", tmp_path, code=3)
    assert (tmp_path / "data/raw/survey.csv").read_bytes() == CSV
    assert (tmp_path / "readme.txt").read_bytes() == b"Read me\n" * 900
    assert "digest verified" in done.stdout
    assert "403" in done.stderr
    assert "tabkit login" in done.stderr
    assert sorted(p.name for p in tmp_path.iterdir()) == ["data", "photo.png", "readme.txt"]


def test_tables_are_verified_without_their_header(server: Running, tmp_path: Path) -> None:
    done = fetch(server, tmp_path / "a", form="tab")["survey.tab"]
    assert done.verified == "digest"
    assert done.path.read_bytes() == b"id\tname\tscore\n" + TAB
    done = fetch(server, tmp_path / "b", form="tab", header=False)["survey.tab"]
    assert done.verified == "digest"
    assert done.path.read_bytes() == TAB
    server.faults[:] = ["corrupt"] * 4
    done = fetch(server, tmp_path / "c", "dataverse:file/6", form="tab")["survey.tab"]
    assert isinstance(done.error, FetchError)


@pytest.mark.parametrize(
    ("form", "name", "start"),
    [
        ("original", "survey.csv", CSV),
        ("RData", "survey.RData", b"RDX3"),
        ("prep", "survey-prep.json", b'{"dataset"'),
        ("preprocessed", "survey-prep.json", b'{"variables"'),
        ("ddi", "survey-ddi.xml", b"<codeBook"),
        ("bundle", "survey-bundle.zip", b"PK"),
    ],
)
def test_forms(server: Running, tmp_path: Path, form: str, name: str, start: bytes) -> None:
    done = fetch(server, tmp_path, f"{server.address}/api/access/datafile/6", form=form)
    assert list(done) == [name]
    assert done[name].error is None
    assert (tmp_path / "data/raw" / name).read_bytes().startswith(start)


def test_thumbnail_and_file_by_identifier(server: Running, tmp_path: Path) -> None:
    done = fetch(server, tmp_path, f"{PID}/F9", form="thumbnail", size=128)
    assert done["photo-thumbnail.png"].path.read_bytes() == b"\x89PNG128"
    assert "is no image" in str(
        fetch(server, tmp_path, f"{PID}/F7", form="thumbnail")["readme.txt"].error
    )


def test_subset_by_name_and_number(server: Running, tmp_path: Path) -> None:
    """A name that does not exist is refused: the server would send the whole file."""
    what = f"{server.address}/api/access/datafile/6"
    done = fetch(server, tmp_path, what, form="subset", select=("score", "v100"))
    assert done["survey-subset.tab"].path.read_bytes() == b"score\tid\n2.5\t1\n3.5\t2\n"
    done = fetch(server, tmp_path / "b", what, form="subset", select=("scoer",))
    assert isinstance(done["survey-subset.tab"].error, VariableNotFoundError)
    assert "did you mean score" in str(done["survey-subset.tab"].error)


def test_zip_tells_what_is_missing(
    tabkit_: Run, repository: Dataverse, server: Running, tmp_path: Path
) -> None:
    repository.zip_limit = 7000
    done = tabkit_(
        "fetch", PID, "--server", server.address, "--format", "zip", "-o", tmp_path, code=1
    )
    assert "secret.tab IS RESTRICTED" in done.stderr
    assert "readme.txt (text/plain)  skipped because" in done.stderr
    (path,) = tmp_path.iterdir()
    with zipfile.ZipFile(path) as archive:
        assert "data/raw/survey.csv" in archive.namelist()


def test_a_zip_on_standard_output_tells_what_is_missing_too(
    repository: Dataverse, server: Running, nobody: Path
) -> None:
    repository.zip_limit = 7000
    command = [sys.executable, "-m", "tabkit", "fetch", PID, "--server", server.address]
    done = subprocess.run(
        [*command, "--format", "zip", "-o", "-"], capture_output=True, check=False
    )
    assert done.returncode == 1
    assert b"secret.tab IS RESTRICTED" in done.stderr
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as archive:
        assert "data/raw/survey.csv" in archive.namelist()


def test_a_cut_zip_is_not_kept(server: Running, tmp_path: Path) -> None:
    server.faults[:] = ["cut"] * 10
    (done,) = fetch(server, tmp_path, form="zip-tab").values()
    assert isinstance(done.error, FetchError)
    assert not [p for p in tmp_path.rglob("*") if p.suffix == ".zip"]


def test_a_version_is_asked_for(tabkit_: Run, server: Running) -> None:
    """The newest that may be seen: published for guests; or the one that is named."""
    what = ("fetch", PID, "--server", server.address, "--list")
    tabkit_(*what)
    tabkit_(*what, "--version", "1.2")
    asked = [seen.split()[1] for seen in server.seen]
    assert "/versions/:latest-published/files?" in asked[0]
    assert "/versions/1.2/files?" in asked[1]


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"../../evil.txt": b"x"}, "leads out of its folder"),
        ({"/etc/evil": b"x"}, "leads out of its folder"),
        ({"C:\\evil": b"x"}, "leads out of its folder"),
        ({f"{n}.bin": bytes(2 << 20) for n in range(5)}, "times its size"),
    ],
)
def test_zips_that_are_traps(
    tmp_path: Path, members: dict[str, bytes], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tabkit.clients import archives
    from tests.clients.servers.dataverse import zip_of

    monkeypatch.setattr(archives, "_FREE", 1 << 20)
    (tmp_path / "z.zip").write_bytes(zip_of(members))
    with pytest.raises(FetchError, match=message):
        archives.check_archive(tmp_path / "z.zip", "z.zip")


def test_credentials(repository: Dataverse, server: Running, tmp_path: Path) -> None:
    """Header or bearer; a wrong one is told, without quoting it."""
    repository.bearers["oidc-token"] = "@ann"
    repository.granted.add((8, "@ann"))
    for number, token in enumerate((TOKEN, "Bearer oidc-token")):
        done = fetch(server, tmp_path / str(number), token=token)
        assert done["secret.sav"].error is None
    assert any("x-dataverse-key: " + TOKEN in seen for seen in server.seen)
    with pytest.raises(AccessError, match="Bad API key") as caught:
        fetch(server, tmp_path / "x", token="00000000-wrong")
    assert "00000000-wrong" not in str(caught.value)


def test_environment_token_goes_to_its_server_only(
    tabkit_: Run,
    repository: Dataverse,
    server: Running,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    repository.granted.add((8, "@ann"))
    monkeypatch.setenv("TABKIT_DATAVERSE_TOKEN", TOKEN)
    fetch(server, tmp_path / "a")
    monkeypatch.setenv("TABKIT_DATAVERSE_SERVER", "https://other.example")
    fetch(server, tmp_path / "b")
    assert not any(TOKEN in seen for seen in server.seen)
    monkeypatch.setenv("TABKIT_DATAVERSE_SERVER", server.address + "/")
    assert fetch(server, tmp_path / "c")["secret.sav"].error is None
    done = tabkit_(
        "fetch", "dataverse:file/8", "--server", server.address, "-o", tmp_path / "d", "--debug"
    )
    assert "GET" in done.stderr
    assert TOKEN not in done.stderr + done.stdout


def test_store_on_another_host_sees_no_token(
    repository: Dataverse, server: Running, tmp_path: Path
) -> None:
    """The redirect to the object store, with resume from the stable address."""
    from tests.clients.servers.raw import Raw, serve

    repository.granted.add((8, "@ann"))
    with serve(Raw({"/store/8": b"$FL2" * 50, "/store/6": CSV})) as store:
        repository.store = store.address
        left = ["cut 50", "status 403"]
        store.fault = lambda _: left.pop(0) if left else ""
        done = fetch(server, tmp_path, token=TOKEN)
        assert done["secret.sav"].path.read_bytes() == b"$FL2" * 50
        assert b"X-Amz-Signature" in store.seen
        for secret in (TOKEN.encode(), b"dataverse-key", b"referer", b"cookie"):
            assert secret not in store.seen.lower()


def test_resume_and_faults(server: Running, tmp_path: Path) -> None:
    """No ETag here: the digest alone lets a transfer go on."""
    server.faults[:] = ["cut", "status 503", "cut"]
    done = fetch(server, tmp_path, "dataverse:file/7")["readme.txt"]
    assert done.verified == "digest"
    assert sum("range: bytes=" in seen for seen in server.seen) >= 2
    for fault in ("html", "envelope"):
        server.faults[:] = [fault] * 4
        done = fetch(server, tmp_path / fault, "dataverse:file/6")["survey.csv"]
        assert isinstance(done.error, FetchError)
        assert not (tmp_path / fault / "data/raw/survey.csv").exists()


def test_guestbook(tabkit_: Run, repository: Dataverse, server: Running, tmp_path: Path) -> None:
    repository.files = [dataclasses.replace(repository.files[1], guestbook=True)]
    done = fetch(server, tmp_path)["readme.txt"]
    assert "Guestbook response" in str(done.error)
    answers = {"guestbookResponse": {"name": "Ann", "answers": [{"id": 1, "value": "yes"}]}}
    (tmp_path / "answers.json").write_text(json.dumps(answers))
    tabkit_("fetch", PID, "--server", server.address, "-o", tmp_path / "o", "--answers",
            tmp_path / "answers.json")  # fmt: skip
    assert repository.answered == [answers]


def test_signed_address(tabkit_: Run, server: Running, tmp_path: Path) -> None:
    url = f"{server.address}/api/access/datafile/8?until=2099&user=x&method=GET&token=signed-secret"
    done = tabkit_("fetch", url, "-o", tmp_path, "--debug")
    assert "signed-secret" not in done.stdout + done.stderr
    assert (tmp_path / "datafile-8").read_bytes().startswith(b"id\t")


@pytest.mark.parametrize("new_envelope", [False, True])
def test_access_requests(
    tabkit_: Run,
    repository: Dataverse,
    server: Running,
    new_envelope: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Requested, listed, rejected, granted, revoked, disallowed: each by a command."""
    repository.new_envelope = new_envelope
    monkeypatch.setenv("TABKIT_DATAVERSE_SERVER", server.address)

    def access(token: str, *arguments: str, code: int = 0) -> str:
        monkeypatch.setenv("TABKIT_DATAVERSE_TOKEN", token)
        done = tabkit_("access", *arguments, "--server", server.address, code=code)
        return done.stdout + done.stderr

    secret = "dataverse:file/8"
    assert access(OWNER, "list", secret) == ""
    assert "secret.tab requested" in access(TOKEN, "request", secret)
    assert "already exists" in access(TOKEN, "request", secret, code=3)
    assert "does not have permission" in access(TOKEN, "list", secret, code=3)
    assert "@ann  ann  created" in access(OWNER, "list", secret)
    assert "rejected" in access(OWNER, "reject", secret, "@ann")
    assert "granted" in access(OWNER, "grant", f"{PID}/F8", "@ann")
    assert "revoked" in access(OWNER, "revoke", secret, "@ann")
    assert "Could not find assignee" in access(OWNER, "grant", secret, "@bob", code=3)
    assert "@name" in access(OWNER, "grant", secret, code=2)
    assert "disallows" in access(OWNER, "disallow", "dataverse:dataset/42")
    assert "not accepted" in access(TOKEN, "request", secret, code=3)


def test_fetch_then_ingest_as_the_readme_has_it(
    repository: Dataverse, server: Running, tmp_path: Path
) -> None:
    """The README's own line, on a real SPSS file, in a shell."""
    make = ROOT / "tests/data/make/survey.py"
    subprocess.run([sys.executable, make, tmp_path / "survey.sav"], check=True)
    original = (tmp_path / "survey.sav").read_bytes()
    repository.files[0] = dataclasses.replace(
        repository.files[0], original=original, original_name="survey.sav"
    )
    lines = (ROOT / "README.md").read_text(encoding="utf-8").splitlines()
    (line,) = (each for each in lines if "fetch" in each and "| tabkit ingest" in each)
    line = line.replace("https://demo.dataverse.org", server.address)
    line = re.sub(r"\btabkit (?=fetch|ingest)", f"'{sys.executable}' -m tabkit ", line)
    subprocess.run(line.strip(), shell=True, check=True, timeout=60, cwd=tmp_path)
    assert (tmp_path / "out/survey.sav").read_bytes() == original
    assert tabkit.read_codebook(tmp_path / "out/survey-ddi.xml").variables[0].variable.label


def test_every_documented_command_parses() -> None:
    """docs/adapters.md shows only options that exist."""
    from tabkit.cli.fetch import fetch as command

    text = (ROOT / "docs/adapters.md").read_text(encoding="utf-8")
    shown = re.findall(r"^    tabkit fetch (.+)$", text, flags=re.MULTILINE)
    assert len(shown) > 5
    for line in shown:
        arguments = shlex.split(line.partition(" | ")[0])
        context = command.make_context("fetch", arguments)
        assert understand(context.params["sources"][0], context.params["server"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("fetch", "nonsense", "-o", "x"), 2, "no repository adapter understands"),
        (("fetch", PID), 2, "-o FOLDER"),
        (("fetch", "dataverse:file/6", "-o", "x"), 2, "give --server"),
        (("fetch", "dataverse:file/6", "-o", "x", "--server", "ht tp://x"), 2, "not the address"),
        (("fetch", "drs://[::1/x", "-o", "x"), 2, "not the address"),
        (("fetch", PID, "-o", "x", "--server", "http://127.0.0.1:99999"), 2, "not the address"),
        (("fetch", PID, "-o", "x", "--server", "http://127.0.0.1:1"), 3, "no answer"),
        (
            ("fetch", PID, "-o", "x", "--server", "http://127.0.0.1:1", "--format", "y"),
            2,
            "no form",
        ),
        (("login", "dataverse", "--server", "host:99999"), 2, "not the address"),
        (("access", "grant", "dataverse:file/6", "--server", "http://127.0.0.1:1"), 2, "@name"),
        (("access", "list", "drs://h/x", "--server", "http://127.0.0.1:1"), 2, "in Dataverse"),
    ],
)
def test_wrong_usage(
    tabkit_: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    message: str,
) -> None:
    """One line, the right code, nothing left behind."""
    monkeypatch.chdir(tmp_path)
    done = tabkit_(*arguments, code=code)
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_standard_output_takes_one_file(tabkit_: Run, server: Running) -> None:
    done = tabkit_("fetch", PID, "--server", server.address, "-o", "-", code=2)
    assert "--only" in done.stderr


def test_from_async_code(server: Running, tmp_path: Path) -> None:
    """Everything blocks; a thread makes it wait for."""

    async def main() -> dict[str, Any]:
        return await asyncio.to_thread(fetch, server, tmp_path, "dataverse:file/7")

    assert asyncio.run(main())["readme.txt"].verified == "digest"


def test_identifier_without_server(server: Running, tmp_path: Path) -> None:
    """The resolver of identifiers tells the server; no token of another server is sent there."""
    from tests.clients.servers.raw import Raw, serve

    landing = f"{server.address}/dataset.xhtml?persistentId={PID}"
    with serve(Raw()) as resolver:
        resolver.fault = lambda _: f"redirect {landing}"
        with pytest.raises(FetchError):  # this server has no such page
            tabkit.clients.open(PID, resolver=resolver.address)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_pydataverse_talks_to_the_same_server(server: Running, repository: Dataverse) -> None:
    """Its own client finds here what it expects of a Dataverse."""
    api_module = pytest.importorskip("pyDataverse.api")
    native = api_module.NativeApi(server.address, TOKEN)
    assert native.get_info_version().json()["data"]["version"] == "6.11"
    listed = native.get_datafiles_metadata(PID, version=":latest").json()["data"]
    assert [row["dataFile"]["id"] for row in listed] == [6, 7, 8, 9]
    api = api_module.DataAccessApi(server.address, TOKEN)
    assert api.get_datafile(f"{PID}/F6").content == b"id\tname\tscore\n" + TAB
    assert api.get_datafile("6", is_pid=False, no_var_header=True).content == TAB
    assert api.get_datafile("6", is_pid=False, data_format="original").content == CSV
    with zipfile.ZipFile(io.BytesIO(api.get_datafiles("6,7").content)) as archive:
        assert archive.namelist() == ["data/raw/survey.tab", "readme.txt", "MANIFEST.TXT"]
    with zipfile.ZipFile(io.BytesIO(api.get_datafile_bundle("6").content)) as archive:
        assert archive.namelist()[0] == "survey.tab"
    assert api.get_datafile("8", is_pid=False).status_code == 403
    assert "requested" in api.request_access("8").json()["data"]["message"]
    owner = api_module.DataAccessApi(server.address, OWNER)
    assert owner.list_file_access_requests("8").json()["data"][0]["identifier"] == "@ann"
    assert owner.grant_file_access("8", "@ann").status_code == 200
    assert api.get_datafile("8", is_pid=False).status_code == 200
