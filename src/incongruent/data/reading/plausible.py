"""Plausible: whether the values of a column fit a role, such as that of the reaction time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from incongruent.data.codings import CORRECT, Coding, Meaning, outcome_meaning
from incongruent.data.trials import Array
from incongruent.data.values import DataError, is_number_or_truth, label_shares, numbers, texts
from incongruent.data.vocabulary import CONDITION_MEANING, word_meaning

MOST_LABELS = 20
"""A column of codes has at most so many different ones."""
MOST_WORDS = 200
"""A column with more different labels than this is not read as words of conditions or outcomes."""
LONGEST = 1e30
"""Numbers beyond this are no times; float32 can hardly hold them."""
ENOUGH = 20
"""With fewer values than this, their order and their number are no reason against a role."""
WhyNot = Callable[[pd.Series], str | None]
"""Why the values of a column cannot play a role, in words; None when they may."""
LooksRight = Callable[[pd.Series], bool]
"""Whether a column looks like one that plays a role, by its values alone."""

# --- why a column cannot play a role --------------------------------------------------------------


def why_not_subject(series: pd.Series) -> str | None:
    """No person: the column is empty, or nearly every row has another value."""
    n_present = int(series.notna().sum())
    n_different = (
        series.nunique() if pd.api.types.is_numeric_dtype(series) else len(label_shares(series))
    )
    if not n_present or not n_different:
        return "it is empty"
    if n_present >= ENOUGH and n_different > n_present / 2:
        return "nearly every row has another value"
    return None


def why_not_rt(series: pd.Series) -> str | None:
    """No reaction time: there are no numbers, or they are like a clock or a running average."""
    values = as_numbers(series)
    known = values[np.isfinite(values)]
    if not len(known):
        return "it holds no numbers"
    times = known[known > 0]
    return _why_not_in_order(times) if len(times) >= ENOUGH and times.std() > 0 else None


def _why_not_in_order(times: Array) -> str | None:
    """Times that rise all the time are a clock; times that hardly change are a running average."""
    steps = np.diff(times)
    if (steps >= 0).mean() > 0.95:
        return "it rises from row to row, as a clock does"
    if (steps**2).mean() < 0.1 * 2 * times.var():
        return "it hardly changes from row to row, as a running average does"
    return None


def why_not_accuracy(series: pd.Series) -> str | None:
    """No accuracy: the column is empty, or has many different values."""
    labels = label_shares(series)
    if not labels:
        return "it is empty"
    return f"it has {len(labels)} different values" if len(labels) > MOST_LABELS else None


def why_not_condition(series: pd.Series) -> str | None:
    """No condition: the column is empty."""
    return None if label_shares(series) else "it is empty"


# --- whether a column looks like one that does ----------------------------------------------------


def looks_like_subject(series: pd.Series) -> bool:
    """A column of persons has a few values, and keeps each for many rows."""
    words = texts(series)
    n_people = len(pd.unique(words[pd.notna(words)]))
    n_changes = int((words[1:] != words[:-1]).sum())
    return why_not_subject(series) is None and n_people > 1 and n_changes < len(words) / 5


def looks_like_rt(series: pd.Series) -> bool:
    """Reaction times are many different positive numbers with a median that is usual in ms or s."""
    values = as_numbers(series)
    times = values[np.isfinite(values) & (values > 0)]
    if why_not_rt(series) is not None or len(times) < max(2, 0.3 * series.notna().sum()):
        return False
    many_different = len(np.unique(times)) > min(ENOUGH, len(times) / 3)
    return _is_usual(float(np.median(times))) and many_different


def _is_usual(median: float) -> bool:
    """True for the median of reaction times in s or in ms."""
    return 0.1 <= median <= 10.0 or 100.0 <= median <= 10_000.0


def looks_like_accuracy(series: pd.Series) -> bool:
    """In an accuracy all labels mean correct, error or omission."""
    if why_not_accuracy(series) is not None:
        return False
    meaning = as_outcomes(series)
    several = len(meaning.shares) > 1
    return several and not meaning.unknown and CORRECT in meaning.levels.values()


def as_outcomes(series: pd.Series) -> Meaning:
    """What the labels mean when 1 or yes is correct and every row has a reaction time."""
    return outcome_meaning(texts(series), True, Coding(), np.ones(len(series), bool))


def looks_like_condition(series: pd.Series) -> bool:
    """A condition has words for conditions, or two or three numbers."""
    if why_not_condition(series) is not None:
        return False
    return in_words(series, CONDITION_MEANING) or few_numbers(series)


# --- values ---------------------------------------------------------------------------------------


def as_numbers(series: pd.Series) -> Array:
    """(row,) The values as numbers, NaN where there is none."""
    try:
        return times_of(series)
    except DataError:
        return np.full(len(series), np.nan)


def times_of(series: pd.Series) -> Array:
    """(row,) The values as numbers, NaN where there is none that may be a time.

    Raises:
        DataError: when they are dates, durations or complex numbers.
    """
    values = numbers(series)
    return np.where(np.abs(values) < LONGEST, values, np.nan)


def few_numbers(series: pd.Series) -> bool:
    """True for two or three different numbers or truth values."""
    labels = label_shares(series)
    return 2 <= len(labels) <= 3 and all(map(is_number_or_truth, labels))


def in_words(series: pd.Series, meaning: Mapping[str, str]) -> bool:
    """True when most values are known words."""
    labels = label_shares(series)
    if not labels or len(labels) > MOST_WORDS:
        return False
    known = [share for label, share in labels.items() if word_meaning(label, meaning)]
    return sum(known) > 0.5
