"""Reading codebooks: those of others, our own, and those that mean harm."""

from __future__ import annotations

import dataclasses
import json
import math
import re
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tabkit.ddi.build import write_codebook
from tabkit.ddi.codebook import Codebook, CodebookVariable, Location, response_sets
from tabkit.ddi.parse import read_codebook
from tabkit.errors import FormatError
from tabkit.model import (
    Category,
    Description,
    Interval,
    Kind,
    Measure,
    MissingRange,
    Origin,
    SummaryStats,
    Value,
    Variable,
)
from tests.ddi.descriptions import descriptions, survey

_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def read_text(text: str | bytes, folder: Path) -> Codebook:
    """Read a codebook given as text."""
    path = folder / "c.xml"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_codebook(path)


def book(inner: str, namespace: str = "ddi:codebook:2_5") -> str:
    """Return a codebook with this in its ``dataDscr``."""
    return f'<codeBook xmlns="{namespace}" version="2.5"><dataDscr>{inner}</dataDscr></codeBook>'


def round_trip(description: Description, version: str = "2.5") -> Codebook:
    """Write a description's codebook and read it."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.xml"
        write_codebook(description, path, version=version)
        return read_codebook(path)


# ------------------------------------------------------------------------------- of others


def test_corpus(corpus: Path) -> None:
    """Real codebooks of all versions say what lxml found in them; hostile ones are refused."""
    lines = (corpus / "expected_media.jsonl").read_text(encoding="utf-8").splitlines()
    expected = [e for e in map(json.loads, lines) if e["file"].startswith("ddi/")]
    assert expected
    for each in expected:
        facts = each["tools"]["lxml"]
        if "error" in facts:
            with pytest.raises(FormatError):
                read_codebook(corpus / each["file"])
            continue
        found = read_codebook(corpus / each["file"])
        listed = sum(
            len(v.variable.categories) + len(v.others) + len(v.tagged) for v in found.variables
        )
        assert {
            "codebook_version": found.version,
            "codebook_namespace": found.namespace or None,
            "study_title": found.title,
            "study_idno": [identifier for _, identifier in found.study_ids],
            "n_fileDscr": len(found.files),
            "n_var": len(found.variables),
            "n_catgry": listed,
            "first_vars": [v.variable.name for v in found.variables[:5]],
        }.items() <= facts.items(), each["file"]
        if found.variables:
            assert found.variables[0].variable.label == facts["first_var_label"]


def test_fixed_width_locations(corpus: Path) -> None:
    """IPUMS extracts are read by the positions in their codebook."""
    found = read_codebook(corpus / "ddi" / "usa_00468.xml")
    places = {v.variable.name: v.location for v in found.variables}
    assert places["YEAR"] == Location(1, 4, 4)
    assert places["HHWT"] == Location(32, 41, 10)
    assert {v.file_ids for v in found.variables} == {("ExtractData",)}
    assert next(v for v in found.variables if v.variable.name == "HHWT").variable.decimals == 2


def test_dataverse_codebook(corpus: Path) -> None:
    """A dataset's codebook as Dataverse exports it, after its editors worked on it."""
    found = read_codebook(corpus / "ddi" / "dct_codebook.xml")
    (file,) = found.files
    assert (file.name, file.cases, file.variables) == ("dct.tab", 3045, 3)
    assert file.unf == "UNF:6:fbFW653KFlDctLBrYqUA8A=="
    first, _, weight = found.variables
    assert first.variable.categories == (Category(2, "Female"), Category(1, "Male"))
    assert first.frequencies == (1508, 1537), "weighted frequencies are others"
    assert first.variable.question == "Literal question for gender"
    assert ("universe", "Universe for gender") in first.texts
    assert ("postQTxt", "Post question for gender") in first.texts
    assert first.weight_ids == (weight.identifier,)
    assert weight.variable.weight
    assert first.stats == SummaryStats(
        1.4952380952380968, 1.0, None, 3045, 0, 1.0, 2.0, 0.5000594420582792
    )
    assert first.notes == (("", "Gender notes"),)
    assert [group.variable_ids for group in found.groups] == [("v3070",), ("v3068", "v3069")]


@pytest.mark.parametrize(
    "wrap",
    [
        '<codeBook version="2.0"><dataDscr>{}</dataDscr></codeBook>',
        '<d:codeBook xmlns:d="ddi:codebook:2_5" version="2.0"><d:dataDscr>{}</d:dataDscr>'
        "</d:codeBook>",
        '<codeBook xmlns="http://www.icpsr.umich.edu/DDI" version="2.0"><dataDscr xmlns="">{}'
        "</dataDscr></codeBook>",
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><record><metadata>'
        '<codeBook xmlns="ddi:codebook:2_5" version="2.0"><dataDscr>{}</dataDscr></codeBook>'
        "</metadata></record></OAI-PMH>",
        '<!DOCTYPE codeBook SYSTEM "http://127.0.0.1:9/Version2-0.dtd"><codeBook version="2.0">'
        "<dataDscr>{}</dataDscr></codeBook>",
    ],
    ids=["bare", "prefixed", "mixed", "wrapped", "doctype"],
)
def test_any_wrapping(wrap: str, tmp_path: Path) -> None:
    """Namespace, prefix, an envelope or a DOCTYPE make no difference."""
    var = "<var name='a'><labl>One &amp; <!-- not this -->only</labl></var>"
    if "<d:" in wrap:
        var = re.sub("<(/?)(var|labl)", r"<\1d:\2", var)
    found = read_text(wrap.format(var), tmp_path)
    assert [v.variable.label for v in found.variables] == ["One & only"]
    assert found.version == "2.0"


def test_several_codebooks(tmp_path: Path) -> None:
    """The first is read, and nothing is dropped silently."""
    books = (book(f'<var name="{name}"/>') for name in "abc")
    found = read_text(f"<all>{''.join(books)}</all>", tmp_path)
    assert [v.variable.name for v in found.variables] == ["a"]
    assert [f.text for f in found.findings] == ["2 further codebooks in this file were not read"]


def variable_from(inner: str, folder: Path, **attributes: str) -> CodebookVariable:
    """Read one ``var``."""
    text = "".join(f' {name}="{value}"' for name, value in attributes.items())
    (found,) = read_text(book(f'<var name="a"{text}>{inner}</var>'), folder).variables
    return found


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("numeric", "1", 1),
        ("numeric", " 01\n", 1),
        ("numeric", "-9.50", -9.5),
        ("numeric", "1e+20", 1e20),
        ("numeric", "12345678901234567890", 12345678901234567890.0),
        ("numeric", "-Inf", -math.inf),
        ("numeric", "1,5", "1,5"),
        ("numeric", "1_000", "1_000"),
        ("numeric", "٣", "٣"),
        ("character", "01", "01"),
        ("character", " x ", " x "),
    ],
)
def test_category_values(kind: str, text: str, value: Value, tmp_path: Path) -> None:
    """Numbers where text and variable are numeric, else the text as it stands."""
    inner = f'<catgry><catValu>{text}</catValu><labl>L</labl></catgry><varFormat type="{kind}"/>'
    found = variable_from(inner, tmp_path)
    assert found.variable.categories == (Category(value, "L"),)
    assert type(found.variable.categories[0].value) is type(value)
    assert found.frequencies == (None,)


def test_long_number_is_bounded(tmp_path: Path) -> None:
    """A code of a million digits is a text, not a computation."""
    digits = "9" * 1_000_000
    found = variable_from(f"<catgry><catValu>{digits}</catValu><labl/></catgry>", tmp_path)
    assert found.variable.categories == (Category(digits, ""),)


def test_missing_ranges(tmp_path: Path) -> None:
    """Ends not stated are infinite; exclusive ends become the double next to them."""
    inner = (
        '<invalrng><item VALUE="-9"/><range max="-90"/><range min="1" maxExclusive="2"/>'
        '<range minExclusive="5"/><range/><range min="A" max="B"/><key>none</key></invalrng>'
    )
    text = book(f'<var name="a">{inner}</var>')
    found = read_text(text, tmp_path)
    variable = found.variables[0].variable
    assert variable.missing_values == (-9,)
    assert variable.missing_ranges == (
        MissingRange(-math.inf, -90),
        MissingRange(1, math.nextafter(2, 0)),
        MissingRange(math.nextafter(5, 6), math.inf),
        MissingRange(-math.inf, math.inf),
    )
    assert variable.is_user_missing(1.999)
    assert not dataclasses.replace(
        variable, missing_ranges=variable.missing_ranges[1:2]
    ).is_user_missing(2.0)
    (finding,) = found.findings
    assert finding.text == "missing range not understood: min='A' max='B'"
    assert (finding.variable, finding.severity) == ("a", "warning")


def test_what_is_not_understood_is_none(tmp_path: Path) -> None:
    """Counts, intervals and natures that are none do not stop the reading."""
    inner = (
        '<location StartPos="x" EndPos="" width="3.0"/><sumStat type="vald">many</sumStat>'
        '<sumStat type="mean">.</sumStat><sumStat type="sum">3</sumStat>'
        '<sumStat type="max" wgtd="wgtd">7</sumStat>'
        '<catgry missing="Y"><catValu>9</catValu><catStat type="percent">3</catStat></catgry>'
    )
    found = variable_from(inner, tmp_path, intrvl="nominal", nature="ratio", dcml="two")
    assert found.location == Location(None, None, 3)
    assert found.stats == SummaryStats()
    assert (found.variable.interval, found.variable.measure) == (None, Measure.SCALE)
    assert found.variable.decimals is None
    assert found.variable.categories == (Category(9, "", missing=True),)
    assert found.frequencies == (None,)


def test_texts_lose_only_layout(tmp_path: Path) -> None:
    """White space from laying out the file goes; a label's own blanks stay."""
    inner = "<labl>\n      A label\n    </labl><qstn> Why? </qstn><txt><p>a</p><p>b</p></txt>"
    found = variable_from(inner, tmp_path)
    assert found.variable.label == "A label"
    assert found.variable.question == " Why? "
    assert found.texts == (("txt", "ab"),)


# ------------------------------------------------------------------------------------ our own


def carried(text: str) -> str:
    """Return what XML and laid-out text keep of a text."""
    text = _ILLEGAL.sub("\ufffd", text)
    head, tail = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return text.strip() if "\n" in head or "\n" in tail else text


def expected_variable(variable: Variable) -> Variable:
    """Return what a codebook carries of a variable."""
    legal = _ILLEGAL.sub

    def value_of(value: Value, keep: bool = False) -> Value:
        if not isinstance(value, str) or variable.kind == Kind.NUMERIC:
            return value
        return legal("\ufffd", value) if keep else carried(value)

    return dataclasses.replace(
        variable,
        label=carried(variable.label),
        display_format=legal("\ufffd", variable.display_format),
        storage=legal("\ufffd", variable.storage),
        role=legal("\ufffd", variable.role),
        question=carried(variable.question),
        name=legal("\ufffd", variable.name),
        categories=tuple(
            Category(
                value_of(each.value),
                carried(each.label),
                each.missing or variable.is_user_missing(each.value),
            )
            for each in variable.categories
        ),
        missing_values=tuple(value_of(each, keep=True) for each in variable.missing_values),
        attributes=tuple(
            (legal("\ufffd", name), legal("\ufffd", text)) for name, text in variable.attributes
        ),
    )


@given(description=descriptions(), version=st.sampled_from(["2.5", "2.6"]))
def test_metadata_survive_the_codebook(description: Description, version: str) -> None:
    """Variables -> codebook -> variables: the same metadata, frequencies and fingerprints."""
    found = round_trip(description, version)
    table = description.table
    assert not found.findings
    assert [v.variable for v in found.variables] == [expected_variable(v) for v in table.variables]
    for ours, theirs in zip(found.variables, description.variables, strict=True):
        assert ours.frequencies == theirs.frequencies
        assert ours.unf == theirs.unf
        for field in dataclasses.fields(SummaryStats):
            same_statistic(getattr(ours.stats, field.name), getattr(theirs.stats, field.name))


def same_statistic(ours: object, theirs: object) -> None:
    """Compare numbers as numbers; a text that is a number or a point is no other statistic."""
    if isinstance(theirs, str):
        if not isinstance(ours, str):
            return
        assert ours == _ILLEGAL.sub("\ufffd", theirs)
    elif isinstance(theirs, float) and math.isnan(theirs):
        assert isinstance(ours, float)
        assert math.isnan(ours)
    else:
        assert ours == theirs


@given(description=descriptions())
def test_file_survives_the_codebook(description: Description) -> None:
    """The file's facts: cases, label, original, documents, attributes, fingerprint."""
    table = description.table
    found = round_trip(description)
    (file,) = found.files
    legal = [(_ILLEGAL.sub("\ufffd", n), _ILLEGAL.sub("\ufffd", t)) for n, t in table.attributes]
    assert list(file.attributes) == legal
    assert list(file.documents) == [_ILLEGAL.sub("\ufffd", text) for text in table.notes]
    assert file.label == carried(table.label)
    assert (file.cases, file.variables) == (description.cases, len(table.variables))
    assert file.unf == description.unf
    expected = {
        field.name: _ILLEGAL.sub("\ufffd", value) if isinstance(value, str) else value
        for field in dataclasses.fields(Origin)
        for value in [getattr(table.origin, field.name)]
    }
    assert file.origin == Origin(**expected)


def test_survey_survives() -> None:
    """The small survey, looked at by eye: sets by name, tags and unlabelled values apart."""
    description = survey()
    found = round_trip(description)
    assert found.title == "A survey of 5 & more"
    assert found.language == "en"
    sets = response_sets(found)
    assert sets[0] == description.table.response_sets[0]
    assert sets[1].variables == ("day",), "a variable that is not in the table is no reference"
    first = found.variables[0]
    assert first.others == ((3, 1),)
    assert first.tagged == ((".a", 1),)
    assert first.variable.interval is Interval.DISCRETE
    assert [v.weight_ids for v in found.variables] == [("v3",), ("v3",), (), ("v3",), ("v3",)]


# -------------------------------------------------------------------------------- hostile


LAUGHS = "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10 if i else "lol"}">' for i in range(10))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not well-formed XML"),
        ("hello", "not well-formed XML"),
        ("<codeBook>", "not well-formed XML"),
        ("<codeBook><var></codeBook>", "not well-formed XML"),
        ("<codeBook>\x01</codeBook>", "not well-formed XML"),
        ("<codeBook>&nbsp;</codeBook>", "not well-formed XML"),
        ("<a/>", "not a DDI codebook: its root element is a"),
        ('<x:DDIInstance xmlns:x="ddi:instance:3_2"/>', "it is DDI Lifecycle"),
        ("<codeBook>" + "<a>" * 3000 + "</a>" * 3000 + "</codeBook>", "not well-formed XML"),
        (f"<!DOCTYPE c [{LAUGHS}]><codeBook><titl>&a9;</titl></codeBook>", "entities"),
        (f'<!DOCTYPE c [{LAUGHS}]><codeBook ID="&a9;"/>', "entities"),
        ('<!DOCTYPE c [<!ENTITY f SYSTEM "file:///etc/passwd">]><codeBook>&f;</codeBook>', "entit"),
        (b"<?xml version='1.0' encoding='US-ASCII'?><codeBook>\xc3\xa9</codeBook>", "ASCII"),
        (b"<?xml version='1.0' encoding='UTF-8'?><codeBook>\xe9</codeBook>", "not well-formed"),
        (b"<?xml version='1.0' encoding='klingon'?><codeBook/>", "not well-formed XML"),
    ],
    ids=lambda value: "" if isinstance(value, str | bytes) and len(value) > 40 else None,
)
def test_refused_in_one_line(text: str | bytes, message: str, tmp_path: Path) -> None:
    """What is no codebook, or means harm, is refused at once, in one line, with exit code 3."""
    with pytest.raises(FormatError, match=message) as caught:
        read_text(text, tmp_path)
    assert len(str(caught.value).splitlines()) == 1
    assert str(caught.value).startswith("c.xml: ")
    assert caught.value.exit_code == 3


def test_malformed_tells_the_line(tmp_path: Path) -> None:
    """The line is that of the fault, far down in a long file too."""
    text = "<codeBook><dataDscr>" + "\n<var name='a'/>" * 66_000 + "\n<var</dataDscr></codeBook>"
    with pytest.raises(FormatError, match="line 66002"):
        read_text(text, tmp_path)


def test_a_long_document_of_another_kind_is_left_early(tmp_path: Path) -> None:
    """An XML file without a codebook is given up before it fills the memory."""
    path = tmp_path / "big.xml"
    with path.open("wb") as file:
        file.write(b"<all>")
        for _ in range(50):
            file.write(b"<a>text</a>\n" * 10_000)
    with pytest.raises(FormatError, match="its root element is all"):
        read_codebook(path)


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252", "utf-8-sig"])
def test_encodings(encoding: str, tmp_path: Path) -> None:
    """Declared encodings and byte order marks are honoured."""
    declared = encoding.removesuffix("-sig")
    text = f'<?xml version="1.0" encoding="{declared}"?>\n' + book("<var name='é'/>") + "\n"
    found = read_text(text.encode(encoding), tmp_path)
    assert [v.variable.name for v in found.variables] == ["é"]


@given(at=st.integers(0, 10_000), byte=st.integers(0, 255))
def test_damage_is_refused_or_read(at: int, byte: int) -> None:
    """A byte changed anywhere gives a codebook or one line, never another failure."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "c.xml"
        write_codebook(survey(), path)
        content = bytearray(path.read_bytes())
        content[at % len(content)] = byte
        path.write_bytes(content)
        try:
            read_codebook(path)
        except FormatError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017
