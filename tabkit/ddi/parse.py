"""Reading a codebook: DDI Codebook XML of any version goes in, a `Codebook` comes out."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tabkit.ddi.codebook import Codebook, CodebookFile, CodebookGroup, CodebookVariable
from tabkit.ddi.events import Section, sections, text_of
from tabkit.ddi.parse_text import children_of, clean, count_of, first, read_notes
from tabkit.ddi.parse_variable import variable_of
from tabkit.model import Finding, Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Codebook", "read_codebook"]

_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_ORIGIN: Final = tuple(field.name for field in dataclasses.fields(Origin))
_MOMENTS: Final = frozenset({"created", "modified"})


def read_codebook(path: Path | str) -> Codebook:
    """Read a DDI codebook: 1.2.2, 2.0, 2.1, 2.5 or 2.6, with or without namespace or prefix.

    Nothing is fetched and no entity is expanded; memory is that of the result and of one section.
    Where a file wraps several codebooks (OAI-PMH), the first is read and a finding tells.

    Raises:
        FormatError: Not well-formed XML, or not a DDI codebook.
        OSError: The file cannot be read.
    """
    title = ""
    study_ids: tuple[tuple[str, str], ...] = ()
    files: list[CodebookFile] = []
    variables: list[CodebookVariable] = []
    groups: list[CodebookGroup] = []
    findings: list[Finding] = []
    book: Any = None
    more = 0
    for section in sections(Path(path)):
        if book is None:
            book = section.book
            # One by one: all of them cost lxml a time that is quadratic in their number.
            attributes = {name: book.get(name, "") for name in ("version", _LANGUAGE)}
        if section.book is not book:
            more += section.name == "codeBook"
        elif section.name == "var":
            variables.append(variable_of(section, findings))
        elif section.name == "varGrp":
            groups.append(_group(section))
        elif section.name == "fileDscr":
            files.append(file_of(section))
        elif section.name == "stdyDscr" and not title:
            title, study_ids = _study(section)
    if more:
        findings.append(Finding(f"{more} further codebooks in this file were not read", "warning"))
    return Codebook(
        str(attributes.get("version", "")),
        str(book.tag)[1:].partition("}")[0] if str(book.tag).startswith("{") else "",
        title,
        study_ids,
        str(attributes.get(_LANGUAGE, "")),
        tuple(files),
        tuple(variables),
        tuple(groups),
        tuple(findings),
    )


def _study(section: Section) -> tuple[str, tuple[tuple[str, str], ...]]:
    """Return title and identifiers of a study description."""
    prefix = section.prefix
    statement = section.node.find(f"{prefix}citation/{prefix}titlStmt")
    if statement is None:
        return "", ()
    numbers = statement.iterfind(f"{prefix}IDNo")
    return (
        " ".join(text_of(statement.find(f"{prefix}titl")).split()),
        tuple((each.get("agency", ""), text_of(each).strip()) for each in numbers),
    )


def _group(section: Section) -> CodebookGroup:
    node, children = section.node, children_of(section.node, section.prefix)
    counted = [n for n in children.get("notes", ()) if n.get("type") == "tabkit:counted"]
    return CodebookGroup(
        node.get("ID", ""),
        node.get("type", ""),
        node.get("name", ""),
        clean(first(children.get("labl"))),
        tuple((node.get("var") or "").split()),
        text_of(counted[0]) if counted else None,
        section.line,
    )


def file_of(section: Section) -> CodebookFile:
    """Read a ``fileDscr``; of several ``fileTxt`` (languages) each child's first is taken."""
    node, prefix = section.node, section.prefix
    outer = children_of(node, prefix)
    text = first(outer.get("fileTxt"))
    inner = {} if text is None else children_of(text, prefix)
    sizes = first(inner.get("dimensns"))
    counts = {} if sizes is None else children_of(sizes, prefix)
    kind, records = first(inner.get("fileType")), first(inner.get("fileStrc"))
    notes = read_notes(outer.get("notes", ()))
    prints = [text_of(each).strip() for each in node.iter(f"{prefix}digitalFingerprintValue")]
    return CodebookFile(
        node.get("ID", ""),
        name=clean(first(inner.get("fileName"))),
        label=clean(first(inner.get("fileCont"))),
        cases=count_of(text_of(first(counts.get("caseQnty")))),
        variables=count_of(text_of(first(counts.get("varQnty")))),
        media_type=clean(kind),
        charset="" if kind is None else kind.get("charset", ""),
        uri=node.get("URI", ""),
        unf=notes.unf or next((each for each in prints if each.startswith("UNF:")), ""),
        origin=_origin(notes.original),
        documents=notes.documents,
        attributes=notes.attributes,
        notes=notes.others,
        line=section.line,
        structure="" if records is None else records.get("type", ""),
    )


def _origin(facts: Mapping[str, str]) -> Origin:
    found: dict[str, Any] = {}
    for field in _ORIGIN:
        text = facts.get(field.replace("_", " "))
        if text is None:
            continue
        if field == "size":
            found[field] = count_of(text)
        else:
            found[field] = _moment(text) if field in _MOMENTS else text
    return Origin(**found)


def _moment(text: str) -> datetime.datetime | None:
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        return None
