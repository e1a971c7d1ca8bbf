"""Observed data in the columns that a network or a likelihood reads: what a column is was said
where it was trained, and not where data are read.

Whole milliseconds are fine for a continuous response time, positive data for a column that may be
negative, and levels are known by their names. What a column does not allow is refused.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from incongruent.data.basics.plain import text_of
from incongruent.data.columns import Category, Column, allowed
from incongruent.data.trials import Trials, checked

Array = np.ndarray


def in_columns(study: Trials, columns: Sequence[Column]) -> Trials:
    """The same trials in other columns of the same names.

    Args:
        study: the trials.
        columns: how they are to be read.

    Raises:
        ValueError: when there are other names, units differ, or a value is not allowed.
    """
    if set(study.columns) == set(columns):
        return study
    have, want = [column.name for column in study.columns], [column.name for column in columns]
    if sorted(have) != sorted(want):
        missing, extra = sorted(set(want) - set(have)), sorted(set(have) - set(want))
        raise ValueError(
            f"Expected trials with the columns {want}; got {have}: missing {missing}, not known"
            f" here {extra}. Rename columns, or leave out those that are not known."
        )
    values = {column.name: _values(study, study.column(column.name), column) for column in columns}
    return checked(replace(study, columns=tuple(columns), values=values))


def _values(study: Trials, came: Column, wanted: Column) -> Array:
    """The values of one column, (dataset, trial), as the other holds them."""
    name, values = wanted.name, study.values[wanted.name]
    if came == wanted:
        return values
    if wanted.given and not came.given and (study.present & ~study.answered).any():
        raise ValueError(
            f"Expected values of {name!r} in every trial, since the design sets it; they are known"
            f" only where an answer came. Say that it is given, with given=[{name!r}] or columns=."
        )
    known = study.present if wanted.given or came.given else study.answered
    units = [getattr(column, "unit", "") for column in (came, wanted)]
    if all(units) and units[0] != units[1]:
        raise ValueError(f"Expected {name!r} in {units[1]}; got it in {units[0]}. Convert it.")
    if isinstance(wanted, Category):
        return _positions(_texts(came, values), known, wanted)
    numbers = _numbers(came, values, known, wanted)
    fine, words = allowed(wanted, numbers)
    if (known & ~fine).any():
        person, trial = np.argwhere(known & ~fine)[0]
        raise ValueError(
            f"Expected {words} in column {name!r}; got {numbers[person, trial]:g} in data set"
            f" {study.names[person]!r}, trial {trial}."
        )
    return np.where(known, numbers, 0).astype(wanted.dtype)


def _texts(came: Column, values: Array) -> Array:
    """Every value as the name of a level, (dataset, trial) of text."""
    if isinstance(came, Category):
        return np.array(came.levels, object)[np.clip(values, 0, len(came.levels) - 1)]
    different, where = np.unique(values, return_inverse=True)
    return np.array([text_of(value) for value in different], object)[where.reshape(values.shape)]


def _positions(texts: Array, known: Array, wanted: Category) -> Array:
    unknown = sorted(set(texts[known]) - set(wanted.levels))
    if unknown:
        raise ValueError(
            f"Expected levels {wanted.levels} in column {wanted.name!r}; got {unknown[:5]}. Recode"
            " them, or leave these trials out."
        )
    places: dict[Any, int] = {level: place for place, level in enumerate(wanted.levels)}
    return np.array([places.get(text, 0) for text in texts.ravel()], np.int8).reshape(texts.shape)


def _numbers(came: Column, values: Array, known: Array, wanted: Column) -> Array:
    """Numbers (dataset, trial), of which those of levels are what their names say."""
    if not isinstance(came, Category):
        return np.asarray(values, float)
    try:
        of_level = np.array(
            [
                float(level) if (known & (values == place)).any() else 0.0
                for place, level in enumerate(came.levels)
            ]
        )
    except ValueError as error:
        raise ValueError(
            f"Expected numbers in column {wanted.name!r}; got the levels {came.levels}."
        ) from error
    return of_level[np.clip(values, 0, len(came.levels) - 1)]
