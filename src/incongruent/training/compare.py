"""Model comparison: which of several simulators made these trials? A classifier learns posterior
model probabilities for everybody at once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pandas as pd

from incongruent.data.basics.options import helpful
from incongruent.data.basics.plain import text_of, whole_number
from incongruent.data.basics.streams import Purpose, as_seed, child, stream
from incongruent.data.matching import in_columns
from incongruent.data.trials import Trials, checked, concatenate, renumbered
from incongruent.models import Model
from incongruent.networks.architecture import (
    Architecture,
    architecture_from_json,
    architecture_to_json,
)
from incongruent.networks.classifier import Classifier, build_classifier
from incongruent.networks.layers import Weights
from incongruent.networks.task import Task
from incongruent.posterior.history import History, history_from_json
from incongruent.posterior.posterior import axis_in, in_groups, task_of
from incongruent.posterior.scope import admit
from incongruent.posterior.statistics import Ranges, ranges_of
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import CHUNK, Simulator
from incongruent.storage.atomic import FileError
from incongruent.storage.cards import check_card, simulator_from_json, simulator_to_json
from incongruent.storage.weights import load_arrays, named_leaves, save_arrays, with_leaves
from incongruent.training.loop import Job, learn_all
from incongruent.training.recipe import Budget, Recipe
from incongruent.training.sources import N_VALIDATION, Data, Stored

Array = np.ndarray

KIND = "saved comparison"
VERSION = 1
EDGES = np.linspace(0.0, 1.0, 11)


@dataclass(frozen=True, eq=False)
class _Mixture:
    """Data sets of several simulators in turn; to be learned is which.

    Attributes:
        simulators: of the same columns and design.
        weights: (model,) prior probabilities.
        seed: of the series.
    """

    simulators: tuple[Simulator, ...]
    weights: Array
    seed: int
    n_stored: None = None

    @property
    def simulator(self) -> Simulator:
        """The first; columns and design are those of all."""
        return self.simulators[0]

    @property
    def target_dim(self) -> int:
        """The number of models."""
        return len(self.simulators)

    def chunk(self, index: int) -> tuple[Array, Trials]:
        """One for the model and zero for the others (256, model), and the trials of chunk number
        ``index``.
        """
        rng = stream(self.seed, Purpose.COMPARED_MODELS, index)
        which = np.sort(rng.choice(self.target_dim, CHUNK, p=self.weights))
        parts = []
        for m, simulator in enumerate(self.simulators):
            n = int((which == m).sum())
            if n:
                parts.append(
                    simulator.drawn(n, stream(self.seed, Purpose.COMPARED_TRIALS, index, m))[1]
                )
        return np.eye(self.target_dim)[which], renumbered(concatenate(parts))

    def held_out(self) -> Stored:
        """Fresh ones with numbers of trials from the design."""
        which = np.sort(
            stream(self.seed, Purpose.COMPARED_HELD_OUT).choice(
                self.target_dim, N_VALIDATION, p=self.weights
            )
        )
        seeds = [
            child(self.seed, Purpose.COMPARED_HELD_OUT_TRIALS, m) for m in range(self.target_dim)
        ]
        parts = [
            s.simulate(int((which == m).sum()), seed=seeds[m]).trials
            for m, s in enumerate(self.simulators)
            if (which == m).any()
        ]
        return Stored(
            self.simulator, np.eye(self.target_dim)[which], renumbered(concatenate(parts))
        )


@dataclass(frozen=True)
class _ComparisonPlan:
    task: Task
    architecture: Architecture
    names: tuple[str, ...]

    def build(self, weights: Weights) -> Classifier:
        """An untrained classifier."""
        return build_classifier(weights, self.task, self.architecture, len(self.names))

    def baseline(self, z: np.ndarray) -> float:
        """Entropy of the models' shares."""
        shares = z.mean(axis=0)
        return float(-np.sum(shares[shares > 0] * np.log(shares[shares > 0])))

    def describe(self) -> dict[str, Any]:
        """Architecture and models."""
        return {"architecture": architecture_to_json(self.architecture), "models": list(self.names)}


@dataclass(frozen=True, eq=False)
class Comparison:
    """Posterior model probabilities, amortized.

    Attributes:
        simulators: by the name of the model.
        weights: (model,) prior probabilities.
        classifier: the network.
        architecture: of what it is made.
        ranges: between which values the simulated data sets lay.
        history: how training went.
        calibration: how often the models were right at each stated probability, on fresh data sets:
            probability, observed, n.
        accuracy: share of fresh data sets whose model got the largest probability.
    """

    simulators: Mapping[str, Simulator]
    weights: Array
    classifier: Classifier = field(repr=False)
    architecture: Architecture = field(repr=False)
    ranges: Ranges = field(repr=False)
    history: History = field(repr=False)
    calibration: pd.DataFrame = field(repr=False)
    accuracy: float

    @property
    def names(self) -> tuple[str, ...]:
        """Of the models, in the order of the columns of `probabilities`."""
        return tuple(self.simulators)

    @property
    def calibration_error(self) -> float:
        """Mean distance of observed from stated probability, weighted by how often it was stated."""
        table = self.calibration
        return float(
            np.average(np.abs(table["observed"] - table["probability"]), weights=table["n"])
        )

    def log_probabilities(self, study: Trials, *, anyway: bool = False) -> Array:
        """Log p(model | trials) of everybody, (person, model).

        Args:
            study: one data set a person.
            anyway: go on also when nobody is inside what the network was trained for.

        Raises:
            ScopeError: when nobody is inside what the network was trained for.
            ValueError: for other columns, or someone without trials.
        """
        first = next(iter(self.simulators.values()))
        design = first.design
        admission = admit(
            checked(in_columns(study, first.model.columns)), design, self.ranges, anyway=anyway
        )
        if (admission.trials.n_trials == 0).any():
            name = admission.trials.names[int(np.argmin(admission.trials.n_trials))]
            raise ValueError(
                f"Expected at least one usable trial from everybody; got none from {name}. Leave"
                " them out with `select`."
            )
        return _log_probabilities(self.classifier, admission.trials)

    def probabilities(self, study: Trials, *, anyway: bool = False) -> pd.DataFrame:
        """One row per person: the probability of each model, the best one, and its log Bayes factor
        against the second best (nats).
        """
        log_p = self.log_probabilities(study, anyway=anyway)
        frame = pd.DataFrame(np.exp(log_p), columns=list(self.names))
        frame.insert(0, "person", list(study.names))
        log_factor = log_p - np.log(self.weights)
        best = np.argsort(-log_factor, axis=1)
        frame["best"] = np.asarray(self.names, object)[best[:, 0]]
        frame["log_bayes_factor"] = (
            np.take_along_axis(log_factor, best[:, :1], 1)[:, 0]
            - np.take_along_axis(log_factor, best[:, 1:2], 1)[:, 0]
        )
        return frame

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save to one file, which is whole or absent; `load_comparison` reads it."""
        axis = axis_in(self.classifier.encoder)
        card = {
            "simulators": {
                name: simulator_to_json(simulator) for name, simulator in self.simulators.items()
            },
            "weights": self.weights.tolist(),
            "architecture": architecture_to_json(self.architecture),
            "axis": list(axis) if axis else None,
            "ranges": self.ranges.to_json(),
            "history": self.history.to_json(),
            "calibration": self.calibration.to_dict("list"),
            "accuracy": self.accuracy,
        }
        save_arrays(
            path, named_leaves(self.classifier, "classifier"), card, kind=KIND, version=VERSION
        )

    def __str__(self) -> str:
        return (
            f"Comparison of {', '.join(self.names)}: the right one gets the largest probability for"
            f" {self.accuracy:.0%} of fresh data sets; probabilities are off by"
            f" {self.calibration_error:.3f} on average. {self.history}"
        )


@helpful
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
    if recipe.mmd_weight:
        raise ValueError(
            "Expected a recipe without the MMD term, which is for posteriors; got"
            f" mmd_weight={recipe.mmd_weight}."
        )
    seed, simulators = (
        whole_number("seed", seed, 0),
        {text_of(name): simulator for name, simulator in simulators.items()},
    )
    names, probabilities = _looked_at(simulators, weights)
    for simulator in simulators.values():
        check_card(simulator)
    mixture = _Mixture(tuple(simulators.values()), probabilities, seed)
    design = mixture.simulator.design
    architecture = architecture.chosen_for(mixture.simulator.model.columns, design.largest)
    recipe = recipe.sized_for(architecture.encoder)
    plan = _ComparisonPlan(
        task_of(mixture.simulator, architecture, simulated=lambda: mixture.chunk(0)[1]),
        architecture,
        names,
    )
    learned = learn_all(
        Job(Data(mixture, mixture.held_out), plan, Budget(minutes, steps), seed, recipe, None),
        begun,
        progress=progress,
    )
    fresh = _Mixture(
        mixture.simulators, probabilities, child(seed, Purpose.COMPARED_FRESH)
    ).held_out()
    log_p = _log_probabilities(learned.network, fresh.trials)
    ranges = ranges_of(learned.validation.stored.trials, design.levels)
    right = float((log_p.argmax(axis=1) == fresh.z.argmax(axis=1)).mean())
    calibration = _calibration(np.exp(log_p), fresh.z)
    return Comparison(
        dict(simulators),
        probabilities,
        learned.network,
        architecture,
        ranges,
        learned.history,
        calibration,
        right,
    )


def load_comparison(
    path: str | os.PathLike[str],
    *,
    models: Mapping[str, Model] | None = None,
    priors: Mapping[str, AnyPrior] | None = None,
) -> Comparison:
    """Load a saved comparison.

    Args:
        path: the file.
        models: by the names under which they were compared, those that do not ship with the
            package; without them there are probabilities, but nothing can be simulated.
        priors: by the same names, joint priors, whose functions files do not hold.

    Raises:
        FileError: when the file is absent, damaged, foreign, of an unknown version, or for other
            models.
    """
    arrays, card = load_arrays(path, kind=KIND, version=VERSION)
    models, priors = models or {}, priors or {}
    try:
        strangers = {*models, *priors} - set(card["simulators"])
        if strangers:
            raise FileError(
                f"Expected models among {sorted(card['simulators'])}, which were compared in"
                f" {path}; got {sorted(strangers)}."
            )
        simulators = {
            name: simulator_from_json(spec, models.get(name), priors.get(name))
            for name, spec in card["simulators"].items()
        }
        architecture = architecture_from_json(card["architecture"])
        task = task_of(
            next(iter(simulators.values())),
            architecture,
            axis=tuple(card["axis"]) if card["axis"] else None,
        )
        ranges, history = Ranges(**card["ranges"]), history_from_json(card["history"])
        weights, calibration, accuracy = (
            np.array(card["weights"]),
            pd.DataFrame(card["calibration"]),
            float(card["accuracy"]),
        )
    except FileError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"Expected a complete card in {path}; got one that this release cannot read ({error})."
        ) from error
    skeleton = build_classifier(None, task, architecture, len(simulators))
    return Comparison(
        simulators,
        weights,
        with_leaves(skeleton, arrays, "classifier"),
        architecture,
        ranges,
        history,
        calibration,
        accuracy,
    )


def _looked_at(
    simulators: Mapping[str, Simulator], weights: Mapping[str, float] | None
) -> tuple[tuple[str, ...], Array]:
    """Names and prior probabilities, when the simulators can be compared."""
    names = tuple(simulators)
    if len(names) < 2:
        raise ValueError(f"Expected at least two simulators to compare; got {list(names)}.")
    first = simulators[names[0]]
    for name in names:
        other = simulators[name]
        if (
            other.model.columns != first.model.columns
            or other.design != first.design
            or not isinstance(other.design, Design)
        ):
            raise ValueError(
                "Expected simulators with the same columns and the same Design, so that data"
                f" differ by model alone; {name!r} differs from {names[0]!r}."
            )
    weights = dict.fromkeys(names, 1.0 / len(names)) if weights is None else weights
    if (
        set(weights) != set(names)
        or min(weights.values()) <= 0
        or abs(sum(weights.values()) - 1.0) > 1e-9
    ):
        raise ValueError(
            f"Expected a probability above 0 for each of {list(names)}, with sum 1; got"
            f" {dict(weights)}."
        )
    return names, np.array([weights[name] for name in names])


def _log_probabilities(classifier: Classifier, trials: Trials) -> Array:
    return in_groups(
        lambda features: (_classify(classifier, features),), classifier.encoder.features(trials)
    )[0].astype(float)


@eqx.filter_jit
def _classify(classifier: Classifier, features: Any) -> jax.Array:
    return classifier.log_probabilities(features)


def _calibration(stated: Array, truth: Array) -> pd.DataFrame:
    """By bins of stated probability, over all models: mean probability, how often it was right, how
    often it was stated.
    """
    place = np.clip(np.digitize(stated.reshape(-1), EDGES) - 1, 0, len(EDGES) - 2)
    rows = [
        (
            stated.reshape(-1)[place == k].mean(),
            truth.reshape(-1)[place == k].mean(),
            int((place == k).sum()),
        )
        for k in np.unique(place)
    ]
    return pd.DataFrame(rows, columns=["probability", "observed", "n"])
