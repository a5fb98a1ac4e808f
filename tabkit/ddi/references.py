"""IDs and references of a codebook: each ID occurs once, each reference finds what it means.

XML Schema demands it (types ID and IDREF), but a streaming validator does not look.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from tabkit.ddi.codebook import CodebookFinding

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tabkit.ddi.events import Section

#: Attributes of type IDREF or IDREFS, on whatever element. Source: codebook.xsd of 2.5 and 2.6.
_REFERENCES: Final = frozenset(
    {
        "access", "add", "catGrp", "catRef", "catgry", "coordValRef", "drop", "fileStrcRef",
        "fileid", "files", "fundAgRefs", "geoMap", "keep", "keyvar", "locMap", "methrefs",
        "nCubeGrp", "nCubeRef", "parent", "pubrefs", "qstn", "recGrp", "recRef", "refs",
        "relatedProcesses", "sameNote", "sdatrefs", "sourceFiles", "var", "varGrp",
        "varRef", "weight", "wgt-var",
    }
)  # fmt: skip
#: Attributes that are references on one element only.
_OF_ELEMENT: Final = frozenset(
    {("catgry", "level"), ("nCubeGrp", "nCube"), ("varRange", "start"), ("varRange", "end")}
)
#: What a reference must lead to, where that is a matter of sense and not of the schema.
_MEANT: Final[Mapping[tuple[str, str], str]] = MappingProxyType(
    {
        ("location", "fileid"): "fileDscr",
        ("var", "files"): "fileDscr",
        ("var", "wgt-var"): "var",
        ("sumStat", "wgt-var"): "var",
        ("catStat", "wgt-var"): "var",
        ("varGrp", "var"): "var",
        ("varGrp", "varGrp"): "varGrp",
    }
)


def check_references(stream: Iterable[Section], *, meaning: bool) -> list[CodebookFinding]:
    """Find IDs that occur twice and references that lead nowhere, or to the wrong thing.

    Args:
        stream: All sections of a codebook; it is read to its end.
        meaning: Also report references that lead to another kind of element than they mean.
    """
    kinds: dict[str, str] = {}
    first_seen: dict[tuple[str, str, str], int] = {}
    findings: list[CodebookFinding] = []
    for section in stream:
        prefix = section.prefix
        for node in section.node.iter(f"{prefix}*" if prefix else None):
            name = str(node.tag)[len(prefix) :]
            for key, text in node.items():
                attribute, value = str(key), str(text)
                if attribute == "ID":
                    if value in kinds:
                        what = f"the ID {value!r} occurs twice"
                        findings.append(CodebookFinding(_line(node), what, f"{name}/@ID"))
                    kinds.setdefault(value, name)
                elif attribute in _REFERENCES or (name, attribute) in _OF_ELEMENT:
                    for target in value.split():
                        first_seen.setdefault((name, attribute, target), _line(node))
    findings.extend(_unresolved(first_seen, kinds, meaning=meaning))
    return findings


def _unresolved(
    first_seen: Mapping[tuple[str, str, str], int], kinds: Mapping[str, str], *, meaning: bool
) -> Iterator[CodebookFinding]:
    for (name, attribute, target), line in first_seen.items():
        where, meant = f"{name}/@{attribute}", _MEANT.get((name, attribute))
        kind = kinds.get(target)
        if kind is None:
            yield CodebookFinding(line, f"no element has the ID {target!r}", where)
        elif meaning and meant is not None and kind != meant:
            yield CodebookFinding(line, f"{target!r} is a {kind}, not a {meant}", where)


def _line(node: object) -> int:
    return int(getattr(node, "sourceline", 0) or 0)
