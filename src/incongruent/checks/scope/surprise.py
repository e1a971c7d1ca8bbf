r"""Which people are unlike all simulations, and is everybody too much like their centre?

For each person a score a, how far their data are from simulated ones, and a conformal p-value
against M simulations of their own design that the score has not learned from:

    p = (1 + #{a_sim >= a_person}) / (M + 1),

uniform under the model whatever the score is worth (Vovk et al. 2005; Bates et al. 2023, Annals of
Statistics 51, 149-178). Whoever has p > alpha among the first few hundred cannot be outside, and is
compared with no more: p stays valid, since beyond alpha it is that of the few, and up to alpha both
have to be small (sequential Monte Carlo; Besag & Clifford 1991, Biometrika 78, 301-304). Distances
are those of learned summaries and plain statistics together, whitened: the network's summaries
alone may not notice what it has never seen. Two scores answer two questions. Who is outside: the
mean distance to the ten nearest simulations over that of these to theirs, since wide priors make
isolated data sets too (local outlier factor without smoothing; Breunig et al. 2000). Is everybody
too central: the Mahalanobis distance, whose p-values are then too large, and the prior is wider
than it needs to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from scipy import stats

from incongruent.checks.scope.comparison import Comparison, Found, People
from incongruent.checks.scope.design_groups import groups_of
from incongruent.checks.scope.plain_statistics import plain_statistics
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import Purpose, stream
from incongruent.data.trials import Trials
from incongruent.posterior.posterior import Posterior
from incongruent.priors.joint import AnyPrior

Array = np.ndarray

N_SIMULATED = 2000
ALIKE = 0.25
"""Distances are learned from the designs of all people whose numbers agree within 25 %."""
N_NULL = 9999
N_NAMED = 3
"""Statistics that are named for a person outside."""


@dataclass(frozen=True, eq=False)
class Surprise:
    """How unlike the simulations each person is.

    Attributes:
        names: of the people.
        p_value: (person,) conformal, of the first score.
        adjusted: (person,) the same after Benjamini & Hochberg (1995): outside where at most alpha.
        score: (person,) local outlier factor: distance from the nearest simulations, in units of
            theirs.
        depth: (person,) conformal p-value of the Mahalanobis distance: near 1 in the centre of the
            simulations, near 0 at their rim.
        z: (person, statistic) how many SDs of the simulations each statistic lies above their mean;
            NaN where a person has none. RTs on a logarithmic scale, shares after the arcsine of the
            root.
        statistics: what they are called.
        central_p: p-value of an excess of large depths, over all people: everybody is more central
            than the prior says.
        extreme_p: of an excess of small ones.
        alpha: share of false ones among the people called outside, at most on average; level of
            both tests.
        n_simulated: M, data sets that each person with p of at most alpha is compared with; for the
            others, and for depth, it is 400, or 20 times the number of people of one design.
        n_groups: of people who are compared with the same simulations.
        seed: of everything random.
    """

    names: tuple[str, ...]
    p_value: Float[Array, " person"]
    adjusted: Float[Array, " person"]
    score: Float[Array, " person"]
    depth: Float[Array, " person"]
    z: Float[Array, "person statistic"]
    statistics: tuple[str, ...]
    central_p: float
    extreme_p: float
    alpha: float
    n_simulated: int
    n_groups: int
    seed: int

    def __len__(self) -> int:
        return len(self.names)

    @property
    def outside(self) -> Bool[Array, " person"]:
        """Whether each person is called outside, (person,)."""
        return self.adjusted <= self.alpha

    @property
    def n_outside(self) -> int:
        """How many people are called outside."""
        return int(self.outside.sum())

    @property
    def too_central(self) -> bool:
        """Whether everybody is more central than the prior says."""
        return self.central_p <= self.alpha

    def standing_out(self, person: int, n: int = N_NAMED) -> list[tuple[str, float]]:
        """The statistics on which a person is farthest from the simulations, and their z."""
        z = self.z[person]
        return [(self.statistics[i], float(z[i])) for i in _farthest(z)[:n] if np.isfinite(z[i])]

    def table(self) -> pd.DataFrame:
        """One row per person.

        Columns: person, p, adjusted, score, depth, outside, stands_out (in words; for people
        outside).
        """
        columns = {
            "participant": self.names,
            "p": self.p_value,
            "adjusted": self.adjusted,
            "score": self.score,
            "depth": self.depth,
            "outside": self.outside,
            "stands_out": [self._stands_out(i) for i in range(len(self))],
        }
        return pd.DataFrame(columns)

    def _stands_out(self, person: int) -> str:
        """On which statistics a person outside stands out, in words; empty for others."""
        if not self.outside[person]:
            return ""
        return "; ".join(f"{name} {z:+.1f} SD" for name, z in self.standing_out(person))

    def __str__(self) -> str:
        return f"{self._words_of_outside}{self._words_of_first}{self._words_of_depth}"

    @property
    def _outside_first(self) -> list[int]:
        """Positions of the people outside, the smallest p first."""
        by_p = np.argsort(self.p_value, kind="stable")
        return [int(i) for i in by_p if self.outside[i]]

    @property
    def _words_of_outside(self) -> str:
        return (
            f"{self.n_outside} of {len(self)} people are outside what the simulator makes"
            f" ({self.alpha:.0%} false discovery rate){self._names_outside}."
        )

    @property
    def _names_outside(self) -> str:
        """A colon and the first names of people outside; empty when nobody is."""
        who = [self.names[i] for i in self._outside_first]
        if not who:
            return ""
        return f": {', '.join(who[:5])}{' …' if len(who) > 5 else ''}"

    @property
    def _words_of_first(self) -> str:
        """In what the person with the smallest p stands out; empty when nobody is outside."""
        if not self._outside_first:
            return ""
        first = self._outside_first[0]
        found = [f"{name} ({z:+.1f} SD)" for name, z in self.standing_out(first)]
        return f" Person {self.names[first]} stands out in {', '.join(found)}."

    @property
    def _words_of_depth(self) -> str:
        if self.too_central:
            return (
                f" People are nearer to the centre of the prior than expected (p ="
                f" {self.central_p:.3g}): it is wider than they need."
            )
        if self.extreme_p <= self.alpha:
            return (
                " As a group people are farther from the centre of the prior than expected (p ="
                f" {self.extreme_p:.3g})."
            )
        return ""


@checked_names
def surprise(
    posterior: Posterior,
    study: Trials,
    *,
    prior: AnyPrior | None = None,
    n_simulated: int | None = None,
    alpha: float = 0.05,
    seed: int,
) -> Surprise:
    """Compare each person with simulations of their own design.

    Args:
        posterior: whose summaries and, unless ``prior`` is given, whose simulator.
        study: one data set a person.
        prior: to compare with instead of the one that the network was trained under.
        n_simulated: data sets that each person is compared with, and as many more from which
            distances are learned; when left out 2000, or twice as many as it takes to call one
            person of the study outside.
        alpha: false discovery rate.
        seed: of everything random.

    Raises:
        ScopeError: when nobody is within what the network was trained for.
        ValueError: for numbers that could never call anyone outside, or people without trials.

    Example:
        >>> import incongruent as inc
        >>> from incongruent.data.demo import demo_study
        >>> three = demo_study().select(range(3))
        >>> len(surprise(inc.pretrained(), three, n_simulated=200, seed=1).table())
        3
    """
    m = _number_of_simulations(len(study), n_simulated, alpha)
    summaries = posterior.summaries(study).astype(float)
    people = posterior.admit(study).trials
    plain = plain_statistics(people, posterior.simulator.design.levels)
    data = People(people, summaries, np.stack(list(plain.values()), axis=1))
    groups = groups_of(people, ALIKE)
    comparisons = [Comparison(posterior, prior, m, alpha, seed, k) for k in range(len(groups))]
    found, n_groups = _compared(comparisons, data, groups)
    central, extreme = excess(found.depth, seed)
    return Surprise(
        names=people.names,
        p_value=found.p_value,
        adjusted=stats.false_discovery_control(found.p_value),
        score=found.score,
        depth=found.depth,
        z=found.z,
        statistics=tuple(plain),
        central_p=central,
        extreme_p=extreme,
        alpha=alpha,
        n_simulated=m,
        n_groups=n_groups,
        seed=seed,
    )


def _compared(
    comparisons: list[Comparison], data: People, groups: list[Array]
) -> tuple[Found, int]:
    """What is found about all people, and how many groups share simulations."""
    found = Found.empty(*data.plain.shape)
    n_groups = sum(
        comparison.fill(found, data, alike)
        for comparison, alike in zip(comparisons, groups, strict=True)
    )
    return found, n_groups


def _number_of_simulations(n_people: int, n_simulated: int | None, alpha: float) -> int:
    """How many data sets people are compared with; ValueError for too few."""
    n_least = _fewest_to_call_one_outside(n_people, alpha)
    m = max(N_SIMULATED, 2 * n_least) if n_simulated is None else n_simulated
    if not 0.0 < alpha < 1.0 or m < n_least:
        raise ValueError(
            f"Expected 0 < alpha < 1 and n_simulated of at least people / alpha - 1 = {n_least}, so"
            f" that one person can be called outside; got alpha={alpha}, n_simulated={n_simulated}."
        )
    return m


def _fewest_to_call_one_outside(n_people: int, alpha: float) -> int:
    """With fewer simulations no p-value could be small enough; 0 for an impossible level."""
    return int(np.ceil(n_people / alpha)) - 1 if 0.0 < alpha < 1.0 else 0


def _farthest(z: Float[Array, " statistic"]) -> Int[Array, " statistic"]:
    """Positions of statistics by distance from the simulations, the farthest first."""
    return np.argsort(-np.nan_to_num(np.abs(z)), kind="stable")


def excess(p_value: Float[Array, " person"], seed: int) -> tuple[float, float]:
    """p-values of too many large and too many small ones among p-values (person,).

    Their mean is compared with those of uniform ones.
    """
    null, mean = _means_of_uniform(len(p_value), seed), p_value.mean()
    return _one_sided_p(null >= mean), _one_sided_p(null <= mean)


def _means_of_uniform(n_people: int, seed: int) -> Float[Array, " study"]:
    """Means over so many people of uniform p-values, (N_NULL,)."""
    thousands = [
        stream(seed, Purpose.SURPRISE_EXCESS, i).random((1000, n_people)).mean(axis=1)
        for i in range(10)
    ]
    return np.concatenate(thousands)[:N_NULL]


def _one_sided_p(as_extreme: Bool[Array, " study"]) -> float:
    """The p-value, given which means of the null are as extreme as the observed one."""
    return float((1 + as_extreme.sum()) / (N_NULL + 1))
