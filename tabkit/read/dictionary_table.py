"""A data dictionary: a table with a row a variable (or a row a code), whatever its headings.

The usual headings are known, those of REDCap and of Frictionless schemas among them.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING, Any, Final

from tabkit.errors import FormatError
from tabkit.model import Category, Finding, Interval, Kind, Measure, Variable
from tabkit.options import ReadOptions
from tabkit.read.dictionary import Dictionary, Entry
from tabkit.read.dictionary_values import categories_of, missing_of, value_of
from tabkit.read.spreadsheet_layout import cell_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tabkit.model import Value

#: Headings without case, blanks and punctuation, in order of preference.
_HEADINGS: Final[Mapping[str, str]] = {
    "name": (
        "name variable variablename varname variablefieldname fieldname field column "
        "columnname colname var shortname item variableid id"
    ),
    "label": (
        "variablelabel varlabel fieldlabel label description longname "
        "variabledescription columndescription title definition meaning"
    ),
    "type": "type datatype variabletype vartype fieldtype storagetype class",
    "codes": (
        "valuelabels values codes categories choices levels codelist "
        "choicescalculationsorsliderlabels choicesorcalculations allowedvalues enum "
        "permissiblevalues responseoptions responses factorlevels valuelabelsall"
    ),
    "code": "value code categoryvalue valuecode",
    "code_label": "valuelabel codelabel categorylabel valuedescription category",
    "missing": (
        "missing missingvalues missingvalue missingcodes usermissing navalues "
        "missingvaluecodes nulls na"
    ),
    "question": "question questiontext questionwording literalquestion",
    "measure": "measure measurement measurementlevel level levelofmeasurement",
    "format": "format displayformat",
    "validation": "textvalidationtypeorshowslidernumber",
    "start": "start startpos startposition begin columnstart startcolumn from",
    "end": "end endpos endposition stop columnend endcolumn to",
    "width": "width length size columnwidth fieldwidth",
    "record": "record recsegno segment recordnumber",
    "decimals": "decimals implieddecimals dcml decimalplaces",
    "unit": "unit units unitofmeasurement",
    "note": "note notes comment comments fieldnote remarks",
}
_CHARACTER: Final = (
    "string str text character char varchar alphanumeric a notes object email uri uuid c"
)
_NUMERIC: Final = (
    "numeric number num n integer int float double decimal real byte long int64 float64 boolean "
    "bool logical slider calc year yesno truefalse checkbox percent currency"
)
_SCALE: Final = "float double decimal real float64 percent currency"
_DATES: Final = {"date": "date", "datetime": "time", "time": "time", "timestamp": "time"}
_MEASURES: Final = {
    "nominal": Measure.NOMINAL,
    "categorical": Measure.NOMINAL,
    "ordinal": Measure.ORDINAL,
    "scale": Measure.SCALE,
    "interval": Measure.SCALE,
    "ratio": Measure.SCALE,
    "continuous": Measure.SCALE,
}
_YES_NO: Final = {
    "yesno": (Category(1, "Yes"), Category(0, "No")),
    "truefalse": (Category(1, "True"), Category(0, "False")),
}
_LISTED: Final = 20


def read_dictionary(path: Path, stem: str) -> Dictionary:  # noqa: ARG001 - as of a codebook
    """Read a table of variables, in any format that tabkit reads.

    Raises:
        FormatError: It has no heading that means a name, or no row.
    """
    from tabkit.read import open_with, read_all

    table = read_all(open_with(path, ReadOptions(text_columns=frozenset({"*"}))))
    found = _columns(table.data.column_names)
    if "name" not in found:
        heads = ", ".join(table.data.column_names[:8])
        reason = f"no column of this dictionary is headed name or variable, but {heads}"
        raise FormatError(reason, path)
    rows = [
        {role: cell_text(row[name]) for role, name in found.items() if row[name] is not None}
        for row in table.data.select(list(found.values())).to_pylist()
    ]
    if found["name"].lower().startswith("variable / field name"):  # REDCap: numbers are texts too
        rows = [row | {"type": row.get("type", "").replace("text", "")} for row in rows]
    findings: list[Finding] = []
    entries: dict[str, Entry] = {}
    for name, group in _groups(rows):
        for entry in _entries(name, group, findings):
            if entry.variable.name in entries:
                text = "the dictionary describes it twice: the first counts"
                findings.append(Finding(text, "warning", entry.variable.name))
            entries.setdefault(entry.variable.name, entry)
    if not entries:
        raise FormatError("the dictionary describes no variable", path)
    return Dictionary(path, tuple(entries.values()), findings=tuple(findings))


def _columns(names: Sequence[str]) -> dict[str, str]:
    """Return the heading of each role that is there."""
    plain: dict[str, str] = {}
    for name in names:
        plain.setdefault(re.sub(r"[\W_]", "", name.lower()), name)
    found: dict[str, str] = {}
    for role, headings in _HEADINGS.items():
        heading = next((plain[each] for each in headings.split() if each in plain), None)
        if heading is not None and heading not in found.values():
            found[role] = heading
    if "code" in found and "code_label" not in found and {"label", "name"} <= found.keys():
        # A row a code, headed variable, value, label: the label is the code's.
        plain_label = plain.get("label")
        if found["label"] == plain_label and "codes" not in found:
            found["code_label"] = found.pop("label")
    return found


def _groups(rows: Sequence[dict[str, str]]) -> list[tuple[str, list[dict[str, str]]]]:
    """Join rows of one variable: of a row a code, only the first may have the name."""
    groups: dict[str, list[dict[str, str]]] = {}
    name = ""
    for row in rows:
        name = row.get("name", "").strip() or (name if row.get("code") else "")
        if name:
            groups.setdefault(name, []).append(row)
    return list(groups.items())


def _entries(name: str, rows: list[dict[str, str]], findings: list[Finding]) -> list[Entry]:
    said: dict[str, str] = {}
    for row in rows:
        for role, text in row.items():
            said.setdefault(role, text)
    type_ = said.get("type", "").strip().lower()
    if type_ == "descriptive":  # a heading of a REDCap form, no data
        return []
    kind = _kind(type_)
    variable = _variable(name, said, type_, kind)
    categories = _categories(name, rows, said, type_, kind, findings)
    if type_ == "checkbox":
        return [_box(variable, each) for each in categories]
    if type_ in ("calc", "slider"):  # REDCap keeps a formula or the ends' names there
        categories = ()
    values, ranges, labels = missing_of(said.get("missing", ""), kind)
    known = {each.value for each in categories}
    categories += tuple(each for each in labels if each.value not in known)
    variable = dataclasses.replace(
        variable,
        categories=tuple(
            dataclasses.replace(each, missing=each.missing or each.value in values)
            for each in categories
        ),
        missing_values=values,
        missing_ranges=ranges,
    )
    return [_placed(Entry(variable, kind), said, kind)]


def _kind(type_: str) -> Kind | None:
    """Tell the kind by the first word of a type: ``string``, ``numeric (8.2)``, ``F8``."""
    word = next(iter(re.findall(r"[a-z0-9]+", type_)), "")
    if word in _DATES or word in _CHARACTER.split():
        return Kind.CHARACTER
    spss = re.fullmatch(r"([af])[0-9]+", word)
    if spss is not None:
        return Kind.CHARACTER if spss[1] == "a" else Kind.NUMERIC
    return Kind.NUMERIC if word in _NUMERIC.split() else None


def _variable(name: str, said: Mapping[str, str], type_: str, kind: Kind | None) -> Variable:
    category = _DATES.get(type_) or _DATES.get(said.get("validation", "").split("_")[0], "")
    attributes = tuple((role, said[role].strip()) for role in ("unit", "note") if said.get(role))
    return Variable(
        name,
        label=" ".join(said.get("label", "").split()),
        kind=kind or Kind.NUMERIC,
        interval=Interval.CONTINUOUS if type_ in _SCALE.split() else None,
        measure=_MEASURES.get(said.get("measure", "").strip().lower(), Measure.UNKNOWN),
        display_format="" if category else said.get("format", "").strip(),
        format_category=category,
        question=" ".join(said.get("question", "").split()),
        attributes=attributes,
    )


def _categories(
    name: str,
    rows: list[dict[str, str]],
    said: Mapping[str, str],
    type_: str,
    kind: Kind | None,
    findings: list[Finding],
) -> tuple[Category, ...]:
    if "code" in said:
        pairs = {
            value_of(row["code"], kind): row.get("code_label", "") for row in rows if "code" in row
        }
        return tuple(Category(value, label) for value, label in pairs.items() if label)
    if not said.get("codes") or type_ in ("calc", "slider"):
        return _YES_NO.get(type_, ())
    found, wrong = categories_of(said["codes"], kind)
    if wrong:
        text = f"its codes were not all understood: {wrong!r}"
        findings.append(Finding(text, "warning", name))
    return found


def _box(variable: Variable, choice: Category) -> Entry:
    """Return a choice of a REDCap check box, which is exported as a variable of its own."""
    code = re.sub(r"[^a-z0-9]", "_", str(choice.value).lower())
    return Entry(
        dataclasses.replace(
            variable,
            name=f"{variable.name}___{code}",
            label=f"{variable.label}: {choice.label}",
            kind=Kind.NUMERIC,
            categories=(Category(0, "Unchecked"), Category(1, "Checked")),
        ),
        Kind.NUMERIC,
    )


def _placed(entry: Entry, said: Mapping[str, str], kind: Kind | None) -> Entry:
    """Add the place in a fixed-width file; a width alone is one of the values, not a place."""
    numbers: dict[str, Any] = {}
    for role in ("start", "end", "width", "record", "decimals"):
        value: Value = value_of(said.get(role, ""), Kind.NUMERIC)
        numbers[role] = int(value) if not isinstance(value, str) and value >= 0 else None
    start, end, width = numbers["start"], numbers["end"], numbers["width"]
    if start is None:
        return entry
    if width is None and end is not None:
        width = end - start + 1
    implied = (numbers["decimals"] or 0) if kind != Kind.CHARACTER else 0
    return dataclasses.replace(
        entry, start=start, width=width, record=numbers["record"] or 1, implied=implied
    )
