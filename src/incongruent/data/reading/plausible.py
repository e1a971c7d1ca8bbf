"""Plausible: whether the values of a column speak against a role, or for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from incongruent.data.codings import Coding, outcome_meaning
from incongruent.data.trials import Array
from incongruent.data.values import DataError, is_number, label_shares, numbers, texts
from incongruent.data.vocabulary import CONDITION_MEANING, word_meaning

MOST_LABELS = 20
"""A column of codes has at most so many different ones."""
Check = Callable[[pd.Series], str | None]
"""Why the values of a column speak against a role, in words; None when they do not."""


def against_subject(series: pd.Series) -> str | None:
    """A column of persons is not empty, and each person has several rows."""
    present = int(series.notna().sum())
    n_different = (
        series.nunique() if pd.api.types.is_numeric_dtype(series) else len(label_shares(series))
    )
    if not present or not n_different:
        return "it is empty"
    return (
        "nearly every row has another value"
        if present >= 20 and n_different > present / 2
        else None
    )


def against_rt(series: pd.Series) -> str | None:
    """Reaction times are positive numbers that do not run on from row to row as a clock or a
    running average does.
    """
    values = as_numbers(series)
    known = values[np.isfinite(values)]
    if not len(known):
        return "it holds no numbers"
    used = known[known > 0]
    if len(used) >= 20 and used.std() > 0:
        steps = np.diff(used)
        if (steps >= 0).mean() > 0.95:
            return "it rises from row to row, as a clock does"
        if (steps**2).mean() < 0.1 * 2 * used.var():
            return "it hardly changes from row to row, as a running average does"
    return None


def against_accuracy(series: pd.Series) -> str | None:
    """An accuracy has few different values."""
    labels = label_shares(series)
    if not labels:
        return "it is empty"
    return f"it has {len(labels)} different values" if len(labels) > MOST_LABELS else None


def against_condition(series: pd.Series) -> str | None:
    """A condition is not empty."""
    return None if label_shares(series) else "it is empty"


def like_subject(series: pd.Series) -> bool:
    """A few values that keep for many rows."""
    words = texts(series)
    n_people = len(pd.unique(words[pd.notna(words)]))
    changes = int((words[1:] != words[:-1]).sum())
    return against_subject(series) is None and n_people > 1 and changes < len(words) / 5


def like_rt(series: pd.Series) -> bool:
    """Many different positive numbers with the median of a reaction time in ms or s."""
    values = as_numbers(series)
    used = values[np.isfinite(values) & (values > 0)]
    if against_rt(series) is not None or len(used) < max(2, 0.3 * series.notna().sum()):
        return False
    median = float(np.median(used))
    return (0.1 <= median <= 10.0 or 100.0 <= median <= 10_000.0) and len(np.unique(used)) > min(
        20, len(used) / 3
    )


def like_accuracy(series: pd.Series) -> bool:
    """Labels that all mean correct, error or omission."""
    if against_accuracy(series) is not None:
        return False
    meaning = outcome_meaning(texts(series), True, Coding(), np.ones(len(series), bool))
    return not meaning.unknown and "correct" in meaning.levels.values() and len(meaning.shares) > 1


def like_condition(series: pd.Series) -> bool:
    """Words of conditions, or two or three numbers."""
    return against_condition(series) is None and (
        in_words(series, CONDITION_MEANING) or few_numbers(series)
    )


LIKE: dict[str, Callable[[pd.Series], bool]] = {
    "subject": like_subject,
    "rt": like_rt,
    "accuracy": like_accuracy,
    "condition": like_condition,
}


def as_numbers(series: pd.Series) -> Array:
    """The values as numbers, (row,), NaN where there is none."""
    try:
        values = numbers(series)
    except DataError:
        return np.full(len(series), np.nan)
    return np.where(np.abs(values) < 1e30, values, np.nan)  # beyond it is no time


def few_numbers(series: pd.Series) -> bool:
    """True for two or three different numbers or truth values."""
    labels = label_shares(series)
    return 2 <= len(labels) <= 3 and all(
        is_number(label) or label.casefold() in ("true", "false") for label in labels
    )


def in_words(series: pd.Series, meaning: Mapping[str, str]) -> bool:
    """True when most values are known words of two meanings at least."""
    labels = label_shares(series)
    if not labels or len(labels) > MOST_LABELS * 10:
        return False
    known = {label: word_meaning(label, meaning) for label in labels}
    return sum(share for label, share in labels.items() if known[label]) > 0.5
