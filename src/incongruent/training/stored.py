"""Stored simulations, from which batches are drawn; they stand where a window of fresh ones does."""

from __future__ import annotations

import numpy as np

from incongruent.networks.encoder import Encoder
from incongruent.training.fresh import draw_from
from incongruent.training.sources import Stored

Array = np.ndarray


class Library:
    """Data sets in memory, coded for one encoder.

    Args:
        stored: the data sets; trials in random order.
        encoder: codes the trials.
        n_lengths: to how many lengths batches are padded.
    """

    def __init__(self, stored: Stored, encoder: Encoder, *, n_lengths: int = 4) -> None:
        self.stored, self.encoder, self.n_lengths = stored, encoder, n_lengths
        self._z = stored.z.astype(np.float32)
        self._coded = encoder.code(stored.trials)
        self.n_simulated = len(stored.trials)
        self.n_chunks = self.next_chunk = 0

    def refresh(self, until: int | None = None, *, most: int | None = None) -> None:
        """Nothing new ever comes."""

    def draw(self, batch_size: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """A batch of random data sets: z (batch, target) and features (batch, …) of a random run of
        their trials.
        """
        return draw_from(
            self._z,
            self._coded,
            self.n_simulated,
            self.stored.simulator.design,
            self.encoder,
            batch_size,
            rng,
            self.n_lengths,
        )

    def __enter__(self) -> Library:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing has to be stopped."""
