"""Where training data come from: simulated while learning, or stored, in chunks of 256 data sets."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials, first_of, select, shuffled
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import CHUNK, Simulations, Simulator
from incongruent.storage.bank.bank import Bank

Array = np.ndarray

N_VALIDATION = 2048
FEWEST = 20
"""Simulations to learn from."""
ENOUGH = 512
"""Validation data sets of which fewer are used several times, with other trials."""
BYTES_PER_TRIAL = 8
"""About what a coded trial takes."""


class Source(Protocol):
    """An endless or finite series of chunks, each with what is to be learned about every data set
    and its trials.
    """

    @property
    def simulator(self) -> Simulator:
        """Model, prior and design of the trials."""
        ...

    @property
    def n_stored(self) -> int | None:
        """How many different data sets there are; None when each chunk is new."""
        ...

    @property
    def target_dim(self) -> int:
        """How many numbers are to be learned about a data set."""
        ...

    def chunk(self, index: int) -> tuple[Array, Trials]:
        """What is to be learned, (256, target), and the trials of chunk number ``index``."""
        ...


@dataclass(frozen=True, eq=False)
class Fresh:
    """Simulated while the network learns.

    Attributes:
        simulator: that makes the data sets.
        seed: of the series.
    """

    simulator: Simulator
    seed: int
    n_stored: None = None

    @property
    def target_dim(self) -> int:
        """How many numbers are to be learned about a data set."""
        return len(self.simulator.prior.names)

    def chunk(self, index: int) -> tuple[Array, Trials]:
        """Z (256, parameter) and the trials of chunk number ``index``."""
        theta, trials = self.simulator.chunk(child(self.seed, Purpose.SERIES), index)
        return self.simulator.prior.to_real(theta), trials


@dataclass(frozen=True, eq=False)
class Shelf:
    """Some chunks of a bank, read again and again in an order that changes with every round.

    Attributes:
        bank: on disk.
        chunks: which of its chunks.
        seed: of the order.
        n_stored: data sets in these chunks.
    """

    bank: Bank
    chunks: tuple[int, ...]
    seed: int
    n_stored: int

    @property
    def simulator(self) -> Simulator:
        """What made the bank."""
        return self.bank.simulator

    @property
    def target_dim(self) -> int:
        """How many numbers are to be learned about a data set."""
        return len(self.simulator.prior.names)

    def chunk(self, index: int) -> tuple[Array, Trials]:
        """Z (dataset, parameter) and the trials of the next chunk; at most 256 data sets."""
        turn, place = divmod(index, len(self.chunks))
        order = stream(self.seed, Purpose.SHELF_ORDER, turn).permutation(len(self.chunks))
        theta, trials = self.bank.chunk(self.chunks[int(order[place])])
        return self.simulator.prior.to_real(theta), trials


@dataclass(frozen=True, eq=False)
class Stored:
    """Data sets in memory.

    Attributes:
        simulator: model, prior and design of the trials.
        z: (dataset, target) what is to be learned.
        trials: in random order within each data set.
    """

    simulator: Simulator
    z: Array
    trials: Trials

    @property
    def n_stored(self) -> int:
        """How many there are."""
        return len(self.trials)

    @property
    def target_dim(self) -> int:
        """How many numbers are to be learned about a data set."""
        return self.z.shape[1]

    def chunk(self, index: int) -> tuple[Array, Trials]:
        """Z (256, target) and trials number ``index`` of an endless series that goes round."""
        rows = (index * CHUNK + np.arange(CHUNK)) % len(self.trials)
        return self.z[rows], select(self.trials, rows)


@dataclass(frozen=True, eq=False)
class Data:
    """What to learn from, and what to look at in between.

    Attributes:
        source: of training data.
        held_out: makes or fetches the data sets that are never trained on.
    """

    source: Source
    held_out: Callable[[], Stored]

    def fingerprint(self) -> str | None:
        """Tells one stored set of simulations from another; None when they are made by seed."""
        if isinstance(self.source, Stored):
            return hashlib.sha256(np.ascontiguousarray(self.source.z).tobytes()).hexdigest()[:16]
        return str(self.source.bank.path) if isinstance(self.source, Shelf) else None


def data_for(
    given: Simulator | Simulations | Bank,
    validation: Simulations | Bank | None,
    seed: int,
    n_bytes: int,
) -> Data:
    """What is to be learned from.

    Args:
        given: a simulator, which simulates while the network learns; simulations; or a bank.
        validation: data sets that are never trained on; when left out, simulated, or a tenth of
            those given.
        seed: of the series, the split and the order of trials.
        n_bytes: banks that need more are read while the network learns.

    Raises:
        TypeError: for something else, or a design that has no sizes to draw from.
        ValueError: when there are too few data sets, or validation data are of another kind.
    """
    if isinstance(given, Simulator):
        _drawable(given)
        fresh = Fresh(given, seed)
        return Data(
            fresh,
            lambda: (
                _kept(validation, given, seed)
                if validation is not None
                else _simulated(given, seed)
            ),
        )
    if isinstance(given, Bank):
        return _from_bank(given, validation, seed, n_bytes)
    if not isinstance(given, Simulations):
        raise TypeError(
            "Expected a Simulator, Simulations or a Bank to learn from; got"
            f" {type(given).__name__}."
        )
    if given.simulator is None:
        raise TypeError(
            "Expected simulations that say what made them; got none. Make them with"
            " Simulator.simulate or simulations_from."
        )
    simulator = given.simulator
    _drawable(simulator)
    if validation is not None:
        return Data(_stored(given, simulator, seed), lambda: _kept(validation, simulator, seed))
    if len(given) < FEWEST:
        raise ValueError(f"Expected at least {FEWEST} data sets to learn from; got {len(given)}.")
    order = stream(seed, Purpose.SPLIT).permutation(len(given))
    n_out = min(N_VALIDATION, len(given) // 10)
    kept = given.select(order[:n_out])
    return Data(
        _stored(given.select(order[n_out:]), simulator, seed), lambda: _kept(kept, simulator, seed)
    )


def _from_bank(bank: Bank, validation: Simulations | Bank | None, seed: int, n_bytes: int) -> Data:
    chunks = np.flatnonzero(bank.done)
    simulator = bank.simulator
    _drawable(simulator)
    needed = len(bank) * simulator.design.largest * BYTES_PER_TRIAL
    if len(chunks) < 4 or needed <= n_bytes:
        return data_for(bank.simulations(chunks), validation, seed, n_bytes)
    if validation is not None:
        return Data(_shelf(bank, chunks, seed), lambda: _kept(validation, simulator, seed))
    n_out = max(1, min(N_VALIDATION // CHUNK, len(chunks) // 10))
    return Data(
        _shelf(bank, chunks[:-n_out], seed),
        lambda: _kept(bank.simulations(chunks[-n_out:]), simulator, seed),
    )


def _shelf(bank: Bank, chunks: Array, seed: int) -> Shelf:
    return Shelf(
        bank, tuple(map(int, chunks)), seed, sum(bank.origin(int(index)).n for index in chunks)
    )


def _drawable(simulator: Simulator) -> None:
    if not isinstance(simulator.design, Design):
        raise TypeError(
            "Expected a simulator with a Design to train on; got"
            f" {type(simulator.design).__name__}, which has no sizes to draw from."
        )


def _simulated(simulator: Simulator, seed: int) -> Stored:
    simulations = simulator.simulate(N_VALIDATION, seed=child(seed, Purpose.HELD_OUT))
    return Stored(simulator, simulator.prior.to_real(simulations.theta), simulations.trials)


def _stored(
    simulations: Simulations, simulator: Simulator, seed: int, order: Purpose = Purpose.TRIAL_ORDER
) -> Stored:
    if (
        simulations.parameter_names != simulator.prior.names
        or simulations.trials.columns != simulator.model.columns
    ):
        raise ValueError(
            f"Expected simulations with parameters {simulator.prior.names} and columns"
            f" {[c.name for c in simulator.model.columns]}; got {simulations.parameter_names} and"
            f" {[c.name for c in simulations.trials.columns]}."
        )
    if (simulations.trials.n_trials == 0).any():
        n_empty = int((simulations.trials.n_trials == 0).sum())
        raise ValueError(
            f"Expected at least one trial in every data set; {n_empty} have none. Leave them out"
            " with Simulations.select."
        )
    z = simulator.prior.to_real(simulations.theta)
    if not np.isfinite(z).all():
        row = int(np.argmin(np.isfinite(z).all(axis=1)))
        raise ValueError(
            f"Expected theta within the support of {simulator.prior}; got {simulations.theta[row]}"
            f" in data set {row + 1}."
        )
    return Stored(simulator, z, shuffled(simulations.trials, stream(seed, order)))


def _kept(validation: Simulations | Bank, simulator: Simulator, seed: int) -> Stored:
    """Validation data with as many trials as the design draws; a few data sets are used several
    times, each time with others of their trials.
    """
    simulations = validation.simulations() if isinstance(validation, Bank) else validation
    if len(simulations) == 0:
        raise ValueError("Expected at least one data set for validation; got none.")
    design = simulator.design
    times = 1 if design.smallest == design.largest else max(1, ENOUGH // len(simulations))
    rows = np.tile(np.arange(len(simulations)), times)[:N_VALIDATION]
    stored = _stored(simulations.select(rows), simulator, seed, Purpose.HELD_OUT_TRIAL_ORDER)
    return Stored(
        simulator,
        stored.z,
        first_of(stored.trials, design.sizes(len(rows), stream(seed, Purpose.HELD_OUT_SIZES))),
    )
