"""The figures of a codebook checked against each other: counts, frequencies, fingerprints."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from tabkit.ddi.codebook import CodebookFinding
from tabkit.ddi.parse import file_of
from tabkit.ddi.parse_variable import variable_of
from tabkit.model import Interval

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tabkit.ddi.codebook import CodebookFile, CodebookVariable
    from tabkit.ddi.events import Section


class _Facts(NamedTuple):
    """What is kept of a variable."""

    name: str
    line: int
    file_ids: tuple[str, ...]
    unf: str
    valid: int | None
    invalid: int | None


class Figures:
    """Checks the figures of a codebook while its sections pass by.

    * ``varQnty`` is the number of ``var`` elements of the file;
    * a file's fingerprint is the combination of its variables';
    * valid and invalid cases make ``caseQnty``;
    * frequencies do not exceed the cases they divide, and make them up where a table is complete;
    * the variable that weights others is marked as a weight.

    Of each variable its name, its fingerprint and its numbers of cases are kept, no more. As in
    `tabkit.ddi.parse.read_codebook`, of several codebooks in a file only the first is looked at.
    """

    def __init__(self) -> None:
        self._book: object = None
        self._files: list[CodebookFile] = []
        self._variables: list[_Facts] = []
        self._known: set[str] = set()
        self._weights: set[str] = set()
        self._weighted: list[tuple[str, int, tuple[str, ...]]] = []
        self._frequencies: list[CodebookFinding] = []
        self._same: dict[tuple[str, ...], tuple[str, ...]] = {}

    def watch(self, stream: Iterable[Section]) -> Iterator[Section]:
        """Yield sections as they come, looking at each."""
        for section in stream:
            self._look_at(section)
            yield section

    def findings(self) -> Iterator[CodebookFinding]:
        """Yield what does not add up."""
        for file in self._files:
            variables = self._variables_of(file)
            yield from _check_file(file, variables)
            for each in variables:
                yield from _check_cases(each, file.cases)
        yield from self._frequencies
        for name, line, weights in self._weighted:
            for identifier in weights:
                if identifier in self._known and identifier not in self._weights:
                    what = f"its weight {identifier!r} is not marked as one"
                    yield _finding(name, line, what)

    def _look_at(self, section: Section) -> None:
        if self._book is None:
            self._book = section.book
        if section.book is not self._book:
            return
        if section.name == "fileDscr":
            self._files.append(file_of(section))
        elif section.name == "var":
            self._add(variable_of(section, []))

    def _add(self, each: CodebookVariable) -> None:
        name, weights = each.variable.name, self._shared(each.weight_ids)
        self._known.add(each.identifier)
        if each.variable.weight:
            self._weights.add(each.identifier)
        if weights:
            self._weighted.append((name, each.line, weights))
        file_ids, stats = self._shared(each.file_ids), each.stats
        facts = _Facts(name, each.line, file_ids, each.unf, stats.valid, stats.invalid)
        self._variables.append(facts)
        self._frequencies.extend(_check_frequencies(each))

    def _shared(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return self._same.setdefault(texts, texts)

    def _variables_of(self, file: CodebookFile) -> Sequence[_Facts]:
        """Return the variables of a file; those that name none belong to an only file."""
        alone = len(self._files) == 1
        return [
            each
            for each in self._variables
            if file.identifier in each.file_ids or (alone and not each.file_ids)
        ]


def _finding(name: str, line: int, what: str) -> CodebookFinding:
    return CodebookFinding(line, what, f"variable {name}")


def _check_file(file: CodebookFile, variables: Sequence[_Facts]) -> Iterator[CodebookFinding]:
    from tabkit.describe.unf import combine_unfs

    where = f"file {file.name or file.identifier}"
    if file.variables is not None and file.variables != len(variables):
        what = f"varQnty is {file.variables:,}, but it has {len(variables):,} var"
        yield CodebookFinding(file.line, what, where)
    unfs = [each.unf for each in variables]
    if file.unf.startswith("UNF:6:") and unfs and all(unf.startswith("UNF:6:") for unf in unfs):
        combined = combine_unfs(unfs)
        if combined != file.unf:
            what = f"its fingerprint is {file.unf}, but its variables make {combined}"
            yield CodebookFinding(file.line, what, where)


def _check_cases(each: _Facts, cases: int | None) -> Iterator[CodebookFinding]:
    valid, invalid = each.valid, each.invalid
    if None not in (cases, valid, invalid) and (valid or 0) + (invalid or 0) != cases:
        yield _finding(
            each.name, each.line, f"{valid:,} valid and {invalid:,} invalid cases of {cases:,}"
        )


def _check_frequencies(each: CodebookVariable) -> Iterator[CodebookFinding]:
    """Compare frequencies with the valid and the invalid cases.

    Values without a label are listed to make a table complete: then the sums must be equal.
    """
    name = each.variable.name
    pairs = list(zip(each.variable.categories, each.frequencies, strict=True))
    others = [count for _, count in each.others]
    good = _total([count for category, count in pairs if not category.missing] + others)
    bad = _total(
        [count for category, count in pairs if category.missing]
        + [count for _, count in each.tagged]
    )
    valid, invalid = each.stats.valid, each.stats.invalid
    if good is not None and valid is not None:
        complete = bool(others) and each.variable.interval != Interval.CONTINUOUS
        if good > valid or (complete and good != valid):
            yield _finding(
                name, each.line, f"frequencies of valid values make {good:,g}, not {valid:,}"
            )
    if bad is not None and invalid is not None and bad > invalid:
        yield _finding(
            name, each.line, f"frequencies of missing values make {bad:,g}, more than {invalid:,}"
        )


def _total(counts: Sequence[float | None]) -> float | None:
    """Return the sum, None where a count is not stated."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
