"""What the commands that make archives print: what is in them and what was left out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from tabkit.bundle import bundle, bundle_name
from tabkit.errors import UsageError
from tabkit.limits import parse_limits, parse_size
from tabkit.messages import say_json
from tabkit.options import ReadOptions
from tabkit.profiles import find_profile
from tabkit.zip_files import zip_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tabkit.formats import FileFormat

PARTIAL: Final = 1


def zip_all(
    files: Sequence[str],
    *,
    target: str,
    form: str | None,
    limit: Sequence[str],
    untrusted: bool,
    force: bool,
    as_json: bool,
    profile: str,
) -> int:
    """Make an archive, to stdout where ``target`` is ``-``; tell what is not in it.

    Of ``limit``, a size is the archive's and ``NAME=VALUE`` is for what is read.

    Raises:
        UsageError: The limit cannot be read, or JSON and the archive both go to stdout.
    """
    if target == "-" and as_json:
        msg = "the archive goes to stdout, so --json cannot; use -o FILE"
        raise UsageError(msg)
    sizes = [each for each in limit if "=" not in each]
    options = ReadOptions(
        profile=find_profile(profile),
        untrusted=untrusted,
        limits=parse_limits(each for each in limit if "=" in each),
    )
    report = zip_files(
        files,
        sys.stdout.buffer if target == "-" else Path(target),
        form=form,
        limit=_bytes(sizes[-1]) if sizes else None,
        force=force,
        options=options,
    )
    name = "stdout" if target == "-" else Path(target).name
    for path, reason in report.left_out:
        click.echo(f"tabkit: {name}: left out {path}: {reason}", err=True)
    if as_json:
        left_out = [{"file": str(path), "reason": reason} for path, reason in report.left_out]
        entries = [{"name": entry, "bytes": size} for entry, size in report.entries]
        say_json({"entries": entries, "left_out": left_out})
    elif target != "-":
        total = sum(size for _, size in report.entries)
        click.echo(f"{target}: {len(report.entries):,} files, {total:,} bytes before compression")
    if report.left_out:
        click.echo(f"tabkit: {name}: {len(report.left_out):,} files were left out", err=True)
    return PARTIAL if report.left_out else 0


def bundle_one(
    source: Path,
    *,
    target: str | None,
    study: Path | None,
    ddi_version: str | None,
    force: bool,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
) -> int:
    """Make the bundle of one file and tell what is in it."""
    from tabkit.show import show_findings

    target = target or bundle_name(name or source.name)
    report = bundle(
        source,
        sys.stdout.buffer if target == "-" else Path(target),
        study=study,
        profile=options.profile,
        ddi_version=ddi_version,
        force=force,
        name=name,
        options=options,
        file_format=file_format,
    )
    show_findings(name or source.name, report.package.findings)
    if target != "-":
        names = ", ".join(entry for entry, _ in report.entries)
        click.echo(f"{target}: {names}; {report.package.unf or 'no UNF (no cases)'}")
    return 0


def _bytes(text: str) -> int:
    size = parse_size(text)
    if size is None:
        msg = f"cannot read the size {text!r}; write 100MB, 2GiB or a number of bytes"
        raise UsageError(msg)
    return size
