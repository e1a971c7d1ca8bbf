"""Many people: a function of a few of them at a time, on the workers of any executor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

from incongruent.trials import Trials, select

T = TypeVar("T")


def over_people(function: Callable[[Trials], T], study: Trials, *, executor: Executor, at_once: int = 1000, ahead: int = 64) -> Iterator[T]:
    """What a function gives for the people of a study, a part of them at a time, in their order.

    A person's draws depend on their name and the seed and not on who else is there, so that parts give what the whole would.

    Args:
        function: of a part of the study; it has to be picklable for executors of processes, and cloudpickle does for those of dask. Let it write
            its result to a file, or give back something small.
        study: one data set a person.
        executor: a `concurrent.futures` executor, or that of a dask cluster, ``client.get_executor(retries=3)``.
        at_once: people in a part.
        ahead: parts that are under way at a time, so that memory does not grow with the study.

    Yields:
        One result for each part.

    Raises:
        ValueError: for at_once or ahead below 1.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from incongruent.demo import demo_study
        >>> with ThreadPoolExecutor(2) as threads:
        ...     list(over_people(len, demo_study(), executor=threads, at_once=12))
        [12, 12, 6]
    """
    if at_once < 1 or ahead < 1:
        raise ValueError(f"Expected at_once and ahead of at least 1; got at_once={at_once}, ahead={ahead}.")
    parts = (select(study, slice(first, first + at_once)) for first in range(0, len(study), at_once))
    under_way: list[Future[T]] = [executor.submit(function, part) for part in islice(parts, ahead)]
    while under_way:
        yield under_way.pop(0).result()
        under_way += [executor.submit(function, part) for part in islice(parts, 1)]
