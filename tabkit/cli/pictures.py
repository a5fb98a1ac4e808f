"""The verb of pictures: thumbnail."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tabkit.cli.options import CONTEXT, guarding, on_disk

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tabkit.formats import FileFormat
    from tabkit.limits import Limits


@click.command(context_settings=CONTEXT)
@click.argument("source")
@click.argument("target")
@click.option("--size", default="64", metavar="N[,N...]", show_default=True,
              help="Pixels of the longest side; several sizes go to NAME-N.png each.")  # fmt: skip
@click.option("--page", default=1, metavar="N", show_default=True, help="Page of a PDF.")
@click.option("--profile", default="tabkit", metavar="NAME", help="tabkit or dataverse.")
@click.option("--from", "from_", metavar="FORMAT", help="SOURCE is a table of this format.")
@click.option("--max-pixels", type=click.IntRange(1), metavar="N",
              help="Refuse images of more pixels. [default: 500000000]")  # fmt: skip
@click.option("--max-memory", type=click.IntRange(1), metavar="MIB",
              help="Refuse images that take more to decode. [default: 400]")  # fmt: skip
@click.option("--max-seconds", type=click.FloatRange(0, min_open=True), metavar="S",
              help="Give up a page that takes longer to draw. [default: 20]")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Replace a target that exists.")
@click.option("--name", metavar="FILE", help="Name of a source that comes from stdin (-).")
@click.option("--debug", is_flag=True, expose_value=False,
              help="Show a traceback when something fails.")  # fmt: skip
@guarding
def thumbnail(
    *,
    source: str,
    target: str,
    size: str,
    page: int,
    profile: str,
    from_: str | None,
    max_pixels: int | None,
    max_memory: int | None,
    max_seconds: float | None,
    force: bool,
    name: str | None,
    untrusted: bool,
    limits: Limits,
) -> int:
    """Write a small PNG picture of SOURCE to TARGET: an image, a page of a PDF, or a table.

    An image is shown upright, in sRGB, with its transparency, and never enlarged. A table shows
    the distribution of each variable. TARGET may be - for stdout.
    """
    from tabkit.limits import LIMITS
    from tabkit.thumbnail import limits_of, pictures
    from tabkit.thumbnail import thumbnail as write

    sizes = _sizes(size)
    choices: dict[str, Any] = {
        "page": page,
        "profile": profile,
        "limits": limits_of(max_pixels, max_memory, max_seconds),
        "file_format": _format(from_),
    }
    if limits != LIMITS:  # they concern tables; an image starts sooner without that module
        from tabkit.options import ReadOptions

        choices["options"] = ReadOptions(limits=limits)
    guard = limits if untrusted else None
    with on_disk(source, name) as (path, own_name), _own_messages_only():
        if target != "-":
            write(path, target, sizes, force=force, name=own_name, guard=guard, **choices)
        elif len(sizes) == 1:
            choices["name"] = own_name
            picture = pictures(path, sizes, own_name or path, guard, **choices)[0]
            sys.stdout.buffer.write(picture)
        else:
            raise click.UsageError("several sizes need a TARGET that is a file")
    return 0


@contextlib.contextmanager
def _own_messages_only() -> Iterator[None]:
    """Keep what libraries in C print on standard error (libtiff does) from our one line."""
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def _sizes(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError as error:
        msg = f"--size {text!r} is not a number, or several with commas between them"
        raise click.UsageError(msg) from error


def _format(name: str | None) -> FileFormat | None:
    if name is None:
        return None
    from tabkit.formats import find_format

    return find_format(name)
