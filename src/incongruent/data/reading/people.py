"""People: whose trials the rows of a table are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.codings import Coding
from incongruent.data.reading.names import named
from incongruent.data.reading.roles import Roles, Unsettled, find_subject, refusal
from incongruent.data.trials import Array
from incongruent.data.values import DataError, absent, column_of, labels_of, listed, written

SEPARATOR = " · "
"""Between the parts of a data set's name when several columns make it."""


@dataclass(frozen=True)
class People:
    """Whose trials the rows of a table are; each person, or part of one, is a data set.

    Attributes:
        columns: whose combinations make the data sets; none when all rows are one data set.
        dataset: (row,) the position of each row's data set.
        names: of the data sets, in natural order.
        note: a sentence about them.
    """

    columns: tuple[str, ...]
    dataset: Array
    names: tuple[str, ...]
    note: str


def columns_of(table: pd.DataFrame, by: str | Sequence[str] | None, coding: Coding) -> list[str]:
    """The columns whose combinations make the data sets; none when all rows are one person's.

    Raises:
        DataError: when a column is unknown, or no column says whose trials the rows are.
    """
    if by is not None:
        return _asked_columns(table, by)
    found = find_subject(table, coding)
    if isinstance(found, Unsettled):
        error = refusal([found])
        raise DataError(f"{error} Or give {doors.option('by', ())} when all rows are one person's.")
    return [found]


def _asked_columns(table: pd.DataFrame, by: str | Sequence[str]) -> list[str]:
    """The columns that the user names."""
    if not isinstance(by, str | Sequence):
        raise TypeError(f"Expected `by` to be a column's name or several; got {type(by).__name__}.")
    columns = [by] if isinstance(by, str) else list(by)
    return [named(column, list(table.columns), "`by`") for column in columns]


# --- rows that are no trials ----------------------------------------------------------------------


def without_empty_rows(
    table: pd.DataFrame, columns: Sequence[str], roles: Roles
) -> tuple[pd.DataFrame, list[str]]:
    """The table without rows that have no person, no reaction time and no accuracy.

    Such a row, often a program's last line, is no trial.

    Args:
        table: the rows.
        columns: that make the data sets.
        roles: which columns hold reaction time and accuracy.

    Returns:
        The other rows, and a sentence when any were left out.

    Raises:
        DataError: when all rows are such.
    """
    needed = (*columns, roles.rt, roles.accuracy.name)
    empty = _empty_rows(table, needed) if columns else np.zeros(len(table), bool)
    if not empty.any():
        return table, []
    if empty.all():
        raise DataError(
            f"Expected persons, reaction times or answers in columns {listed(needed)}; they are"
            " empty."
        )
    sentence = (
        f"{int(empty.sum())} rows have no person, reaction time and answer; they are no trials and"
        " are left out."
    )
    return table.loc[~empty].reset_index(drop=True), [sentence]


def _empty_rows(table: pd.DataFrame, columns: Sequence[str]) -> Array:
    """(row,) True for rows without a value in any of the columns."""
    empty = np.ones(len(table), bool)
    for column in columns:
        if empty.any():
            empty &= absent(column_of(table, column))
    return empty


# --- data sets ------------------------------------------------------------------------------------


def tell_apart(table: pd.DataFrame, columns: Sequence[str]) -> People:
    """The data sets: the combinations of values in the columns.

    Raises:
        DataError: when a row has no value in one of the columns.
    """
    if not columns:
        return People((), np.zeros(len(table), int), ("all",), "All rows are one data set.")
    _check_every_row_has_one(table, columns)
    rows, combinations = _combinations(table, columns)
    order = _natural_order(combinations)
    names = tuple(SEPARATOR.join(combinations[i]) for i in order)
    note = f"The {len(names)} data sets are the values of {' and '.join(map(repr, columns))}."
    return People(tuple(columns), np.argsort(order)[rows], names, note)


def _check_every_row_has_one(table: pd.DataFrame, columns: Sequence[str]) -> None:
    for column in columns:
        if n_missing := int(absent(column_of(table, column)).sum()):
            raise DataError(
                f"Expected a value in column {column!r} of every row, to tell whose trial it is;"
                f" {n_missing} of {len(table)} rows have none. Fill them in, or leave them out with"
                f" {doors.option('where', f'{written(column)} is not missing')}."
            )


def _combinations(
    table: pd.DataFrame, columns: Sequence[str]
) -> tuple[Array, list[tuple[str, ...]]]:
    """The position of each row's combination, (row,), and the different combinations."""
    words = [labels_of(column_of(table, column), None) for column in columns]
    if len(words) == 1:
        rows, labels = pd.factorize(words[0])
        return rows, [(label,) for label in labels]
    rows, keys = pd.factorize(pd.MultiIndex.from_arrays(words).to_flat_index())
    return rows, list(keys)


def _natural_order(combinations: Sequence[Sequence[str]]) -> list[int]:
    """The positions of combinations, sorted as a person would sort them."""
    keys = [[natural(part) for part in combination] for combination in combinations]
    return sorted(range(len(keys)), key=keys.__getitem__)


def natural(text: str) -> tuple[int, float, tuple[str | int, ...], str]:
    """A key that sorts numbers by size, before text, and text by the numbers within it.

    >>> sorted(["s10", "s2", "10", "2"], key=natural)
    ['2', '10', 's2', 's10']
    """
    try:
        return 0, float(text), (), text
    except ValueError:
        parts = re.split(r"([0-9]{1,18})", text)
        return 1, 0.0, tuple(int(part) if i % 2 else part for i, part in enumerate(parts)), text
