"""Wanted: the rows that the user chooses, and the columns that are computed from others."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.codings import CONGRUENT, INCONGRUENT, Coding
from incongruent.data.reading.expressions import (
    Expression,
    ExpressionError,
    compute,
    evaluate,
    parse,
)
from incongruent.data.trials import Array
from incongruent.data.values import DataError, absent, column_of, listed

SHOWN = 40
"""So many columns are named in a message."""
ROLES = {"rt": "reaction time", "accuracy": "accuracy", "error": "error", "condition": "condition"}
"""The roles that can be computed, in words."""


def choose(table: pd.DataFrame, where: str | None) -> tuple[pd.DataFrame, list[str]]:
    """The rows for which ``where`` holds, and a sentence about them.

    Raises:
        DataError: when the filter is not understood or holds for no row.
    """
    if where is None:
        return table, []
    mask = _mask(table, where)
    note = f"`where` chose {mask.sum()} of {len(table)} rows: {where.strip()}."
    return table.loc[mask].reset_index(drop=True), [note]


def _mask(table: pd.DataFrame, where: str) -> Array:
    """(row,) True where the filter holds."""
    try:
        mask = evaluate(where, table)
        _check_mask(mask, len(table))
    except ExpressionError as error:
        example = "such as 'block > 1 and group == \"a\"' or 'response is not missing'"
        raise DataError(
            f"Expected `where` to choose rows by comparing columns with values, {example}; got"
            f" {where!r}: {error}. The columns are {listed(table.columns, SHOWN)}."
        ) from error
    return mask


def _check_mask(mask: Array, n_rows: int) -> None:
    if mask.shape != (n_rows,) or mask.dtype != bool:
        raise ExpressionError("it is not true or false for each row")
    if not mask.any():
        raise ExpressionError(f"it holds for none of {n_rows} rows")


# --- computed columns -----------------------------------------------------------------------------


def with_computed(table: pd.DataFrame, coding: Coding) -> tuple[pd.DataFrame, list[str]]:
    """The table with a column for each expression of the coding, and a sentence about each.

    The column has the expression as its name. A computed value is missing where one of the columns
    is missing from which it is computed.

    Raises:
        DataError: when an expression is not understood, or is of the wrong kind for its role.
    """
    notes: list[str] = []
    for role, what in ROLES.items():
        text = getattr(coding, role)
        if _is_expression(text, table):
            table = table.assign(**{text: _computed(role, text, table)})
            notes.append(f"The {what} was computed: {text}.")
    return table, notes


def _is_expression(text: Any, table: pd.DataFrame) -> bool:
    """True for text that is no column's name and has an operator, which no usual name has."""
    if not isinstance(text, str):
        return False
    is_column = any(text.casefold() == column.casefold() for column in table.columns)
    return not is_column and re.search(r"[=<>!+*/%-]|\b(is|in|and|or|not)\b", text) is not None


def _computed(role: str, text: str, table: pd.DataFrame) -> Array:
    """(row,) What an expression says for a role, missing where a column of it has no value."""
    try:
        expression = parse(text, list(table.columns))
        values = _of_kind(role, compute(expression, table), len(table))
    except ExpressionError as error:
        raise DataError(
            f"Expected {doors.coding(**{role: None})} to name a column or to compute one, such"
            f" as 'response == ink'; got {text!r}: {error}. The columns are"
            f" {listed(table.columns, SHOWN)}."
        ) from error
    values[_any_absent(expression, table)] = np.nan if role == "rt" else None
    return values


def _of_kind(role: str, values: Array, n_rows: int) -> Array:
    """(row,) Times for the reaction time, words for the other roles.

    Raises:
        ExpressionError: when the values are not such.
    """
    if values.shape != (n_rows,):
        raise ExpressionError("it is not one value for each row")
    if role == "rt":
        return _as_times(values)
    if values.dtype != bool:
        raise ExpressionError("it is not true or false for each row")
    true, false = (CONGRUENT, INCONGRUENT) if role == "condition" else ("1", "0")
    return np.where(values, true, false).astype(object)


def _as_times(values: Array) -> Array:
    if values.dtype == bool:
        raise ExpressionError("it is true or false, and no time")
    try:
        return values.astype(float)
    except (TypeError, ValueError) as error:
        raise ExpressionError("it is no number for each row, and no time") from error


def _any_absent(expression: Expression, table: pd.DataFrame) -> Array:
    """(row,) True where any column of an expression has no value."""
    unknown = np.zeros(len(table), bool)
    for column in expression.columns.values():
        unknown |= absent(column_of(table, column))
    return unknown
