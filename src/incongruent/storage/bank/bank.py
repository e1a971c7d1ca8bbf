"""Banks: simulations in a folder, in chunks of 256 data sets that are complete or absent.

A bank is larger than memory, read while it is written, written by many processes and machines at
once, and resumed after a kill at any moment. Its card says which simulator and which seed made it;
chunk i is exactly ``simulator.chunk(seed, i)``, so that it does not matter who writes it: a model
that gives other numbers on other machines is found by the checksums, and by
`incongruent.storage.bank.upkeep.verify`.

With DMC, 200 trials and 256 data sets a chunk, a data set takes 810 bytes: 4 for the RT of each
trial less 12 %, some 60 for condition and response, 46 for theta, 2 for the masks. Trials that are
all present cost nothing.
"""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from incongruent.data.basics.packing import for_processes
from incongruent.data.basics.plain import whole_number
from incongruent.data.basics.streams import as_seed
from incongruent.data.trials import Trials, concatenate, renumbered
from incongruent.models import Model
from incongruent.simulation.simulator import CHUNK, Simulations, Simulator
from incongruent.storage.atomic import FileError
from incongruent.storage.bank.card import read_card, refuse_others, simulator_card, writing
from incongruent.storage.bank.folder import make_folder, set_size, size_of
from incongruent.storage.bank.layout import (
    Origin,
    from_arrays,
    layout_of,
    marked,
    marker_path,
    read_arrays,
    to_arrays,
    write_arrays,
)
from incongruent.storage.cards import simulator_from_json

Array = np.ndarray
Progress = Callable[[int, int], None]
"""Called with how many chunks are done, and of how many."""


def silent(done: int, total: int) -> None:
    """Show no progress."""


@dataclass(frozen=True, eq=False)
class Bank:
    """A folder of simulations, open for reading.

    It is made by `write_bank` or `merge_banks`, and opened by `open_bank`.

    Attributes:
        path: of the folder.
        simulator: what made the simulations.
        seed: of all chunks; None when they were merged from several seeds.
        origins: where each chunk comes from, when the seed does not say.

    Example:
        >>> import tempfile
        >>> from incongruent import Design, models, priors
        >>> design = Design(20, {"congruent": 0.5, "incongruent": 0.5})
        >>> simulator = Simulator(models.dmc(), priors.schaefer2025(), design)
        >>> folder = tempfile.TemporaryDirectory()
        >>> bank = write_bank(folder.name, simulator, 600, seed=1)
        >>> len(bank), bank.n_chunks, bank.done.tolist()
        (600, 3, [True, True, True])
        >>> theta, trials = open_bank(folder.name).chunk(2)  # the last holds the rest
        >>> theta.shape, len(trials)
        ((88, 6), 88)
        >>> folder.cleanup()
    """

    path: Path
    simulator: Simulator
    seed: int | None
    origins: tuple[Origin, ...] | None = field(default=None, repr=False)

    @property
    def n_datasets(self) -> int:
        """How many data sets the bank is meant to hold, as its folder says now.

        It need not be a multiple of 256: the last chunk holds the rest.
        """
        if self.origins is not None:
            return sum(origin.n for origin in self.origins)
        return size_of(self.path)

    @property
    def n_chunks(self) -> int:
        """How many chunks the bank is meant to hold."""
        return _n_chunks(self.n_datasets) if self.origins is None else len(self.origins)

    @property
    def done(self) -> Array:
        """Which chunks are complete, bool (chunk,), as the folder says now.

        Their checksums are compared when they are read.
        """
        return marked(self.path, self.n_chunks)

    @property
    def missing(self) -> Array:
        """The chunks that are not there yet, int (n,), as the folder says now."""
        return np.flatnonzero(~self.done)

    def __len__(self) -> int:
        """Data sets in complete chunks."""
        done = self.done
        return int(np.sum(self._sizes(len(done))[done]))

    def _sizes(self, n_chunks: int) -> Array:
        """How many data sets each chunk is meant to hold, int (chunk,)."""
        if self.origins is not None:
            return np.array([origin.n for origin in self.origins], int)
        return np.minimum(CHUNK, self.n_datasets - CHUNK * np.arange(n_chunks))

    def __str__(self) -> str:
        design = self.simulator.design
        seed = "several seeds" if self.seed is None else f"seed {self.seed}"
        return (
            f"Bank of {len(self):,} of {self.n_datasets:,} data sets ({int(self.done.sum())} of"
            f" {self.n_chunks} chunks complete) of the model {self.simulator.model.name!r}, up to"
            f" {design.largest} trials each, {seed}, in {self.path}."
        )

    def origin(self, index: int) -> Origin:
        """Where a chunk comes from.

        Raises:
            FileError: when the bank has no chunk of that number.
        """
        n_chunks, n_datasets = self.n_chunks, self.n_datasets
        if not 0 <= index < n_chunks:
            raise FileError(
                f"Expected a chunk from 0 to {n_chunks - 1} of the bank {self.path}; got {index}."
                " Extend the bank with write_bank."
            )
        if self.origins is not None:
            return self.origins[index]
        assert self.seed is not None
        return Origin(self.seed, int(index), min(CHUNK, n_datasets - CHUNK * int(index)))

    def arrays(self, index: int) -> dict[str, Array]:
        """All 256 data sets of a chunk as they are on the disk, by the name of their array.

        Raises:
            FileError: when the chunk is absent or damaged.
        """
        return read_arrays(self.path, layout_of(self.simulator), int(index), self.origin(index))

    def chunk(self, index: int) -> tuple[Array, Trials]:
        """Theta (256, parameter) and trials, bit for bit what ``simulator.chunk`` made.

        Of the last chunk only the first data sets, those that belong to the bank.

        Raises:
            FileError: when the chunk is absent or damaged.
        """
        theta, trials = from_arrays(
            self.arrays(index), self.simulator.model.columns, self.simulator.reasons
        )
        n = self.origin(index).n
        return (theta, trials) if n == CHUNK else (theta[:n], trials.select(slice(n)))

    def simulations(self, chunks: Sequence[int] | Array | None = None) -> Simulations:
        """Some chunks in memory, in the order asked for; all complete ones when left out.

        Raises:
            FileError: when there are none, or one is absent or damaged.
        """
        chunks = np.flatnonzero(self.done) if chunks is None else chunks
        if not len(chunks):
            raise FileError(
                f"Expected at least one complete chunk in the bank {self.path}; there is none."
                " Write some with write_bank."
            )
        thetas, trials = zip(*(self.chunk(int(index)) for index in chunks), strict=True)
        names = self.simulator.prior.names
        joined = renumbered(concatenate(trials))
        return Simulations(np.concatenate(thetas), joined, names, self.simulator)


def open_bank(path: str | os.PathLike[str], model: Model | None = None) -> Bank:
    """Open a bank for reading; it may be written meanwhile.

    Args:
        path: its folder.
        model: the model, when it does not ship with the package; without it, one that cannot
            simulate.

    Raises:
        FileError: when the bank is absent, foreign, damaged, of an unknown version or of another
            model.
    """
    card = read_card(Path(path))
    simulator = _simulator_in(card, model, path)
    if model is not None:
        _refuse_other_simulator(card["simulator"], simulator, path)
    return Bank(Path(path), simulator, card["seed"], _origins_in(card))


def _origins_in(card: Mapping[str, Any]) -> tuple[Origin, ...] | None:
    """Where each chunk of a merged bank comes from; None for a bank of one seed."""
    return None if card["origins"] is None else tuple(Origin(*of) for of in card["origins"])


def _simulator_in(
    card: Mapping[str, Any], model: Model | None, path: str | os.PathLike[str]
) -> Simulator:
    """The simulator that the card of a bank describes."""
    try:
        return simulator_from_json(card["simulator"], model)
    except FileError:
        raise
    except (KeyError, TypeError, ValueError) as error:
        raise FileError(
            f"Expected a simulator in the card of the bank {path}; it cannot be made: {error}. Use"
            " the release that wrote it."
        ) from error


def _refuse_other_simulator(
    stored: Mapping[str, Any], simulator: Simulator, path: str | os.PathLike[str]
) -> None:
    """Refuse a simulator that differs from the one in the card of a bank."""
    refuse_others({"simulator": stored}, {"simulator": simulator_card(simulator)}, path)


def write_bank(
    path: str | os.PathLike[str],
    simulator: Simulator,
    n_datasets: int,
    *,
    seed: int,
    workers: int | None = None,
    executor: Executor | None = None,
    progress: Progress = silent,
) -> Bank:
    """Simulate into a folder, or go on with what is there already.

    Several processes and machines may write the same bank at once.

    Args:
        path: of the folder; made when it is not there.
        simulator: model, prior and design; data sets have the design's largest number of trials.
        n_datasets: how many; the last chunk holds the rest. More than before extends the bank;
            fewer leave it as large as it was.
        seed: the same seed gives the same bank, whoever writes it.
        workers: threads; one for each core when left out.
        executor: writes chunks instead of threads of this process: a `concurrent.futures` executor,
            or that of a dask cluster whose workers see the same folder,
            ``client.get_executor(retries=3)``.
        progress: called after each chunk with how many are done, and of how many.

    Raises:
        FileError: when the folder holds something else, a bank of another simulator or seed, or
            cannot be written to.
        pickle.PicklingError: for a simulator that processes cannot be given.
    """
    n_datasets, seed = whole_number("n_datasets", n_datasets, 1), as_seed(seed)
    for_processes(executor, simulator)  # refused before anything is made
    folder = Path(path)
    card = {"simulator": simulator_card(simulator), "seed": seed, "origins": None}
    with writing(folder):
        make_folder(folder, simulator, card, _n_chunks(n_datasets))
        set_size(folder, n_datasets)
    bank = Bank(folder, simulator, seed)
    _write_missing(bank, _n_chunks(n_datasets), workers, executor, progress)
    return bank


def write_chunk(
    path: str | os.PathLike[str],
    index: int,
    *,
    simulator: Simulator | None = None,
    model: Model | None = None,
) -> None:
    """Simulate one chunk of a bank and put it into its place, also when it is there already.

    It is the unit of work of any process on any machine.

    Args:
        path: of a bank that `write_bank` or `merge_banks` made.
        index: of the chunk.
        simulator: that of the bank; made from its card when left out, which is possible unless its
            design holds functions.
        model: the model, when it does not ship with the package and no simulator is given.

    Raises:
        FileError: when there is no such bank or chunk, or the simulator is another one.
        SimulationError: when the model cannot simulate.
    """
    bank = open_bank(path, model)
    if simulator is not None:
        _refuse_other_simulator(simulator_card(bank.simulator), simulator, path)
    _simulate(bank, simulator or bank.simulator, int(index))


def _simulate(bank: Bank, simulator: Simulator, index: int) -> None:
    """Simulate one chunk, and write it."""
    origin = bank.origin(index)
    arrays = to_arrays(*simulator.chunk(origin.seed, origin.index))
    with writing(bank.path):
        write_arrays(bank.path, layout_of(simulator), index, origin, arrays)


def write_if_missing(bank: Bank, index: int) -> int:
    """Simulate one chunk unless it is there already, and give back its number.

    Executors are given this function.
    """
    if not marker_path(bank.path, index).exists():
        _simulate(bank, bank.simulator, index)
    return index


def _missing_in_random_order(bank: Bank, n_chunks: int) -> list[int]:
    missing = [int(index) for index in np.flatnonzero(~marked(bank.path, n_chunks))]
    random.SystemRandom().shuffle(missing)
    return missing


def _write_missing(
    bank: Bank, n_chunks: int, workers: int | None, executor: Executor | None, progress: Progress
) -> None:
    """Simulate the chunks that are not there, on an executor or on threads of this process.

    They are made in random order, so that several writers seldom make the same chunk; what a chunk
    holds does not depend on it.
    """
    missing = _missing_in_random_order(bank, n_chunks)
    n_there = n_chunks - len(missing)
    progress(n_there, n_chunks)
    pool = ThreadPoolExecutor(workers or os.cpu_count()) if executor is None else executor
    write = for_processes(executor, partial(write_if_missing, bank))
    tasks = [pool.submit(write, index) for index in missing]
    try:
        _wait(tasks, lambda n: progress(n_there + n, n_chunks))
    finally:
        for task in tasks:
            task.cancel()
        if executor is None:
            pool.shutdown(cancel_futures=True)


def _wait(tasks: Iterable[Future[int]], done: Callable[[int], None]) -> None:
    """Wait until all tasks are done, and say after each how many are."""
    for n, task in enumerate(as_completed(tasks), start=1):
        task.result()
        done(n)


def _n_chunks(n_datasets: int) -> int:
    """How many chunks so many data sets need."""
    return -(-int(n_datasets) // CHUNK)
