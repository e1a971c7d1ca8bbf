"""Flags: in what people lie outside what a network was trained for, a record for each reason."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from incongruent.data.trials import Trials
from incongruent.posterior.statistics import (
    N_TRIALS,
    Ranges,
    Statistic,
    statistics_of,
    trial_share,
)
from incongruent.simulation.designs import Design

Array = np.ndarray

FAR = 0.25
"""A statistic that lies beyond the simulated range by more than this share of its width is far
outside.
"""
SLACK = 3.0
"""By so many standard errors the share of a condition may differ from that of the design, since a
run of trials in random order varies.
"""


class Known(NamedTuple):
    """The smallest and largest value of a statistic that the network was trained for."""

    low: float
    high: float


@dataclass(frozen=True)
class Flag:
    """In what one person lies outside.

    Attributes:
        person: by position.
        statistic: that lies outside; None for a person without trials.
        value: that this person has.
        known: what the network was trained for; None for a person without trials.
        words: the flag as a sentence.
        grave: whether the network says nothing about such a person.
    """

    person: int
    statistic: Statistic | None
    value: float
    known: Known | None
    words: str
    grave: bool

    @property
    def name(self) -> str:
        """What lies outside, with its unit: "median RT (ms)"."""
        return "no trials" if self.statistic is None else self.statistic.name


def flags_of(trials: Trials, design: Design, ranges: Ranges | None) -> list[Flag]:
    """Everything in which people lie outside a design and, where there are any, ranges."""
    flags = [*_size_flags(trials, design), *_condition_flags(trials, design)]
    if ranges is not None:
        flags += _range_flags(trials, design, ranges)
    return flags


def _size_flags(trials: Trials, design: Design) -> Iterator[Flag]:
    """People with too few or too many trials, or with none."""
    for person, n in enumerate(map(int, trials.n_trials)):
        if n == 0:
            yield Flag(person, None, 0.0, None, "no trials", grave=True)
        elif not design.smallest <= n <= design.largest:
            yield _size_flag(person, n, Known(design.smallest, design.largest))


def _size_flag(person: int, n: int, known: Known) -> Flag:
    words = f"{n} trials, trained for {known.low}–{known.high}"
    return Flag(person, N_TRIALS, n, known, words, grave=True)


def _condition_flags(trials: Trials, design: Design) -> Iterator[Flag]:
    """People who have a condition less or more often than the design draws it, or not at all."""
    n_trials = trials.n_trials
    for level in design.levels:
        count = trials.where(design.condition.name, level).sum(axis=1)
        for person in map(int, np.flatnonzero(n_trials)):
            n_level, n = int(count[person]), int(n_trials[person])
            if _is_unusual(n_level, n, design.share_of(level)):
                yield _condition_flag(person, design, level, n_level, n)


def _is_unusual(count: int, n: int, known: tuple[float, float]) -> bool:
    """Whether a condition is absent from n trials, or too seldom or too often among them."""
    return count == 0 or not _within(count / n, known, n)


def _within(share: float, known: tuple[float, float], n: int) -> bool:
    """Whether a share among n trials lies within a range, as far as chance allows."""
    low, high = known
    slack_low, slack_high = (SLACK * np.sqrt(p * (1.0 - p) / n) for p in known)
    return low - slack_low <= share <= high + slack_high


def _condition_flag(person: int, design: Design, level: str, count: int, n: int) -> Flag:
    known = Known(*design.share_of(level))
    statistic = trial_share(design.condition.name, level)
    words = _condition_words(level, count / n, known)
    return Flag(person, statistic, count / n, known, words, grave=True)


def _condition_words(level: str, share: float, known: Known) -> str:
    """The share of a condition that a person has, and those that the network was trained for."""
    if not share:
        return f"no {level} trials"
    return f"{share:.0%} {level} trials, trained for {known.low:.0%}–{known.high:.0%}"


def _range_flags(trials: Trials, design: Design, ranges: Ranges) -> Iterator[Flag]:
    """People with a statistic outside the range of simulated data sets."""
    for statistic, values in statistics_of(trials, design.levels).items():
        if statistic.name not in ranges.low:
            continue  # no simulated data set has it
        known = Known(ranges.low[statistic.name], ranges.high[statistic.name])
        for person in _people_outside(values, known):
            yield _range_flag(person, statistic, float(values[person]), known, ranges.enough)


def _people_outside(values: Array, known: Known) -> list[int]:
    """The people whose value of a statistic (person,) is below or above what is known."""
    return np.flatnonzero((values < known.low) | (values > known.high)).tolist()


def _range_flag(
    person: int, statistic: Statistic, value: float, known: Known, enough: bool
) -> Flag:
    value_words, low, high = (statistic.shown(number) for number in (value, *known))
    words = f"{statistic.name} {value_words} outside the simulated {low} to {high}"
    return Flag(person, statistic, value, known, words, grave=enough and _is_far(value, known))


def _is_far(value: float, known: Known) -> bool:
    """Whether a value lies far outside of a range, compared with the width of that."""
    margin = FAR * (known.high - known.low)
    return not known.low - margin <= value <= known.high + margin
