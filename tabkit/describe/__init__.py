"""Describe: blocks go in, a `Description` with statistics, frequencies and UNF comes out."""

from __future__ import annotations

import contextlib
import dataclasses
import threading
from typing import TYPE_CHECKING, Final, TypeVar

import pyarrow as pa

from tabkit.describe.accumulate import column_for
from tabkit.describe.columns import plain
from tabkit.describe.numbers import DIGITS
from tabkit.describe.store import SPILL_BYTES, Budget
from tabkit.describe.texts import CHARACTERS
from tabkit.describe.unf import UnfHasher, combine_unfs
from tabkit.model import Block, Description, Origin, Table
from tabkit.profiles import TABKIT, find_profile
from tabkit.read import joined_tags, read_all, stream_of
from tabkit.threads import column_pool, lanes, read_ahead

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor

    from tabkit.describe.accumulate import Column, Observer
    from tabkit.model import TableStream, Variable, VariableDescription
    from tabkit.profiles import Profile

_T = TypeVar("_T")
_BATCH_ROWS: Final = 8192  # cases gathered before columns are worked on: each visit has its price
_POOLED_COLUMNS, _POOLED_CASES = 2, 1024  # less is not worth a switch between threads
_SHARE: Final = 32  # of a run's memory for numbers that are kept
_LARGE_CASES: Final = 2_000_000
_TASKS: Final = 64  # that columns are divided into, so that no thread is left with a slow rest
_BATCH_CELLS: Final = 8_000_000  # but no more cells than these


class Describer:
    """Describes a table while its blocks pass by.

    Numbers are kept until the end, narrowed: in memory, and in a temporary file beyond a budget.

    Args:
        schema: Arrow types of the columns.
        variables: In column order.
        profile: What counts as missing, and how numbers and text are read.
        origin: Where the table came from; its format chooses among the profile's table layouts.
        digits: Significant digits of a number in the UNF, 2 to 16.
        characters: UTF-16 code units of a string in the UNF.
        memory: Bytes of numbers kept in memory; one column and its distinct values come on top.
        pool: Works on columns at the same time; None is without threads.
        observe: Called at the end with each settled variable, its description and its distinct
            valid values: a `Tally`, (text, count) pairs, or None where they were not kept apart;
            in any order, by any thread of the pool.

    Raises:
        ValueError: ``digits`` is under 2 or ``characters`` under 1.
    """

    def __init__(
        self,
        schema: pa.Schema,
        variables: Sequence[Variable],
        profile: Profile = TABKIT,
        origin: Origin = Origin(),  # noqa: B008 - frozen
        *,
        digits: int = DIGITS,
        characters: int = CHARACTERS,
        memory: float = SPILL_BYTES,
        pool: Executor | None = None,
        observe: Observer | None = None,
    ) -> None:
        self._pool = pool
        layout = profile.tab_layout(origin)
        hasher = UnfHasher(digits=digits, characters=characters)
        budget = Budget(memory)
        self._columns = [
            column_for(kind, variable, profile, layout, hasher, budget.store())
            for kind, variable in zip(schema.types, variables, strict=True)
        ]
        self._names = schema.names
        self._observe = observe
        self._waiting: list[Block] = []
        self._rows = self._cases = 0

    def append(self, block: Block) -> None:
        """Add the cases of a block; its columns are those of the schema.

        Raises:
            OutputError: The temporary file has no room.
        """
        self._waiting.append(block)
        self._rows += block.data.num_rows
        if self._rows >= _BATCH_ROWS or self._rows * len(self._columns) >= _BATCH_CELLS:
            self._work()

    def finish(self) -> tuple[tuple[Variable, ...], tuple[VariableDescription, ...], str, int]:
        """Return the settled variables, their descriptions, the file's UNF and the cases.

        The UNF is empty for a table without cases or variables. The describer is used up.
        """
        self._work()
        columns = dict(enumerate(self._columns))  # each goes when done, and its memory with it
        self._columns = []
        large = threading.Lock()  # one column at a time where one takes much memory
        guard = contextlib.nullcontext() if self._cases < _LARGE_CASES else large

        def settle(index: int) -> tuple[Variable, VariableDescription]:
            with guard:
                return self._settle(columns.pop(index))

        settled = self._over(len(columns), settle)
        variables = tuple(variable for variable, _ in settled)
        described = tuple(description for _, description in settled)
        unf = combine_unfs(each.unf for each in described) if described and self._cases else ""
        return variables, described, unf, self._cases

    def _settle(self, column: Column) -> tuple[Variable, VariableDescription]:
        variable, described = column.finish()
        if self._observe is not None:
            self._observe(variable, described, column.distinct)
        return variable, described

    def _work(self) -> None:
        blocks, self._waiting = self._waiting, []
        rows, self._rows = self._rows, 0
        self._cases += rows
        if blocks:
            tagged = set().union(*(block.missing_tags for block in blocks))
            self._over(len(self._columns), lambda index: self._work_on(index, blocks, tagged))

    def _work_on(self, index: int, blocks: Sequence[Block], tagged: set[str]) -> None:
        if len(blocks) == 1:
            array = plain(blocks[0].data.column(index))
        else:
            array = pa.concat_arrays([plain(block.data.column(index)) for block in blocks])
        name = self._names[index]
        self._columns[index].append(array, _tags_of(blocks, name) if name in tagged else None)

    def _over(self, count: int, work: Callable[[int], _T]) -> list[_T]:
        """Do work for each column, in the pool if a column has enough of it; results in order."""
        if self._pool is None or count < _POOLED_COLUMNS or self._cases < _POOLED_CASES:
            return [work(index) for index in range(count)]
        span = -(-count // _TASKS)
        parts = [range(start, min(start + span, count)) for start in range(0, count, span)]
        results = self._pool.map(lambda part: [work(index) for index in part], parts)
        return [each for part in results for each in part]


def describe(
    source: Table | TableStream,
    profile: Profile | str | None = None,
    *,
    digits: int = DIGITS,
    characters: int = CHARACTERS,
    beside: Sequence[Callable[[Block], object]] = (),
    observe: Observer | None = None,
) -> Description:
    """Compute statistics, category frequencies and UNFs of every variable.

    Args:
        source: A table keeps its data in the result. A stream is read to its end and closed;
            the result has its columns without rows, and all that the stream says of the file.
        profile: What counts as missing, and how numbers and text are read; None is the profile
            that the source was read for. Where
            ``nan_is_missing`` is false, NaN is a number in the UNF (``+nan``) and invalid in
            statistics, as no mean survives it.
        digits: Significant digits of a number in the UNF, 2 to 16. A variable's UNF names what is
            not the default in its header, ``UNF:6:N9:…``, the file's does not.
        characters: UTF-16 code units of a string in the UNF.
        beside: Each is called with every block, one block after the other, in a thread of its
            own; what it raises ends the description.
        observe: As in `Describer`.

    Raises:
        FormatError: The stream's file breaks its format's rules.
        ValueError: ``digits`` is under 2 or ``characters`` under 1.
    """
    chosen = source.profile if profile is None else find_profile(profile)
    stream = stream_of(source) if isinstance(source, Table) else source
    with column_pool() as pool:
        describer = Describer(
            stream.schema,
            stream.variables,
            chosen,
            stream.origin,
            digits=digits,
            characters=characters,
            memory=stream.memory // _SHARE,
            pool=pool,
            observe=observe,
        )
        with read_ahead(stream) as ahead, lanes(beside) as send:
            for block in ahead.blocks:
                send(block)
                describer.append(block)
        variables, described, unf, cases = describer.finish()
    table = (
        source if isinstance(source, Table) else read_all(dataclasses.replace(stream, blocks=()))
    )
    return Description(dataclasses.replace(table, variables=variables), described, unf, cases)


def _tags_of(blocks: Sequence[Block], name: str) -> pa.Int8Array | None:
    tags = joined_tags(blocks, name)
    return None if tags is None else tags.combine_chunks()
