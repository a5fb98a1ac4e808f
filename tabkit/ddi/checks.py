"""The figures of a codebook checked against each other: counts, frequencies, fingerprints."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tabkit.ddi.codebook import CodebookFinding
from tabkit.model import Interval

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tabkit.ddi.codebook import Codebook, CodebookFile, CodebookVariable


def check_figures(codebook: Codebook) -> Iterator[CodebookFinding]:
    """Yield what does not add up.

    * ``varQnty`` is the number of ``var`` elements of the file;
    * a file's fingerprint is the combination of its variables';
    * valid and invalid cases make ``caseQnty``;
    * frequencies do not exceed the cases they divide, and make them up where a table is complete;
    * the variable that weights others is marked as a weight.
    """
    for file in codebook.files:
        variables = _variables_of(codebook, file)
        yield from _check_file(file, variables)
        for each in variables:
            yield from _check_cases(each, file.cases)
    for each in codebook.variables:
        yield from _check_frequencies(each)
    weights = {each.identifier for each in codebook.variables if each.variable.weight}
    known = {each.identifier for each in codebook.variables}
    for each in codebook.variables:
        for identifier in each.weight_ids:
            if identifier in known - weights:
                yield _finding(each, f"its weight {identifier!r} is not marked as one")


def _finding(variable: CodebookVariable, what: str) -> CodebookFinding:
    return CodebookFinding(variable.line, what, f"variable {variable.variable.name}")


def _variables_of(codebook: Codebook, file: CodebookFile) -> Sequence[CodebookVariable]:
    """Return the variables of a file; those that name none belong to an only file."""
    alone = len(codebook.files) == 1
    return [
        each
        for each in codebook.variables
        if file.identifier in each.file_ids or (alone and not each.file_ids)
    ]


def _check_file(
    file: CodebookFile, variables: Sequence[CodebookVariable]
) -> Iterator[CodebookFinding]:
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


def _check_cases(each: CodebookVariable, cases: int | None) -> Iterator[CodebookFinding]:
    valid, invalid = each.stats.valid, each.stats.invalid
    if None not in (cases, valid, invalid) and (valid or 0) + (invalid or 0) != cases:
        yield _finding(each, f"{valid:,} valid and {invalid:,} invalid cases of {cases:,}")


def _check_frequencies(each: CodebookVariable) -> Iterator[CodebookFinding]:
    """Compare frequencies with the valid and the invalid cases.

    Values without a label are listed to make a table complete: then the sums must be equal.
    """
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
            yield _finding(each, f"frequencies of valid values make {good:,g}, not {valid:,}")
    if bad is not None and invalid is not None and bad > invalid:
        yield _finding(each, f"frequencies of missing values make {bad:,g}, more than {invalid:,}")


def _total(counts: Sequence[float | None]) -> float | None:
    """Return the sum, None where a count is not stated."""
    known = [count for count in counts if count is not None]
    return sum(known) if len(known) == len(counts) else None
