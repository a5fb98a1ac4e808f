"""The verbs that check: validate, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tabkit.cli.options import CONTEXT, Verb, guarding, on_disk, reading

if TYPE_CHECKING:
    from tabkit.formats import FileFormat
    from tabkit.limits import Limits
    from tabkit.options import ReadOptions


@click.command(context_settings=CONTEXT)
@click.argument("codebook", type=click.Path(path_type=Path))
@click.option("--profile", default="xsd", metavar="NAME", show_default=True,
              help="xsd: the official schema; tabkit: also references and UNFs.")  # fmt: skip
@click.option("--schemas", type=click.Path(path_type=Path), envvar="TABKIT_SCHEMAS",
              help="Folder with the official schemas.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON.")
@click.option("--debug", is_flag=True, help="Show a traceback when something fails.")
@guarding
def validate(
    codebook: Path,
    profile: str,
    schemas: Path | None,
    as_json: bool,
    debug: bool,  # noqa: ARG001
    untrusted: bool,
    limits: Limits,
) -> int:
    """Check a DDI CODEBOOK against the official schema; exit 1 when it is not valid."""
    from tabkit.show import validate_one

    guard = limits if untrusted else None
    return validate_one(codebook, profile, schemas, guard, as_json=as_json)


@click.command(cls=Verb, context_settings=CONTEXT)
@click.argument("data")
@click.argument("codebook", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Findings as JSON.")
@reading
def verify(
    data: str,
    codebook: Path,
    as_json: bool,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
) -> int:
    """Check that DATA (any format, or an archival .tab) holds what its CODEBOOK says.

    Exit 1 when cases, variables or fingerprints differ.
    """
    from tabkit.show import verify_one

    with on_disk(data, name) as (path, own_name):
        return verify_one(path, codebook, options, file_format, own_name, as_json=as_json)
