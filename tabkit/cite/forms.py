"""Citations as text: a plain line, RIS, BibTeX and CSL JSON.

Order and names of the fields follow the repository's own citations of a data file.
Source: IQSS/dataverse, DataCitation; RIS by Research Information Systems; BibTeX by Oren Patashnik;
CSL JSON by citationstyles.org, csl-data.json of schema 1.0.2.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tabkit.ddi.study import Study

_RESOLVERS: Final = {"doi": "https://doi.org/", "hdl": "https://hdl.handle.net/"}
_PERSON: Final = re.compile(r"([^,]+),\s*([^,]+)")
#: A brace counts even behind a backslash, so that it is spelled by its name.
_TEX: Final = {
    "\\": r"\textbackslash{}", "{": r"\textbraceleft{}", "}": r"\textbraceright{}",
    "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
}  # fmt: skip
_KEY: Final = re.compile(r"[^A-Za-z0-9_./:-]+")
_DATE: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")


def url_of(persistent_id: str) -> str:
    """Return the address that resolves a persistent id, empty for other schemes."""
    scheme, _, rest = persistent_id.partition(":")
    return _RESOLVERS[scheme.lower()] + rest if scheme.lower() in _RESOLVERS else ""


def doi_of(persistent_id: str) -> str:
    """Return a DOI without its scheme, empty for other ids."""
    scheme, _, rest = persistent_id.partition(":")
    return rest if scheme.lower() == "doi" else ""


def text(study: Study) -> str:
    """Return one line: ``Authors, year, "Title", URL, Publisher, V1; file [fileName], UNF``."""
    parts = [
        "; ".join(study.authors),
        study.year,
        f'"{study.title}"',
        url_of(study.persistent_id) or study.persistent_id,
        study.publisher,
        study.version,
    ]
    line = ", ".join(filter(None, parts))
    if study.file_name:
        line += f"; {study.file_name} [fileName]"
    return f"{line}, {study.unf} [fileUNF]\n" if study.unf else f"{line}\n"


def ris(study: Study) -> str:
    """Return a RIS record; every line ends with CR LF."""
    pairs = list(_ris_pairs(study))
    lines = [f"{tag}  - {value}" for tag, value in pairs if value]
    head = [f"Provider: {study.publisher}"] if study.publisher else []
    head.append('Content: text/plain; charset="utf-8"')
    return "".join(f"{line}\r\n" for line in [*head, *lines, "ER  - "])


def _ris_pairs(study: Study) -> Iterator[tuple[str, str]]:
    yield "TY", "DATA"
    yield "T1", study.title
    for tag, values in (
        ("T3", study.series), ("AU", study.authors), ("A2", study.producers),
        ("A4", study.funders), ("C3", study.kinds), ("DA", study.collected),
    ):  # fmt: skip
        yield from ((tag, value) for value in values)
    yield "DO", study.persistent_id if doi_of(study.persistent_id) else ""
    yield "ET", study.version
    for tag, values in (("KW", study.keywords), ("LA", study.languages)):
        yield from ((tag, value) for value in values)
    yield "PY", study.year
    yield from (("RI", value) for value in study.places)
    yield "SE", study.date
    yield "UR", url_of(study.persistent_id)
    yield "PB", study.publisher
    yield "C1", study.file_name
    yield "C2", study.unf


def bibtex(study: Study) -> str:
    """Return a BibTeX entry ``@data``; TeX's special characters are escaped."""
    doi = doi_of(study.persistent_id)
    identifier = study.persistent_id.partition(":")[2].partition("/")[2] or study.title
    key = _KEY.sub("-", identifier).strip("-") or "data"
    fields = {
        "author": " and ".join(map(_tex_name, study.authors)),
        "publisher": _tex(study.publisher),
        "title": f"{{{_tex(study.title)}}}",
        "UNF": study.unf,
        "year": study.year,
        "version": _tex(study.version),
        "doi": doi.replace("{", "").replace("}", ""),
        "url": url_of(study.persistent_id).replace("{", "%7B").replace("}", "%7D"),
    }
    lines = [f"{name} = {{{value}}}" for name, value in fields.items() if value.strip()]
    year = f"_{study.year}" if study.year else ""
    return f"@data{{{key}{year},\r\n" + ",\r\n".join(lines) + "\r\n}\r\n"


def _tex_name(name: str) -> str:
    """Return a name; an organisation keeps its words together, as does an ``and`` within."""
    return _tex(name) if _PERSON.fullmatch(name) else f"{{{_tex(name)}}}"


def _tex(value: str) -> str:
    escaped = "".join(_TEX.get(character, character) for character in value)
    return re.sub(r'"([^"]*)"', r"``\1''", escaped)


def csl(study: Study) -> str:
    """Return a CSL JSON object of type ``dataset``."""
    item: dict[str, Any] = {
        "id": study.persistent_id or study.title,
        "type": "dataset",
        "title": study.title,
        "author": [_csl_name(each) for each in study.authors],
        "issued": _csl_date(study.date),
        "publisher": study.publisher,
        "version": study.version,
        "DOI": doi_of(study.persistent_id),
        "URL": url_of(study.persistent_id),
        "collection-title": "; ".join(study.series),
        "keyword": ", ".join(study.keywords),
        "language": study.languages[0] if study.languages else "",
        "note": "; ".join(
            f"{what}: {value}"
            for what, value in (("File", study.file_name), ("UNF", study.unf))
            if value
        ),
    }
    kept = {name: value for name, value in item.items() if value}
    return json.dumps(kept, ensure_ascii=False, indent=2) + "\n"


def _csl_name(name: str) -> dict[str, str]:
    person = _PERSON.fullmatch(name)
    if person is None:
        return {"literal": name}
    return {"family": person[1].strip(), "given": person[2].strip()}


def _csl_date(date: str) -> dict[str, Any]:
    match = _DATE.search(date)
    if match is None:
        return {"literal": date} if date else {}
    return {"date-parts": [[int(part) for part in match.groups() if part]]}
