"""The exact likelihood of everybody at once, as accurate as it has to be."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np

from incongruent.data.matching import in_columns
from incongruent.data.trials import Trials, checked
from incongruent.models.model import Kept, Likelihood
from incongruent.posterior.parallel import in_threads
from incongruent.posterior.progress import counting
from incongruent.posterior.scope import readable
from incongruent.simulation.simulator import Simulator

Array = np.ndarray

TOLERANCE = 0.05
"""Nats by which log likelihoods may differ from those of the next finer level of accuracy, as an SD
over draws.
"""
SHARE_OF_SPREAD = 1e-3
"""… or by this share of how much they differ between draws, where draws are so poor that they
differ by hundreds.
"""
N_COMPARED = 8
"""Draws at which two levels of accuracy are compared."""
BLOCK = 512
"""Draws of one person that one thread works on at a time."""


class LikelihoodError(ValueError):
    """The model has no exact likelihood, or it cannot be computed here."""


def likelihood_of(simulator: Simulator) -> Likelihood:
    """The exact likelihood of a simulator's model.

    Raises:
        LikelihoodError: when nobody knows it.
    """
    if simulator.model.likelihood is None:
        raise LikelihoodError(
            f"Expected a model with an exact likelihood; {simulator.model.name}"
            f" {dict(simulator.model.settings)} has none. SSP has one, and DMC with"
            " scheme='bridge'; a model of your own gets one by Model(likelihood=…)."
        )
    return simulator.model.likelihood


def log_likelihood(
    simulator: Simulator, theta: Array, study: Trials, *, workers: int | None = None
) -> Array:
    """Exact log p(trials | theta) of every person at several values of theta.

    The densities are scaled to the trials that the design keeps. Each person gets the fastest level
    of accuracy at which a finer one changes nothing that matters.

    Args:
        simulator: model, and design with its window and deadline.
        theta: (person, draw, parameter).
        study: one data set a person.
        workers: threads; one for each core when left out.

    Returns:
        (person, draw), in nats; -inf where the model cannot give a trial at all, like an RT of an
        hour.

    Raises:
        LikelihoodError: when the model has no exact likelihood.
        ValueError: for theta of another shape.

    Warns:
        RuntimeWarning: when the finest level of accuracy still differs from the one before it.
    """
    found, accurate = evaluate(simulator, theta, study, workers=workers)
    if not accurate.all():
        names = [name for name, fine in zip(study.names, accurate, strict=True) if not fine]
        warnings.warn(
            f"Expected log likelihoods within {TOLERANCE} nats of the finest level of accuracy; not"
            f" reached for {', '.join(names[:10])}. Weights and evidence of these people are less"
            " exact.",
            RuntimeWarning,
            stacklevel=2,
        )
    return found


def evaluate(
    simulator: Simulator, theta: Array, study: Trials, *, workers: int | None = None
) -> tuple[Array, Array]:
    """What `log_likelihood` returns, and for each person whether the levels of accuracy agree,
    (person,).
    """
    likelihood = likelihood_of(simulator)
    theta = np.asarray(theta, float)
    if theta.ndim != 3 or theta.shape[::2] != (len(study), len(simulator.prior.names)):
        raise ValueError(
            f"Expected theta of shape ({len(study)}, draw, {len(simulator.prior.names)}), (person,"
            f" draw, parameter); got {theta.shape}."
        )
    if theta.shape[1] == 0:
        return np.empty(theta.shape[:2]), np.ones(len(study), bool)
    trials = readable(checked(in_columns(study, simulator.model.columns)), simulator.design)
    people = [Person.of(simulator, trials, i) for i in range(len(trials))]
    levels = in_threads(
        lambda pair: level_for(likelihood, *pair), zip(people, theta, strict=True), workers=workers
    )
    blocks = [(i, first) for i in range(len(people)) for first in range(0, theta.shape[1], BLOCK)]
    done = counting(len(people))
    parts = in_threads(
        lambda at: people[at[0]].log_likelihood(
            likelihood, theta[at[0], at[1] : at[1] + BLOCK], levels[at[0]][0]
        ),
        blocks,
        workers=workers,
        done=lambda n: done(n * len(people) // len(blocks)),
    )
    out = np.empty(theta.shape[:2])
    for (i, first), part in zip(blocks, parts, strict=True):
        out[i, first : first + BLOCK] = part
    return out, np.array([stable for _, stable in levels], bool)


@dataclass(frozen=True, eq=False)
class Person:
    """The trials of one person, without gaps."""

    values: dict[str, Array]
    answered: Array
    kept: Kept

    @classmethod
    def of(cls, simulator: Simulator, trials: Trials, person: int) -> Person:
        """One of several people, with what the simulator's design keeps."""
        present = trials.present[person]
        values = {name: column[person, present] for name, column in trials.values.items()}
        return cls(
            values,
            trials.answered[person, present],
            Kept(simulator.design.window, simulator.design.deadline),
        )

    def log_likelihood(self, likelihood: Likelihood, theta: Array, level: int) -> Array:
        """At theta (theta, parameter), (theta,)."""
        return likelihood.at(theta, self.values, self.answered, self.kept, level)


def level_for(likelihood: Likelihood, person: Person, theta: Array) -> tuple[int, bool]:
    """The fastest level of accuracy that is as good as the next, and whether there is one; judged
    at the likeliest of draws (draw, parameter).
    """
    some = theta[np.unique(np.linspace(0, len(theta) - 1, 4 * N_COMPARED).astype(int))]
    coarse = person.log_likelihood(likelihood, some, 0)
    best = np.argsort(coarse)[-N_COMPARED:]
    best = best[np.isfinite(coarse[best])]
    if len(best) == 0:  # trials that the model cannot give, on every level
        return 0, True
    some, coarse = some[best], coarse[best]
    for level in range(1, likelihood.n_levels):
        fine = person.log_likelihood(likelihood, some, level)
        if np.isfinite(fine).all():
            change, allowed = fine - coarse, TOLERANCE + SHARE_OF_SPREAD * np.ptp(fine)
            if np.std(change) <= allowed and abs(np.mean(change)) <= 4.0 * allowed:
                return level - 1, True
        some, fine = some[np.isfinite(fine)], fine[np.isfinite(fine)]
        if len(fine) == 0:
            return level, True
        coarse = fine
    return likelihood.n_levels - 1, likelihood.n_levels == 1


def impossible_trials(simulator: Simulator, theta: Array, study: Trials, person: int) -> Array:
    """Which answered trials of a person the model can give at none of the draws theta (draw,
    parameter), bool (trial,).

    None are named where densities of single trials are not known.
    """
    densities, trials = (
        likelihood_of(simulator).densities,
        readable(checked(study), simulator.design),
    )
    found = np.zeros(trials.present.shape[1], bool)
    answered = np.flatnonzero(trials.present[person] & trials.answered[person])
    if densities is not None and len(answered):
        some = theta[np.unique(np.linspace(0, len(theta) - 1, N_COMPARED).astype(int))]
        values = {name: column[person, answered] for name, column in trials.values.items()}
        kept = Kept(simulator.design.window, simulator.design.deadline)
        found[answered] = np.isneginf(densities(some, values, kept, 0)).all(axis=0)
    return found
