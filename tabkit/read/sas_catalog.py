"""Value labels of SAS data: catalogues and format tables go in, categories of variables come out.

SAS keeps value labels apart from the data, as user-defined formats: in a catalogue (``.sas7bcat``),
or in a data set that PROC FORMAT made of one (``CNTLOUT=``), which may be a member of a transport
file itself.

Source: SAS 9.4 Procedures Guide, PROC FORMAT, "Output Control Data Set".
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Final

from tabkit.errors import FormatError
from tabkit.model import TAG_LETTERS, Category, Finding, Kind
from tabkit.read.sas_formats import parse_format
from tabkit.read.sas_header import CATALOG

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tabkit.model import TableStream, Variable

    #: By the format's name (``WORKSHOP``, ``$GENDER``) its labelled values.
    Labels = Mapping[str, tuple[Category, ...]]

FORMAT_COLUMNS: Final = frozenset({"FMTNAME", "START", "LABEL"})  # of a table of formats, at least
_SHARED_NAME: Final = "formats.sas7bcat"
_SUFFIX: Final = ".sas7bcat"
_SPANS: Final = frozenset("LHOF")  # from the lowest, to the highest, all others, another format
_TAGS: Final = frozenset(TAG_LETTERS.upper().strip())


def add_categories(
    variables: Sequence[Variable], labels: Labels, findings: list[Finding]
) -> tuple[Variable, ...]:
    """Give every variable the labelled values of its format, and tell which formats have none."""
    done, without = [], []
    for variable in variables:
        shown = parse_format(variable.display_format)
        categories = labels.get(shown.name, ())
        if shown.name.startswith("$") != (variable.kind is Kind.CHARACTER):
            categories = ()
        if shown.is_user_defined and not categories:
            without.append(f"{variable.name} ({shown})")
        done.append(dataclasses.replace(variable, categories=categories))
    if without:
        more = f" and {len(without) - 3:,} more" if len(without) > 3 else ""  # noqa: PLR2004
        text = (
            f"no value labels are known for the formats of {', '.join(without[:3])}{more};"
            " name their catalogue"
        )
        findings.append(Finding(text))
    return tuple(done)


def find_labels(
    path: Path,
    variables: Sequence[Variable],
    named: Path | None,
    open_table: Callable[[Path], TableStream],
    findings: list[Finding],
) -> Labels:
    """Find and read the value labels that belong to a data set.

    Args:
        path: The data set; ``STEM.sas7bcat`` or ``formats.sas7bcat`` may lie beside it.
        variables: Its variables.
        named: The catalogue, or table of formats, that the user named.
        open_table: Opens a table of formats.
        findings: Told which catalogue was used, and when the one beside cannot be read.

    Raises:
        FormatError: The named catalogue cannot be read.
    """
    if named is not None:
        labels = _read(named, open_table, findings)
        findings.append(Finding(f"value labels were taken from {named.name}"))
        return labels
    if not any(parse_format(variable.display_format).is_user_defined for variable in variables):
        return {}
    for beside in (path.with_suffix(_SUFFIX), path.with_name(_SHARED_NAME)):
        if beside.is_file():
            try:
                labels = _read(beside, open_table, findings)
            except (FormatError, OSError) as error:
                findings.append(Finding(f"value labels were not read: {error}", "warning"))
                continue
            findings.append(Finding(f"value labels were taken from {beside.name} beside the file"))
            return labels
    return {}


def _read(path: Path, open_table: Callable[[Path], TableStream], findings: list[Finding]) -> Labels:
    with path.open("rb") as file:
        is_catalog = file.read(len(CATALOG)) == CATALOG
    if is_catalog or path.suffix.lower() == _SUFFIX:
        from tabkit.read.sas_readstat import read_catalog

        return read_catalog(path)
    try:
        with open_table(path) as stream:
            if {name.upper() for name in stream.schema.names} >= FORMAT_COLUMNS:
                return labels_of(stream, findings)
        why = "it has no variables FMTNAME, START and LABEL"
    except FormatError as error:
        why = error.reason
    reason = f"this is neither a SAS catalogue nor a table of formats: {why}"
    raise FormatError(reason, path, hint="name a .sas7bcat, or what PROC FORMAT CNTLOUT= made")


def labels_of(stream: TableStream, findings: list[Finding]) -> Labels:
    """Read the value labels in a table of formats; it has one row a labelled value or range."""
    labels: dict[str, dict[float | str, Category]] = {}
    spans = 0
    for block in stream.blocks:
        for row in block.data.to_pylist():
            texts = {name.upper(): _text(value) for name, value in row.items()}
            kind = texts.get("TYPE", "") or ("C" if texts["FMTNAME"].startswith("$") else "N")
            if kind not in ("N", "C"):
                continue  # informats and pictures
            category = _category(texts, is_text=kind == "C")
            if category is None:
                spans += 1
                continue
            name = texts["FMTNAME"].upper().lstrip("$")
            labels.setdefault("$" * (kind == "C") + name, {}).setdefault(category.value, category)
    if spans:
        text = f"{spans:,} labels of ranges, or of all other values, have no place in a table"
        findings.append(Finding(text, "warning"))
    return {name: tuple(each.values()) for name, each in labels.items()}


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _category(texts: Mapping[str, str], *, is_text: bool) -> Category | None:
    """Return one row's labelled value, None where it labels a range or all other values."""
    start, label = texts["START"], texts["LABEL"]
    if _SPANS & set(texts.get("HLO", "")) or texts.get("END", start) != start:
        return None
    if is_text:
        return Category(start, label)
    tag = start.lstrip(".")
    if start == "." or tag.upper() in _TAGS:
        return Category(f".{tag.lower()}", label, missing=True)
    try:
        return Category(float(start), label)
    except ValueError:
        return None
