"""Signatures of candidates, and their log-odds against the base model.

A signature is the mean and the covariance of the group's z, as in the panel, in studies simulated
from a candidate at one strength. The score of a study is the largest log-odds of candidate and base
over the strengths.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

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

    mean: Array
    covariance: Array

    def towards(self, other: Signature, share: float) -> Signature:
        """The signature that lies a share of the way to another one."""
        return Signature(
            self.mean + share * (other.mean - self.mean),
            self.covariance + share * (other.covariance - self.covariance),
        )

    def log_density(self, z: Array) -> Array:
        """The normal log density of z (study, statistic) up to a constant, (study,)."""
        root = np.linalg.cholesky(self._shrunk())
        white = np.linalg.solve(root, (z - self.mean).T)
        return -0.5 * (white**2).sum(axis=0) - np.log(np.diag(root)).sum()

    def _shrunk(self) -> Array:
        """The covariance, shrunk towards its diagonal."""
        diagonal = np.diag(np.diag(self.covariance))
        shrunk = (1.0 - SHRINKAGE) * self.covariance + SHRINKAGE * diagonal
        return shrunk + 1e-3 * np.eye(len(self.mean))


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
        self.used = np.flatnonzero(~np.isnan(every).any(axis=0))
        self.z = every[:, self.used]
        self._center, self._size = _center_and_size(group)
        self.base = self._signature(of_people[1:], 0.0)

    def signature(self, discrepancies: Array) -> Signature:
        """The signature of simulated people (replicate, person, statistic)."""
        noise_of_predictions = (1.0 + 1.0 / PANEL_PREDICTIONS) / (1.0 + 1.0 / N_PREDICTIONS)
        found = self._signature(self._of_people(discrepancies), 1.0 / len(discrepancies))
        return Signature(found.mean, noise_of_predictions * found.covariance)

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
        used = self.used
        return Signature(
            np.nan_to_num(group[used]), (1.0 + uncertain) * covariance[np.ix_(used, used)]
        )


def _center_and_size(group: Array) -> tuple[Array, Array]:
    """What `standardised` subtracts from the group's means and divides them by, (statistic,)."""
    at_one, at_zero = (
        standardised(np.full_like(group[:1], value), group[1:])[0] for value in (1.0, 0.0)
    )
    size = 1.0 / (at_one - at_zero)
    return -at_zero * size, size


def _covariance_of_mean(of_people: Array, mean: Array) -> Array:
    """The covariance of the mean over people of z (replicate, person, statistic)."""
    known = ~np.isnan(of_people)
    away = np.where(known, of_people - mean, 0.0)
    n = known.sum(axis=0).max(axis=1)  # replicates of each person
    per_person = np.einsum("rij,rik->ijk", away, away) / np.maximum(n - 1, 1)[:, None, None]
    return per_person.mean(axis=0) / len(mean)


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
    scores: Array
    amount: float
    signature: Signature


def fitted(scale: Scale, extension: Extension, signatures: list[Signature]) -> FittedExtension:
    """Score a candidate, given the signatures of its variants."""
    grid = _grid(extension, signatures, scale.base)
    base = scale.base.log_density(scale.z)
    # (strength, 1 + replicate)
    scores = np.stack([signature.log_density(scale.z) - base for _, signature in grid])
    amount, signature = grid[int(np.argmax(scores[:, 0]))]
    return FittedExtension(extension, scores.max(axis=0), amount, signature)


def _grid(
    extension: Extension, signatures: list[Signature], base: Signature
) -> list[tuple[float, Signature]]:
    """Strengths with signatures, those between two simulated ones interpolated.

    The base itself is not among them.
    """
    amounts = [variant.amount for variant in extension.variants]
    known = list(zip(amounts, signatures, strict=True))
    if extension.base is None:
        return known
    known = sorted([*known, (extension.base, base)], key=lambda pair: pair[0])
    grid = known[:1] + [point for low, high in pairwise(known) for point in _between(low, high)]
    return [pair for pair in grid if abs(pair[0] - extension.base) > 1e-9]


def _between(
    low: tuple[float, Signature], high: tuple[float, Signature]
) -> list[tuple[float, Signature]]:
    """Interpolated strengths with signatures, above one and up to another."""
    return [
        (low[0] + share * (high[0] - low[0]), low[1].towards(high[1], share))
        for share in np.arange(1, BETWEEN + 1) / BETWEEN
    ]
