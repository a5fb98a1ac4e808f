"""What a DDI codebook says, as it was found: the result of `tabkit.ddi.parse.read_codebook`."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from tabkit.model import Finding, Origin, ResponseSet, SummaryStats, Variable

if TYPE_CHECKING:
    from tabkit.model import Value


@dataclasses.dataclass(frozen=True, slots=True)
class Location:
    """Where a variable lies in a fixed-width file; columns from 1, None where not stated.

    Attributes:
        start: First column (``StartPos``).
        end: Last column (``EndPos``).
        width: Number of columns.
        segment: Number of the record of a case (``RecSegNo``).
    """

    start: int | None = None
    end: int | None = None
    width: int | None = None
    segment: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class CodebookVariable:
    """One ``var``.

    Attributes:
        identifier: ``var/@ID``, empty where it has none.
        variable: Its metadata. Category values are numbers where the text is one and the variable
            is numeric; a category whose value has no label is among ``others``.
        file_ids: The files that hold it, from ``@files`` and ``location/@fileid``.
        location: Its place in a fixed-width file.
        stats: Unweighted statistics, None where there is none.
        frequencies: ``frequencies[i]`` counts ``variable.categories[i]``; None where not stated.
        others: Values without a label and their frequencies.
        tagged: Tagged missings without a label, (".a", count).
        unf: Fingerprint or empty.
        weight_ids: IDs of the weight variables that apply to it (``@wgt-var``).
        texts: Other texts, (element name, text): ``universe``, ``txt``, ``preQTxt``, ….
        notes: Other notes, (subject or type, text).
        line: Line of the codebook.
    """

    identifier: str
    variable: Variable
    file_ids: tuple[str, ...] = ()
    location: Location = Location()
    stats: SummaryStats = SummaryStats()  # noqa: RUF009 - frozen
    frequencies: tuple[float | None, ...] = ()
    others: tuple[tuple[Value, float | None], ...] = ()
    tagged: tuple[tuple[str, float | None], ...] = ()
    unf: str = ""
    weight_ids: tuple[str, ...] = ()
    texts: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    line: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class CodebookFile:
    """One ``fileDscr``.

    Attributes:
        identifier: ``fileDscr/@ID``.
        name: Name of the data file.
        label: Its contents in words (``fileCont``).
        cases: Number of cases, None where not stated.
        variables: Number of variables as stated (``varQnty``).
        media_type: Its type (``fileType``).
        charset: Its encoding (``fileType/@charset``).
        uri: Where it lies.
        unf: Fingerprint or empty.
        origin: The file it was made from.
        documents: Documents that came with that file.
        attributes: Custom attributes of that file, (name, text) pairs.
        notes: Other notes, (subject or type, text).
        line: Line of the codebook.
        structure: Of its records (``fileStrc/@type``): ``rectangular``, ``hierarchical``, …
    """

    identifier: str
    name: str = ""
    label: str = ""
    cases: int | None = None
    variables: int | None = None
    media_type: str = ""
    charset: str = ""
    uri: str = ""
    unf: str = ""
    origin: Origin = Origin()  # noqa: RUF009 - frozen
    documents: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()
    line: int = 0
    structure: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class CodebookGroup:
    """One ``varGrp``; ``counted`` is the counted value of a multiple-response set."""

    identifier: str
    kind: str = ""
    name: str = ""
    label: str = ""
    variable_ids: tuple[str, ...] = ()
    counted: str | None = None
    line: int = 0


@dataclasses.dataclass(frozen=True, slots=True)
class Codebook:
    """A DDI codebook.

    Attributes:
        version: As its root element says (``1.2.2``, ``2.5``, …), or empty.
        namespace: Of its root element, or empty.
        title: Of the study.
        study_ids: Identifiers of the study, (agency, identifier) pairs.
        language: ``xml:lang`` of the root element, or empty.
        files: The data files.
        variables: All variables in document order.
        groups: Groups of variables.
        findings: What could not be understood, or was left out.
    """

    version: str
    namespace: str
    title: str = ""
    study_ids: tuple[tuple[str, str], ...] = ()
    language: str = ""
    files: tuple[CodebookFile, ...] = ()
    variables: tuple[CodebookVariable, ...] = ()
    groups: tuple[CodebookGroup, ...] = ()
    findings: tuple[Finding, ...] = ()


def response_sets(codebook: Codebook) -> tuple[ResponseSet, ...]:
    """Return the multiple-response sets with the names of their variables."""
    names = {each.identifier: each.variable.name for each in codebook.variables}
    return tuple(
        ResponseSet(
            group.name,
            group.label,
            tuple(names[identifier] for identifier in group.variable_ids if identifier in names),
            group.counted,
        )
        for group in codebook.groups
        if group.kind == "multipleResp"
    )


@dataclasses.dataclass(frozen=True, slots=True)
class CodebookFinding:
    """Something wrong with a codebook.

    Attributes:
        line: Of the codebook, from 1; 0 for the codebook as a whole.
        what: What is wrong.
        where: The element, attribute or variable, as "var/@files" or "variable AGE"; or empty.
    """

    line: int
    what: str
    where: str = ""

    @property
    def text(self) -> str:
        """Where and what in one line."""
        return f"{self.where}: {self.what}" if self.where else self.what
