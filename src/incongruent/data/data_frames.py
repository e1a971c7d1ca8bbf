"""Trials from a data frame with one row per trial, whose columns may have any names."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from incongruent.data.basics.plain import text_of
from incongruent.data.column_values import Declared, coded, column_for, missing
from incongruent.data.columns import Column, Per
from incongruent.data.long_format import from_long
from incongruent.data.trials import Trials, checked

Array = np.ndarray


def from_frame(
    frame: pd.DataFrame,
    declared: Declared,
    answered: Array | str | None,
    dataset: str,
    *,
    failed_too: bool,
) -> tuple[Trials, Array]:
    """The trials of a data frame, and which data sets failed, (dataset,).

    Args:
        frame: one row per trial.
        declared: what the caller says about the columns.
        answered: (row,) False where no answer came, or the column that says so.
        dataset: the column that says to which data set a row belongs.
        failed_too: True when data sets with numbers that are not finite are left empty; otherwise
            they are refused.

    Raises:
        ValueError: when columns are missing, or a value is not what its column allows.
    """
    codes, names = _datasets(frame, dataset)
    came = _answers(frame, answered)
    others = [dataset, answered] if isinstance(answered, str) else [dataset]
    rows = _Rows(frame.rename(columns=text_of).drop(columns=others), came, codes)
    failed = np.zeros(len(names), bool)
    if failed_too:
        failed[codes[_incomplete(rows, declared)]] = True
        rows = rows.chosen(~failed[codes])
    return _trials(rows, declared, [text_of(name) for name in names]), failed


class _Rows(NamedTuple):
    """Rows of one trial each.

    Args:
        frame: their columns.
        came: (row,) True where an answer came.
        codes: (row,) which data set a row belongs to.
    """

    frame: pd.DataFrame
    came: Array
    codes: Array

    def array(self, name: Hashable) -> Array:
        """The values of a column, (row,)."""
        return self.frame[name].to_numpy()

    def known(self, given: bool) -> Array:
        """(row,) True where a column has a value."""
        return self.came | given

    def chosen(self, kept: Array) -> _Rows:
        """The rows that are kept."""
        return _Rows(self.frame.loc[kept], self.came[kept], self.codes[kept])


def _trials(rows: _Rows, declared: Declared, names: Sequence[str]) -> Trials:
    columns = _columns(rows, declared)
    values = {
        column.name: coded(column, rows.array(column.name), rows.known(column.given))
        for column in columns
    }
    trials = from_long(columns, rows.codes, values, answered=rows.came, names=names)
    return checked(replace(trials, notes=declared.notes(columns)))


def _datasets(frame: pd.DataFrame, dataset: str) -> tuple[Array, Sequence[Any]]:
    """Which data set each row belongs to, (row,), and the data sets' names."""
    if dataset not in frame.columns:
        raise ValueError(
            f"Expected a column {dataset!r} that tells the data sets apart; the columns are"
            f" {list(frame.columns)}. Name it with dataset=."
        )
    codes, names = pd.factorize(frame[dataset])
    if (codes < 0).any():
        raise ValueError(
            f"Expected a data set for every row; {int((codes < 0).sum())} rows have none in"
            f" {dataset!r}."
        )
    return codes, list(names)


def _answers(frame: pd.DataFrame, answered: Array | str | None) -> Array:
    """(row,) True where an answer came."""
    if answered is None:
        return np.ones(len(frame), bool)
    came = np.asarray(frame[answered] if isinstance(answered, str) else answered, bool)
    if came.shape != (len(frame),):
        raise ValueError(
            f"Expected answered of shape ({len(frame)},), one for each row; got {came.shape}."
        )
    return came


def _incomplete(rows: _Rows, declared: Declared) -> Array:
    """(row,) True where a number that should be known is not finite."""
    lacking = [
        missing(rows.array(name)) & rows.known(name in declared.given)
        for name in rows.frame.columns
    ]
    return np.logical_or.reduce(lacking)


def _columns(rows: _Rows, declared: Declared) -> list[Column]:
    """The declared columns, or those that fit the values."""
    by_name = declared.by_name
    if by_name and set(by_name) != set(rows.frame.columns):
        raise ValueError(
            f"Expected the columns {sorted(by_name)}; got {sorted(rows.frame.columns)}. Leave the"
            " others out of the data frame."
        )
    if by_name:
        return list(by_name.values())
    names = map(str, rows.frame.columns)
    return [_column_found(name, rows, name in declared.given) for name in names]


def _column_found(name: str, rows: _Rows, given: bool) -> Column:
    values = rows.array(name)
    per: Per = "dataset" if given and _changes_per_dataset(values, rows.codes) else "trial"
    return column_for(name, values[rows.known(given)], per, given)


def _changes_per_dataset(values: Array, codes: Array) -> bool:
    """True for values that differ between data sets, but never within one."""
    n_different = len(pd.unique(values))
    pairs = len(pd.DataFrame({"dataset": codes, "value": values}).drop_duplicates())
    return n_different > 1 and pairs == len(np.unique(codes))
