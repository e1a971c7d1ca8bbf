"""Computable: an expression that may say what no column says, for the user to confirm.

Where two columns have the same words, such as the response and the right answer, their equality may
be the accuracy; where they are two parts of a stimulus, it may be the congruency.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations

import pandas as pd

from incongruent.data.reading.plausible import MOST_LABELS
from incongruent.data.values import column_of, is_number, label_shares, texts, written
from incongruent.data.vocabulary import tokens

RESPONSE_TOKENS = frozenset({"response", "resp", "r", "key", "answer"})
"""Parts of a name that say that a column holds what the person answered."""


def computed_accuracy(table: pd.DataFrame) -> str | None:
    """An expression that may be true for correct answers: two columns that are mostly equal."""
    pair = _equal_columns(table, lambda share: share > 0.8)
    return None if pair is None else _equality(*pair)


def computed_condition(table: pd.DataFrame) -> str | None:
    """An expression that may be true for congruent trials: two columns that are often equal.

    None of them may be a response.
    """
    pair = _equal_columns(table, lambda share: 0.15 < share < 0.85)
    if pair is None or any(not RESPONSE_TOKENS.isdisjoint(tokens(column)) for column in pair):
        return None
    return _equality(*pair)


def _equality(one: str, other: str) -> str:
    return f"{written(one)} == {written(other)}"


def _equal_columns(table: pd.DataFrame, enough: Callable[[float], bool]) -> tuple[str, str] | None:
    """The first two columns with the same words that are equal in enough rows.

    Args:
        table: the rows.
        enough: whether a share of equal rows is enough.
    """
    labels = _word_columns(table)
    words = {column: texts(column_of(table, column)) for column in labels}
    for one, other in combinations(labels, 2):
        same_words = labels[one] == labels[other]
        if same_words and enough(float((words[one] == words[other]).mean())):
            return one, other
    return None


def _word_columns(table: pd.DataFrame) -> dict[str, frozenset[str]]:
    """The labels of each column that has a few different words, and no numbers."""
    labels = {column: frozenset(label_shares(column_of(table, column))) for column in table.columns}
    return {
        column: words
        for column, words in labels.items()
        if 2 <= len(words) <= MOST_LABELS and not any(map(is_number, words))
    }
