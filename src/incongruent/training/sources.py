"""Where training data come from: simulated while learning, stored in memory, or a bank on disk.

Each source opens the batches that a learner draws from: a buffer that fills while the network
learns, or a cache of everything.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials
from incongruent.simulation.simulator import CHUNK, Simulator
from incongruent.storage.bank.bank import Bank
from incongruent.training.batches import Arrived, Batches, RandomRuns
from incongruent.training.buffer import Buffer
from incongruent.training.cache import Cache

Array = np.ndarray


class Source(Protocol):
    """Data sets, and what is to be learned about each of them."""

    @property
    def simulator(self) -> Simulator:
        """Model, prior and design of the trials."""
        ...

    @property
    def n_stored(self) -> int | None:
        """How many different data sets there are; None when new ones are made all the time."""
        ...

    @property
    def target_dim(self) -> int:
        """How many numbers are to be learned about a data set."""
        ...

    def some_trials(self) -> Trials:
        """The trials of some data sets, at most 256; always the same ones."""
        ...

    def fingerprint(self) -> str | None:
        """Tells one set of stored data sets from another; None when they are made by seed."""
        ...

    def batches(self, runs: RandomRuns, n_bytes: int, after: Arrived) -> Batches:
        """Begin to provide batches.

        Args:
            runs: how they are drawn.
            n_bytes: room for coded trials that are not in memory anyway.
            after: what had arrived before a restart.
        """
        ...


@dataclass(frozen=True, eq=False)
class Fresh:
    """Data sets that are simulated while the network learns.

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

    def some_trials(self) -> Trials:
        """Those of the first chunk."""
        return self.chunk(0)[1]

    def fingerprint(self) -> None:
        """None, since the seed tells everything."""

    def batches(self, runs: RandomRuns, n_bytes: int, after: Arrived) -> Batches:
        """A buffer that is filled by simulating."""
        return Buffer(self, runs, n_bytes=n_bytes, after=after)


@dataclass(frozen=True, eq=False)
class FromBank:
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
        order = stream(self.seed, Purpose.BANK_ORDER, turn).permutation(len(self.chunks))
        theta, trials = self.bank.chunk(self.chunks[int(order[place])])
        return self.simulator.prior.to_real(theta), trials

    def some_trials(self) -> Trials:
        """Those of the first chunk that is read."""
        return self.chunk(0)[1]

    def fingerprint(self) -> str:
        """Where the bank is."""
        return str(self.bank.path)

    def batches(self, runs: RandomRuns, n_bytes: int, after: Arrived) -> Batches:
        """A buffer that is filled by reading."""
        return Buffer(self, runs, n_bytes=n_bytes, after=after)


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

    def some_trials(self) -> Trials:
        """Those of the first 256 data sets; where there are fewer, they are repeated."""
        return self.trials.select(np.arange(CHUNK) % len(self.trials))

    def fingerprint(self) -> str:
        """A hash of what is to be learned."""
        return hashlib.sha256(np.ascontiguousarray(self.z).tobytes()).hexdigest()[:16]

    def batches(self, runs: RandomRuns, n_bytes: int, after: Arrived) -> Batches:
        """A cache of all of them, for which there is memory already."""
        return Cache(self.z, self.trials, runs)
