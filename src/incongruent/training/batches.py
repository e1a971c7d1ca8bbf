"""Batches: random runs of trials of random data sets, coded for one encoder.

Trials are exchangeable, so a run of n trials of a longer data set is a data set of n trials. Every
batch takes a fresh random run, of a fresh size, of random data sets; so a data set is used several
times but never twice alike.

Where an encoder pads to a common length, the sizes of a batch all come from one bucket of sizes:
one size drawn from the design says which, and those of the batch are drawn from the design's sizes
in it. Over many batches every size is as frequent as ever, and padding is a third of a batch at
most. Short budgets have one or two buckets instead of four: they pad more, and compile less.
"""

from __future__ import annotations

import abc
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from incongruent.networks.encoder import Coded, Encoder, buckets
from incongruent.simulation.designs import Design

Array = np.ndarray


@dataclass(frozen=True)
class Arrived:
    """How much there has been to learn from, also before a restart.

    Attributes:
        n_simulated: data sets.
        n_chunks: chunks of data sets.
        next_chunk: the first chunk that has not arrived; where to begin after a restart.
    """

    n_simulated: int = 0
    n_chunks: int = 0
    next_chunk: int = 0


NOTHING = Arrived()


class Batches(abc.ABC):
    """Where a learner's batches come from; used as a context, at whose end it is closed."""

    @property
    @abc.abstractmethod
    def arrived(self) -> Arrived:
        """How much there has been to learn from."""

    @abc.abstractmethod
    def wait_for(self, n_chunks: int) -> None:
        """Take in as many chunks as make that number, and wait where necessary."""

    @abc.abstractmethod
    def take_ready(self, most: int | None = None) -> None:
        """Take in the chunks that are ready.

        Args:
            most: begin no further chunks while there are so many.
        """

    @abc.abstractmethod
    def draw(self, batch_size: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """A batch: z (batch, target) and features (batch, …).

        Raises:
            ValueError: when nothing has arrived yet.
        """

    @abc.abstractmethod
    def close(self) -> None:
        """Stop what works in the background."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@dataclass(frozen=True, eq=False)
class RandomRuns:
    """How random runs of trials are drawn.

    Attributes:
        design: from which their sizes are drawn.
        encoder: collects their features.
        n_lengths: to how many lengths batches are padded.
    """

    design: Design
    encoder: Encoder
    n_lengths: int = 4

    def draw(
        self, z: Array, coded: Coded, n: int, batch_size: int, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Random runs of random ones of the first ``n`` data sets.

        Args:
            z: what is to be learned about each, (dataset, target).
            coded: the data sets.
            n: how many of them there are; what follows is empty.
            batch_size: how many runs.
            rng: random numbers.

        Returns:
            z (batch, target) and features (batch, …).
        """
        rows = rng.integers(0, n, batch_size)
        low, high = self.bucket(rng)
        sizes = np.minimum(self._sizes(low, high, batch_size, rng), coded.n[rows])
        starts = (rng.random(batch_size) * (coded.n[rows] - sizes + 1)).astype(int)
        features = self.encoder.collect(coded, rows, starts, sizes)
        if not self.encoder.ragged:
            features = _lengthened(features, self.encoder.shape(high)[0])
        return z[rows], features

    def bucket(self, rng: np.random.Generator) -> tuple[int, int]:
        """The smallest and the largest size of a batch, all of which share one padded length."""
        if self.encoder.ragged:
            return 1, self.design.largest
        size = int(self.design.sizes(1, rng)[0])
        found = _fewer(buckets(self.design.largest), self.n_lengths)
        return next(bucket for bucket in found if bucket[1] >= size)

    def _sizes(self, low: int, high: int, n: int, rng: np.random.Generator) -> Array:
        """Sizes drawn from the design, between two bounds."""
        between = (max(low, self.design.smallest), min(high, self.design.largest))
        return replace(self.design, n_trials=between).sizes(n, rng)


def _fewer(found: list[tuple[int, int]], most: int) -> list[tuple[int, int]]:
    """The same sizes in at most so many buckets: neighbours become one, the largest first."""
    if most == 1:
        return [(1, found[-1][1])]
    while len(found) > most:
        ends = range(len(found) - 1, -1, -2)
        found = [(found[max(i - 1, 0)][0], found[i][1]) for i in ends][::-1]
    return found


def _lengthened(features: Array, length: int) -> Array:
    """Features (batch, length, channel) with empty places at the end."""
    missing = length - features.shape[1]
    return features if missing <= 0 else np.pad(features, [(0, 0), (0, missing), (0, 0)])
