"""Trials in long format, one row per trial, as `Trials`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from incongruent.data.trials import Array, Column, Trials


def from_long(
    columns: Sequence[Column],
    dataset: Array,
    values: Mapping[str, Array],
    *,
    answered: Array | None = None,
    names: Sequence[str] = (),
) -> Trials:
    """Trials from one row per trial.

    Args:
        columns: what the values are.
        dataset: (row,) the position of the data set to which each row belongs, 0, 1, …
        values: for each column its values, (row,); categories as positions in their levels.
        answered: (row,) False where no answer came; everywhere True when left out.
        names: what the data sets are called; also fixes how many there are.

    Returns:
        `Trials` in which the rows of each data set keep their order.
    """
    dataset = np.asarray(dataset, int)
    present = _room_for(dataset, n_datasets=len(names) or int(dataset.max(initial=-1)) + 1)
    order = _grouping_order(dataset)

    def spread(rows: Array, dtype: type[np.generic]) -> Array:
        out = np.zeros(present.shape, dtype)
        out[present] = np.asarray(rows)[order]
        return out

    return Trials(
        columns=tuple(columns),
        values={column.name: spread(values[column.name], column.dtype) for column in columns},
        present=present,
        answered=present.copy() if answered is None else spread(answered, np.bool_),
        names=tuple(names),
    )


def _grouping_order(dataset: Array) -> Array | slice:
    """The order of rows in which those of a data set come together, and keep their order."""
    if (np.diff(dataset) < 0).any():
        return np.argsort(dataset, kind="stable")
    return slice(None)


def _room_for(dataset: Array, n_datasets: int) -> Array:
    """Which places (dataset, trial) hold a trial when each data set begins at its first place."""
    counts = np.bincount(dataset, minlength=n_datasets)
    return np.arange(counts.max(initial=0)) < counts[:, None]
