r"""Encoders: trials -> summary statistics, learned.

One contract. `code` turns trials into compact arrays once; `collect` takes a run of trials of some data sets and gives features of a fixed shape,
whatever the number of trials; calling the encoder maps the features of one data set to its summaries. `code` and `collect` are compiled counting
and hold no weights and no interpreter lock.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import equinox as eqx
import jax
import jax.numpy as jnp
import numba
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.trials import Category, Trials


@dataclass(frozen=True, eq=False)
class Coded:
    """Trials as the histogram encoder keeps them.

    Attributes:
        place: (dataset, trial) float32, the trial's place on the axis of knots.
        cell: (dataset, trial) int16, which cell it falls into; -1 where there is no trial.
        n: (dataset,) places in use; the rest of a row is empty.
    """

    place: np.ndarray
    cell: np.ndarray
    n: np.ndarray


@dataclass(frozen=True)
class Axis:
    """Log-spaced knots for a positive continuous column.

    Attributes:
        column: its name.
        low: first knot, in the column's unit; smaller values count there.
        high: last knot; larger values count there.
        n_knots: how many.
    """

    column: str
    low: float
    high: float
    n_knots: int = 64

    def place(self, values: np.ndarray) -> np.ndarray:
        """Where on the axis values lie, in units of the distance between knots, within [0, n_knots - 1]."""
        with np.errstate(divide="ignore", invalid="ignore"):
            place = np.log(np.asarray(values, np.float32) / np.float32(self.low)) * np.float32((self.n_knots - 1) / math.log(self.high / self.low))
        return np.nan_to_num(np.clip(place, 0.0, self.n_knots - 1.0), nan=0.0)


class ResidualBlock(eqx.Module):
    """h + W2 silu(W1 norm(h))."""

    norm: eqx.nn.LayerNorm
    first: eqx.nn.Linear
    second: eqx.nn.Linear

    def __init__(self, key: PRNGKeyArray, width: int) -> None:
        one, two = jax.random.split(key)
        self.norm = eqx.nn.LayerNorm(width)
        self.first, self.second = eqx.nn.Linear(width, width, key=one), eqx.nn.Linear(width, width, key=two)

    def __call__(self, h: Float[Array, " width"]) -> Float[Array, " width"]:
        """The next h."""
        return h + self.second(jax.nn.silu(self.first(self.norm(h))))


class HistogramEncoder(eqx.Module):
    """Counts trials on log-spaced knots in every cell of the categories, then a residual network reads the square roots of the frequencies.

    A trial between two knots counts in both, by nearness. This is a deep set whose per-trial function is piecewise linear and free: it costs one
    pass of counting and then nothing more, however many trials there are.

    Args:
        key: initial weights.
        axis: the continuous column and its knots.
        given: the category set by the design, and the levels of it that are read.
        outcome: the category that is answered.
        n_summaries: dimension of the summaries.
        n_quantiles: quantiles of each cell that are read beside the frequencies.
        width: units of the residual network.
        n_blocks: its residual blocks.
    """

    center: Float[Array, " feature"]
    scale: Float[Array, " feature"]
    first: eqx.nn.Linear
    blocks: tuple[ResidualBlock, ...]
    last: eqx.nn.Linear
    axis: Axis = eqx.field(static=True)
    given: Category = eqx.field(static=True)
    levels: tuple[str, ...] = eqx.field(static=True)
    outcome: Category = eqx.field(static=True)
    n_summaries: int = eqx.field(static=True)
    n_quantiles: int = eqx.field(static=True)

    def __init__(
        self,
        key: PRNGKeyArray,
        *,
        axis: Axis,
        given: tuple[Category, tuple[str, ...]],
        outcome: Category,
        n_summaries: int,
        n_quantiles: int = 0,
        width: int = 256,
        n_blocks: int = 2,
    ) -> None:
        self.axis, (self.given, self.levels), self.outcome = axis, given, outcome
        self.n_summaries, self.n_quantiles = n_summaries, n_quantiles
        keys = jax.random.split(key, n_blocks + 2)
        self.center, self.scale = jnp.zeros(self.n_features), jnp.ones(self.n_features)
        self.first = eqx.nn.Linear(self.n_features, width, key=keys[0])
        self.blocks = tuple(ResidualBlock(k, width) for k in keys[2:])
        self.last = eqx.nn.Linear(width, n_summaries, key=keys[1])

    @property
    def n_cells(self) -> int:
        """Cells with a continuous value: levels of the design × levels of the outcome."""
        return len(self.levels) * len(self.outcome.levels)

    @property
    def n_features(self) -> int:
        """Square-root frequencies, shares of the cells and of unanswered trials, log n, quantiles."""
        return self.n_cells * (self.axis.n_knots + 1 + self.n_quantiles) + len(self.levels) + 1

    def code(self, trials: Trials) -> Coded:
        """Places and cells of all trials.

        Raises:
            ValueError: when a trial has a level that the encoder does not read.
        """
        known = np.isin(np.arange(len(self.given.levels)), [self.given.levels.index(level) for level in self.levels])
        given = np.where(trials.present, trials.values[self.given.name], 0)
        if (trials.present & ~known[given]).any():
            unread = self.given.levels[int(given[trials.present & ~known[given]][0])]
            raise ValueError(f"Expected only the levels {self.levels} in column {self.given.name!r}; got {unread!r}. Leave these trials out first.")
        position = (np.cumsum(known) - 1)[given]
        cell = position * len(self.outcome.levels) + trials.values[self.outcome.name]
        cell = np.where(trials.answered, cell, self.n_cells + position)
        cell = np.where(trials.present, cell, -1).astype(np.int16)
        places = np.arange(1, trials.present.shape[1] + 1)
        return Coded(self.axis.place(trials.values[self.axis.column]), cell, (trials.present * places).max(axis=1, initial=0))

    def collect(self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
        """Features (batch, feature) of the trials starts … starts + sizes of the data sets at ``rows``."""
        features = np.zeros((len(rows), self.n_features), np.float32)
        n_counted = self.n_features - self.n_cells * self.n_quantiles
        _count(coded.place, coded.cell, rows, starts, sizes, self.n_cells, self.axis.n_knots, features[:, :n_counted])
        _add_quantiles(features, n_counted, self.n_cells, self.axis.n_knots, self.n_quantiles)
        return features

    def features(self, trials: Trials) -> np.ndarray:
        """Features (dataset, feature) of whole data sets."""
        coded = self.code(trials)
        return self.collect(coded, np.arange(len(trials)), np.zeros(len(trials), int), coded.n)

    def fitted(self, features: np.ndarray) -> HistogramEncoder:
        """The same encoder, standardising features by the mean and SD of these (batch, feature)."""
        center, scale = features.mean(axis=0), np.maximum(features.std(axis=0), 0.02)
        return eqx.tree_at(lambda e: (e.center, e.scale), self, (jnp.asarray(center), jnp.asarray(scale)))

    def __call__(self, features: Float[Array, " feature"]) -> Float[Array, " summary"]:
        """Summaries of one data set."""
        center, scale = jax.lax.stop_gradient((self.center, self.scale))
        h = self.first((features - center) / scale)
        for block in self.blocks:
            h = block(h)
        return self.last(jax.nn.silu(h))


@numba.njit(nogil=True, cache=True)
def _count(place, cell, rows, starts, sizes, n_cells, n_knots, out):  # pragma: no cover - compiled
    totals = n_cells * n_knots
    for i in range(len(rows)):
        row = rows[i]
        n = 0
        for j in range(starts[i], starts[i] + sizes[i]):
            c = cell[row, j]
            if c < 0:
                continue
            n += 1
            out[i, totals + c] += 1.0
            if c < n_cells:
                knot = min(int(place[row, j]), n_knots - 2)
                right = place[row, j] - knot
                out[i, c * n_knots + knot] += 1.0 - right
                out[i, c * n_knots + knot + 1] += right
        last = out.shape[1] - 1
        for f in range(last):
            share = out[i, f] / max(n, 1)
            out[i, f] = math.sqrt(share) if f < totals else share
        out[i, last] = math.log(max(n, 1))


@numba.njit(nogil=True, cache=True)
def _add_quantiles(out, first, n_cells, n_knots, n_quantiles):  # pragma: no cover - compiled
    """Quantiles of each cell at (k + 1/2) / n_quantiles, as places on the axis from -1 to 1, read off its frequencies; 0 in empty cells."""
    for i in range(out.shape[0]):
        for c in range(n_cells):
            share = out[i, n_cells * n_knots + c]
            if share <= 0.0:
                continue
            knot, below = 0, 0.0
            mass = out[i, c * n_knots] ** 2
            for q in range(n_quantiles):
                wanted = share * (q + 0.5) / n_quantiles
                while below + mass < wanted and knot < n_knots - 1:
                    below += mass
                    knot += 1
                    mass = out[i, c * n_knots + knot] ** 2
                place = knot - 0.5 + (wanted - below) / max(mass, 1e-12)  # the mass at a knot reaches half a step to either side
                out[i, first + c * n_quantiles + q] = 2.0 * place / (n_knots - 1.0) - 1.0
