"""Statistics that describe a data set, and the ranges that they have over simulated data sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

import numpy as np

from incongruent.data.trials import CONFLICT_TASK, RESPONSE, RT, Category, Column, Trials

Array = np.ndarray

PROBABILITIES = (0.1, 0.5, 0.9)
CONFLICT_NAMES = ("fast (10 %) RT (ms)", "median RT (ms)", "slow (90 %) RT (ms)")
"""What these quantiles of response times are called for conflict tasks."""
FEWEST_SIMULATED = 100
"""Ranges of fewer simulations are too narrow to refuse anybody for."""


class Kind(Enum):
    """What a statistic counts or measures."""

    QUANTILE = "quantile of a column of numbers"
    SHARE = "share of the answers that have a level"
    COUNT = "number of trials"
    TRIAL_SHARE = "share of the trials that are of a condition"


@dataclass(frozen=True)
class Statistic:
    """A number that describes a data set, and what it is.

    Attributes:
        name: what messages and files call it, with its unit.
        kind: what it counts or measures.
        column: of the trials, whose quantiles or levels they are; None for all trials.
        level: of that column, for shares.
        condition: of the trials that it describes; None for all.
        probability: of a quantile.
        unit: of a quantile; empty when it has none.
    """

    name: str
    kind: Kind
    column: str | None = None
    level: str | None = None
    condition: str | None = None
    probability: float | None = None
    unit: str = ""

    @property
    def of_design(self) -> bool:
        """Whether it belongs to the design, and not to what the person answered."""
        return self.kind in (Kind.COUNT, Kind.TRIAL_SHARE)

    def shown(self, value: float) -> str:
        """A value as messages show it: times in whole ms, shares in percent, counts whole."""
        if self.kind is Kind.COUNT or self.unit == "ms":
            return f"{value:.0f}"
        return f"{value:.1%}" if self.kind in (Kind.SHARE, Kind.TRIAL_SHARE) else f"{value:.4g}"


N_TRIALS = Statistic("number of trials", Kind.COUNT)


def trial_share(condition: str, level: str) -> Statistic:
    """The share of a person's trials that have a level of the condition."""
    return Statistic(f"{level} trials", Kind.TRIAL_SHARE, condition, level)


@dataclass(frozen=True)
class Ranges:
    """The ranges of a few statistics over simulated data sets; made by ``ranges_of``.

    Attributes:
        low: smallest value of each statistic, by name.
        high: largest value.
        n_datasets: how many simulated data sets they are of; None when that is not known.
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


def ranges_of(trials: Trials, levels: tuple[str, ...]) -> Ranges:
    """The range of each statistic over simulated data sets, of those that some of them have."""
    known = _known_values(statistics_of(trials, levels))
    low = {name: float(np.nanmin(values)) for name, values in known.items()}
    high = {name: float(np.nanmax(values)) for name, values in known.items()}
    return Ranges(low, high, len(trials))


def _known_values(statistics: Mapping[Statistic, Array]) -> dict[str, Array]:
    """By name the values of those statistics that some data set has."""
    return {
        statistic.name: values
        for statistic, values in statistics.items()
        if not np.isnan(values).all()
    }


def statistics_of(trials: Trials, levels: tuple[str, ...]) -> dict[Statistic, Array]:
    """A few statistics of each data set, (dataset,); NaN where there is nothing to describe.

    For conflict tasks these are RT quantiles over all answers and the share of errors by condition;
    for other data quantiles of every column of numbers and the share of every level among answers.
    """
    if set(trials.columns) == set(CONFLICT_TASK):
        return _of_conflict_task(trials, levels)
    out: dict[Statistic, Array] = {}
    for column in trials.columns:
        if not isinstance(column, Category):
            out |= _of_numbers(trials, column)
        elif not column.given:
            out |= _of_levels(trials, column)
    return out


def _of_conflict_task(trials: Trials, levels: tuple[str, ...]) -> dict[Statistic, Array]:
    """RT quantiles, and the share of errors in each condition."""
    out = _quantiles(trials, RT, CONFLICT_NAMES, PROBABILITIES)
    wrong = trials.where(RESPONSE.name, "error")
    for level in levels:
        answered = trials.where("condition", level) & trials.answered
        out[_error_share(level)] = _share(wrong, answered)
    return out


def _error_share(condition: str) -> Statistic:
    """The share of errors among the answers in a condition."""
    name = f"error share, {condition}"
    return Statistic(name, Kind.SHARE, RESPONSE.name, "error", condition=condition)


def _of_numbers(trials: Trials, column: Column) -> dict[Statistic, Array]:
    """Three quantiles of a column that changes by trial; the only value of one that does not."""
    name = _name_with_unit(column)
    if column.per != "trial" or trials.present.shape[1] == 1:
        return _quantiles(trials, column, (name,), (0.5,))
    names = tuple(f"{q:.0%} quantile of {name}" for q in PROBABILITIES)
    return _quantiles(trials, column, names, PROBABILITIES)


def _of_levels(trials: Trials, column: Category) -> dict[Statistic, Array]:
    """The share of each level of a column among the answers."""
    return {
        _level_share(column, level): _share(trials.where(column.name, level), trials.answered)
        for level in column.levels
    }


def _level_share(column: Category, level: str) -> Statistic:
    """The share of one level of a column among the answers."""
    return Statistic(f"share of {level!r}, {column.name}", Kind.SHARE, column.name, level)


def _name_with_unit(column: Column) -> str:
    unit = _unit(column)
    return f"{column.name} ({unit})" if unit else column.name


def _unit(column: Column) -> str:
    return "" if isinstance(column, Category) else column.unit


def _quantiles(
    trials: Trials, column: Column, names: tuple[str, ...], probabilities: tuple[float, ...]
) -> dict[Statistic, Array]:
    """Quantiles of each data set's known values under these names."""
    known = trials.present if column.given else trials.answered
    values = quantiles_of(trials.values[column.name], known, probabilities).T
    return {
        _quantile(column, name, q): of_datasets
        for name, q, of_datasets in zip(names, probabilities, values, strict=True)
    }


def _quantile(column: Column, name: str, probability: float) -> Statistic:
    """A quantile of a column under this name."""
    unit = _unit(column)
    return Statistic(name, Kind.QUANTILE, column.name, probability=probability, unit=unit)


def _share(some: Array, of: Array) -> Array:
    """The share of trials ``of`` a data set that are also among ``some``; NaN for none."""
    n = of.sum(axis=1)
    return np.where(n > 0, (some & of).sum(axis=1) / np.maximum(n, 1), np.nan)


def quantiles_of(values: Array, known: Array, probabilities: tuple[float, ...]) -> Array:
    """Quantiles over what is known in each row of values (dataset, trial), (dataset, quantile).

    They are linear between order statistics, and NaN where nothing is known.
    """
    n = known.sum(axis=1)[:, None]
    last = np.maximum(n - 1, 0)
    ordered = np.where(n == 0, 0.0, _known_in_order(values, known))
    found = _between_elements(ordered, last * np.asarray(probabilities), last)
    return np.where(n == 0, np.nan, found)


def _known_in_order(values: Array, known: Array) -> Array:
    """The known values of each row in ascending order, and infinity behind them."""
    return np.sort(np.where(known, values, np.inf), axis=1)


def _between_elements(rows: Array, places: Array, last: Array) -> Array:
    """Elements at places (row, place) that need not be whole, up to ``last`` (row, 1)."""
    below = np.floor(places).astype(int)
    above = np.minimum(below + 1, last)
    left, right = (np.take_along_axis(rows, at, 1) for at in (below, above))
    return left + (places - below) * (right - left)
