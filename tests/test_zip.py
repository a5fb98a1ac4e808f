"""Zips: whole, safe, reproducible, bounded; what is not in them is told."""

from __future__ import annotations

import io
import os
import resource
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.errors import FormatError, UsageError
from tabkit.zip_files import zip_files
from tabkit.zip_stream import Names, safe_name

sys.path.insert(0, str(Path(__file__).parent / "data" / "make"))
from survey import make

TABKIT = [sys.executable, "-m", "tabkit"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Some files in folders; the working directory."""
    (tmp_path / "data" / "deep").mkdir(parents=True)
    (tmp_path / "data" / "a.csv").write_text("x\n1\n")
    (tmp_path / "data" / "deep" / "é ü.txt").write_bytes(os.urandom(100_000))
    (tmp_path / "b.csv").write_text("y\n2\n" * 50_000)
    (tmp_path / "empty.dat").write_bytes(b"")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_folders_are_kept_and_everything_comes_back(folder: Path) -> None:
    """Read by Python; each byte the same, folders before their files, the manifest last."""
    report = zip_files(["data", "b.csv", "empty.dat"], "out.zip")
    with zipfile.ZipFile("out.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            "data/", "data/a.csv", "data/deep/", "data/deep/é ü.txt", "b.csv", "empty.dat",
            "MANIFEST.TXT",
        ]  # fmt: skip
        for name, size in report.entries:
            assert archive.read(name) == (folder / name).read_bytes()
            assert archive.getinfo(name).file_size == size
        manifest = archive.read("MANIFEST.TXT").decode()
    assert manifest.splitlines()[0] == "data/a.csv (text/csv) 4 bytes."
    assert manifest.endswith("\r\n")
    assert not report.left_out


def test_what_links_lead_to_is_not_lost(folder: Path) -> None:
    """A link to a file stands beside it; a link to a folder is not followed, and that is told."""
    Path("data/link.csv").symlink_to("../b.csv")
    Path("data/loop").symlink_to("..")
    report = zip_files(["data", "b.csv", "./b.csv"], "out.zip")
    with zipfile.ZipFile("out.zip") as archive:
        assert archive.read("data/link.csv") == archive.read("b.csv") == Path("b.csv").read_bytes()
        assert archive.namelist().count("b.csv") == 1
        manifest = archive.read("MANIFEST.TXT").decode()
    assert report.left_out == [(Path("data/loop"), "it is a link to a folder")]
    assert "data/loop (application/octet-stream) COULD NOT be added: it is a link" in manifest


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="setpriv is not here")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become someone else")
def test_a_folder_that_cannot_be_listed_is_told(folder: Path) -> None:
    """Its files are not passed over in silence."""
    Path("data/deep").chmod(0o700)
    for each in (folder, *folder.parents[:3]):
        each.chmod(0o777)
    become = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    done = subprocess.run([*become, *TABKIT, "zip", "data", "-o", "out.zip"],
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert "left out data/deep: permission denied" in done.stderr


@pytest.mark.parametrize("program", [["unzip", "-tq"], ["7z", "t"]])
def test_other_programs_open_it(folder: Path, program: list[str]) -> None:
    """Info-ZIP and 7-Zip find no fault."""
    if shutil.which(program[0]) is None:
        pytest.skip(f"{program[0]} is not installed")
    zip_files(["data", "b.csv", "empty.dat"], "out.zip")
    subprocess.run([*program, "out.zip"], check=True, capture_output=True)


def test_two_runs_give_the_same_bytes(folder: Path) -> None:
    """Whatever the times of the files are."""
    zip_files(["data", "b.csv"], "one.zip")
    os.utime("b.csv", (1, 1))
    stream = io.BytesIO()
    zip_files(["data", "b.csv"], stream)
    assert stream.getvalue() == Path("one.zip").read_bytes()


def test_isal_compresses(folder: Path) -> None:
    """The bytes of an entry are its own, since stream-zip falls back on zlib in some modes."""
    from isal import isal_zlib

    zip_files(["b.csv"], "out.zip")
    deflate = isal_zlib.compressobj(1, isal_zlib.DEFLATED, -15)
    data = deflate.compress(Path("b.csv").read_bytes()) + deflate.flush()
    with zipfile.ZipFile("out.zip") as archive:
        assert archive.getinfo("b.csv").compress_size == len(data)
    assert data in Path("out.zip").read_bytes()


def test_same_names_get_numbers(folder: Path) -> None:
    """Also where they differ in case only; the same file twice is one entry."""
    for name in ("1/x.csv", "2/x.csv", "3/X.CSV"):
        Path(name).parent.mkdir()
        Path(name).write_text(name)
    paths = [Path(name).resolve() for name in ("1/x.csv", "2/x.csv", "3/X.CSV", "1/x.csv")]
    report = zip_files(paths, "out.zip")
    assert [name for name, _ in report.entries] == ["x.csv", "x_1.csv", "X_2.CSV"]


def test_the_limit_is_strict_and_told(folder: Path) -> None:
    """A file that would reach it stays out; a smaller one may follow."""
    report = zip_files(["b.csv", "data/deep", "data/a.csv"], "out.zip", limit=200_004)
    assert [name for name, _ in report.entries] == ["b.csv"]
    with zipfile.ZipFile("out.zip") as archive:
        lines = archive.read("MANIFEST.TXT").decode().splitlines()
    assert lines[-1] == (
        "data/a.csv (text/csv)  skipped because the total size of the download bundle exceeded"
        " the limit of 200004 bytes."
    )
    assert len(report.left_out) == 2


def test_a_partial_archive_is_a_finding(folder: Path) -> None:
    """Exit 1, a line a file on stderr, the reasons in the manifest; and stdout as target."""
    Path("dir").mkdir()
    os.mkfifo("dir/pipe")
    Path("dir/dangling").symlink_to("nowhere")
    command = [*TABKIT, "zip", "b.csv", "missing.csv", "dir", "-o", "-"]
    done = subprocess.run(command, check=False, capture_output=True, timeout=60)
    assert done.returncode == 1
    assert b"left out missing.csv: no such file or directory" in done.stderr
    with zipfile.ZipFile(io.BytesIO(done.stdout)) as archive:
        manifest = archive.read("MANIFEST.TXT").decode()
    assert "missing.csv (text/csv) COULD NOT be added: no such file or directory" in manifest
    assert "dir/pipe (application/octet-stream) COULD NOT be added: it is not a regular" in manifest
    assert "dir/dangling" in manifest


def test_nothing_to_add(folder: Path) -> None:
    """No archive at all."""
    with pytest.raises(FormatError, match="no file could be added"):
        zip_files(["nowhere.csv"], "out.zip")
    Path("hollow").mkdir()
    with pytest.raises(UsageError):
        zip_files(["hollow"], "out.zip")
    assert not Path("out.zip").exists()


def test_a_manifest_of_their_own(folder: Path) -> None:
    """Ours steps aside."""
    Path("MANIFEST.TXT").write_text("mine")
    zip_files(["MANIFEST.TXT"], "out.zip")
    assert zipfile.ZipFile("out.zip").namelist() == ["MANIFEST.TXT", "0MANIFEST.TXT"]


def test_a_file_that_breaks_off_leaves_no_archive(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut entry would be a silent loss."""

    def broken(path: Path) -> object:
        yield b"some"
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(sys.modules["tabkit.zip_files"], "file_pieces", broken)
    with pytest.raises(FormatError, match=r"b\.csv: it broke off after 4 bytes"):
        zip_files(["b.csv"], "out.zip")
    assert not list(folder.glob("*.zip"))
    assert not list(folder.glob(".*part*"))


def test_tab_and_original(folder: Path) -> None:
    """A statistics file as its table, and a table as the file it came from."""
    from tabkit.ingest import ingest

    make(folder / "survey.sav")
    ingest("survey.sav", "out")
    zip_files(["survey.sav", "b.csv", "data/deep"], "tab.zip", form="tab")
    with zipfile.ZipFile("tab.zip") as archive:
        assert archive.read("survey.tab") == Path("out/survey.tab").read_bytes()
        assert archive.read("b.tab").startswith(b"y\n")
        assert "data/deep/é ü.txt" in archive.namelist()
    report = zip_files(["out/survey.tab", "out/survey-ddi.xml"], "orig.zip", form="original")
    assert [name for name, _ in report.entries] == ["out/survey.sav", "out/survey-ddi.xml"]
    Path("lone.tab").write_text("x\n1\n")
    report = zip_files(["lone.tab", "b.csv"], "lone.zip", form="original")
    assert report.left_out[0][1].startswith("its original is not known")


HOSTILE = [
    "/etc/passwd",
    "../../x",
    "a/../../x",
    "..\\x",
    "C:\\x",
    "C:/x",
    "a/./b",
    "\0x",
    "a\nb",
    "",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_escape(name: str) -> None:
    """Roots, drives and parents go."""
    assert not escapes(safe_name(name))


@given(st.text(st.sampled_from(["a", "/", ".", "\\", ":", "C", "\0", "\n", "\udc80"]), max_size=12))
def test_no_name_can_escape(name: str) -> None:
    """By the laws of POSIX and of Windows."""
    assert not escapes(safe_name(name))


def escapes(name: str) -> bool:
    """Whether a name would be unpacked elsewhere, or not at all."""
    from pathlib import PurePosixPath, PureWindowsPath

    return any(
        kind(name).is_absolute() or kind(name).drive or ".." in kind(name).parts or not name
        for kind in (PurePosixPath, PureWindowsPath)
    )


@given(st.lists(st.sampled_from(["a", "A", "a_1", "b.x", "B.X", "b_1.x", "é", "e\u0301"])))
def test_names_are_unique_without_case(names: list[str]) -> None:
    """Whatever was asked for before."""
    import unicodedata

    given_names = Names()
    made = [given_names.unique(name) for name in names]
    assert len({unicodedata.normalize("NFC", name).casefold() for name in made}) == len(made)


@pytest.mark.skipif("TABKIT_SLOW" not in os.environ, reason="takes a minute: TABKIT_SLOW=1")
def test_five_gigabytes(tmp_path: Path) -> None:
    """An entry beyond 4 GiB, of a sparse file; its size and checksum are right."""
    big = tmp_path / "big.bin"
    with big.open("wb") as file:
        file.truncate(5_000_000_000)
    zip_files([big, __file__], tmp_path / "big.zip")
    with zipfile.ZipFile(tmp_path / "big.zip") as archive:
        info = archive.getinfo("big.bin")
        assert info.file_size == 5_000_000_000
        assert archive.read("test_zip.py") == Path(__file__).read_bytes()
        with archive.open("big.bin") as entry:
            assert not any(entry.read(1 << 20))


def test_ten_thousand_files(tmp_path: Path) -> None:
    """In bounded memory."""
    (tmp_path / "many").mkdir()
    for number in range(10_000):
        (tmp_path / "many" / f"{number:05}.csv").write_text(f"x\n{number}\n")
    subprocess.run(
        [*TABKIT, "zip", "many", "-o", "many.zip"],
        cwd=tmp_path,
        check=True,
        stdout=subprocess.DEVNULL,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_DATA, (200 << 20, 200 << 20)),
    )
    with zipfile.ZipFile(tmp_path / "many.zip") as archive:
        assert len(archive.namelist()) == 10_002
        assert archive.read("many/09999.csv") == b"x\n9999\n"
