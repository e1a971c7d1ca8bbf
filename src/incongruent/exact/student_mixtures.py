"""Mixtures of multivariate t distributions, from which importance draws are proposed.

Heavy tails keep importance weights bounded. Means and covariances come from weighted places by the
EM algorithm for a mixture of normal distributions; how many components it has, from the Bayesian
information criterion at the effective number of places. (Sums and triangular systems are numpy's
own: BLAS and LAPACK start threads for these small matrices in every thread that samples a person,
which wait for each other; that took 5 s a person.)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

Array = np.ndarray

DEGREES_OF_FREEDOM = 5
"""Of every component."""
INFLATION = 1.15
"""Scale matrices are so many times the covariance of the places."""
MOST_COMPONENTS = 3
STEPS = 40
"""EM stops after so many steps at the latest, or when it gains less than `SMALLEST_GAIN`."""
SMALLEST_GAIN = 1e-3
"""In nats of the mean log density."""
SMALLEST_SD = 1e-3
"""A component is at least so wide in every direction; the prior's SD is 1."""
FEWEST_MEMBERS = 3.0
"""Components have at least so many effective members for each parameter, on average."""
NEGLIGIBLE = 1e-6
"""Places with less, relative to the largest weight, are left out: together they move nothing."""
LEAST_SHARE = 0.1
"""Every component gets about this share of the draws at least: no mode is lost by chance."""


@dataclass(frozen=True, eq=False)
class StudentMixture:
    """A mixture of multivariate t distributions with `DEGREES_OF_FREEDOM`.

    Attributes:
        shares: (component,) with sum 1.
        means: (component, parameter).
        factors: (component, parameter, parameter) lower Cholesky factors of the scale matrices.
    """

    shares: Float[Array, " component"]
    means: Float[Array, "component parameter"]
    factors: Float[Array, "component parameter parameter"]

    def with_normal(self, mean: Array, covariance: Array, share: float) -> StudentMixture:
        """The mixture with one more component, around a mean (parameter,) with a covariance."""
        factor = np.linalg.cholesky(INFLATION * covariance)
        return StudentMixture(
            np.append((1.0 - share) * self.shares, share),
            np.concatenate([self.means, mean[None]]),
            np.concatenate([self.factors, factor[None]]),
        )

    def sample(self, n_draws: int, rng: np.random.Generator) -> Float[Array, "draw parameter"]:
        """Draws, (draw, parameter)."""
        component = rng.choice(len(self.shares), n_draws, p=self.shares)
        noise = rng.standard_normal((n_draws, self.means.shape[1]))
        stretch = np.sqrt(DEGREES_OF_FREEDOM / rng.chisquare(DEGREES_OF_FREEDOM, n_draws))
        turned = np.einsum("nij,nj->ni", self.factors[component], noise)
        return self.means[component] + stretch[:, None] * turned

    def log_density(self, z: Float[Array, "place parameter"]) -> Float[Array, " place"]:
        """Log density at z (place, parameter), (place,)."""
        components = zip(self.means, self.factors, strict=True)
        each = np.stack([_log_t(z, mean, factor) for mean, factor in components], axis=1)
        return _log_sum(np.log(self.shares) + each)


def _log_t(z: Array, mean: Array, factor: Array) -> Array:
    """Log density of a multivariate t distribution at z (place, parameter), (place,)."""
    nu, d = DEGREES_OF_FREEDOM, len(mean)
    constant = math.lgamma((nu + d) / 2) - math.lgamma(nu / 2) - 0.5 * d * math.log(nu * math.pi)
    distance = _squared_distances(z, mean, factor)
    log_det = np.log(np.diag(factor)).sum()
    return constant - log_det - 0.5 * (nu + d) * np.log1p(distance / nu)


def _squared_distances(z: Array, mean: Array, factor: Array) -> Array:
    """Squared distances of z (place, parameter) from a mean in units of a scale, (place,).

    The triangular system is solved row by row, for all places together.
    """
    away = np.ascontiguousarray((z - mean).T)
    for i in range(len(mean)):
        away[i] -= (factor[i, :i, None] * away[:i]).sum(axis=0)
        away[i] /= factor[i, i]
    return (away**2).sum(axis=0)


def _log_sum(logs: Array) -> Array:
    """Logs of sums of exponentials over components, (place,) of (place, component).

    Some component has a density at every place, so that no sum is 0.
    """
    largest = logs.max(axis=1)
    return largest + np.log(np.exp(logs - largest[:, None]).sum(axis=1))


def mixture_of(
    z: Float[Array, "place parameter"], weights: Float[Array, " place"], rng: np.random.Generator
) -> StudentMixture:
    """The mixture that suits weighted places best.

    Args:
        z: (place, parameter).
        weights: (place,) with sum 1.
        rng: for where the components begin.
    """
    effective = 1.0 / (weights**2).sum()
    counts = weights > NEGLIGIBLE * weights.max()
    z, weights = z[counts], weights[counts] / weights[counts].sum()
    most = min(MOST_COMPONENTS, max(int(effective / (FEWEST_MEMBERS * z.shape[1])), 1))
    fits = [_Normals.fitted(z, weights, k, rng) for k in range(1, most + 1)]
    best = min(fits, key=lambda fit: fit.criterion(z, weights, effective))
    shares = np.maximum(best.shares, LEAST_SHARE)
    return StudentMixture(shares / shares.sum(), best.means, math.sqrt(INFLATION) * best.factors)


@dataclass(frozen=True, eq=False)
class _Normals:
    """A mixture of normal distributions: shares, means and Cholesky factors of covariances."""

    shares: Array
    means: Array
    factors: Array

    @classmethod
    def fitted(cls, z: Array, weights: Array, k: int, rng: np.random.Generator) -> _Normals:
        """The mixture of k components for weighted places, by EM."""
        mixture = cls._from(z, weights[:, None] * _first_memberships(z, weights, k, rng))
        before = -math.inf
        for _ in range(STEPS if k > 1 else 0):
            logs = mixture._log_parts(z)
            total = _log_sum(logs)
            now = float((weights * total).sum())
            if now - before < SMALLEST_GAIN:
                break
            before = now
            mixture = cls._from(z, weights[:, None] * np.exp(logs - total[:, None]))
        return mixture

    @classmethod
    def _from(cls, z: Array, memberships: Array) -> _Normals:
        """The mixture whose components have weighted members (place, component)."""
        shares = np.maximum(memberships.sum(axis=0), 1e-12)
        means = np.einsum("nk,nj->kj", memberships, z) / shares[:, None]
        moments = zip(memberships.T, means, shares, strict=True)
        factors = [_factor(z, members, mean, share) for members, mean, share in moments]
        return cls(shares / shares.sum(), means, np.stack(factors))

    def _log_parts(self, z: Array) -> Array:
        """Log of share times density of each component, (place, component)."""
        d = z.shape[1]
        logs = []
        for share, mean, factor in zip(self.shares, self.means, self.factors, strict=True):
            log_det = np.log(np.diag(factor)).sum() + 0.5 * d * math.log(2 * math.pi)
            logs.append(math.log(share) - log_det - 0.5 * _squared_distances(z, mean, factor))
        return np.stack(logs, axis=1)

    def criterion(self, z: Array, weights: Array, effective: float) -> float:
        """The Bayesian information criterion, at an effective number of places."""
        d, k = z.shape[1], len(self.shares)
        n_values = k * (1 + d + d * (d + 1) // 2) - 1
        fit = float((weights * _log_sum(self._log_parts(z))).sum())
        return n_values * math.log(effective) - 2.0 * effective * fit


def _factor(z: Array, members: Array, mean: Array, share: float) -> Array:
    """The Cholesky factor of the covariance of members (place,) around their mean."""
    away = z - mean
    covariance = np.einsum("ni,nj->ij", members[:, None] * away, away) / share
    return np.linalg.cholesky(covariance + SMALLEST_SD**2 * np.eye(len(mean)))


def _first_memberships(z: Array, weights: Array, k: int, rng: np.random.Generator) -> Array:
    """Which component each place belongs to at first, (place, component) of 0 and 1.

    Components begin at places far from each other (k-means++), and have the nearest places.
    """
    scaled = z / np.maximum(_weighted_sd(z, weights), SMALLEST_SD)
    centres = [scaled[rng.choice(len(z), p=weights)]]
    while len(centres) < k:
        distance = _nearest(scaled, centres).min(axis=1) * weights
        chance = distance / distance.sum() if distance.any() else weights  # all at one place
        centres.append(scaled[rng.choice(len(z), p=chance)])
    return np.eye(k)[_nearest(scaled, centres).argmin(axis=1)]


def _weighted_sd(z: Array, weights: Array) -> Array:
    """SDs of weighted places, (parameter,)."""
    mean = np.einsum("n,nj->j", weights, z)
    return np.sqrt(np.einsum("n,nj->j", weights, (z - mean) ** 2))


def _nearest(z: Array, centres: list[Array]) -> Array:
    """Squared distances of places from centres, (place, component)."""
    return ((z[:, None, :] - np.stack(centres)) ** 2).sum(axis=-1)
