"""Priors: named scipy.stats distributions, and the map between them and the real line.

Networks learn z = Phi^-1(F(theta)), parameter by parameter. Under the prior z is standard normal,
whatever the prior's support, so that no draw can leave it and log q(theta) = log q(z) - log phi(z)
+ log p(theta) holds exactly.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from incongruent.data.basics.plain import text_of, whole_number
from incongruent.data.basics.streams import Purpose, stream_or
from incongruent.models.model import Parameter
from incongruent.priors.distributions import (
    Distribution,
    accepted,
    distribution_from_json,
    distribution_to_json,
    truncated,
    words_for,
)

Array = np.ndarray

LARGEST_CUT = 0.01
"""More prior mass than this outside a model's domain is refused rather than cut."""


class Prior:
    """Independent univariate priors, one for each parameter.

    Args:
        distributions: by parameter name: frozen continuous scipy.stats distributions, or
            `truncated` ones. The new distributions of scipy.stats, such as
            ``stats.Normal(mu=0, sigma=1)``, become the frozen ones that are the same.

    Raises:
        TypeError: when something else than a distribution is given.
        ValueError: for a distribution that a file cannot name, or whose quantiles are not finite.

    Example:
        >>> from scipy import stats
        >>> prior = Prior(A=stats.gamma(4, scale=5), tau=stats.uniform(20, 200))
        >>> prior.sample(3, seed=1).shape
        (3, 2)
    """

    def __init__(self, /, **distributions: Distribution) -> None:
        if not distributions:
            raise ValueError(
                "Expected at least one parameter with its distribution, for example"
                " Prior(A=stats.gamma(4, scale=5)); got none."
            )
        self._distributions: dict[str, Distribution] = {}
        for name, distribution in distributions.items():
            plainly = accepted(name, distribution)
            if not np.isfinite(np.asarray(plainly.ppf([0.001, 0.5, 0.999]), float)).all():
                raise ValueError(
                    f"Expected finite quantiles for {name!r}; got"
                    f" {plainly.ppf([0.001, 0.5, 0.999])}. Check its scale and shape."
                )
            self._distributions[text_of(name)] = plainly

    def __repr__(self) -> str:
        return (
            "Prior("
            + ", ".join(f"{name}={words_for(d)}" for name, d in self._distributions.items())
            + ")"
        )

    def __getitem__(self, name: str) -> Distribution:
        return self._distributions[name]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prior) and self.to_json() == other.to_json()

    __hash__ = None  # type: ignore[assignment]

    @property
    def names(self) -> tuple[str, ...]:
        """Parameter names, in the order of the columns of theta."""
        return tuple(self._distributions)

    @property
    def has_density(self) -> bool:
        """Whether its density is known: always."""
        return True

    def sample(self, n_datasets: int, *, seed: int | np.random.Generator) -> Array:
        """Draw theta, shape (n_datasets, parameter)."""
        z = stream_or(seed, Purpose.PRIOR_ALONE).standard_normal(
            (whole_number("n_datasets", n_datasets, 0), len(self.names))
        )
        return self.from_real(z)

    def log_prob(self, theta: Array) -> Array:
        """Log density at theta (…, parameter), shape (…); -inf outside the support."""
        theta = self._with_parameters(theta)
        return sum(d.logpdf(theta[..., i]) for i, d in enumerate(self._distributions.values()))  # type: ignore[return-value]

    def to_real(self, theta: Array) -> Array:
        """Z = Phi^-1(F(theta)), same shape (…, parameter).

        It is infinite where theta lies outside the support or beyond double precision.
        """
        theta = self._with_parameters(theta)
        z = np.empty(theta.shape)
        for i, d in enumerate(self._distributions.values()):
            below, above = d.cdf(theta[..., i]), d.sf(theta[..., i])
            z[..., i] = np.where(below < 0.5, special.ndtri(below), -special.ndtri(above))
        return z

    def from_real(self, z: Array) -> Array:
        """Theta = F^-1(Phi(z)), same shape (…, parameter)."""
        z = self._with_parameters(z)
        theta = np.empty(z.shape)
        for i, d in enumerate(self._distributions.values()):
            lower = z[..., i] < 0
            tail = special.ndtr(-np.abs(z[..., i]))
            theta[..., i][lower] = d.ppf(tail[lower])
            theta[..., i][~lower] = d.isf(tail[~lower])
        return theta

    def log_prob_real(self, z: Array) -> Array:
        """Log density of z (…, parameter) under the prior, shape (…): standard normal."""
        z = self._with_parameters(z)
        return -0.5 * np.sum(z**2 + math.log(2.0 * math.pi), axis=-1)

    def log_jacobian(self, theta: Array, z: Array) -> Array:
        """``log |dz / dtheta|`` = log p(theta) - log phi(z), shape (…).

        Theta is (…, parameter), and z is its place on the real line.
        """
        return self.log_prob(theta) - self.log_prob_real(z)

    def limits(self, place: int) -> tuple[float, float]:
        """Smallest and largest value that the parameter at a place of `names` can have."""
        low, high = self._distributions[self.names[place]].support()
        return float(low), float(high)

    def share_outside(self, place: int, low: float, high: float) -> float:
        """How much of the parameter's prior lies outside [low, high]."""
        distribution = self._distributions[self.names[place]]
        return float(distribution.cdf(low) + distribution.sf(high))

    def variances(self) -> Array:
        """Prior variance of each parameter, (parameter,).

        It is the variance of 2000 equally probable values.
        """
        middle = (np.arange(2000) + 0.5) / 2000
        return np.array([np.var(d.ppf(middle)) for d in self._distributions.values()])

    def to_json(self) -> dict[str, Any]:
        """Plain values, by parameter."""
        return {name: distribution_to_json(d) for name, d in self._distributions.items()}

    def within(self, parameters: Sequence[Parameter]) -> Prior:
        """The same prior cut to the domains of a model's parameters, in the model's order.

        Raises:
            ValueError: when names do not match, or more than 1 % of a prior lies outside the
                domain.
        """
        wanted = [parameter.name for parameter in parameters]
        if sorted(wanted) != sorted(self.names):
            missing, extra = (
                sorted(set(wanted) - set(self.names)),
                sorted(set(self.names) - set(wanted)),
            )
            raise ValueError(
                f"Expected a prior for exactly the parameters {wanted}; missing {missing}, not in"
                f" the model {extra}."
            )
        return Prior(
            **{parameter.name: _cut_to(parameter, self[parameter.name]) for parameter in parameters}
        )

    def extended(self, /, **distributions: Distribution) -> Prior:
        """The same prior with further parameters, behind its own.

        Raises:
            ValueError: for a parameter that it has already.

        Example:
            >>> from scipy import stats
            >>> Prior(A=stats.gamma(4, scale=5)).extended(lapse=stats.beta(1, 20)).names
            ('A', 'lapse')
        """
        twice = sorted(set(distributions) & set(self.names))
        if twice:
            raise ValueError(f"Expected further parameters beside {self.names}; got {twice} again.")
        return Prior(**{**self._distributions, **distributions})

    def _with_parameters(self, values: Array) -> Array:
        values = np.asarray(values, float)
        if values.shape[-1:] != (len(self.names),):
            raise ValueError(
                f"Expected the last axis to hold the {len(self.names)} parameters {self.names}; got"
                f" shape {values.shape}."
            )
        return values


def _cut_to(parameter: Parameter, distribution: Distribution) -> Distribution:
    low, high = distribution.support()
    if low >= parameter.low and high <= parameter.high:
        return distribution
    outside = float(distribution.cdf(parameter.low) + distribution.sf(parameter.high))
    if outside > LARGEST_CUT:
        raise ValueError(
            f"Expected a prior for {parameter.name} within [{parameter.low:g}, {parameter.high:g}]"
            f" {parameter.unit}, where the model is defined; {outside:.1%} of it lies outside. Use"
            f" a distribution on that range, or incongruent.truncated(…, {parameter.low:g},"
            f" {parameter.high:g})."
        )
    return truncated(distribution, parameter.low, parameter.high)


def prior_from_json(spec: Mapping[str, Any]) -> Prior:
    """The prior that `Prior.to_json` described.

    Raises:
        ValueError: when a distribution is not one of scipy.stats.
    """
    return Prior(**{name: distribution_from_json(name, entry) for name, entry in spec.items()})
