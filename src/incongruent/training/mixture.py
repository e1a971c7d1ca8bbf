"""Data sets of several simulators in turn, of which a network learns which one made them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from incongruent.data.basics.streams import Purpose, child, stream
from incongruent.data.trials import Trials, concatenate, renumbered
from incongruent.simulation.simulator import CHUNK, Simulator
from incongruent.training.batches import Arrived, Batches, RandomRuns
from incongruent.training.buffer import Buffer
from incongruent.training.sources import Stored
from incongruent.training.split import N_VALIDATION

Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Mixture:
    """Data sets of several simulators in turn; to be learned is which.

    Attributes:
        simulators: of the same columns and design.
        weights: (model,) prior probabilities.
        seed: of the series.
    """

    simulators: tuple[Simulator, ...]
    weights: Array
    seed: int
    n_stored: None = None

    @property
    def simulator(self) -> Simulator:
        """The first; columns and design are those of all."""
        return self.simulators[0]

    @property
    def target_dim(self) -> int:
        """The number of models."""
        return len(self.simulators)

    def chunk(self, index: int) -> tuple[Array, Trials]:
        """One for the model and zero for the others (256, model), and trials of a chunk."""
        which = self._models(stream(self.seed, Purpose.COMPARED_MODELS, index), CHUNK)
        parts = [
            self.simulators[m].drawn(n, stream(self.seed, Purpose.COMPARED_TRIALS, index, m))[1]
            for m, n in _counts(which)
        ]
        return self._one_hot(which), renumbered(concatenate(parts))

    def some_trials(self) -> Trials:
        """Those of the first chunk."""
        return self.chunk(0)[1]

    def fingerprint(self) -> None:
        """None, since the seed tells everything."""

    def batches(self, runs: RandomRuns, n_bytes: int, after: Arrived) -> Batches:
        """A buffer that is filled by simulating."""
        return Buffer(self, runs, n_bytes=n_bytes, after=after)

    def held_out(self) -> Stored:
        """Other data sets, with numbers of trials from the design."""
        which = self._models(stream(self.seed, Purpose.COMPARED_HELD_OUT), N_VALIDATION)
        parts = [self._simulated(m, n) for m, n in _counts(which)]
        return Stored(self.simulator, self._one_hot(which), renumbered(concatenate(parts)))

    def _simulated(self, m: int, n: int) -> Trials:
        """Held-out data sets of one model."""
        seed = child(self.seed, Purpose.COMPARED_HELD_OUT_TRIALS, m)
        return self.simulators[m].simulate(n, seed=seed).trials

    def _models(self, rng: np.random.Generator, n: int) -> Array:
        """Which models make so many data sets, in order."""
        return np.sort(rng.choice(self.target_dim, n, p=self.weights))

    def _one_hot(self, which: Array) -> Array:
        """One for the model and zero for the others, (dataset, model)."""
        return np.eye(self.target_dim)[which]


def _counts(which: Array) -> list[tuple[int, int]]:
    """Each model that occurs, and how often."""
    models, counts = np.unique(which, return_counts=True)
    return [(int(m), int(n)) for m, n in zip(models, counts, strict=True)]
