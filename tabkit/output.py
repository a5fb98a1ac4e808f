"""Whole files or none: outputs are written beside their final name and renamed together."""

from __future__ import annotations

import contextlib
import os
import secrets
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
    except OSError as error:
        raise _output_error(error, [*targets, *drafts]) from error
    finally:
        _remove(drafts)


def make_folder(folder: Path) -> None:
    """Create an output folder and its parents.

    Raises:
        OutputError: It is a file, or may not be created.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"cannot make this folder: {error.strerror}", folder) from error


def _check_target(target: Path, *, force: bool) -> None:
    if target.is_dir():
        raise OutputError("a folder has this name", target)
    if target.exists() and not force:
        raise OutputError("exists already", target, hint="use -f to replace it")
    if not target.parent.is_dir():
        raise OutputError(f"its folder {target.parent} does not exist", target)


def _draft(target: Path) -> Path:
    return target.parent / f".{secrets.token_hex(8)}.part{target.suffix}"


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
    try:
        for draft, target in zip(drafts, targets, strict=True):
            if force:
                draft.replace(target)
            else:
                _rename_new(draft, target)
    except BaseException:
        for draft, target in zip(drafts, targets, strict=True):
            if draft.exists() and target.exists() and target.samefile(draft):
                target.unlink()
        raise


def _rename_new(draft: Path, target: Path) -> None:
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
