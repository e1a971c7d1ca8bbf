"""Reading: from what users have, a file or a frame, to `Trials`.

A table with names (`tables`), its rows and computed columns (`expressions`), whose trials they are
(`identity`), the roles and codes of its columns (`roles`, `codings`, `support`), which trials were
answered (`omissions`), and one data set for each person, with every trial that is left out counted
under one reason.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from incongruent.data import doors
from incongruent.data.codings import (
    NEUTRAL,
    OUTCOMES,
    Coding,
    Decoded,
    decode_accuracy,
    decode_condition,
)
from incongruent.data.files.tables import read_table
from incongruent.data.long_format import from_long
from incongruent.data.reading.expressions import choose, with_computed
from incongruent.data.reading.identity import check_identity, columns_of, nobodys, split
from incongruent.data.reading.omissions import Answers, answers, codes_of, told
from incongruent.data.reading.roles import Roles, find_roles
from incongruent.data.reading.support import Evidence, doubt_of, levels_by_data
from incongruent.data.trials import CONFLICT_TASK, Array, Trials
from incongruent.data.values import DataError, column_of, encoded, labels_of, listed, numbers, texts

__all__ = ["REASONS", "Coding", "DataError", "exclusions", "read_trials"]

REASONS = ("timeout", "missing", "out of window", "unknown condition", "unknown accuracy code")
"""Why a trial is left out; one to which several apply counts under the first."""


def read_trials(
    source: str | os.PathLike[str] | Any,
    *,
    names: Sequence[str] | None = None,
    by: str | Sequence[str] | None = None,
    where: str | None = None,
    unit: str | None = None,
    window: tuple[float, float] | None = (150.0, 2500.0),
    deadline: float | None = None,
    coding: Coding = Coding(),
) -> Trials:
    """Trials of a conflict task, from files or a frame with one row per trial.

    Columns are found by their usual names in any case and several languages (a column called ``rt``
    wins over ``latency`` and the like), as long as their values do not speak against it. What is
    ambiguous is refused. Codes in words (congruent / comp / con / c …, correct / hit / ja …) are
    understood as such; a label that is neither known nor rare is refused. Two or three numbers as
    codes of the condition are taken for congruent, (neutral,) incongruent in the order of their
    reaction times and errors, when both rise in it by more than three standard errors from one to
    the next; else they are refused with a table.

    Args:
        source: a file, a folder, a pattern such as ``"data/*.csv"``, several of these in a list, or
            a frame of pandas, polars or another library that narwhals knows. Files are CSV, TSV,
            ``;``, ``|`` or whitespace between columns, JSON, Parquet, Feather, E-Prime's log, or
            with ``pip install "incongruent[formats]"`` Excel, SPSS, Stata and R; gz, bz2, xz and
            zip around them. In several files columns are matched by name, and the file's name is
            the person where no column is.
        names: the columns' names, for files without a header; surplus columns at the end are
            allowed when they hold one value throughout.
        by: the column or columns whose combinations make the data sets; left out, the person's.
            ``()`` when all rows are one person's.
        where: which rows to take, such as ``"experiment == 0 and block > 1"`` or
            ``"response is not missing"``; a name with spaces stands in backticks.
        unit: "ms" or "s"; left out, it is told by the column's name and the median reaction time
            (.1–10 is s, 100–10,000 is ms).
        window: the shortest and longest reaction time to keep, in ms, both included; None keeps
            all.
        deadline: reaction time in ms after which an answer counts as none, as in `Design`; trials
            without an answer are then kept as such. None leaves them out.
        coding: which columns and codes to use where names and values do not tell.

    Returns:
        `Trials` with the columns `CONFLICT_TASK`, reaction times in ms, one data set for each
        person in natural order, even when no trial is left. ``excluded`` counts the trials left out
        of each data set, shape (dataset,), under each of `REASONS`; ``notes`` say how the data were
        understood, and begin with "Caution:" where something may be wrong.

    Raises:
        DataError: when the data cannot be understood; the message says what to do.
        TypeError: when an argument is of the wrong type.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"ID": [7, 7, 8], "Comp": ["comp", "incomp", "comp"], "RT": [402.0, 435.0, -1.0], "Error": [0, 1, 0]})
    >>> trials = read_trials(frame)
    >>> trials.names, trials.n_trials.tolist(), trials.excluded["timeout"].tolist()
    (('7', '8'), [2, 0], [0, 1])
    """
    _check_arguments(names, where, unit, window, deadline, coding)
    table, notes = read_table(source, names)
    table, chosen = choose(encoded(table), where)
    table, computed = with_computed(table, coding)
    roles, columns = find_roles(table, coding), columns_of(table, by, coding)
    table, dropped = _without_nobodys_rows(table, columns, roles)
    dataset, names_of_people, people = split(table, columns)
    split_notes = check_identity(table, dataset, columns, roles, asked=by is not None)
    rows, timing = _understood(table, roles, dataset, unit, window, deadline, coding)
    trials, counted = _gathered(rows, dataset, names_of_people, window, deadline)
    cautions = _cautions(rows, trials, roles, deadline)
    notes = (
        *notes,
        *chosen,
        *computed,
        *dropped,
        people,
        timing,
        rows.accuracy.note,
        rows.condition.note,
        *rows.answers.notes,
        *split_notes,
        *cautions,
    )
    return replace(trials, excluded=counted, notes=tuple(notes))


def exclusions(trials: Trials) -> pd.DataFrame:
    """How many trials of each data set were kept and left out.

    Returns:
        One row for each data set: subject, n_trials (kept), n_excluded, and how many were left out
        for each reason.
    """
    counts = {
        "subject": list(trials.names),
        "n_trials": trials.n_trials,
        "n_excluded": trials.n_excluded,
    }
    return pd.DataFrame({**counts, **trials.excluded})


def _check_arguments(
    names: object, where: object, unit: object, window: object, deadline: object, coding: object
) -> None:
    if names is not None and (
        isinstance(names, str)
        or not isinstance(names, Sequence)
        or not all(isinstance(name, str) for name in names)
    ):
        raise TypeError(f"Expected `names` to be a sequence of the columns' names; got {names!r}.")
    if not isinstance(where, str | None):
        raise TypeError(
            f"Expected `where` to be text such as 'experiment == 0'; got {type(where).__name__}."
        )
    if unit not in (None, "ms", "s"):
        raise DataError(
            f"Expected `unit` to be 'ms' or 's'; got {unit!r}. Leave it out to have it told by the"
            " median reaction time."
        )
    if not isinstance(coding, Coding):
        raise TypeError(f"Expected `coding` to be a Coding; got {type(coding).__name__}.")
    if deadline is not None and not isinstance(deadline, Real):
        raise TypeError(f"Expected `deadline` to be a number of ms, or None; got {deadline!r}.")
    if deadline is not None and not 0 < float(deadline) < np.inf:
        raise DataError(f"Expected `deadline` to be above 0 ms; got {deadline!r}.")
    if window is None:
        return
    if (
        not isinstance(window, Sequence)
        or len(window) != 2
        or not all(isinstance(edge, Real) for edge in window)
    ):
        raise TypeError(f"Expected `window` to be two numbers, in ms, or None; got {window!r}.")
    if not 0 <= window[0] < window[1]:
        raise DataError(
            f"Expected `window` to run from a shorter to a longer time in ms; got {window!r}."
        )


def _without_nobodys_rows(
    table: pd.DataFrame, columns: Sequence[str], roles: Roles
) -> tuple[pd.DataFrame, list[str]]:
    """The table without rows that have neither a person nor a reaction time nor an answer, and a
    sentence about them.
    """
    nobody = nobodys(table, columns, (roles.rt, roles.accuracy))
    if not nobody.any():
        return table, []
    if nobody.all():
        raise DataError(
            "Expected persons, reaction times or answers in columns"
            f" {listed((*columns, roles.rt, roles.accuracy))}; they are empty."
        )
    sentence = (
        f"{int(nobody.sum())} rows have no person, reaction time and answer; they are no trials and"
        " are left out."
    )
    return table.loc[~nobody].reset_index(drop=True), [sentence]


# --- reaction times, accuracy and condition -------------------------------------------------------


EVIDENT = (150.0, 2500.0)
"""Reaction times in ms that tell codes apart when no window is given; outliers would hide the
difference.
"""


@dataclass(frozen=True)
class Unit:
    """A unit of time: how many ms it has, and between which values a median reaction time lies that
    is surely in it.
    """

    name: str
    ms: float
    low: float
    high: float


UNITS = (Unit("s", 1000.0, 0.1, 10.0), Unit("ms", 1.0, 100.0, 10_000.0))


@dataclass(frozen=True)
class Rows:
    """The rows of a table, understood."""

    answers: Answers
    accuracy: Decoded
    condition: Decoded


def _understood(
    table: pd.DataFrame,
    roles: Roles,
    dataset: Array,
    unit: str | None,
    window: tuple[float, float] | None,
    deadline: float | None,
    coding: Coding,
) -> tuple[Rows, str]:
    """What each row says, and a sentence about the unit of time.

    Raises:
        DataError: when reaction times, accuracy or condition cannot be understood.
    """
    rt = numbers(column_of(table, roles.rt))
    rt = np.where(
        np.abs(rt) < 1e30, rt, np.nan
    )  # infinite, or beyond what float32 holds: no time at all
    series = column_of(table, roles.accuracy)
    accuracy = decode_accuracy(roles.accuracy, series, roles.one_is_correct, coding, rt > 0)
    conditions = column_of(table, roles.condition)
    has_condition = pd.notna(
        labels_of(conditions, coding.levels)
    )  # a welcome page has none, and its long times are no code
    codes = codes_of(np.where(has_condition, rt, np.nan), ~(accuracy.known & (accuracy.codes == 0)))
    chosen, timing = _unit(table, rt[~np.isin(rt, codes)], roles, unit)
    _check_accuracy(roles, accuracy, rt)
    usable = (
        accuracy.known
        & (accuracy.codes != OUTCOMES.index("omission"))
        & ~np.isin(rt, codes)
        & _within(rt * chosen.ms, window or EVIDENT)
    )
    evidence = Evidence(dataset, rt * chosen.ms, (accuracy.codes == 1).astype(float), usable)
    condition = decode_condition(
        roles.condition,
        conditions,
        coding,
        lambda words: levels_by_data(roles.condition, words, evidence),
    )
    return (
        Rows(
            answers(rt, codes, chosen.ms, accuracy, deadline, condition.known), accuracy, condition
        ),
        timing,
    )


def _within(rt: Array, window: tuple[float, float] | None) -> Array:
    """(row,) True where a reaction time is above 0 and within the window."""
    low, high = window or (0.0, np.inf)
    return (rt > 0.0) & (rt >= low) & (rt <= high)


def _unit(table: pd.DataFrame, times: Array, roles: Roles, unit: str | None) -> tuple[Unit, str]:
    """The unit of reaction times, and a sentence about it.

    Raises:
        DataError: when there are none, or their unit cannot be told or contradicts the median.
    """
    column = roles.rt
    usable = times[np.isfinite(times) & (times > 0)]
    if not len(usable):
        raise DataError(
            f"Expected positive reaction times in column {column!r}; got"
            f" {listed(dict.fromkeys(texts(column_of(table, column))), 5)}."
        )
    median = float(np.median(usable))
    by_median = next((u for u in UNITS if u.low <= median <= u.high), None)
    asked = unit or roles.unit
    if by_median is None and asked is None:
        raise DataError(
            f"Expected reaction times in ms or s; the median of column {column!r} is {median:.4g},"
            f" which may be either. Give {doors.option('unit')}."
        )
    if by_median is not None and asked not in (None, by_median.name):
        how = (
            f"`unit` is {unit!r}" if unit else f"the name of column {column!r} says {roles.unit!r}"
        )
        raise DataError(
            f"Expected reaction times in {asked}, since {how}; got a median of {median:.4g}. "
            f"Give {doors.option('unit', by_median.name)} if it is that."
        )
    chosen = next(u for u in UNITS if u.name == (asked or (by_median and by_median.name)))
    how = (
        "as given"
        if unit
        else "told by its name and median"
        if roles.unit
        else "told by the median"
    )
    return (
        chosen,
        (
            f"The reaction time was taken from column {column!r}, in {chosen.name} ({how},"
            f" {median:.4g})."
        ),
    )


def _check_accuracy(roles: Roles, accuracy: Decoded, rt: Array) -> None:
    """Refuse codes that make most answers errors, unless the user has said what they mean."""
    looked_at = accuracy.known & (rt > 0) & (accuracy.codes != OUTCOMES.index("omission"))
    if accuracy.meaning.how != "codes" or not looked_at.any():
        return
    correct = float((accuracy.codes[looked_at] == 0).mean())
    if correct < 0.5:
        meaning, option = ("correct", "error") if roles.one_is_correct else ("an error", "accuracy")
        raise DataError(
            f"Expected most answers to be correct; with 1 = {meaning} in column {roles.accuracy!r},"
            f" {correct:.0%} are. If it is the other way round, give"
            f" {doors.coding(**{option: roles.accuracy})}."
        )


# --- trials ---------------------------------------------------------------------------------------


def _gathered(
    rows: Rows,
    dataset: Array,
    names: Sequence[str],
    window: tuple[float, float] | None,
    deadline: float | None,
) -> tuple[Trials, Mapping[str, Array]]:
    """The trials of each data set, and how many of each were left out under each of `REASONS`."""
    reason = _reasons(rows, window, keeps_omissions=deadline is not None)
    kept = reason == len(REASONS)
    omitted = rows.answers.omitted[kept]
    values = {
        "condition": rows.condition.codes[kept],
        "response": np.where(omitted, 0, rows.accuracy.codes[kept]),
        "rt": np.where(omitted, 0.0, rows.answers.rt[kept]),
    }
    trials = from_long(CONFLICT_TASK, dataset[kept], values, answered=~omitted, names=names)
    return trials, {
        name: np.bincount(dataset[reason == i], minlength=len(names))
        for i, name in enumerate(REASONS)
    }


def _reasons(rows: Rows, window: tuple[float, float] | None, *, keeps_omissions: bool) -> Array:
    """The position of the first of `REASONS` that applies to each row, (row,); their number where
    none does.
    """
    rt, omitted, condition, accuracy = (
        rows.answers.rt,
        rows.answers.omitted,
        rows.condition,
        rows.accuracy,
    )
    applies = [
        omitted & (not keeps_omissions),
        condition.missing | (~omitted & (np.isnan(rt) | accuracy.missing)),
        ~omitted & ~_within(rt, window),
        ~condition.known,
        ~omitted & ~accuracy.known,
    ]
    return np.select(applies, range(len(REASONS)), default=len(REASONS))


def _cautions(rows: Rows, trials: Trials, roles: Roles, deadline: float | None) -> list[str]:
    """Sentences about what a user may want to look at before anything is fitted."""
    answered = trials.answered
    n_answered, longest = int(answered.sum()), float(trials.values["rt"][answered].max(initial=0.0))
    n_omitted = (
        int((trials.present & ~answered).sum())
        if deadline is not None
        else int((rows.answers.omitted & rows.condition.known).sum())
    )
    sentences = told(n_omitted, n_answered, longest, deadline)
    if n_neutral := int(trials.where("condition", NEUTRAL).sum()):
        sentences.append(f"Neutral trials are present: {n_neutral} of {trials.n_trials.sum()}.")
    n_unknown = int((~rows.accuracy.known & ~rows.accuracy.missing & ~rows.answers.omitted).sum())
    if n_unknown and n_answered and not trials.where("response", "error").any():
        sentences.append(
            f"Caution: nobody made an error, while {n_unknown} trials were left out for their code"
            f" in column {roles.accuracy!r}. Were these errors?"
        )
    evidence = _evidence(trials)
    codes = np.asarray(trials.values["condition"][answered])
    return sentences + doubt_of(roles.condition, codes, np.ones(len(codes), bool), evidence)


def _evidence(trials: Trials) -> Evidence:
    """The answered trials, one row each."""
    answered = trials.answered
    dataset = np.broadcast_to(np.arange(len(trials))[:, None], answered.shape)[answered]
    return Evidence(
        dataset,
        trials.values["rt"][answered],
        (trials.values["response"][answered] == 1).astype(float),
        np.ones(len(dataset), bool),
    )
