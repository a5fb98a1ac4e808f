"""Whole files or none: outputs are written beside their final name and renamed together."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from tabkit.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def whole_files(targets: Sequence[Path], *, force: bool = False) -> Iterator[list[Path]]:
    """Give a temporary path for each target; rename all when the block ends well, else none.

    Args:
        targets: Final names; their folders must exist.
        force: Replace what is there; otherwise an existing target is refused before any work.

    Raises:
        OutputError: A target exists, occurs twice, or its folder is missing.
    """
    for target in targets:
        _check_target(target, force=force)
    if len(set(targets)) != len(targets):
        twice = next(t for i, t in enumerate(targets) if t in targets[:i])
        raise OutputError("two outputs have this name", twice, hint="use another folder")
    # Named before they exist, so that an interruption at any moment finds them all.
    drafts = [_draft(target) for target in targets]
    try:
        for draft, target in zip(drafts, targets, strict=True):
            _create(draft, target)
        yield drafts
        _publish(drafts, targets, force=force)
    except OutputError as error:
        named = dict(zip(drafts, targets, strict=True)).get(error.path)
        if named is None:
            raise
        raise OutputError(error.reason, named, error.where, error.hint) from error
    except OSError as error:
        raise _output_error(error, [*targets, *drafts]) from error
    finally:
        _remove(drafts)


@contextlib.contextmanager
def output_folder(folder: Path) -> Iterator[None]:
    """Create an output folder and its parents; take away those that a failure leaves empty.

    Raises:
        OutputError: It is a file, or may not be created.
    """
    made = [each for each in (folder, *folder.parents) if not each.exists()]
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make this folder: {error.strerror}", folder) from error
    try:
        yield
    except BaseException:
        with contextlib.suppress(OSError):  # something is in it, of another run
            for each in made:
                each.rmdir()
        raise


def _check_target(target: Path, *, force: bool) -> None:
    if target.is_dir():
        raise OutputError("a folder has this name", target)
    if target.exists() and not force:
        raise OutputError("exists already", target, hint="use -f to replace it")
    if target.exists() and not target.is_file():
        # Renaming over /dev/null would take the device away from every program.
        raise OutputError("this is a device or a pipe", target, hint="write to - for stdout")
    if not target.parent.is_dir():
        raise OutputError(f"its folder {target.parent} does not exist", target)


def _draft(target: Path) -> Path:
    return target.parent / f".{os.urandom(8).hex()}.part{target.suffix}"


def _create(draft: Path, target: Path) -> None:
    try:
        draft.open("xb").close()
    except OSError as error:
        raise OutputError(f"cannot write here: {error.strerror}", target) from error


def _remove(drafts: Sequence[Path]) -> None:
    try:
        for draft in drafts:
            draft.unlink(missing_ok=True)
    except BaseException:
        for draft in drafts:
            draft.unlink(missing_ok=True)
        raise


def _publish(drafts: Sequence[Path], targets: Sequence[Path], *, force: bool) -> None:
    """Give the drafts their final names, all or none: what is replaced is kept until the end."""
    kept = {target: _draft(target) for target in targets if force and target.exists()}
    try:
        for target, old in kept.items():
            with contextlib.suppress(OSError):  # a file system without hard links
                os.link(target, old)
        for draft, target in zip(drafts, targets, strict=True):
            if force:
                draft.replace(target)
            else:
                rename_new(draft, target)
    except BaseException:
        for draft, target in zip(drafts, targets, strict=True):
            _take_back(draft, target, kept.get(target))
        raise
    finally:
        _remove(list(kept.values()))


def _take_back(draft: Path, target: Path, old: Path | None) -> None:
    """Undo the renaming of one draft, if it was renamed."""
    if old is not None and old.exists() and not draft.exists():
        old.replace(target)
    elif old is None and target.exists() and (not draft.exists() or target.samefile(draft)):
        target.unlink()


def rename_new(draft: Path, target: Path) -> None:
    """Rename without replacing: a hard link fails where another run was first."""
    try:
        os.link(draft, target)
    except FileExistsError:
        raise OutputError("exists already", target, hint="use -f to replace it") from None
    except OSError:  # a file system without hard links
        if target.exists():
            raise OutputError("exists already", target, hint="use -f to replace it") from None
        draft.replace(target)


def _output_error(error: OSError, targets: Sequence[Path]) -> Exception:
    """Name the output where writing failed, and let errors of other files pass."""
    named = Path(str(error.filename)) if error.filename else None
    if named is not None and named not in targets:
        return error
    reason = f"cannot be written: {error.strerror or error}"
    return OutputError(reason, targets[0] if targets else ".")
