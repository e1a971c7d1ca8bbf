"""The mean of a density over an interval, by the rule of Gauss and Legendre.

An RT that is recorded in steps stands for all RTs of an interval. A density of RTs is at least as
smooth as that of the non-decision time, so the number of points that are needed follows from the
width of the interval in units of sd_R. With the numbers chosen here the log likelihood of a
thousand trials is within about 0.05 nats of that with the exact masses.
"""

from __future__ import annotations

import math

import numpy as np

from incongruent.models.compiling import kernel, step

NARROW = 0.16
"""Over an interval that is narrower, in units of sd_R, the density at its middle is the mean."""
MOST_POINTS = 12


def _rules() -> tuple[np.ndarray, np.ndarray]:
    """Points in [-1/2, 1/2] and weights that sum to 1, both (number of points, point)."""
    points = np.zeros((MOST_POINTS + 1, MOST_POINTS))
    weights = np.zeros((MOST_POINTS + 1, MOST_POINTS))
    for n in range(1, MOST_POINTS + 1):
        at, weight = np.polynomial.legendre.leggauss(n)
        points[n, :n], weights[n, :n] = 0.5 * at, 0.5 * weight
    return points, weights


POINTS, WEIGHTS = _rules()


@step
def n_points_for(width, sd):  # pragma: no cover - compiled
    """How many points an interval needs where R has this standard deviation."""
    wide = width / sd
    return 1 if wide < NARROW else min(math.ceil(wide) + 1, MOST_POINTS)


@kernel
def take_means(logs):  # pragma: no cover - compiled
    """Put the logarithms of the means over intervals into row 0 of ``logs`` (point, interval).

    It has the logarithms of values at the points of the intervals.
    """
    n = len(logs)
    if n == 1:
        return
    for j in range(logs.shape[1]):
        most = logs[:, j].max()
        mean = 0.0
        if most > -math.inf:
            for k in range(n):
                mean += WEIGHTS[n, k] * math.exp(logs[k, j] - most)
            most += math.log(mean)
        logs[0, j] = most
