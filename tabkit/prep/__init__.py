"""Prep: the preprocessed data of a table, summaries and plot values for tools that explore it."""

from __future__ import annotations

import contextlib
import json
import math
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tabkit.options import ReadOptions
from tabkit.output import whole_files

if TYPE_CHECKING:
    from tabkit.describe.accumulate import Distinct
    from tabkit.formats import FileFormat
    from tabkit.model import Description, TableStream, Variable, VariableDescription


class Summaries:
    """Collects the prep object of every variable while a table is described.

    ``observe`` is for `tabkit.describe.describe`, which calls it in any order.
    """

    def __init__(self) -> None:
        self._variables: dict[str, dict[str, Any]] = {}

    def observe(
        self, variable: Variable, described: VariableDescription, distinct: Distinct
    ) -> None:
        """Add a variable."""
        from tabkit.prep.summary import variable_prep

        self._variables[variable.name] = variable_prep(variable, described, distinct)

    def of(self, description: Description) -> dict[str, dict[str, Any]]:
        """Return the objects by name, in the order of the described table."""
        return {each.name: self._variables[each.name] for each in description.table.variables}


def prep(
    source: Path | str,
    target: Path | str | None = None,
    *,
    force: bool = False,
    name: str | None = None,
    options: ReadOptions | None = None,
    file_format: FileFormat | None = None,
) -> dict[str, Any]:
    """Compute the preprocessed data of a file: types, statistics and plot values of each variable.

    A variable with fewer than 13 distinct values, or a nominal one, has ``plotvalues``, a count
    for each value; any other has a density of 50 points, ``plotx`` and ``ploty``. The form is
    `schemas/prep.schema.json`; profile ``dataverse`` gives what the repository's R script gives.

    Args:
        source: The file, read once.
        target: Where to write it as JSON; None only returns it.
        force: Replace a target that exists.
        name: The source's own name, where ``source`` is a temporary copy.
        options: Reading options, the profile among them.
        file_format: Skips the detection of the source's format.

    Returns:
        ``{"dataset": …, "variables": {name: …}}``, as JSON has it.

    Raises:
        FormatError: The source cannot be read.
        OutputError: The target exists already or cannot be written.
    """
    from tabkit.read import open_with

    options = options or ReadOptions()
    with contextlib.ExitStack() as stack:
        targets = [] if target is None else [Path(target)]
        drafts = stack.enter_context(whole_files(targets, force=force))
        stream = stack.enter_context(open_with(Path(source), options, file_format, name))
        found = prep_of(stream)
        for draft in drafts:
            write_prep(found, draft)
    return found


def prep_of(stream: TableStream) -> dict[str, Any]:
    """Return the preprocessed data of a stream, read to its end, by the stream's profile."""
    from tabkit.describe import describe
    from tabkit.write.tab import write_tab_stream

    if not stream.profile.prep_by_script:
        summaries = Summaries()
        description = describe(stream, observe=summaries.observe)
        return prep_object(summaries.of(description))
    with tempfile.TemporaryDirectory(prefix="tabkit-") as folder:
        tab = Path(folder) / "table.tab"
        write_tab_stream(stream, tab)
        return prep_of_tab(tab)


def prep_of_tab(path: Path) -> dict[str, Any]:
    """Return what the repository's R script makes of an archival table with its header line."""
    from tabkit.prep.script import script_prep

    return prep_object(script_prep(path))


def prep_object(variables: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the object of a data file, given its variables'."""
    return {"dataset": {"private": False}, "variables": variables}


def write_prep(found: dict[str, Any], path: Path) -> None:
    """Write preprocessed data as one line of JSON."""
    with path.open("w", encoding="utf-8") as file:
        json.dump(_finite(found), file, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def _finite(value: Any) -> Any:
    """Give numbers that JSON lacks as text, as rjson does; only the script's output has any."""
    if isinstance(value, dict):
        return {key: _finite(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_finite(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else ("Inf" if value > 0 else "-Inf")
    return value
