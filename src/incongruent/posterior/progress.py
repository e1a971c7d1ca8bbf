"""Progress of work that takes minutes: the stage of an analysis, how much is done, the time left.

Functions that compute call `announce` when a stage begins and `counting` where they can say how
much of it is done. The command line listens through `shown_stages`, which shows a bar in a terminal
and plain lines in a pipe, and the app through `listening`.
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
"""What is printed is shown as it is, brackets, backslashes and colons too; styles are given
separately.
"""
screen, errors = Console(**LITERAL), Console(stderr=True, **LITERAL)
SECONDS_BETWEEN_LINES = 10.0
"""In a pipe a line is printed so often."""


@dataclass(frozen=True)
class Stage:
    """Where an analysis stands.

    Attributes:
        words: what it is doing, such as "predicting the data".
        done: how much of it is done.
        total: of how much; None where it is not known.
        unit: of both, such as "people".
    """

    words: str
    done: int = 0
    total: int | None = None
    unit: str = "people"

    @property
    def goes_on(self) -> bool:
        """Whether a known part of it is still to be done."""
        return self.total is not None and self.done < self.total

    def share(self, seconds: float) -> str:
        """How much is done after so many seconds, and how long the rest takes at that pace.

        It is empty where the total is not known.

        Example:
            >>> Stage("predicting", 10, 40).share(20.0), Stage("predicting").share(20.0)
            ('10 of 40 people, 60 s left', '')
        """
        if self.total is None:
            return ""
        left = f", {duration(self._left(seconds))} left" if 0 < self.done < self.total else ""
        return f"{self.done} of {self.total} {self.unit}{left}"

    def _left(self, seconds: float) -> float:
        """How many seconds the rest takes, at the pace of what took so many seconds."""
        assert self.total is not None
        return seconds / self.done * (self.total - self.done)


def duration(seconds: float) -> str:
    """Seconds in words.

    Example:
        >>> duration(20.4), duration(200)
        ('20 s', '3 min 20 s')
    """
    if seconds < 119.5:
        return f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


class _Listening:
    """A listener, and the words of the stage that began last."""

    def __init__(self, listener: Callable[[Stage], None]) -> None:
        self.listener, self.words = listener, ""


_listening: ContextVar[_Listening | None] = ContextVar("listening", default=None)


def announce(words: str) -> None:
    """Tell the listener, if there is one, that a stage of an analysis begins.

    It is described in a few words, such as "sampling".
    """
    heard = _listening.get()
    if heard is not None:
        heard.words = words
        heard.listener(Stage(words))


def counting(total: int, unit: str = "people") -> Callable[[int], None]:
    """A function that tells the listener, if there is one, how much of the stage is done.

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
    """Call ``listener(stage)`` at every stage that begins within, and when more of it is done.

    It is called in this thread; an exception that it raises ends the analysis there.

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
    """Show the stages of what is done within.

    In a terminal they are a bar, which is gone at the end; elsewhere plain lines.

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
    columns = _stage_columns()
    with (
        Progress(*columns, console=console, refresh_per_second=4, transient=True) as bar,
        listening(_StageBar(bar).show),
    ):
        yield


def _stage_columns() -> tuple[ProgressColumn, ...]:
    """What the bar of a stage shows: its words, how much is done, and the time."""
    return (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[share]}"),
        TimeElapsedColumn(),
    )


class _StageBar:
    """Stages as a bar in a terminal, a new one for each stage."""

    def __init__(self, bar: Progress) -> None:
        self._bar, self._begun = bar, 0.0

    def show(self, stage: Stage) -> None:
        """Move the bar, or begin a new one."""
        if stage.done == 0:
            self._begin(stage.words)
        self._bar.update(
            self._bar.task_ids[-1],
            completed=stage.done,
            total=stage.total,
            share=stage.share(time.monotonic() - self._begun),
        )

    def _begin(self, words: str) -> None:
        self._begun = time.monotonic()
        for task in self._bar.task_ids:
            self._bar.remove_task(task)
        self._bar.add_task(escape(words), total=None, share="")


class _Lines:
    """Stages as lines of text: one when a stage begins, others from time to time."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._begun = self._printed = time.monotonic()

    def show(self, stage: Stage) -> None:
        """Print a line, if it is time for one."""
        now = time.monotonic()
        if stage.done == 0:
            self._begun = now
            self._print(stage.words, now)
        elif stage.goes_on and now - self._printed >= SECONDS_BETWEEN_LINES:
            self._print(f"{stage.words}: {stage.share(now - self._begun)}", now)

    def _print(self, words: str, now: float) -> None:
        self._console.print(words, markup=False, highlight=False, soft_wrap=True)
        self._printed = now


class Reporter(Protocol):
    """A function that reports how training goes."""

    def __call__(
        self, share: float, seconds_left: float, evaluation: Evaluation | None, bottleneck: str
    ) -> None:
        """Report how training goes.

        Args:
            share: of the budget that is used.
            seconds_left: until its end.
            evaluation: the latest; None before the first.
            bottleneck: "simulation" or "learning", the slower of both.
        """


def silent(
    share: float, seconds_left: float, evaluation: Evaluation | None, bottleneck: str
) -> None:
    """Report nothing."""


@contextmanager
def progress_bar(console: Console | None = None) -> Iterator[Reporter]:
    """A bar with both losses, data sets used, time left and the bottleneck.

    Where there is no terminal it is lines from time to time.
    """
    columns = (
        BarColumn(bar_width=10),
        TimeElapsedColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with _bar("starting", 1.0, columns, console) as show:

        def report(
            share: float, seconds_left: float, evaluation: Evaluation | None, bottleneck: str
        ) -> None:
            words = _evaluation_words(evaluation, bottleneck)
            show(f"{seconds_left:.0f} s left, {words}", share, 1.0)

        yield report


def _evaluation_words(evaluation: Evaluation | None, bottleneck: str) -> str:
    """Both losses and how many data sets were used, in short."""
    if evaluation is None:
        return "first steps"
    return (
        f"loss {evaluation.training:.2f}, valid. {evaluation.best:.2f},"
        f" {evaluation.n_simulated // 1000}k sets, slower: {bottleneck}"
    )


@contextmanager
def counting_bar(what: str, console: Console | None = None) -> Iterator[Callable[[int, int], None]]:
    """A bar with how many are done, of how many, and the time left.

    Where there is no terminal it is lines from time to time.
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
    with Progress(*columns, console=console, refresh_per_second=2) as bar:
        yield _TaskBar(bar, what, total).show


class _TaskBar:
    """One task as a bar in a terminal, and from time to time as a line elsewhere."""

    def __init__(self, bar: Progress, what: str, total: float | None) -> None:
        self._bar, self._printed = bar, time.monotonic()
        self._task = bar.add_task(what, total=total)

    def show(self, words: str, done: float, of: float) -> None:
        """Move the bar, and print a line if it is time for one."""
        self._bar.update(self._task, completed=done, total=of, description=words)
        if done < of and self._needs_a_line():
            self._print(f"{done / of:.0%}: {words}")

    def _needs_a_line(self) -> bool:
        """Whether no bar is seen, and the last line was printed long ago."""
        waited = time.monotonic() - self._printed
        return not self._bar.console.is_terminal and waited >= SECONDS_BETWEEN_LINES

    def _print(self, line: str) -> None:
        self._bar.console.print(line, markup=False, highlight=False, soft_wrap=True)
        self._printed = time.monotonic()
