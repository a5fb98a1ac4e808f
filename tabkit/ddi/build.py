"""Building a codebook: a description goes in, DDI Codebook XML comes out as a stream of text.

One codebook describes one data file. Three dialects:

* ``2.5`` and ``2.6`` are valid against the official schemas for any table.
* ``repository`` is the per-file fragment of the Dataverse API: the old namespace, version 2.0,
  and no element that Dataverse does not write itself.
"""

from __future__ import annotations

import collections
import dataclasses
import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tabkit import __version__
from tabkit.ddi.text import escape
from tabkit.ddi.variables import UNF_SUBJECT, VarStyle, group_pieces, note, variable_piece
from tabkit.errors import UsageError
from tabkit.profiles import Profile, find_profile

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tabkit.model import Description, Origin, Table

TAB_MEDIA_TYPE: Final = "text/tab-separated-values"
_BUFFER: Final = 1 << 20
_DDI: Final = "https://ddialliance.org/Specification/DDI-Codebook"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"


@dataclasses.dataclass(frozen=True, slots=True)
class _Dialect:
    """A version of DDI Codebook: what its root element says."""

    version: str
    namespace: str
    schema: str = ""

    @property
    def repository(self) -> bool:
        return not self.schema


_DIALECTS: Final[Mapping[str, _Dialect]] = MappingProxyType(
    {
        "2.5": _Dialect("2.5", "ddi:codebook:2_5", f"{_DDI}/2.5/XMLSchema/codebook.xsd"),
        "2.6": _Dialect("2.6", "ddi:codebook:2_6", f"{_DDI}/2.6/XMLSchema/codebook.xsd"),
        "repository": _Dialect("2.0", "http://www.icpsr.umich.edu/DDI"),
    }
)
VERSIONS: Final = tuple(_DIALECTS)

#: ``varFormat`` attributes that say whose display formats a source has.
_FORMAT_SCHEMAS: Final = MappingProxyType(
    dict.fromkeys(("sav", "zsav", "por"), ' schema="SPSS"')
    | dict.fromkeys(("sas7bdat", "xpt"), ' schema="SAS"')
    | {"dta": ' schema="other" otherSchema="Stata"'}
)
_ID: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*")
_LANGUAGE: Final = re.compile(r"[a-zA-Z]{1,8}(-[a-zA-Z0-9]{1,8})*")
_NOT_IN_ID: Final = re.compile(r"[^A-Za-z0-9_.-]+")


def write_codebook(
    description: Description,
    path: Path | str,
    *,
    version: str = "2.5",
    profile: Profile | str | None = None,
    title: str | None = None,
    file_name: str | None = None,
    file_id: str = "1",
    variable_ids: Sequence[str] | None = None,
    language: str = "en",
) -> None:
    """Write the codebook of ``description`` to ``path``, in UTF-8.

    Args:
        description: A table with what was computed of it.
        path: Written from its beginning.
        version: ``2.5``, ``2.6`` or ``repository``.
        profile: Decides what is said of missing values and how numbers look; None is the profile
            that the table was read for.
        title: Of the study; else the file label, else the source's name without suffix.
        file_name: Of the archival table; else the source's name with the suffix ``.tab``.
        file_id: ``fileDscr/@ID``; a number gets the letter ``f`` before it.
        variable_ids: ``var/@ID`` in column order; numbers get the letter ``v`` before them;
            else 1 to n.
        language: ``xml:lang`` of titles, labels and questions; empty for none.

    Raises:
        UsageError: An argument has a value that XML or DDI does not allow, or an id occurs twice.
        OSError: The file cannot be written.
    """
    pieces = codebook_pieces(
        description,
        version=version,
        profile=profile,
        title=title,
        file_name=file_name,
        file_id=file_id,
        variable_ids=variable_ids,
        language=language,
    )
    first = next(pieces)  # an unusable argument must not leave an empty file
    with Path(path).open("w", encoding="utf-8", newline="\n", buffering=_BUFFER) as file:
        file.write(first)
        file.writelines(pieces)


def codebook_pieces(
    description: Description,
    *,
    version: str = "2.5",
    profile: Profile | str | None = None,
    title: str | None = None,
    file_name: str | None = None,
    file_id: str = "1",
    variable_ids: Sequence[str] | None = None,
    language: str = "en",
) -> Iterator[str]:
    """Yield the codebook's text in pieces of at most one variable; see `write_codebook`.

    Raises:
        UsageError: As in `write_codebook`, with the first piece.
    """
    dialect = _dialect(version)
    chosen = description.table.profile if profile is None else find_profile(profile)
    lang = _language("" if dialect.repository else language)
    table = description.table
    stem = Path(table.origin.file_name).stem
    stem = stem if stem.strip() else "data"
    book_id = _codebook_id(stem, table.origin)
    data_id, ids = _ids(file_id, variable_ids, table, book_id)
    yield _root(dialect, lang, book_id)
    known = (each for each in (title, table.label, stem) if each and each.strip())
    yield from _study(next(known), lang, dialect)
    yield from _file(description, data_id, file_name or f"{stem}.tab", lang, dialect)
    yield "\n  <dataDscr>"
    style = VarStyle(
        data_id,
        weights=" ".join(i for i, v in zip(ids, table.variables, strict=True) if v.weight),
        schema=_format_schema(table.origin, dialect, chosen),
        language=lang,
        repository=dialect.repository,
        keep_missing=chosen.keep_missing,
        mode_computed=chosen.mode_computed,
    )
    by_name = {v.name: i for v, i in zip(table.variables, ids, strict=True)}
    yield from group_pieces(table.response_sets, by_name, style)
    for each in zip(ids, table.variables, description.variables, strict=True):
        yield variable_piece(*each, style)
    yield "\n  </dataDscr>\n</codeBook>\n"


def _dialect(version: str) -> _Dialect:
    if version not in _DIALECTS:
        msg = f"no DDI version named {version!r}; there are {', '.join(VERSIONS)}"
        raise UsageError(msg)
    return _DIALECTS[version]


def _language(language: str) -> str:
    if language and not _LANGUAGE.fullmatch(language):
        msg = f"{language!r} is not a language for xml:lang; use one as 'en' or 'de-CH'"
        raise UsageError(msg)
    return f' xml:lang="{language}"' if language else ""


def _ids(
    file_id: str, variable_ids: Sequence[str] | None, table: Table, book_id: str
) -> tuple[str, list[str]]:
    """Return the IDs of the file and of its variables, all different in the document."""
    count = len(table.variables)
    if variable_ids is None:
        ids = [f"v{number}" for number in range(1, count + 1)]
    else:
        ids = [_identifier(each, "v") for each in variable_ids]
    if len(ids) != count:
        msg = f"{len(ids)} ids given for {count} variables"
        raise UsageError(msg)
    data_id = _identifier(file_id, "f")
    groups = [f"VG{number}" for number in range(1, len(table.response_sets) + 1)]
    every = [book_id, *groups, data_id, *ids]
    if len(set(every)) < len(every):
        twice = next(each for each, count in collections.Counter(every).items() if count > 1)
        msg = f"the id {twice!r} occurs twice in one codebook"
        raise UsageError(msg)
    return data_id, ids


def _identifier(given: str, letter: str) -> str:
    identifier = letter + given if given[:1].isdigit() else given
    if not _ID.fullmatch(identifier):
        msg = f"{given!r} cannot be an id in XML; use digits, or letters, digits, '_', '-', '.'"
        raise UsageError(msg)
    return identifier


def _codebook_id(stem: str, origin: Origin) -> str:
    """Return an ID of the document, the same for the same file; catalogues ask for one."""
    parts = (_NOT_IN_ID.sub("-", stem).strip("-")[:64], origin.sha256[:12])
    return "-".join(("codebook", *filter(None, parts)))


def _format_schema(origin: Origin, dialect: _Dialect, profile: Profile) -> str:
    """Return whose display formats the source has, where they are the source's own."""
    if dialect.repository or profile.dates_as_text:
        return ""
    return _FORMAT_SCHEMAS.get(origin.format, "")


def _root(dialect: _Dialect, lang: str, identifier: str) -> str:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<codeBook xmlns="{dialect.namespace}"'
    if not dialect.repository:
        text += f' xmlns:xsi="{_XSI}" xsi:schemaLocation="{dialect.namespace} {dialect.schema}"'
        text += f' ID="{identifier}"'
    return text + f' version="{dialect.version}"{lang}>'


def _study(title: str, lang: str, dialect: _Dialect) -> Iterator[str]:
    """Yield what made the document, and the least that a study description must have."""
    title_text = f"<titlStmt><titl{lang}>{escape(title)}</titl></titlStmt>"
    if not dialect.repository:
        yield (
            f"\n  <docDscr><citation>{title_text}<prodStmt>"
            f'<software version="{__version__}">tabkit</software></prodStmt></citation></docDscr>'
        )
    yield f"\n  <stdyDscr><citation>{title_text}</citation></stdyDscr>"


def _file(
    description: Description, data_id: str, file_name: str, lang: str, dialect: _Dialect
) -> Iterator[str]:
    table, unf = description.table, description.unf
    mime_type = f' mimeType="{TAB_MEDIA_TYPE}"' if dialect.version == "2.6" else ""
    yield f'\n  <fileDscr ID="{data_id}">\n    <fileTxt{mime_type}>'
    yield f"\n      <fileName>{escape(file_name)}</fileName>"
    if not dialect.repository:
        yield from _fingerprint_and_content(unf, table.label, lang)
    yield (
        f"\n      <dimensns><caseQnty>{description.cases}</caseQnty>"
        f"<varQnty>{len(table.variables)}</varQnty></dimensns>"
    )
    charset = "" if dialect.repository else ' charset="UTF-8"'
    yield f"\n      <fileType{charset}>{TAB_MEDIA_TYPE}</fileType>\n    </fileTxt>"
    if dialect.repository and table.label:
        yield note("file", "DATAVERSE:FILEDESC", "DataFile Description", table.label)
    if not dialect.repository:
        yield from _file_notes(table)
    if unf:  # last: consumers that look for a text beginning with UNF: must end with this one
        yield note("file", "VDC:UNF", UNF_SUBJECT, unf)
    yield "\n  </fileDscr>"


def _fingerprint_and_content(unf: str, label: str, lang: str) -> Iterator[str]:
    if unf:
        yield (
            '\n      <dataFingerprint type="data">'
            f"<digitalFingerprintValue>{escape(unf)}</digitalFingerprintValue>"
            f"<algorithmSpecification>{UNF_SUBJECT}</algorithmSpecification>"
            "<algorithmVersion>6</algorithmVersion></dataFingerprint>"
        )
    if label:
        yield f"\n      <fileCont{lang}>{escape(label)}</fileCont>"
    yield '\n      <fileStrc type="rectangular"/>'


def _file_notes(table: Table) -> Iterator[str]:
    """Yield notes: the saved original, its documents, its custom attributes."""
    origin = dataclasses.asdict(table.origin)
    for field, value in origin.items():
        if value is not None and value != "":
            text = value.isoformat() if field in {"created", "modified"} else str(value)
            yield note("file", "tabkit:original", field.replace("_", " "), text)
    for text in table.notes:
        yield note("file", "tabkit:document", "Document", text)
    for name, text in table.attributes:
        yield note("file", "tabkit:attribute", name, text)
