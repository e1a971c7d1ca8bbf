"""Cells as written in a file: which columns hold numbers, and which hold names like "007"."""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

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

pc: Any = compute  # whose functions are made when it is imported
AS_WRITTEN = pd.ArrowDtype(pa.string())
"""The type of columns whose cells are the file's text, before `understood` finds the numbers."""

NAMES = r"^[+-]?0[0-9]+$|^[0-9]+[eE][0-9]+$|^[+-]?[0-9]{16,}$"
"""Cells that a number would not give back: 007, 1e5, and more digits than a number holds."""
WHOLE = r"^[+-]?[0-9]+$"
LARGEST_EXACT = 2**53
"""Integers from this one on may change when they become floats."""
MOST_DIGITS = 17
"""Longer cells may become the same number only because a number holds no more digits."""


class NotATable(DataError):  # noqa: N818 - it says what the content is not
    """The content is no table of trials, rather than a damaged one."""


def as_written(
    columns: Mapping[Any, pa.Array | pa.ChunkedArray | Sequence[str | None]],
) -> pd.DataFrame:
    """A frame of columns whose cells are the file's text."""
    return pd.DataFrame({name: _series_as_written(cells) for name, cells in columns.items()})


def _series_as_written(cells: pa.Array | pa.ChunkedArray | Sequence[str | None]) -> pd.Series:
    is_arrow = isinstance(cells, pa.Array | pa.ChunkedArray)
    array = cells if is_arrow else pa.array(cells, pa.string())
    return pd.Series(pd.array(array, dtype=AS_WRITTEN))


def understood(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The frame with numbers in columns of numbers, and text in all others; and sentences.

    All cells of a column of numbers are numbers or missing.

    Raises:
        DataError: when commas may stand for thousands as well as for decimals.
    """
    # Threads help, since pyarrow, which does most of the work, lets other threads run.
    with ThreadPoolExecutor() as threads:
        made = list(threads.map(lambda pair: _understood(*pair), frame.items()))
    table = pd.DataFrame({column.name: column for column, _ in made}, copy=False)
    return table, [note for _, notes in made for note in notes]


def _understood(name: Any, column: pd.Series) -> tuple[pd.Series, list[str]]:
    """A column with numbers or text, and sentences.

    Every different cell is examined once, however often it comes.
    """
    if column.dtype != AS_WRITTEN:
        return column, []
    encoded = pa.chunked_array(pa.array(column.array)).dictionary_encode().combine_chunks()
    where = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    words = pc.utf8_trim_whitespace(encoded.dictionary)
    values, notes = _values(name, words)
    if values is None:
        labels = [word or None for word in words.to_pylist()]
        return pd.Series(categories(where, labels), name=name), notes
    return pd.Series(_at(values, where), name=name), notes


def _at(values: Array, where: Array) -> Array:
    """The value of each row, (row,), NaN where its position is -1."""
    if values.dtype.kind == "i" and (where >= 0).all():
        return values[where]
    return np.append(values.astype(float), np.nan)[where]


def _values(name: Any, words: pa.Array) -> tuple[Array | None, list[str]]:
    """The number of each different cell, or None when the cells are text; and sentences.

    The number of a missing cell is NaN.
    """
    missing = pc.is_in(pc.utf8_lower(words), pa.array(MISSING))
    full = words.filter(pc.invert(missing))
    if not len(full):
        return np.full(len(words), np.nan) if _are_empty(words) else None, []
    values = None if _has_names(words, full) else _numbers(full)
    if values is None:
        return None, []
    if twins := _twins(full, values):
        return None, [
            f"Column {name!r} holds {twins[0]!r} and {twins[1]!r}, which are kept apart as two"
            " names."
        ]
    if len(full) == len(words) and pc.all(pc.match_substring_regex(words, WHOLE)).as_py():
        return values.astype(np.int64), []
    spread = np.full(len(words), np.nan)
    spread[~missing.to_numpy(zero_copy_only=False)] = values
    return spread, []


def _are_empty(words: pa.Array) -> bool:
    """True when every word is empty, as in a column without any value."""
    return pc.all(pc.equal(words, "")).as_py() is not False


def _has_names(words: pa.Array, full: pa.Array) -> bool:
    """True when a word is a name although it is missing or looks like a number.

    "none" may be a label, as of a flanker that is absent.
    """
    if pc.any(pc.equal(pc.utf8_lower(words), "none")).as_py():
        return True
    return bool(pc.any(pc.match_substring_regex(full, NAMES)).as_py())


def _numbers(words: pa.Array) -> Array | None:
    """The words as floats, or None when any is no number."""
    values = _cast(words)
    if values is not None and np.isfinite(values).all():
        return values
    listed = words.to_pylist()
    return text_numbers(np.array(listed, object)) if all(map(is_number, listed)) else None


def _cast(words: pa.Array) -> Array | None:
    """The words as pyarrow reads numbers, which have no plus sign and no decimal comma."""
    try:
        return pc.cast(words, pa.float64()).to_numpy(zero_copy_only=False)
    except pa.ArrowInvalid:
        return None


def _twins(words: pa.Array, values: Array) -> tuple[str, str] | None:
    """Two different words that are the same number, such as 1 and 1.0 or 1.1 and 1.10."""
    short = pc.less_equal(pc.utf8_length(words), MOST_DIGITS).to_numpy(zero_copy_only=False)
    pair = _equal_pair(values[short].view(np.int64))  # by their bits, so that -0 and 0 are two
    if pair is None:
        return None
    written = words.filter(pa.array(short))
    return written[pair[0]].as_py(), written[pair[1]].as_py()


def _equal_pair(numbers: Array) -> tuple[int, int] | None:
    """The positions of two equal numbers, or None when all are different."""
    if len(np.unique(numbers)) == len(numbers):
        return None
    order = np.argsort(numbers, kind="stable")
    first = int(np.argmax(numbers[order][1:] == numbers[order][:-1]))
    return int(order[first]), int(order[first + 1])


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
