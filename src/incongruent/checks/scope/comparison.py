"""The comparison of each person with simulations of their own design.

The simulations that distances are learned from are not those that people are compared with, which
makes the p-values conformal (see `checks.scope.surprise`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from incongruent.checks.replicas import in_parts, simulator_with
from incongruent.checks.scope.design_groups import groups_of, simulations_each
from incongruent.checks.scope.outlier_factor import Reference
from incongruent.checks.scope.plain_statistics import plain_matrix
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.posterior.posterior import Posterior
from incongruent.priors.joint import AnyPrior

Array = np.ndarray

N_FIRST = 400
"""Simulations that decide who may be outside, or more:"""
FIRST_EACH = 20
"""for each person compared with them, so that depths of people who share simulations hardly depend
on each other.
"""


@dataclass(frozen=True, eq=False)
class People:
    """The people, their summaries (person, summary) and plain statistics (person, statistic)."""

    trials: Trials
    summaries: Float[Array, "person summary"]
    plain: Float[Array, "person statistic"]

    def points(
        self, reference: Reference, rows: Int[Array, " row"]
    ) -> Float[Array, "row component"]:
        """The people at some positions as points of the reference, (person, component)."""
        return reference.points(self.summaries[rows], self.plain[rows])


@dataclass(frozen=True, eq=False)
class Found:
    """What is found about each person, to be filled.

    Attributes:
        p_value: (person,) conformal, of the local outlier factor.
        score: (person,) local outlier factor.
        depth: (person,) conformal p-value of the Mahalanobis distance.
        z: (person, statistic) SDs of the simulations above their mean.
    """

    p_value: Float[Array, " person"]
    score: Float[Array, " person"]
    depth: Float[Array, " person"]
    z: Float[Array, "person statistic"]

    @classmethod
    def empty(cls, n_people: int, n_statistics: int) -> Found:
        """Space for people of whom nothing is found yet."""
        p_value, score, depth = np.empty((3, n_people))
        return cls(p_value, score, depth, np.empty((n_people, n_statistics)))


@dataclass(frozen=True, eq=False)
class Comparison:
    """The comparison of people whose numbers of trials are alike with simulations.

    Attributes:
        posterior: whose summaries and simulator.
        prior: to simulate from instead of the posterior's own.
        m: simulations that each person is compared with at most.
        alpha: people with a larger p among the first simulations are compared with no more.
        seed: of everything.
        number: of the people's group, which has its own random streams.
    """

    posterior: Posterior
    prior: AnyPrior | None
    m: int
    alpha: float
    seed: int
    number: int

    def fill(self, found: Found, data: People, alike: Int[Array, " alike"]) -> int:
        """Fill in what is found about the people at some positions; the number of their groups."""
        members = data.trials.select(alike)
        reference = self._learned(members)
        points = data.points(reference, alike)
        found.score[alike] = reference.outlier_factor(points)
        found.z[alike] = reference.z(data.plain[alike])
        groups = groups_of(members)
        for j, group in enumerate(groups):
            rows = alike[group]
            found.p_value[rows], found.depth[rows] = self._compared(
                reference, members.select(group), points[group], found.score[rows], j
            )
        return len(groups)

    def _learned(self, members: Trials) -> Reference:
        """The simulations that distances are learned from."""
        seed = child(self.seed, Purpose.SURPRISE_LEARNED, self.number)
        return Reference(*self._simulated(members, self.m, seed))

    def _compared(
        self,
        reference: Reference,
        people: Trials,
        points: Float[Array, "person component"],
        score: Float[Array, " person"],
        group: int,
    ) -> tuple[Float[Array, " person"], Float[Array, " person"]]:
        """p-values and depths of people of one design, each (person,).

        All are compared with the first simulations, and those who may be outside with the rest.
        """
        n_first = self._n_first(len(people))
        first = self._points(reference, people, n_first, Purpose.SURPRISE_FIRST, group)
        simulated = reference.outlier_factor(first)
        p_value = conformal(score, simulated)
        maybe = p_value <= self.alpha
        if maybe.any() and n_first < self.m:
            everyone = self._with_the_rest(simulated, reference, people, group)
            p_value[maybe] = conformal(score[maybe], everyone)
        return p_value, depths(points, first)

    def _with_the_rest(
        self, first: Float[Array, " first"], reference: Reference, people: Trials, group: int
    ) -> Float[Array, " simulation"]:
        """Local outlier factors of the first simulations and of as many more as make m."""
        n_more = self.m - len(first)
        more = self._points(reference, people, n_more, Purpose.SURPRISE_MORE, group)
        return np.concatenate([first, reference.outlier_factor(more)])

    def _n_first(self, n_people: int) -> int:
        """How many simulations all people of one design are compared with."""
        return min(self.m, max(N_FIRST, FIRST_EACH * n_people))

    def _points(
        self, reference: Reference, people: Trials, n: int, purpose: Purpose, group: int
    ) -> Float[Array, "simulation component"]:
        """N simulations of people's designs as points of the reference."""
        seed = child(self.seed, purpose, self.number, group)
        return reference.points(*self._simulated(people, n, seed))

    def _simulated(self, members: Trials, n: int, seed: int) -> tuple[Array, Array]:
        """Summaries (n, summary) and plain statistics (n, statistic) of n simulations.

        They are of the members' designs, in random order.
        """
        n_each = simulations_each(n, len(members))
        order = stream(seed, Purpose.SURPRISE_ORDER).permutation(n_each * len(members))[:n]
        parts = self._simulated_trials(members, n_each, child(seed, Purpose.SURPRISE_DATA))
        return self._summaries(parts)[order], self._plain(parts)[order]

    def _simulated_trials(self, members: Trials, n_each: int, seed: int) -> list[Trials]:
        """So many simulations of every member's design, in parts."""
        simulator = simulator_with(self.posterior, self.prior)
        return [part.trials for part in in_parts(simulator, members, n_each, seed=seed)]

    def _summaries(self, parts: list[Trials]) -> Float[Array, "dataset summary"]:
        """Learned summaries of all parts together, (dataset, summary)."""
        return np.concatenate([self.posterior.summaries(part) for part in parts]).astype(float)

    def _plain(self, parts: list[Trials]) -> Float[Array, "dataset statistic"]:
        """Plain statistics of all parts together, (dataset, statistic)."""
        levels = self.posterior.simulator.design.levels
        return np.concatenate([plain_matrix(part, levels) for part in parts])


def depths(
    points: Float[Array, "person component"], simulated: Float[Array, "simulation component"]
) -> Float[Array, " person"]:
    """Conformal p-values of the Mahalanobis distances of points (person, component), (person,).

    They are small at the rim of the simulated ones (simulation, component).
    """
    return conformal(_squared_distances(points), _squared_distances(simulated))


def _squared_distances(points: Float[Array, "point component"]) -> Float[Array, " point"]:
    """Squared distances of white points from the centre, (point,)."""
    return (points**2).sum(axis=1)


def conformal(
    scores: Float[Array, " person"], simulated: Float[Array, " simulation"]
) -> Float[Array, " person"]:
    """The conformal p-value of each score (person,) among simulated ones (simulation,).

    It is (1 + number at least as large) / (number + 1).
    """
    below = np.searchsorted(np.sort(simulated), scores, side="left")
    return (1 + len(simulated) - below) / (len(simulated) + 1.0)
