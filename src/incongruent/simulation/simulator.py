"""Simulator = model + prior + design: draws theta, lays out trials, simulates them.

Data sets are made in chunks with one stream of random numbers each, so that the number of workers
never changes a result.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from incongruent.data.basics.plain import whole_number, words_of
from incongruent.data.basics.streams import Purpose, stream
from incongruent.data.trials import Trials, allowed, concatenate, positions_of, renumbered, select
from incongruent.models.custom import SimulationError
from incongruent.models.model import Model
from incongruent.priors.joint import AnyPrior
from incongruent.simulation.designs import Design, ObservedDesign

Array = np.ndarray

CHUNK = 256
"""Data sets made from one stream of random numbers."""
OUT_OF_WINDOW = "out of window"


@dataclass(frozen=True, eq=False)
class Simulations:
    """Parameters and the trials that they gave.

    Attributes:
        theta: (dataset, parameter).
        trials: the same number of data sets.
        parameter_names: the columns of theta.
        simulator: model, prior and design that they came from; None when nobody says.
    """

    theta: Array
    trials: Trials
    parameter_names: tuple[str, ...]
    simulator: Simulator | None = None

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
        n, of = (
            self.trials.n_trials,
            f" of {self.simulator.model.name}" if self.simulator is not None else "",
        )
        sizes = f"{n.min()}–{n.max()}" if len(self) else "no"
        return (
            f"Simulations({len(self)} data sets{of}, {sizes} trials each, parameters"
            f" {', '.join(self.parameter_names)})"
        )

    def joined(self, other: Simulations) -> Simulations:
        """These data sets and then those of others of the same parameters and columns, as one; a
        further round of simulations, for example.

        Raises:
            ValueError: when parameters or columns differ.
        """
        if other.parameter_names != self.parameter_names:
            raise ValueError(
                f"Expected simulations with the parameters {self.parameter_names}; got"
                f" {other.parameter_names}."
            )
        theta, trials = (
            np.concatenate([self.theta, other.theta]),
            renumbered(concatenate([self.trials, other.trials])),
        )
        return Simulations(theta, trials, self.parameter_names, self.simulator)

    def select(
        self, datasets: Sequence[int] | Sequence[str] | Array | slice | int | str
    ) -> Simulations:
        """Some of the data sets, in the order asked for; which as in `incongruent.select`."""
        index = positions_of(self.trials.names, datasets)
        return Simulations(
            self.theta[index], select(self.trials, index), self.parameter_names, self.simulator
        )


class Simulator:
    """Simulates data sets of a model under a prior and a design.

    Args:
        model: what generates the trials.
        prior: for exactly the model's parameters; cut to their domains (at most 1 % of it).
        design: how many trials of which conditions.

    Raises:
        ValueError: when prior or design do not fit the model.

    Example:
        >>> from incongruent import Design, models, priors
        >>> simulator = Simulator(models.dmc(), priors.schaefer2025(), Design(100, {"congruent": 0.5, "incongruent": 0.5}))
        >>> simulator.simulate(3, seed=1).theta.shape
        (3, 6)
    """

    def __init__(self, model: Model, prior: AnyPrior, design: Design | ObservedDesign) -> None:
        self.model, self.prior, self.design = (
            model,
            prior.within(model.parameters),
            design.bound_to(model.columns),
        )

    def __repr__(self) -> str:
        return f"Simulator({self.model.name}, {self.prior}, {self.design})"

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
        given, present = self.design.lay_out_given(
            n_datasets, self.model.columns, stream(seed, Purpose.LAYOUT)
        )
        return Simulations(
            theta, self._in_chunks(theta, given, present, seed, workers), self.prior.names, self
        )

    def simulate_at(self, theta: Array, *, seed: int, workers: int | None = None) -> Trials:
        """Simulate one data set for each row of theta (dataset, parameter), with layouts from the
        design.
        """
        given, present = self.design.lay_out_given(
            len(theta), self.model.columns, stream(seed, Purpose.LAYOUT)
        )
        return self._in_chunks(np.asarray(theta, float), given, present, seed, workers)

    def chunk(self, seed: int, index: int) -> tuple[Array, Trials]:
        """Chunk number ``index`` of an endless series: theta (256, parameter) and data sets of the
        design's largest number of trials.
        """
        return self.drawn(CHUNK, stream(seed, Purpose.BANK, index))

    def drawn(self, n_datasets: int, rng: np.random.Generator) -> tuple[Array, Trials]:
        """Theta (dataset, parameter) and data sets of the design's largest number of trials, from
        one stream of random numbers.
        """
        theta = self.prior.sample(n_datasets, seed=rng)
        return theta, self._trials(
            theta, *self.design.lay_out_given(n_datasets, self.model.columns, rng, full=True), rng
        )

    def _in_chunks(
        self,
        theta: Array,
        given: Mapping[str, Array],
        present: Array,
        seed: int,
        workers: int | None,
    ) -> Trials:
        def one(start: int) -> Trials:
            rows = slice(start, start + CHUNK)
            here = {name: values[rows] for name, values in given.items()}
            return self._trials(
                theta[rows], here, present[rows], stream(seed, Purpose.TRIALS, start // CHUNK)
            )

        with ThreadPoolExecutor(workers or os.cpu_count()) as pool:
            parts = list(pool.map(one, range(0, len(theta), CHUNK)))
        return renumbered(concatenate(parts))

    def _trials(
        self, theta: Array, given: Mapping[str, Array], present: Array, rng: np.random.Generator
    ) -> Trials:
        values, answered = self.model.simulate(theta, given, present, rng)
        answered = answered & present
        values = _typed(self.model, theta, values, present, answered)
        if self.design.deadline is not None:
            answered &= values["rt"] <= self.design.deadline
        outside = np.zeros_like(present)
        excluded = {}
        if self.design.window is not None:
            low, high = self.design.window
            outside = answered & ((values["rt"] < low) | (values["rt"] > high))
            excluded = {OUT_OF_WINDOW: outside.sum(axis=1)}
        return Trials(
            self.model.columns, values, present & ~outside, answered & ~outside, excluded=excluded
        )


def _typed(
    model: Model, theta: Array, values: Mapping[str, Array], present: Array, answered: Array
) -> dict[str, Array]:
    """The values in the types of their columns, after a look at each.

    Raises:
        SimulationError: when a column is missing, has another shape, or holds something that it
            does not allow.
    """
    typed = {}
    for column in model.columns:
        made = values.get(column.name)
        if made is None or np.shape(made) != present.shape:
            came = "none" if made is None else f"shape {np.shape(made)}"
            raise SimulationError(
                f"Expected {column.name!r} of shape {present.shape}, (dataset, trial), from the"
                f" simulator {model.name!r}; got {came}."
            )
        fine, wanted = allowed(column, np.asarray(made))
        wrong = (present if column.given else answered) & ~fine
        if wrong.any():
            row, trial = np.argwhere(wrong)[0]
            at = ", ".join(
                f"{name}={value:.4g}"
                for name, value in zip(model.parameter_names, theta[row], strict=True)
            )
            raise SimulationError(
                f"Expected {wanted} in column {column.name!r} from the simulator {model.name!r};"
                f" got {made[row, trial]} at {at}. Mark trials without an answer as such, or narrow"
                " the prior to where the simulator works."
            )
        typed[column.name] = np.asarray(made).astype(column.dtype, copy=False)
    return typed
