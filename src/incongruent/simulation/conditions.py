"""Conditions of simulated trials: their shares, numbers of trials with these shares, random order.

Everything here is for many data sets at once.
"""

from __future__ import annotations

import numba
import numpy as np

Array = np.ndarray

ROUNDING = 1e-9
"""By so much shares may lie outside their ranges after addition."""


def drawn_shares(ranges: Array, n_datasets: int, rng: np.random.Generator) -> Array:
    """Draw shares (dataset, level) within ranges (level, end); each row sums to 1.

    All levels but one are uniform within their ranges, and the level with the widest range takes
    what the others leave; draws that leave it too much or too little are drawn again.
    """
    low, high = _reachable(ranges)
    drawn = np.empty((0, len(low)))
    while len(drawn) < n_datasets:
        fitting = _fitting_shares(low, high, 2 * n_datasets, rng)
        drawn = np.concatenate([drawn, fitting])
    return drawn[:n_datasets]


def _fitting_shares(low: Array, high: Array, n_draws: int, rng: np.random.Generator) -> Array:
    """Of so many draws those whose widest level is within its range, (draw, level)."""
    widest = int(np.argmax(high - low))
    tried = rng.uniform(low, high, (n_draws, len(low)))
    tried[:, widest] += 1.0 - tried.sum(axis=1)
    fits = _about_within(tried[:, widest], low[widest], high[widest])
    return np.clip(tried[fits], 0.0, 1.0)


def _about_within(values: Array, low: float, high: float) -> Array:
    """Whether values lie in a range, but for rounding."""
    return (values >= low - ROUNDING) & (values <= high + ROUNDING)


def _reachable(ranges: Array) -> tuple[Array, Array]:
    """The smallest and largest shares (level,) that the ranges of the other levels allow."""
    smallest_rest, largest_rest = (1.0 - (ranges.sum(axis=0) - ranges)[:, ::-1]).T
    low = np.clip(smallest_rest, ranges[:, 0], ranges[:, 1])
    return low, np.clip(largest_rest, low, ranges[:, 1])


def trial_counts(shares: Array, n_trials: Array) -> Array:
    """Whole numbers of trials (dataset, level) that have these shares and add up to n_trials.

    Numbers are rounded down, and the largest remainders up, as in an election by proportion.
    """
    exact = shares * n_trials[:, None]
    counts = np.floor(exact + ROUNDING).astype(int)
    not_given_yet = n_trials - counts.sum(axis=1)
    return counts + (_rank_in_row(counts - exact) < not_given_yet[:, None])


def _rank_in_row(values: Array) -> Array:
    """The rank of each value in its row, 0 for the smallest."""
    return np.argsort(np.argsort(values, axis=1), axis=1)


def shuffled(counts: Array, rng: np.random.Generator) -> tuple[Array, Array]:
    """Conditions (dataset, trial) in random order for counts (dataset, level), and which exist."""
    n = counts.sum(axis=1)
    condition = np.zeros((len(counts), int(n.max(initial=0))), np.int8)
    _fill_shuffled(rng, np.ascontiguousarray(counts), condition)
    return condition, np.arange(condition.shape[1]) < n[:, None]


@numba.njit(nogil=True, cache=True)
def _fill_shuffled(rng, counts, condition):  # pragma: no cover - compiled
    """Fill each row with its levels, then shuffle it (Fisher & Yates)."""
    for row in range(counts.shape[0]):
        n = _fill_in_order(counts[row], condition[row])
        for j in range(n - 1, 0, -1):
            k = int(rng.random() * (j + 1))
            condition[row, j], condition[row, k] = condition[row, k], condition[row, j]


@numba.njit(nogil=True, cache=True)
def _fill_in_order(counts, condition):  # pragma: no cover - compiled
    """Fill a row with each level as often as it occurs; returns the number of trials."""
    n = 0
    for level in range(len(counts)):
        condition[n : n + counts[level]] = level
        n += counts[level]
    return n
