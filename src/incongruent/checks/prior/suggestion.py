r"""A better prior: the population that makes everybody's data most probable.

With draws z_is of the posterior under the prior in use, the likelihood of a population of
independent normals N(eta, exp(lambda)^2) on the network's scale is, up to a constant,

    sum over people i of log mean over draws s of N(z_is | eta, exp(lambda)) / N(z_is | 0, 1)

(empirical Bayes by importance weights; pooling all draws and taking their mean and SD is its first
step only, and stays near the old prior). EM climbs it, a weighted mean and SD at a time; a Bayesian
bootstrap of people gives the intervals, expanded for few people as those of a t distribution are
(Hesterberg 2015, The American Statistician 69, 371-386).
"""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np
import pandas as pd
from scipy import optimize, stats

from incongruent.checks.prior.population import INFORMED, independent_prior, usable_people
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.exact.importance import largest_k_hat, weigh
from incongruent.posterior.draws import Draws
from incongruent.posterior.posterior import Posterior
from incongruent.priors.distributions import Distribution, Truncated, truncated
from incongruent.priors.independent import Prior

Array = np.ndarray

FEWEST_PEOPLE = 5
N_BOOTSTRAP = 400
N_STEPS = 200
TOLERANCE = 1e-3
MOST_DRAWS = 1000
BOOTSTRAP_DRAWS = 250
N_PRIOR = 20_000
SMALLEST_SD = 0.05
"""Of the prior's own; people never agree that well."""
MOST_POOR = 0.1
"""With more people whose weights cannot be trusted, the suggestion is a direction only."""
LEAST_WITHIN = 1e-3
"""Share of a distribution that has to lie within the range that it is cut to; the tail of a tail is
no prior.
"""
FARTHEST = 3.5
"""SDs of the old prior; farther out it says nothing about what lies where."""
DIGITS = 5
"""Of the numbers of a suggestion."""
PROBABILITIES = np.arange(0.01, 1.0, 0.02)


@dataclass(frozen=True, eq=False)
class Suggestion:
    """A prior nearer to the people.

    Attributes:
        prior: ready to train with; parameters about which the data are silent keep what they had.
        before: the prior in use.
        location: (parameter,) estimated mean of the population on the network's scale, where the
            prior in use is 0 ± 1.
        spread: (parameter,) estimated SD there.
        location_interval: (parameter, 2) 95 %.
        spread_interval: (parameter, 2) 95 %.
        kept: parameters that keep their prior.
        share: of the simulations under the prior in use that land where people live: (sum w)^2 / (M
            sum w^2).
        k_hat: (person,) of the weights at the estimate.
        n_draws: posterior draws a person.
    """

    prior: Prior
    before: Prior
    location: Array
    spread: Array
    location_interval: Array
    spread_interval: Array
    kept: tuple[str, ...]
    share: float
    k_hat: Array
    n_draws: int

    @property
    def trusted(self) -> bool:
        """Whether nearly everybody's weights can be trusted; if not, train with the suggestion and
        ask again.
        """
        return bool((self.k_hat > largest_k_hat(self.n_draws)).mean() <= MOST_POOR)

    def table(self) -> pd.DataFrame:
        """One row per parameter: median and central 90 % of the prior in use and of the suggestion,
        location and spread with intervals.
        """
        rows = []
        for i, name in enumerate(self.before.names):
            row: dict[str, Any] = {"parameter": name}
            for label, prior in (("before", self.before), ("suggested", self.prior)):
                q05, q50, q95 = map(float, np.asarray(prior[name].ppf([0.05, 0.5, 0.95])))
                row |= {f"{label} q05": q05, f"{label} median": q50, f"{label} q95": q95}
            row |= {
                "location": self.location[i],
                "location low": self.location_interval[i, 0],
                "location high": self.location_interval[i, 1],
            }
            row |= {
                "spread": self.spread[i],
                "spread low": self.spread_interval[i, 0],
                "spread high": self.spread_interval[i, 1],
            }
            rows.append(row | {"kept": name in self.kept})
        return pd.DataFrame(rows)

    def intervals(self) -> pd.DataFrame:
        """One row per parameter, in its own unit: the median of the population with its 95 %
        interval (median, low, high).
        """
        ends = np.stack([self.location, *self.location_interval.T])  # (3, parameter)
        median, low, high = self.before.from_real(ends)
        return pd.DataFrame(
            {"parameter": self.before.names, "median": median, "low": low, "high": high}
        )

    def sentences(self) -> tuple[str, ...]:
        """What to use instead, one sentence each."""
        table = self.table().set_index("parameter")
        said = []
        for name in self.before.names:
            row = table.loc[name]
            if name not in self.kept:
                said.append(
                    f"{name}: 90 % of people between {row['suggested q05']:.3g} and"
                    f" {row['suggested q95']:.3g}, median {row['suggested median']:.3g} (prior in"
                    f" use: {row['before q05']:.3g} to {row['before q95']:.3g}, median"
                    f" {row['before median']:.3g})."
                )
        if self.kept:
            said.append(f"{', '.join(self.kept)}: the data say too little; keep the prior.")
        said.append(
            f"Of the simulations under the prior in use {self.share:.1%} land where these people"
            " live."
        )
        if not self.trusted:
            said.append(
                "This far from the prior in use the estimate is a direction, not a value: train"
                " with it and ask again."
            )
        return tuple(said)

    def __repr__(self) -> str:
        return " ".join(self.sentences())


def suggest_prior(
    posterior: Posterior,
    study: Trials,
    *,
    draws: Draws | None = None,
    leave_out: Sequence[str] = (),
    seed: int,
) -> Suggestion:
    """Estimate the population from everybody's posterior, and a prior that fits it.

    Args:
        posterior: a trained one, whose prior has independent parameters.
        study: one data set a person.
        draws: of the same people, corrected by the exact likelihood, say; 1000 from the network
            when left out.
        leave_out: names of people who lie outside the simulator's scope.
        seed: of draws and bootstrap.

    Returns:
        A `Suggestion`, whose ``prior`` a new network can be trained with. It is that of a new
        person: a little wider than the population, since the population is not known exactly.

    Raises:
        TypeError: for a `JointPrior`.
        ValueError: for fewer than five people, or draws of other people or under another prior.
    """
    before = independent_prior(posterior)
    people = usable_people(posterior, study, leave_out)
    if len(people) < FEWEST_PEOPLE:
        raise ValueError(
            f"Expected at least {FEWEST_PEOPLE} people, to see how they differ; got {len(people)}."
        )
    own_seed = child(seed, Purpose.SUGGESTION_DRAWS)
    draws = (
        posterior.unguarded().sample(people, MOST_DRAWS, seed=own_seed)
        if draws is None
        else _of_the_same(draws, people, before)
    )
    z = np.clip(before.to_real(draws.theta), -8.0, 8.0)
    z = _thinned(z, MOST_DRAWS)
    silent = 1.0 - z.var(axis=1).mean(axis=0) < INFORMED
    population = _climb(z, np.ones(len(z)), np.zeros((2, z.shape[2])))
    rng = stream(seed, Purpose.SUGGESTION_BOOTSTRAP)
    weights = rng.dirichlet(np.ones(len(z)), N_BOOTSTRAP) * len(z)
    few = _thinned(z, BOOTSTRAP_DRAWS)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        again = np.stack(
            list(pool.map(lambda w: _climb(few, w, population), weights))
        )  # (bootstrap, 2, parameter)
    tail = expanded_tail(len(z))
    low, high = np.quantile(again, [tail, 1.0 - tail], axis=0)
    location, spread = population[0], np.exp(population[1])
    wide = np.sqrt(
        np.mean(np.exp(2.0 * again[:, 1]), axis=0) + again[:, 0].var(axis=0)
    )  # a new person's, whatever the population is
    kept = tuple(name for name, nothing in zip(before.names, silent, strict=True) if nothing)
    chosen = {
        name: before[name] if name in kept else _distribution(before[name], location[i], wide[i])
        for i, name in enumerate(before.names)
    }
    prior = Prior(**chosen)
    log_ratio = _log_ratio(z, population)
    return Suggestion(
        prior=prior,
        before=before,
        location=location,
        spread=spread,
        location_interval=np.stack([low[0], high[0]], axis=1),
        spread_interval=np.exp(np.stack([low[1], high[1]], axis=1)),
        kept=kept,
        share=_share(before, prior, rng),
        k_hat=weigh(log_ratio, np.zeros_like(log_ratio)).k_hat,
        n_draws=z.shape[1],
    )


def expanded_tail(n: int, tail: float = 0.025) -> float:
    """The tail of a bootstrap distribution of n people beyond which an interval with this tail
    ends.

    Example:
        >>> round(expanded_tail(20), 4), round(expanded_tail(100_000), 4)
        (0.0159, 0.025)
    """
    return float(stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t(n - 1).ppf(tail)))


def _of_the_same(draws: Draws, people: Trials, before: Prior) -> Draws:
    places = {name: i for i, name in enumerate(draws.names)}
    missing = [name for name in people.names if name not in places]
    if missing or draws.simulator.prior != before:
        reason = f"no draws of {missing[:5]}" if missing else "draws under another prior"
        raise ValueError(
            "Expected draws of the people of the study under the posterior's own prior; got"
            f" {reason}."
        )
    return draws.select([places[name] for name in people.names])


def _thinned(z: Array, most: int) -> Array:
    """Evenly, to at most so many draws."""
    return z[:, :: -(-z.shape[1] // most)]


def _log_ratio(z: Array, population: Array) -> Array:
    """Log of population over prior density at z (person, draw, parameter), (person, draw);
    population is (2, parameter): means and log SDs.
    """
    mean, log_sd = population
    return np.sum(0.5 * z**2 - 0.5 * ((z - mean) * np.exp(-log_sd)) ** 2 - log_sd, axis=2)


def _climb(z: Array, weight: Array, start: Array) -> Array:
    """EM from a start (2, parameter) for people who count as much as ``weight`` (person,) says."""
    return _climb_compiled(
        np.ascontiguousarray(z, float),
        np.asarray(weight / weight.sum(), float),
        np.asarray(start, float),
    )


@numba.njit(nogil=True, cache=True)
def _climb_compiled(z, share, start):  # pragma: no cover - compiled
    n_people, n_draws, n_parameters = z.shape
    mean, log_sd = start[0].copy(), start[1].copy()
    log_ratio = np.empty(n_draws)
    for _ in range(N_STEPS):
        first, second = np.zeros(n_parameters), np.zeros(n_parameters)
        precision = np.exp(-2.0 * log_sd)
        for i in range(n_people):
            for s in range(n_draws):
                total = 0.0
                for k in range(n_parameters):
                    total += z[i, s, k] ** 2 - (z[i, s, k] - mean[k]) ** 2 * precision[k]
                log_ratio[s] = 0.5 * total
            ratio = np.exp(log_ratio - log_ratio.max())
            ratio *= share[i] / ratio.sum()
            for s in range(n_draws):
                for k in range(n_parameters):
                    first[k] += ratio[s] * z[i, s, k]
                    second[k] += ratio[s] * z[i, s, k] ** 2
        new_log_sd = 0.5 * np.log(np.maximum(second - first**2, SMALLEST_SD**2))
        moved = max(np.abs(first - mean).max(), np.abs(new_log_sd - log_sd).max())
        mean, log_sd = first, new_log_sd
        if moved < TOLERANCE:
            break
    return np.stack((mean, log_sd))


def _distribution(before: Distribution, location: float, spread: float) -> Distribution:
    """A normal, or a lognormal where that is nearer, on the range of the old prior, with the
    quantiles of the population.
    """
    low, high = map(float, before.support())
    tails = stats.norm.ppf(PROBABILITIES) * spread + np.clip(location, -FARTHEST, FARTHEST)
    wanted = np.where(
        tails < 0, before.ppf(stats.norm.cdf(tails)), before.isf(stats.norm.sf(tails))
    )
    fits = [_matched(lambda a, b: stats.norm(a, np.exp(b)), wanted, wanted, low, high)]
    if low >= 0.0:
        fits.append(
            _matched(
                lambda a, b: stats.lognorm(np.exp(b), scale=np.exp(a)),
                np.log(wanted),
                wanted,
                low,
                high,
            )
        )
    return _with_few_digits(min(fits, key=lambda fit: fit[0])[1])


def _with_few_digits(distribution: Distribution) -> Distribution:
    """The same with arguments that can be read and typed."""
    if isinstance(distribution, Truncated):
        return truncated(_with_few_digits(distribution.base), distribution.low, distribution.high)
    frozen: Any = distribution
    few = [float(f"{value:.{DIGITS}g}") for value in frozen.args]
    return frozen.dist(
        *few, **{name: float(f"{value:.{DIGITS}g}") for name, value in frozen.kwds.items()}
    )


def _matched(
    family: Any, values: Array, wanted: Array, low: float, high: float
) -> tuple[float, Distribution]:
    """The member of a family whose quantiles are nearest to those wanted, and how far they are;
    ``values`` are the same where the family is normal.

    Location and SD keep to what the values span, once more to both sides and twice, so that what
    piles up on a limit gets plain numbers still.
    """
    wide = float(np.ptp(values))
    bounds = [
        (float(values.min()) - wide, float(values.max()) + wide),
        (math.log(1e-3 * wide), math.log(2.0 * wide)),
    ]
    start = (float(np.median(values)), float(np.log(values.std())))

    def distribution(at: Array) -> Distribution:
        whole = family(*at)
        return (
            whole
            if float(whole.cdf(low)) + float(whole.sf(high)) < 1e-9
            else truncated(whole, low, high)
        )

    def gap(at: Array) -> float:
        whole = family(*at)
        if 1.0 - float(whole.cdf(low)) - float(whole.sf(high)) < LEAST_WITHIN:
            return float("inf")
        return float(np.mean((np.asarray(distribution(at).ppf(PROBABILITIES)) - wanted) ** 2))

    options = {"xatol": 1e-3, "fatol": 1e-6 * float(np.var(wanted))}
    best = optimize.minimize(gap, start, method="Nelder-Mead", bounds=bounds, options=options)
    return float(best.fun), distribution(best.x)


def _share(before: Prior, prior: Prior, rng: np.random.Generator) -> float:
    theta = before.sample(N_PRIOR, seed=rng)
    log_w = prior.log_prob(theta) - before.log_prob(theta)
    w = np.exp(log_w - log_w.max())
    return float(w.sum() ** 2 / (len(w) * (w**2).sum()))
