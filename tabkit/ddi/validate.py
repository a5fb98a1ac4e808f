"""Validating a codebook: against the official schema, its references and its own figures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from lxml import etree

from tabkit.ddi.checks import Figures
from tabkit.ddi.codebook import CodebookFinding
from tabkit.ddi.events import VIOLATIONS_LISTED, parse_whole, sections
from tabkit.ddi.official import fetch_schemas, load_schema, official_schemas
from tabkit.ddi.references import check_references
from tabkit.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["PROFILES", "CodebookFinding", "fetch_schemas", "validate"]

PROFILES: Final = ("xsd", "tabkit")
_MESSAGE: Final = re.compile(
    r"Element '(?:\{[^}]*\})?([^']*)'(?:, attribute '([^']*)')?: (.*)", re.S
)
_NAMESPACE: Final = re.compile(r"\{[a-z]+:[^}\s']*\}")


def validate(
    path: Path | str, *, profile: str = "xsd", schemas: Path | None = None
) -> list[CodebookFinding]:
    """Find what is wrong with a DDI codebook.

    Args:
        path: The codebook; it is validated while it is read, in bounded memory, unless it is
            wrapped in another document (OAI-PMH).
        profile: ``xsd``: the official schema of its version, with IDs and references;
            ``tabkit``: also that references lead to the right kind of thing, and that counts,
            frequencies and fingerprints agree.
        schemas: A folder with the official schemas; else the user's cache, filled on first use.

    Returns:
        Findings in order of line; empty for a valid codebook. Of violations of the schema the
        first 1,000.

    Raises:
        FormatError: Not well-formed XML, or not a DDI codebook.
        UsageError: There is no such profile.
        TabkitError: The official schema is not here and cannot be fetched.
        OSError: The file cannot be read.
    """
    if profile not in PROFILES:
        msg = f"no validation profile named {profile!r}; there are {', '.join(PROFILES)}"
        raise UsageError(msg)
    path = Path(path)
    head = next(iter(sections(path)))
    namespace = etree.QName(head.book).namespace or ""
    version = next((s.version for s in official_schemas() if s.namespace == namespace), None)
    schema = load_schema(version, schemas) if version else None
    wrapped = head.book.getparent() is not None
    meaning = profile == "tabkit"
    violations: list[tuple[int, str]] = []
    figures = Figures()
    stream = sections(path, schema=None if wrapped else schema, violations=violations)
    if meaning:
        stream = figures.watch(stream)
    findings = check_references(stream, meaning=meaning)
    if violations:  # once more, for their lines
        violations.clear()
        stream = sections(path, schema=schema, violations=violations, by_line=True)
        findings = check_references(stream, meaning=meaning)
    if schema is None:
        findings.append(_unknown_version(namespace, str(head.book.get("version") or "")))
    elif wrapped:
        violations.extend(_validate_wrapped(path, schema, str(head.book.tag)))
    if len(violations) >= VIOLATIONS_LISTED:
        findings.clear()  # reading ended early: what is referred to may follow
    findings.extend(_violation(line, message) for line, message in violations)
    if len(violations) >= VIOLATIONS_LISTED:
        what = f"more than {VIOLATIONS_LISTED:,} violations; the others are not listed"
        findings.append(CodebookFinding(violations[-1][0], what))
    elif meaning:
        findings.extend(figures.findings())
    return sorted(findings, key=lambda finding: finding.line)


def _unknown_version(namespace: str, version: str) -> CodebookFinding:
    known = ", ".join(f"{each.version} ({each.namespace})" for each in official_schemas())
    said = f"version {version or 'not stated'}, namespace {namespace or 'none'}"
    return CodebookFinding(
        0,
        f"not checked against a schema: {said}; official schemas are known of {known}",
        "codeBook",
    )


def _log(schema: Any) -> list[tuple[int, str]]:
    """Return the violations that the validator found last; lxml's stubs do not know its log."""
    return [(entry.line, entry.message) for entry in schema.error_log]


def _validate_wrapped(path: Path, schema: etree.XMLSchema, tag: str) -> Iterator[tuple[int, str]]:
    """Yield the violations of codebooks within another document, which is held in memory."""
    for book in parse_whole(path).iter(tag):
        if not schema.validate(book):
            yield from _log(schema)[:VIOLATIONS_LISTED]


def _violation(line: int, message: str) -> CodebookFinding:
    """Return a message of the validator without its namespaces."""
    match = _MESSAGE.fullmatch(message.strip())
    if match is None:
        return CodebookFinding(line, _NAMESPACE.sub("", " ".join(message.split())))
    element, attribute, what = match.groups()
    where = f"{element}/@{attribute}" if attribute else element
    return CodebookFinding(line, _NAMESPACE.sub("", " ".join(what.split())), where)
