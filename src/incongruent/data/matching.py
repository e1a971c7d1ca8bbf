"""Observed data in the columns that a network or a likelihood reads.

Columns are declared where a network is trained, not where data are read. So whole milliseconds are
accepted for a continuous response time, positive data for a column that may be negative, and levels
are matched by their names. A value that the column does not allow is refused.
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
        columns: the columns in which they are wanted.

    Raises:
        ValueError: when the names or units differ, or a value is not allowed.
    """
    if set(study.columns) == set(columns):
        return study
    _check_same_names(study.columns, columns)
    values = {column.name: _values(study, study.column(column.name), column) for column in columns}
    return checked(replace(study, columns=tuple(columns), values=values))


def _check_same_names(came: Sequence[Column], wanted: Sequence[Column]) -> None:
    have, want = [column.name for column in came], [column.name for column in wanted]
    if sorted(have) != sorted(want):
        missing, extra = sorted(set(want) - set(have)), sorted(set(have) - set(want))
        raise ValueError(
            f"Expected trials with the columns {want}; got {have}: missing {missing}, not known"
            f" here {extra}. Rename columns, or leave out those that are not known."
        )


def _values(study: Trials, came: Column, wanted: Column) -> Array:
    """The values of one column, (dataset, trial), as the wanted column stores them."""
    values = study.values[wanted.name]
    if came == wanted:
        return values
    _check_known_everywhere(study, came, wanted)
    _check_units(came, wanted)
    known = study.present if wanted.given or came.given else study.answered
    if isinstance(wanted, Category):
        return _positions(_texts(came, values), known, wanted)
    numbers = _numbers(came, values, known, wanted)
    _check_allowed(study, wanted, numbers, known)
    return np.where(known, numbers, 0).astype(wanted.dtype)


def _check_known_everywhere(study: Trials, came: Column, wanted: Column) -> None:
    """Refuse values that are known only in answered trials, where the design should set them."""
    if wanted.given and not came.given and (study.present & ~study.answered).any():
        name = wanted.name
        raise ValueError(
            f"Expected values of {name!r} in every trial, since the design sets it; they are known"
            f" only where an answer came. Say that it is given, with given=[{name!r}] or columns=."
        )


def _check_units(came: Column, wanted: Column) -> None:
    have, want = (getattr(column, "unit", "") for column in (came, wanted))
    if have and want and have != want:
        raise ValueError(f"Expected {wanted.name!r} in {want}; got it in {have}. Convert it.")


def _check_allowed(study: Trials, wanted: Column, numbers: Array, known: Array) -> None:
    fine, words = allowed(wanted, numbers)
    wrong = known & ~fine
    if wrong.any():
        person, trial = np.argwhere(wrong)[0]
        raise ValueError(
            f"Expected {words} in column {wanted.name!r}; got {numbers[person, trial]:g} in data"
            f" set {study.names[person]!r}, trial {trial}."
        )


def _texts(came: Column, values: Array) -> Array:
    """Every value as the name of a level, (dataset, trial) of text."""
    if isinstance(came, Category):
        return np.array(came.levels, object)[np.clip(values, 0, len(came.levels) - 1)]
    different, where = np.unique(values, return_inverse=True)
    return np.array([text_of(value) for value in different], object)[where.reshape(values.shape)]


def _positions(texts: Array, known: Array, wanted: Category) -> Array:
    """The position of each level among those of the wanted column, (dataset, trial)."""
    unknown = sorted(set(texts[known]) - set(wanted.levels))
    if unknown:
        raise ValueError(
            f"Expected levels {wanted.levels} in column {wanted.name!r}; got {unknown[:5]}. Recode"
            " them, or leave these trials out."
        )
    places: dict[Any, int] = {level: place for place, level in enumerate(wanted.levels)}
    return np.array([places.get(text, 0) for text in texts.ravel()], np.int8).reshape(texts.shape)


def _numbers(came: Column, values: Array, known: Array, wanted: Column) -> Array:
    """The values as numbers, (dataset, trial); a level is the number that its name says."""
    if not isinstance(came, Category):
        return np.asarray(values, float)

    def number_of(place: int, level: str) -> float:
        return float(level) if (known & (values == place)).any() else 0.0

    try:
        of_level = [number_of(place, level) for place, level in enumerate(came.levels)]
    except ValueError as error:
        raise ValueError(
            f"Expected numbers in column {wanted.name!r}; got the levels {came.levels}."
        ) from error
    return np.array(of_level)[np.clip(values, 0, len(came.levels) - 1)]
