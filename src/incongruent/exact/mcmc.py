"""MCMC on the exact likelihood, by an ensemble of walkers that move relative to each other.

It is affine-invariant (Foreman-Mackey, Hogg, Lang & Goodman 2013) with differential-evolution moves
(ter Braak 2006), and runs until a stated number of autocorrelation times has passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import emcee
import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from incongruent.data.basics.streams import legacy_state
from incongruent.exact.importance import Weights, largest_k_hat, weigh
from incongruent.exact.likelihood import Person
from incongruent.exact.sampled import Sampled
from incongruent.exact.target import Target, on_the_real_line
from incongruent.posterior.draws import BY_MCMC
from incongruent.simulation.simulator import Simulator

Array = np.ndarray
Ensemble = emcee.EnsembleSampler

N_WALKERS = 64
STEPS_AT_ONCE = 200
MOST_STEPS = 20_000
STEPS_PER_TIME = 50
"""MCMC goes on until it has run for so many integrated autocorrelation times."""
LARGEST_CHANGE = 0.1
"""… and until the estimate of that time has changed by at most this share since the one before."""
BURN_IN = 5
"""Autocorrelation times that are left out at the beginning."""
N_FOR_EVIDENCE = 2000
"""Importance draws from which the evidence is estimated."""


def sample_exactly(
    simulator: Simulator,
    person: Person,
    likely: Float[Array, "draw parameter"],
    rng: np.random.Generator,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> Sampled | None:
    """Sample the posterior of one person by MCMC on the real line.

    Args:
        simulator: model and prior; the model has an exact likelihood.
        person: the trials.
        likely: likely draws (draw, parameter), around which walkers start; as many come out.
        rng: the source of randomness.
        stopped: whether the result is not wanted any more; called every 200 steps.

    Returns:
        None when no walker moved, or when it was stopped.
    """
    start = _start(simulator, likely, rng)
    target, accurate = Target.of(simulator, person).accurate_near(start)
    sampler = _ensemble(target, start.shape[1], rng)
    time = _run_until_settled(sampler, start, stopped)
    if time is None:
        return None
    return replace(_drawn_from(sampler, target, time, len(likely), rng), accurate=accurate)


def _drawn_from(
    sampler: Ensemble, target: Target, time: float, n_draws: int, rng: np.random.Generator
) -> Sampled:
    """So many draws from a sampler that has run, whose autocorrelation time is known."""
    discard = _burn_in(sampler, time)
    z, log_lik = _visited(sampler, discard)
    rows = _chosen_rows(len(z), n_draws, rng)
    theta, log_lik = target.prior.from_real(z[rows]), log_lik[rows]
    log_joint = log_lik + target.prior.log_prob(theta)
    evidence, error = _evidence_from(z, target.log_density, rng)
    n_steps = sampler.iteration - discard
    return Sampled(
        theta=theta,
        log_likelihood=log_lik,
        log_joint=log_joint,
        log_evidence=evidence,
        log_evidence_error=error,
        by=BY_MCMC,
        trusted=n_steps >= STEPS_PER_TIME * time,
        accurate=True,
        n_effective=N_WALKERS * n_steps / time,
        n_steps=n_steps,
        time=time,
    )


def _chosen_rows(n_places: int, n_draws: int, rng: np.random.Generator) -> Int[Array, " draw"]:
    """Positions of the draws among all places visited; some twice only where there are fewer."""
    return rng.choice(n_places, n_draws, replace=n_places < n_draws)


def _start(simulator: Simulator, likely: Array, rng: np.random.Generator) -> Array:
    """Where walkers start on the real line, (walker, parameter): around likely draws.

    The draws have been resampled and may coincide, so that their spread has a lower limit.
    """
    places = on_the_real_line(simulator.prior, likely)
    start = places[rng.choice(len(places), N_WALKERS)]
    return start + 0.1 * _limited_spread(places) * rng.standard_normal(start.shape)


def _limited_spread(places: Float[Array, "place parameter"]) -> Float[Array, " parameter"]:
    """The SD of places (place, parameter), neither too small nor too large, (parameter,)."""
    return np.clip(places.std(axis=0), 0.05, 1.0)


def _both(target: Target, z: Float[Array, "walker parameter"]) -> Float[Array, "walker 2"]:
    """Log density at z, and log likelihood, which emcee keeps beside it: (walker, 2)."""
    log_lik = target.log_likelihood(z)
    return np.stack([log_lik + target.log_prior(z), log_lik], axis=1)


def _ensemble(target: Target, n_parameters: int, rng: np.random.Generator) -> Ensemble:
    """The sampler of emcee for a target."""
    sampler = emcee.EnsembleSampler(
        N_WALKERS,
        n_parameters,
        partial(_both, target),
        vectorize=True,
        moves=_moves(),
        blobs_dtype=float,
    )
    sampler.random_state = legacy_state(rng).get_state()
    return sampler


def _moves() -> list[tuple[Any, float]]:
    """The moves of the walkers, with how often each is made.

    DESnookerMove of emcee is not among them, since it gives SDs that are 4 % too small.
    """
    return [(emcee.moves.DEMove(), 0.9), (emcee.moves.DEMove(gamma0=1.0), 0.1)]


def _run_until_settled(
    sampler: Ensemble, start: Float[Array, "walker parameter"], stopped: Callable[[], bool]
) -> float | None:
    """Run the sampler until it ran long enough, or for the most steps allowed.

    Returns:
        The autocorrelation time, in steps; None when no walker moved or it was stopped.
    """
    state: object = start
    before = math.inf
    while True:
        state = sampler.run_mcmc(state, STEPS_AT_ONCE)
        time = _autocorrelation_time(sampler, before)
        if sampler.iteration >= MOST_STEPS or _long_enough(sampler, time, before):
            return time
        if stopped() or not _has_moved(sampler):
            return None
        before = time


def _has_moved(sampler: Ensemble) -> bool:
    """Whether any walker has moved."""
    return bool(np.any(sampler.acceptance_fraction > 0.0))


def _long_enough(sampler: Ensemble, time: float, before: float) -> bool:
    """Whether so many autocorrelation times have passed, and the estimate of it has settled."""
    settled = abs(time - before) <= LARGEST_CHANGE * time
    return settled and sampler.iteration >= (STEPS_PER_TIME + BURN_IN) * time


def _burn_in(sampler: Ensemble, time: float) -> int:
    """How many steps are left out at the beginning: at most half of them."""
    half = sampler.iteration // 2
    return half if math.isinf(time) else min(int(BURN_IN * time), half)


def _visited(sampler: Ensemble, discard: int) -> tuple[Array, Array]:
    """All places (place, parameter) after so many steps, and their log likelihoods (place,)."""
    z = np.asarray(sampler.get_chain(discard=discard, flat=True))
    return z, np.asarray(sampler.get_blobs(discard=discard, flat=True)).reshape(-1)


def _autocorrelation_time(sampler: Ensemble, before: float) -> float:
    """The longest integrated autocorrelation time of the parameters, in steps.

    It is without the burn-in that the estimate before it suggests; inf when a parameter has not
    moved.
    """
    discard = 0 if math.isinf(before) else _burn_in(sampler, before)
    time = _longest_time_after(sampler, discard)
    return time if math.isfinite(time) else math.inf


def _longest_time_after(sampler: Ensemble, discard: int) -> float:
    """The longest time after some steps, however few there are; NaN for a constant parameter."""
    with np.errstate(invalid="ignore"):
        return float(np.max(sampler.get_autocorr_time(discard=discard, tol=0)))


def _evidence_from(
    z: Float[Array, "place parameter"],
    log_density: Callable[[Array], Array],
    rng: np.random.Generator,
) -> tuple[float, float]:
    """Log evidence and its standard error from importance draws, near the places of a chain."""
    proposal = _proposal_like(z, rng)
    drawn = np.reshape(proposal.rvs(N_FOR_EVIDENCE), (N_FOR_EVIDENCE, -1))
    weights = weigh(log_density(drawn)[None], np.asarray(proposal.logpdf(drawn))[None])
    return float(weights.log_evidence[0]), _trusted_error(weights)


def _trusted_error(weights: Weights) -> float:
    """The standard error of the evidence of the first person; inf when it cannot be trusted."""
    trusted = weights.k_hat[0] <= largest_k_hat(N_FOR_EVIDENCE)
    return float(weights.log_evidence_error[0]) if trusted else math.inf


def _proposal_like(z: Float[Array, "place parameter"], rng: np.random.Generator) -> Any:
    """A Student t distribution with the mean of places z, and wider than they lie."""
    family: Any = stats.multivariate_t
    return family(z.mean(axis=0), 1.2 * np.atleast_2d(np.cov(z.T)), df=5, seed=rng)
