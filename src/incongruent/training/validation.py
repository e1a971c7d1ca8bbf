"""Evaluating a network while it learns: on which data sets, and how often.

An evaluation, called a look here, costs time in which nothing is learned. It should take about a
tenth of all, whatever the budget, and yet the same seed has to give the same network, so that the
clock cannot decide. Work is counted instead: a data set that is trained on counts three times
(forwards once, and backwards twice), one that is looked at once for each of the two networks, both
times its numbers. A look is due when training has done nine times the work of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from incongruent.data.trials import Trials
from incongruent.networks.encoder import Encoder
from incongruent.training.recipe import Budget
from incongruent.training.sources import Stored

LARGEST_BLOCK, SMALLEST_BLOCK = 256, 16
"""Validation data sets that go through the network together; powers of two between, so that few
shapes are compiled.
"""
MOST_PADDED = 512
"""Validation data sets for encoders that look at every trial, which are slower by orders of
magnitude.
"""
SHARE = 0.1
"""Of the work that goes into looking."""
FORWARDS_AND_BACK = 3
"""Work of a step for each number of a batch, where 1 is that of a look with one network."""
LOOKS = 10
"""How many there should be at least; short budgets look at fewer data sets."""

Block = tuple[np.ndarray, np.ndarray, np.ndarray]
"""Z, features and weights of some data sets."""


@eqx.filter_jit
def summed_loss(network: Any, z: Any, features: Any, weight: Any) -> Array:
    """Sum of -log q, weighted."""
    return -jnp.sum(weight * network.log_prob(z, features))


@dataclass(frozen=True, eq=False)
class Validation:
    """Data sets that are never trained on, as the network sees them.

    Attributes:
        blocks: (z, features, weight) of equally many data sets each; the last is filled up with
            weights of 0.
        n: data sets that are looked at.
        baseline: mean -log p(z) of a network that has learned nothing, on these.
        stored: all data sets that were kept from training.
    """

    blocks: tuple[Block, ...]
    n: int
    baseline: float
    stored: Stored

    def loss(self, network: Any) -> float:
        """Mean -log q."""
        return float(sum(float(summed_loss(network, *block)) for block in self.blocks)) / self.n

    @property
    def work(self) -> int:
        """Of one look at two networks."""
        return 2 * sum(features.size for _, features, _ in self.blocks)

    def is_due(self, work: int) -> bool:
        """Whether training has done so much work since the last look that another one is due."""
        return work * SHARE >= self.work * (1.0 - SHARE)


def training_work(features: np.ndarray) -> int:
    """Of a step on these features."""
    return FORWARDS_AND_BACK * features.size


def n_looked_at(budget: Budget, n_batch: int, encoder: Encoder, n_stored: int) -> int:
    """How many of the validation data sets are looked at.

    Args:
        budget: of training; one in steps has to leave room for ten looks.
        n_batch: data sets a step.
        encoder: of the network.
        n_stored: validation data sets that there are.
    """
    most = n_stored if encoder.ragged else min(n_stored, MOST_PADDED)
    if budget.steps is None:
        return most
    affordable = SHARE * FORWARDS_AND_BACK * budget.steps * n_batch / (2 * LOOKS)
    return min(most, max(SMALLEST_BLOCK, int(affordable)))


def validation_of(stored: Stored, encoder: Encoder, n: int, baseline: Any) -> Validation:
    """Some of the validation data sets as a network sees them.

    Args:
        stored: all of them.
        encoder: of the network.
        n: how many are looked at.
        baseline: z (dataset, target) -> mean -log p(z).
    """
    some = _rows_from_everywhere(stored.z, n)
    z, trials = stored.z[some].astype(np.float32), stored.trials.select(some)
    blocks = tuple(_blocks(z, trials, encoder))
    return Validation(blocks, len(some), baseline(stored.z[some]), stored)


def _blocks(z: np.ndarray, trials: Trials, encoder: Encoder) -> Iterator[Block]:
    """Blocks of equally many data sets, those of like size together."""
    order = np.argsort(trials.n_trials, kind="stable")
    coded, size = encoder.code(trials), _block_size(len(trials))
    for first in range(0, len(order), size):
        rows = np.resize(order[first : first + size], size)
        weight = (np.arange(size) < len(order) - first).astype(np.float32)
        features = encoder.collect(coded, rows, np.zeros(size, int), coded.n[rows])
        yield z[rows], features, weight


def _rows_from_everywhere(z: np.ndarray, n: int) -> np.ndarray:
    """Rows of n data sets from everywhere, since they may be sorted.

    A data set may occur several times, with other trials. It is not taken again before every other
    one has been.
    """
    before = _times_before(z)
    taken: list[np.ndarray] = []
    for times in range(before.max(initial=-1) + 1):
        missing = n - sum(map(len, taken))
        taken.append(_evenly(np.flatnonzero(before == times), missing))
    return np.sort(np.concatenate(taken))


def _times_before(z: np.ndarray) -> np.ndarray:
    """How many earlier rows are the same as each row."""
    alike = np.unique(z, axis=0, return_inverse=True)[1].reshape(-1)
    by_kind = np.argsort(alike, kind="stable")
    starts = np.flatnonzero(np.diff(alike[by_kind], prepend=-1))
    lengths = np.diff(np.append(starts, len(z)))
    before = np.zeros(len(z), int)
    before[by_kind] = np.arange(len(z)) - np.repeat(starts, lengths)
    return before


def _evenly(rows: np.ndarray, n: int) -> np.ndarray:
    """At most n of these rows, at even distances."""
    return rows if len(rows) <= n else rows[np.linspace(0, len(rows) - 1, n).astype(int)]


def _block_size(n: int) -> int:
    """The power of two for which the least is filled up, and among those the largest."""
    sizes = [size for size in (256, 128, 64, 32, 16) if SMALLEST_BLOCK <= size <= LARGEST_BLOCK]
    for_all = [size for size in sizes if size >= n]
    return for_all[-1] if for_all else min(sizes[:2], key=lambda size: -(-n // size) * size)
