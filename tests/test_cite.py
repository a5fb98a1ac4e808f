"""Citations: what other programs' parsers read back is what the study says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import bibtexparser
import jsonschema
import pytest
import rispy
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tabkit.cite import STYLES, cite
from tabkit.ddi.study import Study, read_study
from tabkit.errors import FormatError, UsageError

TABKIT = [sys.executable, "-m", "tabkit", "cite"]
STUDY = Study(
    title='Trust in "50 %" of {cases} & more <2>',
    authors=("Doe, Jane", "Müller & Söhne", "Institut and Partner"),
    producers=("Producer, P.",),
    funders=("A fund",),
    publisher="Harvard Dataverse",
    date="2017-03-04",
    version="V1",
    persistent_id="doi:10.7910/DVN/TJCLKP",
    series=("A series",),
    keywords=("trust", "health"),
    languages=("English",),
    kinds=("survey data",),
    collected=("2016-01-01/2016-02-01",),
    places=("Norway",),
    file_name="survey_1.sav",
    unf="UNF:6:x6mM58bHOE/+leSy/qv60A==",
)

#: The rules of csl-data.json (schema 1.0.2) that bear on what is written here.
CSL = {
    "type": "object",
    "required": ["type", "id"],
    "properties": {
        "type": {"enum": ["dataset"]},
        "id": {"type": ["string", "number"]},
        "author": {"type": "array", "items": {"$ref": "#/$defs/name"}},
        "issued": {
            "anyOf": [
                {
                    "properties": {
                        "date-parts": {
                            "type": "array",
                            "minItems": 1,
                            "maxItems": 2,
                            "items": {
                                "type": "array",
                                "minItems": 1,
                                "maxItems": 3,
                                "items": {"type": ["string", "number"]},
                            },
                        }
                    },
                    "required": ["date-parts"],
                    "additionalProperties": False,
                },
                {"properties": {"literal": {"type": "string"}}, "additionalProperties": False},
            ]
        },
        **{
            name: {"type": "string"}
            for name in ("title", "publisher", "version", "DOI", "URL", "collection-title",
                         "keyword", "language", "note")
        },
    },
    "additionalProperties": False,
    "$defs": {
        "name": {
            "type": "object",
            "properties": {
                name: {"type": "string"} for name in ("family", "given", "literal")
            },
            "additionalProperties": False,
        }
    },
}  # fmt: skip

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
studies = st.builds(
    Study,
    title=texts.filter(lambda text: any(c.isprintable() and not c.isspace() for c in text)),
    authors=st.lists(texts, max_size=3).map(tuple),
    publisher=texts,
    date=st.sampled_from(["", "2017", "2017-03", "2017-03-04", "spring"]),
    persistent_id=st.sampled_from(["", "doi:10.5072/FK2/A_B", "hdl:1902.1/1", "x y"]),
    keywords=st.lists(texts, max_size=2).map(tuple),
    file_name=texts,
    unf=st.sampled_from(["", STUDY.unf]),
)


def test_ris_by_its_parser() -> None:
    """Rispy reads what the study says."""
    text = cite(STUDY, "ris")
    assert text.startswith("Provider: Harvard Dataverse\r\nContent: text/plain;")
    assert text.endswith("\r\nER  - \r\n")
    (record,) = rispy.loads(text[text.index("TY  -") :].replace("\r\n", "\n"))
    assert record["type_of_reference"] == "DATA"
    assert record["authors"] == list(STUDY.authors)
    assert record["doi"] == STUDY.persistent_id
    assert record["keywords"] == ["trust", "health"]
    assert (record["year"], record["custom1"], record["custom2"]) == (
        "2017", "survey_1.sav", STUDY.unf,
    )  # fmt: skip


def test_bibtex_by_its_parser() -> None:
    """Bibtexparser finds one entry, and BibTeX's special characters do no harm."""
    library = bibtexparser.parse_string(cite(STUDY, "bibtex"))
    assert not library.failed_blocks
    (entry,) = library.entries
    assert (entry.entry_type, entry.key) == ("data", "DVN/TJCLKP_2017")
    assert entry["author"] == r"Doe, Jane and {M" + r"üller \& Söhne} and {Institut and Partner}"
    assert entry["doi"] == "10.7910/DVN/TJCLKP"
    assert entry["UNF"] == STUDY.unf
    title = r"{Trust in ``50 \%'' of \textbraceleft{}cases\textbraceright{} \& more <2>}"
    assert entry["title"] == title


def test_endnote_is_xml() -> None:
    """Texts come back as they were."""
    root = etree.fromstring(cite(STUDY, "endnote").encode())
    assert root.findtext(".//title") == STUDY.title
    assert [each.text for each in root.iterfind(".//authors/author")] == list(STUDY.authors)
    assert root.find(".//ref-type").text == "59"
    assert root.findtext(".//electronic-resource-num") == "10.7910/DVN/TJCLKP"
    assert (root.findtext(".//custom1"), root.findtext(".//custom2")) == (
        STUDY.file_name, STUDY.unf,
    )  # fmt: skip


def test_csl_by_its_rules() -> None:
    """A person has parts, an organisation is literal."""
    item = json.loads(cite(STUDY, "csl"))
    jsonschema.validate(item, CSL)
    assert item["author"][:2] == [
        {"family": "Doe", "given": "Jane"},
        {"literal": "Müller & Söhne"},
    ]
    assert item["issued"] == {"date-parts": [[2017, 3, 4]]}


def test_plain_text() -> None:
    """One line with the file and its fingerprint, as the repository shows it."""
    assert cite(STUDY) == (
        'Doe, Jane; Müller & Söhne; Institut and Partner, 2017, "' + STUDY.title + '", '
        "https://doi.org/10.7910/DVN/TJCLKP, Harvard Dataverse, V1; survey_1.sav [fileName], "
        f"{STUDY.unf} [fileUNF]\n"
    )


@given(studies)
def test_any_study_can_be_cited(study: Study) -> None:
    """In every style, whatever its texts are: parsers find one whole record."""
    assert cite(study).count("\n") == 1
    jsonschema.validate(json.loads(cite(study, "csl")), CSL)
    etree.fromstring(cite(study, "endnote").encode())
    ris = cite(study, "ris")
    assert len(rispy.loads(ris[ris.index("TY  -") :].replace("\r\n", "\n"))) == 1
    library = bibtexparser.parse_string(cite(study, "bibtex"))
    assert not library.failed_blocks
    assert len(library.entries) == 1


DDI = """<?xml version="1.0"?><codeBook xmlns="ddi:codebook:2_5"><stdyDscr><citation>
<titlStmt><titl>A study</titl><IDNo agency="x">1</IDNo><IDNo agency="DOI">doi:10.5072/FK2/X</IDNo>
</titlStmt><rspStmt><AuthEnty affiliation="U">Doe, Jane</AuthEnty></rspStmt>
<prodStmt><producer>P</producer><fundAg>F</fundAg></prodStmt>
<distStmt><distrbtr>Repo</distrbtr><distDate date="2020-05-06">May</distDate></distStmt>
<serStmt><serName>S</serName></serStmt><verStmt><version>2</version></verStmt></citation>
<stdyInfo><subject><keyword>k1</keyword><keyword>k2</keyword></subject><sumDscr>
<collDate event="start" date="2019-01-01"/><collDate event="end" date="2019-02-01"/>
<nation>Norway</nation><dataKind>survey</dataKind></sumDscr></stdyInfo></stdyDscr>
<fileDscr ID="f1"><fileTxt><fileName>x.tab</fileName></fileTxt>
<notes level="file" type="VDC:UNF">UNF:6:x6mM58bHOE/+leSy/qv60A==</notes></fileDscr></codeBook>"""


def test_a_codebook_is_read(tmp_path: Path) -> None:
    """Every part of the study's description that a citation uses."""
    path = tmp_path / "x.xml"
    path.write_text(DDI)
    study = read_study(path)
    assert study.title == "A study"
    assert study.authors == ("Doe, Jane",)
    assert (study.publisher, study.date, study.year) == ("Repo", "2020-05-06", "2020")
    assert (study.persistent_id, study.version) == ("doi:10.5072/FK2/X", "2")
    assert (study.producers, study.funders, study.series) == (("P",), ("F",), ("S",))
    assert (study.keywords, study.kinds, study.places) == (("k1", "k2"), ("survey",), ("Norway",))
    assert study.collected == ("2019-01-01/2019-02-01",)
    assert (study.file_name, study.unf) == ("x.tab", STUDY.unf)


def run(*arguments: object, code: int = 0) -> str:
    """Run the command."""
    done = subprocess.run([*TABKIT, *map(str, arguments)], check=False, capture_output=True)
    assert done.returncode == code, done.stderr
    return done.stdout.decode() if not code else done.stderr.decode()


def test_the_command(tmp_path: Path) -> None:
    """Options go before a JSON file, and that before the codebook."""
    (tmp_path / "x.xml").write_text(DDI)
    (tmp_path / "s.json").write_text('{"title": "From JSON", "authors": "Roe, R.", "date": 2021}')
    found = run(tmp_path / "x.xml", "--study", tmp_path / "s.json", "--date", "2022")
    assert found.startswith('Roe, R., 2022, "From JSON", https://doi.org/10.5072/FK2/X, Repo, 2;')
    assert run("--title", "T", "--pid", "https://doi.org/10.1/x") == '"T", https://doi.org/10.1/x\n'
    run(tmp_path / "x.xml", tmp_path / "x.ris", "--style", "ris")
    assert (tmp_path / "x.ris").read_bytes().endswith(b"ER  - \r\n")
    assert "exists already" in run(tmp_path / "x.xml", tmp_path / "x.ris", code=3)
    assert "no citation style" in run(tmp_path / "x.xml", "--style", "apa", code=2)
    assert "needs a title" in run(code=2)
    (tmp_path / "s.json").write_text('{"titel": "x"}')
    assert "unknown field 'titel'" in run("--study", tmp_path / "s.json", code=3)


def test_wrong_fields() -> None:
    """A study without a title has no citation."""
    with pytest.raises(UsageError):
        cite(Study(), "ris")
    with pytest.raises(FormatError):
        cite(Path(__file__), "ris")
    assert set(STYLES) == {"text", "ris", "bibtex", "endnote", "csl"}


def test_study_of_a_harvested_record(tmp_path: Path) -> None:
    """A codebook in the envelope of OAI-PMH is cited like one by itself."""
    (tmp_path / "x.xml").write_text(
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><GetRecord><record><metadata>'
        '<codeBook xmlns="ddi:codebook:2_5"><docDscr><citation><titlStmt><titl>Record</titl>'
        "</titlStmt></citation></docDscr><stdyDscr><citation><titlStmt><titl>Study</titl>"
        "</titlStmt></citation></stdyDscr></codeBook></metadata></record></GetRecord></OAI-PMH>"
    )
    assert read_study(tmp_path / "x.xml").title == "Study"
