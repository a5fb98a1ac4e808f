"""The verbs of what a repository serves of a file: prep, subset, zip, cite, bundle."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tabkit.cli.options import CONTEXT, on_disk, reading

if TYPE_CHECKING:
    from tabkit.formats import FileFormat, ReadOptions


@click.command(context_settings=CONTEXT)
@click.argument("source")
@click.argument("target", default="-")
@click.option("-f", "--force", is_flag=True, help="Replace a target that exists.")
@reading
def prep(
    source: str,
    target: str,
    force: bool,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
) -> int:
    """Write the preprocessed data of SOURCE to TARGET, or to stdout: one line of JSON.

    Types, statistics and plot values of each variable, for tools that explore a table.
    """
    from tabkit.stdout import prep_to

    with on_disk(source, name) as (path, own_name):
        prep_to(path, target, force=force, options=options, file_format=file_format, name=own_name)
    return 0
