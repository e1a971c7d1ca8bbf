"""Roles: which column holds the person, the reaction time, the accuracy and the condition.

A column is a candidate by its name, in tiers from the usual names to names with something before or
behind them, and only while its values do not speak against it. Candidates that say the same are
one. What stays ambiguous is refused, for all roles in one message.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.codings import FILE_COLUMN, Coding, condition_meaning, outcome_meaning
from incongruent.data.reading.plausible import (
    LIKE,
    MOST_LABELS,
    Check,
    against_accuracy,
    against_condition,
    against_rt,
    against_subject,
    as_numbers,
    few_numbers,
    in_words,
    like_accuracy,
    like_condition,
    like_rt,
    like_subject,
)
from incongruent.data.trials import Array
from incongruent.data.values import (
    DataError,
    Labels,
    column_of,
    is_number,
    label_shares,
    labels_of,
    listed,
    texts,
    written,
)
from incongruent.data.vocabulary import (
    ACCURACY_NAMES,
    AGGREGATE_TOKENS,
    CODED_OUTCOME_NAMES,
    CONDITION_MEANING,
    CONDITION_NAMES,
    ERROR_NAMES,
    OUTCOME_MEANING,
    OUTCOME_NAMES,
    RT_NAMES,
    SUBJECT_NAMES,
    plain,
    tokens,
)

SHOWN = 8
"""So many likely columns are named in a message."""


_NAMES = {
    "subject": {name for tier in SUBJECT_NAMES for name in tier},
    "rt": {name for tier in RT_NAMES for name in tier},
    "accuracy": {name for tier in (*ACCURACY_NAMES, *ERROR_NAMES) for name in tier},
    "condition": set(CONDITION_NAMES),
}
"""The usual names of each role."""


@dataclass(frozen=True)
class Unsettled:
    """A role for which no column was found, or several.

    Attributes:
        role: the entry of `Coding`.
        what: the role in words.
        came: what was found.
        likely: the column to suggest, if any.
    """

    role: str
    what: str
    came: str
    likely: str | None


@dataclass(frozen=True)
class Roles:
    """The columns that play the roles.

    Attributes:
        rt: the reaction time.
        unit: the unit that its name ends in, "ms" or "s".
        accuracy: accuracy or errors.
        one_is_correct: whether 1 means correct in it.
        condition: the congruency.
        notes: sentences about columns that were passed over.
    """

    rt: str
    unit: str | None
    accuracy: str
    one_is_correct: bool
    condition: str
    notes: tuple[str, ...] = ()


def find_roles(table: pd.DataFrame, coding: Coding) -> Roles:
    """The columns of reaction time, accuracy and condition.

    Raises:
        DataError: when a role is played by no column or by several; the message speaks of all such
            roles.
    """
    rt = find_rt(table, coding)
    accuracy = find_accuracy(table, coding)
    condition = find_condition(table, coding)
    if unsettled := [found for found in (rt, accuracy, condition) if isinstance(found, Unsettled)]:
        raise refusal(unsettled)
    assert isinstance(rt, str)
    assert isinstance(accuracy, tuple)
    assert isinstance(condition, str)
    return Roles(rt, split_unit(rt)[1], *accuracy, condition)


def refusal(unsettled: Sequence[Unsettled]) -> DataError:
    """One message about all roles that are not settled, with one option that settles them."""
    sentences = [
        f"Expected one column that holds the {one.what}; got {one.came}." for one in unsettled
    ]
    option = doors.coding(**{one.role: one.likely for one in unsettled})
    which = "Name the right one with" if len(unsettled) == 1 else "Name the right ones with"
    computed = (
        ""
        if unsettled[0].role == "subject"
        else " A role can also be computed from columns, as in `where`."
    )
    return DataError(f"{' '.join(sentences)} {which} {option}.{computed}")


def find_subject(table: pd.DataFrame, coding: Coding) -> str | Unsettled:
    """The column that tells people apart."""
    columns = list(table.columns)
    if coding.subject is not None:
        return named(coding.subject, columns, doors.coding(subject=None))
    found = _candidates(table, SUBJECT_NAMES, against_subject, like_subject) or [
        column for column in columns if column == FILE_COLUMN
    ]
    return _settled(
        table, found, "subject", "person", lambda series: pd.factorize(texts(series))[0]
    )


def find_rt(table: pd.DataFrame, coding: Coding) -> str | Unsettled:
    """The column with the reaction time."""
    columns = list(table.columns)
    if coding.rt is not None:
        return named(coding.rt, columns, doors.coding(rt=None))
    found = _candidates(
        table, RT_NAMES, against_rt, like_rt, name=lambda column: split_unit(column)[0]
    )
    return _settled(table, found, "rt", "reaction time", as_numbers)


def find_accuracy(table: pd.DataFrame, coding: Coding) -> tuple[str, bool] | Unsettled:
    """The column with the accuracy, and whether 1 means correct there."""
    columns = list(table.columns)
    if coding.accuracy is not None:
        return named(coding.accuracy, columns, doors.coding(accuracy=None)), True
    if coding.error is not None:
        return named(coding.error, columns, doors.coding(error=None)), False
    tiers = [(*right, *wrong) for right, wrong in zip(ACCURACY_NAMES, ERROR_NAMES, strict=True)]
    found = _candidates(table, tiers, against_accuracy, like_accuracy)
    found = found or [
        column
        for column in columns
        if plain(column) in OUTCOME_NAMES and in_words(column_of(table, column), OUTCOME_MEANING)
    ]
    found = found or [
        column
        for column in columns
        if plain(column) in CODED_OUTCOME_NAMES and few_numbers(column_of(table, column))
    ]
    settled = _settled(
        table, found, "accuracy", "accuracy", lambda series: _outcomes(series, coding)
    )
    return settled if isinstance(settled, Unsettled) else (settled, one_is_correct(settled))


def find_condition(table: pd.DataFrame, coding: Coding) -> str | Unsettled:
    """The column with the congruency: of those with a fitting name, the one whose values are
    understood best.
    """
    columns = list(table.columns)
    if coding.condition is not None:
        return named(coding.condition, columns, doors.coding(condition=None))
    found = _candidates(table, [CONDITION_NAMES], against_condition, like_condition)
    for understood in (
        lambda column: in_words(column_of(table, column), CONDITION_MEANING),
        lambda column: (
            condition_meaning(column, labels_of(column_of(table, column), coding.levels), coding)
            is not None
        ),
        lambda column: few_numbers(column_of(table, column)),
    ):
        if better := [column for column in found if understood(column)]:
            found = better
            break
    return _settled(table, found, "condition", "condition", lambda series: _levels(series, coding))


def one_is_correct(column: str) -> bool:
    """False for columns that count errors, by their names."""
    wrong = {name for tier in ERROR_NAMES for name in tier}
    return not ({plain(column), plain(column.rpartition(".")[2])} & wrong) and not (
        set(tokens(column)) & wrong
    )


# --- names ----------------------------------------------------------------------------------------


def _candidates(
    table: pd.DataFrame,
    tiers: Sequence[Sequence[str]],
    against: Check,
    like: Callable[[pd.Series], bool],
    name: Callable[[str], str] = str,
) -> list[str]:
    """The columns of the best tier that has any: usual names, names behind a dot ("key_resp.rt"),
    names with affixes ("congruency_num").

    Args:
        table: the rows.
        tiers: usual names, the best first.
        against: why a column's values speak against the role; such columns come last.
        like: whether a column's values speak for the role; needed where the name has affixes.
        name: what counts of a column's name.
    """
    columns = {column: name(column) for column in table.columns}
    known = {usual for tier in tiers for usual in tier}
    by_name = [
        [column for column, bare in columns.items() if plain(bare) in tier] for tier in tiers
    ]
    by_name.append(
        [
            column
            for column, bare in columns.items()
            if "." in bare and plain(bare.rpartition(".")[2]) in known
        ]
    )
    for found in by_name:
        if fitting := [column for column in found if against(column_of(table, column)) is None]:
            return fitting
    whole = [
        column
        for column in columns
        if tiers is SUBJECT_NAMES or not AGGREGATE_TOKENS & set(tokens(column))
    ]
    affixed = [
        column
        for column in whole
        if has_affix(columns[column], known) and like(column_of(table, column))
    ]
    return affixed or next((found for found in by_name if found), [])


def has_affix(column: str, known: set[str]) -> bool:
    """True when parts of the name are a known name, or the name begins with a known one of four
    letters or more.
    """
    parts = tokens(column)
    joined = {"".join(parts[i:j]) for i in range(len(parts)) for j in range(i + 1, len(parts) + 1)}
    return bool(joined & known) or any(
        plain(column).startswith(name) for name in known if len(name) >= 4
    )


def split_unit(name: str) -> tuple[str, str | None]:
    """The name without its unit, and the unit: "rt_ms" → ("rt", "ms"), "Latency (sec)" →
    ("Latency", "s"), "RT" → ("RT", None).
    """
    found = re.fullmatch(
        r"(.*?)(?:[\W_]+(s)|[\W_]*(secs?|seconds?|ms|msecs?|milliseconds?))\W*",
        name,
        re.IGNORECASE | re.DOTALL,
    )
    if found is None:
        return name, None
    base, *unit = found.groups()
    return base, "ms" if (unit[0] or unit[1]).casefold().startswith("m") else "s"


def named(column: object, columns: Sequence[str], option: str) -> str:
    """The column of that name; case does not matter when only one fits.

    Raises:
        DataError: when there is none.
    """
    if not isinstance(column, str):
        raise TypeError(
            f"Expected {option} to be a column's name; got {column!r} of type"
            f" {type(column).__name__}."
        )
    fitting = [name for name in columns if name == column] or [
        name for name in columns if name.casefold() == column.casefold()
    ]
    if len(fitting) != 1:
        near = difflib.get_close_matches(column, columns, 3, 0.5) or columns
        raise DataError(
            f"Expected {option} to name one of the columns, such as {listed(near, SHOWN)}; got"
            f" {column!r}."
        )
    return fitting[0]


def _settled(
    table: pd.DataFrame,
    found: Sequence[str],
    role: str,
    what: str,
    read: Callable[[pd.Series], Array],
) -> str | Unsettled:
    """The only candidate, or the first of several that say the same."""
    if len(found) == 1 or (found and _agree([read(column_of(table, column)) for column in found])):
        return found[0]
    if found:
        fullest = max(found, key=lambda column: int(column_of(table, column).notna().sum()))
        return Unsettled(role, what, f"more than one: {listed(found)}", fullest)
    if role in ("accuracy", "condition") and (computed := _computable(table, role)):
        return Unsettled(role, what, f"the columns {listed(table.columns, SHOWN)}", computed)
    likely = [
        column
        for column in table.columns
        if not _plays_another(column, role) and LIKE[role](column_of(table, column))
    ]
    came = (
        f"no column with a usual name; likely by their values are {listed(likely, SHOWN)}"
        if likely
        else f"the columns {listed(table.columns, SHOWN)}"
    )
    return Unsettled(role, what, came, likely[0] if len(likely) == 1 else None)


def _plays_another(column: str, role: str) -> bool:
    """True for a column that has a usual name of another role."""
    return any(plain(column) in names for other, names in _NAMES.items() if other != role)


def _computable(table: pd.DataFrame, role: str) -> str | None:
    """An expression that may say whether an answer was correct, or a trial congruent: two columns
    of the same words that are equal in some rows.
    """
    sets = {column: frozenset(label_shares(column_of(table, column))) for column in table.columns}
    sets = {
        column: labels
        for column, labels in sets.items()
        if 2 <= len(labels) <= MOST_LABELS and not any(map(is_number, labels))
    }
    words = {column: texts(column_of(table, column)) for column in sets}
    for one, other in combinations(words, 2):
        if sets[one] != sets[other]:
            continue
        equal = float((words[one] == words[other]).mean())
        if (equal > 0.8 and role == "accuracy") or (0.15 < equal < 0.85 and role == "condition"):
            answered = [
                column
                for column in (one, other)
                if {"response", "resp", "r", "key", "answer"} & set(tokens(column))
            ]
            return (
                f"{written(one)} == {written(other)}"
                if bool(answered) == (role == "accuracy") or not answered
                else None
            )
    return None


def _agree(columns: Sequence[Array]) -> bool:
    """True when all columns say the same wherever they say anything, and about the same rows."""
    first, *others = [pd.Series(values) for values in columns]
    return all(bool((first.eq(other) | (first.isna() & other.isna())).all()) for other in others)


def _outcomes(series: pd.Series, coding: Coding) -> Array:
    words = labels_of(series, coding.outcomes)
    meaning = outcome_meaning(
        words, one_is_correct(str(series.name)), coding, np.ones(len(series), bool)
    )
    return _translated(words, meaning.levels)


def _levels(series: pd.Series, coding: Coding) -> Array:
    words = labels_of(series, coding.levels)
    meaning = condition_meaning(str(series.name), words, coding)
    return np.asarray(words, object) if meaning is None else _translated(words, meaning.levels)


def _translated(words: Labels, levels: Mapping[str, str]) -> Array:
    """The meaning of each word, None where it has none."""
    where, values = pd.factorize(words)
    return np.array([*(levels.get(word) for word in values), None], object)[where]
