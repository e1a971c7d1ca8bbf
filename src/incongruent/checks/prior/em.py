"""EM for the population of normal distributions that makes everybody's data most probable."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

from incongruent.checks.prior.em_steps import climb_compiled

Array = np.ndarray


def log_ratio_of(
    z: Float[Array, "person draw parameter"], population: Float[Array, "2 parameter"]
) -> Float[Array, "person draw"]:
    """The log of population over prior density at z (person, draw, parameter), (person, draw).

    The population is (2, parameter): means and log SDs.
    """
    mean, log_sd = population
    return np.sum(0.5 * z**2 - 0.5 * ((z - mean) * np.exp(-log_sd)) ** 2 - log_sd, axis=2)


def climb(
    z: Float[Array, "person draw parameter"],
    weight: Float[Array, " person"],
    start: Float[Array, "2 parameter"],
) -> Float[Array, "2 parameter"]:
    """EM from a start (2, parameter), for people with weights (person,)."""
    return climb_compiled(
        np.ascontiguousarray(z, float),
        np.asarray(weight / weight.sum(), float),
        np.asarray(start, float),
    )
