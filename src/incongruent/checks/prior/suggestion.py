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

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float
from scipy import stats

from incongruent.checks.prior.em import climb, log_ratio_of
from incongruent.checks.prior.matching import distribution_like
from incongruent.checks.prior.population import (
    INFORMED,
    independent_prior,
    on_prior_scale,
    usable_people,
)
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.exact.importance import largest_k_hat, weigh
from incongruent.exact.recorded import learned_with_another_end
from incongruent.exact.reweight import reweight
from incongruent.posterior.draws import Draws
from incongruent.posterior.posterior import Posterior
from incongruent.priors.distributions import Distribution
from incongruent.priors.independent import Prior

Array = np.ndarray

FEWEST_PEOPLE = 5
N_BOOTSTRAP = 400
MOST_DRAWS = 1000
BOOTSTRAP_DRAWS = 250
N_PRIOR = 20_000
MOST_POOR = 0.1
"""With more people whose weights cannot be trusted, the suggestion is a direction only."""


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
        share: of the simulations under the prior in use that lie where the people are:
            (sum w)^2 / (M sum w^2).
        k_hat: (person,) of the weights at the estimate.
        n_draws: posterior draws a person.
    """

    prior: Prior
    before: Prior
    location: Float[Array, " parameter"]
    spread: Float[Array, " parameter"]
    location_interval: Float[Array, "parameter 2"]
    spread_interval: Float[Array, "parameter 2"]
    kept: tuple[str, ...]
    share: float
    k_hat: Float[Array, " person"]
    n_draws: int

    @property
    def trusted(self) -> bool:
        """Whether nearly everybody's weights can be trusted.

        If not, train with the suggestion and ask again.
        """
        return bool((self.k_hat > largest_k_hat(self.n_draws)).mean() <= MOST_POOR)

    def table(self) -> pd.DataFrame:
        """One row per parameter.

        Columns: median and central 90 % of the prior in use and of the suggestion, location and
        spread with intervals, and whether the prior is kept.
        """
        return pd.DataFrame([self._row(i, name) for i, name in enumerate(self.before.names)])

    def _row(self, i: int, name: str) -> dict[str, Any]:
        return {
            "parameter": name,
            **_quantiles("before", self.before[name]),
            **_quantiles("suggested", self.prior[name]),
            **_with_ends("location", self.location[i], self.location_interval[i]),
            **_with_ends("spread", self.spread[i], self.spread_interval[i]),
            "kept": name in self.kept,
        }

    def intervals(self) -> pd.DataFrame:
        """One row per parameter: the median of the population with its 95 % interval.

        Columns: parameter, median, low, high, in the parameter's own unit.
        """
        ends = np.stack([self.location, *self.location_interval.T])  # (3, parameter)
        median, low, high = self.before.from_real(ends)
        return pd.DataFrame(
            {"parameter": self.before.names, "median": median, "low": low, "high": high}
        )

    def sentences(self) -> tuple[str, ...]:
        """What to use instead, one sentence each."""
        table = self.table().set_index("parameter")
        said = [_sentence(name, table.loc[name]) for name in table.index if name not in self.kept]
        if self.kept:
            said.append(f"{', '.join(self.kept)}: the data say too little; keep the prior.")
        return (*said, *self._caveats())

    def _caveats(self) -> list[str]:
        """How many simulations are of use, and whether the estimate is only a direction."""
        said = [
            f"{self.share:.1%} of the simulations under the prior in use lie where these people"
            " are."
        ]
        if not self.trusted:
            said.append(
                "This far from the prior in use the estimate is a direction, not a value: train"
                " with it and ask again."
            )
        return said

    def __repr__(self) -> str:
        return " ".join(self.sentences())


def _with_ends(label: str, value: float, interval: Float[Array, 2]) -> dict[str, float]:
    """An estimate and the ends of its interval, by column."""
    return {label: value, f"{label} low": interval[0], f"{label} high": interval[1]}


def _quantiles(label: str, distribution: Distribution) -> dict[str, float]:
    """The median and the ends of the central 90 % of a distribution, by column."""
    q05, q50, q95 = map(float, np.asarray(distribution.ppf([0.05, 0.5, 0.95])))
    return {f"{label} q05": q05, f"{label} median": q50, f"{label} q95": q95}


def _sentence(name: str, row: Any) -> str:
    """The suggestion for one parameter, from its row of the table."""
    return (
        f"{name}: 90 % of people between {row['suggested q05']:.3g} and"
        f" {row['suggested q95']:.3g}, median {row['suggested median']:.3g} (prior in use:"
        f" {row['before q05']:.3g} to {row['before q95']:.3g}, median {row['before median']:.3g})."
    )


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
            when left out, which are corrected where it does not know how the trials end.
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
    z = _places(posterior, people, draws, child(seed, Purpose.SUGGESTION_DRAWS))
    population = climb(z, np.ones(len(z)), np.zeros((2, z.shape[2])))
    rng = stream(seed, Purpose.SUGGESTION_BOOTSTRAP)
    again = _bootstrap(z, population, rng)
    low, high = _interval(again, n_people=len(z))
    kept = _silent_parameters(before.names, z)
    prior = _prior_of(before, population[0], _spread_of_new_person(again), kept)
    return Suggestion(
        prior=prior,
        before=before,
        location=population[0],
        spread=np.exp(population[1]),
        location_interval=np.stack([low[0], high[0]], axis=1),
        spread_interval=np.exp(np.stack([low[1], high[1]], axis=1)),
        kept=kept,
        share=_share(before, prior, rng),
        k_hat=_k_hat_at(population, z),
        n_draws=z.shape[1],
    )


def _silent_parameters(names: tuple[str, ...], z: Array) -> tuple[str, ...]:
    """Parameters about which the data say too little, from draws z (person, draw, parameter)."""
    silent = 1.0 - z.var(axis=1).mean(axis=0) < INFORMED
    return tuple(name for name, nothing in zip(names, silent, strict=True) if nothing)


def _interval(again: Array, n_people: int) -> Array:
    """The ends of 95 % intervals from bootstrap populations, (2, 2, parameter)."""
    tail = expanded_tail(n_people)
    return np.quantile(again, [tail, 1.0 - tail], axis=0)


def _k_hat_at(population: Array, z: Array) -> Array:
    """K-hat of the weights of each person's draws under a population, (person,)."""
    log_ratio = log_ratio_of(z, population)
    return weigh(log_ratio, np.zeros_like(log_ratio)).k_hat


def _places(posterior: Posterior, people: Trials, draws: Draws | None, seed: int) -> Array:
    """Draws on the network's scale, (person, draw, parameter); the network's if none are given."""
    before = independent_prior(posterior)
    if draws is None:
        draws = posterior.unguarded().sample(people, MOST_DRAWS, seed=seed)
        if learned_with_another_end(posterior) is not None:
            draws = reweight(draws, people, quick=True, seed=seed)
    else:
        draws = _of_the_same(draws, people, before)
    return _thinned(on_prior_scale(before, draws.theta), MOST_DRAWS)


def _bootstrap(z: Array, population: Array, rng: np.random.Generator) -> Array:
    """Populations of a Bayesian bootstrap of people, (bootstrap, 2, parameter)."""
    few, weights = _thinned(z, BOOTSTRAP_DRAWS), _bootstrap_weights(len(z), rng)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.stack(list(pool.map(lambda w: climb(few, w, population), weights)))


def _bootstrap_weights(n_people: int, rng: np.random.Generator) -> Float[Array, "bootstrap person"]:
    """Weights of a Bayesian bootstrap with mean 1, (bootstrap, person)."""
    return rng.dirichlet(np.ones(n_people), N_BOOTSTRAP) * n_people


def _spread_of_new_person(again: Array) -> Array:
    """The SD of a new person, whatever the population is, from bootstrap ones; (parameter,)."""
    return np.sqrt(np.mean(np.exp(2.0 * again[:, 1]), axis=0) + again[:, 0].var(axis=0))


def _prior_of(before: Prior, location: Array, spread: Array, kept: tuple[str, ...]) -> Prior:
    """A prior with the quantiles of the population; some parameters keep what they had."""
    chosen = {
        name: before[name]
        if name in kept
        else distribution_like(before[name], location[i], spread[i])
        for i, name in enumerate(before.names)
    }
    return Prior(**chosen)


def expanded_tail(n: int, tail: float = 0.025) -> float:
    """The tail of a bootstrap distribution of n people that gives an interval the wanted tail.

    Example:
        >>> round(expanded_tail(20), 4), round(expanded_tail(100_000), 4)
        (0.0159, 0.025)
    """
    return float(stats.norm.cdf(np.sqrt(n / (n - 1)) * stats.t(n - 1).ppf(tail)))


def _of_the_same(draws: Draws, people: Trials, before: Prior) -> Draws:
    """The draws of these people; ValueError unless they are under the posterior's own prior."""
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
    """The draws z (person, draw, parameter), thinned evenly to at most so many."""
    return z[:, :: -(-z.shape[1] // most)]


def _share(before: Prior, prior: Prior, rng: np.random.Generator) -> float:
    """The effective share of simulations under the prior in use for a new prior."""
    theta = before.sample(N_PRIOR, seed=rng)
    log_weight = prior.log_prob(theta) - before.log_prob(theta)
    return _effective_share(np.exp(log_weight - log_weight.max()))


def _effective_share(weight: Float[Array, " simulation"]) -> float:
    """The effective share of simulations with weights (simulation,)."""
    return float(weight.sum() ** 2 / (len(weight) * (weight**2).sum()))
