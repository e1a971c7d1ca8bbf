"""Trials in long format, one row per trial, to `Trials` and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from incongruent.data.trials import Array, Category, Column, Trials


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


def to_frame(trials: Trials) -> pd.DataFrame:
    """A data frame with one row per trial, and the data sets' names in the column ``subject``.

    Categories are given by their level; a trial without an answer has a missing value. Where a
    column is called ``subject`` itself, the names stand under ``dataset``, ``dataset_2``, …
    """
    person, trial = np.nonzero(trials.present)
    answered = trials.answered[person, trial]
    frame = pd.DataFrame({_free_name(trials.columns): np.asarray(trials.names, object)[person]})
    for column in trials.columns:
        known = np.ones(len(person), bool) if column.given else answered
        values = trials.values[column.name][person, trial]
        frame[column.name] = _readable(column, values, known)
    return frame


def _readable(column: Column, values: Array, known: Array) -> pd.Categorical | Array:
    """The values (row,) as a reader wants them: levels for categories, missing where not known."""
    if isinstance(column, Category):
        codes = np.where(known, values, -1)
        return pd.Categorical.from_codes(codes, categories=list(column.levels))
    return np.where(known, values, np.nan)


def _free_name(columns: Sequence[Column]) -> str:
    """The name for the column of data sets' names that no other column has."""
    taken = {column.name for column in columns}
    numbered = (f"dataset_{i + 2}" for i in range(len(taken)))
    return next(name for name in ("subject", "dataset", *numbered) if name not in taken)
