"""The non-decision time R ~ Normal(mu, sd) cut at 0: its density and its distribution function."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from incongruent.models.compiling import kernel, step


class Residual(NamedTuple):
    """The non-decision time at one parameter value.

    Attributes:
        mu: mean before the cut, in ms.
        sd: standard deviation before the cut, in ms.
        above: probability of a value above 0 before the cut.
    """

    mu: float
    sd: float
    above: float


@kernel
def normal_cdf(x):  # pragma: no cover - compiled
    """The distribution function of the standard normal distribution."""
    return 0.5 * math.erfc(-x / math.sqrt(2.0))


@step
def residual_of(mu, sd):  # pragma: no cover - compiled
    """The non-decision time with these two parameters."""
    return Residual(mu, sd, normal_cdf(mu / sd))


@step
def bell(residual, t):  # pragma: no cover - compiled
    """The density at t without its constant factor; below 0 it goes on as if nothing were cut."""
    z = (t - residual.mu) / residual.sd
    return math.exp(-0.5 * z * z)


@step
def normaliser(residual):  # pragma: no cover - compiled
    """The density is `bell` divided by this number of ms."""
    return residual.sd * math.sqrt(2.0 * math.pi) * residual.above


@kernel
def cut_cdf(x, residual):  # pragma: no cover - compiled
    """P(R <= x), and below 0 the smooth continuation of this function."""
    z = (x - residual.mu) / residual.sd
    if z > 8.0:
        return 1.0
    if z < -8.0 and residual.mu > 8.0 * residual.sd:
        return 0.0
    return (normal_cdf(z) + residual.above - 1.0) / residual.above


@kernel
def kernel_of(residual, per_place, first_tap, n_taps, width):  # pragma: no cover - compiled
    """Densities of R from the middles of bins to places, (bin, tap), in 1 / ms.

    Places lie ``width`` ms apart. Bin number j of those from one place to the next has its middle
    (j + 1/2) / ``per_place`` of that distance behind the first of them.
    """
    kernel = np.empty((per_place, n_taps))
    for j in range(per_place):
        for m in range(n_taps):
            t = (first_tap + m - (j + 0.5) / per_place) * width
            kernel[j, m] = bell(residual, t) / normaliser(residual)
    return kernel
