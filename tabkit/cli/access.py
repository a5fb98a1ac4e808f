"""The verbs of what a repository serves of a file: prep, subset, zip, cite, bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

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


@click.command(context_settings=CONTEXT)
@click.argument("source")
@click.argument("target")
@click.option("--variables", metavar="LIST",
              help="Names, patterns (inc*), ids (v3), places (3), ranges (a:c).")  # fmt: skip
@click.option("--where", metavar="CONDITION", help="Cases, as 'age >= 18 and not x is missing'.")
@click.option("--cases", metavar="RANGES", help="Cases by number, as 1:100,500: or 1::10.")
@click.option("--order", type=click.Choice(["asked", "file"]), default="asked",
              show_default=True, help="Order of the variables.")  # fmt: skip
@click.option("--to", metavar="FORMAT", help="Format to write, if the suffix does not tell.")
@click.option("--no-header", is_flag=True, help="Leave out the header line of a .tab.")
@click.option("--codebook", type=click.Path(path_type=Path),
              help="DDI codebook of a .tab; else <stem>-ddi.xml beside it.")  # fmt: skip
@click.option("--on-loss", type=click.Choice(["warn", "error", "ignore"]), default="warn",
              show_default=True, help="What to do when the target cannot carry all.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Replace a target that exists.")
@click.option("--json", "as_json", is_flag=True, help="The loss ledger as JSON on stdout.")
@reading
def subset(source: str, target: str, name: str | None, no_header: bool, **choices: Any) -> int:
    """Write some variables of some cases of SOURCE to TARGET.

    A comparison with a missing value is neither true nor false; declared missing values are
    missing. Of an archival .tab only the columns asked for are decoded.
    """
    from tabkit.show import subset_one

    with on_disk(source, name) as (path, own_name):
        return subset_one(path, target, header=not no_header, name=own_name, **choices)
