"""A drift that varies much over trials, as a mixture of drifts that vary less.

A normal distribution is a mixture of narrower ones around equally spaced means. `varying_drift`
solves for each of them at once.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

Array = np.ndarray

WIDEST = 2.8
"""The largest s b / sigma^2 of a drift that is not divided, s its standard deviation."""
NARROW = 1.25
"""The s b / sigma^2 of each of the narrower distributions."""
OVERLAP = 4.0
"""How many of them there are for each time that one of them fits into all together.

There is one more on each level of accuracy."""
FURTHEST = 3.5, 0.5
"""How many standard deviations of all together the first and the last lie from the middle.

The second number is added on each level of accuracy."""


class Drifts(NamedTuple):
    """Distributions of the drift, in rows; each parameter value has one or several.

    Attributes:
        first: (theta + 1,) where the rows of each parameter value begin, and end.
        theta: (row,) position of the parameter value.
        extra: (row,) mean of the distribution less that of the parameter value, 1 / ms.
        sd: (row,) standard deviation, 1 / ms.
        weight: (row,) share of the trials.
    """

    first: Array
    theta: Array
    extra: Array
    sd: Array
    weight: Array


def drifts_of(drift_sd: Array, bound: Array, sigma: float, level: int) -> Drifts:
    """The distributions that together are Normal(0, drift_sd^2).

    Args:
        drift_sd: (theta,) in 1 / ms.
        bound: (theta,) at time 0.
        sigma: diffusion constant, 1 / sqrt(ms).
        level: of accuracy; 0 is the fastest one.
    """
    width = drift_sd * bound / sigma**2
    share = np.where(width > WIDEST, NARROW / np.maximum(width, WIDEST), 1.0)
    number = np.where(share < 1.0, np.ceil((OVERLAP + level) / share), 1.0).astype(int)
    first = np.concatenate([[0], np.cumsum(number)])
    theta = np.repeat(np.arange(len(share)), number)
    deviates = (FURTHEST[0] + level * FURTHEST[1]) * _positions(number, first[theta])
    weight = np.exp(-0.5 * deviates**2)
    weight /= np.add.reduceat(weight, first[:-1])[theta]
    extra = deviates * (np.sqrt(1.0 - share**2) * drift_sd)[theta]
    return Drifts(first, theta, extra, (share * drift_sd)[theta], weight)


def _positions(number: Array, first: Array) -> Array:
    """Equally spaced from -1 to 1, so many for each parameter value, (row,); a single one is 0.

    ``first`` (row,) is where the rows of the same parameter value begin.
    """
    before = np.arange(len(first)) - first
    behind = np.repeat(number - 1, number) - before
    return (before - behind) / np.maximum(before + behind, 1)
