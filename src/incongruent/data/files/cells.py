"""Cells as written in a file: which columns hold numbers, and which hold names like "007"."""

from __future__ import annotations

import ast
import re
from collections.abc import Mapping, Sequence
from itertools import compress
from typing import Any

import numpy as np
import pandas as pd

from incongruent.data.trials import Array
from incongruent.data.values import (
    MISSING,
    DataError,
    categories,
    is_number,
    numbers,
    text_numbers,
    texts,
)

AS_WRITTEN = pd.StringDtype("python")
"""The type of columns whose cells are the file's text, before `understood` finds the numbers."""

NAME = re.compile("[+-]?0[0-9]+|[0-9]+[eE][0-9]+|[+-]?[0-9]{16,}")
"""A cell that a number would not give back: 007, 1e5, or more digits than a number holds."""
INTEGER = frozenset("+-0123456789")
"""The characters of whole numbers."""
WITHOUT_COMMA = INTEGER | frozenset(".eE")
"""The characters of numbers that have no decimal comma."""
LONGEST = max(map(len, MISSING))
"""The length of the longest word that marks a missing value."""
LARGEST_EXACT = 2**53
"""Integers from this one on may change when they become floats."""
MOST_DIGITS = 17
"""Longer cells may become the same number only because a number holds no more digits."""


class NotATable(DataError):  # noqa: N818 - it says what the content is not
    """The content is no table of trials, rather than a damaged one."""


def as_written(columns: Mapping[Any, Array | Sequence[str | None]]) -> pd.DataFrame:
    """A frame of columns whose cells are the file's text."""
    return pd.DataFrame(
        {name: pd.array(np.array(cells, object), AS_WRITTEN) for name, cells in columns.items()}
    )


def understood(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The frame with numbers in columns of numbers, and text in all others; and sentences.

    All cells of a column of numbers are numbers or missing.

    Raises:
        DataError: when commas may stand for thousands as well as for decimals.
    """
    made = [_understood(name, column) for name, column in frame.items()]
    table = pd.DataFrame({column.name: column for column, _ in made}, copy=False)
    return table, [note for _, notes in made for note in notes]


def _understood(name: Any, column: pd.Series) -> tuple[pd.Series, list[str]]:
    """A column with numbers or text, and sentences.

    Every different cell is examined once, however often it comes.
    """
    if column.dtype != AS_WRITTEN:
        return column, []
    where, different = pd.factorize(column.to_numpy(object))
    words = [cell.strip() for cell in different]
    values, notes = _values(name, words)
    if values is None:
        return pd.Series(categories(where, [word or None for word in words]), name=name), notes
    return pd.Series(_at(values, where), name=name), notes


def _at(values: Array, where: Array) -> Array:
    """The value of each row, (row,), NaN where its position is -1."""
    if values.dtype.kind == "i" and (where >= 0).all():
        return values[where]
    return np.append(values.astype(float), np.nan)[where]


def _values(name: Any, words: Sequence[str]) -> tuple[Array | None, list[str]]:
    """The number of each different cell, or None when the cells are text; and sentences.

    The number of a missing cell is NaN.
    """
    is_full = np.array([len(word) > LONGEST or word.lower() not in MISSING for word in words], bool)
    full = list(compress(words, is_full))
    if not full:
        return None if any(words) else np.full(len(words), np.nan), []
    values = None if _has_names(words, full) else _numbers(full)
    if values is None:
        return None, []
    if twins := _twins(full, values):
        return None, [
            f"Column {name!r} holds {twins[0]!r} and {twins[1]!r}, which are kept apart as two"
            " names."
        ]
    if is_full.all() and set("".join(full)) <= INTEGER:
        return values.astype(np.int64), []
    spread = np.full(len(words), np.nan)
    spread[is_full] = values
    return spread, []


def _has_names(words: Sequence[str], full: Sequence[str]) -> bool:
    """True when a word is a name although it is missing or looks like a number.

    "none" may be a label, as of a flanker that is absent.
    """
    if "none" in map(str.lower, words):
        return True
    return any(NAME.fullmatch(word) for word in full if "." not in word)


def _numbers(words: Sequence[str]) -> Array | None:
    """The words as floats, or None when any is no number."""
    if set("".join(words)) <= WITHOUT_COMMA:
        values = _floats(words)
        if values is not None and np.isfinite(values).all():
            return values
    return text_numbers(np.array(words, object)) if all(map(is_number, words)) else None


def _floats(words: Sequence[str]) -> Array | None:
    """The words as Python reads numbers, which have no decimal comma; None when any is none."""
    try:
        return np.array(words, object).astype(float)
    except ValueError:
        return None


def _twins(words: Sequence[str], values: Array) -> tuple[str, str] | None:
    """Two different words that are the same number, such as 1 and 1.0 or 1.1 and 1.10."""
    short = np.flatnonzero(np.fromiter(map(len, words), int, len(words)) <= MOST_DIGITS)
    pair = _equal_pair(values[short].view(np.int64))  # by their bits, so that -0 and 0 are two
    if pair is None:
        return None
    first, second = (int(short[i]) for i in pair)
    return words[first], words[second]


def _equal_pair(numbers: Array) -> tuple[int, int] | None:
    """The positions of two equal numbers, or None when all are different."""
    order = np.argsort(numbers, kind="stable")
    equal = np.flatnonzero(numbers[order][1:] == numbers[order][:-1])
    return (int(order[equal[0]]), int(order[equal[0] + 1])) if len(equal) else None


def beside_text(expression: str) -> set[str]:
    """The names that a filter compares with text.

    Example:
        >>> sorted(beside_text('subject == "007" and rt > 200 and group in ("a", "b")'))
        ['group', 'subject']
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if isinstance(node, ast.Compare):
            parts = list(ast.walk(node))
            if any(_is_text(part) for part in parts):
                found |= {part.id for part in parts if isinstance(part, ast.Name)}
    return found


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)


def comparable(column: pd.Series, with_text: bool) -> pd.Series:
    """A column in the type in which a filter compares it.

    When it is compared with text, its values are text. Otherwise they are numbers, if all of them
    can be read as numbers.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if column.dtype != object:
        return pd.Series(texts(column), index=column.index, dtype=object) if with_text else column
    if with_text or not _are_numbers(column):
        return column
    return pd.Series(numbers(column), index=column.index)


def _are_numbers(column: pd.Series) -> bool:
    different = [value for value in pd.unique(texts(column)) if value is not None]
    return bool(different) and all(map(is_number, different))
