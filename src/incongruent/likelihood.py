"""The exact likelihood of everybody at once, as accurate as it has to be."""

from __future__ import annotations

import os
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from incongruent.models.model import Kept, Likelihood
from incongruent.scope import readable
from incongruent.simulation import Simulator
from incongruent.trials import Trials, checked

Array = np.ndarray

TOLERANCE = 0.05
"""Nats by which log likelihoods may differ from those of the next finer level of accuracy, as an SD over draws."""
SHARE_OF_SPREAD = 1e-3
"""… or by this share of how much they differ between draws, where draws are so poor that they differ by hundreds."""
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
            f"Expected a model with an exact likelihood; {simulator.model.name} {dict(simulator.model.settings)} has none. SSP has one, and DMC "
            f"with scheme='bridge'; a model of your own gets one by Model(likelihood=…)."
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
    found, accurate = evaluate(simulator, theta, study, workers=workers)
    if not accurate.all():
        names = [name for name, fine in zip(study.names, accurate, strict=True) if not fine]
        warnings.warn(
            f"Expected log likelihoods within {TOLERANCE} nats of the finest level of accuracy; not reached for {', '.join(names[:10])}. "
            f"Weights and evidence of these people are less exact.",
            RuntimeWarning,
            stacklevel=2,
        )
    return found


def evaluate(simulator: Simulator, theta: Array, study: Trials, *, workers: int | None = None) -> tuple[Array, Array]:
    """What `log_likelihood` returns, and for each person whether the levels of accuracy agree, (person,)."""
    likelihood = likelihood_of(simulator)
    theta = np.asarray(theta, float)
    if theta.ndim != 3 or theta.shape[::2] != (len(study), len(simulator.prior.names)):
        raise ValueError(f"Expected theta of shape ({len(study)}, draw, {len(simulator.prior.names)}), (person, draw, parameter); got {theta.shape}.")
    if theta.shape[1] == 0:
        return np.empty(theta.shape[:2]), np.ones(len(study), bool)
    trials = readable(checked(study), simulator.design)
    people = [Person.of(simulator, trials, i) for i in range(len(trials))]
    with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        levels = list(pool.map(lambda pair: level_for(likelihood, *pair), zip(people, theta, strict=True)))
        blocks = [(i, first) for i in range(len(people)) for first in range(0, theta.shape[1], BLOCK)]
        parts = list(pool.map(lambda at: people[at[0]].log_likelihood(likelihood, theta[at[0], at[1] : at[1] + BLOCK], levels[at[0]][0]), blocks))
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
        return cls(values, trials.answered[person, present], Kept(simulator.design.window, simulator.design.deadline))

    def log_likelihood(self, likelihood: Likelihood, theta: Array, level: int) -> Array:
        """At theta (theta, parameter), (theta,)."""
        return likelihood.at(theta, self.values, self.answered, self.kept, level)


def level_for(likelihood: Likelihood, person: Person, theta: Array) -> tuple[int, bool]:
    """The fastest level of accuracy that is as good as the next, and whether there is one; judged at the likeliest of draws (draw, parameter)."""
    some = theta[np.unique(np.linspace(0, len(theta) - 1, 4 * N_COMPARED).astype(int))]
    coarse = person.log_likelihood(likelihood, some, 0)
    best = np.argsort(coarse)[-N_COMPARED:]
    some, coarse = some[best], coarse[best]
    for level in range(1, likelihood.n_levels):
        fine = person.log_likelihood(likelihood, some, level)
        with np.errstate(invalid="ignore"):  # -inf on both levels
            change = np.where(coarse == fine, 0.0, fine - coarse)
            allowed = TOLERANCE + SHARE_OF_SPREAD * np.nan_to_num(np.ptp(fine), posinf=0.0)
        if np.std(change) <= allowed and abs(np.mean(change)) <= 4.0 * allowed:
            return level - 1, True
        coarse = fine
    return likelihood.n_levels - 1, likelihood.n_levels == 1
