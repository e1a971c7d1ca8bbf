r"""Which people are unlike anything the simulator makes, and is everybody too much like its centre?

For each person a score a, how far their data are from simulated ones, and a conformal p-value against M simulations of their own design that the
score has not learned from:

    p = (1 + #{a_sim >= a_person}) / (M + 1),

uniform under the model whatever the score is worth (Vovk et al. 2005; Bates et al. 2023, Annals of Statistics 51, 149-178). Whoever has p > alpha
among the first few hundred cannot be outside, and is compared with no more: p stays valid, since beyond alpha it is that of the few, and up to alpha
both have to be small (sequential Monte Carlo; Besag & Clifford 1991, Biometrika 78, 301-304). Distances are those of
learned summaries and plain statistics together, whitened: the network's summaries alone may not notice what it has never seen. Two scores answer two
questions. Who is outside: the mean distance to the ten nearest simulations over that of these to theirs, since wide priors make lonely data sets too
(local outlier factor without smoothing; Breunig et al. 2000). Is everybody too central: the Mahalanobis distance, whose p-values are then too large,
and the prior is wider than it needs to be.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from incongruent.checks import statistics
from incongruent.checks.kernels import whitening_of
from incongruent.checks.replicas import in_parts, simulator_with
from incongruent.joint_prior import AnyPrior
from incongruent.options import helpful
from incongruent.posterior import Posterior
from incongruent.scope import statistics_of
from incongruent.simulation import generator
from incongruent.trials import CONFLICT_TASK, Category, Trials, select

Array = np.ndarray

N_SIMULATED = 2000
N_NEIGHBOURS = 10
WIDTH = 0.05
"""People whose numbers of trials in every condition agree within 5 % are compared with the same simulations."""
ALIKE = 0.25
"""Distances are learned from the designs of all people whose numbers agree within 25 %."""
N_FIRST = 400
"""Simulations that tell who may be outside."""
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
        score: (person,) distance from the nearest simulations, in units of theirs.
        depth: (person,) conformal p-value of the Mahalanobis distance: near 1 in the centre of the simulations, near 0 at their rim.
        z: (person, statistic) how many SDs of the simulations each statistic lies above their mean; NaN where a person has none. RTs on a
            logarithmic scale, shares after the arcsine of the root.
        statistics: what they are called.
        central_p: p-value of an excess of large depths, over all people: everybody is more central than the prior says.
        extreme_p: of an excess of small ones.
        alpha: share of false ones among the people called outside, at most on average; level of both tests.
        n_simulated: M, data sets that each person with p of at most alpha is compared with; for the others, and for depth, it is 400 at most.
        n_groups: of people who are compared with the same simulations.
        seed: of everything random.
    """

    names: tuple[str, ...]
    p_value: Array
    adjusted: Array
    score: Array
    depth: Array
    z: Array
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
    def outside(self) -> Array:
        """(person,) True for people called outside."""
        return self.adjusted <= self.alpha

    @property
    def n_outside(self) -> int:
        """How many."""
        return int(self.outside.sum())

    @property
    def too_central(self) -> bool:
        """Whether large depths are too many."""
        return self.central_p <= self.alpha

    def standing_out(self, person: int, n: int = N_NAMED) -> list[tuple[str, float]]:
        """The statistics on which a person is farthest from the simulations, and their z."""
        order = np.argsort(-np.nan_to_num(np.abs(self.z[person])), kind="stable")[:n]
        return [(self.statistics[i], float(self.z[person, i])) for i in order if np.isfinite(self.z[person, i])]

    def table(self) -> pd.DataFrame:
        """One row per person: person, p, adjusted, score, depth, outside, stands_out (in words; for people outside)."""
        words = ["; ".join(f"{name} {z:+.1f} SD" for name, z in self.standing_out(i)) if out else "" for i, out in enumerate(self.outside)]
        columns = {
            "person": self.names,
            "p": self.p_value,
            "adjusted": self.adjusted,
            "score": self.score,
            "depth": self.depth,
            "outside": self.outside,
        }
        return pd.DataFrame({**columns, "stands_out": words})

    def __str__(self) -> str:
        who = [self.names[i] for i in np.argsort(self.p_value, kind="stable") if self.outside[i]]
        text = f"{self.n_outside} of {len(self)} people are outside what the simulator makes ({self.alpha:.0%} false discovery rate)"
        text += f": {', '.join(who[:5])}{' …' if len(who) > 5 else ''}." if who else "."
        for i in [list(self.names).index(name) for name in who[:1]]:
            text += f" Person {self.names[i]} stands out in " + ", ".join(f"{name} ({z:+.1f} SD)" for name, z in self.standing_out(i)) + "."
        if self.too_central:
            text += f" People are more central than the prior says (p = {self.central_p:.3g}): it is wider than they need."
        elif self.extreme_p <= self.alpha:
            text += f" As a group people are farther out than the prior says (p = {self.extreme_p:.3g})."
        return text


@helpful
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
        n_simulated: data sets that each person is compared with, and as many more from which distances are learned; when left out 2000, or twice as
            many as it takes to call one person of the study outside.
        alpha: false discovery rate.
        seed: of everything random.

    Raises:
        ScopeError: when nobody is within what the network was trained for.
        ValueError: for numbers that could never call anyone outside, or people without trials.

    Example:
        >>> import incongruent as inc
        >>> from incongruent.demo import demo_study
        >>> len(surprise(inc.pretrained(), inc.select(demo_study(), range(3)), n_simulated=200, seed=1).table())
        3
    """
    n_least = int(np.ceil(len(study) / alpha)) - 1 if 0.0 < alpha < 1.0 else 0
    m = max(N_SIMULATED, 2 * n_least) if n_simulated is None else n_simulated
    if not 0.0 < alpha < 1.0 or m < n_least:
        raise ValueError(
            f"Expected 0 < alpha < 1 and n_simulated of at least people / alpha - 1 = {n_least}, so that one person can be called outside; got "
            f"alpha={alpha}, n_simulated={n_simulated}."
        )
    summaries = posterior.summaries(study).astype(float)
    people = posterior.admit(study).trials
    own = hand_statistics(people, posterior.simulator.design.levels)
    p_value, score, depth = np.empty((3, len(people)))
    z = np.empty((len(people), len(own)))
    n_groups = 0
    for k, alike in enumerate(groups_of(people, ALIKE)):
        members, mine = select(people, alike), np.stack(list(own.values()), axis=1)[alike]
        learned, plain = _simulated(posterior, members, prior, m, int(generator(seed, 41, k).integers(2**63)))
        mean, sd = _mean_sd(plain)
        z[alike] = (mine - mean) / np.where(sd > 0, sd, np.nan)
        learned = _filled(learned, plain, mean)
        whiten = whitening_of(learned)
        loneliness, here = _loneliness_among(whiten(learned)), whiten(_filled(summaries[alike], mine, mean))
        score[alike] = loneliness(here)
        for j, group in enumerate(groups_of(members)):

            def others(n: int, part: int, group: Array = group, where: tuple[int, int] = (k, j)) -> Array:
                at = int(generator(seed, 43, *where, part).integers(2**63))
                return whiten(_filled(*_simulated(posterior, select(members, group), prior, n, at), mean))

            first = others(min(N_FIRST, m), 0)
            depth[alike[group]] = conformal((here[group] ** 2).sum(axis=1), (first**2).sum(axis=1))
            of_first = loneliness(first)
            p = conformal(score[alike[group]], of_first)
            maybe = p <= alpha
            if maybe.any() and m > N_FIRST:
                every = np.concatenate([of_first, loneliness(others(m - N_FIRST, 1))])
                p = np.where(maybe, conformal(score[alike[group]], every), p)
            p_value[alike[group]] = p
            n_groups += 1
    central, extreme = excess(depth, seed)
    adjusted = benjamini_hochberg(p_value)
    return Surprise(people.names, p_value, adjusted, score, depth, z, tuple(own), central, extreme, alpha, m, n_groups, seed)


def conformal(scores: Array, simulated: Array) -> Array:
    """p-value of each score (person,) among simulated ones (simulation,): (1 + number at least as large) / (number + 1)."""
    ordered = np.sort(simulated)
    return (1 + len(ordered) - np.searchsorted(ordered, scores, side="left")) / (len(ordered) + 1.0)


def benjamini_hochberg(p_value: Array) -> Array:
    """Adjusted p-values (hypothesis,): the smallest false discovery rate at which each would be rejected.

    Example:
        >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03, 0.5])).round(3).tolist()
        [0.04, 0.053, 0.053, 0.5]
    """
    n, order = len(p_value), np.argsort(p_value, kind="stable")
    raised = p_value[order] * n / np.arange(1, n + 1)
    out = np.empty(n)
    out[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return out


def excess(p_value: Array, seed: int) -> tuple[float, float]:
    """p-values of too many large and too many small ones among p-values (person,), by their mean, against uniform ones."""
    null = np.concatenate([generator(seed, 42, i).random((1000, len(p_value))).mean(axis=1) for i in range(10)])[:N_NULL]
    mean = p_value.mean()
    return float((1 + (null >= mean).sum()) / (N_NULL + 1)), float((1 + (null <= mean).sum()) / (N_NULL + 1))


def hand_statistics(trials: Trials, levels: tuple[str, ...]) -> dict[str, Array]:
    """Plain statistics of each data set, (dataset,), NaN where there is nothing, on scales on which they are closer to normal.

    For conflict tasks, by condition: log RT quantiles of correct answers and their log mean, share of errors and of errors among the fastest fifth
    (arcsine of the root), log mean RT of errors. For other data the quantiles and shares of `scope.statistics_of`.
    """
    if set(trials.columns) != set(CONFLICT_TASK):
        return statistics_of(trials, levels)
    out: dict[str, Array] = {}
    for level in levels:
        for q, values in zip(statistics.PROBABILITIES, statistics.rt_quantiles(trials, level).T, strict=True):
            out[f"{q:.0%} RT, {level}"] = np.log(values)
        out[f"mean RT, {level}"] = np.log(statistics.mean_rt(trials, level))
        out[f"errors, {level}"] = np.arcsin(np.sqrt(statistics.error_share(trials, level)))
        out[f"fast errors, {level}"] = np.arcsin(np.sqrt(1.0 - statistics.conditional_accuracy(trials, level)[:, 0]))
        out[f"mean RT of errors, {level}"] = np.log(statistics.mean_rt(trials, level, "error"))
    return out


def groups_of(people: Trials, width: float = WIDTH) -> list[Array]:
    """Positions of people whose designs agree: numbers of trials in each condition within a share, and any other given column exactly."""
    given = [column for column in people.columns if column.given]
    by_count = [c for c in given if isinstance(c, Category) and c.per == "trial"]
    levels = by_count[0].levels if len(by_count) == 1 else ()
    keys: dict[object, list[int]] = {}
    for i in range(len(people)):
        here = people.present[i]
        counts = [int((people.values[by_count[0].name][i][here] == k).sum()) for k in range(len(levels))] if levels else [int(here.sum())]
        rest = tuple(people.values[c.name][i][here].tobytes() for c in given if not (levels and c is by_count[0]))
        keys.setdefault((tuple(int(np.log(max(n, 0.5)) // width) for n in counts), rest), []).append(i)
    return [np.array(members) for members in keys.values()]


def _simulated(posterior: Posterior, members: Trials, prior: AnyPrior | None, n: int, seed: int) -> tuple[Array, Array]:
    """Summaries (n, summary) and plain statistics (n, statistic) of n simulations of the members' designs, in random order."""
    levels = posterior.simulator.design.levels
    order = generator(seed, 1).permutation(-(-n // len(members)) * len(members))[:n]
    parts = [part.trials for part in in_parts(simulator_with(posterior, prior), members, -(-n // len(members)), seed=seed)]
    summaries = np.concatenate([posterior.summaries(trials) for trials in parts]).astype(float)
    plain = np.concatenate([np.stack(list(hand_statistics(trials, levels).values()), axis=1) for trials in parts])
    return summaries[order], plain[order]


def _mean_sd(values: Array) -> tuple[Array, Array]:
    """Mean and SD of each column, of what is known; 0 and NaN where nothing is."""
    known = np.isfinite(values)
    n = known.sum(axis=0)
    mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(n, 1)
    variance = np.where(known, values - mean, 0.0)
    return mean, np.where(n > 1, np.sqrt((variance**2).sum(axis=0) / np.maximum(n - 1, 1)), np.nan)


def _filled(summaries: Array, plain: Array, mean: Array) -> Array:
    """Both side by side, with the mean where a statistic is unknown."""
    return np.concatenate([summaries, np.where(np.isfinite(plain), plain, mean)], axis=1)


def _loneliness_among(learned: Array) -> Callable[[Array], Array]:
    """The first score of points (n, dim) among learned ones, (n,)."""
    tree, k = KDTree(learned), min(N_NEIGHBOURS, len(learned) - 1)
    theirs = np.maximum(tree.query(learned, k + 1, workers=-1)[0][:, 1:].mean(axis=1), 1e-300)  # the nearest is the point itself

    def of(points: Array) -> Array:
        distance, place = tree.query(points, k, workers=-1)
        return distance.mean(axis=1) / theirs[place].mean(axis=1)

    return of
