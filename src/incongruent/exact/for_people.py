"""Sampling of many people side by side, which can be interrupted."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from incongruent.posterior.parallel import in_threads
from incongruent.posterior.progress import counting

T = TypeVar("T")


def for_people(
    one: Callable[[int, Callable[[], bool]], T], chosen: Sequence[int], workers: int | None
) -> list[T]:
    """Apply a function to the people at some positions on threads; results in their order.

    Args:
        one: ``one(person, stopped)``, of a position, and of whether the result is not wanted any
            more; the threads stop soon when the caller is interrupted.
        chosen: the positions.
        workers: threads; one for each core when None.
    """
    stop = threading.Event()
    return in_threads(
        lambda person: one(person, stop.is_set),
        chosen,
        workers=workers,
        done=counting(len(chosen)),
        stop=stop,
    )
