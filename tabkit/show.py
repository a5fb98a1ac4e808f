"""What commands print: descriptions, findings and ledgers as text or JSON."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tabkit.messages import say_json

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tabkit.formats import FileFormat
    from tabkit.limits import Limits
    from tabkit.loss import Ledger
    from tabkit.model import Description, Finding, Value, Variable, VariableDescription
    from tabkit.options import ReadOptions, WriteOptions

_SHOWN_NAMES: Final = 8
_RENAMED: Final = "the name became "
_HEADS: Final = ["name", "type", "format", "valid", "missing", "min", "median", "max", "mean"]
_LEFT: Final = 3  # columns of text; numbers follow
_SHOWN_FINDINGS: Final = 20


def convert_one(
    source: Path,
    target: str,
    *,
    to: str | None,
    variables: str | None,
    no_header: bool,
    on_loss: str,
    force: bool,
    as_json: bool,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
    write_options: WriteOptions | None = None,
) -> int:
    """Convert one file and show its ledger; ``-`` as target is stdout."""
    from tabkit.selection import split_items
    from tabkit.stdout import convert_to

    names = split_items(variables) if variables else None
    notes: list[Finding] = []
    ledger = convert_to(
        source,
        target,
        to=to,
        variables=names,
        header=not no_header,
        on_loss=on_loss,
        force=force,
        name=name,
        options=options,
        file_format=file_format,
        write_options=write_options,
        notice=notes.append,
    )
    if on_loss != "ignore":
        show_findings(name or source.name, notes)
    show_losses(target, ledger, on_loss, as_json=as_json)
    return 0


def subset_one(source: Path, target: str, *, as_json: bool, **choices: Any) -> int:
    """Write a part of one file and show its ledger; ``-`` as target is stdout."""
    from tabkit.stdout import subset_to

    notes: list[Finding] = []
    ledger = subset_to(source, target, notice=notes.append, **choices)
    if choices["on_loss"] != "ignore":
        show_findings(choices["name"] or source.name, notes)
    show_losses(target, ledger, choices["on_loss"], as_json=as_json)
    return 0


def show_losses(target: str, ledger: Ledger, on_loss: str, *, as_json: bool) -> None:
    """Print a ledger as JSON on stdout, or for people on stderr."""
    if as_json:
        say_json([dataclasses.asdict(loss) for loss in ledger])
    elif on_loss != "ignore":
        show_ledger(Path(target).name, ledger)


def show_ledger(name: str, ledger: Ledger) -> None:
    """Print what a target does not carry: a line for each kind of loss, with its variables."""
    kinds: dict[str, list[str]] = {}
    for loss in ledger:
        number = "" if loss.count is None else f" ({loss.count:,})"
        kind, new_name = loss.what, ""
        if kind.startswith(_RENAMED):
            kind, new_name = _RENAMED.strip(), f" → {kind.removeprefix(_RENAMED)}"
        kinds.setdefault(kind, []).append(f"{loss.variable or 'file'}{number}{new_name}")
    for what, variables in kinds.items():
        shown = ", ".join(variables[:_SHOWN_NAMES])
        if len(variables) > _SHOWN_NAMES:
            shown += f" and {len(variables) - _SHOWN_NAMES:,} more (--json lists them)"
        click.echo(f"tabkit: {name}: not kept: {what}: {shown}", err=True)


def describe_one(
    source: Path,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
    *,
    as_json: bool,
) -> int:
    """Describe one file on stdout."""
    from tabkit.describe import describe
    from tabkit.read import open_with
    from tabkit.write.json import description_json

    with open_with(source, options, file_format, name) as stream:
        description = describe(stream, profile=options.profile)
    if as_json:
        say_json(description_json(description), 2)
        return 0
    show_findings(name or source.name, description.table.findings)
    show_description(description)
    return 0


def validate_one(
    codebook: Path, profile: str, schemas: Path | None, guard: Limits | None, *, as_json: bool
) -> int:
    """Validate one codebook; 1 when something is wrong with it; ``guard`` bounds a worker."""
    from tabkit.ddi.validate import validate
    from tabkit.guard import call

    found = call(validate, codebook, guard, codebook, profile=profile, schemas=schemas)
    if as_json:
        say_json([dataclasses.asdict(each) for each in found])
    else:
        for each in found:
            click.echo(f"{codebook}:{each.line}: {each.text}")
        if not found:
            click.echo(f"{codebook}: valid")
    return 1 if found else 0


def verify_one(
    data: Path,
    codebook: Path,
    options: ReadOptions,
    file_format: FileFormat | None,
    name: str | None,
    *,
    as_json: bool,
) -> int:
    """Verify one data file; 1 when it does not hold what its codebook says."""
    from tabkit.verify import verify

    found = verify(data, codebook, options=options, file_format=file_format, name=name)
    data = Path(name) if name else data
    if as_json:
        say_json([dataclasses.asdict(each) for each in found])
    else:
        for each in found:
            of = f"variable {each.variable}: " if each.variable else ""
            click.echo(f"{data}: {of}{each.text}")
        if not found:
            click.echo(f"{data}: as {codebook} says")
    return 1 if found else 0


def show_findings(name: str, findings: Iterable[Finding]) -> None:
    """Print what a reader noticed, warnings first, at most twenty lines."""
    ordered = sorted(findings, key=lambda finding: finding.severity != "warning")
    for finding in ordered[:_SHOWN_FINDINGS]:
        word = "warning" if finding.severity == "warning" else "note"
        of = f"variable {finding.variable}: " if finding.variable else ""
        click.echo(f"tabkit: {name}: {word}: {of}{finding.text}", err=True)
    if len(ordered) > _SHOWN_FINDINGS:
        more = len(ordered) - _SHOWN_FINDINGS
        click.echo(f"tabkit: {name}: and {more} more; describe --json lists all", err=True)


def show_description(description: Description) -> None:
    """Print a description for people: facts of the file, then lines for each variable."""
    table = description.table
    origin = table.origin
    title = f"{origin.file_name}: {origin.format} {origin.format_version}".rstrip()
    cases, variables = plural(description.cases, "case"), plural(len(table.variables), "variable")
    click.echo(f"{title}, {cases}, {variables}")
    for word, text in (("label", table.label), ("encoding", origin.encoding)):
        if text:
            click.echo(f"{word}: {text}")
    for text in table.notes:
        click.echo(f"note: {text}")
    click.echo(f"fingerprint: {description.unf or 'none (no cases)'}")
    pairs = list(zip(table.variables, description.variables, strict=True))
    rows = [_HEADS, *(_row(variable, described) for variable, described in pairs)]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    margin = " " * (sum(widths) + 2 * len(widths))
    labels = [["label and categories (* missing)"], *(_labels(*pair) for pair in pairs)]
    for row, (label, *categories) in zip(rows, labels, strict=True):
        cells = [
            cell.ljust(width) if at < _LEFT else cell.rjust(width)
            for at, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        click.echo("  ".join([*cells, label]).rstrip())
        for category in categories:
            click.echo(margin + category)


def plural(count: int, word: str) -> str:
    """Return a count with its noun."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _row(variable: Variable, described: VariableDescription) -> list[str]:
    stats = described.stats
    kind = variable.format_category or variable.kind.value
    return [
        variable.name,
        kind,
        variable.display_format,
        _count(stats.valid),
        _count(stats.invalid),
        *(_number(each) for each in (stats.minimum, stats.median, stats.maximum, stats.mean)),
    ]


def _labels(variable: Variable, described: VariableDescription) -> list[str]:
    lines = [variable.label]
    for category, count in zip(variable.categories, described.frequencies, strict=True):
        star = "*" if category.missing else ""
        lines.append(f"  {_number(category.value)}{star} {category.label} ({count:,})")
    if described.other_cases:
        lines.append(f"  unlabelled values ({described.other_cases:,})")
    return lines


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def _number(value: Value | None) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return ""
    return f"{value:.10g}" if isinstance(value, float) else str(value)
