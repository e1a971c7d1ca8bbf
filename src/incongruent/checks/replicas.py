"""Replicas: simulated data sets with exactly the observed numbers of trials in each condition.

Reference data of another design differ from the observed in ways that have nothing to do with the
model. Here the observed layout itself is simulated, trial by trial. A simulated answer outside the
exclusion window is simulated again, since the observed trials are those that were left; trials of a
data set are exchangeable given theta, so this is sampling from the model within the window.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float, Int

from incongruent.data.basics.streams import Purpose, child, seed_from, stream
from incongruent.data.trials import Trials, concatenate, renumbered
from incongruent.posterior.posterior import Posterior
from incongruent.posterior.scope import readable
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.observed import ObservedDesign, ObservedLayout, layout_of
from incongruent.simulation.simulator import Simulations, Simulator

Array = np.ndarray

ROUNDS = 8
"""How often the trials of one theta are simulated again before it is given up, since nearly all its
answers are outside the window.
"""
SLACK = 0.02
"""Replicates may have fewer trials than the study by this share."""
THETAS = 20
"""How many theta are tried for a data set."""
PLACES_AT_ONCE = 2_000_000
"""Trials, absent ones included, that are in memory together."""
GIVEN_UP = "theta given up, nearly all answers out of window"


def matched(simulator: Simulator, study: Trials, n_each: int, *, seed: int) -> Simulations:
    """Simulate ``n_each`` data sets for every person of a study.

    Each has the person's own trials: conditions, numbers, window, deadline and recording.

    Args:
        simulator: model and prior; its design gives window, deadline and the levels that can be
            read.
        study: the observed trials; what the design cannot read is left out first.
        n_each: data sets a person.
        seed: of theta and trials.

    Returns:
        Simulations of n_each × person data sets, all people once, then all again: data set r ×
        person + i has the layout of person i. Where theta had to be drawn again since nearly none
        of its answers lay in the window, ``excluded`` counts how often.

    Raises:
        ValueError: for n_each below 1, an empty study, or when the prior gives answers within the
            window hardly ever.
    """
    study = readable(study, simulator.design)
    if n_each < 1 or len(study) == 0:
        raise ValueError(
            f"Expected at least one data set for each of at least one person; got n_each={n_each},"
            f" {len(study)} people."
        )
    layout = _repeated_layout(study, simulator, n_each)
    theta, trials, given_up = _drawn_until_filled(simulator, layout, seed)
    trials = replace(trials, excluded={GIVEN_UP: given_up} if given_up.any() else {})
    return Simulations(theta, trials, simulator.prior.names, simulator)


def _repeated_layout(study: Trials, simulator: Simulator, n_each: int) -> ObservedLayout:
    """The layout of all people once, then of all again, so many times."""
    rows = np.tile(np.arange(len(study)), n_each)
    design = simulator.design
    layout = layout_of(
        study, window=design.window, deadline=design.deadline, recording=design.recording
    )
    return layout.select(rows)


def _drawn_until_filled(
    simulator: Simulator, layout: ObservedLayout, seed: int
) -> tuple[Float[Array, "dataset parameter"], Trials, Int[Array, " dataset"]]:
    """Theta and trials of every data set, and how often its theta was given up, (dataset,).

    Theta is drawn anew for data sets whose layout could not be filled with answers.
    """
    n = len(layout.present)
    theta = np.empty((n, len(simulator.prior.names)))
    given_up, pending = np.zeros(n, int), np.arange(n)
    parts: list[Trials] = []
    order: list[Array] = []
    for attempt in range(THETAS):
        prior_rng = stream(seed, Purpose.MATCHED_PRIOR, attempt)
        theta[pending] = simulator.prior.sample(len(pending), seed=prior_rng)
        trials_rng = stream(seed, Purpose.MATCHED_TRIALS, attempt)
        trials = _filled(simulator, layout.select(pending), theta[pending], trials_rng)
        complete = (trials.present == layout.present[pending]).all(axis=1)
        parts.append(trials.select(complete))
        order.append(pending[complete])
        pending = pending[~complete]
        given_up[pending] += 1
        if len(pending) == 0:
            return theta, _put_in_order(parts, order), given_up
    raise ValueError(
        f"Expected a prior whose answers lie within the window {simulator.design.window} ms;"
        f" {len(pending)} of {n} data sets had nearly none, for {THETAS} values of theta each."
        " Widen the window, or use a prior for these data."
    )


def _put_in_order(parts: list[Trials], order: list[Array]) -> Trials:
    """The data sets of all parts, at the places (dataset,) that order says for each part."""
    return renumbered(concatenate(parts).select(np.argsort(np.concatenate(order))))


def refilled(
    simulator: Simulator[ObservedDesign], theta: Float[Array, "dataset parameter"], *, seed: int
) -> Trials:
    """One data set a row of theta, with about as many trials as the person of a study has.

    The study's trials are those that its window has left. What the window takes from simulated data
    is simulated again where that is more than ``SLACK`` of a data set.

    Args:
        simulator: with the design of the study.
        theta: (dataset, parameter), all people once, then all again.
        seed: of the trials.
    """
    trials = simulator.simulate_at(theta, seed=seed)
    layout = simulator.design.layout_of_simulated(trials)
    if not len(_short_of(layout, trials.present)):
        return trials
    filled = _Buffers.of(trials)
    for attempt in range(ROUNDS):
        short = _short_of(layout, filled.present)
        if len(short) == 0:
            break
        wanted = layout.present[short]
        missing = replace(layout.select(short), present=wanted & ~filled.present[short])
        again = Simulator(simulator.model, simulator.prior, missing)
        own = child(seed, Purpose.MATCHED_TRIALS, attempt)
        filled.fill(again.simulate_at(theta[short], seed=own), short, wanted)
    return replace(trials, values=filled.values, present=filled.present, answered=filled.answered)


def _short_of(
    layout: ObservedLayout, present: Bool[Array, "dataset trial"]
) -> Int[Array, " short"]:
    """Positions of data sets that lack more than ``SLACK`` of the trials of a layout."""
    missing = (layout.present & ~present).sum(axis=1)
    return np.flatnonzero(missing > SLACK * layout.present.sum(axis=1))


def matched_summaries(
    posterior: Posterior, study: Trials, n_each: int, *, prior: AnyPrior | None = None, seed: int
) -> Float[Array, "repeat person summary"]:
    """Learned summaries of `matched` data sets, (n_each, person, summary).

    Every seed gives other theta and trials.

    Args:
        posterior: whose summaries, and whose simulator unless ``prior`` says otherwise.
        study: the observed trials.
        n_each: data sets a person.
        prior: to simulate from instead of the posterior's own.
        seed: of everything.
    """
    simulator = simulator_with(posterior, prior)
    parts = in_parts(simulator, study, n_each, seed=seed)
    summaries = np.concatenate([posterior.summaries(part.trials) for part in parts])
    return summaries.reshape(n_each, len(study), -1).astype(float)


def in_parts(
    simulator: Simulator, study: Trials, n_each: int, *, seed: int
) -> Iterator[Simulations]:
    """Simulate as `matched` does, in parts, so that memory does not grow with n_each."""
    at_once = _n_at_once(study)
    for first in range(0, n_each, at_once):
        part_seed = child(seed, Purpose.MATCHED_PARTS, first)
        yield matched(simulator, study, min(at_once, n_each - first), seed=part_seed)


def _n_at_once(study: Trials) -> int:
    """How many data sets a person are in memory together."""
    return max(1, PLACES_AT_ONCE // max(study.present.size, 1))


def simulator_with(posterior: Posterior, prior: AnyPrior | None) -> Simulator:
    """The posterior's simulator, under another prior if there is one."""
    own = posterior.simulator
    if prior is None:
        return own
    if prior.names != own.prior.names:
        raise ValueError(
            f"Expected a prior of the parameters {own.prior.names}; got {prior.names}."
        )
    return Simulator(own.model, prior, own.design)


def _filled(
    simulator: Simulator,
    layout: ObservedLayout,
    theta: Float[Array, "dataset parameter"],
    rng: np.random.Generator,
) -> Trials:
    """One data set a row of theta, with all trials of the layout that `ROUNDS` rounds give."""
    trials = _simulated(simulator, layout, theta, rng)
    filled = _Buffers.of(trials)
    for _ in range(ROUNDS):
        short = filled.short_of(layout)
        if len(short) == 0:
            break
        again = _simulated(simulator, layout.select(short), theta[short], rng)
        filled.fill(again, short, layout.present[short])
    return Trials(trials.columns, filled.values, filled.present, filled.answered)


def _simulated(
    simulator: Simulator,
    layout: ObservedLayout,
    theta: Float[Array, "dataset parameter"],
    rng: np.random.Generator,
) -> Trials:
    """One data set a row of theta, without the answers that are outside the window."""
    again = Simulator(simulator.model, simulator.prior, layout)
    return again.simulate_at(theta, seed=seed_from(rng))


@dataclass(frozen=True, eq=False)
class _Buffers:
    """The arrays of data sets whose missing trials are filled in place; see `Trials`."""

    values: dict[str, Array]
    present: Bool[Array, "dataset trial"]
    answered: Bool[Array, "dataset trial"]

    @classmethod
    def of(cls, trials: Trials) -> _Buffers:
        """Copies of the arrays of data sets."""
        values = {name: array.copy() for name, array in trials.values.items()}
        return cls(values, trials.present.copy(), trials.answered.copy())

    def short_of(self, layout: ObservedLayout) -> Int[Array, " short"]:
        """Positions of the data sets that lack trials of a layout."""
        return np.flatnonzero((layout.present & ~self.present).any(axis=1))

    def fill(
        self, again: Trials, rows: Int[Array, " row"], wanted: Bool[Array, "row trial"]
    ) -> None:
        """Fill missing trials of the data sets at some rows by those of others.

        ``wanted`` says which trials they should have, (row, trial).
        """
        missing = wanted & ~self.present[rows] & again.present
        for name, array in self.values.items():
            array[rows] = np.where(missing, again.values[name], array[rows])
        self.answered[rows] = np.where(missing, again.answered, self.answered[rows])
        self.present[rows] |= missing
