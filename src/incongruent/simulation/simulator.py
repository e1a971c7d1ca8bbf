"""Simulator = model + prior + design: draws theta, lays out trials, simulates them.

Data sets are made in chunks with one stream of random numbers each, so that the number of workers
never changes a result.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Generic, Protocol, Self

import numpy as np
from typing_extensions import TypeVar

from incongruent.data.basics.plain import whole_number, words_of
from incongruent.data.basics.streams import Purpose, stream
from incongruent.data.trials import (
    Column,
    Trials,
    allowed,
    concatenate,
    positions_of,
    renumbered,
)
from incongruent.models.custom import SimulationError
from incongruent.models.model import Model
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.designs import Design
from incongruent.simulation.recording import Recording
from incongruent.simulation.windows import Range

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

Array = np.ndarray

CHUNK = 256
"""Data sets made from one stream of random numbers."""
OUT_OF_WINDOW = "out of window"


class LaysOut(Protocol):
    """What a simulator needs of a design: given values and trials, and which trials are kept.

    A `Design` draws them anew; an `ObservedDesign` and an `ObservedLayout` repeat those of a study.
    """

    @property
    def window(self) -> Range | None:
        """Shortest and longest RT kept, in ms."""
        ...

    @property
    def deadline(self) -> float | None:
        """RT in ms after which a trial counts as one without an answer."""
        ...

    @property
    def recording(self) -> Recording | None:
        """The lattice on which RTs are recorded."""
        ...

    def bound_to(self, columns: Sequence[Column]) -> Self:
        """The same design for the columns of a model."""
        ...

    def phases_for(self, n_datasets: int, rng: np.random.Generator) -> Array | None:
        """The phases (dataset,) of the lattices of RTs; None where there are none."""
        ...

    def lay_out_given(
        self,
        n_datasets: int,
        columns: Sequence[Column],
        rng: np.random.Generator,
        *,
        full: bool = False,
    ) -> tuple[dict[str, Array], Array]:
        """The values of all given columns, and which trials exist, each (dataset, trial)."""
        ...


D = TypeVar("D", bound=LaysOut, default=Design)


@dataclass(frozen=True, eq=False)
class _Layouts:
    """Data sets before they are simulated.

    Attributes:
        theta: (dataset, parameter).
        given: the values of given columns, (dataset, trial).
        present: (dataset, trial) which trials exist.
        phases: (dataset,) of the lattices of RTs; None where there are none.
    """

    theta: Float[Array, "dataset parameter"]
    given: Mapping[str, Array]
    present: Bool[Array, "dataset trial"]
    phases: Array | None

    def at(self, rows: slice) -> _Layouts:
        """Some of the data sets."""
        given = {name: values[rows] for name, values in self.given.items()}
        phases = None if self.phases is None else self.phases[rows]
        return _Layouts(self.theta[rows], given, self.present[rows], phases)


@dataclass(frozen=True, eq=False)
class Simulations:
    """Parameters and the trials that they gave.

    Attributes:
        theta: (dataset, parameter).
        trials: the same number of data sets.
        parameter_names: the columns of theta.
        simulator: model, prior and design, of whatever kind, that they came from; None when they
            are not known.
    """

    theta: Array
    trials: Trials
    parameter_names: tuple[str, ...]
    simulator: Simulator[Any] | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "theta", np.asarray(self.theta, float))
        object.__setattr__(
            self, "parameter_names", words_of("parameter names", self.parameter_names)
        )
        if self.theta.shape != (len(self.trials), len(self.parameter_names)):
            raise ValueError(
                f"Expected theta of shape {(len(self.trials), len(self.parameter_names))},"
                f" (dataset, parameter); got {self.theta.shape}."
            )

    def __len__(self) -> int:
        return len(self.trials)

    def __repr__(self) -> str:
        of = f" of {self.simulator.model.name}" if self.simulator is not None else ""
        return (
            f"Simulations({len(self)} data sets{of}, {self._size_words()} trials each, parameters"
            f" {', '.join(self.parameter_names)})"
        )

    def _size_words(self) -> str:
        """The smallest and largest number of trials of a data set."""
        n = self.trials.n_trials
        return f"{n.min()}–{n.max()}" if len(self) else "no"

    def joined(self, other: Simulations) -> Simulations:
        """These data sets and then others with the same parameters and columns.

        For example to add a further round of simulations.

        Raises:
            ValueError: when parameters or columns differ.
        """
        if other.parameter_names != self.parameter_names:
            raise ValueError(
                f"Expected simulations with the parameters {self.parameter_names}; got"
                f" {other.parameter_names}."
            )
        theta = np.concatenate([self.theta, other.theta])
        trials = renumbered(concatenate([self.trials, other.trials]))
        return Simulations(theta, trials, self.parameter_names, self.simulator)

    def select(
        self, datasets: Sequence[int] | Sequence[str] | Array | slice | int | str
    ) -> Simulations:
        """Some of the data sets, in the order asked for; which as in `incongruent.select`."""
        index = positions_of(self.trials.names, datasets)
        return Simulations(
            self.theta[index], self.trials.select(index), self.parameter_names, self.simulator
        )


class Simulator(Generic[D]):
    """Simulates data sets of a model under a prior and a design.

    Args:
        model: what generates the trials.
        prior: for exactly the model's parameters; cut to their domains (at most 1 % of it).
        design: how many trials of which conditions: a `Design`, as networks are trained for, or
            that of a study, from `design_of`.

    Raises:
        ValueError: when prior or design do not fit the model.

    Example:
        >>> from incongruent import Design, models, priors
        >>> design = Design(100, {"congruent": 0.5, "incongruent": 0.5})
        >>> simulator = Simulator(models.dmc(), priors.schaefer2025(), design)
        >>> simulator.simulate(3, seed=1).theta.shape
        (3, 6)
    """

    def __init__(self, model: Model, prior: AnyPrior, design: D) -> None:
        self.model = model
        self.prior: AnyPrior = prior.within(model.parameters)
        self.design: D = design.bound_to(model.columns)

    def __repr__(self) -> str:
        return f"Simulator({self.model.name}, {self.prior}, {self.design})"

    def recorded_as(
        self,
        recording: Recording | None = None,
        *,
        window: Range | None = None,
        deadline: float | None = None,
    ) -> Self:
        """The same simulator with data that are recorded in another way.

        Args:
            recording: the lattice of RTs; as before when left out.
            window: shortest and longest RT kept, in ms; as before when left out.
            deadline: RT in ms after which an answer counts as none; as before when left out.
        """
        asked = {"recording": recording, "window": window, "deadline": deadline}
        changes = {name: value for name, value in asked.items() if value is not None}
        design: Any = self.design
        return type(self)(self.model, self.prior, replace(design, **changes))

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why trials are left out of what is simulated, as ``excluded`` of its trials says."""
        return (OUT_OF_WINDOW,) if self.design.window is not None else ()

    def simulate(self, n_datasets: int, *, seed: int, workers: int | None = None) -> Simulations:
        """Simulate data sets, each with theta from the prior and a layout from the design.

        Args:
            n_datasets: how many.
            seed: the same seed gives the same data sets, whatever the number of workers.
            workers: threads; one for each core when left out.
        """
        n_datasets = whole_number("n_datasets", n_datasets, 1)
        theta = self.prior.sample(n_datasets, seed=stream(seed, Purpose.PRIOR))
        trials = self.simulate_at(theta, seed=seed, workers=workers)
        return Simulations(theta, trials, self.prior.names, self)

    def simulate_at(self, theta: Array, *, seed: int, workers: int | None = None) -> Trials:
        """Simulate one data set for each row of theta (dataset, parameter), as the design says."""
        theta = np.asarray(theta, float)
        rng = stream(seed, Purpose.LAYOUT)
        given, present = self.design.lay_out_given(len(theta), self.model.columns, rng)
        phases = self.design.phases_for(len(theta), rng)
        return self._in_chunks(_Layouts(theta, given, present, phases), seed, workers)

    def chunk(self, seed: int, index: int) -> tuple[Float[Array, "dataset parameter"], Trials]:
        """Chunk number ``index`` of an endless series: theta (256, parameter) and data sets.

        All have the design's largest number of trials.
        """
        return self.drawn(CHUNK, stream(seed, Purpose.BANK, index))

    def drawn(
        self, n_datasets: int, rng: np.random.Generator
    ) -> tuple[Float[Array, "dataset parameter"], Trials]:
        """Draw theta (dataset, parameter) and data sets from one stream of random numbers.

        All have the design's largest number of trials.
        """
        theta = self.prior.sample(n_datasets, seed=rng)
        given, present = self.design.lay_out_given(n_datasets, self.model.columns, rng, full=True)
        phases = self.design.phases_for(n_datasets, rng)
        return theta, self._trials(_Layouts(theta, given, present, phases), rng)

    def _in_chunks(self, layouts: _Layouts, seed: int, workers: int | None) -> Trials:
        """Simulate data sets chunk by chunk on threads, each chunk from a stream of its own."""

        def one(start: int) -> Trials:
            rng = stream(seed, Purpose.TRIALS, start // CHUNK)
            return self._trials(layouts.at(slice(start, start + CHUNK)), rng)

        with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
            parts = list(pool.map(one, range(0, len(layouts.theta), CHUNK)))
        return renumbered(concatenate(parts))

    def _trials(self, layouts: _Layouts, rng: np.random.Generator) -> Trials:
        """Simulate data sets, without trials outside the window and answers that came too late."""
        values, answered = self._outcomes(layouts, rng)
        outside = self._out_of_window(values, answered)
        present, excluded = (
            layouts.present,
            {reason: outside.sum(axis=1) for reason in self.reasons},
        )
        return Trials(
            self.model.columns, values, present & ~outside, answered & ~outside, excluded=excluded
        )

    def _outcomes(
        self, layouts: _Layouts, rng: np.random.Generator
    ) -> tuple[dict[str, Array], Array]:
        """The values of all columns, and which trials were answered before the deadline."""
        theta, present = layouts.theta, layouts.present
        values, answered = self.model.simulate(theta, layouts.given, present, rng)
        answered = answered & present
        values = _typed(self.model, theta, values, present, answered)
        self._record(values, answered, layouts.phases, rng)
        if self.design.deadline is not None:
            answered &= values["rt"] <= self.design.deadline
        return values, answered

    def _record(
        self,
        values: dict[str, Array],
        answered: Array,
        phases: Array | None,
        rng: np.random.Generator,
    ) -> None:
        """Put RTs of answers on the lattices of the design, with phases (dataset,), if any."""
        recording, rt = self.design.recording, values.get("rt")
        if recording is None or phases is None or rt is None:
            return
        moved = recording.recorded(np.where(answered, rt, 1.0), phases, rng)
        values["rt"] = np.where(answered, moved, rt).astype(rt.dtype)

    def _out_of_window(self, values: Mapping[str, Array], answered: Array) -> Array:
        """Which answers (dataset, trial) are faster or slower than the window allows."""
        if self.design.window is None:
            return np.zeros_like(answered)
        low, high = self.design.window
        return answered & ((values["rt"] < low) | (values["rt"] > high))


def _typed(
    model: Model, theta: Array, values: Mapping[str, Array], present: Array, answered: Array
) -> dict[str, Array]:
    """The values in the types of their columns, after a check of each.

    Raises:
        SimulationError: when a column is missing, has another shape, or holds something that it
            does not allow.
    """
    typed = {}
    for column in model.columns:
        made = _simulated(model, column.name, values, present.shape)
        _check_allowed(model, column, made, theta, present if column.given else answered)
        typed[column.name] = made.astype(column.dtype, copy=False)
    return typed


def _simulated(
    model: Model, name: str, values: Mapping[str, Array], shape: tuple[int, ...]
) -> Array:
    """What the simulator gave for a column, after a check of its shape."""
    made = values.get(name)
    if made is None or np.shape(made) != shape:
        came = "none" if made is None else f"shape {np.shape(made)}"
        raise SimulationError(
            f"Expected {name!r} of shape {shape}, (dataset, trial), from the"
            f" simulator {model.name!r}; got {came}."
        )
    return np.asarray(made)


def _check_allowed(model: Model, column: Column, made: Array, theta: Array, known: Array) -> None:
    """Check that a simulated column has only values that it may have, where there are any.

    Raises:
        SimulationError: for another value, with the parameters that gave it.
    """
    fine, wanted = allowed(column, made)
    wrong = known & ~fine
    if wrong.any():
        row, trial = np.argwhere(wrong)[0]
        at = _parameter_words(model, theta[row])
        raise SimulationError(
            f"Expected {wanted} in column {column.name!r} from the simulator {model.name!r};"
            f" got {made[row, trial]} at {at}. Mark trials without an answer as such, or narrow"
            " the prior to where the simulator works."
        )


def _parameter_words(model: Model, theta: Array) -> str:
    """The values of all parameters (parameter,), for a message."""
    parameters = zip(model.parameter_names, theta, strict=True)
    return ", ".join(f"{name}={value:.4g}" for name, value in parameters)
