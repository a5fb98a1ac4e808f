"""Make plain data with what describes them: ``python extracts.py FOLDER``.

* ``census.dat.gz``, ``census.xml``: fixed-width, as an IPUMS extract is shipped;
* ``survey.tab``, ``survey-ddi.xml``: as Dataverse ships a table with its codebook;
* ``clinic.csv``, ``clinic-dictionary.csv``: as REDCap exports them.
"""

from __future__ import annotations

import gzip
import sys
from pathlib import Path
from xml.sax.saxutils import escape

#: name, width, implied decimals, type, label, codes
LAYOUT = (
    ("YEAR", 4, 0, "numeric", "Census year", {}),
    ("SERIAL", 8, 0, "numeric", "Household serial number", {}),
    ("PERWT", 10, 2, "numeric", "Person weight", {}),
    ("SEX", 1, 0, "numeric", "Sex", {1: "Male", 2: "Female", 9: "Missing/blank"}),
    ("AGE", 3, 0, "numeric", "Age", {0: "Less than 1 year old", 1: "1", 999: "Missing"}),
    ("INCTOT", 7, 0, "numeric", "Total personal income", {}),
    ("NAME", 12, 0, "character", "Place of birth", {}),
)
#: What the data hold; None is blank.
CASES = (
    (2020, 1, 123.45, 1, 34, 52_000, "Zürich"),
    (2020, 1, 98.7, 2, 0, -1_500, "Genève"),
    (2021, 20_000_001, 0.01, 9, 999, None, "Bern"),
    (2021, 20_000_002, 99_999_999.99, 2, None, 9_999_999, None),
    (2022, 3, 7.0, 3, 101, 0, "New  York"),
)


def line(case: tuple[object, ...]) -> str:
    """Return a case as IPUMS prints it: numbers right, zeros before, points implied."""
    cells = []
    for value, (_, width, decimals, kind, _, _) in zip(case, LAYOUT, strict=True):
        if value is None:
            cells.append(" " * width)
        elif kind == "character":
            cells.append(f"{value:<{width}}")
        else:
            cells.append(f"{round(float(value) * 10**decimals):0{width}d}")
    return "".join(cells)


def ipums_codebook(charset: str = "") -> str:
    """Return a codebook in the manner of an IPUMS extract's DDI 2.5."""
    position, variables = 1, []
    for name, width, decimals, kind, label, codes in LAYOUT:
        categories = "".join(
            f"<catgry{missing}><catValu>{value}</catValu><labl>{escape(text)}</labl></catgry>"
            for value, text in codes.items()
            for missing in (' missing="Y"' if text.startswith("Missing") else "",)
        )
        interval = "contin" if decimals or name == "INCTOT" else "discrete"
        variables.append(
            f'<var ID="{name}" name="{name}" files="F1" dcml="{decimals}" intrvl="{interval}">'
            f'<location StartPos="{position}" EndPos="{position + width - 1}" width="{width}"/>'
            f"<labl>{label}</labl><txt>Text on {name}.</txt>{categories}"
            f'<varFormat type="{kind}" schema="other"/></var>'
        )
        position += width
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<codeBook xmlns="ddi:codebook:2_5" version="2.5"><stdyDscr><citation><titlStmt>'
        "<titl>User Extract</titl></titlStmt></citation></stdyDscr>"
        '<fileDscr ID="F1"><fileTxt><fileName>census.dat</fileName>'
        '<fileStrc type="rectangular"/>'
        f"<dimensns><caseQnty>{len(CASES)}</caseQnty></dimensns>"
        f"<fileType{charset}>fixed length fields</fileType></fileTxt></fileDscr>"
        f"<dataDscr>{''.join(variables)}</dataDscr></codeBook>\n"
    )


def write_ipums(folder: Path) -> None:
    """Write the fixed-width pair."""
    text = "".join(line(case) + "\n" for case in CASES)
    (folder / "census.dat.gz").write_bytes(gzip.compress(text.encode("latin-1"), mtime=0))
    charset = ' charset="iso-8859-1"'
    (folder / "census.xml").write_text(ipums_codebook(charset), encoding="utf-8")


def write_dataverse(folder: Path) -> None:
    """Write the pair of a table and the codebook that the repository exports."""
    (folder / "survey.tab").write_text(
        "id\tanswer\tcode\tsaid\tday\n"
        '1\t1.0\t"01"\t"a \\"b\\"\\tc"\t2020-01-31\n'
        '2\t\t"02"\t""\t\n'
        '3\t-9.0\t"07"\t"back\\\\slash"\t2020-02-29\n',
        encoding="utf-8",
    )
    variables = (
        '<var ID="v1" name="id" intrvl="discrete"><location fileid="f1"/>'
        '<labl level="variable">Number</labl><varFormat type="numeric"/></var>'
        '<var ID="v2" name="answer" intrvl="contin"><location fileid="f1"/>'
        '<labl level="variable">Answer</labl><catgry><catValu>1</catValu>'
        '<labl level="category">Yes</labl></catgry><catgry missing="Y"><catValu>-9</catValu>'
        '<labl level="category">Refused</labl></catgry><varFormat type="numeric"/></var>'
        '<var ID="v3" name="code" intrvl="discrete"><location fileid="f1"/>'
        '<labl level="variable">Code</labl><varFormat type="character"/></var>'
        '<var ID="v4" name="said" intrvl="discrete"><location fileid="f1"/>'
        '<labl level="variable">Said</labl><varFormat type="character"/></var>'
        '<var ID="v5" name="day" intrvl="discrete"><location fileid="f1"/>'
        '<labl level="variable">Day</labl>'
        '<varFormat type="character" category="date" formatname="yyyy-MM-dd"/></var>'
    )
    (folder / "survey-ddi.xml").write_text(
        '<codeBook xmlns="http://www.icpsr.umich.edu/DDI" version="2.0">'
        '<fileDscr ID="f1"><fileTxt><fileName>survey.tab</fileName>'
        "<dimensns><caseQnty>3</caseQnty><varQnty>5</varQnty></dimensns></fileTxt></fileDscr>"
        f"<dataDscr>{variables}</dataDscr></codeBook>",
        encoding="utf-8",
    )


def write_redcap(folder: Path) -> None:
    """Write an export and its dictionary."""
    (folder / "clinic.csv").write_text(
        "record_id,sex,pets___1,pets___2,smokes,weight,phone,visit,clinic_complete\n"
        "1,1,1,0,1,70.5,0041,2020-01-31,2\n"
        "2,2,0,1,0,,0049,,0\n"
        "3,7,0,0,,heavy,,2020-02-29,2\n",
        encoding="utf-8",
    )
    (folder / "clinic-dictionary.csv").write_text(
        '"Variable / Field Name","Form Name","Section Header","Field Type","Field Label",'
        '"Choices, Calculations, OR Slider Labels","Field Note",'
        '"Text Validation Type OR Show Slider Number"\n'
        "record_id,clinic,,text,Record ID,,,\n"
        'intro,clinic,,descriptive,"Welcome",,,\n'
        'sex,clinic,,radio,"Sex at birth","1, Male | 2, Female | 3, Other, or none",,\n'
        'pets,clinic,,checkbox,Pets,"1, Cat | 2, Dog",,\n'
        "smokes,clinic,,yesno,Smokes?,,,\n"
        "weight,clinic,,calc,Weight,[a]/[b],in kg,number\n"
        "phone,clinic,,notes,Phone,,,\n"
        "visit,clinic,,text,Day of visit,,,date_ymd\n",
        encoding="utf-8",
    )


def main() -> None:
    """Write all pairs into the folder named on the command line."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for write in (write_ipums, write_dataverse, write_redcap):
        write(folder)


if __name__ == "__main__":
    main()
