r"""The interface of encoders, which turn trials into learned summary statistics.

`code` turns trials into compact arrays once; `collect` takes a run of trials of some data sets and
gives features; calling the encoder maps the features of one data set to its summaries. `code` and
`collect` hold no weights; what of them is compiled holds no interpreter lock.

Padding is invisible, the order of trials does not matter, data sets do not leak into each other,
and any number of trials will do. Networks that look at every trial need features of a common
length. `bucket_of` gives four padded lengths, so that few shapes are compiled: an eighth, a
quarter, half and all of the largest number of trials that is trained for, without those below 128.
What is shorter is padded to the smallest, which costs little beside the rest.
"""

from __future__ import annotations

import abc
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import equinox as eqx
import numpy as np
from jaxtyping import Array, Float, PRNGKeyArray

from incongruent.data.trials import Category, Column, Continuous, Trials
from incongruent.networks.layers import Weights
from incongruent.networks.task import Task

SHORT = 128
"""Trials up to which padding costs less than another compilation."""


@dataclass(frozen=True, eq=False)
class Coded:
    """Trials as an encoder keeps them.

    Attributes:
        by_trial: named arrays (dataset, trial, …).
        by_dataset: named arrays (dataset, …).
        n: (dataset,) places in use; the rest of a row is empty.
    """

    by_trial: Mapping[str, np.ndarray]
    by_dataset: Mapping[str, np.ndarray]
    n: np.ndarray

    def room(self, capacity: int, width: int) -> Coded:
        """Empty room of the same kind for so many data sets of at most ``width`` trials."""
        return Coded(
            {
                name: np.empty((capacity, width, *array.shape[2:]), array.dtype)
                for name, array in self.by_trial.items()
            },
            {
                name: np.empty((capacity, *array.shape[1:]), array.dtype)
                for name, array in self.by_dataset.items()
            },
            np.zeros(capacity, self.n.dtype),
        )

    def put(self, rows: slice | np.ndarray, other: Coded) -> None:
        """Write other data sets, not wider than this, over the ones at these rows."""
        for name, array in other.by_trial.items():
            self.by_trial[name][rows, : array.shape[1]] = array
        for name, array in other.by_dataset.items():
            self.by_dataset[name][rows] = array
        self.n[rows] = other.n


class EncoderOptions(abc.ABC):
    """The settings of an encoder, and how it is built from them: what `Architecture` takes."""

    every_trial: ClassVar[bool] = True
    """True when a network reads every trial, so that long data sets make a step cost more."""

    @abc.abstractmethod
    def build(self, weights: Weights, task: Task, n_summaries: int) -> Encoder:
        """An untrained encoder with these settings.

        Raises:
            ValueError: when it cannot read such trials.
        """


class Encoder(eqx.Module):
    """Reads trials of some columns, and learns which summaries of them matter.

    Attributes:
        ragged: True when the features of a data set have one shape whatever its number of trials,
            so that a batch may mix any numbers at no cost; False when features are (batch, length,
            channel), padded to a common length, with the last channel 1 where there is a trial.
        n_summaries: how many summaries come out.
    """

    ragged: ClassVar[bool]
    n_summaries: eqx.AbstractVar[int]

    @property
    @abc.abstractmethod
    def bytes_per_trial(self) -> int:
        """How much room a coded trial takes."""

    @abc.abstractmethod
    def shape(self, n_trials: int) -> tuple[int, ...]:
        """The shape of a data set's features in a batch whose largest one has so many trials."""

    @abc.abstractmethod
    def code(self, trials: Trials) -> Coded:
        """The trials in compact form.

        Raises:
            ValueError: when a trial has a level that the encoder does not read.
        """

    @abc.abstractmethod
    def collect(
        self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray
    ) -> np.ndarray:
        """Features (batch, …) of runs of trials, float32.

        Args:
            coded: all data sets.
            rows: which of them, (batch,).
            starts: place of each run's first trial, (batch,).
            sizes: how many trials each run has, (batch,).
        """

    def features(self, trials: Trials) -> np.ndarray:
        """Features (dataset, …) of whole data sets."""
        coded = self.code(trials)
        return self.collect(coded, np.arange(len(trials)), np.zeros(len(trials), int), coded.n)

    @abc.abstractmethod
    def fitted(self, features: np.ndarray) -> Encoder:
        """The same encoder, standardising by mean and SD of these features (batch, …)."""

    @abc.abstractmethod
    def __call__(
        self, features: Float[Array, ...], *, key: PRNGKeyArray | None = None
    ) -> Float[Array, " summary"]:
        """Summaries of one data set, with dropout where there is a key."""


def bucket_of(size: int, largest: int) -> tuple[int, int]:
    """The smallest and the largest size in the bucket of this one; the largest is its length.

    Args:
        size: a number of trials.
        largest: the largest number of trials that is trained for; beyond it lengths double.
    """
    length = max(-(-largest // 8), min(largest, SHORT))
    below = 0
    while length < size:
        below, length = length, min(2 * length, largest) if length < largest else 2 * length
    return below + 1, length


def buckets(largest: int) -> list[tuple[int, int]]:
    """Every bucket up to the largest number of trials that is trained for, as in `bucket_of`."""
    found = [bucket_of(1, largest)]
    while found[-1][1] < largest:
        found.append(bucket_of(found[-1][1] + 1, largest))
    return found


def last_places(present: np.ndarray) -> np.ndarray:
    """(dataset,) the place after the last trial of each data set, from present (dataset, trial)."""
    return (present * np.arange(1, present.shape[1] + 1)).max(axis=1, initial=0)


def positions(
    values: np.ndarray, known: np.ndarray, column: Category, levels: tuple[str, ...]
) -> np.ndarray:
    """Positions of a category's values among the levels that are read; 0 where not known.

    Args:
        values: of the column.
        known: where they mean something.
        column: the category.
        levels: those of its levels that are read.

    Raises:
        ValueError: when a known value is another level.
    """
    read = np.isin(np.arange(len(column.levels)), [column.levels.index(level) for level in levels])
    values = np.where(known, values, column.levels.index(levels[0]))
    if not read[values].all():
        unread = column.levels[int(values[~read[values]][0])]
        raise ValueError(
            f"Expected only the levels {levels} in column {column.name!r}; got {unread!r}. Leave"
            " these trials out first."
        )
    return (np.cumsum(read) - 1)[values]


def logarithms(values: np.ndarray, known: np.ndarray, column: Column) -> np.ndarray:
    """Numbers as networks read them: logarithms of a positive column, and 0 where not known."""
    positive = isinstance(column, Continuous) and column.positive
    safe = np.where(known, values, 1).astype(np.float32)
    return np.where(known, np.log(safe) if positive else safe, np.float32(0))
