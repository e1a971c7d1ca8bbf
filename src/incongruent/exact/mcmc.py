"""MCMC on the exact likelihood: an affine-invariant ensemble (Foreman-Mackey, Hogg, Lang & Goodman
2013) with differential-evolution moves (ter Braak 2006), run until a stated number of
autocorrelation times has passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import emcee
import numpy as np
from scipy import stats

from incongruent.data.basics.streams import legacy_state
from incongruent.exact.importance import largest_k_hat, weigh
from incongruent.exact.likelihood import Person, level_for, likelihood_of
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

N_WALKERS = 64
FURTHEST_START = 5.0
"""Walkers start within so many SDs of the prior."""
STEPS_AT_ONCE = 200
MOST_STEPS = 20_000
STEPS_PER_TIME = 50
"""MCMC goes on until it has run for so many integrated autocorrelation times."""
LARGEST_CHANGE = 0.1
"""… and until the estimate of that time has changed by less than this share since the last look."""
BURN_IN = 5
"""Autocorrelation times that are left out at the beginning."""


@dataclass(frozen=True, eq=False)
class Chain:
    """What MCMC gave for one person."""

    theta: Array
    log_likelihood: Array
    log_joint: Array
    log_evidence: float
    log_evidence_error: float
    n_steps: int
    time: float


def sample_exactly(
    simulator: Simulator,
    person: Person,
    likely: Array,
    rng: np.random.Generator,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> Chain | None:
    """MCMC on the real line from places around likely draws (draw, parameter); None if it does not
    move, or if ``stopped()`` says that nobody waits for it any more.
    """
    prior, likelihood = simulator.prior, likelihood_of(simulator)
    places = np.clip(np.nan_to_num(prior.to_real(likely)), -FURTHEST_START, FURTHEST_START)
    spread = np.clip(places.std(axis=0), 0.05, 1.0)  # resampled draws may coincide
    start = places[rng.choice(len(places), N_WALKERS)]
    start = start + 0.1 * spread * rng.standard_normal(start.shape)
    level = level_for(likelihood, person, prior.from_real(start))[0]

    def log_density(z: Array) -> tuple[Array, Array]:
        """Log density of z up to a constant, and log likelihood, which is kept beside it."""
        log_lik = person.log_likelihood(likelihood, prior.from_real(z), level)
        log_lik = np.where(np.isnan(log_lik), -np.inf, log_lik)
        return log_lik + prior.log_prob_real(z), log_lik

    def for_sampler(z: Array) -> Array:
        return np.stack(log_density(z), axis=1)

    moves = [
        (emcee.moves.DEMove(), 0.9),
        (emcee.moves.DEMove(gamma0=1.0), 0.1),
    ]  # emcee's DESnookerMove gives SDs 4 % too small
    sampler = emcee.EnsembleSampler(
        N_WALKERS, start.shape[1], for_sampler, vectorize=True, moves=moves, blobs_dtype=float
    )
    sampler.random_state = legacy_state(rng).get_state()
    state: object = start
    before = math.inf
    while True:
        state = sampler.run_mcmc(state, STEPS_AT_ONCE)
        time = _autocorrelation_time(sampler, before)
        settled = abs(time - before) <= LARGEST_CHANGE * time
        if (
            sampler.iteration >= (STEPS_PER_TIME + BURN_IN) * time and settled
        ) or sampler.iteration >= MOST_STEPS:
            break
        if stopped() or not np.any(sampler.acceptance_fraction > 0.0):
            return None
        before = time
    discard = (
        sampler.iteration // 2
        if math.isinf(time)
        else min(int(BURN_IN * time), sampler.iteration // 2)
    )
    z = np.asarray(sampler.get_chain(discard=discard, flat=True))
    log_lik = np.asarray(sampler.get_blobs(discard=discard, flat=True)).reshape(-1)
    rows = rng.choice(len(z), len(likely), replace=len(z) < len(likely))
    theta, log_lik = prior.from_real(z[rows]), log_lik[rows]
    evidence, error = _evidence_from(z, lambda z: log_density(z)[0], rng)
    return Chain(
        theta,
        log_lik,
        log_lik + prior.log_prob(theta),
        evidence,
        error,
        sampler.iteration - discard,
        time,
    )


def _autocorrelation_time(sampler: emcee.EnsembleSampler, before: float) -> float:
    """The longest integrated autocorrelation time of the parameters, in steps, without the burn-in
    that the estimate before it suggests; inf when a parameter has not moved.
    """
    discard = min(int(BURN_IN * before), sampler.iteration // 2) if before < math.inf else 0
    with np.errstate(invalid="ignore"):
        time = float(np.max(sampler.get_autocorr_time(discard=discard, tol=0)))
    return time if math.isfinite(time) else math.inf


def _evidence_from(
    z: Array, log_density: Callable[[Array], Array], rng: np.random.Generator, n_draws: int = 2000
) -> tuple[float, float]:
    """Log evidence and its standard error from importance draws of a Student t distribution with
    the chain's mean and a wider covariance.
    """
    family: Any = stats.multivariate_t
    proposal = family(z.mean(axis=0), 1.2 * np.atleast_2d(np.cov(z.T)), df=5, seed=rng)
    drawn = np.reshape(proposal.rvs(n_draws), (n_draws, -1))
    weights = weigh(log_density(drawn)[None], np.asarray(proposal.logpdf(drawn))[None])
    good = weights.k_hat[0] <= largest_k_hat(n_draws)
    return float(weights.log_evidence[0]), (
        float(weights.log_evidence_error[0]) if good else math.inf
    )
