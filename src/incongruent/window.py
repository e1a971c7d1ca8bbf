"""A window of recent simulations, which threads fill while the network learns.

Trials are exchangeable, so a run of n trials of a longer data set is a data set of n trials. The window keeps long data sets; every batch takes a
fresh random run, of a fresh size, of random ones. A data set is thus used several times but never twice alike, and neither side waits for the other.

Where an encoder pads to a common length, the sizes of a batch all come from one rung of its ladder of lengths: one size drawn from the design
says which, and those of the batch from the design's sizes on it. Over many batches every size is as frequent as ever, and padding is a third of a
batch at most.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from incongruent.designs import Design
from incongruent.networks.encoders import Coded, Encoder, rung_of
from incongruent.simulation import CHUNK, Simulator, generator

Array = np.ndarray

Chunk = tuple[Array, Coded]


class Window:
    """Recent simulations of one simulator, coded for one encoder.

    Only the thread that calls `refresh` and `draw` touches the window; the workers hand over finished chunks.

    Args:
        simulator: its design must be a `Design`, a family that has sizes to draw from.
        encoder: codes the trials.
        seed: of the simulations and of the draws.
        n_bytes: room for the coded trials.
        workers: threads that simulate.
        first_chunk: where in the endless series of chunks to begin.
    """

    def __init__(self, simulator: Simulator, encoder: Encoder, *, seed: int, n_bytes: int, workers: int, first_chunk: int = 0) -> None:
        if not isinstance(simulator.design, Design):
            raise TypeError(
                f"Expected a simulator with a Design to train on; got {type(simulator.design).__name__}, which has no sizes to draw from."
            )
        self.simulator, self.encoder, self.seed = simulator, encoder, seed
        self.width, dim = simulator.design.largest, len(simulator.prior.names)
        self.capacity = max(4 * CHUNK, n_bytes // (encoder.bytes_per_trial * self.width) // CHUNK * CHUNK)
        self._z = np.empty((self.capacity, dim), np.float32)
        self._coded: Coded | None = None  # room is made when the first chunk shows of what kind
        self.n_chunks = 0
        self._next = first_chunk
        self._waiting: deque[Future[Chunk]] = deque()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="simulate")
        self._in_work = workers + 1
        self._ask()

    @property
    def n_simulated(self) -> int:
        """Data sets that have entered so far."""
        return self.n_chunks * CHUNK

    @property
    def next_chunk(self) -> int:
        """The first chunk that has not entered; where to begin after a restart."""
        return self._next - len(self._waiting)

    def refresh(self, until: int | None = None, *, most: int | None = None) -> None:
        """Take in finished chunks.

        Args:
            until: take in exactly as many as make that number of chunks, waiting where necessary.
            most: begin no further chunks while there are so many; the workers rest, and the learner has their cores.
        """
        self._ask(None if until is not None else most)
        while (self.n_chunks < until) if until is not None else (self._waiting and self._waiting[0].done()):
            self._enter(*self._waiting.popleft().result())
            self._ask(most)

    def draw(self, batch_size: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """A batch: z (batch, parameter) and features (batch, …).

        Raises:
            ValueError: when nothing has entered yet.
        """
        if self._coded is None:
            raise ValueError("Expected simulations in the window; got none yet. Call refresh(1) first.")
        rows = rng.integers(0, min(self.n_simulated, self.capacity), batch_size)
        sizes = np.minimum(self._sizes(batch_size, rng), self._coded.n[rows])
        starts = (rng.random(batch_size) * (self._coded.n[rows] - sizes + 1)).astype(int)
        return self._z[rows], self.encoder.collect(self._coded, rows, starts, sizes)

    def _sizes(self, batch_size: int, rng: np.random.Generator) -> Array:
        """Numbers of trials, (batch,), on one rung when features are padded."""
        design = self.simulator.design
        assert isinstance(design, Design)  # anything else was refused in the beginning
        if self.encoder.ragged:
            return design.sizes(batch_size, rng)
        low, high = rung_of(int(design.sizes(1, rng)[0]), design.largest)
        return replace(design, n_trials=(max(low, design.smallest), min(high, design.largest))).sizes(batch_size, rng)

    def close(self) -> None:
        """Stop the workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, most: int | None = None) -> None:
        """Keep the workers busy, unless there is enough."""
        while len(self._waiting) < self._in_work and (most is None or self.n_chunks + len(self._waiting) < most):
            self._waiting.append(self._pool.submit(self._make, self._next))
            self._next += 1

    def _make(self, index: int) -> Chunk:
        theta, trials = self.simulator.chunk(self.seed, index)
        return self.simulator.prior.to_real(theta).astype(np.float32), self.encoder.code(trials)

    def _enter(self, z: Array, coded: Coded) -> None:
        first = self.n_simulated % self.capacity
        rows = slice(first, first + CHUNK)
        if self._coded is None:
            self._coded = coded.room(self.capacity, self.width)
        self._z[rows] = z
        self._coded.put(rows, coded)
        self.n_chunks += 1

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def stream(seed: int, step: int) -> np.random.Generator:
    """The random numbers of one training step, so that a resumed run continues the same series."""
    return generator(seed, 4, step)
