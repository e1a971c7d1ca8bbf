"""MCMC on the exact likelihood, by an ensemble of walkers that move relative to each other.

It is affine-invariant (Foreman-Mackey, Hogg, Lang & Goodman 2013) with differential-evolution moves
(ter Braak 2006), and runs until a stated number of autocorrelation times has passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import emcee
import numpy as np
from jaxtyping import Float, Int
from scipy import stats

from incongruent.data.basics.streams import legacy_state
from incongruent.exact.importance import Weights, largest_k_hat, weigh
from incongruent.exact.likelihood import Person, level_for, likelihood_of
from incongruent.models.model import Likelihood
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.simulator import Simulator

Array = np.ndarray
Ensemble = emcee.EnsembleSampler

N_WALKERS = 64
FURTHEST_START = 5.0
"""Walkers start within so many SDs of the prior."""
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


@dataclass(frozen=True, eq=False)
class Chain:
    """The draws that MCMC gave for one person.

    Attributes:
        theta: (draw, parameter).
        log_likelihood: (draw,) exact.
        log_joint: (draw,) log prior density and log likelihood together.
        log_evidence: log p(trials), in nats.
        log_evidence_error: its Monte Carlo standard error; inf when it cannot be trusted.
        n_steps: steps of the ensemble after burn-in.
        time: the longest integrated autocorrelation time of the parameters, in steps.
    """

    theta: Float[Array, "draw parameter"]
    log_likelihood: Float[Array, " draw"]
    log_joint: Float[Array, " draw"]
    log_evidence: float
    log_evidence_error: float
    n_steps: int
    time: float


def sample_exactly(
    simulator: Simulator,
    person: Person,
    likely: Float[Array, "draw parameter"],
    rng: np.random.Generator,
    *,
    stopped: Callable[[], bool] = lambda: False,
) -> Chain | None:
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
    target = _Target.near(start, simulator, person)
    sampler = _ensemble(target, start.shape[1], rng)
    time = _run_until_settled(sampler, start, stopped)
    return None if time is None else _chain_from(sampler, target, time, len(likely), rng)


def _chain_from(
    sampler: Ensemble, target: _Target, time: float, n_draws: int, rng: np.random.Generator
) -> Chain:
    """So many draws from a sampler that has run, whose autocorrelation time is known."""
    discard = _burn_in(sampler, time)
    z, log_lik = _visited(sampler, discard)
    rows = _chosen_rows(len(z), n_draws, rng)
    theta, log_lik = target.prior.from_real(z[rows]), log_lik[rows]
    log_joint = log_lik + target.prior.log_prob(theta)
    evidence, error = _evidence_from(z, target.log_density, rng)
    return Chain(theta, log_lik, log_joint, evidence, error, sampler.iteration - discard, time)


def _chosen_rows(n_places: int, n_draws: int, rng: np.random.Generator) -> Int[Array, " draw"]:
    """Positions of the draws among all places visited; some twice only where there are fewer."""
    return rng.choice(n_places, n_draws, replace=n_places < n_draws)


def _start(simulator: Simulator, likely: Array, rng: np.random.Generator) -> Array:
    """Where walkers start on the real line, (walker, parameter): around likely draws.

    The draws have been resampled and may coincide, so that their spread has a lower limit.
    """
    places = _on_the_real_line(simulator.prior, likely)
    start = places[rng.choice(len(places), N_WALKERS)]
    return start + 0.1 * _limited_spread(places) * rng.standard_normal(start.shape)


def _limited_spread(places: Float[Array, "place parameter"]) -> Float[Array, " parameter"]:
    """The SD of places (place, parameter), neither too small nor too large, (parameter,)."""
    return np.clip(places.std(axis=0), 0.05, 1.0)


def _on_the_real_line(prior: AnyPrior, theta: Float[Array, "*shape"]) -> Float[Array, "*shape"]:
    """Theta on the real line, not too far from the centre of the prior."""
    return np.clip(np.nan_to_num(prior.to_real(theta)), -FURTHEST_START, FURTHEST_START)


@dataclass(frozen=True, eq=False)
class _Target:
    """The posterior density of one person on the real line, up to a constant.

    Attributes:
        prior: of the parameters.
        likelihood: of the model.
        person: the trials.
        level: of accuracy at which the likelihood is computed.
    """

    prior: AnyPrior
    likelihood: Likelihood
    person: Person
    level: int

    @classmethod
    def near(
        cls, start: Float[Array, "walker parameter"], simulator: Simulator, person: Person
    ) -> _Target:
        """The target with the level of accuracy that is needed near start (walker, parameter)."""
        likelihood = likelihood_of(simulator)
        level, _ = level_for(likelihood, person, simulator.prior.from_real(start))
        return cls(simulator.prior, likelihood, person, level)

    def log_likelihood(self, z: Float[Array, "walker parameter"]) -> Float[Array, " walker"]:
        """Log likelihood at z (walker, parameter), (walker,); -inf where it is not a number."""
        found = self.person.log_likelihood(self.likelihood, self.prior.from_real(z), self.level)
        return np.where(np.isnan(found), -np.inf, found)

    def log_density(self, z: Float[Array, "walker parameter"]) -> Float[Array, " walker"]:
        """Log density at z (walker, parameter), (walker,)."""
        return self.log_likelihood(z) + self.prior.log_prob_real(z)

    def both(self, z: Float[Array, "walker parameter"]) -> Float[Array, "walker 2"]:
        """Log density, and log likelihood, which emcee keeps beside it: (walker, 2)."""
        log_lik = self.log_likelihood(z)
        return np.stack([log_lik + self.prior.log_prob_real(z), log_lik], axis=1)


def _ensemble(target: _Target, n_parameters: int, rng: np.random.Generator) -> Ensemble:
    """The sampler of emcee for a target."""
    sampler = emcee.EnsembleSampler(
        N_WALKERS, n_parameters, target.both, vectorize=True, moves=_moves(), blobs_dtype=float
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
