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
from tabkit.describe.short import Short, describe_short, is_plain
from tabkit.describe.store import SPILL_BYTES, Budget
from tabkit.describe.texts import CHARACTERS
from tabkit.describe.unf import UnfHasher, combine_unfs
from tabkit.lean import give_back
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
        self._profile, self._layout = profile, profile.tab_layout(origin)
        self._is_plain = is_plain(profile)
        self._digits, self._characters = digits, characters
        self._hasher = UnfHasher(digits=digits, characters=characters)
        self._budget = Budget(memory)
        self._types, self._names, self._variables = schema.types, schema.names, variables
        self._columns: list[Column] = []  # made when the first batch of cases is full
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
        if self._rows >= _BATCH_ROWS or self._rows * len(self._types) >= _BATCH_CELLS:
            self._work()

    def finish(self) -> tuple[tuple[Variable, ...], tuple[VariableDescription, ...], str, int]:
        """Return the settled variables, their descriptions, the file's UNF and the cases.

        The UNF is empty for a table without cases or variables. The describer is used up.
        """
        if self._columns:
            self._work()
        columns = dict(enumerate(self._columns))  # each goes when done, and its memory with it
        self._columns = []
        whole, tagged = self._taken()
        large = threading.Lock()  # one column at a time where one takes much memory
        guard = contextlib.nullcontext() if self._cases < _LARGE_CASES else large

        def settle(index: int) -> tuple[Variable, VariableDescription]:
            with guard:
                if columns:
                    return self._settled(columns.pop(index))
                return self._at_once(index, whole, tagged)

        settled = self._over(len(self._types), settle)
        variables = tuple([variable for variable, _ in settled])
        described = tuple([description for _, description in settled])
        unf = combine_unfs([each.unf for each in described]) if described and self._cases else ""
        return variables, described, unf, self._cases

    def _at_once(
        self, index: int, blocks: Sequence[Block], tagged: set[str]
    ) -> tuple[Variable, VariableDescription]:
        """Describe a column of which all cases wait."""
        array, tags = self._gathered(index, blocks, tagged)
        short = self._short(index, array) if tags is None else None
        if short is None:
            column = self._column(index)
            column.append(array, tags)
            return self._settled(column)
        if self._observe is not None:
            self._observe(*short)
        return short.variable, short.described

    def _settled(self, column: Column) -> tuple[Variable, VariableDescription]:
        variable, described = column.finish()
        if self._observe is not None:
            self._observe(variable, described, column.distinct)
        return variable, described

    def _short(self, index: int, array: pa.Array) -> Short | None:
        if not self._is_plain:
            return None
        return describe_short(
            array,
            self._variables[index],
            self._profile,
            digits=self._digits,
            characters=self._characters,
            keep=self._observe is not None,
        )

    def _column(self, index: int) -> Column:
        return column_for(
            self._types[index],
            self._variables[index],
            self._profile,
            self._layout,
            self._hasher,
            self._budget.store(),
        )

    def _work(self) -> None:
        blocks, tagged = self._taken()
        if not self._columns:
            self._columns = [self._column(index) for index in range(len(self._types))]

        def work(index: int) -> None:
            self._columns[index].append(*self._gathered(index, blocks, tagged))

        self._over(len(self._columns), work)

    def _taken(self) -> tuple[list[Block], set[str]]:
        """Take the blocks that wait, and the names of their variables with tags."""
        blocks, self._waiting = self._waiting, []
        self._cases += self._rows
        self._rows = 0
        return blocks, set[str]().union(*(block.missing_tags for block in blocks))

    def _gathered(
        self, index: int, blocks: Sequence[Block], tagged: set[str]
    ) -> tuple[pa.Array, pa.Int8Array | None]:
        """Return the cases of a column in one array, and their tags if there are any."""
        if not blocks:
            array = plain(pa.array([], self._types[index]))
        elif len(blocks) == 1:
            array = plain(blocks[0].data.column(index))
        else:
            array = pa.concat_arrays([plain(block.data.column(index)) for block in blocks])
        name = self._names[index]
        return array, _tags_of(blocks, name) if name in tagged else None

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
        give_back()
        variables, described, unf, cases = describer.finish()
    table = (
        source if isinstance(source, Table) else read_all(dataclasses.replace(stream, blocks=()))
    )
    return Description(dataclasses.replace(table, variables=variables), described, unf, cases)


def _tags_of(blocks: Sequence[Block], name: str) -> pa.Int8Array | None:
    tags = joined_tags(blocks, name)
    return None if tags is None else tags.combine_chunks()
