"""A trained comparison of models: probabilities for everybody, and one file to save it in."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pandas as pd

from incongruent.data.matching import in_columns
from incongruent.data.trials import Trials, checked
from incongruent.models import Model
from incongruent.networks.architecture import (
    Architecture,
    architecture_from_json,
    architecture_to_json,
)
from incongruent.networks.classifier import Classifier, build_classifier
from incongruent.posterior.history import History, history_from_json
from incongruent.posterior.posterior import axis_in, in_groups, task_of
from incongruent.posterior.scope import Ranges, admit
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import Simulator
from incongruent.storage.atomic import FileError
from incongruent.storage.cards import simulator_from_json, simulator_to_json
from incongruent.storage.weights import load_arrays, named_leaves, save_arrays, with_leaves

Array = np.ndarray

KIND = "saved comparison"
VERSION = 1


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
        """Mean distance of observed from stated probability, over all that were stated."""
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
        assert isinstance(design, Design)  # `compare` has refused anything else
        admission = admit(
            checked(in_columns(study, first.model.columns)), design, self.ranges, anyway=anyway
        )
        if (admission.trials.n_trials == 0).any():
            name = admission.trials.names[int(np.argmin(admission.trials.n_trials))]
            raise ValueError(
                f"Expected at least one usable trial from everybody; got none from {name}. Leave"
                " them out with `select`."
            )
        return log_probabilities_of(self.classifier, admission.trials)

    def probabilities(self, study: Trials, *, anyway: bool = False) -> pd.DataFrame:
        """One row per person: the probability of each model, and which is the best.

        The log Bayes factor is that of the best against the second best, in nats.
        """
        log_p = self.log_probabilities(study, anyway=anyway)
        frame = pd.DataFrame(np.exp(log_p), columns=list(self.names))
        frame.insert(0, "participant", list(study.names))
        evidence = log_p - np.log(self.weights)
        order = np.argsort(-evidence, axis=1)
        first, second = (np.take_along_axis(evidence, order[:, i : i + 1], 1)[:, 0] for i in (0, 1))
        frame["best"] = np.asarray(self.names, object)[order[:, 0]]
        frame["log_bayes_factor"] = first - second
        return frame

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save to one file, written atomically; `load_comparison` reads it."""
        arrays = named_leaves(self.classifier, "classifier")
        save_arrays(path, arrays, self._card(), kind=KIND, version=VERSION)

    def _card(self) -> dict[str, Any]:
        """Everything but the weights of the network; JSON-able."""
        axis = axis_in(self.classifier.encoder)
        simulators = self.simulators.items()
        return {
            "simulators": {name: simulator_to_json(simulator) for name, simulator in simulators},
            "weights": self.weights.tolist(),
            "architecture": architecture_to_json(self.architecture),
            "axis": list(axis) if axis else None,
            "ranges": self.ranges.to_json(),
            "history": self.history.to_json(),
            "calibration": self.calibration.to_dict("list"),
            "accuracy": self.accuracy,
        }

    def __str__(self) -> str:
        return (
            f"Comparison of {', '.join(self.names)}: the right one gets the largest probability for"
            f" {self.accuracy:.0%} of fresh data sets; probabilities are off by"
            f" {self.calibration_error:.3f} on average. {self.history}"
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
    try:
        form = _from_card(path, card, models or {}, priors or {})
    except FileError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"Expected a complete card in {path}; got one that this release cannot read ({error})."
        ) from error
    return replace(form, classifier=with_leaves(form.classifier, arrays, "classifier"))


def _from_card(
    path: str | os.PathLike[str],
    card: dict[str, Any],
    models: Mapping[str, Model],
    priors: Mapping[str, AnyPrior],
) -> Comparison:
    """The comparison that a card describes, with a classifier whose weights are 0."""
    _refuse_strangers(path, {*models, *priors}, card["simulators"])
    simulators = {
        name: simulator_from_json(spec, models.get(name), priors.get(name))
        for name, spec in card["simulators"].items()
    }
    architecture = architecture_from_json(card["architecture"])
    axis = tuple(card["axis"]) if card["axis"] else None
    task = task_of(next(iter(simulators.values())), architecture, axis=axis)
    return Comparison(
        simulators,
        np.array(card["weights"]),
        build_classifier(None, task, architecture, len(simulators)),
        architecture,
        ranges=Ranges(**card["ranges"]),
        history=history_from_json(card["history"]),
        calibration=pd.DataFrame(card["calibration"]),
        accuracy=float(card["accuracy"]),
    )


def _refuse_strangers(
    path: str | os.PathLike[str], given: set[str], compared: Mapping[str, Any]
) -> None:
    """Refuse models and priors that were not compared."""
    strangers = given - set(compared)
    if strangers:
        raise FileError(
            f"Expected models among {sorted(compared)}, which were compared in {path}; got"
            f" {sorted(strangers)}."
        )


def log_probabilities_of(classifier: Classifier, trials: Trials) -> Array:
    """Log p(model | trials) of each data set, (dataset, model)."""
    features = classifier.encoder.features(trials)
    return in_groups(lambda rows: (_classify(classifier, rows),), features)[0].astype(float)


@eqx.filter_jit
def _classify(classifier: Classifier, features: Any) -> jax.Array:
    return classifier.log_probabilities(features)
