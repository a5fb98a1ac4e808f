"""Many questions at a time."""

from __future__ import annotations

import threading

import pytest

from tabkit.clients.ahead import answers
from tabkit.clients.http import Http


def test_as_many_at_a_time_as_there_are_connections() -> None:
    """Each question waits until three are asked: fewer at a time would break the barrier."""
    together = threading.Barrier(3)

    def ask(number: int) -> int:
        together.wait(10)
        return number * 2

    with Http(jobs=3) as http:
        assert list(answers(ask, range(30), http)) == [2 * n for n in range(30)]


def test_no_more_than_a_few_ahead_of_whoever_takes_them() -> None:
    """A list of millions is not asked for at once."""
    taken: list[int] = []

    def questions() -> object:
        for number in range(1000):
            taken.append(number)
            yield number

    with Http(jobs=2) as http:
        got = answers(str, questions(), http)
        assert [next(got) for _ in range(10)] == [str(n) for n in range(10)]
        assert len(taken) < 20
        got.close()


def test_a_failure_comes_in_its_turn() -> None:
    def ask(number: int) -> int:
        return 10 // (3 - number)

    with Http(jobs=2) as http:
        got = answers(ask, range(10), http)
        assert [next(got) for _ in range(3)] == [3, 5, 10]
        with pytest.raises(ZeroDivisionError):
            next(got)
