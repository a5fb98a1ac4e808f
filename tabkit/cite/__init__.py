"""Cite: a study goes in, its citation comes out as text, RIS, BibTeX, EndNote XML or CSL JSON."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tabkit.ddi.study import Study, read_study
from tabkit.errors import FormatError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

STYLES: Final = MappingProxyType(
    {"text": ".txt", "ris": ".ris", "bibtex": ".bib", "endnote": ".xml", "csl": ".json"}
)
_ADDRESS: Final = re.compile(r"https?://(?:dx\.)?(doi\.org|hdl\.handle\.net)/", re.IGNORECASE)
_SCHEMES: Final = {"doi.org": "doi:", "hdl.handle.net": "hdl:"}
_LISTS: Final = frozenset(
    field.name for field in dataclasses.fields(Study) if str(field.type).startswith("tuple")
)


def cite(study: Study | Path | str, style: str = "text") -> str:
    """Return the citation of a data file in one of the forms that reference managers read.

    Args:
        study: A study, or a DDI codebook to read it from.
        style: ``text``, ``ris``, ``bibtex``, ``endnote`` (XML) or ``csl`` (JSON).

    Raises:
        FormatError: The codebook cannot be read.
        UsageError: There is no such style, or the study has no title.
    """
    if not isinstance(study, Study):
        study = read_study(Path(study))
    if style not in STYLES:
        msg = f"no citation style named {style!r}; there are {', '.join(STYLES)}"
        raise UsageError(msg)
    if not study.title.strip():
        msg = "a citation needs a title; give it with --title"
        raise UsageError(msg)
    from tabkit.cite import forms, xml

    makers = {
        "text": forms.text,
        "ris": forms.ris,
        "bibtex": forms.bibtex,
        "csl": forms.csl,
        "endnote": xml.endnote,
    }
    return makers[style](_tidy(study))


def study_from_json(path: Path) -> dict[str, Any]:
    """Read the fields of a `Study` from a JSON object; a list may be given as one text.

    Raises:
        FormatError: It is not a JSON object of such fields.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FormatError("not JSON", path, str(error)) from error
    if not isinstance(found, dict):
        raise FormatError("a JSON object is expected", path)
    return checked_fields(found, path)


def checked_fields(found: Mapping[str, Any], path: Path) -> dict[str, Any]:
    """Return fields of a `Study` with the right types.

    Raises:
        FormatError: A field is unknown or of another type.
    """
    known = {field.name for field in dataclasses.fields(Study)}
    fields: dict[str, Any] = {}
    for name, value in found.items():
        if name not in known:
            hint = f"there are {', '.join(sorted(known))}"
            raise FormatError(f"unknown field {name!r}", path, hint=hint)
        if name in _LISTS:
            value = (value,) if isinstance(value, str) else tuple(value)  # noqa: PLW2901
        elif isinstance(value, int):
            value = str(value)  # noqa: PLW2901
        is_text = isinstance(value, str)
        if not is_text and not (name in _LISTS and all(isinstance(each, str) for each in value)):
            raise FormatError(f"the field {name!r} is not text", path)
        fields[name] = value
    return fields


def _tidy(study: Study) -> Study:
    """Bring every text on one line, without control characters."""

    def line(text: str) -> str:
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())

    fields = dataclasses.asdict(study)
    for name, value in fields.items():
        lines = [line(value)] if isinstance(value, str) else [line(each) for each in value]
        fields[name] = lines[0] if isinstance(value, str) else tuple(filter(None, lines))
    fields["persistent_id"] = _ADDRESS.sub(
        lambda match: _SCHEMES[match[1].lower()], fields["persistent_id"]
    )
    return Study(**fields)
