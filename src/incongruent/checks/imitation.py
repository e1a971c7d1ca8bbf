r"""Imitation: parameters with which a candidate model gives data that the base network reads as it reads the people's own.

Base posteriors of people who lapse, say, are off; the candidate simulated at their values would give other people. So each person's values are moved
until the base network, applied to the candidate's simulations, finds on average what it finds in the base model's replicates of that person: indirect
inference (Gouriéroux, Monfort & Renault 1993, Journal of Applied Econometrics 8, S85-S118) with the base posterior mean, on the network's scale, as
the auxiliary estimate. What then still differs between data and base predictions is the candidate's signature.

With m the estimates, f their translation into the candidate's parameters (the identity for an extension; for another mechanism a quadratic regression
on simulations from its prior) and delta the person's shift, the iteration is   delta <- delta + f(m of replicates) - f(m of the candidate at delta).
"""

from __future__ import annotations

from collections.abc import Callable
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
N_DRAWS = 8
"""For a posterior mean in the iteration, in which noise averages out."""
FURTHEST = 4.0
"""Places on the real line, where a prior is standard normal, are kept within ±."""
LEARNED_FROM = 1500
"""Data sets from which a translation into another mechanism is learned."""
RIDGE = 1.0


@dataclass(frozen=True, eq=False)
class Imitator:
    """Simulates candidates where people are.

    Attributes:
        posterior: of the base model.
        study: its people, as the network admits them.
        z: (replicate, person, parameter), draws of the base posteriors on the real line.
        target: (person, parameter), what the network finds on average in base data sets simulated from these.
        seed: of everything.
    """

    posterior: Posterior
    study: Trials
    z: Array
    target: Array
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
        """Discrepancies (replicate, person, statistic) of every variant from the base model's predictions, in units of `noise_of`."""
        rng = generator(self.seed, 31, *extension.name.encode())
        prior, translate, n_rounds = self._translation(extension, rng)
        out: list[Array] = []
        shift, before = np.zeros_like(translate(self.target)), extension.base
        for variant in _from_base(extension):
            if extension.base is not None:
                same_side = before is not None and (before - extension.base) * (variant.amount - extension.base) > 0
                grown = (variant.amount - extension.base) / (before - extension.base) if same_side and before is not None else 0.0
                shift = shift * min(grown, 2.0)
            before = variant.amount
            for _ in range(n_rounds):
                trials = self.simulated(variant.model, self._theta(variant, prior, translate(self.z) + shift), _seed(rng))
                shift = shift + translate(self.target) - translate(self.estimates(trials, _seed(rng))).mean(axis=0)
            trials = self.simulated(variant.model, self._theta(variant, prior, translate(self.z) + shift), _seed(rng))
            out.append(self._discrepancies(trials, statistics, n_predictions, rng))
        order = np.argsort([variant.amount for variant in _from_base(extension)])
        return [out[i] for i in order]

    def _translation(self, extension: Extension, rng: np.random.Generator) -> tuple[AnyPrior, Callable[[Array], Array], int]:
        """On whose real line the candidate's parameters are, f, and how many rounds."""
        if extension.prior is None:
            return self.posterior.simulator.prior, lambda m: m, 2
        model = extension.variants[0].model
        prior = extension.prior.within(model.parameters)
        n_each = -(-LEARNED_FROM // len(self.study))
        theta = prior.sample(n_each * len(self.study), seed=rng).reshape(n_each, len(self.study), -1)
        found = self.estimates(self.simulated(model, theta, _seed(rng)), _seed(rng))
        design, wanted = _quadratic(found.reshape(-1, found.shape[-1])), kept_near(prior.to_real(theta)).reshape(-1, theta.shape[-1])
        penalty = RIDGE * np.eye(design.shape[1])
        penalty[0, 0] = 0.0
        slopes = np.linalg.solve(design.T @ design + penalty, design.T @ wanted)
        return prior, lambda m: kept_near(_quadratic(m) @ slopes), 3

    def _theta(self, variant: Variant, prior: AnyPrior, z: Array) -> Array:
        """The candidate's parameters in its model's order, (replicate, person, parameter)."""
        theta = prior.from_real(kept_near(z))
        columns = {name: theta[..., i] for i, name in enumerate(prior.names)}
        columns |= {name: np.full(theta.shape[:-1], value) for name, value in variant.extra.items()}
        return np.stack([columns[name] for name in variant.model.parameter_names], axis=-1)

    def _discrepancies(self, trials: Trials, statistics: tuple[Statistic, ...], n_predictions: int, rng: np.random.Generator) -> Array:
        base = self.posterior.simulator.model
        observed = panel_values(trials, statistics)
        fitted = replace(self.posterior, ranges=None).sample(trials, n_predictions, seed=_seed(rng)).theta
        total, n = np.zeros_like(observed), np.zeros_like(observed)
        for draw in range(n_predictions):
            theta = fitted[:, draw].reshape(-1, len(self.study), fitted.shape[-1])
            values = panel_values(self.simulated(base, theta, _seed(rng)), statistics)
            total, n = total + np.nan_to_num(values), n + ~np.isnan(values)
        predicted = np.where(n > 0, total / np.maximum(n, 1), np.nan)
        found = (observed - predicted) / noise_of(observed, predicted, statistics)
        return found.reshape(-1, len(self.study), len(statistics))


def imitator(posterior: Posterior, study: Trials, *, seed: int) -> Imitator:
    """For the people of a study, with as many replicates as make ``DATASETS`` data sets of a variant."""
    trials = posterior.admit(study).trials
    n_each, rng = max(FEWEST_EACH, -(-DATASETS // len(trials))), generator(seed, 30)
    draws = posterior.sample(trials, n_each, seed=_seed(rng)).theta
    z = np.swapaxes(kept_near(posterior.simulator.prior.to_real(draws)), 0, 1)
    first = Imitator(posterior, replace(trials, excluded={}, notes=()), z, np.zeros(z.shape[1:]), seed)
    replicates = first.simulated(posterior.simulator.model, np.swapaxes(draws, 0, 1), _seed(rng))
    return replace(first, target=first.estimates(replicates, _seed(rng)).mean(axis=0))


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


def _from_base(extension: Extension) -> tuple[Variant, ...]:
    """Variants in the order in which each begins where the one before it ended: away from the base, one side after the other."""
    base = extension.base
    if base is None:
        return extension.variants
    above = [variant for variant in extension.variants if variant.amount > base]
    return (*above, *reversed([variant for variant in extension.variants if variant.amount < base]))


def _quadratic(m: Array) -> Array:
    """1, the parameters and their products, (…, feature)."""
    first, second = np.triu_indices(m.shape[-1])
    return np.concatenate([np.ones((*m.shape[:-1], 1)), m, m[..., first] * m[..., second]], axis=-1)


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))
