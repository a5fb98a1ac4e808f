"""Several questions to a server at the same time, their answers in the order of the questions."""

from __future__ import annotations

import collections
import concurrent.futures
import itertools
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tabkit.clients.http import Http

_AHEAD: Final = 2  # questions for each thread, so that none waits for whoever takes the answers
_Q = TypeVar("_Q")
_A = TypeVar("_A")


def answers(ask: Callable[[_Q], _A], questions: Iterable[_Q], http: Http) -> Iterator[_A]:
    """Ask as many at a time as there are connections; give the answers in order.

    A list of a thousand files that must each be asked for costs a thousand times the way to the
    server and back otherwise.

    Args:
        ask: Asks one; its errors come where its answer would.
        questions: What to ask.
        http: Its number of jobs is the bound; an interrupt ends what is under way.
    """
    left = iter(questions)
    waiting: collections.deque[concurrent.futures.Future[_A]] = collections.deque()
    pool = concurrent.futures.ThreadPoolExecutor(http.jobs, thread_name_prefix="tabkit-list")
    try:
        while True:
            room = http.jobs * _AHEAD - len(waiting)
            waiting.extend(pool.submit(ask, each) for each in itertools.islice(left, room))
            if not waiting:
                return
            yield waiting.popleft().result()
    except KeyboardInterrupt:
        http.hang_up()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
