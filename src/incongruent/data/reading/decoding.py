"""Decoding: the congruency and the accuracy of each row, from the codes of two columns.

The module `codings` finds what codes mean. Here a column is refused when it is not understood, or
only in part; otherwise a note says how it was understood.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.codings import (
    CONGRUENT,
    CORRECT,
    ERROR,
    INCONGRUENT,
    OMISSION,
    OUTCOMES,
    AccuracyColumn,
    Coding,
    Meaning,
    condition_meaning,
    outcome_meaning,
)
from incongruent.data.trials import CONDITION, Array
from incongruent.data.values import DataError, Labels, labels_of, listed, shares

MOST_SHOWN = 12
"""At most so many labels are shown in a message."""


@dataclass(frozen=True)
class Decoded:
    """The codes of a column, understood.

    Attributes:
        codes: (row,) positions in the levels; valid only where ``known``.
        known: (row,) True where the code was understood.
        missing: (row,) True where the file has no value.
        note: how the codes were understood, for the user to read.
        meaning: what the labels mean.
    """

    codes: Array
    known: Array
    missing: Array
    note: str
    meaning: Meaning

    def is_known_as(self, code: int) -> Array:
        """(row,) True where the column says this."""
        return self.known & (self.codes == code)


# --- the condition --------------------------------------------------------------------------------


def decode_condition(
    column: str, series: pd.Series, coding: Coding, by_data: Callable[[Labels], Mapping[str, str]]
) -> Decoded:
    """The congruency of each row, as positions in the levels of `CONDITION`.

    Args:
        column: its name.
        series: its values.
        coding: what the user says.
        by_data: finds from reaction times and errors what labels without a meaning are, or raises a
            `DataError`.

    Raises:
        DataError: when the labels cannot be understood, or only a part of them.
    """
    words = labels_of(series, coding.levels)
    meaning = condition_meaning(column, words, coding)
    if meaning is None:
        _check_given_levels(column, words, coding)
        meaning = Meaning(by_data(words), "data", shares(words))
    if meaning.half_understood((CONGRUENT, INCONGRUENT)):
        option = doors.coding(condition=column, levels=_marked(meaning))
        raise _half_understood("condition", column, meaning, option)
    return _decoded(words, meaning, CONDITION.levels, _condition_note(column, meaning))


def _check_given_levels(column: str, words: Labels, coding: Coding) -> None:
    """Refuse a coding whose labels are not in the column."""
    if coding.levels is not None:
        raise DataError(
            f"Expected the labels of the coding, {listed(coding.levels)}, in column {column!r};"
            f" got the labels {listed(shares(words)) or None}. Say what the file's labels mean"
            f" with {doors.coding(levels=_example(words))}."
        )


def _example(words: Labels) -> dict[str, str]:
    """A coding of a column's first labels, to show how one is written."""
    return dict(zip(shares(words), CONDITION.levels, strict=False)) or {
        "a label": CONGRUENT,
        "another label": INCONGRUENT,
    }


def _marked(meaning: Meaning) -> dict[str, str]:
    """The meaning of each label, with a question mark where it is unknown."""
    return {label: meaning.levels.get(label, "?") for label in meaning.shares}


def _condition_note(column: str, meaning: Meaning) -> str:
    how = {
        "given": "as given",
        "words": "recognised by the labels",
        "name": "recognised by the column's name",
        "data": (
            "recognised by reaction times and errors, which both rise in this order;"
            f" {doors.coding(levels=None)} overrides it"
        ),
    }[meaning.how]
    return f"The condition was taken from column {column!r}: {meaning.in_words()} ({how})."


# --- the accuracy ---------------------------------------------------------------------------------


def decode_accuracy(
    column: AccuracyColumn, series: pd.Series, coding: Coding, has_rt: Array
) -> Decoded:
    """Whether each row was answered correctly, as positions in `OUTCOMES`.

    Args:
        column: which it is.
        series: its values.
        coding: what the user says.
        has_rt: (row,) True where the row has a reaction time.

    Raises:
        DataError: when the labels cannot be understood, or only a part of them.
    """
    words = labels_of(series, coding.outcomes)
    meaning = outcome_meaning(words, column.one_is_correct, coding, has_rt)
    _check_outcomes_known(column, meaning)
    if meaning.half_understood((CORRECT, ERROR)):
        option = doors.coding(accuracy=column.name, outcomes=_likely_outcomes(meaning))
        raise _half_understood("accuracy", column.name, meaning, option)
    return _decoded(words, meaning, OUTCOMES, _accuracy_note(column, meaning))


def _check_outcomes_known(column: AccuracyColumn, meaning: Meaning) -> None:
    """Refuse a column of which no label is known."""
    if not set(meaning.levels) & set(meaning.shares):
        option = doors.coding(accuracy=column.name, outcomes=_likely_outcomes(meaning))
        raise DataError(
            "Expected 1 and 0, True and False, yes and no, or correct and error in column"
            f" {column.name!r}, the {column.role}; got"
            f" {listed(sorted(meaning.shares)) or 'no value at all'}. Say what the labels mean with"
            f" {option}, or name another column with {doors.coding(accuracy=None)}."
        )


def _likely_outcomes(meaning: Meaning) -> dict[str, str]:
    """What the labels most likely mean, with a question mark where nothing is likely.

    Without a 0, the codes 1, 2 and 3 are often used for correct, error and omission.
    """
    usual = {} if "0" in meaning.shares else dict(zip("123", OUTCOMES, strict=True))
    shown = sorted(meaning.shares)[:MOST_SHOWN]
    likely = {label: meaning.levels.get(label, usual.get(label, "?")) for label in shown}
    return likely or {"1": CORRECT, "0": ERROR}


def _accuracy_note(column: AccuracyColumn, meaning: Meaning) -> str:
    how = {
        "given": "as given",
        "words": "recognised by the labels",
        "codes": f"1 or yes = {CORRECT if column.one_is_correct else ERROR}",
    }[meaning.how]
    return f"The accuracy was taken from column {column.name!r}: {meaning.in_words()} ({how})."


def answered_wrongly(accuracy: Decoded) -> Array:
    """(row,) True where the accuracy says that the answer was an error."""
    return accuracy.is_known_as(OUTCOMES.index(ERROR))


def answered_correctly(accuracy: Decoded) -> Array:
    """(row,) True where the accuracy says that the answer was correct."""
    return accuracy.is_known_as(OUTCOMES.index(CORRECT))


def not_answered(accuracy: Decoded) -> Array:
    """(row,) True where the accuracy says that no answer came in time."""
    return accuracy.is_known_as(OUTCOMES.index(OMISSION))


# --- both -----------------------------------------------------------------------------------------


def _decoded(words: Labels, meaning: Meaning, levels: Sequence[str], note: str) -> Decoded:
    places = {word: levels.index(level) for word, level in meaning.levels.items()}
    rows, different = pd.factorize(words)
    of_different = np.array([*(places.get(word, -1) for word in different), -1], int)
    codes = of_different[rows]  # the row -1, missing, takes the last: -1
    return Decoded(np.maximum(codes, 0), codes >= 0, rows < 0, note, meaning)


def _half_understood(role: str, column: str, meaning: Meaning, option: str) -> DataError:
    """The refusal of a column of which only a part is known, with the option to complete."""
    levels = OUTCOMES if role == "accuracy" else CONDITION.levels
    return DataError(
        f"Expected to know every label of column {column!r}, the {role}; got {_labels(meaning)}."
        f" Put {listed(levels)} for each ? in {option}; labels that are left out there are left out"
        " of the data and counted."
    )


def _labels(meaning: Meaning) -> str:
    """The most frequent labels with their shares and meanings."""
    by_share = sorted(meaning.shares.items(), key=lambda pair: -pair[1])
    shown = [
        f"{label!r} ({share:.1%}, {meaning.levels.get(label, 'not known')})"
        for label, share in by_share[:MOST_SHOWN]
    ]
    return ", ".join([*shown, "…"] if len(by_share) > MOST_SHOWN else shown)
