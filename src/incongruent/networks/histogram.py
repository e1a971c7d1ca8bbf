"""The histogram encoder, the default for trials with one continuous outcome.

A trial between two knots counts in both, by nearness. This is a deep set whose per-trial function
is piecewise linear and free: it costs one pass of counting and then nothing more, however many
trials there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import jax
import jax.numpy as jnp
import numba
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.basics.options import check_counts, check_dropout, checked_names
from incongruent.data.trials import Category, Column, Continuous, Trials, per_dataset
from incongruent.networks.encoder import (
    Coded,
    Encoder,
    EncoderOptions,
    last_places,
    logarithms,
    positions,
)
from incongruent.networks.layers import Linear, ResidualBlock, Weights, filled, linear, through
from incongruent.networks.task import Task

MOST_CELLS = 10_000
"""Cells are numbered in 16 bits, and features of that many would be slow long before."""


@checked_names
@dataclass(frozen=True, kw_only=True)
class Histogram(EncoderOptions):
    """Counts trials on knots of one continuous column in each cell of the categories; as fast for
    10,000 trials as for ten.

    Attributes:
        n_knots: on the axis of the continuous column.
        n_quantiles: of each cell, read beside its histogram.
        width: units of the network that reads them.
        n_blocks: its residual blocks.
        dropout: share of its units left out in training.
    """

    every_trial: ClassVar[bool] = False
    n_knots: int = 32
    n_quantiles: int = 16
    width: int = 256
    n_blocks: int = 1
    dropout: float = 0.0

    def __post_init__(self) -> None:
        check_counts(self, {"n_knots": 2, "n_quantiles": 0, "width": 1, "n_blocks": 1})
        check_dropout(self)

    def build(self, weights: Weights, task: Task, n_summaries: int) -> HistogramEncoder:
        """An untrained encoder with these settings."""
        return HistogramEncoder(weights, task, self, n_summaries)


@dataclass(frozen=True)
class Axis:
    """Knots for a continuous column.

    Attributes:
        column: its name.
        low: first knot, in the column's unit; smaller values count there.
        high: last knot; larger values count there.
        n_knots: how many.
        log: True when the knots are spaced evenly on the logarithm.
    """

    column: str
    low: float
    high: float
    n_knots: int = 64
    log: bool = True

    def place(self, values: np.ndarray) -> np.ndarray:
        """Where on the axis values lie, in units of the distance between knots, within [0, n_knots
        - 1].
        """
        values, low = np.asarray(values, np.float32), np.float32(self.low)
        span = math.log(self.high / self.low) if self.log else self.high - self.low
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            place = (np.log(values / low) if self.log else values - low) * np.float32(
                (self.n_knots - 1) / span
            )
        return np.nan_to_num(np.clip(place, 0.0, self.n_knots - 1.0), nan=0.0)


class HistogramEncoder(Encoder):
    """Counts trials on knots in every cell of the categories, then a residual network reads the
    square roots of the frequencies.

    Args:
        weights: initial ones.
        task: its columns by trial are one continuous one that is answered, and any number of
            categories, given or answered; given columns that change with the data set are read as
            they are.
        options: knots and size.
        n_summaries: dimension of the summaries.

    Raises:
        ValueError: when the columns are others, or make too many cells.
    """

    ragged: ClassVar[bool] = True
    center: Float[Array, " feature"]
    scale: Float[Array, " feature"]
    first: Linear
    blocks: tuple[ResidualBlock, ...]
    last: Linear
    axis: Axis = eqx.field(static=True)
    given: tuple[tuple[Category, tuple[str, ...]], ...] = eqx.field(static=True)
    outcomes: tuple[Category, ...] = eqx.field(static=True)
    once: tuple[tuple[Column, tuple[str, ...]], ...] = eqx.field(static=True)
    n_summaries: int = eqx.field(static=True)
    n_quantiles: int = eqx.field(static=True)
    dropout: float = eqx.field(static=True)

    def __init__(self, weights: Weights, task: Task, options: Histogram, n_summaries: int) -> None:
        by_trial = [column for column in task.columns if column.per == "trial"]
        categories = [column for column in by_trial if isinstance(column, Category)]
        self.axis = _axis(by_trial, task, options.n_knots)
        self.given = tuple(
            (column, task.levels_of(column)) for column in categories if column.given
        )
        self.outcomes = tuple(column for column in categories if not column.given)
        self.once = tuple(
            (c, task.levels_of(c) if isinstance(c, Category) else ())
            for c in task.columns
            if c.per != "trial"
        )
        self.n_summaries, self.n_quantiles, self.dropout = (
            n_summaries,
            options.n_quantiles,
            options.dropout,
        )
        if self.n_cells + self.n_given > MOST_CELLS:
            raise ValueError(
                f"Expected at most {MOST_CELLS} cells of categories for the histogram; got"
                f" {self.n_cells}. Use encoders.DeepSet()."
            )
        self.center, self.scale = filled(0.0, (self.n_features,)), filled(1.0, (self.n_features,))
        self.first = linear(weights, self.n_features, options.width)
        self.blocks = tuple(ResidualBlock(weights, options.width) for _ in range(options.n_blocks))
        self.last = linear(weights, options.width, n_summaries)

    @property
    def n_given(self) -> int:
        """Combinations of the levels of the design."""
        return math.prod(len(levels) for _, levels in self.given)

    @property
    def n_cells(self) -> int:
        """Cells with a continuous value: combinations of the levels of the design and of the
        outcomes.
        """
        return self.n_given * math.prod(len(column.levels) for column in self.outcomes)

    @property
    def n_counted(self) -> int:
        """Features that are counted: square-root frequencies, shares of the cells and of unanswered
        trials, log n.
        """
        return self.n_cells * (self.axis.n_knots + 1) + self.n_given + 1

    @property
    def n_features(self) -> int:
        """What is counted, then quantiles, then what is given once for a data set."""
        return (
            self.n_counted
            + self.n_cells * self.n_quantiles
            + sum(len(levels) or 1 for _, levels in self.once)
        )

    @property
    def bytes_per_trial(self) -> int:
        """Four for the place on the axis, two for the cell."""
        return 6

    def shape(self, n_trials: int) -> tuple[int, ...]:
        """The number of features, whatever the number of trials."""
        return (self.n_features,)

    def code(self, trials: Trials) -> Coded:
        """Places and cells of all trials; cell -1 where there is no trial.

        Raises:
            ValueError: when a trial has a level that the encoder does not read.
        """
        given, answer = (np.zeros(trials.present.shape, np.int64) for _ in range(2))
        for column, levels in self.given:
            given = given * len(levels) + positions(
                trials.values[column.name], trials.present, column, levels
            )
        for column in self.outcomes:
            answer = answer * len(column.levels) + positions(
                trials.values[column.name], trials.answered, column, column.levels
            )
        cell = np.where(
            trials.answered, given * (self.n_cells // self.n_given) + answer, self.n_cells + given
        )
        cell = np.where(trials.present, cell, -1).astype(np.int16)
        place = self.axis.place(trials.values[self.axis.column])
        return Coded(
            {"place": place, "cell": cell},
            {"once": self._once(trials)},
            last_places(trials.present),
        )

    def _once(self, trials: Trials) -> np.ndarray:
        """What is given once for a data set, (dataset, feature)."""
        some = trials.n_trials > 0
        parts = [np.zeros((len(trials), 0), np.float32)]
        for column, levels in self.once:
            values = per_dataset(trials, column.name)
            if isinstance(column, Category):
                parts.append(
                    np.eye(len(levels), dtype=np.float32)[positions(values, some, column, levels)]
                )
            else:
                parts.append(logarithms(values, some, column)[:, None])
        return np.concatenate(parts, axis=1) * some[:, None]

    def collect(
        self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray
    ) -> np.ndarray:
        """Features (batch, feature) of the trials starts … starts + sizes of the data sets at
        ``rows``.
        """
        features = np.zeros((len(rows), self.n_features), np.float32)
        place, cell = coded.by_trial["place"], coded.by_trial["cell"]
        _count(
            place,
            cell,
            rows,
            starts,
            sizes,
            self.n_cells,
            self.axis.n_knots,
            features[:, : self.n_counted],
        )
        _add_quantiles(features, self.n_counted, self.n_cells, self.axis.n_knots, self.n_quantiles)
        if self.once:
            features[:, -coded.by_dataset["once"].shape[1] :] = coded.by_dataset["once"][rows]
        return features

    def fitted(self, features: np.ndarray) -> HistogramEncoder:
        """The same encoder, standardising features by the mean and SD of these (batch, feature)."""
        center, spread = features.mean(axis=0), features.std(axis=0)
        scale = np.maximum(spread, 0.02)
        once = slice(
            self.n_counted + self.n_cells * self.n_quantiles, None
        )  # these have units, and no smallest spread worth a look
        scale[once] = np.where(spread[once] > 1e-5 * np.abs(center[once]), spread[once], 1.0)
        return eqx.tree_at(
            lambda e: (e.center, e.scale), self, (jnp.asarray(center), jnp.asarray(scale))
        )

    def __call__(
        self, features: Float[Array, " feature"], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " summary"]:
        """Summaries of one data set."""
        center, scale = jax.lax.stop_gradient((self.center, self.scale))
        return through(
            self.first,
            self.blocks,
            self.last,
            (features - center) / scale,
            rate=self.dropout,
            key=key,
        )


def _axis(by_trial: list[Column], task: Task, n_knots: int) -> Axis:
    """Knots for the only number among the columns by trial; on the logarithm when it is positive or
    a response time.
    """
    numbers = [column for column in by_trial if not isinstance(column, Category)]
    if len(numbers) != 1 or not isinstance(numbers[0], Continuous) or numbers[0].given:
        raise ValueError(
            "Expected exactly one continuous outcome, and else only categories by trial, for the"
            f" histogram encoder; got {[column.name for column in numbers]}. Use"
            " Architecture(encoder=encoders.DeepSet())."
        )
    if task.axis is None:
        raise ValueError(
            f"Expected a range of {numbers[0].name!r} for the histogram encoder; got none. Give"
            " Task(axis=(low, high))."
        )
    low, high = task.axis
    return Axis(numbers[0].name, low, high, n_knots, log=low > 0.0 and is_positive(numbers[0]))


def is_positive(column: Continuous) -> bool:
    """Whether only numbers above 0 can occur: as declared, or because it is a response time."""
    return column.positive or column.name == "rt"


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
    """Quantiles of each cell at (k + 1/2) / n_quantiles, as places on the axis from -1 to 1, read
    off its frequencies; 0 in empty cells.
    """
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
                place = (
                    knot - 0.5 + (wanted - below) / max(mass, 1e-12)
                )  # the mass at a knot reaches half a step to either side
                out[i, first + c * n_quantiles + q] = 2.0 * place / (n_knots - 1.0) - 1.0
