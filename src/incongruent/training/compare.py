"""Model comparison: which of several simulators made these trials?

A classifier learns posterior model probabilities for everybody at once.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from incongruent.data.basics.options import checked_names
from incongruent.data.basics.plain import text_of, whole_number
from incongruent.data.basics.streams import Purpose, as_seed, child
from incongruent.networks.architecture import Architecture, architecture_to_json
from incongruent.networks.classifier import Classifier, build_classifier
from incongruent.networks.layers import Weights
from incongruent.networks.task import Task
from incongruent.posterior.posterior import task_of
from incongruent.posterior.statistics import ranges_of
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import Simulator
from incongruent.storage.cards import check_card
from incongruent.training.comparison import Comparison, log_probabilities_of
from incongruent.training.job import Job, Learned
from incongruent.training.loop import learn_all
from incongruent.training.mixture import Mixture
from incongruent.training.recipe import Budget, Recipe
from incongruent.training.split import Data

Array = np.ndarray

EDGES = np.linspace(0.0, 1.0, 11)
"""Of the bins of stated probability."""


@checked_names
def compare(
    simulators: Mapping[str, Simulator],
    *,
    minutes: float | None = None,
    steps: int | None = None,
    seed: int,
    weights: Mapping[str, float] | None = None,
    architecture: Architecture = Architecture(),
    recipe: Recipe = Recipe(),
    progress: bool = True,
) -> Comparison:
    """Train a network that gives the probability of each of several models.

    Args:
        simulators: at least two, by name, with the same columns and the same design; models and
            priors differ.
        minutes: budget of the clock.
        steps: budget in steps.
        seed: of simulations, initial weights and batches.
        weights: prior probabilities of the models; equal when left out.
        architecture: of the network; its flow is not used.
        recipe: how it learns.
        progress: show a bar.

    Returns:
        A `Comparison`, with its calibration on fresh simulations on record.

    Raises:
        ValueError: when the simulators do not belong together, the weights are not probabilities,
            or the recipe has an MMD term.
        FileError: before training begins, when no file could hold what comes out.
    """
    begun, seed = time.perf_counter(), as_seed(seed)
    _refuse_mmd(recipe)
    seed = whole_number("seed", seed, 0)
    named = {text_of(name): simulator for name, simulator in simulators.items()}
    _refuse_unlike(named)
    mixture = Mixture(tuple(named.values()), _probabilities(named, weights), seed)
    for simulator in named.values():
        check_card(simulator)
    design = mixture.simulator.design
    architecture = architecture.chosen_for(mixture.simulator.model.columns, design.largest)
    job = _job(mixture, tuple(named), architecture, Budget(minutes, steps), recipe)
    learned = learn_all(job, begun, progress=progress)
    return _comparison(named, mixture, architecture, job.design, learned)


def _refuse_mmd(recipe: Recipe) -> None:
    if recipe.mmd_weight:
        raise ValueError(
            "Expected a recipe without the MMD term, which is for posteriors; got"
            f" mmd_weight={recipe.mmd_weight}."
        )


def _refuse_unlike(simulators: Mapping[str, Simulator]) -> None:
    """Refuse simulators whose data could be told apart by more than the model."""
    names = list(simulators)
    if len(names) < 2:
        raise ValueError(f"Expected at least two simulators to compare; got {names}.")
    first = simulators[names[0]]
    for name, other in simulators.items():
        alike = other.model.columns == first.model.columns and other.design == first.design
        if not alike or not isinstance(other.design, Design):
            raise ValueError(
                "Expected simulators with the same columns and the same Design, so that data"
                f" differ by model alone; {name!r} differs from {names[0]!r}."
            )


def _probabilities(
    simulators: Mapping[str, Simulator], weights: Mapping[str, float] | None
) -> Array:
    """Prior probabilities of the models, (model,)."""
    if weights is None:
        weights = dict.fromkeys(simulators, 1.0 / len(simulators))
    if (
        set(weights) != set(simulators)
        or min(weights.values()) <= 0
        or abs(sum(weights.values()) - 1.0) > 1e-9
    ):
        raise ValueError(
            f"Expected a probability above 0 for each of {list(simulators)}, with sum 1; got"
            f" {dict(weights)}."
        )
    return np.array([weights[name] for name in simulators])


@dataclass(frozen=True)
class _ComparisonPlan:
    """Learn p(model | trials)."""

    task: Task
    architecture: Architecture
    names: tuple[str, ...]

    def build(self, weights: Weights) -> Classifier:
        """An untrained classifier."""
        return build_classifier(weights, self.task, self.architecture, len(self.names))

    def baseline(self, z: Array) -> float:
        """Entropy of the models' shares."""
        shares = z.mean(axis=0)
        return float(-np.sum(shares[shares > 0] * np.log(shares[shares > 0])))

    def describe(self) -> dict[str, Any]:
        """Architecture and models."""
        return {"architecture": architecture_to_json(self.architecture), "models": list(self.names)}


def _job(
    mixture: Mixture,
    names: tuple[str, ...],
    architecture: Architecture,
    budget: Budget,
    recipe: Recipe,
) -> Job:
    """What is to be learned, and how."""
    recipe = recipe.sized_for(architecture.encoder)
    task = task_of(mixture.simulator, architecture, simulated=mixture.some_trials)
    plan = _ComparisonPlan(task, architecture, names)
    return Job(Data(mixture, mixture.held_out), plan, budget, mixture.seed, recipe, None)


def _comparison(
    simulators: Mapping[str, Simulator],
    mixture: Mixture,
    architecture: Architecture,
    design: Design,
    learned: Learned,
) -> Comparison:
    """What was learned, with its accuracy and calibration on fresh data sets."""
    fresh_seed = child(mixture.seed, Purpose.COMPARED_FRESH)
    fresh = Mixture(mixture.simulators, mixture.weights, fresh_seed).held_out()
    log_p = log_probabilities_of(learned.network, fresh.trials)
    right = log_p.argmax(axis=1) == fresh.z.argmax(axis=1)
    return Comparison(
        dict(simulators),
        mixture.weights,
        learned.network,
        architecture,
        ranges=ranges_of(learned.validation.stored.trials, design.levels),
        history=learned.history,
        calibration=_calibration(np.exp(log_p), fresh.z),
        accuracy=float(right.mean()),
    )


def _calibration(stated: Array, truth: Array) -> pd.DataFrame:
    """How often the models were right at each stated probability, by bins over all models."""
    stated, truth = stated.reshape(-1), truth.reshape(-1)
    place = np.clip(np.digitize(stated, EDGES) - 1, 0, len(EDGES) - 2)
    bins = [place == k for k in np.unique(place)]
    rows = [(stated[here].mean(), truth[here].mean(), int(here.sum())) for here in bins]
    return pd.DataFrame(rows, columns=["probability", "observed", "n"])
