"""How far data sets are from simulated ones: a local outlier factor without smoothing.

Distances are those of learned summaries and plain statistics together, whitened. The local outlier
factor is the mean distance to the nearest simulations over that of these to theirs, since wide
priors make lonely data sets too (Breunig et al. 2000).
"""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from incongruent.checks.kernels import whitening_of
from incongruent.checks.statistics import nan_mean

Array = np.ndarray

N_NEIGHBOURS = 10


class Reference:
    """Simulated data sets that others are compared with.

    Args:
        summaries: (simulation, summary).
        plain: plain statistics, (simulation, statistic).
    """

    def __init__(self, summaries: Array, plain: Array) -> None:
        self._mean, self._sd = _mean_and_sd(plain)
        self._white = whitening_of(self._side_by_side(summaries, plain))
        points = self.points(summaries, plain)
        self._tree, self._k = KDTree(points), min(N_NEIGHBOURS, len(points) - 1)
        distance = self._tree.query(points, self._k + 1, workers=-1)[0]
        others = distance[:, 1:]  # without the point itself
        self._theirs = np.maximum(others.mean(axis=1), 1e-300)

    def points(self, summaries: Array, plain: Array) -> Array:
        """Summaries and plain statistics in white coordinates, (dataset, component)."""
        return self._white(self._side_by_side(summaries, plain))

    def z(self, plain: Array) -> Array:
        """How many SDs of the simulations plain statistics lie above their mean."""
        return (plain - self._mean) / self._sd

    def outlier_factor(self, points: Array) -> Array:
        """The local outlier factor of points (dataset, component), (dataset,).

        It is their mean distance from the nearest simulations over that of these from theirs.
        """
        distance, place = self._tree.query(points, self._k, workers=-1)
        return distance.mean(axis=1) / self._theirs[place].mean(axis=1)

    def _side_by_side(self, summaries: Array, plain: Array) -> Array:
        """Both as one matrix; the mean stands for statistics that are not defined."""
        return np.concatenate([summaries, np.where(np.isfinite(plain), plain, self._mean)], axis=1)


def _mean_and_sd(plain: Array) -> tuple[Array, Array]:
    """Mean and SD of statistics (simulation, statistic) over those that have them.

    The mean of one that nobody has is 0; the SD is NaN for one that does not vary.
    """
    known = np.isfinite(plain)
    n = known.sum(axis=0)
    mean = np.nan_to_num(nan_mean(np.where(known, plain, np.nan), axis=0))
    squares = (np.where(known, plain - mean, 0.0) ** 2).sum(axis=0)
    varies = (n > 1) & (squares > 0)
    return mean, np.where(varies, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)
