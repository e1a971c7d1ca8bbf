"""Trials as channels of numbers, for the networks that look at every trial.

The channels of a trial, in this order: numbers (of positive columns the logarithm), one for each
level of the categories, whether there was an answer, whether there is a trial. What an outcome
would have been is 0 where no answer came.
"""

from __future__ import annotations

from dataclasses import dataclass

import numba
import numpy as np

from incongruent.data.trials import Category, Column, Trials
from incongruent.networks.encoder import Coded, last_places, logarithms, positions
from incongruent.networks.task import Task


@dataclass(frozen=True)
class Channels:
    """Which columns are read, and as which channels.

    Attributes:
        numbers: continuous and integer columns.
        categories: each with the levels that are read.
    """

    numbers: tuple[Column, ...]
    categories: tuple[tuple[Category, tuple[str, ...]], ...]

    @property
    def n_channels(self) -> int:
        """Those of the columns, and two for "answered" and "present"."""
        return len(self.numbers) + sum(len(levels) for _, levels in self.categories) + 2

    @property
    def answered_only(self) -> np.ndarray:
        """(channel,) True where a channel means something only when there was an answer."""
        numbers = [not column.given for column in self.numbers]
        levels = [not column.given for column, levels in self.categories for _ in levels]
        return np.array([*numbers, *levels, False, False])

    @property
    def bytes_per_trial(self) -> int:
        """Four for a number, one for a category, one for whether there is a trial and an answer."""
        return 4 * len(self.numbers) + len(self.categories) + 1

    def code(self, trials: Trials) -> Coded:
        """Numbers (dataset, trial, column) float32, levels (dataset, trial, column) int8, and state
        (dataset, trial) int8: 0 no trial, 1 a trial, 2 an answer.

        Raises:
            ValueError: when a trial has a level that is not read.
        """
        shape = trials.present.shape
        numbers, levels = (
            np.empty((*shape, len(self.numbers)), np.float32),
            np.empty((*shape, len(self.categories)), np.int8),
        )
        for i, column in enumerate(self.numbers):
            numbers[..., i] = logarithms(trials.values[column.name], _known(trials, column), column)
        for i, (column, read) in enumerate(self.categories):
            levels[..., i] = positions(
                trials.values[column.name], _known(trials, column), column, read
            )
        state = trials.present.astype(np.int8) + trials.answered
        return Coded(
            {"numbers": numbers, "levels": levels, "state": state.astype(np.int8)},
            {},
            last_places(trials.present),
        )

    def collect(
        self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray, length: int
    ) -> np.ndarray:
        """Channels (batch, length, channel) of runs of trials; those that are there come first."""
        out = np.zeros((len(rows), length, self.n_channels), np.float32)
        widths = np.array([len(levels) for _, levels in self.categories], np.int64)
        first = len(self.numbers) + np.cumsum(widths) - widths
        free = np.array([column.given for column in self.numbers], np.bool_)
        free_levels = np.array([column.given for column, _ in self.categories], np.bool_)
        numbers, levels, state = (coded.by_trial[name] for name in ("numbers", "levels", "state"))
        _spread(numbers, levels, state, rows, starts, sizes, free, free_levels, first, out)
        return out

    def spread(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and SD of each channel of numbers over the trials in which it is known; 0 and 1 for
        the other channels, each (channel,).
        """
        center, scale = np.zeros(self.n_channels, np.float32), np.ones(self.n_channels, np.float32)
        flat = features.reshape(-1, self.n_channels)
        for i, column in enumerate(self.numbers):
            known = flat[flat[:, -1 if column.given else -2] > 0, i].astype(float)
            if len(known):
                center[i] = known.mean()
                scale[i] = known.std() if known.std() > 1e-5 * abs(known.mean()) else 1.0
        return center, scale


def channels_of(task: Task) -> Channels:
    """All columns of a task."""
    numbers = tuple(column for column in task.columns if not isinstance(column, Category))
    return Channels(
        numbers,
        tuple(
            (column, task.levels_of(column))
            for column in task.columns
            if isinstance(column, Category)
        ),
    )


def _known(trials: Trials, column: Column) -> np.ndarray:
    return trials.present if column.given else trials.answered


@numba.njit(nogil=True, cache=True)
def _spread(
    numbers, levels, state, rows, starts, sizes, free, free_levels, first, out
):  # pragma: no cover - compiled
    last = out.shape[2] - 1
    for i in range(len(rows)):
        row, slot = rows[i], 0
        for j in range(starts[i], starts[i] + sizes[i]):
            if state[row, j] == 0:
                continue
            answered = state[row, j] == 2
            for k in range(numbers.shape[2]):
                if answered or free[k]:
                    out[i, slot, k] = numbers[row, j, k]
            for k in range(levels.shape[2]):
                if answered or free_levels[k]:
                    out[i, slot, first[k] + levels[row, j, k]] = 1.0
            out[i, slot, last - 1] = 1.0 if answered else 0.0
            out[i, slot, last] = 1.0
            slot += 1
