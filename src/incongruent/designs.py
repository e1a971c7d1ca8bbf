"""Designs: how many trials a data set has, of which conditions, and which trials are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numba
import numpy as np

from incongruent.trials import CONDITION, Category, Trials

Array = np.ndarray

Range = tuple[float, float]


def _as_range(value: float | Range) -> Range:
    return (float(value), float(value)) if isinstance(value, int | float) else (float(value[0]), float(value[1]))


@dataclass(frozen=True)
class Design:
    """A family of designs, from which each simulated data set gets one.

    Args:
        n_trials: trials of a data set; a pair is a range from which the number is drawn so that each doubling is as likely as the next.
        share: for each level of the condition the share of its trials; a pair is a range from which it is drawn. A level left out has no trials.
        window: shortest and longest RT kept, in ms; trials outside are left out of simulated and observed data alike. None keeps all.
        deadline: RT in ms after which a trial counts as one without an answer; None for no deadline. `read_trials` leaves timeouts out, so a
            network for files that it reads should have none.
        condition: the column that the shares speak of.

    Raises:
        ValueError: when a number is out of range, a level unknown, or the shares cannot sum to 1.

    Example:
        >>> Design(n_trials=(50, 1000), share={"congruent": 0.5, "incongruent": 0.5}).largest
        1000
    """

    n_trials: int | tuple[int, int]
    share: Mapping[str, float | Range]
    window: Range | None = (150.0, 2500.0)
    deadline: float | None = None
    condition: Category = CONDITION

    def __post_init__(self) -> None:
        if not 1 <= self.smallest <= self.largest:
            raise ValueError(f"Expected n_trials of at least 1, or a range (smallest, largest); got {self.n_trials}.")
        for level, value in self.share.items():
            if level not in self.condition.levels:
                raise ValueError(f"Expected shares for levels of {self.condition.levels}; got {level!r}.")
            if not 0.0 <= _as_range(value)[0] <= _as_range(value)[1] <= 1.0:
                raise ValueError(f"Expected the share of {level!r} within [0, 1]; got {value}.")
        ranges = [_as_range(value) for value in self.share.values()]
        if not sum(r[0] for r in ranges) - 1e-9 <= 1.0 <= sum(r[1] for r in ranges) + 1e-9:
            raise ValueError(f"Expected shares that sum to 1; got {dict(self.share)}.")
        if self.window is not None and not 0.0 <= self.window[0] < self.window[1]:
            raise ValueError(f"Expected a window (shortest, longest) in ms; got {self.window}.")
        if self.deadline is not None and self.deadline <= 0:
            raise ValueError(f"Expected a deadline above 0 ms; got {self.deadline}.")

    @property
    def smallest(self) -> int:
        """The smallest number of trials of a data set."""
        return int(_as_range(self.n_trials)[0])

    @property
    def largest(self) -> int:
        """The largest number of trials of a data set."""
        return int(_as_range(self.n_trials)[1])

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the condition that occur, in their own order."""
        return tuple(level for level in self.condition.levels if _as_range(self.share.get(level, 0.0))[1] > 0.0)

    def sizes(self, n_datasets: int, rng: np.random.Generator) -> Array:
        """Numbers of trials, shape (n_datasets,): exp(U(log smallest, log(largest + 1))), rounded down."""
        drawn = np.exp(rng.uniform(np.log(self.smallest), np.log(self.largest + 1), n_datasets))
        return np.clip(drawn.astype(int), self.smallest, self.largest)

    def shares(self, n_datasets: int, rng: np.random.Generator) -> Array:
        """Shares of all levels of the condition, shape (n_datasets, level); rows sum to 1."""
        ranges = np.array([_as_range(self.share.get(level, 0.0)) for level in self.condition.levels])
        rest = 1.0 - (ranges.sum(axis=0) - ranges)[:, ::-1]  # what the other levels leave: at least, at most
        low = np.clip(rest[:, 0], ranges[:, 0], ranges[:, 1])
        ranges = np.stack([low, np.clip(rest[:, 1], low, ranges[:, 1])], axis=1)
        drawn = np.empty((0, len(ranges)))
        while len(drawn) < n_datasets:
            tried = rng.uniform(ranges[:, 0], ranges[:, 1], (2 * n_datasets, len(ranges)))
            free = int(np.argmax(np.diff(ranges, axis=1)))  # the level with the widest range takes what the others leave
            tried[:, free] += 1.0 - tried.sum(axis=1)
            fits = (tried[:, free] >= ranges[free, 0] - 1e-9) & (tried[:, free] <= ranges[free, 1] + 1e-9)
            drawn = np.concatenate([drawn, np.clip(tried[fits], 0.0, 1.0)])
        return drawn[:n_datasets]

    def lay_out(self, n_datasets: int, rng: np.random.Generator, *, full: bool = False) -> tuple[Array, Array]:
        """Conditions in random order.

        Args:
            n_datasets: how many data sets.
            rng: the source of randomness.
            full: give every data set the largest number of trials.

        Returns:
            condition (dataset, trial) int8 and present (dataset, trial) bool.
        """
        n = np.full(n_datasets, self.largest) if full else self.sizes(n_datasets, rng)
        return _shuffled(_counts(self.shares(n_datasets, rng), n), rng)


@dataclass(frozen=True, eq=False)
class ObservedDesign:
    """The design of observed data: data set i has exactly the trials per condition of person i; made by `design_of`.

    Attributes:
        counts: (person, level) trials.
        window: as in `Design`.
        deadline: as in `Design`.
        condition: as in `Design`.
    """

    counts: Array
    window: Range | None = (150.0, 2500.0)
    deadline: float | None = None
    condition: Category = CONDITION

    @property
    def largest(self) -> int:
        """The largest number of trials of a data set."""
        return int(self.counts.sum(axis=1).max(initial=0))

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels of the condition that occur, in their own order."""
        return tuple(level for level, n in zip(self.condition.levels, self.counts.sum(axis=0), strict=True) if n)

    def lay_out(self, n_datasets: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """As `Design.lay_out`; with more data sets than people they begin again with the first."""
        return _shuffled(self.counts[np.arange(n_datasets) % len(self.counts)], rng)


def design_of(
    study: Trials, *, window: Range | None = (150.0, 2500.0), deadline: float | None = None, condition: Category = CONDITION
) -> ObservedDesign:
    """The design that a study had, person by person."""
    counts = np.stack([study.where(condition.name, level).sum(axis=1) for level in condition.levels], axis=1)
    return ObservedDesign(counts, window, deadline, condition)


def _counts(shares: Array, n: Array) -> Array:
    """Whole numbers of trials (dataset, level) with these shares and sums n; the largest remainders are rounded up."""
    exact = shares * n[:, None]
    counts = np.floor(exact + 1e-9).astype(int)
    rank = np.argsort(np.argsort(counts - exact, axis=1), axis=1)
    return counts + (rank < (n - counts.sum(axis=1))[:, None])


def _shuffled(counts: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    n = counts.sum(axis=1)
    condition = np.zeros((len(counts), int(n.max(initial=0))), np.int8)
    _fill_shuffled(rng, np.ascontiguousarray(counts), condition)
    return condition, np.arange(condition.shape[1]) < n[:, None]


@numba.njit(nogil=True, cache=True)
def _fill_shuffled(rng, counts, condition):  # pragma: no cover - compiled
    for i in range(counts.shape[0]):
        n = 0
        for level in range(counts.shape[1]):
            condition[i, n : n + counts[i, level]] = level
            n += counts[i, level]
        for j in range(n - 1, 0, -1):  # Fisher & Yates
            k = int(rng.random() * (j + 1))
            condition[i, j], condition[i, k] = condition[i, k], condition[i, j]
