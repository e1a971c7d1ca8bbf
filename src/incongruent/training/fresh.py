"""A window of recent simulations, which threads fill while the network learns.

Trials are exchangeable, so a run of n trials of a longer data set is a data set of n trials. The
window keeps long data sets; every batch takes a fresh random run, of a fresh size, of random ones.
A data set is thus used several times but never twice alike, and neither side waits for the other.

Where an encoder pads to a common length, the sizes of a batch all come from one rung of its ladder
of lengths: one size drawn from the design says which, and those of the batch from the design's
sizes on it. Over many batches every size is as frequent as ever, and padding is a third of a batch
at most. Short budgets have one or two rungs instead of four: they pad more, and compile less.
"""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import numpy as np

from incongruent.networks.encoder import Coded, Encoder, ladder
from incongruent.simulation.designs import Design
from incongruent.simulation.simulator import CHUNK
from incongruent.training.sources import Source

Array = np.ndarray

Chunk = tuple[Array, Coded]


class Window:
    """Recent data sets of a source, coded for one encoder.

    Only the thread that calls `refresh` and `draw` touches the window; the workers hand over
    finished chunks.

    Args:
        source: of the chunks.
        encoder: codes the trials.
        n_bytes: room for the coded trials.
        workers: threads that simulate or read.
        first_chunk: where in the endless series of chunks to begin.
        n_lengths: to how many lengths batches are padded.
    """

    def __init__(
        self,
        source: Source,
        encoder: Encoder,
        *,
        n_bytes: int,
        workers: int,
        first_chunk: int = 0,
        n_lengths: int = 4,
    ) -> None:
        self.source, self.encoder, self.n_lengths = source, encoder, n_lengths
        self.width = source.simulator.design.largest
        self.capacity = max(
            4 * CHUNK, n_bytes // (encoder.bytes_per_trial * self.width) // CHUNK * CHUNK
        )
        self._z = np.empty((self.capacity, source.target_dim), np.float32)
        self._coded: Coded | None = None  # room is made when the first chunk shows of what kind
        self.n_chunks = self.n_simulated = 0
        self._next = first_chunk
        self._waiting: deque[Future[Chunk]] = deque()
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="simulate")
        self._in_work = workers + 1
        self._ask()

    @property
    def next_chunk(self) -> int:
        """The first chunk that has not entered; where to begin after a restart."""
        return self._next - len(self._waiting)

    def refresh(self, until: int | None = None, *, most: int | None = None) -> None:
        """Take in finished chunks.

        Args:
            until: take in exactly as many as make that number of chunks, waiting where necessary.
            most: begin no further chunks while there are so many; the workers rest, and the learner
                has their cores.
        """
        self._ask(None if until is not None else most)
        while (
            (self.n_chunks < until)
            if until is not None
            else (self._waiting and self._waiting[0].done())
        ):
            self._enter(*self._waiting.popleft().result())
            self._ask(most)

    def draw(self, batch_size: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """A batch: z (batch, target) and features (batch, …).

        Raises:
            ValueError: when nothing has entered yet.
        """
        if self._coded is None:
            raise ValueError(
                "Expected simulations in the window; got none yet. Call refresh(1) first."
            )
        n = min(self.n_simulated, self.capacity)
        return draw_from(
            self._z,
            self._coded,
            n,
            self.source.simulator.design,
            self.encoder,
            batch_size,
            rng,
            self.n_lengths,
        )

    def close(self) -> None:
        """Stop the workers."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _ask(self, most: int | None = None) -> None:
        """Keep the workers busy, unless there is enough."""
        while len(self._waiting) < self._in_work and (
            most is None or self.n_chunks + len(self._waiting) < most
        ):
            self._waiting.append(self._pool.submit(self._make, self._next))
            self._next += 1

    def _make(self, index: int) -> Chunk:
        z, trials = self.source.chunk(index)
        return z.astype(np.float32), self.encoder.code(trials)

    def _enter(self, z: Array, coded: Coded) -> None:
        if self._coded is None:
            self._coded = coded.room(self.capacity, self.width)
        rows = (self.n_simulated + np.arange(len(z))) % self.capacity
        self._z[rows] = z
        self._coded.put(rows, coded)
        self.n_simulated += len(z)
        self.n_chunks += 1

    def __enter__(self) -> Window:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def draw_from(
    z: Array,
    coded: Coded,
    n: int,
    design: Design,
    encoder: Encoder,
    batch_size: int,
    rng: np.random.Generator,
    n_lengths: int = 4,
) -> tuple[Array, Array]:
    """Z (batch, target) and features (batch, …) of random runs of random ones of the first ``n``
    data sets.
    """
    rows = rng.integers(0, n, batch_size)
    low, high = (1, design.largest) if encoder.ragged else _range(design, n_lengths, rng)
    on_rung = replace(design, n_trials=(max(low, design.smallest), min(high, design.largest)))
    sizes = np.minimum(on_rung.sizes(batch_size, rng), coded.n[rows])
    starts = (rng.random(batch_size) * (coded.n[rows] - sizes + 1)).astype(int)
    features = encoder.collect(coded, rows, starts, sizes)
    return z[rows], features if encoder.ragged else _lengthened(features, encoder.shape(high)[0])


def _range(design: Design, n_lengths: int, rng: np.random.Generator) -> tuple[int, int]:
    """The smallest and the largest size of a batch, whose features are padded to the length for the
    latter.
    """
    size = int(design.sizes(1, rng)[0])
    rungs = [(1, design.largest)] if n_lengths == 1 else ladder(design.largest)
    while len(rungs) > n_lengths:  # neighbours become one, the lowest last
        rungs = [(rungs[max(i - 1, 0)][0], rungs[i][1]) for i in range(len(rungs) - 1, -1, -2)][
            ::-1
        ]
    return next(rung for rung in rungs if rung[1] >= size)


def _lengthened(features: Array, length: int) -> Array:
    """Features (batch, length, channel) with empty places at the end."""
    missing = length - features.shape[1]
    return features if missing <= 0 else np.pad(features, [(0, 0), (0, missing), (0, 0)])
