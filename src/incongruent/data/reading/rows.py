"""Rows: what each row of a table says, in reaction time, accuracy and condition."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.codings import Coding
from incongruent.data.reading.decoding import (
    Decoded,
    answered_correctly,
    answered_wrongly,
    decode_accuracy,
    decode_condition,
    not_answered,
)
from incongruent.data.reading.omissions import Answers, Times, answers, codes_of
from incongruent.data.reading.options import Options
from incongruent.data.reading.plausible import times_of
from incongruent.data.reading.roles import Roles
from incongruent.data.reading.support import Evidence, levels_by_data
from incongruent.data.reading.units import UnitEvidence, median_of, unit_note, unit_of
from incongruent.data.trials import Array
from incongruent.data.values import DataError, Labels, column_of, labels_of

EVIDENT = (150.0, 2500.0)
"""The reaction times in ms by which codes are told apart when the user gives no window.

Outliers would hide the difference between conditions.
"""


@dataclass(frozen=True)
class Rows:
    """What the rows of a table say.

    Attributes:
        answers: which trials were answered, and when.
        accuracy: whether the answers were correct.
        condition: the congruency.
        notes: sentences about how this was understood.
    """

    answers: Answers
    accuracy: Decoded
    condition: Decoded
    notes: tuple[str, ...]


def understood(table: pd.DataFrame, roles: Roles, dataset: Array, options: Options) -> Rows:
    """What each row says.

    Args:
        table: the rows.
        roles: which columns say it.
        dataset: (row,) the data set of each row.
        options: what the user says about unit, window, deadline and codes.

    Raises:
        DataError: when reaction times, accuracy or condition cannot be understood.
    """
    written = times_of(column_of(table, roles.rt))
    accuracy = _accuracy(table, roles, options.coding, written)
    times, unit = _times(table, roles, options, written, accuracy)
    _check_mostly_correct(roles, accuracy, written)
    evidence = _evidence(times, accuracy, dataset, options.window or EVIDENT)
    condition = _condition(table, roles.condition, options.coding, evidence)
    answered = answers(times, accuracy, condition.known, options.deadline)
    notes = (unit, accuracy.note, condition.note, *answered.notes)
    return Rows(answered, accuracy, condition, notes)


def within(rt: Array, window: tuple[float, float] | None) -> Array:
    """(row,) True where a reaction time is above 0 and within the window, if there is one."""
    low, high = window or (0.0, np.inf)
    return (rt > 0.0) & (rt >= low) & (rt <= high)


def _accuracy(table: pd.DataFrame, roles: Roles, coding: Coding, written: Array) -> Decoded:
    series = column_of(table, roles.accuracy.name)
    return decode_accuracy(roles.accuracy, series, coding, written > 0)


def _times(
    table: pd.DataFrame, roles: Roles, options: Options, written: Array, accuracy: Decoded
) -> tuple[Times, str]:
    """The reaction times with their codes and their unit, and a sentence about the unit."""
    # A welcome page has no condition; its long time is no code for "no answer".
    conditions = labels_of(column_of(table, roles.condition), options.coding.levels)
    of_trials = np.where(pd.notna(conditions), written, np.nan)
    codes = codes_of(of_trials, ~answered_correctly(accuracy))
    evidence = _unit_evidence(table, roles, options, written[~np.isin(written, codes)])
    unit = unit_of(evidence)
    return Times(written, codes, unit.ms), unit_note(evidence, unit)


def _unit_evidence(
    table: pd.DataFrame, roles: Roles, options: Options, times: Array
) -> UnitEvidence:
    median = median_of(roles.rt, times, column_of(table, roles.rt))
    return UnitEvidence(roles.rt, options.unit, roles.unit, median)


def _check_mostly_correct(roles: Roles, accuracy: Decoded, written: Array) -> None:
    """Refuse codes that make most answers errors, unless the user has said what they mean."""
    answered = accuracy.known & (written > 0) & ~not_answered(accuracy)
    if accuracy.meaning.how != "codes" or not answered.any():
        return
    correct = float(answered_correctly(accuracy)[answered].mean())
    if correct < 0.5:
        column, one_is_correct = roles.accuracy
        meaning, other_role = ("correct", "error") if one_is_correct else ("an error", "accuracy")
        raise DataError(
            f"Expected most answers to be correct; with 1 = {meaning} in column {column!r},"
            f" {correct:.0%} are. If it is the other way round, give"
            f" {doors.coding(**{other_role: column})}."
        )


def _evidence(
    times: Times, accuracy: Decoded, dataset: Array, window: tuple[float, float]
) -> Evidence:
    """The reaction times and errors by which codes of the condition are told apart."""
    answered = accuracy.known & ~not_answered(accuracy) & ~times.coded
    usable = answered & within(times.ms, window)
    return Evidence(dataset, times.ms, answered_wrongly(accuracy).astype(float), usable)


def _condition(table: pd.DataFrame, column: str, coding: Coding, evidence: Evidence) -> Decoded:
    def by_data(words: Labels) -> Mapping[str, str]:
        return levels_by_data(column, words, evidence)

    return decode_condition(column, column_of(table, column), coding, by_data)
