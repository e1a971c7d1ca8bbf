"""A buffer of recent chunks of data sets, which threads fill while the network learns."""

from __future__ import annotations

import os
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Protocol

import numpy as np

from incongruent.data.trials import Trials
from incongruent.networks.encoder import Coded
from incongruent.simulation.simulator import CHUNK
from incongruent.training.batches import NOTHING, Arrived, Batches, RandomRuns

Array = np.ndarray

N_WORKERS = max(1, (os.cpu_count() or 2) // 2)
"""Threads that simulate or read; the learner has the other cores."""
FEWEST_CHUNKS = 4
"""For which there is room in any case."""


class Series(Protocol):
    """An endless series of chunks of data sets, and what is to be learned about each data set."""

    @property
    def target_dim(self) -> int:
        """How many numbers are to be learned about a data set."""
        ...

    def chunk(self, index: int) -> tuple[Array, Trials]:
        """What is to be learned, (256, target), and the trials of chunk number ``index``."""
        ...


class Buffer(Batches):
    """Recent chunks of a series, coded for one encoder; new ones overwrite the oldest.

    Only the thread that takes in and draws touches the buffer; the workers hand over chunks that
    are finished. So neither side waits for the other.

    Args:
        series: of the chunks.
        runs: how batches are drawn.
        n_bytes: room for the coded trials.
        workers: threads that simulate or read.
        after: what had arrived before a restart; the buffer is empty at first in any case.
    """

    def __init__(
        self,
        series: Series,
        runs: RandomRuns,
        *,
        n_bytes: int,
        workers: int = N_WORKERS,
        after: Arrived = NOTHING,
    ) -> None:
        self.series, self.runs, self.after = series, runs, after
        self.capacity = _room_for(runs, n_bytes)
        self._z = np.empty((self.capacity, series.target_dim), np.float32)
        self._coded: Coded | None = None  # room is made when the first chunk shows of what kind
        self._n_simulated = self._n_chunks = 0
        self._next = after.next_chunk
        self._waiting: deque[Future[tuple[Array, Coded]]] = deque()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="simulate")
        self._in_work = workers + 1
        self._ask()

    @property
    def arrived(self) -> Arrived:
        """How many data sets and chunks have been taken in, also before a restart."""
        return Arrived(
            self.after.n_simulated + self._n_simulated,
            self.after.n_chunks + self._n_chunks,
            self._next - len(self._waiting),
        )

    def wait_for(self, n_chunks: int) -> None:
        """Take in as many chunks as make that number, and wait where necessary.

        Those before a restart count.
        """
        self._ask()
        while self.after.n_chunks + self._n_chunks < n_chunks:
            self._take_next()
            self._ask()

    def take_ready(self, most: int | None = None) -> None:
        """Take in the chunks that are ready.

        Args:
            most: begin no further chunks while so many are in the buffer or begun; the workers
                rest, and the learner has their cores.
        """
        self._ask(most)
        while self._waiting and self._waiting[0].done():
            self._take_next()
            self._ask(most)

    def draw(self, batch_size: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """A batch: z (batch, target) and features (batch, …).

        Raises:
            ValueError: when nothing has arrived yet.
        """
        if self._coded is None:
            raise ValueError(
                "Expected simulations in the buffer; got none yet. Call wait_for(1) first."
            )
        n = min(self._n_simulated, self.capacity)
        return self.runs.draw(self._z, self._coded, n, batch_size, rng)

    def close(self) -> None:
        """Stop the workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, most: int | None = None) -> None:
        """Keep the workers busy, unless there is enough."""
        while len(self._waiting) < self._in_work and (
            most is None or self._n_chunks + len(self._waiting) < most
        ):
            self._waiting.append(self._pool.submit(self._make, self._next))
            self._next += 1

    def _make(self, index: int) -> tuple[Array, Coded]:
        """What a worker does: simulate or read a chunk, and code it."""
        z, trials = self.series.chunk(index)
        return z.astype(np.float32), self.runs.encoder.code(trials)

    def _take_next(self) -> None:
        """Write the next chunk over the oldest data sets, waiting until it is finished."""
        z, coded = self._waiting.popleft().result()
        if self._coded is None:
            self._coded = coded.room(self.capacity, self.runs.design.largest)
        rows = (self._n_simulated + np.arange(len(z))) % self.capacity
        self._z[rows] = z
        self._coded.put(rows, coded)
        self._n_simulated += len(z)
        self._n_chunks += 1


def _room_for(runs: RandomRuns, n_bytes: int) -> int:
    """How many data sets there is room for: whole chunks, and at least a few."""
    bytes_each = runs.encoder.bytes_per_trial * runs.design.largest
    return max(FEWEST_CHUNKS * CHUNK, n_bytes // bytes_each // CHUNK * CHUNK)
