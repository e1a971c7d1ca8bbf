"""Signatures of candidates, and their log-odds against the base model.

A signature is the mean and the covariance of the group's z, as in the panel, in studies simulated
from a candidate at one strength. The score of a study is the largest log-odds of candidate and base
over the strengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Int

from incongruent.checks.model.candidates import Extension
from incongruent.checks.model.panel import Panel
from incongruent.checks.simultaneous import standardised
from incongruent.checks.statistics import nan_mean

Array = np.ndarray

N_PREDICTIONS = 5
"""Data sets simulated from each fit to predict the statistics of a candidate's data."""
PANEL_PREDICTIONS = 10
"""The same in the panel, whose default it is."""
SHRINKAGE = 0.1
"""Share by which covariances are shrunk towards their diagonal."""
BETWEEN = 4
"""Strengths computed between one on the grid and the next."""
FURTHEST_Z = 10.0
"""z of one person are cut at ± this, so that a person whom the base network cannot read does not
decide for all.
"""


@dataclass(frozen=True, eq=False)
class Signature:
    """Mean (statistic,) and covariance (statistic, statistic) of the group's z."""

    mean: Float[Array, " statistic"]
    covariance: Float[Array, "statistic statistic"]

    def towards(self, other: Signature, share: float) -> Signature:
        """The signature that lies a share of the way to another one."""
        return Signature(
            self.mean + share * (other.mean - self.mean),
            self.covariance + share * (other.covariance - self.covariance),
        )

    def log_density(self, z: Float[Array, "study statistic"]) -> Float[Array, " study"]:
        """The normal log density of z (study, statistic) up to a constant, (study,)."""
        root = np.linalg.cholesky(_shrunk(self.covariance))
        white = np.linalg.solve(root, (z - self.mean).T)
        half_log_determinant = np.log(np.diag(root)).sum()
        return -0.5 * (white**2).sum(axis=0) - half_log_determinant


def _shrunk(covariance: Float[Array, "statistic statistic"]) -> Float[Array, "statistic statistic"]:
    """A covariance, shrunk towards its diagonal, which is raised a little."""
    diagonal = np.diag(np.diag(covariance))
    shrunk = (1.0 - SHRINKAGE) * covariance + SHRINKAGE * diagonal
    return shrunk + 1e-3 * np.eye(len(covariance))


Point = tuple[float, Signature]
"""A strength and its signature."""


class Scale:
    """The map from discrepancies of people to the group's z, as in the panel.

    Attributes:
        used: positions of the statistics that are defined.
        z: (1 + replicate, used statistic), the observed group first.
        base: signature of the base model.
    """

    def __init__(self, panel: Panel) -> None:
        self._by = panel.discrepancies
        of_people = self._of_people(self._by)
        group = nan_mean(of_people, axis=1)
        every = standardised(group, group[1:])
        self.used = _defined_everywhere(every)
        self.z = every[:, self.used]
        self._center, self._size = _center_and_size(group)
        self.base = self._signature(of_people[1:], 0.0)

    def signature(self, discrepancies: Float[Array, "replicate person statistic"]) -> Signature:
        """The signature of simulated people (replicate, person, statistic)."""
        found = self._signature(self._of_people(discrepancies), 1.0 / len(discrepancies))
        return Signature(found.mean, _noise_of_predictions() * found.covariance)

    def _of_people(self, discrepancies: Array) -> Array:
        """Z of each person, cut, of discrepancies (replicate, person, statistic)."""
        return np.clip(standardised(discrepancies, self._by), -FURTHEST_Z, FURTHEST_Z)

    def _signature(self, of_people: Array, uncertain: float) -> Signature:
        """The signature of z of people (replicate, person, statistic), where defined.

        People differ in their means and do not depend on each other.
        """
        mean = nan_mean(of_people, axis=0)  # (person, statistic)
        group = (nan_mean(mean, axis=0) - self._center) / self._size
        covariance = _covariance_of_mean(of_people, mean) / np.outer(self._size, self._size)
        return Signature(
            np.nan_to_num(group[self.used]), (1.0 + uncertain) * self._among_used(covariance)
        )

    def _among_used(self, covariance: Array) -> Array:
        """The covariance of the used statistics only."""
        return covariance[np.ix_(self.used, self.used)]


def _defined_everywhere(z: Float[Array, "study statistic"]) -> Int[Array, " used"]:
    """Positions of the statistics that are defined in all studies (study, statistic)."""
    return np.flatnonzero(~np.isnan(z).any(axis=0))


def _noise_of_predictions() -> float:
    """How much smaller variances are with as many predictions as in the panel."""
    return (1.0 + 1.0 / PANEL_PREDICTIONS) / (1.0 + 1.0 / N_PREDICTIONS)


def _center_and_size(group: Array) -> tuple[Array, Array]:
    """What `standardised` subtracts from the group's means and divides them by, (statistic,)."""
    at_zero = _standardised_constant(0.0, group)
    size = 1.0 / (_standardised_constant(1.0, group) - at_zero)
    return -at_zero * size, size


def _standardised_constant(value: float, group: Array) -> Array:
    """What `standardised` makes of one value of every statistic, (statistic,)."""
    return standardised(np.full_like(group[:1], value), group[1:])[0]


def _covariance_of_mean(of_people: Array, mean: Array) -> Array:
    """The covariance of the mean over people of z (replicate, person, statistic)."""
    known = ~np.isnan(of_people)
    deviation = np.where(known, of_people - mean, 0.0)
    n = known.sum(axis=0).max(axis=1)  # replicates of each person
    return _covariances(deviation, n).mean(axis=0) / len(mean)


def _covariances(deviation: Array, n: Array) -> Array:
    """Covariances over replicates of each person, (person, statistic, statistic)."""
    products = np.einsum("rij,rik->ijk", deviation, deviation)
    return products / np.maximum(n - 1, 1)[:, None, None]


@dataclass(frozen=True, eq=False)
class FittedExtension:
    """A candidate at its best strengths.

    Attributes:
        extension: the candidate.
        scores: (1 + replicate,) of each study at its best strength, the observed one first.
        amount: the best strength for the observed study.
        signature: at that strength.
    """

    extension: Extension
    scores: Float[Array, " study"]
    amount: float
    signature: Signature


def fitted(scale: Scale, extension: Extension, signatures: list[Signature]) -> FittedExtension:
    """Score a candidate, given the signatures of its variants."""
    grid = _grid(extension, signatures, scale.base)
    scores = _log_odds(scale, [signature for _, signature in grid])
    amount, signature = grid[int(np.argmax(scores[:, 0]))]
    return FittedExtension(extension, scores.max(axis=0), amount, signature)


def _log_odds(scale: Scale, signatures: list[Signature]) -> Float[Array, "signature study"]:
    """Log-odds of signatures and the base for every study, (signature, 1 + replicate)."""
    base = scale.base.log_density(scale.z)
    return np.stack([signature.log_density(scale.z) - base for signature in signatures])


def _grid(extension: Extension, signatures: list[Signature], base: Signature) -> list[Point]:
    """Strengths with signatures, those between two simulated ones interpolated.

    The base itself is not among them.
    """
    amounts = [variant.amount for variant in extension.variants]
    known = list(zip(amounts, signatures, strict=True))
    if extension.base is None:
        return known
    grid = _interpolated(sorted([*known, (extension.base, base)], key=_amount))
    return [point for point in grid if abs(_amount(point) - extension.base) > 1e-9]


def _amount(point: Point) -> float:
    return point[0]


def _interpolated(known: list[Point]) -> list[Point]:
    """Points by strength, rising, and further ones between them."""
    pairs = pairwise(known)
    return known[:1] + [point for low, high in pairs for point in _between(low, high)]


def _between(low: Point, high: Point) -> list[Point]:
    """Interpolated strengths with signatures, above one and up to another."""
    shares = np.arange(1, BETWEEN + 1) / BETWEEN
    return [_on_the_way(low, high, share) for share in shares]


def _on_the_way(low: Point, high: Point, share: float) -> Point:
    """The point that lies a share of the way from one to another."""
    return low[0] + share * (high[0] - low[0]), low[1].towards(high[1], share)
