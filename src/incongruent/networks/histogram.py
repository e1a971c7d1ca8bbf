"""The histogram encoder, the default for trials with one continuous outcome.

A trial between two knots counts at both, by nearness. This is a deep set whose per-trial function
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
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.basics.options import check_counts, check_dropout, checked_names
from incongruent.data.trials import Category, Column, Continuous, Trials, per_dataset
from incongruent.networks import counting
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
SMALLEST_SPREAD = 0.02
"""By which features are divided at least, so that rare ones do not become large."""


@checked_names
@dataclass(frozen=True, kw_only=True)
class Histogram(EncoderOptions):
    """Counts trials on knots of one continuous column in each cell of the categories.

    It is as fast for 10,000 trials as for ten.

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
        """Where on the axis values lie, in steps between knots, within [0, n_knots - 1]."""
        values, low = np.asarray(values, np.float32), np.float32(self.low)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            from_low = np.log(values / low) if self.log else values - low
            place = from_low * self._steps_per_unit
        return np.nan_to_num(np.clip(place, 0.0, self.n_knots - 1.0), nan=0.0)

    @property
    def _steps_per_unit(self) -> np.float32:
        """Steps between knots for each unit of the column, or of its logarithm."""
        span = math.log(self.high / self.low) if self.log else self.high - self.low
        return np.float32((self.n_knots - 1) / span)


class HistogramEncoder(Encoder):
    """A residual network reads square-root frequencies of trials on knots, cell by cell.

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
        self.axis = _axis(task, options.n_knots)
        self.given = tuple((c, task.levels_of(c)) for c in _categories(task) if c.given)
        self.outcomes = tuple(c for c in _categories(task) if not c.given)
        self.once = _once_a_data_set(task)
        self.n_summaries, self.n_quantiles = n_summaries, options.n_quantiles
        self.dropout = options.dropout
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
        """Cells with a continuous value: combinations of levels, given and answered."""
        return self.n_given * math.prod(len(column.levels) for column in self.outcomes)

    @property
    def n_counted(self) -> int:
        """Features that are counted: square-root frequencies, shares of cells, log n."""
        return self.n_cells * (self.axis.n_knots + 1) + self.n_given + 1

    @property
    def n_features(self) -> int:
        """What is counted, then quantiles, then what is given once for a data set."""
        return self._n_read_off + sum(len(levels) or 1 for _, levels in self.once)

    @property
    def _n_read_off(self) -> int:
        """Features that come from the trials: what is counted, and quantiles."""
        return self.n_counted + self.n_cells * self.n_quantiles

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
        place = self.axis.place(trials.values[self.axis.column])
        return Coded(
            {"place": place, "cell": self._cells(trials)},
            {"once": self._once(trials)},
            last_places(trials.present),
        )

    def _cells(self, trials: Trials) -> np.ndarray:
        """The cell of each trial; those without an answer follow after all others."""
        given = _combination(trials, self.given, trials.present)
        answers = tuple((column, column.levels) for column in self.outcomes)
        answer = _combination(trials, answers, trials.answered)
        answered_cell = given * (self.n_cells // self.n_given) + answer
        cell = np.where(trials.answered, answered_cell, self.n_cells + given)
        return np.where(trials.present, cell, -1).astype(np.int16)

    def _once(self, trials: Trials) -> np.ndarray:
        """What is given once for a data set, (dataset, feature); 0 where it has no trial."""
        some = trials.n_trials > 0
        parts = [_given_once(trials, column, levels, some) for column, levels in self.once]
        nothing = np.zeros((len(trials), 0), np.float32)
        return np.concatenate([nothing, *parts], axis=1) * some[:, None]

    def collect(
        self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray
    ) -> np.ndarray:
        """Features (batch, feature) of runs of trials, as in `Encoder.collect`."""
        features = np.zeros((len(rows), self.n_features), np.float32)
        runs = coded.by_trial["place"], coded.by_trial["cell"], rows, starts, sizes
        cells = self.n_cells, self.axis.n_knots
        counting.count(*runs, *cells, features[:, : self.n_counted])
        counting.add_quantiles(features, self.n_counted, *cells, self.n_quantiles)
        if self.once:
            features[:, -coded.by_dataset["once"].shape[1] :] = coded.by_dataset["once"][rows]
        return features

    def fitted(self, features: np.ndarray) -> HistogramEncoder:
        """The same encoder, standardising features by the mean and SD of these (batch, feature)."""
        center, spread = features.mean(axis=0), features.std(axis=0)
        scale = np.maximum(spread, SMALLEST_SPREAD)
        once = slice(self._n_read_off, None)  # these have units, so that any spread counts
        scale[once] = np.where(spread[once] > 1e-5 * np.abs(center[once]), spread[once], 1.0)
        fitting = jnp.asarray(center), jnp.asarray(scale)
        return eqx.tree_at(lambda e: (e.center, e.scale), self, fitting)

    def __call__(
        self, features: Float[Array, " feature"], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " summary"]:
        """Summaries of one data set."""
        center, scale = jax.lax.stop_gradient((self.center, self.scale))
        standardised = (features - center) / scale
        return through(self.first, self.blocks, self.last, standardised, rate=self.dropout, key=key)


def _categories(task: Task) -> list[Category]:
    """The categories that may change from trial to trial."""
    return [c for c in task.columns if c.per == "trial" and isinstance(c, Category)]


def _once_a_data_set(task: Task) -> tuple[tuple[Column, tuple[str, ...]], ...]:
    """Columns that are given once for a data set, each with the levels that are read, if any."""
    return tuple(
        (column, task.levels_of(column) if isinstance(column, Category) else ())
        for column in task.columns
        if column.per != "trial"
    )


def _combination(
    trials: Trials, categories: tuple[tuple[Category, tuple[str, ...]], ...], known: np.ndarray
) -> np.ndarray:
    """The number of each trial's combination of levels, (dataset, trial)."""
    number = np.zeros(trials.present.shape, np.int64)
    for column, levels in categories:
        place = positions(trials.values[column.name], known, column, levels)
        number = number * len(levels) + place
    return number


def _given_once(
    trials: Trials, column: Column, levels: tuple[str, ...], some: np.ndarray
) -> np.ndarray:
    """A column's features, (dataset, feature): one for each level, or the number."""
    values = per_dataset(trials, column.name)
    if isinstance(column, Category):
        return np.eye(len(levels), dtype=np.float32)[positions(values, some, column, levels)]
    return logarithms(values, some, column)[:, None]


def _axis(task: Task, n_knots: int) -> Axis:
    """Knots for the only number by trial; on the logarithm if it is positive or a response time."""
    numbers = [c for c in task.columns if c.per == "trial" and not isinstance(c, Category)]
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
