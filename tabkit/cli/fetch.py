"""The verbs of repositories: fetch, login, access."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from tabkit.cli.options import CONTEXT

ACTIONS = ("request", "grant", "reject", "revoke", "list", "allow", "disallow")
SYSTEMS = ("dataverse", "drs", "4dn", "databrary", "fair")


@click.command(context_settings=CONTEXT)
@click.argument("sources", nargs=-1, required=True, metavar="WHAT...")
@click.option("-o", "--output", "folder", metavar="FOLDER",
              help="Where the files go; - sends one file to stdout.")  # fmt: skip
@click.option("--list", "listing", is_flag=True, help="Only list the files; fetch nothing.")
@click.option("--server", default="", metavar="URL", help="Server, where WHAT does not tell.")
@click.option("--format", "form", default="", metavar="FORM",
              help="original (default), tab, RData, prep, subset, ddi, bundle, zip, …")  # fmt: skip
@click.option(
    "--select", default="", metavar="NAME,...", help="Variables of a subset or selection."
)
@click.option("--only", "pattern", default="", metavar="PATTERN", help="Files, as '*.sav'.")
@click.option("--version", default="", metavar="VERSION", help="Version of the dataset.")
@click.option("--no-header", is_flag=True, help="tab files without the line of names.")
@click.option("--size", default=64, type=click.IntRange(1), metavar="N", show_default=True,
              help="Longest side of thumbnails in pixels.")  # fmt: skip
@click.option("--answers", type=click.Path(path_type=Path), metavar="FILE",
              help="JSON with the answers to a guestbook.")  # fmt: skip
@click.option("--keypairs", type=click.Path(path_type=Path), metavar="FILE",
              help="Key file of the 4DN portal.")  # fmt: skip
@click.option("--jobs", default=4, type=click.IntRange(1, 32), metavar="N", show_default=True,
              help="Files at the same time.")  # fmt: skip
@click.option("--wait", default=0.0, type=click.FloatRange(0), metavar="SECONDS",
              help="Wait so long for what the server has to make or load first.")  # fmt: skip
@click.option("--cache", is_flag=True, help="Keep files by digest, fetch none twice.")
@click.option("--allow-private", multiple=True, metavar="HOST",
              help="Host in a private network that the server may send us to.")  # fmt: skip
@click.option("--resolver", default="", metavar="URL",
              help="Finds the server of an identifier; doi.org, … by default.")  # fmt: skip
@click.option("-f", "--force", is_flag=True, help="Replace files that exist.")
@click.option("--json", "as_json", is_flag=True, help="Results as JSON on stdout.")
@click.option("--debug", is_flag=True, help="Show each request, and a traceback of failures.")
def fetch(sources: tuple[str, ...], select: str, no_header: bool, **choices: Any) -> int:
    """Fetch the files of WHAT: a DOI or Handle, a page's or file's address, or a short form.

    \b
    dataverse:file/6          with --server, as dataverse:dataset/5
    drs://HOST/ID             drs://HOST for the service itself
    4DNFIIA7E3HL              or 4dn:search/?type=FileProcessed
    databrary:volume/1        …/session/2, …/folder/3, …/file/4; databrary:volumes
    fair:HOST/dataset/CODE    fair:HOST/datasets, fair:HOST/search/WORDS

    Each file is checked against the repository's size and digest; what fails is not kept. Run
    again after an interrupt, it goes on where it stopped. Tokens: see tabkit login.
    """  # noqa: D301 - click takes the mark, a backspace, for lines that stay as they are
    from tabkit.fetching import fetch_files

    names = tuple(name.strip() for name in select.split(",") if name.strip())
    return fetch_files(sources, select=names, header=not no_header, **choices)


@click.command(context_settings=CONTEXT)
@click.argument("system", type=click.Choice(SYSTEMS), metavar="SYSTEM")
@click.option("--server", required=True, metavar="URL", help="The one server that may see it.")
@click.option("--forget", is_flag=True, help="Take it out of the keyring.")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def login(system: str, server: str, forget: bool, debug: bool) -> int:  # noqa: ARG001
    """Ask for a token of SYSTEM and keep it in the keyring, for this server only.

    SYSTEM is dataverse, drs, 4dn, databrary or fair.

    It is asked for without echo, or read from standard input, and never taken from the command
    line. Environment variables and key files work too: see docs/adapters.md.
    """
    from tabkit.fetching import log_in

    return log_in(system, server, forget=forget)


@click.command(context_settings=CONTEXT)
@click.argument("action", type=click.Choice(ACTIONS), metavar="ACTION")
@click.argument("what")
@click.argument("user", required=False)
@click.option("--server", default="", metavar="URL", help="Server, where WHAT does not tell.")
@click.option("--json", "as_json", is_flag=True, help="The list as JSON on stdout.")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
def access(
    action: str,
    what: str,
    user: str | None,
    server: str,
    as_json: bool,
    debug: bool,  # noqa: ARG001
) -> int:
    """Ask for access to a restricted Dataverse file, or decide on requests for it.

    ACTION is request, or for who decides: list, grant, reject, revoke, allow or disallow.
    WHAT is a file (allow and disallow: a dataset), USER is written as @name.
    """
    from tabkit.fetching import change_access

    return change_access(action, what, user, server=server, as_json=as_json)
