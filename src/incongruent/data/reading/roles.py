"""Roles: which column holds the person, the reaction time, the accuracy and the condition.

A column is a candidate by its name, if its values may play the role. Several candidates that say
the same count as one. What is ambiguous is refused, for all roles in one message.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.codings import (
    FILE_COLUMN,
    AccuracyColumn,
    Coding,
    Meaning,
    condition_meaning,
    outcome_meaning,
)
from incongruent.data.reading.candidates import (
    ACCURACY,
    CONDITION,
    RT,
    SUBJECT,
    Role,
    candidates,
    has_name_of_another,
)
from incongruent.data.reading.computable import computed_accuracy, computed_condition
from incongruent.data.reading.names import SHOWN, named, one_is_correct, split_unit
from incongruent.data.reading.plausible import as_numbers, few_numbers, in_words
from incongruent.data.trials import Array
from incongruent.data.values import DataError, Labels, column_of, labels_of, listed, texts
from incongruent.data.vocabulary import (
    CODED_OUTCOME_NAMES,
    CONDITION_MEANING,
    OUTCOME_MEANING,
    OUTCOME_NAMES,
    plain,
)


@dataclass(frozen=True)
class Unsettled:
    """A role for which no column was found, or several that do not say the same.

    Attributes:
        role: which it is.
        came: what was found, for the message.
        likely: the column to suggest, if any.
    """

    role: Role
    came: str
    likely: str | None


@dataclass(frozen=True)
class Roles:
    """The columns that play the roles.

    Attributes:
        rt: the reaction time.
        unit: the unit in which its name ends, "ms" or "s", if any.
        accuracy: accuracy or errors.
        condition: the congruency.
    """

    rt: str
    unit: str | None
    accuracy: AccuracyColumn
    condition: str


def find_roles(table: pd.DataFrame, coding: Coding) -> Roles:
    """The columns of reaction time, accuracy and condition.

    Raises:
        DataError: when a role is played by no column or by several; the message is about all such
            roles.
    """
    rt = find_rt(table, coding)
    accuracy = find_accuracy(table, coding)
    condition = find_condition(table, coding)
    if unsettled := [found for found in (rt, accuracy, condition) if isinstance(found, Unsettled)]:
        raise refusal(unsettled)
    assert isinstance(rt, str)
    assert isinstance(accuracy, AccuracyColumn)
    assert isinstance(condition, str)
    return Roles(rt, split_unit(rt)[1], accuracy, condition)


def refusal(unsettled: Sequence[Unsettled]) -> DataError:
    """One message about all roles without a column, with one option that names their columns."""
    sentences = [
        f"Expected one column that holds the {one.role.what}; got {one.came}." for one in unsettled
    ]
    option = doors.coding(**{one.role.name: one.likely for one in unsettled})
    which = "Name the right one with" if len(unsettled) == 1 else "Name the right ones with"
    computed = (
        ""
        if unsettled[0].role is SUBJECT
        else " A role can also be computed from columns, as in `where`."
    )
    return DataError(f"{' '.join(sentences)} {which} {option}.{computed}")


# --- one role -------------------------------------------------------------------------------------


def find_subject(table: pd.DataFrame, coding: Coding) -> str | Unsettled:
    """The column that says whose trial a row is."""
    if coding.subject is not None:
        return _given(table, subject=coding.subject)
    found = candidates(table, SUBJECT)
    if not found and FILE_COLUMN in table.columns:
        return FILE_COLUMN
    return _only(table, found, SUBJECT, lambda series: pd.factorize(texts(series))[0])


def find_rt(table: pd.DataFrame, coding: Coding) -> str | Unsettled:
    """The column with the reaction time."""
    if coding.rt is not None:
        return _given(table, rt=coding.rt)
    return _only(table, candidates(table, RT), RT, as_numbers)


def find_accuracy(table: pd.DataFrame, coding: Coding) -> AccuracyColumn | Unsettled:
    """The column with the accuracy or the errors."""
    if coding.accuracy is not None:
        return AccuracyColumn(_given(table, accuracy=coding.accuracy), True)
    if coding.error is not None:
        return AccuracyColumn(_given(table, error=coding.error), False)
    found = candidates(table, ACCURACY) or _outcome_columns(table)
    only = _only(table, found, ACCURACY, lambda series: _outcomes(series, coding))
    return only if isinstance(only, Unsettled) else AccuracyColumn(only, one_is_correct(only))


def find_condition(table: pd.DataFrame, coding: Coding) -> str | Unsettled:
    """The column with the congruency."""
    if coding.condition is not None:
        return _given(table, condition=coding.condition)
    found = _best_understood(table, candidates(table, CONDITION), coding)
    return _only(table, found, CONDITION, lambda series: _levels(series, coding))


def _given(table: pd.DataFrame, **entry: str) -> str:
    """The column that an entry of the coding names."""
    ((role, column),) = entry.items()
    return named(column, list(table.columns), doors.coding(**{role: None}))


def _outcome_columns(table: pd.DataFrame) -> list[str]:
    """Columns such as "response" with words for outcomes; else such as "status" with codes."""
    in_outcome_words = [
        column
        for column in table.columns
        if plain(column) in OUTCOME_NAMES and in_words(column_of(table, column), OUTCOME_MEANING)
    ]
    return in_outcome_words or [
        column
        for column in table.columns
        if plain(column) in CODED_OUTCOME_NAMES and few_numbers(column_of(table, column))
    ]


def _best_understood(table: pd.DataFrame, found: list[str], coding: Coding) -> list[str]:
    """Of columns with a fitting name, those whose values are understood best.

    Best are known words, then values that the coding or the column's name explains, then two or
    three numbers.
    """
    for understood in (
        lambda series: in_words(series, CONDITION_MEANING),
        lambda series: _condition_meaning(series, coding) is not None,
        few_numbers,
    ):
        if better := [column for column in found if understood(column_of(table, column))]:
            return better
    return found


# --- one of several columns -----------------------------------------------------------------------


def _only(
    table: pd.DataFrame, found: Sequence[str], role: Role, read: Callable[[pd.Series], Array]
) -> str | Unsettled:
    """The only candidate, or the first of several that say the same.

    Args:
        table: the rows.
        found: the candidates.
        role: for which they are.
        read: what a column says, (row,).
    """
    if not found:
        return _nothing_found(table, role)
    if len(found) == 1 or _agree([read(column_of(table, column)) for column in found]):
        return found[0]
    fullest = max(found, key=lambda column: int(column_of(table, column).notna().sum()))
    return Unsettled(role, f"more than one: {listed(found)}", fullest)


def _agree(columns: Sequence[Array]) -> bool:
    """True when all columns say the same in the same rows, and nothing in the others."""
    first, *others = [pd.Series(values) for values in columns]
    return all(bool((first.eq(other) | (first.isna() & other.isna())).all()) for other in others)


def _nothing_found(table: pd.DataFrame, role: Role) -> Unsettled:
    """A role without a candidate, with the expression or the columns that may play it."""
    all_columns = f"the columns {listed(table.columns, SHOWN)}"
    if computed := _computed(table, role):
        return Unsettled(role, all_columns, computed)
    likely = [
        column
        for column in table.columns
        if not has_name_of_another(column, role) and role.looks_right(column_of(table, column))
    ]
    if not likely:
        return Unsettled(role, all_columns, None)
    came = f"no column with a usual name; likely by their values are {listed(likely, SHOWN)}"
    return Unsettled(role, came, likely[0] if len(likely) == 1 else None)


def _computed(table: pd.DataFrame, role: Role) -> str | None:
    """An expression that may play the role."""
    if role is ACCURACY:
        return computed_accuracy(table)
    return computed_condition(table) if role is CONDITION else None


# --- what columns say -----------------------------------------------------------------------------


def _outcomes(series: pd.Series, coding: Coding) -> Array:
    """(row,) What an accuracy column says, None where it is not understood."""
    words = labels_of(series, coding.outcomes)
    timed = np.ones(len(series), bool)
    meaning = outcome_meaning(words, one_is_correct(str(series.name)), coding, timed)
    return _translated(words, meaning.levels)


def _levels(series: pd.Series, coding: Coding) -> Array:
    """(row,) What a condition column says; its codes where they are not understood."""
    words = labels_of(series, coding.levels)
    meaning = _condition_meaning(series, coding)
    return np.asarray(words, object) if meaning is None else _translated(words, meaning.levels)


def _condition_meaning(series: pd.Series, coding: Coding) -> Meaning | None:
    return condition_meaning(str(series.name), labels_of(series, coding.levels), coding)


def _translated(words: Labels, levels: Mapping[str, str]) -> Array:
    """(row,) The meaning of each word, None where it has none."""
    codes, different = pd.factorize(words)
    return np.array([*(levels.get(word) for word in different), None], object)[codes]
