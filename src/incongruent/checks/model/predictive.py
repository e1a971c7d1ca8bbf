"""Posterior predictive checks: do data simulated from the posterior look like the data?

Every replicate takes one draw of theta for each person, all parameters together, and simulates the
person's own design; so bands hold both the posterior's uncertainty and the sampling noise of a
study of this size.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from incongruent.checks import statistics
from incongruent.checks.panel_statistics import has_delta, levels_in
from incongruent.checks.replicas import refilled
from incongruent.checks.statistics import nan_mean
from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import CONDITION, Trials
from incongruent.posterior.draws import Draws
from incongruent.posterior.progress import counting
from incongruent.simulation.observed import ObservedDesign, design_like
from incongruent.simulation.simulator import Simulator

Array = np.ndarray


BAND = (0.05, 0.95)
"""The shares of the replicates between which a band lies."""


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
        """A statistic of one person, or averaged over people, beside the replicates' band."""
        observed, replicated = (
            self.of_group(name) if person is None else self.of_person(name, person)
        )
        low, high = (_quantile_of_known(replicated, probability) for probability in BAND)
        return Band(observed, low, nan_mean(replicated, 0), high)

    def of_group(self, name: str) -> tuple[Array, Array]:
        """A statistic averaged over people: observed (…), replicated (replicate, …).

        People without it are left out of both.
        """
        missing = np.isnan(self.observed[name])
        replicated = np.where(missing[None], np.nan, self.replicated[name])
        return nan_mean(self.observed[name], 0), nan_mean(replicated, 1)

    def of_person(self, name: str, person: int) -> tuple[Array, Array]:
        """A statistic of one person: observed (…), replicated (replicate, …)."""
        return self.observed[name][person], self.replicated[name][:, person]


def _quantile_of_known(replicated: Array, probability: float) -> Array:
    """A quantile over the replicates (replicate, …) that have a value; NaN where none has."""
    known = np.asarray(np.isfinite(replicated).any(axis=0))
    filled = np.where(known[None], replicated, 0.0)
    return np.where(known, np.nanquantile(filled, probability, axis=0), np.nan)


def panel_of(trials: Trials, levels: tuple[str, ...]) -> dict[str, Float[Array, "dataset ..."]]:
    """The statistics that `Prediction` holds, of every data set."""
    panel: dict[str, Array] = {}
    for level in levels:
        panel |= _statistics_of_level(trials, level)
    if has_delta(levels):
        panel["delta at"], panel["delta"] = statistics.delta_function(trials)
    return panel


def _statistics_of_level(trials: Trials, level: str) -> dict[str, Array]:
    return {
        f"quantiles {level}": statistics.rt_quantiles(trials, level),
        f"accuracy {level}": statistics.conditional_accuracy(trials, level),
        f"errors {level}": statistics.error_share(trials, level),
    }


def simulator_again(simulator: Simulator, study: Trials) -> Simulator[ObservedDesign]:
    """The same model with the study's own design, person by person.

    Window, deadline and recording are those of the simulator.
    """
    return Simulator(simulator.model, simulator.prior, design_like(simulator.design, study))


def predict(draws: Draws, study: Trials, *, n_replicates: int = 100, seed: int) -> Prediction:
    """Simulate the study again from the posterior.

    Args:
        draws: of the same people in the same order.
        study: the trials that the network saw.
        n_replicates: how often; at most as many as there are draws.
        seed: of the choice of draws and of the simulations.
    """
    _require_same_study(draws, study)
    chosen = _chosen_draws(draws.theta.shape[1], n_replicates, seed)
    levels = levels_in(study)
    replicated = _stacked(_replicated_panels(draws, study, levels, chosen, seed))
    return Prediction(panel_of(study, levels), replicated, levels, study.names)


def _chosen_draws(n_draws: int, n_replicates: int, seed: int) -> Int[Array, " replicate"]:
    """Which draws to simulate from, (replicate,); ValueError for more than there are."""
    if not 1 <= n_replicates <= n_draws:
        raise ValueError(f"Expected 1 to {n_draws} replicates, one draw each; got {n_replicates}.")
    return stream(seed, Purpose.REPLICATES).choice(n_draws, n_replicates, replace=False)


def _stacked(panels: list[dict[str, Array]]) -> dict[str, Array]:
    """The statistics of replicates by name, (replicate, …)."""
    return {name: np.stack([panel[name] for panel in panels]) for name in panels[0]}


def _replicated_panels(
    draws: Draws, study: Trials, levels: tuple[str, ...], chosen: Array, seed: int
) -> list[dict[str, Array]]:
    """The statistics of one replicate of the study for each chosen draw."""
    again = simulator_again(draws.simulator, study)
    panels, done = [], counting(len(chosen), "simulated studies")
    for n, draw in enumerate(chosen):
        trials_seed = child(seed, Purpose.REPLICATED_TRIALS, n)
        replicate = refilled(again, draws.theta[:, draw], seed=trials_seed)
        panels.append(panel_of(replicate, levels))
        done(n + 1)
    return panels


def _require_same_study(draws: Draws, study: Trials) -> None:
    """Raise ValueError unless the draws are of this study, and the study of a conflict task."""
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
