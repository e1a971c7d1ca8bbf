"""How far data sets are from simulated ones: a local outlier factor without smoothing.

Distances are those of learned summaries and plain statistics together, whitened. The local outlier
factor is the mean distance to the nearest simulations over that of these to theirs, since wide
priors make isolated data sets too (Breunig et al. 2000).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float
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
        self._theirs = np.maximum(self._distance_from_others(points), 1e-300)

    def _distance_from_others(self, points: Array) -> Array:
        """The mean distance of each simulation from the nearest other ones, (simulation,)."""
        distance = self._tree.query(points, self._k + 1, workers=-1)[0]
        return distance[:, 1:].mean(axis=1)  # without the point itself

    def points(
        self, summaries: Float[Array, "dataset summary"], plain: Float[Array, "dataset statistic"]
    ) -> Float[Array, "dataset component"]:
        """Summaries and plain statistics in white coordinates, (dataset, component)."""
        return self._white(self._side_by_side(summaries, plain))

    def z(self, plain: Float[Array, "dataset statistic"]) -> Float[Array, "dataset statistic"]:
        """How many SDs of the simulations plain statistics lie above their mean."""
        return (plain - self._mean) / self._sd

    def outlier_factor(self, points: Float[Array, "dataset component"]) -> Float[Array, " dataset"]:
        """The local outlier factor of points (dataset, component), (dataset,).

        It is their mean distance from the nearest simulations over that of these from theirs.
        """
        distance, place = self._tree.query(points, self._k, workers=-1)
        return distance.mean(axis=1) / self._theirs[place].mean(axis=1)

    def _side_by_side(self, summaries: Array, plain: Array) -> Array:
        """Both as one matrix; the mean stands for statistics that are not defined."""
        filled = np.where(np.isfinite(plain), plain, self._mean)
        return np.concatenate([summaries, filled], axis=1)


def _mean_and_sd(plain: Array) -> tuple[Array, Array]:
    """Mean and SD of statistics (simulation, statistic) over those that have them.

    The mean of one that nobody has is 0; the SD is NaN for one that does not vary.
    """
    known = np.isfinite(plain)
    mean = _mean_of_known(plain, known)
    squares = (np.where(known, plain - mean, 0.0) ** 2).sum(axis=0)
    return mean, _sd_from(squares, n=known.sum(axis=0))


def _mean_of_known(plain: Array, known: Array) -> Array:
    """The mean over simulations that have a statistic; 0 where none has, (statistic,)."""
    return np.nan_to_num(nan_mean(np.where(known, plain, np.nan), axis=0))


def _sd_from(squares: Array, n: Array) -> Array:
    """The SD of n values from the sum of their squared deviations; NaN where they do not vary."""
    varies = (n > 1) & (squares > 0)
    return np.where(varies, np.sqrt(squares / np.maximum(n - 1, 1)), np.nan)
