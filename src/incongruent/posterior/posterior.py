"""Posteriors: what `train` returns, what is saved, and what gives draws for any study."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import equinox as eqx
import jax
import numpy as np
import pandas as pd
from jaxtyping import Float

from incongruent.data.basics.notebook import html
from incongruent.data.basics.plain import as_json, whole_number
from incongruent.data.basics.streams import Purpose, places_of, stream
from incongruent.data.matching import in_columns
from incongruent.data.trials import Trials, checked
from incongruent.models import Model
from incongruent.networks import encoders
from incongruent.networks.architecture import (
    Architecture,
    architecture_from_json,
    architecture_from_version_2,
    architecture_to_json,
)
from incongruent.networks.encoder import Encoder
from incongruent.networks.estimator import Estimator, build_estimator
from incongruent.networks.histogram import HistogramEncoder
from incongruent.networks.task import Task
from incongruent.posterior.about import KIND, VERSION, complete
from incongruent.posterior.compiling import keep_compiled
from incongruent.posterior.draws import Draws
from incongruent.posterior.history import History, stored_history
from incongruent.posterior.scope import Admission, admit
from incongruent.posterior.statistics import Ranges
from incongruent.posterior.task_of import axis_of, levels_of
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.recording import Recording
from incongruent.simulation.simulator import Simulator
from incongruent.simulation.windows import Range
from incongruent.storage.cards import simulator_from_json, simulator_to_json
from incongruent.storage.weights import (
    Contents,
    load_arrays,
    named_leaves,
    save_arrays,
    with_leaves,
)

Array = np.ndarray

DATASETS_AT_ONCE = 16
"""Data sets that go through the network together; smaller groups are padded to this size, so that
one compilation serves all studies.
"""


def task_of(
    simulator: Simulator,
    architecture: Architecture = Architecture(),
    *,
    axis: tuple[float, float] | None = None,
    simulated: Callable[[], Trials] | None = None,
) -> Task:
    """What an estimator for this simulator has to read and to estimate.

    Args:
        simulator: model, prior and design.
        architecture: whose encoder is to read it; only a histogram needs an axis.
        axis: of the histogram; when left out the design's window, or the range of a few simulated
            data sets where there is none.
        simulated: gives these data sets; they are simulated here when left out.
    """
    design, columns = simulator.design, simulator.model.columns
    chosen = architecture.chosen_for(columns, design.largest)
    if isinstance(chosen.encoder, encoders.Histogram):
        axis = axis or axis_of(simulator, simulated)
    return Task(
        columns,
        levels_of(design, columns),
        axis,
        len(simulator.prior.names),
        design.smallest,
        design.largest,
    )


@dataclass(frozen=True, eq=False)
class Posterior:
    """An amortized posterior q(theta | trials).

    Attributes:
        simulator: the model, prior and design that it was trained for.
        estimator: the network.
        architecture: of what it is made.
        ranges: of statistics of the simulated data sets; None when they are not known.
        history: how training went; None when it is not known.
        notes: what else is known: budget, seed, versions, measured quality; JSON-able.
        anyway: whether a study is admitted although nobody in it is what the network was trained
            for; it is not saved.
        learned: what the network has learned from, where ``simulator`` records in another way since
            `recorded_as`; None where they are the same. It is this that is saved.
    """

    simulator: Simulator
    estimator: Estimator = field(repr=False)
    architecture: Architecture = field(default_factory=Architecture, repr=False)
    ranges: Ranges | None = field(default=None, repr=False)
    history: History | None = field(default=None, repr=False)
    notes: Mapping[str, Any] = field(default_factory=dict, repr=False)
    anyway: bool = field(default=False, repr=False)
    learned: Simulator | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "notes", as_json(self.notes, "notes"))

    def _repr_html_(self) -> str:
        design, model = self.simulator.design, self.simulator.model
        heading = f"Posterior of the model {model.name}"
        trials = f"Trained for {design.smallest} to {design.largest} trials a data set."
        return html(heading, [trials, f"Prior: {self.simulator.prior}"], _parameter_table(model))

    def unguarded(self) -> Posterior:
        """The same posterior without flags and refusals.

        It is for data that are not a study, such as simulations far from where people are.
        """
        return replace(self, ranges=None, anyway=True)

    def recorded_as(
        self,
        recording: Recording | None = None,
        *,
        window: Range | None = None,
        deadline: float | None = None,
    ) -> Posterior:
        """The same posterior for data that are recorded in another way.

        The network stays as it is; what is simulated, and the exact likelihood by which draws are
        corrected, are those of data recorded so. Arguments as in `Simulator.recorded_as`.
        """
        changed = self.simulator.recorded_as(recording, window=window, deadline=deadline)
        return replace(self, simulator=changed, learned=self.learned or self.simulator)

    def admit(self, study: Trials, *, anyway: bool = False) -> Admission:
        """Check a study against what the network was trained for.

        The result has the study in the columns that the network reads, without trials that it does
        not know, and says for each person in what they differ from what it was trained for.

        Args:
            study: one data set a person.
            anyway: admit it also when nobody is inside.

        Raises:
            ScopeError: when nobody is inside what the network was trained for.
            ValueError: when the study has other columns, or values that the network's columns do
                not allow.
        """
        trials = checked(in_columns(study, self.simulator.model.columns))
        return admit(trials, self.simulator.design, self.ranges, anyway=anyway or self.anyway)

    def features(self, study: Trials, *, anyway: bool = False) -> tuple[Array, Admission]:
        """What the network reads of each person, (person, …), and how they were admitted.

        Arguments as in `admit`.

        Raises:
            ScopeError: when nobody is inside what the network was trained for.
            ValueError: when someone has no trials.
        """
        admission = self.admit(study, anyway=anyway)
        trials = admission.trials
        empty = [name for name, n in zip(trials.names, trials.n_trials, strict=True) if n == 0]
        if empty:
            raise ValueError(
                "Expected at least one usable trial from everybody; got none from"
                f" {', '.join(empty[:10])}. Leave them out with `select`."
            )
        return self.estimator.encoder.features(trials), admission

    def sample(
        self, study: Trials, n_draws: int = 1000, *, seed: int, anyway: bool = False
    ) -> Draws:
        """Independent draws for everybody at once, whatever their numbers of trials.

        Args:
            study: one data set a person.
            n_draws: draws for each person.
            seed: the same seed gives a person the same draws, whoever else is in the study.
            anyway: go on also when nobody is inside what the network was trained for.

        Returns:
            `Draws` with theta (person, draw, parameter) and log q.

        Raises:
            ScopeError: when nobody is inside what the network was trained for.
            ValueError: when someone has no trials.
        """
        n_draws = whole_number("n_draws", n_draws, 1)
        features, admission = self.features(study, anyway=anyway)
        noise = self._noise(study, n_draws, seed)
        z, log_q = in_groups(lambda u, f: _sample(self.estimator, u, f), noise, features)
        theta, log_q = self._as_parameters(z.astype(float), log_q.astype(float))
        return Draws(theta, log_q, self.simulator, study.names, admission.flags)

    def _as_parameters(self, z: Array, log_q: Array) -> tuple[Array, Array]:
        """Draws in the parameters' units, and their log densities there."""
        theta = self.simulator.prior.from_real(z)
        return theta, log_q + self.simulator.prior.log_jacobian(theta, z)

    def _noise(self, study: Trials, n_draws: int, seed: int) -> Array:
        """Standard normal numbers (person, draw, parameter), from a stream for each person."""
        shape = (n_draws, len(self.simulator.prior.names))
        noise = np.empty((len(study), *shape), np.float32)
        for i, place in enumerate(places_of(study.names)):
            rng = stream(seed, Purpose.SAMPLING, *place)
            noise[i] = rng.standard_normal(shape, dtype=np.float32)
        return noise

    def log_prob(self, theta: Array, study: Trials) -> Array:
        """Log q(theta | trials) of each person.

        Args:
            theta: (person, parameter), or (person, draw, parameter).
            study: the trials of the same people.

        Returns:
            (person,) or (person, draw); -inf outside the prior's support.
        """
        features, _ = self._without_flags().features(study)
        z = self.simulator.prior.to_real(theta)
        if len(z) != len(study) or z.ndim not in (2, 3):
            raise ValueError(
                f"Expected theta of shape ({len(study)}, {z.shape[-1]}), one row a person; got"
                f" {np.shape(theta)}."
            )
        inside = np.asarray(np.isfinite(z).all(axis=-1))
        z = np.where(inside[..., None], z, 0.0)
        log_q = self._log_q(z, features)
        with np.errstate(invalid="ignore"):
            found = log_q.reshape(inside.shape) + self.simulator.prior.log_jacobian(theta, z)
        return np.where(inside, found, -np.inf)

    def _log_q(self, z: Array, features: Array) -> Array:
        """Log density of the network, (person, draw), at z (person, parameter) or with draws."""
        several = z.reshape(len(z), -1, z.shape[-1]).astype(np.float32)  # person, draw, param.
        return in_groups(lambda at, f: (_log_prob(self.estimator, at, f),), several, features)[0]

    def summaries(self, study: Trials) -> Array:
        """Learned summary statistics of each person, (person, summary)."""
        features, _ = self._without_flags().features(study)
        return in_groups(lambda f: (_summaries(self.estimator, f),), features)[0]

    def _without_flags(self) -> Posterior:
        """The same posterior, for what needs no flags; studies of another design are refused."""
        return replace(self, ranges=None)

    def with_notes(self, **notes: Any) -> Posterior:
        """The same posterior with more notes."""
        return replace(self, notes={**self.notes, **notes})

    def card(self) -> dict[str, Any]:
        """What the network was trained for and where it comes from, as plain values."""
        axis = axis_in(self.estimator.encoder)
        return {
            **simulator_to_json(self.learned or self.simulator),
            "architecture": architecture_to_json(self.architecture),
            "axis": list(axis) if axis else None,
            "ranges": self.ranges.to_json() if self.ranges else None,
            "history": self.history.to_json() if self.history else None,
            "notes": dict(self.notes),
        }

    def save(self, path: str | os.PathLike[str]) -> None:
        """Save to one file, which is complete or absent, as it was before `recorded_as`."""
        arrays = named_leaves(self.estimator, "estimator")
        save_arrays(path, arrays, self.card(), kind=KIND, version=VERSION)


def _parameter_table(model: Model) -> pd.DataFrame:
    """One row a parameter of a model: its name, unit and meaning."""
    return pd.DataFrame(
        {"parameter": p.name, "unit": p.unit, "meaning": p.meaning} for p in model.parameters
    )


def axis_in(encoder: Encoder) -> tuple[float, float] | None:
    """The range of a histogram's axis; None for other encoders."""
    return (encoder.axis.low, encoder.axis.high) if isinstance(encoder, HistogramEncoder) else None


def load_posterior(
    path: str | os.PathLike[str], *, model: Model | None = None, prior: AnyPrior | None = None
) -> Posterior:
    """Load a saved posterior.

    Args:
        path: the file.
        model: that simulates, when it does not ship with the package; without it the posterior
            gives draws, but nothing can be simulated.
        prior: a joint prior's functions, which files do not hold; without them the posterior gives
            draws, but there are neither prior densities nor samples.

    Raises:
        FileError: when the file is absent, damaged, foreign, of an unknown version, or for another
            model.
    """
    arrays, card = load_arrays(path, kind=KIND, version=VERSION, older={2: _from_version_2})
    with complete(path):
        simulator = simulator_from_json(card, model, prior)
        architecture = architecture_from_json(card["architecture"])
        task = task_of(simulator, architecture, axis=tuple(card["axis"]) if card["axis"] else None)
        ranges = Ranges(**card["ranges"]) if card["ranges"] else None
        history = stored_history(card["history"])
    skeleton = build_estimator(None, task, architecture)
    estimator = with_leaves(skeleton, arrays, "estimator")
    return Posterior(simulator, estimator, architecture, ranges, history, card["notes"])


def _from_version_2(arrays: dict[str, Array], card: dict[str, Any]) -> Contents:
    """The contents of a file of version 2 as version 3 has them.

    Version 2 had one encoder only, whose axis was the window, and kept the sizes of everything in
    one table; the arrays are the same.
    """
    if not {"architecture", "design"} <= set(card):
        return arrays, card  # which is refused as incomplete
    return arrays, {
        **card,
        "architecture": architecture_to_json(architecture_from_version_2(card["architecture"])),
        "axis": card["design"]["window"],
    }


def in_groups(function: Callable[..., tuple[Any, ...]], *arrays: Array) -> tuple[Array, ...]:
    """Apply a compiled function to arrays with one row a data set, in groups of one size.

    So one compilation serves all studies. Matrices are multiplied at full precision: a GPU would
    round to ten bits, and draws would no longer agree with their densities.
    """
    keep_compiled()
    parts = []
    for first in range(0, len(arrays[0]), DATASETS_AT_ONCE):
        group = [array[first : first + DATASETS_AT_ONCE] for array in arrays]
        parts.append(_applied(function, group))
    if not parts:
        raise ValueError("Expected at least one data set; got none.")
    return tuple(np.concatenate(results) for results in zip(*parts, strict=True))


def _applied(function: Callable[..., tuple[Any, ...]], group: list[Array]) -> list[Array]:
    """The results of a compiled function for one group, without those of its padding."""
    with jax.default_matmul_precision("highest"):
        results = function(*map(_padded, group))
    return [np.asarray(result)[: len(group[0])] for result in results]


def _padded(rows: Array) -> Array:
    """The rows of a group, and zeros up to its full size."""
    return np.pad(rows, [(0, DATASETS_AT_ONCE - len(rows))] + [(0, 0)] * (rows.ndim - 1))


@eqx.filter_jit
def _sample(
    estimator: Estimator,
    noise: Float[jax.Array, "dataset draw parameter"],
    features: Float[jax.Array, "dataset ..."],
) -> tuple[Float[jax.Array, "dataset draw parameter"], Float[jax.Array, "dataset draw"]]:
    return estimator.sample(noise, features)


@eqx.filter_jit
def _log_prob(
    estimator: Estimator,
    z: Float[jax.Array, "dataset draw parameter"],
    features: Float[jax.Array, "dataset ..."],
) -> Float[jax.Array, "dataset draw"]:
    """Log q at each of the draws z."""
    summaries = estimator.summaries(features)
    return jax.vmap(lambda at: estimator.log_prob_of(at, summaries), in_axes=1, out_axes=1)(z)


@eqx.filter_jit
def _summaries(
    estimator: Estimator, features: Float[jax.Array, "dataset ..."]
) -> Float[jax.Array, "dataset summary"]:
    return estimator.summaries(features)
