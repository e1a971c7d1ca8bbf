"""Identity: whether one person's number hides several people, sessions or tasks.

A column that takes a few values within a person, and keeps each of them for many rows, divides the
person's trials. Where it seems to divide them into different people, the table is refused; where it
is not a usual block, a note names it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.reading.people import People
from incongruent.data.reading.roles import Roles
from incongruent.data.trials import Array
from incongruent.data.values import DataError, as_text, column_of, written
from incongruent.data.vocabulary import (
    BLOCK_NAMES,
    PERSON_ATTRIBUTES,
    PRACTICE_WORDS,
    SESSION_NAMES,
    TASK_NAMES,
    YES,
    plain,
    tokens,
)

LONG_RUN = 8
"""A column that divides data sets keeps its value for at least so many rows on average."""
MOST_VALUES = 12
"""A column that divides a person has at most so many values within one."""
SHOWN = 4
"""So many values of such a column are shown in a sentence."""


def check_identity(table: pd.DataFrame, people: People, roles: Roles, *, asked: bool) -> list[str]:
    """Sentences about columns that divide data sets into long parts.

    Args:
        table: the rows that are trials.
        people: whose they are.
        roles: the columns that play the other roles.
        asked: True when the user has said which columns make the data sets; then nothing is
            refused.

    Raises:
        DataError: when person numbers begin again in such a column, or when a person has only one
            value of it, such as an age.
    """
    notes: list[str] = []
    for division in _divisions(table, people, roles):
        sentence = _sentence(division)
        if not asked and people.columns:
            _check_same_people(division, people.columns, sentence)
        if not division.is_called(BLOCK_NAMES) or "practice" in sentence:
            notes.append(sentence)
    return notes


@dataclass(frozen=True)
class _Division:
    """A column that divides data sets into long parts.

    Attributes:
        column: its name.
        codes: (row,) the position of each row's value among the different ones.
        values: these, as text.
        dataset: (row,) whose trial it is.
    """

    column: str
    codes: Array
    values: Sequence[str]
    dataset: Array

    @cached_property
    def words(self) -> frozenset[str]:
        """The column's name, and its parts."""
        return _words_of(self.column)

    def is_called(self, names: Sequence[str]) -> bool:
        """True when the column's name, or a part of it, is one of the names."""
        return not self.words.isdisjoint(names)

    @property
    def restarts(self) -> bool:
        """True when person numbers begin again where the column has another value."""
        return _restarts(self.codes, self.dataset)


def _divisions(table: pd.DataFrame, people: People, roles: Roles) -> Iterator[_Division]:
    """The columns that divide data sets, without those that play a role or only repeat one."""
    coded = (roles.accuracy.name, roles.condition)
    playing = (*people.columns, roles.rt, *coded)
    outcomes = [_codes(column_of(table, column))[0] for column in coded]
    for column in table.columns:
        if column in playing:
            continue
        codes, values = _codes(column_of(table, column))
        repeats = (_follows(codes, outcome) for outcome in outcomes)
        if _divides(codes, people.dataset) and not any(repeats):
            yield _Division(column, codes, values, people.dataset)


def _check_same_people(division: _Division, columns: Sequence[str], sentence: str) -> None:
    """Refuse a column that most likely divides one number's trials into those of several people."""
    if division.restarts:
        raise _merged(division, columns, sentence, "person numbers begin again in it")
    if division.is_called(PERSON_ATTRIBUTES):
        raise _merged(division, columns, sentence, "that is something of which a person has one")


def _merged(division: _Division, columns: Sequence[str], sentence: str, why: str) -> DataError:
    apart, together = (
        (division.column, *columns),
        tuple(columns) if len(columns) > 1 else columns[0],
    )
    return DataError(
        f"Expected one person behind each value of {' and '.join(repr(c) for c in columns)}; got a"
        f" column that splits them: {sentence} Since {why}, different people may have the same"
        f" number. Give {doors.option('by', apart)} to keep them apart, or"
        f" {doors.option('by', together)} when they are the same people."
    )


# --- which columns divide data sets ---------------------------------------------------------------


def _codes(series: pd.Series) -> tuple[Array, list[str]]:
    """The code of each row, (row,), and the texts of the codes; a missing value has a code, too.

    The texts are empty in a column with too many different values to divide anything.
    """
    try:
        codes, values = pd.factorize(series, use_na_sentinel=False)
    except TypeError:  # lists and the like have no hash, so their text is compared
        codes, values = pd.factorize(np.array([str(value) for value in series], object))
    if len(values) >= len(series) / LONG_RUN:
        return codes, [""] * len(values)
    return codes, [as_text(value) or "" for value in values]


def _divides(codes: Array, dataset: Array) -> bool:
    """True when a column takes a few values within some data set, and keeps each for long."""
    n_changes = _changes_within(codes, dataset)
    if not 0 < n_changes <= len(codes) / LONG_RUN:
        return False
    return 2 <= _values_within(codes, dataset).max() <= MOST_VALUES


def _changes_within(codes: Array, dataset: Array) -> int:
    """How often a code changes from one row of a data set to the next."""
    if (np.diff(dataset) < 0).any():
        order = np.argsort(dataset, kind="stable")
        dataset, codes = dataset[order], codes[order]
    same_dataset = dataset[1:] == dataset[:-1]
    return int((same_dataset & (codes[1:] != codes[:-1])).sum())


def _values_within(codes: Array, dataset: Array) -> Array:
    """(dataset,) How many values a column takes within each data set."""
    return np.bincount(_pairs(dataset, codes)[0], minlength=1)


def _follows(codes: Array, other: Array) -> bool:
    """True when each value of another column always comes with the same value of this one."""
    return len(_pairs(other, codes)[0]) == int(other.max(initial=0)) + 1


def _pairs(one: Array, other: Array) -> tuple[Array, Array]:
    """The different pairs of two codes, each (pair,)."""
    size = int(other.max(initial=0)) + 1
    pairs = pd.unique(one.astype(np.int64) * size + other)
    return pairs // size, pairs % size


def _restarts(codes: Array, dataset: Array) -> bool:
    """True when data sets come one after the other, and then again with another value.

    Args:
        codes: (row,) the value of the column.
        dataset: (row,) whose trial it is.
    """
    people, values = _runs(codes, dataset)
    n_people = len(np.unique(people))
    few_runs = len(people) <= 3 * n_people * max(2, len(np.unique(values)))
    return few_runs and _returns(people, values) >= max(1, n_people / 2)


def _runs(codes: Array, dataset: Array) -> tuple[Array, Array]:
    """The data set and the value of each run of rows in which both stay the same, each (run,)."""
    changed = (dataset[1:] != dataset[:-1]) | (codes[1:] != codes[:-1])
    starts = np.flatnonzero(np.r_[True, changed])
    return dataset[starts], codes[starts]


def _returns(people: Array, values: Array) -> int:
    """How often a data set comes again after others, and with another value than before."""
    last: dict[int, tuple[int, int]] = {}
    n_returns = 0
    for place, (person, value) in enumerate(zip(people.tolist(), values.tolist(), strict=True)):
        if person in last:
            place_before, value_before = last[person]
            n_returns += value_before != value and place - place_before > 1
        last[person] = (place, value)
    return n_returns


# --- sentences ------------------------------------------------------------------------------------


def _sentence(division: _Division) -> str:
    """What a column divides, and with which option the parts are left out or kept apart."""
    sentence = _what_it_divides(division)
    column = division.column
    if practice := _practice(division):
        condition = f"{written(column)} != {json.dumps(practice, ensure_ascii=False)}"
        leave_out = doors.option("where", condition)
        return f"{sentence} If {practice!r} marks practice trials, {leave_out} leaves them out."
    if division.is_called((*TASK_NAMES, *SESSION_NAMES)):
        keep_apart = doors.option("by", (column, "..."))
        return f"{sentence} They are taken together; {keep_apart} keeps them apart."
    return sentence


def _what_it_divides(division: _Division) -> str:
    n_values = _values_within(division.codes, division.dataset)
    n_divided, n_datasets = int((n_values > 1).sum()), int(division.dataset.max()) + 1
    return (
        f"Column {division.column!r} takes several values within {n_divided} of {n_datasets} data"
        f" sets: {_most_frequent(division)}."
    )


def _most_frequent(division: _Division) -> str:
    """The most frequent values of a column, with the number of their rows."""
    values = division.values
    counts = np.bincount(division.codes, minlength=len(values))
    order = np.argsort(-counts, kind="stable")
    shown = ", ".join(f"{values[i][:40]!r} ({counts[i]} rows)" for i in order[:SHOWN])
    return shown + (f" and {len(values) - SHOWN} more" if len(values) > SHOWN else "")


def _practice(division: _Division) -> str | None:
    """The value that seems to mark practice: yes in a column "practice", or a word for it."""
    if division.is_called(PRACTICE_WORDS):
        marking = (value for value in division.values if value.casefold() in YES)
    else:
        marking = (
            value for value in division.values if not _words_of(value).isdisjoint(PRACTICE_WORDS)
        )
    return next(marking, None)


def _words_of(text: str) -> frozenset[str]:
    """A text as one plain word, and its parts."""
    return frozenset({plain(text), *tokens(text)})
