"""Identity: whose trials rows are, and whether one person's number hides several people, sessions
or tasks.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.codings import Coding
from incongruent.data.reading.roles import Roles, Unsettled, find_subject, named, refusal
from incongruent.data.trials import Array
from incongruent.data.values import DataError, absent, as_text, column_of, labels_of, written
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
"""Rows for which a column keeps its value on average, if it tells more than single trials."""
MOST_VALUES = 12
"""A column that splits a person has at most so many values within one."""
SHOWN = 4


def natural(text: str) -> tuple[int, float, tuple[str | int, ...], str]:
    """A key that sorts numbers as numbers, before text, and digits within text as numbers, too: 2,
    10, "s2", "s10".
    """
    try:
        return 0, float(text), (), text
    except ValueError:
        parts = re.split(r"([0-9]{1,18})", text)
        return 1, 0.0, tuple(int(part) if i % 2 else part for i, part in enumerate(parts)), text


def columns_of(table: pd.DataFrame, by: str | Sequence[str] | None, coding: Coding) -> list[str]:
    """The columns whose combinations make the data sets; none when all rows are one person's.

    Raises:
        DataError: when a column is unknown, or nobody tells people apart.
    """
    if by is not None and not isinstance(by, str | Sequence):
        raise TypeError(f"Expected `by` to be a column's name or several; got {type(by).__name__}.")
    if by is not None:
        asked = [by] if isinstance(by, str) else list(by)
        return [named(column, list(table.columns), "`by`") for column in asked]
    found = find_subject(table, coding)
    if isinstance(found, Unsettled):
        error = refusal([found])
        raise DataError(f"{error} Or give {doors.option('by', ())} when all rows are one person's.")
    return [found]


def nobodys(table: pd.DataFrame, columns: Sequence[str], others: Sequence[str]) -> Array:
    """(row,) True for rows that have no person and nothing in the other columns: no trial of
    anybody, such as a program's last line.
    """
    empty = np.full(len(table), bool(columns))
    for column in (*columns, *others):
        if empty.any():
            empty &= absent(column_of(table, column))
    return empty


def split(table: pd.DataFrame, columns: Sequence[str]) -> tuple[Array, tuple[str, ...], str]:
    """The data set of each row, (row,), the data sets' names in natural order, and a sentence about
    them.

    Raises:
        DataError: when a row belongs to nobody.
    """
    if not columns:
        return np.zeros(len(table), int), ("all",), "All rows are one data set."
    words = [labels_of(column_of(table, column), None) for column in columns]
    for column, word in zip(columns, words, strict=True):
        if lost := int(pd.isna(word).sum()):
            raise DataError(
                f"Expected a value in column {column!r} of every row, to tell whose trial it is;"
                f" {lost} of {len(table)} rows have none. Fill them in, or leave them out with"
                f" {doors.option('where', f'{written(column)} is not missing')}."
            )
    where, keys = pd.factorize(
        words[0] if len(words) == 1 else pd.MultiIndex.from_arrays(words).to_flat_index()
    )
    keys = [key if isinstance(key, tuple) else (key,) for key in keys]
    order = sorted(range(len(keys)), key=lambda i: [natural(part) for part in keys[i]])
    ordered = [keys[i] for i in order]
    told = (
        f"The {len(ordered)} data sets are the values of"
        f" {' and '.join(repr(column) for column in columns)}."
    )
    return np.argsort(order)[where], tuple(" · ".join(key) for key in ordered), told


def check_identity(
    table: pd.DataFrame, dataset: Array, columns: Sequence[str], roles: Roles, *, asked: bool
) -> list[str]:
    """Sentences about columns that split a data set into long parts.

    Args:
        table: the rows that are trials.
        dataset: (row,) whose.
        columns: that make the data sets.
        roles: the columns that play the other roles.
        asked: True when the user has said which columns make the data sets; then nothing is
            refused.

    Raises:
        DataError: when person numbers begin again in such a column, or it tells what a person has
            one of.
    """
    notes: list[str] = []
    told = [_codes(column_of(table, role))[0] for role in (roles.accuracy, roles.condition)]
    for column in table.columns:
        if column in (*columns, roles.rt, roles.accuracy, roles.condition):
            continue
        codes, values = _codes(column_of(table, column))
        if not _splits(codes, dataset) or any(_follows(codes, other) for other in told):
            continue
        sentence = _sentence(column, codes, values, dataset)
        restart = restarts(codes, dataset)
        one_each = bool({plain(column), *tokens(column)} & set(PERSON_ATTRIBUTES))
        if not asked and columns and (restart or one_each):
            raise _merged(column, columns, sentence, restart)
        if not {plain(column), *tokens(column)} & set(BLOCK_NAMES) or "practice" in sentence:
            notes.append(sentence)
    return notes


def _codes(series: pd.Series) -> tuple[Array, list[str]]:
    """The position of each row's value among the different ones, (row,), and these as text; a
    missing value is one of them.
    """
    try:
        codes, values = pd.factorize(series, use_na_sentinel=False)
    except TypeError:  # lists and the like cannot be told apart by hash
        codes, values = pd.factorize(np.array([str(value) for value in series], object))
    return codes, (
        [as_text(value) or "" for value in values]
        if len(values) < len(series) / LONG_RUN
        else [""] * len(values)
    )


def _splits(codes: Array, dataset: Array) -> bool:
    """True when a column takes two to a few values within some data set, and keeps each for long."""
    if (np.diff(dataset) < 0).any():
        order = np.argsort(dataset, kind="stable")
        dataset, codes = dataset[order], codes[order]
    changes = int(((dataset[1:] == dataset[:-1]) & (codes[1:] != codes[:-1])).sum())
    if not 0 < changes <= len(codes) / LONG_RUN:
        return False
    return 2 <= _values_within(codes, dataset).max() <= MOST_VALUES


def _pairs(one: Array, other: Array) -> tuple[Array, Array]:
    """The different pairs of two codes, each (pair,)."""
    size = int(other.max(initial=0)) + 1
    pairs = pd.unique(one.astype(np.int64) * size + other)
    return pairs // size, pairs % size


def _values_within(codes: Array, dataset: Array) -> Array:
    """How many values a column takes within each data set, (dataset,)."""
    return np.bincount(_pairs(dataset, codes)[0], minlength=1)


def _follows(codes: Array, other: Array) -> bool:
    """True when a column says nothing that another does not say."""
    return len(_pairs(other, codes)[0]) == int(other.max(initial=0)) + 1


def restarts(codes: Array, dataset: Array) -> bool:
    """True when data sets come one after the other, and then again from a place on where the column
    has another value.
    """
    runs = np.flatnonzero(np.r_[True, (dataset[1:] != dataset[:-1]) | (codes[1:] != codes[:-1])])
    people, values = dataset[runs], codes[runs]
    seen: dict[int, tuple[int, int]] = {}
    again = 0
    for place, (person, value) in enumerate(zip(people.tolist(), values.tolist(), strict=True)):
        before = seen.get(person)
        if before is not None and before[1] != value and place - before[0] > 1:
            again += 1
        seen[person] = (place, value)
    return again >= max(1, len(seen) / 2) and len(runs) <= 3 * len(seen) * max(
        2, len(np.unique(values))
    )


def _sentence(column: str, codes: Array, values: Sequence[str], dataset: Array) -> str:
    counts = np.bincount(codes, minlength=len(values))
    n_split = int((_values_within(codes, dataset) > 1).sum())
    shown = ", ".join(
        f"{values[i][:40]!r} ({counts[i]} rows)" for i in np.argsort(-counts, kind="stable")[:SHOWN]
    )
    more = f" and {len(values) - SHOWN} more" if len(values) > SHOWN else ""
    told = (
        f"Column {column!r} takes several values within {n_split} of {int(dataset.max()) + 1} data"
        f" sets: {shown}{more}."
    )
    names = {plain(column), *tokens(column)}
    if practice := _practice(names, values):
        leave_out = doors.option(
            "where", f"{written(column)} != {json.dumps(practice, ensure_ascii=False)}"
        )
        return f"{told} If {practice!r} marks practice trials, {leave_out} leaves them out."
    if names & {*TASK_NAMES, *SESSION_NAMES}:
        return (
            f"{told} They are taken together; {doors.option('by', (column, '...'))} keeps them"
            " apart."
        )
    return told


def _practice(names: set[str], values: Sequence[str]) -> str | None:
    """The value that seems to mark practice trials."""
    if names & set(PRACTICE_WORDS):
        return next((value for value in values if value.casefold() in YES), None)
    return next(
        (value for value in values if {plain(value), *tokens(value)} & set(PRACTICE_WORDS)), None
    )


def _merged(column: str, columns: Sequence[str], sentence: str, restart: bool) -> DataError:
    why = (
        "person numbers begin again in it"
        if restart
        else "that is something of which a person has one"
    )
    apart, together = (column, *columns), tuple(columns) if len(columns) > 1 else columns[0]
    return DataError(
        f"Expected one person behind each value of {' and '.join(repr(c) for c in columns)}; got a"
        f" column that splits them: {sentence} Since {why}, different people may have the same"
        f" number. Give {doors.option('by', apart)} to keep them apart, or"
        f" {doors.option('by', together)} when they are the same people."
    )
