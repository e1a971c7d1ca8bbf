r"""Imitation: parameters with which a candidate model gives data that the base network reads as it reads the people's own.

Base posteriors of people who lapse, say, are off; the candidate simulated at their values would give other people. So the candidate is simulated at a
cloud of values, the base network estimates its own parameters from these data sets, and the candidate's values are regressed on the estimates:
regression-adjusted approximate Bayesian computation (Beaumont, Zhang & Balding 2002, Genetics 162, 2025-2035) with the base posterior mean, on the
network's scale, as the summary. The regression at the people's own estimates, and its residuals, give the cloud of the next round and in the end the
values at which the candidate is compared. What then still differs between its data and base predictions is its signature.

The regression is quadratic in the estimates. The first cloud is that of base posterior draws, widened; for another mechanism it is that of its prior.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from incongruent.checks.candidates import Extension, Variant
from incongruent.checks.panel_statistics import Statistic, noise_of, panel_values
from incongruent.designs import design_of
from incongruent.joint_prior import AnyPrior
from incongruent.models.model import Model
from incongruent.posterior import Posterior
from incongruent.priors import Prior
from incongruent.simulation import Simulator, generator
from incongruent.trials import Trials, concatenate, select

Array = np.ndarray

DATASETS = 1000
"""Simulated for one variant, all people together."""
FEWEST_EACH = 8
N_REFERENCE = 200
"""Draws for the people's own posterior means."""
N_DRAWS = 16
"""Draws for those of simulated people."""
FURTHEST = 4.0
"""Places on the real line, where a prior is standard normal, are kept within ±."""
WIDENED = 0.4
"""SD of what is added to base posterior draws to make the first cloud."""
INFLATED = 1.5
"""By how much the cloud of the second round is wider than what it is to describe, lest its regression follows it."""
RIDGE = 1.0
REACH = 4.0
"""Simulated data sets whose estimates are further from the people's, or in the end from the person's own, are left out; in standard deviations."""
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
        seed: of everything.
    """

    posterior: Posterior
    study: Trials
    z: Array
    own: Array
    seed: int

    def simulated(self, model: Model, theta: Array, seed: int) -> Trials:
        """Data sets with the people's own trials at theta (replicate, person, parameter); a data set that has no trials left within the window
        takes the place of the person's own.
        """
        design = self.posterior.simulator.design
        layout = design_of(self.study, window=design.window, deadline=design.deadline, condition=design.condition)
        trials = Simulator(model, _any_prior(model), layout).simulate_at(theta.reshape(-1, theta.shape[-1]), seed=seed)
        empty = np.flatnonzero(trials.n_trials == 0)
        if not len(empty):
            return trials
        return with_rows(trials, empty, select(self.study, empty % len(self.study)))

    def estimates(self, trials: Trials, seed: int) -> Array:
        """Base posterior means on the real line, (replicate, person, parameter)."""
        draws = replace(self.posterior, ranges=None).sample(trials, N_DRAWS, seed=seed).theta
        return kept_near(self.posterior.simulator.prior.to_real(draws)).mean(axis=1).reshape(-1, len(self.study), draws.shape[-1])

    def signatures(self, extension: Extension, statistics: tuple[Statistic, ...], n_predictions: int) -> list[Array]:
        """Discrepancies (replicate, person, statistic) of every variant from the base model's predictions, in units of `noise_of`; NaN for data sets
        that the base network reads otherwise than the person's own.
        """
        rng = generator(self.seed, 31, *extension.name.encode())
        if extension.prior is None:
            prior = self.posterior.simulator.prior
            cloud = self.z + WIDENED * rng.standard_normal(self.z.shape)
        else:
            prior = extension.prior.within(extension.variants[0].model.parameters)
            cloud = rng.standard_normal((*self.z.shape[:2], len(prior.names)))
        found = []
        for variant in extension.variants:
            here = self._placed(variant, prior, cloud, rng)
            trials = self.simulated(variant.model, self._theta(variant, prior, here), _seed(rng))
            found.append(self._discrepancies(trials, statistics, n_predictions, rng))
        return found

    def _placed(self, variant: Variant, prior: AnyPrior, cloud: Array, rng: np.random.Generator) -> Array:
        """Where the candidate imitates the people, (replicate, person, parameter) on its prior's real line, from a first cloud of such places."""
        for inflated in (INFLATED, 1.0):
            cloud = kept_near(cloud)
            trials = self.simulated(variant.model, self._theta(variant, prior, cloud), _seed(rng))
            found = self.estimates(trials, _seed(rng))
            near = self._among_people(found)
            at, residuals = _regressed(cloud[near], found[near], self.own)
            chosen = rng.integers(len(residuals), size=cloud.shape[:2])
            cloud = at + inflated * residuals[chosen]
        return kept_near(cloud)

    def _among_people(self, estimates: Array) -> Array:
        """Whether estimates (replicate, person, parameter) are such as the people's own are, (replicate, person)."""
        spread = np.sqrt(self.own.var(axis=0) + 2.0 * self._sd.mean(axis=0) ** 2)
        return (np.abs(estimates - self.own.mean(axis=0)) <= REACH * spread).all(axis=-1)

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

    def _discrepancies(self, trials: Trials, statistics: tuple[Statistic, ...], n_predictions: int, rng: np.random.Generator) -> Array:
        base, base_prior = self.posterior.simulator.model, self.posterior.simulator.prior
        observed = panel_values(trials, statistics)
        fitted = replace(self.posterior, ranges=None).sample(trials, n_predictions, seed=_seed(rng)).theta
        total, n = np.zeros_like(observed), np.zeros_like(observed)
        for draw in range(n_predictions):
            theta = fitted[:, draw].reshape(-1, len(self.study), fitted.shape[-1])
            values = panel_values(self.simulated(base, theta, _seed(rng)), statistics)
            total, n = total + np.nan_to_num(values), n + ~np.isnan(values)
        predicted = np.where(n > 0, total / np.maximum(n, 1), np.nan)
        found = (observed - predicted) / noise_of(observed, predicted, statistics)
        read = kept_near(base_prior.to_real(fitted)).mean(axis=1).reshape(-1, *self.own.shape)
        alike = (np.abs(read - self.own) <= REACH * np.sqrt(2.0) * self._sd).all(axis=-1)
        return np.where(alike[..., None], found.reshape(-1, len(self.study), len(statistics)), np.nan)


def imitator(posterior: Posterior, study: Trials, *, seed: int) -> Imitator:
    """For the people of a study, with as many replicates as make ``DATASETS`` data sets of a variant."""
    trials = posterior.admit(study).trials
    n_each, rng = max(FEWEST_EACH, -(-DATASETS // len(trials))), generator(seed, 30)
    draws = posterior.sample(trials, max(n_each, N_REFERENCE), seed=_seed(rng)).theta
    z = np.swapaxes(kept_near(posterior.simulator.prior.to_real(draws)), 0, 1)
    return Imitator(posterior, replace(trials, excluded={}, notes=()), z[:n_each], z.mean(axis=0), seed)


def kept_near(z: Array) -> Array:
    """Places on the real line, within ±``FURTHEST``; those of values at a limit of the prior are infinite otherwise."""
    return np.clip(z, -FURTHEST, FURTHEST)


def _any_prior(model: Model) -> Prior:
    """A prior within the domains, which a simulator asks for though theta is given."""
    return Prior(**{parameter.name: stats.uniform(max(parameter.low, -1e3), 1e-3) for parameter in model.parameters})


def with_rows(trials: Trials, rows: Array, others: Trials) -> Trials:
    """The trials with other data sets at some rows."""
    keep = np.arange(len(trials))
    keep[rows] = len(trials) + np.arange(len(rows))
    return select(concatenate([replace(trials, excluded={}), others]), keep)


def _regressed(values: Array, estimates: Array, at: Array) -> tuple[Array, Array]:
    """Values (dataset, value) regressed on estimates (dataset, parameter): the prediction at other estimates (person, value), kept within the range of the
    values, and residuals (dataset, value).
    """
    if not len(values):
        return np.zeros((len(at), values.shape[-1])), np.zeros((1, values.shape[-1]))  # nothing like these people: to the middle of the prior
    design, wanted = _quadratic(estimates), values
    penalty = RIDGE * np.eye(design.shape[1])
    penalty[0, 0] = 0.0
    slopes = np.linalg.solve(design.T @ design + penalty, design.T @ wanted)
    return np.clip(_quadratic(at) @ slopes, wanted.min(axis=0), wanted.max(axis=0)), wanted - design @ slopes


def _quadratic(m: Array) -> Array:
    """1, the parameters and their products, (…, feature)."""
    first, second = np.triu_indices(m.shape[-1])
    return np.concatenate([np.ones((*m.shape[:-1], 1)), m, m[..., first] * m[..., second]], axis=-1)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))
