r"""Which people are unlike anything the simulator makes, and is everybody too much like its centre?

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
lonely data sets too (local outlier factor without smoothing; Breunig et al. 2000). Is everybody too
central: the Mahalanobis distance, whose p-values are then too large, and the prior is wider than it
needs to be.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.spatial import KDTree

from incongruent.checks import statistics
from incongruent.checks.kernels import whitening_of
from incongruent.checks.replicas import in_parts, simulator_with
from incongruent.data.basics.options import checked_names
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import CONFLICT_TASK, Category, Trials, select
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.statistics import statistics_of
from incongruent.priors.joint import AnyPrior

Array = np.ndarray

N_SIMULATED = 2000
N_NEIGHBOURS = 10
WIDTH = 0.05
"""People whose numbers of trials in every condition agree within 5 % are compared with the same
simulations.
"""
ALIKE = 0.25
"""Distances are learned from the designs of all people whose numbers agree within 25 %."""
N_FIRST = 400
"""Simulations that tell who may be outside, or more:"""
FIRST_EACH = 20
"""for each person compared with them, lest depths of people who share simulations depend on each
other.
"""
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
        return [
            (self.statistics[i], float(self.z[person, i]))
            for i in order
            if np.isfinite(self.z[person, i])
        ]

    def table(self) -> pd.DataFrame:
        """One row per person: person, p, adjusted, score, depth, outside, stands_out (in words; for
        people outside).
        """
        words = [
            "; ".join(f"{name} {z:+.1f} SD" for name, z in self.standing_out(i)) if out else ""
            for i, out in enumerate(self.outside)
        ]
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
        text = (
            f"{self.n_outside} of {len(self)} people are outside what the simulator makes"
            f" ({self.alpha:.0%} false discovery rate)"
        )
        text += f": {', '.join(who[:5])}{' …' if len(who) > 5 else ''}." if who else "."
        for i in [list(self.names).index(name) for name in who[:1]]:
            text += (
                f" Person {self.names[i]} stands out in "
                + ", ".join(f"{name} ({z:+.1f} SD)" for name, z in self.standing_out(i))
                + "."
            )
        if self.too_central:
            text += (
                f" People are more central than the prior says (p = {self.central_p:.3g}): it is"
                " wider than they need."
            )
        elif self.extreme_p <= self.alpha:
            text += (
                " As a group people are farther out than the prior says (p ="
                f" {self.extreme_p:.3g})."
            )
        return text


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
        >>> len(surprise(inc.pretrained(), inc.select(demo_study(), range(3)), n_simulated=200, seed=1).table())
        3
    """
    n_least = int(np.ceil(len(study) / alpha)) - 1 if 0.0 < alpha < 1.0 else 0
    m = max(N_SIMULATED, 2 * n_least) if n_simulated is None else n_simulated
    if not 0.0 < alpha < 1.0 or m < n_least:
        raise ValueError(
            f"Expected 0 < alpha < 1 and n_simulated of at least people / alpha - 1 = {n_least}, so"
            f" that one person can be called outside; got alpha={alpha}, n_simulated={n_simulated}."
        )
    summaries = posterior.summaries(study).astype(float)
    people = posterior.admit(study).trials
    own = hand_statistics(people, posterior.simulator.design.levels)
    mine = np.stack(list(own.values()), axis=1)
    p_value, score, depth = np.empty((3, len(people)))
    z = np.empty(mine.shape)
    n_groups = 0
    for k, alike in enumerate(groups_of(people, ALIKE)):
        members = select(people, alike)
        measure = _Measure(
            *_simulated(posterior, members, prior, m, child(seed, Purpose.SURPRISE_LEARNED, k))
        )
        here = measure.points(summaries[alike], mine[alike])
        score[alike], z[alike] = measure.loneliness(here), measure.z(mine[alike])
        for j, group in enumerate(groups_of(members)):
            rows, same = alike[group], select(members, group)
            n_first = min(m, max(N_FIRST, FIRST_EACH * len(group)))
            first = measure.points(
                *_simulated(
                    posterior, same, prior, n_first, child(seed, Purpose.SURPRISE_FIRST, k, j)
                )
            )
            depth[rows] = conformal((here[group] ** 2).sum(axis=1), (first**2).sum(axis=1))
            others = measure.loneliness(first)
            p_value[rows] = conformal(score[rows], others)
            maybe = rows[p_value[rows] <= alpha]
            if len(maybe) and n_first < m:
                more = measure.points(
                    *_simulated(
                        posterior,
                        same,
                        prior,
                        m - n_first,
                        child(seed, Purpose.SURPRISE_MORE, k, j),
                    )
                )
                p_value[maybe] = conformal(
                    score[maybe], np.concatenate([others, measure.loneliness(more)])
                )
            n_groups += 1
    central, extreme = excess(depth, seed)
    adjusted = benjamini_hochberg(p_value)
    return Surprise(
        people.names,
        p_value,
        adjusted,
        score,
        depth,
        z,
        tuple(own),
        central,
        extreme,
        alpha,
        m,
        n_groups,
        seed,
    )


def conformal(scores: Array, simulated: Array) -> Array:
    """p-value of each score (person,) among simulated ones (simulation,): (1 + number at least as
    large) / (number + 1).
    """
    ordered = np.sort(simulated)
    return (1 + len(ordered) - np.searchsorted(ordered, scores, side="left")) / (len(ordered) + 1.0)


def benjamini_hochberg(p_value: Array) -> Array:
    """Adjusted p-values (hypothesis,): the smallest false discovery rate at which each would be
    rejected.

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
    """p-values of too many large and too many small ones among p-values (person,), by their mean,
    against uniform ones.
    """
    null = np.concatenate(
        [
            stream(seed, Purpose.SURPRISE_EXCESS, i).random((1000, len(p_value))).mean(axis=1)
            for i in range(10)
        ]
    )[:N_NULL]
    mean = p_value.mean()
    return float((1 + (null >= mean).sum()) / (N_NULL + 1)), float(
        (1 + (null <= mean).sum()) / (N_NULL + 1)
    )


def hand_statistics(trials: Trials, levels: tuple[str, ...]) -> dict[str, Array]:
    """Plain statistics of each data set, (dataset,), NaN where there is nothing, on scales on which
    they are closer to normal.

    For conflict tasks, by condition: log RT quantiles of correct answers and their log mean, share
    of errors and of errors among the fastest fifth (arcsine of the root), log mean RT of errors.
    For other data the quantiles and shares of `statistics.statistics_of`.
    """
    if set(trials.columns) != set(CONFLICT_TASK):
        return {known.name: values for known, values in statistics_of(trials, levels).items()}
    out: dict[str, Array] = {}
    for level in levels:
        for q, values in zip(
            statistics.PROBABILITIES, statistics.rt_quantiles(trials, level).T, strict=True
        ):
            out[f"{q:.0%} RT, {level}"] = np.log(values)
        out[f"mean RT, {level}"] = np.log(statistics.mean_rt(trials, level))
        out[f"errors, {level}"] = np.arcsin(np.sqrt(statistics.error_share(trials, level)))
        out[f"fast errors, {level}"] = np.arcsin(
            np.sqrt(1.0 - statistics.conditional_accuracy(trials, level)[:, 0])
        )
        out[f"mean RT of errors, {level}"] = np.log(statistics.mean_rt(trials, level, "error"))
    return out


def groups_of(people: Trials, width: float = WIDTH) -> list[Array]:
    """Positions of people whose designs agree: numbers of trials in each condition within a share,
    and any other given column exactly.
    """
    given = [column for column in people.columns if column.given]
    by_count = [c for c in given if isinstance(c, Category) and c.per == "trial"]
    levels = by_count[0].levels if len(by_count) == 1 else ()
    keys: dict[object, list[int]] = {}
    for i in range(len(people)):
        here = people.present[i]
        counts = (
            [int((people.values[by_count[0].name][i][here] == k).sum()) for k in range(len(levels))]
            if levels
            else [int(here.sum())]
        )
        rest = tuple(
            people.values[c.name][i][here].tobytes()
            for c in given
            if not (levels and c is by_count[0])
        )
        keys.setdefault(
            (tuple(int(np.log(max(n, 0.5)) // width) for n in counts), rest), []
        ).append(i)
    return [np.array(members) for members in keys.values()]


def _simulated(
    posterior: Posterior, members: Trials, prior: AnyPrior | None, n: int, seed: int
) -> tuple[Array, Array]:
    """Summaries (n, summary) and plain statistics (n, statistic) of n simulations of the members'
    designs, in random order.
    """
    levels = posterior.simulator.design.levels
    order = stream(seed, Purpose.SURPRISE_ORDER).permutation(-(-n // len(members)) * len(members))[
        :n
    ]
    made = in_parts(
        simulator_with(posterior, prior),
        members,
        -(-n // len(members)),
        seed=child(seed, Purpose.SURPRISE_DATA),
    )
    parts = [part.trials for part in made]
    summaries = np.concatenate([posterior.summaries(trials) for trials in parts]).astype(float)
    plain = np.concatenate(
        [np.stack(list(hand_statistics(trials, levels).values()), axis=1) for trials in parts]
    )
    return summaries[order], plain[order]


class _Measure:
    """Distances learned from simulations: summaries (n, summary) and plain statistics (n,
    statistic).
    """

    def __init__(self, summaries: Array, plain: Array) -> None:
        known = np.isfinite(plain)
        n = known.sum(axis=0)
        self._mean = np.where(known, plain, 0.0).sum(axis=0) / np.maximum(n, 1)
        squares = (np.where(known, plain - self._mean, 0.0) ** 2).sum(axis=0)
        self._sd = np.where(
            (n > 1) & (squares > 0), np.sqrt(squares / np.maximum(n - 1, 1)), np.nan
        )
        self._white = whitening_of(self._filled(summaries, plain))
        learned = self.points(summaries, plain)
        self._tree, self._k = KDTree(learned), min(N_NEIGHBOURS, len(learned) - 1)
        nearest = self._tree.query(learned, self._k + 1, workers=-1)[0][
            :, 1:
        ]  # without the point itself
        self._theirs = np.maximum(nearest.mean(axis=1), 1e-300)

    def points(self, summaries: Array, plain: Array) -> Array:
        """Both side by side in white coordinates, (n, component)."""
        return self._white(self._filled(summaries, plain))

    def z(self, plain: Array) -> Array:
        """How many SDs plain statistics lie above the mean of those learned from."""
        return (plain - self._mean) / self._sd

    def loneliness(self, points: Array) -> Array:
        """Mean distance of points (n, component) from the nearest learned ones over that of these
        from theirs, (n,).
        """
        distance, place = self._tree.query(points, self._k, workers=-1)
        return distance.mean(axis=1) / self._theirs[place].mean(axis=1)

    def _filled(self, summaries: Array, plain: Array) -> Array:
        return np.concatenate([summaries, np.where(np.isfinite(plain), plain, self._mean)], axis=1)
