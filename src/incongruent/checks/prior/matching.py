"""Distributions with given quantiles, in numbers that can be read and typed."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float
from scipy import optimize, stats

from incongruent.priors.distributions import Distribution, Truncated, truncated

Array = np.ndarray

LEAST_WITHIN = 1e-3
"""Share of a distribution that has to lie within the range that it is cut to; the tail of a tail is
no prior.
"""
FARTHEST = 3.5
"""SDs of the old prior; farther out it says nothing about what lies where."""
DIGITS = 5
"""Of the numbers of a suggestion."""
PROBABILITIES = np.arange(0.01, 1.0, 0.02)


def distribution_like(before: Distribution, location: float, spread: float) -> Distribution:
    """A distribution with the quantiles of a population, on the range of the old prior.

    It is a normal, or a lognormal where that is nearer.

    Args:
        before: the old prior, which is standard normal on the network's scale.
        location: mean of the population on that scale.
        spread: its SD on that scale.
    """
    low, high = map(float, before.support())
    wanted = _wanted_quantiles(before, location, spread)
    fits = [_Family(_normal, wanted, low, high).nearest(wanted)]
    if low >= 0.0:
        fits.append(_Family(_lognormal, wanted, low, high).nearest(np.log(wanted)))
    return _with_few_digits(min(fits, key=lambda fit: fit[0])[1])


def _wanted_quantiles(before: Distribution, location: float, spread: float) -> Array:
    """The quantiles of a population in the unit of the parameter, (probability,)."""
    z = stats.norm.ppf(PROBABILITIES) * spread + np.clip(location, -FARTHEST, FARTHEST)
    return np.where(z < 0, before.ppf(stats.norm.cdf(z)), before.isf(stats.norm.sf(z)))


def _normal(location: float, log_sd: float) -> Any:
    return stats.norm(location, np.exp(log_sd))


def _lognormal(location: float, log_sd: float) -> Any:
    return stats.lognorm(np.exp(log_sd), scale=np.exp(location))


def _with_few_digits(distribution: Distribution) -> Distribution:
    """The same with arguments that can be read and typed."""
    if isinstance(distribution, Truncated):
        return truncated(_with_few_digits(distribution.base), distribution.low, distribution.high)
    frozen: Any = distribution
    few = {name: _rounded(value) for name, value in frozen.kwds.items()}
    return frozen.dist(*map(_rounded, frozen.args), **few)


def _rounded(value: float) -> float:
    """A number with few significant digits."""
    return float(f"{value:.{DIGITS}g}")


@dataclass(frozen=True, eq=False)
class _Family:
    """A family of distributions on a range, and the quantiles that are wanted.

    Attributes:
        member: of the family, by location and log SD.
        wanted: (probability,) quantiles at ``PROBABILITIES``.
        low: where the range begins.
        high: where it ends.
    """

    member: Callable[[float, float], Any]
    wanted: Float[Array, " probability"]
    low: float
    high: float

    def nearest(self, values: Float[Array, " probability"]) -> tuple[float, Distribution]:
        """How far the quantiles of the nearest member are from those wanted, and that member.

        Location and SD keep to the range of ``values``, the wanted ones where the family is normal,
        widened by as much on both sides, and to twice that range; so what piles up on a limit still
        gets plain numbers.
        """
        options = {"xatol": 1e-3, "fatol": 1e-6 * float(np.var(self.wanted))}
        best = optimize.minimize(
            self._gap,
            (float(np.median(values)), float(np.log(values.std()))),
            method="Nelder-Mead",
            bounds=_bounds_around(values),
            options=options,
        )
        return float(best.fun), self._distribution(best.x)

    def _distribution(self, at: Array) -> Distribution:
        """A member, cut to the range where it reaches beyond."""
        full = self.member(*at)
        if float(full.cdf(self.low)) + float(full.sf(self.high)) < 1e-9:
            return full
        return truncated(full, self.low, self.high)

    def _gap(self, at: Array) -> float:
        """The mean squared difference of a member's quantiles from those wanted."""
        full = self.member(*at)
        if 1.0 - float(full.cdf(self.low)) - float(full.sf(self.high)) < LEAST_WITHIN:
            return float("inf")
        return _mean_square(np.asarray(self._distribution(at).ppf(PROBABILITIES)) - self.wanted)


def _mean_square(values: Float[Array, " probability"]) -> float:
    return float(np.mean(values**2))


def _bounds_around(values: Float[Array, " probability"]) -> list[tuple[float, float]]:
    """The ranges of location and log SD of a family, from the quantiles that are wanted."""
    width = float(np.ptp(values))
    return [
        (float(values.min()) - width, float(values.max()) + width),
        (math.log(1e-3 * width), math.log(2.0 * width)),
    ]
