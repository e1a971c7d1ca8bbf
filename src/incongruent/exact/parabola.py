"""A normal distribution from the values of a log density, where moments of draws say little.

Where a posterior lies beside the draws with which sampling begins, hardly any of these has weight,
and moments of tempered weights come near it only in several rounds. The values of the log density
say more, since they have no noise: a parabola through them, by least squares, has its top where the
posterior is, if that is nearly normal. Where it is not, the parabola is one component of a proposal
beside another that comes from moments, and does no harm.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float

Array = np.ndarray

FLATTEST = 0.7
"""Precision on the real line is at least this; the prior's is 1."""
STEEPEST = 1e6
PER_COEFFICIENT = 1.5
"""A parabola is fitted to so many effective places for each of its coefficients at least."""
FARTHEST = 5.0
"""The top lies within so many SDs of the centre of the prior."""
RIDGE = 1e-8


def fewest_places(n_parameters: int) -> float:
    """The effective number of places that a parabola of so many parameters needs."""
    n_coefficients = (n_parameters + 1) * (n_parameters + 2) // 2
    return PER_COEFFICIENT * n_coefficients


def normal_at_the_top(
    z: Float[Array, "place parameter"],
    log_density: Float[Array, " place"],
    weights: Float[Array, " place"],
) -> tuple[Float[Array, " parameter"], Float[Array, "parameter parameter"]] | None:
    """Mean and covariance of the normal distribution whose log density is a parabola.

    Args:
        z: places (place, parameter), on the real line.
        log_density: of the target at the places, up to a constant.
        weights: of the places in the fit, with sum 1.

    Returns:
        None where the places are too few.
    """
    counts = (weights > 0.0) & np.isfinite(log_density)
    z, log_density, weights = z[counts], log_density[counts], weights[counts]
    d = z.shape[1]
    if len(z) == 0 or 1.01 / (weights**2).sum() < fewest_places(d):
        return None
    centre = np.einsum("n,ni->i", weights, z)
    scale = np.sqrt(np.einsum("n,ni->i", weights, (z - centre) ** 2))
    if not (scale > 1e-6).all():
        return None
    slope, curvature = _fitted((z - centre) / scale, log_density, weights)
    precision = -curvature / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(precision)
    covariance = np.einsum(
        "ik,k,jk->ij", vectors, 1.0 / np.clip(values, FLATTEST, STEEPEST), vectors
    )
    mean = centre + np.einsum("ij,j->i", covariance, slope / scale)
    return np.clip(mean, -FARTHEST, FARTHEST), covariance


def _fitted(u: Array, log_density: Array, weights: Array) -> tuple[Array, Array]:
    """Slope (parameter,) and curvature (parameter, parameter) at u = 0, by least squares."""
    d = u.shape[1]
    first, second = np.triu_indices(d)
    terms = np.concatenate([np.ones((len(u), 1)), u, u[:, first] * u[:, second]], axis=1)
    moments = np.einsum("n,ni,nj->ij", weights, terms, terms, optimize=True)
    moments += RIDGE * np.diag(np.diag(moments))
    against = np.einsum("n,ni->i", weights * (log_density - log_density.max()), terms)
    found = np.linalg.solve(moments, against)
    curvature = np.zeros((d, d))
    curvature[first, second] = found[1 + d :]
    return found[1 : 1 + d], curvature + curvature.T
