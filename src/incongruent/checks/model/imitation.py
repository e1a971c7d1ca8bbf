r"""Imitation: parameters at which a candidate model gives data like those of the people.

Base posteriors of people who lapse, say, are off; the candidate simulated at their values would
give other people. So the candidate is simulated at a cloud of values, and these are regressed on
quantiles of correct RTs, shares of errors, and accuracies of the fastest and slowest answers of
each condition: regression-adjusted approximate Bayesian computation (Beaumont, Zhang & Balding
2002, Genetics 162, 2025-2035). The regression at the people's own data, and its residuals, give the
cloud of the next round and in the end the values at which the candidate is compared. How its data
then differ from base predictions is its signature.

The regression is quadratic in principal components (`checks.model.regression`). The first cloud is
that of base posterior draws, widened; for another mechanism it is that of its prior. Quantiles and
shares are robust against what spoils a mean or a skewness, and against what the base network makes
of data that it was not trained for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from incongruent.checks.model.candidates import Extension, Variant
from incongruent.checks.model.refits import mean_statistics
from incongruent.checks.model.regression import REACH, regressed, trimmed
from incongruent.checks.panel_noise import noise_of
from incongruent.checks.panel_statistics import Kind, Statistic, statistics_for
from incongruent.checks.panel_values import panel_values
from incongruent.checks.replicas import refilled
from incongruent.checks.statistics import N_BINS
from incongruent.data.basics.streams import Purpose, place_of, seed_from, stream
from incongruent.data.trials import Trials, concatenate
from incongruent.models.model import Model
from incongruent.posterior.posterior import Posterior
from incongruent.priors.independent import Prior
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.observed import ObservedDesign, design_like
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

DATASETS = 1000
"""Data sets simulated for one variant, all people together."""
FEWEST_EACH = 8
"""Data sets simulated for each person, at least."""
N_REFERENCE = 200
"""Draws for the people's own posterior means."""
FURTHEST = 4.0
"""Values on the real line, where a prior is standard normal, are kept within ±."""
WIDENED = 0.4
"""SD of what is added to base posterior draws to make the first cloud."""
INFLATED = 1.5
"""Factor by which the cloud of the second round is wider than that of the people, so that its
regression does not only follow it.
"""
SHARPEST = 0.2
"""A standard deviation of estimates is not taken to be smaller."""


@dataclass(frozen=True, eq=False)
class Imitator:
    """Simulates candidates where people are.

    Attributes:
        posterior: of the base model.
        study: its people, as the network admits them.
        z: (replicate, person, parameter), draws of the base posteriors on the real line.
        own: (person, parameter), their means.
        statistics: of the panel.
        summaries: (person, summary) quantiles and shares of the people's data.
        seed: of everything.
    """

    posterior: Posterior
    study: Trials
    z: Float[Array, "replicate person parameter"]
    own: Float[Array, "person parameter"]
    statistics: tuple[Statistic, ...]
    summaries: Float[Array, "person summary"]
    seed: int

    def simulated(
        self, model: Model, theta: Float[Array, "replicate person parameter"], seed: int
    ) -> Trials:
        """Data sets with the people's own trials at theta (replicate, person, parameter).

        A data set that has no trials left within the window is replaced by the person's own.
        """
        simulator = Simulator(model, _any_prior(model), self._layout())
        trials = refilled(simulator, theta.reshape(-1, theta.shape[-1]), seed=seed)
        empty = np.flatnonzero(trials.n_trials == 0)
        if not len(empty):
            return trials
        return with_rows(trials, empty, self.study.select(empty % len(self.study)))

    def _layout(self) -> ObservedDesign:
        """The people's own design, kept and recorded as in that of the posterior."""
        return design_like(self.posterior.simulator.design, self.study)

    def signatures(
        self, extension: Extension, n_predictions: int
    ) -> list[Float[Array, "replicate person statistic"]]:
        """Discrepancies (replicate, person, statistic) of every variant, in units of `noise_of`.

        They are differences from the base model's predictions; NaN for data sets that the base
        network reads otherwise than the person's own.
        """
        rng = stream(self.seed, Purpose.IMITATED, *place_of(extension.name))
        prior, cloud = self._first_cloud(extension, rng)
        return [
            self._discrepancies(self._imitation(variant, prior, cloud, rng), n_predictions, rng)
            for variant in extension.variants
        ]

    def _imitation(
        self,
        variant: Variant,
        prior: AnyPrior,
        cloud: Float[Array, "replicate person value"],
        rng: np.random.Generator,
    ) -> Trials:
        """Data sets of a variant that are like those of the people."""
        z = self._fitted_cloud(variant, prior, cloud, rng)
        return self._simulated_at(variant, prior, z, rng)

    def _first_cloud(
        self, extension: Extension, rng: np.random.Generator
    ) -> tuple[AnyPrior, Array]:
        """A prior, and values on its real line at which the first simulations are made."""
        if extension.prior is None:
            noise = rng.standard_normal(self.z.shape)
            return self.posterior.simulator.prior, self.z + WIDENED * noise
        prior = extension.prior.within(extension.variants[0].model.parameters)
        return prior, rng.standard_normal((*self.z.shape[:2], len(prior.names)))

    def _fitted_cloud(
        self,
        variant: Variant,
        prior: AnyPrior,
        cloud: Float[Array, "replicate person value"],
        rng: np.random.Generator,
    ) -> Float[Array, "replicate person value"]:
        """Where the candidate imitates the people, (replicate, person, parameter).

        The values are on its prior's real line, and so is the first cloud of them.
        """
        for inflated in (INFLATED, 1.0):
            cloud = kept_near(cloud)
            trials = self._simulated_at(variant, prior, cloud, rng)
            at, residuals = self._regressed_at_people(cloud, trials)
            cloud = at + inflated * _drawn(trimmed(residuals), cloud.shape[:2], rng)
        return kept_near(cloud)

    def _regressed_at_people(self, cloud: Array, trials: Trials) -> tuple[Array, Array]:
        """The values that the people's data predict, and residuals of the values in the cloud.

        The regression is on those of the simulated data sets that are like the people's.
        """
        found = _summaries_of(trials, self.statistics)
        near = _like_people(found, self.summaries)
        flat = cloud.reshape(-1, cloud.shape[-1])
        return regressed(flat[near], found[near], self.summaries)

    def _simulated_at(
        self,
        variant: Variant,
        prior: AnyPrior,
        z: Float[Array, "replicate person value"],
        rng: np.random.Generator,
    ) -> Trials:
        """Data sets of a variant at values z on the prior's real line."""
        return self.simulated(variant.model, _theta_of(variant, prior, z), seed_from(rng))

    @property
    def _sd(self) -> Float[Array, "person parameter"]:
        """Posterior standard deviations, (person, parameter)."""
        return np.maximum(self.z.std(axis=0, ddof=1), SHARPEST)

    def _discrepancies(self, trials: Trials, n_predictions: int, rng: np.random.Generator) -> Array:
        """Discrepancies of data sets from base predictions, (replicate, person, statistic)."""
        fitted = self.posterior.sample(trials, n_predictions, seed=seed_from(rng)).theta

        def simulate(draw: int) -> Trials:
            theta = fitted[:, draw].reshape(-1, len(self.study), fitted.shape[-1])
            return self.simulated(self.posterior.simulator.model, theta, seed_from(rng))

        predicted = mean_statistics(simulate, n_predictions, self.statistics)
        found = self._in_units_of_noise(panel_values(trials, self.statistics), predicted)
        return np.where(self._read_alike(fitted)[..., None], found, np.nan)

    def _in_units_of_noise(self, observed: Array, predicted: Array) -> Array:
        """Differences (dataset, statistic) in units of noise, (replicate, person, statistic)."""
        found = (observed - predicted) / noise_of(observed, predicted, self.statistics)
        return found.reshape(-1, len(self.study), len(self.statistics))

    def _read_alike(self, fitted: Array) -> Array:
        """Whether the base network reads data sets like the person's own, (replicate, person).

        ``fitted`` are its draws, (dataset, draw, parameter).
        """
        mean = _on_real_line(self.posterior, fitted).mean(axis=1)
        distance = np.abs(mean.reshape(-1, *self.own.shape) - self.own)
        return (distance <= self._reach).all(axis=-1)

    @property
    def _reach(self) -> Float[Array, "person parameter"]:
        """How far two estimates of the same person may lie apart, (person, parameter)."""
        return REACH * np.sqrt(2.0) * self._sd


def imitator(posterior: Posterior, study: Trials, *, seed: int) -> Imitator:
    """The imitator of the people of a study.

    It has as many replicates as make ``DATASETS`` data sets of a variant.
    """
    trials, posterior = posterior.admit(study).trials, posterior.unguarded()
    n_each, rng = _n_replicates(len(trials)), stream(seed, Purpose.IMITATOR)
    draws = posterior.sample(trials, max(n_each, N_REFERENCE), seed=seed_from(rng)).theta
    z = np.swapaxes(_on_real_line(posterior, draws), 0, 1)  # (draw, person, parameter)
    known = statistics_for(trials)
    return Imitator(
        posterior=posterior,
        study=replace(trials, excluded={}, notes=()),
        z=z[:n_each],
        own=z.mean(axis=0),
        statistics=known,
        summaries=_summaries_of(trials, known),
        seed=seed,
    )


def _n_replicates(n_people: int) -> int:
    """How many data sets are simulated for each person."""
    return max(FEWEST_EACH, -(-DATASETS // n_people))


def _on_real_line(posterior: Posterior, theta: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Parameters on the real line of the posterior's prior, within ±``FURTHEST``."""
    return kept_near(posterior.simulator.prior.to_real(theta))


def _drawn(residuals: Array, shape: tuple[int, ...], rng: np.random.Generator) -> Array:
    """Residuals drawn with replacement, (…, value)."""
    return residuals[rng.integers(len(residuals), size=shape)]


def kept_near(z: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Values on the real line, within ±``FURTHEST``.

    Without this, those at a limit of the prior are infinite.
    """
    return np.clip(z, -FURTHEST, FURTHEST)


def _theta_of(variant: Variant, prior: AnyPrior, z: Array) -> Array:
    """The candidate's parameters in its model's order, (replicate, person, parameter)."""
    theta = prior.from_real(z)
    columns = _columns_of(theta, prior.names) | _constant_columns(variant.extra, theta.shape[:-1])
    return np.stack([columns[name] for name in variant.model.parameter_names], axis=-1)


def _columns_of(theta: Array, names: Sequence[str]) -> dict[str, Array]:
    """The values of each parameter by name, (replicate, person)."""
    return {name: theta[..., i] for i, name in enumerate(names)}


def _constant_columns(values: Mapping[str, float], shape: tuple[int, ...]) -> dict[str, Array]:
    """The same value of a parameter everywhere, by name, (replicate, person)."""
    return {name: np.full(shape, value) for name, value in values.items()}


def _any_prior(model: Model) -> Prior:
    """A prior within the domains, which a simulator needs though theta is given."""
    uniform: Any = stats.uniform
    narrow = {p.name: uniform(max(p.low, -1e3), 1e-3) for p in model.parameters}
    return Prior(**narrow)


def with_rows(trials: Trials, rows: Int[Array, " row"], others: Trials) -> Trials:
    """The trials with other data sets at some rows."""
    chosen = np.arange(len(trials))
    chosen[rows] = len(trials) + np.arange(len(rows))
    both = concatenate([replace(trials, excluded={}), others])
    return both.select(chosen)


def _summaries_of(trials: Trials, statistics: tuple[Statistic, ...]) -> Array:
    """The summaries on which values are regressed, (dataset, summary).

    They are log quantiles of correct RTs, and square roots of shares, of each condition; what is
    not defined is 0 or, for an accuracy, 10.
    """
    values = panel_values(trials, statistics)
    quantiles = values[:, [s.kind is Kind.RT_QUANTILE for s in statistics]]
    shares = values[:, [_is_regressed_share(s) for s in statistics]]
    return np.concatenate([_log_times(quantiles), _roots(shares)], axis=1)


def _log_times(quantiles: Float[Array, "dataset quantile"]) -> Float[Array, "dataset quantile"]:
    """The logarithm of times in ms, at least 0; 0 for those that are not defined."""
    return np.log(np.maximum(np.nan_to_num(quantiles, nan=1.0), 1.0))


def _roots(shares: Float[Array, "dataset share"]) -> Float[Array, "dataset share"]:
    """The square root of shares in percent; 10 for those that are not defined."""
    return np.sqrt(np.nan_to_num(shares, nan=100.0))


def _is_regressed_share(statistic: Statistic) -> bool:
    """Whether it is the share of errors, or the accuracy of the fastest or slowest answers."""
    return statistic.kind is Kind.ERRORS or statistic.rt_bin in (0, N_BINS - 1)


def _like_people(summaries: Array, people: Array) -> Array:
    """Which data sets (dataset,) have summaries within ``REACH`` SDs of the people's."""
    distance = np.abs(summaries - people.mean(axis=0))
    return (distance <= REACH * _spread_around(people, summaries)).all(axis=1)


def _spread_around(people: Array, summaries: Array) -> Array:
    """The SDs of people's summaries, made larger by part of those of simulations, (summary,)."""
    of_simulations = 0.5 * np.minimum(summaries.std(axis=0), 1.0)
    return np.hypot(people.std(axis=0), of_simulations)
