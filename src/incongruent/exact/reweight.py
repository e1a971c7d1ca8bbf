r"""Correct amortized posteriors by the exact likelihood.

Draws from q(theta | x) are importance draws for the true posterior, with weights

    w = p(theta) p(x | theta) / q(theta | x)

whose mean is the evidence p(x) (`importance`). The effective share of the draws, (sum w)^2 / (S sum
w^2), is 1 for a perfect network. People whose weights cannot be trusted are sampled by MCMC instead
(`mcmc`), started from the draws.
"""

from __future__ import annotations

import threading
import warnings
from dataclasses import dataclass, replace

import numpy as np

from incongruent.data.basics.streams import Purpose, places_of, stream
from incongruent.data.trials import Trials
from incongruent.exact.importance import FEWEST_DRAWS, Weights, largest_k_hat, resample, weigh
from incongruent.exact.likelihood import evaluate, impossible_trials, people_of
from incongruent.exact.mcmc import MOST_STEPS, STEPS_PER_TIME, Chain, sample_exactly
from incongruent.posterior.draws import Correction, Draws
from incongruent.posterior.parallel import in_threads
from incongruent.posterior.progress import announce, counting
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

LARGEST_LOSS = 1e-3
"""More of a new prior than this outside the support of the network's prior is refused."""


def reweight(
    draws: Draws,
    study: Trials,
    *,
    prior: AnyPrior | None = None,
    exact: bool = False,
    mcmc: bool = True,
    seed: int,
    workers: int | None = None,
) -> Draws:
    """Correct draws by the exact likelihood, for everybody; where that cannot work, sample anew.

    Args:
        draws: from `Posterior.sample`.
        study: the trials of the same people in the same order.
        prior: another prior than that the network was trained with; its posterior comes out, as far
            as k-hat allows.
        exact: sample everybody by MCMC: the reference, much slower.
        mcmc: sample by MCMC the people for whom k-hat is too large; without it they keep their poor
            weights.
        seed: of resampling and MCMC.
        workers: threads; one for each core when left out.

    Returns:
        `Draws` of the corrected posterior, as many as before, with ``correction`` on record. Their
        ``log_q`` is the log density of the corrected posterior.

    Raises:
        LikelihoodError: when the model has no exact likelihood.
        ValueError: when draws and study do not belong together, draws are fewer than 25 a person or
            have been corrected before, or the prior reaches beyond the network's.

    Warns:
        RuntimeWarning: when MCMC did not move or not reach its criterion, or somebody has trials
            that the model cannot give at any draw.
    """
    _check(draws, study)
    simulator = draws.simulator if prior is None else with_prior(draws.simulator, prior)
    log_lik, accurate = evaluate(simulator, draws.theta, study, workers=workers)
    log_joint = simulator.prior.log_prob(draws.theta) + log_lik
    weights = weigh(log_joint, draws.log_q)
    sample = _resampled(draws, log_lik, log_joint, weights, seed)
    impossible = np.isneginf(log_lik).all(axis=1)  # also under other priors
    _warn_of_impossible_trials(simulator, draws.theta, study, np.flatnonzero(impossible))
    people = np.flatnonzero(_to_be_sampled(weights, exact=exact, mcmc=mcmc) & ~impossible)
    _announce(people, exact=exact)
    chains = _chains(simulator, study, sample.theta, people, seed, workers)
    sample.take(people, chains)
    _warn_of_stuck_chains(_names_where(~sample.mcmc, study.names, people))
    _warn_of_short_chains(_names_where(sample.too_short, study.names, people))
    return replace(
        draws,
        theta=sample.theta,
        log_q=sample.log_posterior(),
        simulator=simulator,
        correction=sample.correction(weights, accurate),
    )


def _check(draws: Draws, study: Trials) -> None:
    """Refuse draws that are not of these people, too few, or corrected already."""
    if draws.names != study.names:
        raise ValueError(
            f"Expected the people of the draws, {draws.names[:5]} …; got a study of"
            f" {study.names[:5]} …."
        )
    if draws.theta.shape[1] < FEWEST_DRAWS:
        raise ValueError(
            f"Expected at least {FEWEST_DRAWS} draws a person, fewer tell nothing about their"
            f" weights; got {draws.theta.shape[1]}."
        )
    if draws.correction is not None:
        raise ValueError(
            "Expected draws as they come from the network; these have been corrected already. Take"
            " those from Posterior.sample."
        )


@dataclass(eq=False)
class _Sample:
    """Draws of the corrected posteriors; at first from resampling, then from MCMC for some people.

    Attributes:
        theta: (person, draw, parameter).
        log_q: (person, draw), density of the network at the draws.
        log_likelihood: (person, draw), exact.
        log_joint: (person, draw), log prior density and log likelihood together.
        evidence: (person,), log p(trials).
        error: (person,), its Monte Carlo standard error.
        mcmc: (person,), whether the draws come from MCMC.
        steps: (person,), of MCMC after burn-in; 0 without it.
        times: (person,), autocorrelation time in steps; NaN without MCMC.
    """

    theta: Array
    log_q: Array
    log_likelihood: Array
    log_joint: Array
    evidence: Array
    error: Array
    mcmc: Array
    steps: Array
    times: Array

    def take(self, people: Array, chains: list[Chain | None]) -> None:
        """Replace the draws of people by those of their chains, where these moved."""
        for person, chain in zip(map(int, people), chains, strict=True):
            if chain is not None:
                self._take(person, chain)

    def _take(self, person: int, chain: Chain) -> None:
        self.theta[person] = chain.theta
        self.log_likelihood[person] = chain.log_likelihood
        self.log_joint[person] = chain.log_joint
        self.evidence[person], self.error[person] = chain.log_evidence, chain.log_evidence_error
        self.mcmc[person] = True
        self.steps[person], self.times[person] = chain.n_steps, chain.time

    @property
    def too_short(self) -> Array:
        """Whose MCMC did not reach its criterion, bool (person,)."""
        return self.mcmc & (self.steps < STEPS_PER_TIME * self.times)

    def log_posterior(self) -> Array:
        """Log density of the corrected posterior (person, draw); the network's where all are 0."""
        nothing = np.isneginf(self.evidence)
        evidence = np.where(nothing, 0.0, self.evidence)
        return np.where(nothing[:, None], self.log_q, self.log_joint - evidence[:, None])

    def correction(self, weights: Weights, accurate: Array) -> Correction:
        """How the draws were corrected."""
        return Correction(
            k_hat=weights.k_hat,
            ess=weights.ess,
            log_evidence=self.evidence,
            log_evidence_error=self.error,
            accurate=accurate,
            mcmc=self.mcmc,
            mcmc_steps=self.steps,
            autocorrelation_time=self.times,
            log_likelihood=self.log_likelihood,
        )


def _resampled(
    draws: Draws, log_lik: Array, log_joint: Array, weights: Weights, seed: int
) -> _Sample:
    """As many of the draws as before, each as often as its weight says, with evidence from all."""
    rows = _rows_by_weight(weights, draws.names, seed)
    n = len(draws)
    return _Sample(
        theta=np.take_along_axis(draws.theta, rows[..., None], axis=1),
        log_q=_at_rows(draws.log_q, rows),
        log_likelihood=_at_rows(log_lik, rows),
        log_joint=_at_rows(log_joint, rows),
        evidence=weights.log_evidence.copy(),
        error=weights.log_evidence_error.copy(),
        mcmc=np.zeros(n, bool),
        steps=np.zeros(n, int),
        times=np.full(n, np.nan),
    )


def _rows_by_weight(weights: Weights, names: tuple[str, ...], seed: int) -> Array:
    """Positions of draws by weight, (person, draw); those of a person depend on nobody else."""
    rngs = [stream(seed, Purpose.RESAMPLING, *place) for place in places_of(names)]
    return resample(weights, rngs)


def _at_rows(values: Array, rows: Array) -> Array:
    """Values (person, draw) at positions of draws, (person, draw)."""
    return np.take_along_axis(values, rows, axis=1)


def _untrusted(weights: Weights) -> Array:
    """Whose weights cannot be trusted, bool (person,); also where k-hat is not a number."""
    n_draws = weights.log_weights.shape[1]
    return ~(weights.k_hat <= largest_k_hat(n_draws))


def _to_be_sampled(weights: Weights, *, exact: bool, mcmc: bool) -> Array:
    """Who is to be sampled by MCMC, bool (person,): everybody, or those with poor weights."""
    return np.full(len(weights.k_hat), True) if exact else _untrusted(weights) & mcmc


def _announce(people: Array, *, exact: bool) -> None:
    """Say that MCMC begins, if it is for anybody."""
    if len(people):
        everybody = "sampling by MCMC"
        announce(everybody if exact else f"{everybody} people whose weights cannot be trusted")


def _chains(
    simulator: Simulator,
    study: Trials,
    theta: Array,
    people: Array,
    seed: int,
    workers: int | None,
) -> list[Chain | None]:
    """MCMC for some people of a study, started at theta (person, draw, parameter).

    Chains that are under way stop within seconds when the caller is interrupted.
    """
    stop = threading.Event()
    places, trials = places_of(study.names), people_of(simulator, study)

    def one(person: int) -> Chain | None:
        rng = stream(seed, Purpose.MCMC, *places[person])
        return sample_exactly(simulator, trials[person], theta[person], rng, stopped=stop.is_set)

    return in_threads(one, people, workers=workers, done=counting(len(people)), stop=stop)


def with_prior(simulator: Simulator, prior: AnyPrior) -> Simulator:
    """The same simulator under another prior, within the support of the present one.

    Raises:
        ValueError: when names differ, or draws from the present prior can never reach some of the
            new one.
    """
    changed = Simulator(simulator.model, prior, simulator.design)
    for i, parameter in enumerate(simulator.model.parameters):
        low, high = simulator.prior.limits(i)
        lost = changed.prior.share_outside(i, low, high)
        if lost > LARGEST_LOSS:
            raise ValueError(
                f"Expected a prior for {parameter.name} within [{low:g}, {high:g}]"
                f" {parameter.unit}, which the network was trained for; {lost:.1%} of it lies"
                f" outside. Cut it to that range (incongruent.truncated; in words: … on [{low:g},"
                f" {high:g}]), or train a network for it."
            )
    return changed


def _warn_of_impossible_trials(
    simulator: Simulator, theta: Array, study: Trials, people: Array
) -> None:
    """Warn of people with trials that the model cannot give.

    They keep the network's draws, with a k-hat of infinity.
    """
    if not len(people):
        return
    words = ", ".join(_impossible_words(simulator, theta[i], study, int(i)) for i in people[:10])
    warnings.warn(
        f"Expected trials that the model can give; {len(people)} of {len(study)} people have some"
        " whose probability is 0 at every draw:"
        f" {words}{', …' if len(people) > 10 else ''}. Their draws are the network's,"
        " uncorrected (k_hat is infinite). Exclude such trials, by a window for example, and fit"
        " again.",
        RuntimeWarning,
        stacklevel=3,
    )


def _impossible_words(simulator: Simulator, theta: Array, study: Trials, person: int) -> str:
    """How many impossible trials a person has, and how long the longest response time is."""
    wrong = impossible_trials(simulator, theta, study, person)
    longest = _words_of_longest(study, person, wrong)
    return f"{study.names[person]} ({int(wrong.sum()) or 'some'} trials{longest})"


def _words_of_longest(study: Trials, person: int, wrong: Array) -> str:
    """The longest response time of impossible trials; empty where it is not known."""
    if not wrong.any() or "rt" not in study.values:
        return ""
    return f", up to {float(np.max(study.values['rt'][person][wrong])):,.0f} ms"


def _names_where(true: Array, names: tuple[str, ...], people: Array) -> list[str]:
    """Those of some people for whom something is true, by name."""
    return [names[i] for i in people if true[i]]


def _warn_of_stuck_chains(names: list[str]) -> None:
    """Warn of people for whom MCMC did not move, if there are any."""
    if names:
        warnings.warn(
            f"Expected MCMC to move; it did not for {', '.join(names)}. They keep draws with"
            " weights that cannot be trusted (k_hat).",
            RuntimeWarning,
            stacklevel=3,
        )


def _warn_of_short_chains(names: list[str]) -> None:
    """Warn of people for whom MCMC did not run long enough, if there are any."""
    if names:
        warnings.warn(
            f"Expected MCMC to reach {STEPS_PER_TIME} autocorrelation times within {MOST_STEPS}"
            f" steps; it did not for {', '.join(names)}. Their draws depend on each other; see"
            " mcmc_steps and autocorrelation_time.",
            RuntimeWarning,
            stacklevel=3,
        )
