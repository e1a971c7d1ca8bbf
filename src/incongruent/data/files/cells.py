"""Cells as they are written in a file: which columns hold numbers, and which hold names that only
look like numbers.
"""

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
"""The type of a column whose cells are still the file's text; `understood` makes numbers or text of
it.
"""

NAMES = r"^[+-]?0[0-9]+$|^[0-9]+[eE][0-9]+$|^[+-]?[0-9]{16,}$"
"""Cells that a number would not give back: 007, 1e5, and more digits than a number holds."""
WHOLE = r"^[+-]?[0-9]+$"
LARGEST_EXACT = 2**53
"""Integers from this one on may change when they become floats."""
MOST_DIGITS = 17
"""Longer cells may share a number only because a number holds no more digits than that."""


class NotATable(DataError):  # noqa: N818 - it says what the content is not
    """The content is something else than a table of trials, rather than a damaged one."""


def as_written(
    columns: Mapping[Any, pa.Array | pa.ChunkedArray | Sequence[str | None]],
) -> pd.DataFrame:
    """A frame of columns whose cells are the file's text."""
    series = {}
    for name, cells in columns.items():
        array = (
            cells if isinstance(cells, pa.Array | pa.ChunkedArray) else pa.array(cells, pa.string())
        )
        series[name] = pd.Series(pd.array(array, dtype=AS_WRITTEN))
    return pd.DataFrame(series)


def understood(frame: pd.DataFrame) -> tuple[pd.DataFrame, list[str]]:
    """The frame with numbers where all cells of a column are numbers or missing, and text
    elsewhere; and sentences.

    Raises:
        DataError: when commas may stand for thousands as well as for decimals.
    """
    with (
        ThreadPoolExecutor() as threads
    ):  # most of the work is done by pyarrow, which lets other threads run
        made = list(threads.map(lambda pair: _understood(*pair), frame.items()))
    return pd.DataFrame({column.name: column for column, _ in made}, copy=False), [
        note for _, notes in made for note in notes
    ]


def _understood(name: Any, column: pd.Series) -> tuple[pd.Series, list[str]]:
    """Every different cell is looked at once, however often it is written."""
    if column.dtype != AS_WRITTEN:
        return column, []
    encoded = pa.chunked_array(pa.array(column.array)).dictionary_encode().combine_chunks()
    where = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False)
    words = pc.utf8_trim_whitespace(encoded.dictionary)
    values, notes = _values(name, words)
    if values is None:
        return (
            pd.Series(categories(where, [word or None for word in words.to_pylist()]), name=name),
            notes,
        )
    if values.dtype.kind == "i" and (where >= 0).all():
        return pd.Series(values[where], name=name), notes
    return pd.Series(np.append(values.astype(float), np.nan)[where], name=name), notes


def _values(name: Any, words: pa.Array) -> tuple[Array | None, list[str]]:
    """The number of each different cell, NaN where it is missing, or None when the cells are text;
    and sentences.
    """
    lowered = pc.utf8_lower(words)
    missing = pc.is_in(lowered, pa.array(MISSING))
    full = words.filter(pc.invert(missing))
    if not len(full):
        empty = pc.all(pc.equal(words, "")).as_py() is not False
        return (np.full(len(words), np.nan), []) if empty else (None, [])
    # "none" may be a label, as in a flanker that is absent; a name that looks like a number stays a
    # name.
    if (
        pc.any(pc.equal(lowered, "none")).as_py()
        or pc.any(pc.match_substring_regex(full, NAMES)).as_py()
    ):
        return None, []
    values = _numbers(full)
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


def _numbers(words: pa.Array) -> Array | None:
    """The words as floats; None when any is no number."""
    try:
        values = pc.cast(words, pa.float64()).to_numpy(zero_copy_only=False)
        if np.isfinite(values).all():
            return values
    except pa.ArrowInvalid:
        pass  # a decimal comma or a plus sign, or text
    listed = words.to_pylist()
    return text_numbers(np.array(listed, object)) if all(map(is_number, listed)) else None


def _twins(words: pa.Array, values: Array) -> tuple[str, str] | None:
    """Two different words that are the same number, such as 1 and 1.0 or 1.1 and 1.10."""
    short = pc.less_equal(pc.utf8_length(words), MOST_DIGITS).to_numpy(zero_copy_only=False)
    numbers = values[short].view(np.int64)  # by their bits, so that -0 and 0 are two
    if len(np.unique(numbers)) == len(numbers):
        return None
    order = np.argsort(numbers, kind="stable")
    same = int(np.argmax(numbers[order][1:] == numbers[order][:-1]))
    written = words.filter(pa.array(short))
    one, other = (written[int(order[i])].as_py() for i in (same, same + 1))
    return one, other


def beside_text(expression: str) -> set[str]:
    """The names that a filter compares with text, as in ``subject == "007"`` or
    ``subject in ("a", "b")``.
    """
    found: set[str] = set()
    for node in ast.walk(ast.parse(expression, mode="eval")):
        if isinstance(node, ast.Compare):
            inner = list(ast.walk(node))
            if any(
                isinstance(part, ast.Constant) and isinstance(part.value, str) for part in inner
            ):
                found |= {part.id for part in inner if isinstance(part, ast.Name)}
    return found


def comparable(column: pd.Series, with_text: bool) -> pd.Series:
    """A column as a filter compares it: as text beside text; elsewhere as numbers where all of its
    text is numbers.
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    if column.dtype != object:
        return pd.Series(texts(column), index=column.index, dtype=object) if with_text else column
    different = [value for value in pd.unique(texts(column)) if value is not None]
    if with_text or not different or not all(map(is_number, different)):
        return column
    return pd.Series(numbers(column), index=column.index)


__all__ = ["AS_WRITTEN", "NotATable", "as_written", "beside_text", "comparable", "understood"]
