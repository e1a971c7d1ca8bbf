"""One column from its values: which kind of column it is, and how it stores the values."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from incongruent.data.basics.plain import text_of
from incongruent.data.columns import Category, Column, Continuous, Integer, Per, allowed

Array = np.ndarray

MOST_LEVELS = 12
"""Undeclared whole numbers with at most so many different values are read as categories."""


@dataclass(frozen=True)
class Declared:
    """What the caller says about the columns of the data.

    Args:
        columns: the columns; None when they are to be found from the values.
        given: names of the columns that the design set, when ``columns`` is None.
    """

    columns: Sequence[Column] | None
    given: frozenset[str]

    @property
    def by_name(self) -> dict[str, Column]:
        """The declared columns by their names; empty when none are declared."""
        return {column.name: column for column in self.columns or ()}

    def notes(self, columns: Iterable[Column]) -> tuple[str, ...]:
        """A sentence for each column that was found from its values."""
        return tuple(
            f"{column.name} was read as {column}."
            for column in columns
            if column.name not in self.by_name
        )


def missing(values: Array) -> Array:
    """Where a number is not finite, same shape."""
    return ~np.isfinite(values) if values.dtype.kind == "f" else np.zeros(values.shape, bool)


# --- which kind of column -------------------------------------------------------------------------


def column_for(name: str, known: Array, per: Per, given: bool) -> Column:
    """The column that fits the known values of an undeclared column."""
    if known.dtype.kind in "bOUS":
        return Category(name, tuple(sorted(set(_texts(known.reshape(-1))[0]))), given, per)
    if not _are_whole(known):
        return Continuous(name, given=given, positive=bool((known > 0).all()), per=per)
    different = np.unique(known)
    if len(different) <= MOST_LEVELS:
        return Category(name, tuple(text_of(value) for value in different), given, per)
    return Integer(name, given=given, per=per)


def _are_whole(values: Array) -> bool:
    return bool(np.isfinite(values).all() and (values == np.floor(values)).all())


# --- its values -----------------------------------------------------------------------------------


def coded(column: Column, values: Array, known: Array) -> Array:
    """The values in the column's type, same shape.

    Text and numbers of a category become the positions of their levels. Numbers that are not known
    become 0.

    Raises:
        ValueError: when the column does not allow a known value.
    """
    filled = _filled(np.asarray(values), known)
    if isinstance(column, Category):
        return _level_positions(column, filled)
    return np.where(known, _allowed_numbers(column, filled), 0).astype(column.dtype)


def _filled(values: Array, known: Array) -> Array:
    """The values with the first known one in every place that is not known."""
    filler: Any = values.flat[int(np.argmax(known))] if known.any() else 0
    return np.where(known, values, filler)


def _allowed_numbers(column: Column, values: Array) -> Array:
    try:
        numbers = values.astype(float)
    except (TypeError, ValueError) as error:
        raise ValueError(
            f"Expected numbers in column {column.name!r}; got {values.dtype} ({error})."
        ) from error
    fine, wanted = allowed(column, numbers)
    if not fine.all():
        place = tuple(int(i) + 1 for i in np.argwhere(~fine)[0])
        raise ValueError(
            f"Expected {wanted} in column {column.name!r}; got {numbers[~fine][0]} at place"
            f" {place}. Say with answered= which trials have no answer, or with columns= what the"
            " column is."
        )
    return numbers


def _level_positions(column: Category, values: Array) -> Array:
    texts, where = _texts(values.reshape(-1))
    different = [text if text in column.levels else _with_six_digits(text) for text in texts]
    unknown = sorted(set(different) - set(column.levels))
    if unknown:
        raise ValueError(
            f"Expected levels {column.levels} in column {column.name!r}; got {unknown[:5]}."
        )
    positions = np.array([column.levels.index(text) for text in different], np.int8)
    return positions[where].reshape(values.shape)


def _texts(values: Array) -> tuple[list[str], Array]:
    """The text of each different value, and for each of the values (value,) which one it is."""
    if values.dtype == object:  # where 1 and True are equal, but their texts are not
        values = np.array([text_of(value) for value in values], object)
    where, different = pd.factorize(values, use_na_sentinel=False)
    return [text_of(value) for value in different], where


def _with_six_digits(text: str) -> str:
    """A number with six digits, as levels may be declared; other text is unchanged."""
    try:
        return f"{float(text):g}"
    except ValueError:
        return text
