"""Work on many data sets at a time: on threads, or on the workers of any executor."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from itertools import islice
from threading import Event
from typing import TypeVar

from incongruent.data.basics.packing import for_processes
from incongruent.data.trials import Trials

S = TypeVar("S")
T = TypeVar("T")


def in_threads(
    function: Callable[[S], T],
    items: Iterable[S],
    *,
    workers: int | None,
    done: Callable[[int], None] = lambda n: None,
    stop: Event | None = None,
) -> list[T]:
    """Apply a function to each of several items on threads; results come in their order.

    Args:
        function: of one item; it releases the interpreter's lock most of the time.
        items: what it is applied to.
        workers: threads; one for each core when left out.
        done: is called, in this thread, after each item with how many are done.
        stop: is set when the rest is not wanted any more, for functions that take long.

    Raises:
        Exception: what the function raised first. Items that were not begun are left out then, and
            after Ctrl-C.

    Example:
        >>> in_threads(abs, [-1, 2, -3], workers=2)
        [1, 2, 3]
    """
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        futures = [pool.submit(function, item) for item in items]
        try:
            for n, future in enumerate(as_completed(futures), 1):
                future.result()
                done(n)
        except BaseException:
            if stop is not None:
                stop.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return [future.result() for future in futures]


def over_people(
    function: Callable[[Trials], T],
    study: Trials,
    *,
    executor: Executor,
    at_once: int = 1000,
    ahead: int = 64,
) -> Iterator[T]:
    """Apply a function to the people of a study, a part of them at a time, in their order.

    The draws of a person depend on their name and the seed, and not on who else is in the study, so
    that the parts together give what the study would.

    Args:
        function: of a part of the study. Let it write its result to a file, or return something
            small. Processes are given the function with its closure; it cannot use what exists in
            this process alone, an open file for example.
        study: one data set a person.
        executor: a `concurrent.futures` executor, or that of a dask cluster,
            ``client.get_executor(retries=3)``.
        at_once: people in a part.
        ahead: parts that are under way at a time, so that memory does not grow with the study.

    Yields:
        One result for each part.

    Raises:
        ValueError: for at_once or ahead below 1.
        pickle.PicklingError: for a function that cannot be sent to processes.

    Example:
        >>> from concurrent.futures import ThreadPoolExecutor
        >>> from incongruent.data.demo import demo_study
        >>> with ThreadPoolExecutor(2) as threads:
        ...     list(over_people(len, demo_study(), executor=threads, at_once=12))
        [12, 12, 6]
    """
    if at_once < 1 or ahead < 1:
        raise ValueError(
            f"Expected at_once and ahead of at least 1; got at_once={at_once}, ahead={ahead}."
        )
    function = for_processes(executor, function)
    parts = _parts_of(study, at_once)
    under_way: list[Future[T]] = [executor.submit(function, part) for part in islice(parts, ahead)]
    while under_way:
        yield under_way.pop(0).result()
        under_way += [executor.submit(function, part) for part in islice(parts, 1)]


def _parts_of(study: Trials, at_once: int) -> Iterator[Trials]:
    """The people of a study in their order, so many at a time."""
    for first in range(0, len(study), at_once):
        yield study.select(slice(first, first + at_once))
