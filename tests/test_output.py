"""Whole files or none: every way an output can fail leaves the folder as it was."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from tabkit.errors import OutputError
from tabkit.output import output_folder, whole_files


def test_all_appear_together(tmp_path: Path) -> None:
    """Nothing has its final name before the block ends."""
    targets = [tmp_path / "a", tmp_path / "b"]
    with whole_files(targets) as drafts:
        for draft in drafts:
            draft.write_text("x")
        assert not any(target.exists() for target in targets)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_devices_and_pipes_are_not_replaced(tmp_path: Path) -> None:
    """Not even with force: a file in place of /dev/null would take it from every program."""
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("/dev/null")
    for name in ("pipe", "link"):
        with pytest.raises(OutputError, match="a device or a pipe"):
            whole_files([tmp_path / name], force=True).__enter__()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link", "pipe"]
    assert (tmp_path / "pipe").is_fifo()


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit])
def test_failure_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    """Neither a draft nor a final name."""
    with pytest.raises(error), whole_files([tmp_path / "a"]) as (draft,):
        draft.write_text("x")
        raise error
    assert not list(tmp_path.iterdir())


def test_nothing_is_replaced_without_force(tmp_path: Path) -> None:
    """The second of two fails, so the first is taken back and the old file stays."""
    (tmp_path / "b").write_text("old")
    with pytest.raises(OutputError, match="b: exists already; use -f"):
        whole_files([tmp_path / "a", tmp_path / "b"]).__enter__()
    assert [p.name for p in tmp_path.iterdir()] == ["b"]


def test_a_rival_that_comes_first_wins(tmp_path: Path) -> None:
    """A file that appears while we work is not replaced, and our other output is taken back."""
    targets = [tmp_path / "a", tmp_path / "b"]
    with pytest.raises(OutputError, match="exists already"), whole_files(targets) as drafts:
        for draft in drafts:
            draft.write_text("ours")
        targets[1].write_text("theirs")
    assert [(p.name, p.read_text()) for p in tmp_path.iterdir()] == [("b", "theirs")]


def test_force_replaces(tmp_path: Path) -> None:
    """-f is what it says."""
    (tmp_path / "a").write_text("old")
    with whole_files([tmp_path / "a"], force=True) as (draft,):
        draft.write_text("new")
    assert (tmp_path / "a").read_text() == "new"


def test_force_takes_all_back_when_one_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second rename fails, so the first output is what it was before."""
    targets = [tmp_path / "a", tmp_path / "b"]
    for target in targets:
        target.write_text("old")
    real = Path.replace

    def replace(self: Path, target: Path) -> Path:
        if Path(target).name == "b":
            raise OSError(errno.EACCES, "Permission denied", str(target))
        return real(self, target)

    with pytest.raises(OutputError), whole_files(targets, force=True) as drafts:
        for draft in drafts:
            draft.write_text("new")
        monkeypatch.setattr(Path, "replace", replace)
    monkeypatch.undo()
    assert {p.name: p.read_text() for p in tmp_path.iterdir()} == {"a": "old", "b": "old"}


def test_a_full_disk_names_the_output(tmp_path: Path) -> None:
    """An OSError while writing becomes one line about the output."""
    said = "a: cannot be written: No space left"
    with pytest.raises(OutputError, match=said), whole_files([tmp_path / "a"]):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert not list(tmp_path.iterdir())


def test_an_error_of_the_source_keeps_its_name(tmp_path: Path) -> None:
    """A missing source is not blamed on the output."""
    with pytest.raises(FileNotFoundError), whole_files([tmp_path / "a"]):
        Path("/nowhere/source.sav").open("rb")  # noqa: SIM115


def test_folder_that_is_a_file(tmp_path: Path) -> None:
    """One clear line instead of NotADirectoryError."""
    (tmp_path / "f").write_text("")
    with pytest.raises(OutputError, match="cannot make this folder"), output_folder(tmp_path / "f"):
        pass


def test_a_failure_leaves_no_new_folder(tmp_path: Path) -> None:
    """Folders made for the outputs go when there are none; one that was there stays."""
    with pytest.raises(ValueError, match="bad"), output_folder(tmp_path / "new" / "deep"):
        raise ValueError("bad")
    assert not list(tmp_path.iterdir())
    with pytest.raises(ValueError, match="bad"), output_folder(tmp_path):
        raise ValueError("bad")
    assert tmp_path.exists()
