r"""Correct amortized posteriors by the exact likelihood.

Draws from q(theta | x) are importance draws for the true posterior, with weights

    w = p(theta) p(x | theta) / q(theta | x)

whose mean is the evidence p(x) (`importance`). The effective share of the draws, (sum w)^2 / (S sum
w^2), is 1 for a perfect network. People for whom too few draws are effective are sampled anew by
adaptive importance sampling (`adaptive`), and by MCMC where that fails too (`mcmc`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from incongruent.data.basics.streams import Purpose, places_of, stream
from incongruent.data.trials import Trials
from incongruent.exact import correction_warnings as warn
from incongruent.exact.anew import Sampler
from incongruent.exact.effort import QUICK, THOROUGH
from incongruent.exact.importance import FEWEST_DRAWS, Weights, largest_k_hat, resample, weigh
from incongruent.exact.likelihood import evaluate
from incongruent.exact.sampled import Sampled
from incongruent.posterior.draws import BY_MCMC, BY_NETWORK, Correction, Draws
from incongruent.posterior.progress import announce
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

LARGEST_LOSS = 1e-3
"""More of a new prior than this outside the support of the network's prior is refused."""
LARGEST_DISAGREEMENT = 0.3
"""Nats by which the evidences of two starts may differ."""
FEWEST_EFFECTIVE = 100.0
"""People with fewer effective draws are sampled anew …"""
SMALL_SHARE = 0.3
"""… and people with weights that cannot be trusted, where a smaller share is effective."""


def reweight(
    draws: Draws,
    study: Trials,
    *,
    prior: AnyPrior | None = None,
    exact: bool = False,
    adapt: bool = True,
    quick: bool = False,
    seed: int,
    workers: int | None = None,
) -> Draws:
    """Correct draws by the exact likelihood, for everybody; where that cannot work, sample anew.

    Args:
        draws: from `Posterior.sample`.
        study: the trials of the same people in the same order.
        prior: another prior than that the network was trained with; its posterior comes out.
        exact: sample everybody by MCMC: the reference, much slower.
        adapt: sample anew the people for whom too few of the network's draws are effective, or
            whose k-hat is too large while a small share is effective: by adaptive importance
            sampling, and by MCMC where that fails. (People outside what the network was trained
            for are sampled by MCMC with ``exact`` only.) Without it they keep their poor weights.
        quick: sample anew with less work, so that about 100 draws are effective instead of 800:
            enough for means and evidence of a group.
        seed: of resampling and sampling anew.
        workers: threads; one for each core when left out.

    Returns:
        `Draws` of the corrected posterior, as many as before, with ``correction`` on record. Their
        ``log_q`` is the log density of the corrected posterior.

    Raises:
        LikelihoodError: when the model has no exact likelihood.
        ValueError: when draws and study do not belong together, draws are fewer than 25 a person or
            have been corrected before, or the prior reaches beyond the network's.

    Warns:
        RuntimeWarning: when somebody could not be sampled anew, two starts found different modes,
            MCMC did not reach its criterion, or somebody has trials that the model cannot give at
            any draw.
    """
    _check(draws, study)
    simulator = draws.simulator if prior is None else with_prior(draws.simulator, prior)
    log_lik, accurate = evaluate(simulator, draws.theta, study, workers=workers)
    log_joint = simulator.prior.log_prob(draws.theta) + log_lik
    weights = weigh(log_joint, draws.log_q)
    sample = _resampled(draws, log_lik, log_joint, weights, accurate, seed)
    impossible = np.asarray(np.isneginf(log_lik).all(axis=1))  # also under other priors
    warn.of_impossible_trials(simulator, draws.theta, study, np.flatnonzero(impossible))
    sampler = Sampler.of(simulator, study, seed, workers, QUICK if quick else THOROUGH)
    if exact:
        by_mcmc = np.flatnonzero(~impossible)
    elif adapt:
        by_mcmc = _adapted(sampler, sample, draws, log_joint, weights, ~impossible)
    else:
        by_mcmc = np.zeros(0, int)
    _announce(by_mcmc, "sampling by MCMC")
    sample.take(by_mcmc, sampler.by_mcmc(by_mcmc, sample.theta))
    _warn(sample, study.names, by_mcmc)
    return replace(
        draws,
        theta=sample.theta,
        log_q=sample.log_posterior(),
        simulator=simulator,
        correction=sample.correction(weights),
    )


def _adapted(
    sampler: Sampler,
    sample: _Sample,
    draws: Draws,
    log_joint: Array,
    weights: Weights,
    possible: Array,
) -> Array:
    """Sample people with poor weights by adaptation; who is left for MCMC, (person,) positions."""
    people = np.flatnonzero(_is_poor(weights) & possible)
    _announce(people, "sampling people anew whose draws the network does not know")
    with np.errstate(invalid="ignore"):
        log_weights = log_joint - draws.log_q
    found = sampler.by_adaptation(people, draws.theta, log_weights)
    sample.take(people, found)
    left = [
        person
        for person, one in zip(people, found, strict=True)
        if (one is None or not one.trusted) and not draws.flags[person]
    ]
    return np.array(left, int)


def _warn(sample: _Sample, names: Sequence[str], by_mcmc: Array) -> None:
    """Warn of people who could not be sampled as they should."""
    warn.of_stuck_chains(_names_where(sample.sampled_by[by_mcmc] != BY_MCMC, names, by_mcmc))
    short = (sample.sampled_by == BY_MCMC) & ~sample.trusted
    everybody = np.arange(len(names))
    warn.of_short_chains(_names_where(short, names, everybody))
    warn.of_different_modes(_names_where(sample.has_different_modes, names, everybody))


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
    """Draws of the corrected posteriors; at first from resampling, then anew for some people.

    Attributes:
        theta: (person, draw, parameter).
        log_q: (person, draw), density of the network at the draws.
        log_likelihood: (person, draw), exact.
        log_joint: (person, draw), log prior density and log likelihood together.
        evidence: (person,), log p(trials).
        error: (person,), its Monte Carlo standard error.
        sampled_by: (person,), one of `incongruent.posterior.draws.WAYS`.
        effective: (person,), effective number of draws.
        trusted: (person,), whether the draws can be used.
        accurate: (person,), whether a finer level of accuracy would change nothing.
        disagreement: (person,), nats between the evidences of two starts; NaN without.
        steps: (person,), of MCMC after burn-in; 0 without it.
        times: (person,), autocorrelation time in steps; NaN without MCMC.
    """

    theta: Array
    log_q: Array
    log_likelihood: Array
    log_joint: Array
    evidence: Array
    error: Array
    sampled_by: Array
    effective: Array
    trusted: Array
    accurate: Array
    disagreement: Array
    steps: Array
    times: Array

    def take(self, people: Array, found: Sequence[Sampled | None]) -> None:
        """Replace the draws of people by those that were found, where there are any."""
        for person, one in zip(map(int, people), found, strict=True):
            if one is not None:
                self._take(person, one)

    def _take(self, person: int, one: Sampled) -> None:
        self.theta[person] = one.theta
        self.log_likelihood[person] = one.log_likelihood
        self.log_joint[person] = one.log_joint
        self.evidence[person], self.error[person] = one.log_evidence, one.log_evidence_error
        self.sampled_by[person], self.effective[person] = one.by, one.n_effective
        self.trusted[person], self.accurate[person] = one.trusted, one.accurate
        self.disagreement[person] = one.disagreement
        self.steps[person], self.times[person] = one.n_steps, one.time

    @property
    def has_different_modes(self) -> Array:
        """For whom two starts have found different modes, bool (person,)."""
        return self.disagreement > LARGEST_DISAGREEMENT

    def log_posterior(self) -> Array:
        """Log density of the corrected posterior (person, draw); the network's where all are 0."""
        nothing = np.isneginf(self.evidence)
        evidence = np.where(nothing, 0.0, self.evidence)
        return np.where(nothing[:, None], self.log_q, self.log_joint - evidence[:, None])

    def correction(self, weights: Weights) -> Correction:
        """How the draws were corrected."""
        return Correction(
            k_hat=weights.k_hat,
            ess=weights.ess,
            log_evidence=self.evidence,
            log_evidence_error=self.error,
            accurate=self.accurate,
            sampled_by=self.sampled_by,
            effective_draws=self.effective,
            trusted=self.trusted,
            mcmc_steps=self.steps,
            autocorrelation_time=self.times,
            log_likelihood=self.log_likelihood,
        )


def _resampled(
    draws: Draws, log_lik: Array, log_joint: Array, weights: Weights, accurate: Array, seed: int
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
        sampled_by=np.full(n, BY_NETWORK, object),
        effective=_effective_draws(weights),
        trusted=~_untrusted(weights),
        accurate=accurate.copy(),
        disagreement=np.full(n, np.nan),
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


def _effective_draws(weights: Weights) -> Array:
    """The effective number of draws, (person,)."""
    return weights.ess * weights.log_weights.shape[1]


def _is_poor(weights: Weights) -> Array:
    """Who is to be sampled anew, bool (person,)."""
    few = _effective_draws(weights) < min(FEWEST_EFFECTIVE, 0.5 * weights.log_weights.shape[1])
    return few | (_untrusted(weights) & (weights.ess < SMALL_SHARE))


def _announce(people: Array, words: str) -> None:
    """Say that sampling begins, if it is for anybody."""
    if len(people):
        announce(words)


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


def _names_where(true: Array, names: Sequence[str], people: Array) -> list[str]:
    """Those of some people for whom something is true, by name."""
    return [names[int(i)] for i, is_so in zip(people, true, strict=True) if is_so]
