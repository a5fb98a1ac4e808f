"""Validating codebooks: the official schemas, references, figures; and fetching the schemas."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import tempfile
import urllib.error
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tabkit.ddi import official
from tabkit.ddi.build import codebook_pieces, write_codebook
from tabkit.ddi.events import VIOLATIONS_LISTED, sections
from tabkit.ddi.official import (
    fetch_schemas,
    find_official,
    load_schema,
    official_schemas,
)
from tabkit.ddi.validate import validate
from tabkit.describe.unf import column_unf, combine_unfs
from tabkit.errors import FormatError, TabkitError, UsageError
from tests.ddi.descriptions import survey

if TYPE_CHECKING:
    from collections.abc import Callable

NAMESPACE = "ddi:codebook:2_5"
STUDY = "<stdyDscr><citation><titlStmt><titl>T</titl></titlStmt></citation></stdyDscr>"


@pytest.fixture
def schemas(shared: Path) -> Path:
    """The folder of the official schemas."""
    return shared / "schemas"


def sound() -> str:
    """Return a codebook in which everything agrees."""
    unfs = [column_unf([1.0, 2.0, None]), column_unf(["a", "b", "c"])]
    return (
        f'<codeBook xmlns="{NAMESPACE}" version="2.5">\n{STUDY}\n<fileDscr ID="f1"><fileTxt>'
        "<fileName>a.tab</fileName><dimensns><caseQnty>3</caseQnty><varQnty>2</varQnty></dimensns>"
        f'</fileTxt><notes type="VDC:UNF">{combine_unfs(unfs)}</notes></fileDscr>\n<dataDscr>\n'
        '<varGrp ID="VG1" var="v1 v2"/>\n'
        '<var ID="v1" name="x" files="f1" wgt="wgt"><location fileid="f1"/>\n'
        '<sumStat type="vald">2</sumStat><sumStat type="invd">1</sumStat>\n'
        "<catgry><catValu>1</catValu><labl>one</labl><catStat>1</catStat></catgry>\n"
        "<catgry><catValu>2</catValu><catStat>1</catStat></catgry>\n"
        '<catgry missing="Y"><catValu>9</catValu><labl>no</labl><catStat>0</catStat></catgry>\n'
        f'<notes type="VDC:UNF">{unfs[0]}</notes></var>\n'
        '<var ID="v2" name="y" files="f1" wgt-var="v1">'
        f'<varFormat type="character"/><notes type="VDC:UNF">{unfs[1]}</notes></var>\n'
        "</dataDscr>\n</codeBook>\n"
    )


def findings(text: str, folder: Path, schemas: Path, profile: str = "tabkit") -> list[str]:
    """Validate a text; return line, place and message of each finding."""
    path = folder / "c.xml"
    path.write_text(text, encoding="utf-8")
    return [f"{f.line} {f.text}" for f in validate(path, profile=profile, schemas=schemas)]


# ---------------------------------------------------------------------------------- schema


@pytest.mark.parametrize("version", ["2.5", "2.6"])
@pytest.mark.parametrize("profile", ["xsd", "tabkit"])
def test_our_own_are_valid(version: str, profile: str, schemas: Path, tmp_path: Path) -> None:
    """What we write has no finding, in either profile."""
    description = survey()
    unf = combine_unfs([each.unf for each in description.variables if each.unf])
    text = "".join(codebook_pieces(dataclasses.replace(description, unf=unf), version=version))
    assert findings(text, tmp_path, schemas, profile) == []


def test_sound(schemas: Path, tmp_path: Path) -> None:
    """The codebook that the next tests break has no finding."""
    assert findings(sound(), tmp_path, schemas) == []


def test_same_as_a_whole_tree(corpus: Path, schemas: Path) -> None:
    """Validation while reading finds, with the same lines, what it finds in a tree."""
    schema = load_schema("2.5", schemas)
    compared = 0
    for path in sorted((corpus / "ddi").glob("*.xml")):
        found: list[tuple[int, str]] = []
        try:
            for _ in sections(path, schema=schema, violations=found, by_line=True):
                pass
        except FormatError:
            continue
        schema.validate(etree.parse(path))
        assert found == [(entry.line, entry.message) for entry in schema.error_log], path.name
        compared += 1
    assert compared > 10


@given(at=st.integers(0, 3000), text=st.sampled_from(["<a/>", "</var>", ' a="b"', "<labl/>", "\n"]))
def test_insertions_same_as_a_whole_tree(shared: Path, at: int, text: str) -> None:
    """So it does for a document broken anywhere."""
    schema = load_schema("2.5", shared / "schemas")
    book = sound()
    at %= len(book)
    content = book[:at] + text + book[at:]
    found: list[tuple[int, str]] = []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.xml"
        path.write_text(content, encoding="utf-8")
        try:
            list(sections(path, schema=schema, violations=found))
        except FormatError:
            with pytest.raises(etree.XMLSyntaxError):
                etree.fromstring(content.encode())
            return
    try:
        tree = etree.fromstring(content.encode())
    except etree.XMLSyntaxError:
        tree = None  # a namespace that is none: beside a schema the parser leaves it to the schema
    if tree is None:
        assert found
        return
    schema.validate(tree)
    assert [message for _, message in found] == [entry.message for entry in schema.error_log]


def test_violations_have_place_and_line(schemas: Path, tmp_path: Path) -> None:
    """A violation names its element and attribute without namespaces, and its line."""
    text = sound().replace('name="y"', 'intrvl="nominal"').replace("<titl>T</titl>", "")
    assert findings(text, tmp_path, schemas, "xsd") == [
        "2 titlStmt: Missing child element(s). Expected is ( titl ).",
        "12 var/@intrvl: [facet 'enumeration'] The value 'nominal' is not an element of the set "
        "{'contin', 'discrete'}.",
        "12 var: The attribute 'name' is required but missing.",
    ]


def test_version_does_not_match_namespace(schemas: Path, tmp_path: Path) -> None:
    """The namespace decides which schema; its version attribute is fixed."""
    (finding,) = findings(sound().replace('"2.5"', '"2.6"'), tmp_path, schemas, "xsd")
    assert finding.startswith("1 codeBook/@version: The value '2.6' does not match")


@pytest.mark.parametrize("namespace", ["http://www.icpsr.umich.edu/DDI", ""])
def test_unknown_version(namespace: str, schemas: Path, tmp_path: Path) -> None:
    """A version without an official schema here is said so; references are checked all the same."""
    text = sound().replace(NAMESPACE, namespace).replace('"2.5"', '"2.0"')
    text = text.replace('fileid="f1"', 'fileid="f2"')
    unknown, reference = findings(text, tmp_path, schemas, "xsd")
    assert unknown == (
        f"0 codeBook: not checked against a schema: version 2.0, namespace {namespace or 'none'}; "
        "official schemas are known of 2.5 (ddi:codebook:2_5), 2.6 (ddi:codebook:2_6)"
    )
    assert reference == "6 location/@fileid: no element has the ID 'f2'"


def test_wrapped(schemas: Path, tmp_path: Path) -> None:
    """A codebook in an envelope is validated, the envelope is not."""
    body = sound().replace("<titl>T</titl>", "")
    text = f'<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">\n{body}</OAI-PMH>'
    assert findings(text, tmp_path, schemas, "xsd") == [
        "3 titlStmt: Missing child element(s). Expected is ( titl )."
    ]


def test_many_violations(schemas: Path, tmp_path: Path) -> None:
    """A thousand are listed, then reading ends; nothing is claimed of what was not read."""
    bad = '\n<var ID="w" name="z" files="f9" intrvl="x"/>' * 1500
    found = findings(sound().replace("\n</dataDscr>", f"{bad}</dataDscr>"), tmp_path, schemas)
    assert len(found) == VIOLATIONS_LISTED + 1
    assert found[-1].endswith("more than 1,000 violations; the others are not listed")
    assert not [each for each in found if "no element has" in each]


def test_line_far_down(schemas: Path, tmp_path: Path) -> None:
    """Lines beyond 65,535 are right."""
    text = sound().replace(STUDY, STUDY + "\n" * 70_000)
    (finding,) = findings(text.replace('name="y"', ""), tmp_path, schemas, "xsd")
    assert finding.startswith("70012 var: The attribute 'name' is required")


@pytest.mark.parametrize("content", ["", "hello", "<a/>", "<codeBook>"])
def test_not_a_codebook(content: str, tmp_path: Path) -> None:
    """What cannot be read is no finding, but an error."""
    path = tmp_path / "c.xml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(FormatError):
        validate(path)


@pytest.mark.parametrize("profile", ["xsd", "tabkit"])
@pytest.mark.parametrize("text", [sound()[:-30], sound() + "<more/>"])
def test_malformed_at_the_end(profile: str, text: str, schemas: Path, tmp_path: Path) -> None:
    """A codebook that is cut is an error too, however sound its beginning."""
    path = tmp_path / "c.xml"
    path.write_text(text, "utf-8")
    with pytest.raises(FormatError, match="not well-formed XML"):
        validate(path, profile=profile, schemas=schemas)


def test_unknown_profile(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no validation profile named 'x'; there are xsd, tabkit"):
        validate(tmp_path / "c.xml", profile="x")


# ------------------------------------------------------------------------ references, figures


@pytest.mark.parametrize(
    ("old", "new", "xsd", "tabkit"),
    [
        ('ID="VG1"', 'ID="f1"', "5 varGrp/@ID: the ID 'f1' occurs twice", ""),
        ('var="v1 v2"', 'var="v1 v3"', "5 varGrp/@var: no element has the ID 'v3'", ""),
        ('wgt-var="v1"', 'wgt-var="v9"', "12 var/@wgt-var: no element has the ID 'v9'", ""),
        ('fileid="f1"', 'fileid="v1"', "", "6 location/@fileid: 'v1' is a var, not a fileDscr"),
        ('var="v1 v2"', 'var="f1"', "", "5 varGrp/@var: 'f1' is a fileDscr, not a var"),
        (' wgt="wgt"', "", "", "12 variable y: its weight 'v1' is not marked as one"),
        ("<varQnty>2", "<varQnty>3", "", "3 file a.tab: varQnty is 3, but it has 2 var"),
        ("<caseQnty>3", "<caseQnty>4", "", "6 variable x: 2 valid and 1 invalid cases of 4"),
        (
            "<catStat>1</catStat></catgry>\n<catgry><catValu>2",
            "<catStat>5</catStat></catgry>\n<catgry><catValu>2",
            "",
            "6 variable x: frequencies of valid values make 6, not 2",
        ),
        (
            "<labl>one</labl><catStat>1",
            "<labl>one</labl><catStat>0",
            "",
            "6 variable x: frequencies of valid values make 1, not 2",
        ),
        (
            "<labl>no</labl><catStat>0",
            "<labl>no</labl><catStat>2",
            "",
            "6 variable x: frequencies of missing values make 2, more than 1",
        ),
    ],
)
def test_what_does_not_agree(
    old: str, new: str, xsd: str, tabkit: str, schemas: Path, tmp_path: Path
) -> None:
    """Each break gives its finding: in both profiles, or where sense is checked too."""
    text = sound()
    assert text.count(old) == 1
    broken = text.replace(old, new)
    assert findings(broken, tmp_path, schemas, "xsd") == [each for each in (xsd,) if each]
    found = findings(broken, tmp_path, schemas)
    assert (xsd or tabkit) in found


def test_fingerprint_of_the_file(schemas: Path, tmp_path: Path) -> None:
    """The file's fingerprint is the combination of its variables'."""
    unf = column_unf([1.0, 2.0, None])
    text = sound().replace(f">{unf}<", f">{column_unf([1.0])}<")
    (finding,) = findings(text, tmp_path, schemas)
    assert re.fullmatch(
        r"3 file a.tab: its fingerprint is UNF\S+, but its variables make UNF\S+", finding
    )


def test_incomplete_frequencies_are_no_finding(schemas: Path, tmp_path: Path) -> None:
    """Where unlabelled values are not listed, labelled ones need not make up all cases."""
    text = sound().replace("<catgry><catValu>2</catValu><catStat>1</catStat></catgry>\n", "")
    assert findings(text, tmp_path, schemas) == []


# ---------------------------------------------------------------------------------- schemas


def test_registry_is_that_of_the_official_files(schemas: Path) -> None:
    """Sizes and digests in the registry are those of the published files, none is missing."""
    for schema in official_schemas():
        folder = schemas / schema.folder
        listed = {file.path for file in schema.files}
        assert listed == {p.relative_to(folder).as_posix() for p in folder.rglob("*.xsd")}
        for file in schema.files:
            content = (folder / file.path).read_bytes()
            assert len(content) == file.bytes
            assert hashlib.sha256(content).hexdigest() == file.sha256
        root = etree.parse(folder / schema.entry).getroot()
        assert root.get("targetNamespace") == schema.namespace


def served(schemas: Path, version: str) -> Callable[[str, int], bytes]:
    """Return what stands for the network: the official files at their addresses."""
    schema = find_official(version)

    def read_url(url: str, size: int) -> bytes:
        path = schemas / schema.folder / url.removeprefix(schema.address)
        return path.read_bytes()[:size]

    return read_url


@pytest.mark.parametrize("version", ["2.5", "2.6"])
def test_fetch(version: str, schemas: Path, tmp_path: Path) -> None:
    """Fetched once, whole, usable; the second time nothing is asked."""
    folder = fetch_schemas(version, tmp_path / "new", read_url=served(schemas, version))
    assert folder == tmp_path / "new" / find_official(version).folder
    load_schema(version, tmp_path / "new")
    assert [path.name for path in (tmp_path / "new").iterdir()] == [folder.name]
    assert fetch_schemas(version, tmp_path / "new", read_url=_no_network) == folder


def _no_network(url: str, size: int) -> bytes:
    reason = "Name or service not known"
    raise urllib.error.URLError(reason)


def _wrong(url: str, size: int) -> bytes:
    return b"x" * size


@pytest.mark.parametrize(
    ("read_url", "reason"), [(_no_network, "Name or service"), (_wrong, "not the file that was")]
)
def test_fetch_fails(read_url: Callable[[str, int], bytes], reason: str, tmp_path: Path) -> None:
    """One line says why and what to do; nothing is left behind."""
    with pytest.raises(TabkitError, match=reason) as caught:
        fetch_schemas("2.5", tmp_path, read_url=read_url)
    assert "name its folder with --schemas" in str(caught.value)
    assert find_official("2.5").official in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_only_https() -> None:
    with pytest.raises(ValueError, match="not https"):
        official._read_url("file:///etc/passwd", 9)


def test_unknown_schema(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no official schema of DDI Codebook"):
        fetch_schemas("1.0", tmp_path)


def test_where_schemas_are_looked_for(
    schemas: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the given folder, as a folder or as files; then in the cache; then they are fetched."""
    cache = tmp_path / "cache"
    monkeypatch.setattr(official, "cache_folder", lambda: cache)
    monkeypatch.setattr(official, "_read_url", _no_network)
    path = tmp_path / "c.xml"
    write_codebook(survey(), path)
    for folder in (schemas, schemas / "ddi-codebook-2.5"):
        assert validate(path, schemas=folder) == []
    with pytest.raises(TabkitError, match="cannot be fetched: Name or service not known"):
        validate(path, schemas=schemas / "ddi-codebook-2.6")
    monkeypatch.setattr(official, "_read_url", served(schemas, "2.5"))
    assert validate(path) == []
    monkeypatch.setattr(official, "_read_url", _no_network)
    assert validate(path) == []
    assert [each.name for each in cache.iterdir()] == ["ddi-codebook-2.5"]


def test_damaged_schema(tmp_path: Path) -> None:
    """A schema that is none is told in one line."""
    folder = tmp_path / "ddi-codebook-2.5"
    folder.mkdir()
    (folder / "ddi_codebook_2_5.xsd").write_text("<a/>", encoding="utf-8")
    with pytest.raises(TabkitError, match="is not a usable schema") as caught:
        load_schema("2.5", tmp_path)
    assert len(str(caught.value).splitlines()) == 1
