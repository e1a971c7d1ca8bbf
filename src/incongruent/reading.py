"""Reading: from what users have, a file or a frame, to `Trials`.

Three steps: a table with names (`read_table`), the roles and codes of its columns (`codings`), and one data set for each person, with every trial
that is left out counted under one reason.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np
import pandas as pd

from incongruent.codings import (
    CONGRUENT,
    INCONGRUENT,
    NEUTRAL,
    Coding,
    DataError,
    Decoded,
    column_of,
    decode_accuracy,
    decode_condition,
    find_accuracy,
    find_condition,
    find_rt,
    find_subject,
    listed,
    named,
    numbers,
    texts,
)
from incongruent.tables import read_table
from incongruent.trials import CONFLICT_TASK, Array, Trials, from_long

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
    coding: Coding = Coding(),
) -> Trials:
    """Trials of a conflict task, from a file or a frame with one row per trial.

    Columns are found by their usual names in any case (a column called ``rt`` wins over ``latency`` and the like, ``subject`` over ``id``,
    ``accuracy`` and ``error`` over ``correct``), the condition by names and values. What is ambiguous is refused. Codes in words (congruent / comp /
    con / c …) are understood as such; numeric codes of the condition are guessed:

    =========== ========= =========== =======
    codes       congruent incongruent neutral
    =========== ========= =========== =======
    0, 1        1         0
    0, 1, 2     1         0           2
    1, 2        1         2
    1, 2, 3     1         2           3
    -1, 1       1         -1
    -1, 0, 1    1         -1          0
    False, True True      False
    1 or True   1, True
    =========== ========= =========== =======

    A column called ``incongruent``, ``incompatible`` or ``conflict`` holds the reverse. A guess is refused when it
    makes congruent trials slower, by more than three standard errors over people, and not clearly more accurate.

    Args:
        source: a file (CSV, TSV, ``;`` or whitespace between columns, Parquet), or a frame of pandas, polars or another library that narwhals knows.
        names: the columns' names, for a file without a header; surplus columns at the end are allowed when they hold one value throughout.
        by: the column or columns whose combinations make the data sets; left out, the person's. ``()`` when all rows are one person's.
        where: which rows to take, such as ``"experiment == 0 and block > 1"``; a name with spaces stands in backticks.
        unit: "ms" or "s"; left out, it is told by the column's name and the median reaction time (.1–10 is s, 100–10,000 is ms).
        window: the shortest and longest reaction time to keep, in ms, both included; None keeps all.
        coding: which columns and codes to use where names and values do not tell.

    Returns:
        `Trials` with the columns `CONFLICT_TASK`, reaction times in ms, one data set for each person in natural order, even when no trial is left.
        ``excluded`` counts the trials left out of each data set, shape (dataset,), under each of `REASONS`; ``notes`` say how the data were
        understood.

    Raises:
        DataError: when the data cannot be understood; the message says what to do.
        TypeError: when an argument is of the wrong type.

    >>> import pandas as pd
    >>> frame = pd.DataFrame({"ID": [7, 7, 8], "Comp": ["comp", "incomp", "comp"], "RT": [402.0, 435.0, -1.0], "Error": [0, 1, 0]})
    >>> trials = read_trials(frame)
    >>> trials.names, trials.n_trials.tolist(), trials.excluded["timeout"].tolist()
    (('7', '8'), [2, 0], [0, 1])
    """
    _check_arguments(names, where, unit, window, coding)
    table, notes = read_table(source, names)
    table, chosen = choose(table, where)
    dataset, dataset_names, units = split(table, by, coding)
    rt, timing = reaction_times(table, unit, coding)
    accuracy_column, one_is_correct = find_accuracy(table, coding)
    accuracy = decode_accuracy(accuracy_column, column_of(table, accuracy_column), one_is_correct)
    _check_accuracy(accuracy_column, accuracy, rt, one_is_correct)
    condition_column = find_condition(table, coding)
    condition = decode_condition(condition_column, column_of(table, condition_column), coding)

    reason = _reasons(rt, window, condition, accuracy)
    kept = reason == len(REASONS)
    values = {"condition": condition.codes[kept], "response": accuracy.codes[kept], "rt": rt[kept]}
    trials = from_long(CONFLICT_TASK, dataset[kept], values, names=dataset_names)
    _check_guess(condition_column, condition.guess, trials)
    excluded = {name: np.bincount(dataset[reason == i], minlength=len(dataset_names)) for i, name in enumerate(REASONS)}
    return replace(trials, excluded=excluded, notes=(*notes, *chosen, units, timing, accuracy.note, condition.note, *_neutral(trials)))


def exclusions(trials: Trials) -> pd.DataFrame:
    """How many trials of each data set were kept and left out.

    Returns:
        One row for each data set: subject, n_trials (kept), n_excluded, and how many were left out for each reason.
    """
    counts = {"subject": list(trials.names), "n_trials": trials.n_trials, "n_excluded": trials.n_excluded}
    return pd.DataFrame({**counts, **trials.excluded})


def _check_arguments(names: object, where: object, unit: object, window: object, coding: object) -> None:
    if names is not None and (isinstance(names, str) or not isinstance(names, Sequence) or not all(isinstance(name, str) for name in names)):
        raise TypeError(f"Expected `names` to be a sequence of the columns' names; got {names!r}.")
    if not isinstance(where, str | None):
        raise TypeError(f"Expected `where` to be text such as 'experiment == 0'; got {type(where).__name__}.")
    if unit not in (None, "ms", "s"):
        raise DataError(f"Expected `unit` to be 'ms' or 's'; got {unit!r}. Leave it out to have it told by the median reaction time.")
    if not isinstance(coding, Coding):
        raise TypeError(f"Expected `coding` to be a Coding; got {type(coding).__name__}.")
    if window is None:
        return
    if not isinstance(window, Sequence) or len(window) != 2 or not all(isinstance(edge, Real) for edge in window):
        raise TypeError(f"Expected `window` to be two numbers, in ms, or None; got {window!r}.")
    if not 0 <= window[0] < window[1]:
        raise DataError(f"Expected `window` to run from a shorter to a longer time in ms; got {window!r}.")


# --- rows and data sets ---------------------------------------------------------------------------------------------------------------------

ALLOWED = (
    *(ast.Expression, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Name, ast.Constant, ast.List, ast.Tuple, ast.Load),
    *(ast.And, ast.Or, ast.Not, ast.USub, ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod),
    *(ast.Eq, ast.NotEq, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.In, ast.NotIn),
)


def choose(table: pd.DataFrame, where: str | None) -> tuple[pd.DataFrame, list[str]]:
    """The rows for which ``where`` holds, and a sentence about them.

    Raises:
        DataError: when the filter is not understood or holds for no row.
    """
    if where is None:
        return table, []
    expression, used = _parse(where, list(table.columns))
    # Columns get names made here, so that none can mean anything else to pandas.
    values = pd.DataFrame({placeholder: table[column] for placeholder, column in used.items()})
    try:
        mask = np.asarray(values.eval(expression, engine="python"))
    except Exception as error:  # whatever pandas cannot compute, such as text < number, is a filter that does not fit the data
        raise _bad_filter(where, table, f"it cannot be computed ({error})") from error
    if mask.shape != (len(table),) or mask.dtype != bool:
        raise _bad_filter(where, table, "it is not true or false for each row")
    if not mask.any():
        raise _bad_filter(where, table, f"it holds for none of {len(table)} rows")
    return table.loc[mask].reset_index(drop=True), [f"`where` chose {mask.sum()} of {len(table)} rows: {where.strip()}."]


def _bad_filter(where: str, table: pd.DataFrame, came: str) -> DataError:
    return DataError(
        f"Expected `where` to choose rows by comparing columns with values, such as 'block > 1 and group == \"a\"'; got {where!r}: {came}. "
        f"The columns are {listed(table.columns, 40)}."
    )


def _parse(where: str, columns: list[str]) -> tuple[str, Mapping[str, str]]:
    """The filter with a placeholder for each column, and the column for each placeholder; nothing but comparisons, logic and arithmetic passes."""
    table = pd.DataFrame(columns=columns)
    quoted: dict[str, str] = {}

    def plain(found: re.Match[str]) -> str:
        if found[1] is not None:
            return quoted.setdefault(found[1], f"quoted_name_{len(quoted)}")
        return {"&": " and ", "|": " or ", "~": " not "}.get(found[0], found[0])

    written = re.sub(r"'[^'\n]*'|\"[^\"\n]*\"|`([^`\n]+)`|[&|~]", plain, where).strip()
    try:
        tree = ast.parse(written, mode="eval")
        unknown = [node for node in ast.walk(tree) if not isinstance(node, ALLOWED)]
        unknown += [side for node in ast.walk(tree) if isinstance(node, ast.BinOp) for side in (node.left, node.right) if not _countable(side)]
        asked = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        column_of = {name: column for column, name in quoted.items()}
        missing = [column_of.get(name, name) for name in sorted(asked) if column_of.get(name, name) not in columns]
        placeholder = {name: f"c{i}" for i, name in enumerate(sorted(asked))}
        for node in ast.walk(tree):
            if isinstance(node, ast.Name):
                node.id = placeholder[node.id]
        expression = ast.unparse(tree)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise _bad_filter(where, table, f"it cannot be read ({error})") from error
    if unknown:
        raise _bad_filter(where, table, f"{type(unknown[0]).__name__} is not allowed")
    if missing:
        raise _bad_filter(where, table, f"there is no column {listed(missing)}")
    return expression, {name: column_of.get(old, old) for old, name in placeholder.items()}


def _countable(node: ast.AST) -> bool:
    return not isinstance(node, ast.List | ast.Tuple) and not (isinstance(node, ast.Constant) and not isinstance(node.value, int | float))


def natural(text: str) -> tuple[int, float, tuple[str | int, ...], str]:
    """A key that sorts numbers as numbers, before text, and digits within text as numbers, too: 2, 10, "s2", "s10"."""
    try:
        return 0, float(text), (), text
    except ValueError:
        parts = re.split(r"([0-9]{1,18})", text)
        return 1, 0.0, tuple(int(part) if i % 2 else part for i, part in enumerate(parts)), text


def split(table: pd.DataFrame, by: str | Sequence[str] | None, coding: Coding) -> tuple[Array, tuple[str, ...], str]:
    """The data set of each row, (row,), the data sets' names in natural order, and a sentence about them.

    Raises:
        DataError: when a column is unknown, nobody tells people apart, or a row belongs to nobody.
    """
    if by is not None and (not isinstance(by, str | Sequence)):
        raise TypeError(f"Expected `by` to be a column's name or several; got {type(by).__name__}.")
    asked = [by] if isinstance(by, str) else by
    columns = [find_subject(table, coding)] if asked is None else [named(column, list(table.columns), "`by`") for column in asked]
    if not columns:
        return np.zeros(len(table), int), ("all",), "All rows are one data set."
    words = [texts(column_of(table, column)) for column in columns]
    for column, word in zip(columns, words, strict=True):
        if lost := sum(w is None for w in word):
            raise DataError(
                f"Expected a value in column {column!r} of every row, to tell whose trial it is; {lost} of {len(table)} rows have none. "
                "Fill them in, or leave them out with `where`."
            )
    keys = list(zip(*words, strict=True))
    ordered = sorted(set(keys), key=lambda key: [natural(part) for part in key])
    position = {key: i for i, key in enumerate(ordered)}
    told = f"The {len(ordered)} data sets are the values of {' and '.join(repr(column) for column in columns)}."
    return np.array([position[key] for key in keys], int), tuple(" · ".join(key) for key in ordered), told


# --- reaction times, checks and reasons -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Unit:
    """A unit of time: how many ms it has, and between which values a median reaction time lies that is surely in it."""

    name: str
    ms: float
    low: float
    high: float


UNITS = (Unit("s", 1000.0, 0.1, 10.0), Unit("ms", 1.0, 100.0, 10_000.0))


def reaction_times(table: pd.DataFrame, unit: str | None, coding: Coding) -> tuple[Array, str]:
    """Reaction times in ms, (row,), NaN where there are none, and a sentence about their column and unit.

    Raises:
        DataError: when there are none, or their unit cannot be told or contradicts the median.
    """
    column, suffix = find_rt(table, coding)
    rt = numbers(column_of(table, column))
    rt = np.where(np.abs(rt) < 1e30, rt, np.nan)  # infinite, or beyond what float32 holds: no time at all
    usable = rt[np.isfinite(rt) & (rt > 0)]
    if not len(usable):
        raise DataError(f"Expected positive reaction times in column {column!r}; got {listed(dict.fromkeys(texts(column_of(table, column))), 5)}.")
    median = float(np.median(usable))
    by_median = next((u for u in UNITS if u.low <= median <= u.high), None)
    asked = unit or suffix
    if by_median is None and asked is None:
        raise DataError(f"Expected reaction times in ms or s; the median of column {column!r} is {median:.4g}, which may be either. Give `unit`.")
    if by_median is not None and asked not in (None, by_median.name):
        how = f"`unit` is {unit!r}" if unit else f"the name of column {column!r} says {suffix!r}"
        raise DataError(f"Expected reaction times in {asked}, since {how}; got a median of {median:.4g}. Give unit={by_median.name!r} if it is that.")
    chosen = next(u for u in UNITS if u.name == (asked or (by_median and by_median.name)))
    how = "as given" if unit else "told by its name and median" if suffix else "told by the median"
    note = f"The reaction time was taken from column {column!r}, in {chosen.name} ({how}, {median:.4g})."
    return np.round(rt * chosen.ms, 6), note  # rounded, so that .285 s is 285 ms and edges of the window are met


def _check_accuracy(column: str, accuracy: Decoded, rt: Array, one_is_correct: bool) -> None:
    """Refuse 0 and 1 when they make most answers errors."""
    looked_at = accuracy.known & (rt > 0)
    if accuracy.guess is None or not looked_at.any():
        return
    correct = float((accuracy.codes[looked_at] == 0).mean())
    if correct < 0.5:
        meaning, option = ("correct", "error") if one_is_correct else ("an error", "accuracy")
        raise DataError(
            f"Expected most answers to be correct; with 1 = {meaning} in column {column!r}, {correct:.0%} are. "
            f"If it is the other way round, give Coding({option}={column!r})."
        )


def _check_guess(column: str, guess: Mapping[str, str] | None, trials: Trials) -> None:
    """Refuse a guessed coding of the condition that makes congruent trials slower, surely, and not clearly more accurate."""
    if guess is None:
        return
    correct = trials.where("response", "correct")
    slower, error = _contrast(trials, trials.values["rt"], correct)
    more_accurate, error_of_accuracy = _contrast(trials, correct, trials.present)
    if slower > 3 * error and not more_accurate > 2 * error_of_accuracy:
        turn = {CONGRUENT: INCONGRUENT, INCONGRUENT: CONGRUENT}
        other = {code: turn.get(level, level) for code, level in guess.items()}
        raise DataError(
            f"Expected congruent trials to be faster or more accurate; with the guess {dict(guess)} for column {column!r} they are {slower:.0f} ms "
            f"slower (standard error {error:.1f} ms) and {more_accurate:+.1%} more accurate (standard error {error_of_accuracy:.1%}). "
            f"If the codes are the other way round, give Coding(levels={other}); if the guess is right, Coding(levels={dict(guess)})."
        )


def _contrast(trials: Trials, values: Array, counted: Array) -> tuple[float, float]:
    """Mean of the values (dataset, trial) in congruent - incongruent trials and its standard error, over people, or over one person's trials."""
    cells = [counted & trials.where("condition", level) for level in (CONGRUENT, INCONGRUENT)]
    n = np.array([cell.sum(axis=1) for cell in cells])  # (condition, dataset)
    both = np.asarray((n > 0).all(axis=0))
    if both.sum() > 1:
        mean = np.array([np.where(cell, values, 0).sum(axis=1, dtype=float) for cell in cells])[:, both] / n[:, both]
        effects = mean[0] - mean[1]
        return effects.mean(), effects.std(ddof=1) / np.sqrt(len(effects))
    congruent, incongruent = (np.asarray(values, float)[cell & both[:, None]] for cell in cells)
    if min(len(congruent), len(incongruent)) < 2:
        return 0.0, np.inf
    return congruent.mean() - incongruent.mean(), np.sqrt(congruent.var(ddof=1) / len(congruent) + incongruent.var(ddof=1) / len(incongruent))


def _reasons(rt: Array, window: tuple[float, float] | None, condition: Decoded, accuracy: Decoded) -> Array:
    """The position of the first of `REASONS` that applies to each row, (row,); their number where none does."""
    low, high = window or (0.0, np.inf)
    applies = [
        np.isfinite(rt) & (rt < 0),
        ~np.isfinite(rt) | (rt == 0) | condition.missing | accuracy.missing,
        ~((rt >= low) & (rt <= high)),
        ~condition.known,
        ~accuracy.known,
    ]
    return np.select(applies, range(len(REASONS)), default=len(REASONS))


def _neutral(trials: Trials) -> list[str]:
    n_neutral = int(trials.where("condition", NEUTRAL).sum())
    return [f"Neutral trials are present: {n_neutral} of {trials.n_trials.sum()}."] if n_neutral else []
