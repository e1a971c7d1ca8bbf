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
from dataclasses import replace

import numpy as np

from incongruent.data.basics.streams import Purpose, places_of, stream
from incongruent.data.matching import in_columns
from incongruent.data.trials import Trials, checked
from incongruent.exact.importance import FEWEST_DRAWS, largest_k_hat, resample, weigh
from incongruent.exact.likelihood import Person, evaluate, impossible_trials
from incongruent.exact.mcmc import MOST_STEPS, STEPS_PER_TIME, Chain, sample_exactly
from incongruent.posterior.draws import Correction, Draws
from incongruent.posterior.parallel import in_threads
from incongruent.posterior.progress import announce, counting
from incongruent.posterior.scope import readable
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
    seed: int = 1,
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
    simulator = draws.simulator if prior is None else with_prior(draws.simulator, prior)
    log_lik, accurate = evaluate(simulator, draws.theta, study, workers=workers)
    impossible = np.isneginf(log_lik).all(
        axis=1
    )  # whatever the prior; where it alone shuts all draws out, chains find their way in
    log_joint = simulator.prior.log_prob(draws.theta) + log_lik
    weights = weigh(log_joint, draws.log_q)
    places = places_of(draws.names)
    rows = resample(weights, [stream(seed, Purpose.RESAMPLING, *place) for place in places])
    theta = np.take_along_axis(draws.theta, rows[..., None], axis=1)
    log_lik, log_joint = (
        np.take_along_axis(log_lik, rows, 1),
        np.take_along_axis(log_joint, rows, 1),
    )
    evidence, error = weights.log_evidence.copy(), weights.log_evidence_error.copy()
    again = (
        np.ones(len(draws), bool)
        if exact
        else ~(weights.k_hat <= largest_k_hat(draws.theta.shape[1])) & mcmc
    )
    _warn_of_impossible_trials(simulator, draws.theta, study, np.flatnonzero(impossible))
    again &= ~impossible
    steps, times = np.zeros(len(draws), int), np.full(len(draws), np.nan)
    people = np.flatnonzero(again)
    trials = readable(checked(in_columns(study, simulator.model.columns)), simulator.design)
    if len(people):
        announce(
            "sampling by MCMC"
            if exact
            else "sampling by MCMC people whose weights cannot be trusted"
        )
    chains = _chains(
        simulator,
        trials,
        theta,
        people,
        [stream(seed, Purpose.MCMC, *places[i]) for i in people],
        workers,
    )
    for i, chain in zip(people, chains, strict=True):
        if chain is None:
            again[i] = False
            continue
        theta[i], log_lik[i], log_joint[i] = chain.theta, chain.log_likelihood, chain.log_joint
        evidence[i], error[i], steps[i], times[i] = (
            chain.log_evidence,
            chain.log_evidence_error,
            chain.n_steps,
            chain.time,
        )
    _warn_of_short_chains(study.names, people, again, steps, times)
    correction = Correction(
        weights.k_hat, weights.ess, evidence, error, accurate, again, steps, times, log_lik
    )
    nothing = np.isneginf(evidence)  # weighs anything
    log_q = np.where(
        nothing[:, None],
        np.take_along_axis(draws.log_q, rows, 1),
        log_joint - np.where(nothing, 0.0, evidence)[:, None],
    )
    return replace(draws, theta=theta, log_q=log_q, simulator=simulator, correction=correction)


def _chains(
    simulator: Simulator,
    trials: Trials,
    theta: Array,
    people: Array,
    rngs: list[np.random.Generator],
    workers: int | None,
) -> list[Chain | None]:
    """MCMC for some people; chains that are under way stop within seconds when the caller is
    interrupted.
    """
    stop = threading.Event()

    def one(pair: tuple[int, np.random.Generator]) -> Chain | None:
        return sample_exactly(
            simulator,
            Person.of(simulator, trials, pair[0]),
            theta[pair[0]],
            pair[1],
            stopped=stop.is_set,
        )

    return in_threads(
        one, zip(people, rngs, strict=True), workers=workers, done=counting(len(people)), stop=stop
    )


def with_prior(simulator: Simulator, prior: AnyPrior) -> Simulator:
    """The same simulator under another prior, which has to lie within the support of the present
    one.

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
    """Say whose trials the model cannot give; these people keep the network's draws, with a k-hat
    of infinity.
    """
    if not len(people):
        return
    told = []
    for i in people[:10]:
        wrong = impossible_trials(simulator, theta[i], study, int(i))
        longest = (
            f", up to {float(np.max(study.values['rt'][i][wrong])):,.0f} ms"
            if wrong.any() and "rt" in study.values
            else ""
        )
        told.append(f"{study.names[int(i)]} ({int(wrong.sum()) or 'some'} trials{longest})")
    warnings.warn(
        f"Expected trials that the model can give; {len(people)} of {len(study)} people have some"
        " whose probability is 0 at every draw:"
        f" {', '.join(told)}{', …' if len(people) > 10 else ''}. Their draws are the network's,"
        " uncorrected (k_hat is infinite). Exclude such trials, by a window for example, and fit"
        " again.",
        RuntimeWarning,
        stacklevel=3,
    )


def _warn_of_short_chains(
    names: tuple[str, ...], people: Array, moved: Array, steps: Array, times: Array
) -> None:
    stuck = [names[int(i)] for i in people if not moved[i]]
    short = [names[int(i)] for i in people if moved[i] and steps[i] < STEPS_PER_TIME * times[i]]
    if stuck:
        warnings.warn(
            f"Expected MCMC to move; it did not for {', '.join(stuck)}. They keep draws with"
            " weights that cannot be trusted (k_hat).",
            RuntimeWarning,
            stacklevel=3,
        )
    if short:
        warnings.warn(
            f"Expected MCMC to reach {STEPS_PER_TIME} autocorrelation times within {MOST_STEPS}"
            f" steps; it did not for {', '.join(short)}. Their draws depend on each other; see"
            " mcmc_steps and autocorrelation_time.",
            RuntimeWarning,
            stacklevel=3,
        )
