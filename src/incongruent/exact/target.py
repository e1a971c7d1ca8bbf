"""The posterior density of one person on the real line, which every sampler here asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Float

from incongruent.exact.likelihood import Person, level_for, likelihood_of
from incongruent.models.model import Likelihood
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

FURTHEST = 5.0
"""Places at which samplers start lie within so many SDs of the prior."""


@dataclass(frozen=True, eq=False)
class Target:
    """The posterior density of one person on the real line, up to a constant.

    Attributes:
        prior: of the parameters.
        likelihood: of the model.
        person: the trials.
        level: of accuracy at which the likelihood is computed.
    """

    prior: AnyPrior
    likelihood: Likelihood
    person: Person
    level: int = 0

    @classmethod
    def of(cls, simulator: Simulator, person: Person) -> Target:
        """The target at the fastest level of accuracy."""
        return cls(simulator.prior, likelihood_of(simulator), person)

    def accurate_near(self, z: Float[Array, "place parameter"]) -> tuple[Target, bool]:
        """The target at the level needed near z (place, parameter), and whether that is enough."""
        theta = self.prior.from_real(z)
        level, accurate = level_for(self.likelihood, self.person, theta)
        return replace(self, level=level), accurate

    def log_likelihood(self, z: Float[Array, "place parameter"]) -> Float[Array, " place"]:
        """Log likelihood at z (place, parameter), (place,).

        It is -inf where it is not a finite number, and where the prior has no density: there it is
        not computed, since the model may not be defined.
        """
        theta = self.prior.from_real(z)
        found = np.full(len(z), -np.inf)
        possible = np.isfinite(self.log_prior(z)) & np.isfinite(theta).all(axis=1)
        if possible.any():
            found[possible] = self.person.log_likelihood(
                self.likelihood, theta[possible], self.level
            )
        return _finite_or_impossible(found)

    def log_prior(self, z: Float[Array, "place parameter"]) -> Float[Array, " place"]:
        """Log density of the prior at z (place, parameter), (place,); -inf where not finite."""
        with np.errstate(invalid="ignore"):
            return _finite_or_impossible(self.prior.log_prob_real(z))

    def log_density(self, z: Float[Array, "place parameter"]) -> Float[Array, " place"]:
        """Log density at z (place, parameter), (place,)."""
        return self.log_likelihood(z) + self.log_prior(z)


def _finite_or_impossible(log_values: Array) -> Array:
    """Logarithms with -inf for what is not a finite number."""
    return np.where(np.isfinite(log_values), log_values, -np.inf)


def on_the_real_line(prior: AnyPrior, theta: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Theta (draw, parameter) on the real line, not too far from the centre of the prior."""
    return np.clip(np.nan_to_num(prior.to_real(theta)), -FURTHEST, FURTHEST)
