"""What is learned from, and what is held out from it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import first_of, shuffled
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import CHUNK, Simulations, Simulator
from incongruent.storage.bank.bank import Bank
from incongruent.training.sources import Fresh, FromBank, Source, Stored

Array = np.ndarray

N_VALIDATION = 2048
FEWEST = 20
"""Simulations to learn from."""
ENOUGH = 512
"""Validation data sets of which fewer are used several times, with other trials."""
BYTES_PER_TRIAL = 8
"""About what a coded trial takes."""
FEW_CHUNKS = 4
"""A bank of fewer chunks is read into memory, however large they are."""


@dataclass(frozen=True, eq=False)
class Data:
    """What to learn from, and what to look at in between.

    Attributes:
        source: of training data.
        held_out: makes or fetches the data sets that are never trained on.
    """

    source: Source
    held_out: Callable[[], Stored]


def data_for(
    given: Simulator | Simulations | Bank,
    validation: Simulations | Bank | None,
    seed: int,
    n_bytes: int,
) -> Data:
    """What is to be learned from, and what is held out.

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
        return _from_simulator(given, validation, seed)
    if isinstance(given, Bank):
        return _from_bank(given, validation, seed, n_bytes)
    if isinstance(given, Simulations):
        return _from_simulations(given, validation, seed)
    raise TypeError(
        f"Expected a Simulator, Simulations or a Bank to learn from; got {type(given).__name__}."
    )


def _from_simulator(simulator: Simulator, validation: Simulations | Bank | None, seed: int) -> Data:
    """Learn from fresh simulations; other fresh ones are held out, unless some are given."""
    _check_drawable(simulator)
    if validation is None:
        return Data(Fresh(simulator, seed), lambda: _simulated(simulator, seed))
    return Data(Fresh(simulator, seed), lambda: _held_out(validation, simulator, seed))


def _from_simulations(given: Simulations, validation: Simulations | Bank | None, seed: int) -> Data:
    """Learn from simulations in memory; a tenth is held out, unless others are given."""
    if given.simulator is None:
        raise TypeError(
            "Expected simulations that say what made them; got none. Make them with"
            " Simulator.simulate or simulations_from."
        )
    simulator = given.simulator
    _check_drawable(simulator)
    learned_from, held_out = (given, validation) if validation is not None else _split(given, seed)
    return Data(
        _stored(learned_from, simulator, seed), lambda: _held_out(held_out, simulator, seed)
    )


def _split(given: Simulations, seed: int) -> tuple[Simulations, Simulations]:
    """All simulations but a tenth, and that tenth; which ones, the seed says."""
    if len(given) < FEWEST:
        raise ValueError(f"Expected at least {FEWEST} data sets to learn from; got {len(given)}.")
    order = stream(seed, Purpose.SPLIT).permutation(len(given))
    n_out = min(N_VALIDATION, len(given) // 10)
    return given.select(order[n_out:]), given.select(order[:n_out])


def _from_bank(bank: Bank, validation: Simulations | Bank | None, seed: int, n_bytes: int) -> Data:
    """Learn from a bank: a small one in memory, of others the last chunks are held out."""
    chunks, simulator = np.flatnonzero(bank.done), bank.simulator
    _check_drawable(simulator)
    needed = len(bank) * simulator.design.largest * BYTES_PER_TRIAL
    if len(chunks) < FEW_CHUNKS or needed <= n_bytes:
        return _from_simulations(bank.simulations(chunks), validation, seed)
    if validation is not None:
        return Data(_chunks_of(bank, chunks, seed), lambda: _held_out(validation, simulator, seed))
    n_out = max(1, min(N_VALIDATION // CHUNK, len(chunks) // 10))
    return Data(
        _chunks_of(bank, chunks[:-n_out], seed),
        lambda: _held_out(bank.simulations(chunks[-n_out:]), simulator, seed),
    )


def _chunks_of(bank: Bank, chunks: Array, seed: int) -> FromBank:
    n_stored = sum(bank.origin(int(index)).n for index in chunks)
    return FromBank(bank, tuple(map(int, chunks)), seed, n_stored)


def _check_drawable(simulator: Simulator) -> None:
    """Look whether the design has sizes to draw from."""
    if not isinstance(simulator.design, Design):
        raise TypeError(
            "Expected a simulator with a Design to train on; got"
            f" {type(simulator.design).__name__}, which has no sizes to draw from."
        )


def _simulated(simulator: Simulator, seed: int) -> Stored:
    """Fresh validation data."""
    simulations = simulator.simulate(N_VALIDATION, seed=child(seed, Purpose.HELD_OUT))
    return Stored(simulator, simulator.prior.to_real(simulations.theta), simulations.trials)


def _stored(
    simulations: Simulations, simulator: Simulator, seed: int, order: Purpose = Purpose.TRIAL_ORDER
) -> Stored:
    """Simulations on the real line, with trials in random order."""
    _check_columns(simulations, simulator)
    z = simulator.prior.to_real(simulations.theta)
    _check_finite(z, simulations, simulator)
    return Stored(simulator, z, shuffled(simulations.trials, stream(seed, order)))


def _check_columns(simulations: Simulations, simulator: Simulator) -> None:
    """Look whether parameters and columns are the simulator's, and no data set is empty."""
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


def _check_finite(z: Array, simulations: Simulations, simulator: Simulator) -> None:
    """Look whether the prior can have given every theta."""
    if not np.isfinite(z).all():
        row = int(np.argmin(np.isfinite(z).all(axis=1)))
        raise ValueError(
            f"Expected theta within the support of {simulator.prior}; got {simulations.theta[row]}"
            f" in data set {row + 1}."
        )


def _held_out(validation: Simulations | Bank, simulator: Simulator, seed: int) -> Stored:
    """Validation data with as many trials as the design draws.

    A few data sets are used several times, each time with others of their trials.
    """
    simulations = validation.simulations() if isinstance(validation, Bank) else validation
    if len(simulations) == 0:
        raise ValueError("Expected at least one data set for validation; got none.")
    design = simulator.design
    assert isinstance(design, Design)  # `_check_drawable` has refused anything else
    times = 1 if design.smallest == design.largest else max(1, ENOUGH // len(simulations))
    rows = np.tile(np.arange(len(simulations)), times)[:N_VALIDATION]
    stored = _stored(simulations.select(rows), simulator, seed, Purpose.HELD_OUT_TRIAL_ORDER)
    sizes = design.sizes(len(rows), stream(seed, Purpose.HELD_OUT_SIZES))
    return Stored(simulator, stored.z, first_of(stored.trials, sizes))
