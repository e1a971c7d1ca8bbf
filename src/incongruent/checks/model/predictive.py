"""Posterior prediction: do data simulated from the posterior look like the data?

Every replicate takes one draw of theta for each person, all parameters together, and simulates the
person's own design; so bands hold both the posterior's uncertainty and the sampling noise of a
study of this size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from incongruent.checks import statistics
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import CONDITION, Trials
from incongruent.posterior.draws import Draws
from incongruent.posterior.progress import counting
from incongruent.simulation.observed import ObservedDesign, design_of
from incongruent.simulation.simulator import Simulator

Array = np.ndarray


BAND = (0.05, 0.95)
"""Between which shares of the replicates a band lies."""


@dataclass(frozen=True, eq=False)
class Band:
    """A statistic beside what the fitted model predicts.

    Attributes:
        observed: (…,) of the data.
        low: (…,) 5 % point over replicates; NaN where no replicate has a value.
        middle: (…,) mean over replicates.
        high: (…,) 95 % point.
    """

    observed: Array
    low: Array
    middle: Array
    high: Array


@dataclass(frozen=True, eq=False)
class Prediction:
    """Statistics of the observed data and of replicates.

    Attributes:
        observed: by statistic, (person, …).
        replicated: by statistic, (replicate, person, …).
        levels: the conditions that occur.
        names: the people.

    The statistics are, for each level L: ``quantiles L`` (…, quantile) in ms, correct answers, at
    ``statistics.PROBABILITIES``; ``accuracy L`` (…, bin); ``errors L`` (…,); and, with both
    conditions, ``delta`` and ``delta at`` (…, quantile) in ms.
    """

    observed: Mapping[str, Array]
    replicated: Mapping[str, Array]
    levels: tuple[str, ...]
    names: tuple[str, ...]

    def band(self, name: str, person: int | None = None) -> Band:
        """A statistic of one person, or averaged over people, with what the replicates say of it."""
        observed, replicated = (
            self.of_group(name) if person is None else self.of_person(name, person)
        )
        known = np.asarray(np.isfinite(replicated).any(axis=0))
        filled = np.where(known[None], replicated, 0.0)
        low, high = (
            np.where(known, np.nanquantile(filled, probability, axis=0), np.nan)
            for probability in BAND
        )
        return Band(observed, low, _mean(replicated, 0), high)

    def of_group(self, name: str) -> tuple[Array, Array]:
        """A statistic averaged over people: observed (…), replicated (replicate, …); people without
        it are left out of both.
        """
        missing = np.isnan(self.observed[name])
        replicated = np.where(missing[None], np.nan, self.replicated[name])
        return _mean(self.observed[name], 0), _mean(replicated, 1)

    def of_person(self, name: str, person: int) -> tuple[Array, Array]:
        """A statistic of one person: observed (…), replicated (replicate, …)."""
        return self.observed[name][person], self.replicated[name][:, person]


def panel_of(trials: Trials, levels: tuple[str, ...]) -> dict[str, Array]:
    """The statistics that `Prediction` holds, of every data set."""
    panel: dict[str, Array] = {}
    for level in levels:
        panel[f"quantiles {level}"] = statistics.rt_quantiles(trials, level)
        panel[f"accuracy {level}"] = statistics.conditional_accuracy(trials, level)
        panel[f"errors {level}"] = statistics.error_share(trials, level)
    if {"congruent", "incongruent"} <= set(levels):
        panel["delta at"], panel["delta"] = statistics.delta_function(trials)
    return panel


def simulator_again(simulator: Simulator, study: Trials) -> Simulator[ObservedDesign]:
    """The same model with the study's own design, person by person, and the simulator's window and
    deadline.
    """
    design = simulator.design
    return Simulator(
        simulator.model,
        simulator.prior,
        design_of(
            study, window=design.window, deadline=design.deadline, condition=design.condition
        ),
    )


def predict(draws: Draws, study: Trials, *, n_replicates: int = 100, seed: int) -> Prediction:
    """Simulate the study again from the posterior.

    Args:
        draws: of the same people in the same order.
        study: the trials that the network saw.
        n_replicates: how often; at most as many as there are draws.
        seed: of the choice of draws and of the simulations.
    """
    if draws.names != study.names:
        raise ValueError(
            f"Expected draws of the people of the study, {study.names[:5]} …; got"
            f" {draws.names[:5]} …."
        )
    if CONDITION.name not in study.values:
        raise ValueError(
            f"Expected trials of a conflict task, with a column {CONDITION.name!r}; got"
            f" {sorted(study.values)}."
        )
    n_draws = draws.theta.shape[1]
    if not 1 <= n_replicates <= n_draws:
        raise ValueError(f"Expected 1 to {n_draws} replicates, one draw each; got {n_replicates}.")
    levels = tuple(level for level in CONDITION.levels if study.where(CONDITION.name, level).any())
    again, rng = simulator_again(draws.simulator, study), stream(seed, Purpose.REPLICATES)
    panels, done = [], counting(n_replicates, "simulated studies")
    for n, draw in enumerate(rng.choice(n_draws, n_replicates, replace=False), 1):
        trials = again.simulate_at(
            draws.theta[:, draw], seed=child(seed, Purpose.REPLICATED_TRIALS, n - 1)
        )
        panels.append(panel_of(trials, levels))
        done(n)
    replicated = {name: np.stack([panel[name] for panel in panels]) for name in panels[0]}
    return Prediction(panel_of(study, levels), replicated, levels, study.names)


def _mean(values: Array, axis: int) -> Array:
    """Mean over an axis without NaN; NaN where there is nothing."""
    known = ~np.isnan(values)
    n = known.sum(axis=axis)
    return np.where(n > 0, np.where(known, values, 0.0).sum(axis=axis) / np.maximum(n, 1), np.nan)
