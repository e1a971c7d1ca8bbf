"""Trials as a data frame with one row per trial, as other programs read them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from incongruent.data.columns import Category, Column

Array = np.ndarray


def as_frame(
    columns: Sequence[Column],
    values: Mapping[str, Array],
    present: Array,
    answered: Array,
    names: Sequence[str],
) -> pd.DataFrame:
    """A data frame with one row per trial; arguments as those of `Trials`."""
    person, trial = np.nonzero(present)
    known = answered[person, trial]
    frame = pd.DataFrame({_free_name(columns): np.asarray(names, object)[person]})
    for column in columns:
        here = np.ones(len(person), bool) if column.given else known
        frame[column.name] = _readable(column, values[column.name][person, trial], here)
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
    return next(name for name in ("participant", "dataset", *numbered) if name not in taken)
