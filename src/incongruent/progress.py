"""What is shown while the network learns and while much is simulated, and what is told to those who wait for an analysis."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from incongruent.history import Evaluation

_listener: ContextVar[Callable[[str], None] | None] = ContextVar("listener", default=None)


def announce(stage: str) -> None:
    """Say to whoever listens that a stage of an analysis begins, in a few words such as "sampling"; without a listener nothing happens."""
    listener = _listener.get()
    if listener is not None:
        listener(stage)


@contextmanager
def listening(listener: Callable[[str], None]) -> Iterator[None]:
    """Call ``listener(stage)`` at every stage that begins within, in this thread; an exception that it raises ends the analysis there.

    Example:
        >>> heard = []
        >>> with listening(heard.append):
        ...     announce("sampling")
        >>> heard
        ['sampling']
    """
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class Reporter(Protocol):
    """Is told how training goes."""

    def __call__(self, share: float, seconds_left: float, evaluation: Evaluation | None, bottleneck: str) -> None:
        """Share of the budget used, seconds left, the latest evaluation, and which side the other waits for."""


def silent(share: float, seconds_left: float, evaluation: Evaluation | None, bottleneck: str) -> None:
    """Shows nothing."""


@contextmanager
def progress_bar(console: Console | None = None) -> Iterator[Reporter]:
    """A bar with both losses, data sets seen, time left and the bottleneck."""
    columns = (BarColumn(bar_width=10), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=console or Console(stderr=True), refresh_per_second=2) as bar:
        task = bar.add_task("starting", total=1.0)

        def report(share: float, seconds_left: float, evaluation: Evaluation | None, bottleneck: str) -> None:
            words = "first steps"
            if evaluation is not None:
                words = f"loss {evaluation.training:.2f}, valid. {evaluation.best:.2f}, {evaluation.n_simulated // 1000}k sets, slower: {bottleneck}"
            bar.update(task, completed=share, description=f"{seconds_left:.0f} s left, {words}")

        yield report


@contextmanager
def counting_bar(what: str, console: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told how many are done, of how many, with the time left."""
    columns = (BarColumn(bar_width=20), MofNCompleteColumn(), TextColumn("{task.description}"), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console or Console(stderr=True), refresh_per_second=2) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
