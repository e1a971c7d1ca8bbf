"""The statistics of the predictive panel, computed in one compiled pass over all data sets.

They are those of `checks.statistics` and a few more. The panel needs them for hundreds of thousands
of simulated data sets, so they are computed together; a test compares the two.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from jaxtyping import Float

from incongruent.checks.panel_kernels import N_QUANTILES, PER_LEVEL, Columns, Layout, fill
from incongruent.checks.panel_statistics import FAST, Statistic, has_delta
from incongruent.checks.statistics import PROBABILITIES
from incongruent.data.trials import CONDITION, RESPONSE, Trials

Array = np.ndarray

AT_ONCE = 256
"""Data sets that one thread computes in one piece."""


def panel_values(
    trials: Trials, statistics: tuple[Statistic, ...]
) -> Float[Array, "dataset statistic"]:
    """The values of the statistics of `statistics_for`, (dataset, statistic), in their units.

    NaN where there is nothing to compute them from: a standard deviation needs two correct answers,
    a skewness three; times and shares need one.
    """
    layout = _layout_of(statistics)
    out = np.full((len(trials), _width_of(layout)), np.nan)
    columns = _columns_of(trials)

    def compute(start: int) -> None:
        rows = slice(start, start + AT_ONCE)
        fill(_rows_of(columns, rows), layout, out[rows])

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(compute, range(0, len(trials), AT_ONCE)))
    return out[:, : len(statistics)]


def _rows_of(columns: Columns, rows: slice) -> Columns:
    """Some of the data sets, each column in one piece of memory."""
    return Columns(*(np.ascontiguousarray(column[rows]) for column in columns))


def _columns_of(trials: Trials) -> Columns:
    correct = trials.values[RESPONSE.name] == RESPONSE.levels.index("correct")
    return Columns(
        trials.values["rt"],
        trials.values[CONDITION.name],
        correct,
        trials.answered,
        trials.present,
    )


def _layout_of(statistics: tuple[Statistic, ...]) -> Layout:
    levels = _levels_of(statistics)
    codes = np.array([CONDITION.levels.index(level) for level in levels], np.int8)
    return Layout(codes, *_places_of_conflict(levels), np.asarray(PROBABILITIES), FAST)


def _levels_of(statistics: tuple[Statistic, ...]) -> tuple[str, ...]:
    """The conditions that have statistics of their own, in order."""
    occurring = {statistic.condition for statistic in statistics}
    return tuple(level for level in CONDITION.levels if level in occurring)


def _places_of_conflict(levels: tuple[str, ...]) -> tuple[int, int]:
    """Places of the congruent and the incongruent condition; −1 without a delta function."""
    if not has_delta(levels):
        return -1, -1
    return levels.index("congruent"), levels.index("incongruent")


def _width_of(layout: Layout) -> int:
    """The number of values in a row: of conditions, of the delta function, and of all trials."""
    n_delta = N_QUANTILES + 1 if layout.congruent >= 0 else 0
    return len(layout.codes) * PER_LEVEL + n_delta + 2
