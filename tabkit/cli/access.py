"""The verbs of what a repository serves of a file: prep, subset, zip, cite, bundle."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tabkit.cli.options import CONTEXT, Verb, guarding, on_disk, reading

if TYPE_CHECKING:
    from tabkit.formats import FileFormat
    from tabkit.limits import Limits
    from tabkit.options import ReadOptions


@click.command(cls=Verb, context_settings=CONTEXT)
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


@click.command(cls=Verb, context_settings=CONTEXT)
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
@click.option("--on-loss", type=click.Choice(["warn", "error", "ignore"]), default="warn",
              show_default=True, help="What to do when the target cannot carry all.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Replace a target that exists.")
@click.option("--json", "as_json", is_flag=True, help="The loss ledger as JSON on stdout.")
@reading
def subset(source: str, target: str, name: str | None, no_header: bool, **choices: Any) -> int:
    """Write some variables of some cases of SOURCE to TARGET.

    A comparison with a missing value is neither true nor false; declared missing values are
    missing. Of an archival .tab only the columns asked for are decoded; its codebook is
    <stem>-ddi.xml beside it, unless --codebook names another.
    """
    from tabkit.show import subset_one

    with on_disk(source, name) as (path, own_name):
        return subset_one(path, target, header=not no_header, name=own_name, **choices)


@click.command("zip", context_settings=CONTEXT)
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("-o", "--output", "target", required=True, metavar="ZIP",
              help="The archive; - is stdout.")  # fmt: skip
@click.option("--format", "form", type=click.Choice(["original", "tab"]),
              help="tab: archival tables of statistics files; original: the reverse.")  # fmt: skip
@click.option("--limit", multiple=True, metavar="SIZE|NAME=VALUE",
              help="Bytes before compression, as 100MB; or a limit, as memory=4GiB.")  # fmt: skip
@click.option("--untrusted", is_flag=True, help="Read in a process of its own, with limits.")
@click.option("-f", "--force", is_flag=True, help="Replace an archive that exists.")
@click.option("--json", "as_json", is_flag=True, help="What is in it and what is not, as JSON.")
@click.option("--profile", default="tabkit", metavar="NAME", help="tabkit or dataverse.")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def zip_(files: tuple[str, ...], debug: bool, **choices: Any) -> int:  # noqa: ARG001
    """Put FILEs and folders into one archive with a MANIFEST.TXT.

    Exit 1 when a file had to be left out; the manifest and stderr tell why.
    """
    from tabkit.show_zip import zip_all

    return zip_all(files, **choices)


@click.command(context_settings=CONTEXT)
@click.argument("source", required=False, type=click.Path(path_type=Path))
@click.argument("target", default="-")
@click.option("--style", default="text", show_default=True, metavar="STYLE",
              help="text, ris, bibtex, endnote or csl.")  # fmt: skip
@click.option("--study", "study", type=click.Path(path_type=Path),
              help="JSON file with title, authors, …; goes before what SOURCE says.")  # fmt: skip
@click.option("--title", help="Title of the study.")
@click.option("--author", "authors", multiple=True, help="'Family, Given'; may be repeated.")
@click.option("--publisher", help="The repository.")
@click.option("--date", help="Date of publication, or its year.")
@click.option("--edition", "version", help="Version of the data, as V1.")
@click.option("--pid", "persistent_id", help="Persistent id, as doi:10.5072/FK2/J8SJZB.")
@click.option("--file-name", help="Name of the data file.")
@click.option("--unf", help="Fingerprint of the data file.")
@click.option("-f", "--force", is_flag=True, help="Replace a target that exists.")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@guarding
def cite(
    source: Path | None,
    target: str,
    style: str,
    study: Path | None,
    force: bool,
    debug: bool,  # noqa: ARG001
    untrusted: bool,
    limits: Limits,
    **fields: Any,
) -> int:
    """Write the citation of the study that the DDI codebook SOURCE describes.

    Options add what the codebook does not say, or replace it; with them alone no SOURCE is needed.
    """
    from tabkit.stdout import cite_to

    guard = limits if untrusted else None
    cite_to(source, target, style, study, fields, force=force, guard=guard)
    return 0


@click.command(cls=Verb, context_settings=CONTEXT)
@click.argument("source")
@click.option("-o", "--output", "target", metavar="ZIP",
              help="The archive; - is stdout; else <stem>-bundle.zip here.")  # fmt: skip
@click.option("--study", type=click.Path(path_type=Path),
              help="DDI codebook or JSON file with what is to be cited.")  # fmt: skip
@click.option("--ddi-version", metavar="VERSION", help="2.5, 2.6 or repository.")
@click.option("-f", "--force", is_flag=True, help="Replace an archive that exists.")
@reading
def bundle(source: str, name: str | None, **choices: Any) -> int:
    """Put all that a repository serves of SOURCE into one archive.

    The archival table, the original, a data frame for R, the codebook, citations for EndNote, RIS,
    BibTeX and CSL, and their SHA-256 sums. Two runs give the same bytes.
    """
    from tabkit.show_zip import bundle_one

    with on_disk(source, name) as (path, own_name):
        return bundle_one(path, name=own_name, **choices)
