"""A cache of stored data sets, all of which are there from the start."""

from __future__ import annotations

import numpy as np

from incongruent.data.trials import Trials
from incongruent.training.batches import Arrived, Batches, RandomRuns

Array = np.ndarray


class Cache(Batches):
    """Data sets in memory, coded once for one encoder.

    Args:
        z: what is to be learned about each, (dataset, target).
        trials: of each, in random order.
        runs: how batches are drawn.
    """

    def __init__(self, z: Array, trials: Trials, runs: RandomRuns) -> None:
        self.runs = runs
        self._z = z.astype(np.float32)
        self._coded = runs.encoder.code(trials)

    @property
    def arrived(self) -> Arrived:
        """All data sets; none of them came in chunks."""
        return Arrived(n_simulated=len(self._z))

    def wait_for(self, n_chunks: int) -> None:
        """Nothing, since everything is there."""

    def take_ready(self, most: int | None = None) -> None:
        """Nothing, since everything is there."""

    def draw(self, batch_size: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """A batch: z (batch, target) and features (batch, …)."""
        return self.runs.draw(self._z, self._coded, len(self._z), batch_size, rng)

    def close(self) -> None:
        """Nothing, since nothing works in the background."""
