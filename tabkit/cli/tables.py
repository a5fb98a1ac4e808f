"""The verbs of tables: ingest, convert, describe, unf, formats."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tabkit.cli.options import CONTEXT, Verb, for_r, on_disk, reading
from tabkit.messages import say_json

if TYPE_CHECKING:
    from tabkit.formats import FileFormat
    from tabkit.options import ReadOptions


@click.command(cls=Verb, context_settings=CONTEXT)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("-o", "--output", "folder", required=True, type=click.Path(path_type=Path))
@click.option("--only", default="tab,rdata,ddi,original", metavar="PARTS", show_default=True,
              help="Comma list of outputs to write: tab, rdata, ddi, prep, original.")  # fmt: skip
@click.option("--ddi-version", default="2.5", metavar="VERSION", show_default=True,
              help="2.5, 2.6 or repository.")  # fmt: skip
@click.option("--jobs", default=1, type=click.IntRange(1), metavar="N", show_default=True,
              help="Files worked on at the same time.")  # fmt: skip
@click.option("--all-sheets", is_flag=True, help="A package for every sheet of a workbook.")
@click.option("-f", "--force", is_flag=True, help="Replace outputs that exist.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file on stdout.")
@reading
def ingest(sources: tuple[str, ...], **choices: Any) -> int:
    """Write the archival package of each SOURCE: table, R data, codebook and the original.

    One pass over each source. Nothing is overwritten without -f, nothing is left half-written.
    """
    from tabkit.batch import ingest_files

    choices["only"] = tuple(part.strip() for part in choices["only"].split(","))
    return ingest_files(sources, **choices)


@click.command(cls=Verb, context_settings=CONTEXT)
@click.argument("source")
@click.argument("target")
@click.option("--to", metavar="FORMAT", help="Format to write, if the suffix does not tell.")
@click.option("--variables", metavar="NAME,...", help="Keep only these, in this order.")
@click.option("--no-header", is_flag=True, help="Leave out the header line of a .tab.")
@click.option("--on-loss", type=click.Choice(["warn", "error", "ignore"]), default="warn",
              show_default=True, help="What to do when the target cannot carry all.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Replace a target that exists.")
@click.option("--json", "as_json", is_flag=True, help="The loss ledger as JSON on stdout.")
@for_r
@reading
def convert(
    source: str,
    target: str,
    options: ReadOptions,
    name: str | None,
    **choices: Any,
) -> int:
    """Write the table of SOURCE to TARGET, in the format its suffix names.

    What TARGET cannot carry is told on stderr, with the variables concerned; --json lists all.
    """
    from tabkit.show import convert_one

    with on_disk(source, name) as (path, own_name):
        return convert_one(path, target, options=options, name=own_name, **choices)


@click.command(cls=Verb, context_settings=CONTEXT)
@click.argument("source")
@click.option("--json", "as_json", is_flag=True, help="Everything known, as JSON.")
@reading
def describe(
    source: str,
    as_json: bool,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
) -> int:
    """Show names, labels, types, missing values, statistics and fingerprints of SOURCE."""
    from tabkit.show import describe_one

    with on_disk(source, name) as (path, own_name):
        return describe_one(path, options, file_format, own_name, as_json=as_json)


@click.command(cls=Verb, context_settings=CONTEXT)
@click.argument("sources", nargs=-1, required=True, metavar="SOURCE...")
@click.option("--check", metavar="UNF", help="Exit 1 unless each SOURCE has this fingerprint.")
@click.option("--explain", is_flag=True, help="Show the bytes that each value is hashed as.")
@click.option("--digits", default=7, metavar="N", help="Significant digits of numbers.")
@click.option("--characters", default=128, metavar="N", help="Characters kept of a text.")
@click.option("--json", "as_json", is_flag=True, help="Files and variables as JSON.")
@reading
def unf(sources: tuple[str, ...], name: str | None, **choices: Any) -> int:
    """Print the fingerprints (UNF 6) of each SOURCE and of its variables."""
    from tabkit.fingerprint import fingerprint_files

    with contextlib.ExitStack() as stack:
        paths = [stack.enter_context(on_disk(source, name)) for source in sources]
        return fingerprint_files(paths, **choices)


@click.command(context_settings=CONTEXT)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def formats(as_json: bool) -> int:
    """List the formats: what is read, what is written, what metadata they keep."""
    from tabkit.formats import FORMATS

    rows = [
        {
            "name": each.name,
            "title": each.title,
            "suffixes": list(each.suffixes),
            "read": bool(each.reader),
            "write": bool(each.writer),
            "keeps": each.keeps,
        }
        for each in FORMATS
    ]
    if as_json:
        say_json(rows, 2)
        return 0
    for each in FORMATS:
        can = f"{'read' if each.reader else '    '} {'write' if each.writer else '     '}"
        click.echo(f"{each.name:9} {can}  {' '.join(each.suffixes):18} {each.keeps}")
    return 0
