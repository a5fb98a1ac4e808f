"""Building codebooks: valid against the official schemas for any table, laid out as looked at."""

from __future__ import annotations

import dataclasses
import io
import re
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from tabkit.ddi.build import VERSIONS, codebook_pieces, write_codebook
from tabkit.ddi.official import find_official, load_schema
from tabkit.errors import UsageError
from tabkit.model import (
    Category,
    Description,
    Interval,
    Origin,
    SummaryStats,
    Table,
    Variable,
    VariableDescription,
)
from tabkit.profiles import DATAVERSE, TABKIT, Profile
from tests.ddi.descriptions import UNF, descriptions, survey
from tests.ddi.golden import assert_golden


@pytest.fixture(scope="module")
def schemas(shared: Path) -> dict[str, etree.XMLSchema]:
    """The official schemas by version."""
    return {version: load_schema(version, shared / "schemas") for version in ("2.5", "2.6")}


def text_of(description: Description, **options: object) -> str:
    """Return the whole codebook."""
    return "".join(codebook_pieces(description, **options))  # type: ignore[arg-type]


def root_of(description: Description, **options: object) -> etree._Element:
    """Return the root element of a codebook, namespaces removed."""
    root = etree.fromstring(text_of(description, **options).encode())
    for node in root.iter():
        node.tag = etree.QName(node).localname
    return root


def one(variable: Variable, described: VariableDescription, **origin: str) -> Description:
    """Return a description of one variable."""
    table = Table(pa.table({variable.name: []}), (variable,), origin=Origin(**origin))
    return Description(table, (described,), "", 3)


@pytest.mark.parametrize(
    ("name", "version", "profile"),
    [
        ("ddi-2.5.xml", "2.5", TABKIT),
        ("ddi-2.6.xml", "2.6", TABKIT),
        ("ddi-repository.xml", "repository", TABKIT),
        ("ddi-dataverse.xml", "2.5", DATAVERSE),
        ("ddi-repository-dataverse.xml", "repository", DATAVERSE),
    ],
)
def test_layout(name: str, version: str, profile: Profile, tmp_path: Path) -> None:
    """Every kind of metadata once, in each dialect."""
    path = tmp_path / name
    write_codebook(survey(), path, version=version, profile=profile)
    text = re.sub("<software[^>]*>", '<software version="0">', path.read_bytes().decode("utf-8"))
    assert_golden(text, name)


@pytest.mark.parametrize("version", ["2.5", "2.6"])
@pytest.mark.parametrize("profile", [TABKIT, DATAVERSE], ids=lambda p: p.name)
@given(data=st.data())
def test_valid_for_any_table(
    schemas: dict[str, etree.XMLSchema], version: str, profile: Profile, data: st.DataObject
) -> None:
    """Design section 7: each dialect is valid against the official schema, whatever the table."""
    options = {
        "version": version,
        "profile": profile,
        "language": data.draw(st.sampled_from(["", "en", "de-CH"])),
        "title": data.draw(st.none() | st.text(max_size=5)),
    }
    text = text_of(data.draw(descriptions()), **options)
    schema = schemas[version]
    assert schema.validate(etree.parse(io.BytesIO(text.encode()))), schema.error_log


@given(description=descriptions())
def test_repository_is_well_formed_and_in_order(description: Description) -> None:
    """The fragment of the Dataverse API has the elements that Dataverse writes, in its order."""
    root = root_of(description, version="repository")
    assert [child.tag for child in root] == ["stdyDscr", "fileDscr", "dataDscr"]
    order = ["location", "labl", "qstn", "invalrng", "sumStat", "catgry", "varFormat", "notes"]
    for var in root.iter("var"):
        places = [order.index(child.tag) for child in var]
        assert places == sorted(places)
    assert not [each for each in root.iter("notes") if each.get("type", "").startswith("tabkit:")]


@given(description=descriptions(), version=st.sampled_from(VERSIONS))
def test_one_fingerprint_at_each_level(description: Description, version: str) -> None:
    """A consumer that takes the last note beginning with UNF: finds the fingerprint."""
    root = root_of(description, version=version)
    (file,) = root.iter("fileDscr")
    levels = [(file, description.unf)]
    levels += zip(root.iter("var"), (each.unf for each in description.variables), strict=True)
    for node, unf in levels:
        found = [each for each in node.iterfind("notes") if each.get("type") == "VDC:UNF"]
        assert [each.text for each in found] == ([unf] if unf else [])
        if unf:
            assert node.findall("notes")[-1] is found[0]


@pytest.mark.parametrize("version", ["2.5", "2.6"])
@pytest.mark.parametrize("count", [0, 1, 3000])
def test_any_number_of_variables(
    schemas: dict[str, etree.XMLSchema], version: str, count: int
) -> None:
    """Empty tables are valid too; wide ones are written variable by variable."""
    names = [f"v{i}" for i in range(count)]
    table = Table(pa.table({n: [] for n in names}), tuple(Variable(n) for n in names))
    described = VariableDescription(SummaryStats(), (), "")
    description = Description(table, (described,) * count, "", 0)
    pieces = list(codebook_pieces(description, version=version))
    assert max(map(len, pieces)) < 1000
    root = etree.fromstring("".join(pieces).encode())
    assert schemas[version].validate(root.getroottree())
    assert [each.get("ID") for each in root.iter("{*}var")] == [f"v{i + 1}" for i in range(count)]


def test_ids_of_a_repository() -> None:
    """Ids may be given: numbers get their letter, references follow."""
    ids = ["3068", "v3069", "w", "x.1", "3070"]
    root = root_of(survey(), file_id="768", variable_ids=ids)
    assert [each.get("ID") for each in root.iter("var")] == ["v3068", "v3069", "w", "x.1", "v3070"]
    assert {each.get("fileid") for each in root.iter("location")} == {"f768"}
    assert {each.get("files") for each in root.iter("var")} == {"f768"}
    assert [each.get("var") for each in root.iter("varGrp")] == ["v3068 x.1", "v3070"]
    assert [each.get("wgt-var") for each in root.iter("var")] == ["w", "w", None, "w", "w"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variable_ids": ["1"]}, "1 ids given for 5 variables"),
        ({"variable_ids": ["1", "2", "3", "4", "v1"]}, "'v1' occurs twice"),
        ({"variable_ids": ["1", "2", "3", "4", "f1"]}, "'f1' occurs twice"),
        ({"variable_ids": ["1", "2", "3", "4", "VG1"]}, "'VG1' occurs twice"),
        ({"file_id": "a b"}, "'a b' cannot be an id"),
        ({"file_id": ""}, "'' cannot be an id"),
        ({"variable_ids": ["1", "2", "3", "4", "é"]}, "'é' cannot be an id"),
        ({"language": "en_US"}, "'en_US' is not a language"),
        ({"version": "3.0"}, "no DDI version named '3.0'; there are 2.5, 2.6, repository"),
    ],
)
def test_unusable_options(options: dict[str, object], message: str, tmp_path: Path) -> None:
    """Wrong options are told before anything is written."""
    path = tmp_path / "c.xml"
    with pytest.raises(UsageError, match=message):
        write_codebook(survey(), path, **options)  # type: ignore[arg-type]
    assert not path.exists()


@pytest.mark.parametrize(
    ("title", "label", "file_name", "expected"),
    [
        ("Study", "Label", "a.sav", "Study"),
        (None, "Label", "a.sav", "Label"),
        (None, "", "a.b.sav", "a.b"),
        (None, "", "", "data"),
        (" ", "\t", " .sav", "data"),
    ],
)
def test_title(title: str | None, label: str, file_name: str, expected: str) -> None:
    """There is always a title: given, the file label, or the source's name."""
    table = dataclasses.replace(
        survey().table, label=label, origin=Origin(file_name=file_name), response_sets=()
    )
    root = root_of(dataclasses.replace(survey(), table=table), title=title)
    assert root.findtext("stdyDscr/citation/titlStmt/titl") == expected
    stem = Path(file_name).stem.strip() or "data"
    assert root.findtext("fileDscr/fileTxt/fileName") == f"{stem}.tab"


def test_unlabelled_values_complete_the_table() -> None:
    """All or none: a list that is cut, or one of a continuum, is left out."""
    variable = Variable("x", interval=Interval.DISCRETE, categories=(Category(1.0, "one"),))
    described = VariableDescription(
        SummaryStats(valid=3, invalid=0), (1,), UNF, others=((2.0, 2),), other_cases=2
    )

    def values(variable: Variable, described: VariableDescription) -> list[str | None]:
        root = root_of(one(variable, described))
        return [each.findtext("catValu") for each in root.iter("catgry")]

    assert values(variable, described) == ["1", "2"]
    assert values(variable, dataclasses.replace(described, other_cases=9)) == ["1"]
    continuum = dataclasses.replace(variable, interval=Interval.CONTINUOUS)
    assert values(continuum, described) == ["1"]


def test_tags_are_missing_categories() -> None:
    """A label on ``.a`` and an unlabelled ``.b`` that occurs: both are told, as missing."""
    variable = Variable("x", categories=(Category(1, "one"), Category(".a", "refused", True)))
    described = VariableDescription(
        SummaryStats(), (1, 2), "", tagged=((".a", 2), (".b", 1)), system_missing=0
    )
    root = root_of(one(variable, described, format="dta"))
    rows = [
        (each.findtext("catValu"), each.get("missing"), each.findtext("labl"))
        for each in root.iter("catgry")
    ]
    assert rows == [("1", None, "one"), (".a", "Y", "refused"), (".b", "Y", None)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("sav", {"schema": "SPSS"}),
        ("xpt", {"schema": "SAS"}),
        ("dta", {"schema": "other", "otherSchema": "Stata"}),
        ("csv", {}),
    ],
)
def test_format_schema(source: str, expected: dict[str, str]) -> None:
    """Whose display formats they are; without a display format nothing is claimed."""
    described = VariableDescription(SummaryStats(), (), "")
    root = root_of(one(Variable("x", display_format="F8.2"), described, format=source))
    attributes = dict(next(root.iter("varFormat")).attrib)
    assert attributes == {"type": "numeric", "formatname": "F8.2"} | expected
    root = root_of(one(Variable("x"), described, format=source))
    assert dict(next(root.iter("varFormat")).attrib) == {"type": "numeric"}


def test_statistics_of_dataverse() -> None:
    """Java's text of doubles; the mode is a point, and only where there are statistics."""
    stats = SummaryStats(2.0, 1e7, None, 3, 0, 0.0001, float("inf"), float("nan"))
    root = root_of(one(Variable("x"), VariableDescription(stats, (), "")), profile=DATAVERSE)
    assert [(each.get("type"), each.text) for each in root.iter("sumStat")] == [
        ("mean", "2.0"),
        ("medn", "1.0E7"),
        ("mode", "."),
        ("vald", "3.0"),
        ("invd", "0.0"),
        ("min", "1.0E-4"),
        ("max", "Infinity"),
        ("stdev", "NaN"),
    ]
    none = VariableDescription(SummaryStats(), (), "")
    assert not list(root_of(one(Variable("x"), none), profile=DATAVERSE).iter("sumStat"))


@pytest.mark.parametrize("version", ["2.5", "2.6"])
def test_schema_location(version: str) -> None:
    """The root names the official schema of its version."""
    root = etree.fromstring(text_of(survey(), version=version).encode())
    location = root.get("{http://www.w3.org/2001/XMLSchema-instance}schemaLocation")
    schema = find_official(version)
    assert location == f"{schema.namespace} {schema.official}"
    assert root.get("version") == version
