r"""Correct amortized posteriors by the exact likelihood.

Draws from q(theta | x) are importance draws for the true posterior, with weights

    w = p(theta) p(x | theta) / q(theta | x)

whose mean is the evidence p(x). The largest weights are smoothed by a generalised Pareto distribution (Vehtari, Simpson, Gelman, Yao & Gabry 2024,
JMLR 25(72)); its shape k-hat says whether they can be trusted: below min(1 - 1 / log10 S, .7) for S draws they can. The effective share of the
draws, (sum w)^2 / (S sum w^2), is 1 for a perfect network. Where k-hat is too large, people are sampled by an affine-invariant ensemble on the
exact likelihood (Foreman-Mackey, Hogg, Lang & Goodman 2013), started from the draws.
"""

from __future__ import annotations

import math
import os
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import emcee
import numpy as np
from arviz_stats.base.array import array_stats
from scipy import stats

from incongruent.draws import Correction, Draws
from incongruent.models.model import Kept, Likelihood
from incongruent.priors import Prior
from incongruent.scope import readable
from incongruent.simulation import Simulator, generator
from incongruent.trials import Trials, checked

Array = np.ndarray

TOLERANCE = 0.05
"""Nats by which log likelihoods may differ from those of the next finer level of accuracy, as an SD over draws."""
N_COMPARED = 8
"""Draws at which two levels of accuracy are compared."""
BLOCK = 512
"""Draws of one person that one thread works on at a time."""
LARGEST_LOSS = 1e-3
"""More of a new prior than this outside the support of the network's prior is refused."""

N_WALKERS = 64
STEPS_AT_ONCE = 200
MOST_STEPS = 20_000
STEPS_PER_TIME = 50
"""MCMC goes on until it has run for so many integrated autocorrelation times."""
LARGEST_CHANGE = 0.1
"""… and until the estimate of that time has changed by less than this share since the last look."""
BURN_IN = 5
"""Autocorrelation times that are left out at the beginning."""


class LikelihoodError(ValueError):
    """The model has no exact likelihood, or it cannot be computed here."""


def likelihood_of(simulator: Simulator) -> Likelihood:
    """The exact likelihood of a simulator's model.

    Raises:
        LikelihoodError: when nobody knows it.
    """
    if simulator.model.likelihood is None:
        raise LikelihoodError(
            f"Expected a model with an exact likelihood; {simulator.model.name} {dict(simulator.model.settings)} has none. DMC has one with "
            f"scheme='bridge'; a model of your own gets one by Model(likelihood=…)."
        )
    return simulator.model.likelihood


def log_likelihood(simulator: Simulator, theta: Array, study: Trials, *, workers: int | None = None) -> Array:
    """Exact log p(trials | theta) of every person at several values of theta.

    The densities are scaled to the trials that the design keeps. Each person gets the fastest level of accuracy at which a finer one changes
    nothing that matters.

    Args:
        simulator: model, and design with its window and deadline.
        theta: (person, draw, parameter).
        study: one data set a person.
        workers: threads; one for each core when left out.

    Returns:
        (person, draw), in nats.

    Raises:
        LikelihoodError: when the model has no exact likelihood.
        ValueError: for theta of another shape.

    Warns:
        RuntimeWarning: when the finest level of accuracy still differs from the one before it.
    """
    likelihood = likelihood_of(simulator)
    theta = np.asarray(theta, float)
    if theta.ndim != 3 or theta.shape[::2] != (len(study), len(simulator.prior.names)):
        raise ValueError(f"Expected theta of shape ({len(study)}, draw, {len(simulator.prior.names)}), (person, draw, parameter); got {theta.shape}.")
    if theta.shape[1] == 0:
        return np.empty(theta.shape[:2])
    trials = readable(checked(study), simulator.design)
    people = [_Person.of(simulator, trials, i) for i in range(len(trials))]
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        levels = list(pool.map(lambda pair: _level(likelihood, *pair), zip(people, theta, strict=True)))
        blocks = [(i, first) for i in range(len(people)) for first in range(0, theta.shape[1], BLOCK)]
        parts = list(pool.map(lambda at: people[at[0]].log_likelihood(likelihood, theta[at[0], at[1] : at[1] + BLOCK], levels[at[0]][0]), blocks))
    out = np.empty(theta.shape[:2])
    for (i, first), part in zip(blocks, parts, strict=True):
        out[i, first : first + BLOCK] = part
    unstable = [name for name, (_, stable) in zip(study.names, levels, strict=True) if not stable]
    if unstable:
        warnings.warn(
            f"Expected log likelihoods within {TOLERANCE} nats of the finest level of accuracy; not reached for {', '.join(unstable[:10])}. "
            f"Weights and evidence of these people are less exact.",
            RuntimeWarning,
            stacklevel=2,
        )
    return out


@dataclass(frozen=True, eq=False)
class _Person:
    """The trials of one person, without gaps."""

    values: dict[str, Array]
    answered: Array
    kept: Kept

    @classmethod
    def of(cls, simulator: Simulator, trials: Trials, person: int) -> _Person:
        present = trials.present[person]
        values = {name: column[person, present] for name, column in trials.values.items()}
        return cls(values, trials.answered[person, present], Kept(simulator.design.window, simulator.design.deadline))

    def log_likelihood(self, likelihood: Likelihood, theta: Array, level: int) -> Array:
        return likelihood.at(theta, self.values, self.answered, self.kept, level)


def _level(likelihood: Likelihood, person: _Person, theta: Array) -> tuple[int, bool]:
    """The fastest level of accuracy that is as good as the next, and whether there is one."""
    some = theta[np.unique(np.linspace(0, len(theta) - 1, N_COMPARED).astype(int))]
    coarse = person.log_likelihood(likelihood, some, 0)
    for level in range(1, likelihood.n_levels):
        fine = person.log_likelihood(likelihood, some, level)
        with np.errstate(invalid="ignore"):  # -inf on both levels
            change = np.where(coarse == fine, 0.0, fine - coarse)
        if np.std(change) <= TOLERANCE and abs(np.mean(change)) <= 4.0 * TOLERANCE:
            return level - 1, True
        coarse = fine
    return likelihood.n_levels - 1, likelihood.n_levels == 1


def reweight(
    draws: Draws, study: Trials, *, prior: Prior | None = None, exact: bool = False, mcmc: bool = True, seed: int = 1, workers: int | None = None
) -> Draws:
    """Correct draws by the exact likelihood, for everybody; where that cannot work, sample anew.

    Args:
        draws: from `Posterior.sample`.
        study: the trials of the same people in the same order.
        prior: another prior than that the network was trained with; its posterior comes out, as far as k-hat allows.
        exact: sample everybody by MCMC: the reference, much slower.
        mcmc: sample by MCMC the people for whom k-hat is too large; without it they keep their poor weights.
        seed: of resampling and MCMC.
        workers: threads; one for each core when left out.

    Returns:
        `Draws` of the corrected posterior, as many as before, with ``correction`` on record. Their ``log_q`` is the log density of the corrected
        posterior.

    Raises:
        LikelihoodError: when the model has no exact likelihood.
        ValueError: when draws and study do not belong together, draws have been corrected before, or the prior reaches beyond the network's.
    """
    if draws.names != study.names:
        raise ValueError(f"Expected the people of the draws, {draws.names[:5]} …; got a study of {study.names[:5]} ….")
    if draws.correction is not None:
        raise ValueError("Expected draws as they come from the network; these have been corrected already. Take those from Posterior.sample.")
    simulator = draws.simulator if prior is None else with_prior(draws.simulator, prior)
    log_lik = log_likelihood(simulator, draws.theta, study, workers=workers)
    log_joint = simulator.prior.log_prob(draws.theta) + log_lik
    weights = weigh(log_joint, draws.log_q)
    rows = resample(weights, seed=seed)
    theta = np.take_along_axis(draws.theta, rows[..., None], axis=1)
    log_lik, log_joint = np.take_along_axis(log_lik, rows, 1), np.take_along_axis(log_joint, rows, 1)
    evidence, error = weights.log_evidence.copy(), weights.log_evidence_error.copy()
    again = np.ones(len(draws), bool) if exact else (weights.k_hat > largest_k_hat(draws.theta.shape[1])) & mcmc
    steps, times = np.zeros(len(draws), int), np.full(len(draws), np.nan)
    people = np.flatnonzero(again)
    trials = readable(checked(study), simulator.design)
    sample = partial(_sample_exactly, simulator)
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        chains = pool.map(lambda i: sample(_Person.of(simulator, trials, i), draws.theta[i], theta[i], generator(seed, 10, i)), people)
        for i, chain in zip(people, chains, strict=True):
            theta[i], log_lik[i], log_joint[i] = chain.theta, chain.log_likelihood, chain.log_joint
            evidence[i], error[i], steps[i], times[i] = chain.log_evidence, chain.log_evidence_error, chain.n_steps, chain.time
    _warn_of_short_chains([study.names[i] for i in people if steps[i] < STEPS_PER_TIME * times[i]])
    correction = Correction(weights.k_hat, weights.ess, evidence, error, again, steps, times, log_lik)
    return replace(draws, theta=theta, log_q=log_joint - evidence[:, None], simulator=simulator, correction=correction)


def with_prior(simulator: Simulator, prior: Prior) -> Simulator:
    """The same simulator under another prior, which has to lie within the support of the present one.

    Raises:
        ValueError: when names differ, or draws from the present prior can never reach some of the new one.
    """
    changed = Simulator(simulator.model, prior, simulator.design)
    for parameter in simulator.model.parameters:
        low, high = simulator.prior[parameter.name].support()
        lost = float(changed.prior[parameter.name].cdf(low) + changed.prior[parameter.name].sf(high))
        if lost > LARGEST_LOSS:
            raise ValueError(
                f"Expected a prior for {parameter.name} within [{low:g}, {high:g}] {parameter.unit}, which the network was trained for; {lost:.1%} "
                f"of it lies outside. Cut it with incongruent.truncated, or train a network for it."
            )
    return changed


@dataclass(frozen=True, eq=False)
class Weights:
    """Importance weights of the draws of many people.

    Attributes:
        log_weights: (person, draw), Pareto-smoothed, with sum 1 for each person.
        k_hat: (person,).
        ess: (person,), effective share of the draws, from 0 to 1.
        log_evidence: (person,).
        log_evidence_error: (person,), its Monte Carlo standard error.
    """

    log_weights: Array
    k_hat: Array
    ess: Array
    log_evidence: Array
    log_evidence_error: Array


def largest_k_hat(n_draws: int) -> float:
    """Largest k-hat at which the weights of so many draws can be trusted."""
    return min(1.0 - 1.0 / math.log10(max(n_draws, 11)), 0.7)


def weigh(log_joint: Array, log_q: Array) -> Weights:
    """Importance weights from log p(theta) p(x | theta) and log q(theta | x), each (person, draw)."""
    n_draws = log_q.shape[1]
    ratios = log_joint - log_q
    top = ratios.max(axis=1, keepdims=True, initial=-np.inf)
    possible = np.isfinite(top[:, 0])
    shifted = np.where(possible[:, None], ratios - np.where(possible[:, None], top, 0.0), 0.0)
    plain = np.exp(shifted)
    ess = plain.sum(axis=1) ** 2 / (plain**2).sum(axis=1) / n_draws
    evidence = np.log(plain.mean(axis=1)) + np.where(possible, top[:, 0], -np.inf)
    error = np.sqrt(np.maximum(1.0 / ess - 1.0, 0.0) / n_draws)
    smoothed, k_hat = np.empty_like(shifted), np.empty(len(shifted))
    for i, row in enumerate(shifted):
        smoothed[i], k_hat[i] = _smoothed(row)
    k_hat, ess = np.where(possible, k_hat, np.inf), np.where(possible, ess, 0.0)
    return Weights(smoothed, k_hat, ess, evidence, np.where(possible, error, np.inf))


def _smoothed(log_ratios: Array) -> tuple[Array, float]:
    """Pareto-smoothed log weights with sum 1, and k-hat; -inf among the ratios counts as a weight of almost 0."""
    finite = np.maximum(log_ratios, -700.0)
    if len(finite) < 5 or np.ptp(finite) < 1e-9:  # nothing to smooth
        return finite - np.log(np.exp(finite).sum()), -math.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about large k-hat, which is reported
        try:
            smoothed, k_hat = array_stats.psislw(-finite)  # it takes log likelihoods, as leave-one-out has them, and turns their sign
        except ValueError:  # all weights of the tail are alike: no tail
            smoothed, k_hat = finite, -math.inf
    smoothed = np.asarray(smoothed) - np.log(np.exp(smoothed).sum())
    return smoothed, float(k_hat)


def resample(weights: Weights, *, seed: int) -> Array:
    """Positions of draws by weight, (person, draw): systematically (Kitagawa 1996), in random order."""
    people, n = weights.log_weights.shape
    rows = np.empty((people, n), int)
    for i in range(people):
        rng = generator(seed, 9, i)
        ends = np.cumsum(np.exp(weights.log_weights[i]))
        found = np.searchsorted(ends / ends[-1], (np.arange(n) + rng.random()) / n, side="right")
        rows[i] = rng.permutation(np.minimum(found, n - 1))
    return rows


@dataclass(frozen=True, eq=False)
class _Chain:
    """What MCMC gave for one person."""

    theta: Array
    log_likelihood: Array
    log_joint: Array
    log_evidence: float
    log_evidence_error: float
    n_steps: int
    time: float


def _sample_exactly(simulator: Simulator, person: _Person, draws: Array, likely: Array, rng: np.random.Generator) -> _Chain:
    """MCMC on the real line, where the prior is standard normal, from places among the draws."""
    prior, likelihood = simulator.prior, likelihood_of(simulator)
    level = _level(likelihood, person, likely)[0]

    def log_density(z: Array) -> tuple[Array, Array]:
        """Log density of z up to a constant, and log likelihood, which is kept beside it."""
        log_lik = person.log_likelihood(likelihood, prior.from_real(z), level)
        return log_lik + stats.norm.logpdf(z).sum(axis=-1), log_lik

    def for_sampler(z: Array) -> Array:
        return np.stack(log_density(z), axis=1)

    start = prior.to_real(likely[rng.choice(len(likely), N_WALKERS)])
    spread = np.clip(prior.to_real(draws).std(axis=0), 1e-3, 1.0)
    start = start + 0.1 * spread * rng.standard_normal(start.shape)  # resampled draws may coincide
    moves = [(emcee.moves.DEMove(), 0.9), (emcee.moves.DEMove(gamma0=1.0), 0.1)]  # emcee's DESnookerMove gives SDs 4 % too small
    sampler = emcee.EnsembleSampler(N_WALKERS, start.shape[1], for_sampler, vectorize=True, moves=moves, blobs_dtype=float)
    sampler.random_state = np.random.RandomState(int(rng.integers(2**32))).get_state()
    state: object = start
    before = math.inf
    while True:
        state = sampler.run_mcmc(state, STEPS_AT_ONCE)
        time = float(np.max(sampler.get_autocorr_time(discard=min(int(BURN_IN * before), sampler.iteration // 2) if before < math.inf else 0, tol=0)))
        settled = abs(time - before) <= LARGEST_CHANGE * time
        if (sampler.iteration >= (STEPS_PER_TIME + BURN_IN) * time and settled) or sampler.iteration >= MOST_STEPS:
            break
        before = time
    discard = min(int(BURN_IN * time), sampler.iteration // 2)
    z = np.asarray(sampler.get_chain(discard=discard, flat=True))
    log_lik = np.asarray(sampler.get_blobs(discard=discard, flat=True)).reshape(-1)
    rows = rng.permutation(np.linspace(0, len(z) - 1, len(draws)).astype(int))
    theta, log_lik = prior.from_real(z[rows]), log_lik[rows]
    evidence, error = _evidence_from(z, lambda z: log_density(z)[0], rng)
    return _Chain(theta, log_lik, log_lik + prior.log_prob(theta), evidence, error, sampler.iteration - discard, time)


def _evidence_from(z: Array, log_density: Callable[[Array], Array], rng: np.random.Generator, n_draws: int = 2000) -> tuple[float, float]:
    """Log evidence and its standard error from importance draws of a Student t distribution with the chain's mean and a wider covariance."""
    family: Any = stats.multivariate_t
    proposal = family(z.mean(axis=0), 1.2 * np.atleast_2d(np.cov(z.T)), df=5, seed=rng)
    drawn = np.reshape(proposal.rvs(n_draws), (n_draws, -1))
    weights = weigh(log_density(drawn)[None], np.asarray(proposal.logpdf(drawn))[None])
    return float(weights.log_evidence[0]), float(weights.log_evidence_error[0])


def _warn_of_short_chains(names: list[str]) -> None:
    if names:
        warnings.warn(
            f"Expected MCMC to reach {STEPS_PER_TIME} autocorrelation times within {MOST_STEPS} steps; it did not for {', '.join(names)}. "
            f"Their draws depend on each other; see mcmc_steps and autocorrelation_time.",
            RuntimeWarning,
            stacklevel=3,
        )
