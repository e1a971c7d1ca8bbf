"""The exact likelihood of many people at once, as accurate as it has to be."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
from jaxtyping import Bool, Float, Int

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
        LikelihoodError: when it has none.
    """
    if simulator.model.likelihood is None:
        raise LikelihoodError(
            f"Expected a model with an exact likelihood; {simulator.model.name}"
            f" {dict(simulator.model.settings)} has none. RDMC and SSP have one, and DMC with"
            " scheme='bridge'; a model of your own gets one by Model(likelihood=…)."
        )
    return simulator.model.likelihood


def log_likelihood(
    simulator: Simulator, theta: Array, study: Trials, *, workers: int | None = None
) -> Float[Array, "person draw"]:
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
        _warn_of_inaccuracy(study.names, accurate)
    return found


def _warn_of_inaccuracy(names: tuple[str, ...], accurate: Bool[Array, " person"]) -> None:
    """Warn of people for whom the finest level of accuracy still makes a difference."""
    missed = [name for name, fine in zip(names, accurate, strict=True) if not fine]
    warnings.warn(
        f"Expected log likelihoods within {TOLERANCE} nats of the finest level of accuracy; not"
        f" reached for {', '.join(missed[:10])}. Weights and evidence of these people are less"
        " exact.",
        RuntimeWarning,
        stacklevel=3,
    )


def evaluate(
    simulator: Simulator, theta: Array, study: Trials, *, workers: int | None = None
) -> tuple[Float[Array, "person draw"], Bool[Array, " person"]]:
    """Log likelihoods as from `log_likelihood`, and whether they are accurate, (person,).

    They are accurate where the two finest levels of accuracy that were compared agree.
    """
    likelihood = likelihood_of(simulator)
    theta = np.asarray(theta, float)
    _check_shape(theta, (len(study), len(simulator.prior.names)))
    if theta.shape[1] == 0:
        return np.empty(theta.shape[:2]), np.ones(len(study), bool)
    people = people_of(simulator, study)
    levels, accurate = _levels_for(likelihood, people, theta, workers)
    return in_blocks(likelihood, people, theta, levels, workers), accurate


def _check_shape(theta: Array, expected: tuple[int, int]) -> None:
    """Refuse theta that is not for so many people and parameters."""
    if theta.ndim != 3 or theta.shape[::2] != expected:
        raise ValueError(
            f"Expected theta of shape ({expected[0]}, draw, {expected[1]}), (person,"
            f" draw, parameter); got {theta.shape}."
        )


def _levels_for(
    likelihood: Likelihood,
    people: list[Person],
    theta: Float[Array, "person draw parameter"],
    workers: int | None,
) -> tuple[list[int], Bool[Array, " person"]]:
    """The level of accuracy of each person, and who is computed accurately, bool (person,)."""
    pairs = zip(people, theta, strict=True)
    found = in_threads(lambda pair: level_for(likelihood, *pair), pairs, workers=workers)
    return [level for level, _ in found], np.array([accurate for _, accurate in found], bool)


def in_blocks(
    likelihood: Likelihood,
    people: list[Person],
    theta: Float[Array, "person draw parameter"],
    levels: list[int],
    workers: int | None,
) -> Float[Array, "person draw"]:
    """Log likelihoods (person, draw) at theta (person, draw, parameter), by blocks of draws.

    Each person has a level of accuracy; threads share the blocks.
    """
    blocks = _blocks_of(len(people), theta.shape[1])
    people_done = counting(len(people))

    def one(block: tuple[int, int]) -> Array:
        i, first = block
        return people[i].log_likelihood(likelihood, theta[i, first : first + BLOCK], levels[i])

    def done(n_blocks: int) -> None:
        people_done(n_blocks * len(people) // len(blocks))

    out = np.empty(theta.shape[:2])
    parts = in_threads(one, blocks, workers=workers, done=done)
    for (i, first), part in zip(blocks, parts, strict=True):
        out[i, first : first + BLOCK] = part
    return out


def _blocks_of(n_people: int, n_draws: int) -> list[tuple[int, int]]:
    """The person and the first draw of each block."""
    return list(product(range(n_people), range(0, n_draws, BLOCK)))


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
        answered, values = trials.answered[person, present], _values_at(trials, person, present)
        return cls(values, answered, kept_by(simulator, values, answered))

    def log_likelihood(
        self, likelihood: Likelihood, theta: Float[Array, "theta parameter"], level: int
    ) -> Float[Array, " theta"]:
        """Log likelihood at theta (theta, parameter), (theta,), at a level of accuracy."""
        return likelihood.at(theta, self.values, self.answered, self.kept, level)


def _values_at(trials: Trials, person: int, places: Array) -> dict[str, Array]:
    """The columns of some of a person's trials, by name."""
    return {name: column[person, places] for name, column in trials.values.items()}


def kept_by(
    simulator: Simulator, values: Mapping[str, Array], answered: Bool[Array, " trial"]
) -> Kept:
    """The trials that the design of a simulator keeps of a person with these trials.

    Where RTs are recorded on a wide lattice, window and deadline are those of RTs before they are
    recorded, by the phase of the person's own lattice.
    """
    design = simulator.design
    recording = design.recording
    if recording is None or not recording.is_wide:
        return Kept(design.window, design.deadline)
    phase = recording.phase_in(values["rt"][answered])
    return Kept(*recording.before(design.window, design.deadline, phase), recording.step)


def people_of(simulator: Simulator, study: Trials) -> list[Person]:
    """The people of a study, with the trials that a simulator's design can have."""
    trials = _readable_by(simulator, study)
    return [Person.of(simulator, trials, i) for i in range(len(trials))]


def _readable_by(simulator: Simulator, study: Trials) -> Trials:
    """The trials of a study that a simulator's design can have."""
    return readable(checked(in_columns(study, simulator.model.columns)), simulator.design)


def level_for(
    likelihood: Likelihood, person: Person, theta: Float[Array, "draw parameter"]
) -> tuple[int, bool]:
    """The fastest level of accuracy that is as good as the next, and whether there is one.

    It is judged at the likeliest of draws (draw, parameter).
    """
    some, coarse = _likeliest(likelihood, person, _spread_over(theta, 4 * N_COMPARED))
    for level in range(likelihood.n_levels - 1):
        if len(coarse) == 0:  # trials that the model cannot give at this level
            return level, True
        fine = person.log_likelihood(likelihood, some, level + 1)
        if _agree(fine, coarse):
            return level, True
        some, coarse = _possible_ones(some, fine)
    return likelihood.n_levels - 1, len(coarse) == 0 or likelihood.n_levels == 1


def _likeliest(likelihood: Likelihood, person: Person, theta: Array) -> tuple[Array, Array]:
    """The likeliest of draws at the fastest level, and their log likelihoods; finite ones alone."""
    found = person.log_likelihood(likelihood, theta, 0)
    best = np.argsort(found)[-N_COMPARED:]
    return _possible_ones(theta[best], found[best])


def _possible_ones(theta: Array, log_likelihoods: Array) -> tuple[Array, Array]:
    """The draws whose log likelihood is finite, and their log likelihoods."""
    finite = np.isfinite(log_likelihoods)
    return theta[finite], log_likelihoods[finite]


def _agree(fine: Float[Array, " draw"], coarse: Float[Array, " draw"]) -> bool:
    """Whether log likelihoods (draw,) of two levels of accuracy differ by nothing that matters."""
    if not np.isfinite(fine).all():
        return False
    return _is_small(fine - coarse, TOLERANCE + SHARE_OF_SPREAD * np.ptp(fine))


def _is_small(change: Float[Array, " draw"], allowed: float) -> bool:
    """Whether changes (draw,) have at most the SD that is allowed, and little in common."""
    return bool(np.std(change) <= allowed and abs(np.mean(change)) <= 4.0 * allowed)


def _spread_over(theta: Float[Array, "draw parameter"], n: int) -> Float[Array, "spread parameter"]:
    """At most n of the draws (draw, parameter), evenly spread over all."""
    return theta[np.unique(np.linspace(0, len(theta) - 1, n).astype(int))]


def impossible_trials(
    simulator: Simulator, theta: Float[Array, "draw parameter"], study: Trials, person: int
) -> Bool[Array, " trial"]:
    """Which answered trials of a person the model can give at none of the draws, bool (trial,).

    None are named where densities of single trials are not known. Theta is (draw, parameter).
    """
    densities = likelihood_of(simulator).densities
    trials = readable(checked(study), simulator.design)
    found = np.zeros(trials.present.shape[1], bool)
    answered = _places_of_answers(trials, person)
    if densities is None or not len(answered):
        return found
    values = _values_at(trials, person, answered)
    kept = kept_by(simulator, values, np.ones(len(answered), bool))
    log_densities = densities(_spread_over(theta, N_COMPARED), values, kept, 0)
    found[answered] = np.isneginf(log_densities).all(axis=0)
    return found


def _places_of_answers(trials: Trials, person: int) -> Int[Array, " place"]:
    """Positions of the answered trials of a person."""
    return np.flatnonzero(trials.present[person] & trials.answered[person])
