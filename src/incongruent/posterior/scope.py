"""Is a study what the network was trained for? Asked person by person, before anything is sampled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from incongruent.data.trials import CONFLICT_TASK, RT, Category, Column, Trials
from incongruent.simulation.designs import Design

Array = np.ndarray


FAR = 0.25
"""A statistic that lies beyond the simulated range by more than this share of its width is far
outside.
"""
FEWEST_PEOPLE = 5
"""So many people who are all flagged, however little, are a study with nobody inside: chance does
not do that.
"""
FEWEST_SIMULATED = 100
"""Ranges of fewer simulations are too narrow to refuse anybody for."""

N_TRIALS = "number of trials"
"""What a flag for too few or too many trials is about."""


IN_PYTHON = {
    "design": "train a network for this design: Design(n_trials=…, share=…)",
    "prior": (
        "look at units and window of the data, then train a network under a prior that reaches"
        " them: Simulator(model, prior, design)"
    ),
    "reading": "look at how the trials were read: unit of the RTs, window, codes",
    "anyway": (
        "to go on all the same, say anyway=True, or take posterior.unguarded(); posteriors are then"
        " extrapolations"
    ),
}
"""What can be done about a study with nobody inside, for those who write Python."""
IN_SHELL = {
    "design": "train a network for this design: incongruent train --trials … --congruent …",
    "prior": (
        "look at the unit of the data (--unit), then train a network under a prior that reaches"
        " them: incongruent train --prior …"
    ),
    "reading": "look at how the file was read: --unit, --coding, --where",
    "anyway": "to go on all the same, add --anyway; posteriors are then extrapolations",
}
"""The same on the command line."""
IN_APP = {
    "design": "take a network for this design",
    "prior": "look at the unit of the RTs, then take a network whose prior reaches these data",
    "reading": "look at how the file was read, and say under Corrections what is otherwise",
    "anyway": (
        "to go on all the same, tick Go on when nobody fits; posteriors are then extrapolations"
    ),
}
"""The same in the app."""


class ScopeError(ValueError):
    """Nobody in the study is what the network was trained for.

    Args:
        finding: what was expected and what came.
        advice: what can be done, by the keys of ``IN_PYTHON``, the best first.
    """

    def __init__(self, finding: str, advice: tuple[str, ...] = ()) -> None:
        super().__init__(finding, advice)
        self.finding, self.advice = finding, advice

    def __str__(self) -> str:
        return self.said(IN_PYTHON)

    def said(self, words: Mapping[str, str]) -> str:
        """The whole message, in the words of a door: ``IN_PYTHON``, ``IN_SHELL`` or ``IN_APP``."""
        todo = "; or ".join(words[key] for key in self.advice)
        return f"{self.finding} {todo[:1].upper()}{todo[1:]}." if todo else self.finding


@dataclass(frozen=True, eq=False)
class Admission:
    """A study as the network may see it.

    Attributes:
        trials: without trials of conditions or RTs that the network does not know; they are counted
            in ``excluded``.
        flags: for each person, in what respect they lie outside what the network was trained for;
            empty for most.
        outside: (person,) True for people whose flags are so grave that the network says nothing
            about them: another design, a statistic far from all simulations, no trials.
    """

    trials: Trials
    flags: tuple[tuple[str, ...], ...]
    outside: Array

    @property
    def n_flagged(self) -> int:
        """How many people have a flag."""
        return sum(bool(flags) for flags in self.flags)


@dataclass(frozen=True)
class Ranges:
    """Between which values simulated data sets lie, for a few statistics of a data set; made by
    ``ranges_of``.

    Attributes:
        low: smallest value of each statistic.
        high: largest value.
        n_datasets: how many simulated data sets they are of; None when that was not recorded.
    """

    low: Mapping[str, float]
    high: Mapping[str, float]
    n_datasets: int | None = None

    @property
    def enough(self) -> bool:
        """Whether they are of enough simulations that a study can be refused for lying outside."""
        return self.n_datasets is None or self.n_datasets >= FEWEST_SIMULATED

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        known = {} if self.n_datasets is None else {"n_datasets": self.n_datasets}
        return {"low": dict(self.low), "high": dict(self.high), **known}


def statistics_of(trials: Trials, levels: tuple[str, ...]) -> dict[str, Array]:
    """A few statistics of each data set, (dataset,), NaN where there is nothing: for conflict tasks
    RT quantiles over all answers and the share of errors by condition; for other data quantiles of
    every column of numbers and the share of every level that is answered.
    """
    if set(trials.columns) != set(CONFLICT_TASK):
        return _general_statistics(trials)
    names = ("fast (10 %) RT (ms)", "median RT (ms)", "slow (90 %) RT (ms)")
    out: dict[str, Array] = dict(zip(names, _quantiles(trials, RT, (0.1, 0.5, 0.9)), strict=True))
    wrong = trials.where("response", "error")
    for level in levels:
        here = trials.where("condition", level) & trials.answered
        n = here.sum(axis=1)
        out[f"error share, {level}"] = np.where(
            n > 0, (wrong & here).sum(axis=1) / np.maximum(n, 1), np.nan
        )
    return out


def _general_statistics(trials: Trials) -> dict[str, Array]:
    out: dict[str, Array] = {}
    for column in trials.columns:
        unit = "" if isinstance(column, Category) or not column.unit else f" ({column.unit})"
        if not isinstance(column, Category) and (
            column.per != "trial" or trials.present.shape[1] == 1
        ):
            (out[column.name + unit],) = _quantiles(trials, column, (0.5,))
        elif not isinstance(column, Category):
            names = [f"{q:.0%} quantile of {column.name}{unit}" for q in (0.1, 0.5, 0.9)]
            out |= zip(names, _quantiles(trials, column, (0.1, 0.5, 0.9)), strict=True)
        elif not column.given:
            n = trials.answered.sum(axis=1)
            for level in column.levels:
                out[f"share of {level!r}, {column.name}"] = np.where(
                    n > 0, trials.where(column.name, level).sum(axis=1) / np.maximum(n, 1), np.nan
                )
    return out


def _quantiles(trials: Trials, column: Column, probabilities: tuple[float, ...]) -> Array:
    """Quantiles of each data set's known values, (quantile, dataset)."""
    return quantiles_of(
        trials.values[column.name],
        trials.present if column.given else trials.answered,
        probabilities,
    ).T


def quantiles_of(values: Array, known: Array, probabilities: tuple[float, ...]) -> Array:
    """Quantiles over what is known in each row of values (dataset, trial), (dataset, quantile);
    linear between order statistics, NaN for none.
    """
    n = known.sum(axis=1)
    ordered = np.sort(np.where(known, values, np.inf), axis=1)
    place = np.maximum(n - 1, 0)[:, None] * np.asarray(probabilities)  # (dataset, quantile)
    below = np.floor(place).astype(int)
    above = np.minimum(below + 1, np.maximum(n - 1, 0)[:, None])
    left, right = np.take_along_axis(ordered, below, 1), np.take_along_axis(ordered, above, 1)
    empty = (n == 0)[:, None]
    left, right = np.where(empty, 0.0, left), np.where(empty, 0.0, right)
    return np.where(empty, np.nan, left + (place - below) * (right - left))


def ranges_of(trials: Trials, levels: tuple[str, ...]) -> Ranges:
    """Smallest and largest value of each statistic over simulated data sets, of those that some of
    them have.
    """
    statistics = {
        name: values
        for name, values in statistics_of(trials, levels).items()
        if not np.isnan(values).all()
    }
    low, high = (
        {k: float(find(v)) for k, v in statistics.items()} for find in (np.nanmin, np.nanmax)
    )
    return Ranges(low, high, len(trials))


@dataclass(frozen=True)
class _Flag:
    """In what one person lies outside.

    Attributes:
        person: by position.
        what: lies outside, with its unit: "median RT (ms)".
        value: that this person has.
        known: (low, high) of what the network was trained for; None where it is nothing that has a
            range.
        words: the flag as a sentence.
        grave: whether the network says nothing about such a person.
    """

    person: int
    what: str
    value: float
    known: tuple[float, float] | None
    words: str
    grave: bool


def admit(
    study: Trials, design: Design, ranges: Ranges | None, *, anyway: bool = False
) -> Admission:
    """Leave out trials that the network cannot read, and flag people unlike its simulations.

    Args:
        study: one data set a person.
        design: that the network was trained for.
        ranges: of statistics of the simulations; None when they are not to be looked at.
        anyway: let a study in although nobody is inside.

    Raises:
        ScopeError: when nobody is inside: everybody's design is another one, or some statistic of
            theirs is far from all simulations, or all of five people or more have flags.
    """
    trials = readable(study, design)
    found = _design_flags(trials, design)
    if ranges is not None:
        found += _range_flags(trials, design, ranges)
    words: list[list[str]] = [[] for _ in range(len(trials))]
    for flag in found:
        words[flag.person].append(flag.words)
    outside = np.zeros(len(trials), bool)
    outside[[flag.person for flag in found if flag.grave]] = True
    telling = ranges is None or ranges.enough
    nobody = outside.all() or (telling and len(trials) >= FEWEST_PEOPLE and all(words))
    if len(trials) and nobody and not anyway:
        raise _refusal(trials, design, found)
    return Admission(trials, tuple(map(tuple, words)), outside)


def _range_flags(trials: Trials, design: Design, ranges: Ranges) -> list[_Flag]:
    found = []
    for name, values in statistics_of(trials, design.levels).items():
        if name not in ranges.low:
            continue  # no simulated data set has it
        low, high = ranges.low[name], ranges.high[name]
        margin = FAR * (high - low)
        for person in np.flatnonzero((values < low) | (values > high)):
            value = float(values[person])
            shown = [_shown(name, v) for v in (value, low, high)]
            words = f"{name} {shown[0]} outside the simulated {shown[1]} to {shown[2]}"
            far = ranges.enough and not low - margin <= value <= high + margin
            found.append(_Flag(int(person), name, value, (low, high), words, far))
    return found


def _refusal(trials: Trials, design: Design, found: list[_Flag]) -> ScopeError:
    """What is wrong with most people, with numbers, and what can be done."""
    n = len(trials)
    who = f"all {n} people lie" if n > 1 else f"{trials.names[0]} lies"
    reasons = "; ".join(
        _reason(what, [flag for flag in found if flag.what == what], n)
        for what in _commonest(found)
    )
    of_design = {N_TRIALS, *(f"{level} trials" for level in design.levels)}
    advice = ["design"] * any(flag.what in of_design for flag in found)
    advice += ["prior"] * any(
        flag.what not in of_design and flag.known is not None for flag in found
    )
    advice = [*advice, "anyway"] if trials.n_trials.any() else ["reading"]
    if not trials.n_trials.any():
        lost = {
            reason: int(counts.sum()) for reason, counts in trials.excluded.items() if counts.sum()
        }
        reasons = "no usable trials" + (
            f" (left out: {', '.join(f'{count} {reason}' for reason, count in lost.items())})"
            if lost
            else ""
        )
    return ScopeError(
        "Expected somebody within what the network was trained for,"
        f" {design.smallest}–{design.largest} trials{_words(design)}; got nobody: {who} outside:"
        f" {reasons}.",
        tuple(advice),
    )


def _commonest(found: list[_Flag], most: int = 3) -> list[str]:
    """What lies outside for most people, grave flags first."""
    count = Counter(flag.what for flag in found)
    grave = {flag.what for flag in found if flag.grave}
    return sorted(count, key=lambda what: (what not in grave, -count[what]))[:most]


def _reason(what: str, flags: list[_Flag], n: int) -> str:
    """One of the reasons: the values of those people, what is known, how many they are."""
    few = "" if n == 1 else f" ({len(flags)} of {n})"
    known = flags[0].known
    if known is None:
        return f"{what}{few}"
    values = [flag.value for flag in flags]
    lowest, highest = _shown(what, min(values)), _shown(what, max(values))
    between = lowest if lowest == highest else f"{lowest} to {highest}"
    return (
        f"{what} {between}, trained for {_shown(what, known[0])} to {_shown(what, known[1])}{few}"
    )


def _shown(name: str, value: float) -> str:
    """A time in whole ms, a share in percent."""
    if "(ms)" in name:
        return f"{value:.0f}"
    share = name.startswith(("error share", "share of")) or name.endswith(" trials")
    return f"{value:.1%}" if share else f"{value:.4g}"


def _words(design: Design) -> str:
    return (
        " and shares " + ", ".join(f"{level} {value}" for level, value in design.share.items())
        if design.share
        else ""
    )


def readable(study: Trials, design: Design) -> Trials:
    """The study without conditions that the design lacks and RTs outside its window, which are
    counted; answers after its deadline are none.
    """
    condition = design.condition if design.levels else None
    known = (
        study.present
        if condition is None
        else np.isin(
            study.values[condition.name], [condition.levels.index(level) for level in design.levels]
        )
    )
    known = known & study.present
    outside = np.zeros_like(study.present)
    if design.window is not None:
        rt = study.values["rt"]
        outside = study.answered & known & ((rt < design.window[0]) | (rt > design.window[1]))
    keep = known & ~outside
    unread = (
        [level for level in condition.levels if level not in design.levels]
        if condition is not None
        else []
    )
    answered = study.answered & keep
    if design.deadline is not None:
        answered &= (
            study.values["rt"] <= design.deadline
        )  # a later answer counts as none, as in simulated data
    excluded = dict(study.excluded)
    for reason, mask in (
        (f"{' or '.join(unread)} trials, which the network does not know", study.present & ~known),
        ("out of window", outside),
    ):
        if mask.any():
            excluded[reason] = excluded.get(reason, np.zeros(len(study), int)) + mask.sum(axis=1)
    return replace(study, present=keep, answered=answered, excluded=excluded)


def _design_flags(trials: Trials, design: Design) -> list[_Flag]:
    found: list[_Flag] = []
    n_trials = trials.n_trials
    for person, n in enumerate(map(int, n_trials)):
        if n == 0:
            found.append(_Flag(person, "no trials", 0.0, None, "no trials", True))
        elif not design.smallest <= n <= design.largest:
            words = f"{n} trials, trained for {design.smallest}–{design.largest}"
            found.append(_Flag(person, N_TRIALS, n, (design.smallest, design.largest), words, True))
    for level in design.levels:
        count = trials.where(design.condition.name, level).sum(axis=1)
        for person in np.flatnonzero(n_trials):
            found += _share_flags(
                int(person), level, int(count[person]), int(n_trials[person]), design
            )
    return found


def _share_flags(person: int, level: str, count: int, n: int, design: Design) -> list[_Flag]:
    """Of a condition whose share is not that of the design, beyond what a run of trials in random
    order varies.
    """
    value: Any = design.share[level]
    low, high = (value, value) if isinstance(value, int | float) else value
    share = count / n
    slack_low, slack_high = (3.0 * np.sqrt(p * (1.0 - p) / n) for p in (low, high))
    if count and low - slack_low <= share <= high + slack_high:
        return []
    words = (
        f"{share:.0%} {level} trials, trained for {low:.0%}–{high:.0%}"
        if count
        else f"no {level} trials"
    )
    return [_Flag(person, f"{level} trials", share, (low, high), words, True)]
