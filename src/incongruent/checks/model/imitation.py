r"""Imitation: parameters with which a candidate model gives data whose quantiles and errors are
those of the people.

Base posteriors of people who lapse, say, are off; the candidate simulated at their values would
give other people. So the candidate is simulated at a cloud of values, and these are regressed on
quantiles of correct RTs, shares of errors, and accuracies of the fastest and slowest answers of
each
condition: regression-adjusted approximate Bayesian computation (Beaumont, Zhang & Balding 2002,
Genetics 162, 2025-2035). The regression at the people's own data, and its residuals, give the cloud
of the next round and in the end the values at which the candidate is compared. By what its data
then differ from base predictions is its signature.

The regression is quadratic in principal components. The first cloud is that of base posterior
draws, widened; for another mechanism it is that of its prior. Quantiles and shares do not suffer
from what spoils a mean or a skewness, nor from what the base network makes of data that it does not
know.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import stats

from incongruent.checks.model.candidates import Extension, Variant
from incongruent.checks.panel_statistics import Statistic, noise_of, panel_values, statistics_for
from incongruent.data.basics.streams import Purpose, place_of, seed_from, stream
from incongruent.data.trials import Trials, concatenate, select
from incongruent.models.model import Model
from incongruent.posterior.posterior import Posterior
from incongruent.priors.independent import Prior
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.observed import design_of
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

DATASETS = 1000
"""Simulated for one variant, all people together."""
FEWEST_EACH = 8
N_REFERENCE = 200
"""Draws for the people's own posterior means."""
N_COMPONENTS = 8
"""Principal components of quantiles and shares that the regression sees."""
FURTHEST = 4.0
"""Places on the real line, where a prior is standard normal, are kept within ±."""
WIDENED = 0.4
"""SD of what is added to base posterior draws to make the first cloud."""
INFLATED = 1.5
"""By how much the cloud of the second round is wider than what it is to describe, lest its
regression follows it.
"""
RIDGE = 1.0
FEWEST_ALIKE = 100
"""Data sets that a regression needs."""
TRIM = 2.0
"""Residuals beyond so many standard deviations are not used."""
REACH = 4.0
"""In SDs: simulated data sets further from the people, or in the end read by the network otherwise
than the person's own, are left out.
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
        described: (person, description) quantiles and shares of the people's data.
        seed: of everything.
    """

    posterior: Posterior
    study: Trials
    z: Array
    own: Array
    statistics: tuple[Statistic, ...]
    described: Array
    seed: int

    def simulated(self, model: Model, theta: Array, seed: int) -> Trials:
        """Data sets with the people's own trials at theta (replicate, person, parameter); a data
        set that has no trials left within the window takes the place of the person's own.
        """
        design = self.posterior.simulator.design
        layout = design_of(
            self.study, window=design.window, deadline=design.deadline, condition=design.condition
        )
        trials = Simulator(model, _any_prior(model), layout).simulate_at(
            theta.reshape(-1, theta.shape[-1]), seed=seed
        )
        empty = np.flatnonzero(trials.n_trials == 0)
        if not len(empty):
            return trials
        return with_rows(trials, empty, select(self.study, empty % len(self.study)))

    def signatures(self, extension: Extension, n_predictions: int) -> list[Array]:
        """Discrepancies (replicate, person, statistic) of every variant from the base model's
        predictions, in units of `noise_of`; NaN for data sets that the base network reads otherwise
        than the person's own.
        """
        rng = stream(self.seed, Purpose.IMITATED, *place_of(extension.name))
        if extension.prior is None:
            prior = self.posterior.simulator.prior
            cloud = self.z + WIDENED * rng.standard_normal(self.z.shape)
        else:
            prior = extension.prior.within(extension.variants[0].model.parameters)
            cloud = rng.standard_normal((*self.z.shape[:2], len(prior.names)))
        found = []
        for variant in extension.variants:
            here = self._placed(variant, prior, cloud, rng)
            trials = self.simulated(
                variant.model, self._theta(variant, prior, here), seed_from(rng)
            )
            found.append(self._discrepancies(trials, n_predictions, rng))
        return found

    def _placed(
        self, variant: Variant, prior: AnyPrior, cloud: Array, rng: np.random.Generator
    ) -> Array:
        """Where the candidate imitates the people, (replicate, person, parameter) on its prior's
        real line, from a first cloud of such places.
        """
        for inflated in (INFLATED, 1.0):
            cloud = kept_near(cloud)
            trials = self.simulated(
                variant.model, self._theta(variant, prior, cloud), seed_from(rng)
            )
            found = _described(trials, self.statistics)
            flat = cloud.reshape(-1, cloud.shape[-1])
            near = _among(found, self.described)
            at, residuals = _regressed(flat[near], found[near], self.described)
            residuals = _trimmed(residuals)
            cloud = at + inflated * residuals[rng.integers(len(residuals), size=cloud.shape[:2])]
        return kept_near(cloud)

    @property
    def _sd(self) -> Array:
        """Posterior standard deviations, (person, parameter)."""
        return np.maximum(self.z.std(axis=0, ddof=1), SHARPEST)

    def _theta(self, variant: Variant, prior: AnyPrior, z: Array) -> Array:
        """The candidate's parameters in its model's order, (replicate, person, parameter)."""
        theta = prior.from_real(z)
        columns = {name: theta[..., i] for i, name in enumerate(prior.names)}
        columns |= {name: np.full(theta.shape[:-1], value) for name, value in variant.extra.items()}
        return np.stack([columns[name] for name in variant.model.parameter_names], axis=-1)

    def _discrepancies(self, trials: Trials, n_predictions: int, rng: np.random.Generator) -> Array:
        base, base_prior, statistics = (
            self.posterior.simulator.model,
            self.posterior.simulator.prior,
            self.statistics,
        )
        observed = panel_values(trials, statistics)
        fitted = self.posterior.sample(trials, n_predictions, seed=seed_from(rng)).theta
        total, n = np.zeros_like(observed), np.zeros_like(observed)
        for draw in range(n_predictions):
            theta = fitted[:, draw].reshape(-1, len(self.study), fitted.shape[-1])
            values = panel_values(self.simulated(base, theta, seed_from(rng)), statistics)
            total, n = total + np.nan_to_num(values), n + ~np.isnan(values)
        predicted = np.where(n > 0, total / np.maximum(n, 1), np.nan)
        found = (observed - predicted) / noise_of(observed, predicted, statistics)
        read = kept_near(base_prior.to_real(fitted)).mean(axis=1).reshape(-1, *self.own.shape)
        alike = (np.abs(read - self.own) <= REACH * np.sqrt(2.0) * self._sd).all(axis=-1)
        return np.where(
            alike[..., None], found.reshape(-1, len(self.study), len(statistics)), np.nan
        )


def imitator(posterior: Posterior, study: Trials, *, seed: int) -> Imitator:
    """For the people of a study, with as many replicates as make ``DATASETS`` data sets of a
    variant.
    """
    trials, posterior = posterior.admit(study).trials, posterior.unguarded()
    n_each, rng = max(FEWEST_EACH, -(-DATASETS // len(trials))), stream(seed, Purpose.IMITATOR)
    draws = posterior.sample(trials, max(n_each, N_REFERENCE), seed=seed_from(rng)).theta
    z = np.swapaxes(kept_near(posterior.simulator.prior.to_real(draws)), 0, 1)
    trials, known = replace(trials, excluded={}, notes=()), statistics_for(trials)
    return Imitator(
        posterior, trials, z[:n_each], z.mean(axis=0), known, _described(trials, known), seed
    )


def kept_near(z: Array) -> Array:
    """Places on the real line, within ±``FURTHEST``; those of values at a limit of the prior are
    infinite otherwise.
    """
    return np.clip(z, -FURTHEST, FURTHEST)


def _any_prior(model: Model) -> Prior:
    """A prior within the domains, which a simulator asks for though theta is given."""
    uniform: Any = stats.uniform
    return Prior(
        **{
            parameter.name: uniform(max(parameter.low, -1e3), 1e-3)
            for parameter in model.parameters
        }
    )


def with_rows(trials: Trials, rows: Array, others: Trials) -> Trials:
    """The trials with other data sets at some rows."""
    keep = np.arange(len(trials))
    keep[rows] = len(trials) + np.arange(len(rows))
    return select(concatenate([replace(trials, excluded={}), others]), keep)


def _described(trials: Trials, statistics: tuple[Statistic, ...]) -> Array:
    """What places are inferred from, (dataset, description): log quantiles of correct RTs, and
    square roots of shares, of each condition; what is not defined is 0 or, for an accuracy, 10.
    """
    values = panel_values(trials, statistics)
    quantiles = [i for i, s in enumerate(statistics) if s.name.startswith("RT quantile")]
    shares = [
        i
        for i, s in enumerate(statistics)
        if s.name.startswith(("errors", "accuracy, RT bin 1", "accuracy, RT bin 5"))
    ]
    times = np.log(np.maximum(np.nan_to_num(values[:, quantiles], nan=1.0), 1.0))
    return np.concatenate([times, np.sqrt(np.nan_to_num(values[:, shares], nan=100.0))], axis=1)


def _among(described: Array, people: Array) -> Array:
    """Which data sets (dataset,) are described as people are, within ``REACH`` of their standard
    deviations.
    """
    spread = np.hypot(people.std(axis=0), 0.5 * np.minimum(described.std(axis=0), 1.0))
    return (np.abs(described - people.mean(axis=0)) <= REACH * spread).all(axis=1)


def _regressed(values: Array, described: Array, at: Array) -> tuple[Array, Array]:
    """Values (dataset, value) regressed on descriptions (dataset, description): the prediction at
    other ones (person, value), kept within the range of the values, and residuals (dataset, value).
    """
    if len(values) < FEWEST_ALIKE:  # nothing like these people: to the middle of the prior
        return np.zeros((len(at), values.shape[-1])), np.zeros((1, values.shape[-1]))
    middle, spread = described.mean(axis=0), np.maximum(described.std(axis=0), 1e-3)
    standard = (described - middle) / spread
    _, size, axes = np.linalg.svd(standard, full_matrices=False)
    turn = axes[:N_COMPONENTS].T * np.sqrt(len(values)) / size[:N_COMPONENTS]
    design, there = (
        _quadratic(standard @ turn),
        _quadratic(np.clip((at - middle) / spread @ turn, -REACH, REACH)),
    )
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    slopes = np.linalg.solve(design.T @ design + penalty, design.T @ values)
    return np.clip(there @ slopes, values.min(axis=0), values.max(axis=0)), values - design @ slopes


def _trimmed(residuals: Array) -> Array:
    """Without rows of which a value is unusually large: most of these come from places that are no
    longer like any of the people.
    """
    usual = (np.abs(residuals) <= TRIM * np.quantile(np.abs(residuals), 0.68, axis=0) + 1e-9).all(
        axis=1
    )
    return residuals[usual] if usual.any() else residuals


def _quadratic(m: Array) -> Array:
    """1, the parameters and their products, (…, feature)."""
    first, second = np.triu_indices(m.shape[-1])
    return np.concatenate([np.ones((*m.shape[:-1], 1)), m, m[..., first] * m[..., second]], axis=-1)
