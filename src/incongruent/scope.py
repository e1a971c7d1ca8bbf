"""Is a study what the network was trained for? Asked person by person, before anything is sampled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from incongruent.designs import Design, ObservedDesign
from incongruent.trials import CONFLICT_TASK, RT, Category, Column, Trials

Array = np.ndarray


class ScopeError(ValueError):
    """Nobody in the study is what the network was trained for."""


@dataclass(frozen=True, eq=False)
class Admission:
    """A study as the network may see it.

    Attributes:
        trials: without trials of conditions or RTs that the network does not know; they are counted in ``excluded``.
        flags: for each person, in what respect they lie outside what the network was trained for; empty for most.
    """

    trials: Trials
    flags: tuple[tuple[str, ...], ...]

    @property
    def n_flagged(self) -> int:
        """How many people have a flag."""
        return sum(bool(flags) for flags in self.flags)


@dataclass(frozen=True)
class Ranges:
    """Between which values simulated data sets lie, for a few statistics of a data set; made by ``ranges_of``."""

    low: Mapping[str, float]
    high: Mapping[str, float]

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {"low": dict(self.low), "high": dict(self.high)}


def statistics_of(trials: Trials, levels: tuple[str, ...]) -> dict[str, Array]:
    """A few statistics of each data set, (dataset,), NaN where there is nothing: for conflict tasks RT quantiles over all answers and the share of
    errors by condition; for other data quantiles of every column of numbers and the share of every level that is answered.
    """
    if set(trials.columns) != set(CONFLICT_TASK):
        return _general_statistics(trials)
    names = ("fast (10 %) RT (ms)", "median RT (ms)", "slow (90 %) RT (ms)")
    out: dict[str, Array] = dict(zip(names, _quantiles(trials, RT, (0.1, 0.5, 0.9)), strict=True))
    wrong = trials.where("response", "error")
    for level in levels:
        here = trials.where("condition", level) & trials.answered
        n = here.sum(axis=1)
        out[f"error share, {level}"] = np.where(n > 0, (wrong & here).sum(axis=1) / np.maximum(n, 1), np.nan)
    return out


def _general_statistics(trials: Trials) -> dict[str, Array]:
    out: dict[str, Array] = {}
    for column in trials.columns:
        unit = "" if isinstance(column, Category) or not column.unit else f" ({column.unit})"
        if not isinstance(column, Category) and (column.per != "trial" or trials.present.shape[1] == 1):
            (out[column.name + unit],) = _quantiles(trials, column, (0.5,))
        elif not isinstance(column, Category):
            names = [f"{q:.0%} quantile of {column.name}{unit}" for q in (0.1, 0.5, 0.9)]
            out |= zip(names, _quantiles(trials, column, (0.1, 0.5, 0.9)), strict=True)
        elif not column.given:
            n = trials.answered.sum(axis=1)
            for level in column.levels:
                out[f"share of {level!r}, {column.name}"] = np.where(n > 0, trials.where(column.name, level).sum(axis=1) / np.maximum(n, 1), np.nan)
    return out


def _quantiles(trials: Trials, column: Column, probabilities: tuple[float, ...]) -> Array:
    """Quantiles of each data set's known values, (quantile, dataset)."""
    return quantiles_of(trials.values[column.name], trials.present if column.given else trials.answered, probabilities).T


def quantiles_of(values: Array, known: Array, probabilities: tuple[float, ...]) -> Array:
    """Quantiles over what is known in each row of values (dataset, trial), (dataset, quantile); linear between order statistics, NaN for none."""
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
    """Smallest and largest value of each statistic over simulated data sets."""
    statistics = statistics_of(trials, levels)
    return Ranges({k: float(np.nanmin(v)) for k, v in statistics.items()}, {k: float(np.nanmax(v)) for k, v in statistics.items()})


def admit(study: Trials, design: Design, ranges: Ranges | None) -> Admission:
    """Leave out trials that the network cannot read, and flag people unlike its simulations.

    Raises:
        ScopeError: when no one is within the trained numbers of trials and shares.
    """
    trials = readable(study, design)
    flags: list[list[str]] = [[] for _ in range(len(trials))]
    for person, reasons in enumerate(_design_flags(trials, design)):
        flags[person] += reasons
    if len(trials) and all(flags):
        raise ScopeError(
            f"Expected people with {design.smallest}–{design.largest} trials{_words(design)}; nobody in the study has that. "
            f"{trials.names[0]}: {'; '.join(flags[0])}. Train a network for this design, or fit fewer conditions."
        )
    if ranges is not None:
        for name, values in statistics_of(trials, design.levels).items():
            for person in np.flatnonzero((values < ranges.low[name]) | (values > ranges.high[name])):
                low, value, high = (_shown(name, v) for v in (ranges.low[name], values[person], ranges.high[name]))
                flags[person].append(f"{name} {value} outside the simulated {low} to {high}")
    return Admission(trials, tuple(map(tuple, flags)))


def _shown(name: str, value: float) -> str:
    """A time in whole ms, a share in percent."""
    if "(ms)" in name:
        return f"{value:.0f}"
    return f"{value:.1%}" if name.startswith(("error share", "share of")) else f"{value:.4g}"


def _words(design: Design) -> str:
    return " and shares " + ", ".join(f"{level} {value}" for level, value in design.share.items()) if design.share else ""


def readable(study: Trials, design: Design | ObservedDesign) -> Trials:
    """The study without conditions that the design lacks and RTs outside its window, which are counted; answers after its deadline are none."""
    condition = design.condition if design.levels else None
    known = study.present if condition is None else np.isin(study.values[condition.name], [condition.levels.index(level) for level in design.levels])
    known = known & study.present
    outside = np.zeros_like(study.present)
    if design.window is not None:
        rt = study.values["rt"]
        outside = study.answered & known & ((rt < design.window[0]) | (rt > design.window[1]))
    keep = known & ~outside
    unread = [level for level in condition.levels if level not in design.levels] if condition is not None else []
    answered = study.answered & keep
    if design.deadline is not None:
        answered &= study.values["rt"] <= design.deadline  # a later answer counts as none, as in simulated data
    excluded = dict(study.excluded)
    for reason, mask in ((f"{' or '.join(unread)} trials, which the network does not know", study.present & ~known), ("out of window", outside)):
        if mask.any():
            excluded[reason] = excluded.get(reason, np.zeros(len(study), int)) + mask.sum(axis=1)
    return replace(study, present=keep, answered=answered, excluded=excluded)


def _design_flags(trials: Trials, design: Design) -> list[list[str]]:
    flags: list[list[str]] = []
    n = trials.n_trials
    counts = {level: trials.where(design.condition.name, level).sum(axis=1) for level in design.levels}
    for person in range(len(trials)):
        mine: list[str] = []
        if n[person] == 0:
            flags.append(["no trials"])
            continue
        if not design.smallest <= n[person] <= design.largest:
            mine.append(f"{n[person]} trials, trained for {design.smallest}–{design.largest}")
        for level in design.levels:
            value: Any = design.share[level]
            low, high = (value, value) if isinstance(value, int | float) else value
            share = counts[level][person] / n[person]
            slack_low, slack_high = (3.0 * np.sqrt(p * (1.0 - p) / n[person]) for p in (low, high))  # what a run of trials in random order varies
            if counts[level][person] == 0:
                mine.append(f"no {level} trials")
            elif not low - slack_low <= share <= high + slack_high:
                mine.append(f"{share:.0%} {level} trials, trained for {low:.0%}–{high:.0%}")
        flags.append(mine)
    return flags
