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
        """Numbers and levels (dataset, trial, column), and the state of each trial.

        The state is 0 where there is no trial, 1 where there is one, 2 where there is an answer.

        Raises:
            ValueError: when a trial has a level that is not read.
        """
        state = (trials.present.astype(np.int8) + trials.answered).astype(np.int8)
        by_trial = {
            "numbers": self._numbers_of(trials),
            "levels": self._levels_of(trials),
            "state": state,
        }
        return Coded(by_trial, {}, last_places(trials.present))

    def _numbers_of(self, trials: Trials) -> np.ndarray:
        """Numbers (dataset, trial, column), float32."""
        numbers = np.empty((*trials.present.shape, len(self.numbers)), np.float32)
        for i, column in enumerate(self.numbers):
            numbers[..., i] = logarithms(trials.values[column.name], _known(trials, column), column)
        return numbers

    def _levels_of(self, trials: Trials) -> np.ndarray:
        """Positions among the levels that are read, (dataset, trial, column), int8."""
        levels = np.empty((*trials.present.shape, len(self.categories)), np.int8)
        for i, (column, read) in enumerate(self.categories):
            known = _known(trials, column)
            levels[..., i] = positions(trials.values[column.name], known, column, read)
        return levels

    def collect(
        self, coded: Coded, rows: np.ndarray, starts: np.ndarray, sizes: np.ndarray, length: int
    ) -> np.ndarray:
        """Channels (batch, length, channel) of runs of trials; those that are there come first."""
        out = np.zeros((len(rows), length, self.n_channels), np.float32)
        trials = tuple(coded.by_trial[name] for name in ("numbers", "levels", "state"))
        _write_runs(trials, (rows, starts, sizes), self._layout, out)
        return out

    @property
    def _layout(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Which numbers and which categories are given, and the first channel of each category."""
        numbers_given = np.array([column.given for column in self.numbers], np.bool_)
        categories_given = np.array([column.given for column, _ in self.categories], np.bool_)
        widths = np.array([len(levels) for _, levels in self.categories], np.int64)
        return numbers_given, categories_given, len(self.numbers) + np.cumsum(widths) - widths

    def spread(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Mean and SD, (channel,), of each channel of numbers over the trials where it is known.

        They are 0 and 1 for the other channels.
        """
        center, scale = np.zeros(self.n_channels, np.float32), np.ones(self.n_channels, np.float32)
        flat = features.reshape(-1, self.n_channels)
        for i, column in enumerate(self.numbers):
            known = flat[flat[:, -1 if column.given else -2] > 0, i].astype(float)
            if len(known):
                center[i], scale[i] = known.mean(), _spread_of(known)
        return center, scale


def channels_of(task: Task) -> Channels:
    """All columns of a task."""
    numbers = tuple(column for column in task.columns if not isinstance(column, Category))
    categories = tuple(column for column in task.columns if isinstance(column, Category))
    return Channels(numbers, tuple((column, task.levels_of(column)) for column in categories))


def _known(trials: Trials, column: Column) -> np.ndarray:
    """Where the values of a column mean something, (dataset, trial)."""
    return trials.present if column.given else trials.answered


def _spread_of(values: np.ndarray) -> float:
    """SD of some numbers; 1 where they hardly differ."""
    return values.std() if values.std() > 1e-5 * abs(values.mean()) else 1.0


@numba.njit(nogil=True, cache=True)
def _write_runs(trials, runs, layout, out):  # pragma: no cover - compiled
    """Write runs of trials into ``out`` (batch, length, channel), those that are there first."""
    numbers, levels, state = trials
    rows, starts, sizes = runs
    for i in range(len(rows)):
        row, slot = rows[i], 0
        for j in range(starts[i], starts[i] + sizes[i]):
            if state[row, j] > 0:
                answered = state[row, j] == 2
                _write_trial(numbers[row, j], levels[row, j], answered, layout, out[i, slot])
                slot += 1


@numba.njit(nogil=True, cache=True)
def _write_trial(numbers, levels, answered, layout, out):  # pragma: no cover - compiled
    """Write the channels of one trial; outcomes stay 0 where no answer came."""
    numbers_given, categories_given, first = layout
    for k in range(len(numbers)):
        if answered or numbers_given[k]:
            out[k] = numbers[k]
    for k in range(len(levels)):
        if answered or categories_given[k]:
            out[first[k] + levels[k]] = 1.0
    out[-2] = 1.0 if answered else 0.0
    out[-1] = 1.0
