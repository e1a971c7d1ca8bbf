"""What is shown while work of minutes goes on: stages of an analysis, how many people are done, how
much time is left.

Those who compute call `announce` when a stage begins and `counting` where they can say how much of
it is done. Whoever wants to know listens: the command line through `shown_stages`, as a bar in a
terminal and as plain lines in a pipe, and the app through `listening`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from incongruent.posterior.history import Evaluation

LITERAL: dict[str, Any] = {"soft_wrap": True, "highlight": False, "markup": False, "emoji": False}
"""What is printed stands there as it is, brackets, backslashes and colons too; styles are given
beside.
"""
screen, errors = Console(**LITERAL), Console(stderr=True, **LITERAL)
SECONDS_BETWEEN_LINES = 10.0
"""In a pipe a stage says so often how far it is."""


@dataclass(frozen=True)
class Stage:
    """Where an analysis stands.

    Attributes:
        words: what it is doing, such as "predicting the data".
        done: how much of it is done.
        total: of how much; None where nobody can say.
        unit: of both, such as "people".
    """

    words: str
    done: int = 0
    total: int | None = None
    unit: str = "people"

    def share(self, seconds: float) -> str:
        """How much is done after so many seconds, and how long the rest takes at that pace; nothing
        where nobody can say.

        Example:
            >>> Stage("predicting", 10, 40).share(20.0), Stage("predicting").share(20.0)
            ('10 of 40 people, 60 s left', '')
        """
        if self.total is None:
            return ""
        left = (
            f", {duration(seconds / self.done * (self.total - self.done))} left"
            if 0 < self.done < self.total
            else ""
        )
        return f"{self.done} of {self.total} {self.unit}{left}"


def duration(seconds: float) -> str:
    """Seconds in words.

    Example:
        >>> duration(20.4), duration(200)
        ('20 s', '3 min 20 s')
    """
    return (
        f"{seconds:.0f} s"
        if seconds < 119.5
        else f"{round(seconds) // 60} min {round(seconds) % 60} s"
    )


class _Listening:
    """A listener, and the stage that it was told of last."""

    def __init__(self, listener: Callable[[Stage], None]) -> None:
        self.listener, self.words = listener, ""


_listening: ContextVar[_Listening | None] = ContextVar("listening", default=None)


def announce(words: str) -> None:
    """Say to whoever listens that a stage of an analysis begins, in a few words such as "sampling";
    without a listener nothing happens.
    """
    heard = _listening.get()
    if heard is not None:
        heard.words = words
        heard.listener(Stage(words))


def counting(total: int, unit: str = "people") -> Callable[[int], None]:
    """A function that says to whoever listens how much of the present stage is done; without a
    listener it does nothing.

    Args:
        total: how much there is.
        unit: of what.

    Example:
        >>> heard = []
        >>> with listening(heard.append):
        ...     announce("sampling")
        ...     done = counting(2)
        ...     done(1)
        >>> heard[-1]
        Stage(words='sampling', done=1, total=2, unit='people')
    """
    heard = _listening.get()
    if heard is None or total < 1:
        return lambda done: None
    return lambda done: heard.listener(Stage(heard.words, done, total, unit))


@contextmanager
def listening(listener: Callable[[Stage], None]) -> Iterator[None]:
    """Call ``listener(stage)`` at every stage that begins within, and when more of it is done, in
    this thread; an exception that it raises ends the analysis there.

    Example:
        >>> heard = []
        >>> with listening(heard.append):
        ...     announce("sampling")
        >>> heard
        [Stage(words='sampling', done=0, total=None, unit='people')]
    """
    token = _listening.set(_Listening(listener))
    try:
        yield
    finally:
        _listening.reset(token)


@contextmanager
def shown_stages(console: Console | None = None) -> Iterator[None]:
    """Show the stages of what is done within: as a bar in a terminal, which is gone at the end, and
    as plain lines elsewhere.

    Args:
        console: where to; standard error when left out.

    Example:
        >>> import sys
        >>> with shown_stages(Console(file=sys.stdout, width=80)):
        ...     announce("predicting the data")
        predicting the data
    """
    console = console or Console(stderr=True)
    if not console.is_terminal:
        with listening(_Lines(console).show):
            yield
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[share]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, refresh_per_second=4, transient=True) as bar:
        begun = 0.0

        def show(stage: Stage) -> None:
            nonlocal begun
            if stage.done == 0:
                begun = time.monotonic()
                for task in bar.task_ids:
                    bar.remove_task(task)
                bar.add_task(escape(stage.words), total=None, share="")
            bar.update(
                bar.task_ids[-1],
                completed=stage.done,
                total=stage.total,
                share=stage.share(time.monotonic() - begun),
            )

        with listening(show):
            yield


class _Lines:
    """Stages as lines of text: one when a stage begins, others from time to time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = self._said = time.monotonic()

    def show(self, stage: Stage) -> None:
        """Print a line, if it is time for one."""
        now = time.monotonic()
        if stage.done == 0:
            self._begun = now
            self._say(stage.words, now)
        elif (
            stage.total is not None
            and stage.done < stage.total
            and now - self._said >= SECONDS_BETWEEN_LINES
        ):
            self._say(f"{stage.words}: {stage.share(now - self._begun)}", now)

    def _say(self, words: str, now: float) -> None:
        self._console.print(words, markup=False, highlight=False, soft_wrap=True)
        self._said = now


class Reporter(Protocol):
    """Is told how training goes."""

    def __call__(
        self, share: float, seconds_left: float, evaluation: Evaluation | None, bottleneck: str
    ) -> None:
        """Share of the budget used, seconds left, the latest evaluation, and which side the other
        waits for.
        """


def silent(
    share: float, seconds_left: float, evaluation: Evaluation | None, bottleneck: str
) -> None:
    """Shows nothing."""


@contextmanager
def progress_bar(console: Console | None = None) -> Iterator[Reporter]:
    """A bar with both losses, data sets seen, time left and the bottleneck; lines from time to time
    where there is no terminal.
    """
    with _bar(
        "starting",
        1.0,
        (
            BarColumn(bar_width=10),
            TimeElapsedColumn(),
            TextColumn("{task.description}", markup=False),
        ),
        console,
    ) as show:

        def report(
            share: float, seconds_left: float, evaluation: Evaluation | None, bottleneck: str
        ) -> None:
            words = "first steps"
            if evaluation is not None:
                words = (
                    f"loss {evaluation.training:.2f}, valid. {evaluation.best:.2f},"
                    f" {evaluation.n_simulated // 1000}k sets, slower: {bottleneck}"
                )
            show(f"{seconds_left:.0f} s left, {words}", share, 1.0)

        yield report


@contextmanager
def counting_bar(what: str, console: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """A bar that is told how many are done, of how many, with the time left; lines from time to
    time where there is no terminal.
    """
    columns = (
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.description}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with _bar(what, None, columns, console) as show:
        yield lambda done, total: show(what, done, total)


@contextmanager
def _bar(
    what: str, total: float | None, columns: tuple[ProgressColumn, ...], console: Console | None
) -> Iterator[Callable[[str, float, float], None]]:
    """A function of words, how much is done and of how much, which moves a bar or prints a line."""
    console = console or Console(stderr=True)
    said = time.monotonic()
    with Progress(*columns, console=console, refresh_per_second=2) as bar:
        task = bar.add_task(what, total=total)

        def show(words: str, done: float, of: float) -> None:
            nonlocal said
            bar.update(task, completed=done, total=of, description=words)
            if (
                not console.is_terminal
                and time.monotonic() - said >= SECONDS_BETWEEN_LINES
                and done < of
            ):
                console.print(
                    f"{done / of:.0%}: {words}", markup=False, highlight=False, soft_wrap=True
                )
                said = time.monotonic()

        yield show
